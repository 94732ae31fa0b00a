"""Legs that were filled without the others: when to act, and what to trade.

What an opening order left is traded back, what is short first: completing it would be a second opening post
(I2).  What a closing order lacks is traded until it is done.  So every remedy is a close, sent with strict
position effect, at marketable limits, never market orders (methodology D.1, I8, I9).
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from math import gcd

from tomking.domain.chain import NetQuote
from tomking.domain.contract import Contract
from tomking.domain.money import on_grid_below
from tomking.domain.order import Order
from tomking.domain.structure import Leg, Structure
from tomking.execution.protocol.course import Purpose
from tomking.execution.protocol.fills import per_unit

PATIENCE = timedelta(seconds=10)
"""Messages of one fill come leg by leg (T5): so long they are only late."""
REMEDY_WITHIN = timedelta(seconds=6)
"""A remedy that has not filled by then makes way for the next."""
WORST = timedelta(seconds=15)
"""Nothing may be seen uneven for longer without trading being halted: at the venue it began earlier (I9)."""
CONCESSIONS = (Decimal(2), Decimal(3), Decimal(4))
"""Half-spreads from the mid: beyond the natural from the first remedy on."""


def remedy(order: Order, odd: Mapping[Contract, int]) -> tuple[Purpose, tuple[Leg, ...], int]:
    """What to trade, as legs and units of one order.

    odd    contracts traded beyond whole units, signed, at least one
    """
    missing = {} if order.opens else _missing(order, odd)
    if missing:
        return (Purpose.COMPLETE, *_as_legs(missing))
    short = {contract: -count for contract, count in odd.items() if count < 0}
    return (Purpose.UNWIND, *_as_legs(short or {contract: -count for contract, count in odd.items()}))


def _missing(order: Order, odd: Mapping[Contract, int]) -> dict[Contract, int]:
    """Contracts to the next whole number of units; empty where ``odd`` is no part of a unit."""
    ratios = per_unit(order.structure.legs)
    if any(count * ratios.get(contract, 0) <= 0 for contract, count in odd.items()):
        return {}
    units = max(-(-abs(count) // abs(ratios[contract])) for contract, count in odd.items())
    counts = {c: units * ratio - odd.get(c, 0) for c, ratio in ratios.items()}
    return {contract: count for contract, count in counts.items() if count}


def _as_legs(counts: Mapping[Contract, int]) -> tuple[tuple[Leg, ...], int]:
    units = gcd(*counts.values())
    return tuple(Leg(contract, count // units) for contract, count in counts.items()), units


def remedy_limit(legs: tuple[Leg, ...], quote: NetQuote, tries: int) -> Decimal:
    """Marketable, on the grid, and never 0 (T7, F6)."""
    tick = Structure("remedy", legs).tick
    conceded = CONCESSIONS[min(tries, len(CONCESSIONS) - 1)] * max(quote.half_spread, tick)
    limit = on_grid_below(quote.mid - conceded, tick)
    if all(leg.ratio < 0 for leg in legs):
        return max(limit, tick)
    return limit or -tick
