"""The exchange's expiry of an option listed under a date: until February 2015 often a Saturday."""

from datetime import date, timedelta
from functools import lru_cache

import polars as pl

from tomking.adapters.calendars import load_sessions
from tomking.domain.calendar import Sessions

_SATURDAY = 5


def last_day(listed: date) -> date:
    """The exchange's expiry of an option listed under a date.

    Until February 2015 monthly options were listed with the Saturday after their last day of trading, and
    data of that time keeps it.  The session before it is the day on which they are worth what they settle
    at, and the date under which later data has the same contract.
    """
    if listed.weekday() != _SATURDAY:
        return listed
    session = sessions_of(listed.year).before(listed)
    assert session is not None, "a year's sessions are loaded with the weeks around them"
    return session.date


def last_days(listed: pl.Series) -> pl.Series:
    """``last_day`` of a column of dates."""
    saturdays = listed.filter(listed.dt.weekday() == _SATURDAY + 1).unique().to_list()
    return listed.replace(saturdays, [last_day(day) for day in saturdays]) if saturdays else listed


def sessions_of(year: int) -> Sessions:
    """A year's sessions among others: at least those of the fortnights around it."""
    return _decades(year // 20 * 20)


@lru_cache(maxsize=8)
def _decades(year: int) -> Sessions:
    """Two at once: that costs as much as one year."""
    fortnight = timedelta(days=14)
    return load_sessions(date(year, 1, 1) - fortnight, date(year + 19, 12, 31) + fortnight)
