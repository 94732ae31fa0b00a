"""Where an account stands on the roll-out ladder, what the next stage asks for, and the step to it.

The stage is in the account's own journal below ``state/live``.  The evidence for the first step is a journal
of paper, for every other one that same journal, since its stage began; of either only the runs of a fitting
venue and speed count (``risk.rollout.fitting``, decision 802).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tomking.adapters.clock import wall_now
from tomking.adapters.emergency import EmergencyLog, Reserve
from tomking.adapters.journal import Origin
from tomking.adapters.lease import installation, take
from tomking.adapters.livejournal import LiveJournal
from tomking.adapters.tastytrade.session import Environment
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, problem
from tomking.app.standing import events_of
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event, LevelChanged
from tomking.risk import rollout
from tomking.risk.progress import Requirement
from tomking.risk.rollout import (
    PAPER,
    REHEARSED,
    RUNGS,
    SIMULATED,
    TRIGGERS,
    Evidence,
    Fits,
    evidence_of,
    fitting,
)
from tomking.risk.settings import Settings

JOURNAL = "journal.sqlite"


@dataclass(frozen=True, slots=True)
class Place:
    """The account whose stage it is."""

    state: Path
    environment: Environment
    account: str

    @property
    def world(self) -> str:
        """As ``app.live.asked`` names it."""
        return f"live-{self.environment.value}"

    @property
    def folder(self) -> Path:
        return self.state / "live" / f"{self.environment.value}-{self.account}"

    @property
    def journal(self) -> Path:
        return self.folder / JOURNAL

    @property
    def paper(self) -> Path | None:
        """The journal of paper: the same account's at a sandbox or the broker's test system; before money the
        one written last of those with the production system's quotes and simulated fills.
        """
        if self.environment is not Environment.LIVE:
            own = self.state / "paper" / self.folder.name / JOURNAL
            return own if own.is_file() else None
        found = sorted(
            (self.state / "paper").glob(f"{SIMULATED}-*/{JOURNAL}"), key=lambda file: file.stat().st_mtime
        )
        return found[-1] if found else None

    def fits(self, stage: str) -> Fits:
        """What counts for the step from that stage."""
        return fitting(self.environment.value, stage)


@dataclass(frozen=True, slots=True)
class Ladder:
    """See the module."""

    stage: str
    since: datetime | None
    source: Path | None
    """The journal that the evidence is of; None: there is none."""
    evidence: Evidence
    asked: tuple[Requirement, ...]
    """What the next stage asks for; empty at the top."""
    last: Sequence[Event]
    """The events of that journal."""

    @property
    def following(self) -> str:
        """The next stage; empty at the top."""
        rung = RUNGS.get(self.stage)
        return "" if rung is None else rung.to

    @property
    def lacking(self) -> tuple[Requirement, ...]:
        return tuple(one for one in self.asked if not one.met)


def ladder_of(place: Place, settings: Settings) -> Ladder:
    """Read of copies: nothing is changed.  ``Problems`` (6) where a journal cannot be read."""
    events = events_of(place.journal) if place.journal.is_file() else []
    own, _ = evidence_of(events, settings)
    stage, since = own.stage or PAPER, own.since if own.stage else None
    fits = place.fits(stage)
    if stage != PAPER:
        own, _ = evidence_of(events, settings, fits)
        return Ladder(stage, since, place.journal, own, rollout.requirements(own, stage), events)
    source = place.paper
    paper = events_of(source) if source is not None else []
    found, _ = evidence_of(paper, settings, fits)
    if place.environment is not Environment.SANDBOX and REHEARSED - found.triggers:
        found = replace(found, triggers=found.triggers | (REHEARSED & _rehearsed(place, settings)))
    return Ladder(stage, since, source, found, rollout.requirements(found, stage), events or paper)


def _rehearsed(place: Place, settings: Settings) -> frozenset[str]:
    """Triggers seen in a sandbox, in any journal of paper."""
    seen: frozenset[str] = frozenset()
    for journal in sorted((place.state / "paper").glob(f"{Environment.SANDBOX.value}-*/{JOURNAL}")):
        try:
            seen |= evidence_of(events_of(journal), settings)[0].triggers
        except Problems:
            continue  # one that cannot be read shows nothing
    return seen


def climb(place: Place, settings: Settings, by: str) -> LevelChanged:
    """Writes the step into the account's journal.  ``Problems`` (7) with everything that is missing."""
    found = ladder_of(place, settings)
    if not found.following:
        raise problem(Exit.REFUSED, f"the roll-out stands at {found.stage}: there is nothing above it")
    if found.lacking:
        raise Problems(Problem(Exit.REFUSED, _lack(found, one)) for one in found.lacking)
    step = rollout.climbed(found.evidence, found.stage, _at(place, found), by)
    assert step is not None, "nothing is lacking"
    _write(place, step)
    return step


def _lack(found: Ladder, one: Requirement) -> str:
    line = f"{found.following} asks for {one.name}: {one.needed}; reached: {one.reached}"
    if one.name == "sessions" and found.evidence.unfit:
        line += f" ({passed_over(found.evidence)})"
    if one.name != "safety triggers seen":
        return line
    how = [f"{name} ({how})" for name, how in TRIGGERS.items() if name not in found.evidence.triggers]
    return f"{line}; to see them: {'; '.join(how)}"


def passed_over(found: Evidence) -> str:
    """That days of other sources do not count here."""
    return f"days of {', '.join(one or 'an unknown source' for one in found.unfit)} do not count here"


def _at(place: Place, found: Ladder) -> datetime:
    """A sandbox has a time of its own: no event of its journal lies after it."""
    return found.last[-1].at if place.environment is Environment.SANDBOX and found.last else wall_now()


def _write(place: Place, step: LevelChanged) -> None:
    """While no engine runs: the journal has one writer."""
    origin = Origin(place.world, installation(place.world, place.account))
    with ExitStack() as opened:
        try:
            lease = take(place.folder.parent, account=place.account, environment=place.environment.value)
            opened.callback(lease.give_back)
            place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            log = EmergencyLog(place.folder / "emergency.log")
            opened.callback(log.close)
            journal = LiveJournal(
                place.journal,
                origin,
                reserve=Reserve(place.folder / "reserve", 0),
                log=log,
                on_failure=_unwritten,
            )
            opened.callback(journal.close)
            book_stage = evidence_of(journal.read(), Settings())[0].stage
            if not book_stage:
                journal.append(LevelChanged(step.at, rollout.LEVEL, "", PAPER, "real orders begin here"))
            elif book_stage != step.before:
                raise problem(Exit.UNAVAILABLE, f"the stage is {book_stage} now: look again and repeat it")
            journal.append(step)
        except OperatingError as error:
            busy = "another process trades" in str(error)
            raise problem(Exit.UNAVAILABLE if busy else Exit.DATA, str(error)) from error


def _unwritten(words: str) -> None:
    raise problem(Exit.DATA, f"the step was not written: {words}")
