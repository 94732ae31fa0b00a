"""LEAN's universe files: one day's list of contracts with volume and open interest, and its underlying.

    #expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility,...
    ,,,70.8800,71.2200,70.8800,71.2200,0,,                   the underlying, where there is such a row
    20140621,42.5,C,27.3750,29.1000,26.9250,28.1000,0,,      prices are mids: neither bid nor ask

They hold no quotes, so the rows have none: a mid is not imported as if one could trade there.  When a row
could be known was found by holding the samples against the bars of the same days: rows of share and index
options are of the file's date; the underlying's row, and everything in files of futures and their options,
already holds prices of the session after it (ES 2020-01-06 has the bar of 2020-01-07).  Those are stamped
with that one's end.
"""

from collections.abc import Iterator
from datetime import date, datetime

import polars as pl

from tomking.adapters.importers.lean_futures import future_expiry
from tomking.adapters.importers.lean_layout import Place, day_of
from tomking.adapters.importers.lean_times import list_end, session_after
from tomking.adapters.importers.listed import last_day
from tomking.adapters.importers.raw import LEVELS, QUOTES, STRIKE_DIGITS, Batch
from tomking.domain.errors import BadData

BYTES_MAX = 64_000_000
"""Some hundred thousand contracts; SPX has about 20,000."""

_BARS = ("open", "high", "low", "close", "volume", "open_interest")
_OPTIONS = ("expiry", "strike", "right", *_BARS)
_FUTURES = ("expiry", *_BARS)
_WHOLE = ("volume", "open_interest")
_RIGHTS = {"C": 1, "P": -1}


def read_list(place: Place) -> Batch:
    """A universe file in one batch.  Raises ``BadData`` with all that is wrong in it."""
    text = _text(place)
    rows = _cells(text, place)
    problems = [f"{place.path}: {problem}" for problem in _problems(rows, place)]
    if problems:
        raise BadData(problems)
    numbers = rows.with_columns(pl.col(c).cast(pl.Float64) for c in rows.columns if c in {*_BARS, "strike"})
    return Batch(_quotes(numbers, place), _levels(numbers, place), place.path.stat().st_size)


def _text(place: Place) -> list[str]:
    size = place.path.stat().st_size
    if size > BYTES_MAX:
        raise BadData(
            [f"{place.path}: {size:,} bytes are more than a day's list of contracts: not a LEAN file"]
        )
    lines = place.path.read_text(encoding="utf-8", errors="replace").splitlines()
    wanted = _OPTIONS if place.kind.of_options else _FUTURES
    if not lines or tuple(lines[0].lower().lstrip("#").split(","))[: len(wanted)] != wanted:
        found = lines[0][:80] if lines else "nothing"
        header = f"#{','.join(wanted)},..."
        raise BadData(
            [f"{place.path}: row 1 is {found!r}, not a universe file's header ({header}): fetch it again"]
        )
    return lines


def _cells(lines: list[str], place: Place) -> pl.DataFrame:
    """The columns that are used, as text with null for empty, and ``line``, counted with the header as 1."""
    wanted = _OPTIONS if place.kind.of_options else _FUTURES
    header = lines[0].split(",")
    rows = [line.split(",") for line in lines[1:]]
    wrong = [
        f"{place.path}: row {i}, column {header[min(len(row), len(header)) - 1]}: {len(row)} cells where the "
        f"header has {len(header)} (commas as decimal signs, or cut short): correct or fetch it again"
        for i, row in enumerate(rows, start=2)
        if len(row) != len(header)
    ]
    if wrong:
        raise BadData(wrong)
    columns = {name: [row[i].strip() or None for row in rows] for i, name in enumerate(wanted)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(wanted, pl.String))
    return frame.with_columns(line=pl.int_range(2, len(rows) + 2, dtype=pl.Int64))


def _problems(rows: pl.DataFrame, place: Place) -> Iterator[str]:
    for name in rows.columns[:-1]:
        bad, what = _bad_cells(rows, name, place)
        for line, cell in rows.filter(pl.col(name).is_not_null() & bad).select("line", name).iter_rows():
            yield f"row {line}, column {name}: {cell[:40]!r} {what}: correct it, or fetch the file again"
    if place.kind.of_options:
        contract = pl.col("expiry", "strike", "right")
        lacking = pl.any_horizontal(contract.is_null()) & pl.any_horizontal(contract.is_not_null())
        for (line,) in rows.filter(lacking).select("line").iter_rows():
            yield f"row {line}, column expiry: expiry, strike and right are all needed: correct the row"


def _bad_cells(rows: pl.DataFrame, name: str, place: Place) -> tuple[pl.Expr, str]:
    if name == "right":
        return ~pl.col(name).is_in(list(_RIGHTS)), "is neither C nor P"
    if name == "expiry":
        good = [text for text in rows[name].unique() if text is not None and _is_expiry(text, place)]
        return ~pl.col(name).is_in(good), "is no date" if place.kind.of_options else "is no contract month"
    value = pl.col(name).cast(pl.Float64, strict=False)
    bad = value.is_null() | ~value.is_finite()
    return (bad | (value != value.floor()), "is no whole number") if name in _WHOLE else (bad, "is no number")


def _is_expiry(text: str, place: Place) -> bool:
    return day_of(text if place.kind.of_options else text[:6] + "01") is not None


def _quotes(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """The contracts, without a price."""
    if not place.kind.of_options:
        return QUOTES.to_frame()
    listed = rows.filter(pl.col("strike").is_not_null())
    expiries = {text: _option_expiry(text, place) for text in listed["expiry"].unique()}
    columns = {
        "line": pl.col("line"),
        "member": pl.lit(""),
        "root": pl.lit(place.root),
        "at": pl.lit(_known(place, lag=place.kind.folder == "futureoption")),
        "expiry": pl.col("expiry").replace_strict(expiries, return_dtype=pl.Date),
        "right": pl.col("right").replace_strict(_RIGHTS, return_dtype=pl.Int8),
        "strike": (pl.col("strike") * STRIKE_DIGITS).round(),
        "volume": pl.col("volume"),
        "open_interest": pl.col("open_interest"),
    }
    return listed.select(
        columns.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in QUOTES.items()
    )


def _levels(rows: pl.DataFrame, place: Place) -> pl.DataFrame:
    """The underlying's row, or all rows of a list of futures."""
    priced = rows.filter(pl.col("close").is_not_null())
    if place.kind.of_options:
        priced = priced.filter(pl.col("strike").is_null())
        month = pl.lit(place.month or None, pl.String)
    else:
        month = pl.col("expiry").str.slice(0, 6)
    priced = priced.with_columns(month=month)
    expiries = {text: future_expiry(place, text) for text in priced["month"].unique() if text is not None}
    columns = {
        "line": pl.col("line"),
        "member": pl.lit(""),
        "key": pl.lit(place.root),
        "expiry": pl.col("month").replace_strict(expiries, default=None, return_dtype=pl.Date),
        "at": pl.lit(_known(place, lag=True)),
        "last": pl.col("close"),
    }
    return priced.select(
        columns.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in LEVELS.items()
    )


def _known(place: Place, *, lag: bool) -> datetime:
    assert place.day is not None, "a universe file is of one day"
    return list_end(session_after(place.day) if lag else place.day, place.kind.folder)


def _option_expiry(text: str, place: Place) -> date:
    day = day_of(text)
    assert day is not None, "checked with all cells"
    return day if place.kind.folder == "futureoption" else last_day(day)
