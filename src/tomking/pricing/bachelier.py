r"""Bachelier's normal model: price, Greeks and implied volatility where prices may be near or below 0.

Oil traded at -37.63 on 2020-04-20, and a spread has no sign; Black's logarithm has nothing to say
there.  ``vol`` is in points per root year, ``s`` is +1 for a call, -1 for a put:

    v = vol sqrt(years)        h = |F - K| / v        M = Mills' ratio at h
    price = discount * (v density(h) (1 - h M) + max(s (F - K), 0))

The first term is the out-of-the-money option of the strike, so parity holds to the last bit.

Implied volatility: a rational first guess and two Halley steps on ``ln w`` in ``ln v``, whose first
derivative is ``1 / (1 - h M)``; no branch, as in implied.py, whose codes it shares.

Source: L. Bachelier, "Theorie de la speculation" (1900); methodology F.4 (F <= 0).
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.implied import Code, Implied
from tomking.pricing.polynomials import DENSITY_AT_0, FAR, exp, ln, ln_ratio, mills, normal_deviation

Floats = NDArray[np.float64]

_OK, _BELOW, _ABOVE, _NO_TIME, _BAD = (int(c) for c in Code)
_LEAST_VOL = 1e-150
_LEAST_VALUE = 1e-290
_ROUNDING = 8.0 * float(np.finfo(np.float64).eps)
_TOLERANCE = 1e-9


class Bachelier(NamedTuple):
    """Columns of the common shape; every derivative is of one option, long."""

    price: Floats
    """Points, discounted, >= 0."""
    delta: Floats
    """Points per point of the forward, discounted: calls 0 to 1, puts -1 to 0."""
    gamma: Floats
    """Delta per point of the forward, >= 0 (0 where ``vol`` or ``years`` is 0)."""
    vega: Floats
    """Points per point of ``vol``, >= 0."""
    theta: Floats
    """Points per year, forward and rate standing still, as in ``Black``."""
    rho: Floats
    """Points per 1.00 of the rate with the forward held: ``-years * price``."""


def bachelier(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Bachelier:
    """Price and Greeks in the normal model.

    All arguments broadcast to one shape; a NaN, or a number out of range, gives NaN in its own row only.

    forward   points, any finite number
    strike    points, any finite number
    years     to the expiry instant on any one clock, >= 0; at 0 the price is intrinsic
    vol       points per root year on the same clock, >= 0
    discount  price today of 1 paid at expiry, > 0
    right     +1 for a call, -1 for a put

    >>> b = bachelier(forward=-37.63, strike=-37.63, years=0.25, vol=40, discount=1, right=1)
    >>> round(float(b.price), 4)  # 40 x 0.5 / sqrt(2 pi)
    7.9788
    """
    shape, flat = _flat(forward, strike, years, vol, discount, right)
    out = np.empty((len(Bachelier._fields), flat[0].size))
    f, k, t, v, df, s = flat
    bachelier_into(f, k, t, v, df, s, out)
    return Bachelier(*(row.reshape(shape) for row in out))


def bachelier_implied(
    *,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Implied:
    """The volatility, in points per root year, at which ``bachelier`` returns ``price``.

    Never raises for numbers: rows without an answer are NaN with their ``Code`` (``ABOVE_BOUND`` cannot
    happen, a normal option has no bound).
    """
    shape, flat = _flat(price, forward, strike, years, discount, right)
    vol, code = np.empty(flat[0].size), np.empty(flat[0].size, dtype=np.int8)
    p, f, k, t, df, s = flat
    bachelier_implied_into(p, f, k, t, df, s, vol, code)
    return Implied(vol.reshape(shape), code.reshape(shape))


def _flat(*given: ArrayLike) -> tuple[tuple[int, ...], list[Floats]]:
    columns = np.broadcast_arrays(*(np.asarray(c, dtype=np.float64) for c in given))
    return columns[0].shape, [np.array(c).ravel() for c in columns]


@njit(cache=True, error_model="numpy")
def bachelier_into(  # noqa: PLR0917
    forward: Floats, strike: Floats, years: Floats, vol: Floats, discount: Floats, right: Floats, out: Floats
) -> None:
    """The columns of ``Bachelier`` for n options as the rows of ``out``, shape (6, n)."""
    _fill(forward, strike, years, vol, discount, right, out[0], out[1], out[2], out[3], out[4], out[5])


@njit(cache=True, error_model="numpy")
def _fill(  # noqa: PLR0917
    forward: Floats,
    strike: Floats,
    years: Floats,
    vol: Floats,
    discount: Floats,
    right: Floats,
    price: Floats,
    delta: Floats,
    gamma: Floats,
    vega: Floats,
    theta: Floats,
    rho: Floats,
) -> None:
    for i in range(price.size):
        price[i], delta[i], gamma[i], vega[i], theta[i], rho[i] = _greeks(
            forward[i], strike[i], years[i], vol[i], discount[i], right[i]
        )


@njit(cache=True, error_model="numpy", forceinline=True)
def _greeks(  # noqa: PLR0917
    f: float, k: float, t: float, vol: float, df: float, right: float
) -> tuple[float, float, float, float, float, float]:
    root = math.sqrt(t)
    v = vol * root
    moneyness = right * (f - k)
    sound = (abs(moneyness) < math.inf) & (v >= 0.0) & (v < math.inf) & (df > 0.0) & (abs(right) == 1.0)
    doubt = 0.0 if sound else math.nan
    inverse = 1.0 / max(v, _LEAST_VOL)
    h = min(abs(moneyness) * inverse, FAR)
    density = DENSITY_AT_0 * exp(-0.5 * h * h)
    ratio = mills(h)
    tail = density * ratio
    price = df * (v * density * max(1.0 - h * ratio, 0.0) + max(moneyness, 0.0)) + doubt
    delta = df * right * (tail if moneyness < 0.0 else 1.0 - tail) + doubt
    gamma = (0.0 if v == 0.0 else df * density * inverse) + doubt
    per_year = 0.0 if t == 0.0 else 1.0 / t
    theta = (-0.5 * df * density * v - ln(df) * price) * per_year
    return price, delta, gamma, df * density * root + doubt, theta, -t * price


@njit(cache=True, error_model="numpy")
def bachelier_implied_into(  # noqa: PLR0917
    price: Floats,
    forward: Floats,
    strike: Floats,
    years: Floats,
    discount: Floats,
    right: Floats,
    vol: Floats,
    code: NDArray[np.int8],
) -> None:
    """Implied normal volatilities of n options into ``vol`` and ``code``; columns of shape (n,)."""
    for i in range(vol.size):
        vol[i], code[i] = _implied(price[i], forward[i], strike[i], years[i], discount[i], right[i])


@njit(cache=True, error_model="numpy", forceinline=True)
def _implied(p: float, f: float, k: float, t: float, df: float, right: float) -> tuple[float, int]:  # noqa: PLR0917
    moneyness = right * (f - k)
    intrinsic = max(moneyness, 0.0)
    gap = abs(moneyness)
    paid = p / df
    value = paid - intrinsic
    noise = max(_ROUNDING * intrinsic, _LEAST_VALUE)
    sound = (t > 0.0) & (t < math.inf) & (df > 0.0) & (abs(paid) < math.inf) & (gap < math.inf)
    sound &= abs(right) == 1.0
    w = value if sound & (value > noise) else max(gap, 1.0)
    apart = max(gap, 1e-6 * w)
    v = apart / normal_deviation(ln_ratio(w + apart, w))
    ln_value = ln(w)
    v, _ = _step(v, gap, ln_value)
    v, rest = _step(v, gap, ln_value)
    lost = not _ROUNDING * intrinsic * rest / w <= _TOLERANCE
    code = _NO_TIME if lost | (value <= noise) else _OK
    code = _BELOW if value < -_ROUNDING * intrinsic else code
    code = code if sound else _BAD
    return v / math.sqrt(t) if code == _OK else math.nan, code


@njit(cache=True, error_model="numpy", forceinline=True)
def _step(v: float, gap: float, ln_value: float) -> tuple[float, float]:
    """One Halley step in ``ln v``; also ``1 - h M``, the value over vega times v."""
    h = min(gap / v, FAR)
    ratio = mills(h)
    rest = 1.0 - h * ratio
    error = ln(v * rest * DENSITY_AT_0) - 0.5 * h * h - ln_value
    return v * exp(-error * rest / (1.0 + 0.5 * error * h * (ratio - h * rest))), rest
