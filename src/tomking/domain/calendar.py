"""Exchange sessions as a value: which days trade, from when to when.

The dates come from a calendar library through ``adapters.calendars``; the core only reads them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
UTC = ZoneInfo("UTC")

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = range(5)


class WhenClosed(Enum):
    """What becomes of a schedule on a day without a session (methodology D.8)."""

    NEXT = "next"
    """It moves to the next session: everything but the two below."""
    BEFORE = "before"
    """To the session before: the weekly call of IPMCC, and expiries."""
    SKIP = "skip"
    """It does not happen: 0DTE."""


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day of the securities exchange.  Instants are aware UTC."""

    date: date
    open: datetime
    """09:30 New York."""
    close: datetime
    """16:00 New York, 13:00 on half days."""
    closed_before: int = field(default=0, compare=False, repr=False)
    """Weekdays without a session between the one before and this one; ``Sessions`` counts them."""

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
        object.__setattr__(self, "days", _with_closures(self.days))
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

    def count(self, first: date, last: date) -> int:
        """How many ``between`` has."""
        return max(0, bisect_right(self.days, last, key=_date_of) - self._first_from(first))

    def _first_from(self, day: date) -> int:
        return bisect_left(self.days, day, key=_date_of)


def _with_closures(days: tuple[Session, ...]) -> tuple[Session, ...]:
    """The first keeps what it says: it may be of a longer span."""
    counted = list(days[:1])
    for before, session in pairwise(days):
        closed = _weekdays_between(before.date, session.date)
        same = closed == session.closed_before
        counted.append(session if same else replace(session, closed_before=closed))
    return tuple(counted)


def _weekdays_between(first: date, last: date) -> int:
    """Monday to Friday, neither end counted."""
    gap = (last - first).days
    if gap == 1:
        return 0
    return sum((first + timedelta(days=n)).weekday() < 5 for n in range(1, gap))


def _date_of(session: Session) -> date:
    return session.date


@lru_cache(maxsize=65536)
def wall_instant(day: date, wall: time) -> datetime:
    """The UTC instant at which New York clocks show ``wall`` on ``day``."""
    return datetime.combine(day, wall, tzinfo=NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=256)
def new_york(now: datetime) -> datetime:
    """``now`` on New York clocks.  Every part of a step asks it of the same instant."""
    return now.astimezone(NEW_YORK)


def dte(today: date, expiry: date) -> int:
    """Days to expiration: calendar days from the New York trade date (methodology 0.2)."""
    return (expiry - today).days


def nth_weekday(day: date) -> int:
    """Which of its weekday in its month ``day`` is: 1 for the first Wednesday and so on."""
    return (day.day - 1) // 7 + 1


def weekday_of_month(year: int, month: int, weekday: int, nth: int) -> date:
    """The ``nth`` (1 to 5) ``weekday`` of a month, a session or not; the second Tuesday is (TUESDAY, 2).

    ``ValueError`` where the month has no fifth one.
    """
    first = date(year, month, 1)
    return first.replace(day=1 + (weekday - first.weekday()) % 7 + 7 * (nth - 1))


def third_friday(year: int, month: int) -> date:
    """The calendar day, holiday or not."""
    return weekday_of_month(year, month, FRIDAY, 3)


def session_on(day: date, sessions: Sessions, when_closed: WhenClosed) -> date | None:
    """The session that a schedule for ``day`` falls on; None for a skipped one and outside the span."""
    if not sessions.days or not sessions.days[0].date <= day <= sessions.days[-1].date:
        return None
    if sessions.on(day) is not None:
        return day
    if when_closed is WhenClosed.SKIP:
        return None
    found = sessions.after(day) if when_closed is WhenClosed.NEXT else sessions.before(day)
    return None if found is None else found.date


def is_scheduled(
    today: date,
    weekday: int,
    sessions: Sessions,
    *,
    nth: int | None = None,
    when_closed: WhenClosed = WhenClosed.NEXT,
) -> bool:
    """Whether ``today`` is the session of a schedule: each ``weekday``, or only the ``nth`` of its month."""
    return any(
        session_on(day, sessions, when_closed) == today
        for day in calendar_days(today - _FARTHEST_MOVE, today + _FARTHEST_MOVE)
        if day.weekday() == weekday and nth in {None, nth_weekday(day)}
    )


_FARTHEST_MOVE = timedelta(days=7)
"""No closure lasted longer: 2001-09-11 to 14 moved a schedule by six days."""


def calendar_days(first: date, last: date) -> Iterator[date]:
    """Every date from ``first`` to ``last``, both included."""
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
