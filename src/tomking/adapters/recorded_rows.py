"""One product's quotes at one minute, and what every source of recorded snapshots promises of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tomking.domain.contract import Option

Counts = NDArray[Any]
"""Whole numbers of whatever width their source keeps them in."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """All quotes of one snapshot: columns of shape (n,), sorted by expiry, right (puts first), strike.

    No contract twice, none crossed.  The columns may be memory-mapped: they are sliced, never written.
    """

    minute: int
    """Minutes since 1970-01-01 00:00 UTC."""
    strike_unit: Decimal
    """Points per count of ``strike``."""
    expiries: Sequence[int]
    """Shape (m,): ``date.toordinal``, ascending, each once."""
    starts: Sequence[int]
    """Shape (m + 1,): where each expiry's rows begin, and n."""
    right: Counts
    strike: Counts
    bid: Counts
    """Counts of the product's tick; NO_QUOTE where nobody quotes."""
    ask: Counts

    def of(self, expiry: int) -> slice | None:
        """An expiry's rows; None where it is not listed."""
        i = int(np.searchsorted(self.expiries, expiry))
        if i == len(self.expiries) or self.expiries[i] != expiry:
            return None
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    def find(self, option: Option) -> int | None:
        """The row of a contract; None where it is not listed."""
        rows = self.of(option.expiry.toordinal())
        count = option.strike / self.strike_unit
        if rows is None or count != int(count):
            return None
        puts = rows.start + int(self.right[rows].searchsorted(0))
        first, stop = (rows.start, puts) if option.right < 0 else (puts, rows.stop)
        row = first + int(self.strike[first:stop].searchsorted(int(count)))
        return row if row < stop and self.strike[row] == int(count) else None


class Recording(Protocol):
    """One product's snapshots, from whatever keeps them."""

    @property
    def product(self) -> str: ...

    @property
    def minutes(self) -> Sequence[int]:
        """Ascending, in the exchange's hours; each has rows, maybe none that is quoted."""
        ...

    @property
    def spots(self) -> Sequence[float]:
        """What the rows say of the underlying at those minutes, the product's points; NaN: nothing."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report must say of this product's rows."""
        ...

    def rows(self, number: int) -> Rows:
        """The snapshot of ``minutes[number]``."""
        ...


def bounds(column: Counts) -> tuple[list[int], list[int]]:
    """The distinct values of an ascending column, and where each begins, with the end."""
    if not column.size:
        return [], [0]
    starts = [0, *(np.flatnonzero(np.diff(column)) + 1).tolist()]
    return [int(column[i]) for i in starts], [*starts, int(column.size)]


def is_partial(lengths: NDArray[np.int64], sessions: NDArray[np.int64]) -> bool:
    """Whether most snapshots show much less than the fullest one of their session.

    Quote bars are like that: one is written only in a minute in which its contract's quote changed.
    ``sessions`` numbers the session of each snapshot, ascending; both of shape (n,).
    """
    edges = np.flatnonzero(np.diff(sessions, prepend=sessions[:1] - 1))
    fullest = np.repeat(np.maximum.reduceat(lengths, edges), np.diff(np.append(edges, lengths.size)))
    several = np.repeat(np.diff(np.append(edges, lengths.size)) > 2, np.diff(np.append(edges, lengths.size)))
    return bool(several.any()) and float(np.median(lengths[several] / fullest[several])) < FULL_SHARE


FULL_SHARE = 0.95
"""A snapshot with fewer of its session's rows is no whole chain."""
