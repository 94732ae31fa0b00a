"""The roll of the untested side: once, for a credit, into the same expiry (B.4)."""

from datetime import date
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.calendar import new_york
from tomking.domain.intent import Open, Part, Pass
from tomking.domain.money import ZERO, on_grid_above
from tomking.rules import select
from tomking.strategies.futures_strangle.settings import Settings
from tomking.strategies.futures_strangle.unit import CALL, PUT, side
from tomking.view import Own, View

ROLL = "roll"
"""The entry that sells the new side, and the trigger that closes the old one."""


def side_of(role: str) -> str:
    """The side a component is of: "put 2" is a put."""
    return role.partition(" ")[0]


def of_side(position: Position, name: str) -> Component | None:
    """The open component of a side."""
    return next((one for one in position.open_components if side_of(one.role) == name), None)


def rolled_away(position: Position) -> Component | None:
    """The side that was closed to be rolled; a position has at most one, for ever."""
    return next((one for one in position.components.values() if one.trigger == ROLL), None)


def waits_for_roll(position: Position, day: date) -> bool:
    """Its untested side was closed in this session and nothing was sold for it yet.

    After the session the roll is over: what is left is a single side.
    """
    old = rolled_away(position)
    if old is None or old.closed is None or old.is_open or new_york(old.closed).date() != day:
        return False
    tested = of_side(position, PUT if side_of(old.role) == CALL else CALL)
    return new_role(old) not in position.components and tested is not None and tested.closing is None


def new_role(old: Component) -> str:
    return f"{side_of(old.role)} 2"


def replacement(settings: Settings, view: View, old: Component) -> Part | str:
    """What the untested side is rolled into: the delta of an entry, in the same expiry."""
    chain = view.chain(old.structure.product, old.expiry)
    if chain is None:
        return f"no chain of {old.expiry}"
    return side(settings, chain, side_of(old.role), new_role(old))


def rolls(settings: Settings, view: View, own: Own) -> list[Open] | Pass:
    """The new side of each position that waits for one."""
    waiting = [position for position in own.positions if waits_for_roll(position, view.today)]
    wishes = [_roll(settings, view, own, position) for position in waiting]
    opens = [wish for wish in wishes if isinstance(wish, Open)]
    refused = [wish for wish in wishes if isinstance(wish, Pass)]
    return opens if opens or not refused else refused[0]


def _roll(settings: Settings, view: View, own: Own, position: Position) -> Open | Pass:
    old = rolled_away(position)
    assert old is not None, "it waits for its roll"
    part = replacement(settings, view, old)
    if isinstance(part, str):
        return Pass(own.strategy, ROLL, "STRUCT", f"{position.id}: {part}")
    quote = select.priced(view, part.structure)
    least = _least(old, part)
    if quote is None or quote.mid < least:
        said = "no two-sided quote" if quote is None else f"{quote.mid:.2f}, least {least:.2f} for a credit"
        return Pass(own.strategy, ROLL, "PRICE", f"{position.id}: {part.structure} {said}")
    return Open(
        strategy=own.strategy,
        entry=ROLL,
        parts=(part,),
        ceiling=old.filled_units,
        planned_loss=settings.stop_credits * quote.mid,
        target_gain=settings.target * quote.mid,
        least_net=least,
        reason=f"the untested side of {position.id}, once",
        joins=position.id,
    )


def _least(old: Component, part: Part) -> Decimal:
    """A tick more than the old side cost to buy back, in points of the new one's size."""
    units = old.filled_units * old.structure.multiplier
    paid = max(ZERO, old.entry_net * units - old.dollars)
    points = paid / (old.filled_units * part.structure.multiplier)
    return on_grid_above(points, part.structure.tick) + part.structure.tick
