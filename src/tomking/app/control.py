"""Halting, reducing, resuming and flattening: with files alone, whatever state the engine is in.

``halt`` and ``reduce`` ask nobody.  ``resume`` and ``flatten`` act on what a person has seen and confirmed.
"""

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import platformdirs

from tomking.adapters.latch import LatchFile
from tomking.app.exits import Exit
from tomking.app.problems import problem
from tomking.domain.trading import Latch, Trading
from tomking.execution.flattening import Flattening, Quotes, Said
from tomking.execution.wire import Wire

ALONE = timedelta(seconds=30)
"""How long the engine leaves exits to ``flatten`` after the last sign of life from it."""
RENEW = timedelta(seconds=10)

Clock = Callable[[], datetime]
Wait = Callable[[float], None]
"""Seconds."""


def state_folder(environment: Mapping[str, str]) -> Path:
    """What a restart must find: ``$TOMKING_HOME/state``, else the platform's state directory."""
    home = environment.get("TOMKING_HOME")
    return Path(home) / "state" if home else platformdirs.user_state_path("tomking")


def actor(command: str) -> str:
    """Who does it, and with what: ``anna: tomking halt``."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without a user of that number
        name = "somebody"
    return f"{name}: tomking {command}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command found, and what it left."""

    was: Latch
    now: Latch
    path: Path


def halt(latch: LatchFile, by: str, why: str, now: datetime) -> Receipt:
    was = latch.read()
    return Receipt(was, latch.halt(by, why, now), latch.path)


def reduce(latch: LatchFile, by: str, why: str, now: datetime) -> Receipt:
    """``Problems`` while HALTED: closing only would be a step back to trading, and that is ``resume``'s."""
    was = latch.read()
    if was.state is Trading.HALTED:
        line = (
            f"trading stays {was.words}; closing only would loosen that: tomking resume, then tomking reduce"
        )
        raise problem(Exit.HALTED, line)
    return Receipt(was, latch.tighten(Trading.REDUCING, by, why, now), latch.path)


def resume(latch: LatchFile, shown: Latch, by: str, why: str, now: datetime) -> Receipt:
    """ACTIVE, if the latch still is what the person was shown."""
    return Receipt(shown, latch.exchange(shown, Latch(Trading.ACTIVE, now, by, why)), latch.path)


# ------------------------------------------------------------------------------ flatten


@dataclass(frozen=True, slots=True)
class Line:
    """A way to a broker: what orders go over, and what prices come from."""

    wire: Wire
    quotes: Quotes
    clock: Clock | None = None
    """The market's time; None: it is the wall's."""
    wait: Wait | None = None
    """The same."""
    latch: LatchFile | None = None
    """The account's own, which its engine heeds; None: it has none but the installation's."""


@dataclass(frozen=True, slots=True)
class Flattened:
    """How a run of ``flatten`` ended."""

    is_flat: bool
    said: tuple[Said, ...]
    left: tuple[str, ...]
    seconds: float


def flatten(
    latch: LatchFile,
    line: Line,
    by: str,
    *,
    clock: Clock,
    wait: Wait,
    tell: Callable[[Said], None],
    wall: Clock | None = None,
    shares: bool = False,
) -> Flattened:
    """Cancels and closes everything, telling each step as it happens; latched first, and all the while.

    The engine, should it run, leaves exits to this process until half a minute after its last sign of life.

    clock  the market's time, which the engine counts by
    wall   what the latch is dated by, as a person's ``resume`` is; None: the same
    """
    wall = wall or clock
    began = clock()
    held = _hold(latch, by, began, wall())
    run, told = Flattening(line.wire, line.quotes, began, shares=shares), 0
    while not run.over:
        now = clock()
        if now - held >= RENEW:
            held = _hold(latch, by, now, wall())
        due = run.step(now)
        for one in run.said[told:]:
            tell(one)
        told = len(run.said)
        if not run.over:
            wait((due - clock()).total_seconds())
    end = clock()
    latch.halt(by, "flattened", wall())
    return Flattened(run.is_flat, tuple(run.said), tuple(run.left()), (end - began).total_seconds())


def _hold(latch: LatchFile, by: str, now: datetime, dated: datetime) -> datetime:
    latch.halt(by, "flattening", dated, alone_until=now + ALONE)
    return now
