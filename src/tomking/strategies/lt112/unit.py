"""Building the 1-1-2 itself."""

from datetime import date

from tomking.domain.chain import Chain
from tomking.domain.contract import Right
from tomking.domain.intent import Alternatives, Open, Part, Pass, Target
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.entry import known
from tomking.rules.strategy import best_of
from tomking.strategies.lt112.settings import Settings
from tomking.view import Own, View

ENTRY = "1-1-2"


def units(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """One unit in ES, else in MES; in the first phase in MES alone."""
    products = ("ES", "MES") if own.phase >= settings.second_week_phase else ("MES",)
    wishes = [_unit(settings, view, own, product) for product in products]
    return best_of(own, ENTRY, wishes)


def _unit(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    expiry = _expiry(settings, view, own, product)
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: no free expiry near {settings.entry_dte} DTE")
    parts = _legs(settings, chain, known(view.spot()))
    if isinstance(parts, str):
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product} {expiry}: {parts}")
    return _priced(settings, view, own, parts)


def _expiry(settings: Settings, view: View, own: Own, product: str) -> date | None:
    """Each new unit on an expiry of its own; third Fridays and month-ends first."""
    near = settings.entry_dte - settings.dte_tolerance, settings.entry_dte + settings.dte_tolerance
    low, high = (settings.mes_dte_min, settings.mes_dte_max) if product == "MES" else near
    return select.expiry_near(
        view.expiries(product),
        view.today,
        settings.entry_dte,
        low=low,
        high=high,
        without={c.expiry for p in own.positions for c in p.components.values()},
        first_choice=(lambda _: True) if product == "MES" else select.is_standard,
    )


def _legs(settings: Settings, chain: Chain, spot: float) -> tuple[Part, Part] | str:
    """PDS and NP, or what was not found."""
    long = select.nearest_delta(
        chain, Right.PUT, settings.long_delta, low=settings.long_delta_min, high=settings.long_delta_max
    )
    if long is None:
        return f"no put of {settings.long_delta_min:.0%} to {settings.long_delta_max:.0%} delta to buy"
    width = select.scaled(settings.pds_width, spot, chain.product)
    short = select.wing(chain, long, width)
    if short is None:
        return f"no put {width:.1f} points below {long}"
    farthest = (1 - settings.np_otm_share) * chain.forward
    naked = select.nearest_delta(
        chain,
        Right.PUT,
        settings.np_delta,
        low=settings.np_delta_min,
        high=settings.np_delta_max,
        most=farthest,
    )
    if naked is None or naked.strike >= short.strike:
        band = f"{settings.np_delta_min:.0%} to {settings.np_delta_max:.0%} delta"
        return f"no put of {band} at or below {farthest:.1f}"
    return (
        Part("PDS", Structure("PDS", (Leg(long, +1), Leg(short, -1)))),
        Part("NP", Structure("NP", (Leg(naked, -2),))),
    )


def _priced(settings: Settings, view: View, own: Own, parts: tuple[Part, Part]) -> Open | Pass:
    product, spot = parts[0].structure.product, known(view.spot())
    spread, pair = (select.priced(view, part.structure) for part in parts)
    if spread is None or pair is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{product}: a leg has no two-sided quote")
    for name, credit, points in (
        ("the naked pair brings", pair.mid, settings.np_credit_min),
        ("the unit brings", spread.mid + pair.mid, settings.net_credit_min),
    ):
        least = select.least_credit(select.scaled(points, spot, product), parts)
        if credit < least:
            return Pass(own.strategy, ENTRY, "PRICE", f"{product}: {name} {credit:.2f}, least {least:.2f}")
    gain = settings.np_target * pair.mid + spread.mid
    if gain <= 0:
        return Pass(own.strategy, ENTRY, "PRICE", f"{product}: the debit takes the whole target, {gain:.2f}")
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=parts,
        ceiling=_ceiling(settings, own, product),
        planned_loss=settings.np_stop_credits * pair.mid,
        target_gain=gain,
        least_net=select.least_credit(select.scaled(settings.net_credit_min, spot, product), parts),
        reason=f"debit {-spread.mid:.2f}, naked pair {pair.mid:.2f}, VIX {view.vix:.2f}",
        targets=(Target(("NP",), settings.np_target),),
    )


def _ceiling(settings: Settings, own: Own, product: str) -> int:
    if product == "ES":
        return settings.es_units_an_expiry
    first = own.phase < settings.second_week_phase
    return settings.mes_units_first_phase if first else settings.mes_units_an_expiry
