"""What the program has been shown so far: the grounds on which it may believe anything.

``rejected``, ``ended`` and ``absent`` are the three proofs that an attempt fills no more (I5, I6).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rel.world import SESSION
from tomking.execution.wire import (
    ENDED,
    BrokerOrder,
    Cancel,
    FindOrders,
    FindPositions,
    Line,
    Outcome,
    Place,
    Positions,
    Replace,
    Reply,
    Report,
    Request,
    Status,
    Told,
)

REPEATED_AFTER = timedelta(seconds=15)
"""A close is sent again no sooner."""


@dataclass
class Evidence:
    """Filled by the tap: requests as they leave, answers and reports as they are taken."""

    tags: dict[str, str] = field(default_factory=dict)
    """Key of a Place or Replace to its tag; of the process that lives."""
    finds: dict[str, tuple[Request, datetime]] = field(default_factory=dict)
    attempts: dict[str, Place | Replace] = field(default_factory=dict)
    """Every attempt that has left, by tag."""
    travelling: set[str] = field(default_factory=set)
    """Left, and neither seen at the venue nor refused: it may still arrive."""
    rejected: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    shown: dict[str, BrokerOrder] = field(default_factory=dict)
    """The last sight of each attempt."""
    left: dict[str, datetime] = field(default_factory=dict)
    """When each attempt left."""
    missed: set[str] = field(default_factory=set)
    """Not in a search asked long after they left."""
    absent: set[str] = field(default_factory=set)
    """Not in a search of the whole day that was asked after the close."""
    cancels: dict[str, str] = field(default_factory=dict)
    """Key of a Cancel to the broker's id of its order."""
    cancelled: set[str] = field(default_factory=set)
    """Broker's ids of orders whose cancel was taken: none of them can be replaced any more."""
    positions: Positions | None = None
    """As last shown."""
    asks: datetime | None = None
    """When this process searched for orders last."""
    looked: datetime | None = None
    """When it sent the last search that was answered."""
    blind: bool = False
    """The stream was lost and what it missed has not been asked for yet."""
    _up: datetime | None = None
    _resync: set[type] = field(default_factory=set)
    _last: tuple[BrokerOrder, ...] = ()
    """What an answer has shown last: a search shows the same again and again."""

    def reborn(self) -> None:
        """A new process: it is blind until it has asked."""
        self.tags.clear()
        self.cancels.clear()
        self.finds.clear()
        self.asks = self.looked = None

    def sent(self, request: Request, now: datetime) -> None:
        if isinstance(request, Place | Replace):
            self.tags[request.key] = request.tag
            self.attempts[request.tag] = request
            self.left[request.tag] = now
            self.travelling.add(request.tag)
        elif isinstance(request, Cancel):
            self.cancels[request.key] = request.order
        elif isinstance(request, FindOrders | FindPositions):
            self.finds[request.key] = (request, now)
            self.asks = now if isinstance(request, FindOrders) else self.asks

    def took(self, told: Told, unknown: Callable[[str], None]) -> None:
        """``unknown`` hears of an attempt that was answered UNKNOWN."""
        match told:
            case Line(at, up):
                self._line(at, up=up)
            case Report(_, order):
                self._last = ()
                self._saw(order)
            case Reply():
                self._reply(told, unknown)

    def proof(self, tag: str) -> str:
        """Why an attempt fills no more; empty: nothing shows that."""
        if tag in self.rejected:
            return "rejected"
        if tag in self.ended:
            return "shown ended"
        return "absent after the close" if tag in self.absent else ""

    def cannot_replace(self, request: Replace) -> bool:
        """Whether something shows that this replacement never came to be.

        Its original was cancelled on its own, replaced by another, filled whole or taken out (T3).
        """
        original = next((one for one in self.shown.values() if one.id == request.order), None)
        if original is None:
            return False
        by_itself = original.status in ENDED and original.status not in {Status.CANCELLED, Status.REJECTED}
        others = any(o.replaces == request.order and o.tag != request.tag for o in self.shown.values())
        traded = sum(abs(one.quantity) for one in original.executions)
        whole = traded == original.units * sum(abs(leg.ratio) for leg in original.legs)
        return by_itself or others or whole or request.order in self.cancelled

    def was_repeated(self, request: Place) -> bool:
        """Whether it is a close that a search missed and that was sent again since.

        Should it arrive after all, the venue refuses it where the other has closed what it would (T6), and
        where it does not, the venue's own truth shows it alive (I5).
        """
        later = any(
            isinstance(one, Place) and one.legs == request.legs and self.left[tag] > self.left[request.tag]
            for tag, one in self.attempts.items()
        )
        return not request.opens and later and request.tag in self.missed

    def has_nothing_to_close(self, request: Place) -> bool:
        """Whether it is a close that a search missed, and a leg of it is not held any more: refused (T6)."""
        held = {} if self.positions is None else dict(self.positions.held)
        is_gone = self.positions is not None and any(
            held.get(leg.contract, 0) * leg.ratio >= 0 for leg in request.legs
        )
        return not request.opens and is_gone and request.tag in self.missed

    def _reply(self, reply: Reply, unknown: Callable[[str], None]) -> None:
        tag = self.tags.get(reply.key)
        if reply.key in self.cancels and reply.outcome is Outcome.ACCEPTED:
            self.cancelled.add(self.cancels[reply.key])
        if tag is not None and reply.outcome is Outcome.REJECTED:
            self.rejected.add(tag)
            self.travelling.discard(tag)
        if tag is not None and reply.outcome is Outcome.UNKNOWN:
            unknown(tag)
        if reply.orders and reply.orders is not self._last:
            self._last = reply.orders
            for order in reply.orders:
                if self.shown.get(order.tag) is not order:
                    self._saw(order)
        self.positions = reply.positions or self.positions
        found = self.finds.get(reply.key)
        if found is not None and reply.outcome is Outcome.ACCEPTED:
            self._found(found[0], found[1], reply)

    def _found(self, request: Request, asked: datetime, reply: Reply) -> None:
        if self.blind and self._up is not None and asked >= self._up:
            self._resync.add(type(request))
            self.blind = not {FindOrders, FindPositions} <= self._resync
        if isinstance(request, FindOrders):
            self.looked = asked
        here = {order.tag for order in reply.orders}
        if isinstance(request, FindOrders):
            self.missed |= {
                t for t, at in self.left.items() if t not in here and asked - at >= REPEATED_AFTER
            }
        if isinstance(request, FindOrders) and asked >= SESSION.close:
            self.absent |= {tag for tag in self.attempts if tag not in here}

    def _line(self, at: datetime, *, up: bool) -> None:
        if up:
            self._up = at
        else:
            self.blind, self._up, self._resync = True, None, set()

    def _saw(self, order: BrokerOrder) -> None:
        self.shown[order.tag] = order
        if order.status in ENDED:
            self.ended.add(order.tag)
