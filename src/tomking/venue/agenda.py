"""The event calendar of the venue's sessions: statements of the Federal Reserve, price index, half days."""

from collections.abc import Iterator
from datetime import date, time

from tomking.domain import cpi, fomc
from tomking.domain.calendar import Session, Sessions, wall_instant
from tomking.venue.listings import instant

Json = dict[str, object]
FOMC_AT, CPI_AT = time(14, 0), time(8, 30)
"""New York."""


def agenda(sessions: Sessions, first: date, last: date) -> Json:
    """The sessions from ``first`` to ``last`` with what is announced on them, and how far tables reach."""
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "covered": {
            "fomc": [fomc.COVERED_FROM.isoformat(), fomc.COVERED_TO.isoformat()],
            "cpi": [cpi.COVERED_FROM.isoformat(), cpi.COVERED_TO.isoformat()],
        },
        "sessions": [_session(one) for one in sessions.between(first, last)],
    }


def _session(session: Session) -> Json:
    return {
        "date": session.date.isoformat(),
        "open": instant(session.open),
        "close": instant(session.close),
        "half-day": session.is_half_day,
        "events": list(_events(session.date)),
    }


def _events(day: date) -> Iterator[Json]:
    if cpi.cpi_on(day):
        yield {"event": "CPI", "at": instant(wall_instant(day, CPI_AT))}
    if fomc.fomc_on(day):
        yield {"event": "FOMC", "at": instant(wall_instant(day, FOMC_AT))}
