"""What the commands on storage share: a week of real events, and apsw file systems that fail on purpose.

A ``Disk`` is a registered apsw file system over real files.  It counts every operation that changes
something (open, write, truncate, sync, delete) and makes one of them fail, once:

    full    the write says that there is no room; a sync or an open fails; every other time for good
    ioerr   the operation says that it failed; every other time all writes from then on
    torn    half of the write arrives, then the process is dead
    kill    the process is dead before the operation; what was written stays
    lost    the power goes: of what was not synced, each write arrives whole, in part or not at all, and names
            of files that were not synced may be gone or, deleted, be back

After its fault a disk that killed the process refuses everything, so that nothing tidies up.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from tests.oldjournals import week_texts

from tomking.adapters.codec import decode
from tomking.domain.events import Event, SessionEnded

KINDS = ("full", "ioerr", "torn", "kill", "lost")
MORTAL = frozenset({"torn", "kill", "lost"})
SECTOR = 512


@cache
def week() -> tuple[Event, ...]:
    """The events of the week, as the kernel journalled them."""
    return tuple(decode(text) for text in week_texts())


@cache
def sessions() -> tuple[tuple[int, int], ...]:
    """The sessions of the week as spans of its events, first and one past the last."""
    ends = [n + 1 for n, event in enumerate(week()) if isinstance(event, SessionEnded)]
    ends[-1] = len(week())
    return tuple(zip([0, *ends[:-1]], ends, strict=True))


@dataclass(slots=True)
class Kept:
    """What has surely reached the disk of one file, and what was written since."""

    image: bytes
    writes: list[tuple[int, bytes] | int] = field(default_factory=list[tuple[int, bytes] | int])
    """(offset, data) of a write, or the size of a truncation."""
    named: bool = True
    """Whether the directory that holds its name was synced."""


class Disk(apsw.VFS):
    """See the module.  ``fail_at`` counts from 0; None never fails."""

    def __init__(self, name: str, *, default: bool = False) -> None:
        """``default``: for every connection of this process that names no other."""
        self.base = apsw.vfs_names()[0]
        super().__init__(name, self.base, default)
        self.name = name
        self.begin(None, "kill", np.random.default_rng(0))

    def begin(self, fail_at: int | None, kind: str, chance: np.random.Generator) -> None:
        """Start counting anew.  Nothing is really synced: no power is cut but by ``lose``."""
        self.count = 0
        self.fail_at, self.kind, self.chance = fail_at, kind, chance
        self.is_dead = False
        self.is_lasting = bool(chance.integers(2)) and kind in {"full", "ioerr"}
        self.fired = ""
        self.kept: dict[Path, Kept] = {}
        self.deleted: dict[Path, bytes] = {}

    def step(self, what: str, path: Path, part: Callable[[float], None] | None = None) -> None:
        """Counts one operation; raises when it is the one that fails, or when the process is dead."""
        if self.is_dead:
            raise apsw.IOError("the process is dead")
        number = self.count
        self.count += 1
        stays_full = self.is_lasting and bool(self.fired) and what == "write"
        if number != self.fail_at and not stays_full:
            return
        self.fired = self.fired or f"{what} {path.name}"
        if self.kind == "full" and what == "write":
            raise apsw.FullError("database or disk is full")
        if self.kind in {"full", "ioerr"}:
            raise (apsw.CantOpenError("unable to open") if what == "open" else apsw.IOError("disk I/O error"))
        if self.kind == "torn" and part is not None:
            part(float(self.chance.random()))
        self.is_dead = True
        raise apsw.IOError("killed")

    @property
    def is_watching(self) -> bool:
        """Only a power cut needs to know what was synced."""
        return self.kind == "lost" and not self.is_dead

    @contextmanager
    def unheard(self) -> Iterator[None]:
        """A fault in a call whose outcome SQLite does not ask for is no news for stderr."""
        before = sys.unraisablehook
        sys.unraisablehook = lambda _: None
        try:
            yield
        finally:
            sys.unraisablehook = before

    # ---------------------------------------------------------------- what apsw calls

    def xOpen(self, name: Any, flags: Any) -> apsw.VFSFile:  # noqa: N802, ANN401
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        self.step("open", path)
        if self.is_watching and path not in self.kept:
            exists = path.exists()
            self.kept[path] = Kept(path.read_bytes() if exists else b"", named=exists)
        return _File(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        path = Path(filename)
        if not path.exists():  # SQLite asks for the deletion of what may not be there
            super().xDelete(filename, syncdir)
            return
        self.step("delete", path)
        if self.is_watching:
            self.deleted[path] = path.read_bytes()
        super().xDelete(filename, False)  # noqa: FBT003
        self.kept.pop(path, None)
        if syncdir:
            self.sync_names()

    def sync_names(self) -> None:
        """The directory was synced: what was deleted stays so, what was made stays there."""
        self.deleted.clear()
        for one in self.kept.values():
            one.named = True

    # ---------------------------------------------------------------- the power cut

    def lose(self) -> None:
        """Rewrites the files as the power cut leaves them.  To be called once everything is closed."""
        for path, data in self.deleted.items():
            if not path.exists() and self.chance.random() < 0.5:
                path.write_bytes(data)
        for path, one in self.kept.items():
            if not path.exists():
                continue
            if not one.named and self.chance.random() < 0.5:
                path.unlink()
            else:
                path.write_bytes(_survived(one, self.chance))


class _File(apsw.VFSFile):
    """One open file of a ``Disk``."""

    def __init__(self, disk: Disk, path: Path, name: Any, flags: Any) -> None:  # noqa: ANN401
        super().__init__(disk.base, name, flags)
        self._disk, self._path = disk, path
        self._syncs_names = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        def part(share: float) -> None:
            super(_File, self).xWrite(data[: int(len(data) * share)], offset)

        self._disk.step("write", self._path, part)
        if self._disk.is_watching:
            self._disk.kept[self._path].writes.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.step("truncate", self._path)
        if self._disk.is_watching:
            self._disk.kept[self._path].writes.append(newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.step("sync", self._path)
        if self._disk.is_watching:
            one = self._disk.kept[self._path]
            one.image, one.writes = _applied(one.image, one.writes), []
            if self._syncs_names:
                self._disk.sync_names()


def _applied(image: bytes, writes: Sequence[tuple[int, bytes] | int]) -> bytes:
    data = bytearray(image)
    for one in writes:
        if isinstance(one, int):
            del data[one:]
            continue
        offset, new = one
        data.extend(bytes(max(0, offset - len(data))))
        data[offset : offset + len(new)] = new
    return bytes(data)


def _survived(one: Kept, chance: np.random.Generator) -> bytes:
    """The synced image with each later write whole, cut at a sector, or missing."""
    survived: list[tuple[int, bytes] | int] = []
    for write in one.writes:
        luck = chance.random()
        if luck < 0.4:
            continue
        if isinstance(write, int) or luck < 0.8:
            survived.append(write)
        else:
            offset, data = write
            sectors = -(-len(data) // SECTOR)
            survived.append((offset, data[: SECTOR * int(chance.integers(0, sectors + 1))]))
    return _applied(one.image, survived)
