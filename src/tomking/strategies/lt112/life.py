"""The life of an LT112 (methodology E.3): which of its components are left, and how it is being left."""

from tomking.domain.book import Position
from tomking.rules.life import Life
from tomking.view import Own, View

LAST_DAYS = "21 DTE"

ACTIVE, HOLD_PDS, PDS_CLOSED = "ACTIVE", "NP_CLOSED_HOLD_PDS", "PDS_CLOSED"
WEEKLY_ONLY, DEFENSIVE = "WEEKLY_ONLY", "DEFENSIVE_21DTE"


def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    """From its components; an order of the last days at work shows as a stage of its own."""
    orders = (w.order for w in own.orders)
    if any(o.position == position.id and not o.opens and o.trigger == LAST_DAYS for o in orders):
        return DEFENSIVE, LAST_DAYS
    pair, spread = position.components["NP"], position.components["PDS"]
    if pair.is_open and spread.is_open:
        return ACTIVE, "an order ended"
    if spread.is_open:
        return HOLD_PDS, pair.trigger
    if pair.is_open:
        return PDS_CLOSED, spread.trigger
    return WEEKLY_ONLY, f"{pair.trigger}, {spread.trigger}"


LIFE = Life(
    ways={
        ACTIVE: (HOLD_PDS, PDS_CLOSED, WEEKLY_ONLY, DEFENSIVE),
        HOLD_PDS: (WEEKLY_ONLY, DEFENSIVE),
        PDS_CLOSED: (WEEKLY_ONLY, DEFENSIVE),
        DEFENSIVE: (ACTIVE, HOLD_PDS, PDS_CLOSED, WEEKLY_ONLY),
        WEEKLY_ONLY: (DEFENSIVE,),
    },
    reading=reading,
)
