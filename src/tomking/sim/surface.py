"""The modelled volatility surface: total implied variance by log-moneyness and time, without arbitrage.

Smile   extended SSVI (``pricing.ssvi``, which has the formula and the conditions), theta being the
        at-the-money total variance:

            phi  = eta theta**-GAMMA (1 + theta)**(GAMMA - 1),  eta = ETA (VIX/17)**ETA_POWER, bounded
            rho  = -1 / (1 + exp(-RHO_AT - RHO_SLOPE (ln(theta) + 6)))

        The skew in at-the-money deviations is flatter when VIX is high, and more one-sided the longer
        the tenor.  At one instant eta is one number; tests/unit/test_surface.py checks every condition.
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

from tomking.pricing.ssvi import power_law, total_variance

Floats = NDArray[np.float64]

ETA, ETA_POWER, ETA_MAX = 1.58, -0.597, 2.2
GAMMA = 0.44
RHO_AT, RHO_SLOPE = 0.090, 0.225
"""Least squares on the volatilities of the calibration sample of docs/fidelity.md (2010 to 2026, VIX 9 to
45) given VIX alone, so that how far the at-the-money volatility lies below VIX is fitted too.  Days differ
in skew at one VIX: eta was fitted as 1.45 (VIX/17)**-0.435 exp(0.0159 (SKEW - 125)) with each day's Cboe
SKEW index, and here stands what that is at the SKEW that goes with a VIX, 130.6 - 10.2 ln(VIX/17): least
squares on even years 2010 to 2025.  The chains at hand are of days with less skew than most.  ``GAMMA`` is
held where half-year options fit best: the sum of squares hardly knows it."""
CALM_VIX, SKEW_VIX_MAX = 17.0, 45.0
"""The VIX of ``ETA``, and the highest of the calibration sample: beyond it the skew bends no less.
``ETA_MAX`` binds below VIX 9.8."""

FAST, SLOW = 49.9, 4.32
"""Speeds of reversion to the medium and to the long run, per clock year."""
MEDIUM_LEVEL, MEDIUM_PULL = 0.088, 1.102
LONG_LEVEL, LONG_PULL_MEDIUM, LONG_PULL_LONG = 0.461, 2.50, 0.382
"""Fitted with the smile, to the same chains and to daily VIX9D/VIX and VIX3M/VIX of the even years 2010 to
2026; the odd years are held out (docs/fidelity.md)."""
MULTIPLES = (0.05, 6.0)
"""Bounds of the medium and the long-run multiple of the level."""
SPANS = (90.0, 750.0)
"""Sessions: spans of the two exponential averages of past VIX closes."""
PRIOR_VIX = 19.5
"""What the averages are before the first close."""

VIX_MINUTES = 30 * 1440
YEAR_MINUTES = 365 * 1440

TABLE_LOW, TABLE_STEP, TABLE_SIZE = -18.0, 0.2, 106
"""Grid of ln(theta) on which the strip's ratio is tabulated: 1.5e-8 to 20."""
BEND_LOW, BEND_STEP, BENDS = -0.16, 0.025, 40
"""Grid of ln(eta): from 0.85, a little under that of the highest VIX, to 2.26."""
STRIP_LOW, STRIP_HIGH = -2.4, 1.2
"""ln(K/F) at which the strip of listed strikes ends: 10 % of the index and about 3 times it.  The lowest
strike stands for half an interval beyond it, hence a little under ln(0.10)."""
STRIP_CELLS = 240


@njit(cache=True, error_model="numpy")
def eta_of(vix: float) -> float:
    """How bent the smile is in at-the-money deviations, at this VIX in points."""
    return float(min(ETA * (min(vix, SKEW_VIX_MAX) / CALM_VIX) ** ETA_POWER, ETA_MAX))


@njit(cache=True, error_model="numpy")
def phi_of(theta: float, eta: float) -> float:
    """How fast the smile bends, per unit of log-moneyness."""
    return float(power_law(theta, eta, GAMMA))


@njit(cache=True, error_model="numpy")
def rho_of(theta: float) -> float:
    """How one-sided the smile is, -1 to 0: more so at long tenors."""
    return -1.0 / (1.0 + math.exp(-RHO_AT - RHO_SLOPE * (min(math.log(theta), 0.0) + 6.0)))


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
    """Total variance of the strip of options over theta, (BENDS, TABLE_SIZE), on the grid
    ln(eta) = BEND_LOW + i BEND_STEP, ln(theta) = TABLE_LOW + j TABLE_STEP.
    """
    table = np.empty((BENDS, TABLE_SIZE))
    _fill_strip_table(table)
    return table


@njit(cache=True, error_model="numpy")
def _fill_strip_table(table: Floats) -> None:
    for i in range(table.shape[0]):
        eta = math.exp(BEND_LOW + i * BEND_STEP)
        for j in range(table.shape[1]):
            theta = math.exp(TABLE_LOW + j * TABLE_STEP)
            table[i, j] = _strip(theta, eta) / theta


@njit(cache=True, error_model="numpy")
def _strip(theta: float, eta: float) -> float:
    """2 * integral of out-of-the-money prices over K**-2, F = 1, by Simpson's rule in ln K.

    Each side stops at 40 at-the-money deviations or where the listed strikes end.
    """
    phi, rho, root = phi_of(theta, eta), rho_of(theta), math.sqrt(theta)
    total = 0.0
    for side in (-1.0, 1.0):
        reach = min(-STRIP_LOW if side < 0 else STRIP_HIGH, 40.0 * root)
        h = reach / STRIP_CELLS
        for i in range(STRIP_CELLS + 1):
            weight = 1.0 if i in (0, STRIP_CELLS) else (4.0 if i % 2 else 2.0)
            k = side * h * i
            total += weight * h / 3.0 * _otm_over_strike(k, side, theta, phi, rho)
    return 2.0 * total


@njit(cache=True, error_model="numpy")
def _otm_over_strike(k: float, side: float, theta: float, phi: float, rho: float) -> float:
    """Undiscounted price over strike of the option on ``side`` (+1 call) at F = 1."""
    deviation = math.sqrt(total_variance(k, theta, phi, rho))
    d1 = -k / deviation + 0.5 * deviation
    half = math.sqrt(0.5)
    first = 0.5 * math.erfc(-side * d1 * half)
    second = 0.5 * math.erfc(-side * (d1 - deviation) * half)
    return float(side * (math.exp(-k) * first - second))


@njit(cache=True, error_model="numpy")
def strip_variance(theta: float, eta: float, table: Floats) -> float:
    """Total variance of the strip for this theta and eta, from the table."""
    along = (math.log(theta) - TABLE_LOW) / TABLE_STEP
    across = (math.log(eta) - BEND_LOW) / BEND_STEP
    j = min(max(int(along), 0), table.shape[1] - 2)
    i = min(max(int(across), 0), table.shape[0] - 2)
    right, up = along - j, across - i
    lower = table[i, j] + right * (table[i, j + 1] - table[i, j])
    upper = table[i + 1, j] + right * (table[i + 1, j + 1] - table[i + 1, j])
    return theta * float(lower + up * (upper - lower))


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
    eta = eta_of(vix)
    level = target / (near_weight * near_time + (1.0 - near_weight) * next_time)
    for _ in range(12):
        near = strip_variance(level * near_time, eta, table)
        after = strip_variance(level * next_time, eta, table)
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
