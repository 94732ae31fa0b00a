"""The life of an IPMCC (methodology E.3): the LEAP bare or covered, being rolled, or after an assignment."""

from tomking.domain.book import Position
from tomking.rules.life import Life
from tomking.strategies.ipmcc.exits import ROLL
from tomking.strategies.ipmcc.parts import LEAP, assert_covered, open_weekly, weeklies
from tomking.strategies.ipmcc.weekly import was_assigned
from tomking.view import Own, View

OPEN, COVERED, ROLLING = "LEAP_OPEN", "COVERED", "LEAP_ROLL"
ASSIGNED, RECOVERING = "ASSIGNED", "RECOVERING"


def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    """From its components; ``Uncovered`` where the LEAP no longer covers what is sold."""
    assert_covered(position)
    if any(w.order.position == position.id and w.order.trigger == ROLL for w in own.orders):
        return ROLLING, ROLL
    sold = open_weekly(position)
    if sold is not None:
        return (ASSIGNED, "an assignment") if sold.delivered else (COVERED, f"{sold.role} was sold")
    last = weeklies(position)[-1]
    if not position.components[LEAP].is_open:
        return ROLLING, position.components[LEAP].trigger
    return (RECOVERING if was_assigned(position) else OPEN), f"{last.role}: {last.trigger or 'expired'}"


LIFE = Life(
    ways={
        OPEN: (COVERED, ASSIGNED, RECOVERING, ROLLING),
        COVERED: (OPEN, ASSIGNED, RECOVERING, ROLLING),
        ROLLING: (OPEN, COVERED, ASSIGNED, RECOVERING),
        ASSIGNED: (RECOVERING, OPEN, ROLLING),
        RECOVERING: (COVERED, ROLLING),
    },
    reading=reading,
)
