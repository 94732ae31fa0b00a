"""``python -m rel.soak --hours 24 --rate 50``: a day without an end, at so many events a second.

Quotes are conflated as a feed conflates them: each replaces the one before, and decisions see the last.
Account messages are never: all of them go through the order desk, ten times as many in a burst, of which
there is one every ten minutes.  The journal is a real file, durable event by event.

Prints one line of JSON.  Exit 1 on an error, on more than 5 MB of growth after the first hour, when threads
or open files grow, when the book is not the broker's at the end, or when it took more than ten minutes.
"""

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from math import sqrt
from pathlib import Path
from time import perf_counter

import numpy as np
import psutil  # type: ignore[import-untyped]
from numpy.typing import NDArray

from rel.ending import held_by
from rel.session import CASH, INSTANCE, PLACES, SETTINGS
from rel.tap import Heard
from rel.traders import Trader, traders
from rel.world import DAY, LEVEL, TICK, World, mids
from tomking.adapters.journal import SqliteJournal
from tomking.domain import events as ev
from tomking.domain.calendar import Session, Sessions, wall_instant
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.money import cents
from tomking.execution.protocol import OrderDesk
from tomking.execution.wire import Report
from tomking.kernel import Kernel, Parts
from tomking.risk.desk import Desk
from tomking.sim.account import SimAccount
from tomking.sim.faults import calm
from tomking.sim.line import SimLine

BURST_EVERY, BURST_SECONDS, BURST_TIMES = 600, 20, 10
MESSAGES = 0.1
"""Of all events; the others are quotes."""
MOST_MB = 5.0
MOST_SECONDS = 600.0
SECOND = timedelta(seconds=1)
MEGABYTE = 1024 * 1024


@dataclass
class Board(World):
    """A feed that keeps the last quote of everything it was told of."""

    last: dict[Contract, Quote] = field(default_factory=dict)

    def tell(self, contract: Contract, quote: Quote) -> None:
        self.last[contract] = quote

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        fresh = super().quotes(contracts, now)
        for contract, quote in zip(contracts, fresh, strict=True):
            if quote is not None:
                self.last[contract] = quote
        return fresh

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        return mids(self.quotes(contracts, now))

    def trimmed(self, now: datetime) -> None:
        """Forgets what nobody has asked for in a minute."""
        self.last = {c: q for c, q in self.last.items() if now - q.as_of < timedelta(minutes=1)}


def day_of(hours: float) -> tuple[Sessions, Session]:
    """One session of so many hours, with an ordinary one before and after it."""
    opens = wall_instant(DAY, time(0, 1))
    session = Session(DAY, opens, opens + timedelta(hours=min(hours, 23.9)))
    around = [DAY + timedelta(days=n) for n in (-1, 3, 4)]
    others = [Session(d, wall_instant(d, time(9, 30)), wall_instant(d, time(16))) for d in around]
    return Sessions(tuple(sorted([*others, session], key=lambda one: one.date))), session


def busy(hours: float) -> tuple[Trader, ...]:
    """The three traders, entering again and again."""
    minutes = int(hours * 60) - 90
    return tuple(
        replace(trader, minutes=tuple(range(15 + 20 * n, minutes, 90))) for n, trader in enumerate(traders())
    )


class Soak:
    """The program, its feed and its venue over one long day."""

    def __init__(self, hours: float, rate: float, folder: Path) -> None:
        self.rate = rate
        self.sessions, self.session = day_of(hours)
        chance = np.random.Generator(np.random.PCG64(1))
        count = int((self.session.close - self.session.open) / TICK) + 1
        moves = chance.standard_normal(count) * (0.10 / sqrt(252 * count))
        levels = [LEVEL * x for x in np.exp(np.cumsum(moves)).tolist()]
        self.board = Board(levels, self.session)
        start = self.session.open - timedelta(seconds=30)
        faults = calm(self.session.open)
        self.account = SimAccount(self.board, self.sessions, start, CASH, faults=faults)
        self.line = SimLine(self.account, faults, chance, start)
        self.heard = Heard()
        self.journal = SqliteJournal(folder / "journal.sqlite", each_durable=True)
        desk = OrderDesk(self.line, instance=INSTANCE, epoch=1, sessions=self.sessions, market=self.board)
        self.kernel = Kernel(
            Parts(
                strategies=busy(hours),
                risk=Desk(SETTINGS, PLACES),
                market=self.board,
                broker=desk,
                journal=self.journal,
                notifier=self.heard,
                sessions=self.sessions,
            )
        )
        self.kernel.record(ev.CashMoved(start, CASH, "deposit"))
        self.now = start
        self.wake = start
        self.events = 0
        self.messages = 0
        self.steps = 0
        self.slowest = 0.0
        self.weights: list[tuple[float, float, int, int]] = []

    def run(self) -> None:
        """Second by second; what the line or the kernel wait for in between is done in its order."""
        owed = 0.0
        second = 0
        while self.now < self.session.close + timedelta(minutes=10):
            second += 1
            is_burst = second % BURST_EVERY < BURST_SECONDS
            owed += self.rate * (BURST_TIMES if is_burst else 1)
            many = int(owed)
            owed -= many
            self._quotes(int(many * (1 - MESSAGES)))
            self._messages(many - int(many * (1 - MESSAGES)))
            self._until(self.now + SECOND)
            if second % 900 == 0:
                self._weigh(second / 3600)

    def _until(self, end: datetime) -> None:
        while True:
            line = self.line.next_event()
            due = min(end, self.wake, line or end)
            self.now = max(self.now + timedelta(microseconds=1), due)
            self.line.advance(self.now)
            if self.line._inbox or self.now >= self.wake:
                self._step()
            if self.now >= end:
                return

    def _step(self) -> None:
        started = perf_counter()
        self.kernel.step(self.now)
        self.slowest = max(self.slowest, perf_counter() - started)
        self.wake = self.kernel.next_wake(self.now)
        self.steps += 1

    def _quotes(self, count: int) -> None:
        """So many quotes arrive, of what is held and watched, in turn."""
        watched = list(self.board.last.items())
        for n in range(count if watched else 0):
            contract, quote = watched[n % len(watched)]
            self.board.tell(contract, Quote(quote.bid, quote.ask, quote.as_of))
        self.events += count

    def _messages(self, count: int) -> None:
        """So many frames of the account stream, all of them of orders that the desk knows."""
        tickets = list(self.account.tickets.values())[-8:]
        for n in range(count if tickets else 0):
            self.line._inbox.append(Report(self.now, tickets[n % len(tickets)].shown.last))
        self.events += count
        self.messages += count

    def _weigh(self, hours: float) -> None:
        """What the process weighs, without what only the simulator keeps."""
        self.line.sent.clear()
        self.heard.said.clear()
        self.board.trimmed(self.now)
        gc.collect()
        process = psutil.Process()
        self.weights.append(
            (hours, process.memory_info().rss / MEGABYTE, process.num_threads(), process.num_fds())
        )

    def differs(self) -> bool:
        book = self.kernel.book
        return held_by(book) != self.account.true.held or book.cash != cents(self.account.true.cash)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m rel.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rate", type=float, default=50.0)
    asked = parser.parse_args(arguments)
    started = perf_counter()
    errors: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(asked.hours, asked.rate, Path(folder))
        try:
            soak.run()
        except Exception as error:  # noqa: BLE001 - an error is the figure
            errors.append(f"{type(error).__name__}: {error}")
        soak.journal.close()
    seconds = perf_counter() - started
    later = [weight for weight in soak.weights if weight[0] >= 1.0] or soak.weights
    growth = max(w[1] for w in later) - later[0][1] if later else 0.0
    slope = float(np.polyfit([w[0] for w in later], [w[1] for w in later], 1)[0]) if len(later) > 1 else 0.0
    figures = {
        "hours": asked.hours,
        "rate": asked.rate,
        "events": soak.events,
        "account_messages": soak.messages,
        "steps": soak.steps,
        "executions": len(soak.account.executions),
        "errors": errors,
        "growth_mb_after_hour_1": round(growth, 2),
        "slope_mb_an_hour": round(slope, 3),
        "threads": sorted({w[2] for w in later}),
        "files": sorted({w[3] for w in later}),
        "slowest_step_ms": round(soak.slowest * 1000, 1),
        "book_differs": not errors and soak.differs(),
        "seconds": round(seconds, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    steady = len({w[2:] for w in later}) <= 1
    good = (
        not errors
        and growth <= MOST_MB
        and steady
        and not figures["book_differs"]
        and seconds <= MOST_SECONDS
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
