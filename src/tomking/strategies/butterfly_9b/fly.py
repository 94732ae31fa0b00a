"""Building the butterfly: which side, where its centre lies, and how many."""

from decimal import Decimal

from tomking.domain.chain import Chain
from tomking.domain.contract import Right
from tomking.domain.intent import Alternatives, Open, Part, Pass
from tomking.domain.money import on_grid_below
from tomking.domain.slippage import share_at
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.entry import coverage_note, known
from tomking.rules.prints import move_until
from tomking.rules.strategy import best_of
from tomking.strategies.butterfly_9b.settings import Settings
from tomking.view import Own, View

ENTRY = "9b"
MORNING = "morning"
"""The print at which the morning's move is measured."""
CHOICES = (("SPXW", 1), ("XSP", 1), ("XSP", 2))
"""Product and widths, best first.  Settled in cash, European: nothing can be assigned after the close.
XSP quotes one point apart may be too poor: then two (B.7)."""


def wish(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """A fly in SPXW, else in XSP, else a wider one in XSP."""
    return best_of(own, ENTRY, [_in_product(settings, view, own, *choice) for choice in CHOICES])


def _in_product(settings: Settings, view: View, own: Own, product: str, widths: int) -> Open | Pass:
    chain = view.chain(product, view.today) if view.today in view.expiries(product) else None
    if chain is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: nothing expires today")
    part = _fly(settings, view, own, chain, widths)
    if isinstance(part, str):
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: {part}")
    return _priced(settings, view, own, part)


def _fly(settings: Settings, view: View, own: Own, chain: Chain, widths: int) -> Part | str:
    """Puts after a rise, calls after a fall: the side on which the move would fade."""
    spot, move = known(view.spot()), move_until(MORNING, view, own)
    right = Right.PUT if move > 0 else Right.CALL
    away = _distance(settings, chain, spot, move)
    if away is None:
        return "no volatility at the money to expect a move by"
    centre = select.nearest_strike(chain, right, select.reference(chain, spot) + int(right) * away)
    if centre is None:
        return f"no {right.name.lower()} to centre on"
    width = select.scaled(widths * settings.width_points, spot, chain.product)
    outer, inner = select.wing(chain, centre, width), select.wing(chain, centre, -width)
    if outer is None or inner is None:
        return f"no wings {width:.1f} points either side of {centre}"
    if abs(outer.strike - centre.strike) != abs(inner.strike - centre.strike):
        return f"wings of {centre} at {inner.strike} and {outer.strike} are not equally far"
    return Part("fly", Structure("fly", (Leg(inner, +1), Leg(centre, -2), Leg(outer, +1))))


def _distance(settings: Settings, chain: Chain, spot: float, move: float) -> float | None:
    """Points from the index to the centre."""
    if abs(move) > settings.large_move_share:
        return select.scaled(settings.centre_points, spot, chain.product)
    return 0.0 if settings.mid_zone == "atm" else select.expected_move(chain)


def _priced(settings: Settings, view: View, own: Own, part: Part) -> Open | Pass:
    structure, quote = part.structure, select.priced(view, part.structure)
    if quote is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: a leg has no two-sided quote")
    inner, centre = (leg.contract for leg in structure.legs[:2])
    width = select.strikes_apart(inner, centre)
    most = settings.debit_share_max * width
    if -quote.mid > most or quote.mid >= 0:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: debit {-quote.mid:.2f}, most {most:.2f}")
    expected = share_at(view.vix) * quote.half_spread - quote.mid
    flies = min(settings.flies_max, int(_budget(settings, view, own) / (expected * structure.multiplier)))
    if flies < 1:
        dollars = expected * structure.multiplier
        return Pass(own.strategy, ENTRY, "SIZE", f"a fly costs ${dollars:,.0f}, over the Friday's budget")
    affordable = _budget(settings, view, own) / (flies * structure.multiplier)
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=(part,),
        ceiling=flies,
        planned_loss=-quote.mid,
        target_gain=width + quote.mid,
        least_net=-on_grid_below(min(most, affordable), structure.tick),
        reason=f"{move_until(MORNING, view, own):+.2%} in the first hour{coverage_note(view.today)}",
    )


def _budget(settings: Settings, view: View, own: Own) -> Decimal:
    """Dollars for all flies of this Friday."""
    share = settings.budget_share * Decimal(repr(known(view.vix))) / settings.budget_vix
    return min(share * own.net_liq, settings.budget_usd)
