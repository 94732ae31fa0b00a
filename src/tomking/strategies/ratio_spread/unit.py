"""Building the one-by-two."""

from decimal import Decimal

from tomking.domain.book import Position
from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Open, Part, Pass
from tomking.domain.structure import Leg, Structure
from tomking.rules import select
from tomking.rules.strategy import best_of
from tomking.strategies.ratio_spread.settings import Settings
from tomking.view import Own, View

ENTRY = "1x2"
VERTICAL, EXTRA = "vertical", "extra"


def units(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """A unit in the first underlying that has one."""
    return best_of(own, ENTRY, [_unit(settings, view, own, product) for product in settings.products])


def strikes_of(position: Position) -> tuple[Decimal, Decimal] | None:
    """The long strike and the short one, below it; None once an assignment has taken the vertical apart."""
    contracts = position.components[VERTICAL].structure.contracts
    strikes = [one.strike for one in contracts if isinstance(one, Option)]
    return (strikes[0], strikes[1]) if len(strikes) == 2 else None


def target_points(settings: Settings, credit: Decimal, width: Decimal) -> Decimal:
    """Points won per unit at which it is enough; the best profit is the width and the credit (B.9)."""
    return settings.target_share * max(credit, settings.best_share * (width + credit))


def _unit(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    listed = view.expiries(product)
    expiry = select.expiry_near(
        listed,
        view.today,
        settings.entry_dte,
        low=settings.entry_dte - settings.dte_tolerance,
        high=settings.entry_dte + settings.dte_tolerance,
        without={c.expiry for p in own.positions if p.product == product for c in p.components.values()},
    )
    chain = None if expiry is None else view.chain(product, expiry)
    price = None if expiry is None else select.underlying(view, product, expiry)
    if chain is None or price is None:
        said = f"no free expiry near {settings.entry_dte} DTE" if listed else "no market"
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: {said}")
    parts = _parts(settings, chain)
    if isinstance(parts, str):
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product} {expiry}: {parts}")
    return _priced(settings, view, own, parts, price)


def _parts(settings: Settings, chain: Chain) -> tuple[Part, Part] | str:
    """The vertical and the extra put: two components, so that the extra one can go alone."""
    long = select.nearest_delta(
        chain, Right.PUT, settings.long_delta, low=settings.long_delta_min, high=settings.long_delta_max
    )
    short = select.nearest_delta(
        chain, Right.PUT, settings.short_delta, low=settings.short_delta_min, high=settings.short_delta_max
    )
    if long is None:
        return f"no put of {settings.long_delta_min:.0%} to {settings.long_delta_max:.0%} delta to buy"
    if short is None or short.strike >= long.strike:
        return f"no puts of {settings.short_delta_min:.0%} to {settings.short_delta_max:.0%} delta to sell"
    return (
        Part(VERTICAL, Structure(VERTICAL, (Leg(long, +1), Leg(short, -1)))),
        Part(EXTRA, Structure(EXTRA, (Leg(short, -1),))),
    )


def _priced(settings: Settings, view: View, own: Own, parts: tuple[Part, Part], price: float) -> Open | Pass:
    vertical, extra = (select.priced(view, part.structure) for part in parts)
    product = parts[0].structure.product
    if vertical is None or extra is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{product}: a leg has no two-sided quote")
    credit = vertical.mid + extra.mid
    least = select.least_credit(select.stated_points(settings.credit_min_usd, price), parts)
    if credit < least:
        return Pass(own.strategy, ENTRY, "PRICE", f"{product}: it brings {credit:.2f}, least {least:.2f}")
    width = select.strikes_apart(*parts[0].structure.contracts)
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=parts,
        ceiling=settings.units_max,
        planned_loss=settings.stop_credits * credit,
        target_gain=target_points(settings, credit, width),
        least_net=least,
        reason=f"credit {credit:.2f}, width {width:.2f}, VIX {view.vix:.2f}",
    )
