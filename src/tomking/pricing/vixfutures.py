"""VIX futures and options for the VIX-call hedge, from VIX, VIX9D, VIX3M and VVIX alone.

There is no real futures curve behind this: it is what the index options' own term structure says.

1. Variance reverts to a level: ``E v(t) = level + (spot - level) exp(-speed t)``.  An index of n
   days squared is its mean over n / 365 years; ``spot`` and ``level`` are the least-squares fit to
   the three, relative to their squares, for each of a grid of speeds; the best speed wins, a faint
   prior on ``ln speed`` breaking ties where the curve is flat and says nothing of one.
2. The 30-day variance from ``t`` on is the forward variance ``V(t)``, the same mean moved to ``t``.
3. VIX at ``t`` is lognormal with ``E VIX^2 = V(t)``; so its future is
   ``E VIX = sqrt(V(t)) exp(-s^2 / 2)``, ``s^2`` being the variance of ``ln VIX`` until ``t``.  That
   factor is the convexity adjustment: the future lies below the square root of forward variance.
4. ``s^2(t) = nu^2 (1 - exp(-2 decay t)) / (2 decay)``: a future moves less the further out it is.
   ``nu`` makes ``s^2`` at 30 days what VVIX says.

Years here are calendar years (ACT/365), for that is how the indices are quoted.

Sources: L. Bergomi, "Smile dynamics II", Risk (October 2005), for 3 and 4 with one factor; Cboe's
VIX and VVIX white papers; F. Black (1976) for options on the future; methodology B.12.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tomking.pricing.black import Black, black

Floats = NDArray[np.float64]

DAYS = np.array([9.0, 30.0, 93.0])
"""What VIX9D, VIX and VIX3M look ahead."""
VIX_YEARS = 30.0 / 365.0
DECAY = 4.5
"""A year: how fast a VIX future's volatility falls with its time to expiry.  A convention here, not
fitted: with it the volatility to 75 days is 0.80 times that to 30 days."""
USUAL_VVIX = 0.95
"""VVIX where none is given: about its mean 2011-2025."""
USUAL_SPEED = 4.0

_SPEEDS = np.exp(np.linspace(math.log(0.5), math.log(40.0), 61))
_SPEED_SD = 3.0
"""Of ``ln speed``; the misfit's is one hundredth."""
_FIT_SD = 0.01
_LEAST_VARIANCE = 0.05**2


@dataclass(frozen=True, slots=True)
class VixCurve:
    """VIX's term structure at one instant."""

    spot: float
    """Instantaneous variance now, annual, 1.00 = 100 % squared."""
    level: float
    """The variance it reverts to."""
    speed: float
    """Per calendar year."""
    vvix: float
    """Volatility of the 30-day future, 1.00 = 100 %."""

    def index(self, days: ArrayLike) -> Floats:
        """The volatility index looking ``days`` calendar days ahead, in index points (16 = 16 %)."""
        return 100.0 * np.sqrt(self._mean(np.asarray(days, np.float64) / 365.0))

    def forward_variance(self, years: ArrayLike) -> Floats:
        """Annual variance of the 30 days that begin ``years`` from now."""
        fade = np.exp(-self.speed * np.asarray(years, np.float64))
        return np.asarray(self.level + fade * (self._mean(np.asarray(VIX_YEARS)) - self.level))

    def future(self, years: ArrayLike) -> Floats:
        """The VIX future settling ``years`` (calendar, >= 0) from now, index points; at 0 VIX itself."""
        total = self.vol(years) ** 2 * np.asarray(years, np.float64)
        return np.asarray(100.0 * np.sqrt(self.forward_variance(years)) * np.exp(-0.5 * total))

    def future_at(self, years: float) -> float:
        """``future`` of one date, to the bit: what a market of VIX options asks minute by minute."""
        total = self.vol_at(years) ** 2 * years
        mean = self.level + (self.spot - self.level) * _fade_at(self.speed * VIX_YEARS)
        variance = self.level + float(np.exp(-self.speed * years)) * (mean - self.level)
        return 100.0 * math.sqrt(variance) * float(np.exp(-0.5 * total))

    def vol_at(self, years: float) -> float:
        """``vol`` of one date, to the bit."""
        return self.vvix * math.sqrt(_fade_at(2.0 * DECAY * years) / _VIX_FADE)

    def vol(self, years: ArrayLike) -> Floats:
        """Lognormal volatility of that future until it settles, annual, 1.00 = 100 %."""
        return self.vvix * np.sqrt(_mean_fade(2.0 * DECAY, years) / _VIX_FADE)

    def option(self, *, years: ArrayLike, strike: ArrayLike, right: ArrayLike, discount: ArrayLike) -> Black:
        """VIX options by Black (1976) on the future, one volatility for all strikes.

        years     calendar, to the settlement of option and future, >= 0
        strike    index points
        right     +1 call, -1 put
        discount  in (0, 1]

        Prices and deltas are of the future, in index points; no skew, so far calls come out too cheap.
        """
        return black(
            forward=self.future(years),
            strike=strike,
            years=years,
            vol=self.vol(years),
            discount=discount,
            right=right,
        )

    def _mean(self, years: Floats) -> Floats:
        return self.level + (self.spot - self.level) * _mean_fade(self.speed, years)


def fit_vix_curve(*, vix9d: float, vix: float, vix3m: float, vvix: float = USUAL_VVIX) -> VixCurve:
    """The curve of one instant from its indices, in index points (``vvix`` as 1.00 = 100 %).

    VIX itself is met exactly; VIX9D and VIX3M as nearly as a curve that only rises or only falls can.
    ``ValueError`` unless all are positive.
    """
    if not min(vix9d, vix, vix3m, vvix) > 0.0:
        raise ValueError(f"indices must be positive: {vix9d}, {vix}, {vix3m}, {vvix}")
    squares = (np.array([vix9d, vix, vix3m]) / 100.0) ** 2
    # Through VIX: index^2 - vix^2 = gap (fade - fade_vix), gap = spot - level, one unknown a speed.
    lean = _LEANS / squares
    wanted = squares[1] / squares - 1.0
    # Both variances stay above (5 %)^2: level = vix^2 - gap fade_vix and level + gap.
    room = max(float(squares[1]) - _LEAST_VARIANCE, 0.0)
    best, gap = _best(lean, wanted, lean @ wanted, _RISES, _FADES, _PRIOR, room)
    level = float(squares[1] - gap * _FADES[best])
    return VixCurve(level + gap, level, float(_SPEEDS[best]), vvix)


@njit(cache=True, error_model="numpy")
def _best(  # noqa: PLR0917
    lean: Floats, wanted: Floats, leant: Floats, rises: Floats, fades: Floats, prior: Floats, room: float
) -> tuple[int, float]:
    """The speed of least misfit, and its gap; ``leant`` is ``lean @ wanted``, rows are speeds."""
    best, least, found = 0, math.inf, 0.0
    for i in range(lean.shape[0]):
        near, mid, far = lean[i]
        gap = -leant[i] / (near * near + mid * mid + far * far)
        gap = min(max(gap, -room / rises[i]), room / fades[i])
        off = (gap * near + wanted[0], gap * mid + wanted[1], gap * far + wanted[2])
        misfit = (off[0] * off[0] + off[1] * off[1] + off[2] * off[2]) / _FIT_SD**2 + prior[i]
        if misfit < least:
            best, least, found = i, misfit, gap
    return best, found


def _mean_fade(speed: ArrayLike, years: ArrayLike) -> Floats:
    """Mean of ``exp(-speed u)`` over ``u`` from 0 to ``years``: 1 at 0."""
    x = np.multiply(speed, years, dtype=np.float64)
    return np.where(x > 0.0, -np.expm1(-x) / np.where(x > 0.0, x, 1.0), 1.0)


def _fade_at(x: float) -> float:
    """The same of one ``speed * years``."""
    # NumPy's own function: the standard library's may differ in the last bit.
    return float(-np.expm1(-x)) / x if x > 0.0 else 1.0


_MEANS = _mean_fade(_SPEEDS[:, None], DAYS / 365.0)
"""Of the three indices at each speed: no instant changes them."""
_LEANS = _MEANS - _MEANS[:, 1:2]
_FADES = np.ascontiguousarray(_MEANS[:, 1])
_RISES = 1.0 - _FADES
_PRIOR = (np.log(_SPEEDS / USUAL_SPEED) / _SPEED_SD) ** 2
_VIX_FADE = float(_mean_fade(2.0 * DECAY, VIX_YEARS))
