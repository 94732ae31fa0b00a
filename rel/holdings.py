"""What the account truly holds of each position of ours, told apart by the tags of the orders that filled.

Executions belong to an order through its tag, and to a position through what the journal says of the order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tomking.domain.contract import Contract, Option
from tomking.domain.order import Order
from tomking.domain.structure import Leg
from tomking.execution.wire import Execution, Place


def order_of(tag: str) -> str:
    """The order that a tag ``<inst8>-<epoch>-<order>-<attempt>`` is of; empty when it is none of ours."""
    parts = tag.split("-")
    return parts[2] if len(parts) == 4 else ""


def attempt_of(tag: str) -> int:
    return int(tag.split("-")[3])


def uncovered(held: Mapping[Contract, int]) -> int:
    """Short options that no long one of the same right, living as long, covers."""
    naked = 0
    sides = {(c.product, c.right) for c in held if isinstance(c, Option)}
    for side in sides:
        mine = [
            (c, n) for c, n in held.items() if isinstance(c, Option) and (c.product, c.right) == side and n
        ]
        free = 0
        # From the longest-lived on: what is bought covers what expires with it or before it.
        for contract, count in sorted(mine, key=lambda one: (one[0].expiry, one[1]), reverse=True):
            assert isinstance(contract, Option)
            free += count
            if free < 0:
                naked, free = naked - free, 0
    return naked


def naked_per_unit(legs: Iterable[Leg]) -> int:
    return uncovered({leg.contract: leg.ratio for leg in legs})


@dataclass
class Lot:
    """One position of ours at the venue."""

    id: str
    opened: dict[Contract, int] = field(default_factory=dict)
    """By opening executions, signed."""
    closed: dict[Contract, int] = field(default_factory=dict)
    """By closing executions, signed the other way."""
    bare_since: datetime | None = None
    """Since when it is shorter than it was meant to be."""
    known_since: datetime | None = None
    """Since when the venue shows it so to whoever asks."""
    saw: datetime | None = None
    """When the process that runs was first shown it."""
    lasted: timedelta = timedelta(0)
    """How long it could have been covered and was not, by the process that runs."""
    counts: bool = False
    """Whether the time that passes now is of that."""
    fresh: bool = True
    """Whether none has been counted yet."""
    tried: datetime | None = None
    """When something was last sent that covers it, or when nothing could be."""

    def held(self) -> dict[Contract, int]:
        return {c: n + self.closed.get(c, 0) for c, n in self.opened.items() if n + self.closed.get(c, 0)}


@dataclass
class Holdings:
    """All lots, brought up to date from the account's orders."""

    orders: dict[str, Order] = field(default_factory=dict)
    """Every order the journal knows, by id."""
    lots: dict[str, Lot] = field(default_factory=dict)
    by_order: dict[str, dict[Contract, int]] = field(default_factory=dict)
    executions: dict[str, tuple[str, Execution]] = field(default_factory=dict)
    """Execution id to the order's id and itself."""

    def learn(self, tag: str, executions: Iterable[Execution]) -> list[Execution]:
        """Those of an order's executions that were not known before."""
        fresh = [one for one in executions if one.id not in self.executions]
        id_ = order_of(tag)
        order = self.orders.get(id_)
        for one in fresh:
            self.executions[one.id] = (id_, one)
            if order is None:
                continue
            mine = self.by_order.setdefault(id_, {})
            mine[one.contract] = mine.get(one.contract, 0) + one.quantity
            lot = self.lots.setdefault(order.position, Lot(order.position))
            side = lot.opened if order.opens else lot.closed
            side[one.contract] = side.get(one.contract, 0) + one.quantity
        return fresh

    def excess(self, lot: Lot, then: Place | None = None) -> int:
        """How many more options it is short, uncovered, than its structures mean to be.

        What is held may be as naked as the components alone are meant to be, by the units there are of them.
        ``then``: as it would be once that order has filled.
        """
        held = lot.held()
        for leg in then.legs if then is not None else ():
            held[leg.contract] = held.get(leg.contract, 0) + leg.ratio * (then.units if then else 0)
        meant = 0
        for order in self.orders.values():
            if not order.opens or order.position != lot.id:
                continue
            for part in order.parts:
                naked = naked_per_unit(part.structure.legs)
                if naked:
                    shorts = [leg for leg in part.structure.legs if leg.is_short]
                    units = max(-(held.get(leg.contract, 0) // -leg.ratio) for leg in shorts)
                    meant += naked * max(0, units)
        return max(0, uncovered(held) - meant)

    def uneven(self, id_: str) -> bool:
        """Whether an order's legs have filled in other proportions than its structure's."""
        order, mine = self.orders[id_], self.by_order.get(id_, {})
        units = {mine.get(leg.contract, 0) / leg.ratio for leg in order.structure.legs}
        return len(units) > 1

    def units(self, id_: str) -> int:
        """Whole units of an order that have filled on all legs."""
        order, mine = self.orders[id_], self.by_order.get(id_, {})
        return min(mine.get(leg.contract, 0) // leg.ratio for leg in order.structure.legs)


LONGEST_BARE = timedelta(seconds=30)
