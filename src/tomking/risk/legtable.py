"""What is held as a table: one row a leg, where each counts, and the last Greeks of it that were good."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.contract import Contract
from tomking.domain.products import PRODUCTS
from tomking.risk.exposure import Line, lines_in

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FOREIGN = "foreign"
"""Strategy of what the account holds and no position of ours explains."""


class Sums(NamedTuple):
    """Of one leg, or of several together; NaN where a leg was never priced."""

    delta: float = 0.0
    """SPY shares at 550, beta-weighted."""
    gamma: float = 0.0
    """SPY shares per dollar of SPY."""
    vega: float = 0.0
    """Dollars per point of volatility."""
    theta: float = 0.0
    """Dollars per calendar day."""


class Leg(NamedTuple):
    """One holding: where it belongs, and what it is."""

    strategy: str
    position: str
    component: str
    contract: Contract


Place = tuple[str, ...]
"""``()`` the portfolio; ``("group", g)``; ``("strategy", s)``; ``("position", p)``; ``("component", p, c)``;
``("leg", p, c, contract)``."""


def holdings(book: Book) -> Iterator[tuple[Leg, Line]]:
    """Every contract that is held, once for each component it is in, and what no position explains."""
    counts: dict[Leg, float] = {}
    for position in book.positions.values():
        for part in position.open_components:
            for line in lines_in(part.structure, part.units, position.strategy, position.id):
                leg = Leg(position.strategy, position.id, part.role, line.contract)
                counts[leg] = counts.get(leg, 0.0) + line.number
    for contract, number in book.foreign.items():
        counts[Leg(FOREIGN, FOREIGN, FOREIGN, contract)] = float(number)
    for leg, count in counts.items():
        yield leg, Line(leg.contract, count, leg.strategy, leg.position)


def places(leg: Leg) -> tuple[Place, ...]:
    """Everything that a leg counts in."""
    return (
        (),
        ("group", PRODUCTS[leg.contract.product].group),
        ("strategy", leg.strategy),
        ("position", leg.position),
        ("component", leg.position, leg.component),
        ("leg", leg.position, leg.component, str(leg.contract)),
    )


@dataclass(slots=True, eq=False)
class LegTable:
    """What a book holds, columns (n,), and each leg's last good Greeks."""

    positions: object
    foreign: object
    """Of the book: while it has the very same, the table is the same."""
    legs: tuple[Leg, ...]
    lines: tuple[Line, ...]
    number: Floats
    places: tuple[Place, ...]
    place_of: NDArray[np.int64]
    """(n, 6): where a leg counts, as indices of ``places``."""
    good: Floats
    """(n, 4), per contract."""
    good_days: Floats
    known: Bools
    """Whether a leg has good ones."""

    @staticmethod
    def of(book: Book, before: "LegTable | None") -> "LegTable":
        held = list(holdings(book))
        legs = tuple(leg for leg, _ in held)
        numbered: dict[Place, int] = {(): 0}
        place_of = [[numbered.setdefault(place, len(numbered)) for place in places(leg)] for leg in legs]
        n = len(legs)
        table = LegTable(
            book.positions,
            book.foreign,
            legs,
            tuple(line for _, line in held),
            np.array([line.number for _, line in held], np.float64),
            tuple(numbered),
            np.array(place_of, np.int64).reshape(n, 6),
            np.full((n, 4), np.nan),
            np.zeros(n),
            np.zeros(n, np.bool_),
        )
        row_of = {} if before is None else {leg: i for i, leg in enumerate(before.legs)}
        for i, leg in enumerate(legs):
            j = row_of.get(leg)
            if before is not None and j is not None:
                table.good[i], table.good_days[i] = before.good[j], before.good_days[j]
                table.known[i] = before.known[j]
        return table

    def keep(self, rows: Floats, days: Floats, is_stale: Bools) -> Bools:
        """Remembers what is good, and puts what was good in the place of what is not; what is stale then."""
        number = self.number[:, None]
        fresh = ~is_stale & (self.number != 0)
        self.good[fresh] = rows[fresh] / number[fresh]
        self.good_days[fresh] = days[fresh]
        self.known |= fresh
        old = ~fresh & self.known
        rows[old] = number[old] * self.good[old]
        days[old] = self.good_days[old]
        return np.asarray(is_stale | old)

    def summed(self, rows: Floats) -> dict[Place, Sums]:
        """Of every place, its legs one after the other."""
        sums = np.zeros((len(self.places), 4))
        np.add.at(sums, self.place_of.ravel(), np.repeat(rows, self.place_of.shape[1], axis=0))
        return dict(zip(self.places, map(Sums._make, sums.tolist()), strict=True))
