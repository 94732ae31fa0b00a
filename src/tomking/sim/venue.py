"""An order at the venue: what is true of it, and what is shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import gcd

from tomking.domain.intent import Part, Urgency
from tomking.domain.money import ZERO
from tomking.domain.order import Order
from tomking.domain.structure import Leg, Structure, merged
from tomking.execution.wire import ENDED, BrokerOrder, Execution, Status
from tomking.sim.ledger import Versions


@dataclass(slots=True, eq=False)
class Ticket:
    """One order at the venue."""

    order: Order
    tag: str
    opens: bool
    """Position effect as the venue holds it: a close that is not strict may have become an opening (T6)."""
    rests_overnight: bool
    entered: datetime
    replaces: str | None = None
    status: Status = Status.RECEIVED
    """The one shown."""
    reason: str = ""
    filled: int = 0
    """Units traded, shown or not."""
    is_over: bool = False
    """Nothing more of it can trade, whatever is shown."""
    replacement: "Ticket | None" = None
    """What waits for its end."""
    ended: datetime | None = None
    true: list[Execution] = field(default_factory=list)
    told: tuple[Execution, ...] = ()
    fees: Decimal = ZERO
    """Of what is told."""
    shown: Versions[BrokerOrder] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = Versions(self._face())

    @property
    def id(self) -> str:
        return self.order.id

    @property
    def legs(self) -> tuple[Leg, ...]:
        return self.order.structure.legs

    @property
    def left(self) -> int:
        """Units that may still trade."""
        return 0 if self.is_over else self.order.units - self.filled

    @property
    def is_ended(self) -> bool:
        """Whether it is shown to work no more."""
        return self.status in ENDED

    def show(self, at: datetime) -> BrokerOrder:
        """Makes what is true of status and told executions visible; the object as shown from now."""
        face = self._face()
        self.shown.add(at, face)
        if self.is_ended and self.ended is None:
            self.ended = at
        return face

    def _face(self) -> BrokerOrder:
        """In the smallest units, as brokers show it: 8 of two contracts are 16 of one, at half the price."""
        legs = self.order.structure.legs
        terms = gcd(*(leg.ratio for leg in legs))
        return BrokerOrder(
            self.order.id,
            self.tag,
            self.status,
            legs if terms == 1 else tuple(Leg(leg.contract, leg.ratio // terms) for leg in legs),
            self.order.units * terms,
            self.order.limit / terms if terms > 1 else self.order.limit,
            self.told,
            self.fees,
            self.replaces,
            self.reason,
        )


def order_of(id_: str, legs: tuple[Leg, ...], units: int, limit: Decimal, *, opens: bool) -> Order:
    """A wire order in the words of ``SimBroker``.

    A close has its floor, the least that what it ends can be worth at expiry, as ``execution.plan`` sets it.
    """
    structure = Structure("", legs)
    return Order(
        id=id_,
        strategy="",
        position="",
        parts=(Part("", structure),),
        units=units,
        limit=limit,
        floor=None if opens else merged("", [structure.inverse()]).least_payoff(),
        opens=opens,
        urgency=Urgency.ENTRY if opens else Urgency.RULE,
        reason="",
        trigger="",
    )


def executions_of(
    order: Order, units: int, prices: Iterable[Decimal], at: datetime, name: Callable[[], str]
) -> list[list[Execution]]:
    """The executions of so many units, by leg."""
    return [
        [Execution(name(), leg.contract, leg.ratio * units, price, at)]
        for leg, price in zip(order.structure.legs, prices, strict=True)
    ]


def split(one: Execution, name: Callable[[], str]) -> list[Execution]:
    """The same contracts in two executions, a tick apart where they are even: worth the same together."""
    if abs(one.quantity) < 2:
        return [one]
    side = 1 if one.quantity > 0 else -1
    half = abs(one.quantity) // 2
    tick = one.contract.tick if abs(one.quantity) % 2 == 0 and one.price >= one.contract.tick else ZERO
    first = Execution(one.id, one.contract, side * half, one.price + tick, one.at)
    rest = one.quantity - side * half
    return [first, Execution(name(), one.contract, rest, one.price - tick, one.at)]
