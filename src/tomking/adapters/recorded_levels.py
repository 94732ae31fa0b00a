"""What underlyings stood at: indices, shares and futures as recorded beside their options."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_index import DAY_MINUTES, GRID_STEPS, OLD_MINUTES, instant_of
from tomking.domain.bars import Bars
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import Quote

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LATE = timedelta(minutes=20)
"""An index prints its close so long after the close; later prices belong to no session here."""
SETTLES = timedelta(minutes=15)
"""Within so long of an instant, its first level stands for a settlement at it."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One underlying: columns of shape (n,), ascending; points, NaN where there is none."""

    minute: Ints
    """Minutes since 1970-01-01 00:00 UTC: the first whole one at or after it was seen."""
    bid: Floats
    ask: Floats
    last: Floats
    level: Floats = field(init=False)
    """The middle of the market; the last price where it lacks a side."""
    old_minutes: int = field(init=False)
    """A level so old says nothing any more."""

    def __post_init__(self) -> None:
        middle = 0.5 * (self.bid + self.ask)
        level = np.where(np.isfinite(middle) & (self.bid > 0), middle, self.last)
        object.__setattr__(self, "level", level)
        steps = np.diff(self.minute)
        steps = steps[(steps > 0) & (steps < DAY_MINUTES)]
        usual = int(np.median(steps)) if steps.size else 0
        object.__setattr__(self, "old_minutes", max(GRID_STEPS * usual, OLD_MINUTES))

    def row(self, now: datetime, session: Session) -> int | None:
        """The latest level at or before ``now`` since the session's open, if it is not too old."""
        minute = int(now.timestamp()) // 60
        low = max(int(session.open.timestamp()) // 60, minute - self.old_minutes)
        first, stop = (int(self.minute.searchsorted(low)), int(self.minute.searchsorted(minute, "right")))
        known = np.flatnonzero(np.isfinite(self.level[first:stop]))
        return first + int(known[-1]) if known.size else None

    def between(self, first: datetime, last: datetime) -> Floats:
        """The levels of a span, both ends included."""
        low, high = (int(t.timestamp()) // 60 for t in (first, last))
        found = self.level[int(self.minute.searchsorted(low)) : int(self.minute.searchsorted(high, "right"))]
        return found[np.isfinite(found)]


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Series by underlying and, of futures, last trade date."""

    series: Mapping[tuple[str, date | None], Series] = field(default_factory=dict)

    def future(self, key: str, expiry: date) -> Series | None:
        return self.series.get((key, expiry))

    def front(self, key: str, today: date) -> Series | None:
        """The future of ``key`` that ends first, today's left out; an index or share as it is."""
        if (key, None) in self.series:
            return self.series[key, None]
        ahead = [e for k, e in self.series if k == key and e is not None and e > today]
        return self.series[key, min(ahead)] if ahead else None


def level_at(series: Series | None, now: datetime, session: Session | None) -> float | None:
    """What an underlying stands at, as last seen in this session."""
    row = None if series is None or session is None else series.row(now, session)
    return None if series is None or row is None else float(series.level[row])


def quote_at(series: Series | None, now: datetime, session: Session | None) -> Quote | None:
    """Its market; where only trades are recorded the last price on both sides."""
    row = None if series is None or session is None else series.row(now, session)
    if series is None or row is None:
        return None
    bid, ask = float(series.bid[row]), float(series.ask[row])
    if not (0 < bid <= ask):
        bid = ask = float(series.level[row])
    return Quote(exact(bid), exact(ask), instant_of(int(series.minute[row])))


def level_after(series: Series | None, instant: datetime, now: datetime) -> float | None:
    """The first level at or soon after an instant, once it is seen."""
    found = np.zeros(0) if series is None else series.between(instant, min(now, instant + SETTLES))
    return float(found[0]) if found.size else None


def level_before(series: Series | None, session: Session, now: datetime) -> float | None:
    """The session's last level, once the session is over."""
    if series is None or now < session.close:
        return None
    found = series.between(session.open, session.close + LATE)
    return float(found[-1]) if found.size else None


def daily_bars(prices: Mapping[date, list[float]]) -> Bars:
    """Open, highest, lowest and last of each session's prices, days ascending."""
    days = sorted(prices)
    columns = ([f(prices[d]) for d in days] for f in (lambda p: p[0], max, min, lambda p: p[-1]))
    open_, high, low, close = (np.array(column, dtype=np.float64) for column in columns)
    return Bars(np.array(days, dtype="datetime64[D]"), open_, high, low, close)


def sessions_prices(series: Series, sessions: Sessions) -> dict[date, list[float]]:
    """The levels of each session that has any."""
    minutes, level = series.minute.tolist(), series.level
    first, last = (new_york(instant_of(m)).date() for m in (minutes[0], minutes[-1]))
    found = {}
    for session in sessions.between(first, last):
        start = bisect_right(minutes, int(session.open.timestamp()) // 60 - 1)
        stop = bisect_right(minutes, int((session.close + LATE).timestamp()) // 60)
        here = level[start:stop]
        if np.isfinite(here).any():
            found[session.date] = here[np.isfinite(here)].tolist()
    return found


def exact(price: float) -> Decimal:
    """To a hundredth of a hundredth of a point."""
    return Decimal(str(round(price, 4)))
