"""Turn by turn: how an accelerated sandbox is led from one instant to the next.

Its market stands while anything is under way: quotes on their way here, a request without its answer, a step
of the kernel.  So what the engine sees and decides does not depend on how fast this machine is, only how long
the day takes does.

1. The kernel is stepped until everything it asked is answered; quotes it asks for are waited for at once.
2. The next instant: the kernel's wake, the next look ahead, or the next minute's quotes.
3. The wall is waited for, so that the market goes no faster than was asked.
4. The clock is moved there, and everything that both streams have to tell by then is waited for.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.app.live.answers import Counted
from tomking.app.live.clock import MarketClock
from tomking.app.live.lines import RunLine

MINUTE = timedelta(minutes=1)
ANSWERED_WITHIN = 6.0
"""Seconds of the wall: no request takes longer; then the market goes on, and its fate is in doubt."""
TOLD_WITHIN = 5.0
"""Seconds of the wall in which a stream that lives has told everything; then it counts as gone."""
LOOK = 0.02


@dataclass(slots=True)
class Turns:
    """Leads the clock of a sandbox."""

    clock: MarketClock
    wire: Counted
    line: RunLine
    stream: QuoteStream
    bell: threading.Event
    speed: float
    wall: Callable[[], float] = time.monotonic
    _since: float | None = None
    """When the last question went out that is still unanswered."""
    _last: float = 0.0
    """When the clock was moved last."""
    _vouched: bool = False
    """Whether all quotes of the minute under way have come in."""
    waited: float = 0.0
    """Seconds that steps and looks ahead have waited for quotes that they were the first to ask for."""

    def lead(self) -> None:
        """From now on whoever asks for quotes that nobody has asked for waits until they are there."""
        self.stream.after_want = self._catch_up
        self._catch_up()

    def waits(self) -> bool:
        """Whether answers are still to come; waits a little for them."""
        if not self.wire.waits:
            self._since = None
            return False
        self._since = self.wall() if self._since is None else self._since
        if self.wall() - self._since > ANSWERED_WITHIN:
            return False
        self.bell.wait(LOOK)
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
        if is_open:
            # Within its minute the market does not move.
            if target >= following or not self._vouched:
                self._vouched = self.stream.abreast(TOLD_WITHIN)
            if self._vouched:
                self.stream.still_true(target)
        if works:
            self.line.abreast(TOLD_WITHIN)

    def _catch_up(self) -> None:
        began = self.wall()
        self.stream.abreast(TOLD_WITHIN)
        self.waited += self.wall() - began
