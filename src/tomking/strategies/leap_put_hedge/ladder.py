"""The ladder: which rungs are held, what each may cost, and what is to be bought again."""

from datetime import date, timedelta
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.contract import Option
from tomking.domain.intent import Mark
from tomking.domain.money import ZERO, shortest
from tomking.rules.schedule import Days
from tomking.strategies.leap_put_hedge.settings import Settings
from tomking.view import Own

SCHEDULE = Days(weekday=0, weeks=(1,))
"""First Mondays; the next session where it is closed."""


def rung_name(share: Decimal) -> str:
    """``rung 80``"""
    return f"rung {shortest(share * 100)}"


def role(share: Decimal, half: int) -> str:
    """``rung 80 half 1``: two halves, so that one can be sold alone."""
    return f"{rung_name(share)} half {half}"


def share_of(position: Position) -> Decimal:
    """The rung a position is, from its first role."""
    return Decimal(next(iter(position.components)).split()[1]) / 100


def held(own: Own) -> dict[Decimal, Position]:
    """The rungs that are held, on their way out included."""
    return {share_of(position): position for position in own.positions}


def put_of(component: Component) -> Option:
    (contract,) = component.structure.contracts
    assert isinstance(contract, Option), f"{component.role} holds {contract}"
    return contract


def cost(position: Position) -> Decimal:
    """Dollars paid for what is still held."""
    return -sum((c.entry_net * c.units * c.structure.multiplier for c in position.open_components), ZERO)


def value(own: Own, position: Position) -> Decimal | None:
    """Dollars it is worth at the mids; None where one is missing."""
    total = ZERO
    for one in position.open_components:
        net = own.closing_net(position, one)
        if net is None:
            return None
        total += net * one.units * one.structure.multiplier
    return total


def budget(settings: Settings, own: Own) -> tuple[Decimal, Decimal]:
    """Dollars a rung should cost, and may cost at most.

    An equal share of the ladder's budget; one contract may cost more, up to the most for a rung.  Both only
    as far as the rungs that are held leave room.
    """
    room = settings.cost_share_max * own.net_liq - sum((cost(p) for p in own.positions), ZERO)
    equal = settings.cost_share_max / len(settings.rungs) * own.net_liq
    most = settings.rung_share_max * own.net_liq
    return min(equal, room), min(most, room)


# -- what is bought again --------------------------------------------------------------------------


def replacing(own: Own, share: Decimal, today: date, why: str, dollars: Decimal) -> Mark:
    """To be remembered until it is bought: the day, why, and what it may cost (0: an ordinary rung)."""
    return Mark(own.strategy, f"replace {share}", f"{today} {why} {dollars}")


def to_replace(settings: Settings, own: Own, today: date) -> dict[Decimal, tuple[str, Decimal]]:
    """Rungs sold in the last days to be bought again, and not held: why, and dollars."""
    have, found = held(own), {}
    for key, text in own.notes.items():
        if not key.startswith("replace "):
            continue
        share, (day, why, dollars) = Decimal(key.removeprefix("replace ")), text.split()
        young = today - date.fromisoformat(day) <= timedelta(days=settings.replace_days)
        if young and share not in have:
            found[share] = (why, Decimal(dollars))
    return found
