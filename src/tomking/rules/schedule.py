"""When a strategy is asked: windows of the day, days of the month, and the age of what is known."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from tomking.domain.calendar import Session, Sessions, nth_weekday
from tomking.view import View

MINUTE = timedelta(minutes=1)
OPEN_MINUTE = 9 * 60 + 30
"""Minutes after midnight at which every session opens; none has a change of clocks inside."""
LOOK_MINUTES = 5
"""Minutes between looks into an entry window: what is not to be had waits for the next."""


def minute_of(wall: time) -> int:
    """Minutes after midnight."""
    return wall.hour * 60 + wall.minute


def wall_minute(session: Session, now: datetime) -> int:
    """The last whole minute after midnight in New York at or before ``now``."""
    return OPEN_MINUTE + (now - session.open) // MINUTE


def data_time(view: View) -> datetime:
    """When what is known now was seen: on a grid coarser than a minute the snapshot, else now.

    Every source stamps the VIX with its latest data point; without one, now.
    """
    seen = view.market.vix(view.now) if view.market.grid_minutes > 1 else None
    return view.now if seen is None else seen[1]


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to ``end``, New York wall times, both included."""

    start: time
    end: time
    first: int = field(init=False, repr=False, compare=False)
    """Minutes after midnight of ``start``."""
    last: int = field(init=False, repr=False, compare=False)
    """And of ``end``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", minute_of(self.start))
        object.__setattr__(self, "last", minute_of(self.end))

    def minutes(self, grid_minutes: int) -> tuple[int, int]:
        """First and last minute after midnight.

        On coarse data the first snapshot at or after the start stands for the window (ruling 7),
        so there it lasts one grid step at least: the first snapshot of a session may be late by one.
        """
        return self.first, max(self.last, self.first + grid_minutes)

    def contains(self, view: View) -> bool:
        """Whether it is now; on coarse data a snapshot from before the window does not count."""
        grid = view.market.grid_minutes
        now = wall_minute(view.session, view.now)
        if grid <= 1:
            return self.first <= now <= max(self.last, self.first + grid)
        first, last = self.minutes(grid)
        return first <= now <= last and first <= wall_minute(view.session, data_time(view))


@dataclass(frozen=True, slots=True)
class Days:
    """One weekday, in every week or in some weeks of its month; or every session."""

    weekday: int | None
    """0 is Monday; None: every session."""
    weeks: tuple[int, ...] = ()
    """Which of its weekday in its month: (1, 2) the first and second.  Empty: all."""
    moves: bool = True
    """Whether a holiday moves it to the next session (methodology D.8)."""
    earlier: bool = False
    """Whether it moves to the session before instead: what is sold for the week to come (D.8)."""

    def named(self, day: date) -> bool:
        """Whether the rule names ``day``, be it a session or not."""
        return self.weekday in (None, day.weekday()) and (not self.weeks or nth_weekday(day) in self.weeks)

    def meant(self, day: date, sessions: Sessions) -> date | None:
        """The day of the rule that the session ``day`` stands for: itself, or a holiday next to it."""
        if self.named(day):
            return day
        if self.earlier:
            return self._closed_after(day, sessions)
        before = sessions.before(day) if self.moves else None
        if before is None:
            return None
        closed = (day - timedelta(days=n) for n in range(1, (day - before.date).days))
        return next((holiday for holiday in closed if self.named(holiday)), None)

    def _closed_after(self, day: date, sessions: Sessions) -> date | None:
        """The next weekday, if the rule names it and it has no session.

        Not any later one: who sold on Monday, 10 September 2001 did not know that Friday would be closed.
        """
        following, after = _next_weekday(day), sessions.after(day)
        closed = after is not None and after.date > following
        return following if closed and self.named(following) else None

    def weekdays_back(self, day: date) -> int | None:
        """How many weekdays before ``day`` lies the last day that the rule names, 0 to 4; where it moves
        ``earlier``, after it the next, 0 or 1.

        ``day`` stands for it if all between were closed (``meant`` knows): four weekdays in September
        2001, two in October 2012.  None: the rule names none of them.
        """
        if self.weekday is None:
            return 0
        if self.earlier:
            return 0 if self.named(day) else 1 if self.named(_next_weekday(day)) else None
        named = self.named(day - timedelta(days=(day.weekday() - self.weekday) % 7))
        back = (day.weekday() - self.weekday) % 5
        return back if named and (self.moves or back == 0) else None


def _next_weekday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday() if day.weekday() > 3 else 1)


EVERY_SESSION = Days(weekday=None, moves=False)


def next_look(window: Window, since: int, grid_minutes: int, every: int) -> Iterator[int]:
    """The first minute from ``since`` on, ``every`` minutes apart from the window's start; none after it.

    Where the snapshots of coarse data will lie nobody knows beforehand, so there too it is looked often.
    """
    first, last = window.minutes(grid_minutes)
    look = first + max(0, -(-(since - first) // every)) * every
    if look <= last:
        yield look
