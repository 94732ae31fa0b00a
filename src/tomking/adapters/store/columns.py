"""A span of stored quotes as the whole columns that a recorded market is built of."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import gcd

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.store.months import session_day
from tomking.adapters.store.prices import unit
from tomking.adapters.store.questions import scan_levels
from tomking.adapters.store.replay import Month, open_month
from tomking.adapters.store.store import Store
from tomking.domain.chain import NO_QUOTE
from tomking.domain.errors import BadData

Ints = NDArray[np.int64]

_MINUTE = 60_000_000
_INSTANT = pl.Datetime("us", "UTC")
_DAY_ZERO = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """As ``adapters.recorded_snapshots.Snapshots``: shape (n,), sorted by minute, expiry, right, strike.

    A quote belongs to the first whole minute at or after it was seen, so that no minute knows of what
    came after it; of several snapshots in a minute the last one is taken.
    """

    product: str
    strike_unit: Decimal
    """Points per count of ``strike``."""
    price_unit: Decimal
    """Points per count of ``bid`` and ``ask``: the product's tick or a whole fraction of it."""
    minute: Ints
    """Minutes since 1970-01-01 00:00 UTC."""
    expiry: Ints
    """``date.toordinal``."""
    right: Ints
    strike: Ints
    bid: Ints
    """NO_QUOTE where nobody quotes."""
    ask: Ints
    seen: Ints
    """Shape (m,), ascending: the minutes that have a snapshot."""
    spot: NDArray[np.float64]
    """Shape (m,), points; NaN where neither rows nor levels say it."""


def read_columns(store: Store, root: str, first: date, last: date, *, level: str | None = None) -> Columns:
    """The quotes of the sessions from ``first`` to ``last``.  ``BadData`` when there are none.

    ``level`` names the stored underlying ("SPX") that gives the spot where the rows do not: its last price
    at or before the minute in the same session, or the middle of its quote where nothing traded.
    """
    found = [
        (month, _wanted(month, first, last))
        for month in (open_month(store, root, m) for m in store.months(root) if _within(m, first, last))
    ]
    found = [(month, numbers) for month, numbers in found if numbers.size]
    if not found:
        raise BadData(
            [f"{store.folder}: no quotes of {root} from {first} to {last}; see `tomking data show {root}`"]
        )
    strike_unit = gcd(*(int(month.strike_unit * STRIKE_DIGITS) for month, _ in found))
    per_point = max(month.per_point for month, _ in found)
    parts = [_part(month, numbers, strike_unit, per_point) for month, numbers in found]
    joined = parts[0]
    if len(parts) > 1:
        joined = {name: np.concatenate([part[name] for part in parts]) for name in joined}
    spot = np.concatenate([month.spot[numbers] for month, numbers in found])
    if level is not None and np.isnan(spot).any():
        spot = np.where(np.isnan(spot), _levels(store, level, joined["seen"], first, last), spot)
    return Columns(
        product=root,
        strike_unit=Decimal(strike_unit) / STRIKE_DIGITS,
        price_unit=unit(per_point),
        spot=spot,
        **joined,
    )


def _levels(store: Store, key: str, seen: Ints, first: date, last: date) -> NDArray[np.float64]:
    """The underlying's price at each minute, NaN where its session has none yet."""
    minute = (-(-pl.col("at").cast(pl.Int64) // _MINUTE)).alias("minute")
    price = pl.coalesce(pl.col("last"), (pl.col("bid") + pl.col("ask")) / 2).alias("price")
    printed = scan_levels(store, key, first, last).filter(pl.col("expiry").is_null())
    known = printed.with_columns(minute, price, day=session_day()).filter(pl.col("price").is_not_null())
    asked = pl.LazyFrame({"minute": seen}).with_columns(
        at=pl.from_epoch(pl.col("minute") * 60).cast(_INSTANT)
    )
    joined = asked.with_columns(day=session_day()).join_asof(
        known.sort("at").select("minute", "price", "day"), on="minute", by="day", check_sortedness=False
    )
    return joined.select(pl.col("price").fill_null(float("nan"))).collect().to_series().to_numpy()


def _within(month: str, first: date, last: date) -> bool:
    return f"{first:%Y-%m}" <= month <= f"{last:%Y-%m}"


def _wanted(month: Month, first: date, last: date) -> Ints:
    """Numbers of the snapshots of these sessions, the last one of each minute."""
    at = pl.DataFrame({"at": month.instants}).select(pl.col("at").cast(pl.Datetime("us", "UTC")))
    inside = at.select(session_day().is_between(first, last)).to_series().to_numpy()
    minute = _minutes(month.instants)
    final = np.append(minute[1:] != minute[:-1], np.ones(min(minute.size, 1), dtype=np.bool_))
    return np.flatnonzero(inside & final)


def _minutes(at: Ints) -> Ints:
    return -(-at // _MINUTE)


def _part(month: Month, numbers: Ints, strike_unit: int, per_point: int) -> dict[str, Ints]:
    rows = month.rows_of(numbers)
    minutes = _minutes(month.instants[numbers])
    finer = per_point // month.per_point
    strikes = int(month.strike_unit * STRIKE_DIGITS) // strike_unit

    def price(name: str) -> Ints:
        counts = rows[name].astype(np.int64)
        return counts if finer == 1 else np.where(counts == NO_QUOTE, NO_QUOTE, counts * finer)

    return {
        "minute": np.repeat(minutes, month.lengths[numbers]),
        "expiry": np.add(rows["expiry"], _DAY_ZERO, dtype=np.int64),
        "right": rows["right"].astype(np.int64),
        "strike": np.multiply(rows["strike"], strikes, dtype=np.int64),
        "bid": price("bid"),
        "ask": price("ask"),
        "seen": minutes,
    }
