"""The bars of one block of contracts, quotes with trades and open interest, as rows of the raw form.

A row leads with its quote.  A trade bar of the same minute adds its volume, for an underlying its last price;
one without a quote in its minute is a row of its own, without bid and ask.  Open interest is the last that
was known at the row's time.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from tomking.adapters.importers.lean_layout import Place
from tomking.adapters.importers.raw import LEVELS, QUOTES

_AT = pl.Datetime("us", "UTC")
_ROWS: dict[str, pl.DataType | type[pl.DataType]] = {
    "contract": pl.Int32,
    "line": pl.Int64,
    "tick": pl.String,
    "at": _AT,
    **dict.fromkeys(("bid", "ask", "last"), pl.Float64),
    **dict.fromkeys(("bid_size", "ask_size", "volume", "open_interest"), pl.Int64),
}
_NAMES = {
    "quote": {"bid close": "bid", "ask close": "ask", "bid size": "bid_size", "ask size": "ask_size"},
    "trade": {"close": "last", "volume": "volume"},
    "openinterest": {"open interest": "open_interest"},
}
_KEYS = ["contract", "at"]


def rows_of(bars: pl.DataFrame, tick: str, scale: int) -> pl.DataFrame:
    """One sort's bars (``lean_bars``, with ``at``) under the raw form's names, prices in points."""
    named = {new: pl.col(old) for old, new in _NAMES[tick].items()}
    # By a column: Polars divides by a constant with its reciprocal, and 3963300 would be 396.33000000000004.
    counts = pl.lit(pl.Series(np.full(len(bars), float(scale))))
    priced = {new: value / counts if _ROWS[new] == pl.Float64 else value for new, value in named.items()}
    columns = {
        "contract": pl.col("contract"),
        "line": pl.col("line"),
        "tick": pl.lit(tick),
        "at": pl.col("at"),
        **priced,
    }
    return bars.select(
        columns.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in _ROWS.items()
    )


def joined(sorts: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """``rows_of`` each sort, by contract and time in the order of the contracts."""
    rows = sorts.get("quote", _nothing())
    trades, interest = sorts.get("trade"), sorts.get("openinterest")
    if trades is not None:
        rows = _with_trades(rows, trades)
    if interest is not None:
        rows = _with_interest(rows, interest)
    return rows


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=_ROWS)


def _with_trades(rows: pl.DataFrame, trades: pl.DataFrame) -> pl.DataFrame:
    traded = trades.select(*_KEYS, "last", "volume")
    matched = (
        rows.drop("last", "volume").join(traded, on=_KEYS, how="left", maintain_order="left").select(*_ROWS)
    )
    alone = trades.join(rows, on=_KEYS, how="anti")
    return matched if alone.is_empty() else pl.concat([matched, alone]).sort(_KEYS, maintain_order=True)


def _with_interest(rows: pl.DataFrame, interest: pl.DataFrame) -> pl.DataFrame:
    known = interest.select(*_KEYS, "open_interest").sort("at")
    # As-of needs ascending times overall, and the order of the source comes back after it.
    order = rows.drop("open_interest").with_row_index("place").sort("at")
    found = (
        order.join_asof(known, on="at", by="contract", strategy="backward", check_sortedness=False)
        .sort("place")
        .select(*_ROWS)
    )
    alone = interest.join(rows, on="contract", how="anti")
    return found if alone.is_empty() else pl.concat([found, alone]).sort(_KEYS, maintain_order=True)


def as_quotes(rows: pl.DataFrame, place: Place, contracts: pl.DataFrame) -> pl.DataFrame:
    """The rows as ``QUOTES``.

    ``contracts`` has, at the row that ``contract`` counts, expiry, right, strike (in ``STRIKE_DIGITS``) and
    the member's name of each sort.
    """
    own = contracts[rows["contract"]]
    return rows.hstack(own).select(
        _column(name, {"root": pl.lit(place.root), "member": _member(contracts)}, rows, own)
        .cast(dtype)
        .alias(name)
        for name, dtype in QUOTES.items()
    )


def as_levels(rows: pl.DataFrame, place: Place, contracts: pl.DataFrame) -> pl.DataFrame:
    """The rows as ``LEVELS``; ``contracts`` as above, with a future's expiry."""
    own = contracts[rows["contract"]]
    return rows.hstack(own).select(
        _column(name, {"key": pl.lit(place.root), "member": _member(contracts)}, rows, own)
        .cast(dtype)
        .alias(name)
        for name, dtype in LEVELS.items()
    )


def _member(contracts: pl.DataFrame) -> pl.Expr:
    """The member that a row's line is of."""
    names = [pl.when(pl.col("tick") == c).then(pl.col(c)) for c in contracts.columns if c in _NAMES]
    return pl.coalesce(names)


def _column(name: str, given: Mapping[str, pl.Expr], *frames: pl.DataFrame) -> pl.Expr:
    if name in given:
        return given[name]
    return pl.col(name) if any(name in frame.columns for frame in frames) else pl.lit(None)
