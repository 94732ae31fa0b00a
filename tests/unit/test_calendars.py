"""Sessions from two libraries, and every day on which the two disagree."""

import json
import subprocess
import sys
import time as clock
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import pytest

from tomking.adapters import calendars
from tomking.adapters.calendars import ends_early, index_options_close, load_futures_sessions, load_sessions
from tomking.domain.calendar import Session, Sessions, new_york

LEAN = Path(__file__).resolve().parents[2] / "../shared/data/lean/market-hours/market-hours-subset.json"

FIRST, LAST = date(1990, 1, 1), date(2024, 12, 31)


@cache
def securities() -> Sessions:
    return load_sessions(FIRST, LAST)


@cache
def futures() -> Sessions:
    return load_futures_sessions(FIRST, LAST)


@cache
def library_futures() -> Sessions:
    """CME_Equity as the library has it, before our corrections."""
    import pandas_market_calendars

    with calendars._libraries_own_deprecations_unheard():
        schedule = pandas_market_calendars.get_calendar("CME_Equity").schedule(FIRST, LAST)
        opens, closes = (schedule[side].dt.to_pydatetime() for side in ("market_open", "market_close"))
        return calendars._sessions(schedule.index, opens, closes)


def closing(session: Session) -> time:
    return new_york(session.close).time()


# ------------------------------------------------------------------------ the securities


def test_an_ordinary_day_trades_from_half_past_nine_to_four() -> None:
    session = securities().on(date(2024, 7, 2))
    assert session is not None
    # New York is four hours behind UTC in July.
    assert session.open == datetime(2024, 7, 2, 13, 30, tzinfo=UTC)
    assert session.close == datetime(2024, 7, 2, 20, 0, tzinfo=UTC)
    assert session.minutes == 390


@pytest.mark.parametrize("day", [date(2024, 7, 3), date(2024, 11, 29), date(2024, 12, 24)])
def test_a_half_day_ends_at_one(day: date) -> None:
    session = securities().on(day)
    assert session is not None
    assert session.is_half_day
    assert closing(session) == time(13, 0)


@pytest.mark.parametrize(
    "day",
    [
        date(2024, 3, 29),  # Good Friday
        date(2024, 6, 19),  # Juneteenth
        date(2001, 9, 12),
        date(2012, 10, 29),  # Hurricane Sandy
        date(2018, 12, 5),  # mourning of G. H. W. Bush
        date(2024, 7, 6),  # a Saturday
    ],
)
def test_a_closed_day_has_no_session(day: date) -> None:
    assert securities().on(day) is None


def test_the_years_have_their_sessions() -> None:
    assert len(securities()) == 8817
    assert len(securities().between(date(2024, 1, 1), date(2024, 12, 31))) == 252


def test_the_span_is_kept_at_both_ends_and_may_lie_in_the_future() -> None:
    assert [s.date for s in load_sessions(date(2031, 3, 6), date(2031, 3, 10))] == [
        date(2031, 3, 6),
        date(2031, 3, 7),
        date(2031, 3, 10),
    ]
    assert len(load_sessions(date(2031, 3, 8), date(2031, 3, 9))) == 0  # a weekend
    assert len(load_sessions(date(2031, 3, 7), date(2031, 3, 7))) == 1


@pytest.mark.parametrize("load", [load_sessions, load_futures_sessions])
def test_an_end_before_the_start_is_refused(load: object) -> None:
    assert callable(load)
    with pytest.raises(ValueError, match="the end is before the start"):
        load(date(2031, 3, 7), date(2031, 3, 6))


def test_index_options_trade_a_quarter_of_an_hour_longer() -> None:
    ordinary, half = securities().on(date(2024, 7, 2)), securities().on(date(2024, 7, 3))
    assert ordinary is not None
    assert half is not None
    assert new_york(index_options_close(ordinary)).time() == time(16, 15)
    assert new_york(index_options_close(half)).time() == time(13, 15)


def test_thirty_five_years_load_in_a_second_and_a_half_of_processor_time() -> None:
    # Measured apart from the libraries' imports, which a run pays once: 0.05 s and 0.15 s.
    load_futures_sessions(LAST, LAST)
    began = clock.process_time()
    load_sessions(FIRST, LAST + timedelta(days=420))
    load_futures_sessions(FIRST, LAST + timedelta(days=420))
    assert clock.process_time() - began < 1.5


def test_the_libraries_are_imported_when_sessions_are_asked_for() -> None:
    code = "import sys, tomking.adapters.calendars; assert 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------- every disagreement of the two libraries


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A day on which both trade and only one library has a short day, or another hour for it."""

    day: date
    xnys: time
    cme_equity: time
    ours: time
    """The futures' close after our corrections."""


def _at(day: str, xnys: str, cme_equity: str, ours: str) -> Disagreement:
    clocks = (time.fromisoformat(words) for words in (xnys, cme_equity, ours))
    return Disagreement(date.fromisoformat(day), *clocks)


DISAGREEMENTS = (
    #                XNYS     CME_Equity  ours
    _at("1990-07-03", "16:00", "13:00", "17:00"),
    _at("1990-12-24", "14:00", "13:00", "14:15"),
    _at("1991-07-03", "16:00", "13:00", "17:00"),
    _at("1991-12-24", "14:00", "13:00", "14:15"),
    _at("1992-11-27", "14:00", "17:00", "14:15"),
    _at("1992-12-24", "14:00", "13:00", "14:15"),
    _at("1996-07-03", "16:00", "13:00", "17:00"),
    _at("1996-07-05", "13:00", "17:00", "13:15"),
    _at("1997-12-26", "13:00", "17:00", "13:15"),
    _at("1999-12-31", "13:00", "17:00", "13:15"),
    _at("2002-07-03", "16:00", "13:00", "17:00"),
    _at("2002-07-05", "13:00", "17:00", "13:15"),
    _at("2003-12-26", "13:00", "17:00", "13:15"),
)


def test_the_libraries_agree_on_the_short_days_but_for_these() -> None:
    found = []
    for theirs in library_futures():
        session, ours = securities().on(theirs.date), futures().on(theirs.date)
        if session is None or ours is None:
            continue
        short = ends_early(session) or ends_early(theirs)
        if short and closing(session) != closing(theirs):
            found.append(Disagreement(theirs.date, closing(session), closing(theirs), closing(ours)))
    assert tuple(found) == DISAGREEMENTS


CLOSED_ONLY_ON_THE_SECURITIES_EXCHANGE = {
    "Martin Luther King": "1998 to 2024",
    "Presidents": "1990 to 2024",
    "Memorial": "1990 to 2024",
    "Juneteenth": "2022 to 2024",
    "Independence": "1990 to 2024",
    "Labor": "1990 to 2024",
    "Thanksgiving": "1990 to 2024",
}
"""Holidays on which futures trade until noon; a Saturday's or Sunday's is kept beside it."""

SINGLE_DAYS = {
    "2001-09-11": "our correction removes it",
    "2001-09-12": "our correction removes it",
    "2001-09-13": "our correction removes it",
    "2001-09-14": "our correction removes it",
    "2010-04-02": "Good Friday with the employment report",
    "2012-04-06": "Good Friday with the employment report",
    "2012-10-29": "Hurricane Sandy, short by our correction",
    "2012-10-30": "Hurricane Sandy, short by our correction",
    "2015-04-03": "Good Friday with the employment report",
    "2021-04-02": "Good Friday with the employment report",
    "2023-04-07": "Good Friday with the employment report",
    "2024-03-29": "Good Friday, since 2023 always short",
}


def test_every_securities_session_is_a_futures_session() -> None:
    assert [s.date for s in securities() if library_futures().on(s.date) is None] == []
    assert [s.date for s in securities() if futures().on(s.date) is None] == []


def test_futures_trade_alone_on_these_holidays_and_single_days() -> None:
    alone = {s.date for s in library_futures() if securities().on(s.date) is None}
    named = {date.fromisoformat(day) for day in SINGLE_DAYS}
    for holiday, years in CLOSED_ONLY_ON_THE_SECURITIES_EXCHANGE.items():
        first, last = (int(year) for year in years.split(" to "))
        named |= {_holiday(holiday, year) for year in range(first, last + 1)}
    assert alone == {day for day in named if day.weekday() < 5}


def _holiday(name: str, year: int) -> date:
    match name:
        case "Martin Luther King":
            return _nth_monday(year, 1, 3)
        case "Presidents":
            return _nth_monday(year, 2, 3)
        case "Memorial":
            return max(_nth_monday(year, 5, n) for n in (4, 5) if _nth_monday(year, 5, n).month == 5)
        case "Labor":
            return _nth_monday(year, 9, 1)
        case "Thanksgiving":
            first = date(year, 11, 1)
            return first + timedelta(days=(3 - first.weekday()) % 7 + 21)
        case "Juneteenth":
            return _observed(date(year, 6, 19))
        case _:
            return _observed(date(year, 7, 4))


def _nth_monday(year: int, month: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=-first.weekday() % 7 + 7 * (n - 1))


def _observed(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


# --------------------------------------------------------------------- futures, put right


@pytest.mark.parametrize(
    ("day", "close"),
    [
        (date(2024, 7, 2), time(17, 0)),
        (date(2024, 7, 3), time(13, 15)),
        (date(2024, 12, 24), time(13, 15)),
        (date(2024, 7, 4), time(13, 0)),
        (date(2013, 7, 4), time(11, 30)),
        (date(2003, 9, 1), time(11, 30)),
        (date(2012, 10, 29), time(9, 15)),
        (date(2012, 10, 30), time(9, 15)),
        (date(2024, 3, 29), time(9, 15)),
        (date(2008, 6, 2), time(16, 15)),
    ],
)
def test_futures_close_when_the_exchange_said(day: date, close: time) -> None:
    session = futures().on(day)
    assert session is not None
    assert closing(session) == close
    assert ends_early(session) == (close < time(16, 0))


def test_futures_open_the_evening_before() -> None:
    session = futures().on(date(2024, 7, 1))  # a Monday
    assert session is not None
    assert new_york(session.open).date() == date(2024, 6, 30)
    assert new_york(session.open).time() == time(18, 0)


@pytest.mark.parametrize("day", [date(2001, 9, n) for n in (11, 12, 13, 14)])
def test_futures_stood_still_after_the_attacks(day: date) -> None:
    assert library_futures().on(day) is not None
    assert futures().on(day) is None


def test_futures_outlast_the_securities_on_every_common_day() -> None:
    for session in securities():
        other = futures().on(session.date)
        assert other is not None
        assert other.open < session.open
        assert other.close > session.close


LEAN_LACKS = {
    date(2023, 7, 3): "a half day; CME notice: 12:15 Chicago",
    date(2024, 7, 3): "a half day; CME notice: 12:15 Chicago",
    date(2024, 11, 29): "a half day; the day after Thanksgiving",
    date(2012, 10, 29): "Hurricane Sandy",
    date(2012, 10, 30): "Hurricane Sandy",
    date(2024, 3, 29): "Good Friday",
}


def test_futures_closes_agree_with_leans_database_but_for_what_it_lacks() -> None:
    if not LEAN.exists():
        pytest.skip("../shared is not here")
    entry = json.loads(LEAN.read_text())["entries"]["Future-cme-ES"]
    theirs = {}
    for words, close in entry["earlyCloses"].items():
        month, day, year = (int(part) for part in words.split("/"))
        if close != "17:00:00" and year <= 2024:
            theirs[date(year, month, day)] = time.fromisoformat(close)
    ours = {s.date: closing(s) for s in futures().between(date(2009, 1, 1), LAST) if ends_early(s)}
    assert {d: c for d, c in ours.items() if d not in theirs}.keys() == LEAN_LACKS.keys()
    assert {d: c for d, c in theirs.items() if ours.get(d) != c} == {}
