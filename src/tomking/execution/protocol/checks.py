"""What stands between a durable order and its first byte: price, sign, and orders that repeat themselves."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain.chain import NetQuote
from tomking.domain.order import Order

WIDE = 4
"""Half-spreads: twice the quoted spread (methodology D.1)."""
SHARE = Decimal("0.20")
"""Of the mid (D.1)."""
TICKS = 5
"""A cheap structure's spread and mid say little; so much is always allowed."""
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
    if order.opens and quote.half_spread < 0:
        return f"the market is crossed: half-spread {quote.half_spread:f}"
    most = allowance(quote, order.structure.tick)
    gives_away = quote.mid - limit
    if gives_away > most or (order.opens and -gives_away > most):
        return f"limit {limit:f} is {abs(gives_away):f} off the mid {quote.mid:f}, at most {most:f} allowed"
    if order.opens and abs(quote.mid) > quote.half_spread and limit * quote.mid < 0:
        kind = "credit" if quote.mid > 0 else "debit"
        return f"limit {limit:f} has the wrong sign: the market is a {kind} of {abs(quote.mid):f}"
    return None


def sendable(order: Order, limit: Decimal) -> Decimal:
    """A close at 0 costs a tick: the broker's price has an effect, and 0 has none."""
    if limit != 0 or order.opens:
        return limit
    tick = order.structure.tick
    return -tick if any(leg.ratio > 0 for leg in order.structure.legs) else tick


def repeats(order: Order, sent: Iterable[tuple[datetime, Order]], now: datetime) -> bool:
    """Whether more than five like orders would have gone out within ten minutes (F2)."""
    like = [1 for at, other in sent if now - at < LIKE_WITHIN and shape(other) == shape(order)]
    return len(like) >= LIKE_ORDERS


def shape(order: Order) -> tuple[object, ...]:
    """What makes two orders alike."""
    return (order.strategy, order.opens, order.units, order.structure.legs)
