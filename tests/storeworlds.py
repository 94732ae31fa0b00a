"""Small sources for tests of the chain store: real files of raw rows, and an importer that reads them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
from tests.worlds import weekdays

from tomking.adapters.importers.raw import LEVELS, QUOTES, Batch, Source
from tomking.adapters.store import Store
from tomking.adapters.store.importing import import_sources
from tomking.adapters.store.reports import ImportReport
from tomking.adapters.verify.findings import Finding
from tomking.domain.calendar import Sessions
from tomking.domain.errors import BadData

BROKEN = b"broken"
"""A file with this content cannot be used."""

OPEN = datetime(2031, 3, 3, 14, 30, tzinfo=UTC)
"""Monday 3 March 2031, 09:30 New York."""


def calendar(name: str, first: date, last: date) -> Sessions:
    """Every weekday is a session: as the exchange's calendar, but at once."""
    return weekdays(first, (last - first).days + 1).between(first, last)


def quotes(*rows: tuple[object, ...], root: str = "SPXW", **columns: object) -> pl.DataFrame:
    """Raw quotes from (at, strike in points, bid, ask): puts of Friday 7 March 2031."""
    frame = pl.DataFrame(
        {
            "line": range(2, len(rows) + 2),
            "at": [r[0] for r in rows],
            "strike": [round(float(str(r[1])) * 100_000) for r in rows],
            "bid": [r[2] for r in rows],
            "ask": [r[3] for r in rows],
        },
        schema={c: QUOTES[c] for c in ("line", "at", "strike", "bid", "ask")},
        strict=False,
    )
    said: dict[str, object] = {"member": "", "root": root, "expiry": date(2031, 3, 7), "right": -1, **columns}
    rest = [pl.lit(said.get(c)).cast(kind).alias(c) for c, kind in QUOTES.items() if c not in frame.columns]
    return frame.with_columns(rest).select(QUOTES.names())


def levels(*rows: tuple[datetime, float], key: str = "SPX") -> pl.DataFrame:
    """Raw levels from (at, last)."""
    frame = pl.DataFrame(
        {"line": range(2, len(rows) + 2), "at": [r[0] for r in rows], "last": [r[1] for r in rows]},
        schema={c: LEVELS[c] for c in ("line", "at", "last")},
    )
    said = {"member": "", "key": key}
    rest = [pl.lit(said.get(c)).cast(kind).alias(c) for c, kind in LEVELS.items() if c not in frame.columns]
    return frame.with_columns(rest).select(LEVELS.names())


def session(day: datetime = OPEN, snapshots: int = 3, strikes: int = 4, step: int = 30) -> pl.DataFrame:
    """A chain from strike 5,700 every ``step`` minutes, half an hour after ``day`` on; bids 1.00, 1.05 ..."""
    instants = [day + timedelta(minutes=30 + step * n) for n in range(snapshots)]
    rows = [
        (at, 5700 + 5 * k, (20 + k + n) / 20, (22 + k + n) / 20)
        for n, at in enumerate(instants)
        for k in range(strikes)
    ]
    return quotes(*rows)


@dataclass(frozen=True, slots=True)
class Split:
    """What a test's check returns."""

    kept: pl.DataFrame
    quarantined: pl.DataFrame
    findings: tuple[Finding, ...] = ()


def accept(rows: pl.DataFrame, source: Source) -> Split:
    """Nothing is wrong with any row."""
    return Split(rows, rows.clear().with_columns(reason=pl.lit("", pl.String)))


def refuse_crossed(rows: pl.DataFrame, source: Source) -> Split:
    """One thing can be wrong with a row."""
    crossed = pl.col("bid") > pl.col("ask")
    return Split(
        rows.filter(~crossed.fill_null(value=False)),
        rows.filter(crossed.fill_null(value=False)).with_columns(reason=pl.lit("crossed")),
    )


@dataclass
class RawFiles:
    """The importer of files that hold raw rows as Arrow: quotes, or levels where the name says so."""

    batch: int = 1_000
    name: str = "raw"
    version: str = "1"
    read_paths: list[str] = field(default_factory=list)
    """Names of the files that were read to their end."""

    def recognises(self, path: Path) -> bool:
        return path.suffix == ".raw"

    def files(self, path: Path) -> tuple[Path, ...]:
        return tuple(sorted(path.glob("*.raw"))) if path.is_dir() else (path,)

    def read(self, source: Source) -> Iterator[Batch]:
        if source.path.read_bytes() == BROKEN:
            raise BadData([f"{source.path}: row 3, column bid: 'x' is no number"])
        rows = pl.read_ipc(source.path)
        for start in range(0, max(rows.height, 1), self.batch):
            part = rows.slice(start, self.batch)
            is_levels = "key" in part.columns
            yield Batch(
                quotes=pl.DataFrame(schema=QUOTES) if is_levels else part,
                levels=part if is_levels else pl.DataFrame(schema=LEVELS),
                position=source.path.stat().st_size,
            )
        self.read_paths.append(source.path.name)


def raw_file(folder: Path, name: str, rows: pl.DataFrame | None) -> Path:
    """A source file; broken where ``rows`` is None."""
    path = folder / f"{name}.raw"
    path.parent.mkdir(parents=True, exist_ok=True)
    if rows is None:
        path.write_bytes(BROKEN)
    else:
        rows.write_ipc(path)
    return path


def put(store: Store, *paths: Path, **options: object) -> ImportReport:
    """Import raw files as a test wants it."""
    said: dict[str, object] = {"check": accept, "calendar": calendar, **options}
    importer = said.pop("importer", None) or RawFiles()
    run: Callable[..., ImportReport] = import_sources
    return run(store, importer, [Source(path) for path in paths], **said)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes: what "untouched" means."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
