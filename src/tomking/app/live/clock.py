"""Market time: the wall's with a broker, and the sandbox's clock, followed from here.

The sandbox says what time it is and how fast it runs; in between it is extrapolated on a clock that cannot be
set.  Neither ever goes back.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import httpx

from tomking.adapters.clock import wall_now
from tomking.adapters.tastytrade.session import AGENT, LOOPBACK
from tomking.app.exits import Exit
from tomking.app.problems import problem

LOOK_EVERY = 2.0
"""Seconds of the wall between two questions for the time."""
PATIENCE = 5.0
OPENS_WITHIN = 180.0
"""Seconds in which a sandbox has opened that already has its port: the first one of a version compiles."""


class MarketClock(Protocol):
    """The time in which a market is traded."""

    @property
    def speed(self) -> float:
        """Market seconds in a second; 0: it stands."""
        ...

    def connect(self, opens_within: float = PATIENCE) -> None: ...
    def follow(self) -> None: ...
    def close(self) -> None: ...
    def look(self) -> None: ...
    def now(self) -> datetime: ...
    def seconds_until(self, instant: datetime) -> float: ...
    def run(self, speed: float) -> None: ...
    def move(self, instant: datetime) -> None: ...


class WallClock:
    """The wall's time, of a market that nobody leads.

    Where the wall's clock is set back it goes on steadily from where it was, until the wall has caught up:
    a position is not left alone for an hour because a clock was.  ``adapters.walltime`` meanwhile lets
    nothing open.
    """

    speed = 1.0

    def __init__(
        self, wall: Callable[[], datetime] = wall_now, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._latest, self._at = wall(), steady()

    def now(self) -> datetime:
        """Aware UTC; never earlier than before."""
        with self._lock:
            steady = self._steady()
            went = self._latest + timedelta(seconds=max(0.0, steady - self._at))
            said = self._wall()
            self._latest, self._at = said if said >= self._latest else went, steady
            return self._latest

    def seconds_until(self, instant: datetime) -> float:
        """Seconds of the wall until then, at least 0."""
        return max(0.0, (instant - self.now()).total_seconds())

    def connect(self, opens_within: float = 0.0) -> None:
        """It is there."""

    def follow(self) -> None:
        """It runs by itself."""

    def close(self) -> None:
        """Nothing was opened."""

    def look(self) -> None:
        """It is read at every question."""

    def run(self, speed: float) -> None:
        raise AssertionError(f"nobody makes the wall's clock run at {speed:g}")

    def move(self, instant: datetime) -> None:
        raise AssertionError(f"nobody moves the wall's clock to {instant}")


class SandboxClock:
    """The clock of a local venue, and the two things that may be done to it."""

    def __init__(self, port: int, wall: Callable[[], float] = time.monotonic) -> None:
        self._url, self._wall = f"http://{LOOPBACK}:{port}/_sandbox", wall
        self._lock = threading.Lock()
        self._from, self._at, self._speed = datetime.min.replace(tzinfo=UTC), 0.0, 0.0
        self._latest = self._from
        self._client = httpx.Client(trust_env=False, timeout=PATIENCE, headers={"User-Agent": AGENT})
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def connect(self, opens_within: float = PATIENCE) -> None:
        """Reads it for the first time.  ``Problems`` (5) when no sandbox answers on that port.

        opens_within  seconds that one may take that has the port and says nothing yet: it is opening
        """
        ends = self._wall() + opens_within
        while True:
            try:
                return self._read()
            except httpx.ReadTimeout:
                if self._wall() >= ends:
                    line = (
                        f"who has the port of {self._url} has said nothing for {opens_within:.0f} seconds: "
                        'wait until `tomking sandbox` says "sandbox ready", or end it and start it anew'
                    )
                    raise problem(Exit.UNAVAILABLE, line) from None
            except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
                line = (
                    f"no sandbox answers at {self._url} ({type(error).__name__}): start one with "
                    "`tomking sandbox`, or name its port with --port"
                )
                raise problem(Exit.UNAVAILABLE, line) from None

    def follow(self) -> None:
        """From now on it is read again every other second."""
        self._thread = threading.Thread(target=self._follow, name="market clock", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
        self._client.close()

    def now(self) -> datetime:
        """Aware UTC; never earlier than the last answer."""
        with self._lock:
            now = self._from + timedelta(seconds=(self._wall() - self._at) * self._speed)
            self._latest = max(self._latest, now)
            return self._latest

    @property
    def speed(self) -> float:
        """Market seconds in a second; 0: it stands."""
        return self._speed

    def seconds_until(self, instant: datetime) -> float:
        """Seconds of the wall until then, at least 0; a long time while it stands."""
        left = (instant - self.now()).total_seconds()
        if left <= 0:
            return 0.0
        return left / self._speed if self._speed else 3600.0

    def run(self, speed: float) -> None:
        """Sets its speed; 0 stops it."""
        self._tell({"speed": speed})
        self._read()

    def move(self, instant: datetime) -> None:
        """Sets it forward: here first, so that what comes in is stamped with the time it is true at."""
        with self._lock:
            self._from, self._at = instant, self._wall()
            # An answer that is on its way tells of the time before: it must not lead back there.
            self._latest = max(self._latest, instant)
        self._tell({"clock": instant.isoformat()}, is_late=True)

    def look(self) -> None:
        """Reads it anew, as far as it answers."""
        # Nobody there: it goes on as it went; the line says that the venue is gone.  A client that was closed
        # meanwhile raises a RuntimeError.
        with suppress(httpx.HTTPError, OSError, ValueError, KeyError, TypeError, RuntimeError):
            self._read()

    def _tell(self, command: dict[str, object], *, is_late: bool = False) -> None:
        """is_late: it may be refused because somebody else has done more of it."""
        try:
            answered = self._client.post(self._url, json=command)
            if is_late and answered.status_code == HTTPStatus.BAD_REQUEST:
                self._read()  # it is further already: `tomking flatten`, or a person
                return
            answered.raise_for_status()
        except (httpx.HTTPError, OSError) as error:
            line = f"the sandbox at {self._url} does not take {command} ({type(error).__name__})"
            raise problem(Exit.UNAVAILABLE, line) from None

    def _read(self) -> None:
        before = self._wall()
        said = self._client.get(self._url).raise_for_status().json()
        after = self._wall()
        now, speed = datetime.fromisoformat(said["now"]).astimezone(UTC), float(said["speed"])
        with self._lock:
            self._from, self._at, self._speed = now, (before + after) / 2, speed

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            self.look()
