"""Where the machine stands and when clocks change: sessions are New York's all the same (F42)."""

import time as clock
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tomking.adapters.calendars import load_sessions
from tomking.domain.calendar import Session, Sessions, new_york, wall_instant

PLACES = ("UTC", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati")
"""The last is fourteen hours ahead of UTC: another day for most of New York's."""


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's own zone."""
    monkeypatch.setenv("TZ", request.param)
    clock.tzset()
    yield request.param
    monkeypatch.undo()
    clock.tzset()


def around(day: date) -> Sessions:
    return load_sessions(day - timedelta(days=9), day + timedelta(days=9))


CHANGES = [
    (date(2024, 3, 8), 14, date(2024, 3, 11), 13),  # clocks go forward on Sunday 10 March
    (date(2024, 11, 1), 13, date(2024, 11, 4), 14),  # and back on Sunday 3 November
    (date(2023, 3, 10), 14, date(2023, 3, 13), 13),
    (date(2023, 11, 3), 13, date(2023, 11, 6), 14),
]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("before", "hour", "after", "later"), CHANGES)
def test_a_session_opens_at_half_past_nine_before_and_after_clocks_change(
    before: date, hour: int, after: date, later: int
) -> None:
    sessions = around(before)
    for day, utc in ((before, hour), (after, later)):
        session = sessions.on(day)
        assert session is not None
        assert session.open == datetime(day.year, day.month, day.day, utc, 30, tzinfo=UTC)
        assert new_york(session.open).time() == time(9, 30)
        assert session.minutes == 390
    assert sessions.after(before) == sessions.on(after)  # no session is played twice or left out


@pytest.mark.usefixtures("place")
def test_the_29th_of_february_is_a_session_like_others() -> None:
    days = [session.date for session in around(date(2024, 2, 29)).days]
    assert days[days.index(date(2024, 2, 28)) :][:3] == [
        date(2024, 2, 28),
        date(2024, 2, 29),
        date(2024, 3, 1),
    ]


@pytest.mark.usefixtures("place")
def test_each_minute_of_a_week_is_in_the_same_session_wherever_the_machine_stands() -> None:
    sessions = around(date(2024, 3, 10))
    start = datetime(2024, 3, 8, tzinfo=UTC)
    open_on: dict[date, int] = {}
    for minute in range(7 * 24 * 60):
        now = start + timedelta(minutes=minute)
        session = sessions.on(new_york(now).date())
        if session is not None and session.open <= now < session.close:
            open_on[session.date] = open_on.get(session.date, 0) + 1
    assert open_on == {
        date(2024, 3, day): 390
        for day in (8, 11, 12, 13, 14)  # once each, whole
    }


@pytest.mark.usefixtures("place")
def test_half_days_end_at_one_on_new_yorks_clocks() -> None:
    session = around(date(2024, 11, 29)).on(date(2024, 11, 29))
    assert isinstance(session, Session)
    assert session.is_half_day
    assert (
        session.close == wall_instant(date(2024, 11, 29), time(13)) == datetime(2024, 11, 29, 18, tzinfo=UTC)
    )
