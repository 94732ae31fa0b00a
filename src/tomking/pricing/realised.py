"""Estimated implied volatility where none is published: from the closes of the underlying alone.

For the options on gold, oil and the euro of the embedded history.  It is an estimate, and whoever prices
with it says so.  What implied volatility does is reacting less than realised volatility and lying above it:

    implied = premium * realised**share * usual**(1 - share)

with ``realised`` an exponentially weighted volatility and ``usual`` the root mean square of all returns so
far.  The share was fitted to Cboe's gold and oil volatility indices from September 2009 on (slopes of the
logarithms 0.82 and 0.79 at DECAY 0.97).  The median day's implied volatility is 1.11 times the realised one
for both; as ``usual`` remembers wars and crises and lies above the median day, the premium over the mixture
that remains is 1.04, between gold's and oil's, which it puts 2 % too low and 2 % too high.  A day's estimate
is off by about 15 % (standard deviation of the logarithm) and follows jumps late: it cannot know fear of
what has not happened.  tests/unit/test_realised.py measures that on the indices themselves.

Source of the weighting: RiskMetrics Technical Document (J.P. Morgan, 1996), section 5.3, whose monthly decay
0.97 it is.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DECAY = 0.97
SHARE = 0.80
PREMIUM = 1.04
WARM_UP = 60
"""Returns before the first estimate."""
DAYS_A_YEAR = 252.0


class Estimate(NamedTuple):
    """Columns of shape (n,), annualised, 1.00 = 100 %; NaN until WARM_UP returns are known."""

    realised: Floats
    usual: Floats
    """Root mean square of all returns so far."""
    volatility: Floats
    """The estimated implied volatility of about a month, at the money."""


def estimated_volatility(
    close: Floats, *, decay: float = DECAY, share: float = SHARE, premium: float = PREMIUM
) -> Estimate:
    """Row i from the closes up to row i, none later; what is known after that day's close.

    close    prices > 0, shape (n,), oldest first; a row that is not a positive number is passed over
    decay    weight kept per day, 0 < decay < 1
    share    of realised volatility in the estimate, the rest is its usual level, 0 to 1
    premium  implied over the mixture, > 0

    >>> calm = 100 * np.exp(0.01 * (np.arange(400) % 2))  # a percent up, a percent down
    >>> estimate = estimated_volatility(calm)
    >>> round(float(estimate.realised[-1]), 4), round(float(estimate.volatility[-1]), 4)
    (0.1587, 0.1651)
    """
    realised, usual = _realised(np.ascontiguousarray(close, np.float64), decay)
    return Estimate(realised, usual, premium * realised**share * usual ** (1.0 - share))


@njit(cache=True, error_model="numpy")
def _realised(close: Floats, decay: float) -> tuple[Floats, Floats]:
    realised, usual = np.full(close.size, np.nan), np.full(close.size, np.nan)
    last, weighted, weights, total, count = np.nan, 0.0, 0.0, 0.0, 0
    for i in range(close.size):
        if close[i] > 0.0 and np.isfinite(close[i]):
            if last > 0.0:
                square = np.log(close[i] / last) ** 2
                # Divided by the weights given so far, so that the first days do not pull it to zero.
                weighted = decay * weighted + (1.0 - decay) * square
                weights = decay * weights + (1.0 - decay)
                total += square
                count += 1
            last = close[i]
        if count >= WARM_UP:
            realised[i] = np.sqrt(weighted / weights * DAYS_A_YEAR)
            usual[i] = np.sqrt(total / count * DAYS_A_YEAR)
    return realised, usual
