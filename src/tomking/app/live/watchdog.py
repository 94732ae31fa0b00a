"""The watchdog: a thread that notices when the loop stands (fault F40)."""

import faulthandler
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

BLOCKED_AFTER, LOST_AFTER = 5.0, 60.0
"""Seconds of the wall without a turn of the loop: something is wrong; nobody will get it going again."""
LOOK_EVERY = 0.5


class Watchdog:
    """Is shown a sign of life at each turn; without one it writes all stacks down and calls ``blocked``.

    After a minute it calls ``lost``, once.
    """

    def __init__(
        self,
        stacks: Path,
        blocked: Callable[[float], None],
        lost: Callable[[float], None] = lambda _: None,
        *,
        after: float = BLOCKED_AFTER,
        lost_after: float = LOST_AFTER,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stacks, self._blocked, self._lost, self._wall = stacks, blocked, lost, wall
        self._after, self._lost_after = after, lost_after
        self._seen = wall()
        self._barked = self._is_lost = False
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
            if stood > self._lost_after and not self._is_lost:
                self._is_lost = True
                self._lost(stood)
