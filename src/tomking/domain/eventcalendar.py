"""What is announced when, and which entries that forbids: one answer for every strategy (methodology C.10).

The Federal Reserve's statements and the price index are tables of this package; earnings, dividends, splits,
mergers and product decisions (OPEC, central banks) come from the user's file (``adapters.eventfile``) or,
live, from the broker.  Every calendar ends somewhere.  Past its end nothing is known: paper and live then
block what is most exposed, 0DTE and single names, and a backtest goes on and counts it (0.4, ruling 6).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum

from tomking.domain import cpi, fomc
from tomking.domain.calendar import THURSDAY, WEDNESDAY, Sessions, new_york
from tomking.domain.product import Kind, Product

EARNINGS_BEFORE, EARNINGS_AFTER = 3, 1
"""Sessions around earnings without new short premium in that name."""
LEAP_EARNINGS_DAYS = 30
"""Calendar days before earnings without a new long-dated call."""
DIVIDEND_BEFORE, DIVIDEND_AFTER = 2, 1
"""Sessions around the ex-dividend day without new short calls."""
SPLIT_BEFORE, SPLIT_AFTER = 5, 2
MERGER_BEFORE, MERGER_AFTER = 10, 5
"""Sessions around them without any trade in the name."""
FOMC_QUIET = (time(13, 0), time(15, 0))
"""New York, on the day of a statement: no entry of any strategy."""
CPI_QUIET_UNTIL = time(10, 0)
INVENTORIES_QUIET = (time(10, 0), time(11, 0))
"""Wednesdays, around the weekly crude inventories of 10:30."""
INVENTORIES_LATE_QUIET = (time(10, 30), time(11, 30))
"""Thursdays after a holiday from Monday to Wednesday, when they come at 11:00."""
FOMC_DELTA_FACTOR = Decimal("0.5")


class Event(Enum):
    """Kinds of dates in a user's file."""

    EARNINGS = "earnings"
    EX_DIVIDEND = "ex_dividend"
    SPLIT = "split"
    MERGER = "merger"
    DECISION = "decision"
    """Of OPEC, a central bank, the USDA: for the product or family it is filed under."""


@dataclass(frozen=True, slots=True)
class Dates:
    """What is known of one ticker, product or family."""

    first: date
    last: date
    """The span that the source speaks of, both included: beyond it the absence of a date says nothing."""
    days: Mapping[Event, tuple[date, ...]]
    """Ascending."""

    def of(self, event: Event) -> tuple[date, ...]:
        return self.days.get(event, ())


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody would like to open, as far as events care."""

    product: Product
    same_day: bool = False
    """Expires today (0DTE)."""
    short_premium: bool = True
    short_call: bool = False
    long_dated: bool = False
    """A LEAP is bought."""
    decision_sessions: int = 0
    """Sessions ahead within which a decision for this product blocks: 5 for futures strangles (B.4)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Blocked with a reason, or not; and what could not be looked up."""

    blocked: str | None
    not_covered: tuple[str, ...] = ()
    """Like "CPI": for the reason of an entry and the report's count."""


@dataclass(frozen=True, slots=True)
class EventCalendar:
    """The service that every entry asks."""

    strict: bool
    """True in paper and live: where a calendar does not reach, 0DTE and single names are blocked."""
    dates: Mapping[str, Dates] = field(default_factory=dict)
    """By ticker (AAPL), product (CL) or family."""

    def judge(self, entry: Entry, now: datetime, sessions: Sessions) -> Answer:
        """Whether ``entry`` may be opened at ``now`` (aware); the first rule against it gives the reason."""
        there = new_york(now)
        today, wall = there.date(), there.time()
        unknown = tuple(self._unknown(entry, today, sessions))
        exposed = entry.same_day or entry.product.kind is Kind.STOCK
        if self.strict and exposed and unknown:
            what = "0DTE" if entry.same_day else entry.product.key
            return Answer(f"no calendar of {', '.join(unknown)} for {today}: {what} is blocked", unknown)
        return Answer(next(_reasons(self, entry, today, wall, sessions), None), unknown)

    def delta_factor(self, today: date) -> Decimal:
        """What delta limits are multiplied by: half on the day of a statement."""
        return FOMC_DELTA_FACTOR if fomc.fomc_on(today) else Decimal(1)

    def earnings_between(self, ticker: str, first: date, last: date) -> date | None:
        """The first known earnings from ``first`` to ``last``: no weekly is sold through them (B.5)."""
        known = self.dates.get(ticker)
        found = () if known is None else known.of(Event.EARNINGS)
        return next((day for day in found if first <= day <= last), None)

    def known_until(self, product: Product) -> date:
        """The last day of which all that entries in ``product`` ask is known; ``date.min`` if never."""
        until = min(fomc.COVERED_TO, cpi.COVERED_TO)
        if product.kind is not Kind.STOCK:
            return until
        known = self.dates.get(product.key)
        return date.min if known is None else min(until, known.last)

    def _unknown(self, entry: Entry, today: date, sessions: Sessions) -> Iterator[str]:
        if not fomc.covered(today):
            yield "FOMC"
        if not cpi.covered(today):
            yield "CPI"
        product = entry.product
        if product.kind is Kind.STOCK:
            known, ahead = self.dates.get(product.key), _ahead(entry, today, sessions)
            if known is None or not known.first <= today or ahead > known.last:
                yield f"{product.key} earnings"
        elif entry.decision_sessions:
            found = self.decisions_of(product)
            if found is None or not found.first <= today <= found.last:
                yield f"{product.key} decisions"

    def decisions_of(self, product: Product) -> Dates | None:
        """Dates filed under the product, else under its family."""
        return self.dates.get(product.key) or self.dates.get(product.family)


def _reasons(
    calendar: EventCalendar, entry: Entry, today: date, wall: time, sessions: Sessions
) -> Iterator[str]:
    yield from _macro(entry, today, wall)
    product = entry.product
    if product.kind is Kind.STOCK:
        yield from _company(calendar.dates.get(product.key), entry, today, sessions)
        return
    if product.family == "CL" and product.kind is Kind.FUTURE and _inventories(today, wall, sessions):
        yield f"weekly crude inventories: no entry in {product.key} around them"
    known = calendar.decisions_of(product)
    if entry.decision_sessions and known is not None:
        near = _near(known.of(Event.DECISION), today, sessions, entry.decision_sessions, 0)
        if near is not None:
            yield f"a decision for {product.key} on {near}, within {entry.decision_sessions} sessions"


def _macro(entry: Entry, today: date, wall: time) -> Iterator[str]:
    if fomc.fomc_on(today):
        if entry.same_day:
            yield f"FOMC announcement on {today}: no 0DTE"
        start, end = FOMC_QUIET
        if start <= wall < end:
            yield f"FOMC announcement on {today}: no entries from {start:%H:%M} to {end:%H:%M}"
    if cpi.cpi_on(today):
        if entry.same_day:
            yield f"CPI release on {today}: no 0DTE"
        if wall < CPI_QUIET_UNTIL:
            yield f"CPI release on {today}: no entries before {CPI_QUIET_UNTIL:%H:%M}"


def _company(known: Dates | None, entry: Entry, today: date, sessions: Sessions) -> Iterator[str]:
    if known is None:
        return
    key = entry.product.key
    windows = [
        (Event.SPLIT, SPLIT_BEFORE, SPLIT_AFTER, True, "no trades"),
        (Event.MERGER, MERGER_BEFORE, MERGER_AFTER, True, "no trades"),
        (Event.EARNINGS, EARNINGS_BEFORE, EARNINGS_AFTER, entry.short_premium, "no new short premium"),
        (Event.EX_DIVIDEND, DIVIDEND_BEFORE, DIVIDEND_AFTER, entry.short_call, "no new short calls"),
    ]
    for event, before, after, applies, said in windows:
        near = _near(known.of(event), today, sessions, before, after) if applies else None
        if near is not None:
            yield f"{key}: {event.value.replace('_', '-')} on {near}, {said}"
    if entry.long_dated:
        for day in known.of(Event.EARNINGS):
            if today <= day < today + timedelta(days=LEAP_EARNINGS_DAYS):
                yield f"{key}: earnings on {day}, no new LEAP in the {LEAP_EARNINGS_DAYS} days before"


def _near(days: Iterable[date], today: date, sessions: Sessions, before: int, after: int) -> date | None:
    """The first of ``days`` at most ``before`` sessions ahead of today or ``after`` behind it."""
    last = _shifted(today, before, sessions)
    first = _shifted(today, -after, sessions)
    return next((day for day in days if first <= day <= last), None)


def _shifted(day: date, count: int, sessions: Sessions) -> date:
    """``count`` sessions on, or back; where the sessions end, as many weekdays."""
    step = 1 if count > 0 else -1
    for _ in range(abs(count)):
        session = sessions.after(day) if step > 0 else sessions.before(day)
        day = _next_weekday(day, step) if session is None else session.date
    return day


def _next_weekday(day: date, step: int) -> date:
    day += timedelta(days=step)
    while day.weekday() > 4:
        day += timedelta(days=step)
    return day


def _ahead(entry: Entry, today: date, sessions: Sessions) -> date:
    """The last day that must be known for this entry."""
    if entry.long_dated:
        return today + timedelta(days=LEAP_EARNINGS_DAYS)
    return _shifted(today, EARNINGS_BEFORE, sessions)


def _inventories(today: date, wall: time, sessions: Sessions) -> bool:
    """Whether the weekly crude inventories come out about now."""
    if today.weekday() == WEDNESDAY:
        start, end = INVENTORIES_QUIET
        return start <= wall < end
    late = any(sessions.on(today - timedelta(days=n)) is None for n in (1, 2, 3))
    start, end = INVENTORIES_LATE_QUIET
    return today.weekday() == THURSDAY and late and start <= wall < end
