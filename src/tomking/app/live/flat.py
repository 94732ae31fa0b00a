"""The line of ``tomking flatten``: to the paper account traded last, beside its engine or without one.

Time is the market's.  Where a sandbox stands, as it does when the engine that led it is gone, it is moved on.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from tomking.adapters.calendars import load_sessions
from tomking.adapters.clock import wait
from tomking.adapters.latch import LatchFile
from tomking.adapters.tastytrade.line import TastytradeLine
from tomking.adapters.tastytrade.live import LiveMarket
from tomking.adapters.tastytrade.session import session
from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.adapters.tastytrade.symbols import Directory
from tomking.app.control import Line, state_folder
from tomking.app.exits import Exit
from tomking.app.live import picture as pictures
from tomking.app.live.asked import PORT, SANDBOX, asked
from tomking.app.live.clock import SandboxClock
from tomking.app.live.folder import JOURNAL, newest
from tomking.app.live.listings import load_listings
from tomking.app.live.stages import YEARS_AHEAD, YEARS_BACK
from tomking.app.problems import Problems, problem
from tomking.domain.bars import Bars
from tomking.domain.calendar import new_york
from tomking.domain.products import PRODUCTS

LOOK = 0.2
"""Seconds of the wall between two looks at a clock that somebody else may lead."""
STANDS = 1.0
"""Seconds of the wall after which a clock that has not moved stands."""


@contextmanager
def broker_line(environment: Mapping[str, str], said: Callable[[str], None]) -> Iterator[Line]:
    """The broker whose account was traded last.  ``Problems`` (4, 5) where there is none, or it is silent."""
    state = state_folder(environment)
    if not [one for mode in ("paper", "live") for one in (state / mode).glob(f"*/{JOURNAL}")]:
        raise problem(
            Exit.UNAVAILABLE,
            "no account was traded from here: nothing was cancelled and nothing closed; "
            "do both at the broker itself",
        )
    folder = newest(state)
    port = int((pictures.read(folder.picture) or {}).get("port", PORT))
    account = folder.path.name.removeprefix(f"{SANDBOX}-")
    wanted, problems = asked(SANDBOX, port, None, None, account, environment)
    if wanted is None:
        raise Problems(problems)
    clock, directory = SandboxClock(port), Directory()
    opened = partial(session, wanted.to, wanted.secrets)
    with ExitStack() as stack:
        clock.connect()
        stack.callback(clock.close)
        directory.learn(load_listings(opened, PRODUCTS).listed)
        stream = QuoteStream(opened, now=clock.now, trades=lambda _: False, said=said)
        stream.start()
        stack.callback(stream.close)
        line = TastytradeLine(opened, account, directory, clock.now, said)
        line.start()
        stack.callback(line.close)
        today = new_york(clock.now()).date()
        sessions = load_sessions(today - YEARS_BACK, today + YEARS_AHEAD)
        quotes = LiveMarket(stream, directory, sessions, lambda _: _NO_BARS, rate=0.0).quotes
        # Real orders heed the installation's latch, which is set already; paper has one of its own.
        own = LatchFile(folder.path) if folder.path.parent.name == "paper" else None
        yield Line(line, quotes, clock.now, Pacer(clock).wait, own)


@dataclass(slots=True)
class Pacer:
    """Waits in the market's time, whoever moves it; where nobody does for a second, it is moved from here."""

    clock: SandboxClock
    pause: Callable[[float], None] = wait
    _left_at: datetime | None = None
    """Where it was moved to; nobody else has moved it as long as it is there."""

    def wait(self, seconds: float) -> None:
        """Until it is so much further."""
        clock, stood = self.clock, 0.0
        until = clock.now() + timedelta(seconds=max(seconds, 0.0))
        while (before := clock.now()) < until:
            clock.look()
            if self._left_at == clock.now() or stood >= STANDS:
                clock.move(until)
                self._left_at = until
                return
            pause = min(LOOK, clock.seconds_until(until))
            self.pause(pause)
            stood = 0.0 if clock.now() > before else stood + pause


_EMPTY = np.empty(0)
_NO_BARS = Bars(np.empty(0, dtype="datetime64[D]"), _EMPTY, _EMPTY, _EMPTY, _EMPTY)
