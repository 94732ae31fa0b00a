"""A structure: the named set of legs that is one unit, and what it can pay or cost.

Sign rule of the whole program: prices are points per unit, positive is a credit to us,
negative a debit.  Selling a leg (ratio < 0) at 3.00 adds +3.00 to the net.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import gcd
from typing import Self

from tomking.domain.contract import Contract, Option, Right, parse_contract
from tomking.domain.kept import by_identity
from tomking.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Leg:
    """A contract and how many of it one unit buys (> 0) or sells (< 0)."""

    contract: Contract
    ratio: int

    def __str__(self) -> str:
        return f"{self.ratio:+d} {self.contract}"

    @property
    def is_short(self) -> bool:
        return self.ratio < 0


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Structure:
    """One unit.  All legs share multiplier and tick (an adjusted contract never mixes in)."""

    name: str
    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        assert self.legs, "a structure has legs"
        assert all(leg.ratio for leg in self.legs), "a leg has a ratio"
        sizes = {(leg.contract.multiplier, leg.contract.tick) for leg in self.legs}
        assert len(sizes) == 1, f"legs of different size: {self}"

    def __str__(self) -> str:
        return " / ".join(map(str, self.legs))

    @classmethod
    def parse(cls, name: str, text: str) -> Self:
        """``Structure.parse("put spread", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")``."""
        return cls(name, tuple(_parse_leg(part) for part in text.split(" / ")))

    @property
    def multiplier(self) -> Decimal:
        """Dollars per point."""
        return self.legs[0].contract.multiplier

    @property
    def tick(self) -> Decimal:
        """Grid of net prices, points: the broker prices the smallest unit, so two like contracts a unit move
        by two ticks.
        """
        return self.legs[0].contract.tick * gcd(*[leg.ratio for leg in self.legs])

    @property
    def product(self) -> str:
        return self.legs[0].contract.product

    @property
    def contracts(self) -> tuple[Contract, ...]:
        return _contracts(self)

    @property
    def contracts_per_unit(self) -> int:
        """What commissions are counted by."""
        return sum(abs(leg.ratio) for leg in self.legs)

    def inverse(self) -> "Structure":
        """What closes it."""
        return Structure(self.name, tuple(Leg(leg.contract, -leg.ratio) for leg in self.legs))

    def net(self, prices: Sequence[Decimal]) -> Decimal:
        """Points received for trading one unit at these leg prices (in leg order)."""
        return sum((-leg.ratio * p for leg, p in zip(self.legs, prices, strict=True)), ZERO)

    def payoff(self, settle: Decimal) -> Decimal:
        """Points one held unit is worth at expiry, all legs expiring at ``settle``."""
        return sum((leg.ratio * _worth(leg.contract, settle) for leg in self.legs), ZERO)

    def max_loss(self, net: Decimal) -> Decimal | None:
        """The most one unit opened for ``net`` can lose at expiry, points >= 0; None: unbounded."""
        least = self.least_payoff()
        return None if least is None else max(ZERO, -(net + least))

    def least_payoff(self) -> Decimal | None:
        """The least one held unit can be worth at expiry, points; None: unbounded.

        The payoff is piecewise linear: its least value is at 0, at a strike, or, when more
        calls (futures, shares) are sold than bought, nowhere.  Puts end at an index of zero.
        """
        upward = sum(leg.ratio for leg in self.legs if _rises_without_end(leg.contract))
        if upward < 0:
            return None
        kinks = [ZERO, *(leg.contract.strike for leg in self.legs if isinstance(leg.contract, Option))]
        return min(self.payoff(kink) for kink in kinks)

    @property
    def has_short_leg(self) -> bool:
        return any(leg.is_short for leg in self.legs)


@by_identity
def _contracts(structure: Structure) -> tuple[Contract, ...]:
    """The same tuple each time: markets know by it what they were asked before."""
    return tuple([leg.contract for leg in structure.legs])


def merged(name: str, structures: Sequence[Structure]) -> Structure:
    """Several structures as one order: legs in their order, the same contract added up."""
    ratios: dict[Contract, int] = {}
    for structure in structures:
        for leg in structure.legs:
            ratios[leg.contract] = ratios.get(leg.contract, 0) + leg.ratio
    return Structure(name, tuple(Leg(c, r) for c, r in ratios.items() if r))


def _worth(contract: Contract, settle: Decimal) -> Decimal:
    return contract.intrinsic(settle) if isinstance(contract, Option) else settle


def _rises_without_end(contract: Contract) -> bool:
    return not isinstance(contract, Option) or contract.right is Right.CALL


def _parse_leg(text: str) -> Leg:
    ratio, _, contract = text.strip().partition(" ")
    return Leg(parse_contract(contract), int(ratio))
