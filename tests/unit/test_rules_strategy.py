"""Windows, days, and when a strategy wants to be asked."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from tests.worlds import FRIDAY, at, session_on, weekdays

from tomking.domain.calendar import Session, Sessions
from tomking.rules.strategy import Claim, Days, Entry, Strategy, Watch, Window
from tomking.view import Own

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
    assert Days(weekday=4).after_one(date(2031, 3, 10))


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
    assert wakes(entry, session, grid=15) == local(session, ["10:00", "10:15"])


def test_an_entered_strategy_and_another_weekday_do_not_wake() -> None:
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2))
    assert wakes(entry, session_on(FRIDAY)) == []
    assert wakes(entry, session_on(date(2031, 3, 5)), replace(NOTHING, entered=("in",))) == []


def test_the_day_after_is_looked_at_as_well() -> None:
    session = session_on(date(2031, 7, 3))
    entry = once(Window(time(10, 0), time(10, 10)), Days(weekday=2, weeks=(1,)))
    assert wakes(entry, session) == local(session, ["10:00", "10:05", "10:10"])


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
