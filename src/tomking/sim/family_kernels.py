"""Prices and quotes of one option outside the SPX family: Black (1976) on its future, with an SSVI smile.

With theta the at-the-money total variance and k = ln(K/F),

    w(k) = theta/2 (1 + rho phi k + sqrt((phi k + rho)**2 + 1 - rho**2)),  phi = eta / sqrt(theta (1 + theta))

(Gatheral and Jacquier 2014, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14, section 4:
free of arbitrage when eta (1 + |rho|) <= 2).  In at-the-money deviations the smile is the same at every
tenor.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.black import forward_model

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GRID = ("tick", "above", "from_count", "flat", "per_root")
"""Of a product: points per count, counts between quotes from ``from_count`` on, half-spread in points and
what each root of a point of price adds to it."""
TICK, ABOVE, FROM, FLAT, PER_ROOT = range(len(GRID))


@njit(cache=True, error_model="numpy")
def total_variance(k: float, theta: float, eta: float, rho: float) -> float:
    """w(k) > 0 at log-moneyness k; theta > 0."""
    bent = eta * k / math.sqrt(theta * (1.0 + theta))
    return 0.5 * theta * (1.0 + rho * bent + math.sqrt((bent + rho) ** 2 + 1.0 - rho * rho))


@njit(cache=True, error_model="numpy")
def quote_one(  # noqa: PLR0917
    strike: float,
    right: int,
    forward: float,
    discount: float,
    theta: float,
    eta: float,
    rho: float,
    grid: Floats,
) -> tuple[int, int, float, float]:
    """Bid and ask in counts, total volatility, delta per point of forward.

    The price never falls below the intrinsic value of the future: a holder of an American option would
    exercise, and what early exercise adds beyond that is less than the spread.
    """
    deviation = math.sqrt(total_variance(math.log(strike / forward), theta, eta, rho))
    price, delta, _, _ = forward_model(forward, strike, deviation, discount, float(right))
    price = max(price, (forward - strike) * right)
    half = grid[FLAT] + grid[PER_ROOT] * math.sqrt(price)
    tick, above, from_count = grid[TICK], int(grid[ABOVE]), int(grid[FROM])
    bid = max(math.floor((price - half) / tick + 1e-9), 0)
    if bid >= from_count:
        bid -= bid % above
    ask = max(math.ceil((price + half) / tick - 1e-9), bid + 1)
    if ask > from_count:
        ask += (above - ask % above) % above
    return bid, ask, deviation, delta


@njit(cache=True, error_model="numpy")
def rows_into(  # noqa: PLR0917
    strike: Floats,
    forward: float,
    discount: float,
    theta: float,
    eta: float,
    rho: float,
    grid: Floats,
    counts: Ints,
    greeks: Floats,
) -> None:
    """The rows of one expiry, puts first: ``quote_one`` for each.

    strike   points, (n,)
    counts   out: bid and ask, (2, 2n);  greeks  out: total volatility and delta, (2, 2n)
    """
    n = strike.size
    for i in range(2 * n):
        right = -1 if i < n else 1
        bid, ask, deviation, delta = quote_one(strike[i % n], right, forward, discount, theta, eta, rho, grid)
        counts[0, i], counts[1, i], greeks[0, i], greeks[1, i] = bid, ask, deviation, delta
