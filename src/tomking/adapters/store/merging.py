"""One month, new: what is stored and what was staged, merged a few sessions at a time.

The stored row stays.  A new row with the same key (instant, expiry, right, strike) is "already there" when
its prices are equal and nothing else it says differs; it completes the stored row where that says
nothing (a second file with the open interest, say); it is refused when it contradicts.  Among new rows, the
first of the first source counts as stored.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from pathlib import Path

import numpy as np
import polars as pl

from tomking.adapters.store.coverage import Instants
from tomking.adapters.store.months import Kind, MonthFile, MonthWriter, in_points, session_day
from tomking.adapters.store.prices import ladder, per_point
from tomking.adapters.store.staging import Piece, read_piece

SPAN_ROWS = 100_000
"""Sessions are merged together up to so many rows; a longer session alone."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A staged piece and the source it is of."""

    source: int
    folder: Path
    piece: Piece


@dataclass(slots=True, eq=False)
class Merged:
    """What came of a month; grows span by span."""

    counts: int
    """Of a price in a point."""
    rows: int = 0
    seen: dict[date, tuple[Instants, int]] = field(default_factory=dict)
    """Instants and rows of each session."""
    kept: Counter[int] = field(default_factory=Counter)
    """New or completing rows by source."""
    already: Counter[int] = field(default_factory=Counter)
    refused_rows: Counter[int] = field(default_factory=Counter)
    refused: list[tuple[int, Path]] = field(default_factory=list)
    """Source and file of rows that contradict; with the columns of the kind's raw form and ``reason``."""

    @property
    def changed(self) -> bool:
        return bool(self.kept)


def merge_month(
    kind: Kind, name: str, month: str, *, stored: Path | None, incoming: Sequence[Incoming], to: Path
) -> Merged:
    """Write the merged month to ``to`` (worthless when nothing changed), refused rows beside it."""
    if stored is None:
        return _merge(kind, name, month, old=None, incoming=incoming, to=to)
    with MonthFile(stored) as old:
        return _merge(kind, name, month, old=old, incoming=incoming, to=to)


def _merge(
    kind: Kind, name: str, month: str, *, old: MonthFile | None, incoming: Sequence[Incoming], to: Path
) -> Merged:
    steps = ladder(per_point(name))
    new_counts = steps[max(i.piece.rung for i in incoming)] if kind.prices else 1
    counts = max(new_counts, old.per_point if old else 0)
    done = Merged(counts)
    with MonthWriter(to, kind, name, month, counts) as writer:
        for number, days in enumerate(_spans(kind, old, incoming)):
            rows = _old(old, kind, days, counts)
            new = _new(kind, incoming, days, counts)
            if new is not None:
                rows = _merged_span(kind, name, rows, new, done=done, beside=to.with_suffix(f".{number}"))
            sessions = _by_day(rows)
            writer.add(sessions)
            done.rows += rows.height
            done.seen.update((day, (_instants(part), part.height)) for day, part in sessions)
    return done


def _spans(kind: Kind, old: MonthFile | None, incoming: Sequence[Incoming]) -> list[list[date]]:
    """The days of a month, ascending, in runs that are merged at once: the memory that is needed."""
    rows: Counter[date] = Counter()
    for each in incoming:
        rows.update(dict(each.piece.days))
    for day in old.days if old else ():
        rows[day] += old.rows_on(day) if old and kind.grouped else 0
    if not kind.grouped:
        return [sorted(rows)]
    spans: list[list[date]] = []
    held = SPAN_ROWS
    for day in sorted(rows):
        if held + rows[day] > SPAN_ROWS:
            spans.append([])
            held = 0
        spans[-1].append(day)
        held += rows[day]
    return spans


def _by_day(rows: pl.DataFrame) -> list[tuple[date, pl.DataFrame]]:
    """Rows that are sorted by instant, session by session."""
    runs = rows.select(session_day()).to_series().rle().struct.unnest()
    starts = [0, *accumulate(runs["len"])]
    return [
        (day, rows.slice(start, count))
        for start, (count, day) in zip(starts, runs.select("len", "value").iter_rows(), strict=False)
    ]


def _old(old: MonthFile | None, kind: Kind, days: Sequence[date], counts: int) -> pl.DataFrame:
    """The stored rows of a span in the new unit."""
    there = [day for day in days if day in old.days] if old else []
    if old is None or not there:
        return pl.DataFrame(schema=kind.schema(counts))
    rows = old.read(there) if kind.grouped else old.read_all()
    factor = counts // old.per_point
    assert factor * old.per_point == counts, "the units of a root divide each other"
    finer = [(pl.col(c).cast(pl.Int64) * factor).alias(c) for c in kind.prices] if factor > 1 else []
    return rows.with_columns(finer).with_columns(kind.typed(counts))


def _new(kind: Kind, incoming: Sequence[Incoming], days: Sequence[date], counts: int) -> pl.DataFrame | None:
    """The staged rows of a span as counts, in the order of their sources and lines."""
    parts = []
    for each in incoming:
        rows = read_piece(each.folder, each.piece, days)
        if rows is not None:
            parts.append(_counted(kind, rows, each.source, counts))
    return pl.concat(parts) if parts else None


def _counted(kind: Kind, rows: pl.DataFrame, source: int, counts: int) -> pl.DataFrame:
    whole = [(pl.col(c) * counts).round().alias(c) for c in kind.prices]
    which = pl.lit(source, dtype=pl.Int32).alias("_source")
    return rows.with_columns(whole).select(*kind.typed(counts), which, "line", "member")


def _merged_span(
    kind: Kind, name: str, before: pl.DataFrame, new: pl.DataFrame, *, done: Merged, beside: Path
) -> pl.DataFrame:
    ours = before.with_columns(
        _source=pl.lit(-1, dtype=pl.Int32), line=pl.lit(None, pl.Int64), member=pl.lit("")
    )
    rows = pl.concat([ours.select(new.columns), new]) if ours.height else new
    rows = rows.sort(kind.key, maintain_order=True)
    repeats = rows.select(
        pl.all_horizontal(pl.col(c).eq_missing(pl.col(c).shift()) for c in kind.key)
    ).to_series()
    repeats[0] = False
    if not repeats.any():
        done.kept.update(_by_source(new))
        return rows.select(kind.columns)
    judged = _judged(kind, rows.with_columns(_group=(~repeats).cum_sum(), _repeat=repeats))
    done.kept.update(_by_source(judged.filter(pl.col("_adds") & (pl.col("_source") >= 0))))
    equal = ~pl.col("_adds") & ~pl.col("_bad") & (pl.col("_source") >= 0)
    done.already.update(_by_source(judged.filter(equal)))
    _refuse(kind, name, judged, done, beside)
    good = judged.filter(~pl.col("_bad"))
    filled = [pl.col(c).drop_nulls().first() for c in kind.said]
    kept = [pl.col(c).first() for c in (*kind.key, *kind.prices)]
    return good.group_by("_group", maintain_order=True).agg(kept + filled).select(kind.columns)


def _judged(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Adds ``_bad`` (contradicts), ``_adds`` (new, or completes) ``_is_<column>``: what each is held to."""
    group = "_group"
    held = [pl.col(c).first().over(group).alias(f"_is_{c}") for c in kind.prices]
    rows = rows.with_columns(held)
    other = [pl.col(c).ne_missing(pl.col(f"_is_{c}")) for c in kind.prices]
    rows = rows.with_columns(_priced=pl.any_horizontal(other) if other else pl.lit(value=False))
    # What a row of another price says of the rest is not taken for the contract.
    said = [pl.when(~pl.col("_priced")).then(pl.col(c)) for c in kind.said]
    rows = rows.with_columns(
        e.drop_nulls().first().over(group).alias(f"_is_{c}") for c, e in zip(kind.said, said, strict=True)
    )
    differs = [pl.col(c) != pl.col(f"_is_{c}") for c in kind.said]
    rows = rows.with_columns(_bad=pl.col("_priced") | pl.any_horizontal(differs).fill_null(value=False))
    firsts = [
        pl.col(c).is_not_null()
        & ~pl.col("_bad")
        & ((pl.col(c).is_not_null() & ~pl.col("_bad")).cum_sum().over(group) == 1)
        for c in kind.said
    ]
    completes = pl.any_horizontal(firsts)
    return rows.with_columns(_adds=~pl.col("_bad") & (~pl.col("_repeat") | completes))


def _refuse(kind: Kind, name: str, judged: pl.DataFrame, done: Merged, beside: Path) -> None:
    bad, counts = judged.filter(pl.col("_bad")), done.counts
    for (source,), rows in bad.partition_by("_source", as_dict=True).items():
        said = [_price_difference(c, counts) for c in kind.prices] + [_difference(c) for c in kind.said]
        reason = pl.concat_str(
            pl.lit("contradicts the stored row: "), pl.concat_str(said, separator=", ", ignore_nulls=True)
        )
        back = [in_points(c, counts) for c in kind.prices]
        path = beside.with_name(f"{beside.name}-{source}.refused")
        named = rows.with_columns(reason.alias("reason"), pl.lit(name).alias(kind.of), *back).sort("line")
        named.select(*kind.raw.names(), "reason").write_ipc(path, compression="lz4")
        done.refused.append((int(source), path))
        done.refused_rows[int(source)] += rows.height


def _price_difference(column: str, counts: int) -> pl.Expr:
    """In words, as ``bid 1.15 is stored``; null where the price agrees.  No quote is one too."""
    kept = in_points(f"_is_{column}", counts).cast(pl.String).fill_null("empty")
    differs = pl.col(column).ne_missing(pl.col(f"_is_{column}"))
    return pl.when(differs).then(pl.format(f"{column} {{}} is stored", kept))


def _difference(column: str) -> pl.Expr:
    """The same of what else a row says: where either says nothing, they agree."""
    differs = (pl.col(column) != pl.col(f"_is_{column}")).fill_null(value=False)
    return pl.when(differs).then(pl.format(f"{column} {{}} is stored", pl.col(f"_is_{column}")))


def _by_source(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows["_source"].value_counts().iter_rows())


def _instants(rows: pl.DataFrame) -> Instants:
    return np.unique(rows["at"].cast(pl.Int64).to_numpy())
