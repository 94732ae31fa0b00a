"""The journal twice: in memory, and as one SQLite file that survives the process and the power.

Every row carries ``sha256(digest before || canonical text)``, so the last digest stands for the
whole list; nothing of this machine, its clock or its paths goes into it, so one seed gives one
digest in both.  Between two commits there is one transaction: after a crash either all of it is
there or none.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

from tomking.adapters.codec import decode, encode, instant
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event

GENESIS = "0" * 64
"""The digest before the first event."""

APPLICATION = 0x746B_6A6E
"""SQLite's application id: "tkjn"."""
SCHEMA = 1
PAGE = 2_000
"""Rows read at a time."""

_TABLE = """
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL
)
"""


def chained(digest: str, text: str) -> str:
    """The next hex digest of the chain."""
    return sha256((digest + text).encode()).hexdigest()


class MemoryJournal:
    """The ``Journal`` port for tests and short runs.  Holds the texts, so it reads as a file does."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []
        self._head = GENESIS

    def append(self, event: Event) -> None:
        text = encode(event)
        self._head = chained(self._head, text)
        self._rows.append((text, self._head))

    def commit(self) -> None:
        """Nothing to do: memory is as durable as it gets."""

    def read(self) -> Iterator[Event]:
        before = GENESIS
        for sequence, (text, digest) in enumerate(self._rows, start=1):
            yield _verified("journal in memory", sequence, text, digest, before)
            before = digest

    def head(self) -> str:
        return self._head

    def __len__(self) -> int:
        return len(self._rows)


class SqliteJournal:
    """The ``Journal`` port on one file and one connection.  ``OperatingError`` when the file fails it.

    ``power_safe=True`` (live and paper): a commit has reached the disk when it returns.
    ``power_safe=False`` (backtests, which can be repeated): it survives the process, not the power.

    After a write that failed, the journal takes no more: what is in the file is then known only by
    opening it again.  ``close`` drops what was not committed and leaves a single file.
    """

    def __init__(self, path: Path, *, power_safe: bool = True) -> None:
        self._path = path
        self._broken = False
        is_new = not path.exists()
        if not is_new and path.is_file() and path.stat().st_size == 0:
            raise OperatingError(f"{path}: an empty file is not a journal; move it away or name another")
        with self._failing("cannot be opened"):
            self._db = sqlite3.connect(path, isolation_level=None)
        with ExitStack() as unless_opened:
            unless_opened.callback(self._db.close)
            with self._failing("cannot be opened as a journal"):
                if is_new:
                    self._create()
                self._check()
                self._sequence, self._head = self._last()
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute(f"PRAGMA synchronous={'FULL' if power_safe else 'NORMAL'}")
            unless_opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, event: Event) -> None:
        if self._broken:
            raise OperatingError(f"{self._path}: a write failed before; open the journal again")
        text = encode(event)
        digest, sequence = chained(self._head, text), self._sequence + 1
        row = (sequence, type(event).__name__, instant(event.at), text, digest)
        with self._failing("cannot be written", fatal=True):
            if not self._db.in_transaction:
                self._begin()
            self._db.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
        self._sequence, self._head = sequence, digest

    def commit(self) -> None:
        if self._db.in_transaction:
            with self._failing("cannot be committed", fatal=True):
                self._db.execute("COMMIT")

    def read(self) -> Iterator[Event]:
        before, done = GENESIS, 0
        while page := self._page(done):
            for sequence, name, at, text, digest in page:
                if sequence != done + 1:
                    raise OperatingError(f"{self._path}: event {done + 1} is missing")
                event = _verified(str(self._path), sequence, text, digest, before)
                if (name, at) != (type(event).__name__, instant(event.at)):
                    raise OperatingError(f"{self._path}: event {sequence} is labelled {name} at {at}")
                yield event
                before, done = digest, sequence

    def head(self) -> str:
        return self._head

    def __len__(self) -> int:
        return self._sequence

    def close(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        # While somebody else has the file open it stays as it is: the last to close it tidies up.
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA journal_mode=DELETE")
        self._db.close()

    def _create(self) -> None:
        # In one transaction and before WAL is switched on: a crash leaves all of it or an empty file.
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(f"PRAGMA application_id={APPLICATION}")
        self._db.execute(f"PRAGMA user_version={SCHEMA}")
        self._db.execute(_TABLE)
        self._db.execute("COMMIT")

    def _check(self) -> None:
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        (schema,) = self._db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION:
            raise OperatingError(f"{self._path}: is a database of another program, not a journal")
        if schema != SCHEMA:
            raise OperatingError(f"{self._path}: journal format {schema}, this program reads {SCHEMA}")

    def _begin(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        if self._last() != (self._sequence, self._head):
            raise OperatingError(f"{self._path}: another process has written to this journal")

    def _last(self) -> tuple[int, str]:
        query = "SELECT sequence, digest FROM event ORDER BY sequence DESC LIMIT 1"
        sequence, digest = self._db.execute(query).fetchone() or (0, GENESIS)
        return int(sequence), str(digest)

    def _page(self, done: int) -> list[tuple[int, str, str, str, str]]:
        query = "SELECT * FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?"
        with self._failing("cannot be read"):
            return self._db.execute(query, (done, PAGE)).fetchall()

    @contextmanager
    def _failing(self, what: str, *, fatal: bool = False) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._broken = self._broken or fatal
            raise OperatingError(f"{self._path}: {what} ({error})") from error
        except OperatingError:
            self._broken = self._broken or fatal
            raise


def _verified(where: str, sequence: int, text: str, digest: str, before: str) -> Event:
    if chained(before, text) != digest:
        raise OperatingError(f"{where}: the chain of hashes breaks at event {sequence}")
    try:
        return decode(text)
    except OperatingError as error:
        raise OperatingError(f"{where}: event {sequence}: {error}") from error
