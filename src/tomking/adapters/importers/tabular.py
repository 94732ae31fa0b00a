"""One engine for every tabular source: CSV (plain, gzip, zstandard, zip) and Parquet, driven by mappings.

1. Choose the mapping whose columns the header has.
2. Read blocks of whole lines (or row groups) into cells, texts only.
3. Build the quotes of each block; a wide row has several.
4. After the first problem nothing more is yielded, but the file is read to its end: all is said at once.

Memory: a block of text, its cells and its frame, whatever the size of the file (docs/importing.md).
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as papq

from tomking.adapters.importers.mapping import Mapping, did_you_mean, known_zone, normal, title
from tomking.adapters.importers.raw import LEVELS, QUOTES, Batch, Source
from tomking.adapters.importers.tabular_cells import Cells, File
from tomking.adapters.importers.tabular_problems import Problems
from tomking.adapters.importers.tabular_quotes import quotes_of
from tomking.adapters.importers.tabular_rows import parse, present, split_header
from tomking.adapters.importers.tabular_stamps import Clock, Unreadable, stamp_of_name
from tomking.adapters.importers.tabular_text import first_line, magic, read_blocks
from tomking.domain.errors import BadData

ENGINE = "2"
"""Raised when a table would be read otherwise by the same mapping."""
BATCH_ROWS = 250_000
PARQUET_ROWS = 65_536
FEW = 3
"""Columns that a header may lack and still be meant as the layout: each is then said by itself."""
_SUFFIXES = (".csv", ".txt", ".tsv", ".gz", ".zst", ".zip", ".parquet")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas"}


@dataclass(frozen=True, slots=True)
class Tabular:
    """An importer: a name, and the layouts that go by it."""

    name: str
    mappings: tuple[Mapping, ...]

    @property
    def version(self) -> str:
        """Another one whenever the same file would be read otherwise: the engine, the layouts, the moment."""
        facts = [ENGINE, *(m.model_dump_json() for m in self.mappings)]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]

    def recognises(self, path: Path) -> bool:
        """Whether the header has all columns of one of the layouts; of a folder, its first file's."""
        try:
            first = self.files(path)[0]
            header = _header(first, Problems(first), self.mappings[0].separator)
        except (BadData, OSError, pa.ArrowException, UnicodeDecodeError):
            return False
        return header is not None and any(_is_of(m, header) for m in self.mappings)

    def files(self, path: Path) -> tuple[Path, ...]:
        if not path.is_dir():
            return (path,)
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
        if not found:
            raise BadData([f"{path}: no {', '.join(_SUFFIXES)} file below this folder; check the path"])
        return tuple(found)

    @property
    def needs_at(self) -> bool:
        """Whether a layout has no stamp in the file: the moment may then be given with ``at``."""
        return any(m.needs_at for m in self.mappings)

    def assumes_close(self, path: Path) -> bool:
        """Whether a file's name says the day of its quotes but no time, so that they get that day's close."""
        dated = [m.stamp.name_pattern for m in self.mappings if m.stamp is not None and m.stamp.time is None]
        found = [re.search(pattern, path.name) for pattern in dated if pattern is not None]
        return any(one is not None and not one.groupdict().get("time") for one in found)

    def at(self, instant: datetime) -> "Tabular":
        """The same importer for files taken at one moment (aware), where the file does not say it."""
        if not self.needs_at:
            raise BadData([f"{self.name}: its files have their own stamps; leave the moment out"])
        return replace(self, mappings=tuple(m.at(instant) if m.needs_at else m for m in self.mappings))

    def read(self, source: Source) -> Iterator[Batch]:
        """See ``raw.Importer``.  Rows are numbered as in an editor; of Parquet, from 1."""
        problems = Problems(source.path)
        last: Batch | None = None
        for batch in self._batches(source, problems):
            if last is not None and not problems:
                yield last
            last = batch
        problems.raise_if_any()
        end = source.path.stat().st_size
        yield (
            Batch(QUOTES.to_frame(), LEVELS.to_frame(), end) if last is None else replace(last, position=end)
        )

    def _batches(self, source: Source, problems: Problems) -> Iterator[Batch]:
        if source.zone is not None and not known_zone(source.zone):
            problems.add(f"{source.zone!r} is not a time zone; America/New_York is one")
            return
        rows = 0
        for cells, position in self._cells(source, problems):
            rows += cells.size
            quotes = quotes_of(cells)
            if not problems:
                for start in range(0, quotes.height, BATCH_ROWS):
                    yield Batch(quotes.slice(start, BATCH_ROWS), LEVELS.to_frame(), position)
        if rows == 0 and not problems:
            problems.add("no rows below the header; fetch the file again", row=1)

    # ------------------------------------------------------------------ 1. which mapping

    def _file(self, source: Source, titles: list[str], problems: Problems, member: str) -> File | None:
        header = [normal(t) for t in titles]
        mapping = self._mapping(header, problems, member)
        if mapping is None:
            return None
        clock = Clock(ZoneInfo(source.zone or mapping.zone))
        mapping = _with_stamp(mapping, source, clock, problems)
        if mapping.root is None and mapping.symbol is None and source.root is None:
            problems.add("the file does not name the option root; give it with --product, SPXW for one")
        return (
            None
            if problems
            else File(mapping, problems, clock, source.root, dict(zip(header, titles, strict=True)))
        )

    def _mapping(self, header: list[str], problems: Problems, member: str) -> Mapping | None:
        """The first mapping that the header lacks nothing of; else what it lacks of the nearest is noted."""
        mapping = min(self.mappings, key=lambda m: len(_missing(m, header)))
        missing = _missing(mapping, header)
        what = f"this is not the layout {self.name} ({mapping.name})"
        other = _other_separator(header, mapping.separator) if missing else None
        if other is not None:
            ours = _SEPARATORS.get(mapping.separator, mapping.separator)
            what = f"columns are separated by {_SEPARATORS[other]}, not {ours}"
            fix = f"convert the file, or give a mapping with separator = {other!r}"
            problems.add(f"{what}; {fix}", member=member, row=1)
        elif len(missing) > FEW:
            problems.add(f"{what}: no columns {', '.join(missing)}; check --format", member=member, row=1)
        else:
            for name in missing:
                words = did_you_mean(name, tuple(header))
                problems.add(f"{what}: no column {name}; {words}", member=member, row=1, column=name)
        needed = {normal(c) for c in mapping.columns}
        for name in sorted({n for n in header if n in needed and header.count(n) > 1}):
            problems.add("is there twice; rename or remove one", member=member, row=1, column=name)
        return None if problems else mapping

    # ------------------------------------------------------------------ 2. cells

    def _cells(self, source: Source, problems: Problems) -> Iterator[tuple[Cells, int]]:
        try:
            is_parquet = magic(source.path) == "parquet"
        except OSError:
            is_parquet = False
        yield from (self._parquet if is_parquet else self._text)(source, problems)

    def _text(self, source: Source, problems: Problems) -> Iterator[tuple[Cells, int]]:
        separator = self.mappings[0].separator
        file: File | None = None
        header: list[str] = []
        for block in read_blocks(source.path, problems):
            body = block
            if block.row == 1:
                titles, body = split_header(block, separator)
                header = [normal(t) for t in titles]
                file = self._file(source, titles, problems, block.member)
            if file is None:
                return
            if body.text:
                table = parse(body, header, file, problems)
                if table is not None:
                    yield Cells(file, table[0], table[1], block.member), block.position

    def _parquet(self, source: Source, problems: Problems) -> Iterator[tuple[Cells, int]]:
        row, size = 1, source.path.stat().st_size
        try:
            with papq.ParquetFile(source.path) as parquet:
                names = parquet.schema_arrow.names
                header = [normal(n) for n in names]
                file = self._file(source, [title(n) for n in names], problems, "")
                if file is None:
                    return
                wanted = [names[header.index(c)] for c in present(file.mapping, header)]
                total = max(parquet.metadata.num_rows, 1)
                for batch in parquet.iter_batches(batch_size=PARQUET_ROWS, columns=wanted):
                    columns = {normal(n): c for n, c in zip(batch.schema.names, batch.columns, strict=True)}
                    batch.validate(full=True)  # texts of a damaged file need not be texts
                    rows = np.arange(row, row + batch.num_rows)
                    yield Cells(file, columns, rows), min(size * row // total, size)
                    row += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            problems.add(f"is not a whole Parquet file ({first_line(error)}); fetch it again", row=row)


def _other_separator(header: list[str], separator: str) -> str | None:
    """What separates the columns of a header that looks like one column."""
    others = [s for s in _SEPARATORS if s != separator and s in header[0]] if len(header) == 1 else []
    return others[0] if others else None


def _missing(mapping: Mapping, header: list[str]) -> list[str]:
    lacking = {normal(c) for c in mapping.may_lack}
    return [
        c for c in (*mapping.columns, *mapping.marks) if normal(c) not in header and normal(c) not in lacking
    ]


def _is_of(mapping: Mapping, header: list[str]) -> bool:
    return not _missing(mapping, header) and not {normal(c) for c in mapping.without} & set(header)


def _with_stamp(mapping: Mapping, source: Source, clock: Clock, problems: Problems) -> Mapping:
    """The mapping with the moment that stands in the file's name, where that is where it stands."""
    stamp = mapping.stamp
    if stamp is None and any(q.stamp is None for q in mapping.quotes):
        problems.add("the file does not say when its quotes were seen; give the moment with --at")
    elif stamp is not None and stamp.name_pattern is not None:
        found = re.search(stamp.name_pattern, source.path.name)
        try:
            return mapping.at(stamp_of_name(stamp, found and found.groupdict(), clock))
        except Unreadable as error:
            problems.add(f"the file's name {error}; give the moment with --at, or name it ..._20260731_1600")
    return mapping


def _header(path: Path, problems: Problems, separator: str) -> list[str] | None:
    if magic(path) == "parquet":
        return [normal(n) for n in papq.read_schema(path).names]
    block = next(read_blocks(path, problems), None)
    return None if block is None else [normal(t) for t in split_header(block, separator)[0]]
