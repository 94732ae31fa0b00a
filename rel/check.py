"""The omniscient checker: what the program says and does, held against what the venue knows to be so.

Each invariant of the reliability page is one method named by its id.  They are asked at three places: at
the socket before a request leaves (I1, I2, I12 to I17, I22, I27, I31), when an event has become durable
(I5 to I7, I30), and after every simulated event (I3, I8, I9, I18, I24).  ``rel.ending`` asks the rest.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from rel.evidence import Evidence
from rel.holdings import LONGEST_BARE, Holdings, Lot, attempt_of, order_of
from rel.tap import Heard
from rel.world import SESSION, Feed, World
from tomking.domain import events as ev
from tomking.domain.book import REOPEN
from tomking.domain.chain import net_quote
from tomking.domain.contract import Contract
from tomking.domain.order import Fill, Order
from tomking.execution.protocol.course import LEAVE, Course
from tomking.execution.wire import (
    ENDED,
    BrokerOrder,
    Cancel,
    Place,
    Replace,
    Reply,
    Report,
    Request,
    Status,
    Told,
)
from tomking.sim.account import SimAccount
from tomking.sim.line import REFUSED_FOR_NOW
from tomking.sim.venue import Ticket

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
ALERT = 5 * SECOND
"""From a cause to somebody knowing (I24)."""
SHOWN_BY = timedelta(seconds=200)
"""An order is in searches two minutes after it was taken in, and in one that was asked within the next."""
ANSWERED = 10 * SECOND
"""Until a process that asks is answered, in ordinary times."""
BURST = 5
"""Requests in any one second, cancels apart (G25)."""
TOO_MANY = "429"
LEAST_BACKOFF = SECOND
"""After the broker said that it is too much nothing leaves for so long (I22)."""
MINUTE_MOST = 60 + BURST
"""Requests in any one minute of the worst: a mean of one a second and a burst (I22)."""
OLDEST_QUOTE = timedelta(seconds=30)
"""That an opening is sent or moved on (I15)."""
WIDE, SHARE, LEAST_COLLAR = 4, Decimal("0.20"), Decimal("0.25")
"""An opening's limit lies from the mid by so many half-spreads, such a share of it, or so many points at most
(methodology D.1; I12)."""
ALIKE = 5
"""Openings of one strategy in ten minutes (I12)."""


class Violation(NamedTuple):
    """What was broken, when, and how."""

    id: str
    at: datetime
    text: str

    def __str__(self) -> str:
        return f"{self.id} {self.at:%H:%M:%S.%f} {self.text}"


@dataclass
class Checker:
    """Sees everything; breaks nothing; remembers the first violation of each kind."""

    account: SimAccount
    """The venue's own knowledge."""
    world: World
    feed: Feed
    heard: Heard
    cash_before: Decimal
    violations: dict[str, Violation] = field(default_factory=dict)
    holdings: Holdings = field(default_factory=Holdings)
    evidence: Evidence = field(default_factory=Evidence)
    limits: dict[str, list[Decimal]] = field(default_factory=dict)
    """Every limit the journal has given an order."""
    attempts: dict[str, int] = field(default_factory=dict)
    """How many attempts of an order are durable."""
    ended: dict[str, datetime] = field(default_factory=dict)
    """Orders that the book has let go of."""
    consumed: dict[str, int] = field(default_factory=dict)
    """Contracts of each execution that the book has taken in."""
    level: str = ""
    """The book's trading level, as recorded."""
    uneven_told: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    """Orders whose odd legs were given up when their day was over: no position has them any more."""
    halted: datetime | None = None
    """Since when the latch forbids openings."""
    stale: bool = False
    """Whether the journal was put back to an earlier state: nothing may be sent then."""
    cut: dict[str, Order] = field(default_factory=dict)
    """Orders that the venue has and that the journal lost when it was put back."""
    regrown: dict[str, Order] = field(default_factory=dict)
    """Orders that it has had since."""
    posted_again: set[str] = field(default_factory=set)
    """Lost ones that were posted a second time since."""
    requests: deque[datetime] = field(default_factory=deque)
    """When those of the last minute left, cancels apart."""
    total: int = 0
    placed: dict[str, datetime] = field(default_factory=dict)
    openings: dict[str, list[datetime]] = field(default_factory=dict)
    epoch: int = -1
    refused: datetime | None = None
    """When this process was last told that it asks too much."""
    known: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Of each attempt: whether this process took it to have ended, and how many executions it knew."""
    fresh: set[str] = field(default_factory=set)
    """Orders that were shown since the last step."""
    doubted: dict[str, datetime] = field(default_factory=dict)
    """Orders that the journal says are in doubt, and since when."""
    cancelling: dict[str, datetime] = field(default_factory=dict)
    """Orders that are to end, and since when."""
    ends_asked: set[str] = field(default_factory=set)
    """Broker's ids of orders that this process has asked to end."""
    awake: datetime | None = None
    """Since when the process has run without standing still."""
    due: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    """When an attempt was answered UNKNOWN, since when its order has been in doubt, and its tag."""
    tampered: set[Contract] = field(default_factory=set)
    """Contracts that somebody traded by hand: no lot of them is only ours any more."""
    longest_bare: timedelta = timedelta(0)
    """How long something was uncovered, whatever could be done and was tried."""
    worst_bare: timedelta = timedelta(0)
    """How long of that it could have been covered: an order would have been taken in and traded (I9, G14)."""
    worst_idle: timedelta = timedelta(0)
    """How long of that nothing was tried."""
    started: datetime = SESSION.open
    """When the process that runs began to run."""
    ran: bool = False
    """Whether it has run at all."""
    _counted: int = 0
    _looked: datetime | None = None
    """When it was looked at last whether anything is uncovered."""
    _faces: dict[str, BrokerOrder] = field(default_factory=dict)
    """Each order as this process was shown it last."""
    _first_seen: dict[str, datetime] = field(default_factory=dict)
    """When this process was shown each of them first."""
    _shown: tuple[BrokerOrder, ...] = ()
    """What was shown last."""

    def broken(self, id_: str, now: datetime, text: str) -> None:
        self.violations.setdefault(id_, Violation(id_, now, text))

    # ------------------------------------------------------------------ at the socket

    def sending(self, request: Request, now: datetime) -> None:
        """Before the first byte."""
        self.holdings_refresh(now)
        self._i22_rates(request, now)
        self.evidence.sent(request, now)
        if isinstance(request, Cancel):
            self.ends_asked.add(request.order)
        if not isinstance(request, Place | Replace):
            return
        if self.stale:
            self._i27_fresh(request, now)
            return
        id_ = order_of(request.tag)
        order = self.holdings.orders.get(id_)
        if order is None:
            self.broken("I1", now, f"{request.tag} leaves and the journal has no order {id_}")
            return
        self._i1_durable(request, id_, now)
        self._i16_in_session(request, now)
        self._i17_epoch(request, now)
        self._i31_as_decided(request, order, now)
        if isinstance(request, Place) and not request.opens and self._uneven_legs(order.id):
            self.placed[request.tag] = now
            if order.position in self.holdings.lots:
                self.holdings.lots[order.position].tried = now
            return  # backs out of legs that are not whole: it opens nothing
        if order.opens:
            self._i2_once(request, order, now)
            self._i12_limits(request, order, now)
            self._i13_latch(request, now)
            self._i14_reducing(request, now)
            self._i15_quotes(request, order, now)
        self.placed[request.tag] = now

    def _i1_durable(self, request: Place | Replace, id_: str, now: datetime) -> None:
        if attempt_of(request.tag) > self.attempts.get(id_, 0):
            self.broken("I1", now, f"{request.tag} leaves, {self.attempts.get(id_, 0)} attempts are durable")

    def _i2_once(self, request: Place | Replace, order: Order, now: datetime) -> None:
        """One POST an opening; and none for a slot whose opening before may still live at the venue."""
        if request.tag in self.placed:
            self.broken("I2", now, f"{request.tag} is sent a second time")
        if not isinstance(request, Place):
            return
        if any(order_of(tag) == order.id for tag in self.placed) and not self._uneven_legs(order.id):
            self.broken("I2", now, f"opening {order.id} is posted again as {request.tag}")
        for id_, other in self.holdings.orders.items():
            slot = (other.strategy, other.entry_key)
            if id_ != order.id and other.opens and slot == (order.strategy, order.entry_key):
                alive = self._alive(id_, now)
                if alive:
                    self.broken("I2", now, f"{request.tag} while {alive} of the same slot lives")

    def _i12_limits(self, request: Place | Replace, order: Order, now: datetime) -> None:
        """Collar, worst case of what is unknown, and throttles, at the instant of sending."""
        quote = net_quote(order.structure, self.feed.quotes(order.structure.contracts, now))
        if quote is not None:
            most = max(WIDE * quote.half_spread, SHARE * abs(quote.mid), LEAST_COLLAR)
            if abs(quote.mid - request.limit) > most:
                self.broken("I12", now, f"{request.tag} at {request.limit}, the mid is {quote.mid}")
        if not isinstance(request, Place):
            return
        others = [id_ for id_, o in self.holdings.orders.items() if o.opens and id_ != order.id]
        unknown = [id_ for id_ in others if self._alive(id_, now)]
        if unknown:
            self.broken("I12", now, f"{request.tag} opens while {unknown[0]} may still fill")
        recent = self.openings.setdefault(order.strategy, [])
        recent.append(now)
        if sum(at > now - timedelta(minutes=10) for at in recent) > ALIKE:
            self.broken("I12", now, f"{order.strategy} opens more than {ALIKE} times in ten minutes")

    def _i13_latch(self, request: Place | Replace, now: datetime) -> None:
        if self.halted is not None:
            self.broken("I13", now, f"{request.tag} opens, halted since {self.halted:%H:%M:%S}")

    def _i14_reducing(self, request: Place | Replace, now: datetime) -> None:
        if self.level in ("REDUCING", "HALTED"):
            self.broken("I14", now, f"{request.tag} opens in {self.level}")
        if self.evidence.blind:
            self.broken("I14", now, f"{request.tag} opens between the stream's end and the resync")

    def _i15_quotes(self, request: Place | Replace, order: Order, now: datetime) -> None:
        for leg, quote in zip(
            order.structure.legs, self.feed.quotes(order.structure.contracts, now), strict=True
        ):
            if quote is None or quote.bid is None or quote.ask is None:
                self.broken("I15", now, f"{request.tag} opens, {leg.contract} has no two-sided quote")
            elif now - quote.as_of > OLDEST_QUOTE:
                self.broken("I15", now, f"{request.tag} opens on a quote of {now - quote.as_of}")
            elif quote.bid >= quote.ask:
                self.broken("I15", now, f"{request.tag} opens on a crossed quote of {leg.contract}")

    def _i16_in_session(self, request: Place | Replace, now: datetime) -> None:
        if not SESSION.open <= now <= SESSION.close:
            self.broken("I16", now, f"{request.tag} outside the session")

    def _i17_epoch(self, request: Place | Replace, now: datetime) -> None:
        epoch = int(request.tag.split("-")[1])
        if epoch < self.epoch:
            self.broken("I17", now, f"{request.tag} after epoch {self.epoch}")
        self.epoch = max(self.epoch, epoch)

    def _i22_rates(self, request: Request, now: datetime) -> None:
        self.total += 1
        if self.refused is not None and now < self.refused + LEAST_BACKOFF:
            self.broken("I22", now, f"{type(request).__name__} leaves {now - self.refused} after a 429")
        if isinstance(request, Cancel):
            return
        self.requests.append(now)
        while self.requests[0] <= now - MINUTE:
            self.requests.popleft()
        if len(self.requests) > BURST and self.requests[-BURST - 1] > now - SECOND:
            self.broken("I22", now, f"more than {BURST} requests in a second")
        if len(self.requests) > MINUTE_MOST:
            self.broken("I22", now, f"{len(self.requests)} requests in a minute")

    def _i27_fresh(self, request: Place | Replace, now: datetime) -> None:
        """Of a book that is older than what the broker shows nothing may follow.

        One that has made the very same orders again, under the same ids, is as old as what the broker shows,
        as long as it has posted none of them again: there are no two of any.
        """
        if isinstance(request, Place) and order_of(request.tag) in self.cut:
            self.posted_again.add(order_of(request.tag))
        lost = {
            id_
            for id_, order in self.cut.items()
            if id_ in self.posted_again or not _is_alike(order, self.regrown.get(id_))
        }
        tickets = [one for one in self.account.tickets.values() if order_of(one.tag) in lost]
        # What no search shows yet nobody can know of (F11).
        if not any(t.id in self._first_seen or t.entered < now - SHOWN_BY for t in tickets):
            return
        self.broken("I27", now, f"{request.tag} by a book older than what the broker shows")

    def _i31_as_decided(self, request: Place | Replace, order: Order, now: datetime) -> None:
        """Shape, size and price at the socket are those that were decided."""
        remedy = isinstance(request, Place) and bool(self._uneven_legs(order.id))
        decided_at = self.limits[order.id]
        tick = order.structure.tick
        # A limit of 0 has no effect at the broker: a tick stands for it.
        is_nothing = abs(request.limit) == tick and Decimal(0) in decided_at
        if request.limit not in decided_at and not remedy and not is_nothing:
            self.broken("I31", now, f"{request.tag} at {request.limit}, decided were {self.limits[order.id]}")
        if not isinstance(request, Place):
            return
        if not order.opens and not request.strict:
            self.broken("I3", now, f"{request.tag} closes without strict position effect")
        if remedy and self._is_remedy(request, order):
            return
        if request.opens != order.opens:
            self.broken("I3", now, f"{request.tag} says opens={request.opens}, decided was {order.opens}")
        decided = {leg.contract: leg.ratio for leg in order.structure.legs}
        asked = {leg.contract: leg.ratio * request.units for leg in request.legs}
        left = {c: r * order.units - self._filled(order.id, c) for c, r in decided.items()}
        for contract, quantity in asked.items():
            most = left.get(contract, 0)
            if quantity * most <= 0 or abs(quantity) > abs(most):
                self.broken("I31", now, f"{request.tag}: {quantity:+d} {contract}, left to do {most:+d}")

    def _is_remedy(self, request: Place, order: Order) -> bool:
        """Whether it brings uneven legs nearer to whole units, up or down, and nothing else."""
        mine = self._uneven_legs(order.id)
        done = {leg.contract: mine.get(leg.contract, 0) / leg.ratio for leg in order.structure.legs}
        low, high = min(done.values()), max(done.values())
        ratios = {leg.contract: leg.ratio for leg in order.structure.legs}
        lot = self.holdings.lots.get(order.position)
        if (
            lot is not None
            and not request.opens
            and self.account.floor.covers(request.legs, request.units)
            and self.holdings.excess(lot, request) > self.holdings.excess(lot)
        ):
            return False  # it sells what covers before it buys what is short (I9)
        for leg in request.legs:
            after = done[leg.contract] + leg.ratio * request.units / ratios[leg.contract]
            if not low <= after <= high:
                return False
        return True

    def _told(self, id_: str) -> dict[Contract, int]:
        """Contracts of an order that the venue shows to have traded: late prints come later (F22)."""
        told: dict[Contract, int] = {}
        for ticket in self.account.tickets.values():
            if order_of(ticket.tag) == id_:
                for one in ticket.told:
                    told[one.contract] = told.get(one.contract, 0) + one.quantity
        return told

    def _uneven_legs(self, id_: str) -> Mapping[Contract, int]:
        """What its legs have traded if that is uneven: as the venue shows it, or will show it; else nothing.

        A strict remedy of legs that only seem uneven is refused (T6).
        """
        for traded in (self._told(id_), self.holdings.by_order.get(id_, {})):
            legs = self.holdings.orders[id_].structure.legs
            if len({traded.get(leg.contract, 0) / leg.ratio for leg in legs}) > 1:
                return traded
        return {}

    def _filled(self, id_: str, contract: Contract) -> int:
        return self.holdings.by_order.get(id_, {}).get(contract, 0)

    def _alive(self, id_: str, now: datetime) -> str:
        """The tag of an attempt of that order that may still fill at the venue, or is on its way."""
        for ticket in self.account.floor.working.values():
            if order_of(ticket.tag) == id_:
                return ticket.tag
        on_its_way = self.evidence.travelling if now < SESSION.close else ()
        return next((tag for tag in on_its_way if order_of(tag) == id_ and self._may_arrive(tag)), "")

    def _may_arrive(self, tag: str) -> bool:
        """A replacement of what has ended is refused, whenever it arrives (T3)."""
        request = self.evidence.attempts[tag]
        if isinstance(request, Place):
            is_gone = not request.opens and not self.account.floor.covers(request.legs, request.units)
            return not is_gone and not self.evidence.was_repeated(request)
        target = self.account.tickets.get(request.order)
        return target is None or not target.is_over

    # ------------------------------------------------------------------ when an event is durable

    def recorded(self, event: ev.Event) -> None:  # noqa: C901, PLR0912 - one case per event
        if self.stale:
            if isinstance(event, ev.OrderSubmitted):
                self.regrown[event.order.id] = event.order
            elif isinstance(event, ev.OrderUnknown):
                self.doubted[event.order] = event.at  # whoever hears of it has heard of it (I24)
            elif isinstance(event, ev.OrderAccepted):
                self.doubted.pop(event.order, None)
            return
        match event:
            case ev.OrderSubmitted(_, order):
                self.holdings.orders[order.id] = order
                self.limits[order.id] = [order.limit]
                self.attempts[order.id] = 1
            case ev.OrderRepriced(_, id_, limit):
                self.limits[id_].append(limit)
                self.attempts[id_] += 1
            case ev.OrderRetried(_, id_, attempt):
                self.attempts[id_] = max(self.attempts[id_], attempt)
            case ev.OrderCancelled(at, id_) | ev.OrderRejected(at, id_) | ev.LegsUnwound(at, id_):
                self._let_go(id_, at)
            case ev.OrderUnknown(at, id_):
                self.doubted[id_] = at
            case ev.OrderAccepted(at, id_):
                if self.doubted.pop(id_, None) is not None and id_ in self.cancelling:
                    self.cancelling[id_] = at  # what was in doubt could not end before
            case ev.CancelRequested(at, id_):
                self.cancelling[id_] = at
            case ev.LegsUneven(_, id_, action):
                self.uneven_told.add(id_)
                if action == LEAVE:
                    self.left.add(id_)
                if action == REOPEN:
                    self.ended.pop(id_, None)
            case ev.OrderFilled(at, fill) | ev.LateFill(at, fill):
                self._i7_fill(fill, at)
            case ev.LevelChanged(at, "trading", _, after):
                self.level = after
            case _:
                return

    def _let_go(self, id_: str, now: datetime) -> None:
        """I5 and I6: what ends without more fills is dead at the venue, and something shows it."""
        self.ended[id_] = now
        self.cancelling.pop(id_, None)
        alive = self._alive(id_, now)
        if alive:
            self.broken("I5", now, f"order {id_} is over in the book, {alive} lives at the venue")
        for tag, request in self.evidence.attempts.items():
            if order_of(tag) == id_ and not self._shown_dead(tag, request):
                self.broken("I6", now, f"order {id_} is over in the book, nothing shows the end of {tag}")

    def _shown_dead(self, tag: str, request: Place | Replace) -> bool:
        if self.evidence.proof(tag):
            return True
        if isinstance(request, Place):
            return (
                self.evidence.was_repeated(request)
                or self.evidence.has_nothing_to_close(request)
                or self._has_been_made_even(request)
            )
        return self.evidence.cannot_replace(request)

    def _has_been_made_even(self, request: Place) -> bool:
        """Whether it is a remedy that a search missed, and the legs it was for are even without it.

        Should it arrive after all, the venue refuses it (T6).
        """
        id_ = order_of(request.tag)
        if id_ not in self.holdings.orders:
            return False  # of a journal that was put back
        legs = self.holdings.orders[id_].structure.legs
        told = self._told(id_)
        part = {leg.contract for leg in request.legs} < {leg.contract for leg in legs}
        is_even = len({told.get(leg.contract, 0) / leg.ratio for leg in legs}) == 1
        return not request.opens and part and is_even and request.tag in self.evidence.missed

    def _i7_fill(self, fill: Fill, now: datetime) -> None:
        """Every contract of a fill is one of an execution of that order, at its price, taken in once."""
        self.holdings_refresh(now)
        order = self.holdings.orders[fill.order]
        pieces = [piece for leg in fill.id.split("|") for piece in leg.split("+")]
        if self.holdings.units(order.id) >= order.units:
            self.cancelling.pop(order.id, None)
        for piece in pieces:
            id_, _, count = piece.rpartition(":")
            known = self.holdings.executions.get(id_)
            if known is None or known[0] != order.id:
                self.broken(
                    "I7", now, f"fill {fill.id} of {order.id}: the venue knows no execution {id_!r} of it"
                )
                continue
            self.consumed[id_] = self.consumed.get(id_, 0) + int(count)
            if self.consumed[id_] > abs(known[1].quantity):
                self.broken(
                    "I7",
                    now,
                    f"execution {id_} of {known[1].quantity} is taken in {self.consumed[id_]} times",
                )
        if self.holdings.units(order.id) < 0:
            self.broken("I7", now, f"order {order.id} has filled the wrong way")

    # ------------------------------------------------------------------ what is taken from the line

    def took(self, told: Told, now: datetime) -> None:
        if isinstance(told, Reply) and told.code == TOO_MANY:
            self.refused = now
        shown = told.orders if isinstance(told, Reply) else (told.order,) if isinstance(told, Report) else ()
        if not shown or shown is self._shown:
            shown = ()
        else:
            self._shown = shown
        for one in shown:
            if one.tag and self._faces.get(one.id) is not one:
                self._faces[one.id] = one
                self._first_seen.setdefault(one.id, now)
                self.fresh.add(order_of(one.tag))
        self.evidence.took(told, lambda tag: self._unknown(tag, now))

    def _unknown(self, tag: str, now: datetime) -> None:
        """Somebody must hear of it, unless they have heard that this order is in doubt already."""
        self.due.append((now, self.doubted.get(order_of(tag), now), tag))

    def reborn(self) -> None:
        """A new process knows nothing of what the one before was told."""
        self.evidence.reborn()
        self.refused = None
        self.known.clear()
        self._faces.clear()
        self._first_seen.clear()
        self._shown = ()
        self.ends_asked.clear()
        self.awake, self.ran = None, False
        for lot in self.holdings.lots.values():
            lot.lasted, lot.counts, lot.fresh = timedelta(0), False, True

    def i7_merges(self, courses: Mapping[str, Course], now: datetime) -> None:
        """What is shown of an order merges: no message takes an end or an execution back (F24)."""
        told, self.fresh = self.fresh, set()
        for id_ in sorted(told & courses.keys()):
            for attempt in courses[id_].attempts:
                if attempt.seen is None:
                    continue
                tag = attempt.seen.tag
                over, many = attempt.seen.status in ENDED, len(attempt.seen.executions)
                before = self.known.get(tag, (False, 0))
                if before[0] > over or before[1] > many:
                    text = f"{tag} was known to be over ({before[0]}) with {before[1]} executions"
                    self.broken("I7", now, f"{text}, and is taken for {over} with {many}")
                self.known[tag] = over, many

    # ------------------------------------------------------------------ after every simulated event

    def after(self, now: datetime, *, alive: bool) -> None:
        """``alive``: whether a process runs; a dead one alerts nobody."""
        self.holdings_refresh(now)
        self.awake = (self.awake or now) if alive else None
        if alive and not self.ran:
            self.started, self.ran = now, True  # it may have stood still from its first instant
        if not self.stale:
            self._i9_uncovered(now)
            self._i23_ends_are_asked_for(now)
        self._i24_alerts(now, alive=alive)

    def arrived(self, request: Request) -> None:
        """The venue has a request: it is on its way no more, whatever the answer."""
        if isinstance(request, Place | Replace):
            self.evidence.travelling.discard(request.tag)

    def cannot_be_even(self, id_: str, now: datetime) -> bool:
        """Whether an order's legs are known to be odd, and nobody can make them even before its day is over.

        The venue is closed before its time; or nobody bids for what would have to be sold.
        """
        if id_ not in self.uneven_told or not self.holdings.uneven(id_):
            return False
        return not self.account.floor.is_open(now) or self._is_unsaleable(id_, now)

    def stuck(self, now: datetime) -> set[Contract]:
        """The contracts of such orders: the book has none of their trades until they end."""
        odd = [id_ for id_ in sorted(self.uneven_told) if self.cannot_be_even(id_, now)]
        return {c for id_ in odd for c in self.holdings.orders[id_].structure.contracts}

    def _is_unsaleable(self, id_: str, now: datetime) -> bool:
        """Whether an opening is backed out of, or a close completed, by sales only, and nobody bids."""
        order, traded = self.holdings.orders[id_], self.holdings.by_order.get(id_, {})
        units = [traded.get(leg.contract, 0) // leg.ratio for leg in order.structure.legs]
        whole = min(units) if order.opens else max(units)
        left = {leg.contract: traded.get(leg.contract, 0) - whole * leg.ratio for leg in order.structure.legs}
        sold = [contract for contract, count in left.items() if count > 0]
        quotes = self.world.quotes(sold, now)
        return min(left.values()) >= 0 and all(quote is None or not quote.bid for quote in quotes)

    def i23_cancels_end(self, since: datetime, now: datetime) -> None:
        """A minute after the faults, or after it was asked for, what is to end has ended."""
        for id_, at in self.cancelling.items():
            if self.cannot_be_even(id_, now):
                continue
            in_doubt = id_ in self.doubted and self.heard.since(self.doubted[id_])
            if now < SESSION.close and not in_doubt and now - max(at, since) > MINUTE:
                self.broken("I23", now, f"order {id_} is to end since {at:%H:%M:%S} and has not")

    def _i23_ends_are_asked_for(self, now: datetime) -> None:
        """Every process asks for the end of what is to end, within a minute of seeing it work."""
        if self.awake is None or not self.cancelling or now >= SESSION.close:
            return
        for ticket in self.account.floor.working.values():
            id_, seen = order_of(ticket.tag), self._first_seen.get(ticket.id)
            at = self.cancelling.get(id_)
            if at is None or seen is None or id_ in self.doubted or self.holdings.uneven(id_):
                continue
            if ticket.status not in (Status.RECEIVED, Status.LIVE):
                continue  # it is being changed
            since = max(at, seen, self.awake)
            if now - since > MINUTE and ticket.id not in self.ends_asked:
                self.broken("I23", now, f"{ticket.tag} is to end since {at:%H:%M:%S} and nobody asks for it")

    def left_over(self, position: str) -> dict[Contract, int]:
        """What orders of a position traded that no fill of the book took, and that was given up."""
        found: dict[Contract, int] = {}
        for id_, one in self.holdings.executions.values():
            if id_ in self.left and self.holdings.orders[id_].position == position:
                side = 1 if one.quantity > 0 else -1
                count = one.quantity - side * self.consumed.get(one.id, 0)
                found[one.contract] = found.get(one.contract, 0) + count
        return {contract: count for contract, count in found.items() if count}

    def holdings_refresh(self, now: datetime) -> None:
        for ticket in self.account.floor.working.values():
            if order_of(ticket.tag) in self.ended and not self.stale:
                self.broken("I5", now, f"{ticket.tag} lives at the venue, the book let it go")
        if len(self.account.executions) == len(self.holdings.executions):
            return
        for ticket in self.account.tickets.values():
            id_ = order_of(ticket.tag)
            for one in self.holdings.learn(ticket.tag, ticket.true):
                self._i3_one_way(id_, one.contract, now)
                self._i7_not_over(id_, one.contract, now)

    def _i3_one_way(self, id_: str, contract: Contract, now: datetime) -> None:
        order = self.holdings.orders.get(id_)
        if order is None:
            return
        lot = self.holdings.lots[order.position]
        opened, closed = lot.opened.get(contract, 0), lot.closed.get(contract, 0)
        if closed and (opened * closed > 0 or abs(closed) > abs(opened)):
            self.broken("I3", now, f"{lot.id} {contract}: {opened:+d} opened, {closed:+d} closed")

    def _i7_not_over(self, id_: str, contract: Contract, now: datetime) -> None:
        order = self.holdings.orders.get(id_)
        if order is None:
            return
        most = next(leg.ratio for leg in order.structure.legs if leg.contract == contract) * order.units
        if abs(self._filled(id_, contract)) > abs(most):
            self.broken(
                "I7", now, f"order {id_} of {most:+d} {contract} filled {self._filled(id_, contract):+d}"
            )

    def _i9_uncovered(self, now: datetime) -> None:
        """Shorter than meant for half a minute at most; longer only halted and with a person told."""
        if self._counted != len(self.holdings.executions) or now > SESSION.close:
            self._counted = len(self.holdings.executions)
            for lot in self.holdings.lots.values():
                is_ours = not self.tampered & lot.opened.keys()
                bare = is_ours and now <= SESSION.close and self.holdings.excess(lot) > 0
                lot.bare_since = (lot.bare_since or now) if bare else None
                lot.known_since = lot.known_since if bare else None
                lot.saw = lot.saw if bare else None
                if not bare:
                    lot.lasted, lot.counts, lot.fresh = timedelta(0), False, True
        since_last, self._looked = now - (self._looked or now), now
        for lot in self.holdings.lots.values():
            if lot.bare_since is None:
                continue
            if self.awake is None:
                lot.tried, lot.counts = now, False  # no process runs that could do anything
                continue
            known = lot.known_since = lot.known_since or self._known(lot, now)
            # What nobody can be shown yet nobody can act on, and no process that does not run.
            known = None if known is None else self._seen(lot, max(known, self.started), now)
            age = timedelta(0) if known is None else now - known
            self.longest_bare = max(self.longest_bare, age)
            self._count(lot, known, since_last, now)
            halted = self.level == "HALTED" or self.halted is not None
            if age > LONGEST_BARE and not (halted and self.heard.since(lot.bare_since, ("critical",))):
                self.broken(
                    "I9",
                    now,
                    f"{lot.id} is uncovered for {age.total_seconds():.1f} s, not halted or nobody told",
                )

    def _count(self, lot: Lot, known: datetime | None, since_last: timedelta, now: datetime) -> None:
        """Adds up the time in which it could have been covered, and that in which nothing was tried.

        ``since_last``: since the last event, in which all was as it was then.
        """
        if lot.counts:
            lot.lasted += since_last
        possible = known is not None and self._can_cover(lot, now)
        if known is not None and lot.fresh:
            since = max(known, self.awake or known)
            lot.lasted, lot.fresh = now - since if possible else timedelta(0), False
        lot.counts = possible
        self.worst_bare = max(self.worst_bare, lot.lasted)
        if lot.lasted > LONGEST_BARE:
            seconds = lot.lasted.total_seconds()
            self.broken("I9", now, f"{lot.id} could have been covered for {seconds:.1f} s")
        if not possible and known is not None:
            lot.tried = now
        elif known is not None and self.awake is not None:
            self.worst_idle = max(self.worst_idle, now - max(known, self.awake, lot.tried or known))

    def _seen(self, lot: Lot, known: datetime, now: datetime) -> datetime | None:
        """``known``, unless the process has asked ever since and was not shown all: then when it was first.

        An order that searches do not show yet (F11) is not known to have filled.
        """
        asks = self.evidence.asks
        if self._is_shown(lot):
            lot.saw = lot.saw or now
            return known if lot.saw - known <= ANSWERED else lot.saw
        lot.saw = None
        asked = asks is not None and now - asks <= LONGEST_BARE + ALERT
        return None if asked else known

    def _is_shown(self, lot: Lot) -> bool:
        """Whether this process was shown all executions of that position."""
        for ticket in self._tickets(lot):
            face = self._faces.get(ticket.id)
            if ticket.told and (face is None or len(face.executions) < len(ticket.told)):
                return False
        return True

    def _can_cover(self, lot: Lot, now: datetime) -> bool:
        """Whether the venue would trade a marketable order for what is short: it is open and not halted,
        somebody takes the other side, its service answers, what is short has an ask to price it by, and no
        order whose end the venue does not get to binds these contracts.
        """
        floor, faults = self.account.floor, self.feed.faults
        if any(faults.during(what, now) for what in (*REFUSED_FOR_NOW, "no takers")) or not floor.trades(now):
            return False
        short = [c for c, n in lot.held().items() if n < 0]
        if any(q is None or q.ask is None for q in self.feed.quotes(short, now)):
            return False
        return not any(
            ticket.status is Status.CANCEL_REQUESTED and any(leg.contract in short for leg in ticket.legs)
            for ticket in floor.working.values()
            if not ticket.opens
        )

    def _tickets(self, lot: Lot) -> list[Ticket]:
        orders = self.holdings.orders
        mine = {id_ for id_, order in orders.items() if order.position == lot.id}
        return [ticket for ticket in self.account.tickets.values() if order_of(ticket.tag) in mine]

    def _known(self, lot: Lot, now: datetime) -> datetime | None:
        """Now, if the venue shows all that has traded for that position; late prints come later (F22)."""
        return None if any(len(t.told) < len(t.true) for t in self._tickets(lot)) else now

    def _i24_alerts(self, now: datetime, *, alive: bool) -> None:
        """An attempt of unknown fate, unless it is found at once or its order is in doubt already."""
        waits = []
        for at, doubted, tag in self.due:
            known = tag in self.evidence.shown or self._shown_dead(tag, self.evidence.attempts[tag])
            if known or not alive:
                continue
            if now < at + ALERT:
                waits.append((at, doubted, tag))
            elif not self.heard.since(min(doubted, self.doubted.get(order_of(tag), at))):
                self.broken("I24", now, f"{tag} is UNKNOWN since {at:%H:%M:%S}, nobody was told in time")
        self.due = waits


def _is_alike(one: Order, other: Order | None) -> bool:
    return other is not None and (one.structure, one.units, one.opens) == (
        other.structure,
        other.units,
        other.opens,
    )
