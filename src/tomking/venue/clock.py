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
        self._waits: float | None = None
        """The speed it goes at as soon as somebody comes."""

    def now(self) -> datetime:
        """The instant it is at the venue."""
        return self._from + timedelta(seconds=(self._wall() - self._at) * self._speed)

    @property
    def speed(self) -> float:
        return self._speed

    def run(self, speed: float) -> None:
        """From now on at this multiple; 0 stops it."""
        self._from, self._at, self._speed = self.now(), self._wall(), speed
        self._waits = None

    def wait(self, speed: float) -> None:
        """Stands until somebody comes, and then goes at this speed, unless it was set or moved before."""
        self.run(0.0)
        self._waits = speed

    def begin(self) -> None:
        """Somebody has come."""
        if self._waits is not None:
            self.run(self._waits)

    def move(self, instant: datetime) -> None:
        """Sets it forward.  ``ValueError``: time does not go back at a venue."""
        if instant < self.now():
            raise ValueError(f"{instant} lies before {self.now()}: time does not go back at a venue")
        self._from, self._at, self._waits = instant, self._wall(), None

    def until(self, instant: datetime) -> float | None:
        """Seconds of the wall until then, at least 0; None while it stands before it."""
        left = (instant - self.now()).total_seconds()
        if left <= 0:
            return 0.0
        return left / self._speed if self._speed else None
