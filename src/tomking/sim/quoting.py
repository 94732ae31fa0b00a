"""From the surface to quotes: one kernel for a chain's rows, one for a handful of held contracts.

Both price a contract by ``_mid`` and round it by ``quote_counts``, so a held contract's quote is its row
of the chain to the bit.  Arguments travel in two small arrays, the state of the minute (``STATE``) and the
facts of each expiry (``SERIES``), because a kernel's arguments cost more than its work.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.black import norm_cdf
from tomking.pricing.clock import LEAST_MINUTES, MINUTES_A_YEAR
from tomking.pricing.ssvi import SsviSurface, total_variance
from tomking.sim.spreads import quote_counts, stress_factor
from tomking.sim.surface import YEAR_MINUTES, eta_of, phi_of, rho_of, variance_time

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STATE = ("spot", "vix", "level", "medium", "long", "rate", "clock", "minute")
"""The index, VIX, the surface's level and multiples, the short rate, the variance minutes since the
calendar's start, the calendar minute."""
SPOT, VIX, LEVEL, MEDIUM, LONG, RATE, CLOCK, MINUTE = range(len(STATE))

SERIES = ("clock", "minute", "future_minute", "ratio", "tick", "point", "above", "from_count", "width")
"""Of one expiry: variance minutes and calendar minute at settlement, calendar minute at which the
option's future expires (the same for an index option), index ratio, tick in points, ``spreads.Grid``."""
S_CLOCK, S_MINUTE, S_FUTURE, S_RATIO, S_TICK, S_POINT, S_ABOVE, S_FROM, S_WIDTH = range(len(SERIES))

DIVIDEND_YIELD = 0.018
"""Continuous; about the S&P 500's mean since 1990 (3.7 % then, 1.3 % in 2024)."""

FUTURE_LEG = 0
"""In the column of rights: the contract is the future itself."""


@njit(cache=True, error_model="numpy")
def terms(state: Floats, series: Floats) -> tuple[float, float, float, float]:
    """Forward, discount, clock years and at-the-money total variance of one expiry."""
    years = max(series[S_CLOCK] - state[CLOCK], LEAST_MINUTES) / MINUTES_A_YEAR
    paid = max(series[S_MINUTE] - state[MINUTE], 0.0) / YEAR_MINUTES
    carried = max(series[S_FUTURE] - state[MINUTE], 0.0) / YEAR_MINUTES
    forward = state[SPOT] * series[S_RATIO] * math.exp((state[RATE] - DIVIDEND_YIELD) * carried)
    theta = state[LEVEL] * variance_time(years, state[MEDIUM], state[LONG])
    return forward, math.exp(-state[RATE] * paid), years, theta


def surface_of(state: Floats, series: Floats) -> SsviSurface:
    """The minute's surface as ``pricing`` knows surfaces; series (m, columns), ascending settlements."""
    found = np.array([terms(state, row) for row in series])
    eta = eta_of(state[VIX])
    slices = np.array([(theta, phi_of(theta, eta), rho_of(theta)) for theta in found[:, 3]])
    return SsviSurface.of(found[:, 2], found[:, 0], found[:, 1], slices)


@njit(cache=True, error_model="numpy")
def _call_put(  # noqa: PLR0917
    strike: float, forward: float, discount: float, theta: float, phi: float, rho: float
) -> tuple[float, float, float, float]:
    """Prices of call and put in points, the call's delta, total volatility.

    The one out of the money is computed and the other follows by parity, which keeps the wings exact.
    """
    deviation = math.sqrt(total_variance(math.log(strike / forward), theta, phi, rho))
    d1 = math.log(forward / strike) / deviation + 0.5 * deviation
    if strike >= forward:
        inside = norm_cdf(d1)
        call = discount * max(forward * inside - strike * norm_cdf(d1 - deviation), 0.0)
        return call, call + discount * (strike - forward), discount * inside, deviation
    outside = norm_cdf(-d1)
    put = discount * max(strike * norm_cdf(deviation - d1) - forward * outside, 0.0)
    return put + discount * (forward - strike), put, discount * (1.0 - outside), deviation


@njit(cache=True, error_model="numpy")
def _quote(  # noqa: PLR0917
    price: float, right: int, strike: float, forward: float, factor: float, series: Floats
) -> tuple[int, int]:
    depth = max((forward - strike) * right / forward, 0.0)
    return quote_counts(
        price / series[S_TICK],
        depth,
        factor,
        series[S_POINT],
        int(series[S_ABOVE]),
        int(series[S_FROM]),
    )


@njit(cache=True, error_model="numpy")
def _days(state: Floats, series: Floats) -> float:
    return float((series[S_MINUTE] - state[MINUTE]) / 1440.0)


@njit(cache=True, error_model="numpy")
def rows_into(state: Floats, series: Floats, strike: Floats, counts: Ints, greeks: Floats) -> None:
    """The rows of one expiry, puts first.

    strike   points, (n,)
    counts   out: bid and ask in ticks, (2, 2n)
    greeks   out: volatility per clock year and delta per point of forward, (2, 2n)
    """
    n = strike.size
    forward, discount, years, theta = terms(state, series)
    phi, rho, root = phi_of(theta, eta_of(state[VIX])), rho_of(theta), math.sqrt(years)
    factor = stress_factor(state[VIX], _days(state, series), series[S_WIDTH])
    for i in range(n):
        k = strike[i]
        call, put, delta, deviation = _call_put(k, forward, discount, theta, phi, rho)
        counts[0, i], counts[1, i] = _quote(put, -1, k, forward, factor, series)
        counts[0, n + i], counts[1, n + i] = _quote(call, 1, k, forward, factor, series)
        greeks[0, i] = greeks[0, n + i] = deviation / root
        greeks[1, i], greeks[1, n + i] = delta - discount, delta


@njit(cache=True, error_model="numpy")
def prices_into(state: Floats, series: Floats, strike: Floats, price: Floats) -> None:
    """Unrounded mids in points of one expiry's rows, puts first, (2n,)."""
    n = strike.size
    forward, discount, _, theta = terms(state, series)
    phi, rho = phi_of(theta, eta_of(state[VIX])), rho_of(theta)
    for i in range(n):
        price[n + i], price[i], _, _ = _call_put(strike[i], forward, discount, theta, phi, rho)


@njit(cache=True, error_model="numpy")
def quotes_into(  # noqa: PLR0917
    state: Floats, slots: Ints, rights: Ints, strikes: Floats, which: Ints, series: Floats, counts: Ints
) -> None:
    """Bid and ask in ticks of the contracts in ``slots``, (2, m); -1 where one no longer trades.

    rights, strikes, which   of all known contracts, by slot: the right, points, row of ``series``
    """
    eta = eta_of(state[VIX])
    for i in range(slots.size):
        slot = slots[i]
        if slot < 0:
            counts[0, i] = counts[1, i] = -1
        else:
            facts = series[which[slot]]
            counts[0, i], counts[1, i] = _counts(state, rights[slot], strikes[slot], facts, eta)


@njit(cache=True, error_model="numpy")
def mids_into(  # noqa: PLR0917
    state: Floats, slots: Ints, rights: Ints, strikes: Floats, which: Ints, series: Floats, out: Floats
) -> None:
    """Mids in points of the same quotes, (m,); NaN where one no longer trades."""
    eta = eta_of(state[VIX])
    for i in range(slots.size):
        slot = slots[i]
        out[i] = np.nan
        if slot >= 0:
            facts = series[which[slot]]
            bid, ask = _counts(state, rights[slot], strikes[slot], facts, eta)
            if bid >= 0:
                out[i] = (bid + ask) * (0.5 * facts[S_TICK])


@njit(cache=True, error_model="numpy")
def _counts(state: Floats, right: int, strike: float, facts: Floats, eta: float) -> tuple[int, int]:
    """Bid and ask in ticks; (-1, -1) after its settlement."""
    if facts[S_MINUTE] < state[MINUTE]:
        return -1, -1
    forward, discount, _, theta = terms(state, facts)
    if right == FUTURE_LEG:
        bid = math.floor(forward / facts[S_TICK] + 1e-9)
        return bid, bid + 1
    factor = stress_factor(state[VIX], _days(state, facts), facts[S_WIDTH])
    call, put, _, _ = _call_put(strike, forward, discount, theta, phi_of(theta, eta), rho_of(theta))
    return _quote(call if right > 0 else put, right, strike, forward, factor, facts)
