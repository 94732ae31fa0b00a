"""What stands between a durable order and its first byte: price, sign, and orders that repeat themselves."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from math import gcd

from tomking.domain.chain import NetQuote, Quote
from tomking.domain.order import Order
from tomking.domain.structure import Leg
from tomking.execution.protocol.fills import per_unit

WIDE = 4
"""Half-spreads: twice the quoted spread (methodology D.1)."""
SHARE = Decimal("0.20")
"""Of the mid (D.1)."""
TICKS = 5
"""A cheap structure's spread and mid say little; so much is always allowed."""
OLDEST_QUOTE = timedelta(seconds=30)
"""That an opening order is priced by (I15)."""
APART = timedelta(seconds=5)
"""The quotes of one structure's legs must be of one moment: a leg that stood still while the others moved
makes a price that never was (F30)."""
LIKE_ORDERS = 5
LIKE_WITHIN = timedelta(minutes=10)


def allowance(quote: NetQuote, tick: Decimal) -> Decimal:
    """Points that a limit may lie off the mid, > 0."""
    return max(WIDE * quote.half_spread, SHARE * abs(quote.mid), TICKS * tick)


def off_collar(order: Order, limit: Decimal, quote: NetQuote | None) -> str | None:
    """Why an order must not go out at this limit on this market; None: it may.

    An opening order lies near the mid on either side, and is a credit where the market is clearly one, and
    a debit where it is one.  A closing order may ask for as much as it likes (a target does) and must not
    give away more than the allowance; without a quote it goes out.
    """
    if limit == 0:
        return "a limit of 0 is neither credit nor debit"
    if quote is None:
        return "no two-sided quote to compare its limit with" if order.opens else None
    most = allowance(quote, order.structure.tick)
    gives_away = quote.mid - limit
    if gives_away > most or (order.opens and -gives_away > most):
        return f"limit {limit:f} is {abs(gives_away):f} off the mid {quote.mid:f}, at most {most:.2f} allowed"
    if order.opens and abs(quote.mid) > quote.half_spread and limit * quote.mid < 0:
        kind = "credit" if quote.mid > 0 else "debit"
        return f"limit {limit:f} has the wrong sign: the market is a {kind} of {abs(quote.mid):f}"
    return None


def off_market(quotes: Sequence[Quote | None], now: datetime) -> str | None:
    """Why nothing may be opened on these quotes: one-sided, crossed, locked, worthless asks, or old (I15)."""
    for quote in quotes:
        if quote is None or quote.bid is None or quote.ask is None:
            return "a leg has no two-sided quote"
        if not 0 <= quote.bid < quote.ask:
            return f"a leg is quoted {quote.bid:f} bid, {quote.ask:f} asked"
        if now - quote.as_of > OLDEST_QUOTE:
            return f"a leg's quote is {(now - quote.as_of).total_seconds():.0f} s old"
    seen = [quote.as_of for quote in quotes if quote is not None]
    if max(seen) - min(seen) >= APART:
        return f"the legs' quotes are {(max(seen) - min(seen)).total_seconds():.0f} s apart"
    return None


def are_old(quotes: Iterable[Quote | None], now: datetime) -> bool:
    """Whether one of them is too old to say where the market is."""
    return any(now - quote.as_of > OLDEST_QUOTE for quote in quotes if quote is not None)


def sendable(order: Order, limit: Decimal) -> Decimal:
    """A close at 0 costs a tick: the broker's price has an effect, and 0 has none."""
    if limit != 0 or order.opens:
        return limit
    tick = order.structure.tick
    return -tick if any(leg.ratio > 0 for leg in order.structure.legs) else tick


def terms_of(legs: Iterable[Leg]) -> int:
    """The greatest number that divides the counts of all contracts of one unit."""
    return reduce(gcd, map(abs, per_unit(legs).values()), 0) or 1


def repeats(order: Order, sent: Iterable[tuple[datetime, Order]], now: datetime) -> bool:
    """Whether more than five like orders would have gone out within ten minutes (F2)."""
    like = [1 for at, other in sent if now - at < LIKE_WITHIN and shape(other) == shape(order)]
    return len(like) >= LIKE_ORDERS


def shape(order: Order) -> tuple[object, ...]:
    """What makes two orders alike."""
    return (order.strategy, order.opens, order.units, order.structure.legs)
