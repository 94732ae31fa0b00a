"""Whether trading is allowed at all: what the kill latch says, and who said it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tomking.domain.calendar import new_york


class Trading(StrEnum):
    """Three states (methodology, ruling 9).  In all of them guardian exits and ``flatten`` still close."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    """Closing only."""
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True)
class Latch:
    """What the latch holds: its state, and the act of a person that brought it there."""

    state: Trading
    since: datetime | None
    """When it was set; None where nothing readable says so."""
    by: str
    """Who set it, and with what ("anna: tomking halt"); empty where nobody did."""
    why: str
    alone_until: datetime | None = None
    """Until then another process closes everything by itself: nobody else sends anything but cancels."""

    @property
    def opens(self) -> bool:
        """Whether an order that opens may be sent."""
        return self.state is Trading.ACTIVE

    def yields(self, now: datetime) -> bool:
        """Whether even exits are left to another process now."""
        return self.alone_until is not None and now < self.alone_until

    @property
    def words(self) -> str:
        """``HALTED since 2031-03-07 15:20:00 New York by anna: tomking halt (quotes look wrong)``."""
        since = f" since {new_york(self.since):%Y-%m-%d %H:%M:%S} New York" if self.since else ""
        by = f" by {self.by}" if self.by else ""
        return f"{self.state}{since}{by}" + (f" ({self.why})" if self.why else "")
