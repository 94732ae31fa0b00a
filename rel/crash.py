"""Real kills: an engine process with a real journal, lease and latch, and a venue on a socket (F8, goal G4).

``python -m rel.crash --all`` plays each scenario once to learn its points: every kind of event persisted,
every kind of request submitted, every kind of message received.  Then an engine is killed (SIGKILL) before
and after each point, where it first and where it last comes, and started again two seconds later on the same
files.
Printed is one line of JSON; exit 1 when anything was lost or doubled, or a point was not hit.
"""

import argparse
import json
import os
import pickle
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np

from rel.ending import held_by
from rel.holdings import order_of
from rel.session import CASH, END, INSTANCE, LEAST, PLACES, SETTINGS, START, Venue
from rel.traders import traders
from rel.world import SESSION, SESSIONS, World
from tomking.adapters.emergency import EmergencyLog, Reserve
from tomking.adapters.journal import Origin, SqliteJournal
from tomking.adapters.latch import Latched, LatchFile
from tomking.adapters.lease import take
from tomking.adapters.livejournal import LiveJournal
from tomking.domain import events as ev
from tomking.domain.book import fold
from tomking.domain.money import cents
from tomking.domain.trading import Latch, Trading
from tomking.execution.comparing import Comparer
from tomking.execution.protocol import OrderDesk
from tomking.execution.wire import Cancel, FindOrders, FindPositions, Place, Reply, Report, Request, Told
from tomking.kernel import Kernel, Parts
from tomking.risk.desk import Desk
from tomking.risk.latched import heed
from tomking.sim.faults import calm
from tomking.sim.line import SimLine

HOST = "127.0.0.1"
AGAIN = timedelta(seconds=2)
"""Until somebody starts the engine again."""
ORIGIN = Origin("sandbox", INSTANCE)
MEMORY = Path("/dev/shm")
"""A killed process leaves what it wrote to the system, disk or not; what a power cut leaves is rel.vfs's."""
LONGEST = 60.0
"""Seconds of the wall for one life of an engine."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A quiet session of a seed, and perhaps a halt in it."""

    name: str
    seed: int
    halt: timedelta | None = None
    """When somebody halts, after the open."""


SCENARIOS = (
    Scenario("quiet", 1),
    Scenario("moving", 4),
    Scenario("another day", 9),
    Scenario("halted early", 2, timedelta(minutes=3)),
    Scenario("halted with positions", 6, timedelta(minutes=12)),
    Scenario("halted while closing", 3, timedelta(minutes=24)),
)


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL at the ``nth`` time (from 1) that a point is come to."""

    point: str
    nth: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.point} #{self.nth}"


@dataclass
class Points:
    """In the engine: counts what it comes to, and kills it where it is told to."""

    kill: Kill | None
    seen: Counter[str] = field(default_factory=Counter[str])

    def before(self, point: str) -> int:
        """Which time it is come to, from 1: to be said again after it."""
        self.seen[point] += 1
        self._perhaps(point, self.seen[point], after=False)
        return self.seen[point]

    def after(self, point: str, nth: int) -> None:
        self._perhaps(point, nth, after=True)

    def _perhaps(self, point: str, nth: int, *, after: bool) -> None:
        kill = self.kill
        if kill is not None and (kill.point, kill.nth, kill.after) == (point, nth, after):
            os.kill(os.getpid(), signal.SIGKILL)


# ---------------------------------------------------------------------- the engine


class SocketWire:
    """The ``Wire`` of the engine: the venue's process is asked over a socket."""

    def __init__(self, port: int, points: Points) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._points = points
        self._kinds: dict[str, str] = {}
        self._told: list[Told] = []
        """What has come with the time, and has not been taken."""
        self._asks = False
        """Whether something was sent since, which may be answered."""

    def send(self, request: Request, now: datetime) -> None:
        point = f"submit {_kind(request)}"
        self._kinds[request.key] = _kind(request)
        nth = self._points.before(point)
        _write(self._socket, ("send", request, now))
        self._points.after(point, nth)
        self._asks = True

    def take(self, now: datetime) -> list[Told]:
        told = self._told
        if self._asks:
            told += self._advance(now)[0]
        self._told, self._asks = [], False
        points = [(point, self._points.before(point)) for point in map(self._point, told)]
        for point, nth in points:
            self._points.after(point, nth)
        return told

    def next_event(self, now: datetime) -> tuple[bool, datetime | None]:
        """Whether something has arrived by now, and when something may happen next."""
        told, ahead = self._advance(now)
        self._told += told
        return bool(self._told), ahead

    def _advance(self, now: datetime) -> tuple[list[Told], datetime | None]:
        """Everything the venue has told by now; and when there may be more."""
        _write(self._socket, ("advance", None, now))
        return cast("tuple[list[Told], datetime | None]", _read(self._socket))

    def done(self, now: datetime) -> None:
        _write(self._socket, ("done", self._points.seen, now))

    def _point(self, told: Told) -> str:
        if isinstance(told, Reply):
            return f"receive {told.outcome.value} {self._kinds.get(told.key, '?')}"
        if isinstance(told, Report):
            return f"receive report {told.order.status.value}"
        return f"receive line {'up' if told.up else 'down'}"


class Journal(LiveJournal):
    """The live journal, with its points."""

    points: Points

    def append(self, event: ev.Event) -> None:
        point = f"persist {_event(event)}"
        nth = self.points.before(point)
        super().append(event)
        self.points.after(point, nth)


class Quiet:
    """The ``Notifier`` port."""

    def notify(self, level: str, text: str, now: datetime) -> None:
        """Whatever is said, the files are what counts here."""


def engine(scenario: Scenario, folder: Path, port: int, now: datetime, kill: Kill | None) -> None:
    """One life of the engine: from its files, until the session is over or it is killed."""
    points = Points(kill)
    with take(folder, account=INSTANCE, environment="sandbox") as lease:
        journal = Journal(
            folder / "journal.sqlite",
            ORIGIN,
            reserve=Reserve(folder / "reserve", 4096),
            log=EmergencyLog(folder / "emergency.log", 65_536),
            on_failure=lambda _: None,
        )
        journal.points = points
        wire = SocketWire(port, points)
        if not list(journal.read()):
            journal.append(ev.CashMoved(START, CASH, "deposit"))
        _run(_kernel(scenario, folder, journal, wire, lease.epoch), LatchFile(folder), wire, now)
        journal.close()


def _kernel(scenario: Scenario, folder: Path, journal: Journal, wire: SocketWire, epoch: int) -> Kernel:
    world = World.drawn(_chance(scenario), calm(SESSION.open))
    latch, comparer = LatchFile(folder), Comparer(INSTANCE, epoch)

    def may_open(_: datetime) -> str | None:
        said = latch.read()
        return comparer.hold() if said.opens else said.words

    desk = OrderDesk(
        Latched(wire, latch.read),
        instance=INSTANCE,
        epoch=epoch,
        sessions=SESSIONS,
        market=world,
        may_open=may_open,
        compare=comparer,
    )
    return Kernel(
        Parts(
            strategies=traders(),
            risk=Desk(SETTINGS, PLACES),
            market=world,
            broker=desk,
            journal=journal,
            notifier=Quiet(),
            sessions=SESSIONS,
        ),
        fold(journal.read()),
    )


def _run(kernel: Kernel, latch: LatchFile, wire: SocketWire, now: datetime) -> None:
    wake = now
    while now < END:
        arrived, ahead = wire.next_event(now)
        if arrived or now >= wake:
            for event in heed(kernel.book, latch.read(), now):
                kernel.record(event)
            kernel.step(now)
            wake = kernel.next_wake(now)
        times = [END, max(wake, now + LEAST)]
        if ahead is not None:
            times.append(max(ahead, now + LEAST))
        now = min(times)
    wire.done(now)


# ---------------------------------------------------------------------- the venue, and the judgement


@dataclass
class Play:
    """One scenario with at most one kill: the venue's side of it."""

    scenario: Scenario
    kill: Kill | None
    wrong: list[str] = field(default_factory=list[str])
    points: Counter[str] = field(default_factory=Counter[str])
    lives: int = 0

    def run(self, folder: Path) -> None:
        """Plays it in ``folder``; what is wrong is in ``wrong``."""
        chance = _chance(self.scenario)
        self.world = World.drawn(chance, calm(SESSION.open))
        self.account = Venue(self.world, SESSIONS, START, CASH, faults=calm(SESSION.open))
        self.line = SimLine(self.account, calm(SESSION.open), chance, START)
        self.opened: Counter[str] = Counter()
        self.halted: datetime | None = None
        self.account.reached = self._reached
        self.latch = LatchFile(folder)
        self.latch.exchange(self.latch.read(), Latch(Trading.ACTIVE, START, "rel", "armed"))
        now, done = START, False
        with socket.create_server((HOST, 0)) as server:
            server.settimeout(LONGEST)
            while not done and self.lives < 4:
                child = self._start(folder, server.getsockname()[1], now)
                now, done = self._serve(server, now)
                _, status = os.waitpid(child, 0)
                if not done:
                    now = self._fell(status, now)
        self._judge(folder)

    def _start(self, folder: Path, port: int, now: datetime) -> int:
        kill = self.kill if self.lives == 0 else None
        self.lives += 1
        child = os.fork()
        if child:
            return child
        try:
            engine(self.scenario, folder, port, now, kill)
        except BaseException as error:  # noqa: BLE001 - a child must not go on as its parent
            print(f"engine: {type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)

    def _serve(self, server: socket.socket, now: datetime) -> tuple[datetime, bool]:
        """Until the engine is done or gone: the last instant heard of, and whether it is done."""
        connection, _ = server.accept()
        with connection:
            connection.settimeout(LONGEST)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    message = _read(connection)
                except (EOFError, ConnectionError):
                    return now, False
                what, with_it, now = cast(tuple[str, Any, datetime], message)
                with suppress(BrokenPipeError):
                    if what == "done":
                        self.points = with_it
                        return now, True
                    self._answer(connection, what, with_it, now)

    def _answer(self, connection: socket.socket, what: str, request: Request, now: datetime) -> None:
        halt = self.scenario.halt
        if halt is not None and self.halted is None and now >= SESSION.open + halt:
            self.halted = now
            self.latch.halt("rel", "pressed", now)
        if what == "send":
            self.line.send(request, now)
        else:
            told = self.line.take(now)
            _write(connection, (told, self.line.next_event()))

    def _fell(self, status: int, now: datetime) -> datetime:
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            self.wrong.append(f"the engine ended by itself with status {status}")
            self.lives = 99
        now += AGAIN
        self.line.restart(now)
        return now

    def _reached(self, request: Request) -> None:
        if isinstance(request, Place) and request.opens:
            self.opened[order_of(request.tag)] += 1

    def _judge(self, folder: Path) -> None:
        """No order lost or doubled, book equals broker, nothing opened after the halt."""
        if self.kill is not None and self.lives == 1:
            self.wrong.append("the point was not come to")
        with SqliteJournal(folder / "journal.sqlite", each_durable=True, origin=ORIGIN) as journal:
            events = list(journal.read())
        book = fold(iter(events))
        self.wrong += [f"order {id_} was opened {n} times" for id_, n in self.opened.items() if n > 1]
        known = {e.order.id for e in events if isinstance(e, ev.OrderSubmitted)}
        tags = {order_of(ticket.tag) for ticket in self.account.tickets.values()}
        self.wrong += [f"order {id_} reached the venue and is in no journal" for id_ in sorted(tags - known)]
        ours, theirs = held_by(book), self.account.true.held
        if ours != theirs:
            self.wrong.append(
                f"book {sorted(map(str, ours.items()))}, broker {sorted(map(str, theirs.items()))}"
            )
        if book.cash != cents(self.account.true.cash):
            self.wrong.append(f"cash: book {book.cash}, broker {cents(self.account.true.cash)}")
        for ticket in self.account.tickets.values():
            late = self.halted is not None and ticket.entered > self.halted + timedelta(seconds=1)
            if late and ticket.opens and ticket.replaces is None:
                self.wrong.append(f"{ticket.tag} opened after the halt")


def _warm() -> None:
    """Once a worker: what a life would spend half its time on is loaded before it is forked off."""
    world = World.drawn(_chance(SCENARIOS[0]), calm(SESSION.open))
    for expiry in world.expiries("SPXW", SESSION.open):
        world.chain("SPXW", expiry, SESSION.open)


def _play(task: tuple[Scenario, Kill | None]) -> tuple[str, Counter[str], list[str]]:
    scenario, kill = task
    folder = Path(tempfile.mkdtemp(prefix="rel-crash-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        play = Play(scenario, kill)
        play.run(folder)
        name = f"{scenario.name}: {kill or 'no kill'}"
        return name, play.points, [f"{name}: {line}" for line in play.wrong]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kills(points: Counter[str]) -> Iterator[Kill]:
    """Before and after each point, where it first and where it last comes."""
    for point, times in sorted(points.items()):
        for nth in dict.fromkeys((1, times)):
            for after in (False, True):
                yield Kill(point, nth, after)


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m rel.crash", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="all scenarios; else the first")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first scenario, from 1")
    parser.add_argument("--every", type=int, default=1, help="only every n-th kill")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    scenarios = SCENARIOS[given.first - 1 :] if given.all else SCENARIOS[given.first - 1 : given.first]
    began = time.monotonic()
    with ProcessPoolExecutor(given.jobs, initializer=_warm) as pool:
        clean = list(pool.map(_play, [(scenario, None) for scenario in scenarios]))
        wrong = [line for _, _, lines in clean for line in lines]
        tasks = [
            (scenario, kill)
            for scenario, (_, points, _) in zip(scenarios, clean, strict=True)
            for kill in list(kills(points))[:: given.every]
        ]
        for done, (_, _, lines) in enumerate(pool.map(_play, tasks, chunksize=4), start=1):
            wrong += lines
            if done % 50 == 0 or lines:
                told = f"{done} of {len(tasks)} kills, {len(wrong)} wrong"
                print("\n".join([told, *lines]), file=sys.stderr, flush=True)
    registered = {point for _, points, _ in clean for point in points}
    hit = {kill.point for _, kill in tasks}
    figure = {
        "command": "rel.crash",
        "registered": len(registered),
        "hit": len(hit & registered),
        "kills": len(tasks),
        "wrong": len(wrong),
        "first": wrong[:5],
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(figure))
    return 1 if wrong or hit != registered else 0


# ---------------------------------------------------------------------- small things


def _chance(scenario: Scenario) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([scenario.seed, 8]))


def _kind(request: Request) -> str:
    match request:
        case Place(opens=opens):
            return "Place that opens" if opens else "Place that closes"
        case Cancel() | FindOrders() | FindPositions():
            return type(request).__name__
        case _:
            return type(request).__name__


def _event(event: ev.Event) -> str:
    name = type(event).__name__
    if isinstance(event, ev.OrderSubmitted):
        return f"{name} that {'opens' if event.order.opens else 'closes'}"
    return name


def _write(to: socket.socket, message: object) -> None:
    text = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    to.sendall(struct.pack("!I", len(text)) + text)


def _read(source: socket.socket) -> object:
    (length,) = struct.unpack("!I", _exactly(source, 4))
    return pickle.loads(_exactly(source, length))


def _exactly(source: socket.socket, count: int) -> bytes:
    text = b""
    while len(text) < count:
        more = source.recv(count - len(text))
        if not more:
            raise EOFError
        text += more
    return text


if __name__ == "__main__":
    sys.exit(main())
