"""How an order gives ground: concessions from the mid, step by step (methodology D.1, D.3).

A concession is counted in half-spreads of the whole structure: 0 is the mid, 1 the natural.  The
step follows from the time an order has worked, so that nothing of it needs remembering.
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
    # 15 % a step up to the natural; after ten minutes (D.1) marketable limits.
    Urgency.RULE: _d("0", "0.15", "0.3", "0.45", "0.6", "0.75", "0.9", *["1"] * 53, "2", "3"),
    # A quarter of the spread at once, the natural within 20 seconds, then marketable limits.
    Urgency.STOP: _d("0.5", "0.75", "1", "2", "3"),
}
"""Entries end after their last step; exits stay there, repriced on every new quote."""


def step_at(worked: timedelta) -> int:
    """The step of an order that has worked so long."""
    return worked // STEP


def has_ended(urgency: Urgency, step: int) -> bool:
    """Whether an entry has come to the end of its ladder; exits never do."""
    return urgency is Urgency.ENTRY and step >= len(CONCESSIONS[urgency])


def limit_at(urgency: Urgency, step: int, quote: NetQuote, tick: Decimal, floor: Decimal | None) -> Decimal:
    """The net limit of a step, on the price grid, in the direction that helps it to fill.

    Never below ``floor``, see ``Order``.
    """
    steps = CONCESSIONS[urgency]
    conceded = quote.mid - steps[min(step, len(steps) - 1)] * quote.half_spread
    limit = on_grid_below(conceded, tick)
    return limit if floor is None else max(limit, on_grid_above(floor, tick))


def next_change(urgency: Urgency, worked: timedelta) -> timedelta | None:
    """After how much work in all the ladder moves or ends next; None when it stands still for good."""
    steps = CONCESSIONS[urgency]
    now = step_at(worked)
    present = steps[min(now, len(steps) - 1)]
    moves = (n for n in range(now + 1, len(steps)) if steps[n] != present)
    end = len(steps) if urgency is Urgency.ENTRY and now < len(steps) else None
    step = next(moves, end)
    return None if step is None else step * STEP


def target_limit(entry_net: Decimal, keep: Decimal, tick: Decimal) -> Decimal:
    """The net of a resting order that keeps at least ``keep`` of a credit.

    5.00 received and half of it kept: buy back at a debit of 2.50 or less, so -2.50.
    """
    return on_grid_above(-(1 - keep) * entry_net, tick)
