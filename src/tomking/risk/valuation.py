"""The account now: margin, capital and heat of what is held, by family, strategy and expiry."""

from collections.abc import Hashable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book, Component, Position
from tomking.domain.contract import Contract
from tomking.domain.kept import by_identity
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS, Settlement
from tomking.risk.account import Account
from tomking.risk.margin import Held, defined_risk, margin
from tomking.risk.settings import Settings
from tomking.view import View

Floats = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)


class Use(NamedTuple):
    """What one position needs, in dollars."""

    margin: Decimal
    capital: Decimal
    heat: Decimal
    expiry: date


def account_of(book: Book, view: View, net_liq: Decimal, settings: Settings) -> Account:
    """The account at the present mids.  A position whose mids are missing keeps its entry's margin."""
    if not book.positions:
        return _added_up(net_liq, [])
    uses: list[tuple[Position, Use]] = []
    vix, mids = view.vix, view.market.marks(book.held(), view.now)
    spots: dict[str, float | None] = {}
    start = 0
    for position in book.positions.values():
        held = _facts_of(position).held
        # book.held() lists every leg of every open component, in this order.
        own = mids[start : start + len(held)]
        start += len(held)
        if not held:
            continue
        if position.family not in spots:
            spots[position.family] = view.spot(position.family)
        uses.append((position, use_of(position, own, spots[position.family], vix, settings)))
    return _added_up(net_liq, uses)


def holdings(components: Sequence[Component]) -> list[Held]:
    """Every open leg of these components with its number of contracts."""
    return [Held(leg.contract, leg.ratio * one.units) for one in components for leg in one.structure.legs]


def use_of(
    position: Position, mids: Floats, spot: float | None, vix: float | None, settings: Settings
) -> Use:
    """What an open position needs now; ``mids`` of its legs in points, in their order."""
    facts = _facts_of(position)
    need = facts.covered
    if need is None:
        own = mids if facts.rows is None else mids[facts.rows]
        need = margin(facts.netted, own, float(facts.received), spot, vix, settings)
    if need is None:
        need = position.margin
    # On shares the margin holds the debit already, and a long that lives as long covers (risk.margin, 3).
    on_shares = PRODUCTS[position.product].settlement is Settlement.SHARES
    covered = on_shares or facts.covered is not None
    capital = max(need, facts.debit) if covered else need + facts.debit
    return Use(need, capital, facts.heat, facts.expiry)


class Facts(NamedTuple):
    """What is true of an open position whatever the market does."""

    held: tuple[Held, ...]
    """Every open leg."""
    netted: tuple[Held, ...]
    """One row a contract: components may hold the same one."""
    rows: NDArray[np.intp] | None
    """Where these are among the legs; None: they are the legs."""
    received: Decimal
    """Points for all units, in contracts of the first component's size."""
    covered: Decimal | None
    """Dollars of margin where every short leg is covered in its own expiration; else it depends on mids."""
    debit: Decimal
    """Dollars paid for it."""
    heat: Decimal
    expiry: date


@by_identity
def _facts_of(position: Position) -> Facts:
    components = position.open_components
    held = tuple(holdings(components))
    if not held:
        return Facts((), (), None, ZERO, ZERO, ZERO, ZERO, position.opened.date())
    received = received_for(components)
    netted, rows = _netted(held)
    return Facts(
        held,
        netted,
        rows,
        received,
        defined_risk(netted, float(received)) if netted else ZERO,
        max(ZERO, -received * components[0].structure.multiplier),
        heat_of(position),
        _main_expiry(position),
    )


def heat_of(position: Position) -> Decimal:
    """Dollars its trades lose at their planned stops; never more than what their legs can lose.

    A trade that has closed some of its components is held to the greatest loss of the rest, where
    that is defined: the debit spread that outlives its naked puts risks its debit, not their stop.
    """
    by_trade: dict[str, list[Component]] = {}
    for one in position.open_components:
        by_trade.setdefault(one.trade, []).append(one)
    closed = {one.trade for one in position.components.values() if not one.is_open}
    total = ZERO
    for trade, parts in by_trade.items():
        units = max(one.units for one in parts)
        planned = parts[0].planned_loss * units * parts[0].structure.multiplier
        if trade in closed:
            received = received_for(parts)
            worst = defined_risk(holdings(parts), float(received))
            planned = planned if worst is None else min(planned, worst)
        total += planned
    return total


def received_for(components: Sequence[Component]) -> Decimal:
    """Points of the first component's size received for all their open units."""
    size = components[0].structure.multiplier
    return sum((c.entry_net * c.units * (c.structure.multiplier / size) for c in components), ZERO)


def _netted(held: tuple[Held, ...]) -> tuple[tuple[Held, ...], NDArray[np.intp] | None]:
    """One row per contract, and where each stands among ``held``; None: nothing was to be netted."""
    if len({leg.contract for leg in held}) == len(held):
        return held, None
    counts: dict[Contract, int] = {}
    last: dict[Contract, int] = {}
    for row, leg in enumerate(held):
        counts[leg.contract] = counts.get(leg.contract, 0) + leg.count
        last[leg.contract] = row
    kept = tuple(Held(contract, count) for contract, count in counts.items() if count)
    return kept, np.array([last[leg.contract] for leg in kept], np.intp)


def _main_expiry(position: Position) -> date:
    """Nearest expiry of what opened it, so that a joined weekly does not move it."""
    components = position.open_components
    own = [one for one in components if one.trade == position.id] or list(components)
    return min(one.expiry for one in own)


def _added_up(net_liq: Decimal, uses: Sequence[tuple[Position, Use]]) -> Account:
    by_family: dict[str, Decimal] = {}
    by_strategy: dict[str, Decimal] = {}
    by_expiry: dict[date, Decimal] = {}
    for position, use in uses:
        _add(by_family, position.family, use.margin)
        _add(by_strategy, position.strategy, use.margin)
        _add(by_expiry, use.expiry, use.margin)
    return Account(
        net_liq=net_liq,
        margin=sum((use.margin for _, use in uses), ZERO),
        capital=sum((use.capital for _, use in uses), ZERO),
        heat=sum((use.heat for _, use in uses), ZERO),
        by_family=by_family,
        by_strategy=by_strategy,
        by_expiry=by_expiry,
        by_position={position.id: use.capital for position, use in uses},
    )


def _add(table: dict[Key, Decimal], key: Key, more: Decimal) -> None:
    table[key] = table.get(key, ZERO) + more
