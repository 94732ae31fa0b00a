"""Flattening an account by itself, over a ``Wire``: all that works is cancelled, all that is held is closed.

For the moment when nothing else may be believed: no book, no journal, no engine.  Each look at the broker is
all that is known, and what is missing to an empty account is asked for again until it is there.

1. Look at orders and positions; every working order that is not ours is cancelled, whoever sent it.
2. What no working order touches is closed (``execution.flatten``), shorts first, with strict position effect.
3. Closing orders give ground every ten seconds.  A spread that has come to the end of its ladder, or that the
   broker refuses, is cancelled and closed leg by leg, shorts first.
4. Positions are believed only if they were asked for after the last order on them ended, and an order of ours
   counts against them until it is known to have ended: nothing is ever closed twice.

One request every ``pace``, in this order: a look that is overdue, cancels, closes, new limits, further looks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain.chain import Quote
from tomking.domain.contract import Contract, Option, Share
from tomking.execution.flatten import CONCESSIONS, Closing, closings, limit_of
from tomking.execution.protocol.tags import Tag
from tomking.execution.wire import (
    ENDED,
    BrokerOrder,
    Cancel,
    FindOrders,
    FindPositions,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Request,
    Told,
    Wire,
)

INSTANCE = "f1a77e40"
"""What these orders' tags begin with, in the place of an installation's: the engine knows them by it."""
PACE = timedelta(milliseconds=200)
"""Five requests a second."""
STEP = timedelta(seconds=10)
"""At each price; and before what was not answered is asked again."""
LOOK = timedelta(seconds=2)
OVERDUE = timedelta(seconds=5)
TIME = timedelta(minutes=5)
"""After which what is left is left to the person who asked."""
TRIES = 5
"""Refusals of closing one contract, before it is left to them too."""

Quotes = Callable[[Sequence[Contract], datetime], list[Quote | None]]


@dataclass(slots=True)
class _Own:
    """One of our closing orders: a chain of broker orders, each replacing the one before."""

    closing: Closing
    placed: datetime
    limit: Decimal
    number: str
    tags: list[str]
    step: int = 0
    orders: list[str] = field(default_factory=list)
    """The broker's ids."""
    awaited: datetime | None = None
    """Since when the last request's effect is unknown; None where it is known."""
    misses: int = 0
    """Searches that should have shown it and did not."""
    cancelled: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the receipt."""

    at: datetime
    text: str


class Flattening:
    """One run.  ``step`` until ``over``; all time comes in, nothing waits."""

    def __init__(self, wire: Wire, quotes: Quotes, now: datetime, *, shares: bool = False) -> None:
        """Of ``shares``: whether shares are sold and bought back too.  They may be nobody's business here."""
        self._wire = wire
        self._quotes = quotes
        self._shares = shares
        self._began = now
        self._day, second = divmod(int(now.timestamp()), 86_400)
        self._first = second * 1_000
        self._next = now
        self._keys = 0
        self._asked: dict[str, tuple[Request, datetime]] = {}
        self._looks: dict[type[FindOrders | FindPositions], tuple[str, datetime]] = {}
        self._orders: dict[str, BrokerOrder] = {}
        self._orders_at: datetime | None = None
        self._held: dict[Contract, int] = {}
        self._held_at: datetime | None = None
        self._own: list[_Own] = []
        self._cancels: dict[str, datetime] = {}
        self._changed: dict[Contract, datetime] = {}
        """When an order on it ended last: positions asked for before are out of date."""
        self._apart: set[Contract] = set()
        self._refused: dict[Contract, list[datetime]] = {}
        self._unpriced: dict[tuple[Contract, ...], datetime] = {}
        self._worthless: set[Contract] = set()
        self.said: list[Said] = []
        self.over = False
        """Nothing is left to do, or the time is over."""

    # ------------------------------------------------------------------ what is known

    @property
    def working(self) -> list[BrokerOrder]:
        """Orders that have not ended, ours among them."""
        return [order for order in self._orders.values() if order.status not in ENDED]

    @property
    def held(self) -> dict[Contract, int]:
        """What was seen last of what is to be closed."""
        return {c: q for c, q in self._held.items() if self._shares or not isinstance(c, Share)}

    @property
    def is_flat(self) -> bool:
        """Nothing works, and nothing is held but long options that nobody bids for."""
        return self._is_known and not self.working and not any(self._is_worth_closing(c) for c in self.held)

    @property
    def _is_known(self) -> bool:
        """Whether both looks are newer than anything that happened."""
        if self._orders_at is None or self._held_at is None:
            return False
        last = max([*self._changed.values(), *(own.placed for own in self._own)], default=self._began)
        return min(self._orders_at, self._held_at) >= last and all(own.ended for own in self._own)

    def _is_worth_closing(self, contract: Contract) -> bool:
        return self._held[contract] < 0 or contract not in self._worthless

    # ------------------------------------------------------------------ the step

    def step(self, now: datetime) -> datetime:
        """Takes in what arrived, sends what is due; when there is something to do next."""
        for told in self._wire.take(now):
            self._absorb(told, now)
        if self.is_flat or now - self._began >= TIME:
            self.over = True
            return now
        while now >= self._next and (request := self._due(now)) is not None:
            self._asked[request.key] = (request, now)
            self._wire.send(request, now)
            self._next = now + PACE
        return max(self._next, now + PACE)

    def _due(self, now: datetime) -> Request | None:
        """The most urgent request there is; what it changes is written down as it is returned."""
        steps = (
            self._look(now, OVERDUE),
            self._cancel_others(now),
            self._cancel_ours(now),
            self._close(now),
            self._reprice(now),
            self._look(now, LOOK),
        )
        return next((request for step in steps for request in step), None)

    def _key(self) -> str:
        self._keys += 1
        return f"flatten-{self._keys}"

    def _say(self, text: str, now: datetime) -> None:
        self.said.append(Said(now, text))

    # ------------------------------------------------------------------ looking

    def _look(self, now: datetime, after: timedelta) -> Iterator[Request]:
        for kind in (FindOrders, FindPositions):
            known = self._looks.get(kind)
            if known is None or now - known[1] >= after:
                key = self._key()
                self._looks[kind] = (key, now)
                yield kind(key)

    def _absorb(self, told: Told, now: datetime) -> None:
        if isinstance(told, Report):
            self._learn(told.order, now)
        elif isinstance(told, Reply) and told.key in self._asked:
            request, sent = self._asked.pop(told.key)
            for order in told.orders:
                self._learn(order, now)
            self._answered(request, told, sent, now)

    def _answered(self, request: Request, told: Reply, sent: datetime, now: datetime) -> None:
        match request, told.outcome:
            case FindOrders(), Outcome.ACCEPTED:
                self._orders_at = sent
                self._missed(sent, now)
            case FindPositions(), Outcome.ACCEPTED if told.positions is not None:
                self._held, self._held_at = dict(told.positions.held), sent
            case Place(tag=tag), Outcome.REJECTED:
                self._refuse(tag, told, now)
            case Replace(tag=tag), Outcome.REJECTED:
                # It filled or ended first (T4); whatever it is, the next look shows it.
                self._owner(tag).awaited = None
            case _:
                return

    def _learn(self, order: BrokerOrder, now: datetime) -> None:
        """An order as it is shown; what has ended works no more, however late an old message is (F24)."""
        before = self._orders.get(order.id)
        if before is not None and before.status in ENDED and order.status not in ENDED:
            return
        self._orders[order.id] = order
        own = next((o for o in self._own if order.tag in o.tags), None)
        if own is not None and order.id not in own.orders:
            own.orders.append(order.id)
        if own is not None and order.tag == own.tags[-1]:
            own.awaited = None
        is_news = before is not None or self._orders_at is not None
        if order.status in ENDED and is_news and (before is None or before.status not in ENDED):
            self._changed.update((leg.contract, now) for leg in order.legs)
            if before is not None:
                self._say(f"{order.status.value}: {_named(order)}", now)
        if own is not None:
            self._end(own, now)

    def _end(self, own: _Own, now: datetime) -> None:
        """Ours has ended when all it consists of has, and nothing that was sent is unknown."""
        is_over = own.awaited is None and all(self._orders[id_].status in ENDED for id_ in own.orders)
        if is_over and own.ended is None:
            own.ended = now
            self._changed.update((c, now) for c in own.closing.contracts)
        elif not is_over:
            own.ended = None

    def _missed(self, asked: datetime, now: datetime) -> None:
        """What should be there and is not: two searches ten seconds later say that it never arrived.

        A close may be sent again then: should the first one arrive after all, strict position effect makes
        the broker refuse the one that comes too late.
        """
        for own in self._own:
            if own.awaited is not None and asked - own.awaited >= STEP:
                own.misses += 1
                if own.misses >= 2:
                    own.awaited, own.misses = None, 0
                    self._say(f"never arrived: {own.closing}", now)
            self._end(own, now)

    # ------------------------------------------------------------------ cancelling

    def _cancel_others(self, now: datetime) -> Iterator[Request]:
        ours = {id_ for own in self._own for id_ in own.orders}
        for order in self.working:
            if order.id not in ours:
                yield from self._cancel(order, now)

    def _cancel_ours(self, now: datetime) -> Iterator[Request]:
        """Spreads at the end of their ladder: their legs go one by one."""
        for own in self._open():
            if own.closing.is_single or now - own.placed < STEP * len(CONCESSIONS):
                continue
            if not own.cancelled:
                own.cancelled = now
                self._apart.update(own.closing.contracts)
            for id_ in own.orders:
                if self._orders[id_].status not in ENDED:
                    yield from self._cancel(self._orders[id_], now)

    def _cancel(self, order: BrokerOrder, now: datetime) -> Iterator[Request]:
        """A cancel may be repeated: it does no harm (F20)."""
        asked = self._cancels.get(order.id)
        if asked is None or now - asked >= STEP:
            self._cancels[order.id] = now
            self._say(f"cancel{' again' if asked else ''}: {_named(order)}", now)
            yield Cancel(self._key(), order.id)

    # ------------------------------------------------------------------ closing

    def _open(self) -> list[_Own]:
        return [own for own in self._own if own.ended is None]

    def _close(self, now: datetime) -> Iterator[Request]:
        if self._orders_at is None or self._held_at is None:
            return
        free = self._free(self._held_at, now)
        for closing in closings(free, self._exposed(), apart=self._apart, shares=self._shares):
            limit = self._limit(closing, 0, now)
            if limit is not None:
                yield self._place(closing, limit, now)

    def _free(self, held_at: datetime, now: datetime) -> dict[Contract, int]:
        """What is held and nothing works on, as far as that is known."""
        ours = {id_ for own in self._own for id_ in own.orders}
        blocked = {leg.contract for o in self.working if o.id not in ours for leg in o.legs}
        blocked |= {c for c, at in self._changed.items() if at > held_at}
        blocked |= {c for c, at in self._refused.items() if len(at) >= TRIES or now - at[-1] < OVERDUE}
        free = {c: q for c, q in self._held.items() if c not in blocked}
        for own in self._open():
            _take(free, own.closing)
        return free

    def _exposed(self) -> dict[Contract, int]:
        """Shorts that no spread order of ours closes."""
        exposed = {c: q for c, q in self._held.items() if q < 0}
        for own in self._open():
            if not own.closing.is_single:
                _take(exposed, own.closing)
        return exposed

    def _place(self, closing: Closing, limit: Decimal, now: datetime) -> Place:
        number = str(self._first + len(self._own))
        own = _Own(closing, now, limit, number, [self._tag(number, 1)], awaited=now)
        self._own.append(own)
        self._say(f"close at {limit}: {closing}", now)
        return Place(self._key(), own.tags[0], closing.legs, closing.units, limit, opens=False)

    def _tag(self, number: str, attempt: int) -> str:
        return str(Tag(INSTANCE, self._day, number, attempt))

    def _limit(self, closing: Closing, step: int, now: datetime) -> Decimal | None:
        """The limit of a step; a spread that cannot be priced for ten seconds is closed leg by leg."""
        contracts, quotes = closing.contracts, self._quotes(closing.contracts, now)
        limit = limit_of(closing, quotes, CONCESSIONS[min(step, len(CONCESSIONS) - 1)])
        if closing.is_single and isinstance(contracts[0], Option) and quotes[0] is not None:
            (self._worthless.discard if quotes[0].bid else self._worthless.add)(contracts[0])
        if limit is not None:
            self._unpriced.pop(contracts, None)
        elif now - self._unpriced.setdefault(contracts, now) >= STEP and not closing.is_single:
            self._apart.update(contracts)
        return limit

    def _refuse(self, tag: str, told: Reply, now: datetime) -> None:
        own = self._owner(tag)
        own.awaited = None
        self._say(f"refused ({told.code} {told.text}): {own.closing}", now)
        if own.closing.is_single:
            (contract,) = own.closing.contracts
            self._refused.setdefault(contract, []).append(now)
        else:
            self._apart.update(own.closing.contracts)
        self._end(own, now)

    def _owner(self, tag: str) -> _Own:
        return next(own for own in self._own if tag in own.tags)

    # ------------------------------------------------------------------ giving ground

    def _reprice(self, now: datetime) -> Iterator[Request]:
        """A step further down the ladder, or after the market: each is a new order in the old one's place."""
        for own in self._open():
            live = [id_ for id_ in own.orders if self._orders[id_].status not in ENDED]
            step = (now - own.placed) // STEP
            if own.awaited or own.cancelled or len(live) != 1 or step <= own.step:
                continue
            own.step = step
            limit = self._limit(own.closing, step, now)
            if limit is not None and limit != own.limit:
                own.limit, own.awaited = limit, now
                own.tags.append(self._tag(own.number, len(own.tags) + 1))
                self._say(f"close at {limit}: {own.closing}", now)
                yield Replace(self._key(), own.tags[-1], live[0], limit)

    # ------------------------------------------------------------------ the receipt

    def left(self) -> list[str]:
        """What is still there, in words: one line for each order and each contract."""
        lines = [f"still working: {_named(order)}" for order in self.working]
        for contract, quantity in sorted(self._held.items(), key=lambda item: str(item[0])):
            lines.append(f"still held: {quantity:+d} {contract}{self._why_left(contract)}")
        if not self._is_known:
            lines.append("the broker has not confirmed what is left: look at the account there")
        return lines

    def _why_left(self, contract: Contract) -> str:
        if isinstance(contract, Share) and not self._shares:
            return " (shares are left alone)"
        if len(self._refused.get(contract, [])) >= TRIES:
            return f" (the broker refused {TRIES} times)"
        if not self._is_worth_closing(contract):
            return " (nobody bids for it)"
        return ""


def _take(held: dict[Contract, int], closing: Closing) -> None:
    """What an order will close is not there for another one."""
    for leg in closing.legs:
        present = held.get(leg.contract, 0)
        after = present + leg.ratio * closing.units
        held[leg.contract] = after if present * after > 0 else 0


def _named(order: BrokerOrder) -> str:
    legs = " / ".join(map(str, order.legs))
    return (
        f"order {order.id}{f' ({order.tag})' if order.tag else ''}: {order.units} x {legs} at {order.limit}"
    )
