"""How many requests may go out, and what share of them only what reduces risk may use (I22).

Never more than five in any second, nor than sixty in any minute: a bucket of fifteen that refills by three
quarters a second.  A process starts with an almost empty bucket and a second of silence, because it does not
know what the one before it had spent.  The broker publishes no quota (T10): after a 429 or a 5xx nothing goes
out before a backoff that doubles up to half a minute, or to five seconds while odd legs wait.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

A_SECOND = 5
BUCKET, PER_SECOND, AT_START = 15.0, 0.75, 3.0
WINDOW = timedelta(seconds=1)
FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=1), timedelta(seconds=30)
LONGEST_IN_A_HURRY = timedelta(seconds=5)
"""While something is uncovered, which must not last half a minute longer than it has to (I9)."""


class Use(Enum):
    """What a request is for."""

    LOOK = "look"
    OPEN = "open"
    CLOSE = "close"
    CANCEL = "cancel"


RESERVE: dict[Use, tuple[int, float]] = {
    Use.LOOK: (1, 2.0),
    Use.OPEN: (1, 4.0),
    Use.CLOSE: (1, 1.0),
    Use.CANCEL: (0, 0.0),
}
"""Requests of the second, and tokens, that must be left after a request of that use."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left at ``at``."""

    at: datetime
    tokens: float = AT_START
    recent: tuple[datetime, ...] = ()
    """When requests left in the second before ``at``."""
    backoff: timedelta = timedelta(0)
    quiet_until: datetime | None = None

    def refilled(self, now: datetime) -> "Budget":
        """As it is at ``now``; a clock that went back refills nothing."""
        seconds = max(0.0, (now - self.at).total_seconds())
        return Budget(
            at=max(now, self.at),
            tokens=min(BUCKET, self.tokens + seconds * PER_SECOND),
            recent=tuple(at for at in self.recent if at > now - WINDOW),
            backoff=self.backoff,
            quiet_until=self.quiet_until,
        )

    def allows(self, use: Use, now: datetime) -> bool:
        if self.quiet_until is not None and now < self.quiet_until:
            return False
        full = self.refilled(now)
        requests, tokens = RESERVE[use]
        return len(full.recent) + requests < A_SECOND and full.tokens >= 1 + tokens

    def spent(self, now: datetime) -> "Budget":
        full = self.refilled(now)
        return replace(full, tokens=full.tokens - 1, recent=(*full.recent, now))

    def refused(self, now: datetime) -> "Budget":
        """After the broker said that it is too much, or that it is ill."""
        longer = min(LONGEST_BACKOFF, max(FIRST_BACKOFF, self.backoff * 2))
        return replace(self, backoff=longer, quiet_until=now + longer)

    def hurried(self, now: datetime) -> "Budget":
        """With no more than a short silence ahead."""
        soon = now + LONGEST_IN_A_HURRY
        return (
            self if self.quiet_until is None or self.quiet_until <= soon else replace(self, quiet_until=soon)
        )

    def answered(self) -> "Budget":
        """After a whole answer: a silence under way is kept, the next one starts short."""
        return replace(self, backoff=timedelta(0)) if self.backoff else self


def at_start(now: datetime) -> Budget:
    """Of a process that has just begun."""
    return Budget(now, quiet_until=now + WINDOW)
