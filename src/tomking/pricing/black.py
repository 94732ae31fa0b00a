r"""Black (1976) and Black-Scholes-Merton: price and Greeks, one option or columns of them.

Everything is written for the forward ``F``; an option on a spot ``S`` with rate ``r`` and yield
``q`` is the same option on ``F = S exp((r - q) T)``, and ``spot_delta`` turns its delta round.
``s`` is +1 for a call, -1 for a put:

    v  = vol sqrt(years)            d1 = ln(F/K) / v + v/2          d2 = d1 - v
    price = discount * s * (F N(s d1) - K N(s d2))

Source: F. Black, "The pricing of commodity contracts", J. Financial Economics 3 (1976) 167-179;
units: methodology F.4.  Checked against QuantLib, parity, finite differences and F.4's numbers.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DAYS_A_YEAR = 365.0
"""Calendar days in a year of an ACT/365 clock."""

_ROOT_HALF = math.sqrt(0.5)
_DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


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
        days in a year of the clock, 365 on ACT/365, 365/1.25 = 292 on the variance clock.
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

    All arguments broadcast to one shape; a NaN gives NaN in its own row only.

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
def norm_cdf(x: float) -> float:
    """Standard normal distribution; full relative precision in the lower tail."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


@njit(cache=True, error_model="numpy")
def norm_pdf(x: float) -> float:
    """Standard normal density."""
    return _DENSITY_AT_0 * math.exp(-0.5 * x * x)


@njit(cache=True, error_model="numpy")
def d_plus(f: float, k: float, v: float) -> float:
    """``d1`` for total volatility ``v``, with its limits at 0: infinite, or 0 at the money."""
    if v == 0.0:
        return 0.0 if f == k else math.copysign(math.inf, f - k)
    return math.log(f / k) / v + 0.5 * v


@njit(cache=True, error_model="numpy")
def black_price(f: float, k: float, t: float, v: float, df: float, right: float) -> float:  # noqa: PLR0917
    """Price in points of one option; arguments as in ``black``, ``v`` the annual volatility."""
    total = v * math.sqrt(t)
    d1 = d_plus(f, k, total)
    price = df * right * (f * norm_cdf(right * d1) - k * norm_cdf(right * (d1 - total)))
    # Deep in the wings the difference of the two terms is rounding noise of either sign.
    return max(price, 0.0)


@njit(cache=True, error_model="numpy")
def black_delta(f: float, k: float, t: float, v: float, df: float, right: float) -> float:  # noqa: PLR0917
    """Delta of one option, points per point of forward, discounted and signed."""
    return df * right * norm_cdf(right * d_plus(f, k, v * math.sqrt(t)))


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
        s, total = right[i], vol[i] * root
        d1 = d_plus(forward, strike[i], total)
        in_the_money = norm_cdf(s * d1)
        p = discount * s * (forward * in_the_money - strike[i] * norm_cdf(s * (d1 - total)))
        price[i] = max(p, 0.0)
        delta[i] = discount * s * in_the_money


@njit(cache=True, error_model="numpy")
def greeks_into(  # noqa: PLR0917
    forward: Floats, strike: Floats, years: Floats, vol: Floats, discount: Floats, right: Floats, out: Floats
) -> None:
    """The columns of ``Black`` for n options as the rows of ``out``, shape (6, n)."""
    for i in range(out.shape[1]):
        f, k, t, df, s = forward[i], strike[i], years[i], discount[i], right[i]
        root = math.sqrt(t)
        v = vol[i] * root
        d1 = d_plus(f, k, v)
        in_the_money = norm_cdf(s * d1)
        density = norm_pdf(d1)
        price = df * s * (f * in_the_money - k * norm_cdf(s * (d1 - v)))
        price = max(price, 0.0)
        # Time runs in two places: the volatility dies, and the discount factor accretes.
        decay = -0.5 * df * f * density * vol[i] / root if t > 0.0 else 0.0
        accretion = -math.log(df) / t * price if t > 0.0 else 0.0
        out[0, i] = price
        out[1, i] = df * s * in_the_money
        # `v == 0` and not `v > 0`: a NaN must stay one.
        out[2, i] = 0.0 if v == 0.0 else df * density / (f * v)
        out[3, i] = df * f * density * root
        out[4, i] = decay + accretion
        out[5, i] = -t * price
