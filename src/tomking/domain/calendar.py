"""Exchange sessions as a value: which days trade, from when to when.

The dates come from a calendar library through ``adapters.calendars``; the core only reads them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of the securities exchange.  Instants are aware UTC."""

    date: date
    open: datetime
    """09:30 New York."""
    close: datetime
    """16:00 New York, 13:00 on half days."""

    @property
    def minutes(self) -> int:
        """390, or 210 on half days."""
        return int((self.close - self.open).total_seconds()) // 60

    @property
    def is_half_day(self) -> bool:
        return self.minutes < 390

    def at(self, wall: time) -> datetime:
        """The instant at which New York clocks show ``wall`` on this day."""
        return wall_instant(self.date, wall)


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions of a span, ascending, without gaps in what they cover."""

    days: tuple[Session, ...]
    _rows: dict[date, int] = field(init=False, repr=False, compare=False)
    """Row of each session's date: asked for at every step."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", {session.date: i for i, session in enumerate(self.days)})

    def __iter__(self) -> Iterator[Session]:
        return iter(self.days)

    def __len__(self) -> int:
        return len(self.days)

    def on(self, day: date) -> Session | None:
        """The session of ``day``, None on a day without one."""
        i = self._rows.get(day)
        return None if i is None else self.days[i]

    def after(self, day: date) -> Session | None:
        """The first session after ``day``."""
        i = self._rows.get(day)
        i = bisect_right(self.days, day, key=_date_of) if i is None else i + 1
        return self.days[i] if i < len(self.days) else None

    def before(self, day: date) -> Session | None:
        """The last session before ``day``."""
        i = self._rows.get(day)
        i = self._first_from(day) if i is None else i
        return self.days[i - 1] if i > 0 else None

    def between(self, first: date, last: date) -> "Sessions":
        """Those from ``first`` to ``last``, both included."""
        return Sessions(self.days[self._first_from(first) : bisect_right(self.days, last, key=_date_of)])

    def _first_from(self, day: date) -> int:
        return bisect_left(self.days, day, key=_date_of)


def _date_of(session: Session) -> date:
    return session.date


@lru_cache(maxsize=65536)
def wall_instant(day: date, wall: time) -> datetime:
    """The UTC instant at which New York clocks show ``wall`` on ``day``."""
    return datetime.combine(day, wall, tzinfo=NEW_YORK).astimezone(UTC)


def new_york(now: datetime) -> datetime:
    """``now`` on New York clocks."""
    return now.astimezone(NEW_YORK)


def dte(today: date, expiry: date) -> int:
    """Days to expiration: calendar days from the New York trade date (methodology 0.2)."""
    return (expiry - today).days


def nth_weekday(day: date) -> int:
    """Which of its weekday in its month ``day`` is: 1 for the first Wednesday and so on."""
    return (day.day - 1) // 7 + 1


def calendar_days(first: date, last: date) -> Iterator[date]:
    """Every date from ``first`` to ``last``, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
