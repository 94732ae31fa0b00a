"""Days of a rule around closed sessions."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import weekdays

from tomking.domain.calendar import Sessions
from tomking.rules.schedule import EVERY_SESSION, Days

FRIDAY = date(2031, 4, 11)
THURSDAY = FRIDAY - timedelta(days=1)
SESSIONS = weekdays(date(2031, 1, 1), 200)


def closed(*days: date) -> Sessions:
    return Sessions(tuple(s for s in SESSIONS if s.date not in days))


def test_a_closed_friday_is_the_thursday_before_or_the_monday_after() -> None:
    without = closed(FRIDAY)
    monday = FRIDAY + timedelta(days=3)
    assert Days(4, earlier=True).meant(THURSDAY, without) == FRIDAY
    assert Days(4, earlier=True).meant(monday, without) is None
    assert Days(4).meant(monday, without) == FRIDAY
    assert Days(4).meant(THURSDAY, without) is None


def test_an_open_friday_is_itself_alone() -> None:
    for days in (Days(4), Days(4, earlier=True)):
        assert [d for d in (THURSDAY, FRIDAY) if days.meant(d, SESSIONS)] == [FRIDAY]


def test_a_closed_monday_moves_to_the_friday_before_it() -> None:
    monday = date(2031, 4, 14)
    assert Days(0, earlier=True).meant(FRIDAY, closed(monday)) == monday


def test_nobody_foresees_more_than_the_next_weekday() -> None:
    shut = [FRIDAY - timedelta(days=n) for n in range(4)]
    assert Days(4, earlier=True).meant(FRIDAY - timedelta(days=4), closed(*shut)) is None


def test_the_end_of_what_is_known_is_no_closed_day() -> None:
    last = SESSIONS.days[-1].date
    assert Days((last.weekday() + 1) % 7, earlier=True).meant(last, SESSIONS) is None


@pytest.mark.parametrize("days", [Days(4, earlier=True), Days(0, earlier=True), EVERY_SESSION])
@given(st.integers(0, 250), st.sets(st.integers(0, 250), max_size=8))
def test_whoever_is_meant_is_woken(days: Days, offset: int, shut: set[int]) -> None:
    day = SESSIONS.days[0].date + timedelta(days=offset)
    sessions = closed(*(SESSIONS.days[0].date + timedelta(days=n) for n in shut if n != offset))
    if day.weekday() < 5 and days.meant(day, sessions) is not None:
        assert days.weekdays_back(day) is not None
