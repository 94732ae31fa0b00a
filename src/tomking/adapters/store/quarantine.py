"""Refused rows of a source, kept with file, line, member and reason beside the store."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from pyarrow import parquet

from tomking.adapters.store.files import sync_file
from tomking.adapters.store.months import Kind
from tomking.adapters.store.staging import NAMED, Staged, refused_rows, said


def gather(kind: Kind, parts: Sequence[Path], against: Sequence[Path], *, source: Path, to: Path) -> None:
    """One Parquet file out of the refused rows of a kind: those the check refused, then contradictions."""
    to.parent.mkdir(parents=True, exist_ok=True)
    writer = None
    for path, is_named in [*((p, True) for p in parts), *((p, False) for p in against)]:
        rows = pl.read_ipc(path)
        table = (rows if is_named else refused_rows(kind, rows, source)).to_arrow()
        if writer is None:
            writer = parquet.ParquetWriter(to, table.schema, compression="zstd", store_schema=False)
        writer.write_table(table)
    assert writer is not None, "a quarantine file is only asked for when there are rows"
    writer.close()
    sync_file(to)


def name_rows(staged: Staged, against: Sequence[tuple[Kind, Path]], source: Path) -> list[str]:
    """The first refused rows of a source as a person reads them, at most ``NAMED``."""
    named = list(staged.named)
    for kind, path in against:
        if len(named) >= NAMED:
            break
        rows = refused_rows(kind, pl.read_ipc(path), source)
        named += [said(row) for row in rows.head(NAMED - len(named)).iter_rows(named=True)]
    return named
