"""Buying the LEAP and selling its first weekly call, as one order; of the symbols that fit the cheapest."""

from decimal import Decimal

from tomking.domain.contract import Option, Right
from tomking.domain.intent import Mark, Open, Part, Pass
from tomking.domain.money import on_grid_below
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.entry import iv_rank
from tomking.rules.strategy import Wish, best_of
from tomking.strategies.ipmcc import announced, weekly
from tomking.strategies.ipmcc.parts import LEAP
from tomking.strategies.ipmcc.regime import trend_of, why_no_leap
from tomking.strategies.ipmcc.settings import Settings
from tomking.view import Own, View

ENTRY = "LEAP and weekly"


def cheapest_first(settings: Settings, view: View, own: Own) -> Wish:
    """A pair in each symbol without one; the gate takes the first that the account can carry."""
    held = {position.product for position in own.positions}
    wishes: list[Open | Pass] = []
    marks: list[Mark] = []
    for product in settings.products:
        if product in held:
            continue
        found = _pair(settings, view, own, product)
        if isinstance(found, Pass):
            wishes.append(found)
        else:
            wishes.append(found[0])
            marks.append(found[1])
    if not wishes:
        return ()
    wishes.sort(key=lambda wish: _dollars(wish) if isinstance(wish, Open) else Decimal(0))
    best = best_of(own, ENTRY, wishes)
    return best if isinstance(best, Pass) else [*marks, best]


def _dollars(wish: Open) -> Decimal:
    """What a unit costs, by the loss planned for, which is a share of it."""
    return wish.planned_loss * wish.structure.multiplier


def _pair(settings: Settings, view: View, own: Own, product: str) -> tuple[Open, Mark] | Pass:
    no_leap = announced.why_no_leap(view, product)
    if no_leap:
        return Pass(own.strategy, ENTRY, "EVT", no_leap)
    trend = trend_of(settings, view, product)
    if isinstance(trend, str):
        return Pass(own.strategy, ENTRY, "DATA", trend)
    no_leap = why_no_leap(settings, trend, product)
    if no_leap:
        return Pass(own.strategy, ENTRY, "TECH", f"{product}: {no_leap}")
    leap = _leap(settings, view, own, product)
    if isinstance(leap, Pass):
        return leap
    cost = _cost(settings, view, own, leap)
    if isinstance(cost, Pass):
        return cost
    sale = weekly.sale_of(settings, view, own, ENTRY, leap=leap, leap_value=float(cost), deeper=False)
    return (
        sale
        if isinstance(sale, Pass)
        else (_wish(settings, view, own, leap, cost, sale), sale.mark(own.strategy))
    )


def _leap(settings: Settings, view: View, own: Own, product: str) -> Option | Pass:
    expiry = select.expiry_near(
        view.expiries(product),
        view.today,
        settings.leap_dte,
        low=settings.leap_dte_min,
        high=settings.leap_dte_max,
    )
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: no expiry near {settings.leap_dte} DTE")
    call = select.nearest_delta(
        chain, Right.CALL, settings.leap_delta, low=settings.leap_delta_min, high=settings.leap_delta_max
    )
    if call is None:
        band = f"{settings.leap_delta_min:.0%} to {settings.leap_delta_max:.0%}"
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product} {expiry}: no call of {band} delta to buy")
    return call


def _cost(settings: Settings, view: View, own: Own, leap: Option) -> Decimal | Pass:
    """The LEAP's mid; or why it is not to be had at it."""
    quote = select.priced(view, Structure(LEAP, (Leg(leap, +1),)))
    level = select.price_of(view, leap.product)
    if quote is None or level is None:
        return Pass(own.strategy, ENTRY, "LIQ", f"{leap} has no two-sided quote")
    cost, spread = -quote.mid, 2 * quote.half_spread
    scale = leap.tick / PRODUCTS[leap.product].tick
    price = Decimal(repr(level))
    widest = max(settings.leap_spread_share * price, settings.leap_spread_usd * scale)
    if spread > widest:
        return Pass(own.strategy, ENTRY, "LIQ", f"{leap}: spread {spread:.2f}, widest {widest:.2f}")
    extrinsic, most = cost - leap.intrinsic(price), settings.leap_extrinsic_share * leap.strike
    if extrinsic > most:
        return Pass(own.strategy, ENTRY, "PRICE", f"{leap}: time value {extrinsic:.2f}, most {most:.2f}")
    return cost


def _wish(  # noqa: PLR0917 - all of the pair
    settings: Settings, view: View, own: Own, leap: Option, cost: Decimal, sale: weekly.Sale
) -> Open:
    parts = (Part(LEAP, Structure(LEAP, (Leg(leap, +1),))), sale.part)
    quote = select.priced(view, Structure(ENTRY, tuple(leg for p in parts for leg in p.structure.legs)))
    assert quote is not None, "both parts were quoted a moment ago"
    rank = iv_rank(view)
    said = "unknown" if rank is None else f"{rank:.0%}"
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=parts,
        ceiling=settings.contracts,
        planned_loss=settings.leap_stop * cost,
        target_gain=settings.weekly_target * sale.extrinsic,
        least_net=on_grid_below(quote.mid - settings.concession_share * quote.half_spread, leap.tick),
        reason=f"LEAP {cost:.2f}, time value sold {sale.extrinsic:.2f}, {leap.product} at {sale.level:.2f},"
        f" IV rank {said}",
    )
