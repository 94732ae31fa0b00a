"""Averages and ranges of daily bars."""

from datetime import date

import numpy as np
import pytest

from tomking.domain.bars import Bars
from tomking.rules.indicators import atr, ema, highest, last_close, upper_band


def bars(closes: list[float], up: float = 1.0, down: float = 1.0) -> Bars:
    close = np.array(closes)
    days = np.datetime64(date(2030, 1, 1)) + np.arange(len(closes))
    return Bars(days, close, close + up, close - down, close)


def test_the_average_starts_from_a_plain_mean_and_moves_by_its_weight() -> None:
    # Mean of 1, 2, 3 is 2; the weight of EMA3 is 2 / 4, so 5 moves it to 2 + 0.5 x (5 - 2) = 3.5.
    assert ema(bars([1.0, 2.0, 3.0, 5.0]), 3) == 3.5


def test_the_true_range_counts_from_yesterday_s_close() -> None:
    # Bars of 2 points; yesterday closed 10 lower, so today's range is 11 - 0 ... from 10 + 1 to 0.
    # True ranges: 2, 11 (close 0 to high 11).  ATR2: mean 6.5.
    assert atr(bars([0.0, 0.0, 10.0]), 2) == 6.5


def test_wilder_s_average_moves_by_one_nth() -> None:
    # Ranges 2, 2, then 11: mean of the first two is 2, then 2 + (11 - 2) / 2 = 6.5.
    assert atr(bars([0.0, 0.0, 0.0, 10.0]), 2) == 6.5


@pytest.mark.parametrize("of", [lambda b: ema(b, 3), lambda b: atr(b, 2), lambda b: highest(b, 3)])
def test_too_few_bars_have_no_average(of: "object") -> None:
    assert callable(of)
    assert of(bars([1.0, 2.0])) is None


def test_the_high_is_of_the_last_bars_only() -> None:
    assert highest(bars([9.0, 1.0, 2.0, 3.0]), 3) == 4.0
    assert last_close(bars([9.0, 1.0])) == 1.0
    assert last_close(bars([])) is None


def test_bollinger_s_upper_band_is_so_many_deviations_above_the_mean() -> None:
    # Mean of 1, 3 is 2, their deviation (of all, not of a sample) 1: two of them end at 4.
    assert upper_band(bars([50.0, 1.0, 3.0]), 2, 2.0) == 4.0
    assert upper_band(bars([1.0, 3.0]), 3, 2.0) is None
