"""Buying a rung: the next one of the ladder on its day, or one that was sold to be bought again."""

from collections.abc import Sequence
from decimal import Decimal

from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Open, Part, Pass
from tomking.domain.money import on_grid_below
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.strategy import Wish
from tomking.strategies.leap_put_hedge.ladder import budget, held, role, rung_name, to_replace
from tomking.strategies.leap_put_hedge.settings import Settings
from tomking.view import Own, View

MONTHLY, REPLACE = "rung", "replacement"
ROLLED = "rolled"


def next_rung(settings: Settings, view: View, own: Own) -> Wish:
    """The first rung that is not held: the farthest first, so that a small account has its crash cover."""
    have = held(own)
    taken = have.keys() | to_replace(settings, own, view.today).keys()
    free = [share for share in settings.rungs if share not in taken]
    if not free:
        return ()
    vix = view.vix
    if vix is not None and vix >= settings.vix_first_only and have:
        detail = f"VIX {vix:.2f}: from {settings.vix_first_only:g} on only the first rung is bought"
        return Pass(own.strategy, MONTHLY, "VIX", detail)
    aim, most = budget(settings, own)
    return _bought(settings, view, own, MONTHLY, free[0], aim, most)


def replacements(settings: Settings, view: View, own: Own) -> Wish:
    """What was rolled or re-struck, at the same share of the index; after a harvest the first rung."""
    wishes: list[Alternatives] = []
    refused: list[Pass] = []
    for share, (why, dollars) in to_replace(settings, own, view.today).items():
        wish = _replacement(settings, view, own, share, why, dollars)
        wishes += [wish] if isinstance(wish, Alternatives) else []
        refused += [wish] if isinstance(wish, Pass) else []
    return wishes if wishes or not refused else refused[0]


def _replacement(  # noqa: PLR0917
    settings: Settings, view: View, own: Own, share: Decimal, why: str, dollars: Decimal
) -> Alternatives | Pass:
    vix = view.vix
    if why == ROLLED and vix is not None and vix > settings.roll_vix_max:
        return Pass(own.strategy, REPLACE, "VIX", f"VIX {vix:.2f}: no re-buy above {settings.roll_vix_max:g}")
    aim, most = budget(settings, own)
    if dollars:
        aim, most = min(most, dollars), min(most, dollars)
    return _bought(settings, view, own, REPLACE, share, aim, most)


def _bought(  # noqa: PLR0917
    settings: Settings, view: View, own: Own, entry: str, share: Decimal, aim: Decimal, most: Decimal
) -> Alternatives | Pass:
    put = _put(settings, view, share)
    if isinstance(put, str):
        return Pass(own.strategy, entry, "STRUCT", f"{rung_name(share)}: {put}")
    quote = select.priced(view, Structure(entry, (Leg(put, +1),)))
    if quote is None or quote.mid >= 0:
        return Pass(own.strategy, entry, "LIQ", f"{put} has no two-sided quote")
    price, spread = -quote.mid, 2 * quote.half_spread
    if spread > settings.spread_share_max * price:
        detail = f"{put}: spread {spread:.2f} is {spread / price:.1%} of {price:.2f}"
        return Pass(own.strategy, entry, "LIQ", f"{detail}, limit {settings.spread_share_max:.0%}")
    each = price * put.multiplier
    puts = max(int(aim // each), 1 if each <= most else 0)
    if puts < 1:
        return Pass(own.strategy, entry, "SIZE", f"{put} costs ${each:,.0f}, a rung may ${max(most, 0):,.0f}")
    return Alternatives(tuple(_sizes(settings, own, entry, share, put, price, puts)))


def _sizes(  # noqa: PLR0917
    settings: Settings, own: Own, entry: str, share: Decimal, put: Option, price: Decimal, puts: int
) -> Sequence[Open]:
    """In pairs, one put in each half; single puts where there is but one, or the gate allows no pair."""
    halves = ((2, puts // 2), (1, puts)) if puts >= 2 else ((1, puts),)
    return [
        Open(
            strategy=own.strategy,
            entry=entry,
            parts=tuple(
                Part(role(share, half), Structure(role(share, half), (Leg(put, +1),)))
                for half in range(1, count + 1)
            ),
            ceiling=ceiling,
            planned_loss=count * price,
            target_gain=count * (settings.half_multiple - 1) * price,
            least_net=on_grid_below(-count * price * (1 + settings.spread_share_max), count * put.tick),
            reason=f"{rung_name(share)} of the ladder, {put} at {price:.2f}",
        )
        for count, ceiling in halves
    ]


def _put(settings: Settings, view: View, share: Decimal) -> Option | str:
    product = settings.product
    expiry = select.expiry_near(
        view.expiries(product),
        view.today,
        settings.leap_dte_min,
        low=settings.leap_dte_min,
        high=settings.leap_dte_max,
    )
    chain = None if expiry is None else view.chain(product, expiry)
    level = select.price_of(view, product)
    if chain is None or level is None:
        return f"no expiry of {settings.leap_dte_min} to {settings.leap_dte_max} DTE"
    at = float(share) * level
    put = select.nearest_strike(chain, Right.PUT, at, miss=settings.strike_miss_share * level)
    return f"{expiry}: no put near {at:.1f}" if put is None else put
