"""Building the VIX calls: which month, which strike, and how many the budget buys."""

from datetime import timedelta
from decimal import Decimal

from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Open, Part, Pass
from tomking.domain.money import on_grid_below
from tomking.domain.structure import Leg, Structure
from tomking.rules import ledger, select
from tomking.rules.strategy import Wish
from tomking.strategies.vix_call_hedge.settings import Settings
from tomking.view import Own, View

ENTRY = "vix calls"
PRODUCT = "VIX"
FIRST, REST = "first half", "rest"
"""Two equal components: the one sold first, and the other."""


def wish(settings: Settings, view: View, own: Own) -> Wish:
    """As many calls as what is left of the budget buys, in two halves where there are two."""
    expiry = select.expiry_near(
        view.expiries(PRODUCT), view.today, settings.entry_dte, low=settings.dte_min, high=settings.dte_max
    )
    chain = None if expiry is None else view.chain(PRODUCT, expiry)
    if chain is None:
        said = f"no VIX expiry of {settings.dte_min} to {settings.dte_max} DTE"
        return Pass(own.strategy, ENTRY, "STRUCT", said)
    call = _call(settings, chain)
    if call is None:
        band = f"{settings.delta_min:.0%} to {settings.delta_max:.0%} delta"
        return Pass(own.strategy, ENTRY, "STRUCT", f"{expiry}: no VIX call of {band}")
    return _priced(settings, view, own, call)


def _call(settings: Settings, chain: Chain) -> Option | None:
    return select.nearest_delta(
        chain, Right.CALL, settings.delta, low=settings.delta_min, high=settings.delta_max
    )


def _priced(settings: Settings, view: View, own: Own, call: Option) -> Open | Pass:
    quote = select.priced(view, Structure(ENTRY, (Leg(call, +1),)))
    if quote is None or quote.mid >= 0:
        return Pass(own.strategy, ENTRY, "LIQ", f"{call} has no price")
    mid, spread = -quote.mid, 2 * quote.half_spread
    if spread > max(settings.spread_share_max * mid, settings.spread_points_max):
        return Pass(own.strategy, ENTRY, "LIQ", f"{call} is {spread} wide at {mid}")
    budget = _budget(settings, view, own)
    most = mid + quote.half_spread
    count = int(budget / (most * call.multiplier))
    if count < 1:
        said = f"{call} costs ${most * call.multiplier:,.2f}, ${budget:,.2f} of the budget is left"
        return Pass(own.strategy, ENTRY, "SIZE", said)
    return _open(own, call, count, mid, most, budget)


def _open(  # noqa: PLR0917 - what was worked out
    own: Own, call: Option, count: int, mid: Decimal, most: Decimal, budget: Decimal
) -> Open:
    roles = (FIRST, REST) if count > 1 else (REST,)
    parts = tuple(Part(role, Structure(role, (Leg(call, +1),))) for role in roles)
    halves = len(roles)
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=parts,
        ceiling=count // halves,
        planned_loss=halves * mid,
        target_gain=2 * halves * mid,
        least_net=-on_grid_below(halves * most, halves * call.tick),
        reason=f"{call} at {mid:.2f}, ${budget:,.2f} of the budget is left",
    )


def _budget(settings: Settings, view: View, own: Own) -> Decimal:
    """Dollars: the month's, or what is left of the year's."""
    year = settings.annual_budget * own.net_liq - ledger.spent_since(own, view.today - timedelta(days=365))
    return max(Decimal(0), min(settings.month_share * own.net_liq, year))
