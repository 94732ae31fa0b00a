"""The days on which the Federal Open Market Committee announced its policy, as public facts.

Source: the Federal Reserve's meeting calendars and historical materials.  A meeting of two days
stands under its second, when the statement comes out.
"""

from dataclasses import dataclass
from datetime import date, timedelta

COVERED_FROM = date(2000, 1, 1)
COVERED_TO = date(2026, 12, 31)
"""The first and last day that the table speaks of.  Outside them a filter on it is off, and counts
itself as "not covered" (methodology 0.4, ruling 6)."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One policy statement."""

    day: date
    """A New York date; one is a Sunday (2020-03-15)."""
    scheduled: bool
    """Whether the day was on the calendar beforehand.  Unscheduled: a change of the target or the
    discount rate between meetings, of which nobody could know in the morning."""


def covered(day: date) -> bool:
    """Whether the table says anything about ``day``."""
    return COVERED_FROM <= day <= COVERED_TO


def fomc_on(day: date) -> bool:
    """Whether a scheduled announcement falls on ``day``; False outside the covered span.

    Unscheduled ones do not count: an entry filter that avoided them would look ahead.
    """
    return day in _SCHEDULED


def fomc_week(day: date) -> date | None:
    """The scheduled announcement in the week, Monday to Sunday, of ``day``; None without one."""
    monday = day - timedelta(days=day.weekday())
    week = (monday + timedelta(days=n) for n in range(7))
    return next((announced for announced in week if fomc_on(announced)), None)


# Month/day of each announcement; * unscheduled.  The meeting of 2020-03-17/18 was called off
# after the statement of the Sunday before it.
_BY_YEAR = {
    2000: "2/2 3/21 5/16 6/28 8/22 10/3 11/15 12/19",
    2001: "1/3* 1/31 3/20 4/18* 5/15 6/27 8/21 9/17* 10/2 11/6 12/11",
    2002: "1/30 3/19 5/7 6/26 8/13 9/24 11/6 12/10",
    2003: "1/29 3/18 5/6 6/25 8/12 9/16 10/28 12/9",
    2004: "1/28 3/16 5/4 6/30 8/10 9/21 11/10 12/14",
    2005: "2/2 3/22 5/3 6/30 8/9 9/20 11/1 12/13",
    2006: "1/31 3/28 5/10 6/29 8/8 9/20 10/25 12/12",
    2007: "1/31 3/21 5/9 6/28 8/7 8/17* 9/18 10/31 12/11",
    2008: "1/22* 1/30 3/18 4/30 6/25 8/5 9/16 10/8* 10/29 12/16",
    2009: "1/28 3/18 4/29 6/24 8/12 9/23 11/4 12/16",
    2010: "1/27 3/16 4/28 6/23 8/10 9/21 11/3 12/14",
    2011: "1/26 3/15 4/27 6/22 8/9 9/21 11/2 12/13",
    2012: "1/25 3/13 4/25 6/20 8/1 9/13 10/24 12/12",
    2013: "1/30 3/20 5/1 6/19 7/31 9/18 10/30 12/18",
    2014: "1/29 3/19 4/30 6/18 7/30 9/17 10/29 12/17",
    2015: "1/28 3/18 4/29 6/17 7/29 9/17 10/28 12/16",
    2016: "1/27 3/16 4/27 6/15 7/27 9/21 11/2 12/14",
    2017: "2/1 3/15 5/3 6/14 7/26 9/20 11/1 12/13",
    2018: "1/31 3/21 5/2 6/13 8/1 9/26 11/8 12/19",
    2019: "1/30 3/20 5/1 6/19 7/31 9/18 10/30 12/11",
    2020: "1/29 3/3* 3/15* 4/29 6/10 7/29 9/16 11/5 12/16",
    2021: "1/27 3/17 4/28 6/16 7/28 9/22 11/3 12/15",
    2022: "1/26 3/16 5/4 6/15 7/27 9/21 11/2 12/14",
    2023: "2/1 3/22 5/3 6/14 7/26 9/20 11/1 12/13",
    2024: "1/31 3/20 5/1 6/12 7/31 9/18 11/7 12/18",
    2025: "1/29 3/19 5/7 6/18 7/30 9/17 10/29 12/10",
    2026: "1/28 3/18 4/29 6/17 7/29 9/16 10/28 12/9",
}


def _read(year: int, words: str) -> tuple[Announcement, ...]:
    return tuple(
        Announcement(date(year, int(month), int(day.rstrip("*"))), scheduled=not day.endswith("*"))
        for month, day in (word.split("/") for word in words.split())
    )


ANNOUNCEMENTS: tuple[Announcement, ...] = tuple(
    announcement for year, words in _BY_YEAR.items() for announcement in _read(year, words)
)
"""All of them, ascending."""

_SCHEDULED = frozenset(announcement.day for announcement in ANNOUNCEMENTS if announcement.scheduled)
