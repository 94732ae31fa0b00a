"""Orders from approvals and exits, and from nothing else."""

from collections.abc import Sequence
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.chain import NetQuote
from tomking.domain.contract import Option
from tomking.domain.intent import Approved, Close, Part, Target, Urgency
from tomking.domain.order import Order
from tomking.domain.structure import merged
from tomking.execution.ladder import limit_at, target_limit


def opening_order(id_: str, approved: Approved, quote: NetQuote, targets: tuple[Target, ...]) -> Order:
    """The order of an approved wish, at the first step of the entry ladder."""
    wish = approved.wish
    tick = wish.structure.tick
    return Order(
        id=id_,
        strategy=wish.strategy,
        position=wish.joins or id_,
        parts=wish.parts,
        units=approved.units,
        limit=limit_at(Urgency.ENTRY, 0, quote, tick, wish.least_net),
        floor=wish.least_net,
        opens=True,
        urgency=Urgency.ENTRY,
        reason=wish.reason,
        trigger=wish.entry,
        targets=targets,
        margin=approved.margin,
        planned_loss=wish.planned_loss,
    )


def closing_order(id_: str, position: Position, components: Sequence[Component], close: Close) -> Order:
    """An order that ends these components, or so many units of each; its limit is set by ``priced``."""
    least = merged("", [one.structure for one in components]).least_payoff()
    return Order(
        id=id_,
        strategy=position.strategy,
        position=position.id,
        parts=_inverted(components),
        units=_common_units(components)
        if close.units is None
        else min(close.units, _common_units(components)),
        limit=Decimal(0),
        floor=least,
        opens=False,
        urgency=close.urgency,
        reason=close.reason,
        trigger=close.trigger,
        defends=close.defends,
    )


def target_order(
    id_: str, position: Position, components: Sequence[Component], target: Target, keep: Decimal
) -> Order:
    """The resting order that takes profit on these components."""
    credit = sum((c.entry_net for c in components), Decimal(0))
    return Order(
        id=id_,
        strategy=position.strategy,
        position=position.id,
        parts=_inverted(components),
        units=_common_units(components),
        limit=target_price(components, keep),
        floor=None,
        opens=False,
        urgency=Urgency.TARGET,
        reason=f"keep {keep:.0%} of a credit of {credit:f}",
        trigger="target",
        targets=(target,),
    )


def target_price(components: Sequence[Component], keep: Decimal) -> Decimal:
    """The limit of such an order: what keeps that share of the credit of all of them."""
    credit = sum((c.entry_net for c in components), Decimal(0))
    return target_limit(credit, keep, merged("", [c.structure for c in components]).tick)


def groups_by_units(components: Sequence[Component]) -> list[list[Component]]:
    """Components that can be closed by one order: as many open units each, and contracts of one size."""
    groups: dict[tuple[int, Decimal, Decimal], list[Component]] = {}
    for one in components:
        key = (one.units, one.structure.multiplier, one.structure.legs[0].contract.tick)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def first_in_turn(groups: Sequence[list[Component]], working: Sequence[Component]) -> list[list[Component]]:
    """Those groups that may be closed now: what covers a short leg waits until that is bought.

    working  components that an exit already works on

    Groups that cover one another go in the order given, one at a time.
    """
    waits = [g for g in groups if not _covers(g, working)]
    free = [g for g in waits if not any(_covers(g, other) for other in groups if other is not g)]
    return free or ([] if working else waits[:1])


def _covers(group: Sequence[Component], other: Sequence[Component]) -> bool:
    """Whether a long leg of ``group`` is of the right, and lives as long as, a short leg of ``other``."""
    longs = [leg.contract for c in group for leg in c.structure.legs if leg.ratio > 0]
    shorts = [leg.contract for c in other for leg in c.structure.legs if leg.ratio < 0]
    return any(
        isinstance(long, Option)
        and isinstance(short, Option)
        and long.right is short.right
        and long.expiry >= short.expiry
        for long in longs
        for short in shorts
    )


def _inverted(components: Sequence[Component]) -> tuple[Part, ...]:
    return tuple(Part(c.role, c.structure.inverse()) for c in components)


def _common_units(components: Sequence[Component]) -> int:
    units = {c.units for c in components}
    assert len(units) == 1, "components of one closing order hold the same units"
    return units.pop()
