"""A desk on a wire that says what a test tells it to say."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from tests.worlds import FRIDAY, ScriptedMarket, at, weekdays

from tomking.domain import events as ev
from tomking.domain.book import Book, apply
from tomking.domain.contract import Contract
from tomking.domain.intent import Part, Urgency
from tomking.domain.order import Order
from tomking.domain.structure import Leg, Structure
from tomking.execution.protocol import OrderDesk
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    DryRun,
    Execution,
    FindOrders,
    FindPositions,
    FindTransactions,
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
    Transaction,
)
from tomking.kernel.alarm import is_new

SPREAD = Structure.parse("put side", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
SHORT, LONG = SPREAD.contracts
START = at("10:30")
INSTANCE = "0badcafe"
MIDS = {SHORT: 9.0, LONG: 4.0}


R = TypeVar("R", Place, Replace, Cancel, FindOrders, FindPositions, FindTransactions)


def second(count: float) -> datetime:
    """So many seconds after 10:30."""
    return START + timedelta(seconds=count)


def order(**changes: object) -> Order:
    """Sells two put spreads for 5.00."""
    plain = Order(
        id="7",
        strategy="friday",
        position="7",
        parts=(Part("put side", SPREAD),),
        units=2,
        limit=Decimal("5.00"),
        floor=None,
        opens=True,
        urgency=Urgency.ENTRY,
        reason="test",
        trigger="condor",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def closing(**changes: object) -> Order:
    """Buys the two back for 5.00."""
    parts = (Part("put side", SPREAD.inverse()),)
    plain = {"id": "20", "parts": parts, "limit": Decimal("-5.00"), "opens": False, "urgency": Urgency.RULE}
    return order(**{**plain, **changes})


def execution(id_: str, leg: Leg, count: int, price: str, when: float = 1) -> Execution:
    """``count`` units of a leg."""
    return Execution(id_, leg.contract, leg.ratio * count, Decimal(price), second(when))


def both(count: int, prefix: str = "x", when: float = 1, *, of: Structure = SPREAD) -> tuple[Execution, ...]:
    """``count`` whole units of the spread at 9.00 and 4.00."""
    prices = {SHORT: "9.00", LONG: "4.00"}
    return tuple(
        execution(f"{prefix}{n}", leg, count, prices[leg.contract], when) for n, leg in enumerate(of.legs)
    )


@dataclass
class ScriptedWire:
    """The ``Wire`` that keeps what it is sent and gives what it is told."""

    sent: list[tuple[datetime, Request]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def send(self, request: Request, now: datetime) -> None:
        self.sent.append((now, request))

    def take(self, now: datetime) -> list[Told]:
        told, self.told = self.told, []
        return told

    def all(self, kind: type[R]) -> list[R]:
        return [request for _, request in self.sent if isinstance(request, kind)]


@dataclass
class World:
    """A desk, a book fed by its news, and a broker in the hands of the test."""

    epoch: int = 3
    mids: dict[Contract, float] = field(default_factory=lambda: dict(MIDS))
    book: Book = field(default_factory=lambda: Book(sequence=100, cash=Decimal(100_000)))
    wire: ScriptedWire = field(default_factory=ScriptedWire)
    news: list[ev.BrokerNews] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    held: tuple[tuple[object, int], ...] = ()
    now: datetime = START

    def __post_init__(self) -> None:
        self.desk = self.new_desk()
        self.answered = 0

    def new_desk(self) -> OrderDesk:
        market = ScriptedMarket(lambda contract, _: self.mids.get(contract))
        return OrderDesk(
            self.wire,
            instance=INSTANCE,
            epoch=self.epoch,
            sessions=weekdays(FRIDAY, 5),
            market=market,
            **self.options,  # type: ignore[arg-type]
        )

    def restart(self) -> None:
        """The process is gone and another begins with the book alone; what was asked is not answered."""
        self.answered = len(self.wire.sent)
        self.wire.told.clear()
        self.epoch += 1
        self.desk = self.new_desk()

    def record(self, event: ev.Event) -> None:
        self.book = apply(self.book, event)

    def step(self, when: float) -> list[ev.BrokerNews]:
        """As the kernel does: what is new is recorded; what is durable may go out."""
        self.now = second(when)
        fresh: list[ev.BrokerNews] = []
        while True:
            told = self.desk.news(self.book, self.now)
            for one in told:
                if self._is_new(one):
                    self.record(one)
                    fresh.append(one)
            if not any(isinstance(one, ev.OrderRetried) for one in told):
                break
        self.news += fresh
        return fresh

    def _is_new(self, one: ev.BrokerNews) -> bool:
        if isinstance(one, ev.OrderFilled):
            return (
                one.fill.order in self.book.orders
                and one.fill.id not in self.book.orders[one.fill.order].fills
            )
        if isinstance(one, ev.OrderAccepted | ev.OrderCancelled | ev.OrderRejected):
            return one.order in self.book.orders
        return is_new(self.book, one)

    def submit(self, order: Order, when: float = 0) -> None:
        self.now = second(when)
        self.record(ev.OrderSubmitted(self.now, order))
        self.desk.submit(order, self.now)

    def reprice(self, id_: str, limit: str, when: float) -> None:
        self.now = second(when)
        self.record(ev.OrderRepriced(self.now, id_, Decimal(limit)))
        self.desk.reprice(id_, Decimal(limit), self.now)

    def cancel(self, id_: str, when: float) -> None:
        self.now = second(when)
        self.record(ev.CancelRequested(self.now, id_, "test"))
        self.desk.cancel(id_, self.now)

    # ---------------------------------------------------------------- the broker's side

    def last(self, kind: type[R]) -> R:
        return self.wire.all(kind)[-1]

    def shown(
        self,
        request: Place | Replace,
        status: Status = Status.LIVE,
        executions: tuple[Execution, ...] = (),
        *,
        units: int = 2,
        fees: str = "0",
        legs: tuple[Leg, ...] = SPREAD.legs,
        id_: str = "",
    ) -> BrokerOrder:
        place = isinstance(request, Place)
        return BrokerOrder(
            id=id_ or f"B{request.tag.rpartition('-')[2]}",
            tag=request.tag,
            status=status,
            legs=request.legs if isinstance(request, Place) else legs,
            units=request.units if isinstance(request, Place) else units,
            limit=request.limit,
            executions=executions,
            fees=Decimal(fees),
            replaces=None if place else request.order,  # type: ignore[union-attr]
        )

    def reply(self, request: Request, outcome: Outcome, *orders: BrokerOrder, **more: str) -> None:
        self.wire.told.append(Reply(request.key, self.now, outcome, tuple(orders), **more))  # type: ignore[arg-type]

    def report(self, order: BrokerOrder) -> None:
        self.wire.told.append(Report(self.now, order))

    def line(self, *, up: bool) -> None:
        self.wire.told.append(Line(self.now, up))

    def answer_searches(self, *orders: BrokerOrder, transactions: tuple[Transaction, ...] = ()) -> None:
        """Answers every search that was not answered yet with the account as the test has it."""
        for _, request in self.wire.sent[self.answered :]:
            match request:
                case FindOrders():
                    self.reply(request, Outcome.ACCEPTED, *orders)
                case FindPositions():
                    held = Positions(self.held, Decimal(100_000))  # type: ignore[arg-type]
                    self.wire.told.append(Reply(request.key, self.now, Outcome.ACCEPTED, positions=held))
                case FindTransactions():
                    told = Reply(request.key, self.now, Outcome.ACCEPTED, transactions=transactions)
                    self.wire.told.append(told)
                case Place() | Replace() | Cancel() | DryRun():
                    continue
        self.answered = len(self.wire.sent)

    def synced(self) -> "World":
        """Half a minute into its life: the account was read, the budget has filled."""
        self.run(-30, -1)
        self.answer_searches()
        self.step(-0.5)
        return self

    def run(self, first: int, last: int, *orders: BrokerOrder) -> None:
        """Steps every second and answers every search at once."""
        for when in range(first, last + 1):
            self.step(when)
            self.answer_searches(*orders)

    def kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.news]
