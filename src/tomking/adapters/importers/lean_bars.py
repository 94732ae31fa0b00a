"""The bars of many members at once: parsed as one text, and by the row only where that fails.

A member is a contract's day and often a hundred rows, so that one parser call a member would cost more than
its rows.  The members of a block are joined, parsed together (Arrow), and told apart again by their counts of
lines.  Whatever is unusual makes the block be looked at a second time, row by row, to say where it is wrong.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv

from tomking.adapters.importers.lean_layout import Place

COLUMNS = {
    "quote": (
        *("time", "bid open", "bid high", "bid low", "bid close", "bid size"),
        *("ask open", "ask high", "ask low", "ask close", "ask size"),
    ),
    "trade": ("time", "open", "high", "low", "close", "volume"),
    "openinterest": ("time", "open interest"),
}
"""Of the members of each sort of file, which have no header."""

COUNTS = frozenset({"bid size", "ask size", "volume", "open interest"})
"""Columns of whole numbers."""

_DAY_MILLISECONDS = 86_400_000
_COUNT_MAX = 2.0**53


@dataclass(frozen=True, slots=True)
class Text:
    """One member."""

    row: int
    """Of its contract in the importer's table."""
    name: str
    data: bytes


def bars(texts: Sequence[Text], place: Place) -> tuple[pl.DataFrame | None, list[str]]:
    """The rows of a block of members, or what is wrong with them.

    Columns: ``contract`` (the ``row`` of its text), ``line``, ``start`` (a naive stamp, as written), and
    those of ``COLUMNS`` but the time, as written: unscaled floats, null where the cell is empty.
    """
    lines = [_lines(text.data) for text in texts]
    if sum(lines) == 0:
        return _empty(place), []
    try:
        frame = _parsed(texts, place)
    except pa.ArrowInvalid as error:
        return None, _diagnosis(texts, place, str(error))
    if len(frame) != sum(lines):
        return None, _diagnosis(texts, place, "empty lines")
    counts = np.asarray(lines)
    ends = counts.cumsum()
    frame = frame.with_columns(
        contract=pl.Series(np.repeat(np.array([text.row for text in texts], np.int32), counts)),
        line=pl.Series(np.arange(1, ends[-1] + 1) - np.repeat(ends - counts, counts)),
        start=_stamp(place),
    )
    if not _clean(frame, place):
        return None, _diagnosis(texts, place, "stamps or numbers")
    return frame.drop("time"), []


def _lines(data: bytes) -> int:
    return data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))


def _empty(place: Place) -> pl.DataFrame:
    columns = dict.fromkeys(COLUMNS[place.tick][1:], pl.Float64)
    return pl.DataFrame(
        schema={**columns, "contract": pl.Int32, "line": pl.Int64, "start": pl.Datetime("us")}
    )


def _parsed(texts: Sequence[Text], place: Place) -> pl.DataFrame:
    """One parse of all; ``ArrowInvalid`` where a row has another number of cells or a cell is no number."""
    joined = b"".join(
        part
        for text in texts
        for part in (text.data, b"" if text.data.endswith(b"\n") or not text.data else b"\n")
    )
    names = COLUMNS[place.tick]
    table = pacsv.read_csv(
        pa.BufferReader(joined),
        read_options=pacsv.ReadOptions(
            column_names=list(names), use_threads=False, block_size=len(joined) + 1
        ),
        parse_options=pacsv.ParseOptions(quote_char=False),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.float64() for name in names} | {"time": _time_type(place)},
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    frame: Any = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame), "a table becomes a frame"
    return frame


def _time_type(place: Place) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pa.int64() if place.day else pa.string()


def _stamp(place: Place) -> pl.Expr:
    if place.day is None:
        return pl.col("time").str.to_datetime("%Y%m%d %H:%M", time_unit="us", strict=False)
    midnight = datetime(place.day.year, place.day.month, place.day.day)  # noqa: DTZ001 - naive on purpose
    return pl.lit(midnight, pl.Datetime("us")) + pl.duration(milliseconds=pl.col("time"), time_unit="us")


def _clean(frame: pl.DataFrame, place: Place) -> bool:
    """Whether every stamp is in its file's span and after the one before, and every number is one."""
    start, same = pl.col("start"), pl.col("contract") == pl.col("contract").shift(1)
    wrong = [start.is_null(), same & (start <= start.shift(1))]
    if place.day is not None:
        wrong.append(~pl.col("time").is_between(0, _DAY_MILLISECONDS - 1))
    if place.year is not None:
        wrong.append(start.dt.year() != place.year)
    for name in COLUMNS[place.tick][1:]:
        wrong.append(~pl.col(name).is_finite())
        if name in COUNTS:
            wrong.append((pl.col(name) != pl.col(name).floor()) | (pl.col(name).abs() > _COUNT_MAX))
    found = frame.lazy().select(w.any().alias(str(i)) for i, w in enumerate(wrong)).collect().row(0)
    return not any(found)


# ------------------------------------------------------------------ what is wrong, row by row


def _diagnosis(texts: Sequence[Text], place: Place, reason: str) -> list[str]:
    """Every problem of a block, each with its member, row and column."""
    problems = [
        f"{place.path}: {text.name}: {problem}" for text in texts for problem in _problems(text.data, place)
    ]
    return problems or [f"{place.path}: {texts[0].name} or a member after it cannot be read: {reason}"]


def _problems(data: bytes, place: Place) -> Iterator[str]:
    names = COLUMNS[place.tick]
    before: datetime | None = None
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    for row, raw in enumerate(lines, start=1):
        line = raw.removesuffix(b"\r").decode("utf-8", errors="replace")
        cells = line.split(",")
        if not line.strip():
            yield f"row {row} is empty: delete the line, or fetch the file again"
            continue
        if len(cells) != len(names):
            yield _wrong_count(row, cells, names)
            continue
        start, wrong = _time(cells[0], place)
        if wrong is None and before is not None and start is not None and start <= before:
            wrong = f"{cells[0]!r} is not after the row before it: sort the rows and remove those given twice"
        if wrong is not None:
            yield f"row {row}, column time: {wrong}"
        before = start or before
        for name, cell in zip(names[1:], cells[1:], strict=True):
            if (what := _wrong_number(cell, whole=name in COUNTS)) is not None:
                yield f"row {row}, column {name}: {cell[:40]!r} {what}"


def _wrong_count(row: int, cells: list[str], names: tuple[str, ...]) -> str:
    cause = "commas as decimal signs, or another layout" if len(cells) > len(names) else "cut short"
    column = names[min(len(cells), len(names)) - 1]
    return (
        f"row {row}, column {column}: {len(cells)} cells where {len(names)} belong ({cause}): "
        f"LEAN writes {', '.join(names[:3])}, ... with points as decimal signs"
    )


def _time(cell: str, place: Place) -> tuple[datetime | None, str | None]:
    """A stamp as written, or what is wrong with it."""
    if place.day is None:
        try:
            start = datetime.strptime(cell, "%Y%m%d %H:%M")  # noqa: DTZ007 - naive on purpose
        except ValueError:
            return None, f"{cell[:40]!r} is no stamp: should be like 20140605 00:00"
        if place.year is not None and start.year != place.year:
            return (
                None,
                f"{cell!r} is not of {place.year}, which the file's name says: one of the two is wrong",
            )
        return start, None
    if not cell.strip().lstrip("-").isdecimal():
        return None, f"{cell[:40]!r} is no number of milliseconds since midnight, such as 34200000 for 09:30"
    milliseconds = int(cell)
    if not 0 <= milliseconds < _DAY_MILLISECONDS:
        return None, (
            f"{cell[:40]!r} is outside the day: milliseconds since midnight go from 0 to "
            f"{_DAY_MILLISECONDS - 1}; is it in seconds, or since 1970?"
        )
    midnight = datetime(place.day.year, place.day.month, place.day.day)  # noqa: DTZ001 - naive on purpose
    return midnight + timedelta(milliseconds=milliseconds), None


def _wrong_number(cell: str, *, whole: bool) -> str | None:
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        return "is no number: correct the cell, or fetch the file again"
    if not math.isfinite(value):
        return "is no finite number: leave the cell empty where there was no price"
    if whole and (value != math.floor(value) or abs(value) > _COUNT_MAX):
        return "is no whole number of contracts or shares"
    return None
