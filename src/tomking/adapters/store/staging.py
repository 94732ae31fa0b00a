"""A source read into pieces below ``staging``: a file a month and batch, in it a record batch a session.

Memory is bounded by the importer's batch.  A source that has been read to its end leaves a manifest, so
that an import that was killed goes on with the next one.  Nothing here touches the store.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from tomking.adapters.importers.raw import Batch, Source
from tomking.adapters.store.commit import Step
from tomking.adapters.store.files import sync_file, write_synced
from tomking.adapters.store.months import KINDS, LEVELS_KIND, QUOTES_KIND, Kind, session_day
from tomking.adapters.store.prices import DECIMALS, ladder, per_point, rungs
from tomking.adapters.store.records import Counts
from tomking.adapters.verify.findings import Finding, merged

MANIFEST = "read.json"
NO_PRICE = f"a bid or ask is no price: not finite, too large, or with more than {DECIMALS} decimals"
"""Why the store itself refuses a row: no unit gives it exactly."""
NAMED = 20
"""Refused rows that a strict import names of each source; the others are counted."""


class Checked(Protocol):
    """What a check made of a batch of quotes: every row is in one of the two frames."""

    @property
    def kept(self) -> pl.DataFrame: ...
    @property
    def quarantined(self) -> pl.DataFrame:
        """With a column ``reason``."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]: ...


Check = Callable[[pl.DataFrame, Source], Checked]


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one month out of one batch."""

    kind: str
    name: str
    month: str
    file: str
    """In the source's staging folder."""
    rung: int
    """The first rung of the root's ladder of units that gives all its prices."""
    days: tuple[tuple[date, int], ...]
    """Its sessions and their rows, ascending: a record batch each, of levels one for all."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A source that was read to its end."""

    pieces: tuple[Piece, ...]
    quotes: Counts
    """``read`` and ``quarantined`` so far; what is new is known after merging."""
    levels: Counts
    reasons: tuple[tuple[str, int], ...]
    findings: tuple[Finding, ...]
    refused: tuple[tuple[str, str], ...]
    """Kind and file of quarantined rows."""
    named: tuple[str, ...]
    """The first of them, as a person reads them."""


def staged_before(folder: Path) -> Staged | None:
    """What an earlier process read into ``folder``, None when it did not come to the end."""
    try:
        return _adapter().validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def stage(
    batches: Iterator[Batch],
    source: Source,
    folder: Path,
    *,
    check: Check,
    tell: Callable[[Batch], None],
    step: Step,
) -> Staged:
    """Read, check and spill one source; ``BadData`` from the importer passes through."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    spill = _Spill(folder, source)
    try:
        for number, batch in enumerate(batches):
            step(f"batch {number}")
            checked = check(batch.quotes, source)
            spill.findings = [*merged([*spill.findings, *checked.findings])]
            _all_there(batch.quotes, checked)
            spill.refuse(QUOTES_KIND, number, checked.quarantined)
            spill.add(QUOTES_KIND, number, checked.kept, batch.quotes.height)
            spill.add(LEVELS_KIND, number, batch.levels, batch.levels.height)
            tell(batch)
        return _finished(spill.staged(), folder, step)
    except OSError:
        # Half a source is of no use to the next import, and the disk may be full.
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _finished(done: Staged, folder: Path, step: Step) -> Staged:
    step("manifest")
    # Before the manifest, or a power cut could leave it without what it names.
    for piece in done.pieces:
        sync_file(folder / piece.file)
    for _, file in done.refused:
        sync_file(folder / file)
    write_synced(folder / MANIFEST, _adapter().dump_json(done))
    return done


def read_piece(folder: Path, piece: Piece, days: Collection[date]) -> pl.DataFrame | None:
    """The rows of some sessions (of all, for levels), None when the piece has none of them."""
    kind = KINDS[piece.kind]
    batches = [n for n, (day, _) in enumerate(piece.days) if day in days] if kind.grouped else [0]
    if not batches:
        return None
    with pa.memory_map(str(folder / piece.file)) as file:
        reader = pa.ipc.open_file(file)
        table = pa.Table.from_batches([reader.get_batch(n) for n in batches])
        frame = pl.from_arrow(table, schema=kind.raw)
        assert isinstance(frame, pl.DataFrame)
        return frame


class _Spill:
    """Writes the pieces of one source and counts."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder = folder
        self._source = source
        self._pieces: list[Piece] = []
        self._read: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._files: list[tuple[str, str]] = []
        self._named: list[str] = []
        self.findings: list[Finding] = []

    def add(self, kind: Kind, number: int, rows: pl.DataFrame, read: int) -> None:
        """Spill what the store can hold, month by month; quarantine what it cannot."""
        self._read[kind.name] += read
        if not rows.height:
            return
        rows = rows.with_columns(_storable(kind))
        self.refuse(kind, number, rows.filter(pl.col("reason").is_not_null()), "unidentified")
        rows = rows.filter(pl.col("reason").is_null()).drop("reason").with_columns(_day=session_day())
        for (name,), part in rows.partition_by(kind.of, as_dict=True, maintain_order=True).items():
            found = _rungs_of(kind, str(name), part)
            outside = found >= len(ladder(per_point(str(name))))
            unpriced = part.filter(outside).drop("_day").with_columns(reason=pl.lit(NO_PRICE))
            self.refuse(kind, number, unpriced, f"{len(self._files)}")
            part = part.with_columns(pl.Series("_rung", found)).filter(~outside)  # noqa: PLW2901
            month = part["_day"].dt.strftime("%Y-%m")
            for (text,), rest in part.with_columns(_month=month).partition_by("_month", as_dict=True).items():
                self._write(kind, str(name), str(text), number, rest.drop("_month"))

    def refuse(self, kind: Kind, number: int, rows: pl.DataFrame, which: str = "checked") -> None:
        """Keep refused rows with the name of the file they came from."""
        if not rows.height:
            return
        self._refused[kind.name] += rows.height
        for reason, count in rows["reason"].value_counts(sort=True).iter_rows():
            self._reasons[str(reason)] += int(count)
        file = f"refused-{kind.name}-{number}-{which}.arrow"
        named_rows = refused_rows(kind, rows, self._source.path)
        named_rows.write_ipc(self._folder / file, compression="lz4")
        self._files.append((kind.name, file))
        self._named += [said(row) for row in named_rows.head(NAMED - len(self._named)).iter_rows(named=True)]

    def staged(self) -> Staged:
        counts = {k: Counts(read=self._read[k], quarantined=self._refused[k]) for k in KINDS}
        return Staged(
            pieces=tuple(self._pieces),
            quotes=counts["quotes"],
            levels=counts["levels"],
            reasons=tuple(self._reasons.most_common()),
            findings=tuple(self.findings),
            refused=tuple(self._files),
            named=tuple(self._named),
        )

    def _write(self, kind: Kind, name: str, month: str, number: int, rows: pl.DataFrame) -> None:
        file = f"{kind.name}-{len(self._pieces)}-{number}.arrow"
        rows = rows.sort("_day", maintain_order=True)
        days = tuple(rows.group_by("_day", maintain_order=True).len().iter_rows())
        whole = rows.select(kind.raw.names()).to_arrow().combine_chunks()
        starts = [0, *accumulate(count for _, count in days)]
        tables = [whole.slice(at, count) for at, (_, count) in zip(starts, days, strict=False)]
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        with (
            pa.OSFile(str(self._folder / file), "wb") as sink,
            pa.ipc.new_file(sink, whole.schema, options=options) as writer,
        ):
            for table in tables if kind.grouped else [whole]:
                writer.write_batch(table.to_batches()[0])
        self._pieces.append(
            Piece(
                kind=kind.name,
                name=name,
                month=month,
                file=file,
                rung=int(rows["_rung"].to_numpy().max()),
                days=days,
            )
        )


def refused_rows(kind: Kind, rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Rows as a quarantine file has them: file, line, member, reason, then the row as it stood."""
    first = ("file", "line", "member", "reason")
    rest = [c for c in kind.raw.names() if c not in first]
    return rows.with_columns(file=pl.lit(str(path))).select(*first, *rest)


def said(row: dict[str, object]) -> str:
    """A refused row for a person: where it stands and why."""
    member = f" ({row['member']})" if row["member"] else ""
    return f"{row['file']}{member}: line {row['line']}: {row['reason']}"


def _storable(kind: Kind) -> pl.Expr:
    """Column ``reason``: why a row cannot be identified, null where it can."""
    needed = [kind.of, *(c for c in kind.key if kind is QUOTES_KIND or c != "expiry")]
    empty = [pl.when(pl.col(c).is_null()).then(pl.lit(f"no {c}")) for c in needed]
    blank = pl.when(pl.col(kind.of) == "").then(pl.lit(f"no {kind.of}"))
    return pl.coalesce(*empty, blank).alias("reason")


def _rungs_of(kind: Kind, name: str, rows: pl.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    worst = np.zeros(rows.height, dtype=np.int8)
    steps = ladder(per_point(name))
    for column in kind.prices:
        prices = rows[column]
        found = rungs(prices.to_numpy(), steps)
        found[prices.is_nan().fill_null(value=False).to_numpy()] = len(steps)
        worst = np.maximum(worst, found)
    return worst


def _all_there(quotes: pl.DataFrame, checked: Checked) -> None:
    assert quotes.height == checked.kept.height + checked.quarantined.height, (
        f"the check was given {quotes.height} rows and returned {checked.kept.height} kept and "
        f"{checked.quarantined.height} quarantined"
    )


@cache
def _adapter() -> TypeAdapter[Staged]:
    return TypeAdapter(Staged)
