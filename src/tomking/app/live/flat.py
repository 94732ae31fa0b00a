"""The line of ``tomking flatten``: to the account traded last, beside its engine or without one.

Time is the market's.  Where a sandbox stands, as it does when the engine that led it is gone, it is moved on.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from tomking.adapters.calendars import load_sessions
from tomking.adapters.clock import wait
from tomking.adapters.latch import LatchFile
from tomking.adapters.tastytrade.line import TastytradeLine
from tomking.adapters.tastytrade.live import LiveMarket
from tomking.adapters.tastytrade.session import Environment, session
from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.adapters.tastytrade.symbols import Directory
from tomking.app.control import Line, state_folder
from tomking.app.exits import Exit
from tomking.app.live import picture as pictures
from tomking.app.live.around import surroundings
from tomking.app.live.asked import PORT, asked_again
from tomking.app.live.clock import SandboxClock
from tomking.app.live.folder import Folder, journals
from tomking.app.live.listings import load_listings
from tomking.app.live.stages import YEARS_AHEAD, YEARS_BACK
from tomking.app.locks import Mode
from tomking.app.problems import Problems, problem
from tomking.app.standing import events_of
from tomking.domain.bars import Bars
from tomking.domain.book import fold
from tomking.domain.calendar import new_york
from tomking.domain.products import PRODUCTS

LOOK = 0.2
"""Seconds of the wall between two looks at a clock that somebody else may lead."""
STANDS = 1.0
"""Seconds of the wall after which a clock that has not moved stands."""


@contextmanager
def broker_line(environment: Mapping[str, str], said: Callable[[str], None]) -> Iterator[Line]:
    """The broker whose account is to be flattened (``flattened``).

    ``Problems`` (4, 5) where there is none, or it is silent.
    """
    folder = flattened(state_folder(environment))
    port = int((pictures.read(folder.picture) or {}).get("port", PORT))
    wanted = asked_again(folder.path, port, environment)
    if wanted.simulated:
        line = "the account traded last is simulated: its engine holds it, and no broker has anything of it"
        raise problem(Exit.UNAVAILABLE, f"{line}; stop the engine with Ctrl-C")
    said(f"flattening {wanted.world} ..{wanted.account[-4:]}")
    clock, directory = surroundings(wanted.to.environment, port).clock(), Directory()
    opened = partial(session, wanted.to, wanted.secrets)
    with ExitStack() as stack:
        stack.callback(clock.close)
        try:
            clock.connect()
        except Problems as failed:
            words = "; ".join(failed.lines)
            line = f"{words} (flatten asks on the port of the last run, {port}); nothing was closed"
            raise problem(failed.code, line) from None
        directory.learn(load_listings(opened, PRODUCTS).listed)
        stream = QuoteStream(opened, now=clock.now, trades=lambda _: False, said=said)
        stream.start()
        stack.callback(stream.close)
        line_ = TastytradeLine(opened, wanted.account, directory, clock.now, said)
        line_.start()
        stack.callback(line_.close)
        today = new_york(clock.now()).date()
        sessions = load_sessions(today - YEARS_BACK, today + YEARS_AHEAD)
        quotes = LiveMarket(stream, directory, sessions, lambda _: _NO_BARS, rate=0.0).quotes
        # Real orders heed the installation's latch, which is set already; paper has one of its own.
        own = LatchFile(folder.path) if wanted.mode is Mode.PAPER else None
        pause = Pacer(clock).wait if isinstance(clock, SandboxClock) else wait
        yield Line(line_, quotes, clock.now, pause, own)


def flattened(state: Path) -> Folder:
    """The account that ``tomking flatten`` means: with money before any other, else the one traded last.

    ``Problems`` (5) where none ever was.
    """
    files = journals(state)
    if not files:
        raise problem(
            Exit.UNAVAILABLE,
            "no account was traded from here: nothing was cancelled and nothing closed; "
            "do both at the broker itself",
        )
    money = [one for one in files if one.parent.name.startswith(f"{Environment.LIVE.value}-")]
    holding = [one for one in money if _holds(one)]
    if holding:
        return Folder(holding[-1].parent)
    return Folder(files[-1].parent)


def _holds(journal: Path) -> bool:
    """Whether anything is held or works, or cannot be known."""
    try:
        book = fold(iter(events_of(journal)))
    except Problems:
        return True
    return bool(book.positions or book.orders)


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
