"""Whether this machine's clock may be trusted with a trading day (F41).

Two witnesses, both free: a clock that cannot be set, and the ``Date`` that comes with every answer of the
broker.  A clock that jumps, stands or drifts away from them makes sessions, expiries and the age of quotes
wrong, so nothing is opened until it agrees again; exits go on, as they always do.

``Date`` has whole seconds and was written while the request was under way, so what it proves is an interval:
the clock is only doubted when no instant in it would be right.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Lock

from tomking.adapters.clock import wall_now

MOST = timedelta(seconds=2)
"""Skew at which nothing is opened any more."""
WHOLE_SECOND = timedelta(seconds=1)


class WallTime:
    """This machine's clock against its witnesses; any thread may ask and tell."""

    def __init__(
        self, wall: Callable[[], datetime] = wall_now, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._steady = wall, steady
        self._lock = Lock()
        self._skew = timedelta()
        """By the broker's last date: at least so much ahead (> 0) or behind (< 0)."""
        self._begun = wall(), steady()
        """Both clocks when they were last known to agree with the broker, or at the start."""

    def answered(self, date: str | None, took: float) -> None:
        """An answer of the broker: its ``Date``, and the seconds from the request's first byte to now."""
        said = _instant(date)
        if said is None:
            return  # it proves nothing
        with self._lock:
            now = self._wall()
            earliest = now - timedelta(seconds=took) - (said + WHOLE_SECOND)
            latest = now - said
            zero = timedelta()
            self._skew = earliest if earliest > zero else min(latest, zero)
            if abs(self._skew) <= MOST:
                self._begun = now, self._steady()

    def doubt(self) -> str | None:
        """Why nothing may be opened now, with what to do; None: the clock agrees with its witnesses."""
        with self._lock:
            wall, steady = self._begun
            moved = self._wall() - wall - timedelta(seconds=self._steady() - steady)
            skew = self._skew
        if abs(moved) > MOST:
            return f"this machine's clock was {_moved(moved)} since it last agreed with the broker; {REMEDY}"
        if abs(skew) > MOST:
            way = "ahead of" if skew > timedelta() else "behind"
            return f"this machine's clock is {_seconds(skew)} {way} the broker's; {REMEDY}"
        return None


REMEDY = "set it (timedatectl status; an NTP service should keep it), nothing is opened until it agrees"


def _moved(by: timedelta) -> str:
    return f"moved {'forward' if by > timedelta() else 'back, or stood,'} by {_seconds(by)}"


def _seconds(span: timedelta) -> str:
    return f"{abs(span).total_seconds():,.0f} seconds"


def _instant(date: str | None) -> datetime | None:
    """What a ``Date`` header says (RFC 9110); None where it says nothing readable."""
    if not date:
        return None
    try:
        said = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said
