"""The head beside a journal: which event was confirmed last, kept outside the database.

SQLite drops, without a word, the end of a write-ahead log that is damaged or deleted: the chain of hashes
is then whole, and shorter.  So the last confirmed sequence and digest are kept in a second small file,
``journal.sqlite-head``, written after each commit and never before it.  It needs no sync of its own: lost
with the power, it only promises less than the journal holds.

Two slots are written in turn, each with its own checksum, so that a torn write costs one event of promise.
"""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import apsw

SLOT = 512
"""Bytes from one slot to the next: a sector of its own, so that a torn write spoils one only."""
LENGTH = 95
"""Bytes of a written slot: 20 digits, 64 hex digits, 8 of checksum, two spaces and the end of the line."""


class Head(NamedTuple):
    """The last confirmed event."""

    sequence: int
    digest: str


def head_path(journal: Path) -> Path:
    """``journal.sqlite-head``, named as SQLite names what belongs to a database."""
    return journal.with_name(f"{journal.name}-head")


class Witness:
    """The head file.  ``apsw.Error`` when it cannot be read or written."""

    def __init__(self, journal: Path, *, vfs: str = "") -> None:
        self._path = head_path(journal)
        # Opened as a rollback journal is: no locks, and its first sync makes its name durable too.
        self._file = apsw.VFSFile(
            vfs,
            str(self._path),
            [apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_MAIN_JOURNAL, 0],
        )

    def confirm(self, head: Head, *, durable: bool = False) -> None:
        """Note that everything up to ``head`` is in the journal; ``durable``: synced, as the first is."""
        self._file.xWrite(_slot(head), SLOT * (head.sequence % 2))
        if durable:
            self._file.xSync(apsw.SQLITE_SYNC_FULL)

    def confirmed(self) -> Head | None:
        """The newest slot that can be read; None when there is none: a new file, or a damaged one."""
        size = min(self._file.xFileSize(), SLOT + LENGTH)
        data = self._file.xRead(size, 0) if size else b""
        return max(filter(None, (_head(data[start : start + LENGTH]) for start in (0, SLOT))), default=None)

    def close(self) -> None:
        with suppress(apsw.Error):
            self._file.xClose()


def _slot(head: Head) -> bytes:
    text = b"%020d %s" % (head.sequence, head.digest.encode())
    return b"%s %08x\n" % (text, crc32(text))


def _head(slot: bytes) -> Head | None:
    """What a slot says; None where it is empty, torn or damaged."""
    text, sum_ = slot[:85], slot[86:94]
    if len(slot) != LENGTH or b"%08x" % crc32(text) != sum_:
        return None
    return Head(int(text[:20]), text[21:].decode())
