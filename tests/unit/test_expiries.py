"""When futures and options end, against published dates; schedules on holidays."""

import csv
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from tomking.adapters.calendars import load_sessions
from tomking.domain.calendar import (
    FRIDAY,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    Sessions,
    WhenClosed,
    is_scheduled,
    session_on,
    third_friday,
    wall_instant,
    weekday_of_month,
)
from tomking.domain.expiries import (
    delivery_month,
    first_notice,
    front_month,
    future_last_trade,
    hard_close_day,
    is_quarterly_expiry,
    month_code,
    monthly_expiry,
    roll_day,
    terms_of,
    underlying_future,
)
from tomking.domain.products import PRODUCTS, Settlement, Style
from tomking.sim.listing import expiries_of

CL_TABLE = Path(__file__).resolve().parents[2] / "../shared/data/daily/cl_ng_expiry_table.csv"


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    return load_sessions(date(2002, 6, 3), date(2026, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


# ------------------------------------------------------------------------------------ futures

KNOWN_LAST_TRADES = [
    # Product, delivery year and month, last trade, first notice (the exchanges' published calendars).
    ("ES", 2025, 3, "2025-03-21", None),
    ("NQ", 2024, 12, "2024-12-20", None),
    ("CL", 2025, 1, "2024-12-19", "2024-12-23"),
    ("CL", 2020, 5, "2020-04-21", "2020-04-23"),
    ("MCL", 2020, 5, "2020-04-20", None),
    # Third last business day of April 2025: 30, 29, 28.
    ("GC", 2025, 4, "2025-04-28", "2025-03-31"),
    ("GC", 2024, 12, "2024-12-27", "2024-11-29"),
    # Juneteenth 2024 was the third Wednesday; two business days before it is Monday the 17th.
    ("6E", 2024, 6, "2024-06-17", "2024-06-17"),
    ("6E", 2025, 3, "2025-03-17", "2025-03-17"),
    # Last business day 31 March 2025; the seventh before it is the 20th.
    ("ZN", 2025, 3, "2025-03-20", "2025-02-28"),
    ("ZB", 2024, 12, "2024-12-19", "2024-11-29"),
    ("VX", 2024, 6, "2024-06-18", None),
]


@pytest.mark.parametrize(("key", "year", "month", "last", "notice"), KNOWN_LAST_TRADES)
def test_futures_end_on_their_published_days(  # noqa: PLR0917
    key: str, year: int, month: int, last: str, notice: str | None, sessions: Sessions
) -> None:
    product = PRODUCTS[key]
    assert future_last_trade(product, year, month, sessions) == day(last)
    found = first_notice(product, year, month, sessions)
    assert found == (None if notice is None else day(notice))
    assert delivery_month(product, day(last), sessions) == (year, month)


@pytest.mark.skipif(not CL_TABLE.exists(), reason="needs ../shared/data/daily")
def test_every_crude_future_ends_when_the_table_says(sessions: Sessions) -> None:
    with CL_TABLE.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["tick_prefix"] == "CL"]
    wrong, compared = [], 0
    for row in rows:
        last, notice = day(row["last_trade"]), day(row["first_notice"])
        if not date(2003, 1, 2) <= last <= date(2026, 12, 1):
            continue
        compared += 1
        month = int(float(row["year"])), int(float(row["month"]))
        assert future_last_trade(PRODUCTS["CL"], *month, sessions) == last, month
        if first_notice(PRODUCTS["CL"], *month, sessions) != notice:
            wrong.append((*month, str(notice)))
    assert compared == 287
    # The table's first notices of 2005 to 2008 are not of one rule (one is a Sunday); all others agree.
    assert {year for year, _, _ in wrong} <= {2005, 2006, 2007, 2008}
    assert (2007, 5, "2007-04-22") in wrong


def test_a_future_is_called_by_its_delivery_month(sessions: Sessions) -> None:
    assert month_code(PRODUCTS["CL"], day("2024-12-19"), sessions) == "CLF25"
    assert month_code(PRODUCTS["ES"], day("2025-06-20"), sessions) == "ESM25"
    assert month_code(PRODUCTS["ES"], day("2025-06-19"), sessions) is None


def test_the_roll_begins_five_sessions_before_the_first_end(sessions: Sessions) -> None:
    # ESH25: third Friday 21 March; 20, 19, 18, 17, 14.
    assert roll_day(PRODUCTS["ES"], 2025, 3, sessions) == day("2025-03-14")
    # GCJ25 trades until 28 April but may be delivered from 31 March: 28, 27, 26, 25, 24 March.
    assert roll_day(PRODUCTS["GC"], 2025, 4, sessions) == day("2025-03-24")
    assert front_month(PRODUCTS["GC"], day("2025-03-21"), sessions) == (2025, 4)
    assert front_month(PRODUCTS["GC"], day("2025-03-24"), sessions) == (2025, 6)
    assert front_month(PRODUCTS["SPY"], day("2025-03-24"), sessions) is None


# ------------------------------------------------------------------------------------ options

KNOWN_EXPIRIES = [
    ("SPX", 2025, 4, "2025-04-17"),  # Good Friday was the third Friday
    ("SPY", 2025, 6, "2025-06-20"),
    ("CL", 2025, 1, "2024-12-16"),
    ("GC", 2024, 2, "2024-01-25"),  # the fourth last business day is a Friday
    ("GC", 2024, 4, "2024-03-25"),
    ("GC", 2023, 12, "2023-11-27"),
    ("GC", 2025, 8, "2025-07-28"),
    ("6E", 2025, 3, "2025-03-07"),
    ("6E", 2024, 6, "2024-06-07"),
    ("ZN", 2025, 1, "2024-12-27"),
    ("ZN", 2025, 3, "2025-02-21"),
    ("ZB", 2024, 12, "2024-11-22"),
    ("VIX", 2024, 5, "2024-05-22"),
    ("VIX", 2024, 6, "2024-06-18"),  # the Wednesday was Juneteenth
    ("VIX", 2025, 3, "2025-03-18"),  # 30 days before Maundy Thursday
    ("VIX", 2025, 10, "2025-10-22"),
]


@pytest.mark.parametrize(("key", "year", "month", "expiry"), KNOWN_EXPIRIES)
def test_monthly_options_expire_on_their_published_days(
    key: str, year: int, month: int, expiry: str, sessions: Sessions
) -> None:
    assert monthly_expiry(PRODUCTS[key], year, month, sessions) == day(expiry)


@pytest.mark.parametrize(
    ("key", "expiry", "future"),
    [
        ("ES", "2024-07-31", "ESU24"),
        ("ES", "2024-09-20", "ESZ24"),  # EYC, the PM option of a quarterly Friday: the next quarter's
        ("GC", "2025-06-26", "GCQ25"),  # a Thursday weekly after the July options: August
        ("GC", "2025-05-27", "GCM25"),
        ("CL", "2024-12-16", "CLF25"),
        ("CL", "2024-12-17", "CLG25"),
        ("MCL", "2024-12-16", "MCLF25"),
        ("ZN", "2024-12-27", "ZNH25"),
        ("ZN", "2025-02-21", "ZNH25"),
        ("ZN", "2025-02-28", "ZNM25"),
        ("6E", "2025-03-07", "6EH25"),
        ("6E", "2025-03-14", "6EM25"),
        ("VIX", "2024-06-18", "VIXM24"),
    ],
)
def test_an_option_is_on_the_future_of_its_month(
    key: str, expiry: str, future: str, sessions: Sessions
) -> None:
    product = PRODUCTS[key]
    last = underlying_future(product, day(expiry), sessions)
    assert last is not None
    assert month_code(product, last, sessions) == future


def test_no_future_is_beneath_a_fund_or_an_index(sessions: Sessions) -> None:
    for key in ("SPX", "XSP", "SPY", "GLD"):
        assert underlying_future(PRODUCTS[key], day("2025-06-20"), sessions) is None


def test_quarterly_index_futures_options_are_american_and_end_at_the_open(sessions: Sessions) -> None:
    quarterly, weekly = day("2025-06-20"), day("2025-06-27")
    assert is_quarterly_expiry(quarterly, sessions)
    found = terms_of(PRODUCTS["ES"], quarterly, sessions)
    assert found is not None
    assert (found.style, found.at_open, found.last_trade) == (Style.AMERICAN, True, quarterly)
    found = terms_of(PRODUCTS["ES"], weekly, sessions)
    assert found is not None
    assert (found.style, found.at_open, found.settlement) == (Style.EUROPEAN, False, Settlement.FUTURE)


def test_what_settles_at_the_open_last_trades_the_day_before(sessions: Sessions) -> None:
    for key, expiry, last in (("SPX", "2025-06-20", "2025-06-18"), ("VIX", "2025-06-18", "2025-06-17")):
        found = terms_of(PRODUCTS[key], day(expiry), sessions)
        assert found is not None
        assert found.last_trade == day(last)  # 2025-06-19 was Juneteenth
    assert terms_of(PRODUCTS["SPXW"], day("2025-06-20"), sessions).last_trade == day("2025-06-20")  # type: ignore[union-attr]


def test_deliverable_american_options_are_closed_five_sessions_ahead(sessions: Sessions) -> None:
    # CL 2024-12-16: 13, 12, 11, 10, 9 December.
    assert hard_close_day(PRODUCTS["CL"], day("2024-12-16"), sessions) == day("2024-12-09")
    assert hard_close_day(PRODUCTS["MCL"], day("2024-12-16"), sessions) == day("2024-12-16")


def test_outside_the_sessions_nothing_is_guessed(sessions: Sessions) -> None:
    for key in ("ES", "CL", "GC", "6E", "ZN", "VX"):
        assert future_last_trade(PRODUCTS[key], 2030, 3, sessions) is None
        assert future_last_trade(PRODUCTS[key], 1999, 3, sessions) is None
        assert monthly_expiry(PRODUCTS[key], 2030, 3, sessions) is None


MONTHS = [(year, month) for year in range(2003, 2026) for month in range(1, 13)]
WITH_FUTURES = [key for key, row in PRODUCTS.items() if row.spec is not None]


@pytest.mark.parametrize("key", WITH_FUTURES)
def test_in_every_month_things_end_on_sessions_and_in_order(key: str, sessions: Sessions) -> None:
    product = PRODUCTS[key]
    for year, month in MONTHS:
        option, future = (
            monthly_expiry(product, year, month, sessions),
            future_last_trade(product, year, month, sessions),
        )
        roll, notice = roll_day(product, year, month, sessions), first_notice(product, year, month, sessions)
        assert option is not None
        assert future is not None
        assert roll is not None
        for end in (option, future, roll, notice or future):
            assert sessions.on(end) is not None
        assert option <= future
        assert roll < min(future, notice or future)
        # Options are exercised into a future that lives on, and before anybody can be told to deliver.
        beneath = underlying_future(product, option, sessions)
        assert beneath is not None
        assert beneath >= option
        if product.style is Style.AMERICAN:
            assert option < (notice or future)


# ------------------------------------------------------------------------------------ listing


def test_the_market_lists_ninety_days_out_in_every_strangle_product(sessions: Sessions) -> None:
    span = sessions.between(date(2010, 1, 4), date(2026, 12, 31))
    for key in ("CL", "MCL", "GC", "MGC", "6E", "ZB", "ZN", "NQ", "GLD", "TLT", "SLV", "XOP"):
        listing = expiries_of(key, span)
        for month in range(1, 13):
            today = weekday_of_month(2015, month, TUESDAY, 2)
            near = [x.expiry for x in listing if x.first <= today <= x.last]
            assert any(70 <= (expiry - today).days <= 110 for expiry in near), (key, today)


def test_funds_and_stocks_list_a_year_and_more(sessions: Sessions) -> None:
    span = sessions.between(date(2010, 1, 4), date(2026, 12, 31))
    for key in ("SPY", "QQQ", "IWM", "AAPL"):
        listing = expiries_of(key, span)
        today = date(2015, 3, 4)
        assert any(365 <= (x.expiry - today).days <= 730 for x in listing if x.first <= today <= x.last)
        assert any(x.expiry == date(2015, 3, 13) for x in listing if x.first <= today <= x.last)


def test_vix_options_are_listed_until_the_day_before_their_wednesday(sessions: Sessions) -> None:
    found = {x.expiry: x.last for x in expiries_of("VIX", sessions)}
    assert found[day("2024-05-22")] == day("2024-05-21")
    assert expiries_of("VX", sessions) == ()


# ----------------------------------------------------------------------------------- schedules


def test_the_nth_weekday_of_a_month() -> None:
    assert weekday_of_month(2024, 10, TUESDAY, 2) == date(2024, 10, 8)
    assert weekday_of_month(2024, 5, WEDNESDAY, 1) == date(2024, 5, 1)
    assert third_friday(2024, 11) == date(2024, 11, 15)
    with pytest.raises(ValueError):
        weekday_of_month(2024, 2, FRIDAY, 5)


def test_a_second_tuesday_is_that_session_and_no_other(sessions: Sessions) -> None:
    found = [
        s.date
        for s in sessions.between(date(2024, 1, 2), date(2024, 6, 28))
        if is_scheduled(s.date, TUESDAY, sessions, nth=2)
    ]
    assert found == [day(f"2024-{d}") for d in ("01-09", "02-13", "03-12", "04-09", "05-14", "06-11")]


def test_a_monthly_schedule_on_a_holiday_moves_to_the_next_session(sessions: Sessions) -> None:
    # New Year's Day 2025 was the first Wednesday; on 9 January the exchange mourned.
    assert is_scheduled(day("2025-01-02"), WEDNESDAY, sessions, nth=1)
    assert not is_scheduled(day("2025-01-08"), WEDNESDAY, sessions, nth=1)
    # The first Monday of September is Labor Day: the long put's rung is bought on Tuesday.
    assert is_scheduled(day("2024-09-03"), MONDAY, sessions, nth=1)


def test_good_friday_skips_0dte_and_moves_the_weekly_call_to_thursday(sessions: Sessions) -> None:
    good_friday, thursday, monday = day("2024-03-29"), day("2024-03-28"), day("2024-04-01")
    assert session_on(good_friday, sessions, WhenClosed.SKIP) is None
    assert session_on(good_friday, sessions, WhenClosed.BEFORE) == thursday
    assert session_on(good_friday, sessions, WhenClosed.NEXT) == monday
    assert not is_scheduled(thursday, FRIDAY, sessions, when_closed=WhenClosed.SKIP)
    assert is_scheduled(thursday, FRIDAY, sessions, when_closed=WhenClosed.BEFORE)
    assert not is_scheduled(thursday, FRIDAY, sessions)


def test_half_past_ten_is_an_hour_earlier_by_utc_in_summer() -> None:
    # Clocks changed on Sunday 2024-03-10.
    assert wall_instant(date(2024, 3, 8), time(10, 30)).hour == 15
    assert wall_instant(date(2024, 3, 15), time(10, 30)).hour == 14
    assert wall_instant(date(2024, 3, 15), time(10, 30)) - wall_instant(date(2024, 3, 8), time(10, 30)) == (
        timedelta(days=7, hours=-1)
    )
