"""What happened in a scenario: its events, moments for the picture, and questions asked of both."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.intent import Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Order

BY_FIAT = "by fiat"
"""The reason of an order that a scenario put into the book."""
Figures = dict[str, float | None]
"""By the keys of a row's claims."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The account at one instant."""

    at: datetime
    net_liq: float
    vix: float | None
    spot: float | None
    positions: int
    short_vol: int
    """Short-volatility positions (C.5)."""
    emergency: int
    breaker: int
    drawdown: str


@dataclass(slots=True, eq=False)
class Story:
    """Grows while a scenario is played."""

    events: list[ev.Event] = field(default_factory=list[ev.Event])
    moments: list[Moment] = field(default_factory=list[Moment])
    errors: list[str] = field(default_factory=list[str])
    book: Book = field(default_factory=Book)
    changed: bool = False
    lowest: float = 0.0

    def see(self, _book: Book, event: ev.Event) -> None:
        self.events.append(event)
        if isinstance(event, ev.LevelChanged):
            self.changed = True

    # ------------------------------------------------------------------ questions

    def sent(self, since: datetime | None = None, until: datetime | None = None) -> list[ev.OrderSubmitted]:
        """Orders sent in [since, until), those by fiat left out."""
        return [
            e
            for e in self.events
            if isinstance(e, ev.OrderSubmitted) and e.order.reason != BY_FIAT and _within(e.at, since, until)
        ]

    def openings(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> list[ev.OrderSubmitted]:
        return [e for e in self.sent(since, until) if e.order.opens]

    def entries(self, strategy: str | None = None, **span: datetime) -> list[ev.OrderSubmitted]:
        """Opening orders sent, of one strategy or of all."""
        found = self.openings(span.get("since"), span.get("until"))
        return [e for e in found if strategy in (None, e.order.strategy)]

    def fills(self, opens: bool | None = None) -> Iterator[tuple[Order, ev.OrderFilled]]:  # noqa: FBT001
        """Fills with their orders."""
        orders = {e.order.id: e.order for e in self.events if isinstance(e, ev.OrderSubmitted)}
        for event in self.events:
            if isinstance(event, ev.OrderFilled) and opens in (None, orders[event.fill.order].opens):
                yield orders[event.fill.order], event

    def closings(self, strategy: str | None = None) -> list[tuple[Order, ev.OrderFilled]]:
        return [(o, f) for o, f in self.fills(opens=False) if strategy in (None, o.strategy)]

    def declined(self, strategy: str | None = None, code: str | None = None) -> list[ev.Declined]:
        return [
            e
            for e in self.events
            if isinstance(e, ev.Declined) and strategy in (None, e.strategy) and code in (None, e.code)
        ]

    def levels(self, name: str) -> list[ev.LevelChanged]:
        return [e for e in self.events if isinstance(e, ev.LevelChanged) and e.name == name]

    def highest(self, name: str, since: datetime | None = None, until: datetime | None = None) -> int:
        """The greatest number a level had in [since, until), its value at ``since`` included."""
        best = standing = 0
        for change in self.levels(name):
            number = _number(change.after)
            if since is not None and change.at < since:
                standing = number
            elif until is None or change.at < until:
                best = max(best, number)
        return max(best, standing)

    def level_at(self, name: str, now: datetime) -> int:
        """The level's number after everything that happened up to ``now``."""
        before = [c for c in self.levels(name) if c.at <= now]
        return _number(before[-1].after) if before else 0

    def ended(self) -> dict[date, ev.SessionEnded]:
        return {e.day: e for e in self.events if isinstance(e, ev.SessionEnded)}

    def days(self) -> dict[date, float]:
        """Returns of the days, on the close before."""
        closes = [(e.day, float(e.net_liq)) for e in self.events if isinstance(e, ev.SessionEnded)]
        return {day: value / closes[i][1] - 1 for i, (day, value) in enumerate(closes[1:])}

    def worst_from(self, since: datetime, until: datetime | None = None) -> float:
        """Greatest fall of net liq below what it was at ``since``, as a share; at least 0."""
        before = [m.net_liq for m in self.moments if m.at <= since]
        base = before[-1] if before else self.moments[0].net_liq
        least = min((m.net_liq for m in self.moments if _within(m.at, since, until)), default=base)
        return max(0.0, 1 - least / base)

    def transitions(self, after: State) -> list[ev.Transitioned]:
        return [e for e in self.events if isinstance(e, ev.Transitioned) and e.after is after]


def implicit(story: Story, sessions: Sessions) -> Figures:
    """What every scenario on the kernel claims."""
    raised = len(story.errors) + sum(isinstance(e, ev.Quarantined) for e in story.events)
    orphans = sum(w.order.urgency is not Urgency.TARGET for w in story.book.orders.values())
    outside = 0
    for event in story.sent():
        session = sessions.on(new_york(event.at).date())
        outside += session is None or not session.open <= event.at <= session.close
    return {"errors": raised, "orphans": orphans, "out_of_hours": outside}


_DRAWDOWN = ("GREEN", "YELLOW", "ORANGE", "RED", "TERMINAL")


def _number(value: str) -> int:
    if value in _DRAWDOWN:
        return _DRAWDOWN.index(value)
    return int(value) if value.isdigit() else int(bool(value))


def _within(instant: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or instant >= since) and (until is None or instant < until)
