"""How an order gives ground: concessions from the mid, step by step (methodology D.3, D.1).

A concession is counted in half-spreads of the whole structure: 0 is the mid, 1 the natural.
"""

from datetime import timedelta
from decimal import Decimal

from tomking.domain.chain import NetQuote
from tomking.domain.intent import Urgency
from tomking.domain.money import on_grid_above, on_grid_below

STEP = timedelta(seconds=10)
"""Time at each price."""


def _d(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


CONCESSIONS: dict[Urgency, tuple[Decimal, ...]] = {
    # Four steps of a tenth of the way to the natural, then give up.
    Urgency.ENTRY: _d("0", "0.1", "0.2", "0.3", "0.4"),
    # 15 % a step up to the natural, held for two minutes, then a marketable limit.
    Urgency.RULE: _d("0", "0.15", "0.3", "0.45", "0.6", "0.75", "0.9", *["1"] * 12, "2", "3"),
    # A quarter of the spread at once, the natural within 20 seconds, then marketable limits.
    Urgency.STOP: _d("0.5", "0.75", "1", "2", "3"),
}
"""Entries end after their last step; exits stay there, repriced on every new quote."""


def limit_at(urgency: Urgency, step: int, quote: NetQuote, tick: Decimal, floor: Decimal | None) -> Decimal:
    """The net limit of a step, on the price grid, in the direction that helps it to fill.

    An entry never goes below ``floor``, the least net at which it is worth having.
    """
    steps = CONCESSIONS[urgency]
    conceded = quote.mid - steps[min(step, len(steps) - 1)] * quote.half_spread
    limit = on_grid_below(conceded, tick)
    return limit if floor is None else max(limit, on_grid_above(floor, tick))


def is_last(urgency: Urgency, step: int) -> bool:
    """Whether the ladder has no further step."""
    return step >= len(CONCESSIONS[urgency]) - 1


def target_limit(entry_net: Decimal, keep: Decimal, tick: Decimal) -> Decimal:
    """The net of a resting order that keeps at least ``keep`` of a credit.

    5.00 received and half of it kept: buy back at a debit of 2.50 or less, so -2.50.
    """
    return on_grid_above(-(1 - keep) * entry_net, tick)
