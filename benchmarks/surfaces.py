"""Time of one fit of a whole chain, and how near it lies, on one core.

A made chain: six expiries from a day to a year, 250 rows each, SSVI smiles with 0.10 wide markets.

    PYTHONPATH=. python -m benchmarks.surfaces
"""

import math
import time

import numpy as np

from tomking.pricing.black import black
from tomking.pricing.surface import Quotes, Surface, fit_surface, residuals

REPEATS = 30
YEARS = np.array([0.004, 0.02, 0.08, 0.17, 0.4, 1.0])


def made(strikes: int = 125) -> Quotes:
    """A chain of calls and puts at ``strikes`` strikes an expiry."""
    z = np.linspace(-6, 3.5, strikes)
    e = np.repeat(np.arange(YEARS.size), 2 * strikes)
    k = np.tile(np.repeat(z, 2), YEARS.size) * 0.2 * np.sqrt(YEARS[e])
    right = np.tile((1.0, -1.0), strikes * YEARS.size)
    theta = 0.04 * YEARS[e]
    phi = 0.6 / np.sqrt(theta)
    w = 0.5 * theta * (1 - 0.6 * phi * k + np.sqrt((phi * k - 0.6) ** 2 + 0.64))
    strike = 5_000 * np.exp(k)
    price = black(
        forward=5_000, strike=strike, years=YEARS[e], vol=np.sqrt(w / YEARS[e]), discount=1, right=right
    ).price
    level = np.ones(YEARS.size)
    return Quotes(YEARS, 5_000 * level, level, e, strike, right, np.maximum(price - 0.05, 0), price + 0.05)


def main() -> None:
    quotes = made()
    surface: Surface | None = fit_surface(quotes)
    quickest = math.inf
    for _ in range(REPEATS):
        started = time.perf_counter()
        surface = fit_surface(quotes)
        quickest = min(quickest, time.perf_counter() - started)
    assert surface is not None
    inside = residuals(surface, quotes).inside
    print(
        f"{quotes.strike.size} rows, {int(surface.quotes.sum())} of them fitted, {YEARS.size} expiries: "
        f"{1e3 * quickest:.2f} ms, {inside:.1%} within bid and ask"
    )


if __name__ == "__main__":
    main()
