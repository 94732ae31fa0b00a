"""A store's quotes and levels as recorded data: snapshots stay slices of its mapped months.

What is read of a product:

    in hours   snapshots from the open to 20 minutes after the close (daily bars of options are stamped 15
               minutes and a second after it); of several in a minute the last, which belongs to the first
               whole minute at or after it
    bars       where most snapshots show only part of their session's contracts (quote bars are written when
               a quote changes), a snapshot is every contract's last quote of the hour before
    grid       prices that are no multiple of the product's tick are nobody's: not traded, counted
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tomking.adapters.recorded_levels import LATE, Levels, Series
from tomking.adapters.recorded_rows import Counts, Rows, bounds, is_partial
from tomking.adapters.store.questions import scan_levels
from tomking.adapters.store.replay import Month, open_month
from tomking.adapters.store.store import Store
from tomking.domain.calendar import Session, Sessions
from tomking.domain.chain import NO_QUOTE
from tomking.domain.products import PRODUCTS

CARRIED_MINUTES = 60
"""A quote that no later bar replaces stands so long."""
_MINUTE = 60_000_000
_DAY_ZERO = date(1970, 1, 1).toordinal()

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Where a snapshot is kept."""

    month: int
    number: int
    """In its month."""
    first: int
    """The first snapshot of its month that may still stand, where bars are composed."""


class StoredRecording:
    """One root of a store as a ``Recording``."""

    def __init__(
        self,
        store: Store,
        root: str,
        sessions: Sessions,
        first: date | None = None,
        last: date | None = None,
    ) -> None:
        """``first`` and ``last``: the span that is wanted; None has no bound.  Whole months are opened."""
        self.product = root
        self.minutes: list[int] = []
        self.spots: list[float] = []
        self._last_expiry = sessions.days[-1].date.toordinal()
        self._tick = PRODUCTS[root].tick
        self._months = [open_month(store, root, month) for month in _within(store, root, first, last)]
        self._places: list[_Place] = []
        played = sessions.between(first or date.min, last or date.max)
        found = [_in_hours(month, played) for month in self._months]
        lengths = [month.lengths[numbers] for month, (_, numbers, _) in zip(self._months, found, strict=True)]
        self.is_composed = bool(sum(each.size for each in lengths)) and is_partial(
            np.concatenate(lengths), np.concatenate([days for _, _, days in found])
        )
        for i, (month, (minutes, numbers, _)) in enumerate(zip(self._months, found, strict=True)):
            self._add(i, month, minutes, numbers)
        self.notes = tuple(self._said())

    def rows(self, number: int) -> Rows:
        """The snapshot of ``minutes[number]``: slices of the mapped month, or composed of bars."""
        place = self._places[number]
        month = self._months[place.month]
        if self.is_composed:
            return self._rows(month, self.minutes[number], _composed(month, place.first, place.number))
        found = month.snapshot(place.number)
        columns = {name: getattr(found, name) for name in _COLUMNS}
        return self._rows(month, self.minutes[number], columns)

    def _add(self, i: int, month: Month, minutes: Ints, numbers: Ints) -> None:
        all_minutes = _minutes(month.instants)
        since = np.searchsorted(all_minutes, minutes - CARRIED_MINUTES)
        quoted = _quoted(month) if self.is_composed else None
        for minute, number, first in zip(minutes.tolist(), numbers.tolist(), since.tolist(), strict=True):
            # A minute that shows trades or daily bars alone says nothing of quotes.
            if quoted is not None and not quoted[number]:
                continue
            self.minutes.append(minute)
            self.spots.append(float(month.spot[number]))
            self._places.append(_Place(i, number, first))

    def _rows(self, month: Month, minute: int, columns: dict[str, Counts]) -> Rows:
        bid, ask = self._in_ticks(month, columns["bid"], columns["ask"])
        expiries, starts = bounds(columns["expiry"])
        known = [e + _DAY_ZERO for e in expiries if e + _DAY_ZERO <= self._last_expiry]
        end = starts[len(known)]
        return Rows(
            minute=minute,
            strike_unit=month.strike_unit,
            expiries=known,
            starts=starts[: len(known) + 1],
            right=columns["right"][:end],
            strike=columns["strike"][:end],
            bid=bid[:end],
            ask=ask[:end],
        )

    def _in_ticks(self, month: Month, bid: Counts, ask: Counts) -> tuple[Counts, Counts]:
        """Counts of the product's tick; a quote with a side off that grid is nobody's."""
        finer = int(self._tick / month.price_unit)
        if finer == 1:
            return bid, ask
        off = ((bid >= 0) & (bid % finer != 0)) | ((ask >= 0) & (ask % finer != 0))
        blank_bid, blank_ask = off | (bid < 0), off | (ask < 0)
        return np.where(blank_bid, NO_QUOTE, bid // finer), np.where(blank_ask, NO_QUOTE, ask // finer)

    def _said(self) -> list[str]:
        said = []
        if self.is_composed:
            said.append(
                f"{self.product}: quote bars are written when a quote changes: a snapshot is every "
                f"contract's last quote of {CARRIED_MINUTES} minutes"
            )
        finer = [month for month in self._months if month.price_unit != self._tick]
        if finer:
            months = ", ".join(month.month for month in finer[:3]) + (" ..." if len(finer) > 3 else "")
            said.append(
                f"{self.product}: some prices of {months} are off the quote grid of {self._tick}; "
                "quotes with such a price are not traded"
            )
        return said


def stored_levels(store: Store, roots: Sequence[str]) -> Levels:
    """The levels of the underlyings of these roots and of their families, and of the VIX."""
    keys = {key for root in roots for key in (root, PRODUCTS[root].family)} | {"VIX"}
    found: dict[tuple[str, date | None], Series] = {}
    for key in sorted(keys & store.catalogue.levels.keys()):
        frame = scan_levels(store, key).collect()
        for (expiry,), part in frame.sort("at").group_by("expiry"):
            found[key, expiry] = _series(part)
    return Levels(found)


def _series(part: pl.DataFrame) -> Series:
    at = _minutes(part["at"].dt.epoch("us").to_numpy())
    columns = {
        name: part[name].fill_null(float("nan")).to_numpy().astype(np.float64)
        for name in ("bid", "ask", "last")
    }
    return Series(at, **columns)


def _within(store: Store, root: str, first: date | None, last: date | None) -> list[str]:
    low, high = f"{first or date.min:%Y-%m}", f"{last or date.max:%Y-%m}"
    return [month for month in store.months(root) if low <= month <= high]


_COLUMNS = ("expiry", "right", "strike", "bid", "ask")


def _in_hours(month: Month, sessions: Sessions) -> tuple[Ints, Ints, Ints]:
    """Minute, number and session (``date.toordinal``) of each snapshot that is read."""
    minutes = _minutes(month.instants)
    days = np.full(minutes.size, -1, dtype=np.int64)
    for session in _of_month(month, sessions):
        low, high = session.open, session.close + LATE
        inside = slice(
            int(np.searchsorted(minutes, int(low.timestamp()) // 60)),
            int(np.searchsorted(minutes, int(high.timestamp()) // 60, side="right")),
        )
        days[inside] = session.date.toordinal()
    final = np.append(minutes[1:] != minutes[:-1], np.ones(min(minutes.size, 1), dtype=np.bool_))
    kept = np.flatnonzero((days >= 0) & final)
    return minutes[kept], kept, days[kept]


def _of_month(month: Month, sessions: Sessions) -> tuple[Session, ...]:
    if not len(month):
        return ()
    return sessions.between(month.at(0).date(), month.at(len(month) - 1).date()).days


def _minutes(at: Any) -> Ints:  # noqa: ANN401 - a column of whole numbers
    minutes: Ints = -(-np.asarray(at, dtype=np.int64) // _MINUTE)
    return minutes


def _quoted(month: Month) -> NDArray[np.bool_]:
    """Whether a snapshot has any quote at all."""
    lengths = month.lengths
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    best = np.maximum(month.rows["bid"], month.rows["ask"])
    quoted = np.zeros(lengths.size, dtype=np.bool_)
    some = lengths > 0
    if some.any():
        quoted[some] = np.maximum.reduceat(best, starts[some]) >= 0
    return quoted


def _composed(month: Month, first: int, last: int) -> dict[str, Counts]:
    """Every contract's last quote of the snapshots from ``first`` to ``last``."""
    numbers = np.arange(first, last + 1)
    rows = month.rows_of(numbers)
    said = np.flatnonzero((rows["bid"] >= 0) | (rows["ask"] >= 0))[::-1]
    contract = rows["expiry"][said].astype(np.int64)
    # One number a contract that sorts as expiry, right (puts first), strike.
    contract = contract * 2 + (rows["right"][said] > 0)
    contract = contract * 2**34 + rows["strike"][said]
    latest = said[np.unique(contract, return_index=True)[1]]
    return {name: rows[name][latest] for name in _COLUMNS}
