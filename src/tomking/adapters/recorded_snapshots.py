"""Recorded option quotes of one or more files as checked, sorted columns by product.

What real recordings contain but nobody may trade on (crossed quotes, repeats, prices off the grid,
contracts already expired) is kept out here and counted in notes; a file that cannot be used at all
raises ``BadData`` with every problem of every file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_csv import ON_GRID, STRIKE_DIGITS, Floats, Ints, Rows, read_rows, such_rows
from tomking.adapters.recorded_rows import Rows as QuoteRows
from tomking.adapters.recorded_rows import bounds
from tomking.domain.calendar import NEW_YORK, Sessions
from tomking.domain.chain import NO_QUOTE
from tomking.domain.errors import BadData
from tomking.domain.products import PRODUCTS

AFTER_CLOSE = timedelta(minutes=15)
"""Index options trade a quarter of an hour longer (ruling 18); later rows are no quotes."""
READ = tuple(key for key, product in PRODUCTS.items() if not product.settles_at_open)
"""Products that are read: a recording lacks the opening prices that AM settlement needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshots:
    """One product's quotes: columns of shape (n,), sorted by minute, expiry, right, strike.

    The seam between whoever has whole columns (``read_recording``, tests) and ``RecordedChains``, which
    only reads and slices them: they may be memory-mapped.  Whoever makes one keeps to this:

    * no contract twice at one minute, no row crossed, of a contract that has expired, or outside trading
      hours;
    * no expiry after the calendar's last session;
    * every ``minute`` is in ``seen``; a minute seen without rows is a snapshot that shows none.
    """

    product: str
    strike_unit: Decimal
    """Points per count of ``strike``: the greatest that all listed strikes are multiples of."""
    minute: Ints
    """Minutes since 1970-01-01 00:00 UTC."""
    expiry: Ints
    """``date.toordinal``."""
    right: Ints
    strike: Ints
    bid: Ints
    """Counts of the product's tick; NO_QUOTE where nobody quotes."""
    ask: Ints
    seen: Ints
    """Shape (m,): the minutes at which anything was recorded, ascending."""
    spot: Floats
    """Shape (m,): the underlying in the product's points at those minutes."""


class FromSnapshots:
    """``Snapshots`` as a ``Recording``."""

    def __init__(self, data: Snapshots) -> None:
        self.product = data.product
        self.notes: tuple[str, ...] = ()
        self.minutes: list[int] = data.seen.tolist()
        self.spots: list[float] = data.spot.tolist()
        self._data = data
        self._starts = np.searchsorted(data.minute, data.seen).tolist()
        self._stops = np.searchsorted(data.minute, data.seen, side="right").tolist()
        self._blank = _unquoted(data)
        if self._blank:
            self.notes = (blank_note(self._blank, data.bid.size, data.product),)

    def rows(self, number: int) -> QuoteRows:
        """The snapshot of ``minutes[number]``: slices."""
        data, here = self._data, slice(self._starts[number], self._stops[number])
        expiries, starts = bounds(data.expiry[here])
        return QuoteRows(
            minute=self.minutes[number],
            strike_unit=data.strike_unit,
            expiries=expiries,
            starts=starts,
            right=data.right[here],
            strike=data.strike[here],
            bid=data.bid[here],
            ask=data.ask[here],
        )


def _unquoted(data: Snapshots) -> int:
    return int(np.count_nonzero((data.bid < 0) | (data.ask < 0) | (data.ask < data.bid)))


def blank_note(blank: int, of: int, product: str) -> str:
    """How many rows can have no volatility of their own."""
    return (
        f"{blank:,} of {of:,} rows of {product} are not quoted on both sides: their volatility and delta are "
        "interpolated from the fitted surface; they are not traded"
    )


def read_recording(
    paths: Sequence[Path], sessions: Sessions
) -> tuple[tuple[Snapshots, ...], tuple[str, ...]]:
    """The recordings by product, and notes on what was kept out.

    ``BadData`` names every problem of every file.
    """
    problems: list[str] = []
    if not paths:
        problems.append("no chain file was given; name at least one CSV file")
    tables = [read_rows(path, sessions, problems) for path in paths]
    if problems:
        raise BadData(problems)
    rows = _concatenated([table for table in tables if table is not None])
    notes: list[str] = []
    snapshots = _sorted_products(rows, sessions, notes, problems)
    if not snapshots and not problems:
        known = ", ".join(READ)
        problems.append(
            f"{_names(paths)}: no usable quote is left ({'; '.join(notes)}); known symbols: {known}"
        )
    if problems:
        raise BadData(problems)
    return snapshots, tuple(notes)


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _concatenated(parts: list[Rows]) -> Rows:
    return Rows(*(np.concatenate([getattr(p, name) for p in parts]) for name in Rows.__slots__))


def _sorted_products(
    rows: Rows, sessions: Sessions, notes: list[str], problems: list[str]
) -> tuple[Snapshots, ...]:
    known = np.isin(rows.symbol, READ)
    _note(notes, ~known, "of symbols that are not traded here")
    trading = known & _in_session(rows.minute, sessions)
    _note(notes, known & ~trading, "outside trading hours")
    rows = rows.where(trading)
    found = (_snapshots(str(key), rows, sessions, notes, problems) for key in np.unique(rows.symbol))
    return tuple(s for s in found if s is not None)


def _snapshots(
    product: str, rows: Rows, sessions: Sessions, notes: list[str], problems: list[str]
) -> Snapshots | None:
    rows = rows.where(rows.symbol == product)
    seen, spot = _spots(rows, product, notes)
    rows = _living(rows, sessions, product, notes)
    rows = rows.where(np.lexsort((rows.strike, rows.right, rows.expiry, rows.minute)))
    rows = _without_repeats(rows, product, notes, problems)
    rows, bid, ask = _quotes(rows, product, notes)
    if rows.minute.size == 0:
        return None
    unit = int(np.gcd.reduce(rows.strike))
    return Snapshots(
        product=product,
        strike_unit=Decimal(unit) / STRIKE_DIGITS,
        minute=rows.minute,
        expiry=rows.expiry,
        right=rows.right,
        strike=rows.strike // unit,
        bid=bid,
        ask=ask,
        seen=seen,
        spot=spot,
    )


def _in_session(minute: Ints, sessions: Sessions) -> NDArray[np.bool_]:
    stamps, back = np.unique(minute, return_inverse=True)
    inside = np.zeros(stamps.size, dtype=np.bool_)
    for i, stamp in enumerate(stamps.tolist()):
        session = sessions.on(date(1970, 1, 1) + timedelta(days=stamp // 1440))
        if session is not None:
            last = session.close + AFTER_CLOSE
            inside[i] = session.open.timestamp() <= stamp * 60 <= last.timestamp()
    return inside[back]


def _spots(rows: Rows, product: str, notes: list[str]) -> tuple[Ints, Floats]:
    """The median spot of each minute: it stands on every row and should be one number."""
    order = np.lexsort((rows.spot, rows.minute))
    minute, spot = rows.minute[order], rows.spot[order]
    seen, first, count = np.unique(minute, return_index=True, return_counts=True)
    several = spot[first] != spot[first + count - 1]
    if several.any():
        notes.append(f"{product}: {int(several.sum())} snapshots show more than one spot; the median is used")
    return seen, spot[first + (count - 1) // 2]


def _living(rows: Rows, sessions: Sessions, product: str, notes: list[str]) -> Rows:
    """Without what has expired: such quotes are stale.  And without what the calendar cannot reach."""
    last = sessions.days[-1].date.toordinal()
    beyond = rows.expiry > last
    _note(notes, beyond, f"of {product} expire after the exchange calendar ends")
    ends, back = np.unique(rows.expiry, return_inverse=True)
    close = np.array([expiry_minute(int(o), sessions) for o in ends.tolist()], dtype=np.int64)
    expired = ~beyond & (rows.minute >= close[back])
    _note(notes, expired, f"of {product} are of contracts that had expired (stale)")
    return rows.where(~beyond & ~expired)


def expiry_minute(ordinal: int, sessions: Sessions) -> int:
    """The closing minute of the expiry day, or of the session before when that day has none."""
    day = date.fromordinal(ordinal)
    session = sessions.on(day) or sessions.before(day)
    return 0 if session is None else int(session.close.timestamp()) // 60


def _without_repeats(rows: Rows, product: str, notes: list[str], problems: list[str]) -> Rows:
    key = np.column_stack((rows.minute, rows.expiry, rows.right, rows.strike))
    repeat = np.zeros(rows.minute.size, dtype=np.bool_)
    repeat[1:] = (key[1:] == key[:-1]).all(axis=1)
    if not repeat.any():
        return rows
    quotes = np.column_stack((rows.bid, rows.ask))
    same = (quotes[1:] == quotes[:-1]) | (np.isnan(quotes[1:]) & np.isnan(quotes[:-1]))
    differs = repeat[1:] & ~same.all(axis=1)
    if differs.any():
        row = int(np.argmax(differs)) + 1
        which = f"{product} {date.fromordinal(int(rows.expiry[row]))}"
        option = f"{'C' if rows.right[row] > 0 else 'P'}{rows.strike[row] / STRIKE_DIGITS:g}"
        when = datetime.fromtimestamp(int(rows.minute[row]) * 60, tz=NEW_YORK)
        problems.append(
            f"{which} {option} has two different quotes at {when:%Y-%m-%d %H:%M}"
            f"{such_rows(int(differs.sum()))}; keep one of each"
        )
    _note(notes, repeat, f"of {product} repeat another")
    return rows.where(~repeat)


def _quotes(rows: Rows, product: str, notes: list[str]) -> tuple[Rows, Ints, Ints]:
    """Bid and ask as counts of the tick.  An ask of 0 is no offer, and a bid of 0 without one no quote."""
    tick = float(PRODUCTS[product].tick)
    counts = np.column_stack((rows.bid, rows.ask)) / tick
    whole = np.rint(np.nan_to_num(counts, nan=NO_QUOTE))
    far = np.abs(counts - whole) > ON_GRID * np.maximum(whole, 1.0)
    off = far[:, 0] | far[:, 1]
    bid, ask = whole[:, 0].astype(np.int64), whole[:, 1].astype(np.int64)
    ask[ask == 0] = NO_QUOTE
    bid[(bid == 0) & (ask == NO_QUOTE)] = NO_QUOTE
    crossed = ~off & (ask != NO_QUOTE) & (bid > ask)
    _note(notes, off, f"of {product} are off the quote grid of {PRODUCTS[product].tick}")
    _note(notes, crossed, f"of {product} are crossed (bid above ask)")
    kept = ~off & ~crossed
    return rows.where(kept), bid[kept], ask[kept]


def _note(notes: list[str], left_out: NDArray[np.bool_], what: str) -> None:
    count = int(left_out.sum())
    if count:
        notes.append(f"left out: {count:,} rows {what}")
