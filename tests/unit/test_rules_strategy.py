"""Windows, days, and when a strategy wants to be asked."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from tests.strategies.world import World
from tests.worlds import FRIDAY, at, session_on, weekdays

from tomking.domain.calendar import Session, Sessions
from tomking.rules.schedule import Days, Window, data_time
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.view import Own, View

WEDNESDAY = date(2031, 7, 2)
JULY = Sessions(tuple(s for s in weekdays(date(2031, 6, 2), 60) if s.date != WEDNESDAY))
"""The first Wednesday of July is a holiday here."""
NOTHING = Own("x", 4, Decimal(0), "GREEN", (), (), {}, (), {})


def test_a_holiday_moves_the_day_to_the_next_session() -> None:
    first = Days(weekday=2, weeks=(1,))
    assert first.meant(date(2031, 7, 3), JULY) == WEDNESDAY
    assert first.meant(date(2031, 7, 4), JULY) is None
    assert first.meant(date(2031, 6, 4), JULY) == date(2031, 6, 4)
    assert first.meant(date(2031, 7, 9), JULY) is None, "the second Wednesday"


def test_a_day_that_may_not_move_is_lost() -> None:
    assert Days(weekday=2, moves=False).meant(date(2031, 7, 3), JULY) is None


def test_a_friday_s_holiday_moves_over_the_weekend() -> None:
    sessions = Sessions(tuple(s for s in weekdays(date(2031, 3, 3), 10) if s.date != FRIDAY))
    assert Days(weekday=4).meant(date(2031, 3, 10), sessions) == FRIDAY
    assert Days(weekday=4).weekdays_back(date(2031, 3, 10)) == 1


def test_after_a_closure_of_four_sessions_the_fifth_stands_for_the_day() -> None:
    # As in September 2001: Tuesday to Friday closed, the second Wednesday is traded on Monday.
    closed = {date(2031, 9, day) for day in (9, 10, 11, 12)}
    sessions = Sessions(tuple(s for s in weekdays(date(2031, 9, 1), 20) if s.date not in closed))
    second, monday = Days(weekday=2, weeks=(2,)), date(2031, 9, 15)
    assert second.meant(monday, sessions) == date(2031, 9, 10)
    assert second.weekdays_back(monday) == 3
    session = sessions.on(monday)
    assert session is not None
    assert session.closed_before == 4
    entry = once(Window(time(10, 0), time(10, 10)), second)
    assert wakes(entry, session) == local(session, ["10:00", "10:05", "10:10"])
    assert wakes(entry, session_on(monday)) == [], "no closure, nothing that it could stand for"


def test_a_day_that_stands_for_nothing_is_not_looked_at() -> None:
    assert Days(weekday=2, weeks=(1,)).weekdays_back(date(2031, 9, 15)) is None
    assert Days(weekday=4, moves=False).weekdays_back(date(2031, 3, 10)) is None
    assert Days(weekday=4, moves=False).weekdays_back(FRIDAY) == 0


def once(window: Window, days: Days) -> Strategy:
    entry = Entry("in", window, days, when=(), build=lambda view, own: ())
    return Strategy("x", "X", 1, Claim(0.5, "-"), (entry,), (), Watch(30, time(9, 31), time(15, 59)))


def wakes(strategy: Strategy, session: Session, own: Own = NOTHING, grid: int = 1) -> list[str]:
    now, found = session.open - timedelta(hours=9), []
    while (wake := strategy.next_wake(session, own, now, grid)) is not None:
        assert wake > now
        now = wake
        found.append(f"{now.astimezone(at('09:30').tzinfo):%H:%M}")
    return found


def local(session: Session, walls: list[str]) -> list[str]:
    return [f"{at(wall, session.date).astimezone(at('09:30').tzinfo):%H:%M}" for wall in walls]


def test_a_window_is_looked_into_every_five_minutes() -> None:
    session = session_on(date(2031, 3, 5))
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2))
    assert wakes(entry, session) == local(session, ["10:00", "10:05", "10:10"])
    assert wakes(entry, session, grid=15) == local(session, ["10:00", "10:05", "10:10", "10:15"])


def test_on_end_of_day_data_the_one_snapshot_is_met_within_five_minutes() -> None:
    # Ruling 7: it stands for the window, wherever in the session it lies.
    session = session_on(date(2031, 3, 5))
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2))
    looks = wakes(entry, session, grid=390)
    assert [looks[0], looks[-1]] == local(session, ["10:00", "15:55"])


def test_an_entered_strategy_and_another_week_do_not_wake() -> None:
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2))
    third = once(Window(time(10, 0), time(10, 10)), Days(weekday=2, weeks=(3,)))
    assert wakes(third, session_on(FRIDAY)) == []
    assert wakes(entry, session_on(date(2031, 3, 5)), replace(NOTHING, entered=("in",))) == []


def test_the_day_after_is_looked_at_when_the_day_itself_was_closed() -> None:
    open_ = Sessions(tuple(s for s in weekdays(date(2031, 6, 30), 5) if s.date != date(2031, 7, 2)))
    session = open_.on(date(2031, 7, 3))
    assert session is not None
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2, weeks=(1,)))
    assert wakes(entry, session) == local(session, ["10:00", "10:05", "10:10"])


def coarse(now: str, seen: str, grid: int) -> View:
    day = date(2031, 3, 5)
    market = World({}, grid_minutes=grid, seen=at(seen, day))
    return View(at(now, day), session_on(day), weekdays(day, 5), market)


@pytest.mark.parametrize(
    ("now", "seen", "grid", "inside"),
    [
        ("10:00", "09:46", 15, False),
        ("10:05", "10:01", 15, True),
        ("10:20", "10:16", 15, False),
        ("10:05", "09:35", 390, False),
        ("15:50", "15:45", 390, True),
        ("10:05", "09:59", 1, True),
    ],
)
def test_a_window_takes_the_first_snapshot_at_or_after_its_start(
    now: str, seen: str, grid: int, inside: bool
) -> None:
    assert Window(time(10, 0), time(10, 10)).contains(coarse(now, seen, grid)) is inside


def test_what_is_known_is_as_old_as_its_snapshot() -> None:
    day = date(2031, 3, 5)
    assert data_time(coarse("10:05", "10:01", 15)) == at("10:01", day)
    assert data_time(coarse("10:05", "10:01", 1)) == at("10:05", day)


def test_on_coarse_data_a_window_lasts_one_grid_step() -> None:
    # 10:00 to 10:10, quarter hours: the snapshot of 10:15 may be the first since 10:00.
    assert Window(time(10, 0), time(10, 10)).minutes(15) == (600, 615)
    assert Window(time(10, 0), time(10, 10)).minutes(1) == (600, 610)


def test_a_half_day_ends_its_wakes_with_its_session() -> None:
    day = date(2031, 3, 5)
    half = Session(day, at("09:30", day), at("13:00", day))
    assert wakes(once(Window(time(12, 50), time(13, 5)), Days(weekday=2)), half) == local(
        half, ["12:50", "12:55"]
    )


@pytest.mark.parametrize("second", [0, 1, 30, 59])
def test_a_wake_is_the_next_look_after_any_second(second: int) -> None:
    session = session_on(date(2031, 3, 5))
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2))
    now = at("10:00", session.date) + timedelta(seconds=second)
    assert entry.next_wake(session, NOTHING, now, 1) == at("10:05", session.date)
    assert isinstance(now, datetime)
