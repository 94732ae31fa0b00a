"""A chain as an arbitrage-free surface: fit it, ask it for volatility, strikes and moves.

``fit_surface`` turns quotes into one sum of hyperbolas an expiry (``pricing.fit``); between expiries total
variance is linear in time at constant log-moneyness ``k = ln(K/F)``, before the first it is the
first one's share of time (constant volatility), after the last it grows evenly by the last one's
at-the-money variance a year.  Years are those of the variance clock (``pricing.clock``).

Free of arbitrage means: Durrleman's ``g`` >= 0 (a density, no butterfly) and total variance not
falling in time at constant ``k`` (no calendar).  Decision 401 says what is guaranteed and where.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.black import black, black_price, norm_cdf
from tomking.pricing.fit import fit_into
from tomking.pricing.hyperbolas import PARAMETERS, slice_variance
from tomking.pricing.implied import implied_vol

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOVE_GRID = np.linspace(-12.0, 12.0, 241)
"""Standard deviations over which the variance contract is integrated."""


class Quotes(NamedTuple):
    """One instant's chain as plain columns: m expiries, n quotes in any order."""

    years: Floats
    """(m,), variance-clock years to each expiry, > 0, ascending."""
    forward: Floats
    """(m,), points, > 0."""
    discount: Floats
    """(m,), in (0, 1]."""
    row_expiry: Ints
    """(n,), which expiry (0 to m - 1) a quote belongs to."""
    strike: Floats
    """(n,), points, > 0."""
    right: Floats
    """(n,), +1 call, -1 put."""
    bid: Floats
    """(n,), points; a bid of 0 or NaN is none."""
    ask: Floats
    """(n,), points."""


class Move(NamedTuple):
    """The expected move to one instant, points of the forward either way."""

    straddle: float
    """The at-the-money straddle's undiscounted price: the mean absolute move."""
    deviation: float
    """``F sqrt(w)`` with the whole smile's variance (the log contract's): one standard deviation."""


class Residuals(NamedTuple):
    """How far a surface is from quotes; one row for each that is out of the money and bid for."""

    row: Ints
    """Its row in the quotes."""
    vol: Floats
    """Surface less mid, 1.00 = 100 %; NaN where the mid has no implied volatility."""
    price: Floats
    """Surface less mid in half-spreads: within the bid and ask where -1 to 1."""

    @property
    def inside(self) -> float:
        """Share of the rows priced within bid and ask, a millionth of a spread allowed; NaN of none."""
        return float(np.mean(np.abs(self.price) <= 1.0 + 1e-6)) if self.row.size else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Total variance over time and log-moneyness, with the forwards and discount factors it is of."""

    years: Floats
    """(m,), ascending; expiries without a usable quote are not among them."""
    forward: Floats
    discount: Floats
    slices: Floats
    """(m, 17): ``scale, a, t, h_1 ... h_14`` of ``pricing.fit``."""
    quotes: Ints
    """(m,), how many quotes each slice rests on; below 6 it has the next expiry's shape."""

    def total_variance(self, years: ArrayLike, log_moneyness: ArrayLike) -> Floats:
        """Volatility squared times years; arguments broadcast.

        years          variance-clock years, > 0
        log_moneyness  ``ln(K/F)``, F the forward to that instant
        """
        t, k = np.broadcast_arrays(np.asarray(years, np.float64), np.asarray(log_moneyness, np.float64))
        out = np.empty(t.size)
        variance_into(self.years, self.slices, np.array(t).ravel(), np.array(k).ravel(), out)
        return out.reshape(t.shape)

    def vol(self, years: ArrayLike, log_moneyness: ArrayLike) -> Floats:
        """Implied volatility, annualised on the variance clock; arguments as above."""
        return np.asarray(np.sqrt(self.total_variance(years, log_moneyness) / np.asarray(years)))

    def forward_at(self, years: float) -> float:
        """The forward to an instant, points: its logarithm is linear between expiries, level outside."""
        return float(np.exp(np.interp(years, self.years, np.log(self.forward))))

    def discount_at(self, years: float) -> float:
        """The discount factor to an instant: its logarithm is linear from 0 at now, level past the last."""
        known = np.concatenate(([0.0], self.years))
        return float(np.exp(np.interp(years, known, np.concatenate(([0.0], np.log(self.discount))))))

    def strike_at_delta(self, years: float, delta: float, right: int) -> float:
        """The strike, in points and between listed ones, at which an option has this delta.

        delta  points per point of the forward, discounted: calls 0 to 1, puts -1 to 0
        right  +1 call, -1 put

        ``ValueError`` for a delta no strike has.  There is one strike only, for without butterfly
        arbitrage d1 falls in the strike (M. Fukasawa, "The normalizing transformation of the implied
        volatility smile", Mathematical Finance 22 (2012) 753-762).
        """
        share = right * delta / self.discount_at(years)
        if not 0.0 < share < 1.0:
            raise ValueError(f"no strike has delta {delta} with right {right:+d}")
        return self.forward_at(years) * math.exp(moneyness_at(self.years, self.slices, years, share, right))

    def expected_move(self, years: float) -> Move:
        """The move to expect until ``years`` from now."""
        forward = self.forward_at(years)
        straddle, variance = moves(self.years, self.slices, years, _MOVE_GRID)
        return Move(forward * straddle, forward * math.sqrt(variance))


def fit_surface(quotes: Quotes) -> Surface | None:
    """The surface of a chain, None where no quote out of the money has a bid and an implied volatility.

    ``ValueError`` when expiries do not ascend from above 0, or terms are not finite and positive.
    """
    years, slices = quotes.years, np.full((quotes.years.size, PARAMETERS), np.nan)
    terms = np.array((years, quotes.forward, quotes.discount))
    if not (np.isfinite(terms).all() and (terms > 0.0).all() and (np.diff(years) > 0.0).all()):
        raise ValueError("expiries must ascend from above 0, with positive forwards and discount factors")
    counts = np.zeros(years.size, dtype=np.int64)
    fit_into(*quotes, slices, counts)
    kept = counts > 0
    if not kept.any():
        return None
    return Surface(years[kept], quotes.forward[kept], quotes.discount[kept], slices[kept], counts[kept])


def residuals(surface: Surface, quotes: Quotes) -> Residuals:
    """How far ``surface`` is from ``quotes``, those it was fitted to or others."""
    e, s = quotes.row_expiry, quotes.right
    out = (s * (quotes.strike - quotes.forward[e]) >= 0.0) & (quotes.bid > 0.0) & (quotes.ask > quotes.bid)
    row = np.flatnonzero(out)
    e, s, strike = e[row], s[row], quotes.strike[row]
    forward, years, discount = quotes.forward[e], quotes.years[e], quotes.discount[e]
    vol = surface.vol(years, np.log(strike / forward))
    mid, half = 0.5 * (quotes.bid[row] + quotes.ask[row]), 0.5 * (quotes.ask[row] - quotes.bid[row])
    model = black(forward=forward, strike=strike, years=years, vol=vol, discount=discount, right=s).price
    at_mid = implied_vol(price=mid, forward=forward, strike=strike, years=years, discount=discount, right=s)
    return Residuals(row, vol - at_mid.vol, (model - mid) / half)


def butterfly(surface: Surface, years: float, log_moneyness: Floats) -> Floats:
    """Durrleman's ``g`` at one instant on an even grid of ``log_moneyness`` (n >= 3): its n - 2 inner points.

    Below 0 the density is: a butterfly pays to hold.  Derivatives are central differences, so the
    grid may be of any surface's instant, between expiries too.
    """
    k, step = log_moneyness, float(log_moneyness[1] - log_moneyness[0])
    w = surface.total_variance(years, k)
    slope, bend = (w[2:] - w[:-2]) / (2.0 * step), (w[2:] - 2.0 * w[1:-1] + w[:-2]) / step**2
    k, w = k[1:-1], w[1:-1]
    return np.asarray((1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * bend)


def calendar(surface: Surface, log_moneyness: Floats) -> Floats:
    """Total variance each expiry adds to the one before it, shape (m, n); below 0 a calendar pays to hold."""
    w = surface.total_variance(surface.years[:, None], log_moneyness[None, :])
    return np.diff(w, axis=0, prepend=0.0)


@njit(cache=True, error_model="numpy")
def variance_at(years: Floats, slices: Floats, t: float, k: float) -> float:
    """Total variance at ``t`` years and log-moneyness ``k``; for calling from other kernels."""
    j = np.searchsorted(years, t)
    last = years.size - 1
    if j > last:
        grown: float = (t / years[last] - 1.0) * slice_variance(slices[last], 0.0)
        return grown + slice_variance(slices[last], k)
    after: float = slice_variance(slices[j], k)
    if j == 0:
        return after * t / float(years[0])
    share = (t - years[j - 1]) / (years[j] - years[j - 1])
    before: float = slice_variance(slices[j - 1], k)
    return float(before + share * (after - before))


@njit(cache=True, error_model="numpy")
def variance_into(years: Floats, slices: Floats, t: Floats, k: Floats, out: Floats) -> None:
    """``variance_at`` of columns (n,)."""
    for i in range(out.size):
        out[i] = variance_at(years, slices, t[i], k[i])


@njit(cache=True, error_model="numpy")
def moneyness_at(years: Floats, slices: Floats, t: float, share: float, right: float) -> float:
    """The ``k`` where ``N(right d1)`` is ``share``, by bisection."""
    scale = math.sqrt(variance_at(years, slices, t, 0.0))
    low, high = -scale, scale
    while right * (norm_cdf(right * _d1(years, slices, t, low)) - share) < 0.0:
        low *= 2.0
    while right * (norm_cdf(right * _d1(years, slices, t, high)) - share) > 0.0:
        high *= 2.0
    for _ in range(60):
        k = 0.5 * (low + high)
        if right * (norm_cdf(right * _d1(years, slices, t, k)) - share) > 0.0:
            low = k
        else:
            high = k
    return 0.5 * (low + high)


@njit(cache=True, error_model="numpy")
def _d1(years: Floats, slices: Floats, t: float, k: float) -> float:
    v = math.sqrt(variance_at(years, slices, t, k))
    return -k / v + 0.5 * v


@njit(cache=True, error_model="numpy")
def moves(years: Floats, slices: Floats, t: float, grid: Floats) -> tuple[float, float]:
    """Straddle per point of forward, and the variance of the log contract, on an even ``grid``.

    The latter is -2 E ln(S/F) = 2 integral of OTM(k) e^-k dk, out-of-the-money prices per forward.
    """
    v = math.sqrt(variance_at(years, slices, t, 0.0))
    total = 0.0
    for i in range(grid.size):
        k = v * grid[i]
        w = variance_at(years, slices, t, k)
        right = 1.0 if k > 0.0 else -1.0
        total += black_price(1.0, math.exp(k), 1.0, math.sqrt(w), 1.0, right) * math.exp(-k)
    return 2.0 * (2.0 * norm_cdf(0.5 * v) - 1.0), 2.0 * total * v * (grid[1] - grid[0])
