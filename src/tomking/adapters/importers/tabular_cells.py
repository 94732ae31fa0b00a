"""Some rows of a table into typed columns, each cell checked: one problem a kind, with its first row."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from tomking.adapters.importers.mapping import Mapping
from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.importers.tabular_problems import Problems
from tomking.adapters.importers.tabular_stamps import EPOCH_FIRST, EPOCH_LAST, Clock, Unreadable

LARGEST = 1e9
"""Points and contracts: nothing that is more is a price, a strike or a size."""
ON_GRID = 1e-3
"""Counts by which a strike may miss its grid in the last bits of a double."""
UNDEFINED = 2**63 - 1
"""What Databento writes for no price."""
_OSI = re.compile(r"(?:O:)?(\d?[A-Z][A-Z0-9.]{0,5}) *(\d{2})(\d{2})(\d{2})([CP])(\d{8})")
_ROOT = re.compile(r"\d?[A-Z][A-Z0-9._-]{0,9}")
"""With a digit before it (FLEX: 4SPXW) or behind it (adjusted: AAPL1); never a slash, it names a folder."""
NO_NUMBER = "is not a number; write plain decimals with a point"
EMPTY = "is empty; every row needs one"


@dataclass(slots=True)
class File:
    """What is remembered between the blocks of one file."""

    mapping: Mapping
    problems: Problems
    clock: Clock
    root: str | None
    """The root that the user gave."""
    titles: dict[str, str]
    """The columns' names as they stand in the file, by normal name."""
    single: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Cells:
    """Columns of some consecutive rows, by normal name."""

    file: File
    columns: dict[str, pa.Array]
    rows: NDArray[np.int64]
    """Row of each, as the user counts."""
    member: str = ""
    _numbers: dict[tuple[str, int], pl.Series] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return int(self.rows.size)

    def complain(self, name: str, bad: pl.Series, what: str) -> None:
        rows = int(bad.sum() or 0)
        if rows == 0:
            return
        first = int(bad.arg_max() or 0)
        shown = None if what == EMPTY else self.columns[name][first].as_py()
        self.file.problems.add(
            what,
            member=self.member,
            row=int(self.rows[first]),
            column=self.file.titles.get(name, name),
            shown=shown,
            rows=rows,
        )

    # ------------------------------------------------------------------ each distinct text once

    def read(
        self, name: str, convert: Callable[[Any], Any], *, required: bool = True
    ) -> tuple[list[Any], pl.Series]:
        """Converted distinct values with a None at the end, and for each row which of them it has."""
        values, codes = self._distinct(name)
        out: list[Any] = []
        faults: dict[str, list[int]] = {}
        for i, value in enumerate(values):
            try:
                out.append(None if value is None else convert(value))
            except Unreadable as error:
                out.append(None)
                faults.setdefault(str(error), []).append(i)
        for what, which in faults.items():
            self.complain(name, codes.is_in(which), what)
        if required:
            empty = [i for i, value in enumerate(values) if value is None]
            self.complain(name, codes.is_in([*empty, len(values)]), EMPTY)
        return [*out, None], codes

    def column(
        self,
        name: str,
        convert: Callable[[Any], Any],
        kind: Any,  # noqa: ANN401
        *,
        required: bool = True,
    ) -> pl.Series:
        values, codes = self.read(name, convert, required=required)
        return spread(values, codes, kind)

    def _distinct(self, name: str) -> tuple[list[Any], pl.Series]:
        array = self.columns[name]
        if pa.types.is_timestamp(array.type):
            array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        codes = pl.Series(np.asarray(array.indices.fill_null(len(array.dictionary))).astype(np.uint32))
        empty = {"", *self.file.mapping.empty}
        values = [v.strip() if isinstance(v, str) else v for v in array.dictionary.to_pylist()]
        return [None if isinstance(v, str) and v in empty else v for v in values], codes

    # ------------------------------------------------------------------ numbers

    def number(self, name: str) -> pl.Series:
        """Float64; null where the cell is empty or (noted) no number."""
        return self._cached(name, 0)

    def price(self, name: str) -> pl.Series:
        """As ``number``; whole numbers are counts of the mapping's fixed point where it has one."""
        return self._cached(name, self.file.mapping.fixed_point)

    def _cached(self, name: str, places: int) -> pl.Series:
        if (name, places) not in self._numbers:
            values = self._read_number(name, places)
            self._check_size(name, values)
            self._numbers[name, places] = values
        return self._numbers[name, places]

    def _read_number(self, name: str, places: int) -> pl.Series:
        array = self.columns[name]
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
            return self._typed_number(name, array, places)
        texts = _series(array)
        if places:
            return self._fixed(name, texts, places)
        values = texts.cast(pl.Float64, strict=False)
        if not _is_clean(texts, values):
            texts = self._tidy(texts)
            values = texts.cast(pl.Float64, strict=False)
            self.complain(name, texts.is_not_null() & values.is_null(), _no_number(texts, values))
            self._check_finite(name, values)
        return values

    def _typed_number(self, name: str, array: pa.Array, places: int) -> pl.Series:
        kind = array.type
        if not any(is_kind(kind) for is_kind in _NUMBERS):
            every = pl.Series([True] * len(array))
            self.complain(name, every, f"is of type {kind}, not a number; write a number column")
            return pl.Series([None] * len(array), dtype=pl.Float64)
        series = _series(array)
        # What 32 bits hold of 2.35 is the decimal 2.35, not the double nearest to those bits.
        short = pa.types.is_float32(kind) or pa.types.is_float16(kind)
        values = (_series(array.cast(pa.string())) if short else series).cast(pl.Float64)
        if places and pa.types.is_integer(kind):
            values = _divided(series.set((series == UNDEFINED).fill_null(value=False), None), places)
        self._check_finite(name, values.fill_nan(None))
        return values

    def _fixed(self, name: str, texts: pl.Series, places: int) -> pl.Series:
        texts = self._tidy(texts)
        whole = texts.cast(pl.Int64, strict=False)
        undefined = (whole == UNDEFINED).fill_null(value=False)
        whole = whole.set(undefined, None)
        values = _divided(whole, places).fill_null(texts.cast(pl.Float64, strict=False))
        values = values.set(undefined, None)
        self.complain(name, texts.is_not_null() & values.is_null() & ~undefined, NO_NUMBER)
        self._check_finite(name, values)
        return values

    def _tidy(self, texts: pl.Series) -> pl.Series:
        texts = texts.str.strip_chars()
        texts = texts.set(texts.is_in(["", *self.file.mapping.empty]).fill_null(value=False), None)
        return texts.str.replace(",", ".", literal=True) if self.file.mapping.decimal == "," else texts

    def _check_finite(self, name: str, values: pl.Series) -> None:
        bad = ~values.is_finite().fill_null(value=True)
        self.complain(name, bad, "is not finite; leave the cell empty, or list the text under `empty`")

    def _check_size(self, name: str, values: pl.Series) -> None:
        if (values.abs().max() or 0.0) >= LARGEST:  # type: ignore[operator]
            bad = (values.is_finite() & (values.abs() >= LARGEST)).fill_null(value=False)
            self.complain(name, bad, "is too large; check the column and its scale")

    def whole(self, name: str) -> pl.Series:
        """Int64; of contracts."""
        values = self.number(name).fill_nan(None)
        rounded = values.round()
        self.complain(name, (values != rounded).fill_null(value=False), "is not a whole number; correct it")
        return rounded.set((rounded.abs() >= LARGEST).fill_null(value=False), None).cast(pl.Int64)

    def epochs(self, name: str, per_micro: float) -> pl.Series | None:
        """Microseconds since 1970 of a column of nothing but counts in range; None for any other."""
        array = self.columns[name]
        if not (pa.types.is_string(array.type) or pa.types.is_integer(array.type)) or array.null_count:
            return None
        counts = _series(array).cast(pl.Int64, strict=False)
        micros = counts // 1000 if per_micro < 1 else counts * int(per_micro)
        fits = counts.null_count() == 0 and bool(micros.is_between(EPOCH_FIRST, EPOCH_LAST).all())
        return micros if fits else None

    # ------------------------------------------------------------------ what a contract is

    def strike(self, name: str, scale: float) -> pl.Series:
        """Int64, points times ``STRIKE_DIGITS``."""
        points = self.price(name).fill_nan(None) * scale
        self.complain(name, self._empty(name), EMPTY)
        self.complain(name, (points <= 0).fill_null(value=False), "is no strike: it must be above 0")
        exact = points * STRIKE_DIGITS
        counts = exact.round()
        off = ((exact - counts).abs() > ON_GRID).fill_null(value=False)
        self.complain(name, off, "has more than five decimals; check the column and its scale")
        return counts.set((counts.abs() >= LARGEST * STRIKE_DIGITS).fill_null(value=False), None).cast(
            pl.Int64
        )

    def _empty(self, name: str) -> pl.Series:
        array = self.columns[name]
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        series = _series(array)
        return self._tidy(series).is_null() if series.dtype == pl.String else series.is_null()

    def root(self, name: str, rename: dict[str, str]) -> pl.Series:
        return self.column(name, lambda text: self.known_root(rename.get(str(text), str(text))), pl.String)

    def known_root(self, text: str) -> str:
        """``text`` if it can be the name of an option root, and the one the user gave if he gave one."""
        if not _ROOT.fullmatch(text):
            raise Unreadable("is not an option root such as SPXW or AAPL; correct it or give `root.rename`")
        if self.file.root is not None and text != self.file.root:
            raise Unreadable(f"is not {self.file.root}, which was asked for; the file names its roots itself")
        return text

    def right(self, name: str, calls: Sequence[str], puts: Sequence[str]) -> pl.Series:
        known = {t.lower(): +1 for t in calls} | {t.lower(): -1 for t in puts}

        def sign(value: Any) -> int:  # noqa: ANN401
            found = known.get(str(value).lower())
            if found is None:
                raise Unreadable(f"is neither call nor put; write {' or '.join((*calls, *puts))}")
            return found

        return self.column(name, sign, pl.Int8)

    def symbol(self, name: str) -> dict[str, pl.Series]:
        """Root, expiry, right and strike of OSI symbols.

        Source: Options Clearing Corporation, Options Symbology Initiative: six characters of root, padded,
        then YYMMDD, C or P, and the strike in thousandths in eight digits.
        """
        values, codes = self.read(name, self._osi)
        parts = list(zip(*(v or (None,) * 4 for v in values), strict=True))
        kinds = {"root": pl.String, "expiry": pl.Date, "right": pl.Int8, "strike": pl.Int64}
        return {key: spread(list(part), codes, kinds[key]) for key, part in zip(kinds, parts, strict=True)}

    def _osi(self, value: Any) -> tuple[str, date, int, int]:  # noqa: ANN401
        found = _OSI.fullmatch(str(value))
        if found is None:
            raise Unreadable("is no OSI option symbol such as SPXW  180131C01200000; correct it")
        root, year, month, day, letter, strike = found.groups()
        try:
            expiry = date(2000 + int(year), int(month), int(day))
        except ValueError:
            raise Unreadable("is an option symbol with an impossible expiry; correct it") from None
        if int(strike) == 0:
            raise Unreadable("is an option symbol with a strike of 0; correct it")
        return (
            self.known_root(root),
            expiry,
            1 if letter == "C" else -1,
            int(strike) * (STRIKE_DIGITS // 1000),
        )

    # ------------------------------------------------------------------ two numbers in a cell, one in a file

    def sizes(self, name: str) -> tuple[pl.Series, pl.Series]:
        """Bid size and ask size out of "300 x 12"."""

        def pair(value: Any) -> tuple[int, int]:  # noqa: ANN401
            found = re.fullmatch(r"(\d{1,9})\s*[xX]\s*(\d{1,9})", str(value))
            if found is None:
                raise Unreadable('is no pair of sizes; write "300 x 12"')
            return int(found[1]), int(found[2])

        values, codes = self.read(name, pair, required=False)
        bids, asks = ([v[i] if v else None for v in values] for i in (0, 1))
        return spread(bids, codes, pl.Int64), spread(asks, codes, pl.Int64)

    def check_single(self, name: str) -> None:
        values, codes = self._distinct(name)
        first = self.file.single.setdefault(name, str(values[0]) if values else "")
        others = [i for i, value in enumerate(values) if str(value) != first]
        self.complain(
            name, codes.is_in(others), f"is another than {first} before; give a file with one of them"
        )


_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)


def spread(values: list[Any], codes: pl.Series, kind: Any) -> pl.Series:  # noqa: ANN401
    """Row by row: the value of each row's code."""
    return pl.Series(values, dtype=kind).gather(codes)


def _series(array: pa.Array) -> pl.Series:
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    return series


def _divided(whole: pl.Series, places: int) -> pl.Series:
    """Correctly rounded, as reading the decimals would be; Polars multiplies by the reciprocal instead."""
    points = pl.Series(whole.fill_null(0).to_numpy() / 10.0**places)
    return points.set(whole.is_null(), None)


def _is_clean(texts: pl.Series, values: pl.Series) -> bool:
    return values.null_count() == texts.null_count() and bool(values.is_finite().all())


def _no_number(texts: pl.Series, values: pl.Series) -> str:
    wrong = texts.filter(texts.is_not_null() & values.is_null())
    if wrong.len() and bool(wrong.str.contains(r"^[-+]?[\d.]*\d,\d+$").any()):
        return "is not a number: write decimals with a point and no thousands separators"
    return NO_NUMBER
