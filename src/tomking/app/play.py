"""One account's way through the sessions: the kernel is stepped, what the report needs is kept."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tomking.app.report.rundata import History, Recorder
from tomking.app.wiring import backtest_kernel
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.domain.eventcalendar import EventCalendar
from tomking.kernel import Kernel
from tomking.ports import Journal, MarketData
from tomking.risk.availability import Place
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy
from tomking.view import LENIENT


@dataclass(slots=True)
class Player:
    """A kernel and the instant it wants to be stepped at next."""

    kernel: Kernel
    journal: Journal
    recorder: Recorder
    wake: datetime

    @property
    def played(self) -> "Played":
        return Played(self.recorder.history(), self.journal.head(), self.kernel.book)

    def play(self, session: Session) -> None:
        """Everything up to and including the close of ``session``."""
        while self.wake <= session.close:
            self.kernel.step(self.wake)
            self.wake = self.kernel.next_wake(self.wake)


@dataclass(frozen=True, slots=True)
class Played:
    """What an account leaves behind."""

    history: History
    head: str
    """Of its journal."""
    book: Book


def player(
    *,
    strategies: tuple[Strategy, ...],
    risk: Settings,
    places: Mapping[str, Place] | None = None,
    market: MarketData,
    sessions: Sessions,
    events: EventCalendar = LENIENT,
    first: Session,
    journal: Journal,
    capital: Decimal,
    started: ev.RunStarted,
) -> Player:
    """An account with its deposit, ready for its first session."""
    recorder = Recorder()
    kernel = backtest_kernel(
        strategies=strategies,
        risk=risk,
        places=places,
        market=market,
        sessions=sessions,
        events=events,
        journal=journal,
        observe=recorder,
    )
    kernel.record(started)
    kernel.record(ev.CashMoved(first.open, capital, "starting capital"))
    return Player(kernel, journal, recorder, first.open)


def play_all(
    players: Sequence[Player], sessions: Sequence[Session], progress: Callable[[int, int, str], None]
) -> None:
    """All accounts day by day: they share the market's day."""
    with _seldom_collected():
        for done, session in enumerate(sessions):
            for each in players:
                each.play(session)
            progress(done + 1, len(sessions), f"{session.date}")


YOUNG = 50_000
"""Objects made and not yet gone at which cycles are looked for.  A run makes none to speak of: looking every
700 objects, as is usual, takes a twentieth of its time."""


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """While it lasts, cycles are looked for seldom, and never among what is loaded by now: that stays."""
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
