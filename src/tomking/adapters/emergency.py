"""When the disk fails: room that was kept for that moment, and a log that needs none.

``Reserve`` is a file of 64 MB that is only there to be removed: a full disk has room again for the journal,
the latch and the alert.  ``EmergencyLog`` is a file whose blocks were written beforehand and are overwritten
in place, for the exits that must go on when the journal takes no more.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tomking.adapters.journal import chained
from tomking.adapters.store.files import sync_folder
from tomking.adapters.witness import Head
from tomking.domain.errors import OperatingError

MEGABYTE = 1 << 20
RESERVE_BYTES = 64 * MEGABYTE
LOG_BYTES = 4 * MEGABYTE
"""Room for about ten thousand events: a day of exits."""


class Reserve:
    """Room on the disk that is given back when nothing else is left."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path, self._size = path, size

    def hold(self) -> bool:
        """Keep the room; whether it is kept now.  To be asked at each start: False is worth a warning."""
        try:
            if self._path.is_file() and self._path.stat().st_blocks * 512 >= self._size:
                return True
            _filled(self._path, self._size)
        except OSError:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return False
        return True

    def free(self) -> bool:
        """Give the room back; whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Logged:
    """What an emergency log holds: texts of events, and the head of the journal they follow."""

    after: Head
    texts: tuple[str, ...]


class EmergencyLog:
    """Events one after the other in blocks that are on the disk already.  ``OperatingError`` when it fails.

    Each line carries the digest of the chain from the journal's head on, so that nothing left over from an
    earlier use, and nothing torn, is taken for an event.
    """

    def __init__(self, path: Path, size: int = LOG_BYTES) -> None:
        self._path, self._size = path, size
        with self._failing("cannot be prepared"):
            if not path.is_file() or path.stat().st_size != size:
                _filled(path, size)
            self._file = os.open(path, os.O_RDWR)
        self._end = 0
        self._digest = ""

    def begin(self, after: Head) -> None:
        """Start anew, behind this event of the journal.  What was in the log is gone."""
        self._digest = after.digest
        self._end = 0
        self._put(f"after {after.sequence} {after.digest}")

    def append(self, text: str) -> None:
        """One more event, on the disk when this returns."""
        assert self._digest, "begin comes first"
        self._digest = chained(self._digest, text)
        self._put(f"{self._digest} {text}")

    def read(self) -> Logged | None:
        """What it holds; None when nothing was begun since it was cleared."""
        with self._failing("cannot be read"):
            data = os.pread(self._file, self._size, 0)
        first, *lines = data.split(b"\0", 1)[0].split(b"\n")
        words = first.decode(errors="replace").split()
        if len(words) != 3 or words[0] != "after" or not words[1].isdigit():
            return None
        after = Head(int(words[1]), words[2])
        return Logged(after, tuple(_chain(after.digest, lines)))

    def clear(self) -> None:
        """Forget it: its events are in the journal."""
        with self._failing("cannot be cleared"):
            os.pwrite(self._file, bytes(512), 0)
            os.fsync(self._file)
        self._end, self._digest = 0, ""

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._file)

    def _put(self, line: str) -> None:
        data = line.encode() + b"\n\0"
        if self._end + len(data) > self._size:
            raise OperatingError(f"{self._path}: the emergency log is full; nothing more is sent")
        with self._failing("cannot be written"):
            os.pwrite(self._file, data, self._end)
            os.fsync(self._file)
        self._end += len(data) - 1  # the next line overwrites the mark of the end

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OperatingError(f"{self._path}: {what} ({error.strerror})") from error


def _chain(digest: str, lines: list[bytes]) -> Iterator[str]:
    """The texts as far as the chain goes."""
    for line in lines:
        said, _, text = line.decode(errors="replace").partition(" ")
        digest = chained(digest, text)
        if said != digest:
            return
        yield text


def _filled(path: Path, size: int) -> None:
    """A file of zeros whose blocks are really there, under its name at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for start in range(0, size, MEGABYTE):
                os.write(handle, bytes(min(MEGABYTE, size - start)))
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
