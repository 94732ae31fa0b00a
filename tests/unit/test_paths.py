"""Minute paths: what they hit, how they move, and what they know."""

import csv
import gzip
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tomking.adapters.history import load_history
from tomking.domain.bars import Bars, History
from tomking.sim.paths import DayPath, Paths

Floats = NDArray[np.float64]

SEED = 20160429
SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the development data is not here")


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


@pytest.fixture(scope="module")
def minutes(history: History) -> NDArray[np.int64]:
    lengths = np.full(len(history.spx), 390)
    lengths[::97] = 210
    return lengths


@pytest.fixture(scope="module")
def drawn(history: History, minutes: NDArray[np.int64]) -> list[DayPath]:
    paths = Paths(history, minutes, SEED)
    return [paths.day(i) for i in range(len(history.spx))]


def log_steps(levels: Floats) -> Floats:
    return np.diff(np.log(levels))


def lag_one(steps: list[Floats]) -> float:
    """Pooled over days, each day's minutes in units of that day's standard deviation."""
    scaled = [s / s.std() for s in steps]
    return float(np.mean(np.concatenate([s[1:] * s[:-1] for s in scaled])))


def garman_klass(start: float, high: float, low: float, close: float) -> float:
    return 0.5 * math.log(high / low) ** 2 - (2 * math.log(2) - 1) * math.log(close / start) ** 2


def cut(history: History, first: int, end: int) -> History:
    kept = slice(first, end)

    def part(bars: Bars) -> Bars:
        return Bars(bars.day[kept], bars.open[kept], bars.high[kept], bars.low[kept], bars.close[kept])

    return History(
        part(history.spx),
        part(history.vix),
        history.vix_flag[kept],
        history.rate[kept],
        history.source_digest,
    )


# ---- what every day hits


def test_the_index_hits_each_days_real_high_low_and_close_exactly(
    history: History, drawn: list[DayPath]
) -> None:
    assert [p.spx.max() for p in drawn] == history.spx.high.tolist()
    assert [p.spx.min() for p in drawn] == history.spx.low.tolist()
    assert [p.spx[-1] for p in drawn] == history.spx.close.tolist()


def test_vix_runs_from_its_real_open_to_its_real_close_and_touches_its_high_and_low(
    history: History, drawn: list[DayPath]
) -> None:
    assert [p.vix[0] for p in drawn] == history.vix.open.tolist()
    assert [p.vix.max() for p in drawn] == history.vix.high.tolist()
    assert [p.vix.min() for p in drawn] == history.vix.low.tolist()
    assert [p.vix[-1] for p in drawn] == history.vix.close.tolist()


def test_a_flat_vix_bar_is_a_flat_path(history: History, drawn: list[DayPath]) -> None:
    flat = np.flatnonzero(history.vix.high == history.vix.low)
    assert len(flat) > 400
    assert all(np.ptp(drawn[i].vix) == 0.0 for i in flat)


def test_half_days_have_211_points_and_others_391(drawn: list[DayPath], minutes: NDArray[np.int64]) -> None:
    assert [len(p.spx) for p in drawn] == (minutes + 1).tolist()
    assert [len(p.vix) for p in drawn] == (minutes + 1).tolist()


def test_a_path_cannot_be_written_to(drawn: list[DayPath]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        drawn[0].spx[0] = 1.0


# ---- how it moves


def test_minute_returns_are_uncorrelated(history: History, drawn: list[DayPath]) -> None:
    assert abs(lag_one([log_steps(p.spx) for p in drawn])) < 0.01
    moving = np.flatnonzero(history.vix.high > history.vix.low)
    assert abs(lag_one([log_steps(drawn[i].vix) for i in moving])) < 0.01


def test_the_median_realised_variance_is_within_a_fifth_of_garman_klass(
    history: History, drawn: list[DayPath]
) -> None:
    bars = history.spx
    ratio = [
        float(np.sum(log_steps(p.spx) ** 2)) / garman_klass(float(p.spx[0]), *bar)
        for p, bar in zip(drawn, zip(bars.high, bars.low, bars.close, strict=True), strict=True)
    ]
    # Real minutes give 1.16 (26 SPX sessions) and 1.12 (21 ES sessions).
    assert 1.05 < np.median(ratio) < 1.2
    assert np.quantile(ratio, 0.01) > 0.8
    assert np.quantile(ratio, 0.99) < 1.5


def test_vix_moves_against_the_index(history: History, drawn: list[DayPath]) -> None:
    moving = np.flatnonzero(history.vix.high > history.vix.low)
    together = [np.corrcoef(log_steps(drawn[i].spx), log_steps(drawn[i].vix))[0, 1] for i in moving]
    low, middle, high = np.quantile(together, [0.05, 0.5, 0.95])
    assert -0.85 < low < middle < high < -0.7


def test_no_minute_jumps_and_no_level_is_held(drawn: list[DayPath]) -> None:
    steps = [log_steps(p.spx) for p in drawn]
    # Kurtosis is about 5, so that a day's largest of 390 is 4.3 deviations in the median.
    largest = [np.abs(s).max() / s.std() for s in steps]
    assert np.median(largest) < 5
    assert max(largest) < 12
    assert sum(int(np.sum(s == 0.0)) for s in steps) == 0


def test_minutes_beside_the_high_move_like_those_around_it(drawn: list[DayPath]) -> None:
    ratios = []
    for path in drawn:
        at, squares = int(path.spx.argmax()), log_steps(path.spx) ** 2
        if 20 < at < len(squares) - 20:
            ratios.append(squares[at - 2 : at + 2].mean() / squares[at - 20 : at + 20].mean())
    assert 0.8 < np.median(ratios) < 1.25


# ---- what it knows


def test_a_day_is_the_same_drawn_alone_or_in_sequence(
    history: History, minutes: NDArray[np.int64], drawn: list[DayPath]
) -> None:
    for i in (0, 1, 970, 4742, 8000):
        alone = Paths(history, minutes, SEED).day(i)
        assert np.array_equal(alone.spx, drawn[i].spx)
        assert np.array_equal(alone.vix, drawn[i].vix)


def test_no_later_and_no_older_session_matters(
    history: History, minutes: NDArray[np.int64], drawn: list[DayPath]
) -> None:
    # Two rows, the session before and the day itself, are all it takes; the row's number is nothing.
    for i in (1, 970, 4742, 8000):
        short = Paths(cut(history, i - 1, i + 1), minutes[i - 1 : i + 1], SEED).day(1)
        assert np.array_equal(short.spx, drawn[i].spx)
        assert np.array_equal(short.vix, drawn[i].vix)


def test_another_seed_gives_another_path_through_the_same_bar(
    history: History, minutes: NDArray[np.int64], drawn: list[DayPath]
) -> None:
    other = Paths(history, minutes, SEED + 1).day(970)
    assert not np.array_equal(other.spx, drawn[970].spx)
    assert other.spx[-1] == drawn[970].spx[-1]


def test_a_recent_day_is_kept(history: History, minutes: NDArray[np.int64]) -> None:
    paths = Paths(history, minutes, SEED)
    first = paths.day(5)
    assert paths.day(5) is first
    for i in range(6, 30):
        paths.day(i)
    assert paths.day(5) is not first
    assert np.array_equal(paths.day(5).spx, first.spx)


# ---- against real minutes and opens


def rows(name: str) -> list[dict[str, str]]:
    with gzip.open(SHARED / name, "rt") as lines:
        return list(csv.DictReader(lines))


def real_minutes() -> list[Floats]:
    """Log returns of regular hours: 26 SPX sessions of 2026 and 21 ES sessions of 2020."""
    sessions: dict[str, list[float]] = defaultdict(list)
    for row in rows("intraday/spx_1min_20260717_20260821.csv.gz"):
        sessions[row["date"]].append(float(row["close"]))
    for row in rows("intraday/es_h20_1min_20200123_20200224.csv.gz"):
        stamp = row["timestamp_utc"]
        if "14:30" <= stamp[11:16] < "21:00":
            sessions[stamp[:10]].append(float(row["close"]))
    return [log_steps(np.array(s[:390])) for s in sessions.values() if len(s) >= 380]


@needs_shared
def test_the_days_u_and_the_clustering_are_those_of_real_minutes(drawn: list[DayPath]) -> None:
    def describe(days: list[Floats]) -> tuple[float, float, float, float]:
        scaled = [(s / s.std())[:380] for s in days]
        squares = np.mean([s**2 for s in scaled if len(s) == 380], axis=0)
        size = [np.corrcoef(np.abs(s[1:]), np.abs(s[:-1]))[0, 1] for s in scaled]
        kurtosis = np.median([np.mean(s**4) for s in scaled])
        return squares[:30].mean(), squares[180:240].mean(), float(np.median(size)), float(kurtosis)

    real = describe(real_minutes())
    ours = describe([log_steps(p.spx) for p in drawn if len(p.spx) == 391])
    assert ours[0] == pytest.approx(real[0], rel=0.25)  # the first half hour's variance
    assert ours[1] == pytest.approx(real[1], rel=0.25)  # an hour at midday
    assert ours[2] == pytest.approx(real[2], abs=0.06)  # neighbouring minutes are alike in size
    assert ours[3] == pytest.approx(real[3], rel=0.25)  # kurtosis


@needs_shared
def test_opening_gaps_are_as_large_as_those_of_spy(history: History, drawn: list[DayPath]) -> None:
    spy = {row["date"]: row for row in rows("daily/spy_ohlcv_daily.csv.gz")}
    day = [str(d) for d in history.spx.day]
    ours, real = [], []
    for i in range(1, len(day)):
        if day[i] in spy and day[i - 1] in spy:
            real.append(math.log(float(spy[day[i]]["open"]) / float(spy[day[i - 1]]["close"])))
            ours.append(math.log(drawn[i].spx[0] / history.spx.close[i - 1]))
    assert len(real) > 7000
    assert np.mean(np.abs(ours)) == pytest.approx(np.mean(np.abs(real)), rel=0.15)
    assert np.var(ours) == pytest.approx(np.var(real), rel=0.25)
    assert np.quantile(np.abs(ours), 0.95) == pytest.approx(np.quantile(np.abs(real), 0.95), rel=0.15)
    assert np.corrcoef(ours, real)[0, 1] > 0.5
