"""Within a snapshot: quotes that contradict each other by more than their spreads.

    vertical    neighbours K1 < K2: a call at K1 is worth at least the one at K2 and at most K2 - K1 more
                (puts the other way round); said where ask and bid would allow the trade at a gain
    butterfly   prices are convex in the strike; said where selling the middle at its bid pays for both
                wings at their asks, half a tick at least
    parity      call less put is D (F - K) on one straight line per expiry; said where the interval
                [call bid - put ask, call ask - put bid] misses the line by more than ``PARITY_SHARE``

Source: R. C. Merton, "Theory of rational option pricing", Bell J. Economics 4 (1973) 141-183.  The first
two hold for American options too.  Parity does not: for those a band for early exercise is added.
"""

from typing import Any

import polars as pl

from tomking.adapters.importers.raw import STRIKE_DIGITS
from tomking.adapters.verify.context import listing_of
from tomking.adapters.verify.findings import Finding
from tomking.adapters.verify.sessions import contract_text, worst_of_sessions

PARITY_SHARE = 2e-4
"""Share of the forward by which a pair may miss the line beyond its spread: one point of 5000."""
EARLY_EXERCISE_A_YEAR = 0.08
"""The band of American pairs, share of the strike a year: interest and dividends together."""
NEAR = 0.15
"""Pairs within this share of the forward decide the line."""
FEWEST_PAIRS = 6
DISCOUNT_RATES = (-0.02, 0.15)
"""Rates a year within which the line's slope is believed."""
_CENT = 1e-6

_CHAIN = ("root", "session", "at", "expiry")


def arbitrage_findings(quotes: pl.DataFrame) -> list[Finding]:
    """Vertical, butterfly and parity violations, one finding a kind, root and session."""
    rows = (
        quotes.select(*_CHAIN, "right", "strike", "bid", "ask")
        .with_columns((pl.col("strike") / STRIKE_DIGITS).alias("k"))
        .sort(*_CHAIN, "right", "k")
    )
    return [
        *_found("vertical", _verticals(rows)),
        *_found("butterfly", _butterflies(rows)),
        *_found("parity", parity_misses(rows)),
    ]


def _found(kind: str, rows: pl.DataFrame) -> list[Finding]:
    text = {"vertical": _vertical_text, "butterfly": _butterfly_text, "parity": _parity_text}[kind]
    expiries = pl.col("expiry").n_unique().over("root", "session").alias("expiries")
    return [
        Finding(kind, row["root"], _where(row), row["contracts"], text(row), row["session"])
        for row in worst_of_sessions(rows.with_columns(expiries), "gain", count=pl.len())
    ]


def _where(row: dict[str, Any]) -> str:
    return f"{row['session']}, {row['expiries']} {'expiry' if row['expiries'] == 1 else 'expiries'}"


def _next(name: str, n: int) -> pl.Expr:
    """The value ``n`` strikes further on in the same expiry and right, else null."""
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift(-n) for c in (*_CHAIN, "right"))
    return pl.when(same).then(pl.col(name).shift(-n))


def _verticals(rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs of neighbours with ``gain``, points that the trade would lock in at bid and ask."""
    call = pl.col("right") > 0
    bid, ask, k = pl.col("bid"), pl.col("ask"), pl.col("k")
    far_bid, far_ask, width = pl.col("bid2"), pl.col("ask2"), pl.col("k2") - k
    for_nothing = pl.when(call).then(far_bid - ask).otherwise(bid - far_ask)
    too_wide = pl.when(call).then(bid - far_ask).otherwise(far_bid - ask) - width
    return (
        rows.with_columns(*(_next(c, 1).alias(f"{c}2") for c in ("k", "bid", "ask")))
        .with_columns(pl.max_horizontal(for_nothing, too_wide).alias("gain"))
        .filter(pl.col("gain") > _CENT)
    )


def _butterflies(rows: pl.DataFrame) -> pl.DataFrame:
    near = (pl.col("k3") - pl.col("k2")) / (pl.col("k3") - pl.col("k"))
    wings = near * pl.col("ask") + (1 - near) * pl.col("ask3")
    roots = [str(root) for root in rows["root"].unique()]
    ticks = pl.DataFrame(
        {"root": roots, "tick": [listing_of(root).tick for root in roots]},
        schema={"root": pl.String, "tick": pl.Float64},
    )
    return (
        rows.with_columns(
            *(_next(c, 1).alias(f"{c}2") for c in ("k", "bid", "ask")),
            *(_next(c, 2).alias(f"{c}3") for c in ("k", "ask")),
        )
        .join(ticks, on="root", maintain_order="left")
        .with_columns((pl.col("bid2") - wings).alias("gain"))
        .filter(pl.col("gain") > 0.5 * pl.col("tick") + _CENT)
    )


# -------------------------------------------------------------------------------------------------- parity


def pairs_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Call and put of one strike side by side, both quoted on both sides: ``lo``, ``hi`` and ``y`` mid."""
    quoted = rows.filter(pl.col("bid").is_not_null() & pl.col("ask").is_not_null())
    call, put = quoted.filter(pl.col("right") > 0), quoted.filter(pl.col("right") < 0)
    return call.join(
        put.select(*_CHAIN, "strike", pl.col("bid").alias("put_bid"), pl.col("ask").alias("put_ask")),
        on=[*_CHAIN, "strike"],
    ).with_columns(
        (pl.col("bid") - pl.col("put_ask")).alias("lo"),
        (pl.col("ask") - pl.col("put_bid")).alias("hi"),
        (0.5 * (pl.col("bid") + pl.col("ask") - pl.col("put_bid") - pl.col("put_ask"))).alias("y"),
    )


def first_forwards(pairs: pl.DataFrame) -> pl.DataFrame:
    """A forward of each chain: the median of K + C - P of the ten pairs that lie nearest to it."""
    return (
        pairs.with_columns(pl.col("y").abs().rank("ordinal").over(_CHAIN).alias("_rank"))
        .filter(pl.col("_rank") <= 10)
        .group_by(_CHAIN)
        .agg((pl.col("k") + pl.col("y")).median().alias("f0"), pl.len().alias("n"))
    )


def parity_misses(rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose interval misses their expiry's line, with ``gain``, points beyond spread and band.

    1. A first forward, robust against stale pairs.
    2. The line by least squares on the pairs near it, weighted by spread.
    3. Again without those that miss it; its slope is kept within believable interest.
    """
    pairs = pairs_of(rows)
    pairs = pairs.join(first_forwards(pairs).filter(pl.col("n") >= FEWEST_PAIRS), on=list(_CHAIN))
    if pairs.is_empty():
        return pairs.with_columns(pl.lit(0.0).alias("gain"))
    american = [r for r in pairs["root"].unique() if not listing_of(str(r)).european]
    years = ((pl.col("expiry") - pl.col("session")).dt.total_days() + 0.5) / 365.0
    band = pl.when(pl.col("root").is_in(american)).then(EARLY_EXERCISE_A_YEAR * years * pl.col("k"))
    pairs = pairs.with_columns(
        years.alias("years"),
        ((pl.col("k") / pl.col("f0") - 1).abs() <= NEAR).alias("near"),
        (PARITY_SHARE * pl.col("f0") + band.fill_null(0.0)).alias("band"),
    )
    misses = _missed(_lined(pairs, pl.col("near")))
    misses = _missed(_lined(misses.drop("d", "f", "gain"), pl.col("near") & (pl.col("gain") <= 0), misses))
    return misses.filter((pl.col("gain") > 0) & pl.col("near"))


def _lined(pairs: pl.DataFrame, used: pl.Expr, judged: pl.DataFrame | None = None) -> pl.DataFrame:
    """The pairs with their chain's discount factor ``d`` and forward ``f``, from the ``used`` ones."""
    source = (pairs if judged is None else judged).filter(used)
    w = 1.0 / (pl.col("hi") - pl.col("lo") + 0.05) ** 2
    x = pl.col("k") - pl.col("f0")
    sums = source.group_by(_CHAIN).agg(
        w.sum().alias("s"),
        (w * x).sum().alias("sx"),
        (w * pl.col("y")).sum().alias("sy"),
        (w * x * x).sum().alias("sxx"),
        (w * x * pl.col("y")).sum().alias("sxy"),
        pl.col("years").first().alias("t"),
        pl.col("f0").first().alias("c"),
    )
    low, high = ((-rate * pl.col("t")).exp() for rate in reversed(DISCOUNT_RATES))
    slope = (pl.col("s") * pl.col("sxy") - pl.col("sx") * pl.col("sy")) / (
        pl.col("s") * pl.col("sxx") - pl.col("sx") ** 2
    )
    lines = sums.with_columns((-slope).fill_nan(1.0).clip(low, high).alias("d")).with_columns(
        (pl.col("c") + (pl.col("sy") / pl.col("d") + pl.col("sx")) / pl.col("s")).alias("f")
    )
    return pairs.join(lines.select(*_CHAIN, "d", "f"), on=list(_CHAIN))


def _missed(lined: pl.DataFrame) -> pl.DataFrame:
    line = pl.col("d") * (pl.col("f") - pl.col("k"))
    return lined.with_columns(
        (pl.max_horizontal(pl.col("lo") - line, line - pl.col("hi")) - pl.col("band")).alias("gain")
    )


# --------------------------------------------------------------------------------------------------- words


def _vertical_text(row: dict[str, Any]) -> str:
    return (
        f"{row['at']:%H:%M} UTC {contract_text(row)} {row['bid']:g}/{row['ask']:g} beside"
        f" {row['k2']:g} {row['bid2']:g}/{row['ask2']:g}: {row['gain']:.2f} points"
    )


def _butterfly_text(row: dict[str, Any]) -> str:
    return (
        f"{row['at']:%H:%M} UTC {contract_text(row)}, {row['k2']:g}, {row['k3']:g}:"
        f" middle bid {row['bid2']:g}, wings offered {row['ask']:g} and {row['ask3']:g}"
    )


def _parity_text(row: dict[str, Any]) -> str:
    return (
        f"{row['at']:%H:%M} UTC {row['expiry']} strike {row['k']:g}: call {row['bid']:g}/{row['ask']:g}, put"
        f" {row['put_bid']:g}/{row['put_ask']:g}, forward {row['f']:.2f}:"
        f" {row['gain']:.2f} points beyond spread and band"
    )
