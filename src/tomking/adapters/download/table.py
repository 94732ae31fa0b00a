"""A published daily history as a value: its cells checked one by one, and two editions compared.

A file is believed only as a whole: the known header, ascending dates, numbers.  Whatever is wrong is a
``BadData`` with the line and the column.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tomking.adapters.download.series import Published
from tomking.domain.errors import BadData

MOST_PROBLEMS = 5
"""Problems of one file that are told."""
LARGEST = 1e6
RECENT_DAYS = 40
"""Publishers still correct these days; older ones change rarely."""
REVISIONS_MOST = 10
"""Older days that one edition may correct, or leave out."""
REVISION_LARGEST = 0.10
"""The greatest change of an older value that is a correction: a share of it, or a tenth of a point."""

Row = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One edition of a series."""

    name: str
    columns: tuple[str, ...]
    """Without the date: ``OPEN, HIGH, LOW, CLOSE``, or the series' name."""
    rows: dict[date, Row]
    """Ascending; None where nothing was published."""

    @property
    def first(self) -> date:
        return next(iter(self.rows))

    @property
    def last(self) -> date:
        return next(reversed(self.rows))


def read_table(body: bytes, series: Published, where: str) -> Table:
    """The table in a file's bytes.  ``BadData`` says what it is not."""
    lines = _text(body, where).splitlines()
    header = _header(lines[0], series, where)
    rows: dict[date, Row] = {}
    problems: list[str] = []
    for number, cells in enumerate(_cells_of(lines[1:], where), start=2):
        if not cells:
            continue
        day, row, wrong = _row(cells, header, series)
        if day is not None and rows and day <= next(reversed(rows)):
            wrong.append(f"column {header[0]}: {day} does not follow {next(reversed(rows))}")
        problems += [f"line {number}, {one}" for one in wrong]
        if day is not None:
            rows[day] = row
    first = next(iter(rows), None)
    if not problems and first is None:
        problems = ["no rows below the header; try again later"]
    elif not problems and first is not None and first.year > series.first_year:
        problems = [f"starts on {first}, but {series.name} goes back to {series.first_year}; try again later"]
    if problems:
        more = len(problems) - MOST_PROBLEMS
        told = [*problems[:MOST_PROBLEMS], *([f"and {more} more such cells"] if more > 0 else [])]
        raise BadData([f"{where}: {one}" for one in told])
    return Table(series.name, header[1:], rows)


def _cells_of(lines: list[str], where: str) -> Iterator[list[str]]:
    reader = csv.reader(lines)
    try:
        yield from reader
    except csv.Error as error:
        raise BadData([f"{where}: line {reader.line_num + 1}: {error}; try again later"]) from error


def _header(line: str, series: Published, where: str) -> tuple[str, ...]:
    header = tuple(cell.strip().strip('"').upper() for cell in line.split(","))
    if header in series.headers:
        return header
    wanted = " or ".join(",".join(known) for known in series.headers)
    seen = f"header {line.strip()[:60]!r}, expected {wanted}"
    raise BadData([f"{where}: line 1: {seen}; the publisher changed the layout, or this is another file"])


def _text(body: bytes, where: str) -> str:
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        raise BadData([f"{where}: a web page came instead of the CSV file (an error page?); try again later"])
    if not start:
        raise BadData([f"{where}: the answer is empty; try again later"])
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData([f"{where}: byte {error.start} is not UTF-8 text; try again later"]) from error


def _row(cells: list[str], header: tuple[str, ...], series: Published) -> tuple[date | None, Row, list[str]]:
    """The day, its values, and what is wrong with them."""
    if len(cells) != len(header):
        return None, (), [f"{len(cells)} fields where the header has {len(header)}"]
    try:
        day = datetime.strptime(cells[0].strip(), series.date_format).date()  # noqa: DTZ007 - a date
    except ValueError:
        return None, (), [f"column {header[0]}: {cells[0]!r} is no date"]
    wrong: list[str] = []
    values: list[float | None] = []
    for name, cell in zip(header[1:], cells[1:], strict=True):
        try:
            value = float(cell) if cell.strip() not in {"", "."} else None
        except ValueError:
            value = float("nan")
        if value is not None and not abs(value) < LARGEST:
            wrong.append(f"column {name}: {cell!r} is no number")
        values.append(value)
    return day, tuple(values), wrong


# ------------------------------------------------------------------------------------- two editions


@dataclass(frozen=True, slots=True)
class Change:
    """What a newer edition does to an older one."""

    added: int
    """Days after the older edition's last."""
    revised: tuple[str, ...]
    """``2024-01-02: 13.2 -> 13.21``, the oldest first."""
    contradictions: tuple[str, ...]
    """Why the newer one cannot be a continuation of the older; empty when it can."""


def compare(old: Table, new: Table) -> Change:
    """What changed from ``old`` to ``new``."""
    against = []
    if old.columns != new.columns:
        against.append(f"columns {', '.join(new.columns)} where there were {', '.join(old.columns)}")
        return Change(0, (), tuple(against))
    if new.last < old.last:
        against.append(f"ends on {new.last}, the cached one on {old.last}")
    settled = [day for day in old.rows if (old.last - day).days > RECENT_DAYS]
    gone = [day for day in old.rows if day not in new.rows and day <= new.last]
    if len(gone) > REVISIONS_MOST:
        against.append(f"{len(gone)} days of the cached one are missing, the first {gone[0]}")
    differing = [day for day, row in old.rows.items() if new.rows.get(day, row) != row]
    late = set(settled) & set(differing)
    if len(late) > REVISIONS_MOST:
        against.append(f"{len(late)} older days differ, the first {_changed(old, new, min(late))}")
    against += [
        f"{_changed(old, new, day)} is no correction"
        for day in sorted(late)
        if not _is_correction(old.rows[day], new.rows[day])
    ][:MOST_PROBLEMS]
    added = sum(day > old.last for day in new.rows)
    return Change(added, tuple(_changed(old, new, day) for day in differing), tuple(against))


def _is_correction(old: Row, new: Row) -> bool:
    return all(
        a is None or (b is not None and abs(b - a) <= max(REVISION_LARGEST * abs(a), REVISION_LARGEST))
        for a, b in zip(old, new, strict=True)
    )


def _changed(old: Table, new: Table, day: date) -> str:
    before, after = (_cells(table.rows[day]) for table in (old, new))
    return f"{day}: {before} -> {after}"


def _cells(row: Row) -> str:
    return "/".join("none" if value is None else f"{value:g}" for value in row)
