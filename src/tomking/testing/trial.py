"""One strategy on trial: the real kernel, gate and simulated broker on the model market, everything kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

from tomking.adapters.calendars import load_sessions
from tomking.adapters.codec import decode, encode
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.app.markets import model_market
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.app.wiring import backtest_kernel
from tomking.domain import events as ev
from tomking.domain.book import Book, Component, apply
from tomking.domain.calendar import Session, Sessions
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Close, Intent, Mark, Open, Pass
from tomking.risk.availability import Place
from tomking.risk.settings import Settings as RiskSettings
from tomking.rules.strategy import CODES, Strategy
from tomking.view import Own, View

CAPITAL = Decimal(1_000_000)
"""Dollars: enough that the gate lets most wishes pass."""
LISTED_AHEAD = timedelta(days=760)
REBORN_SESSIONS = 60
"""From its first position on: so long the process dies after every step."""
SPANS = (
    (date(2012, 1, 3), date(2012, 7, 31)),
    (date(2017, 2, 1), date(2017, 8, 31)),
    (date(2011, 8, 1), date(2012, 2, 29)),
    (date(2020, 2, 3), date(2020, 8, 31)),
)
"""A calm year, a very quiet one, an autumn of fear, a crash: the first in which it trades is used."""

Make = Callable[[], Strategy]


@dataclass(slots=True)
class Watched:
    """The strategy as the kernel asks it; what it answers is looked at and kept."""

    inner: Strategy
    said: list[tuple[datetime, Intent]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    """The first of each kind, with its instant."""
    fails: bool = False
    """Raises when it is asked to decide, as a strategy with a bug does."""

    @property
    def id(self) -> str:
        return self.inner.id

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        return self.inner.steps(view, own)

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        if self.fails:
            raise RuntimeError("made to fail by its trial")
        wishes = self.inner.decide(view, own)
        if self.inner.decide(view, own) != wishes:
            self._fault("asked twice on the same facts it answers differently", view)
        if len({repr(wish) for wish in wishes}) < len(wishes):
            self._fault("it wishes the same thing twice at once", view)
        closed = [(wish.position, role) for wish in wishes if isinstance(wish, Close) for role in wish.roles]
        if len(set(closed)) < len(closed):
            self._fault("it closes a component twice at once", view)
        if any(_leaves_alone(wish, wishes, own) for wish in wishes):
            self._fault("it joins a position that it closes whole at the same time", view)
        for wish in wishes:
            for fault in _unfit(wish, self.inner):
                self._fault(fault, view)
            self.said.append((view.now, wish))
        return wishes

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        wishes = self.inner.guard(view, own)
        if any(not isinstance(wish, Close | Mark) for wish in wishes):
            self._fault("its guardian exits wish more than closes and notes", view)
        return wishes

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        return self.inner.next_wake(session, own, now, grid_minutes)

    def _fault(self, words: str, view: View) -> None:
        self.faults.setdefault(words, f"{words} ({view.now:%Y-%m-%d %H:%M} UTC)")


def _leaves_alone(wish: Intent, wishes: Sequence[Intent], own: Own) -> bool:
    """Whether what would join a position finds nothing else left of it."""
    first = wish.choices[0] if isinstance(wish, Alternatives) else wish
    joins = first.joins if isinstance(first, Open) else None
    roles = {role for w in wishes if isinstance(w, Close) and w.position == joins for role in w.roles}
    held = [position for position in own.positions if position.id == joins]
    return bool(roles) and any(roles >= {one.role for one in each.open_components} for each in held)


def _unfit(wish: Intent, strategy: Strategy) -> list[str]:
    """What no wish of any strategy may be."""
    match wish:
        case Alternatives(choices):
            return [fault for choice in choices for fault in _unfit(choice, strategy)]
        case Open():
            return _unfit_opening(wish, strategy)
        case Close():
            checks = {
                "a close has no reason": bool(wish.reason),
                "a close has a trigger that no exit has": wish.trigger in {e.trigger for e in strategy.exits},
            }
        case Pass():
            checks = {"a refusal without code or words": wish.code in CODES and bool(wish.detail)}
        case _:
            checks = {}
    checks["it speaks for another strategy"] = wish.strategy == strategy.id
    return [words for words, holds in checks.items() if not holds]


def _unfit_opening(wish: Open, strategy: Strategy) -> list[str]:
    structure, roles = wish.structure, {part.role for part in wish.parts}
    sizes = {contract.multiplier for contract in structure.contracts}
    checks = {
        f"{wish.entry}: an order of more than four legs": len(structure.legs) <= 4,
        f"{wish.entry}: contracts of different sizes in one order": len(sizes) == 1,
        f"{wish.entry}: a ceiling below one unit": wish.ceiling >= 1,
        f"{wish.entry}: no loss or no gain is planned": min(wish.planned_loss, wish.target_gain) > 0,
        f"{wish.entry}: the least net is off the grid": wish.least_net % structure.tick == 0,
        f"{wish.entry}: no entry of that name": wish.entry in {e.name for e in strategy.entries},
        f"{wish.entry}: a target for a part it does not open": {r for t in wish.targets for r in t.roles}
        <= roles,
        f"{wish.entry}: it is entered without a reason": bool(wish.reason),
        f"{wish.entry}: it speaks for another strategy": wish.strategy == strategy.id,
    }
    return [words for words, holds in checks.items() if not holds]


@dataclass(slots=True)
class Played:
    """One run: its journal, and what the strategy said."""

    watched: Watched
    sessions: Sessions
    events: list[ev.Event] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    books: list[tuple[ev.SessionEnded, Book]] = field(default_factory=list)
    """At every close."""
    uncovered: dict[str, str] = field(default_factory=dict)
    book: Book = field(default_factory=Book)

    def saw(self, _: Book, event: ev.Event) -> None:
        """The kernel's observer: each event with the book after it, which is folded anew from its text."""
        text = encode(event)
        self.texts.append(text)
        self.events.append(event)
        self.book = apply(self.book, decode(text))
        if isinstance(event, ev.SessionEnded):
            self.books.append((event, self.book))
        if isinstance(event, ev.OrderFilled | ev.Settled):
            self._look_for_cover(event)

    def _look_for_cover(self, event: ev.Event) -> None:
        for position in self.book.positions.values():
            for words in naked(position.open_components, self.watched.inner.covered):
                self.uncovered.setdefault(words, f"{position.id}: {words} at {event.at:%Y-%m-%d %H:%M} UTC")

    def orders(self) -> list[ev.OrderSubmitted]:
        return [event for event in self.events if isinstance(event, ev.OrderSubmitted)]


def naked(components: Sequence[Component], roles: tuple[str, ...]) -> Iterator[str]:
    """Expiries at and before which more is sold than bought, among the components of ``roles``, by right."""
    legs = [
        (leg.contract.right, leg.contract.expiry, leg.ratio * one.units)
        for one in components
        if one.role.startswith(roles)
        for leg in one.structure.legs
        if isinstance(leg.contract, Option)
    ]
    for right in Right:
        # What expires last covers everything before it: counted from the far end, no sum may be short.
        mine = sorted((expiry, count) for kind, expiry, count in legs if kind is right)
        for expiry in sorted({expiry for expiry, _ in mine}):
            total = sum(count for other, count in mine if other >= expiry)
            if total < 0:
                yield f"{-total} {right.name.lower()}s of {expiry} are sold without cover"


@dataclass(frozen=True, slots=True)
class Trial:
    """The three runs of one strategy over the same sessions."""

    strategy: Strategy
    plain: Played
    """As a backtest runs it."""
    reborn: Played
    """The process dies after every step and starts again from its journal's text."""
    guarded: Played
    """From its first position on the strategy raises whenever it is asked: only its guardian exits work."""


def trial_of(
    make: Make, place: Place | None = None, spans: Sequence[tuple[date, date]] = SPANS
) -> Trial | None:
    """The runs over the first of ``spans`` in which it opens something; None where it never does."""
    for first, last in spans:
        plain = _run(make, place, first, last)
        if any(event.order.opens for event in plain.orders()):
            reborn = _run(make, place, first, _end_of_deaths(plain, last), reborn=True)
            guarded = _run(make, place, first, last, guarded=True)
            return Trial(make(), plain, reborn, guarded)
    return None


def _run(
    make: Make,
    place: Place | None,
    first: date,
    last: date,
    *,
    reborn: bool = False,
    guarded: bool = False,
) -> Played:
    sessions = calendar()
    played = sessions.between(first, last).days
    watched = Watched(make())
    kept = Played(watched, sessions)
    kernel = backtest_kernel(
        strategies=(watched,),
        risk=RiskSettings(),
        places=None if place is None else {watched.id: place},
        market=model_market(load_history(), sessions, 1),
        sessions=sessions,
        journal=MemoryJournal(),
        observe=kept.saw,
    )
    kernel.record(ev.CashMoved(played[0].open, CAPITAL, "starting capital"))
    now = played[0].open
    while now <= played[-1].close:
        kernel.step(now)
        watched.fails = guarded and bool(kernel.book.positions or watched.fails)
        now = kernel.next_wake(now)
        if reborn:
            watched.inner = make()
            kernel = kernel.reborn(kept.book)
    return kept


def _end_of_deaths(plain: Played, last: date) -> date:
    """So many sessions after its first position; the days before it die as well."""
    opened = next(event.at.date() for event in plain.orders() if event.order.opens)
    days = [session.date for session in plain.sessions.between(opened, last).days]
    return days[min(REBORN_SESSIONS, len(days)) - 1]


@cache
def calendar() -> Sessions:
    """Every session of the history and the years listed ahead of it."""
    return load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
