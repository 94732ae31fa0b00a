"""The watchdog: a thread that notices when the loop stands (fault F40)."""

import faulthandler
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

BLOCKED_AFTER = 5.0
"""Seconds of the wall without a turn of the loop."""
LOOK_EVERY = 0.5


class Watchdog:
    """Is shown a sign of life at each turn; without one it writes all stacks down and calls ``blocked``."""

    def __init__(
        self,
        stacks: Path,
        blocked: Callable[[float], None],
        *,
        after: float = BLOCKED_AFTER,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stacks, self._blocked, self._after, self._wall = stacks, blocked, after, wall
        self._seen = wall()
        self._barked = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self._seen = self._wall()
        self._thread.start()

    def alive(self) -> None:
        """A turn of the loop."""
        self._seen = self._wall()
        self._barked = False

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * LOOK_EVERY)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            stood = self._wall() - self._seen
            if stood > self._after and not self._barked:
                self._barked = True
                with suppress(OSError), self._stacks.open("a", encoding="utf-8") as file:
                    faulthandler.dump_traceback(file)
                self._blocked(stood)
