"""Questions over months: lazy Polars frames over the Parquet files, in points."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.store.months import MonthFile, in_points
from tomking.adapters.store.store import Store
from tomking.domain.calendar import NEW_YORK

_EVENING = time(18)
"""New York: from here on a row belongs to the next session."""


def scan(store: Store, root: str, first: date = date.min, last: date = date.max) -> pl.LazyFrame:
    """A root's quotes of the sessions from ``first`` to ``last``; ``bid``, ``ask`` and ``strike`` in points.

    Nothing is read before ``collect``, and then only the columns, months and sessions that are asked for.
    ``BadData`` when the store has nothing of the root.
    """
    return _scanned(store, root, "quotes", first, last).with_columns(in_points("strike", STRIKE_DIGITS))


def scan_levels(store: Store, key: str, first: date = date.min, last: date = date.max) -> pl.LazyFrame:
    """An underlying's levels, as ``scan``."""
    return _scanned(store, key, "levels", first, last)


def _scanned(store: Store, name: str, kind: str, first: date, last: date) -> pl.LazyFrame:
    months = store.months(name, kind)
    chosen = [r for m, r in months.items() if f"{first:%Y-%m}" <= m <= f"{last:%Y-%m}"]
    frames = []
    for record in chosen or [next(iter(months.values()))]:
        path = store.folder / record.file
        frame = pl.scan_parquet(path)
        if kind == "quotes":
            with MonthFile(path) as month:
                counts = month.per_point
            frame = frame.with_columns(in_points(side, counts) for side in ("bid", "ask"))
        frames.append(frame)
    whole = pl.concat(frames)
    if not chosen:
        return whole.clear()
    begin = [] if first == date.min else [pl.col("at") >= _evening(first - timedelta(days=1))]
    end = [] if last == date.max else [pl.col("at") < _evening(last)]
    return whole.filter(*begin, *end) if begin or end else whole


def _evening(day: date) -> datetime:
    # In UTC: Polars holds row groups' bounds against literals of their own zone only.
    return datetime.combine(day, _EVENING, tzinfo=NEW_YORK).astimezone(UTC)
