"""The life of a strangle (methodology E.3): both sides, one rolled, one left; the roll is never repeated."""

from tomking.domain.book import Position
from tomking.rules.life import Life
from tomking.strategies.futures_strangle.defence import rolled_away, side_of, waits_for_roll
from tomking.strategies.futures_strangle.exits import is_single
from tomking.view import Own, View

ENTERED, NORMAL, ROLLED, SINGLE = "ENTERED", "NORMAL", "DEFENCE_1", "DEFENCE_2"


def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    """From its components and what closed them."""
    old = rolled_away(position)
    if old is not None and (not is_single(position) or waits_for_roll(position, view.today)):
        return ROLLED, f"the {side_of(old.role)} was rolled"
    if not is_single(position):
        return NORMAL, "both sides are open"
    gone = [one for one in position.components.values() if not one.is_open]
    return SINGLE, f"{gone[-1].role}: {gone[-1].trigger}"


LIFE = Life(
    ways={
        ENTERED: (NORMAL, ROLLED, SINGLE),
        NORMAL: (ROLLED, SINGLE),
        ROLLED: (SINGLE,),
        SINGLE: (),
    },
    reading=reading,
)
