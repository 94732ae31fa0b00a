"""Texts of stamps and dates into instants and days: formats, zones, clock changes, early closes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tomking.adapters.calendars import load_sessions
from tomking.adapters.importers.mapping import CLOSE, EPOCHS, ISO, Stamp
from tomking.domain.calendar import NEW_YORK

YEARS = range(1990, 2201)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
EPOCH_FIRST = (datetime(YEARS[0], 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
EPOCH_LAST = (datetime(YEARS[-1], 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""Microseconds since 1970 that are in ``YEARS`` in any zone."""


class Unreadable(ValueError):
    """Why a cell cannot be read, and what to do about it."""


@dataclass(slots=True)
class Clock:
    """Reads the stamps of one file.  A file keeps to one zone: its offsets are remembered."""

    zone: ZoneInfo
    _seen: set[str] = field(default_factory=set)

    def instant(self, value: Any, formats: tuple[str, ...]) -> int:  # noqa: ANN401
        """Microseconds since 1970-01-01 UTC.  ``value``: a text, or a date or datetime of a Parquet file."""
        moment = _moment(value, formats)
        if not isinstance(moment, datetime):
            raise Unreadable("has no time of day; give `time` in the mapping, or a column with both")
        return self._utc(moment)

    def day(self, value: Any, formats: tuple[str, ...]) -> date:  # noqa: ANN401
        moment = _moment(value, formats)
        if not isinstance(moment, datetime):
            return _in_range(moment)
        _in_range(moment.date())  # before it is shifted: the first and last year have no neighbour
        local = moment if moment.tzinfo in {None, UTC} else moment.astimezone(self.zone)
        return _in_range(local.date())

    def at(self, day: date, wall: time, early_close_from: date | None) -> int:
        """A wall clock on a day, moved as far as the session closes early."""
        local = datetime.combine(day, wall)
        if early_close_from is not None and day >= early_close_from:
            close = _closes(day.year).get(day)
            if close is not None:
                local -= datetime.combine(day, CLOSE) - close
        return self._utc(local)

    def _utc(self, moment: datetime) -> int:
        _in_range(moment.date())
        aware = self._aware(moment) if moment.tzinfo is None else moment
        offset = "the layout's zone"
        if moment.tzinfo is not None and aware.utcoffset() != aware.astimezone(self.zone).utcoffset():
            offset = f"offset {aware:%z}"
        self._seen.add(offset)
        if len(self._seen) > 1:
            raise Unreadable(f"mixes time zones in one file ({', '.join(sorted(self._seen))}); write one")
        return (aware - _EPOCH) // _MICROSECOND

    def _aware(self, naive: datetime) -> datetime:
        first, second = (naive.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        one, two = first.utcoffset(), second.utcoffset()
        if one == two:
            return first
        assert one is not None
        assert two is not None
        if one < two:
            raise Unreadable(f"does not exist in {self.zone.key}: the clocks went forward; check the zone")
        raise Unreadable(f"is there twice in {self.zone.key}: the clocks went back; write it with an offset")


def _in_range(day: date) -> date:
    if day.year not in YEARS:
        raise Unreadable(f"is outside {YEARS[0]} to {YEARS[-1]}; check the column and its format")
    return day


def _moment(value: Any, formats: tuple[str, ...]) -> date | datetime:  # noqa: ANN401
    if isinstance(value, date):
        return value
    text = str(value)
    for form in formats:
        try:
            return _reader(form)(text)
        except (ValueError, OverflowError):
            continue
    raise Unreadable(f"is not a date or time as {' or '.join(formats)}; correct it or give its format")


@lru_cache(maxsize=64)
def _reader(form: str) -> Callable[[str], date | datetime]:
    if form == ISO:
        return _iso
    if form in EPOCHS:
        return lambda text: _from_epoch(text, EPOCHS[form])
    has_time = any(code in form for code in ("%H", "%I", "%c", "%X"))
    return lambda text: _formatted(text, form, has_time=has_time)


def _iso(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)


def _from_epoch(text: str, microseconds: float) -> datetime:
    count = int(text)
    whole = count // 1000 if microseconds < 1 else count * int(microseconds)
    return _EPOCH + timedelta(microseconds=whole)


def _formatted(text: str, form: str, *, has_time: bool) -> date | datetime:
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the layout's
    return moment if has_time else moment.date()


@lru_cache(maxsize=64)
def _closes(year: int) -> dict[date, datetime]:
    """Naive New York closes of a year's sessions."""
    sessions = load_sessions(date(year, 1, 1), date(year, 12, 31))
    return {s.date: s.close.astimezone(NEW_YORK).replace(tzinfo=None) for s in sessions}


def wall_time(text: str) -> time:
    try:
        return time.fromisoformat(text.zfill(5) if ":" in text else text)
    except ValueError:
        raise Unreadable("is not a time of day; write HH:MM") from None


def stamp_of_name(stamp: Stamp, found: dict[str, str | None] | None, clock: Clock) -> datetime:
    """The instant in a file's name: its date with its time, else with ``stamp.time``, else the close."""
    if found is None:
        raise Unreadable("does not say when its quotes were seen")
    day = clock.day(found["date"] or "", ("%Y%m%d", "%Y-%m-%d"))
    said = found.get("time")
    if said:
        micros = clock.at(day, wall_time(f"{said[:2]}:{said[-2:]}"), None)
    else:
        micros = clock.at(day, stamp.time or CLOSE, date.min)
    return _EPOCH + micros * _MICROSECOND
