"""The wall clock: the only place that reads it, and the only one that waits."""

import time
from datetime import UTC, datetime


def wall_now() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is where it is read


def wait(seconds: float) -> None:
    """Does nothing for so long; not at all for none or less."""
    if seconds > 0:
        time.sleep(seconds)  # noqa: TID251 - and this is where it is waited
