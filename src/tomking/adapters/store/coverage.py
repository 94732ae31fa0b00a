"""What a month covers: its sessions, the holes inside them, and the exchange's sessions it lacks."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.calendars import load_futures_sessions, load_sessions
from tomking.adapters.store.records import MonthRecord, SessionRecord
from tomking.domain.calendar import Sessions
from tomking.domain.products import PRODUCTS

Instants = NDArray[np.int64]
"""Ascending, microseconds since 1970-01-01 UTC, shape (n,)."""
Calendar = Callable[[str, date, date], Sessions]
"""The exchange's sessions of a root or key, both days included."""

_SECOND = 1_000_000
_LONGER = 1.5
"""Steps between two snapshots that are a hole."""


def exchange_sessions(name: str, first: date, last: date) -> Sessions:
    """Of CME equity-index futures for their roots, of the securities exchange for all others."""
    product = PRODUCTS.get(name)
    futures = product is not None and product.future
    decades = range(first.year // 10, last.year // 10 + 1)
    days = tuple(session for decade in decades for session in _decade(decade, futures=futures))
    return Sessions(days).between(first, last)


@lru_cache(maxsize=32)
def _decade(decade: int, *, futures: bool) -> Sessions:
    """Ten years at once take the libraries as long as one month."""
    load = load_futures_sessions if futures else load_sessions
    return load(date(10 * decade, 1, 1), date(10 * decade + 9, 12, 31))


def month_days(month: str) -> tuple[date, date]:
    """First and last day.

    >>> month_days("2018-02")
    (datetime.date(2018, 2, 1), datetime.date(2018, 2, 28))
    """
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def usual_step(sessions: Iterable[Instants]) -> int | None:
    """The most frequent time between two snapshots of a session, us; the shorter of two as frequent."""
    steps = [np.diff(instants) for instants in sessions]
    all_steps = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int64)
    if not all_steps.size:
        return None
    values, count = np.unique(all_steps, return_counts=True)
    return int(values[np.argmax(count)])


def session_records(
    seen: Mapping[date, tuple[Instants, int]],
    sessions: Sessions,
) -> tuple[tuple[SessionRecord, ...], float | None]:
    """Records of a month's sessions from their instants and rows, and the usual step in minutes.

    A session that begins later, or ends earlier, than the month's usual (the median, measured from the
    exchange's open and close) by more than a step and a half has a hole there too.
    """
    step = usual_step(instants for instants, _ in seen.values())
    late, early = _usual_ends(seen, sessions)
    records = []
    for day, (instants, rows) in sorted(seen.items()):
        session = sessions.on(day)
        bounds = instants
        if session is not None:
            begin = _micro(session.open) + late
            end = _micro(session.close) - early
            bounds = np.concatenate((instants[:0] if begin >= instants[0] else [begin], instants))
            bounds = np.concatenate((bounds, instants[:0] if end <= instants[-1] else [end])).astype(np.int64)
        records.append(
            SessionRecord(
                day=day,
                snapshots=int(instants.size),
                rows=rows,
                first=_instant(int(instants[0])),
                last=_instant(int(instants[-1])),
                holes=_holes(bounds, step),
            )
        )
    return tuple(records), None if step is None else step / (60 * _SECOND)


def missing_days(found: Iterable[date], sessions: Sessions) -> tuple[date, ...]:
    """The exchange's sessions that are not among those found."""
    there = set(found)
    return tuple(session.date for session in sessions if session.date not in there)


def missing_between(name: str, months: Mapping[str, MonthRecord], calendar: Calendar) -> tuple[date, ...]:
    """The exchange's sessions between the first and the last day that are not there; absent months too."""
    days = [session.day for record in months.values() for session in record.sessions]
    if not days:
        return ()
    first, last = min(days), max(days)
    listed = [day for record in months.values() for day in record.missing]
    absent = [month for month in _months(first, last) if month not in months]
    for month in absent:
        listed += [session.date for session in calendar(name, *month_days(month))]
    return tuple(sorted(day for day in listed if first < day < last))


def _months(first: date, last: date) -> list[str]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [
        f"{first.year + (first.month - 1 + n) // 12}-{(first.month - 1 + n) % 12 + 1:02}"
        for n in range(count)
    ]


def _usual_ends(seen: Mapping[date, tuple[Instants, int]], sessions: Sessions) -> tuple[int, int]:
    """Medians of (first snapshot - open) and (close - last snapshot), us."""
    both = [(instants, sessions.on(day)) for day, (instants, _) in seen.items()]
    late = [int(i[0]) - _micro(s.open) for i, s in both if s is not None]
    early = [_micro(s.close) - int(i[-1]) for i, s in both if s is not None]
    return _median(late), _median(early)


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2] if values else 0


def _holes(bounds: Instants, step: int | None) -> tuple[tuple[datetime, datetime], ...]:
    if step is None:
        return ()
    return tuple((_instant(a), _instant(b)) for a, b in pairwise(bounds.tolist()) if b - a > _LONGER * step)


def _micro(instant: datetime) -> int:
    return round(instant.timestamp()) * _SECOND


def _instant(micro: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)
