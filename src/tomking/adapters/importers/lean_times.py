"""When LEAN's rows could have been seen.

A stamp is the bar's start on the clock of the file's time zone; what is imported is its end, so that nobody
acts on a minute that is not over.  A day's figures are known when its market closed:

    shares                      the securities close, 16:00 New York, 13:00 on half days
    options                     15 minutes later, to which index and some fund options trade
    indices                     20 minutes later: LEAN's index hours end at 15:20 Chicago
    futures, future options     17:00 New York, until 2015-09-18 17:15; a date without a session (Sunday
                                evenings in files of 2013) ends at midnight

A daily bar is stamped a second after that and a universe two, where no minute bar ends: the day's volume
beside the last minute's would be two statements about one instant.  Source: LEAN's market-hours database;
CME Globex notice on the trading hours of 2015-09-21.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from tomking.adapters.importers.lean_layout import Place
from tomking.adapters.importers.listed import sessions_of
from tomking.domain.calendar import wall_instant

_AFTER_CLOSE = {
    "equity": timedelta(0),
    "option": timedelta(minutes=15),
    "indexoption": timedelta(minutes=15),
    "index": timedelta(minutes=20),
}
_FUTURES_CLOSE = time(17, 0)
_FUTURES_CLOSE_UNTIL_2015 = time(17, 15)
_FUTURES_CHANGED = date(2015, 9, 21)
_A_SECOND = timedelta(seconds=1)
_SECURITIES_CLOSE = time(16, 0)
_SATURDAY, _SUNDAY = 5, 6


def seen(starts: pl.Series, place: Place, zone: str) -> pl.Series:
    """The UTC instants at which rows with these naive starts could be known.

    Open interest is a figure, not a bar: it is known when it is stamped.  Null where the zone's clocks never
    showed the time (the hour that is left out in spring), or showed it twice.
    """
    resolution = place.resolution
    assert resolution is not None, "universes have a date, not starts"
    if resolution.folder == "daily" and place.tick != "openinterest":
        days = starts.dt.date()
        ends = {day: day_end(day, place.kind.folder) for day in days.unique()}
        return days.replace_strict(ends, return_dtype=pl.Datetime("us", "UTC"))
    length = timedelta(0) if place.tick == "openinterest" else resolution.length
    local = starts.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return local.dt.convert_time_zone("UTC") + length


def day_end(day: date, kind: str) -> datetime:
    """The UTC instant from which a daily bar of a kind is known."""
    extra = _AFTER_CLOSE.get(kind)
    if extra is None:
        return _futures_end(day) + _A_SECOND
    session = sessions_of(day.year).on(day)
    return (wall_instant(day, _SECURITIES_CLOSE) if session is None else session.close) + extra + _A_SECOND


def list_end(day: date, kind: str) -> datetime:
    """The UTC instant from which a universe file's rows of that day are known."""
    return day_end(day, kind) + _A_SECOND


def _futures_end(day: date) -> datetime:
    if day.weekday() in {_SATURDAY, _SUNDAY}:
        return wall_instant(day + timedelta(days=1), time(0))
    return wall_instant(day, _FUTURES_CLOSE_UNTIL_2015 if day < _FUTURES_CHANGED else _FUTURES_CLOSE)


def session_after(day: date) -> date:
    """The next session of the securities exchange."""
    session = sessions_of(day.year).after(day)
    assert session is not None, "a year's sessions are loaded with the weeks around them"
    return session.date


def known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
