"""The table of policy announcements."""

import csv
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tomking.domain.fomc import (
    ANNOUNCEMENTS,
    COVERED_FROM,
    COVERED_TO,
    Announcement,
    covered,
    fomc_on,
    fomc_week,
)

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/events/fomc_dates.csv"


def test_a_statement_day_is_an_fomc_day_and_the_day_before_is_not() -> None:
    # The two-day meeting of 2024-12-17/18: the statement came on the second day.
    assert fomc_on(date(2024, 12, 18))
    assert not fomc_on(date(2024, 12, 17))


def test_an_announcement_nobody_could_know_of_stops_no_entry() -> None:
    cut_between_meetings = date(2001, 1, 3)
    assert Announcement(cut_between_meetings, scheduled=False) in ANNOUNCEMENTS
    assert not fomc_on(cut_between_meetings)


def test_the_unscheduled_ones_are_these() -> None:
    assert [str(a.day) for a in ANNOUNCEMENTS if not a.scheduled] == [
        "2001-01-03",
        "2001-04-18",
        "2001-09-17",
        "2007-08-17",
        "2008-01-22",
        "2008-10-08",
        "2020-03-03",
        "2020-03-15",
    ]


@pytest.mark.parametrize("year", range(2000, 2027))
def test_each_year_has_eight_scheduled_meetings_but_2020(year: int) -> None:
    # That of 2020-03-17/18 was called off after the statement of the Sunday before.
    scheduled = [a for a in ANNOUNCEMENTS if a.scheduled and a.day.year == year]
    assert len(scheduled) == (7 if year == 2020 else 8)


def test_scheduled_announcements_fall_on_tuesday_to_thursday_in_ascending_order() -> None:
    assert {a.day.weekday() for a in ANNOUNCEMENTS if a.scheduled} == {1, 2, 3}
    assert all(a.day < b.day for a, b in pairwise(ANNOUNCEMENTS))


def test_the_week_of_a_statement_is_an_fomc_week_from_monday_on() -> None:
    assert fomc_week(date(2024, 12, 16))
    assert fomc_week(date(2024, 12, 20))
    assert not fomc_week(date(2024, 12, 23))


def test_outside_its_span_the_table_says_nothing() -> None:
    assert covered(COVERED_FROM)
    assert covered(COVERED_TO)
    assert not covered(date(1999, 12, 31))
    assert not fomc_on(date(1994, 2, 4))  # the first statement ever, before the span
    assert not covered(date(2027, 1, 1))


def test_the_table_agrees_with_the_lists_gathered_for_development() -> None:
    if not SHARED.exists():
        pytest.skip("../shared is not here")
    with SHARED.open() as file:
        theirs = [
            Announcement(date.fromisoformat(row["announcement_date"]), scheduled=row["scheduled"] == "yes")
            for row in csv.DictReader(file)
        ]
    assert list(ANNOUNCEMENTS) == theirs
