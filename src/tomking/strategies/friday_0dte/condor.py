"""Building the condor, or the one vertical of a day that has moved."""

from decimal import Decimal

from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Open, Part, Pass, Target
from tomking.domain.products import PRODUCTS
from tomking.domain.slippage import share_at
from tomking.domain.structure import Leg, Structure, merged
from tomking.rules import entry as when
from tomking.rules.entry import known
from tomking.rules.indicators import atr
from tomking.rules.prints import move_since_open
from tomking.rules.select import (
    delta_of,
    least_credit,
    level,
    nearest_delta,
    priced,
    reference,
    scaled,
    strike_outward,
    wing,
)
from tomking.rules.strategy import best_of
from tomking.strategies.friday_0dte.analysis import found
from tomking.strategies.friday_0dte.conditions import products
from tomking.strategies.friday_0dte.settings import Settings
from tomking.view import Own, View

ENTRY = "0dte"

SIDES = {Right.PUT: "put side", Right.CALL: "call side"}


def wish(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """The condor or vertical in every product that lists today, largest first."""
    wishes = [_in_product(settings, view, own, product) for product in products(settings, own)]
    return best_of(own, ENTRY, wishes)


def _in_product(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    chain = view.chain(product, view.today) if view.today in view.expiries(product) else None
    if chain is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: nothing expires today")
    parts = []
    move = move_since_open(view, own)
    for right in _sides(settings, move):
        part = _vertical(settings, view, chain, right, move)
        if isinstance(part, str):
            return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: {part}")
        parts.append(part)
    return _priced(settings, view, own, parts, move)


def _sides(settings: Settings, move: float) -> tuple[Right, ...]:
    """Both after a quiet hour; else the side the market moved toward, or the other."""
    if abs(move) <= settings.flat_move_share or settings.direction == "both_sides":
        return (Right.PUT, Right.CALL)
    rose = move > 0
    return (Right.CALL,) if rose == (settings.direction == "fade") else (Right.PUT,)


def _vertical(settings: Settings, view: View, chain: Chain, right: Right, move: float) -> Part | str:
    """One short and its wing, or what was not found."""
    spot = known(view.spot())
    flat = abs(move) <= settings.flat_move_share
    away = (settings.condor_atr if flat else settings.vertical_atr) * known(
        atr(view.bars(), settings.atr_sessions)
    )
    at = reference(chain, spot) + int(right) * level(away, chain.product)
    short = _short(settings, chain, right, at)
    if short is None:
        band = f"{settings.delta_min:.0%} to {settings.delta_max:.0%} delta"
        return f"no {right.name.lower()} to sell at {at:.1f}, {band}"
    points = scaled(_wing_points(settings, view, right, flat=flat), spot, chain.product)
    long = wing(chain, short, points)
    if long is None:
        return f"no wing {points:.1f} points from {short}"
    return Part(SIDES[right], Structure(SIDES[right], (Leg(short, -1), Leg(long, +1))))


def _short(settings: Settings, chain: Chain, right: Right, at: float) -> Option | None:
    """The listed strike at ``at``, rounded outward; too near moves out, too far moves in."""
    short = strike_outward(chain, right, at)
    # Nobody bids that far out: as good as no delta.
    delta = 0.0 if short is None else delta_of(chain, short)
    if delta is None or delta >= settings.delta_max:
        short = strike_outward(chain, right, at, delta_max=settings.delta_max)
    elif delta < settings.delta_min:
        short = nearest_delta(chain, right, settings.delta_inward)
    delta = None if short is None else delta_of(chain, short)
    return None if delta is None or delta >= settings.delta_never else short


def _wing_points(settings: Settings, view: View, right: Right, *, flat: bool) -> Decimal:
    means = when.averages(view, 8, 21) if settings.broken_wing and flat else None
    if means is None:
        return settings.wing_points
    tested = Right.CALL if means[0] > means[1] else Right.PUT
    widened = (right is tested) == (settings.broken_wing_side == "tested")
    return settings.broken_wing_points if widened else settings.wing_points


def _priced(settings: Settings, view: View, own: Own, parts: list[Part], move: float) -> Open | Pass:
    product, whole = parts[0].structure.product, merged(ENTRY, [part.structure for part in parts])
    quote = priced(view, whole)
    share = settings.condor_credit_share if len(parts) > 1 else settings.vertical_credit_share
    least = least_credit(share * max(_width(part) for part in parts), parts)
    if quote is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{product}: a leg of {whole} has no two-sided quote")
    expected = quote.mid - share_at(view.vix) * quote.half_spread
    if expected < least:
        return Pass(
            own.strategy,
            ENTRY,
            "PRICE",
            f"{product}: credit {expected:.2f} after slippage, least {least:.2f}",
        )
    loss = whole.max_loss(quote.mid)
    ceiling = _ceiling(settings, own, product, known(view.vix))
    if not loss or not ceiling:
        return Pass(
            own.strategy, ENTRY, "PRICE", f"{product}: {quote.mid:.2f} for {whole}, ceiling {ceiling}"
        )
    roles = tuple(part.role for part in parts)
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=tuple(parts),
        ceiling=ceiling,
        planned_loss=loss,
        target_gain=settings.target_share * quote.mid,
        least_net=least,
        reason=f"{'; '.join(found(settings, view, own))}; VIX {view.vix:.2f}{when.coverage_note(view.today)}",
        targets=(Target(roles, settings.target_share),),
    )


def _width(part: Part) -> float:
    strikes = [float(c.strike) for c in part.structure.contracts if isinstance(c, Option)]
    return max(strikes) - min(strikes)


def _ceiling(settings: Settings, own: Own, product: str, vix: float) -> int:
    units = Decimal(settings.es_units_max)
    if settings.vix_gate == "soft" and vix <= settings.vix_min:
        units = min(units, settings.soft_es_units[own.phase])
    listed, es = PRODUCTS[product], PRODUCTS["ES"]
    return int(units * es.multiplier / (listed.multiplier * listed.index_ratio))
