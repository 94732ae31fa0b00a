"""How many requests may go out: two buckets, and a share of both that only what reduces risk may use (I22).

5 at once and 5 a second; 60 a minute over time.  The broker publishes no quota (T10): after a 429 or a 5xx
nothing goes out before a backoff that doubles up to half a minute.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

BURST, PER_SECOND = 5.0, 5.0
MINUTE, PER_MINUTE_SECOND = 60.0, 1.0
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=1), timedelta(seconds=30)


class Use(IntEnum):
    """Whose turn it is, least urgent first; the number is no matter of degree."""

    LOOK = 0
    OPEN = 1
    CLOSE = 2
    CANCEL = 3


RESERVE: dict[Use, tuple[float, float]] = {
    Use.LOOK: (2.0, 12.0),
    Use.OPEN: (2.0, 20.0),
    Use.CLOSE: (1.0, 4.0),
    Use.CANCEL: (0.0, 0.0),
}
"""Tokens of the burst and of the minute that must be left after a request of that use."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left at ``at``."""

    at: datetime | None = None
    burst: float = BURST
    minute: float = MINUTE
    backoff: timedelta = timedelta(0)
    quiet_until: datetime | None = None

    def at_time(self, now: datetime) -> "Budget":
        """Refilled up to ``now``; a clock that went back refills nothing."""
        if self.at is None:
            return replace(self, at=now)
        seconds = max(0.0, (now - self.at).total_seconds())
        return replace(
            self,
            at=max(now, self.at),
            burst=min(BURST, self.burst + seconds * PER_SECOND),
            minute=min(MINUTE, self.minute + seconds * PER_MINUTE_SECOND),
        )

    def allows(self, use: Use, now: datetime) -> bool:
        if self.quiet_until is not None and now < self.quiet_until:
            return False
        full = self.at_time(now)
        burst, minute = RESERVE[use]
        return full.burst >= 1 + burst and full.minute >= 1 + minute

    def spent(self, now: datetime) -> "Budget":
        full = self.at_time(now)
        return replace(full, burst=full.burst - 1, minute=full.minute - 1)

    def refused(self, now: datetime) -> "Budget":
        """After the broker said that it is too much, or that it is ill."""
        longer = min(LONGEST_BACKOFF, max(FIRST_BACKOFF, self.backoff * 2))
        return replace(self, backoff=longer, quiet_until=now + longer)

    def answered(self) -> "Budget":
        """After a whole answer."""
        return replace(self, backoff=timedelta(0), quiet_until=None)
