"""Building the strangle: which product of a group, which strikes, and whether full size or micros."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tomking.domain.chain import Chain
from tomking.domain.contract import Right
from tomking.domain.fees import round_trip
from tomking.domain.intent import Alternatives, Open, Part, Pass, Target
from tomking.domain.money import on_grid_above
from tomking.domain.products import MICROS_PER_FULL, PRODUCTS
from tomking.domain.structure import Leg, Structure, merged
from tomking.rules import select
from tomking.rules.strategy import best_of
from tomking.strategies.futures_strangle import conditions, wings
from tomking.strategies.futures_strangle.settings import Settings
from tomking.view import Own, View

PUT, CALL = "put", "call"


def wish(settings: Settings, view: View, own: Own, entry: str, group: str) -> Alternatives | Pass:
    """The strangle in the first of the group's products that can be had; full size before micros."""
    products = conditions.products_of(settings, group, own.phase)
    wishes = [_in_product(settings, view, own, entry, product) for product in products]
    return best_of(own, entry, _without_dear(view, wishes))


def _in_product(settings: Settings, view: View, own: Own, entry: str, product: str) -> Open | Pass:
    refusal = conditions.refusal(settings, view, product)
    if refusal is not None:
        return Pass(own.strategy, entry, *refusal)
    sides = _sides(settings, view, product)
    if isinstance(sides, str):
        return Pass(own.strategy, entry, "STRUCT", f"{product}: {sides}")
    return _priced(settings, view, own, entry, sides)


def _sides(settings: Settings, view: View, product: str) -> tuple[Part, Part] | str:
    low, high = settings.entry_dte - settings.dte_tolerance, settings.entry_dte + settings.dte_tolerance
    expiry = select.expiry_near(view.expiries(product), view.today, settings.entry_dte, low=low, high=high)
    chain = None if expiry is None else view.chain(product, expiry)
    if chain is None:
        return f"no expiry of {low} to {high} DTE"
    put, call = side(settings, chain, PUT), side(settings, chain, CALL)
    if isinstance(put, str) or isinstance(call, str):
        return f"{expiry}: {put if isinstance(put, str) else call}"
    return put, call


def side(settings: Settings, chain: Chain, name: str, role: str | None = None) -> Part | str:
    """One short option, with its wing where wings are bought; or what is missing."""
    right = Right.PUT if name == PUT else Right.CALL
    wished, low, high = _deltas(settings, right)
    short = select.nearest_delta(chain, right, wished, low=low, high=high)
    if short is None:
        return f"no {name} of {low:.1%} to {high:.1%} delta to sell"
    legs = [Leg(short, -1)]
    if settings.enhanced == "tail_wing":
        wing = wings.beyond(settings, chain, short)
        if wing is None:
            return f"no {name} of about {settings.wing_delta:.1%} delta beyond {short} to buy"
        legs.append(Leg(wing, +1))
    return Part(role or name, Structure(name, tuple(legs)))


def _deltas(settings: Settings, right: Right) -> tuple[float, float, float]:
    if right is Right.PUT:
        return settings.put_delta, settings.put_delta_min, settings.put_delta_max
    return settings.call_delta, settings.call_delta_min, settings.call_delta_max


def _priced(settings: Settings, view: View, own: Own, entry: str, sides: tuple[Part, Part]) -> Open | Pass:
    structure = merged(entry, [part.structure for part in sides])
    product, quote = structure.product, select.priced(view, structure)
    wide = too_wide(settings, view, structure)
    if quote is None or wide:
        return Pass(own.strategy, entry, "LIQ", f"{product}: {wide or 'a leg has no two-sided quote'}")
    least = least_points(settings, structure)
    if quote.mid < least or quote.mid <= 0:
        dollars = quote.mid * structure.multiplier
        return Pass(
            own.strategy, entry, "PRICE",
            f"{product}: {structure} brings {quote.mid:.2f}, ${dollars:,.0f}, least {least:.2f}",
        )  # fmt: skip
    unworthy = wings.refusal(settings, view, structure)
    if unworthy is not None:
        return Pass(own.strategy, entry, "PRICE", f"{product}: {unworthy}")
    return Open(
        strategy=own.strategy,
        entry=entry,
        parts=sides,
        ceiling=settings.micro_units_max if conditions.is_small(product) else settings.full_units_max,
        planned_loss=settings.stop_credits * quote.mid,
        target_gain=settings.target * quote.mid,
        least_net=least,
        reason=conditions.reason(settings, view, product),
        targets=(Target((PUT, CALL), settings.target),),
    )


def too_wide(settings: Settings, view: View, structure: Structure) -> str:
    """The first leg whose spread is neither a small share of its mid nor a few ticks; "" when none is."""
    for leg, quote in zip(structure.legs, view.quotes(structure.contracts), strict=True):
        if quote is None or quote.bid is None or quote.ask is None:
            return f"{leg} has no two-sided quote"
        spread, mid = quote.ask - quote.bid, (quote.ask + quote.bid) / 2
        if spread > max(settings.leg_spread_share_max * mid, settings.leg_spread_ticks * _tick(leg, mid)):
            return f"{leg} is {spread} wide at {mid}"
    return ""


def _tick(leg: Leg, price: Decimal) -> Decimal:
    """The grid its quotes lie on at that price, in the size of the contract at hand."""
    product = PRODUCTS[leg.contract.product]
    scale = leg.contract.tick / product.tick
    return product.quote_tick(price / scale) * scale


def least_points(settings: Settings, structure: Structure) -> Decimal:
    """The least credit, points on the grid: dollars enough, and many times what fees cost."""
    dollars = settings.full_credit_usd
    if conditions.is_small(structure.product):
        dollars = max(settings.micro_credit_usd, settings.fee_multiple * round_trip(structure))
    return on_grid_above(dollars / structure.multiplier, structure.tick)


def _without_dear(view: View, wishes: Sequence[Open | Pass]) -> list[Open | Pass]:
    """A full contract that costs more to trade than its ten micros is not traded (C.13)."""
    costs = {w.product: _costs(view, w.structure) for w in wishes if isinstance(w, Open)}
    micros = {PRODUCTS[key].full: MICROS_PER_FULL * cost for key, cost in costs.items()}
    return [_unless_dear(one, costs, micros) for one in wishes]


def _unless_dear(
    one: Open | Pass, costs: Mapping[str, Decimal], micros: Mapping[str | None, Decimal]
) -> Open | Pass:
    if isinstance(one, Pass) or one.product not in micros or costs[one.product] < micros[one.product]:
        return one
    said = f"costs ${costs[one.product]:,.2f} to trade, ten micros ${micros[one.product]:,.2f}"
    return Pass(one.strategy, one.entry, "PRICE", f"{one.product} {said}")


def _costs(view: View, structure: Structure) -> Decimal:
    """Dollars of fees, there and back, and of half the spread."""
    quote = select.priced(view, structure)
    assert quote is not None, "it was priced before"
    return round_trip(structure) + quote.half_spread * structure.multiplier
