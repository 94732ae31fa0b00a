"""Row-level checks of a batch of raw quotes: which rows are kept, which are not and why.

1. Hold each row against its root's listing, its contract's end and the exchange's sessions.
2. The first reason of ``ROW_REASONS`` that holds is the row's; rows without one are kept.
3. Count each reason, and each thing worth a note among the kept, with its first row as the example.

Nothing is repaired: a row goes to ``kept`` or to ``quarantined`` as it stood.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.verify.context import Context, is_adjusted, listing_of, looks_like_shares
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.hours import GRACE, OUTSIDE, SHUT
from tomking.adapters.verify.kinds import ROW_REASONS

KEY = ("root", "at", "expiry", "right", "strike")
"""What makes a quote one quote."""
LARGEST_STRIKE = 1_000_000 * STRIKE_DIGITS
LARGEST_SIZE, LARGEST_VOLUME = 1_000_000, 50_000_000
"""Contracts: no quote and no day of any option has seen more."""
OFF_GRID = 1e-4
"""How far a price may be off its grid, in counts: what writing it in decimals can do."""
ABSURD_MULTIPLE = 10.0
"""An offer above ten times the underlying (and a put's strike) and ten points is no offer."""
CALL_ALLOWANCE = 1.1
"""A call bid above the underlying by more than this is no bid; the rest covers stale underlyings."""

_VALUES = ("bid", "ask", "bid_size", "ask_size", "volume", "open_interest")
_ADDED = ("_facts", "_ends", "_day", "reason")


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """The two parts of a batch, each in its order, and what was found."""

    kept: pl.DataFrame
    """Of schema ``QUOTES``."""
    quarantined: pl.DataFrame
    """Of schema ``QUOTES`` with a String column ``reason``, a name of ``ROW_REASONS``."""
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Quarantined rows by reason."""
        return {f.kind: 0 for f in self.findings if f.quarantined} | {
            str(reason): int(count)
            for reason, count in self.quarantined.group_by("reason").len().sort("reason").iter_rows()
        }


def check(quotes: pl.DataFrame, context: Context) -> Checked:
    """Splits a batch of schema ``QUOTES`` into what can be used and what cannot.

    Repeats are looked for within the batch only.
    """
    columns = quotes.columns
    marked = _with_reason(_with_facts(quotes, context), context)
    kept = marked.filter(pl.col("reason").is_null())
    refused = marked.filter(pl.col("reason").is_not_null())
    findings = [*_counted(refused, pl.col("reason"), context), *_noted(kept, context)]
    return Checked(kept.select(columns), refused.select(*columns, "reason"), tuple(findings))


# ------------------------------------------------------------------------------------------ 1. the facts


def _with_facts(quotes: pl.DataFrame, context: Context) -> pl.DataFrame:
    roots = [str(r) for r in quotes["root"].unique().drop_nulls()]
    facts = pl.DataFrame(
        [
            (
                root,
                one.multiplier,
                one.tick,
                one.tick_above,
                one.tick_from,
                one.strike_grid,
                is_adjusted(root),
            )
            for root in roots
            for one in [listing_of(root)]
        ],
        schema={
            "root": pl.String,
            "_multiplier": pl.Float64,
            "_tick": pl.Float64,
            "_above": pl.Float64,
            "_from": pl.Float64,
            "_grid": pl.Float64,
            "_adjusted": pl.Boolean,
        },
        orient="row",
    )
    contracts = quotes.select("root", "expiry").unique().drop_nulls()
    ends = contracts.with_columns(
        pl.Series(
            "_ends",
            [context.ends(root, expiry) for root, expiry in contracts.iter_rows()],
            dtype=pl.Datetime("us", "UTC"),
        )
    )
    joined = quotes.join(facts, on="root", how="left", maintain_order="left").join(
        ends, on=["root", "expiry"], how="left", maintain_order="left"
    )
    return joined.with_columns(pl.Series("_when", _when(quotes, context), dtype=pl.Int8))


def _when(quotes: pl.DataFrame, context: Context) -> NDArray[np.int8]:
    at = quotes["at"].cast(pl.Int64).fill_null(0).to_numpy()
    futures = [r for r in quotes["root"].unique().drop_nulls() if listing_of(r).future]
    of_futures = quotes["root"].is_in(futures).fill_null(value=False).to_numpy()
    found = np.full(at.size, SHUT, dtype=np.int8)
    found[of_futures] = context.futures_hours.placed(at[of_futures])
    found[~of_futures] = context.securities_hours.placed(at[~of_futures])
    return found


# ---------------------------------------------------------------------------------------- 2. the reasons


def _with_reason(rows: pl.DataFrame, context: Context) -> pl.DataFrame:
    tests = _tests(context)
    reason = pl.coalesce(*(pl.when(tests[name]).then(pl.lit(name)) for name in ROW_REASONS if name in tests))
    marked = rows.with_columns(reason.alias("reason"))
    return _with_repeats(marked)


def _tests(context: Context) -> dict[str, pl.Expr]:
    bid, ask, strike = pl.col("bid"), pl.col("ask"), pl.col("strike")
    points = strike / STRIKE_DIGITS
    counts = ("volume", "open_interest")
    return {
        "incomplete": pl.any_horizontal(pl.col(c).is_null() for c in KEY),
        "adjusted_root": pl.col("_adjusted"),
        "wrong_multiplier": (pl.col("multiplier") - pl.col("_multiplier")).abs()
        > 1e-9 * pl.col("_multiplier"),
        "bad_strike": (strike <= 0) | (strike > LARGEST_STRIKE),
        "strike_off_grid": _off(points, pl.col("_grid")),
        "not_a_number": pl.any_horizontal(~c.is_finite() for c in (bid, ask)),
        "negative": pl.any_horizontal((bid < 0), (ask < 0), *(pl.col(c) < 0 for c in counts)),
        "zero_ask": ask == 0,
        "crossed": bid > ask,
        "impossible_price": _impossible(points),
        "absurd_size": pl.any_horizontal(
            *(pl.col(c).is_between(0, LARGEST_SIZE).not_() for c in ("bid_size", "ask_size")),
            *(pl.col(c) > LARGEST_VOLUME for c in counts),
        ),
        "off_grid": _off(bid, pl.col("_tick")) | _off(ask, pl.col("_tick")),
        "from_the_future": pl.lit(value=False) if context.now is None else pl.col("at") > context.now,
        "expired": pl.col("at") > pl.col("_ends") + GRACE,
        "no_session": pl.col("_when") == SHUT,
    }


def _off(value: pl.Expr, grid: pl.Expr) -> pl.Expr:
    counts = value / grid
    return (counts - counts.round()).abs() > OFF_GRID


def _impossible(points: pl.Expr) -> pl.Expr:
    """Where the underlying is not known, a call's prices are not judged: they may be anything below it."""
    put, spot = pl.col("right") < 0, pl.col("spot")
    level = pl.when(put).then(pl.max_horizontal(points, spot)).when(spot.is_not_null()).then(spot)
    return (
        (put & (pl.col("bid") > points))
        | (~put & (pl.col("bid") > CALL_ALLOWANCE * spot))
        | (pl.col("ask") > ABSURD_MULTIPLE * (level + ABSURD_MULTIPLE))
    )


def _with_repeats(marked: pl.DataFrame) -> pl.DataFrame:
    """Names repeats among the rows that have no other reason."""
    good = pl.col("reason").is_null()
    sound = marked.filter(good)
    if sound.select(KEY).is_duplicated().any():
        several = (pl.len().over(KEY) > 1) & good
        same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).first()) for c in _VALUES).all().over(KEY)
        first = pl.int_range(pl.len()).over(KEY) == 0
        repeats = (
            sound.with_row_index("_row")
            .with_columns(
                pl.when(several & ~same)
                .then(pl.lit("contradiction"))
                .when(several & ~first)
                .then(pl.lit("duplicate"))
                .alias("reason")
            )
            .drop("_row")
        )
        order = marked.with_row_index("_row")
        done = pl.concat(
            [
                order.filter(~good),
                repeats.with_columns(order.filter(good)["_row"]).select(order.columns),
            ]
        )
        return done.sort("_row").drop("_row")
    return marked


# ---------------------------------------------------------------------------------------- 3. the findings


def _noted(kept: pl.DataFrame, context: Context) -> list[Finding]:
    """What is worth a note among the rows that stay."""
    bid, ask = pl.col("bid"), pl.col("ask")
    strange = [r for r in kept["root"].unique() if not listing_of(r).known and not looks_like_shares(r)]
    coarse = (_off(bid, pl.col("_above")) & (bid >= pl.col("_from"))) | (
        _off(ask, pl.col("_above")) & (ask >= pl.col("_from"))
    )
    notes = {
        "locked": bid == ask,
        "no_ask": ask.is_null(),
        "coarse_grid": coarse,
        "outside_hours": pl.col("_when") == OUTSIDE,
        "unknown_root": pl.col("root").is_in(strange),
    }
    return [
        finding
        for name, test in notes.items()
        for finding in _counted(kept.filter(test), pl.lit(name), context)
    ]


def _counted(rows: pl.DataFrame, kind: pl.Expr, context: Context) -> list[Finding]:
    """One finding for each kind and root, with its first row as the example."""
    if rows.is_empty():
        return []
    firsts = (
        rows.with_columns(kind.alias("_kind"), pl.col("root").fill_null("?"))
        .group_by("_kind", "root", maintain_order=True)
        .agg(pl.len().alias("_count"), *(pl.col(c).first() for c in rows.columns if c != "root"))
    )
    return [
        Finding(
            kind=row["_kind"],
            root=row["root"],
            where=place(context.source, row["member"], row["line"]),
            count=row["_count"],
            example=quote_text(row),
        )
        for row in firsts.iter_rows(named=True)
    ]


def place(source: str, member: str | None, line: int | None) -> str:
    """``quotes.zip(a.csv) line 17``."""
    inside = f"({member})" if member else ""
    return f"{source}{inside} line {line}".strip()


def quote_text(row: dict[str, object]) -> str:
    """``2016-04-29 P2065 seen 2016-04-29 20:15 UTC: bid 0.45, ask 1.00``, of one row."""
    right = {1: "C", -1: "P"}.get(row["right"], "?")  # type: ignore[call-overload]  # a cell
    strike = "?" if row["strike"] is None else f"{float(str(row['strike'])) / STRIKE_DIGITS:g}"
    seen = "?" if row["at"] is None else f"{row['at']:%Y-%m-%d %H:%M} UTC"
    bid, ask = ("none" if row[side] is None else f"{row[side]:g}" for side in ("bid", "ask"))
    return f"{row['expiry']} {right}{strike} seen {seen}: bid {bid}, ask {ask}"
