"""The variance clock: sessions count their minutes, a gap counts a quarter of a session."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.clock import CALENDAR_YEAR, GAP_MINUTES, MINUTES_A_YEAR, VarianceClock

DAY = 1440
OPEN = 870  # 14:30 UTC, 09:30 in New York in winter
CLOSE = OPEN + 390
# Mon Tue Wed(half day) Thu Fri, then Mon: minutes since 1970 only matter as differences.
DAYS = np.array([0, 1, 2, 3, 4, 7], dtype=np.int64)
OPENS = DAYS * DAY + OPEN
CLOSES = OPENS + np.array([390, 390, 210, 390, 390, 390], dtype=np.int64)
CLOCK = VarianceClock.of(OPENS, CLOSES)


def minutes(now: int, expiry: int) -> float:
    return CLOCK.years(now, expiry) * MINUTES_A_YEAR


def test_on_expiry_day_it_counts_session_minutes() -> None:
    # 10:30 to 16:00 is 330 minutes of 98,280 a year.
    assert CLOCK.years(OPEN + 60, CLOSE) == pytest.approx(330 / 98_280)


def test_a_night_and_a_weekend_count_the_same_97_and_a_half_minutes() -> None:
    assert pytest.approx(97.5) == GAP_MINUTES
    # Monday 15:00 to Tuesday 16:00: 60 + 97.5 + 390.
    assert minutes(CLOSE - 60, DAY + CLOSE) == pytest.approx(547.5)
    # Friday 15:00 to Monday 16:00 the same.
    assert minutes(4 * DAY + CLOSE - 60, 7 * DAY + CLOSE) == pytest.approx(547.5)


def test_a_half_day_counts_its_210_minutes() -> None:
    # Tuesday's close to Thursday's close: two gaps, 210 and 390 minutes.
    assert minutes(DAY + CLOSE, 3 * DAY + CLOSE) == pytest.approx(2 * 97.5 + 600)


def test_a_fifth_of_the_variance_lies_outside_the_session_and_a_calendar_year_is_1_25() -> None:
    assert pytest.approx(0.20) == GAP_MINUTES / (GAP_MINUTES + 390)
    assert pytest.approx(1.25) == CALENDAR_YEAR


def test_time_never_runs_out() -> None:
    # At and after expiry one minute is left.
    assert minutes(CLOSE, CLOSE) == pytest.approx(1)
    assert minutes(DAY + OPEN, CLOSE) == pytest.approx(1)


@given(st.integers(OPEN, 7 * DAY + CLOSE), st.integers(OPEN, 7 * DAY + CLOSE))
def test_time_only_passes(one: int, other: int) -> None:
    end = 7 * DAY + CLOSE
    early, late = min(one, other), max(one, other)
    assert CLOCK.years(early, end) >= CLOCK.years(late, end)
    # What passes between two instants and what is left make up the whole.
    if late + 1 < end and early + 1 < late:
        whole = minutes(early, end)
        assert minutes(early, late) + minutes(late, end) == pytest.approx(whole, abs=2.0)


def test_several_expiries_at_once_are_the_same_numbers() -> None:
    now = OPEN + 60
    assert CLOCK.years_to(now, CLOSES).tolist() == [CLOCK.years(now, int(c)) for c in CLOSES]


@pytest.mark.parametrize("minute", [OPEN - 1, 7 * DAY + CLOSE + 1])
def test_outside_the_calendar_it_refuses_to_guess(minute: int) -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        CLOCK.years(OPEN, minute)
    with pytest.raises(ValueError, match="outside the calendar"):
        CLOCK.years_to(OPEN, np.array([minute]))


def test_sessions_must_ascend() -> None:
    with pytest.raises(ValueError, match="ascending"):
        VarianceClock.of(CLOSES, OPENS)
    with pytest.raises(ValueError, match="ascending"):
        VarianceClock.of(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
