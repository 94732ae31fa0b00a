"""The days on which the Consumer Price Index of the United States came out, as public facts.

Source: release schedules of the Bureau of Labor Statistics, taken where independent published copies agree
(three of them at least, from 2008 to the middle of 2025).  Releases are at 08:30 New York.  Those that a
shutdown of the government delayed (2013-10-30, 2025-10-24, 2025-12-18, 2026-02-13) stand under the day of
the release, which was announced beforehand; there was none in November 2025.
The days of 2026 are as scheduled.
"""

from datetime import date

COVERED_FROM = date(2008, 1, 1)
COVERED_TO = date(2026, 12, 31)
"""The first and last day that the table speaks of.  Outside them a filter on it is off in a backtest, and
counts itself as "not covered"; paper and live block (methodology 0.4, ruling 6)."""


def covered(day: date) -> bool:
    """Whether the table says anything about ``day``."""
    return COVERED_FROM <= day <= COVERED_TO


def cpi_on(day: date) -> bool:
    """Whether a release falls on ``day``; False outside the covered span."""
    return day in _RELEASES


# Month/day of each release.
_BY_YEAR = {
    2008: "1/16 2/20 3/14 4/16 5/14 6/13 7/16 8/14 9/16 10/16 11/19 12/16",
    2009: "1/16 2/20 3/18 4/15 5/15 6/17 7/15 8/14 9/16 10/15 11/18 12/16",
    2010: "1/15 2/19 3/18 4/14 5/19 6/17 7/16 8/13 9/17 10/15 11/17 12/15",
    2011: "1/14 2/17 3/17 4/15 5/13 6/15 7/15 8/18 9/15 10/19 11/16 12/16",
    2012: "1/19 2/17 3/16 4/13 5/15 6/14 7/17 8/15 9/14 10/16 11/15 12/14",
    2013: "1/16 2/21 3/15 4/16 5/16 6/18 7/16 8/15 9/17 10/30 11/20 12/17",
    2014: "1/16 2/20 3/18 4/15 5/15 6/17 7/22 8/19 9/17 10/22 11/20 12/17",
    2015: "1/16 2/26 3/24 4/17 5/22 6/18 7/17 8/19 9/16 10/15 11/17 12/15",
    2016: "1/20 2/19 3/16 4/14 5/17 6/16 7/15 8/16 9/16 10/18 11/17 12/15",
    2017: "1/18 2/15 3/15 4/14 5/12 6/14 7/14 8/11 9/14 10/13 11/15 12/13",
    2018: "1/12 2/14 3/13 4/11 5/10 6/12 7/12 8/10 9/13 10/11 11/14 12/12",
    2019: "1/11 2/13 3/12 4/10 5/10 6/12 7/11 8/13 9/12 10/10 11/13 12/11",
    2020: "1/14 2/13 3/11 4/10 5/12 6/10 7/14 8/12 9/11 10/13 11/12 12/10",
    2021: "1/13 2/10 3/10 4/13 5/12 6/10 7/13 8/11 9/14 10/13 11/10 12/10",
    2022: "1/12 2/10 3/10 4/12 5/11 6/10 7/13 8/10 9/13 10/13 11/10 12/13",
    2023: "1/12 2/14 3/14 4/12 5/10 6/13 7/12 8/10 9/13 10/12 11/14 12/12",
    2024: "1/11 2/13 3/12 4/10 5/15 6/12 7/11 8/14 9/11 10/10 11/13 12/11",
    2025: "1/15 2/12 3/12 4/10 5/13 6/11 7/15 8/12 9/11 10/24 12/18",
    2026: "1/13 2/13 3/11 4/10 5/12 6/10 7/14 8/12 9/11 10/14 11/10 12/10",
}

RELEASES: tuple[date, ...] = tuple(
    date(year, *(int(number) for number in word.split("/")))
    for year, words in _BY_YEAR.items()
    for word in words.split()
)
"""All of them, ascending."""

_RELEASES = frozenset(RELEASES)
