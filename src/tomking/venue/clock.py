"""The venue's time: standing still, or running at a multiple of the wall's."""

from collections.abc import Callable
from datetime import datetime, timedelta

Wall = Callable[[], float]
"""Seconds of a clock that only goes forward."""


class VenueClock:
    """Market time, aware UTC.  ``speed`` 0: it stands until somebody sets it."""

    def __init__(self, start: datetime, speed: float, wall: Wall) -> None:
        self._wall = wall
        self._from, self._at, self._speed = start, wall(), speed

    def now(self) -> datetime:
        """The instant it is at the venue."""
        return self._from + timedelta(seconds=(self._wall() - self._at) * self._speed)

    @property
    def speed(self) -> float:
        return self._speed

    def run(self, speed: float) -> None:
        """From now on at this multiple; 0 stops it."""
        self._from, self._at, self._speed = self.now(), self._wall(), speed

    def move(self, instant: datetime) -> None:
        """Sets it forward.  ``ValueError``: time does not go back at a venue."""
        if instant < self.now():
            raise ValueError(f"{instant} lies before {self.now()}: time does not go back at a venue")
        self._from, self._at = instant, self._wall()

    def until(self, instant: datetime) -> float | None:
        """Seconds of the wall until then, at least 0; None while it stands before it."""
        left = (instant - self.now()).total_seconds()
        if left <= 0:
            return 0.0
        return left / self._speed if self._speed else None
