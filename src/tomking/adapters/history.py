"""The real daily history that comes with the package, as columns.

What each series is and what is wrong with it: docs/data.md.  The files are made by
scripts/build_history.py; prices and percentages are whole hundredths in history.parquet, the euro's are
whole hundred thousandths in products.parquet.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars, FamilyBars, Floats, History, NoHistory

Columns = dict[str, NDArray[Any]]
"""By the name in the file: ``day`` is datetime64[D], all others float64."""

SERIES_UNITS = {
    "gold": "dollars per ounce, front-month future, close",
    "wti": "dollars per barrel, spot",
    "fed_funds": "percent, effective overnight rate, money-market yield (actual/360)",
    "treasury_1mo": "percent, par yield, bond equivalent",
    "treasury_3mo": "percent, par yield, bond equivalent",
    "treasury_6mo": "percent, par yield, bond equivalent",
    "treasury_1yr": "percent, par yield, bond equivalent",
    "treasury_2yr": "percent, par yield, bond equivalent",
    "treasury_3yr": "percent, par yield, bond equivalent",
    "treasury_5yr": "percent, par yield, bond equivalent",
    "treasury_7yr": "percent, par yield, bond equivalent",
    "treasury_10yr": "percent, par yield, bond equivalent",
    "treasury_20yr": "percent, par yield, bond equivalent",
    "treasury_30yr": "percent, par yield, bond equivalent",
}
"""The names that ``history_series`` knows, and their units."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One published value a day, oldest first, only the days that have one; columns of shape (n,)."""

    name: str
    unit: str
    day: NDArray[np.datetime64]
    """datetime64[D], ascending."""
    value: Floats

    @property
    def last_day(self) -> date:
        """The last published day: after it ``on`` stands still."""
        return date.fromisoformat(str(self.day[-1]))

    def on(self, days: NDArray[np.datetime64]) -> Floats:
        """The last value published on or before each of ``days``; NaN before the first."""
        rows = np.searchsorted(self.day, days, side="right") - 1
        return np.where(rows < 0, np.nan, self.value[np.maximum(rows, 0)])


def load_history() -> History:
    """S&P 500, VIX and the short rate on every session from 1990-01-02 to 2024-12-30."""
    packed = _packed()
    table = _columns(packed)
    day = table["day"]
    return History(
        spx=_bars(table, "spx", day),
        vix=_bars(table, "vix", day),
        vix_flag=table["vix_flag"].astype(np.uint8),
        rate=_short_rate(table),
        source_digest=hashlib.sha256(packed).hexdigest(),
    )


def history_series(name: str) -> Series:
    """One of ``SERIES_UNITS`` as published.

    ``KeyError`` names what is known when ``name`` is not.
    """
    if name not in SERIES_UNITS:
        raise KeyError(f"no series {name!r}; there are {', '.join(SERIES_UNITS)}")
    table = _columns(_packed())
    value = table["gold_close" if name == "gold" else name] / 100
    known = ~np.isnan(value)
    if name == "gold":
        known &= (np.nan_to_num(table["gold_flag"]).astype(np.uint8) & 1) == 0
    return Series(name, SERIES_UNITS[name], table["day"][known], value[known])


def load_gold() -> Bars:
    """Gold's front-month future from 2000-08-30, carried and widened as the VIX is (docs/data.md)."""
    table = _columns(_packed())
    known = ~np.isnan(table["gold_close"])
    return _bars({name: column[known] for name, column in table.items()}, "gold", table["day"][known])


_NONE = {
    "NDX": "no Nasdaq-100 history is at hand (the NASDAQ Composite is another index)",
    "RUT": "no Russell 2000 history is at hand but closes of one that ends in 2022",
    "SI": "no silver history is at hand",
    "TLT": "no history of the fund is at hand, only Treasury yields",
    "XOP": "no history of the fund is at hand",
    "ZB": "no history of the future is at hand, only Treasury yields (history_series)",
    "ZN": "no history of the future is at hand, only Treasury yields (history_series)",
}

FAMILIES = ("SPX", "VIX", "GC", "CL", "6E")
"""Those with an embedded history."""


def family_history(family: str) -> FamilyBars | NoHistory:
    """The embedded daily bars of a family of products (``Product.family``), or why there are none.

    SPX and VIX from 1990, GC from 2000-08-30, 6E from 2003-12-01, all to 2024-12-30; CL from 1990 to
    2019-01-03, closes only.  Defects: docs/data.md.
    """
    if family not in FAMILIES:
        known = f"there is one for {', '.join(FAMILIES)}"
        return NoHistory(family, _NONE.get(family, f"no history of {family} is embedded; {known}"))
    packed = _packed("products.parquet" if family == "6E" else "history.parquet")
    digest, table = hashlib.sha256(packed).hexdigest(), _columns(packed)
    match family:
        case "SPX":
            return _family(family, table, "spx", "S&P 500 index", digest)
        case "VIX":
            return _family(family, table, "vix", "VIX index, not a future", digest)
        case "GC":
            return _family(family, table, "gold", "gold, front-month future, rolls unadjusted", digest)
        case "6E":
            return _family(family, table, "euro", "euro in dollars, spot", digest, parts=100_000)
        case _:
            return _oil(table, digest)


def _family(
    family: str, table: Columns, name: str, what: str, digest: str, *, parts: int = 100
) -> FamilyBars:
    known = ~np.isnan(table[f"{name}_close"])
    table = {column: values[known] for column, values in table.items()}
    flag = table.get(f"{name}_flag", np.zeros(known.sum())).astype(np.uint8)
    day = table["day"]
    published = day[(flag & _CARRIED) == 0]
    return FamilyBars(
        family=family,
        bars=_bars(table, name, day, parts),
        flag=flag,
        what=what,
        last_day=date.fromisoformat(str(published[-1])),
        closes_only=False,
        own_volatility=family == "SPX",
        source_digest=digest,
    )


_CARRIED, _FLAT = 1, 4


def _oil(table: Columns, digest: str) -> FamilyBars:
    """Spot closes, the last one carried over the sessions without one, up to the last published."""
    close = table["wti"] / 100
    rows = np.flatnonzero(~np.isnan(close))
    first, last = int(rows[0]), int(rows[-1])
    day, close = table["day"][first : last + 1], close[first : last + 1]
    missing = np.isnan(close)
    price = close[np.maximum.accumulate(np.where(missing, 0, np.arange(len(close))))]
    return FamilyBars(
        family="CL",
        bars=Bars(day, price, price, price, price),
        flag=np.where(missing, _CARRIED | _FLAT, _FLAT).astype(np.uint8),
        what="WTI crude oil, spot, closes only",
        last_day=date.fromisoformat(str(day[-1])),
        closes_only=True,
        own_volatility=False,
        source_digest=digest,
    )


def _packed(file: str = "history.parquet") -> bytes:
    return resources.files("tomking.data").joinpath(file).read_bytes()


def _columns(packed: bytes) -> Columns:
    """Days as datetime64[D]; numbers in hundredths, NaN where the file has none."""
    # Not at the top: the command line starts without pyarrow.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    table = parquet.ParquetFile(pa.BufferReader(packed)).read(use_threads=False).combine_chunks()
    return {name: _values(table.column(name).chunk(0)) for name in table.column_names}


def _values(column: Any) -> NDArray[Any]:  # noqa: ANN401 - a pyarrow array, which has no types
    """Straight from the buffer: pyarrow's own ``to_numpy`` imports pandas, half a second."""
    kind = {"date32[day]": np.int32, "int32": np.int32, "uint8": np.uint8}[str(column.type)]
    raw = np.frombuffer(column.buffers()[1], dtype=kind, count=len(column))
    if str(column.type) == "date32[day]":
        return raw.astype("datetime64[D]")
    values = raw.astype(np.float64)
    if column.null_count:
        values[_nulls(column)] = np.nan
    return values


def _nulls(column: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - as above
    bits = np.frombuffer(column.buffers()[0], dtype=np.uint8)
    present = np.unpackbits(bits, bitorder="little", count=len(column)).astype(np.bool_)
    return ~present


def _bars(table: Columns, name: str, day: NDArray[np.datetime64], parts: int = 100) -> Bars:
    # A whole number over 100 is the double nearest to the two-decimal price.
    open_, high, low, close = (table[f"{name}_{field}"] / parts for field in ("open", "high", "low", "close"))
    return Bars(day, open_, high, low, close)


def _short_rate(table: Columns) -> Floats:
    """3-month Treasury, continuously compounded; after its end from the federal funds rate.

    A bond-equivalent yield compounds twice a year: ``2 ln(1 + y / 2)``.  The funds rate is an
    overnight rate on 360 days: ``365 ln(1 + f / 360)``.  On the last common day, 2024-06-28, the
    two are 5.406 % and 5.404 %.  Days without a value (bond-market holidays) keep the last one.
    """
    bill, funds = table["treasury_3mo"] / 10_000, table["fed_funds"] / 10_000
    rate = 2 * np.log1p(bill / 2)
    end = int(np.flatnonzero(~np.isnan(bill))[-1])
    rate[end + 1 :] = 365 * np.log1p(funds[end + 1 :] / 360)
    known = np.maximum.accumulate(np.where(np.isnan(rate), 0, np.arange(len(rate))))
    return np.asarray(rate[known], dtype=np.float64)
