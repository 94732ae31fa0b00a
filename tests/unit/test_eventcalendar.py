"""Which entries announcements forbid, and what happens where no calendar reaches."""

import gzip
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from tomking.adapters.calendars import load_sessions
from tomking.adapters.eventfile import events_of, read_event_file
from tomking.domain import cpi
from tomking.domain.calendar import Sessions, wall_instant
from tomking.domain.errors import BadData
from tomking.domain.eventcalendar import Dates, Entry, Event, EventCalendar
from tomking.domain.products import product

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/events/earnings_dates.csv.gz"

ZERO_DTE = Entry(product("SPXW"), same_day=True)
LT112 = Entry(product("ES"))
STRANGLE = Entry(product("CL"), short_call=True, decision_sessions=5)
APPLE_CALL = Entry(product("AAPL"), short_call=True)
APPLE_LEAP = Entry(product("AAPL"), short_premium=False, long_dated=True)

APPLE = Dates(
    date(2024, 1, 1),
    date(2024, 12, 31),
    {
        Event.EARNINGS: (date(2024, 2, 1), date(2024, 5, 2)),
        Event.EX_DIVIDEND: (date(2024, 5, 10),),
        Event.SPLIT: (date(2024, 8, 30),),
        Event.MERGER: (date(2024, 10, 30),),
    },
)
LIVE = EventCalendar(strict=True, dates={"AAPL": APPLE})
BACKTEST = EventCalendar(strict=False)


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    return load_sessions(date(1998, 1, 2), date(2026, 12, 31))


def at(day: str, wall: str = "10:30") -> datetime:
    return wall_instant(date.fromisoformat(day), time.fromisoformat(wall))


# -------------------------------------------------------------------------------------- CPI


def test_the_release_of_the_june_shock_is_a_cpi_day_and_its_eve_is_not() -> None:
    assert cpi.cpi_on(date(2022, 6, 10))
    assert not cpi.cpi_on(date(2022, 6, 9))


def test_every_year_has_twelve_releases_but_the_one_of_the_long_shutdown(sessions: Sessions) -> None:
    by_year = {year: sum(day.year == year for day in cpi.RELEASES) for year in range(2008, 2027)}
    assert {year for year, count in by_year.items() if count != 12} == {2025}
    assert by_year[2025] == 11  # October's was never collected
    assert list(cpi.RELEASES) == sorted(set(cpi.RELEASES))
    for day in cpi.RELEASES:
        assert day.weekday() < 5
        assert 9 <= day.day <= 30
        # Federal offices work on Good Friday; the exchange does not.
        assert sessions.on(day) is not None or day in {date(2017, 4, 14), date(2020, 4, 10)}


def test_the_table_says_what_it_covers() -> None:
    assert cpi.covered(date(2008, 1, 1))
    assert not cpi.covered(date(2007, 12, 31))
    assert not cpi.covered(date(2027, 1, 4))
    assert not cpi.cpi_on(date(2007, 11, 15))  # a release before the span


# ------------------------------------------------------------------------------------ rules


@pytest.mark.parametrize(
    ("entry", "now", "said"),
    [
        (ZERO_DTE, at("2024-12-18"), "FOMC announcement on 2024-12-18: no 0DTE"),
        (LT112, at("2024-12-18", "10:30"), None),
        (LT112, at("2024-12-18", "13:00"), "no entries from 13:00 to 15:00"),
        (LT112, at("2024-12-18", "15:00"), None),
        (ZERO_DTE, at("2022-06-10"), "CPI release on 2022-06-10: no 0DTE"),
        (LT112, at("2022-06-10", "09:45"), "no entries before 10:00"),
        (LT112, at("2022-06-10", "10:00"), None),
        (ZERO_DTE, at("2022-06-17"), None),
        # The first Friday's employment report blocks nothing.
        (ZERO_DTE, at("2022-06-03"), None),
        # Weekly crude inventories, Wednesday 10:30.
        (Entry(product("MCL")), at("2024-07-10", "10:00"), "weekly crude inventories"),
        (Entry(product("CL")), at("2024-07-10", "11:00"), None),
        (Entry(product("XOP")), at("2024-07-10", "10:30"), None),
        (Entry(product("CL")), at("2024-09-05", "11:00"), "weekly crude inventories"),  # after Labor Day
        (Entry(product("CL")), at("2024-09-12", "11:00"), None),
    ],
)
def test_announcements_block_as_the_methodology_says(
    entry: Entry, now: datetime, said: str | None, sessions: Sessions
) -> None:
    answer = BACKTEST.judge(entry, now, sessions)
    if said is None:
        assert answer.blocked is None
    else:
        assert answer.blocked is not None
        assert said in answer.blocked


@pytest.mark.parametrize(
    ("entry", "day", "said"),
    [
        # Earnings on Thursday 2024-05-02: three sessions before are the 29th, 30th, 1st; one after the 3rd.
        (APPLE_CALL, "2024-04-26", None),
        (APPLE_CALL, "2024-04-29", "AAPL: earnings on 2024-05-02, no new short premium"),
        (APPLE_CALL, "2024-05-03", "AAPL: earnings on 2024-05-02, no new short premium"),
        (APPLE_CALL, "2024-05-06", None),
        (APPLE_LEAP, "2024-05-01", "no new LEAP"),
        (APPLE_LEAP, "2024-04-03", "no new LEAP"),
        (APPLE_LEAP, "2024-04-02", None),
        # Ex-dividend on Friday 2024-05-10: from the 8th to Monday the 13th.
        (APPLE_CALL, "2024-05-08", "AAPL: ex-dividend on 2024-05-10, no new short calls"),
        (APPLE_CALL, "2024-05-13", "AAPL: ex-dividend on 2024-05-10, no new short calls"),
        (Entry(product("AAPL")), "2024-05-08", None),
        # A split on Friday 2024-08-30: five sessions before is the 23rd, two after (Labor Day) the 4th.
        (APPLE_LEAP, "2024-08-23", "AAPL: split on 2024-08-30, no trades"),
        (APPLE_LEAP, "2024-09-04", "AAPL: split on 2024-08-30, no trades"),
        (APPLE_LEAP, "2024-09-05", None),
        (APPLE_LEAP, "2024-10-16", "AAPL: merger on 2024-10-30, no trades"),
        # Funds know no earnings.
        (Entry(product("SPY"), short_call=True), "2024-04-29", None),
    ],
)
def test_companies_events_block_that_name_only(
    entry: Entry, day: str, said: str | None, sessions: Sessions
) -> None:
    answer = LIVE.judge(entry, at(day), sessions)
    assert answer.not_covered == ()
    assert (answer.blocked or "").find(said or "") >= 0
    assert (answer.blocked is None) == (said is None)


def test_a_strangle_waits_for_a_decision_within_five_sessions(sessions: Sessions) -> None:
    opec = Dates(date(2024, 1, 1), date(2024, 12, 31), {Event.DECISION: (date(2024, 6, 2),)})
    calendar = EventCalendar(strict=True, dates={"CL": opec})
    # Sunday the 2nd of June: five sessions from Tuesday the 28th on (29, 30, 31, 3, 4).
    near = calendar.judge(STRANGLE, at("2024-05-28"), sessions).blocked
    assert near == "a decision for CL on 2024-06-02, within 5 sessions"
    assert calendar.judge(STRANGLE, at("2024-05-21", "11:30"), sessions).blocked is None
    micro = Entry(product("MCL"), decision_sessions=5)
    assert calendar.judge(micro, at("2024-05-30", "11:30"), sessions).blocked is not None  # by its family
    assert calendar.judge(LT112, at("2024-05-29"), sessions).blocked is None


def test_half_the_delta_on_the_day_of_a_statement() -> None:
    assert str(BACKTEST.delta_factor(date(2024, 12, 18))) == "0.5"
    assert str(BACKTEST.delta_factor(date(2024, 12, 19))) == "1"


def test_no_weekly_is_sold_through_earnings() -> None:
    assert LIVE.earnings_between("AAPL", date(2024, 4, 26), date(2024, 5, 3)) == date(2024, 5, 2)
    assert LIVE.earnings_between("AAPL", date(2024, 5, 3), date(2024, 5, 10)) is None


# --------------------------------------------------------------------------------- coverage


def test_past_the_calendars_0dte_and_single_names_are_blocked_and_others_warned(sessions: Sessions) -> None:
    later = datetime(2027, 2, 5, 15, 30, tzinfo=UTC)
    answer = LIVE.judge(ZERO_DTE, later, sessions)
    assert answer.blocked == "no calendar of FOMC, CPI for 2027-02-05: 0DTE is blocked"
    answer = LIVE.judge(APPLE_CALL, later, sessions)
    assert answer.blocked == "no calendar of FOMC, CPI, AAPL earnings for 2027-02-05: AAPL is blocked"
    answer = LIVE.judge(LT112, later, sessions)
    assert (answer.blocked, answer.not_covered) == (None, ("FOMC", "CPI"))


def test_a_single_name_without_dates_is_blocked(sessions: Sessions) -> None:
    answer = LIVE.judge(Entry(product("TWX")), at("2024-05-06"), sessions)
    assert answer.blocked == "no calendar of TWX earnings for 2024-05-06: TWX is blocked"


def test_a_single_name_is_blocked_as_soon_as_the_days_ahead_are_not_known(sessions: Sessions) -> None:
    # Its dates end on Tuesday 2024-12-31; three sessions after Monday the 30th is Friday the 3rd.
    assert LIVE.judge(APPLE_CALL, at("2024-12-30"), sessions).blocked is not None
    assert LIVE.judge(APPLE_CALL, at("2024-12-26"), sessions).blocked is None
    assert LIVE.judge(APPLE_LEAP, at("2024-12-02"), sessions).blocked is not None
    assert LIVE.known_until(product("AAPL")) == date(2024, 12, 31)
    assert LIVE.known_until(product("SPXW")) == date(2026, 12, 31)
    assert LIVE.known_until(product("TWX")) == date.min


def test_a_backtest_goes_on_outside_coverage_and_says_so(sessions: Sessions) -> None:
    answer = BACKTEST.judge(ZERO_DTE, at("1999-03-05"), sessions)
    assert (answer.blocked, answer.not_covered) == (None, ("FOMC", "CPI"))
    answer = BACKTEST.judge(ZERO_DTE, at("2004-06-04"), sessions)
    assert (answer.blocked, answer.not_covered) == (None, ("CPI",))
    # What is known still counts: a statement in 2004.
    assert BACKTEST.judge(ZERO_DTE, at("2004-06-30"), sessions).blocked is not None
    assert BACKTEST.judge(STRANGLE, at("2014-07-08"), sessions).not_covered == ("CL decisions",)


# ---------------------------------------------------------------------------------- the file


def test_a_file_of_earnings_only_speaks_of_its_own_span() -> None:
    found = events_of(["ticker,earnings_date", "AAPL,2024-05-02", "aapl,2024-02-01", "F,2024-04-24"])
    assert found["AAPL"] == Dates(
        date(2024, 2, 1), date(2024, 5, 2), {Event.EARNINGS: (date(2024, 2, 1), date(2024, 5, 2))}
    )
    assert found["F"].first == found["F"].last == date(2024, 4, 24)


def test_a_file_may_say_its_span_and_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.gz"
    span = "# covered 2024-01-01 2024-12-31"
    text = f"{span}\nticker,date,kind\nCL,2024-06-02,decision\nKO,2024-06-14,ex_dividend\n"
    path.write_bytes(gzip.compress(text.encode()))
    found = read_event_file(path)
    assert (found["CL"].first, found["CL"].last) == (date(2024, 1, 1), date(2024, 12, 31))
    assert found["CL"].of(Event.DECISION) == (date(2024, 6, 2),)
    assert found["KO"].of(Event.EX_DIVIDEND) == (date(2024, 6, 14),)
    assert found["KO"].of(Event.EARNINGS) == ()


def test_every_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(BadData) as refused:
        events_of(
            ["# covered 2024", "ticker,date,kind", "AAPL,2 May,earnings", "AAPL,2024-05-02,party"], "mine.csv"
        )
    text = str(refused.value)
    assert "mine.csv:1: write '# covered 2013-01-02 2026-12-31', not '2024'" in text
    assert "mine.csv:3" in text
    assert "mine.csv:4" in text
    assert "party" in text
    with pytest.raises(BadData, match="no column ticker and no column date"):
        events_of(["name,day"], "mine.csv")
    with pytest.raises(BadData, match="no header line"):
        events_of([], "mine.csv")


def test_a_missing_file_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="cannot be read"):
        read_event_file(tmp_path / "none.csv")


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/events")
def test_real_earnings_of_five_hundred_names() -> None:
    found = read_event_file(SHARED)
    assert len(found) == 505
    calendar = EventCalendar(strict=True, dates=found)
    assert calendar.earnings_between("AAPL", date(2024, 4, 26), date(2024, 5, 6)) == date(2024, 5, 2)
