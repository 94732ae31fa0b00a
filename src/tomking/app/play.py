"""One account's way through the sessions: the kernel is stepped, what the report needs is kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tomking.app.wiring import backtest_kernel
from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.domain.record import Trade
from tomking.kernel import Kernel
from tomking.ports import Journal, MarketData
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy


@dataclass(slots=True)
class Kept:
    """What the events of a run leave for the report."""

    days: list[ev.SessionEnded] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    declined: list[ev.Declined] = field(default_factory=list)
    declined_again: list[ev.DeclinedAgain] = field(default_factory=list)
    levels: list[ev.LevelChanged] = field(default_factory=list)
    approved: list[ev.EntryApproved] = field(default_factory=list)
    unfilled: int = 0
    """Opening orders that ended without a fill."""
    quarantined: list[ev.Quarantined] = field(default_factory=list)

    def observe(self, book: Book, event: ev.Event) -> None:
        """The kernel's observer: sees every event with the book after it."""
        self.trades += book.just_closed
        match event:
            case ev.SessionEnded():
                self.days.append(event)
            case ev.Declined():
                self.declined.append(event)
            case ev.DeclinedAgain():
                self.declined_again.append(event)
            case ev.LevelChanged():
                self.levels.append(event)
            case ev.EntryApproved():
                self.approved.append(event)
            case ev.Quarantined():
                self.quarantined.append(event)
            case _:
                return


@dataclass(slots=True)
class Player:
    """A kernel and the instant it wants to be stepped at next."""

    kernel: Kernel
    journal: Journal
    kept: Kept
    wake: datetime

    def play(self, session: Session) -> None:
        """Everything up to and including the close of ``session``."""
        while self.wake <= session.close:
            self.kernel.step(self.wake)
            self.wake = self.kernel.next_wake(self.wake)


def player(
    *,
    strategies: tuple[Strategy, ...],
    risk: Settings,
    market: MarketData,
    sessions: Sessions,
    first: Session,
    journal: Journal,
    capital: Decimal,
    started: ev.RunStarted,
) -> Player:
    """An account with its deposit, ready for its first session."""
    kept = Kept()
    kernel = backtest_kernel(
        strategies=strategies,
        risk=risk,
        market=market,
        sessions=sessions,
        journal=journal,
        observe=kept.observe,
    )
    kernel.record(started)
    kernel.record(ev.CashMoved(first.open, capital, "starting capital"))
    return Player(kernel, journal, kept, first.open)


def play_all(
    players: Sequence[Player], sessions: Sequence[Session], progress: Callable[[int, int, str], None]
) -> None:
    """All accounts day by day: they share the market's day, which is the expensive part."""
    for done, session in enumerate(sessions):
        for each in players:
            each.play(session)
        progress(done + 1, len(sessions), f"{session.date}")
