"""Each product's own sessions, against LEAN's market-hours database."""

import json
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tomking.adapters.calendars import load_product_sessions, load_sessions
from tomking.domain.calendar import NEW_YORK
from tomking.domain.products import PRODUCTS

HOURS = Path(__file__).resolve().parents[2] / "../shared/data/lean/market-hours/market-hours-subset.json"


def close_of(key: str, day: date) -> str | None:
    session = load_product_sessions(key, day, day).on(day)
    return None if session is None else f"{session.close.astimezone(NEW_YORK):%H:%M}"


@pytest.mark.parametrize(
    ("day", "closes"),
    [
        # What each stops at, New York: AAPL, SPY, SPXW, ES, CL, GC, ZN, 6E, VX.
        ("2024-07-10", "16:00 16:15 16:15 17:00 17:00 17:00 17:00 17:00 17:00"),  # an ordinary Wednesday
        ("2024-12-24", "13:00 13:15 13:15 13:15 13:45 13:45 13:15 13:15 13:15"),  # Christmas Eve
        ("2023-11-24", "13:00 13:15 13:15 13:15 13:45 13:45 13:15 13:15 13:15"),  # after Thanksgiving
        ("2024-01-15", "-     -     -     13:00 14:30 14:30 13:00 17:00 -"),  # Martin Luther King
        ("2023-09-04", "-     -     -     13:00 14:30 14:30 13:00 17:00 -"),  # Labor Day
        ("2024-06-19", "-     -     -     13:00 14:30 14:30 13:00 17:00 -"),  # Juneteenth
        ("2023-04-07", "-     -     -     09:15 -     -     11:15 11:15 -"),  # Good Friday with a jobs report
        ("2024-12-25", "-     -     -     -     -     -     -     -     -"),
    ],
)
def test_early_closes_and_holidays_differ_by_product(day: str, closes: str) -> None:
    keys = ("AAPL", "SPY", "SPXW", "ES", "CL", "GC", "ZN", "6E", "VX")
    found = " ".join(close_of(key, date.fromisoformat(day)) or "-" for key in keys)
    assert found == " ".join(closes.split())


@pytest.mark.parametrize("key", [k for k, row in PRODUCTS.items() if row.hours.from_evening])
def test_futures_open_at_six_in_the_evening_before_summer_and_winter(key: str) -> None:
    for session in load_product_sessions(key, date(2024, 3, 4), date(2024, 3, 15)):
        opened = session.open.astimezone(NEW_YORK)
        assert opened.time() == time(18)
        assert opened.date() == session.date - timedelta(days=1)
        assert opened.date().weekday() != 4  # never on Friday evening, for Monday on Sunday
        # 23 hours but for the night in which clocks go forward.
        lasted = session.close - session.open
        assert lasted == timedelta(hours=23)


def test_trade_dates_are_ascending_and_no_session_overlaps_the_next() -> None:
    for key in ("ES", "CL", "ZN", "6E", "VX"):
        days = load_product_sessions(key, date(2019, 1, 1), date(2024, 12, 31)).days
        for one, following in pairwise(days):
            assert one.date < following.date
            assert one.close <= following.open


def test_securities_keep_what_they_had() -> None:
    span = date(2024, 1, 2), date(2024, 12, 31)
    assert load_product_sessions("AAPL", *span) == load_sessions(*span)


def test_an_unknown_product_and_a_span_backwards_are_refused() -> None:
    with pytest.raises(KeyError, match="did you mean ES"):
        load_product_sessions("ESM5", date(2024, 1, 2), date(2024, 1, 3))
    with pytest.raises(ValueError, match="the end is before the start"):
        load_product_sessions("CL", date(2024, 1, 3), date(2024, 1, 2))


LEAN_ODD = {
    # Days on which LEAN's database lacks an early close that it has in all other years, or has another hour.
    "CL": {date(2024, 11, 29), date(2025, 7, 4), date(2025, 11, 28)},
    "ZN": {date(2024, 11, 29)},
}


@pytest.mark.skipif(not HOURS.exists(), reason="needs ../shared/data/lean")
@pytest.mark.parametrize(("key", "entry"), [("CL", "Future-nymex-CL"), ("ZN", "Future-cbot-ZN")])
def test_closes_are_leans_from_june_2015_on(key: str, entry: str) -> None:
    known = json.loads(HOURS.read_text())["entries"][entry]
    zone = ZoneInfo(known["exchangeTimeZone"])
    shut = {datetime.strptime(day, "%m/%d/%Y").date() for day in known["holidays"]}  # noqa: DTZ007
    early = {
        datetime.strptime(day, "%m/%d/%Y").date(): time.fromisoformat(hour)  # noqa: DTZ007
        for day, hour in known["earlyCloses"].items()
    }
    differ = set()
    for session in load_product_sessions(key, date(2015, 6, 1), date(2026, 6, 30)):
        day = session.date
        close = (
            datetime.combine(day, early[day], zone)
            if day in early
            else datetime.combine(day, time(17), NEW_YORK)
        )
        if day in shut or close != session.close:
            differ.add(day)
    assert differ == LEAN_ODD[key]
