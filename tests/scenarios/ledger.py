"""An independent ledger in whole cents: integers only, none of the program's money arithmetic.

It reads the journal's facts (orders, fills, settlements) and keeps its own cash.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from tomking.domain import events as ev
from tomking.domain.contract import Future, Option
from tomking.domain.order import Order


def cents_half_even(dollars: Fraction) -> int:
    """Whole cents of an exact amount, halves to the even cent, in integers."""
    numerator, denominator = (dollars * 100).numerator, (dollars * 100).denominator
    floor, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and floor % 2):
        return floor + 1
    return floor


def exact_cents(dollars: Decimal) -> int:
    whole = Fraction(dollars) * 100
    assert whole.denominator == 1, f"{dollars} is no whole number of cents"
    return int(whole)


@dataclass
class Ledger:
    """Cash and holdings after every event."""

    cash: int = 0
    fees: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    held: dict[tuple[str, str], dict[Option | Future, int]] = field(default_factory=dict)
    """(position, role) -> contracts, signed."""

    def read(self, events: Iterable[ev.Event]) -> "Ledger":
        for event in events:
            match event:
                case ev.CashMoved(_, dollars, _):
                    self.cash += exact_cents(dollars)
                case ev.OrderSubmitted(_, order):
                    self.orders[order.id] = order
                case ev.OrderFilled(_, fill):
                    self._fill(self.orders[fill.order], fill.units, list(fill.leg_prices))
                    self._pay(fill.fees)
                case ev.Settled():
                    self._settle(event)
        return self

    def _pay(self, fees: Decimal) -> None:
        self.cash -= exact_cents(fees)
        self.fees += exact_cents(fees)

    def _fill(self, order: Order, units: int, prices: list[Decimal]) -> None:
        at = 0
        for part in order.parts:
            dollars = Fraction(0)
            holding = self.held.setdefault((order.position, part.role), {})
            for leg in part.structure.legs:
                size = Fraction(leg.contract.multiplier)
                dollars -= leg.ratio * units * Fraction(prices[at]) * size
                holding[leg.contract] = holding.get(leg.contract, 0) + leg.ratio * units
                at += 1
            self.cash += cents_half_even(dollars)

    def _settle(self, event: ev.Settled) -> None:
        holding = self.held[event.position, event.role]
        cents = delivered = 0
        for contract in event.expired:
            count = holding.pop(contract)
            assert isinstance(contract, Option)
            side = 1 if contract.right > 0 else -1
            value = max(Fraction(0), side * (Fraction(event.price) - Fraction(contract.strike)))
            size = Fraction(contract.multiplier)
            if contract.product in {"ES", "MES"} and value:
                cents += count * cents_half_even(-side * Fraction(contract.strike) * size)
                delivered += count * side
            else:
                cents += count * cents_half_even(value * size)
        for leg in event.delivered:
            holding[leg.contract] = holding.get(leg.contract, 0) + delivered
        assert cents == exact_cents(event.dollars), f"{event}"
        self.cash += cents
        self._pay(event.fees)
