"""An independent ledger in whole cents: integers only, none of the program's money arithmetic.

It reads the journal's facts (orders, fills, settlements) and keeps its own cash and holdings.  What a
settlement paid it works out again from the contracts and the settlement price, and refuses a difference.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Self

from tomking.domain import events as ev
from tomking.domain.contract import Contract, Option
from tomking.domain.order import Order

ON_FUTURES = frozenset({"ES", "MES"})
"""Options that leave the future behind when they are exercised."""
DELIVERED = ON_FUTURES | {"GC", "SPY"}
"""Those and the ones that leave shares."""

Holdings = dict[tuple[str, str], dict[Contract, int]]
"""(position, role) -> contracts, signed, without zeros."""


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
    orders: dict[str, Order] = field(default_factory=dict[str, Order])
    held: Holdings = field(default_factory=Holdings)

    def read(self, events: Iterable[ev.Event]) -> Self:
        for event in events:
            self.take(event)
        return self

    def take(self, event: ev.Event) -> None:
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
            case _:
                return  # decisions and states move no money

    def holdings(self) -> Holdings:
        """What is held now; nothing that adds up to zero."""
        some = {key: {c: n for c, n in held.items() if n} for key, held in self.held.items()}
        return {key: held for key, held in some.items() if held}

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
        assert at == len(prices), f"{order.id}: {len(prices)} prices for {at} legs"

    def _settle(self, event: ev.Settled) -> None:
        holding = self.held[event.position, event.role]
        cents = delivered = 0
        for contract in event.expired:
            count = holding.pop(contract)
            assert isinstance(contract, Option)
            side = 1 if contract.right > 0 else -1
            value = max(Fraction(0), side * (Fraction(event.price) - Fraction(contract.strike)))
            size = Fraction(contract.multiplier)
            if contract.product in DELIVERED and value:
                cents += count * cents_half_even(-side * Fraction(contract.strike) * size)
                delivered += count * side
            else:
                cents += count * cents_half_even(value * size)
        what = {leg.contract for leg in event.delivered}
        assert len(what) == (1 if event.delivered else 0), f"one expiry, one future or share: {event}"
        assert what or not delivered, f"{delivered} contracts were not delivered: {event}"
        for contract in what:
            holding[contract] = holding.get(contract, 0) + delivered
        assert cents == exact_cents(event.dollars), f"{cents} cents by the ledger: {event}"
        self.cash += cents
        self._pay(event.fees)
