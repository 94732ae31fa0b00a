"""The modelled volatility surface: total implied variance by log-moneyness and time, without arbitrage.

Smile   the SSVI surface of Gatheral and Jacquier (2014, "Arbitrage-free SVI volatility surfaces",
        Quantitative Finance 14): with theta the at-the-money total variance and k = ln(K/F),

            w(k) = theta/2 (1 + RHO phi k + sqrt((phi k + RHO)**2 + 1 - RHO**2))
            phi  = ETA theta**-GAMMA (1 + theta)**(GAMMA - 1)

        Constant RHO and theta growing with time: no calendar arbitrage when
        0 <= d(theta phi)/d(theta) <= (1 + sqrt(1 - RHO**2)) / RHO**2 phi; here the derivative is
        (1 - GAMMA)/(1 + theta) phi.  No butterfly arbitrage when theta phi (1 + |RHO|) < 4 and
        theta phi**2 (1 + |RHO|) <= 4.  tests/unit/test_surface.py checks all three.
Term    theta(tau) is the integral of a forward variance that starts at ``level`` and relaxes to a medium
        and then a long-run multiple of it, all positive, so theta grows with time.
Level   the one number that is solved each minute, so that the published VIX formula on the model's
        own options returns that minute's VIX.

Times are years on the variance clock (pricing.clock) unless a name says calendar.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.clock import CALENDAR_YEAR

Floats = NDArray[np.float64]

RHO = -0.60
ETA = 1.70
GAMMA = 0.42
"""By eye on SPXW 2016-04-28/29 and SPX 2026-07-31: at k = -3 and +1 at-the-money deviations the volatility
is 1.6 and 0.9 times the at-the-money one at a week, 1.9 and 0.8 times at four months."""

FAST = 20.0 / CALENDAR_YEAR
SLOW = 2.5 / CALENDAR_YEAR
"""Speeds of reversion to the medium and to the long run, per clock year."""
MEDIUM_LEVEL, MEDIUM_PULL = -0.07, 1.66
LONG_LEVEL, LONG_PULL_MEDIUM, LONG_PULL_LONG = 0.90, 2.0, 0.55
"""Least squares on daily VIX9D/VIX and VIX3M/VIX, 2011 to 2025 (8 % and 4 % r.m.s.), the long end pulled
in a little toward one-year options of the two chains."""
MULTIPLES = (0.05, 6.0)
"""Bounds of the medium and the long-run multiple of the level."""
SPANS = (90.0, 750.0)
"""Sessions: spans of the two exponential averages of past VIX closes."""
PRIOR_VIX = 19.5
"""What the averages are before the first close."""

VIX_MINUTES = 30 * 1440
YEAR_MINUTES = 365 * 1440

TABLE_LOW, TABLE_STEP, TABLE_SIZE = -20.0, 0.1, 241
"""Grid of ln(theta) on which the strip's ratio is tabulated: 2e-9 to 55."""
STRIP_LOW, STRIP_HIGH = -2.4, 1.2
"""ln(K/F) at which the strip of listed strikes ends: 10 % of the index and about 3 times it.  The lowest
strike stands for half an interval beyond it, hence a little under ln(0.10)."""
STRIP_CELLS = 600


@njit(cache=True, error_model="numpy")
def phi_of(theta: float) -> float:
    """How fast the smile bends, per unit of log-moneyness."""
    return float(ETA * theta**-GAMMA * (1.0 + theta) ** (GAMMA - 1.0))


@njit(cache=True, error_model="numpy")
def total_variance(k: float, theta: float, phi: float) -> float:
    """w(k) > 0 at log-moneyness k = ln(K/F)."""
    bent = phi * k + RHO
    return 0.5 * theta * (1.0 + RHO * phi * k + math.sqrt(bent * bent + 1.0 - RHO * RHO))


@njit(cache=True, error_model="numpy")
def variance_time(years: float, medium: float, long: float) -> float:
    """``theta / level`` after ``years`` > 0: the integral of the forward variance that starts at 1."""
    fast = -math.expm1(-FAST * years) / FAST
    slow = -math.expm1(-SLOW * years) / SLOW
    return fast + medium * (slow - fast) + long * (years - slow)


@njit(cache=True, error_model="numpy")
def multiples(vix: float, average: float, long_average: float) -> tuple[float, float]:
    """Medium and long-run variance as multiples of the level, from VIX and averages of past closes."""
    near, far = math.log(average / vix), math.log(long_average / vix)
    medium = math.exp(MEDIUM_LEVEL + MEDIUM_PULL * near)
    long = math.exp(LONG_LEVEL + LONG_PULL_MEDIUM * near + LONG_PULL_LONG * far)
    low, high = MULTIPLES
    return min(max(medium, low), high), min(max(long, low), high)


def strip_table() -> Floats:
    """Total variance of the strip of options over theta, at ln(theta) = TABLE_LOW + i TABLE_STEP."""
    table = np.empty(TABLE_SIZE)
    _fill_strip_table(table)
    return table


@njit(cache=True, error_model="numpy")
def _fill_strip_table(table: Floats) -> None:
    for i in range(table.size):
        theta = math.exp(TABLE_LOW + i * TABLE_STEP)
        table[i] = _strip(theta) / theta


@njit(cache=True, error_model="numpy")
def _strip(theta: float) -> float:
    """2 * integral of out-of-the-money prices over K**-2, F = 1, by Simpson's rule in ln K.

    Each side stops at 40 at-the-money deviations or where the listed strikes end.
    """
    phi, root = phi_of(theta), math.sqrt(theta)
    total = 0.0
    for side in (-1.0, 1.0):
        reach = min(-STRIP_LOW if side < 0 else STRIP_HIGH, 40.0 * root)
        h = reach / STRIP_CELLS
        for i in range(STRIP_CELLS + 1):
            weight = 1.0 if i in (0, STRIP_CELLS) else (4.0 if i % 2 else 2.0)
            k = side * h * i
            total += weight * h / 3.0 * _otm_over_strike(k, side, theta, phi)
    return 2.0 * total


@njit(cache=True, error_model="numpy")
def _otm_over_strike(k: float, side: float, theta: float, phi: float) -> float:
    """Undiscounted price over strike of the option on ``side`` (+1 call) at F = 1."""
    deviation = math.sqrt(total_variance(k, theta, phi))
    d1 = -k / deviation + 0.5 * deviation
    half = math.sqrt(0.5)
    first = 0.5 * math.erfc(-side * d1 * half)
    second = 0.5 * math.erfc(-side * (d1 - deviation) * half)
    return float(side * (math.exp(-k) * first - second))


@njit(cache=True, error_model="numpy")
def strip_variance(theta: float, table: Floats) -> float:
    """Total variance of the strip for this theta, from the table."""
    at = (math.log(theta) - TABLE_LOW) / TABLE_STEP
    i = min(max(int(at), 0), table.size - 2)
    return theta * float(table[i] + (at - i) * (table[i + 1] - table[i]))


@njit(cache=True, error_model="numpy")
def solve_level(  # noqa: PLR0917
    vix: float,
    near_time: float,
    next_time: float,
    near_minutes: float,
    next_minutes: float,
    table: Floats,
) -> float:
    """The level of forward variance now at which the VIX formula returns ``vix``.

    vix           volatility points, > 0
    near_time     ``variance_time`` to the near expiry; next_time likewise
    near_minutes  calendar minutes to the near expiry, at most 30 days; next_minutes: above

    The formula's variance is all but proportional to the level, so scaling by what is missing
    converges by two digits a step.  Source: Cboe, VIX white paper (interpolation in calendar minutes).
    """
    target = (vix / 100.0) ** 2 * VIX_MINUTES / YEAR_MINUTES
    near_weight = (next_minutes - VIX_MINUTES) / (next_minutes - near_minutes)
    level = target / (near_weight * near_time + (1.0 - near_weight) * next_time)
    for _ in range(12):
        near = strip_variance(level * near_time, table)
        after = strip_variance(level * next_time, table)
        missing = target / (near_weight * near + (1.0 - near_weight) * after)
        level *= missing
        if abs(missing - 1.0) < 1e-10:
            break
    return level


def slow_averages(vix_close: Floats) -> tuple[Floats, Floats]:
    """Exponential averages of the VIX closes *before* each row, shape (n + 1,) each.

    Row i knows closes 0 to i - 1 and starts from ``PRIOR_VIX``; row n is for a day after the last.
    """
    return _average_before(vix_close, SPANS[0]), _average_before(vix_close, SPANS[1])


@njit(cache=True, error_model="numpy")
def _average_before(close: Floats, span: float) -> Floats:
    share = 2.0 / (span + 1.0)
    out = np.empty(close.size + 1)
    out[0] = PRIOR_VIX
    for i in range(close.size):
        out[i + 1] = out[i] + share * (close[i] - out[i])
    return out
