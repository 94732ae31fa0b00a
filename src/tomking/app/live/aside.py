"""What may be held up, done on a thread of its own: a terminal that is stopped never stops the engine.

Ctrl-S, a full pipe and a pager that nobody scrolls hold up whoever writes, for hours if need be.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

MOST = 1000
"""Lines that wait; older ones are left out, the log has them all."""
PATIENCE = 2.0
"""Seconds that the last lines get at the end."""
Work = Callable[[], object]


class Aside:
    """Does what it is handed, in order; who hands it over never waits."""

    def __init__(self, most: int = MOST) -> None:
        self._work: deque[Work] = deque(maxlen=most)
        self._newest: Work | None = None
        self._change = threading.Condition()
        self._is_busy = self._is_over = False
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    def do(self, work: Work) -> None:
        with self._change:
            self._work.append(work)
            self._change.notify_all()

    def draw(self, work: Work) -> None:
        """Only the newest counts: one that has not begun is left out."""
        with self._change:
            self._newest = work
            self._change.notify_all()

    def close(self, patience: float = PATIENCE) -> None:
        """Ends when all is done; a reader that holds it up is not waited for."""
        ends = time.monotonic() + patience
        with self._change:
            while (self._work or self._newest or self._is_busy) and self._thread.is_alive():
                left = ends - time.monotonic()
                if left <= 0:
                    break
                self._change.wait(left)
            self._is_over = True
            self._change.notify_all()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except (OSError, ValueError):
                break  # nobody reads any more: the log goes on
        with self._change:
            self._is_busy = False
            self._is_over = True
            self._work.clear()
            self._newest = None
            self._change.notify_all()

    def _next(self) -> Work | None:
        """The next thing to do, lines before pages; None: it is over."""
        with self._change:
            self._is_busy = False
            self._change.notify_all()
            while not (self._work or self._newest or self._is_over):
                self._change.wait()
            if self._is_over:
                return None
            self._is_busy = True
            if self._work:
                return self._work.popleft()
            work, self._newest = self._newest, None
            return work
