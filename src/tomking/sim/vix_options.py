"""What VIX options are priced on: a futures curve made of VIX and the index options' own term structure.

No futures data is behind it: no VX price, VIX9D, VIX3M or VVIX is in the package.  VIX9D and VIX3M
are what the model market's own term of variance says from that minute's VIX and the averages of past closes
(``sim.surface``); VVIX is what it has usually been at that VIX; ``pricing.vixfutures`` makes futures of
them.  So the curve moves with VIX alone, and its level, slope and volatility are estimates where real ones
are prices: docs/families.md says how far off the indices are.

Settlement is VIX at the open of the expiry day, which the daily history has: the special opening quotation
(SOQ) differs from it, by a point now and then.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.calendar import Session
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.pricing.vixfutures import VixCurve, fit_vix_curve
from tomking.sim.market import ModelMarket
from tomking.sim.surface import multiples, slow_averages, variance_time

Floats = NDArray[np.float64]

NEAR_DAYS, VIX_DAYS, FAR_DAYS = 9.0, 30.0, 93.0
USUAL_VIX = 17.0
"""Above it spreads widen in proportion."""
VVIX_AT, VVIX_POWER, VVIX_MAX = 0.943, 0.374, 1.8
"""VVIX (1.00 = 100 %) is VVIX_AT (VIX/17)**VVIX_POWER: least squares of logarithms on the even years 2012 to
2024; 12.5 % r.m.s. off in the odd ones, where its mean would be 15 % off."""


@dataclass(frozen=True, slots=True)
class VixTerms:
    """One minute of VIX."""

    level: float
    curve: VixCurve
    stress: float

    def forward(self, years: float) -> float:
        """Points of the future that settles ``years`` (calendar) from now."""
        return self.curve.future_at(max(years, 0.0))

    def variance(self, years: float, _clock_years: float) -> float:
        """Total at-the-money variance of an option that settles then, > 0."""
        return self.curve.vol_at(years) ** 2 * max(years, 1e-7)


class VixModel:
    """VIX and its curve, minute by minute, of a model market."""

    def __init__(self, index: ModelMarket, bars: Bars) -> None:
        """bars: VIX's own, of the index's history."""
        self.bars = bars
        self.gauge = np.full(len(bars), 100.0 * VVIX_AT)
        self._index = index
        self._medium, self._long = slow_averages(bars.close)
        self._rows = {day: i for i, day in enumerate(bars.day.astype("datetime64[D]").tolist())}
        self._seen: tuple[date, dict[int, VixTerms]] = (date.min, {})

    def row(self, day: date) -> int | None:
        return self._rows.get(day)

    def at(self, session: Session, minute: int) -> VixTerms | None:
        """The curve of a minute is fitted once: all accounts of a run look at the same minutes."""
        if self._seen[0] != session.date:
            self._seen = (session.date, {})
        known = self._seen[1].get(minute)
        if known is None:
            known = self._fitted(session, minute)
            if known is not None:
                self._seen[1][minute] = known
        return known

    def _fitted(self, session: Session, minute: int) -> VixTerms | None:
        i, seen = self._rows.get(session.date), self._index.vix(session.open + timedelta(minutes=minute))
        if i is None or seen is None:
            return None
        vix = seen[0]
        averages = float(self._medium[i]), float(self._long[i])
        curve = fit_vix_curve(
            vix9d=vix * _relative(vix, averages, NEAR_DAYS),
            vix=vix,
            vix3m=vix * _relative(vix, averages, FAR_DAYS),
            vvix=min(VVIX_AT * (vix / USUAL_VIX) ** VVIX_POWER, VVIX_MAX),
        )
        return VixTerms(vix, curve, max(1.0, vix / USUAL_VIX))

    def settled(self, session: Session) -> VixTerms | None:
        """The terms that its options settle by: those of the open."""
        return self.at(session, 0)


def _relative(vix: float, averages: tuple[float, float], days: float) -> float:
    """The model's volatility index of so many days over that of 30."""

    def mean(days: float) -> float:
        return variance_time(days / 365.0 * CALENDAR_YEAR, *pulls) / days

    pulls = multiples(vix, *averages)
    return math.sqrt(mean(days) / mean(VIX_DAYS))
