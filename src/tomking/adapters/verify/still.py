"""Within sessions: quotes that stand still while the market moves.

A quote may rest for many snapshots in truth: cheap options do, and all do in a quiet minute.  So a contract
is held against the strikes beside it: it is stuck when most of those moved step after step, and by more than
its spread altogether, without it.  An expiry is frozen when all of its many contracts repeat themselves
although the underlying moved.
"""

import polars as pl

from tomking.adapters.verify.context import listing_of
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.sessions import CONTRACT, contract_text, worst_of_sessions

DEAR_TICKS = 20
"""A contract is held to move when its mid is at least this many ticks ($1.00 of SPX)."""
STUCK_STEPS = 6
"""Steps a quote stood still while those beside it moved, before it is called stuck."""
NEIGHBOURS_MOVE = 3
"""Of the two strikes on either side so many must have moved at such a step."""
FROZEN_CONTRACTS = 20
"""An expiry of so many dear contracts does not repeat itself by chance."""
FROZEN_MOVE = 5e-4
"""Share by which the underlying must have moved meanwhile: a point of 2,000."""
FROZEN_STEPS, FROZEN_MINUTES = 3, 30
"""Without a known underlying: so many steps over so long."""


def still_findings(regular: pl.DataFrame) -> list[Finding]:
    """Stuck contracts and frozen expiries, one finding a root and session."""
    steps = _steps(_dear(regular))
    return [*_stuck(_beside(steps)), *_frozen(steps)]


def _dear(quotes: pl.DataFrame) -> pl.DataFrame:
    roots = [str(r) for r in quotes["root"].unique()]
    ticks = pl.DataFrame(
        {"root": roots, "_tick": [listing_of(r).tick for r in roots]},
        schema={"root": pl.String, "_tick": pl.Float64},
    )
    mid = 0.5 * (pl.col("bid") + pl.col("ask"))
    return (
        quotes.with_columns(mid.alias("mid"))
        .join(ticks, on="root")
        .filter(pl.col("mid") >= DEAR_TICKS * pl.col("_tick"))
    )


def _steps(dear: pl.DataFrame) -> pl.DataFrame:
    """One row a contract and snapshot: whether it is a step of the contract, and whether it stood still."""
    rows = dear.select(*CONTRACT, "session", "at", "bid", "ask", "mid", "spot").sort(*CONTRACT, "at")
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift(1) for c in CONTRACT)
    still = same & (pl.col("bid") == pl.col("bid").shift(1)) & (pl.col("ask") == pl.col("ask").shift(1))
    return rows.with_columns(
        same.fill_null(value=False).alias("same"),
        still.fill_null(value=False).alias("still"),
        (pl.col("session") != pl.col("session").shift(1)).fill_null(value=True).alias("new"),
    )


def _beside(steps: pl.DataFrame) -> pl.DataFrame:
    """With ``movers``, how many of two strikes on either side moved, and ``near``, the next ones' mid."""
    group = ("root", "expiry", "right", "at")

    def at(n: int, value: pl.Expr) -> pl.Expr:
        there = pl.all_horizontal(pl.col(c) == pl.col(c).shift(n) for c in group)
        return pl.when(there).then(value.shift(n))

    moved = pl.col("same") & ~pl.col("still")
    return (
        steps.sort(*group, "strike")
        .with_columns(
            pl.sum_horizontal(at(n, moved).fill_null(value=False) for n in (-2, -1, 1, 2)).alias("movers"),
            pl.mean_horizontal(at(n, pl.col("mid")) for n in (-1, 1)).alias("near"),
        )
        .sort(*CONTRACT, "at")
    )


def _stuck(steps: pl.DataFrame) -> list[Finding]:
    counts = pl.col("movers") >= NEIGHBOURS_MOVE
    runs = (
        steps.with_columns((~pl.col("still") | pl.col("new")).cum_sum().alias("_run"))
        .filter(pl.col("still") & ~pl.col("new"))
        .group_by("_run")
        .agg(
            counts.sum().alias("steps"),
            (pl.col("near").max() - pl.col("near").min()).alias("span"),
            pl.col("at").min().alias("since"),
            pl.col("at").max().alias("until"),
            *(pl.col(c).first() for c in (*CONTRACT, "session", "bid", "ask")),
        )
        .filter((pl.col("steps") >= STUCK_STEPS) & (pl.col("span") > pl.col("ask") - pl.col("bid")))
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


def _frozen(steps: pl.DataFrame) -> list[Finding]:
    expiry = ("root", "expiry")
    snapshots = (
        steps.group_by(*expiry, "session", "at")
        .agg(
            pl.col("same").sum().alias("n"),
            pl.col("still").sum().alias("_still"),
            pl.col("spot").median(),
        )
        .sort(*expiry, "at")
        .with_columns(
            ((pl.col("n") >= FROZEN_CONTRACTS) & (pl.col("_still") == pl.col("n"))).alias("_full"),
            pl.col("spot").shift(1).over(expiry).alias("_spot_before"),
            pl.col("at").shift(1).over(expiry).alias("since"),
        )
        .with_columns((~pl.col("_full")).cum_sum().alias("_run"))
    )
    moved = (pl.col("spot").last() / pl.col("_spot_before").first() - 1).abs().alias("moved")
    runs = (
        snapshots.filter("_full")
        .group_by(*expiry, "_run")
        .agg(
            pl.len().alias("steps"),
            moved,
            pl.col("since").first(),
            pl.col("at").last().alias("until"),
            pl.col("n").max(),
            pl.col("session").last(),
        )
        .filter(
            (pl.col("moved") > FROZEN_MOVE)
            | (
                pl.col("moved").is_null()
                & (pl.col("steps") >= FROZEN_STEPS)
                & ((pl.col("until") - pl.col("since")).dt.total_minutes() >= FROZEN_MINUTES)
            )
        )
    )
    return [
        Finding(
            "frozen",
            row["root"],
            str(row["session"]),
            row["contracts"],
            f"expiry {row['expiry']}: {row['n']} contracts the same from {row['since']:%Y-%m-%d %H:%M}"
            f" to {row['until']:%H:%M} UTC",
            row["session"],
        )
        for row in worst_of_sessions(runs, "n", count=pl.col("steps").sum())
    ]
