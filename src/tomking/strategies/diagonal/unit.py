"""Building the diagonal: the side the trend asks for, and the other where one alone leans too far."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Alternatives, Open, Part, Pass
from tomking.domain.money import on_grid_below
from tomking.domain.structure import Leg, Structure, merged
from tomking.rules import entry as when
from tomking.rules import fronts, select
from tomking.rules.entry import known
from tomking.rules.greeks import Greeks, best_at_front_expiry, greeks_of
from tomking.rules.strategy import best_of
from tomking.strategies.diagonal.settings import Settings
from tomking.view import Own, View

ENTRY = "diagonal"
SHARES = 100
"""Deltas are stated in shares of one contract."""


def units(settings: Settings, view: View, own: Own) -> Alternatives | Pass:
    """A diagonal in the first underlying that has one."""
    return best_of(own, ENTRY, [_unit(settings, view, own, product) for product in settings.products])


def _unit(settings: Settings, view: View, own: Own, product: str) -> Open | Pass:
    listed = view.expiries(product)
    chains = _chains(settings, view, own, product)
    price = None if chains is None else select.underlying(view, product, chains[0].expiry)
    if chains is None or price is None:
        said = f"no expiries near {settings.short_dte} and {settings.long_dte} DTE" if listed else "no market"
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: {said}")
    parts = _sides(settings, view, chains)
    if isinstance(parts, str):
        return Pass(own.strategy, ENTRY, "STRUCT", f"{product}: {parts}")
    structure = merged(ENTRY, [part.structure for part in parts])
    greeks = greeks_of(view, structure)
    if greeks is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: a leg has no volatility")
    leans = _why_not(settings, greeks, price)
    if leans:
        return Pass(own.strategy, ENTRY, "GREEKS", f"{structure}: {leans}")
    return _priced(settings, view, own, parts, price)


def _chains(settings: Settings, view: View, own: Own, product: str) -> tuple[Chain, Chain] | None:
    """The near one and the far one."""
    listed = view.expiries(product)
    held = {c.expiry for p in own.positions if p.product == product for c in p.components.values()}
    low, high = settings.short_dte_min, settings.short_dte_max
    near = select.expiry_near(listed, view.today, settings.short_dte, low=low, high=high, without=held)
    low, high = settings.long_dte_min, settings.long_dte_max
    far = select.expiry_near(
        listed, view.today, settings.long_dte, low=low, high=high, first_choice=select.is_standard
    )
    front = None if near is None else view.chain(product, near)
    back = None if far is None else view.chain(product, far)
    return None if front is None or back is None else (front, back)


def _sides(settings: Settings, view: View, chains: tuple[Chain, Chain]) -> tuple[Part, ...] | str:
    """One side, or both where one alone leans more than ``net_delta_max`` shares."""
    means = when.averages(view, settings.ema_fast, settings.ema_slow)
    falls = means is not None and means[0] < means[1]
    one = _side(settings, chains, Right.PUT if falls else Right.CALL)
    if isinstance(one, str):
        return one
    alone = greeks_of(view, merged(ENTRY, [part.structure for part in one]))
    if alone is not None and abs(alone.delta) * SHARES <= settings.net_delta_max:
        return one
    other = _side(settings, chains, Right.CALL if falls else Right.PUT)
    return other if isinstance(other, str) else (*one, *other)


def _side(settings: Settings, chains: tuple[Chain, Chain], right: Right) -> tuple[Part, ...] | str:
    near, far = chains
    pairs = ((long, _short(settings, near, long)) for long in _longs(settings, far, right))
    long, short = next(((long, short) for long, short in pairs if short), (None, None))
    if long is None or short is None:
        band = f"{settings.short_delta_min:.0%} to {settings.short_delta_max:.0%} delta"
        about = f"one of about {settings.long_delta:.0%} delta on {far.expiry}"
        return f"{near.expiry}: no {right.name.lower()} of {band} to sell beyond {about}"
    back, front = fronts.back(right), fronts.front(right, 1)
    return (
        Part(back, Structure(back, (Leg(long, +1),))),
        Part(front, Structure(front, (Leg(short, -1),))),
    )


def _longs(settings: Settings, far: Chain, right: Right) -> Iterator[Option]:
    """What may be bought, the delta nearest the wished one first."""
    rows, _, _ = select.quoted_strikes(far, right)
    deltas = np.abs(far.delta[rows])
    fits = (deltas >= settings.long_delta_min) & (deltas <= settings.long_delta_max)
    for at in np.argsort(np.abs(deltas - settings.long_delta), kind="stable"):
        if fits[at]:
            yield far.option(int(rows[at]))


def _short(settings: Settings, near: Chain, long: Option) -> Option | None:
    """The first strike beyond the long one whose delta is low enough, if it is not too low."""
    found = select.strike_outward(
        near, long.right, float(long.strike), delta_max=settings.short_delta_max, beyond=True
    )
    delta = None if found is None else select.delta_of(near, found)
    return found if delta is not None and delta >= settings.short_delta_min else None


def _why_not(settings: Settings, greeks: Greeks, price: float) -> str:
    """The entry's Greeks: neutral, short gamma, long theta and vega (B.10)."""
    said = []
    if abs(greeks.delta) * SHARES > settings.net_delta_max:
        said.append(f"delta {greeks.delta * SHARES:+.1f} shares, {settings.net_delta_max:g} either way")
    if greeks.gamma >= 0:
        said.append(f"gamma {greeks.gamma:+.4f}, below 0")
    # Scaled with the underlying: a contract's dollars at 550, whatever its price is now.
    per_usd = select.stated_points(1, price)
    for name, value, least in (
        ("theta", greeks.theta / per_usd, settings.theta_min_usd),
        ("vega", greeks.vega / per_usd, settings.vega_min_usd),
    ):
        if value <= least:
            said.append(f"{name} ${value:.2f}, above ${least:.2f}")
    return f"{'; '.join(said)} needed" if said else ""


def _priced(settings: Settings, view: View, own: Own, parts: tuple[Part, ...], price: float) -> Open | Pass:
    structure = merged(ENTRY, [part.structure for part in parts])
    quote, value = select.priced(view, structure), best_at_front_expiry(view, structure)
    if quote is None or value is None:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: a leg has no two-sided quote")
    sides = len(parts) // 2
    debit = -quote.mid
    most = Decimal(repr(sides * select.stated_points(settings.debit_max_usd, price)))
    if not 0 < debit <= most:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: debit {debit:.2f}, most {most:.2f}")
    best = Decimal(repr(round(value, 4))) - debit
    if best <= 0:
        return Pass(own.strategy, ENTRY, "PRICE", f"{structure}: it could not win, best {best:.2f}")
    ceiling = _ceiling(settings, view, own, settings.stop_share * debit * structure.multiplier)
    if ceiling < 1:
        return Pass(own.strategy, ENTRY, "SIZE", f"{structure}: a debit of {debit:.2f} is beyond the 2 %")
    return Open(
        strategy=own.strategy,
        entry=ENTRY,
        parts=parts,
        ceiling=ceiling,
        planned_loss=settings.stop_share * debit,
        target_gain=settings.target_share * best,
        least_net=-on_grid_below(most, structure.tick),
        reason=f"debit {debit:.2f}, best {best:.2f}, {sides} sides, VIX {view.vix:.2f}",
    )


def _ceiling(settings: Settings, view: View, own: Own, loss_usd: Decimal) -> int:
    """Units whose stop loses the share of net liq; half of them in a higher VIX."""
    share = settings.half_share if known(view.vix) >= settings.vix_half else Decimal(1)
    return int(share * settings.loss_share * own.net_liq / loss_usd)
