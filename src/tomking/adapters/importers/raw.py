"""The one raw form every importer reads into: option quotes and underlying levels as Polars frames.

An importer says what stands in a source, in the source's own quality: nothing is dropped, repaired or
filled here.  What is wrong with a row is for ``adapters.verify`` to say; what is wrong with a *file* (not
readable, not the layout, cells that are no number) is a ``BadData`` naming file, row and column.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

STRIKE_DIGITS = 100_000
"""Counts of a raw strike per point: a 6E strike of 1.0525 is 105250."""

_Type = pl.DataType | type[pl.DataType]
_QUOTES: dict[str, _Type] = {
    "line": pl.Int64,  # 1-based line of the file (or of the member of an archive), header included
    "member": pl.String,  # name inside an archive, "" for a plain file
    "root": pl.String,  # option root as tomking names it: SPXW, SPX, ES, AAPL ...
    "at": pl.Datetime("us", "UTC"),  # when the quote was seen; of a bar, its end
    "expiry": pl.Date,  # the exchange's expiry date (an AM expiry is its settlement day), never a Saturday
    "right": pl.Int8,  # +1 call, -1 put
    "strike": pl.Int64,  # points x STRIKE_DIGITS
    "bid": pl.Float64,  # points; null: the cell is empty
    "ask": pl.Float64,
    "bid_size": pl.Int64,  # contracts, null where the source has none
    "ask_size": pl.Int64,
    "volume": pl.Int64,
    "open_interest": pl.Int64,
    "spot": pl.Float64,  # the underlying's price on the same row, points; null where there is none
    "multiplier": pl.Float64,  # dollars per point where the source says it, else null
}
QUOTES = pl.Schema(_QUOTES)
"""Columns of a frame of option quotes."""

_LEVELS: dict[str, _Type] = {
    "line": pl.Int64,
    "member": pl.String,
    "key": pl.String,  # the underlying: SPX, ES, AAPL ...
    "expiry": pl.Date,  # of a future, else null
    "at": pl.Datetime("us", "UTC"),  # when it was seen; of a bar, its end
    "bid": pl.Float64,  # points, null where there is none
    "ask": pl.Float64,
    "last": pl.Float64,  # traded price or printed level, null where there is none
}
LEVELS = pl.Schema(_LEVELS)
"""Columns of a frame of underlying prices: index levels, futures, shares."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be imported, and what the user said of it."""

    path: Path
    root: str | None = None
    """The option root where the layout does not name one (``--product``)."""
    zone: str | None = None
    """Time zone of naive stamps where it is not the layout's own (``--zone``)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of one source, in the source's order; either frame may have no rows."""

    quotes: pl.DataFrame
    """Of schema ``QUOTES``."""
    levels: pl.DataFrame
    """Of schema ``LEVELS``."""
    position: int
    """Bytes of the source consumed so far, for progress: never falls, ends at its size."""


class Importer(Protocol):
    """One layout.  Importers are found by name in ``adapters.importers.known``."""

    @property
    def name(self) -> str:
        """What ``--format`` calls it: "lean", "optionsdx" ..."""
        ...

    def recognises(self, path: Path) -> bool:
        """Whether a file (or folder) looks like this layout, from its name and first bytes."""
        ...

    def files(self, path: Path) -> tuple[Path, ...]:
        """The source files below a path, in the order to be read; the path itself for a file."""
        ...

    def read(self, source: Source) -> Iterator[Batch]:
        """The rows in batches of bounded memory (at most about 250,000 rows).

        Raises ``BadData`` (``domain.errors``) with every problem found in the file, each naming file, row
        and column and what to do.
        """
        ...
