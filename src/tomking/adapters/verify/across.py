"""Across sessions: days that are missing, times in another zone, splits, levels at the wrong scale.

These need little of each session, so a month's quotes are first boiled down with ``digest``; the digests
of all months together are then judged by ``across_findings``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import exp, log

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.verify.arbitrage import first_forwards, pairs_of
from tomking.adapters.verify.context import Context, listing_of
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.hours import INSIDE
from tomking.domain.bars import History
from tomking.domain.products import PRODUCTS

SPLITS = (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 50, 100)
SPLIT_NEAR, SPLIT_LEAST = 0.06, 0.35
"""In logs: how near a jump is to a ratio, and the least jump that can be one (no index has moved so far)."""
SCALE_LEAST = 1.8
"""A level off its history by this factor or more is at another scale."""
STRIKES_OFF = 4.0
"""Half of the strikes lie within this factor of the level in any chain."""
RANGE_SHARE = 0.005
"""How far a session's middle level may lie outside the day's range: basis of a future, early prints."""
FITS, MISFITS = 0.98, 0.95
"""Share of snapshots inside the session after and before a move by whole hours."""
CLOSE_MISSES, CLOSE_FITS = 5e-4, 2e-4
"""Share by which the level at the stamped close misses the official one, and by which it fits it moved."""


@dataclass(frozen=True, slots=True, eq=False)
class Digest:
    """What judging across sessions needs of some quotes."""

    instants: pl.DataFrame
    """root, session, at, spot: one row a snapshot."""
    sessions: pl.DataFrame
    """root, session, level, strike, snapshots: one row a session; level and strike are medians in points."""


def digest(quotes: pl.DataFrame) -> Digest:
    """Boils down quotes that have the column ``session``."""
    instants = (
        quotes.group_by("root", "session", "at").agg(pl.col("spot").median()).sort("root", "session", "at")
    )
    sessions = (
        quotes.group_by("root", "session")
        .agg(
            pl.col("spot").median().alias("level"),
            (pl.col("strike").median() / STRIKE_DIGITS).alias("strike"),
            pl.col("at").n_unique().alias("snapshots"),
        )
        .join(_implied(quotes), on=["root", "session"], how="left")
        .with_columns(pl.coalesce("level", "implied").alias("level"))
        .drop("implied")
        .sort("root", "session")
    )
    return Digest(instants, sessions)


def _implied(quotes: pl.DataFrame) -> pl.DataFrame:
    """The level where no row has one: the forward of the last snapshot's nearest expiry."""
    bare = quotes.filter(pl.col("spot").is_null().all().over("root", "session"))
    last = bare.filter(pl.col("at") == pl.col("at").max().over("root", "session"))
    rows = last.with_columns((pl.col("strike") / STRIKE_DIGITS).alias("k"))
    return (
        first_forwards(pairs_of(rows))
        .sort("expiry")
        .group_by("root", "session")
        .agg(pl.col("f0").first().alias("implied"))
    )


def joined(digests: list[Digest]) -> Digest:
    """Those of several spans as one."""
    return Digest(
        pl.concat([d.instants for d in digests]).sort("root", "session", "at"),
        pl.concat([d.sessions for d in digests]).sort("root", "session"),
    )


def daily_levels(history: History) -> dict[str, pl.DataFrame]:
    """The embedded daily history by option root, in that root's points: day, open, high, low, close."""
    bars = history.spx
    plain = pl.DataFrame(
        {"day": bars.day, "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
    )
    numbers = pl.exclude("day")
    return {
        key: plain.with_columns(numbers * float(product.index_ratio))
        for key, product in PRODUCTS.items()
        if product.family == "SPX" and not product.future
    }


def across_findings(found: Digest, context: Context, daily: Mapping[str, pl.DataFrame]) -> list[Finding]:
    """Everything that shows only over several sessions, or against the daily history."""
    findings: list[Finding] = []
    for (key,), sessions in found.sessions.group_by("root", maintain_order=True):
        root = str(key)
        instants = found.instants.filter(pl.col("root") == root)
        history = daily.get(root)
        findings += _missing(root, sessions, context)
        findings += _zone(root, instants, context, history)
        findings += _splits(root, sessions)
        findings += _scales(root, sessions, history)
    return findings


# ----------------------------------------------------------------------------------------------- missing


def _missing(root: str, sessions: pl.DataFrame, context: Context) -> list[Finding]:
    seen = set(sessions["session"].to_list())
    listed = context.sessions(listing_of(root)).between(min(seen), max(seen))
    gone = [s.date for s in listed if s.date not in seen]
    if not gone:
        return []
    return [Finding("missing_sessions", root, f"{min(seen)} to {max(seen)}", len(gone), _days(gone))]


def _days(days: list[date], most: int = 4) -> str:
    more = f" and {len(days) - most} more" if len(days) > most else ""
    return ", ".join(map(str, days[:most])) + more


# ------------------------------------------------------------------------------------------------- zone


def _zone(root: str, instants: pl.DataFrame, context: Context, history: pl.DataFrame | None) -> list[Finding]:
    hours = _hours_by_session(root, instants, context)
    how = "the snapshots fit the session only"
    if hours is None and history is not None:
        hours = _hours_by_close(instants, context, history)
        how = "the level meets the official close only"
    if hours is None:
        return []
    days = instants["session"].unique().sort().to_list()
    text = f"{how} when moved by {hours:+d} {'hour' if abs(hours) == 1 else 'hours'}"
    return [Finding("wrong_zone", root, f"{days[0]} to {days[-1]}", len(days), text)]


def _hours_by_session(root: str, instants: pl.DataFrame, context: Context) -> int | None:
    """The whole hours that move nearly all snapshots into the session, when they are not there."""
    listing = listing_of(root)
    at = instants["at"].cast(pl.Int64).to_numpy()
    days = max(instants["session"].n_unique(), 1)
    if listing.future or at.size < 3 * days:
        return None

    def inside(hours: int) -> float:
        moved = at + hours * 3_600_000_000
        return float(np.mean(context.securities_hours.placed(moved) == INSIDE))

    if inside(0) >= MISFITS:
        return None
    best = max((h for h in range(-12, 13) if h), key=lambda h: (inside(h), -abs(h)))
    return best if inside(best) >= FITS else None


def _hours_by_close(instants: pl.DataFrame, context: Context, history: pl.DataFrame) -> int | None:
    """The whole hours at which the level meets the official close, when it does not at the stamped one."""
    levels = instants.drop_nulls("spot").sort("at")
    closes = history.filter(pl.col("day").is_in(levels["session"].unique().implode()))
    if closes.height < 3:
        return None
    at = levels["at"].cast(pl.Int64).to_numpy()
    spot = levels["spot"].to_numpy()
    pairs = [
        (int(session.close.timestamp()) * 1_000_000, close)
        for day, close in closes.select("day", "close").iter_rows()
        if (session := context.securities.on(day)) is not None
    ]
    misses = {h: _close_miss(at, spot, pairs, h) for h in range(-6, 7)}
    best = min(misses, key=lambda h: (misses[h], abs(h)))
    return best if misses[0] > CLOSE_MISSES and misses[best] < CLOSE_FITS else None


def _close_miss(
    at: NDArray[np.int64], spot: NDArray[np.float64], closes: list[tuple[int, float]], hours: int
) -> float:
    """The median share by which the level misses the close, its stamps moved by ``hours``."""
    misses = []
    for close_at, close in closes:
        row = int(np.searchsorted(at + hours * 3_600_000_000, close_at, side="right")) - 1
        if row >= 0 and close_at - (at[row] + hours * 3_600_000_000) <= 20 * 60_000_000:
            misses.append(abs(spot[row] / close - 1))
    return float(np.median(misses)) if len(misses) >= 3 else float("inf")


# ------------------------------------------------------------------------------------ splits and scales


def _splits(root: str, sessions: pl.DataFrame) -> list[Finding]:
    rows = sessions.drop_nulls("level").select("session", "level").rows()
    found = []
    for (before, low), (after, high) in pairwise(rows):
        jump = log(high / low) if min(high, low) > 0 else 0.0
        ratio = min((c for s in SPLITS for c in (s, 1 / s)), key=lambda c: abs(jump - log(c)))
        near = abs(jump) >= SPLIT_LEAST and abs(jump - log(ratio)) <= SPLIT_NEAR
        # An index falls by a third only over years: a jump over a long gap is no split.
        if near and after - before <= timedelta(days=10):
            said = f"{1 / ratio:g} for 1" if ratio < 1 else f"1 for {ratio:g}"
            text = f"{low:g} on {before}, {high:g} on {after}: a split {said}, or another scale"
            found.append(Finding("split", root, str(after), 1, text, after))
    return found


def _scales(root: str, sessions: pl.DataFrame, history: pl.DataFrame | None) -> list[Finding]:
    known = sessions.drop_nulls("level").filter(pl.col("level") > 0)
    findings = _off_strikes(root, known)
    if history is None:
        return findings
    held = known.join(history, left_on="session", right_on="day", how="inner").with_columns(
        (pl.col("level") / pl.col("close")).alias("ratio")
    )
    least = pl.col("ratio").log().abs() >= log(SCALE_LEAST)
    scaled = held.filter(least)
    if not scaled.is_empty():
        first = scaled.row(0, named=True)
        ratio = exp(float(np.median(np.log(scaled["ratio"].to_numpy()))))
        text = f"{first['session']}: {first['level']:g}, the close was {first['close']:g}: {ratio:.3g} times"
        findings.append(Finding("scale", root, _span(scaled), scaled.height, text))
    middle = pl.col("level")
    outside = held.filter(
        ~least
        & ((middle < pl.col("low") * (1 - RANGE_SHARE)) | (middle > pl.col("high") * (1 + RANGE_SHARE)))
    )
    if not outside.is_empty():
        first = outside.row(0, named=True)
        text = f"{first['session']}: {first['level']:g}, the day saw {first['low']:g} to {first['high']:g}"
        findings.append(Finding("level", root, _span(outside), outside.height, text))
    return findings


def _off_strikes(root: str, known: pl.DataFrame) -> list[Finding]:
    off = known.filter((pl.col("strike") / pl.col("level")).log().abs() > log(STRIKES_OFF))
    if off.is_empty():
        return []
    first = off.row(0, named=True)
    text = f"{first['session']}: the middle strike {first['strike']:g}, the underlying at {first['level']:g}"
    return [Finding("scale", root, _span(off), off.height, text)]


def _span(sessions: pl.DataFrame) -> str:
    days = sessions["session"].sort()
    return str(days[0]) if days.len() == 1 else f"{days[0]} to {days[-1]}"
