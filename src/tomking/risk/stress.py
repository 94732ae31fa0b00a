"""What the book would gain or lose in each shock: full revaluation, and the losses by strategy and group.

Losses are linear in units: the book and one unit of a candidate are priced together once.
American legs are priced as European ones; docs/evidence/006-risk.md says what that leaves out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.structure import Structure
from tomking.risk.exposure import Exposure, Line, exposure, groups_of, lines_in, lines_of
from tomking.risk.revalue import revalue_into
from tomking.risk.settings import Settings
from tomking.risk.shocks import VOL, Moves, Shock, binding_shocks, moves_of
from tomking.view import View

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CANDIDATE = ""
"""Stands for the position of a unit that is not held."""


@dataclass(frozen=True, slots=True, eq=False)
class Stressed:
    """Every leg in every shock."""

    exposure: Exposure
    shocks: tuple[Shock, ...]
    base: Floats
    """Points, (n,): as the model prices the legs now."""
    prices: Floats
    """Points, (n, s)."""
    gains: Floats = field(init=False, repr=False)
    """Dollars, (n, s): losses are negative."""

    def __post_init__(self) -> None:
        gains = (self.prices - self.base[:, None]) * self.exposure.dollars[:, None]
        object.__setattr__(self, "gains", gains)

    def column(self, name: str) -> int:
        return next(i for i, shock in enumerate(self.shocks) if shock.name == name)

    def rows(self, chosen: Callable[[Line], bool]) -> Mask:
        return np.array([chosen(line) for line in self.exposure.lines], np.bool_)

    @property
    def held(self) -> Mask:
        """The legs of the book, (n,)."""
        return self.rows(lambda line: line.position != CANDIDATE)

    def by(self, keys: Sequence[str]) -> dict[str, Floats]:
        """Gains of the book added up by one key a leg, each (s,)."""
        gains, held = self.gains, self.held
        names = np.array(keys)
        chosen = dict.fromkeys(key for key, mine in zip(keys, held.tolist(), strict=True) if mine)
        return {key: gains[held & (names == key)].sum(axis=0) for key in chosen}

    def by_strategy(self) -> dict[str, Floats]:
        return self.by([line.strategy for line in self.exposure.lines])

    def by_group(self) -> dict[str, Floats]:
        return self.by(groups_of(self.exposure.lines))

    def losses(self, chosen: Mask) -> Floats:
        """Dollars lost by the chosen legs, (s,); gains are negative."""
        lost: Floats = -self.gains[chosen].sum(axis=0)
        return lost

    def of_group(self, group: str) -> Mask:
        return np.array([one == group for one in groups_of(self.exposure.lines)], np.bool_)

    def group_losses(self) -> dict[str, float]:
        """Dollars lost at worst by each group of the book in the shocks that its cap is read from."""
        held = self.held
        losses = {group: self.losses(held & self.of_group(group)) for group in self.by_group()}
        return {
            group: max(float(lost[self.column(name)]) for name in binding_shocks(group))
            for group, lost in losses.items()
        }

    def stale_share(self) -> float:
        """Share of gross VOL+ that rests on stale legs, 0 to 1 (C.6)."""
        gross = np.abs(self.gains[:, self.column(VOL)])
        total = float(gross.sum())
        return float(gross[self.exposure.stale].sum()) / total if total > 0 else 0.0


def stressed(
    lines: Iterable[Line], view: View, shocks: Sequence[Shock], settings: Settings, *, steep: float = 1.0
) -> Stressed:
    """The lines in every shock at the market of ``view``."""
    return revalued(exposure(lines, view), shocks, settings, steep=steep)


def revalued(book: Exposure, shocks: Sequence[Shock], settings: Settings, *, steep: float = 1.0) -> Stressed:
    """An exposure in every shock; ``steep`` is the factor of the put skew after it."""
    n = len(book.lines)
    ones, none = np.ones((n, 1)), np.zeros((n, 1))
    base = priced(book, Moves(ones, none, ones, ones), 1.0)
    prices = priced(book, moves_of(book, shocks, settings), steep)
    return Stressed(book, tuple(shocks), base[:, 0], prices)


def priced(book: Exposure, moves: Moves, steep: float) -> Floats:
    """Points, (n, s): the legs after these moves."""
    out = np.empty(moves.move.shape)
    move, shift, scale, left = (np.ascontiguousarray(column) for column in moves.columns)
    revalue_into(book.legs, book.smile_of, book.moneyness, book.vols, move, shift, scale, left, steep, out)
    return out


def book_and_unit(book: Book, unit: Structure, strategy: str) -> list[Line]:
    """The lines of the book and of one unit of a candidate."""
    return [*lines_of(book), *lines_in(unit, 1, strategy, CANDIDATE)]
