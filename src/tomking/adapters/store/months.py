"""A month of one root (or underlying) as a Parquet file, sorted and typed: a row group a session of quotes.

The two kinds of months, option quotes and levels, differ in their columns and in what identifies a row;
the rest of the store treats them alike.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow as pa
from pyarrow import parquet

from tomking.adapters.importers.raw import LEVELS, QUOTES
from tomking.adapters.store.files import folder_name, sync_file
from tomking.adapters.store.prices import NARROW, unit
from tomking.domain.errors import BadData

FORMAT = 1
"""Of the files; another one is refused."""

_META = b"tomking."
_EVENING_HOURS = 6
"""From 18:00 New York on, a row belongs to the next day's session."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Quotes or levels."""

    name: str
    folder: str
    raw: pl.Schema
    of: str
    """Raw column with the root or key."""
    key: tuple[str, ...]
    """What identifies a row, in the order of sorting."""
    prices: tuple[str, ...]
    """Columns held as counts of the price unit; their nulls mean something."""
    said: tuple[str, ...]
    """Other columns: null is "the source has none", which another source may complete."""
    grouped: bool
    """A row group a session; else one for the month, whose sessions are a few rows each."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Stored, in their order."""
        return (*self.key, *self.prices, *self.said)

    def path(self, name: str, month: str) -> Path:
        """Below the data directory."""
        return Path(self.folder, folder_name(name), month, f"{self.name}.parquet")

    def schema(self, per_point: int) -> pl.Schema:
        """Types of the stored columns."""
        count = pl.Int32 if per_point <= NARROW else pl.Int64
        return pl.Schema({c: count if c in self.prices else self.raw[c] for c in self.columns})

    def typed(self, per_point: int) -> list[pl.Expr]:
        """The stored columns of a frame, in their types."""
        return [pl.col(c).cast(kind) for c, kind in self.schema(per_point).items()]


QUOTES_KIND = Kind(
    name="quotes",
    folder="chains",
    raw=QUOTES,
    of="root",
    key=("at", "expiry", "right", "strike"),
    prices=("bid", "ask"),
    said=("bid_size", "ask_size", "volume", "open_interest", "spot", "multiplier"),
    grouped=True,
)
LEVELS_KIND = Kind(
    name="levels",
    folder="levels",
    raw=LEVELS,
    of="key",
    key=("at", "expiry"),
    prices=(),
    said=("bid", "ask", "last"),
    grouped=False,
)
KINDS = {kind.name: kind for kind in (QUOTES_KIND, LEVELS_KIND)}


def session_day() -> pl.Expr:
    """The session that column ``at`` belongs to, as a date (see docs/store.md)."""
    wall = pl.col("at").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
    return (wall + pl.duration(hours=_EVENING_HOURS)).dt.date()


def in_points(column: str, per_point: int) -> pl.Expr:
    """Counts as the doubles nearest to their decimal prices.

    Rounded, because Polars divides by a constant as it multiplies by its reciprocal: 852603 / 1000 would be
    852.6030000000001.
    """
    exponent = unit(per_point).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return (pl.col(column) / per_point).round(max(-exponent, 0)).alias(column)


class MonthFile:
    """A month that is there.  ``BadData`` when it is not one of ours or cannot be read."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = parquet.ParquetFile(path, memory_map=True)
            said: dict[bytes, bytes] = self._file.metadata.metadata or {}
            self.per_point = int(said[_META + b"per_point"])
            """Counts of a price in a point."""
            days = json.loads(said[_META + b"sessions"])
            written = int(said[_META + b"format"])
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise BadData(
                [f"{path}: not a month of this store ({error}); `tomking data verify` says what else is"]
            ) from error
        if written != FORMAT:
            raise BadData(
                [f"{path}: format {written} is of another version of tomking; this one reads {FORMAT}"]
            )
        self.days = tuple(date.fromisoformat(day) for day in days)
        """Its sessions, ascending."""
        self.rows: int = self._file.metadata.num_rows
        self._groups = {day: group for group, day in enumerate(self.days)}
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def rows_on(self, day: date) -> int:
        """How many rows a session of quotes has."""
        rows: int = self._file.metadata.row_group(self._groups[day]).num_rows
        return rows

    def read(self, days: Iterable[date], columns: Iterable[str] | None = None) -> pl.DataFrame:
        """The rows of these sessions of quotes, prices as counts of its own unit."""
        return self._read([self._groups[day] for day in days], columns)

    def read_all(self) -> pl.DataFrame:
        """All rows, as ``read``."""
        return self._read(list(range(self._file.metadata.num_row_groups)), None)

    def _read(self, groups: list[int], columns: Iterable[str] | None) -> pl.DataFrame:
        wanted = None if columns is None else list(columns)
        try:
            table = self._file.read_row_groups(groups, columns=wanted, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise BadData([f"{self._path}: cannot be read: {error}; put it back from a backup"]) from error
        frame = pl.from_arrow(table, rechunk=True)
        assert isinstance(frame, pl.DataFrame)
        return frame


class MonthWriter:
    """Writes a month session by session, in ascending order; on the disk when it is closed."""

    def __init__(self, path: Path, kind: Kind, name: str, month: str, per_point: int) -> None:
        self._path = path
        self._kind = kind
        self._schema = kind.schema(per_point)
        self._said = {
            "format": FORMAT,
            "kind": kind.name,
            "name": name,
            "month": month,
            "per_point": per_point,
        }
        self._days: list[str] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        empty = pl.DataFrame(schema=self._schema).to_arrow()
        self._file = parquet.ParquetWriter(
            path, empty.schema, compression="zstd", use_dictionary=True, store_schema=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        said = {**self._said, "sessions": json.dumps(self._days)}
        self._file.add_key_value_metadata({f"tomking.{key}": str(value) for key, value in said.items()})
        self._file.close()
        sync_file(self._path)

    def add(self, sessions: Sequence[tuple[date, pl.DataFrame]]) -> None:
        """Sessions: columns of the kind's schema, sorted by its key; all at once where not ``grouped``."""
        self._days += [day.isoformat() for day, _ in sessions]
        parts = [rows for _, rows in sessions]
        for rows in parts if self._kind.grouped else [pl.concat(parts)]:
            assert rows.schema == self._schema, rows.schema
            self._file.write_table(rows.to_arrow(), row_group_size=max(rows.height, 1))
