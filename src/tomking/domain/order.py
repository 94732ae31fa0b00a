"""An order: whole units of one structure at a net limit, and what became of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tomking.domain.intent import Part, Target, Urgency
from tomking.domain.kept import by_identity
from tomking.domain.money import ZERO, cents
from tomking.domain.structure import Structure


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent.  ``execution.plan`` makes it: openings from an ``Approved`` only."""

    id: str
    """From the journal's sequence number: the same after a restart, never used twice."""
    strategy: str
    position: str
    parts: tuple[Part, ...]
    """As traded: for a closing order the components' legs are inverted."""
    units: int
    limit: Decimal
    """Net points per unit, credit positive: fills at this or better."""
    floor: Decimal | None
    """The limit never goes below this net: for an entry the least it is worth having at, for an exit
    the least the structure can be worth at expiry (nobody pays to be rid of an asset); None: no such."""
    opens: bool
    urgency: Urgency
    reason: str
    trigger: str
    targets: tuple[Target, ...] = ()
    defends: bool = False
    margin: Decimal = Decimal(0)
    """Dollars the gate reserved for it."""
    planned_loss: Decimal = Decimal(0)
    """Points per unit at the planned stop."""

    def priced(self, limit: Decimal) -> "Order":
        """The same order at a limit."""
        return replace(self, limit=limit)

    @property
    def entry_key(self) -> str:
        """What one try and one retry a session are counted by: the entry, per position it joins."""
        return self.trigger if self.position == self.id else f"{self.trigger}@{self.position}"

    @property
    def structure(self) -> Structure:
        return self.parts[0].structure if len(self.parts) == 1 else _joined(self)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(part.role for part in self.parts)


@by_identity
def _joined(order: Order) -> Structure:
    legs = tuple(leg for part in order.parts for leg in part.structure.legs)
    return Structure(order.trigger, legs)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution report: whole units, with a price for every leg."""

    id: str
    """The venue's execution id: a repeated report is ignored by it."""
    order: str
    at: datetime
    units: int
    leg_prices: tuple[Decimal, ...]
    """Points, in the order of ``order.structure.legs``."""
    fees: Decimal
    """Dollars for all units, >= 0, to the cent."""
    leg_mids: tuple[Decimal, ...] = ()
    """Mids of the legs at that moment where they were seen: what slippage is measured from."""


@dataclass(frozen=True, slots=True)
class Working:
    """An order that has not ended."""

    order: Order
    since: datetime
    """When it was first submitted."""
    limit: Decimal
    """Its present limit."""
    filled: int = 0
    """Units."""
    cancelling: bool = False
    attempt: int = 1
    """The last attempt that is durable: the first, each new limit and each repetition are one."""
    fills: tuple[str, ...] = ()
    """Ids of its own fills: which executions are booked already."""
    fees: Decimal = ZERO
    """Dollars booked with them."""
    doubt: datetime | None = None
    """Since when its fate is unknown; None: it is known."""
    parked: bool = False
    """Unknown for too long: a person was told."""
    refused: datetime | None = None
    """When it was refused; None: it was not."""


def part_nets(order: Order, fill: Fill) -> list[Decimal]:
    """Points per unit that each part of ``order`` received, in part order."""
    prices = iter(fill.leg_prices)
    return [part.structure.net([next(prices) for _ in part.structure.legs]) for part in order.parts]


def part_slippages(order: Order, fill: Fill) -> list[Decimal]:
    """Dollars each part gave away against the mids at the fill (> 0 is a cost); 0 where unseen."""
    if not fill.leg_mids:
        return [Decimal(0)] * len(order.parts)
    mids = iter(fill.leg_mids)
    fair = [part.structure.net([next(mids) for _ in part.structure.legs]) for part in order.parts]
    return [
        cents((mid - net) * fill.units * part.structure.multiplier)
        for mid, net, part in zip(fair, part_nets(order, fill), order.parts, strict=True)
    ]


def part_dollars(order: Order, fill: Fill) -> list[Decimal]:
    """Cash each part received before fees, rounded once here, half-even, to the cent."""
    return [
        cents(net * fill.units * part.structure.multiplier)
        for part, net in zip(order.parts, part_nets(order, fill), strict=True)
    ]


def part_fees(order: Order, fill: Fill) -> list[Decimal]:
    """The fill's fees by part, by number of contracts; the last part takes the odd cents."""
    weights = [part.structure.contracts_per_unit for part in order.parts]
    shares = [cents(fill.fees * weight / sum(weights)) for weight in weights[:-1]]
    return [*shares, fill.fees - sum(shares, Decimal(0))]
