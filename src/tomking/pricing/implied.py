"""Implied volatility under Black (1976), with a code where there is none.

1. A price is turned into the undiscounted time value ``w``: what the out-of-the-money option at
   the same strike costs by parity.  Its bounds are 0 and ``lo = min(F, K)``.
2. The normal model's inverse, a rational function, gives a total volatility to start from.
3. Four steps of Halley's method, whatever the row, so that a loop has no branch and becomes vector
   instructions.  Below the bend of the price (``v**2 < 2 |ln(F/K)|``) they solve ``1/ln(w)``,
   which is nearly linear in ``v**2`` however far out the strike; above it ``ln(lo - w)``.
4. What an ulp of the price is worth in volatility is read off vega: where it is more than
   1e-9 of the answer there is a code, not a number that looks like one.

Accuracy: 1e-11 relative for out-of-the-money prices of more than seconds to live, and better
than 1e-9 wherever there is an answer.  P. Jaeckel, "Let's be rational" (Wilmott 2015), explains
why these two objectives; the equations are ours from Black's formula, the notation black.py's.
"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.polynomials import (
    FAR,
    LN_DENSITY_AT_0,
    MILLS_AT_0,
    exp,
    ln,
    ln_ratio,
    mills_parts,
    normal_deviation,
)

Floats = NDArray[np.float64]


class Code(IntEnum):
    """Why a price has no implied volatility."""

    OK = 0
    BELOW_INTRINSIC = 1
    """Below the discounted intrinsic value by more than rounding."""
    ABOVE_BOUND = 2
    """At or above what the option can be worth at any volatility (``F`` or ``K``, discounted), or so
    near that the price's rounding spans more than 1e-9 of the volatility."""
    NO_TIME_VALUE = 3
    """Intrinsic to within rounding, or so near that rounding spans more than 1e-9 of the volatility."""
    BAD_INPUT = 4
    """A NaN, an infinity, a right that is not +1 or -1, or a forward, strike, discount factor or time that
    is not positive."""


class Implied(NamedTuple):
    """Columns of the common shape."""

    vol: Floats
    """Annualised on the clock of ``years``, 1.00 = 100 %, > 0; NaN where ``code`` is not OK."""
    code: NDArray[np.int8]
    """A ``Code``."""


_OK, _BELOW, _ABOVE, _NO_TIME, _BAD = (int(c) for c in Code)
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)
_DOUBT = 4.0 * float(np.finfo(np.float64).eps)
"""By how much a price may be off after its own arithmetic and ours, as a share of it."""
_LEAST_SHARE = 1e-290
"""A time value below this share of ``lo`` counts as none: its logarithm is not to be trusted."""
_TOLERANCE = 1e-9
_LEAST_DAMPING = 0.4
_BLOCK = 4096


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


@njit(cache=True, error_model="numpy", parallel=True)
def implied_into_parallel(  # noqa: PLR0917
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    discount: Floats,
    right: Floats,
    vol: Floats,
    code: NDArray[np.int8],
) -> None:
    """``implied_into`` on all cores, to the bit; worth it from about 10,000 options."""
    n = vol.size
    for block in prange((n + _BLOCK - 1) // _BLOCK):
        i, j = block * _BLOCK, min(n, (block + 1) * _BLOCK)
        p, f, k, t, df, s = price[i:j], forward[i:j], strike[i:j], years[i:j], discount[i:j], right[i:j]
        implied_into(p, f, k, t, df, s, vol[i:j], code[i:j])


@njit(cache=True, error_model="numpy", forceinline=True)
def implied_one(p: float, f: float, k: float, t: float, df: float, right: float) -> tuple[float, int]:  # noqa: PLR0917
    """Volatility and code of one option; for calling from other kernels."""
    lo, hi = (f, k) if k >= f else (k, f)
    intrinsic = max(right * (f - k), 0.0)
    paid = p / df
    share = (paid - intrinsic) / lo
    noise = _ROUNDING * hi / lo if intrinsic > 0.0 else _LEAST_SHARE
    solvable = (share > noise) & (share < 1.0)
    v, rounding = _total_vol(share if solvable else 0.1, ln_ratio(hi, lo), intrinsic / lo)

    sound = (f > 0.0) & (k > 0.0) & (t > 0.0) & (df > 0.0) & (hi < math.inf) & (t < math.inf)
    sound &= (abs(paid) < math.inf) & (abs(right) == 1.0)
    lost = not ((v > 0.0) & (rounding <= _TOLERANCE))
    code = (_NO_TIME if share < 0.5 else _ABOVE) if lost else _OK
    code = _ABOVE if share >= 1.0 else code
    code = _NO_TIME if share <= noise else code
    code = _BELOW if share < (-noise if intrinsic > 0.0 else 0.0) else code
    code = code if sound else _BAD
    return v / math.sqrt(t) if code == _OK else math.nan, code


@njit(cache=True, error_model="numpy", forceinline=True)
def _total_vol(share: float, x: float, intrinsic: float) -> tuple[float, float]:
    """Total volatility at time value ``share`` and ``x = ln(hi/lo)``, and its relative rounding error.

    ``share`` and ``intrinsic`` in units of ``lo``.
    """
    # The normal model sees the geometric mean of forward and strike, and never exactly the money.
    beta = share * exp(-0.5 * x)
    apart = max(x, 1e-6 * beta)
    v = apart / normal_deviation(ln_ratio(beta + apart, beta))
    ln_value, ln_rest = ln(share), ln(1.0 - share)
    inverse = 1.0 / ln_value
    v, _ = _step(v, x, inverse, ln_rest)
    v, _ = _step(v, x, inverse, ln_rest)
    v, _ = _step(v, x, inverse, ln_rest)
    v, width = _step(v, x, inverse, ln_rest)
    # An ulp of intrinsic and of the normal tails, over vega times v.
    vega = (share if x > 0.5 * v * v else 1.0 - share) / width
    return v, _DOUBT * (intrinsic / vega + MILLS_AT_0) / v


@njit(cache=True, error_model="numpy", forceinline=True)
def _step(v: float, x: float, inverse: float, ln_rest: float) -> tuple[float, float]:
    """One Halley step; also ``w`` (or ``lo - w``) over vega, before it.  ``inverse`` is ``1/ln(w)``.

    With ``e`` the objective's error over its slope in ``ln w``, Newton's step is ``e * width`` and half
    of ``newton * f''/f'`` needs no further division: the terms in ``1/width`` and ``1/model`` cancel.
    """
    per_v, half = 1.0 / v, 0.5 * v
    h = x * per_v
    low = half < h
    near = h - half
    p, q = mills_parts(min(abs(near), FAR))
    r, s = mills_parts(min(h + half, FAR))
    width = (p * s - r * q if low else p * s + r * q) / (q * s)
    model = ln(width) + LN_DENSITY_AT_0 - 0.5 * near * near
    short = 1.0 - model * inverse
    error = model * short if low else model - ln_rest
    newton = error * width
    bent = newton * (h * h * per_v - 0.5 * half) + (-short * (model + 2.0) if low else error)
    return v + newton / max(1.0 + 0.5 * bent, _LEAST_DAMPING), width
