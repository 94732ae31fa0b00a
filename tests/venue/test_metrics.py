"""Ranks and realised volatility, against numbers made by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.venue.metrics import rank_of, realised


def test_the_rank_is_the_place_in_the_years_range_and_the_percentile_the_share_of_days_below() -> None:
    year = np.array([10.0, 12.0, 14.0, 30.0])
    found = rank_of(15.0, year)
    assert found is not None
    assert found.rank == pytest.approx((15 - 10) / (30 - 10))
    assert found.percentile == 0.75


@given(
    st.floats(5, 90),
    st.lists(st.floats(5, 90), min_size=2, max_size=252).filter(lambda year: max(year) > min(year)),
)
def test_both_lie_between_nothing_and_all(level: float, year: list[float]) -> None:
    found = rank_of(level, np.array(year))
    assert found is not None
    assert 0 <= found.rank <= 1
    assert 0 <= found.percentile <= 1


def test_a_year_that_did_not_move_has_no_rank() -> None:
    assert rank_of(12.0, np.array([12.0, 12.0])) is None
    assert rank_of(12.0, np.array([])) is None


def test_realised_volatility_is_annual_and_in_percent() -> None:
    # Up and down 1 % by turns: daily returns of +-r with r = ln 1.01, of mean 0 and n = 4.
    close = np.array([100.0, 101.0, 100.0, 101.0, 100.0])
    r = math.log(1.01)
    expected = math.sqrt(4 * r * r / 3) * math.sqrt(252) * 100
    assert realised(close, 4) == pytest.approx(expected)
    assert realised(close, 5) is None
