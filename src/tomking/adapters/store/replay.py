"""Snapshots of a stored month as slices of mapped columns: nothing is read or copied that is not looked at.

Prices are counts of the month's price unit with ``NO_QUOTE`` where nobody quotes, strikes counts of its
strike unit; both units are whole fractions of a point, so no count is rounded.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.store.cache import Mapped, mapped_month
from tomking.adapters.store.prices import unit
from tomking.adapters.store.store import Store
from tomking.domain.contract import Right
from tomking.domain.errors import BadData

Ints = NDArray[np.int64]
Counts = NDArray[Any]
"""int32, or int64 where a unit is finer than 1/10,000 point."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Quotes of one instant, of all expiries or of one: views of shape (n,), sorted expiry, right, strike."""

    at: int
    """Microseconds since 1970-01-01 UTC."""
    spot: float
    """Points: the median of what the rows say of the underlying; NaN where they say nothing."""
    expiry: Counts
    """Days since 1970-01-01."""
    right: NDArray[np.int8]
    """+1 call, -1 put; puts first."""
    strike: Counts
    bid: Counts
    ask: Counts


@dataclass(frozen=True, slots=True, eq=False)
class Life:
    """One contract's quotes over a month: shape (n,), ascending, only instants at which it is listed."""

    at: Ints
    """Microseconds since 1970-01-01 UTC."""
    bid: Counts
    ask: Counts


class Month:
    """One root's month, mapped."""

    def __init__(self, root: str, month: str, per_point: int, mapped: Mapped) -> None:
        self.root = root
        self.month = month
        self.per_point = per_point
        """Counts of a price in a point."""
        self.price_unit = unit(per_point)
        """Points."""
        self.strike_unit = Decimal(mapped.strike_unit) / STRIKE_DIGITS
        """Points."""
        self._raw_strike_unit = mapped.strike_unit
        self.rows, self.blocks = mapped.rows, mapped.blocks
        """Mapped columns of the whole month: its rows, and its expiries of snapshots (see ``cache``)."""
        snapshots = mapped.snapshots
        self.instants: Ints = snapshots["at"]
        """Shape (m,), ascending, microseconds since 1970-01-01 UTC."""
        self.spot: NDArray[np.float64] = snapshots["spot"]
        """Shape (m,), points."""
        self._start, self._stop = snapshots["start"], snapshots["stop"]
        self._first_block, self._last_block = snapshots["first_block"], snapshots["last_block"]

    def __len__(self) -> int:
        """Snapshots."""
        return int(self.instants.size)

    def at(self, number: int) -> datetime:
        """When a snapshot was seen, aware UTC."""
        return _EPOCH + timedelta(microseconds=int(self.instants[number]))

    def latest(self, now: datetime) -> int | None:
        """The last snapshot at or before ``now``, of whatever session; None before the first."""
        number = int(self.instants.searchsorted(_micros(now), side="right")) - 1
        return number if number >= 0 else None

    def snapshot(self, number: int) -> Snapshot:
        """All quotes of one instant."""
        return self._slice(number, slice(int(self._start[number]), int(self._stop[number])))

    @property
    def lengths(self) -> Ints:
        """Rows of each snapshot, shape (m,)."""
        lengths: Ints = self._stop - self._start
        return lengths

    def rows_of(self, numbers: Ints) -> dict[str, Counts]:
        """The rows of these snapshots, ascending: views where none is left out between them."""
        if numbers.size and numbers[-1] - numbers[0] + 1 == numbers.size:
            rows = slice(int(self._start[numbers[0]]), int(self._stop[numbers[-1]]))
            return {name: column[rows] for name, column in self.rows.items()}
        spans = [slice(int(self._start[n]), int(self._stop[n])) for n in numbers]
        return {
            name: np.concatenate([column[:0], *(column[rows] for rows in spans)])
            for name, column in self.rows.items()
        }

    def expiries(self, number: int) -> tuple[date, ...]:
        """The expiries listed at one instant, ascending."""
        here = self.blocks["expiry"][int(self._first_block[number]) : int(self._last_block[number])]
        return tuple(_DAY + timedelta(days=int(day)) for day in here)

    def expiry(self, number: int, expiry: date) -> Snapshot | None:
        """One expiry's quotes of one instant; None when it is not listed then."""
        first, last = int(self._first_block[number]), int(self._last_block[number])
        days = (expiry - _DAY).days
        block = first + int(self.blocks["expiry"][first:last].searchsorted(days))
        if block == last or self.blocks["expiry"][block] != days:
            return None
        return self._slice(number, slice(int(self.blocks["start"][block]), int(self.blocks["stop"][block])))

    def contract(self, expiry: date, right: Right, strike: Decimal) -> Life:
        """One contract over the month; empty when it was never listed."""
        of_expiry = np.flatnonzero(self.blocks["expiry"] == (expiry - _DAY).days)
        count = strike * STRIKE_DIGITS / self._raw_strike_unit
        if count != int(count):
            of_expiry = of_expiry[:0]
        low, high = ("calls", "stop") if right is Right.CALL else ("start", "calls")
        bounds = self.blocks[low][of_expiry], self.blocks[high][of_expiry]
        row, listed = _find(self.rows["strike"], *bounds, wanted=int(count))
        row = row[listed]
        at = self.blocks["at"][of_expiry[listed]]
        return Life(at=at, bid=self.rows["bid"][row], ask=self.rows["ask"][row])

    def _slice(self, number: int, rows: slice) -> Snapshot:
        columns = self.rows
        return Snapshot(
            at=int(self.instants[number]),
            spot=float(self.spot[number]),
            expiry=columns["expiry"][rows],
            right=columns["right"][rows],
            strike=columns["strike"][rows],
            bid=columns["bid"][rows],
            ask=columns["ask"][rows],
        )


def open_month(store: Store, root: str, month: str) -> Month:
    """Map a month ("2018-01") of a root.  ``BadData`` says which there are when it is not there."""
    months = store.months(root)
    if month not in months:
        raise BadData([f"{store.folder}: no {month} of {root}; there is {', '.join(months)}"])
    return _mapped(store, root, month, months[month].digest)


@lru_cache(maxsize=64)
def _mapped(store: Store, root: str, month: str, digest: str) -> Month:
    record = store.months(root)[month]
    assert record.digest == digest
    return Month(root, month, record.per_point, mapped_month(store.folder, root, month, record))


def _find(column: Counts, low: Ints, high: Ints, *, wanted: int) -> tuple[Ints, NDArray[np.bool_]]:
    """The first row not below ``wanted`` in each sorted span of a column, and whether it is there.

    Bisects all spans at once: a Python loop over a month's snapshots would take longer than the reading.
    """
    low, stop, last = low.copy(), high, max(column.size - 1, 0)
    high = high.copy()
    while (open_spans := low < high).any():
        middle = (low + high) >> 1
        below = open_spans & (column[np.minimum(middle, last)] < wanted)
        low = np.where(below, middle + 1, low)
        high = np.where(open_spans & ~below, middle, high)
    listed = low < stop
    listed[listed] = column[low[listed]] == wanted
    return low, listed


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
