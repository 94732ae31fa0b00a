"""Gold and oil: a real daily history, minutes drawn through it, and an estimated volatility.

Nobody's option quotes stand behind these numbers.  The level is the published daily price; the volatility is
what the price itself has done, not what options cost:

1. Two exponential averages of squared daily log returns known before the day, ``FAST`` and ``SLOW``.
2. Expected variance fades from the fast one to the slow one at ``SPEED`` a year.
3. Times ``implied_over`` squared, what options have cost at the money relative to that.

The four numbers are fitted to gold's and oil's published volatility indices (GVZ, OVX) in the even years from
2009 on; in the odd years the estimate for 30 days is off by 11 % (gold) and 13 % (oil) of itself, r.m.s.
(docs/families.md).

The 09:30 level lies on a bridge from the close before to the day's close, at the share of a day's variance
that has gone by then (these markets trade all night), inside the day's low and high where there are any; the
minutes are drawn from it to the close (``path_kernels.fill``).  As for the index, a minute is drawn by a hand
that knows the day's close, and nothing at a minute depends on a later day.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.calendar import Session
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.sim.path_kernels import fill, variance_clock

Floats = NDArray[np.float64]

FAST, SLOW = 0.06, 0.004
"""Weight of the last session in each average: about 33 and 500 sessions back."""
SPEED = 14.0
"""A calendar year, at which expected variance forgets the present."""
YEAR = 252.0
NIGHT_SHARE = 0.45
"""Of a day's variance, gone at 09:30.  By judgement: no minutes of these markets are in the package."""
ROUGHNESS, MEMORY = 0.55, 0.95
"""As ``sim.paths``."""
BAND = 6.0
"""Daily deviations that a path without known extremes may stray from its ends."""
CACHED_DAYS = 8


@dataclass(frozen=True, slots=True)
class Commodity:
    """What one of them is, as data."""

    stream: int
    """Of random numbers: each family draws its own."""
    prior_vol: float
    """Annual volatility before anything is known, 1.00 = 100 %."""
    implied_over: float
    """Implied at-the-money volatility over the estimate."""
    carries_rate: bool
    """True where futures stand above each other by interest (gold), False for a flat curve."""


@dataclass(frozen=True, slots=True)
class CarryTerms:
    """One minute of a commodity."""

    level: float
    carry: float
    fast: float
    """Annual variance, as ``slow``."""
    slow: float
    implied_over: float
    stress: float

    def forward(self, years: float) -> float:
        """Points of the future that ends ``years`` (calendar) from now."""
        return self.level * math.exp(self.carry * years)

    def variance(self, years: float, clock_years: float) -> float:
        """Total at-the-money variance of an option that settles then, > 0."""
        fade = -math.expm1(-SPEED * years) / (SPEED * years) if years > 0.0 else 1.0
        annual = self.slow + (self.fast - self.slow) * fade
        return self.implied_over**2 * annual * clock_years / CALENDAR_YEAR


class CommodityModel:
    """One commodity's levels and terms, day by day."""

    def __init__(self, what: Commodity, bars: Bars, rate: Floats, seed: int) -> None:
        """rate: the short rate known on each bar's day, (n,).  All prices must be above zero."""
        assert bool((bars.low > 0.0).all()), "a price at or below zero has no volatility of this kind"
        self.bars = bars
        self._what = what
        self._rate = rate
        self._seed = seed
        prior = what.prior_vol**2
        returns = np.diff(np.log(bars.close), prepend=math.log(bars.close[0]))
        self._fast = _averages_before(YEAR * returns**2, FAST, prior)
        self._slow = _averages_before(YEAR * returns**2, SLOW, prior)
        self.gauge = 100.0 * np.sqrt(self._fast)
        self._epoch_day = bars.day.astype("datetime64[D]").astype(np.int64)
        self._rows = {day: i for i, day in enumerate(bars.day.astype("datetime64[D]").tolist())}
        self._recent: OrderedDict[int, Floats] = OrderedDict()

    def row(self, day: date) -> int | None:
        """The bar of a session's date."""
        return self._rows.get(day)

    def at(self, session: Session, minute: int) -> CarryTerms | None:
        """None on a day without data."""
        i = self._rows.get(session.date)
        return None if i is None else self._terms(i, float(self._path(i, session.minutes)[minute]))

    def settled(self, session: Session) -> CarryTerms | None:
        """The terms that its options settle by: those of the close."""
        i = self._rows.get(session.date)
        return None if i is None else self._terms(i, float(self.bars.close[i]))

    def _terms(self, i: int, level: float) -> CarryTerms:
        fast, slow = float(self._fast[i]), float(self._slow[i])
        carry = float(self._rate[i]) if self._what.carries_rate else 0.0
        stress = max(1.0, math.sqrt(fast) / self._what.prior_vol)
        return CarryTerms(level, carry, fast, slow, self._what.implied_over, stress)

    def _path(self, i: int, minutes: int) -> Floats:
        """Levels at 09:30, 09:31 ... close, (minutes + 1,); from the seed, the date and the bars to it."""
        found = self._recent.get(i)
        if found is None:
            found = self._recent[i] = self._draw(i, minutes)
            if len(self._recent) > CACHED_DAYS:
                self._recent.popitem(last=False)
        return found

    def _draw(self, i: int, minutes: int) -> Floats:
        rng = np.random.default_rng([self._seed, self._what.stream, int(self._epoch_day[i])])
        bars = self.bars
        before, close = math.log(bars.close[max(i - 1, 0)]), math.log(bars.close[i])
        low, high, variance = math.log(bars.low[i]), math.log(bars.high[i]), float(self._fast[i]) / YEAR
        if high <= low:
            stray = BAND * math.sqrt(variance)
            low, high = min(before, close) - stray, max(before, close) + stray
        spread = math.sqrt(variance * NIGHT_SHARE * (1.0 - NIGHT_SHARE))
        start = before + NIGHT_SHARE * (close - before) + spread * float(rng.standard_normal())
        edge = 1e-4 * (high - low)
        walk = np.empty(minutes + 1)
        walk[0], walk[-1] = min(max(start, low + edge), high - edge), close
        clock = variance_clock(np.ones(minutes), ROUGHNESS, MEMORY, rng) * variance * (1.0 - NIGHT_SHARE)
        fill(walk, 0, minutes, low, high, clock, np.zeros(minutes + 1), 1.0, rng)
        level: Floats = np.exp(walk)
        level[-1] = bars.close[i]
        level.setflags(write=False)
        return level


@njit(cache=True, error_model="numpy")
def _averages_before(values: Floats, weight: float, prior: float) -> Floats:
    """Exponential average of the values *before* each row, (n,)."""
    out = np.empty(values.size)
    known = prior
    for i in range(values.size):
        out[i] = known
        if i > 0:
            known += weight * (values[i] - known)
    return out
