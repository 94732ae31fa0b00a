"""A month's columns as mapped Arrow files, derived from its Parquet file and thrown away with it.

    rows.arrow       expiry, right, strike, bid, ask: one record batch, so that a snapshot is a slice
    blocks.arrow     an expiry of a snapshot: its rows, and where its calls begin
    snapshots.arrow  an instant: its rows, its blocks, and the underlying's level

The folder's name has the Parquet file's hash: another file, another cache.  It appears by one rename.  Where
the store cannot be written to, each process maps one of its own that is gone with it.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from tomking.adapters.store.files import digest_of, folder_name
from tomking.adapters.store.months import MonthFile
from tomking.adapters.store.prices import NARROW
from tomking.adapters.store.records import MonthRecord
from tomking.domain.chain import NO_QUOTE
from tomking.domain.errors import BadData, OperatingError

FOLDER = "cache"
VERSION = 1
"""Part of the folder's name: raised with the layout."""

Column = NDArray[Any]
Columns = dict[str, Column]

_WIDEST_32 = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """The three tables of a month as columns over the mapped files, and its units."""

    rows: Columns
    blocks: Columns
    snapshots: Columns
    strike_unit: int
    """Raw strike counts (1/100,000 point) per stored one."""


def mapped_month(folder: Path, root: str, month: str, record: MonthRecord) -> Mapped:
    """The cache of a month, built when there is none for this file.

    ``BadData`` from the Parquet file; ``OperatingError`` when there is no room for a cache anywhere.
    """
    place = folder / FOLDER / folder_name(root) / f"{month}-{record.digest[:16]}-{VERSION}"
    try:
        return _opened(place)
    except (OSError, pa.ArrowException, KeyError, ValueError):
        _check(folder / record.file, record)
    try:
        _build(folder / record.file, record, month, place)
        return _opened(place)
    except OSError:
        return _passing(folder / record.file, record, f"{place}: {month} of {root}")


def _check(parquet: Path, record: MonthRecord) -> None:
    try:
        same = digest_of(parquet) == record.digest
    except OSError as error:
        raise BadData([f"{parquet}: cannot be read: {error.strerror or error}"]) from error
    if not same:
        remedy = "when an import is just storing it, try again; else put it back from a backup"
        raise BadData([f"{parquet}: not the file that the catalogue has; {remedy}"])


def _opened(place: Path) -> Mapped:
    rows, said = _map(place / "rows.arrow")
    blocks, _ = _map(place / "blocks.arrow")
    snapshots, _ = _map(place / "snapshots.arrow")
    return Mapped(rows, blocks, snapshots, strike_unit=int(said[b"strike_unit"]))


def _map(path: Path) -> tuple[Columns, dict[bytes, bytes]]:
    """The columns, which keep the mapping alive.

    Straight from the buffers: pyarrow's own ``to_numpy`` brings pandas.
    """
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    batch = reader.get_batch(0)
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = np.dtype(str(column.type).replace("double", "float64"))
        values = np.frombuffer(column.buffers()[1], dtype=kind, count=len(column))
        columns[name] = values
    return columns, reader.schema.metadata or {}


def _build(parquet: Path, record: MonthRecord, month: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{month}-", dir=place.parent))
    try:
        _fill(parquet, record, fresh)
        if place.exists():
            shutil.rmtree(place)
        fresh.rename(place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    for old in place.parent.glob(f"{month}-*"):
        if old != place:
            shutil.rmtree(old, ignore_errors=True)


def _passing(parquet: Path, record: MonthRecord, what: str) -> Mapped:
    """Files that are mapped and have no name any more: a store on a full or read-only disk."""
    try:
        with tempfile.TemporaryDirectory(prefix="tomking-month-") as fresh:
            _fill(parquet, record, Path(fresh))
            return _opened(Path(fresh))
    except OSError as error:
        remedy = f"make room for a cache there, or in {tempfile.gettempdir()}"
        raise OperatingError(f"{what} cannot be mapped: {error.strerror or error}; {remedy}") from error


def _column(path: Path, kind: Any, rows: int) -> Column:  # noqa: ANN401 - NumPy's types have none
    """A column's file with its room on the disk: a sparse one would end in a bus error on a full disk."""
    with path.open("wb") as file:
        size = rows * np.dtype(kind).itemsize
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:  # macOS
            file.truncate(size)
    return np.memmap(path, dtype=kind, mode="r+", shape=(rows,))


def _fill(parquet: Path, record: MonthRecord, fresh: Path) -> None:
    """Session by session into files of plain columns, then as one record batch over them."""
    with MonthFile(parquet) as source:
        unit = _strike_unit(source)
        price = np.int32 if record.per_point <= NARROW else np.int64
        kinds: dict[str, Any] = {
            "expiry": np.int32,
            "right": np.int8,
            "strike": unit[1],
            "bid": price,
            "ask": price,
        }
        rows: Columns = {
            name: _column(fresh / f"{name}.bin", kind, source.rows) for name, kind in kinds.items()
        }
        blocks, snapshots, done = [], [], 0
        for day in source.days:
            part = source.read([day], ("at", "expiry", "right", "strike", "bid", "ask", "spot"))
            _put(part, rows, done, unit[0])
            blocks.append(_blocks(part, done))
            snapshots.append(_snapshots(part, done))
            done += part.height
    _write(fresh / "rows.arrow", rows, {"strike_unit": str(unit[0])})
    block = pl.concat(blocks)
    _write(fresh / "blocks.arrow", _columns(block))
    _write(fresh / "snapshots.arrow", _columns(_with_blocks(pl.concat(snapshots), block)))
    for name in kinds:
        (fresh / f"{name}.bin").unlink()


def _strike_unit(source: MonthFile) -> tuple[int, Any]:
    """The greatest unit of all strikes, and the narrowest type for their counts."""
    strikes = np.unique(
        np.concatenate([source.read([day], ("strike",))["strike"].unique().to_numpy() for day in source.days])
    )
    unit = max(int(np.gcd.reduce(strikes)), 1)
    return unit, np.int32 if int(strikes.max()) // unit <= _WIDEST_32 else np.int64


def _put(part: pl.DataFrame, rows: Columns, start: int, strike_unit: int) -> None:
    here = slice(start, start + part.height)
    rows["expiry"][here] = part["expiry"].cast(pl.Int32).to_numpy()
    rows["right"][here] = part["right"].to_numpy()
    rows["strike"][here] = part["strike"].to_numpy() // strike_unit
    for side in ("bid", "ask"):
        counts = part[side].fill_null(NO_QUOTE).to_numpy()
        # A price below nothing is none that one could trade on.
        rows[side][here] = np.maximum(counts, NO_QUOTE)


def _blocks(part: pl.DataFrame, start: int) -> pl.DataFrame:
    """An expiry of a snapshot each: puts come first in its rows."""
    return (
        part.with_row_index("row")
        .group_by("at", "expiry", maintain_order=True)
        .agg(
            (pl.col("row").first().cast(pl.Int64) + start).alias("start"),
            (pl.col("right") < 0).sum().cast(pl.Int64).alias("puts"),
            pl.len().cast(pl.Int64).alias("count"),
        )
        .select(
            pl.col("at").cast(pl.Int64),
            pl.col("expiry").cast(pl.Int32),
            "start",
            (pl.col("start") + pl.col("puts")).alias("calls"),
            (pl.col("start") + pl.col("count")).alias("stop"),
        )
    )


def _snapshots(part: pl.DataFrame, start: int) -> pl.DataFrame:
    """An instant each; the level is the median of what its rows say, NaN where none says any."""
    return (
        part.with_row_index("row")
        .group_by("at", maintain_order=True)
        .agg(
            (pl.col("row").first().cast(pl.Int64) + start).alias("start"),
            (pl.col("row").last().cast(pl.Int64) + 1 + start).alias("stop"),
            pl.col("spot").quantile(0.5, interpolation="lower").fill_null(float("nan")).alias("spot"),
        )
        .with_columns(pl.col("at").cast(pl.Int64))
    )


def _with_blocks(snapshots: pl.DataFrame, blocks: pl.DataFrame) -> pl.DataFrame:
    at = blocks["at"].to_numpy()
    first = np.searchsorted(at, snapshots["at"].to_numpy(), side="left")
    last = np.searchsorted(at, snapshots["at"].to_numpy(), side="right")
    return snapshots.with_columns(pl.Series("first_block", first), pl.Series("last_block", last))


def _columns(frame: pl.DataFrame) -> Columns:
    return {name: frame[name].to_numpy() for name in frame.columns}


def _write(path: Path, columns: Columns, said: dict[str, str] | None = None) -> None:
    arrays = [pa.array(column) for column in columns.values()]
    batch = pa.RecordBatch.from_arrays(arrays, names=list(columns))
    schema = batch.schema.with_metadata(said or {})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch.replace_schema_metadata(said or {}))
