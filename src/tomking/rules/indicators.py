"""Averages and ranges of completed daily bars.

Each looks at the last ``MEMORY`` bars only: what lies before weighs less than 1e-12.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.pricing.realised import WARM_UP, estimated_volatility

MEMORY = 400
Floats = NDArray[np.float64]


def ema(bars: Bars, sessions: int) -> float | None:
    """Exponential average of the closes, points, smoothing 2 / (sessions + 1).

    It starts from the plain mean of the first ``sessions`` closes; None with fewer of them.
    """
    closes = bars.close[-MEMORY:]
    return float(_smoothed(closes, sessions, 2.0 / (sessions + 1))) if len(closes) >= sessions else None


def atr(bars: Bars, sessions: int) -> float | None:
    """Wilder's average true range, points: the true range smoothed by 1 / sessions.

    Needs ``sessions + 1`` bars, None with fewer.  Source: J. W. Wilder, New Concepts in Technical
    Trading Systems (1978).
    """
    if len(bars) <= sessions:
        return None
    high, low, close = bars.high[-MEMORY:], bars.low[-MEMORY:], bars.close[-MEMORY:]
    return float(_smoothed(_true_ranges(high, low, close), sessions, 1.0 / sessions))


def highest(bars: Bars, sessions: int) -> float | None:
    """The highest high of the last ``sessions`` bars, points; None with fewer of them."""
    return float(bars.high[-sessions:].max()) if len(bars) >= sessions else None


def upper_band(bars: Bars, sessions: int, deviations: float) -> float | None:
    """Bollinger's upper band, points: the mean of the last closes plus ``deviations`` of theirs; None with
    fewer of them.  Source: J. Bollinger, Bollinger on Bollinger Bands (2001).
    """
    closes = bars.close[-sessions:]
    return None if len(closes) < sessions else float(closes.mean() + deviations * closes.std())


def lowest(bars: Bars, sessions: int) -> float | None:
    """The lowest low of the last ``sessions`` bars, points; None with fewer of them."""
    return float(bars.low[-sessions:].min()) if len(bars) >= sessions else None


def percentile(values: Floats, now: float, sessions: int) -> float | None:
    """The share of the last ``sessions`` of ``values`` (one a session) that lie below ``now``, 0 to 1.

    None with fewer of them.
    """
    past = values[-sessions:]
    return None if len(past) < sessions else float(np.mean(past < now))


def estimated_percentile(bars: Bars, sessions: int) -> float | None:
    """The same of an implied volatility estimated from the bars' closes, the last against those before it.

    For products without a volatility index: an estimate, and to be called one (``pricing.realised``).
    """
    if len(bars) < sessions + WARM_UP + 2:
        return None
    volatility = estimated_volatility(bars.close[-(sessions + MEMORY) :]).volatility
    return percentile(volatility[:-1], float(volatility[-1]), sessions)


def last_close(bars: Bars) -> float | None:
    return float(bars.close[-1]) if len(bars) else None


@njit(cache=True, error_model="numpy")
def _smoothed(values: Floats, first: int, weight: float) -> float:
    """Mean of the first values, then each further one counts by ``weight``; shape (n,)."""
    average = 0.0
    for i in range(first):
        average += values[i]
    average /= first
    for i in range(first, values.size):
        average += weight * (values[i] - average)
    return average


@njit(cache=True, error_model="numpy")
def _true_ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    """Of all bars but the first: columns of shape (n,) to one of shape (n - 1,)."""
    ranges = np.empty(close.size - 1)
    for i in range(1, close.size):
        ranges[i - 1] = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
    return ranges
