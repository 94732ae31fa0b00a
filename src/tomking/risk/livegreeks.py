"""The Greeks of what is held as the market moves: leg, component, position, strategy, group, portfolio (F.4).

The formulas are ``risk.greeks``'s, out of the same columns the limits are judged by.  A leg without a fresh
quote keeps its last good value and is marked stale (C.6).  Nothing here waits or reads a clock: ``Throttle``
says when a new look is due, ``look`` takes it, ``changes`` says what of it is new.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from tomking.domain.book import Book
from tomking.risk.exposure import exposure
from tomking.risk.greeks import greeks_of
from tomking.risk.legtable import Bools, Floats, LegTable, Place, Sums
from tomking.risk.settings import Settings
from tomking.view import View

LEAST_MOVE = 0.05
"""Shares or dollars that a page would show as a change."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All Greeks at one instant."""

    at: datetime
    sums: Mapping[Place, Sums]
    stale: frozenset[Place]
    """Sums in which at least one leg is stale."""
    overnight_gamma: float
    """Of what does not expire today: what the gamma limit is about (C.6)."""
    stale_vega_share: float
    """Share of gross vega that rests on stale legs, 0 to 1; 1 where a leg was never priced."""
    is_degraded: bool
    """More of it than entries may rest on (C.6)."""

    @property
    def portfolio(self) -> Sums:
        return self.sums[()]


@dataclass(slots=True)
class LiveGreeks:
    """Remembers each leg's last good Greeks."""

    settings: Settings
    _table: LegTable | None = None

    def look(self, book: Book, view: View, seen: datetime | None) -> Snapshot:
        """Everything that is held, at the market of ``view``.

        seen  when the market was last heard of; what is older than a quote may be is stale altogether
        """
        held = self._held(book)
        table = exposure(held.lines, view)
        found = greeks_of(table, self.settings)
        age = timedelta(seconds=self.settings.quote_age_seconds_max)
        is_silent = seen is None or view.now - seen > age
        rows = np.column_stack((found.delta, found.gamma, found.vega, found.theta))
        is_stale = table.stale | ~np.isfinite(rows).all(axis=1) | is_silent
        days = found.days.copy()
        is_stale = held.keep(rows, days, is_stale)
        return self._snapshot(view.now, held, rows, days, is_stale)

    def _held(self, book: Book) -> LegTable:
        """What is held, as a table; the same one as long as the book holds the very same."""
        table = self._table
        if table is None or table.positions is not book.positions or table.foreign is not book.foreign:
            table = self._table = LegTable.of(book, table)
        return table

    def _snapshot(
        self, at: datetime, held: LegTable, rows: Floats, days: Floats, is_stale: Bools
    ) -> Snapshot:
        sums = held.summed(rows)
        stale = frozenset(held.places[n] for n in held.place_of[is_stale].ravel().tolist())
        overnight = 0.0
        for gamma in rows[days > 0, 1].tolist():
            overnight += gamma
        share = _stale_share(rows[:, 2], is_stale)
        most = self.settings.stale_vega_share_max
        return Snapshot(at, sums, stale, overnight, share, share > most)


def changes(before: Snapshot | None, after: Snapshot) -> dict[Place, Sums | None]:
    """What a page has to draw again: sums that moved by a tenth or became stale; None for what has gone."""
    if before is None:
        return dict(after.sums)
    known = [place for place in after.sums if place in before.sums]
    was = np.array([before.sums[place] for place in known]).reshape(-1, 4)
    now = np.array([after.sums[place] for place in known]).reshape(-1, 4)
    # NaN has moved only to or from a number.
    moved = ((np.abs(now - was) > LEAST_MOVE) | (np.isnan(now) != np.isnan(was))).any(axis=1)
    is_same = {
        place
        for place, has_moved in zip(known, moved.tolist(), strict=True)
        if not has_moved and (place in before.stale) is (place in after.stale)
    }
    shown: dict[Place, Sums | None] = {p: sums for p, sums in after.sums.items() if p not in is_same}
    return shown | {place: None for place in before.sums if place not in after.sums}


@dataclass(slots=True)
class Throttle:
    """When to look again: soon after quotes, at once after a move, and now and then in any case (F.4)."""

    least: float = 1.0
    """Seconds between looks, whatever comes: what comes in between is seen by the next, nothing is lost."""
    most: float = 30.0
    most_on_expiry: float = 5.0
    """The same while something that expires today is held."""
    move: float = 0.001
    """Share of a level after which nobody waits for ``least``."""
    least_after_move: float = 0.1
    _last: float | None = None
    _frames: int = -1
    _levels: dict[str, float] = field(default_factory=dict[str, float])

    def due(
        self, elapsed: float, frames: int, levels: Mapping[str, float], *, expires_today: bool = False
    ) -> bool:
        """Whether to look now; if so, the next is counted from here.

        elapsed  seconds of a clock that only runs
        frames   of the quote stream so far
        levels   of the underlyings, by family
        """
        if self._last is not None:
            since = elapsed - self._last
            is_late = since >= (self.most_on_expiry if expires_today else self.most)
            is_new = frames != self._frames and since >= self.least
            if not (is_late or is_new or (since >= self.least_after_move and self._moved(levels))):
                return False
        self._last, self._frames, self._levels = elapsed, frames, dict(levels)
        return True

    def _moved(self, levels: Mapping[str, float]) -> bool:
        known = self._levels
        return any(
            abs(level / known[name] - 1) >= self.move for name, level in levels.items() if known.get(name)
        )


def _stale_share(vega: Floats, is_stale: Bools) -> float:
    gross, stale = sum(np.abs(vega).tolist()), sum(np.abs(vega[is_stale]).tolist())
    if not np.isfinite(gross):
        return 1.0
    return stale / gross if gross > 0 else 0.0
