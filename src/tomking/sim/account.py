"""One account at a simulated venue, in the words of the wire: the truth that a line shows late and in pieces.

``SimBroker`` decides what trades, when and at what price; here is what a venue adds to it: ids, statuses,
position effect, replacing, legs processed one by one, positions, cash, transactions.  The rules are T1 to
T8 of the reliability page.  Faults of the venue come from the schedule.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import assert_never

from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.contract import Contract, Option
from tomking.domain.events import OrderFilled
from tomking.domain.fees import fees as schedule_of_fees
from tomking.domain.money import ZERO, cents
from tomking.domain.order import Fill, Order
from tomking.domain.products import PRODUCTS, Style
from tomking.domain.structure import Leg
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    Execution,
    FindOrders,
    FindPositions,
    FindTransactions,
    Kind,
    Outcome,
    Place,
    Positions,
    Replace,
    Reply,
    Report,
    Request,
    Status,
    Transaction,
)
from tomking.ports import Expiry, MarketData
from tomking.sim.broker import Fees, SimBroker
from tomking.sim.faults import Faults, calm
from tomking.sim.settlement import expire
from tomking.sim.venue import Holdings, Ticket, executions_of, order_of, split

LEGS_MAX = 4
"""Legs of one order (T7)."""
CANNOT_UPDATE = "cannot_update_order"
REFUSALS = (
    "instrument_validation_failed",
    "closing_only_market",
    "trading_halted",
    "margin_check_failed",
    "cant_buy_for_credit",
)
"""The venue's codes for an order that it will not take (F13)."""


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


def order_fees(order: Order, units: int) -> Decimal:
    """The broker's schedule (methodology D.6)."""
    return schedule_of_fees(order.structure, units, opens=order.opens)


class SimAccount:
    """The venue's truth.  Time only moves through ``advance`` and ``handle``."""

    def __init__(
        self,
        market: MarketData,
        sessions: Sessions,
        start: datetime,
        cash: Decimal,
        *,
        faults: Faults | None = None,
        fees: Fees = order_fees,
        pace: Pace | None = None,
    ) -> None:
        self._market = market
        self._sessions = sessions
        self._faults = faults or calm(start)
        self._pace = pace or Pace()
        self._broker = SimBroker(market, sessions, fees, portion=self._portion)
        self.true = Holdings(cash)
        self.shown = Holdings(cash)
        self.tickets: dict[str, Ticket] = {}
        """Every order of all days."""
        self.executions: list[Execution] = []
        """All true ones, in order."""
        self.fees = ZERO
        """Of all true executions."""
        self._transactions: list[Transaction] = []
        self._today: list[Ticket] = []
        self._processing: list[tuple[datetime, datetime]] = []
        self._working: dict[str, Ticket] = {}
        self._pauses: dict[str, datetime] = {}
        self._pending: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._reports: list[Report] = []
        self._numbers = count(1)
        self._sequence = count()
        self._next_look = start
        self._closed_early: datetime | None = None
        self._late = timedelta()
        self._plan_session(start)
        self._plan_faults()

    # ------------------------------------------------------------------ asked

    def handle(self, request: Request, now: datetime) -> Reply:
        """Takes one request as it arrives and answers; never UNKNOWN, that is the line's word."""
        self.advance(now)
        match request:
            case Place():
                return self._place(request, now)
            case Replace():
                return self._replace(request, now)
            case Cancel():
                return self._cancel(request, now)
            case FindOrders():
                return Reply(request.key, now, Outcome.ACCEPTED, orders=self.orders(now))
            case FindPositions():
                return Reply(request.key, now, Outcome.ACCEPTED, positions=self.positions(now))
            case FindTransactions():
                return Reply(request.key, now, Outcome.ACCEPTED, transactions=self.transactions(now))
            case _:
                assert_never(request)

    def orders(self, as_of: datetime) -> tuple[BrokerOrder, ...]:
        """Those of today and those that work, as shown at that instant, oldest first (T2)."""
        return tuple(t.shown.as_of(as_of) for t in self._today if t.entered <= as_of)

    def positions(self, as_of: datetime) -> Positions:
        """What is shown to be held, and the cash."""
        return self.shown.shown.as_of(as_of)

    def transactions(self, as_of: datetime) -> tuple[Transaction, ...]:
        """Since the start of the session before."""
        before = self._sessions.before(new_york(as_of).date())
        since = before.open if before else datetime.min.replace(tzinfo=as_of.tzinfo)
        return tuple(one for one in self._transactions if since <= one.at <= as_of)

    def reports(self) -> list[Report]:
        """What the account stream has to tell since the last call: whole orders, oldest first."""
        told, self._reports = self._reports, []
        return told

    @property
    def all_transactions(self) -> tuple[Transaction, ...]:
        return tuple(self._transactions)

    # ------------------------------------------------------------------ time

    def next_event(self) -> datetime | None:
        """When something may happen next by itself."""
        due = self._pending[0][0] if self._pending else None
        if not self._working:
            return due
        return self._next_look if due is None else min(due, self._next_look)

    def advance(self, now: datetime) -> None:
        """Lets everything happen that is due by now, in its order."""
        while True:
            due = self._pending[0][0] if self._pending else None
            if self._working and self._next_look <= now and (due is None or self._next_look < due):
                self._look(self._next_look)
            elif due is not None and due <= now:
                at, _, act = heappop(self._pending)
                act(at)
            else:
                break
        if not self._working and self._next_look <= now:
            self._next_look = now + self._pace.looks

    def _look(self, now: datetime) -> None:
        if self.is_open(now):
            self._absorb(now)
            self._next_look = now + self._pace.looks
        else:
            following = self._sessions.after(new_york(now).date())
            self._next_look = following.open if following else datetime.max.replace(tzinfo=now.tzinfo)

    def _later(self, at: datetime, act: Callable[[datetime], None]) -> None:
        heappush(self._pending, (at, next(self._sequence), act))

    # ------------------------------------------------------------------ new orders

    def _place(self, place: Place, now: datetime) -> Reply:
        struck = self._faults.strike("arrival", now)
        refusal = self._refusal(place.legs, place.units, now)
        opens = place.opens
        if refusal is None and not opens and not self._covers(place.legs, place.units):
            if place.strict:
                refusal = ("position_effect_invalid", "there is no position for it to close")
            opens = True  # T6
        if refusal is None and "refused" in struck:
            self._faults.fire("refused")
            refusal = (REFUSALS[struck["refused"].number % len(REFUSALS)], "refused by the venue")
        if refusal is not None:
            return Reply(place.key, now, Outcome.REJECTED, code=refusal[0], text=refusal[1])
        order = order_of(self._name("V"), place.legs, place.units, place.limit, opens=opens)
        ticket = self._enter(Ticket(order, place.tag, opens, place.good_till_cancelled, now), now)
        if "rejected" in struck:
            fault = struck["rejected"]
            self._faults.fire("rejected")
            ticket.reason = REFUSALS[fault.number % len(REFUSALS)]
            self._later(
                self._faults.after(fault.seconds, now), lambda at: self._end(ticket, Status.REJECTED, at)
            )
        else:
            self._later(now + self._pace.routes, lambda at: self._route(ticket, at))
        return Reply(place.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))

    def _refusal(self, legs: tuple[Leg, ...], units: int, now: datetime) -> tuple[str, str] | None:
        """Why an order is refused before it exists: code and words."""
        if not self.is_open(now):
            return ("market_closed", "the market is closed")
        if len(legs) > LEGS_MAX:
            return ("too_many_legs", f"{len(legs)} legs, at most {LEGS_MAX}")
        if units < 1 or not legs or any(leg.ratio == 0 for leg in legs):
            return ("validation_error", "an order is for at least one of something")
        if len({leg.contract for leg in legs}) < len(legs):
            return ("validation_error", "a contract is in two legs")
        if len({(leg.contract.multiplier, leg.contract.tick) for leg in legs}) > 1:
            return ("validation_error", "legs of different size")
        return None

    def _enter(self, ticket: Ticket, now: datetime) -> Ticket:
        self.tickets[ticket.id] = self._working[ticket.id] = ticket
        self._today.append(ticket)
        self._show(ticket, now)
        return ticket

    def _route(self, ticket: Ticket, now: datetime) -> None:
        """To the exchange."""
        if ticket.is_over:
            return
        ticket.status = Status.CANCEL_REQUESTED if ticket.status is Status.CANCEL_REQUESTED else Status.LIVE
        self._show(ticket, now)
        removed = self._faults.strike("live", now).get("removed")
        if removed is not None:
            then = self._faults.after(removed.seconds, now)
            self._later(then, lambda at: self._remove_by_fault(ticket, at))
        self._broker.submit(ticket.order, now)
        self._absorb(now)

    # ------------------------------------------------------------------ ends

    def _cancel(self, cancel: Cancel, now: datetime) -> Reply:
        struck = self._faults.strike("ending", now)
        ticket = self.tickets.get(cancel.order)
        if ticket is None:
            return Reply(cancel.key, now, Outcome.REJECTED, code="not_found", text="no such order")
        if ticket.status is Status.CANCEL_REQUESTED:
            return Reply(cancel.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))
        if ticket.is_over or ticket.is_ended or ticket.status is Status.REPLACE_REQUESTED:
            text = f"the order is {ticket.status.value}"
            return Reply(cancel.key, now, Outcome.REJECTED, code=CANNOT_UPDATE, text=text)
        if ticket.status is Status.CONTINGENT:
            self._end(ticket, Status.CANCELLED, now)
            return Reply(cancel.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))
        ticket.status = Status.CANCEL_REQUESTED
        self._show(ticket, now)
        end = now + self._pace.cancels
        if "cancel hangs" in struck:
            self._faults.fire("cancel hangs")
            end = max(end, self._faults.after(struck["cancel hangs"].seconds, now))
        if "fill before cancel" in struck:
            self._race(ticket, struck["fill before cancel"].number, "fill before cancel", now)
        late = struck.get("late print")
        if late is not None:
            self._later(end, lambda at: self._print_late(ticket, late.number, late.seconds, at))
        self._later(end, lambda at: self._end(ticket, Status.CANCELLED, at))
        return Reply(cancel.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))

    def _replace(self, change: Replace, now: datetime) -> Reply:
        """The original is cancelled; what is left of it waits as a contingent order (T3)."""
        struck = self._faults.strike("replacing", now)
        ticket = self.tickets.get(change.order)
        if ticket is None:
            return Reply(change.key, now, Outcome.REJECTED, code="not_found", text="no such order")
        if ticket.left == 0 or ticket.status not in (Status.RECEIVED, Status.LIVE):
            text = f"the order is {ticket.status.value}"
            return Reply(change.key, now, Outcome.REJECTED, code=CANNOT_UPDATE, text=text)
        if not self.is_open(now):
            return Reply(change.key, now, Outcome.REJECTED, code="market_closed", text="the market is closed")
        order = order_of(self._name("V"), ticket.legs, ticket.left, change.limit, opens=ticket.opens)
        replacement = Ticket(
            order, change.tag, ticket.opens, ticket.rests_overnight, now, ticket.id, Status.CONTINGENT
        )
        self._enter(replacement, now)
        ticket.replacement = replacement
        ticket.status = Status.REPLACE_REQUESTED
        self._show(ticket, now)
        if "fill before replace" in struck:
            self._race(ticket, struck["fill before replace"].number, "fill before replace", now)
        self._later(now + self._pace.cancels, lambda at: self._end(ticket, Status.CANCELLED, at))
        return Reply(change.key, now, Outcome.ACCEPTED, orders=(replacement.shown.last,))

    def _end(self, ticket: Ticket, status: Status, now: datetime) -> None:
        """Ends an order that still works; what waits for its end is routed, or aborted if it has filled."""
        if ticket.is_over:
            return
        self._broker.cancel(ticket.id, now)
        self._absorb(now)
        if ticket.id not in self._working:  # it has filled first
            return
        ticket.is_over = True
        ticket.status = status
        self._working.pop(ticket.id, None)
        self._show(ticket, now)
        waiting, ticket.replacement = ticket.replacement, None
        if waiting is not None and not waiting.is_over:
            if status is Status.CANCELLED and self.is_open(now):
                self._route(waiting, now)
            else:
                waiting.reason = f"the order it replaces is {status.value}"
                self._end(waiting, Status.CANCELLED, now)

    def _race(self, ticket: Ticket, units: int, what: str, now: datetime) -> None:
        """Somebody trades against the order before its end arrives (F19, F21)."""

        def trade(at: datetime) -> None:
            if self.is_open(at) and self._broker.traded(ticket.id, units, at):
                self._faults.fire(what)
                self._absorb(at)

        self._later(now + self._pace.cancels / 2, trade)

    def _print_late(self, ticket: Ticket, units: int, seconds: float, now: datetime) -> None:
        """It traded just before its end, and that is shown only later (F22)."""
        if not self.is_open(now) or not self._broker.traded(ticket.id, units, now):
            return
        self._faults.fire("late print")
        self._late = self._faults.after(seconds, now) - now
        self._absorb(now)
        self._late = timedelta()

    # ------------------------------------------------------------------ fills

    def _portion(self, order: Order, units: int, now: datetime) -> int:
        if not self.is_open(now):
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
        for news in self._broker.happened(now):
            if isinstance(news, OrderFilled):
                self._filled(self.tickets[news.fill.order], news.fill, now)

    def _filled(self, ticket: Ticket, fill: Fill, now: datetime) -> None:
        """True at once; shown leg by leg (T5)."""
        struck = self._faults.strike("fill", now) if ticket.tag else {}
        by_leg = executions_of(ticket.order, fill.units, fill.leg_prices, now, lambda: self._name("X"))
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
            by_leg = [split(one, lambda: self._name("X")) for (one,) in by_leg]
        flat = [one for leg in by_leg for one in leg]
        ticket.true += flat
        self.executions += flat
        self.fees += fees
        self.true.trade(flat, fees, now)
        self._after_fill(ticket, status, now, is_torn=len(by_leg) < len(ticket.legs))
        gap = self._pace.legs
        if "slow legs" in struck:
            self._faults.fire("slow legs")
            gap = self._faults.after(struck["slow legs"].seconds, now) - now
        self._tell_legs(ticket, by_leg, fees, gap, now)

    def _after_fill(self, ticket: Ticket, status: Status, now: datetime, *, is_torn: bool) -> None:
        """What a fill does to the order and to what waits to replace it."""
        if is_torn:  # the other legs never trade: the venue takes the rest out
            self._broker.cancel(ticket.id, now)
            ticket.reason = "legs traded apart"
        if is_torn or ticket.left == 0:
            ticket.is_over = True
            ticket.status = Status.CANCELLED if self._late else status
            self._working.pop(ticket.id, None)
        waiting, ticket.replacement = ticket.replacement, None
        if waiting is not None:
            waiting.reason = "aborted: the order it replaces has filled"
            self._end(waiting, Status.CANCELLED, now)
        if ticket.is_over and self._late:
            self._show(ticket, now)

    def _tell_legs(
        self, ticket: Ticket, by_leg: list[list[Execution]], fees: Decimal, gap: timedelta, now: datetime
    ) -> None:
        """Shows one leg after the other; the fees come with the last."""
        self._processing.append((now, now + self._late + (len(by_leg) - 1) * gap))
        for i, leg in enumerate(by_leg):
            at = now + self._late + i * gap
            charged = fees if i == len(by_leg) - 1 else ZERO
            if at == now:
                self._tell(ticket, leg, charged, now)
            else:
                self._later(at, partial(self._tell, ticket, leg, charged))

    def is_processing(self, at: datetime) -> bool:
        """Whether legs of one fill were shown and others not yet."""
        return any(start <= at < end for start, end in self._processing)

    def _tell(self, ticket: Ticket, leg: list[Execution], fees: Decimal, now: datetime) -> None:
        ticket.told = (*ticket.told, *leg)
        ticket.fees += fees
        if ticket.is_over and ticket.status is Status.CANCELLED and ticket.filled == ticket.order.units:
            ticket.status = Status.FILLED  # all of it had traded before its end
        self.shown.trade(leg, fees, now)
        self._show(ticket, now)

    def _show(self, ticket: Ticket, now: datetime) -> None:
        self._reports.append(Report(now, ticket.show(now)))

    # ------------------------------------------------------------------ positions

    def free(self, contract: Contract) -> int:
        """Contracts that a closing order may still take, signed as held: less what working ones take."""
        held = left = self.true.held.get(contract, 0)
        for ticket in self._working.values():
            if not ticket.opens and ticket.status is not Status.CONTINGENT:
                for leg in ticket.legs:
                    if leg.contract == contract and leg.ratio * held < 0:
                        left += leg.ratio * ticket.left
        return left

    def _covers(self, legs: Iterable[Leg], units: int) -> bool:
        return all(
            self.free(leg.contract) * leg.ratio < 0 and abs(self.free(leg.contract)) >= abs(leg.ratio) * units
            for leg in legs
        )

    def _release(self, changed: Iterable[Contract], now: datetime) -> None:
        """Takes out closing orders, the newest first, that more is promised to than is held."""
        for contract in changed:
            held = self.true.held.get(contract, 0)
            for ticket in reversed(list(self._working.values())):
                takes = sum(leg.ratio * ticket.left for leg in ticket.legs if leg.contract == contract)
                if ticket.opens or ticket.is_over or takes == 0:
                    continue
                if takes * held >= 0 or self.free(contract) * held < 0:
                    self.remove(ticket.id, "the position is gone", now)

    # ------------------------------------------------------------------ other people, and nights

    def remove(self, order: str, reason: str, now: datetime) -> None:
        """An administrator takes an order out (T8)."""
        ticket = self.tickets[order]
        if not ticket.is_over:
            ticket.reason = reason
            self._end(ticket, Status.PARTIALLY_REMOVED if ticket.filled else Status.REMOVED, now)

    def _remove_by_fault(self, ticket: Ticket, now: datetime) -> None:
        if not ticket.is_over and not self._faults.is_quiet(now):
            self._faults.fire("removed")
            self.remove(ticket.id, "removed by the exchange", now)

    def trade_by_hand(self, legs: tuple[Leg, ...], units: int, price: Decimal, now: datetime) -> BrokerOrder:
        """The owner trades on the broker's own platform: filled at once, each leg at ``price`` points.

        It has no tag, and needs nobody's leave; closing orders whose position it takes are taken out.
        """
        self.advance(now)
        order = order_of(self._name("V"), legs, units, ZERO, opens=True)
        ticket = self._enter(Ticket(order, "", opens=True, rests_overnight=False, entered=now), now)
        prices = tuple(price for _ in legs)
        fees = order_fees(order, units)
        self._filled(ticket, Fill(f"F{ticket.id}", ticket.id, now, units, prices, fees), now)
        self._release([leg.contract for leg in legs], now)
        return ticket.shown.last

    def assign(self, expiry: Expiry, quantity: int, now: datetime) -> None:
        """Contracts of an option are exercised: ``quantity`` > 0 of ours, < 0 by those we sold to."""
        self._settle_one(expiry, quantity, now, early=True)
        self._release([expiry.contract], now)

    def pay(self, dollars: Decimal, reason: str, now: datetime) -> None:
        """Money comes (> 0) or goes without a trade: a deposit, a dividend, interest."""
        self._transact(Transaction(self._name("T"), Kind.MONEY, now, dollars, ZERO, reason=reason), ())

    def settle(self, now: datetime) -> bool:
        """What has expired is settled and what is worth it exercised; whether all prices were known."""
        today = new_york(now).date()
        held = dict(self.true.held)
        over = [contract for contract in held if contract.expiry <= today]
        settled = self._broker.expired(over, now)
        for one in settled:
            self._settle_one(one, held[one.contract], now)
        sold = [c for c, n in held.items() if n < 0 and isinstance(c, Option) and c.expiry > today]
        for one in self._broker.assigned(sold, now):
            self.assign(one, held[one.contract], now)
        self._release([one.contract for one in settled], now)
        return len(settled) == len(over)

    def _settle_one(self, expiry: Expiry, quantity: int, now: datetime, *, early: bool = False) -> None:
        delivered = expiry.delivered and (expiry.delivered[0], expiry.delivered[1] * quantity)
        kind = Kind.EXPIRED
        if delivered or early:
            kind = Kind.EXERCISED if quantity > 0 else Kind.ASSIGNED
        one = Transaction(
            self._name("T"),
            kind,
            now,
            cents(expiry.dollars * quantity),
            cents(expiry.fee * abs(quantity)),
            expiry.contract,
            quantity,
            expiry.price,
            delivered,
        )
        self._transact(one, [(expiry.contract, -quantity), *([delivered] if delivered else [])])

    def _transact(self, one: Transaction, changes: Iterable[tuple[Contract, int]]) -> None:
        changes = list(changes)
        self._transactions.append(one)
        self.true.move(one.dollars - one.fees, changes, one.at)
        self.shown.move(one.dollars - one.fees, changes, one.at)

    # ------------------------------------------------------------------ days

    def is_open(self, now: datetime) -> bool:
        session = self._sessions.on(new_york(now).date())
        early = self._closed_early
        if early is not None and early <= now and new_york(early).date() == new_york(now).date():
            return False
        return session is not None and session.open <= now < session.close

    def _plan_session(self, now: datetime) -> None:
        session = self._sessions.on(new_york(now).date())
        if session is None or now >= session.close:
            session = self._sessions.after(new_york(now).date())
        if session is not None:
            ahead = session
            self._later(session.close, lambda at: self._close(ahead, at))

    def _close(self, session: Session, now: datetime) -> None:
        for ticket in list(self._working.values()):
            if not ticket.rests_overnight:
                ticket.replacement = None
                self._end(ticket, Status.EXPIRED, now)
        self._later(now + self._pace.settles, self._settle_when_known)
        following = self._sessions.after(session.date)
        if following is not None:
            self._later(following.open, lambda _: self._new_day())
            self._plan_session(following.open)

    def _new_day(self) -> None:
        """Only what still works is shown of the old."""
        self._processing.clear()
        self._today = [ticket for ticket in self._today if not ticket.is_over]

    def _settle_when_known(self, now: datetime) -> None:
        following = self._sessions.after(new_york(now).date())
        if not self.settle(now) and following is not None and now < following.open:
            self._later(now + self._pace.settles, self._settle_when_known)

    def _plan_faults(self) -> None:
        acts = {"money moved": self._money_by_fault, "assigned": self._assign_by_fault}
        for start, _, fault in self._faults.windows(*acts):
            self._later(start, partial(acts[fault.what], fault.number))
        for start, _, _ in self._faults.windows("closed early"):
            self._later(start, self._close_early)

    def _money_by_fault(self, dollars: int, now: datetime) -> None:
        self._faults.fire("money moved")
        self.pay(Decimal(dollars), "dividend" if dollars > 0 else "fee", now)

    def _assign_by_fault(self, quantity: int, now: datetime) -> None:
        """Holders of the first sold American option that is in the money exercise, for no reason (F50)."""
        for contract, held in sorted(self.true.held.items(), key=lambda one: str(one[0])):
            if not isinstance(contract, Option) or held > 0:
                continue
            product = PRODUCTS[contract.product]
            level = self._market.spot(product.family, now)
            if product.style is not Style.AMERICAN or level is None:
                continue
            price = Decimal(str(round(level, 2)))
            if contract.intrinsic(price) > 0:
                self._faults.fire("assigned")
                self.assign(expire(contract, price, self._sessions), max(held, -quantity), now)
                return

    def _close_early(self, now: datetime) -> None:
        """The venue stops trading for the day, unannounced (F54)."""
        self._faults.fire("closed early")
        self._closed_early = now
        for ticket in list(self._working.values()):
            if not ticket.rests_overnight:
                ticket.replacement = None
                self._end(ticket, Status.EXPIRED, now)

    def _name(self, letter: str) -> str:
        return f"{letter}{next(self._numbers)}"
