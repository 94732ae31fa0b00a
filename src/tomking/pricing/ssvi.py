"""The extended SSVI surface: one hyperbola an expiry, and the conditions that keep arbitrage out.

With theta the at-the-money total variance of an expiry and k = ln(K/F),

    w(k) = theta/2 (1 + rho phi k + sqrt((phi k + rho)**2 + 1 - rho**2))

phi says how fast the smile bends per unit of log-moneyness, rho in (-1, 1) to which side it leans.

Butterfly  none within an expiry when psi = theta phi has psi (1 + |rho|) < 4 and Durrleman's g is never
           negative.  The theorem's second condition, psi phi (1 + |rho|) <= 4, is sufficient only: where
           psi is small, g stays positive up to 11 to 16.
Calendar   none between two expiries when theta grows, and psi grows faster than either side of the
           smile flattens, and phi does not grow.

Sources: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14
(2014) 59-71; S. Hendriks and C. Martini, "The extended SSVI volatility surface", Journal of
Computational Finance 22 (2019); J. Corbetta, P. Cohort, I. Laachir and C. Martini, "Robust calibration and
arbitrage-free interpolation of SSVI slices", Decisions in Economics and Finance 42 (2019).

``pricing.surface`` fits chains with more bends than this; the model market (``sim.surface``) needs the
few numbers that VIX can determine.  ``SsviSurface`` answers all that a fitted surface does.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.black import black, norm_cdf
from tomking.pricing.hyperbolas import durrleman
from tomking.pricing.surface import Move, Surface

Floats = NDArray[np.float64]

_MOVE_DEVIATIONS = np.linspace(-12.0, 12.0, 241)
_HALVINGS = 60
_GRID = 400


@njit(cache=True, error_model="numpy")
def power_law(theta: float, eta: float, gamma: float) -> float:
    """The bend: eta theta**-gamma (1 + theta)**(gamma - 1), eta > 0, 0 < gamma <= 1/2.

    At one eta psi = theta phi grows with theta and phi falls.  (Gatheral and Jacquier, example 4.3.)
    """
    return float(eta * theta**-gamma * (1.0 + theta) ** (gamma - 1.0))


@njit(cache=True, error_model="numpy")
def total_variance(k: float, theta: float, phi: float, rho: float) -> float:
    """w(k) > 0 at log-moneyness k = ln(K/F)."""
    bent = phi * k + rho
    return 0.5 * theta * (1.0 + rho * phi * k + math.sqrt(bent * bent + 1.0 - rho * rho))


@njit(cache=True, error_model="numpy")
def density_factor(k: float, theta: float, phi: float, rho: float) -> float:
    """Durrleman's g, of the sign of the risk-neutral density at k; exact derivatives."""
    bent, flat = phi * k + rho, 1.0 - rho * rho
    root = math.sqrt(bent * bent + flat)
    w = 0.5 * theta * (1.0 + rho * phi * k + root)
    slope = 0.5 * theta * phi * (rho + bent / root)
    return float(durrleman(k, w, slope, 0.5 * theta * phi * phi * flat / (root * root * root)))


@njit(cache=True, error_model="numpy")
def least_density(theta: float, phi: float, rho: float) -> float:
    """The least of g over the smile: > 0 where no butterfly is free.

    The grid is one of phi k, on which the hyperbola has one shape: even at its bend, out to 500 of it.
    """
    least = math.inf
    for i in range(-_GRID, _GRID + 1):
        least = min(least, density_factor(math.sinh(7.0 * i / _GRID) / phi, theta, phi, rho))
    return least


def butterfly_room(theta: Floats, phi: Floats, rho: Floats) -> Floats:
    """How far each slice is from free butterflies, (n,): none where this is > 0."""
    density = [least_density(*at) for at in zip(theta.tolist(), phi.tolist(), rho.tolist(), strict=True)]
    return np.asarray(np.minimum(4.0 - theta * phi * (1.0 + np.abs(rho)), density))


def calendar_room(theta: Floats, phi: Floats, rho: Floats) -> Floats:
    """The same between neighbouring slices, ascending in time, (n - 1,): none can be free where >= 0."""
    psi = theta * phi
    least = np.maximum((1.0 + rho[:-1]) / (1.0 + rho[1:]), (1.0 - rho[:-1]) / (1.0 - rho[1:]))
    later = theta[1:] / theta[:-1] - 1.0
    return np.asarray(np.minimum(np.minimum(psi[1:] / psi[:-1] - least, 1.0 - phi[1:] / phi[:-1]), later))


@dataclass(frozen=True, slots=True, eq=False)
class SsviSurface(Surface):
    """A surface of such slices; between, before and after expiries as ``Surface`` does it.

    ``slices`` holds (theta, phi, rho) of each expiry, (m, 3); ``quotes`` is 0: it rests on none.
    """

    @classmethod
    def of(cls, years: Floats, forward: Floats, discount: Floats, slices: Floats) -> "SsviSurface":
        """Of ``years`` ascending, > 0, on the variance clock; forward in points; discount in (0, 1]."""
        return cls(years, forward, discount, slices, np.zeros(years.size, np.int64))

    def total_variance(self, years: ArrayLike, log_moneyness: ArrayLike) -> Floats:
        t, k = np.broadcast_arrays(np.asarray(years, np.float64), np.asarray(log_moneyness, np.float64))
        out = np.empty(t.size)
        _variance_into(self.years, self.slices, np.array(t).ravel(), np.array(k).ravel(), out)
        return out.reshape(t.shape)

    def strike_at_delta(self, years: float, delta: float, right: int) -> float:
        share = right * delta / self.discount_at(years)
        if not 0.0 < share < 1.0:
            raise ValueError(f"no strike has delta {delta} with right {right:+d}")
        return self.forward_at(years) * math.exp(_moneyness_at(self.years, self.slices, years, share, right))

    def expected_move(self, years: float) -> Move:
        deviation = math.sqrt(variance_at(self.years, self.slices, years, 0.0))
        k = deviation * _MOVE_DEVIATIONS
        side, vol = np.where(k > 0.0, 1.0, -1.0), self.vol(years, k)
        price = black(forward=1.0, strike=np.exp(k), years=years, vol=vol, discount=1.0, right=side).price
        variance = 2.0 * float(np.sum(price * np.exp(-k))) * (k[1] - k[0])
        straddle = 2.0 * (2.0 * norm_cdf(0.5 * deviation) - 1.0)
        forward = self.forward_at(years)
        return Move(forward * straddle, forward * math.sqrt(variance))


@njit(cache=True, error_model="numpy")
def variance_at(years: Floats, slices: Floats, t: float, k: float) -> float:
    """Total variance at ``t`` years and log-moneyness ``k``: linear in time between expiries."""
    j, last = int(np.searchsorted(years, t)), years.size - 1
    if j > last:
        return float((t / years[last] - 1.0) * slices[last, 0] + _slice(slices, last, k))
    after = _slice(slices, j, k)
    if j == 0:
        return float(after * t / years[0])
    before = _slice(slices, j - 1, k)
    return float(before + (t - years[j - 1]) / (years[j] - years[j - 1]) * (after - before))


@njit(cache=True, error_model="numpy")
def _slice(slices: Floats, i: int, k: float) -> float:
    return total_variance(k, slices[i, 0], slices[i, 1], slices[i, 2])


@njit(cache=True, error_model="numpy")
def _variance_into(years: Floats, slices: Floats, t: Floats, k: Floats, out: Floats) -> None:
    for i in range(out.size):
        out[i] = variance_at(years, slices, t[i], k[i])


@njit(cache=True, error_model="numpy")
def _moneyness_at(years: Floats, slices: Floats, t: float, share: float, right: float) -> float:
    # The k where N(right d1) is ``share``: d1 falls in k, so by halving.
    deviation = math.sqrt(variance_at(years, slices, t, 0.0))
    low, high = -deviation, deviation
    while right * (_share(years, slices, t, low, right) - share) < 0.0:
        low *= 2.0
    while right * (_share(years, slices, t, high, right) - share) > 0.0:
        high *= 2.0
    for _ in range(_HALVINGS):
        k = 0.5 * (low + high)
        if right * (_share(years, slices, t, k, right) - share) > 0.0:
            low = k
        else:
            high = k
    return 0.5 * (low + high)


@njit(cache=True, error_model="numpy")
def _share(years: Floats, slices: Floats, t: float, k: float, right: float) -> float:
    v = math.sqrt(variance_at(years, slices, t, k))
    return float(norm_cdf(right * (0.5 * v - k / v)))
