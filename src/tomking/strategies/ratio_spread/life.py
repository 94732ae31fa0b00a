"""Its life (methodology E.3: generic): whole, looked at, or a vertical alone."""

from tomking.domain.book import Position
from tomking.rules.life import Life
from tomking.strategies.ratio_spread.exits import was_reviewed
from tomking.strategies.ratio_spread.unit import EXTRA
from tomking.view import Own, View

OPEN, MANAGING, VERTICAL_ONLY = "OPEN", "MANAGING", "VERTICAL_ONLY"


def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    extra = position.components[EXTRA]
    if not extra.is_open:
        return VERTICAL_ONLY, extra.trigger
    said = was_reviewed(own, position)
    return (MANAGING, said) if said else (OPEN, "opened")


LIFE = Life(
    ways={OPEN: (MANAGING, VERTICAL_ONLY), MANAGING: (VERTICAL_ONLY,), VERTICAL_ONLY: ()}, reading=reading
)
