"""One session of one seed: the real kernel, gate, order desk and latch before a simulated line and venue.

The clock is virtual: the driver goes from one instant at which anything may happen to the next, steps the
program if it runs, and asks the checker.  A process that dies leaves its journal and what it had sent; the
next one starts from the fold of that journal, with a higher epoch and nothing else.
"""

import gc
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from operator import is_
from pathlib import Path
from typing import assert_never

import numpy as np

from rel.check import Checker, Violation
from rel.ending import SETTLED, at_end, at_start, differences
from rel.holdings import order_of
from rel.machine import Act, Machine
from rel.tap import Heard, Killed, Ledger, Tap
from rel.traders import option, traders
from rel.world import SESSION, SESSIONS, Feed, World
from tomking.adapters.codec import encode
from tomking.adapters.latch import Latched
from tomking.domain import events as ev
from tomking.domain.book import Book, fold
from tomking.domain.contract import Right
from tomking.domain.errors import OperatingError
from tomking.domain.kept import by_identity
from tomking.domain.structure import Leg
from tomking.domain.trading import Latch, Trading
from tomking.execution.comparing import Comparer
from tomking.execution.protocol import OrderDesk
from tomking.execution.wire import BrokerOrder, Line, Reply, Report, Request, Told
from tomking.kernel import Kernel, Parts
from tomking.risk.availability import Place as Allowed
from tomking.risk.desk import Desk
from tomking.risk.latched import heed
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.sim.faults import Faults, Schedule
from tomking.sim.line import SimLine

CASH = Decimal(4_000_000)
START = SESSION.open - timedelta(minutes=1)
LAST_START = SESSION.close + timedelta(minutes=6)
"""Whatever broke the process, by then somebody has started it again."""
END = SESSION.close + timedelta(minutes=12)
"""By then a search of the whole day has been made, and everything has ended or is known to last."""
INSTANCE = "5e550001"
OPEN_TO = frozenset({"SPX", "SPXW"})
NOT_HERE = frozenset({"second starter", "clock jump", "alerts down", "assigned"})
"""Kinds that other commands of this package show: leases, clocks, channels and nights."""
_EVERYWHERE = (OPEN_TO,) * 5


def places() -> dict[str, Allowed]:
    """The three traders may trade index options in every phase; their own ceilings bind."""
    most = (9,) * 5
    one = Allowed(
        _EVERYWHERE, lambda _: most, high_priority=True, counts=False, budgeted=True, prior=(0.7, 0.5, 1000)
    )
    return {trader.id: one for trader in traders()}


SETTINGS = replace(
    Settings(),
    phase_gating="value",
    entry_spacing_minutes=0,
    entries_a_day_max=(20,) * 5,
    positions_max=(20,) * 5,
    same_expiry_max=9,
    expiry_week_max=9,
    losing_closes_max=20,
    losses_breaker=(20,) * 5,
    spx_strategies_max=9,
    equity_positions_max=Decimal(3),
    group_max=(Decimal(3),) * 9,
    quote_age_seconds_max=30,
)
"""As shipped but for what counts entries, so that one short session sees many."""
PLACES = places()
LEAST = timedelta(microseconds=1)
"""Time moves on at every event."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed."""

    schedule: Schedule
    violations: tuple[Violation, ...]
    fired: Counter[str]
    """By row of the fault matrix."""
    trace: str
    """Hash of all events, requests and answers."""
    longest: float
    """Seconds of the longest time that something was uncovered, whatever could be done about it."""
    bare: float
    """Seconds of it in which it could have been covered (``Checker.worst_bare``)."""
    idle: float
    """Seconds of it in which nothing was done about that though it could be."""
    requests: int
    events: int
    fills: int


class Venue(SimAccount):
    """The account, which says what has reached it."""

    reached: Callable[[Request], None] = staticmethod(lambda _: None)

    def handle(self, request: Request, now: datetime) -> Reply:
        self.reached(request)
        return super().handle(request, now)


@cache
def spare_the_collector() -> None:
    """Once a process: what is loaded stays, and is not searched for cycles again (12 % of the time);
    what a seed leaves behind is still found.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def play(schedule: Schedule) -> Outcome:
    """Plays a schedule to its end, or to its first violation."""
    return Session(schedule).run()


class Session:
    """Everything around the process, and the process itself while there is one."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.faults = Faults(schedule, SESSION.open)
        chance = np.random.Generator(np.random.PCG64([schedule.seed, 7]))
        self.world = World.drawn(chance, self.faults)
        self.feed = Feed(self.world, self.faults)
        self.account = Venue(self.world, SESSIONS, START, CASH, faults=self.faults)
        self.line = SimLine(self.account, self.faults, chance, START)
        self.heard = Heard()
        self.check = Checker(self.account, self.world, self.feed, self.heard, CASH)
        self.account.reached = self.check.arrived
        self.machine = Machine(self.faults)
        self.ledger = Ledger(self._recorded, self.machine.write)
        self.tap = Tap(self.line, self._sending, self._took, self.machine.send, self.machine.answer)
        self.latch = Latch(Trading.ACTIVE, START, "rel", "armed")
        self.trace = sha256()
        self.now = START
        self.kernel: Kernel | None = None
        self.left: Book | None = None
        """The book of the process that died last."""
        after = schedule.quiet_after
        self.quiet = None if after is None else SESSION.open + timedelta(seconds=after)
        """Since when all must come right; None where it has, or where faults never stop."""
        self.started = START
        self.wake = START
        """When the program wants to be stepped next."""
        self.events = 0
        self.epoch = 0
        self._heeded: tuple[object, object, object] = (None, None, None)
        """The book's levels and notes, and the latch, when it was heeded last."""

    def run(self) -> Outcome:
        self._first()
        while self.now < END and not self.check.violations:
            self.now = max(self._next(), self.now + LEAST)
            self._step()
        if not self.check.violations:
            self._finish()
        return self._outcome()

    # ------------------------------------------------------------------ the driver

    def _next(self) -> datetime:
        """The next instant at which anything may happen."""
        wakes = [END, self.machine.next_event(self.now)]
        if self.now < LAST_START:
            wakes.append(LAST_START)
        line = self.line.next_event()
        if line is not None:
            wakes.append(line)
        if self.kernel is not None:
            wakes.append(self.machine.blocked_until(max(self.wake, self.now + LEAST)))
        return min(wakes)

    def _step(self) -> None:
        self.events += 1
        self.ledger.now = self.now
        self.line.advance(self.now)
        self._machine()
        if self.kernel is None and self.now >= LAST_START:
            self._guarded(self._start)
        # What has arrived wakes the program, as its own times do.
        wakes = bool(self.line._inbox) or self.now >= self.wake
        if wakes and self.kernel is not None and not self.machine.is_blocked(self.now):
            self._guarded(self._program)
        alive = self.kernel is not None and not self.machine.is_blocked(self.now)
        self.check.after(self.now, alive=alive)
        if self.kernel is not None and self.quiet is not None:
            self._come_right(self.kernel.book)
        after = self.schedule.quiet_after
        if after is not None and self.kernel is not None and not self.check.stale:
            calm = max(self.started, SESSION.open + timedelta(seconds=after))
            self.check.i23_cancels_end(calm, self.now)

    def _come_right(self, book: Book) -> None:
        """I23: a minute after the faults the book has been the broker's at least once."""
        assert self.quiet is not None, "only asked while something is to come right"
        if self.now < self.quiet:
            return
        stuck = self.check.stuck(self.now)
        found = differences(self.check, book, stuck)
        if not found and not stuck:
            self.quiet = None
        elif found and self.now > max(self.quiet, self.started) + SETTLED:
            self.check.broken("I23", self.now, f"a minute after the faults: {found[0]}")
            self.quiet = None

    def _program(self) -> None:
        assert self.kernel is not None, "only a process that lives is stepped"
        book = self.kernel.book
        heeded = book.levels, book.notes, self.latch
        if not all(map(is_, heeded, self._heeded)):  # it is a function of these three
            for event in heed(book, self.latch, self.now):
                self.kernel.record(event)
            self._heeded = heeded
        self.kernel.step(self.now)
        self.check.i7_merges(self.desk.courses, self.now)
        self.wake = self.kernel.next_wake(self.now)

    def _guarded(self, act: Callable[[], None]) -> None:
        """Runs a piece of the program: what it raises ends the process, and only a kill is meant to."""
        try:
            act()
        except Killed:
            self._die()
        except OperatingError:
            self._die()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
            frame = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(frame.filename).name}:{frame.lineno}"
            self.check.broken("I18", self.now, f"{type(error).__name__} in {where}: {error}")

    def _finish(self) -> None:
        if self.check.stale:
            return  # nothing comes right by itself then: a person has to look
        assert self.kernel is not None, "it was started again long ago"
        at_end(self.check, self.ledger, self.kernel.book, self.now)

    # ------------------------------------------------------------------ the process

    def _first(self) -> None:
        deposit = ev.CashMoved(START, CASH, "deposit")
        self.ledger.keep(deposit)
        self._start()

    def _start(self) -> None:
        if self.epoch:
            self.line.restart(self.now)
        self.epoch += 1
        self.check.reborn()
        book = fold(self.ledger.read())
        if self.left is not None and self.left.sequence == book.sequence:
            at_start(self.check, self.left, book, self.now)
        self.kernel = Kernel(self._parts(book), book)
        self.wake = self.started = self.check.started = self.now

    def _parts(self, book: Book) -> Parts:
        wire = Latched(self.tap, lambda: self.latch)
        self.comparer = Comparer(INSTANCE, self.epoch)
        self.desk = OrderDesk(
            wire,
            instance=INSTANCE,
            epoch=self.epoch,
            sessions=SESSIONS,
            market=self.feed,
            may_open=self._may_open,
            compare=self.comparer,
            born=book.sequence,
        )
        return Parts(
            strategies=self.machine.strategies(),
            risk=Desk(SETTINGS, PLACES),
            market=self.feed,
            broker=self.desk,
            journal=self.ledger,
            notifier=self.heard,
            sessions=SESSIONS,
        )

    def _may_open(self, now: datetime) -> str | None:
        return self.comparer.hold() if self.latch.opens else self.latch.words

    def _die(self) -> None:
        self.left = None if self.kernel is None else self.kernel.book
        self.kernel = None
        self.machine.died(self.now)

    def _machine(self) -> None:
        """What happens to the process from outside, and what people do."""
        for act, number in self.machine.due(self.now):
            match act:
                case Act.START:
                    if self.kernel is None:
                        self._guarded(self._start)
                case Act.KILL:
                    self._die()
                case Act.HALT:
                    self.latch = Latch(Trading.HALTED, self.now, "rel", "pressed")
                    self.check.halted = self.now
                case Act.TRADE:
                    self._trade_by_hand(number, close=False)
                case Act.CLOSE:
                    self._trade_by_hand(number, close=True)
                case Act.RESTORE:
                    self._restore()

    def _restore(self) -> None:
        """Somebody puts back a backup from before the last order that reached the venue."""
        tags = {order_of(ticket.tag) for ticket in self.account.tickets.values()}
        sent = [
            n
            for n, event in enumerate(self.ledger.events)
            if isinstance(event, ev.OrderSubmitted) and event.order.id in tags
        ]
        if not sent or self.check.stale:
            return
        self.faults.fire("stale restore")
        for event in self.ledger.events[sent[-1] :]:
            if isinstance(event, ev.OrderSubmitted) and event.order.id in tags:
                self.check.cut[event.order.id] = event.order
        del self.ledger.events[sent[-1] :]
        self.check.stale = True
        self.quiet = None
        self._die()

    def _trade_by_hand(self, number: int, *, close: bool) -> None:
        """The owner trades on the broker's own platform."""
        held = sorted(self.account.true.held.items(), key=lambda one: str(one[0]))
        if close and not held:
            return
        contract = held[number % len(held)][0] if close else option("SPX", Right.PUT, 5000)
        quantity = number or 1
        if close:
            mine = self.account.true.held[contract]
            quantity = -min(quantity, abs(mine)) if mine > 0 else min(quantity, abs(mine))
            self.check.tampered.add(contract)
        (quote,) = self.world.quotes((contract,), self.now)
        price = quote.ask if quote is not None and quote.ask is not None else Decimal(1)
        side = 1 if quantity > 0 else -1
        self.faults.fire("hand close" if close else "hand trade")
        self.account.trade_by_hand((Leg(contract, side),), abs(quantity), price, self.now)

    # ------------------------------------------------------------------ what is seen

    def _recorded(self, event: ev.Event) -> None:
        self.trace.update(encode(event).encode())
        self.check.recorded(event)

    def _sending(self, request: Request, now: datetime) -> None:
        self.trace.update(f"> {now.isoformat()} {request!r}".encode())
        self.check.sending(request, now)

    def _took(self, told: Told, now: datetime) -> None:
        self.trace.update(f"< {now.isoformat()} {_gist(told)}".encode())
        self.check.took(told, now)

    def _outcome(self) -> Outcome:
        return Outcome(
            schedule=self.schedule,
            violations=tuple(self.check.violations.values()),
            fired=self.faults.fired_ids(),
            trace=self.trace.hexdigest(),
            longest=self.check.longest_bare.total_seconds(),
            bare=self.check.worst_bare.total_seconds(),
            idle=self.check.worst_idle.total_seconds(),
            requests=self.check.total,
            events=self.events,
            fills=len(self.account.executions),
        )


@by_identity
def _faces(orders: tuple[BrokerOrder, ...]) -> str:
    """A venue where nothing has changed shows the very same orders again."""
    return " ".join(f"{o.id}{o.status.value[:3]}{len(o.executions)}" for o in orders)


def _gist(told: Told) -> str:
    """What arrived, in few words."""
    match told:
        case Reply(key, _, outcome, orders, _, transactions, code):
            return f"{key} {outcome.value} {_faces(orders)} {len(transactions)} {code}"
        case Report(_, order):
            return f"{order.id} {order.status.value} {len(order.executions)}"
        case Line(_, up):
            return f"line {up}"
        case _:
            assert_never(told)
