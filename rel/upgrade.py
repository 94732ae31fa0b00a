"""Upgrades, backups and restores: killed at every step, they leave the old journal or the new one.

``python -m rel.upgrade`` builds a journal of every format there ever was and migrates it: the book must be
the same.  Then a migration, a backup and a restore are killed (SIGKILL, a process of its own) before each
thing they do to the disk: database writes and syncs, renames, links, removals, syncs of files and folders.
After each kill the journal must be whole, old or new; nothing restored may be without its mark; and doing it
again must succeed and leave nothing lying about.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from tests.oldjournals import FORMATS, WEEK_HEAD, write_format

from rel.storage import Disk, week
from tomking.adapters.backup import begin_head, create, mark_path, restore, verify
from tomking.adapters.copies import verified
from tomking.adapters.journal import SCHEMA, SqliteJournal
from tomking.adapters.migrate import migrate
from tomking.adapters.witness import Head
from tomking.domain.book import Book, fold
from tomking.domain.errors import OperatingError

EARLIER = 100
"""Events in the backup that is restored."""


class Plain:
    """A sealing that takes no time: what is killed here is not the encryption."""

    def seal(self, plain: bytes) -> bytes:
        return plain

    def unseal(self, sealed: bytes) -> bytes:
        return sealed


class Mortal(Disk):
    """Ends this process, as if from outside, before operation ``fail_at``."""

    def step(self, what: str, path: Path, part: Callable[[float], None] | None = None) -> None:
        if self.count == self.fail_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def killed_at(number: int, act: Callable[[], object]) -> bool:
    """Runs it in a process of its own that is killed before its operation ``number``; False: it ended."""
    with warnings.catch_warnings():
        # Python 3.12 warns of threads; the child uses none of theirs and ends without tidying up.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            disk = Mortal(f"mortal-{number}", default=True)
            disk.begin(number, "kill", np.random.default_rng(0))
            _count_calls(disk)
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, f"it failed by itself at {number}"
    return False


def _count_calls(disk: Disk) -> None:
    for name in ("replace", "link", "unlink", "fsync"):
        real: Callable[..., Any] = getattr(os, name)

        def counted(*given: Any, _real: Callable[..., Any] = real, _name: str = name, **more: Any) -> Any:  # noqa: ANN401
            disk.step(_name, Path(str(given[0])))
            return _real(*given, **more)

        setattr(os, name, counted)


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder as it is before, what is done to it, and what must be true after a kill and a second try."""

    folder: Path
    book: Book
    earlier: Book

    @property
    def journal(self) -> Path:
        return self.folder / "journal.sqlite"

    def migration(self) -> tuple[Callable[[], object], Callable[[], str]]:
        write_format(1, self.journal)

        def wrong() -> str:
            found = verified(self.journal)
            return "" if found.schema in {1, SCHEMA} and found.book == self.book else "another book"

        return (lambda: migrate(self.journal)), wrong

    def backup(self) -> tuple[Callable[[], object], Callable[[], str]]:
        _live(self.journal, len(week()))
        target = self.folder / "backups"

        def wrong() -> str:
            for made in target.glob("*.age") if target.exists() else ():
                if verify(made, self.folder, Plain()).book != self.book:
                    return "a backup of another book"
            return "" if verified(self.journal).book == self.book else "the journal was changed"

        return (lambda: create(self.journal, target, Plain())), wrong

    def restoring(self) -> tuple[Callable[[], object], Callable[[], str]]:
        (self.folder / "source").mkdir()
        made, _ = create(_live(self.folder / "source" / "journal.sqlite", EARLIER), self.folder, Plain())
        shutil.rmtree(self.folder / "source")
        _live(self.journal, len(week()))

        def wrong() -> str:
            found = verified(self.journal).book
            if found not in (self.book, self.earlier):
                return "another book"
            try:
                with SqliteJournal(self.journal, each_durable=True):
                    trades = True
            except OperatingError:
                trades = False
            if trades and found == self.earlier and not mark_path(self.journal).exists():
                return "the restored book would be traded on without a mark"
            return ""

        return (lambda: restore(made, self.journal, Plain(), discard_newer=True)), wrong


ACTS = ("migration", "backup", "restoring")
LEFT = {
    "migration": {"journal.sqlite", "journal.format-1.sqlite"},
    "backup": {"journal.sqlite", "journal.sqlite-head", "backups"},
    "restoring": {"journal.sqlite", "journal.sqlite-head", "journal.sqlite-restored"},
}


def run(folder: Path, acts: tuple[str, ...] = ACTS, every: int = 1) -> tuple[Counter[str], list[str]]:
    """(kills by act, what went wrong)."""
    book, earlier = fold(iter(week())), fold(iter(week()[:EARLIER]))
    kills, wrong = Counter[str](), list[str]()
    for act in acts:
        for number in count(0, every):
            shutil.rmtree(folder / act, ignore_errors=True)
            (folder / act).mkdir()
            scene = Scene(folder / act, book, earlier)
            do, look = getattr(scene, act)()
            killed = killed_at(number, do)
            said = _judged(scene, act, do, look)
            if said:
                wrong.append(f"{act} killed at {number}: {said}")
            if not killed:
                break
            kills[act] += 1
    return kills, wrong


def _judged(scene: Scene, act: str, do: Callable[[], object], look: Callable[[], str]) -> str:
    try:
        said = look()
        if said:
            return said
        do()
        said = look()
    except OperatingError as error:
        return str(error)
    left = {
        p.name for p in scene.folder.iterdir() if ".replaced-" not in p.name and p.suffix != ".age"
    } - LEFT[act]
    return said or (f"left lying about: {sorted(left)}" if left else "")


def _live(path: Path, events: int) -> Path:
    with SqliteJournal(path, power_safe=False) as journal:
        for event in week()[:events]:
            journal.append(event)
        journal.commit()
        head = Head(len(journal), journal.head())
    begin_head(path, head)
    return path


def golden(folder: Path) -> list[str]:
    """What is wrong with journals of former formats: nothing."""
    wrong = []
    book = fold(iter(week()))
    for number in FORMATS:
        path = write_format(number, folder / f"format-{number}.sqlite")
        migrate(path)
        found = verified(path)
        if (found.schema, found.head, found.book) != (SCHEMA, (len(week()), WEEK_HEAD), book):
            wrong.append(f"format {number} came out different")
    return wrong


def main() -> int:
    """Prints one line of JSON; 1 when a kill left anything but the old or the new."""
    parser = argparse.ArgumentParser(prog="python -m rel.upgrade", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="kill at every n-th operation only")
    asked = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tomking-upgrade-") as folder:
        wrong = golden(Path(folder))
        kills, more = run(Path(folder), every=asked.every)
    figures = {
        "command": "rel.upgrade",
        "formats": list(FORMATS),
        "kills": dict(kills),
        "wrong": wrong + more,
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(figures))
    return int(bool(wrong + more))


if __name__ == "__main__":
    sys.exit(main())
