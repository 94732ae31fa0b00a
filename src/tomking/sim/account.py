"""One account at a simulated venue, in the words of the wire: the truth that a line shows late and in pieces.

Here is the broker: what it takes in and refuses, position effect, replacing, nights, and other people's
doings.  Beneath it the ``Floor`` works the orders, on ``SimBroker``, the one model of order life.  The rules
are T1 to T8 of the reliability page.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import assert_never

from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.contract import Option
from tomking.domain.fees import fees as schedule_of_fees
from tomking.domain.money import ZERO
from tomking.domain.order import Fill, Order
from tomking.domain.products import PRODUCTS, Style
from tomking.domain.structure import Leg
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    DryRun,
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
from tomking.sim.faults import Fault, Faults, calm
from tomking.sim.floor import Floor, Pace
from tomking.sim.ledger import Holdings, Ledger
from tomking.sim.settlement import expire
from tomking.sim.venue import Ticket, order_of

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
        fees: Callable[[Order, int], Decimal] = order_fees,
        pace: Pace | None = None,
    ) -> None:
        self._market = market
        self._sessions = sessions
        self._faults = faults or calm(start)
        self._pace = pace or Pace()
        self._fees = fees
        self._pin: Fault | None = None
        self.ledger = Ledger(cash)
        self.floor = Floor(
            market, sessions, self.ledger, self._faults, fees=fees, pace=self._pace, start=start
        )
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
            case DryRun():
                # Margin is the venue's matter: there it is judged.
                return Reply(request.key, now, Outcome.REJECTED, code="no_dry_run", text="not judged here")
            case _:
                assert_never(request)

    def orders(self, as_of: datetime) -> tuple[BrokerOrder, ...]:
        """Those of this session and the one before, and those that work, as shown then, oldest first (T2)."""
        return self.floor.shown(as_of)

    def positions(self, as_of: datetime) -> Positions:
        """What is shown to be held, and the cash."""
        return self.shown.shown.as_of(as_of)

    def transactions(self, as_of: datetime) -> tuple[Transaction, ...]:
        """Since the start of the session before."""
        before = self._sessions.before(new_york(as_of).date())
        since = before.open if before else datetime.min.replace(tzinfo=as_of.tzinfo)
        return tuple(one for one in self.ledger.transactions if since <= one.at <= as_of)

    def reports(self) -> list[Report]:
        """What the account stream has to tell since the last call: whole orders, oldest first."""
        told, self.floor.reports = self.floor.reports, []
        return told

    # ------------------------------------------------------------------ the truth

    @property
    def true(self) -> Holdings:
        """What is held, whatever is shown of it."""
        return self.ledger.true

    @property
    def shown(self) -> Holdings:
        return self.ledger.shown

    @property
    def tickets(self) -> dict[str, Ticket]:
        """Every order of all days, by the venue's id."""
        return self.floor.tickets

    @property
    def executions(self) -> list[Execution]:
        """All of them, shown or not, in order."""
        return self.ledger.executions

    @property
    def fees(self) -> Decimal:
        """Dollars for all executions."""
        return self.ledger.fees

    @property
    def all_transactions(self) -> tuple[Transaction, ...]:
        return tuple(self.ledger.transactions)

    # ------------------------------------------------------------------ time

    def next_event(self) -> datetime | None:
        """When something may happen next by itself."""
        return self.floor.next_event()

    def advance(self, now: datetime) -> None:
        """Lets everything happen that is due by now, in its order."""
        self.floor.advance(now)

    # ------------------------------------------------------------------ new orders

    def _place(self, place: Place, now: datetime) -> Reply:
        struck = self._faults.strike("arrival", now)
        refusal = self._refusal(place.legs, place.units, now)
        opens = place.opens
        if refusal is None and not opens and not self.floor.covers(place.legs, place.units):
            if place.strict:
                refusal = ("position_effect_invalid", "there is no position for it to close")
            opens = True  # T6
        if refusal is None and "refused" in struck:
            self._faults.fire("refused")
            refusal = (REFUSALS[struck["refused"].number % len(REFUSALS)], "refused by the venue")
        if refusal is not None:
            return Reply(place.key, now, Outcome.REJECTED, code=refusal[0], text=refusal[1])
        order = order_of(self.floor.name("V"), place.legs, place.units, place.limit, opens=opens)
        ticket = self.floor.enter(Ticket(order, place.tag, opens, place.good_till_cancelled, now), now)
        if "rejected" in struck:
            fault = struck["rejected"]
            self._faults.fire("rejected")
            ticket.reason = REFUSALS[fault.number % len(REFUSALS)]
            self._end_later(ticket, Status.REJECTED, self._faults.after(fault.seconds, now))
        else:
            self.floor.agenda.add(now + self._pace.routes, lambda at: self.floor.route(ticket, at))
        return Reply(place.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))

    def _refusal(self, legs: tuple[Leg, ...], units: int, now: datetime) -> tuple[str, str] | None:
        """Why an order is refused before it exists: code and words."""
        if not self.floor.is_open(now):
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

    # ------------------------------------------------------------------ ends

    def _cancel(self, cancel: Cancel, now: datetime) -> Reply:
        struck = self._faults.strike("ending", now)
        ticket = self.floor.tickets.get(cancel.order)
        if ticket is None:
            return Reply(cancel.key, now, Outcome.REJECTED, code="not_found", text="no such order")
        if ticket.status is Status.CANCEL_REQUESTED:
            return Reply(cancel.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))
        if ticket.is_over or ticket.is_ended or ticket.status is Status.REPLACE_REQUESTED:
            text = f"the order is {ticket.status.value}"
            return Reply(cancel.key, now, Outcome.REJECTED, code=CANNOT_UPDATE, text=text)
        if ticket.status is Status.CONTINGENT:
            self.floor.end(ticket, Status.CANCELLED, now)
            return Reply(cancel.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))
        ticket.status = Status.CANCEL_REQUESTED
        self.floor.show(ticket, now)
        end = now + self._pace.cancels
        if "cancel hangs" in struck:
            self._faults.fire("cancel hangs")
            end = max(end, self._faults.after(struck["cancel hangs"].seconds, now))
        if "fill before cancel" in struck:
            self.floor.race(ticket, struck["fill before cancel"].number, "fill before cancel", now)
        late = struck.get("late print")
        if late is not None:
            self.floor.agenda.add(end, partial(self.floor.print_late, ticket, late.number, late.seconds))
        self._end_later(ticket, Status.CANCELLED, end)
        return Reply(cancel.key, now, Outcome.ACCEPTED, orders=(ticket.shown.last,))

    def _replace(self, change: Replace, now: datetime) -> Reply:
        """The original is cancelled; what is left of it waits as a contingent order (T3)."""
        struck = self._faults.strike("replacing", now)
        ticket = self.floor.tickets.get(change.order)
        if ticket is None:
            return Reply(change.key, now, Outcome.REJECTED, code="not_found", text="no such order")
        if ticket.left == 0 or ticket.status not in (Status.RECEIVED, Status.LIVE):
            text = f"the order is {ticket.status.value}"
            return Reply(change.key, now, Outcome.REJECTED, code=CANNOT_UPDATE, text=text)
        if not self.floor.is_open(now):
            return Reply(change.key, now, Outcome.REJECTED, code="market_closed", text="the market is closed")
        order = order_of(self.floor.name("V"), ticket.legs, ticket.left, change.limit, opens=ticket.opens)
        replacement = Ticket(
            order, change.tag, ticket.opens, ticket.rests_overnight, now, ticket.id, Status.CONTINGENT
        )
        self.floor.enter(replacement, now)
        ticket.replacement = replacement
        ticket.status = Status.REPLACE_REQUESTED
        self.floor.show(ticket, now)
        if "fill before replace" in struck:
            self.floor.race(ticket, struck["fill before replace"].number, "fill before replace", now)
        self._end_later(ticket, Status.CANCELLED, now + self._pace.cancels)
        return Reply(change.key, now, Outcome.ACCEPTED, orders=(replacement.shown.last,))

    def _end_later(self, ticket: Ticket, status: Status, then: datetime) -> None:
        self.floor.agenda.add(then, lambda at: self.floor.end(ticket, status, at))

    # ------------------------------------------------------------------ other people, and nights

    def remove(self, order: str, reason: str, now: datetime) -> None:
        """An administrator takes an order out (T8)."""
        self.floor.remove(order, reason, now)

    def trade_by_hand(self, legs: tuple[Leg, ...], units: int, price: Decimal, now: datetime) -> BrokerOrder:
        """The owner trades on the broker's own platform: filled at once, each leg at ``price`` points.

        It has no tag, and needs nobody's leave; closing orders whose position it takes are taken out.
        """
        self.advance(now)
        order = order_of(self.floor.name("V"), legs, units, ZERO, opens=True)
        ticket = self.floor.enter(Ticket(order, "", opens=True, rests_overnight=False, entered=now), now)
        prices = tuple(price for _ in legs)
        fees = self._fees(order, units)
        self.floor.fill(ticket, Fill(f"F{ticket.id}", ticket.id, now, units, prices, fees), now)
        self.floor.release([leg.contract for leg in legs], now)
        return ticket.shown.last

    def assign(self, expiry: Expiry, quantity: int, now: datetime) -> None:
        """Contracts of an option are exercised: ``quantity`` > 0 of ours, < 0 by those we sold to."""
        self.ledger.settle(self.floor.name("T"), expiry, quantity, now, early=True)
        self.floor.release([expiry.contract], now)

    def pay(self, dollars: Decimal, reason: str, now: datetime) -> None:
        """Money comes (> 0) or goes without a trade: a deposit, a dividend, interest."""
        id_ = self.floor.name("T")
        self.ledger.transact(Transaction(id_, Kind.MONEY, now, dollars, ZERO, reason=reason))

    def settle(self, now: datetime) -> bool:
        """What has expired is settled and what is worth it exercised; whether all prices were known."""
        today = new_york(now).date()
        held = dict(self.true.held)
        over = [contract for contract in held if contract.expiry <= today]
        settled = self._pinned(self.floor.broker.expired(over, now))
        for one in settled:
            self.ledger.settle(self.floor.name("T"), one, held[one.contract], now)
        sold = [c for c, n in held.items() if n < 0 and isinstance(c, Option) and c.expiry > today]
        for one in self.floor.broker.assigned(sold, now):
            self.assign(one, held[one.contract], now)
        self.floor.release([one.contract for one in settled], now)
        return len(settled) == len(over)

    def _pinned(self, settled: list[Expiry]) -> list[Expiry]:
        """By fault the official price is the sold strike nearest to it, or a cent beside that (F52)."""
        sold = [one for one in settled if self.true.held[one.contract] < 0]
        near = {abs(o.price - o.contract.strike): o for o in sold if isinstance(o.contract, Option)}
        if self._pin is None or not near:
            return settled
        nearest = near[min(near)].contract
        assert isinstance(nearest, Option), "only options were asked for"
        self._faults.fire("pin")
        price = nearest.strike + Decimal(self._pin.number) / 100
        self._pin = None
        alike = [
            o for o in settled if isinstance(o.contract, Option) and o.contract.product == nearest.product
        ]
        return [expire(one.contract, price, self._sessions) if one in alike else one for one in settled]

    # ------------------------------------------------------------------ days

    def _plan_session(self, now: datetime) -> None:
        session = self._sessions.on(new_york(now).date())
        if session is None or now >= session.close:
            session = self._sessions.after(new_york(now).date())
        if session is not None:
            ahead = session
            self.floor.agenda.add(session.close, lambda at: self._close(ahead, at))

    def _close(self, session: Session, now: datetime) -> None:
        self._expire_day_orders(now)
        struck = self._faults.strike("settlement", now)
        self._pin = struck.get("pin")
        late = struck.get("settles late")
        if late is not None:
            self._faults.fire("settles late")
        delay = self._pace.settles if late is None else timedelta(seconds=late.seconds)
        self.floor.agenda.add(now + delay, self._settle_when_known)
        following = self._sessions.after(session.date)
        if following is not None:
            self.floor.agenda.add(following.open, self.floor.new_day)
            self._plan_session(following.open)

    def _settle_when_known(self, now: datetime) -> None:
        following = self._sessions.after(new_york(now).date())
        if not self.settle(now) and following is not None and now < following.open:
            self.floor.agenda.add(now + self._pace.settles, self._settle_when_known)

    def _plan_faults(self) -> None:
        acts = {"money moved": self._money_by_fault, "assigned": self._assign_by_fault}
        for start, _, fault in self._faults.windows(*acts):
            self.floor.agenda.add(start, partial(acts[fault.what], fault.number))
        for start, _, _ in self._faults.windows("closed early"):
            self.floor.agenda.add(start, self._close_early)

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
        self.floor.closed_early = now
        self._expire_day_orders(now)

    def _expire_day_orders(self, now: datetime) -> None:
        """Orders for the day, and those whose contracts trade no more."""
        today = new_york(now).date()
        for ticket in list(self.floor.working.values()):
            if not ticket.rests_overnight or any(leg.contract.expiry <= today for leg in ticket.legs):
                ticket.replacement = None
                self.floor.end(ticket, Status.EXPIRED, now)
