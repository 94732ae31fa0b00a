"""The quotes of a block of rows, as the mapping says: one or several of each row."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tomking.adapters.importers.listed import last_days
from tomking.adapters.importers.mapping import EPOCHS, Mapping, Quote, Stamp, normal
from tomking.adapters.importers.raw import QUOTES
from tomking.adapters.importers.tabular_cells import Cells
from tomking.adapters.importers.tabular_stamps import Unreadable, wall_time

STALE_DAYS = 7
"""Vendors leave expired contracts in a file for a day or two; a swapped day and month is farther off."""
_INSTANT = pl.Datetime("us", "UTC")


def quotes_of(cells: Cells) -> pl.DataFrame:
    """A frame of ``raw.QUOTES`` in the source's order.

    Problems are noted in ``cells.file``; the frame is then not to be used.
    """
    mapping = cells.file.mapping
    for name in mapping.one_value:
        cells.check_single(normal(name))
    contract = _contract(cells, mapping)
    frames = []
    stamps: dict[Stamp | None, pl.Series] = {}
    for quote in mapping.quotes:
        stamp = quote.stamp or mapping.stamp
        if stamp not in stamps:
            stamps[stamp] = _instants(cells, stamp)
            _check_alive(cells, contract["expiry"], stamps[stamp])
        frames.append(_quotes(cells, quote, contract, stamps[stamp]))
    if len(frames) == 1:
        return frames[0]
    return pl.concat(frames).sort("line", maintain_order=True)


def _contract(cells: Cells, mapping: Mapping) -> dict[str, pl.Series]:
    """Root, expiry, strike, and the right unless each quote says it by itself."""
    found: dict[str, pl.Series] = {
        "line": pl.Series(cells.rows),
        "member": _constant(cells, cells.member, pl.String),
    }
    if mapping.symbol is not None:
        found |= cells.symbol(normal(mapping.symbol))
    root = mapping.root
    if root is not None and root.column is not None:
        found["root"] = cells.root(normal(root.column), root.rename)
    elif "root" not in found:
        found["root"] = _constant(cells, root.constant if root else cells.file.root, pl.String)
    if mapping.expiry is not None:
        expiry, clock = mapping.expiry, cells.file.clock
        found["expiry"] = cells.column(normal(expiry.column), lambda v: clock.day(v, expiry.format), pl.Date)
    found["expiry"] = last_days(found["expiry"])
    if mapping.strike is not None:
        found["strike"] = cells.strike(normal(mapping.strike.column), mapping.strike.scale)
    if mapping.right is not None:
        right = mapping.right
        found["right"] = cells.right(normal(right.column), right.calls, right.puts)
    found["multiplier"] = _multiplier(cells, mapping)
    return found


def _multiplier(cells: Cells, mapping: Mapping) -> pl.Series:
    rule = mapping.multiplier
    if rule is not None and rule.column is not None and normal(rule.column) in cells.columns:
        return cells.number(normal(rule.column))
    return _constant(cells, rule.constant if rule else None, pl.Float64)


def _instants(cells: Cells, stamp: Stamp | None) -> pl.Series:
    """When each row could be seen."""
    assert stamp is not None, "checked when the file was opened"
    return _stamps(cells, stamp) + timedelta(minutes=stamp.bar_minutes)


def _stamps(cells: Cells, stamp: Stamp) -> pl.Series:
    clock = cells.file.clock
    if stamp.column is None:
        assert stamp.constant is not None
        return _constant(cells, stamp.constant.astimezone(UTC), _INSTANT)
    name, required = normal(stamp.column), not stamp.optional
    if stamp.time_column is not None:
        return _two_columns(cells, stamp, name)
    if stamp.time is None:
        counts = cells.epochs(name, EPOCHS[stamp.format[0]]) if stamp.format[0] in EPOCHS else None
        if counts is not None:
            return counts.cast(_INSTANT)
        micros = cells.column(name, lambda v: clock.instant(v, stamp.format), pl.Int64, required=required)
        return micros.cast(_INSTANT)
    wall, early = stamp.time, stamp.early_close_from
    micros = cells.column(
        name, lambda v: clock.at(clock.day(v, stamp.format), wall, early), pl.Int64, required=required
    )
    return micros.cast(_INSTANT)


def _two_columns(cells: Cells, stamp: Stamp, name: str) -> pl.Series:
    """A column of dates and one of times: each pair that occurs is read once."""
    assert stamp.time_column is not None
    clock, beside = cells.file.clock, normal(stamp.time_column)
    days, day = cells.read(name, lambda v: clock.day(v, stamp.format), required=not stamp.optional)
    walls, wall = cells.read(beside, lambda v: wall_time(str(v)), required=not stamp.optional)
    pair = day.cast(pl.Int64) * len(walls) + wall.cast(pl.Int64)
    found: dict[int, int | None] = {}
    for code in pair.unique().to_list():
        on, at = days[code // len(walls)], walls[code % len(walls)]
        try:
            found[code] = None if on is None or at is None else clock.at(on, at, None)
        except Unreadable as error:
            found[code] = None
            cells.complain(beside, pair == code, str(error))
    keys = sorted(found)
    place = pl.Series(np.searchsorted(np.asarray(keys, dtype=np.int64), pair.to_numpy()).astype(np.uint32))
    return pl.Series([found[k] for k in keys], dtype=pl.Int64).gather(place).cast(_INSTANT)


def _check_alive(cells: Cells, expiry: pl.Series, at: pl.Series) -> None:
    """Quotes long after the last day are dates misread; those of a few days are stale, for verification."""
    day = at.dt.convert_time_zone(cells.file.clock.zone.key).dt.date()
    late = (day > expiry.dt.offset_by(f"{STALE_DAYS}d")).fill_null(value=False)
    mapping = cells.file.mapping
    name = mapping.expiry.column if mapping.expiry else mapping.symbol
    assert name is not None
    cells.complain(
        normal(name),
        late,
        f"expired more than {STALE_DAYS} days before it was quoted; check the dates and their formats",
    )


def _quotes(cells: Cells, quote: Quote, contract: dict[str, pl.Series], at: pl.Series) -> pl.DataFrame:
    columns = dict(contract)
    columns["at"] = at
    if quote.side is not None:
        columns["right"] = _constant(cells, +1 if quote.side == "call" else -1, pl.Int8)
    columns["bid"] = _price(cells, quote.bid)
    columns["ask"] = _price(cells, quote.ask)
    columns["bid_size"], columns["ask_size"] = _sizes(cells, quote)
    columns["volume"] = _contracts(cells, quote.volume)
    columns["open_interest"] = _contracts(cells, quote.open_interest)
    columns["spot"] = _spot(cells, quote)
    frame = pl.DataFrame([columns[name].alias(name) for name in QUOTES], schema=QUOTES)
    stamp = quote.stamp or cells.file.mapping.stamp
    return frame.filter(pl.col("at").is_not_null()) if stamp is not None and stamp.optional else frame


def _price(cells: Cells, column: str | None) -> pl.Series:
    if column is None or normal(column) not in cells.columns:
        return _constant(cells, None, pl.Float64)
    return cells.price(normal(column))


def _contracts(cells: Cells, column: str | None) -> pl.Series:
    if column is None or normal(column) not in cells.columns:
        return _constant(cells, None, pl.Int64)
    return cells.whole(normal(column))


def _sizes(cells: Cells, quote: Quote) -> tuple[pl.Series, pl.Series]:
    if quote.sizes is not None and normal(quote.sizes) in cells.columns:
        return cells.sizes(normal(quote.sizes))
    return _contracts(cells, quote.bid_size), _contracts(cells, quote.ask_size)


def _spot(cells: Cells, quote: Quote) -> pl.Series:
    if quote.spot_bid is None:
        return _price(cells, quote.spot)
    bid, ask = _price(cells, quote.spot_bid), _price(cells, quote.spot_ask)
    both = ((bid > 0) & (ask > 0)).fill_null(value=False)
    middle = (bid + ask) / 2
    return middle.set(~both, None)


def _constant(cells: Cells, value: str | float | date | datetime | None, kind: Any) -> pl.Series:  # noqa: ANN401
    return (
        pl.Series([value], dtype=kind).extend_constant(value, cells.size - 1)
        if cells.size
        else pl.Series([], dtype=kind)
    )
