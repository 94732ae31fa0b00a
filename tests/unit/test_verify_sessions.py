"""Session checks: a good generated month has no findings; each defect planted in it is found where it is."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tomking.adapters.history import load_history
from tomking.adapters.importers.raw import QUOTES, STRIKE_DIGITS
from tomking.adapters.verify import (
    KINDS,
    Context,
    Finding,
    across_findings,
    as_json,
    check,
    daily_levels,
    examine,
    examine_part,
    joined,
    load_context,
)
from tomking.pricing.black import black

FIRST, LAST = date(2031, 3, 3), date(2031, 3, 7)
EXPIRIES = (date(2031, 3, 14), date(2031, 4, 17))
STRIKES = np.arange(5600.0, 5905.0, 10.0)
SAMPLES = Path(__file__).resolve().parents[2] / "../shared/data"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the data samples are not here")


@pytest.fixture(scope="module")
def context() -> Context:
    return load_context(date(2030, 1, 2), date(2032, 12, 31))


@cache
def good_week() -> pl.DataFrame:
    """SPXW every half hour over a week: Black prices at 16 %, 0.20 or more of spread, rounded outwards."""
    rng = np.random.default_rng(7)
    sessions = load_context(date(2030, 1, 2), date(2032, 12, 31)).securities.between(FIRST, LAST)
    parts, spot = [], 5750.0
    for session in sessions:
        for step in range(1, 14):
            spot *= float(np.exp(0.0025 * rng.standard_normal()))
            parts += [snapshot(session.open + step * timedelta(minutes=30), spot, e) for e in EXPIRIES]
    return pl.concat(parts).select(list(QUOTES)).cast(QUOTES)


def snapshot(at: datetime, spot: float, expiry: date) -> pl.DataFrame:
    n = STRIKES.size
    years = np.full(2 * n, (datetime(expiry.year, expiry.month, expiry.day, 20, tzinfo=UTC) - at).days / 365)
    discount = np.exp(-0.03 * years)
    right = np.repeat([1, -1], n)
    priced = black(
        forward=spot / discount,
        strike=np.tile(STRIKES, 2),
        years=years,
        vol=np.full(2 * n, 0.16),
        discount=discount,
        right=right,
    )
    half = 0.1 + 0.01 * priced.price
    return pl.DataFrame(
        {
            "line": np.arange(2 * n) + 2,
            "member": "",
            "root": "SPXW",
            "at": at,
            "expiry": expiry,
            "right": right,
            "strike": np.tile(STRIKES, 2) * STRIKE_DIGITS,
            "bid": np.maximum(np.floor((priced.price - half) * 10) / 10, 0.0),
            "ask": np.ceil((priced.price + half) * 10) / 10,
            "bid_size": 10,
            "ask_size": 10,
            "volume": None,
            "open_interest": None,
            "spot": round(spot, 2),
            "multiplier": 100.0,
        },
        schema_overrides={"at": pl.Datetime("us", "UTC"), "volume": pl.Int64, "open_interest": pl.Int64},
    )


def kinds(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {f.kind: f for f in findings}


def changed(where: pl.Expr, **columns: pl.Expr) -> pl.DataFrame:
    """The good week with some columns of some rows replaced."""
    return good_week().with_columns(
        pl.when(where).then(value).otherwise(pl.col(name)).alias(name) for name, value in columns.items()
    )


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2031, 3, day, hour, minute, tzinfo=UTC)


CONTRACT = (
    (pl.col("strike") == 5750 * STRIKE_DIGITS) & (pl.col("right") == -1) & (pl.col("expiry") == EXPIRIES[0])
)
TUESDAY = pl.col("at").dt.date() == date(2031, 3, 4)


def test_a_good_week_has_no_findings(context: Context) -> None:
    assert check(good_week(), context).findings == ()
    assert examine(good_week(), context) == ()


@pytest.mark.parametrize("seed", [1, 2])
def test_uneven_spreads_are_no_finding(seed: int, context: Context) -> None:
    week = good_week()
    wider = pl.Series(np.random.default_rng(seed).integers(0, 4, week.height) * 0.1)
    uneven = week.with_columns((pl.col("bid") - wider).clip(0).round(1), (pl.col("ask") + wider).round(1))
    assert check(uneven, context).quarantined.is_empty()
    assert examine(uneven, context) == ()


def test_calls_and_puts_under_each_others_name_contradict_everything(context: Context) -> None:
    found = kinds(examine(good_week().with_columns(-pl.col("right")), context))
    assert {"vertical", "parity"} <= set(found)
    # 13 snapshots of 2 expiries with 30 pairs of neighbours, calls and puts: nearly all.
    assert found["vertical"].count > 1000


def test_a_quote_that_rests_while_its_neighbours_move_is_stuck(context: Context) -> None:
    resting = CONTRACT & TUESDAY & (pl.col("at") >= at(4, 16))  # eleven snapshots, 16:00 to 21:00 UTC
    bad = changed(resting, bid=pl.lit(50.0), ask=pl.lit(51.0))
    stuck = kinds(examine(bad, context))["stuck"]
    assert (stuck.root, stuck.session, stuck.count) == ("SPXW", date(2031, 3, 4), 1)
    assert "2031-03-14 P5750 at 50/51 from 16:30" in stuck.example


def test_an_expiry_that_repeats_itself_while_the_index_moves_is_frozen(context: Context) -> None:
    week = good_week()
    still = week.filter((pl.col("at") == at(4, 16)) & (pl.col("expiry") == EXPIRIES[1]))
    later = week.filter((pl.col("at") == at(4, 16, 30)) & (pl.col("expiry") == EXPIRIES[1]))
    repeated = still.with_columns(later["at"], later["spot"])
    rest = week.filter(~((pl.col("at") == at(4, 16, 30)) & (pl.col("expiry") == EXPIRIES[1])))
    frozen = kinds(examine(pl.concat([rest, repeated]), context))["frozen"]
    assert (frozen.session, frozen.count) == (date(2031, 3, 4), 1)
    assert "expiry 2031-04-17" in frozen.example


def test_a_missing_session_is_named(context: Context) -> None:
    gone = kinds(examine(good_week().filter(~TUESDAY), context))["missing_sessions"]
    assert (gone.count, gone.example, gone.where) == (1, "2031-03-04", "2031-03-03 to 2031-03-07")


def test_a_hole_in_a_session_is_counted_in_snapshots(context: Context) -> None:
    # 16:00, 16:30 and 17:00 are gone: between 15:30 and 17:30 three are missing.
    hole = kinds(examine(good_week().filter(~pl.col("at").is_between(at(4, 16), at(4, 17))), context))["hole"]
    assert (hole.session, hole.count) == (date(2031, 3, 4), 3)
    assert hole.example == "nothing between 15:30 and 17:30 UTC, usually every 30 min"


def test_a_session_that_ends_early_has_a_hole_at_its_end(context: Context) -> None:
    hole = kinds(examine(good_week().filter(~(TUESDAY & (pl.col("at") > at(4, 18)))), context))["hole"]
    assert hole.count == 5  # 18:30 to 20:30; the close itself may lack
    assert "nothing between 18:00 and 21:00" in hole.example


def test_a_snapshot_with_few_contracts_is_thin(context: Context) -> None:
    thin = kinds(examine(good_week().filter((pl.col("at") != at(4, 16)) | CONTRACT), context))[
        "thin_snapshot"
    ]
    assert (thin.count, thin.example) == (1, "16:00 UTC: 1 contracts, usually 124")


def test_a_pair_off_the_parity_line_is_found(context: Context) -> None:
    # The put is raised by five points, spread and all: a vertical shows it too.
    wrong = CONTRACT & (pl.col("at") == at(4, 16))
    found = kinds(examine(changed(wrong, bid=pl.col("bid") + 8, ask=pl.col("ask") + 8), context))
    assert (found["parity"].session, found["parity"].count) == (date(2031, 3, 4), 1)
    assert "2031-03-14 strike 5750" in found["parity"].example


def test_a_quote_dearer_than_a_better_one_is_a_vertical(context: Context) -> None:
    # Neighbouring puts ten points apart differ by about five; twelve more is above the next one's ask.
    wrong = CONTRACT & (pl.col("at") == at(4, 16))
    found = kinds(examine(changed(wrong, bid=pl.col("bid") + 12, ask=pl.col("ask") + 12), context))
    assert "16:00 UTC 2031-03-14 P5740" in found["vertical"].example or "P5750" in found["vertical"].example
    assert found["vertical"].count == 2  # against either neighbour


def test_a_quote_above_the_line_of_its_neighbours_is_a_butterfly(context: Context) -> None:
    wrong = CONTRACT & (pl.col("at") == at(4, 16))
    found = kinds(examine(changed(wrong, bid=pl.col("bid") + 4, ask=pl.col("ask") + 4), context))
    assert found["butterfly"].count == 1
    assert "P5740, 5750, 5760" in found["butterfly"].example


@pytest.mark.parametrize("hours", [-6, -1, 1, 5])
def test_times_in_another_zone_are_seen_by_the_hours_of_the_session(hours: int, context: Context) -> None:
    moved = good_week().with_columns(pl.col("at") + timedelta(hours=hours))
    zone = kinds(examine(moved, context))["wrong_zone"]
    # Snapshots from 10:00 to 16:00 leave half an hour of play before the open.
    assert f"moved by {-hours:+d} hour" in zone.example


def test_one_hour_off_inside_the_session_is_seen_by_the_official_close(context: Context) -> None:
    week = good_week()
    daily = (
        week.sort("at")
        .group_by(pl.col("at").dt.date().alias("day"))
        .agg(
            pl.col("spot").last().alias("close"), pl.col("spot").min().alias("low"), high=pl.col("spot").max()
        )
        .with_columns(pl.col("close").alias("open"))
    )
    middle = week.filter(pl.col("at").dt.hour() >= 17).with_columns(pl.col("at") - timedelta(hours=1))
    held = {"SPXW": daily}
    assert "wrong_zone" not in kinds(examine(week, context, daily=held))
    found = kinds(examine(middle, context, daily=held))
    assert "official close only when moved by +1 hour" in found["wrong_zone"].example


def test_a_split_shows_between_two_sessions(context: Context) -> None:
    after = pl.col("at") > at(5, 0)
    seventh = changed(after, spot=pl.col("spot") / 7)
    split = kinds(examine(seventh.with_columns(pl.lit("AAPL").alias("root")), context))["split"]
    assert split.session == date(2031, 3, 5)
    assert "a split 7 for 1" in split.example


def test_a_level_at_another_scale_is_held_against_the_history(context: Context) -> None:
    daily = pl.DataFrame(
        {
            "day": [date(2031, 3, d) for d in range(3, 8)],
            "open": 57.5,
            "high": 59.5,
            "low": 55.5,
            "close": 57.5,
        }
    )
    scale = kinds(examine(good_week(), context, daily={"SPXW": daily}))["scale"]
    assert (scale.count, scale.where) == (5, "2031-03-03 to 2031-03-07")
    assert "the close was 57.5: 96.6 times" in scale.example  # the week's middle is 5,554


def test_strikes_at_another_scale_than_the_level_are_found(context: Context) -> None:
    bad = good_week().with_columns(pl.col("spot") * 10)
    assert "the middle strike 5750" in kinds(examine(bad, context))["scale"].example


def test_a_level_outside_the_days_range_is_found(context: Context) -> None:
    daily = pl.DataFrame(
        {"day": [date(2031, 3, 4)], "open": 6100.0, "high": 6200.0, "low": 6050.0, "close": 6100.0}
    )
    level = kinds(examine(good_week(), context, daily={"SPXW": daily}))["level"]
    assert (level.count, level.where) == (1, "2031-03-04")


def test_levels_are_implied_where_no_row_has_one(context: Context) -> None:
    bare = good_week().with_columns(pl.lit(None, dtype=pl.Float64).alias("spot"))
    _, summary = examine_part(bare, context)
    _, with_spot = examine_part(good_week(), context)
    implied, real = summary.sessions["level"].to_numpy(), with_spot.instants["spot"].to_numpy()
    # The forward of the last snapshot's nearest expiry, ten days ahead at 3 %: 5 points above.
    assert implied[-1] == pytest.approx(real[-1] + 4, abs=3)


def test_parts_judged_together_find_what_the_whole_finds(context: Context) -> None:
    bad = good_week().filter(~TUESDAY)
    parts = [
        examine_part(bad.filter(p), context) for p in (pl.col("at") < at(5, 0), pl.col("at") >= at(5, 0))
    ]
    together = [*parts[0][0], *parts[1][0], *across_findings(joined([d for _, d in parts]), context, {})]
    assert together == list(examine(bad, context))


def test_a_finding_reads_as_a_sentence_and_as_json(context: Context) -> None:
    (gone,) = examine(good_week().filter(~TUESDAY), context)
    assert str(gone).startswith(
        "SPXW: 1 sessions between the first and the last without any quote (2031-03-03"
    )
    plain = as_json(gone)
    assert (plain["severity"], plain["advice"]) == ("warning", "import the missing days")


def sample(name: str, stamp: str, **columns: pl.Expr) -> pl.DataFrame:
    """A real sample in raw form, with what its layout calls otherwise."""
    cells = pl.read_csv(SAMPLES / "chains" / name).with_row_index("line", 2).with_columns(**columns)
    wall = pl.col("quote_date") + " 16:00" if stamp == "quote_date" else pl.col(stamp)
    seen = wall.str.to_datetime("%Y-%m-%d %H:%M").dt.replace_time_zone("America/New_York")
    right = pl.when(pl.col("right").str.to_uppercase().str.starts_with("C")).then(1).otherwise(-1)
    strike = (pl.col("strike").cast(pl.Float64) * STRIKE_DIGITS).round()
    whole = cells.with_columns(
        pl.lit("").alias("member"),
        seen.dt.convert_time_zone("UTC").alias("at"),
        pl.col("expiration").str.to_date().alias("expiry"),
        right.alias("right"),
        strike.alias("strike"),
    )
    return whole.select(
        (pl.col(name) if name in whole.columns else pl.lit(None)).cast(dtype, strict=False).alias(name)
        for name, dtype in QUOTES.items()
    )


@needs_samples
def test_the_zero_dte_friday_has_its_stale_quotes_and_nothing_else() -> None:
    # The README of the samples: the snapshots of expired contracts are stale.  184 strikes, calls and puts,
    # at 16:15; what stands at 16:00 was quoted when trading ended.
    held = load_context()
    friday = sample(
        "spxw_15min_20160429_0dte.csv.gz",
        "quote_datetime",
        root=pl.col("symbol"),
        spot=pl.col("spot_price"),
        right=pl.col("option_type"),
    )
    checked = check(friday, held)
    assert checked.reasons == {"expired": 2 * 184}
    assert [f.kind for f in checked.findings] == ["expired"]
    assert examine(checked.kept, held, daily=daily_levels(load_history())) == ()


@needs_samples
def test_the_yahoo_chain_has_its_28_crossed_quotes_and_its_mixed_expiries() -> None:
    chain = sample(
        "spx_chain_yahoo_20260731.csv.gz",
        "seen",
        root=pl.lit("SPXW"),
        seen=pl.lit("2026-07-31 17:22"),
        spot=pl.lit(7489.72),
        right=pl.col("type"),
    )
    held = load_context()
    checked = check(chain, held)
    # Of the 28, 23 have an ask of 0; 275 more rows have neither bid nor ask.
    assert checked.reasons == {"crossed": 28, "zero_ask": 275}
    found = kinds(examine(checked.kept, held))
    assert {"parity", "vertical", "butterfly"} <= set(found)


@needs_samples
def test_the_end_of_day_chains_of_january_2018_are_clean() -> None:
    eod = sample(
        "spxw_eod_exp20180131.csv.gz",
        "quote_date",
        spot=pl.col("underlying_last"),
        right=pl.col("type"),
    )
    held = load_context()
    checked = check(eod, held)
    assert (checked.quarantined.height, checked.findings) == (0, ())
    assert examine(checked.kept, held, daily=daily_levels(load_history())) == ()


def test_the_manual_has_every_kind_in_the_words_of_the_reports() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "verifying.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        assert f"| `{kind.name}` | {kind.severity} | {kind.meaning} | {kind.advice} |" in text
