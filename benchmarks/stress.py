"""`make bench-stress`: milliseconds for the whole stress grid of 200 legs, and what American legs leave out.

python -m benchmarks.stress
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from tomking.domain.structure import Structure
from tomking.pricing.american import american
from tomking.pricing.black import black
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.risk.exposure import Exposure, lines_in
from tomking.risk.settings import Settings
from tomking.risk.shocks import Moves, grid, moves_of, shock_table
from tomking.risk.stress import priced, revalued

Floats = NDArray[np.float64]
SETTINGS = Settings()
FORWARD, LEGS, SMILES, POINTS = 5500.0, 200, 10, 300
RATE, YIELD = 0.045, 0.015
AS_IF = "-1 SPXW 2031-06-20 P5000"


def book(seed: int = 1) -> Exposure:
    """200 puts and calls on ten expiries of 1 to 300 days, each with a smile of 300 strikes."""
    rng = np.random.default_rng(seed)
    line = next(lines_in(Structure.parse("put", AS_IF), 1, "test", "P1"))
    which = rng.integers(0, SMILES, LEGS)
    days = np.linspace(1, 300, SMILES)[which]
    strikes = FORWARD * np.exp(rng.uniform(-0.25, 0.12, LEGS))
    k = np.linspace(-0.6, 0.4, POINTS)
    legs = np.column_stack(
        (
            np.full(LEGS, FORWARD),
            strikes,
            days / 365 * CALENDAR_YEAR,
            np.exp(-RATE * days / 365),
            np.where(rng.random(LEGS) < 0.7, -1.0, 1.0),
        )
    )
    return Exposure(
        lines=(line,) * LEGS,
        legs=legs,
        smile_of=np.column_stack((which * POINTS, (which + 1) * POINTS)).astype(np.int64),
        moneyness=np.tile(k, SMILES),
        vols=np.tile((0.1455 - 0.30 * k) / CALENDAR_YEAR**0.5, SMILES),
        days=days,
        dollars=rng.choice([-200.0, -100.0, 100.0], LEGS),
        stale=np.zeros(LEGS, np.bool_),
    )


def plain(held: Exposure, moves: Moves) -> Floats:
    """The same prices with NumPy and SciPy: one vectorised expression per smile and leg."""
    forward, strike, years, discount, right = (column[:, None] for column in held.legs.T)
    moved = forward * moves.move
    k = np.log(strike / moved)
    smile = np.array(
        [np.interp(k[i], held.moneyness[a:b], held.vols[a:b]) for i, (a, b) in enumerate(held.smile_of)]
    )
    vol = np.maximum(0.03, smile * moves.scale + moves.shift)
    v = np.maximum(vol * np.sqrt(years * moves.left), 1e-12)
    d1 = np.log(moved / strike) / v + v / 2
    paid = discount**moves.left
    prices: Floats = paid * right * (moved * ndtr(right * d1) - strike * ndtr(right * (d1 - v)))
    return prices


def best(run: Callable[[], object], repeats: int = 25) -> float:
    """Milliseconds of the quickest of ``repeats`` runs, after one to warm up."""
    run()
    quickest = np.inf
    for _ in range(repeats):
        started = time.perf_counter_ns()
        run()
        quickest = min(quickest, time.perf_counter_ns() - started)
    return float(quickest) / 1e6


def american_error() -> list[tuple[str, float, float]]:
    """What a SPY option loses in a shock, priced as European and as American: dollars a contract."""
    rows = []
    for name, days, strike, right in (
        ("put, 45 days, 5 % below", 45, 0.95, -1),
        ("put, 45 days, at the money", 45, 1.0, -1),
        ("put, 45 days, 5 % above", 45, 1.05, -1),
        ("put, 365 days, 10 % below", 365, 0.90, -1),
        ("call, 365 days, 20 % below", 365, 0.80, 1),
        ("call, 30 days, at the money", 30, 1.0, 1),
    ):
        for move, shift in ((-0.06, 0.226), (-0.10, 0.34), (-0.20, 0.64)):
            damped = shift * min(1.0, (30 / days) ** 0.5)
            europe, america = (_lost(days, 550 * strike, right, move, damped, style) for style in "EA")
            rows.append((f"{name}, {move:+.0%}", europe, america))
    return rows


def _lost(  # noqa: PLR0917
    days: float, strike: float, right: int, move: float, shift: float, style: str
) -> float:
    return 100 * (
        _spy(550.0, days, strike, right, 0.16, style)
        - _spy(550.0 * (1 + move), days, strike, right, 0.16 + shift, style)
    )


def _spy(  # noqa: PLR0917
    spot: float, days: float, strike: float, right: int, vol: float, style: str
) -> float:
    years = days / 365
    if style == "A":
        found = american(spot=spot, strike=strike, years=years, vol=vol, rate=RATE, yield_=YIELD, right=right)
        return float(found.price)
    forward, paid = spot * np.exp((RATE - YIELD) * years), np.exp(-RATE * years)
    return float(
        black(forward=forward, strike=strike, years=years, vol=vol, discount=paid, right=right).price
    )


def main() -> None:
    held, cells = book(), (*shock_table(16.0, SETTINGS), *grid(SETTINGS))
    moves = moves_of(held, cells, SETTINGS)
    whole, kernel = (
        best(lambda: revalued(held, cells, SETTINGS)),
        best(lambda: revalued(held, cells[:1], SETTINGS)),
    )
    alone, other = best(lambda: priced(held, moves, 1.0)), best(lambda: plain(held, moves), 10)
    ours = revalued(held, cells, SETTINGS).prices
    print(f"{LEGS} legs x {len(cells)} scenarios (table and grid), one core")
    print(f"  tomking          {whole:8.2f} ms   goal 20 ms   ({whole * 1e6 / ours.size:.0f} ns a price)")
    print(f"  prices alone     {alone:8.2f} ms")
    print(f"  NumPy and SciPy  {other:8.2f} ms   {other / alone:.1f}x, prices alone")
    print(f"  one scenario     {kernel:8.2f} ms")
    print(f"  greatest difference {np.abs(ours - plain(held, moves)).max():.1e} points")
    print("American legs priced as European: dollars lost by one long SPY option (spot 550)")
    for name, europe, america in american_error():
        print(f"  {name:38} {europe:9,.0f} {america:9,.0f}   {america - europe:+7,.0f}")


if __name__ == "__main__":
    main()
