"""Legs that were filled without the others: when to act, and what to trade.

What an opening order left is traded back, what is short first: completing it would be a second opening post
(I2).  What a closing order lacks is traded until it is done.  So every remedy is a close, sent with strict
position effect, at marketable limits, never market orders (methodology D.1, I8, I9).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import gcd

from tomking.domain.chain import NetQuote, Quote, net_quote
from tomking.domain.contract import Contract
from tomking.domain.money import on_grid_below
from tomking.domain.order import Order
from tomking.domain.structure import Leg, Structure
from tomking.execution.protocol.checks import allowance
from tomking.execution.protocol.course import REMEDIES, Attempt, Course, Purpose
from tomking.execution.protocol.fills import per_unit
from tomking.execution.wire import Outcome

PATIENCE = timedelta(seconds=10)
"""Messages of one fill come leg by leg (T5): so long they are only late."""
PATIENCE_A_LEG = PATIENCE / 4
"""Four legs at most (T7)."""
REMEDY_WITHIN = timedelta(seconds=6)
"""A remedy that has not filled by then makes way for one that gives more."""
UNANSWERED = timedelta(seconds=5)
"""One without an answer is repeated after so long, when a search does not show it and its legs are still
there, if nothing else of anybody's is in its contracts: a second one would be refused there (T6)."""
STANDS_AT_LAST = timedelta(seconds=12)
"""So long stand those that cannot give more than the one before."""
SPACED = timedelta(seconds=1)
MOST_SPACED = timedelta(seconds=15)
"""Between refused remedies it waits longer each time, so long at most: what the account shows may be late."""
LONGEST_ROW = 9
WORST = timedelta(seconds=15)
"""Nothing may be seen uneven for longer without trading being halted: at the venue it began earlier (I9)."""
CONCESSIONS = (Decimal(2), Decimal(3), Decimal(4))
"""Half-spreads from the mid: beyond the natural from the first remedy on.  The third that buys back what is
short goes as far as a marketable limit may (``checks.allowance``, D.1): it must not take half a minute."""


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


def within(legs: Sequence[Leg], units: int, held: Callable[[Contract], int]) -> tuple[tuple[Leg, ...], int]:
    """As much of a remedy as the account holds to close: a strict close of more is refused whole (T6)."""
    counts = {}
    for leg in legs:
        wanted, there = leg.ratio * units, -held(leg.contract)
        if wanted * there > 0:
            counts[leg.contract] = min(wanted, there, key=abs)
    return _as_legs(counts) if counts else ((), 0)


def is_done_by_others(course: Course, foreign: Mapping[Contract, int]) -> bool:
    """Whether somebody else has traded all that its odd legs lack to whole units."""
    _, legs, units = remedy(course.order, dict(course.odd))
    theirs = ((foreign.get(leg.contract, 0), leg.ratio * units) for leg in legs)
    return all(they * wanted > 0 and abs(they) >= abs(wanted) for they, wanted in theirs)


def _as_legs(counts: Mapping[Contract, int]) -> tuple[tuple[Leg, ...], int]:
    units = gcd(*counts.values())
    return tuple(Leg(contract, count // units) for contract, count in counts.items()), units


def priced(legs: Sequence[Leg], quotes: Sequence[Quote | None]) -> tuple[tuple[Leg, ...], NetQuote | None]:
    """Those of the legs that have a price, and their net market; None where none has.

    What is bought needs an ask and what is sold a bid; the other side may be missing.  Legs to be traded the
    same way go without those that have no price; legs on both sides go together.
    """
    sides = [_two_sided(leg, quote) for leg, quote in zip(legs, quotes, strict=True)]
    if len({leg.ratio > 0 for leg in legs}) > 1 and None in sides:
        return (), None
    kept = [(leg, quote) for leg, quote in zip(legs, sides, strict=True) if quote is not None]
    if not kept:
        return (), None
    chosen = tuple(leg for leg, _ in kept)
    return chosen, net_quote(Structure("remedy", chosen), [quote for _, quote in kept])


def _two_sided(leg: Leg, quote: Quote | None) -> Quote | None:
    """With the side that it trades at on both sides, where the other is missing."""
    if quote is None:
        return None
    side = quote.ask if leg.ratio > 0 else quote.bid
    if side is None:
        return None
    return quote if quote.mid is not None else Quote(side, side, quote.as_of)


def remedy_limit(legs: tuple[Leg, ...], quote: NetQuote, tries: int) -> Decimal:
    """Marketable, on the grid, and never 0 (T7, F6)."""
    tick = Structure("remedy", legs).tick
    last = len(CONCESSIONS) - 1
    conceded = CONCESSIONS[min(tries, last)] * max(quote.half_spread, tick)
    if tries >= last and any(leg.ratio > 0 for leg in legs):
        conceded = max(conceded, allowance(quote, tick))
    limit = on_grid_below(quote.mid - conceded, tick)
    if all(leg.ratio < 0 for leg in legs):
        return max(limit, tick)
    return limit or -tick


def makes_way(course: Course, live: Attempt, quote: NetQuote | None, now: datetime) -> bool:
    """Whether a remedy that works is to end: it trades more than is odd, or it has had its time.

    The next one gives more; one that gives all it may, like the one before, follows more slowly.  Without a
    quote there is no next one yet, and it works on.
    """
    if course.order.opens and _is_too_much(dict(course.odd), live):
        return True
    stands = REMEDY_WITHIN if course.remedies <= len(CONCESSIONS) else STANDS_AT_LAST
    return quote is not None and now - live.sent >= stands


def _is_too_much(odd: Mapping[Contract, int], live: Attempt) -> bool:
    """Whether an order that backs out of odd legs would trade more than is odd of one of them."""
    assert live.seen is not None, "what works was seen"
    left = {leg.contract: leg.ratio * live.units for leg in live.legs}
    for one in live.seen.executions:
        left[one.contract] -= one.quantity
    return any(count * odd.get(c, 0) > 0 or abs(count) > abs(odd.get(c, 0)) for c, count in left.items())


def acts_on(course: Course, *, alone: bool) -> datetime | None:
    """What the account shows must have been asked for since then, for the next remedy: positions, and where
    something is in question orders too.  None: not yet, one works or is on its way.

    alone  whether nothing else of ours holds the odd contracts
    """
    if any(a.is_live or a.is_flying for a in course.attempts):
        return None
    assert course.uneven is not None, "only asked of uneven legs"
    since = max(course.over or course.uneven, course.uneven + PATIENCE, course.attempts[-1].sent)
    questions = [a.sent for a in course.attempts if a.is_open_question]
    if questions:
        since = max(since, max(questions) + (UNANSWERED if alone else PATIENCE))
    return max(since, _legs_told_by(course)) + _spacing(course)


def _legs_told_by(course: Course) -> datetime:
    """When the legs of a remedy that has filled are all told: a part of ``PATIENCE`` for each (T5)."""
    last = course.attempts[-1]
    if last.purpose not in REMEDIES or not _is_told_in_part(last):
        return last.sent
    return max(course.over or last.sent, last.sent) + len(last.legs) * PATIENCE_A_LEG


def _is_told_in_part(attempt: Attempt) -> bool:
    """Whether some of its legs are told to have traded more of than others."""
    told = {leg.contract: Fraction(0) for leg in attempt.legs}
    for one in attempt.seen.executions if attempt.seen is not None else ():
        told[one.contract] += one.quantity
    return len({told[leg.contract] / leg.ratio for leg in attempt.legs}) > 1


def _spacing(course: Course) -> timedelta:
    """After refusals in a row: nothing after the first, then a second, three, seven, ..."""
    refused = 0
    for attempt in course.attempts[:-LONGEST_ROW:-1]:
        if attempt.seen is not None or attempt.outcome is not Outcome.REJECTED:
            break
        refused += 1
    return min(MOST_SPACED, SPACED * ((1 << max(0, refused - 1)) - 1))
