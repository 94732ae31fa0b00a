"""The kill path, measured: the latch between two processes, cancelling with the engine hung, flattening.

    python -m rel.kill --latch
    python -m rel.kill --cancel 50 --hung
    python -m rel.kill --flatten 20

One line of JSON each; exit code 1 when a goal (G11, G12, G13) is missed.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from rel.world import DAY, LEVEL, MONTHLY, SESSION, SESSIONS, World
from tomking.adapters.latch import LatchFile
from tomking.domain.contract import Contract, Option, Right
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg
from tomking.domain.trading import Latch, Trading
from tomking.execution.flattening import Flattening
from tomking.execution.protocol.tags import Tag
from tomking.execution.wire import Cancel, Place
from tomking.sim.account import SimAccount
from tomking.sim.faults import Faults, Schedule, calm
from tomking.sim.line import SimLine

LATCH_MS, CANCELS_SECONDS, CONFIRMED_SECONDS = 100.0, 12.0, 30.0
ACCEPTED_SECONDS, FLAT_SECONDS, UNCOVERED_SECONDS = 15.0, 60.0, 30.0
TICK = timedelta(milliseconds=50)
START = SESSION.open + timedelta(minutes=20)
SET = datetime(2031, 3, 7, tzinfo=UTC)
ACTIVE = Latch(Trading.ACTIVE, SET, "rel.kill", "")

# ------------------------------------------------------------------------------ the latch between processes

ENGINE = """
import sys, time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tomking.adapters.latch import Latched, LatchFile
from tomking.domain.structure import Structure
from tomking.execution.wire import Place

legs = Structure.parse("x", "-1 SPXW 2031-03-07 P5700").legs
now = datetime(2031, 3, 7, 15, tzinfo=UTC)

class Sent:
    asked = last = last_asked = count = 0
    def send(self, request, now):
        Sent.last, Sent.last_asked = time.monotonic_ns(), Sent.asked
        Sent.count += 1
    def take(self, now):
        return []

wire = Latched(Sent(), LatchFile(Path(sys.argv[1])).read)
print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "tell":
        print(Sent.last, Sent.last_asked, Sent.count, flush=True)
        continue
    end = time.monotonic() + float(line)
    n = 0
    while time.monotonic() < end:
        n += 1
        if n == 50:
            print("going", flush=True)
        Sent.asked = time.monotonic_ns()
        wire.send(Place(str(n), "t", legs, 1, Decimal(1), opens=True), now)
        wire.take(now)
    print("done", flush=True)
"""
"""Sends opening orders as fast as it can through the latch, and remembers when the last one passed."""

READER = """
import sys
from pathlib import Path
from tomking.adapters.latch import LatchFile

print(LatchFile(Path(sys.argv[1])).read().state)
"""


@contextmanager
def engine(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that trades, with the latch in ``folder``."""
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def _say(process: "subprocess.Popen[str]", line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def latch_goal(times: int) -> dict[str, object]:
    """G11: from the call of ``halt`` to the last opening order that another process let through."""
    took: list[float] = []
    after_durable = passed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        latch = LatchFile(folder)
        with engine(folder) as process:
            for _ in range(times):
                latch.exchange(latch.read(), ACTIVE)
                _say(process, "0.1")
                _hear(process)
                began = time.monotonic_ns()
                latch.halt("rel.kill", "measured", SET)
                durable = time.monotonic_ns()
                _hear(process)
                _say(process, "tell")
                last, asked, passed = map(int, _hear(process).split())
                took.append(max(last - began, durable - began) / 1e6)
                # What the latch was asked for before may pass a moment later: it is in the milliseconds.
                after_durable += asked > durable
        restarted = subprocess.run(
            [sys.executable, "-c", READER, name],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
    p99 = float(np.percentile(took, 99))
    ok = p99 <= LATCH_MS and after_durable == 0 and passed > times and restarted == "HALTED"
    return {
        "goal": "G11", "halts": times, "ms_p50": round(float(np.median(took)), 2), "ms_p99": round(p99, 2),
        "ms_allowed": LATCH_MS, "openings_passed_while_active": passed,
        "openings_after_it_was_durable": after_durable, "after_restart": restarted, "ok": ok,
    }  # fmt: skip


# ------------------------------------------------------------------------------ an account to flatten


def condor(product: str, n: int) -> tuple[Leg, ...]:
    """Iron condors that share no strike: puts and calls ever further from the level."""
    expiry = DAY if product == "SPXW" else MONTHLY
    row, step = PRODUCTS[product], 40

    def option(right: Right, strike: int) -> Option:
        return Option(product, expiry, right, Decimal(strike), row.multiplier, row.tick)

    put, call = int(LEVEL) - 30 - step * n, int(LEVEL) + 30 + step * n
    return (
        Leg(option(Right.PUT, put), -1),
        Leg(option(Right.PUT, put - 20), 1),
        Leg(option(Right.CALL, call), -1),
        Leg(option(Right.CALL, call + 20), 1),
    )


def flat_world(seed: int) -> World:
    return World.drawn(np.random.default_rng(seed), calm(SESSION.open))


@dataclass
class Venue:
    """An account with so many condors of two units, the line to it, and a watch on what is uncovered."""

    seed: int
    positions: int
    faults: Faults | None = None
    account: SimAccount = field(init=False)
    line: SimLine = field(init=False)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        faults = self.faults or calm(SESSION.open)
        self.world = flat_world(self.seed)
        self.account = SimAccount(self.world, SESSIONS, SESSION.open, Decimal(2_000_000), faults=faults)
        self.line = SimLine(self.account, faults, np.random.default_rng(self.seed), SESSION.open)
        for n in range(self.positions):
            legs = condor(("SPXW", "SPX")[n % 2], n // 2)
            self.account.trade_by_hand(legs, 2, Decimal(1), START - timedelta(minutes=5))

    def work(self, orders: int) -> None:
        """So many orders that rest far from the market: entries and targets, some of them nobody's."""
        for n in range(orders):
            legs = condor(("SPXW", "SPX")[n % 2], n % 8)
            tag = "" if n % 5 == 0 else str(Tag("0badcafe", 1, str(100 + n), 1))
            place = Place(f"w{n}", tag, legs, 1, Decimal(50), opens=True)
            reply = self.account.handle(place, START - timedelta(minutes=2))
            assert reply.orders, f"order {n} was refused: {reply.text}"
        self.account.advance(START)
        self.account.reports()

    @property
    def working(self) -> int:
        return sum(not ticket.is_over for ticket in self.account.tickets.values())


def uncovered(held: dict[Contract, int]) -> int:
    """Short options without a long one of the same product and right that lives as long."""
    short = 0
    options = [(c, n) for c, n in held.items() if isinstance(c, Option)]
    for key in {(c.product, c.right, c.expiry) for c, _ in options}:
        alike = [(c, n) for c, n in options if (c.product, c.right) == key[:2] and c.expiry >= key[2]]
        short += max(0, -sum(n for _, n in alike))
    return short


@dataclass
class Ran:
    """What a run of ``Flattening`` showed."""

    seconds: float
    flat: bool
    oldest_uncovered: float
    flipped: int
    cancels_sent: float
    cancels_confirmed: float
    accepted: float
    left: list[str]


def flattened(venue: Venue) -> Ran:
    """Runs it in virtual time, looking at the venue's truth at every step."""
    run = Flattening(venue.line, venue.world.quotes, START)
    now, due = START, START
    since: datetime | None = None
    oldest = 0.0
    confirmed = 0.0
    before = dict(venue.account.true.held)
    flipped = 0
    while not run.over:
        if now >= due:
            due = run.step(now)
        venue.line.advance(now)
        held = venue.account.true.held
        since = (since or now) if uncovered(held) else None
        oldest = max(oldest, (now - since).total_seconds() if since else 0.0)
        flipped += sum(n * before.get(c, 0) < 0 or abs(n) > abs(before.get(c, 0)) for c, n in held.items())
        if not confirmed and not any(
            not t.is_over and not t.tag.startswith("f1a77e40") for t in venue.account.tickets.values()
        ):
            confirmed = (now - START).total_seconds()
        now += TICK
    cancels = [at for at, request in venue.line.sent if isinstance(request, Cancel)]
    places = [
        t.entered
        for t in venue.account.tickets.values()
        if t.tag.startswith("f1a77e40") and t.tag.endswith("-1")
    ]
    return Ran(
        (now - START).total_seconds(),
        run.is_flat and all(n > 0 for n in venue.account.true.held.values()),
        oldest,
        flipped,
        (max(cancels) - START).total_seconds() if cancels else 0.0,
        confirmed,
        (max(places) - START).total_seconds() if places else 0.0,
        run.left(),
    )


def flatten_goal(positions: int, seeds: int) -> dict[str, object]:
    """G13: four-leg positions over a line with ordinary delays; then over lines on which all sorts break."""
    ran = [flattened(Venue(seed, positions)) for seed in range(seeds)]
    hard = [
        flattened(Venue(seed, positions, Faults(Schedule.of(seed), SESSION.open)))
        for seed in range(1_000, 1_000 + seeds)
    ]
    figures = {
        "goal": "G13", "positions": positions, "seeds": seeds,
        "seconds_accepted": round(max(r.accepted for r in ran), 1),
        "seconds_accepted_allowed": ACCEPTED_SECONDS,
        "seconds_flat": round(max(r.seconds for r in ran), 1), "seconds_flat_allowed": FLAT_SECONDS,
        "all_flat": all(r.flat for r in ran),
        "seconds_uncovered": max(r.oldest_uncovered for r in ran),
        "hard_seconds_uncovered": max(r.oldest_uncovered for r in hard),
        "hard_flat": sum(r.flat for r in hard), "hard_seconds_flat": max(r.seconds for r in hard),
        "closed_twice": sum(r.flipped for r in (*ran, *hard)),
    }  # fmt: skip
    ok = (
        all(r.flat for r in ran)
        and max(r.accepted for r in ran) <= ACCEPTED_SECONDS
        and max(r.seconds for r in ran) <= FLAT_SECONDS
        and max(r.oldest_uncovered for r in (*ran, *hard)) <= UNCOVERED_SECONDS
        and figures["closed_twice"] == 0
    )
    return {**figures, "ok": ok}


# ------------------------------------------------------------------------------ cancelling, engine hung


def cancel_goal(orders: int, seeds: int, *, hung: bool) -> dict[str, object]:
    """G12: the engine is stopped with the database locked; this process latches and cancels by itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        LatchFile(folder).exchange(LatchFile(folder).read(), ACTIVE)
        with engine(folder) as process:
            lock = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
            lock.execute("create table events (n integer)")
            lock.execute("begin exclusive")
            if hung:
                os.kill(process.pid, signal.SIGSTOP)
            began = time.perf_counter()
            LatchFile(folder).halt("rel.kill", "engine hung", SET)
            latched = 1_000 * (time.perf_counter() - began)
            ran = []
            for seed in range(seeds):
                venue = Venue(seed, 0)
                venue.work(orders)
                assert venue.working == orders, f"{venue.working} orders work"
                ran.append(flattened(venue))
            state = LatchFile(folder).read().state.value
            if hung:
                os.kill(process.pid, signal.SIGCONT)
            lock.close()
    sent, confirmed = max(r.cancels_sent for r in ran), max(r.cancels_confirmed for r in ran)
    ok = (
        sent <= CANCELS_SECONDS
        and confirmed <= CONFIRMED_SECONDS
        and latched <= LATCH_MS
        and state == "HALTED"
        and all(r.flat for r in ran)
    )
    return {
        "goal": "G12", "orders": orders, "hung": hung, "seeds": seeds, "latch_ms": round(latched, 2),
        "seconds_cancel_requested": round(sent, 1), "seconds_requested_allowed": CANCELS_SECONDS,
        "seconds_confirmed": round(confirmed, 1), "seconds_confirmed_allowed": CONFIRMED_SECONDS,
        "latch": state, "ok": ok,
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m rel.kill")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--latch", action="store_true", help="G11")
    what.add_argument("--cancel", type=int, metavar="ORDERS", help="G12")
    what.add_argument("--flatten", type=int, metavar="POSITIONS", help="G13")
    parser.add_argument("--hung", action="store_true", help="with the engine stopped, for --cancel")
    parser.add_argument("--times", type=int, default=200, help="how often the latch is set, for --latch")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args(arguments)
    goal: Callable[[], dict[str, object]]
    if options.latch:
        goal = lambda: latch_goal(options.times)  # noqa: E731
    elif options.cancel:
        goal = lambda: cancel_goal(options.cancel, options.seeds, hung=options.hung)  # noqa: E731
    else:
        goal = lambda: flatten_goal(options.flatten, options.seeds)  # noqa: E731
    figures = goal()
    print(json.dumps(figures))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
