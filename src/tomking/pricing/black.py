r"""Black (1976) and Black-Scholes-Merton: price and Greeks, one option or columns of them.

Everything is written for the forward ``F``; an option on a spot ``S`` with rate ``r`` and yield
``q`` is the same option on ``F = S exp((r - q) T)``, and ``spot_delta`` turns its delta round.
``s`` is +1 for a call, -1 for a put:

    v  = vol sqrt(years)            d1 = ln(F/K) / v + v/2          d2 = d1 - v
    price = discount * s * (F N(s d1) - K N(s d2))

How it is computed.  Of a strike's two options the one out of the money is priced and intrinsic is added
for the other, so that wings keep their digits and parity holds to the last bit.  With ``lo`` and ``hi``
the smaller and larger of F and K and ``h = ln(hi/lo) / v``, ``a = h + v/2``, ``b = v/2 - h``:

    out of the money = lo N(b) - hi N(-a)       and     lo density(b) = hi density(a)

so one exp and two Mills' ratios serve price and Greeks.  No call and no branch is left in a loop, and it
becomes vector instructions; the bits do not depend on the processor or the C library.

Source: F. Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976) 167-179;
units: methodology F.4.  Checked against QuantLib, parity, finite differences and F.4's numbers.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.polynomials import DENSITY_AT_0, FAR, exp, ln, ln_ratio, mills, mills_parts

Floats = NDArray[np.float64]

DAYS_A_YEAR = 365.0
"""Calendar days in a year of an ACT/365 clock."""

_LEAST_VOL = 1e-150
"""Stands for a total volatility of 0, so that 0/0 at the money is 0."""
_BLOCK = 4096


class Black(NamedTuple):
    """Columns of the common shape; every derivative is of one option, long."""

    price: Floats
    """Points, discounted, >= 0."""
    delta: Floats
    """Points per point of the forward, discounted: calls 0 to 1, puts -1 to 0."""
    gamma: Floats
    """Delta per point of the forward, >= 0 (0 where ``vol`` or ``years`` is 0)."""
    vega: Floats
    """Points per 1.00 of volatility, >= 0."""
    theta: Floats
    """Points per year of the clock ``years`` is on, as that clock runs: the forward and the rate
    ``-ln(discount)/years`` stand still.  Usually negative; 0 at ``years`` = 0."""
    rho: Floats
    """Points per 1.00 of that rate with the forward held: ``-years * price``."""

    def reported(self, days_a_year: float = DAYS_A_YEAR) -> "Black":
        """The same in the units of reports (F.4).

        Theta per calendar day, vega per vol point (0.01), rho per 1 %.  ``days_a_year``: calendar
        days in a year of the clock, 365 on ACT/365, 365/1.409 = 259 on the variance clock.
        """
        return self._replace(theta=self.theta / days_a_year, vega=self.vega / 100, rho=self.rho / 100)


def black(
    *,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    discount: ArrayLike,
    right: ArrayLike,
) -> Black:
    """Price and Greeks under Black (1976).

    All arguments broadcast to one shape; a NaN, or a number out of range, gives NaN in its own row only.

    forward   points, > 0
    strike    points, > 0
    years     to the expiry instant on any one clock, >= 0; at 0 the price is intrinsic
    vol       annualised on the same clock, lognormal, 1.00 = 100 %, >= 0
    discount  price today of 1 paid at expiry, in (0, 1]
    right     +1 for a call, -1 for a put

    >>> b = black(forward=100, strike=100, years=0.5, vol=0.2, discount=1, right=1)
    >>> round(float(b.price), 4)
    5.6372
    """
    given = (forward, strike, years, vol, discount, right)
    columns = np.broadcast_arrays(*(np.asarray(c, dtype=np.float64) for c in given))
    flat = [np.array(c).ravel() for c in columns]  # copies: numba warns of broadcast views
    out = np.empty((len(Black._fields), flat[0].size))
    f, k, t, v, df, s = flat
    greeks_into(f, k, t, v, df, s, out)
    return Black(*(row.reshape(columns[0].shape) for row in out))


def spot_delta(delta: ArrayLike, forward: ArrayLike, spot: ArrayLike) -> Floats:
    """Delta per point of spot from delta per point of forward: ``dF/dS = F/S = exp((r-q) T)``."""
    per_spot = np.asarray(forward, dtype=np.float64) / np.asarray(spot, dtype=np.float64)
    return np.multiply(delta, per_spot, dtype=np.float64)


@njit(cache=True, error_model="numpy")
def greeks_into(  # noqa: PLR0917
    forward: Floats, strike: Floats, years: Floats, vol: Floats, discount: Floats, right: Floats, out: Floats
) -> None:
    """The columns of ``Black`` for n options as the rows of ``out``, shape (6, n)."""
    _fill(forward, strike, years, vol, discount, right, out[0], out[1], out[2], out[3], out[4], out[5])


@njit(cache=True, error_model="numpy", parallel=True)
def greeks_into_parallel(  # noqa: PLR0917
    forward: Floats, strike: Floats, years: Floats, vol: Floats, discount: Floats, right: Floats, out: Floats
) -> None:
    """``greeks_into`` on all cores, to the bit; worth it from about 20,000 options."""
    n = out.shape[1]
    for block in prange((n + _BLOCK - 1) // _BLOCK):
        i, j = block * _BLOCK, min(n, (block + 1) * _BLOCK)
        f, k, t, v, df, s = forward[i:j], strike[i:j], years[i:j], vol[i:j], discount[i:j], right[i:j]
        _fill(f, k, t, v, df, s, out[0][i:j], out[1][i:j], out[2][i:j], out[3][i:j], out[4][i:j], out[5][i:j])


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
    # Twelve plain columns: of a two-dimensional array the compiler cannot tell that rows do not overlap.
    for i in range(price.size):
        price[i], delta[i], gamma[i], vega[i], theta[i], rho[i] = _greeks(
            forward[i], strike[i], years[i], vol[i], discount[i], right[i]
        )


@njit(cache=True, error_model="numpy")
def price_into(  # noqa: PLR0917
    forward: Floats,
    strike: Floats,
    years: Floats,
    vol: Floats,
    discount: Floats,
    right: Floats,
    price: Floats,
) -> None:
    """Prices of n options into ``price``; columns of shape (n,), units as in ``black``."""
    for i in range(price.size):
        price[i] = black_price(forward[i], strike[i], years[i], vol[i], discount[i], right[i])


@njit(cache=True, error_model="numpy")
def expiry_price_delta_into(  # noqa: PLR0917
    forward: float,
    years: float,
    discount: float,
    strike: Floats,
    vol: Floats,
    right: Floats,
    price: Floats,
    delta: Floats,
) -> None:
    """Prices and deltas of n options of one expiry; columns of shape (n,), units as in ``black``."""
    root = math.sqrt(years)
    for i in range(price.size):
        price[i], delta[i], _, _ = forward_model(forward, strike[i], vol[i] * root, discount, right[i])


@njit(cache=True, error_model="numpy", forceinline=True)
def black_price(f: float, k: float, t: float, v: float, df: float, right: float) -> float:  # noqa: PLR0917
    """Price in points of one option; arguments as in ``black``, ``v`` the annual volatility."""
    return forward_model(f, k, v * math.sqrt(t), df, right)[0]


@njit(cache=True, error_model="numpy", forceinline=True)
def black_delta(f: float, k: float, t: float, v: float, df: float, right: float) -> float:  # noqa: PLR0917
    """Delta of one option, points per point of forward, discounted and signed."""
    return forward_model(f, k, v * math.sqrt(t), df, right)[1]


@njit(cache=True, error_model="numpy", forceinline=True)
def _greeks(  # noqa: PLR0917
    f: float, k: float, t: float, vol: float, df: float, right: float
) -> tuple[float, float, float, float, float, float]:
    root = math.sqrt(t)
    v = vol * root
    price, delta, gamma, spread = forward_model(f, k, v, df, right)
    # Time runs in two places: the volatility dies, and the discount factor accretes.
    per_year = 0.0 if t == 0.0 else 1.0 / t
    theta = (-0.5 * v * spread - ln(df) * price) * per_year
    return price, delta, gamma, spread * root, theta, -t * price


@njit(cache=True, error_model="numpy", forceinline=True)
def forward_model(f: float, k: float, v: float, df: float, right: float) -> tuple[float, float, float, float]:
    """Price, delta, gamma and ``df F density(d1)`` at total volatility ``v``; NaN for what is no option."""
    sound = (f > 0.0) & (k > 0.0) & (f < math.inf) & (k < math.inf) & (df > 0.0) & (abs(right) == 1.0)
    sound &= (v >= 0.0) & (v < math.inf)
    doubt = 0.0 if sound else math.nan
    call_is_out, call = k >= f, right > 0.0
    lo, hi = (f, k) if call_is_out else (k, f)
    inverse = 1.0 / (f * max(v, _LEAST_VOL))
    h = ln_ratio(hi, lo) * f * inverse
    a, b = h + 0.5 * v, 0.5 * v - h
    out_of_reach = b < 0.0

    ratio = lo / hi
    size = min(abs(b), FAR)
    density = DENSITY_AT_0 * exp(-0.5 * size * size)
    p, q = mills_parts(min(a, FAR))
    r, s = mills_parts(size)
    divided = density / (q * s)
    near, far = r * q * divided, p * s * divided  # N(-|b|), and N(-a) in units of lo: times hi/lo
    value = near - far if out_of_reach else 1.0 - (near + far)
    value = lo * max(value, 0.0)

    # N(right d1): of b where the call is out of the money, else of a, whose tail is never above a half.
    tail = near if call_is_out else far * ratio
    inside = 1.0 - tail if (call ^ out_of_reach if call_is_out else call) else tail
    price = df * (value + max(right * (f - k), 0.0)) + doubt
    slope = density if call_is_out else density * ratio
    gamma = 0.0 if v == 0.0 else df * slope * inverse
    return price, df * right * inside + doubt, gamma + doubt, df * lo * density + doubt


@njit(cache=True, error_model="numpy", forceinline=True)
def norm_cdf(x: float) -> float:
    """Standard normal distribution; full relative precision in the lower tail."""
    size = abs(x)
    tail = DENSITY_AT_0 * exp(-0.5 * size * size) * mills(size)
    return tail if x < 0.0 else 1.0 - tail
