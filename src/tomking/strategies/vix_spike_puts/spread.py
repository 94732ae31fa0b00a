"""Building one tranche: a put spread on the index, in a future or on SPY."""

from tomking.domain.chain import Chain
from tomking.domain.contract import Right
from tomking.domain.intent import Alternatives, Open, Part, Pass, Target
from tomking.domain.money import on_grid_above
from tomking.domain.structure import Leg, Structure
from tomking.risk.availability import PLACES
from tomking.rules import select
from tomking.rules.strategy import best_of
from tomking.strategies.vix_spike_puts.settings import Settings
from tomking.view import Own, View

ENTRY = "put spread"
PRODUCTS = ("ES", "SPY", "MES", "IWM")
"""Largest first; which of them a phase allows, A.4 says."""


def wish(settings: Settings, view: View, own: Own, warning: str) -> Alternatives | Pass:
    """A tranche in the first product that fits its share of the margin."""
    allowed = [p for p in PRODUCTS if p in PLACES[own.strategy].products[own.phase]]
    if not allowed:
        return Pass(own.strategy, ENTRY, "PHASE", f"nothing may be sold in phase {own.phase}")
    return best_of(own, ENTRY, [_in_product(settings, view, own, p, warning) for p in allowed])


def _in_product(settings: Settings, view: View, own: Own, product: str, warning: str) -> Open | Pass:
    low, high = settings.entry_dte - settings.dte_tolerance, settings.entry_dte + settings.dte_tolerance
    expiry = select.expiry_near(view.expiries(product), view.today, settings.entry_dte, low=low, high=high)
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: no expiry of {low} to {high} DTE")
    part = _spread(settings, chain)
    if isinstance(part, str):
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product} {expiry}: {part}")
    return _priced(settings, view, own, part, warning)


def _spread(settings: Settings, chain: Chain) -> Part | str:
    low, high = settings.put_delta_min, settings.put_delta_max
    short = select.nearest_delta(chain, Right.PUT, settings.put_delta, low=low, high=high)
    if short is None:
        return f"no put of {low:.0%} to {high:.0%} delta to sell"
    width = settings.width_share_max * chain.forward
    long = select.wing_within(chain, short, width)
    if long is None:
        return f"no put at most {width:.2f} points below {short}"
    return Part("spread", Structure("put spread", (Leg(short, -1), Leg(long, +1))))


def _priced(settings: Settings, view: View, own: Own, part: Part, warning: str) -> Open | Pass:
    structure, quote = part.structure, select.priced(view, part.structure)
    if quote is None or quote.mid <= 0:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: no credit, or a leg without a quote")
    width = select.strikes_apart(*structure.contracts)
    margin = (width - quote.mid) * structure.multiplier
    share = settings.margin_share / settings.tranches * own.net_liq
    units = int(share / margin)
    if units < 1:
        return Pass(
            own.strategy, ENTRY, "SIZE", f"{structure}: ${margin:,.0f} of margin, a tranche is ${share:,.0f}"
        )
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=(part,),
        ceiling=units,
        planned_loss=min(settings.stop_credits * quote.mid, width - quote.mid),
        target_gain=settings.target * quote.mid,
        least_net=max(structure.tick, on_grid_above(quote.natural, structure.tick)),
        reason=f"VIX {view.vix:.2f} after a spike; {warning}",
        targets=(Target((part.role,), settings.target),),
    )
