"""Live chains, as the market-data port delivers them, kept as an own history.

Each observation is on the disk when ``observe`` returns.  A session's frames go into the store through the
pipeline that every other source takes, with the times that were missed.

Stamps: a snapshot is of the instant of its observation, so that all expiries of it are one snapshot.  Quotes
that are older than the interval are not in it, and the record says so: old quotes under a new time would be
invented.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Self

import polars as pl

from tomking.adapters.importers.raw import LEVELS, QUOTES, STRIKE_DIGITS
from tomking.adapters.store.frames import Frame, FrameFile
from tomking.adapters.store.recordings import (
    FOLDER,
    LEVELS_FRAME,
    MARK_FRAME,
    QUOTES_FRAME,
    SUFFIX,
    mark_bytes,
)
from tomking.adapters.store.records import Mark
from tomking.domain.calendar import new_york
from tomking.domain.chain import Chain
from tomking.domain.errors import BadData
from tomking.domain.products import PRODUCTS
from tomking.ports import MarketData

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MISSED = 1.5
"""Intervals between two observations that are a gap."""
_EVENING_HOURS = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Observed:
    """What one observation brought."""

    rows: int
    levels: int
    marks: tuple[Mark, ...]
    """What was missed, of any product."""


class Recorder:
    """Writes observations of one market into session files below a data directory.

    ``BadData`` when another process records there.
    """

    def __init__(self, folder: Path, *, products: Sequence[str], every: timedelta) -> None:
        unknown = [p for p in products if p not in PRODUCTS]
        if unknown or not products:
            raise BadData(
                [f"cannot record {', '.join(unknown) or 'nothing'}; known products: {', '.join(PRODUCTS)}"]
            )
        self._folder = folder / FOLDER
        self._products = tuple(products)
        self._every = every
        self._day: date | None = None
        self._file: FrameFile | None = None
        self._vix_at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session file; it can be rolled into the store now."""
        if self._file is not None:
            self._file.close()
        self._file = self._day = None

    def observe(self, market: MarketData, now: datetime) -> Observed:
        """Record what the port shows at ``now``; durable when it returns."""
        file, missed = self._session_file(now)
        marks = [(root, mark) for mark in missed for root in self._products]
        quotes, levels = [], self._levels(market, now)
        for root in self._products:
            chains, why = self._chains(market, root, now)
            quotes += [_rows(chain, root, now, _spot(market, root, now)) for chain in chains]
            if why:
                marks.append((root, Mark(now, now, why)))
        at = _micros(now)
        frames = [Frame(MARK_FRAME, at, mark_bytes(root, mark)) for root, mark in marks]
        frames += [Frame(QUOTES_FRAME, at, _bytes(pl.concat(quotes)))] if quotes else []
        frames += [Frame(LEVELS_FRAME, at, _bytes(levels))] if levels.height else []
        file.append(frames or [Frame(LEVELS_FRAME, at, _bytes(levels))])
        rows = sum(part.height for part in quotes)
        return Observed(rows, levels.height, tuple(mark for _, mark in marks))

    def _session_file(self, now: datetime) -> tuple[FrameFile, list[Mark]]:
        """The file of the session that ``now`` is in, and what was missed before ``now``."""
        day = (new_york(now).replace(tzinfo=None) + _EVENING_HOURS).date()
        opened = self._file is None or day != self._day
        if opened:
            self.close()
            self._file, self._day = FrameFile(self._folder / f"{day}{SUFFIX}"), day
        assert self._file is not None
        last = self._file.last
        if last is None:
            return self._file, []
        before = _EPOCH + timedelta(microseconds=last)
        if now <= before:
            raise ValueError(f"observations go forward: {now} is not after {before}")
        if opened:
            cut = f", an unfinished write of {self._file.cut} bytes was cut off" if self._file.cut else ""
            return self._file, [Mark(before, now, f"the recorder was restarted{cut}")]
        if now - before > _MISSED * self._every:
            return self._file, [Mark(before, now, f"no observation within {self._every}")]
        return self._file, []

    def _chains(self, market: MarketData, root: str, now: datetime) -> tuple[list[Chain], str]:
        """The chains that are fresh, and in words what is not there."""
        expiries = market.expiries(root, now)
        found = [(expiry, market.chain(root, expiry, now)) for expiry in expiries]
        fresh, absent, old, uneven = [], 0, 0, 0
        for _, chain in found:
            if chain is None:
                absent += 1
            elif now - chain.as_of > self._every:
                old += 1
            elif (chain.strike_unit * STRIKE_DIGITS) % 1:
                uneven += 1
            else:
                fresh.append(chain)
        said = [
            "no expiry is listed" if not expiries else "",
            f"{absent} of {len(expiries)} expiries have no chain" if absent else "",
            f"{old} of {len(expiries)} expiries have quotes older than {self._every}" if old else "",
            f"{uneven} of {len(expiries)} expiries have strikes finer than 0.00001" if uneven else "",
        ]
        return fresh, "; ".join(filter(None, said))

    def _levels(self, market: MarketData, now: datetime) -> pl.DataFrame:
        rows = []
        for family in dict.fromkeys(PRODUCTS[root].family for root in self._products):
            spot = market.spot(family, now)
            if spot is not None:
                rows.append((family, now, spot))
        vix = market.vix(now)
        if vix is not None and vix[1] != self._vix_at:
            self._vix_at = vix[1]
            rows.append(("VIX", vix[1], vix[0]))
        frame = pl.DataFrame(
            rows, schema={"key": pl.String, "at": LEVELS["at"], "last": pl.Float64}, orient="row"
        )
        return _completed(frame, LEVELS)


def _rows(chain: Chain, root: str, now: datetime, spot: float | None) -> pl.DataFrame:
    """A chain in the raw form, stamped with the observation."""
    tick = Fraction(chain.tick)
    strikes = chain.strike * int(chain.strike_unit * STRIKE_DIGITS)
    sides = {
        side: pl.Series(counts * tick.numerator / tick.denominator).set(pl.Series(counts < 0), None)
        for side, counts in (("bid", chain.bid), ("ask", chain.ask))
    }
    frame = pl.DataFrame({"right": chain.right, "strike": strikes, **sides})
    return _completed(
        frame.with_columns(
            root=pl.lit(root),
            at=pl.lit(now).cast(QUOTES["at"]),
            expiry=pl.lit(chain.expiry),
            spot=pl.lit(spot, pl.Float64),
            multiplier=pl.lit(float(chain.multiplier)),
        ),
        QUOTES,
    )


def _completed(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """With the schema's other columns empty, in its order and types."""
    absent = [pl.lit("" if c == "member" else None).alias(c) for c in schema if c not in frame.columns]
    return frame.with_columns(absent).select(pl.col(c).cast(kind) for c, kind in schema.items())


def _spot(market: MarketData, root: str, now: datetime) -> float | None:
    level = market.spot(PRODUCTS[root].family, now)
    return None if level is None else level * float(PRODUCTS[root].index_ratio)


def _bytes(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_ipc(file, compression="zstd")
    return file.getvalue()


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
