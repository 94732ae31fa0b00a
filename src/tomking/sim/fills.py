"""What the simulated market gives for an order: the slippage model of methodology D.7.

    fill = mid - max(k x half-spread sum, 1 tick), rounded to the grid against us

with k by VIX, more in the first and last 15 minutes and more for stops.  A resting order that
the market comes to is filled at its own limit; one that arrives marketable gets the model price.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tomking.domain.calendar import Session
from tomking.domain.chain import NetQuote, Quote
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO, on_grid_above, on_grid_below
from tomking.domain.order import Order
from tomking.domain.slippage import is_too_wide, share_at
from tomking.domain.structure import Leg, Structure

EDGE_OF_SESSION = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the market shows an order at one instant."""

    order: Order
    quotes: Sequence[Quote | None]
    """Of its structure's legs."""
    net: NetQuote
    vix: float | None
    session: Session
    now: datetime


Pricing = Callable[[Offer], Decimal | None]
"""The net at which the market takes the other side; None when nobody would."""


def with_slippage(offer: Offer) -> Decimal | None:
    """The model of D.7."""
    order = offer.order
    if is_too_wide(order.structure, offer.quotes, offer.net):
        return None
    share = slippage_share(offer.vix, offer.now, offer.session, order.urgency)
    return model_price(offer.net, share, order.structure.tick, None if order.opens else order.floor)


def at_the_mid(offer: Offer) -> Decimal | None:
    """Without any friction, as index rules count: for replication only, no account trades like that."""
    return offer.net.mid


def slippage_share(vix: float | None, now: datetime, session: Session, urgency: Urgency) -> Decimal:
    """k: how much of the half-spread sum is lost, 0.25 to 1.40.  An unknown VIX counts as above 40."""
    edge = now - session.open < EDGE_OF_SESSION or session.close - now < EDGE_OF_SESSION
    return share_at(vix, stop=urgency is Urgency.STOP, edge=edge)


def model_price(quote: NetQuote, share: Decimal, tick: Decimal, least: Decimal | None = None) -> Decimal:
    """The net at which the market takes the other side, on the grid.

    Not below ``least``, what the structure is worth at expiry at the very worst: for that anybody
    takes it.
    """
    price = on_grid_below(quote.mid - max(share * quote.half_spread, tick), tick)
    return price if least is None else max(price, on_grid_above(least, tick))


def leg_prices(structure: Structure, quotes: Sequence[Quote | None], net: Decimal) -> tuple[Decimal, ...]:
    """A price for each leg, summing exactly to ``net``: each gives ground by its share of the spread.

    One leg of ratio one (where there is one, the dearest) takes what rounding leaves.
    """
    mids = [quote.mid if quote and quote.mid is not None else ZERO for quote in quotes]
    halves = [quote.half_spread if quote and quote.half_spread is not None else ZERO for quote in quotes]
    total = sum((abs(leg.ratio) * half for leg, half in zip(structure.legs, halves, strict=True)), ZERO)
    given = structure.net(mids) - net
    grid = structure.tick / 4
    prices = [
        max(ZERO, on_grid_below(mid + _side(leg) * given * half / total, grid)) if total else mid
        for leg, mid, half in zip(structure.legs, mids, halves, strict=True)
    ]
    rest = min(range(len(prices)), key=lambda i: (abs(structure.legs[i].ratio), -prices[i]))
    gap = net - structure.net(prices)
    prices[rest] -= gap / structure.legs[rest].ratio
    return tuple(prices)


def _side(leg: Leg) -> int:
    return 1 if leg.ratio > 0 else -1
