"""Whether trading is allowed at all: what the kill latch says, and who said it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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

    @property
    def opens(self) -> bool:
        """Whether an order that opens may be sent."""
        return self.state is Trading.ACTIVE

    @property
    def words(self) -> str:
        """``HALTED since 2031-03-07T20:20:00+00:00 by anna: tomking halt (quotes look wrong)``."""
        since = f" since {self.since.isoformat(timespec='seconds')}" if self.since else ""
        by = f" by {self.by}" if self.by else ""
        return f"{self.state}{since}{by}" + (f" ({self.why})" if self.why else "")
