"""Complex orders: what is sent when another has filled (OTO), or ends when another has (OCO), or both.

The parts are orders of the account like any other; those that wait are shown as Contingent.  Stop orders
exist only here: their market is compared with their trigger each time the account's market is looked at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from tomking.domain.money import ZERO
from tomking.domain.structure import Leg
from tomking.execution.wire import Cancel, Status
from tomking.ports import MarketData
from tomking.sim.account import SimAccount
from tomking.sim.venue import Ticket, order_of
from tomking.venue.orders import Asked, Json, Wrong


class Reader(Protocol):
    """Understands the body of one order."""

    def __call__(self, body: Mapping[str, object], *, stops: bool) -> Asked | tuple[Wrong, ...]:
        """``stops``: whether it may be a stop order."""
        ...


NEEDS = {"OCO": (2, 2), "OTO": (1, 3), "OTOCO": (2, 2)}
"""By kind: the fewest and the most orders beside the trigger."""
TAGS = {"OCO": "OCO::order", "OTO": "OTO::order", "OTOCO": "OTOCO::oco-1-order"}
BEYOND = 5
"""A market order pays up to this multiple of the ask, and takes whatever is bid."""
NO_ASK = Decimal(100)
"""Points, where nobody offers."""


@dataclass(frozen=True, slots=True)
class AskedComplex:
    """A complex order body that can be understood."""

    kind: str
    trigger: Asked | None
    orders: tuple[Asked, ...]


def asked_complex(body: Mapping[str, object], read: Reader) -> AskedComplex | tuple[Wrong, ...]:
    """What a body asks for, or everything that is wrong with it; ``read`` understands its orders."""
    kind = str(body.get("type"))
    if kind not in NEEDS:
        return (Wrong("invalid_complex_type", f"type {kind!r} is not taken here, only {', '.join(NEEDS)}"),)
    inside = body.get("orders")
    bodies = inside if isinstance(inside, list) else []
    fewest, most = NEEDS[kind]
    wrong: list[Wrong] = []
    if not fewest <= len(bodies) <= most:
        wrong.append(Wrong("invalid_orders", f"{kind} has {fewest} to {most} orders, not {len(bodies)}"))
    if (body.get("trigger-order") is None) is (kind != "OCO"):
        said = "has no trigger-order" if kind == "OCO" else "needs a trigger-order"
        wrong.append(Wrong("invalid_trigger_order", f"{kind} {said}"))
    first = body.get("trigger-order")
    firsts = [first] if isinstance(first, Mapping) else []
    read_ones = [read(one, stops=False) for one in firsts]
    read_ones += [read(one if isinstance(one, Mapping) else {}, stops=True) for one in bodies]
    for one in read_ones:
        wrong += () if isinstance(one, Asked) else one
    if wrong:
        return tuple(wrong)
    understood = [one for one in read_ones if isinstance(one, Asked)]
    return AskedComplex(kind, understood[0] if firsts else None, tuple(understood[len(firsts) :]))


@dataclass(slots=True)
class Complex:
    """One complex order."""

    id: int
    kind: str
    trigger: str | None
    """The account's id of the order that must fill first; None: of an OCO."""
    waiting: dict[str, Decimal | None]
    """Orders that are not at the exchange yet, by the account's id, with their stops."""
    orders: tuple[str, ...]
    """All but the trigger."""
    released: bool = False
    """Whether the orders are out, or wait for their own stops only."""
    terminal: datetime | None = None

    @property
    def one_cancels_other(self) -> bool:
        return self.kind != "OTO"


@dataclass(slots=True)
class Complexes:
    """Every complex order of an account, and the watch over those that are not over."""

    account: SimAccount
    market: MarketData
    dressed: dict[str, Json]
    """Where an order's place in its complex order is written for who shows it."""
    all: dict[int, Complex] = field(default_factory=dict[int, Complex])

    def enter(self, kind: str, trigger: str | None, orders: Iterable[Asked], now: datetime) -> Complex:
        """Takes one whose trigger has been taken; its orders get their ids, and wait."""
        id_ = int(self.account.floor.name("C")[1:])
        entered = [(self._contingent(one, now), one) for one in orders]
        stops = {ticket.id: one.trigger for ticket, one in entered}
        made = Complex(id_, kind, trigger, stops, tuple(stops))
        if trigger is not None:
            self._dress(trigger, id_, f"{kind}::trigger-order")
        for ticket, one in entered:
            self._dress(ticket.id, id_, TAGS[kind])
            if one.trigger is not None:
                self.dressed[ticket.id] |= {"order-type": one.kind, "stop-trigger": str(one.trigger)}
            if one.limit is None:
                self.dressed[ticket.id] |= {"order-type": one.kind, "price": None, "price-effect": None}
        self.all[id_] = made
        self._look(made, now)
        return made

    def cancel(self, id_: int, now: datetime) -> Complex | None:
        """Asks for the end of all that is left of one; None for one that there is not."""
        found = self.all.get(id_)
        if found is not None:
            for each in filter(None, (found.trigger, *found.orders)):
                self._end(each, now)
            self._look(found, now)
        return found

    def advance(self, now: datetime) -> None:
        """Lets the account come to ``now``, looking at what waits after each thing that happens."""
        while self._open():
            due = self.account.next_event()
            if due is None or due > now:
                break
            self.account.advance(due)
            for one in self._open():
                self._look(one, due)
        self.account.advance(now)

    def _open(self) -> list[Complex]:
        return [one for one in self.all.values() if one.terminal is None]

    def _look(self, one: Complex, now: datetime) -> None:
        """What has become possible, or impossible, by now."""
        tickets = self.account.tickets
        first = None if one.trigger is None else tickets[one.trigger]
        if not one.released and (first is None or _all_filled(first)):
            one.released = True
        elif not one.released and first is not None and first.is_over:
            for each in one.orders:
                self._end(each, now)
        if one.released and self.account.floor.is_open(now):
            for id_, stop in list(one.waiting.items()):
                if not tickets[id_].is_over and (stop is None or self._reached(tickets[id_], stop, now)):
                    del one.waiting[id_]
                    self._send(tickets[id_], now)
        over = [id_ for id_ in one.orders if tickets[id_].is_over]
        if one.one_cancels_other and over:
            for each in one.orders:
                self._end(each, now)
        if len([id_ for id_ in one.orders if tickets[id_].is_over]) == len(one.orders):
            one.terminal = now

    def _end(self, id_: str, now: datetime) -> None:
        ticket = self.account.tickets[id_]
        if not ticket.is_over and ticket.status is not Status.CANCEL_REQUESTED:
            self.account.handle(Cancel(f"C{id_}", id_), now)

    def _contingent(self, order: Asked, now: datetime) -> Ticket:
        floor = self.account.floor
        limit = ZERO if order.limit is None else order.limit
        placed = order_of(floor.name("V"), order.legs, order.units, limit, opens=order.opens)
        overnight = order.time_in_force == "GTC"
        ticket = Ticket(placed, order.tag, order.opens, overnight, now, None, Status.CONTINGENT)
        return floor.enter(ticket, now)

    def _reached(self, ticket: Ticket, stop: Decimal, now: datetime) -> bool:
        """Whether buying costs the stop or more by now, or selling brings it or less; by the mids."""
        worth = _net(ticket.legs, self.market, now)
        if worth is None:
            return False
        return -worth >= float(stop) if worth < 0 else worth <= float(stop)

    def _send(self, ticket: Ticket, now: datetime) -> None:
        """To the exchange; a stop without a limit becomes a market order."""
        if self.dressed[ticket.id].get("order-type") == "Stop":
            ticket.order = replace(ticket.order, limit=marketable(ticket.legs[0], self.market, now))
        self.account.floor.route(ticket, now)

    def _dress(self, id_: str, complex_id: int, tag: str) -> None:
        place: Json = {"complex-order-id": complex_id, "complex-order-tag": tag}
        self.dressed[id_] = {**self.dressed.get(id_, {}), **place}


def _all_filled(ticket: Ticket) -> bool:
    return ticket.is_over and ticket.filled == ticket.order.units


def marketable(leg: Leg, market: MarketData, now: datetime) -> Decimal:
    """The limit of a market order of one leg: net points per unit, credit positive."""
    (quote,) = market.quotes((leg.contract,), now)
    ask = quote.ask if quote is not None and quote.ask is not None else NO_ASK
    return -BEYOND * ask if leg.ratio > 0 else leg.contract.tick


def _net(legs: Sequence[Leg], market: MarketData, now: datetime) -> float | None:
    """Points received per unit at the mids, < 0 paid; None where a side is missing."""
    mids = market.marks([leg.contract for leg in legs], now)
    net = -sum(leg.ratio * float(mid) for leg, mid in zip(legs, mids, strict=True))
    return None if net != net else net  # noqa: PLR0124 - NaN
