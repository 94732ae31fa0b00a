"""Storage faults: every write, sync and open of whole sessions fails once, in each of five ways.

``python -m rel.vfs`` plays the sessions of a real week through the live journal (one durable transaction an
event), each from the file that the session before left.  For every operation on the disk, and every kind of
fault (``rel.storage``), the session is played until that operation fails; then the file is opened again on a
sound disk, as a restart does, and must be whole, chained, hold every event that was acknowledged and none
that was not tried, and take the next.  Faults of a living process must have been said in words.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import apsw
import numpy as np

from rel.storage import KINDS, MORTAL, Disk, sessions, week
from tomking.adapters.journal import SqliteJournal
from tomking.domain.errors import OperatingError

CHECKPOINTS = (1000, 6)
"""Pages after which the log is folded back: SQLite's own number, and one that a session reaches."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run."""

    session: int
    kind: str
    at: int
    seed: int

    def __str__(self) -> str:
        return f"--session {self.session} --kind {self.kind} --at {self.at} --seed {self.seed}"


@dataclass(slots=True)
class Told:
    """What the run's process saw."""

    acknowledged: int
    tried: int
    errors: list[Exception] = field(default_factory=list[Exception])


class Bench:
    """A folder with the file each session starts from, and one disk to break."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.disk = Disk(f"faulty-{folder.name}")
        self.fired = ""
        self._before: list[dict[str, bytes]] = []
        for first, _ in sessions():
            path = folder / "prepared" / "journal.sqlite"
            path.parent.mkdir(exist_ok=True)
            if first:
                with SqliteJournal(path, each_durable=True) as journal:
                    for event in week()[len(journal) : first]:
                        journal.append(event)
            self._before.append({p.name: p.read_bytes() for p in path.parent.iterdir()})

    def run(self, case: Case) -> tuple[bool, str]:
        """(whether the fault happened, what is wrong: empty when nothing)."""
        folder = self._folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in self._before[case.session].items():
            (folder / name).write_bytes(data)
        path = folder / "journal.sqlite"
        self.disk.begin(case.at, case.kind, np.random.default_rng(case.seed))
        with self.disk.unheard():
            told = self._play(path, case)
        fired = self.disk.fired
        if not fired:
            return False, ""
        if case.kind == "lost":
            self.disk.lose()
        self.disk.begin(None, "none", self.disk.chance)
        self.fired = fired
        return True, _said(told, case, path) or _reopened(path, told, self.disk.name)

    def _play(self, path: Path, case: Case) -> Told:
        first, last = sessions()[case.session]
        told = Told(first, first)
        try:
            journal = SqliteJournal(path, each_durable=True, vfs=self.disk.name)
        except Exception as error:  # noqa: BLE001 - what kind it is, is judged later
            told.errors.append(error)
            return told
        try:
            journal._db.wal_autocheckpoint(CHECKPOINTS[case.seed % len(CHECKPOINTS)])
            for event in week()[first:last]:
                told.tried += 1
                journal.append(event)
                told.acknowledged += 1
        except Exception as error:  # noqa: BLE001 - likewise
            told.errors.append(error)
        journal.close()
        return told


def _said(told: Told, case: Case, path: Path) -> str:
    """What a living process must have said of its fault."""
    if case.kind in MORTAL:
        return ""
    for error in told.errors:
        if not isinstance(error, OperatingError):
            return f"{type(error).__name__} is no OperatingError: {error}"
        if str(path) not in str(error) or "cannot be" not in str(error):
            return f"says nothing to a person: {error}"
    return ""


def _reopened(path: Path, told: Told, disk: str) -> str:
    """What a restart finds wrong."""
    try:
        with SqliteJournal(path, each_durable=True, vfs=disk) as journal:
            (integrity,) = journal._db.execute("PRAGMA integrity_check").fetchone() or ("",)
            found = list(journal.read())
            if integrity != "ok":
                return f"integrity: {integrity}"
            if not told.acknowledged <= len(found) <= told.tried:
                return f"{len(found)} events of {told.acknowledged} acknowledged and {told.tried} tried"
            if found != list(week()[: len(found)]):
                return "other events than were written"
            journal.append(week()[0])
    except (OperatingError, apsw.Error) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def all_cases(bench: Bench, seeds: range, kinds: tuple[str, ...] = KINDS) -> "Counts":
    """Plays every operation of every session in every way, for each seed."""
    counts = Counts()
    for seed in seeds:
        for session in range(len(sessions())):
            for kind in kinds:
                for at in count():
                    case = Case(session, kind, at, seed)
                    fired, wrong = bench.run(case)
                    if not fired:
                        break
                    counts.add(case, bench.fired, wrong)
    return counts


@dataclass(slots=True)
class Counts:
    """The figures."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    places: Counter[str] = field(default_factory=Counter[str])
    losses: list[str] = field(default_factory=list[str])

    def add(self, case: Case, place: str, wrong: str) -> None:
        self.kinds[case.kind] += 1
        self.places[place] += 1
        if wrong:
            self.losses.append(f"{case} ({place}): {wrong}")


def main() -> int:
    """Prints one line of JSON; 1 when anything was lost or too little was played."""
    parser = argparse.ArgumentParser(prog="python -m rel.vfs", description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000, help="at least so many")
    parser.add_argument("--session", type=int)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--at", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tomking-vfs-") as folder:
        bench = Bench(Path(folder))
        if asked.at is not None:
            fired, wrong = bench.run(Case(asked.session or 0, asked.kind or "kill", asked.at, asked.seed))
            print(json.dumps({"fired": fired and bench.fired, "wrong": wrong}))
            return int(bool(wrong))
        total = Counts()
        for seed in count(asked.seed):
            one = all_cases(bench, range(seed, seed + 1))
            total.kinds.update(one.kinds)
            total.places.update(one.places)
            total.losses += one.losses
            if total.kinds.total() >= asked.runs:
                break
    runs = total.kinds.total()
    figures = {
        "command": "rel.vfs",
        "runs": runs,
        "losses": len(total.losses),
        "kinds": dict(total.kinds),
        "places": dict(total.places),
        "seconds": round(time.perf_counter() - began, 1),
        "first": [f"python -m rel.vfs {loss}" for loss in total.losses[:5]],
    }
    print(json.dumps(figures))
    return int(bool(total.losses) or runs < asked.runs)


if __name__ == "__main__":
    sys.exit(main())
