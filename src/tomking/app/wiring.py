"""Which adapters are plugged in: the only place that knows a backtest from anything else."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tomking.adapters.latch import Latched
from tomking.adapters.lease import Lease
from tomking.app.locks import Mode, risk_for
from tomking.app.prepare.guards import PreparedRisk, PreparedStrategy, PreparedWire
from tomking.app.prepare.preparation import Preparation
from tomking.domain.book import Book
from tomking.domain.calendar import Sessions
from tomking.domain.eventcalendar import EventCalendar
from tomking.domain.events import Event
from tomking.domain.fees import fees
from tomking.domain.intent import Breach, Open, Refused, Urgency, Verdict
from tomking.domain.money import ZERO
from tomking.domain.order import Order
from tomking.domain.products import PRODUCTS
from tomking.domain.trading import Latch
from tomking.execution.comparing import Comparer
from tomking.execution.protocol import OrderDesk
from tomking.execution.wire import Wire
from tomking.kernel import Kernel, Parts, Risk
from tomking.kernel import Strategy as Asked
from tomking.ports import Broker, Journal, MarketData, Notifier
from tomking.risk.availability import PLACES, Place
from tomking.risk.desk import Desk
from tomking.risk.settings import Settings
from tomking.sim.broker import SimBroker
from tomking.sim.fills import Offer, at_the_mid, with_slippage
from tomking.view import LENIENT, View

Observe = Callable[[Book, Event], None]


class Silent:
    """The ``Notifier`` port of a backtest: everything worth telling is in the journal."""

    def notify(self, level: str, text: str, now: object) -> None:
        """Tells nobody."""


def backtest_kernel(
    *,
    strategies: tuple[Asked, ...],
    risk: Settings,
    places: Mapping[str, Place] | None = None,
    market: MarketData,
    sessions: Sessions,
    journal: Journal,
    events: EventCalendar = LENIENT,
    observe: Callable[[Book, Event], None] | None = None,
) -> Kernel:
    """A kernel on a simulated broker over ``market``; ``places`` are those of strategies from outside."""
    return Kernel(
        Parts(
            strategies=strategies,
            risk=Desk(risk, {**PLACES, **(places or {})}),
            market=market,
            broker=SimBroker(market, sessions, order_fees),
            journal=journal,
            notifier=Silent(),
            sessions=sessions,
            events=events,
            observe=observe,
        )
    )


def parity_kernel(
    *,
    strategies: tuple[Asked, ...],
    risk: Settings,
    places: Mapping[str, Place] | None = None,
    seen: MarketData,
    traded: MarketData,
    sessions: Sessions,
    journal: Journal,
    events: EventCalendar,
) -> Kernel:
    """A backtest's kernel that sees one market and trades on another: on the venue's own, as a broker's does.

    Its broker knows of an order what a venue is told of it: not how urgent it is.
    """
    return Kernel(
        Parts(
            strategies=strategies,
            risk=Desk(risk, {**PLACES, **(places or {})}),
            market=seen,
            broker=SimBroker(traded, sessions, order_fees, pricing=as_a_venue),
            journal=journal,
            notifier=Silent(),
            sessions=sessions,
            events=events,
        )
    )


def as_a_venue(offer: Offer) -> Decimal | None:
    """The price of D.7 for an order of which only is known whether it opens."""
    urgency = Urgency.ENTRY if offer.order.opens else Urgency.RULE
    return with_slippage(replace(offer, order=replace(offer.order, urgency=urgency)))


def frictionless_kernel(
    *,
    strategy: Asked,
    risk: Risk,
    market: MarketData,
    sessions: Sessions,
    journal: Journal,
    observe: Callable[[Book, Event], None] | None = None,
) -> Kernel:
    """A kernel that trades at the mids and pays no fees, as the rules of an index count (decision 501)."""
    return Kernel(
        Parts(
            strategies=(strategy,),
            risk=risk,
            market=market,
            broker=SimBroker(market, sessions, no_fees, pricing=at_the_mid, exercise=ZERO),
            journal=journal,
            notifier=Silent(),
            sessions=sessions,
            observe=observe,
        )
    )


@dataclass(frozen=True, slots=True)
class Trading:
    """A kernel on a broker's line, and the parts of it that others look at."""

    kernel: Kernel
    orders: OrderDesk
    comparer: Comparer
    risk: Desk
    instance: str
    """Eight hex digits: whose orders these are."""


def paper_risk(settings: Settings, *, on_a_model: bool) -> Settings:
    """The risk settings of paper trading.

    A sandbox on the modelled market begins without a past, as a backtest does: there the sizes follow net liq
    if the settings say so.  On a broker's market full-size contracts are earned (decision 208).
    """
    human = risk_for(settings, Mode.PAPER)
    return replace(human, phase_gating=settings.phase_gating) if on_a_model else human


def line_risk(settings: Settings, mode: Mode, *, on_a_model: bool) -> Settings:
    """The risk settings of paper, or of real orders: in a sandbox sizes follow net liq for both."""
    if mode is Mode.PAPER:
        return paper_risk(settings, on_a_model=on_a_model)
    human = risk_for(settings, mode)
    return replace(human, phase_gating=settings.phase_gating) if on_a_model else human


@dataclass(frozen=True, slots=True)
class LineDesk(Desk):
    """The risk system on a broker's account: nothing is opened where book and broker differ."""

    differing: Callable[[], Collection[str]] = tuple
    """Families of the last look."""

    def judge(
        self, wish: Open, book: Book, view: View, net_liq: Decimal, said: Collection[str] = ()
    ) -> Verdict:
        family = PRODUCTS[wish.product].family
        if family in self.differing():
            return Refused(wish, (Breach("SYS", "reconciliation", f"book and broker differ on {family}"),))
        # Named, as slotted dataclasses have no bare super().
        return Desk.judge(self, wish, book, view, net_liq, said)


def line_kernel(
    *,
    strategies: tuple[Asked, ...],
    risk: Settings,
    places: Mapping[str, Place] | None = None,
    market: MarketData,
    sessions: Sessions,
    wire: Wire,
    latch: Callable[[], Latch],
    lease: Lease,
    instance: str,
    may_open: Callable[[datetime], str | None],
    journal: Journal,
    notifier: Notifier,
    book: Book,
    events: EventCalendar = LENIENT,
    observe: Callable[[Book, Event], None] | None = None,
    preparation: Preparation | None = None,
) -> Trading:
    """A kernel whose orders go over ``wire``, behind the latch, fenced by the lease.

    may_open  what else may forbid openings, in words (the program is ending, the clock is wrong)
    book      the fold of ``journal``
    preparation  holds openings until they are approved; None: they go out as they are decided
    """
    comparer = Comparer(instance, lease.epoch)

    def allowed(now: datetime) -> str | None:
        said = latch()
        if not said.opens:
            return said.words
        if not lease.is_held():
            return "the trading lease is not ours any more: another process trades this account"
        return may_open(now) or comparer.hold()

    latched: Wire = Latched(wire, latch)
    orders = OrderDesk(
        latched if preparation is None else PreparedWire(latched, preparation, book),
        instance=instance,
        epoch=lease.epoch,
        sessions=sessions,
        market=market,
        may_open=allowed,
        compare=comparer,
        born=book.sequence,
    )
    desk = LineDesk(risk, {**PLACES, **(places or {})}, lambda: comparer.answer.families)
    risk_asked: Risk = desk
    if preparation is not None:
        strategies = tuple(PreparedStrategy(one, preparation) for one in strategies)
        risk_asked = PreparedRisk(desk, preparation)
        observe = _both(preparation.follow, observe)
    parts = Parts(
        strategies=strategies,
        risk=risk_asked,
        market=market,
        broker=orders,
        journal=journal,
        notifier=notifier,
        sessions=sessions,
        events=events,
        observe=observe,
    )
    return Trading(Kernel(parts, book), orders, comparer, desk, instance)


def _both(first: Observe, second: Observe | None) -> Observe:
    def observe(book: Book, event: Event) -> None:
        first(book, event)
        if second is not None:
            second(book, event)

    return observe


def simulated_broker(market: MarketData, sessions: Sessions) -> Broker:
    """A fresh simulated broker, as after a restart: it knows no order."""
    return SimBroker(market, sessions, order_fees)


def no_fees(_order: Order, _units: int) -> Decimal:
    """Dollars: none."""
    return ZERO


def order_fees(order: Order, units: int) -> Decimal:
    """Dollars of commission and fees for filling ``units`` of an order."""
    return fees(order.structure, units, opens=order.opens)
