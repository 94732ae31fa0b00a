"""The whole book marked as one table with one vector lookup (architecture, "the hot path")."""

import math
from collections.abc import Collection, Iterator, Mapping
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


class Values(Mapping[tuple[str, str], Decimal]):
    """(position, role) -> points per unit received for closing at the mids; missing without one.

    Worked out when first asked for: most minutes nobody does.
    """

    __slots__ = ("_made", "_mids", "_table")

    def __init__(self, table: Table | None = None, mids: NDArray[np.float64] | None = None) -> None:
        self._table = table
        self._mids = mids
        self._made: dict[tuple[str, str], Decimal] | None = None

    @classmethod
    def told(cls, values: Mapping[tuple[str, str], Decimal]) -> "Values":
        """Values that somebody else has worked out."""
        made = cls()
        made._made = dict(values)
        return made

    def __getitem__(self, key: tuple[str, str]) -> Decimal:
        return self.made()[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.made())

    def __len__(self) -> int:
        return len(self.made())

    def made(self) -> dict[tuple[str, str], Decimal]:
        """All of them as a plain table, which is quicker to look into."""
        if self._made is None:
            self._made = {} if self._table is None or self._mids is None else _values(self._table, self._mids)
        return self._made


@dataclass(frozen=True, slots=True)
class Marks:
    """The book at one instant."""

    net_liq: Decimal
    """Dollars, to the cent: cash and every open leg at its mid."""
    values: Values


class LastMids:
    """What each leg of a table was last seen at.

    Most minutes all legs are seen: the column is kept, and read apart only when a mid is missing.
    """

    def __init__(self) -> None:
        self._known: dict[Contract, float] = {}
        self._column: tuple[tuple[Contract, ...], NDArray[np.float64]] | None = None

    def see(self, contracts: tuple[Contract, ...], mids: NDArray[np.float64]) -> None:
        """``mids`` without a NaN, of the table's contracts."""
        self._column = (contracts, mids)

    def fill(self, contracts: tuple[Contract, ...], mids: NDArray[np.float64]) -> NDArray[np.float64]:
        """``mids`` with what is missing as it was last seen; NaN where it never was."""
        known = self._read()
        known.update((c, mid) for c, mid in zip(contracts, mids.tolist(), strict=True) if not math.isnan(mid))
        return np.array([known.get(c, np.nan) for c in contracts])

    def keep(self, contracts: Collection[Contract]) -> None:
        """Forgets all others."""
        self._known = {c: mid for c, mid in self._read().items() if c in contracts}

    def known(self) -> Mapping[Contract, float]:
        """The mid that each leg was last seen at, points."""
        return self._read()

    def _read(self) -> dict[Contract, float]:
        if self._column is not None:
            contracts, mids = self._column
            self._known.update(zip(contracts, mids.tolist(), strict=True))
            self._column = None
        return self._known


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
    last: LastMids,
) -> Marks:
    """Marks every row; a leg without a mid keeps its ``last`` one in net liq and has no value.

    ``last`` is brought up to date: it is what was seen, not what is held, so a restart may start
    it empty; a component with a leg never seen counts at what it was opened for.
    """
    if not table.contracts:
        return Marks(cash, Values())
    worth = float(table.dollars @ mids)
    if math.isnan(worth):  # a mid is missing
        worth = _partly_at_entry(table, last.fill(table.contracts, mids))
    else:
        last.see(table.contracts, mids)
    return Marks(cash + Decimal(worth).quantize(CENT), Values(table, mids))


def _values(table: Table, mids: NDArray[np.float64]) -> dict[tuple[str, str], Decimal]:
    missing = np.isnan(mids)
    if not np.count_nonzero(missing):  # most minutes all legs are seen
        return dict(zip(table.keys, _nets(table, mids), strict=True))
    whole = ~np.logical_or.reduceat(missing, table.starts)
    nets = _nets(table, np.where(missing, 0.0, mids))
    return {key: net for key, net, seen in zip(table.keys, nets, whole.tolist(), strict=True) if seen}


def _nets(table: Table, mids: NDArray[np.float64]) -> list[Decimal]:
    """Points per unit of each component, of mids that are all there."""
    counts = np.rint(mids / table.half_ticks).astype(np.int64) * table.ratios
    sums = np.add.reduceat(counts, table.starts).tolist()
    return [count * unit if count else ZERO for count, unit in zip(sums, table.units, strict=True)]


def _partly_at_entry(table: Table, held: NDArray[np.float64]) -> float:
    """Dollars of all components, those with a leg that was never seen (NaN) at their entry."""
    if not np.isnan(held).any():
        return float(table.dollars @ held)
    each = np.add.reduceat(table.dollars * held, table.starts)
    return float(np.where(np.isnan(each), table.at_entry, each).sum())
