"""A pretended production system: a local venue behind the very code that reaches the real one.

The destination is injected, which only a test can do: environment ``live``, its requests led to loopback.
Sockets, SDK and the pace of both clocks are real; the day is one of the modelled market, and the market's
clock and this run's are put forward together where a test need not wait.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from decimal import Decimal
from pathlib import Path

from tests.venue.venueserver import ACCOUNT, Running, _house, running, sessions

from tomking.adapters.clock import wall_now
from tomking.adapters.latch import LatchFile
from tomking.adapters.tastytrade.session import Destination, Environment, Hook, Secrets, _to_loopback
from tomking.adapters.walltime import WallTime
from tomking.app.config import Override
from tomking.app.live.around import Surroundings, surroundings
from tomking.app.live.asked import SIMULATED_ACCOUNT, Asked
from tomking.app.live.clock import WallClock
from tomking.app.live.engine import Engine
from tomking.app.live.stages import Ready, configure, start
from tomking.app.live.telling import Said, Teller
from tomking.app.locks import Mode
from tomking.domain.calendar import wall_instant
from tomking.domain.trading import Latch, Trading
from tomking.execution.wire import Status
from tomking.venue import sockets

SILENT = 150.0
"""The modelled market moves once a minute, also where it pretends to be another."""
SETTINGS = [
    Override(key, "1", "--set")
    for key in ("risk.cost_share_max", "risk.cost_share_max_micro", "risk.structure_spread_share_max")
] + [
    Override("friday_0dte.condor_credit_share", "0.05", "--set"),
    Override("live.price_room_share", "0.2", "--set"),
]
"""On the modelled quotes a micro costs more than the rules would pay, and is filled further from its mid."""
PATIENCE = 60.0
"""Seconds that a day may take here."""
WORDS = ("client-secret-of-production", "refresh-token-of-production")


@dataclass(frozen=True)
class Pretend(Destination):
    """Production, whose hosts are a local venue."""

    def leads(self) -> Hook:
        return _to_loopback(self.port)


@dataclass
class Hour:
    """The wall's time, moved to the day of the market: it runs as the real one does."""

    venue: Running
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return wall_now() + self.ahead

    def put(self, instant: datetime) -> None:
        """Both clocks forward: the run's first, so that nothing comes from its future."""
        self.ahead = instant - wall_now()
        clock = self.venue.house.clock
        if instant > clock.now():
            clock.move(instant)


@dataclass
class Production:
    """A run on the pretended production system, and what it said."""

    venue: Running
    hour: Hour
    asked: Asked
    around: Surroundings
    strategies: tuple[str, ...]
    stages: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    told: list[Said] = field(default_factory=list[Said])
    bell: threading.Event = field(default_factory=threading.Event)

    def start(self, **changed: object) -> Ready:
        """The five stages; changed: what of the run is otherwise than it should be."""
        return start(
            replace(self.asked, **changed),  # type: ignore[arg-type]
            configure(None, SETTINGS, self.strategies, self.asked.mode),
            lambda stage, text: self.stages.append((stage, text)),
            lambda log, now: Teller(log, now, self.told.append),
            self.bell.set,
            self.around,
        )

    def play(
        self, ready: Ready, until: wall_time, jumps: Sequence[tuple[Callable[[], bool], wall_time]]
    ) -> None:
        """Runs the engine in real time; where a condition holds both clocks are put forward, each once."""
        end, left = wall_instant(self.day, until), list(jumps)
        engine, ends = Engine(ready, self.bell), time.monotonic() + PATIENCE

        def look(_picture: object) -> None:
            now = ready.clock.now()
            if left and left[0][0]():
                instant = wall_instant(self.day, left.pop(0)[1])
                if instant > now:
                    self.hour.put(instant)
                    self.bell.set()
            if now >= end or time.monotonic() >= ends:
                engine.stop()

        engine.show = look
        engine.run()

    @property
    def day(self) -> date:
        return self.hour.now().date()


def take(venue: Running) -> None:
    """Somebody trades against everything that works there, at its limit."""
    account, now = venue.house.account, venue.house.clock.now()
    for ticket in list(account.floor.working.values()):
        if ticket.status is Status.LIVE and account.floor.broker.traded(ticket.id, ticket.left, now):
            account.floor._absorb(now)


@contextmanager
def production(
    home: Path,
    day: date,
    at: wall_time,
    strategies: Sequence[str] = ("friday_0dte",),
    *,
    simulated: bool = False,
    walltime: Callable[[], WallTime] = WallTime,
) -> Iterator[Production]:
    """A venue in real time that stands for production; nothing is started on it yet."""
    session = sessions().on(day)
    assert session is not None
    sockets.TICK = 0.05
    house = _house(session.at(at), 1.0, time.monotonic)
    with running(house, words=WORDS) as venue:
        hour = Hour(venue)
        hour.put(house.clock.now())
        to = Pretend(Environment.LIVE, venue.port, reads_only=simulated)
        account = SIMULATED_ACCOUNT if simulated else ACCOUNT
        folder = (
            home / ("paper" if simulated else "live") / f"{'simulated' if simulated else 'live'}-{account}"
        )
        asked = Asked(to, Secrets(*WORDS), account, folder, home, None, None, fresh=False, mode=Mode.LIVE)
        if simulated:
            asked = replace(asked, mode=Mode.PAPER, simulated=True, cash=Decimal(200_000))
        around = replace(
            surroundings(Environment.LIVE, 0),
            clock=lambda: WallClock(hour.now),
            silent=SILENT,
            walltime=walltime,
        )
        yield Production(venue, hour, asked, around, tuple(strategies))


def arm(home: Path) -> None:
    """As ``tomking resume`` does."""
    control = LatchFile(home)
    control.exchange(control.read(), Latch(Trading.ACTIVE, wall_now(), "anna", "test"))
