"""Recorded option quotes: the cells of one CSV file, plain or gzip, into typed columns.

Expected columns (others are ignored): ``quote_datetime`` (New York wall time), ``symbol``,
``expiration``, ``strike``, ``option_type`` (C or P), ``spot_price``, ``bid``, ``ask``.

What makes a file unusable (missing, not CSV, unreadable cells, negative prices) is collected, one
line a kind with the first bad row, the count and the fix; nothing is raised here.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from tomking.domain.calendar import NEW_YORK, Sessions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

COLUMNS = ("quote_datetime", "symbol", "expiration", "strike", "option_type", "spot_price", "bid", "ask")
STRIKE_DIGITS = 1000
"""Counts of a strike per point in ``Rows``: thousandths."""
LARGEST = 1e9
"""Points: no price or strike is larger, and none that is would fit its integer column."""
ON_GRID = 1e-6
"""How far, relative, a decimal may be off its grid and still be on it."""

_RIGHTS = {"C": 1, "CALL": 1, "P": -1, "PUT": -1}
_UNPARSED = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Parsed cells of shape (n,), in file order."""

    symbol: NDArray[np.str_]
    minute: Ints
    """Since 1970-01-01 00:00 UTC."""
    expiry: Ints
    """``date.toordinal``."""
    right: Ints
    strike: Ints
    """Thousandths of a point."""
    spot: Floats
    bid: Floats
    """Points; NaN for an empty cell."""
    ask: Floats

    def where(self, kept: NDArray[np.bool_] | Ints) -> "Rows":
        return Rows(*(getattr(self, name)[kept] for name in self.__slots__))


def header_of(path: Path) -> tuple[str, ...]:
    """The column names of a CSV file, plain or gzip; () where they cannot be read."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            return tuple(_names_in(file.read(_HEADER_BYTES)))
    except (OSError, EOFError, zlib.error):
        return ()


_HEADER_BYTES = 65536


def _names_in(raw: bytes) -> list[str]:
    header = raw[:_HEADER_BYTES].lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace")
    return [name.strip().strip('"') for name in header.split(",")]


def read_rows(path: Path, sessions: Sessions, problems: list[str]) -> Rows | None:
    """The cells of one file; None, and lines added to ``problems``, where it cannot be used."""
    before = len(problems)
    table = _table(path, problems)
    if table is None:
        return None
    cells = _Cells(str(path), table, problems)
    minute = cells.mapped("quote_datetime", _minute, "write New York time as YYYY-MM-DD HH:MM")
    rows = Rows(
        symbol=np.asarray(pc.utf8_upper(table["symbol"].fill_null("")).to_numpy(), dtype=np.str_),
        minute=minute,
        expiry=cells.mapped("expiration", _ordinal, "write dates as YYYY-MM-DD"),
        right=cells.mapped("option_type", lambda text: _RIGHTS[text.upper()], "write C or P"),
        strike=cells.strikes(),
        spot=cells.numbers("spot_price", least=0.0, above=True, missing_is_fine=False),
        bid=cells.numbers("bid", least=0.0, above=False, missing_is_fine=True),
        ask=cells.numbers("ask", least=0.0, above=False, missing_is_fine=True),
    )
    _check_days(str(path), minute, sessions, problems)
    return rows if len(problems) == before else None


def _table(path: Path, problems: list[str]) -> Any | None:  # noqa: ANN401 - pyarrow has no types
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except FileNotFoundError:
        problems.append(f"{path}: no such file; check the path")
        return None
    except (OSError, EOFError, zlib.error) as error:
        problems.append(
            f"{path}: cannot be read ({_first_line(error)}); give a CSV or an intact .csv.gz file"
        )
        return None
    present = _names_in(raw)
    missing = [name for name in COLUMNS if name not in present]
    if missing:
        wanted = ", ".join(missing)
        problems.append(f"{path}: row 1: missing columns: {wanted}; give a CSV whose header names them")
        return None
    return _parsed(path, raw, problems)


def _parsed(path: Path, raw: bytes, problems: list[str]) -> Any | None:  # noqa: ANN401
    ragged: list[tuple[int | None, int, int]] = []

    def note(row: Any) -> str:  # noqa: ANN401
        ragged.append((row.number, row.actual_columns, row.expected_columns))
        return "skip"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(raw),
            # One thread: only then are bad rows numbered.
            read_options=pacsv.ReadOptions(use_threads=False),
            parse_options=pacsv.ParseOptions(invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(COLUMNS),
                column_types=dict.fromkeys(COLUMNS, pa.string()),
                null_values=["", "nan", "NaN", "NULL"],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        problems.append(f"{path}: is not CSV ({_first_line(error)}); give a comma-separated UTF-8 text file")
        return None
    if ragged:
        row, actual, expected = ragged[0]
        many = such_rows(len(ragged))
        problems.append(
            f"{path}: row {row}: {actual} fields where the header has {expected}{many}; complete them"
        )
    elif table.num_rows == 0:
        problems.append(f"{path}: no rows below the header; give a recording with quotes")
    return table if table.num_rows and not ragged else None


class _Cells:
    """The text columns of one file; each reading adds at most one problem per kind."""

    def __init__(self, name: str, table: Any, problems: list[str]) -> None:  # noqa: ANN401
        self.name, self.table, self.problems = name, table, problems

    def mapped(self, column: str, convert: Callable[[str], int], fix: str) -> Ints:
        """Each distinct text converted once."""
        encoded = self.table[column].fill_null("").combine_chunks().dictionary_encode()
        texts: list[str] = encoded.dictionary.to_pylist()
        values = np.array([_or_unparsed(convert, text) for text in texts], dtype=np.int64)
        result: Ints = values[np.asarray(encoded.indices.to_numpy(zero_copy_only=False))]
        self._complain(column, result == _UNPARSED, f"cannot be understood; {fix}")
        return result

    def numbers(self, column: str, *, least: float, above: bool, missing_is_fine: bool) -> Floats:
        """Floats; NaN for an empty cell."""
        texts = self.table[column]
        try:
            numbers = pc.cast(pc.utf8_trim_whitespace(texts), pa.float64())
            values: Floats = numbers.to_numpy().astype(np.float64)
        except pa.ArrowInvalid:
            values = np.array([_number(text) for text in texts.to_pylist()], dtype=np.float64)
        empty = np.asarray(pc.is_null(texts).to_numpy())
        self._complain(column, ~np.isfinite(values) & ~empty, "is not a number; write plain decimals")
        if not missing_is_fine:
            self._complain(column, empty, "is empty; every row needs one")
        self._complain(column, np.isfinite(values) & (values > LARGEST), "is too large; prices are in points")
        low = values <= least if above else values < least
        self._complain(column, low, f"must be {'above' if above else 'at least'} 0; correct or remove it")
        return values

    def strikes(self) -> Ints:
        points = self.numbers("strike", least=0.0, above=True, missing_is_fine=False)
        counts = np.clip(np.nan_to_num(points, nan=1.0), -LARGEST, LARGEST) * STRIKE_DIGITS
        whole = np.rint(counts)
        self._complain(
            "strike", np.abs(counts - whole) > ON_GRID * np.abs(whole), "has more than three decimals"
        )
        return whole.astype(np.int64)

    def _complain(self, column: str, bad: NDArray[np.bool_], what: str) -> None:
        if bad.any():
            first = int(np.argmax(bad))
            shown = self.table[column][first].as_py()
            where = f"{self.name}: row {first + 2}, column {column}"
            self.problems.append(f"{where}: {shown or ''!r} {what}{such_rows(int(bad.sum()))}")


def _check_days(name: str, minute: Ints, sessions: Sessions, problems: list[str]) -> None:
    for stamp in np.unique(minute[minute != _UNPARSED] // 1440).tolist():
        day = date(1970, 1, 1) + timedelta(days=int(stamp))
        if sessions.on(day) is None:
            first = int(np.argmax(minute // 1440 == stamp))
            where = f"{name}: row {first + 2}, column quote_datetime"
            problems.append(f"{where}: {day} has no session in the exchange calendar; remove its rows")


def _minute(text: str) -> int:
    wall = datetime.fromisoformat(text)
    if not 1970 < wall.year < 2200:
        raise ValueError(text)
    aware = wall.replace(tzinfo=NEW_YORK) if wall.tzinfo is None else wall
    return int(aware.timestamp()) // 60


def _ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def _number(text: str | None) -> float:
    try:
        return float("nan" if text is None else text)
    except ValueError:
        return float("inf")


def _or_unparsed(convert: Callable[[str], int], text: str) -> int:
    try:
        return convert(text.strip())
    except (ValueError, KeyError, OverflowError):
        return int(_UNPARSED)


def such_rows(count: int) -> str:
    """How often a problem occurs, where that is more than once."""
    return "" if count == 1 else f" ({count:,} such rows)"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
