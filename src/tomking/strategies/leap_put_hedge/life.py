"""The life of a rung (methodology E.3): open, half harvested, being rolled; EMPTY is no position at all."""

from tomking.domain.book import Position
from tomking.rules.life import Life
from tomking.strategies.leap_put_hedge.exits import RESTRIKE, ROLL
from tomking.view import Own, View

OPEN, HARVEST, ROLLING = "OPEN", "HARVEST", "ROLL"


def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    for working in own.orders:
        if working.order.position == position.id and working.order.trigger in (ROLL, RESTRIKE):
            return ROLLING, working.order.trigger
    sold = [one for one in position.components.values() if not one.is_open]
    return (HARVEST, sold[0].trigger) if sold else (OPEN, "nothing is sold")


LIFE = Life(
    ways={OPEN: (HARVEST, ROLLING), HARVEST: (ROLLING,), ROLLING: (OPEN, HARVEST)},
    reading=reading,
)
