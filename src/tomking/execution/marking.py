"""The whole book marked as one table with one vector lookup (architecture, "the hot path")."""

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.contract import Contract
from tomking.domain.money import CENT, ZERO


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One row per open leg; rows of one component are together."""

    contracts: tuple[Contract, ...]
    keys: tuple[tuple[str, str], ...]
    """(position, role) of each component."""
    starts: NDArray[np.intp]
    """First row of each component."""
    half_ticks: NDArray[np.float64]
    """Points: half the quote grid, in which every mid is a whole number."""
    ratios: NDArray[np.int64]
    dollars: NDArray[np.float64]
    """Dollars per point of each row: signed ratio x units x multiplier."""
    units: tuple[Decimal, ...]
    """Half tick of each component, exact."""
    at_entry: NDArray[np.float64]
    """Dollars each component is worth when closing costs what opening brought."""
    delivered: bool
    """Whether an exercise or an assignment left a future or shares behind."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The book at one instant."""

    net_liq: Decimal
    """Dollars, to the cent: cash and every open leg at its mid."""
    values: dict[tuple[str, str], Decimal]
    """(position, role) -> points per unit received for closing at the mids; missing without one."""


def table_of(book: Book) -> Table:
    """The rows of every open component."""
    rows = [
        ((position.id, one.role), leg, one.units)
        for position in book.positions.values()
        for one in position.open_components
        for leg in one.structure.legs
    ]
    keys = tuple(dict.fromkeys(key for key, _, _ in rows))
    first = {key: i for i, (key, _, _) in reversed(list(enumerate(rows)))}
    ticks = {key: leg.contract.tick for key, leg, _ in rows}
    return Table(
        contracts=tuple(leg.contract for _, leg, _ in rows),
        keys=keys,
        starts=np.array([first[key] for key in keys], dtype=np.intp),
        half_ticks=np.array([float(leg.contract.tick) / 2 for _, leg, _ in rows]),
        ratios=np.array([leg.ratio for _, leg, _ in rows], dtype=np.int64),
        dollars=np.array([leg.ratio * units * float(leg.contract.multiplier) for _, leg, units in rows]),
        units=tuple(ticks[key] / 2 for key in keys),
        at_entry=np.array(
            [
                -float(one.entry_net * one.units * one.structure.multiplier)
                for position in book.positions.values()
                for one in position.open_components
            ]
        ),
        delivered=any(one.delivered for p in book.positions.values() for one in p.open_components),
    )


def marked(
    table: Table,
    cash: Decimal,
    mids: NDArray[np.float64],
    last: dict[Contract, float],
) -> Marks:
    """Marks every row; a leg without a mid keeps its ``last`` one in net liq and has no value.

    ``last`` is brought up to date: it is what was seen, not what is held, so a restart may start
    it empty; a component with a leg never seen counts at what it was opened for.
    """
    if not table.contracts:
        return Marks(cash, {})
    missing = np.isnan(mids)
    if missing.any():
        held = np.where(missing, [last.get(c, np.nan) for c in table.contracts], mids)
        worth = _partly_at_entry(table, held)
    else:
        held, worth = mids, float(table.dollars @ mids)
    seen_now = zip(table.contracts, held.tolist(), strict=True)
    last.update(seen_now if not missing.any() else ((c, mid) for c, mid in seen_now if not math.isnan(mid)))
    net_liq = cash + Decimal(worth).quantize(CENT)
    counts = np.rint(np.where(missing, 0.0, mids) / table.half_ticks).astype(np.int64) * table.ratios
    sums = np.add.reduceat(counts, table.starts).tolist()
    whole = ~np.logical_or.reduceat(missing, table.starts)
    values = {
        key: count * unit if count else ZERO
        for key, count, unit, seen in zip(table.keys, sums, table.units, whole.tolist(), strict=True)
        if seen
    }
    return Marks(net_liq, values)


def _partly_at_entry(table: Table, held: NDArray[np.float64]) -> float:
    """Dollars of all components, those with a leg that was never seen (NaN) at their entry."""
    if not np.isnan(held).any():
        return float(table.dollars @ held)
    each = np.add.reduceat(table.dollars * held, table.starts)
    return float(np.where(np.isnan(each), table.at_entry, each).sum())
