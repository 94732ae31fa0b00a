"""Turn by turn: how an accelerated sandbox is led from one instant to the next.

Its market stands while anything is under way: quotes on their way here, a request without its answer, a step
of the kernel.  So what the engine sees and decides does not depend on how fast this machine is, only how long
the day takes does.

1. The kernel is stepped until everything it asked is answered.
2. The next instant: the kernel's wake, the next look ahead, or the next minute's quotes.
3. The wall is waited for, so that the market goes no faster than was asked.
4. The clock is moved there, and the quotes of that minute are waited for.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.app.live.answers import Counted
from tomking.app.live.clock import SandboxClock

MINUTE = timedelta(minutes=1)
ANSWERED_WITHIN = 6.0
"""Seconds of the wall: no request takes longer; then the market goes on, and its fate is in doubt."""
QUOTES_WITHIN = 2.0
QUIET = 0.02
"""Seconds without a frame, after which a minute's quotes are all there."""
TOLD_WITHIN = 0.15
"""Seconds in which the account stream tells of a fill."""


@dataclass(slots=True)
class Turns:
    """Leads the clock of a sandbox."""

    clock: SandboxClock
    wire: Counted
    stream: QuoteStream
    bell: threading.Event
    speed: float
    wall: Callable[[], float] = time.monotonic
    _since: float | None = None
    """When the last question went out that is still unanswered."""
    _last: float = 0.0
    """When the clock was moved last."""

    def waits(self) -> bool:
        """Whether answers are still to come; waits a little for them."""
        if not self.wire.waits:
            self._since = None
            return False
        self._since = self.wall() if self._since is None else self._since
        if self.wall() - self._since > ANSWERED_WITHIN:
            return False
        self.bell.wait(QUIET)
        return True

    def go(self, now: datetime, wake: datetime, *, is_open: bool, works: bool) -> None:
        """To the next instant, unless something arrives first; returns when its quotes are there."""
        following = now.replace(second=0, microsecond=0) + MINUTE
        target = min(wake, following) if is_open else wake
        target = max(target, now + timedelta(seconds=1))
        due = self._last + (target - now).total_seconds() / self.speed if is_open else 0.0
        if self.bell.wait(max(0.0, due - self.wall())):
            return
        self.clock.move(target)
        self._last = self.wall()
        self._since = None
        if is_open and self._quotes_of(target):
            self.stream.still_true(target)
        if works:
            self.bell.wait(TOLD_WITHIN)

    def _quotes_of(self, instant: datetime) -> bool:
        """Waits until the minute's quotes have come in; whether they have."""
        minute, began, pause = instant.replace(second=0, microsecond=0), self.wall(), threading.Event()
        while self.wall() - began < QUOTES_WITHIN:
            last, frames = self.stream.last, self.stream.frames
            pause.wait(QUIET)
            if last is not None and last >= minute and frames == self.stream.frames:
                return True
        return False
