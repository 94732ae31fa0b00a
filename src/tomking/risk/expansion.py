"""Margin expansion: what the broker would ask for after each cell of the spot x volatility grid.

Positions are asked for one by one, as ``valuation.account_of`` does, so that the need is linear in a
candidate's units and never below what the broker's own offsets would leave.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book, Position
from tomking.domain.contract import Contract
from tomking.domain.kept import by_identity
from tomking.domain.order import Order
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.risk.margin import Held, margins
from tomking.risk.settings import Settings
from tomking.risk.shocks import EQUITY_GROUPS, Shock, grid, index_beta, own_move
from tomking.risk.stress import CANDIDATE, Stressed
from tomking.view import View

Floats = NDArray[np.float64]


class Need(NamedTuple):
    """One set of legs that is margined together."""

    position: str
    legs: tuple[Held, ...]
    received: float
    """Points for all of them, credit positive, in contracts of the first leg's size."""
    fallback: float
    """Dollars where a price is missing."""


def cells(settings: Settings) -> tuple[Shock, ...]:
    """The grid as of now, and every other product's own move."""
    return (*grid(settings, (0,)), Shock("PROD+", others=1.0), Shock("PROD-", others=-1.0))


def needs_of(book: Book) -> Iterator[Need]:
    """What is held and what is being opened."""
    for position in book.positions.values():
        if position.open_components:
            yield _of_position(position)
    for working in book.orders.values():
        if working.order.opens:
            yield _of_order(working.order, working.order.units - working.filled)


@by_identity
def _of_position(position: Position) -> Need:
    components = position.open_components
    size = components[0].structure.multiplier
    counts: dict[Contract, int] = {}
    received = 0.0
    for one in components:
        received += float(one.entry_net * one.units * (one.structure.multiplier / size))
        for leg in one.structure.legs:
            counts[leg.contract] = counts.get(leg.contract, 0) + leg.ratio * one.units
    legs = tuple(Held(contract, count) for contract, count in counts.items() if count)
    return Need(position.id, legs, received, float(position.margin))


def _of_order(order: Order, units: int) -> Need:
    legs = tuple(Held(leg.contract, leg.ratio * units) for leg in order.structure.legs)
    fallback = float(order.margin) * units / order.units
    return Need(order.position, legs, float(order.limit) * units, fallback)


def unit_need(unit: Structure, mid: float, fallback: float) -> Need:
    legs = tuple(Held(leg.contract, leg.ratio) for leg in unit.legs)
    return Need(CANDIDATE, legs, mid, fallback)


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """Dollars, each (c,)."""

    book: Floats
    unit: Floats


def stressed_margins(
    needs: Sequence[Need], inside: Stressed, view: View, vix: float, settings: Settings
) -> Margins:
    """What ``needs`` ask for in each cell of ``inside``, which holds all of their legs."""
    prices = {line.contract: row for row, line in enumerate(inside.exposure.lines)}
    vixes = np.array([max(1.0, vix + shock.vix) for shock in inside.shocks])
    total = {True: np.zeros(vixes.size), False: np.zeros(vixes.size)}
    for need in needs:
        if not need.legs:
            continue
        product = need.legs[0].contract.product
        spot = view.spot(PRODUCTS[product].family)
        asked = np.full(vixes.size, need.fallback)
        if spot is not None:
            mids = np.maximum(0.0, inside.prices[[prices[leg.contract] for leg in need.legs]])
            spots = spot * _factors(product, inside.shocks, settings)
            found = margins(need.legs, mids, need.received, spots, vixes, settings)
            asked = np.where(np.isfinite(found), found, asked)
        total[need.position == CANDIDATE] += asked
    return Margins(total[False], total[True])


def _factors(product: str, shocks: Sequence[Shock], settings: Settings) -> Floats:
    """What each shock multiplies the level of the product's family by."""
    if PRODUCTS[product].group in EQUITY_GROUPS:
        beta = index_beta(product, settings)
        return np.array([1 + beta * shock.move for shock in shocks])
    if PRODUCTS[product].group == "V":
        return np.ones(len(shocks))
    move = own_move(product, settings)
    return np.array([1 + move * shock.others for shock in shocks])
