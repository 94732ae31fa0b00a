"""Implied volatility under Black (1976), with a code where there is none.

1. A price is turned into the undiscounted time value ``w``: what the out-of-the-money option at
   the same strike costs by parity.  Its bounds are 0 and ``min(F, K)``.
2. ``ln(price(v)) = ln(w)`` is solved for the total volatility ``v`` by Newton inside a bracket.
   The logarithm of the price is increasing and concave in ``v``, so Newton from the left never
   leaves; a step that does leave the bracket is replaced by its midpoint.

Accuracy: about 1e-12 relative for out-of-the-money prices; for in-the-money ones what the price
itself carries (at 1,000 points intrinsic, a time value of 1e-6 has seven digits).
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.black import norm_cdf, norm_pdf

Floats = NDArray[np.float64]


class Code(IntEnum):
    """Why a price has no implied volatility."""

    OK = 0
    BELOW_INTRINSIC = 1
    """Below the discounted intrinsic value by more than rounding."""
    ABOVE_BOUND = 2
    """At or above what the option can be worth at any volatility: ``F`` or ``K``, discounted."""
    NO_TIME_VALUE = 3
    """Intrinsic to within rounding: any small enough volatility gives it."""
    BAD_INPUT = 4
    """A NaN, or a forward, strike, discount factor or time that is not positive."""


class Implied(NamedTuple):
    """Columns of the common shape."""

    vol: Floats
    """Annualised on the clock of ``years``, 1.00 = 100 %, > 0; NaN where ``code`` is not OK."""
    code: NDArray[np.int8]
    """A ``Code``."""


_OK, _BELOW, _ABOVE, _NO_TIME, _BAD = (int(c) for c in Code)
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)
_TOLERANCE = 1e-13
_STEPS = 200


def implied_vol(
    *,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Implied:
    """The volatility at which ``black`` returns ``price``.

    Arguments broadcast to one shape; units as in ``black`` (``price`` in points, discounted).
    Never raises for numbers: rows without an answer are NaN with their ``Code``.

    >>> iv = implied_vol(price=5.6372, forward=100, strike=100, years=0.5, discount=1, right=1)
    >>> round(float(iv.vol), 4)
    0.2
    """
    given = (price, forward, strike, years, discount, right)
    columns = np.broadcast_arrays(*(np.asarray(c, dtype=np.float64) for c in given))
    flat = [np.array(c).ravel() for c in columns]  # copies: numba warns of broadcast views
    vol, code = np.empty(flat[0].size), np.empty(flat[0].size, dtype=np.int8)
    p, f, k, t, df, s = flat
    implied_into(p, f, k, t, df, s, vol, code)
    shape = columns[0].shape
    return Implied(vol.reshape(shape), code.reshape(shape))


@njit(cache=True, error_model="numpy")
def implied_into(  # noqa: PLR0917
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    discount: Floats,
    right: Floats,
    vol: Floats,
    code: NDArray[np.int8],
) -> None:
    """Implied volatilities of n options into ``vol`` and ``code``; columns of shape (n,)."""
    for i in range(vol.size):
        vol[i], code[i] = implied_one(price[i], forward[i], strike[i], years[i], discount[i], right[i])


@njit(cache=True, error_model="numpy")
def implied_one(p: float, f: float, k: float, t: float, df: float, right: float) -> tuple[float, int]:  # noqa: PLR0917
    """Volatility and code of one option; for calling from other kernels."""
    if not (f > 0.0 and k > 0.0 and t > 0.0 and df > 0.0 and math.isfinite(p / df) and math.isfinite(f * k)):
        return math.nan, _BAD
    intrinsic = max(right * (f - k), 0.0)
    value = p / df - intrinsic
    noise = _ROUNDING * max(f, k) if intrinsic > 0.0 else 0.0
    if value < -noise:
        return math.nan, _BELOW
    if value <= noise:
        return math.nan, _NO_TIME
    if value >= min(f, k):
        return math.nan, _ABOVE
    v = _total_vol(value, f, k)
    return v / math.sqrt(t), _OK


@njit(cache=True, error_model="numpy")
def _total_vol(value: float, f: float, k: float) -> float:
    # The out-of-the-money side: its two terms are both small, so nothing is lost to intrinsic.
    s = 1.0 if k >= f else -1.0
    x = math.log(f / k)
    target = math.log(value)
    low, high = 0.0, math.inf
    # Start where the price bends (Manaster and Koehler 1982), or at the money from its tangent.
    v = max(math.sqrt(2.0 * abs(x)), value / f * math.sqrt(2.0 * math.pi))
    for _ in range(_STEPS):
        d1 = x / v + 0.5 * v
        model = s * (f * norm_cdf(s * d1) - k * norm_cdf(s * (d1 - v)))
        if model <= 0.0:
            error, step = -math.inf, math.inf
        else:
            error = math.log(model) - target
            step = -error * model / (f * norm_pdf(d1))
        if error > 0.0:
            high = min(high, v)
        else:
            low = max(low, v)
        proposed = v + step
        if not low < proposed < high:
            proposed = 2.0 * v if math.isinf(high) else 0.5 * (low + high)
        if abs(proposed - v) <= _TOLERANCE * v:
            return proposed
        v = proposed
    return v
