"""The tail wings (B.4, "enhanced"): a far put and a far call to cap the risk, if they are worth it."""

from decimal import Decimal

import numpy as np

from tomking.domain.chain import Chain
from tomking.domain.contract import Option
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.risk.margin import Held, margin
from tomking.risk.settings import Settings as RiskSettings
from tomking.rules import select
from tomking.strategies.futures_strangle.settings import Settings
from tomking.view import View

MARGINS = RiskSettings()
"""The estimate's own parameters; live the broker's dry run decides once more."""


def beyond(settings: Settings, chain: Chain, short: Option) -> Option | None:
    """The option nearest the wing's delta that lies farther out than ``short``."""
    wing = select.nearest_delta(chain, short.right, settings.wing_delta)
    if wing is None or (wing.strike - short.strike) * int(short.right) <= 0:
        return None
    return wing


def refusal(settings: Settings, view: View, structure: Structure) -> str | None:
    """Why its wings are not worth having: they save too little margin, or cost too much of the credit."""
    if settings.enhanced != "tail_wing":
        return None
    plain = Structure("strangle", tuple(leg for leg in structure.legs if leg.is_short))
    with_wings, without = select.priced(view, structure), select.priced(view, plain)
    need, bare = _margin(view, structure), _margin(view, plain)
    if with_wings is None or without is None or need is None or bare is None:
        return "the margin of its wings cannot be told"
    cost, saved = 1 - with_wings.mid / without.mid, 1 - need / bare
    if cost <= settings.wing_cost_share and saved >= settings.wing_margin_saved:
        return None
    return (
        f"wings cost {cost:.0%} of the credit (most {settings.wing_cost_share:.0%}) and save {saved:.0%} of "
        f"the margin of ${bare:,.0f} (least {settings.wing_margin_saved:.0%})"
    )


def _margin(view: View, structure: Structure) -> Decimal | None:
    """Dollars for one unit, as the gate estimates them."""
    quotes = view.quotes(structure.contracts)
    mids = [np.nan if quote is None or quote.mid is None else float(quote.mid) for quote in quotes]
    received = float(sum(-leg.ratio * mid for leg, mid in zip(structure.legs, mids, strict=True)))
    legs = [Held(leg.contract, leg.ratio) for leg in structure.legs]
    spot = view.spot(PRODUCTS[structure.product].family)
    return margin(legs, np.array(mids), received, spot, view.vix, MARGINS)
