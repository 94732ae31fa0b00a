"""Building the calendar."""

from decimal import Decimal

from tomking.domain.contract import Right
from tomking.domain.intent import Alternatives, Open, Part, Pass
from tomking.domain.money import on_grid_below
from tomking.domain.structure import Leg, Structure, merged
from tomking.rules import entry as when
from tomking.rules import fronts, select
from tomking.rules.strategy import best_of
from tomking.strategies.calendar_spread.settings import Settings
from tomking.view import Own, View

ENTRY = "calendar"


def units(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """A calendar in the first underlying that has one."""
    return best_of(own, ENTRY, [_unit(settings, view, own, product) for product in settings.products])


def _unit(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    listed = view.expiries(product)
    held = {c.expiry for p in own.positions if p.product == product for c in p.components.values()}
    near = select.expiry_near(
        listed,
        view.today,
        settings.front_dte,
        low=settings.front_dte_min,
        high=settings.front_dte_max,
        without=held,
    )
    far = select.expiry_near(
        listed,
        view.today,
        settings.back_dte,
        low=settings.back_dte_min,
        high=settings.back_dte_max,
        first_choice=select.is_standard,
    )
    front = None if near is None else view.chain(product, near)
    back = None if far is None else view.chain(product, far)
    price = None if near is None else select.underlying(view, product, near)
    if front is None or back is None or price is None:
        said = f"no expiries near {settings.front_dte} and {settings.back_dte} DTE" if listed else "no market"
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: {said}")
    right = right_of_trend(settings, view)
    both = select.common_strike(front, back, right, price)
    if both is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: no strike is quoted on {near} and {far}")
    parts = (
        Part(fronts.back(right), Structure(fronts.back(right), (Leg(both[1], +1),))),
        Part(fronts.front(right, 1), Structure(fronts.front(right, 1), (Leg(both[0], -1),))),
    )
    return _priced(settings, view, own, parts, price)


def right_of_trend(settings: Settings, view: View) -> Right:
    """Puts while the fast average is below the slow one, else calls."""
    means = when.averages(view, settings.ema_fast, settings.ema_slow)
    return Right.PUT if means is not None and means[0] < means[1] else Right.CALL


def _priced(settings: Settings, view: View, own: Own, parts: tuple[Part, Part], price: float) -> Open | Pass:
    structure = merged(ENTRY, [part.structure for part in parts])
    quote = select.priced(view, structure)
    if quote is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: a leg has no two-sided quote")
    debit, most = -quote.mid, settings.debit_share_max * Decimal(repr(price))
    if not 0 < debit <= most:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: debit {debit:.2f}, most {most:.2f}")
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=parts,
        ceiling=settings.units_max,
        planned_loss=settings.stop_share * debit,
        target_gain=settings.target_share * debit,
        least_net=-on_grid_below(most, structure.tick),
        reason=f"debit {debit:.2f}, {float(debit) / price:.2%} of {price:.2f}, VIX {view.vix:.2f}",
    )
