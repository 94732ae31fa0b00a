"""Where a volatility stands among its past, and how wide a market has been."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.rules.indicators import estimated_percentile, lowest, percentile


def bars(close: NDArray[np.float64]) -> Bars:
    days = [date(2030, 1, 1) + timedelta(days=n) for n in range(len(close))]
    return Bars(np.array(days, dtype="datetime64[D]"), close, close + 1, close - 2, close)


def test_the_percentile_is_the_share_of_sessions_below() -> None:
    # Of 10, 20, 30, 40 two lie below 30; the 5 before them is not asked.
    values = np.array([5.0, 10.0, 20.0, 30.0, 40.0])
    assert percentile(values, 30.0, 4) == 0.5
    assert percentile(values, 9.0, 4) == 0.0
    assert percentile(values, 41.0, 4) == 1.0
    assert percentile(values, 30.0, 6) is None


@given(st.lists(st.floats(1, 100), min_size=5, max_size=30), st.floats(0, 101))
def test_a_percentile_is_a_share_and_rises_with_the_level(values: list[float], now: float) -> None:
    past = np.array(values)
    low, high = percentile(past, now, 5), percentile(past, now + 1.0, 5)
    assert low is not None
    assert high is not None
    assert 0.0 <= low <= high <= 1.0


def test_an_estimated_percentile_needs_a_year_and_what_the_estimate_needs() -> None:
    swing = 1 + 0.01 * np.where(np.arange(314) % 2, 1.0, -1.0)
    assert estimated_percentile(bars(100 * swing[:313]), 252) is None
    assert estimated_percentile(bars(100 * swing), 252) is not None


@pytest.mark.parametrize(("last_day", "rank"), [(1.10, 1.0), (1.0, 0.0)])
def test_a_jump_lifts_the_estimate_above_its_year_and_a_still_day_lowers_it(
    last_day: float, rank: float
) -> None:
    # A percent up and down each day, getting a little less; then ten percent up, or nothing at all.
    count = 400
    swing = np.linspace(0.010, 0.009, count) * np.where(np.arange(count) % 2, 1.0, -1.0)
    close = 100 * (1 + swing)
    close[-1] = close[-2] * last_day
    assert estimated_percentile(bars(close), 252) == rank


def test_the_lowest_low_of_the_last_sessions() -> None:
    assert lowest(bars(np.array([5.0, 20.0, 30.0])), 2) == 18.0
    assert lowest(bars(np.array([5.0])), 2) is None
