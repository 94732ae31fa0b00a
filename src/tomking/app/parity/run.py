"""One market, two drivers, step by step: ``compare`` plays sessions on both and holds them side by side."""

import gc
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import SequenceMatcher
from pathlib import Path

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.app.backtest import LISTED_AHEAD
from tomking.app.live.stages import Configured
from tomking.app.markets import model_market
from tomking.app.parity.rows import Reading, closing
from tomking.app.parity.serving import a_house, served
from tomking.app.parity.sides import BackSide, LiveSide, listed, live_side
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.calendar import Session

MINUTE, SOON = timedelta(minutes=1), timedelta(seconds=1)
LISTED_BEFORE = timedelta(minutes=10)
MOST_STEPS = 10
"""At one instant."""
SETTLES_WITHIN = timedelta(minutes=10)
"""After the close: by then the venue has settled and the account was searched."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one side has and the other has not, or has otherwise."""

    kind: str
    backtest: tuple[str, ...]
    live: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One session on both sides."""

    day: date
    counts: dict[str, int]
    """Facts compared, by kind."""
    instants: int
    differences: tuple[Difference, ...]
    facts: tuple[dict[str, list[str]], dict[str, list[str]]]
    """All of them, by kind: the backtest's, and the live side's."""


@dataclass(slots=True)
class Comparison:
    """All sessions."""

    sessions: list[Compared] = field(default_factory=list[Compared])

    @property
    def differences(self) -> int:
        return sum(len(one.differences) for one in self.sessions)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is compared."""

    configured: Configured
    first: date
    """The first session is the one on or after it."""
    count: int
    """Sessions; the book is carried over."""
    capital: Decimal
    seed: int


def compare(wanted: Wanted, told: Callable[[Compared], None]) -> Comparison:
    """Plays them on both sides; ``told`` hears of each at its end.  ``Problems`` where they cannot be."""
    sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
    played = sessions.between(wanted.first, HISTORY_LAST).days[: wanted.count]
    market = model_market(load_history(), sessions, wanted.seed, real_sizes=True)
    house = a_house(market, sessions, played[0].open, wanted.capital)
    found = Comparison()
    with (
        tempfile.TemporaryDirectory(prefix="tomking-parity-") as folder,
        served(house) as venue,
        live_side(venue, wanted.configured, Path(folder)) as live,
    ):
        live.lead()
        back = BackSide(venue, live, sessions, listed(live), played[0].open)
        gc.freeze()
        readings = Reading(), Reading()
        for session in played:
            one = _Session(live, back, session).play(readings)
            found.sessions.append(one)
            told(one)
    return found


@dataclass(slots=True)
class _Session:
    live: LiveSide
    back: BackSide
    session: Session
    instants: int = 0

    def play(self, readings: tuple[Reading, Reading]) -> Compared:
        session, live, back = self.session, self.live, self.back
        if live.ready.clock.now() < session.open:
            self._move(session.open - LISTED_BEFORE)
            listings = listed(live)
            live.list_anew(listings, session.date)
            back.list_anew(listings)
        now = session.open
        while now <= session.close + SETTLES_WITHIN:
            self._move(now)
            self._step(now)
            self.instants += 1
            now = self._next(now)
        return self._compared(readings)

    def _move(self, now: datetime) -> None:
        self.live.move(now)
        self.back.move(now)

    def _step(self, now: datetime) -> None:
        """Both, as often as the live side has something to do: what was marked in one step is seen in the
        next, and a driver with more steps in a minute would see it earlier.
        """
        for _ in range(MOST_STEPS):
            self.back.step(now)
            if not self.live.step(now):
                return

    def _next(self, now: datetime) -> datetime:
        """The first that either asks for, and every minute's quotes."""
        minute = now.replace(second=0, microsecond=0) + MINUTE
        wakes = [minute, self.back.kernel.next_wake(now), self.live.wake(now) or minute]
        return max(min(wakes), now + SOON)

    def _compared(self, readings: tuple[Reading, Reading]) -> Compared:
        sides = (self.back.events, list(self.live.ready.journal.read()))
        rows = []
        for reading, events in zip(readings, sides, strict=True):
            rows.append(reading.read(events[reading.seen :]).kinds())
            reading.seen = len(events)
        for one, kernel in zip(rows, (self.back.kernel, self.live.kernel), strict=True):
            one["closing book"] = closing(kernel.book)
        ours, theirs = rows
        return Compared(
            self.session.date,
            {kind: len(lines) for kind, lines in ours.items()},
            self.instants,
            tuple(d for kind in ours for d in differences(kind, ours[kind], theirs[kind])),
            (ours, theirs),
        )


def differences(kind: str, backtest: Sequence[str], live: Sequence[str]) -> list[Difference]:
    """Where two lists of facts part, each place once."""
    matcher = SequenceMatcher(None, backtest, live, autojunk=False)
    return [
        Difference(kind, tuple(backtest[a:b]), tuple(live[c:d]))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]
