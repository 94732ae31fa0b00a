"""The floor of the simulated venue: orders that work, fill, end and are shown, in pieces and late.

``SimBroker`` decides what trades, when and at what price.  Faults of the venue come from the schedule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count

from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Contract
from tomking.domain.events import OrderFilled
from tomking.domain.money import ZERO, cents
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Leg
from tomking.execution.wire import BrokerOrder, Execution, Report, Status
from tomking.ports import MarketData
from tomking.sim.broker import Fees, SimBroker
from tomking.sim.faults import Faults
from tomking.sim.ledger import Agenda, Ledger
from tomking.sim.venue import Ticket, executions_of, split

NEVER = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the venue is when nothing is wrong."""

    routes: timedelta = timedelta(milliseconds=20)
    """From taken in to working."""
    cancels: timedelta = timedelta(milliseconds=60)
    legs: timedelta = timedelta(milliseconds=15)
    """Between one leg shown and the next."""
    looks: timedelta = timedelta(minutes=1)
    """How often the market is compared with what rests; what arrives is compared at once."""
    settles: timedelta = timedelta(minutes=1)
    """After the close; every so often again while a settlement price is not known."""


class Floor:
    """Tickets and what becomes of them."""

    def __init__(
        self,
        market: MarketData,
        sessions: Sessions,
        ledger: Ledger,
        faults: Faults,
        *,
        fees: Fees,
        pace: Pace,
        start: datetime,
    ) -> None:
        self.broker = SimBroker(market, sessions, fees, portion=self._portion)
        self.ledger = ledger
        self.agenda = Agenda()
        self.tickets: dict[str, Ticket] = {}
        """Every order of all days."""
        self.today: list[Ticket] = []
        """What was touched today or in the session before, and what works."""
        self.working: dict[str, Ticket] = {}
        self.reports: list[Report] = []
        """What the account stream has to tell."""
        self.closed_early: datetime | None = None
        self._sessions = sessions
        self._faults = faults
        self._pace = pace
        self._processing: list[tuple[datetime, datetime]] = []
        self._pauses: dict[str, datetime] = {}
        self._numbers = count(1)
        self._next_look = start
        self._changed = start
        """When anything was last shown."""
        self._faces: tuple[BrokerOrder, ...] | None = None
        self._late: dict[str, timedelta] = {}
        """How much later than it is true a fill is shown, by order."""

    def name(self, letter: str) -> str:
        """A new id."""
        return f"{letter}{next(self._numbers)}"

    def trades(self, now: datetime) -> bool:
        """Whether anything can fill: in a halt orders are taken in and rest (F53)."""
        return self.is_open(now) and self._faults.during("halt", now) is None

    def is_open(self, now: datetime) -> bool:
        """Whether orders are taken in."""
        session = self._sessions.on(new_york(now).date())
        early = self.closed_early
        if early is not None and early <= now and new_york(early).date() == new_york(now).date():
            return False
        return session is not None and session.open <= now < session.close

    # ------------------------------------------------------------------ time

    def next_event(self) -> datetime | None:
        """When something may happen next by itself."""
        due = self.agenda.next
        if not self.working:
            return due
        look = self._next_look
        return look if due is None or look < due else due

    def advance(self, now: datetime) -> None:
        """Lets everything happen that is due by now, in its order."""
        while True:
            due = self.agenda.next
            if self.working and self._next_look <= now and (due is None or self._next_look < due):
                self._look(self._next_look)
            elif due is not None and due <= now:
                self.agenda.do_next()
            else:
                break

    def _look(self, now: datetime) -> None:
        if self.is_open(now):
            self._absorb(now)
            self._next_look = now + self._pace.looks
        else:
            self._next_look = now + NEVER  # until the next day begins

    def new_day(self, now: datetime) -> None:
        """What still works is shown of the old, and what was touched in the session before."""
        before = self._sessions.before(new_york(now).date())
        since = before.open if before is not None else now
        self.today = [t for t in self.today if not t.is_over or (t.ended is not None and t.ended >= since)]
        self._processing.clear()
        self._faces = None
        self._next_look = now

    # ------------------------------------------------------------------ work and end

    def enter(self, ticket: Ticket, now: datetime) -> Ticket:
        if not self.working:
            self._next_look = now + self._pace.looks
        self.tickets[ticket.id] = self.working[ticket.id] = ticket
        self.today.append(ticket)
        self.show(ticket, now)
        return ticket

    def route(self, ticket: Ticket, now: datetime) -> None:
        """To the exchange."""
        if ticket.is_over:
            return
        if ticket.status in (Status.RECEIVED, Status.CONTINGENT):  # else its end has been asked for already
            ticket.status = Status.LIVE
            self.show(ticket, now)
        removed = self._faults.strike("live", now).get("removed")
        if removed is not None:
            then = self._faults.after(removed.seconds, now)
            self.agenda.add(then, lambda at: self._remove_by_fault(ticket, at))
        self.broker.submit(ticket.order, now)
        self._absorb(now)

    def end(self, ticket: Ticket, status: Status, now: datetime) -> None:
        """Ends an order that still works; what waits for its end is routed, or aborted if it has filled."""
        if ticket.is_over:
            return
        self.broker.cancel(ticket.id, now)
        self._absorb(now)
        if ticket.id not in self.working:  # it has filled first
            return
        ticket.is_over = True
        ticket.status = status
        self.working.pop(ticket.id, None)
        self.show(ticket, now)
        waiting, ticket.replacement = ticket.replacement, None
        if waiting is not None and not waiting.is_over:
            if status is Status.CANCELLED and self.is_open(now):
                self.route(waiting, now)
            else:
                waiting.reason = f"the order it replaces is {status.value}"
                self.end(waiting, Status.CANCELLED, now)

    def race(self, ticket: Ticket, units: int, what: str, now: datetime) -> None:
        """Somebody trades against the order before its end arrives (F19, F21)."""

        def trade(at: datetime) -> None:
            if self.trades(at) and self.broker.traded(ticket.id, units, at):
                self._faults.fire(what)
                self._absorb(at)

        self.agenda.add(now + self._pace.cancels / 2, trade)

    def print_late(self, ticket: Ticket, units: int, seconds: float, now: datetime) -> None:
        """It traded just before its end, and that is shown only later (F22)."""
        if not self.trades(now) or not self.broker.traded(ticket.id, units, now):
            return
        self._faults.fire("late print")
        self._late = {ticket.id: self._faults.after(seconds, now) - now}
        self._absorb(now)
        self._late = {}

    def remove(self, order: str, reason: str, now: datetime) -> None:
        """An administrator takes an order out (T8)."""
        ticket = self.tickets[order]
        if not ticket.is_over:
            ticket.reason = reason
            self.end(ticket, Status.PARTIALLY_REMOVED if ticket.filled else Status.REMOVED, now)

    def _remove_by_fault(self, ticket: Ticket, now: datetime) -> None:
        if not ticket.is_over and not self._faults.is_quiet(now):
            self._faults.fire("removed")
            self.remove(ticket.id, "removed by the exchange", now)

    # ------------------------------------------------------------------ fills

    def _portion(self, order: Order, units: int, now: datetime) -> int:
        if not self.trades(now):
            return 0
        if self._faults.during("no takers", now):
            self._faults.fire("no takers")
            return 0
        if now < self._pauses.get(order.id, now):
            return 0
        part = self._faults.strike("offer", now).get("partial")
        if part is None or part.number >= units:
            return units
        self._faults.fire("partial")
        self._pauses[order.id] = self._faults.after(part.seconds, now)
        return part.number

    def _absorb(self, now: datetime) -> None:
        """Takes what the model of order life says has happened."""
        for news in self.broker.happened(now):
            if isinstance(news, OrderFilled):
                self.fill(self.tickets[news.fill.order], news.fill, now)

    def fill(self, ticket: Ticket, fill: Fill, now: datetime) -> None:
        """True at once; shown leg by leg (T5)."""
        struck = self._faults.strike("fill", now) if ticket.tag else {}
        by_leg = executions_of(ticket.order, fill.units, fill.leg_prices, now, lambda: self.name("X"))
        ticket.filled += fill.units
        fees = fill.fees
        status = Status.FILLED
        torn = struck.get("torn legs") or struck.get("torn but filled")
        if torn is not None and len(by_leg) > 1:
            self._faults.fire(torn.what)
            mask = 1 + (torn.number - 1) % (2 ** len(by_leg) - 2)
            by_leg = [leg for i, leg in enumerate(by_leg) if mask >> i & 1]
            fees = cents(fees * len(by_leg) / len(ticket.legs))
            status = Status.PARTIALLY_REMOVED if torn.what == "torn legs" else Status.FILLED
        if "split" in struck and any(abs(one.quantity) > 1 for (one,) in by_leg):
            self._faults.fire("split")
            by_leg = [split(one, lambda: self.name("X")) for (one,) in by_leg]
        flat = [one for leg in by_leg for one in leg]
        ticket.true += flat
        self.ledger.trade(flat, fees, now)
        self._after_fill(ticket, status, now, is_torn=len(by_leg) < len(ticket.legs))
        gap = self._pace.legs
        if "slow legs" in struck:
            self._faults.fire("slow legs")
            gap = self._faults.after(struck["slow legs"].seconds, now) - now
        self._tell_legs(ticket, by_leg, fees, gap, now)

    def _after_fill(self, ticket: Ticket, status: Status, now: datetime, *, is_torn: bool) -> None:
        """What a fill does to the order and to what waits to replace it."""
        if is_torn:  # the other legs never trade: the venue takes the rest out
            self.broker.cancel(ticket.id, now)
            ticket.reason = "legs traded apart"
        if is_torn or ticket.left == 0:
            ticket.is_over = True
            ticket.status = Status.CANCELLED if ticket.id in self._late else status
            self.working.pop(ticket.id, None)
        waiting, ticket.replacement = ticket.replacement, None
        if waiting is not None:
            waiting.reason = "aborted: the order it replaces has filled"
            self.end(waiting, Status.CANCELLED, now)
        if ticket.is_over and ticket.id in self._late:
            self.show(ticket, now)

    def _tell_legs(
        self, ticket: Ticket, by_leg: list[list[Execution]], fees: Decimal, gap: timedelta, now: datetime
    ) -> None:
        """Shows one leg after the other; the fees come with the last."""
        first = now + self._late.get(ticket.id, timedelta())
        self._processing.append((now, first + (len(by_leg) - 1) * gap))
        for i, leg in enumerate(by_leg):
            at = first + i * gap
            charged = fees if i == len(by_leg) - 1 else ZERO
            if at == now:
                self._tell(ticket, leg, charged, now)
            else:
                self.agenda.add(at, partial(self._tell, ticket, leg, charged))

    def is_processing(self, at: datetime) -> bool:
        """Whether legs of one fill were shown and others not yet."""
        return any(start <= at < end for start, end in self._processing)

    def _tell(self, ticket: Ticket, leg: list[Execution], fees: Decimal, now: datetime) -> None:
        ticket.told = (*ticket.told, *leg)
        ticket.fees += fees
        if ticket.is_over and ticket.status is Status.CANCELLED and ticket.filled == ticket.order.units:
            ticket.status = Status.FILLED  # all of it had traded before its end
        self.ledger.tell(leg, fees, now)
        self.show(ticket, now)

    def show(self, ticket: Ticket, now: datetime) -> None:
        self.reports.append(Report(now, ticket.show(now)))
        self._faces = None
        self._changed = now

    def shown(self, as_of: datetime) -> tuple[BrokerOrder, ...]:
        """The orders of today and those that work, as they were shown, oldest first."""
        if as_of < self._changed:
            return tuple(t.shown.as_of(as_of) for t in self.today if t.entered <= as_of)
        if self._faces is None:
            self._faces = tuple(t.shown.last for t in self.today)
        return self._faces

    # ------------------------------------------------------------------ positions

    def free(self, contract: Contract) -> int:
        """Contracts that a closing order may still take, signed as held: less what working ones take."""
        held = left = self.ledger.true.held.get(contract, 0)
        for ticket in self.working.values():
            if not ticket.opens and ticket.status is not Status.CONTINGENT:
                for leg in ticket.legs:
                    if leg.contract == contract and leg.ratio * held < 0:
                        left += leg.ratio * ticket.left
        return left

    def covers(self, legs: Iterable[Leg], units: int) -> bool:
        return all(
            self.free(leg.contract) * leg.ratio < 0 and abs(self.free(leg.contract)) >= abs(leg.ratio) * units
            for leg in legs
        )

    def release(self, changed: Iterable[Contract], now: datetime) -> None:
        """Takes out closing orders, the newest first, that more is promised to than is held."""
        for contract in changed:
            held = self.ledger.true.held.get(contract, 0)
            for ticket in reversed(list(self.working.values())):
                takes = sum(leg.ratio * ticket.left for leg in ticket.legs if leg.contract == contract)
                if ticket.opens or ticket.is_over or takes == 0:
                    continue
                if takes * held >= 0 or self.free(contract) * held < 0:
                    self.remove(ticket.id, "the position is gone", now)
