"""Within sessions: snapshots that are missing, and snapshots with few contracts."""

from datetime import date, time
from typing import Any

import numpy as np
import polars as pl

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.verify.context import Context, listing_of
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.hours import EVENING, INSIDE

FEWEST = 8
"""Contracts in a usual snapshot, below which none is called thin."""
HALT = (time(16, 15), time(16, 30))
"""New York: CME's equity-index futures and their options paused here."""
NO_HALT_FROM = date(2021, 6, 28)
"""From this session on they do not (CME notice of June 2021)."""
REGULAR = 0.8
"""Snapshots are on a grid when this share of the steps is the usual one."""
THIN = 0.5

CONTRACT = ("root", "expiry", "right", "strike")


def with_session(quotes: pl.DataFrame) -> pl.DataFrame:
    """The quotes with the column ``session``: the New York date; from 18:00 on, the next."""
    wall = pl.col("at").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
    return quotes.with_columns(wall.dt.offset_by(EVENING).dt.date().alias("session"))


def in_regular_hours(quotes: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Those within the sessions of their exchange."""
    instants = quotes.select("root", "at").unique()
    parts = []
    for (root,), part in instants.group_by("root"):
        found = context.hours(listing_of(str(root))).placed(part["at"].cast(pl.Int64).to_numpy())
        parts.append(part.filter(pl.Series(found == INSIDE)))
    return quotes.join(pl.concat(parts), on=["root", "at"], how="semi") if parts else quotes


# ------------------------------------------------------------------------------------------ the snapshots


def snapshot_findings(regular: pl.DataFrame, context: Context) -> list[Finding]:
    """Holes and thin snapshots of each session."""
    seen = regular.group_by("root", "session", "at").len("contracts").sort("root", "session", "at")
    found: list[Finding] = []
    for (root, session), part in seen.group_by("root", "session", maintain_order=True):
        assert isinstance(session, date)
        found += _holes(str(root), session, part, context)
        found += _thin(str(root), session, part)
    return found


def _holes(root: str, day: date, part: pl.DataFrame, context: Context) -> list[Finding]:
    """Missing snapshots between the first and the last, and before and after them in the session."""
    at = part["at"].cast(pl.Int64).to_numpy()
    steps = np.diff(at)
    if at.size < 3:
        return []
    step = int(np.median(steps))
    if np.mean(steps == step) < REGULAR:
        step = max(10 * step, 30 * 60_000_000)  # no grid: only what is far longer than usual
    session = context.sessions(listing_of(root)).on(day)
    if session is None or step <= 0:
        return []
    ends = [int(edge.timestamp()) * 1_000_000 for edge in (session.open, session.close)]
    edges = np.concatenate([[min(ends[0], at[0])], at, [max(ends[1], at[-1])]])
    missing = np.maximum(np.rint(np.diff(edges) / step).astype(np.int64) - 1, 0)
    if listing_of(root).future and day < NO_HALT_FROM:
        halt = session.at(HALT[0]).timestamp() * 1e6 - step, session.at(HALT[1]).timestamp() * 1e6 + step
        missing[(edges[:-1] >= halt[0]) & (edges[1:] <= halt[1])] = 0
    # The last snapshot may stand one step before the close.
    if not missing.any():
        return []
    worst = int(np.argmax(missing))
    start, end = (np.datetime64(int(edges[worst + i]), "us").astype(object) for i in (0, 1))
    example = f"nothing between {start:%H:%M} and {end:%H:%M} UTC, usually every {_minutes(step)}"
    return [Finding("hole", root, str(day), int(missing.sum()), example, day)]


def _minutes(step: int) -> str:
    seconds = step // 1_000_000
    return f"{seconds} seconds" if seconds < 60 else f"{seconds / 60:g} min"


def _thin(root: str, day: date, part: pl.DataFrame) -> list[Finding]:
    usual = float(np.median(part["contracts"].to_numpy()))
    thin = part.filter(pl.col("contracts") < THIN * usual)
    if part.height < 3 or usual < FEWEST or thin.is_empty():
        return []
    first = thin.row(0, named=True)
    example = f"{first['at']:%H:%M} UTC: {first['contracts']:,} contracts, usually {usual:,.0f}"
    return [Finding("thin_snapshot", root, str(day), thin.height, example, day)]


def worst_of_sessions(rows: pl.DataFrame, by: str, *, count: pl.Expr) -> list[dict[str, Any]]:
    """For each root and session the row that is greatest in ``by``, with ``contracts``, a count."""
    order = [c for c in (by, *CONTRACT, "at") if c in rows.columns]
    return (
        rows.sort(order, descending=[True] + [False] * (len(order) - 1))
        .group_by("root", "session", maintain_order=True)
        .agg(count.alias("contracts"), *(pl.col(c).first() for c in rows.columns if c not in _GROUP))
        .sort("root", "session")
        .rows(named=True)
    )


_GROUP = ("root", "session")


def contract_text(row: dict[str, Any]) -> str:
    """``2016-04-29 P2065``."""
    return f"{row['expiry']} {'C' if row['right'] > 0 else 'P'}{row['strike'] / STRIKE_DIGITS:g}"
