"""The variance clock: a session counts its minutes, by their U; a night and each further day less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.clock import (
    CALENDAR_YEAR,
    MINUTES_A_YEAR,
    OUTSIDE_SHARE,
    VarianceClock,
    session_elapsed,
    session_shape,
)

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


def test_on_expiry_day_it_counts_what_is_left_of_the_sessions_minutes() -> None:
    # The shape's integral to 10:30 is 60 + 2.98 x 15 (1 - e**-4) + 3.31 x 90 (1 - e**(-2/3)) = 248.8 of
    # 390 + 44.7 + 294.0 + 55.1 = 783.8: 123.8 of the session's 390 minutes are gone, 266.2 are left.
    assert CLOCK.years(OPEN + 60, CLOSE) == pytest.approx(266.2 / 98_280, abs=0.1 / 98_280)
    assert minutes(OPEN, CLOSE) == pytest.approx(390)


def test_a_minute_counts_most_after_the_open_and_least_towards_two() -> None:
    gone = np.diff(session_elapsed(390))
    assert gone.argmax() == 0
    assert 210 <= gone.argmin() <= 300
    assert gone[0] > 3.0
    assert 1.4 > gone[-1] > 2 * gone.min()
    assert session_shape(390).mean() == pytest.approx(1.0)


def test_a_night_counts_142_minutes_and_a_further_day_39() -> None:
    # The last hour of a session holds what its U says, whatever the day.
    hour = 390 - session_elapsed(390)[330]
    # Monday 15:00 to Tuesday 16:00: the hour, a night, a session.
    assert minutes(CLOSE - 60, DAY + CLOSE) == pytest.approx(hour + 142 + 390)
    # Friday 15:00 to Monday 16:00: the same and two further days.
    assert minutes(4 * DAY + CLOSE - 60, 7 * DAY + CLOSE) == pytest.approx(hour + 142 + 2 * 39 + 390)


def test_a_half_day_counts_its_210_minutes() -> None:
    # Tuesday's close to Thursday's close: two nights, 210 and 390 minutes.
    assert minutes(DAY + CLOSE, 3 * DAY + CLOSE) == pytest.approx(2 * 142 + 600)


def test_29_of_100_parts_of_the_variance_lie_outside_the_session() -> None:
    # 252 nights and 113 further days: 142 + 113/252 x 39 = 159.5 a session; 159.5 / 549.5 = 0.290.
    assert pytest.approx(0.2902, abs=1e-4) == OUTSIDE_SHARE
    assert pytest.approx(1.4089, abs=1e-4) == CALENDAR_YEAR


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
