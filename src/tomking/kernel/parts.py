"""What a kernel is wired from, and what it needs of strategies and of the risk system."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.domain.eventcalendar import EventCalendar
from tomking.domain.intent import Close, Intent, Open, Verdict
from tomking.ports import Broker, Journal, MarketData, Notifier
from tomking.view import LENIENT, Own, View


class Strategy(Protocol):
    """What the kernel needs of a strategy (``rules.strategy.Strategy`` is one)."""

    @property
    def id(self) -> str: ...

    def steps(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Changes in the lives of its positions, to be written down before anything is decided."""
        ...

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Wishes, exits before entries."""
        ...

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        """Guardian exits only: stop, 21 DTE, time."""
        ...

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        """The next instant after ``now`` in this session at which it wants to be asked."""
        ...


class Risk(Protocol):
    """The risk system as the kernel uses it (``risk.desk.Desk``)."""

    def begin(self, book: Book, net_liq: Decimal, now: datetime) -> Iterable[ev.Event]:
        """Events of a new session: the starting phase and levels on the first one."""
        ...

    def guard(self, book: Book, view: View, net_liq: Decimal) -> Iterable[ev.Event]:
        """Levels that this valuation changes."""
        ...

    def next_look(self, book: Book, now: datetime) -> datetime | None:
        """When a first observation may be confirmed; None when none waits."""
        ...

    def entries_stopped(self, book: Book) -> str | None:
        """Why nothing may be opened now, not even by an order that already works; None: it may."""
        ...

    def forced(self, book: Book, values: Mapping[tuple[str, str], Decimal], now: datetime) -> Iterable[Close]:
        """What the levels demand to be closed."""
        ...

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        """How many units may be opened; of a refusal whose code was ``said`` before, that code is enough."""
        ...

    def answered(self, book: Book, verdict: Verdict, now: datetime, *, whole: bool) -> Iterable[ev.Event]:
        """What is to be remembered of an answer: data that were bad.

        whole: every limit was asked; else the refusal ended at a reason that was said before.
        """
        ...

    def end(self, book: Book, view: View, net_liq: Decimal) -> tuple[ev.SessionEnded, Iterable[ev.Event]]:
        """The closing snapshot, and the events that follow from it (phase, levels)."""
        ...

    def phase(self, book: Book) -> int: ...

    def barred(self, book: Book, strategy: str) -> str:
        """Why the strategy may open nothing at all in this phase; empty: it may."""
        ...

    def drawdown_level(self, book: Book) -> str: ...

    def keep(self, book: Book, keep: Decimal) -> Decimal:
        """The share of a credit to take profit at, tightened when a level says so."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a kernel is wired from."""

    strategies: tuple[Strategy, ...]
    """In priority order."""
    risk: Risk
    market: MarketData
    broker: Broker
    journal: Journal
    notifier: Notifier
    sessions: Sessions
    events: EventCalendar = LENIENT
    """Announcements that every entry asks about (methodology C.10)."""
    observe: Callable[[Book, ev.Event], None] | None = None
    """Sees each event with the book after it (progress, reports); decides nothing."""
