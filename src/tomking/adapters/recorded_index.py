"""One product's recorded snapshots, with what a question needs found in them.

Which snapshot is meant at an instant is decided here, and which contracts still trade in it.
"""

from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_rows import Counts, Recording, Rows
from tomking.domain.calendar import UTC, Session, Sessions, new_york
from tomking.domain.contract import Option
from tomking.domain.expiries import terms_of
from tomking.domain.products import PRODUCTS
from tomking.pricing.clock import VarianceClock
from tomking.pricing.snapshot import Instant

_MINUTES_A_YEAR = 365.0 * 1440.0
ROWS_KEPT = 8
"""Snapshots whose places are remembered."""
DAY_MINUTES = 390
"""The grid of end-of-day data."""
GRID_STEPS, OLD_MINUTES = 2, 15
"""A snapshot stands for two steps of its grid, but for a quarter of an hour at least."""
END_OF_DAY = timedelta(minutes=30)
"""A session whose first snapshot is in its last half hour shows nothing of the day: it is end-of-day data."""


class Indexed:
    """One product's snapshots by time."""

    def __init__(self, data: Recording, sessions: Sessions) -> None:
        self.data = data
        self.product = PRODUCTS[data.product]
        self._sessions = sessions
        self.minutes = list(data.minutes)
        self.days = [new_york(instant_of(m)).date() for m in self.minutes]
        self._first = dict(zip(reversed(self.days), reversed(range(len(self.days))), strict=True))
        late = [day for day in self._first if self._is_late(day)]
        self.is_end_of_day = 2 * len(late) > len(self._first)
        """Whether most sessions show nothing before their last half hour."""
        self._standing = frozenset(late) if self.is_end_of_day else frozenset()
        self.grid_minutes = DAY_MINUTES if self.is_end_of_day else _usual(self._gaps())
        """Minutes between snapshots as a rule."""
        self.old_minutes = max(GRID_STEPS * self.grid_minutes, OLD_MINUTES)
        """A snapshot so old says nothing any more: the recording has stopped, or has a hole."""
        self._rows: OrderedDict[int, Rows] = OrderedDict()
        self._ends: dict[int, int] = {}

    def number(self, now: datetime) -> int | None:
        """The latest snapshot at or before ``now`` in its session, None where that is too old; of end-of-day
        data the session's first one also before it: the day's one snapshot stands for the day (ruling 7).
        """
        day = new_york(now).date()
        i = bisect_right(self.minutes, int(now.timestamp()) // 60) - 1
        if i >= 0 and self.days[i] == day:
            old = int(now.timestamp()) // 60 - self.minutes[i]
            return i if old <= self.old_minutes or day in self._standing else None
        return self._first[day] if day in self._standing else None

    def seen(self, number: int, now: datetime) -> datetime:
        """When a snapshot was taken; one that stands for its day counts as seen from the open."""
        at = instant_of(self.minutes[number])
        if at <= now:
            return at
        session = self._sessions.on(self.days[number])
        assert session is not None, "a snapshot belongs to a session"
        return session.open

    def stands(self, day: date) -> bool:
        """Whether one snapshot stands for all of that day."""
        return day in self._standing

    def rows(self, number: int) -> Rows:
        """All quotes of one snapshot."""
        if number not in self._rows:
            self._rows[number] = self.data.rows(number)
            if len(self._rows) > ROWS_KEPT:
                self._rows.popitem(last=False)
        self._rows.move_to_end(number)
        return self._rows[number]

    def end(self, expiry: int) -> int:
        """The last minute of an expiry: its day's close, at AM settlement that day's open; 0: unknown."""
        if expiry not in self._ends:
            self._ends[expiry] = self._end(expiry)
        return self._ends[expiry]

    def _end(self, expiry: int) -> int:
        day = date.fromordinal(expiry)
        session = self._sessions.on(day) or self._sessions.before(day)
        if session is None or day > self._sessions.days[-1].date:
            return 0
        terms = terms_of(self.product, session.date, self._sessions)
        at_open = terms is not None and terms.at_open
        return int((session.open if at_open else session.close).timestamp()) // 60

    def alive(self, number: int, now: datetime) -> list[int]:
        """The expiries of one snapshot that had not ended then, and have not now."""
        since = max(self.minutes[number], int(now.timestamp()) // 60)
        return [e for e in self.rows(number).expiries if self.end(e) > since]

    def find(self, option: Option, number: int, now: datetime) -> int | None:
        """The row of a contract that is listed in a snapshot and trades now."""
        end = self.end(option.expiry.toordinal())
        if end <= self.minutes[number] or end * 60 <= now.timestamp():
            return None
        return self.rows(number).find(option)

    def instant(
        self, number: int, clock: VarianceClock, *, spot: float, rate: float, rate_sd: float
    ) -> tuple[Instant, "Places"]:
        """The rows of one snapshot's living expiries in points, and where they stand in it."""
        rows, at = self.rows(number), self.minutes[number]
        places = Places.of(rows, [e for e in rows.expiries if self.end(e) > at])
        ends = np.array([self.end(e) for e in places.expiries], dtype=np.int64)
        here, tick = places.rows, float(self.product.tick)
        return Instant(
            spot=spot,
            rate=rate,
            rate_sd=rate_sd,
            years=clock.years_to(at, ends),
            calendar_years=(ends - at) / _MINUTES_A_YEAR,
            row_expiry=np.repeat(np.arange(len(places.expiries)), np.diff(places.starts)),
            strike=np.multiply(rows.strike[here], float(rows.strike_unit), dtype=np.float64),
            right=rows.right[here].astype(np.float64),
            bid=_points(rows.bid[here], tick),
            ask=_points(rows.ask[here], tick),
        ), places

    def last_quoted(self, option: Option, now: datetime) -> tuple[int, int] | None:
        """The last snapshot up to ``now`` with a two-sided quote of a contract that had not ended, and its
        row there.
        """
        until = min(int(now.timestamp()) // 60, self.end(option.expiry.toordinal()) - 1)
        for number in reversed(range(bisect_right(self.minutes, until))):
            rows = self.data.rows(number)
            row = rows.find(option)
            if row is not None and min(int(rows.bid[row]), int(rows.ask[row])) >= 0:
                return number, row
        return None

    def spot_after(self, session: Session, now: datetime) -> float | None:
        """The first spot at or after the close, once it is seen."""
        i = bisect_right(self.minutes, int(session.close.timestamp()) // 60 - 1)
        if i == len(self.minutes) or self.days[i] != session.date or self.minutes[i] * 60 > now.timestamp():
            return None
        return self.spot(i)

    def spot(self, number: int) -> float | None:
        """What a snapshot says of the underlying, the product's points."""
        spot = float(self.data.spots[number])
        return spot if np.isfinite(spot) else None

    def days_spots(self) -> Iterator[tuple[date, list[float]]]:
        """The spots of each session that has any, in their order."""
        found: dict[date, list[float]] = {}
        for day, spot in zip(self.days, self.data.spots, strict=True):
            if np.isfinite(spot):
                found.setdefault(day, []).append(float(spot))
        yield from found.items()

    def _is_late(self, day: date) -> bool:
        session = self._sessions.on(day)
        assert session is not None, "a snapshot belongs to a session"
        first = instant_of(self.minutes[self._first[day]])
        return first >= session.close - END_OF_DAY

    def _gaps(self) -> Counter[int]:
        """Minutes between neighbouring snapshots of a session, and how often."""
        return Counter(
            b - a
            for a, b, day, following in zip(
                self.minutes, self.minutes[1:], self.days, self.days[1:], strict=False
            )
            if day == following
        )


class Places:
    """Which rows of a snapshot were read together, and where each expiry is among them."""

    def __init__(self, expiries: list[int], starts: list[int], rows: slice) -> None:
        self.expiries = expiries
        self.starts = starts
        self.rows = rows

    @classmethod
    def of(cls, rows: Rows, alive: list[int]) -> "Places":
        """What has ended comes first and what ends after the calendar last: the others lie together."""
        if not alive:
            return cls([], [0], slice(0, 0))
        first = list(rows.expiries).index(alive[0])
        starts = [int(start) for start in rows.starts[first : first + len(alive) + 1]]
        return cls(alive, [start - starts[0] for start in starts], slice(starts[0], starts[-1]))

    def of_expiry(self, expiry: int) -> tuple[int, slice] | None:
        """Number and rows of one expiry among them."""
        if expiry not in self.expiries:
            return None
        e = self.expiries.index(expiry)
        return e, slice(self.starts[e], self.starts[e + 1])


def _usual(gaps: Counter[int]) -> int:
    every = sorted(gaps.elements())
    return every[len(every) // 2] if every else DAY_MINUTES


def instant_of(minute: int) -> datetime:
    """Aware UTC, from minutes since 1970."""
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def _points(counts: Counts, tick: float) -> NDArray[np.float64]:
    return np.where(counts >= 0, counts * tick, np.nan)
