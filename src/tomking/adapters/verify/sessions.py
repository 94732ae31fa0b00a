"""Within sessions: snapshots that are missing or thin, quotes that stand still while the rest moves.

A quote may rest for many snapshots in truth: cheap options do, and all do in a quiet minute.  So a contract
is held against the strikes beside it: it is stuck only at steps at which most of those moved, and an
expiry is frozen only when none of many moved although the underlying did.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.verify.context import Context, listing_of
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.rows import AFTER_CLOSE, INSIDE, placed

DEAR_TICKS = 20
"""A contract is held to move when its mid is at least this many ticks ($1.00 of SPX)."""
STUCK_STEPS = 6
"""Steps a quote stood still while the rest moved, before it is called stuck."""
NEIGHBOURS_MOVE = 3
"""Of the two strikes on either side so many must have moved at a step."""
FEWEST = 8
"""Contracts in a usual snapshot, below which none is called thin."""
FROZEN_CONTRACTS, FROZEN_STEPS = 20, 3
"""A whole expiry of so many contracts stands still: at once when the underlying moved, else so often."""
REGULAR = 0.8
"""Snapshots are on a grid when this share of the steps is the usual one."""
THIN = 0.5

CONTRACT = ("root", "expiry", "right", "strike")


def with_session(quotes: pl.DataFrame) -> pl.DataFrame:
    """The quotes with the column ``session``: the New York date; from 18:00 on, the next."""
    wall = pl.col("at").dt.convert_time_zone("America/New_York").dt.replace_time_zone(None)
    return quotes.with_columns(wall.dt.offset_by("6h").dt.date().alias("session"))


def in_regular_hours(quotes: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Those within the sessions of their exchange."""
    instants = quotes.select("root", "at").unique()
    parts = []
    for (root,), part in instants.group_by("root"):
        listing = listing_of(str(root))
        after = timedelta(0) if listing.future else AFTER_CLOSE
        found = placed(part["at"].cast(pl.Int64).to_numpy(), context.sessions(listing), after)
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


# ------------------------------------------------------------------------------------- what stands still


def still_findings(regular: pl.DataFrame) -> list[Finding]:
    """Stuck contracts and frozen expiries."""
    steps = _steps(_dear(regular))
    return [*_stuck(steps), *_frozen(steps)]


def _dear(quotes: pl.DataFrame) -> pl.DataFrame:
    roots = [str(r) for r in quotes["root"].unique()]
    ticks = pl.DataFrame(
        {"root": roots, "_tick": [listing_of(r).tick for r in roots]},
        schema={"root": pl.String, "_tick": pl.Float64},
    )
    mid = 0.5 * (pl.col("bid") + pl.col("ask"))
    return quotes.join(ticks, on="root").filter(mid >= DEAR_TICKS * pl.col("_tick"))


def _steps(dear: pl.DataFrame) -> pl.DataFrame:
    """One row a contract and snapshot, with whether it is a step (``same``) and stood still."""
    columns = [*CONTRACT, "session", "at", "bid", "ask", "spot"]
    rows = dear.select(columns).sort(*CONTRACT, "at")
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift(1) for c in CONTRACT)
    still = same & (pl.col("bid") == pl.col("bid").shift(1)) & (pl.col("ask") == pl.col("ask").shift(1))
    moved = (pl.col("spot") - pl.col("spot").shift(1)).abs() > 1e-4 * pl.col("spot")
    return rows.with_columns(
        same.fill_null(value=False).alias("same"),
        still.fill_null(value=False).alias("still"),
        pl.when(same).then(moved).alias("moved"),
        (pl.col("session") != pl.col("session").shift(1)).fill_null(value=True).alias("_new"),
    )


def _stuck(steps: pl.DataFrame) -> list[Finding]:
    steps = _beside(steps)
    runs = (
        steps.with_columns((~pl.col("still") | pl.col("_new")).cum_sum().alias("_run"))
        .filter(pl.col("still") & ~pl.col("_new") & (pl.col("_movers") >= NEIGHBOURS_MOVE))
        .group_by("_run")
        .agg(
            pl.len().alias("steps"),
            pl.col("at").min().alias("since"),
            pl.col("at").max().alias("until"),
            *(pl.col(c).first() for c in (*CONTRACT, "session", "bid", "ask")),
        )
        .filter(pl.col("steps") >= STUCK_STEPS)
    )
    return [
        Finding(
            "stuck",
            row["root"],
            str(row["session"]),
            row["contracts"],
            f"{contract_text(row)} at {row['bid']:g}/{row['ask']:g}"
            f" from {row['since']:%H:%M} to {row['until']:%H:%M} UTC",
            row["session"],
        )
        for row in worst_of_sessions(runs, "steps", count=pl.struct(*CONTRACT).n_unique())
    ]


def _beside(steps: pl.DataFrame) -> pl.DataFrame:
    """With ``_movers``: how many of the two strikes on either side moved at the same step."""
    group = ("root", "expiry", "right", "at")
    rows = steps.sort(*group, "strike")
    movers = [
        pl.when(pl.all_horizontal(pl.col(c) == pl.col(c).shift(n) for c in group))
        .then((pl.col("same") & ~pl.col("still")).shift(n))
        .fill_null(value=False)
        for n in (-2, -1, 1, 2)
    ]
    return rows.with_columns(pl.sum_horizontal(movers).alias("_movers")).sort(*CONTRACT, "at")


def _frozen(steps: pl.DataFrame) -> list[Finding]:
    whole = (
        steps.group_by("root", "session", "expiry", "at")
        .agg(
            pl.col("same").sum().alias("_n"),
            pl.col("still").sum().alias("_still"),
            pl.col("moved").any(ignore_nulls=True).alias("_moved"),
        )
        .sort("root", "expiry", "at")
        .with_columns(
            ((pl.col("_n") >= FROZEN_CONTRACTS) & (pl.col("_still") == pl.col("_n"))).alias("_full")
        )
        .with_columns((~pl.col("_full")).cum_sum().alias("_run"))
        .filter("_full")
        .with_columns(pl.len().over("root", "expiry", "_run").alias("steps"))
        .filter(pl.col("_moved") | (pl.col("steps") >= FROZEN_STEPS))
    )
    return [
        Finding(
            "frozen",
            row["root"],
            str(row["session"]),
            row["contracts"],
            f"expiry {row['expiry']}: {row['_n']} contracts unchanged at {row['at']:%H:%M} UTC",
            row["session"],
        )
        for row in worst_of_sessions(whole, "_n", count=pl.len())
    ]


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
