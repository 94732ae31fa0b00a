"""What the catalogue says is there, and what it says is missing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.storeworlds import OPEN, calendar, levels, put, raw_file, session

from tomking.adapters.store import Store
from tomking.adapters.store.coverage import exchange_sessions, session_records, usual_step
from tomking.domain.calendar import Session, Sessions, wall_instant


def on(day: int) -> datetime:
    """09:30 New York on a day of March 2031, before its change of clocks."""
    return OPEN + timedelta(days=day - 3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", calendar=calendar)


def test_sessions_that_the_exchange_held_and_the_store_lacks(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", pl.concat([session(on(4)), session(on(6))])))
    record = store.months("SPXW")["2031-03"]
    # March 2031 has 21 weekdays; the first is Monday the 3rd.
    assert len(record.missing) == 19
    assert record.missing[:3] == (date(2031, 3, 3), date(2031, 3, 5), date(2031, 3, 7))
    assert store.missing("SPXW") == (date(2031, 3, 5),)


def test_a_whole_month_that_is_absent_is_missing_too(store: Store, tmp_path: Path) -> None:
    rows = pl.concat([session(on(-31)), session(on(4))])
    put(store, raw_file(tmp_path, "a", rows))
    assert list(store.months("SPXW")) == ["2031-01", "2031-03"]
    missing = store.missing("SPXW")
    assert sum(day.month == 2 for day in missing) == 20
    assert missing[-1] == date(2031, 3, 3)


def test_a_session_is_described_by_its_snapshots_and_rows(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", session(on(4), snapshots=13)))
    record = store.months("SPXW")["2031-03"]
    (only,) = record.sessions
    assert (only.day, only.snapshots, only.rows) == (date(2031, 3, 4), 13, 52)
    assert (only.first, only.last) == (on(4) + timedelta(minutes=30), on(4) + timedelta(minutes=390))
    assert (record.step_minutes, only.holes) == (30.0, ())


def test_a_hole_is_where_the_months_usual_step_is_exceeded(store: Store, tmp_path: Path) -> None:
    whole = session(on(4), snapshots=13)
    late = on(5) + timedelta(minutes=90)
    torn = session(on(5), snapshots=13).filter(~pl.col("at").is_between(late, late + timedelta(minutes=60)))
    put(store, raw_file(tmp_path, "a", pl.concat([whole, torn])))
    holes = [s.holes for s in store.months("SPXW")["2031-03"].sessions]
    assert holes == [(), ((late - timedelta(minutes=30), late + timedelta(minutes=90)),)]


def test_a_session_that_begins_later_than_usual_has_a_hole_at_its_open(store: Store, tmp_path: Path) -> None:
    usual = [session(on(d), snapshots=13) for d in (4, 5, 6)]
    begun = on(7) + timedelta(minutes=180)
    late = session(on(7), snapshots=13).filter(pl.col("at") >= begun)
    put(store, raw_file(tmp_path, "a", pl.concat([*usual, late])))
    *others, last = store.months("SPXW")["2031-03"].sessions
    assert [s.holes for s in others] == [(), (), ()]
    assert last.holes == ((on(7) + timedelta(minutes=30), begun),)


def test_a_half_day_that_ends_with_its_session_has_no_hole() -> None:
    full = [date(2031, 3, 3), date(2031, 3, 4)]
    half = date(2031, 3, 5)
    days = [
        Session(d, wall_instant(d, OPEN.time().replace(9, 30)), wall_instant(d, OPEN.time().replace(16, 0)))
        for d in full
    ]
    days.append(
        Session(
            half,
            wall_instant(half, OPEN.time().replace(9, 30)),
            wall_instant(half, OPEN.time().replace(13, 0)),
        )
    )
    seen = {}
    for one in days:
        minutes = np.arange(30, one.minutes + 1, 30)
        seen[one.date] = (int(one.open.timestamp()) * 1_000_000 + minutes * 60_000_000, 4 * minutes.size)
    records, step = session_records(seen, Sessions(tuple(days)))
    assert step == 30.0
    assert [r.holes for r in records] == [(), (), ()]


def test_one_snapshot_a_session_has_no_step_and_no_holes(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", pl.concat([session(on(d), snapshots=1) for d in (3, 4, 5)])))
    record = store.months("SPXW")["2031-03"]
    assert record.step_minutes is None
    assert usual_step([np.zeros(1, dtype=np.int64)]) is None
    assert [s.holes for s in record.sessions] == [(), (), ()]


def test_the_overview_has_a_line_for_each_root_and_underlying(store: Store, tmp_path: Path) -> None:
    put(store, raw_file(tmp_path, "a", pl.concat([session(on(4)), session(on(6)), session(on(-3))])))
    put(store, raw_file(tmp_path, "b", levels((on(4), 5712.25), (on(4) + timedelta(minutes=1), 5713.0))))
    quotes, level = store.overview()
    assert (quotes.kind, quotes.name, quotes.months, quotes.sessions) == ("quotes", "SPXW", 2, 3)
    assert (quotes.snapshots, quotes.rows) == (9, 36)
    assert (quotes.first, quotes.last) == (on(-3) + timedelta(minutes=30), on(6) + timedelta(minutes=90))
    # Between Tuesday 25 February and Thursday 6 March: 26, 27, 28, 3 and 5.
    assert (quotes.missing, quotes.holes) == (5, 0)
    assert (level.kind, level.name, level.rows, level.snapshots) == ("levels", "SPX", 2, 2)
    assert quotes.bytes == sum(p.stat().st_size for p in store.folder.rglob("quotes.parquet"))


def test_the_exchanges_own_calendar_knows_its_holidays() -> None:
    days = {s.date for s in exchange_sessions("SPXW", date(2018, 1, 1), date(2018, 1, 31))}
    assert date(2018, 1, 15) not in days
    assert len(days) == 21
    # Futures trade a short session on Martin Luther King's day.
    futures = exchange_sessions("ES", date(2018, 1, 15), date(2018, 1, 15))
    assert [s.open for s in futures] == [datetime(2018, 1, 14, 23, tzinfo=UTC)]
