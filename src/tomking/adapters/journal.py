"""The journal as one SQLite file that survives the process and the power (``hashchain`` has one in memory).

Between two commits there is one transaction: after a crash either all of it is there or none.  Live, each
event is its own transaction, and ``witness`` keeps beside the file how far it had come, so that a lost end
is noticed.

SQLite comes with apsw, one version wherever the program runs: older ones could corrupt a write-ahead log
when two connections checkpointed at once (before 3.51.3).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self, cast

import apsw

from tomking.adapters.codec import encode, instant
from tomking.adapters.hashchain import DAMAGED, GENESIS, MemoryJournal, chained, verified_event
from tomking.adapters.witness import Head, Witness, head_path
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event

__all__ = [
    "BACKTEST",
    "BUSY_MILLISECONDS",
    "DAMAGED",
    "GENESIS",
    "SCHEMA",
    "TABLES",
    "MemoryJournal",
    "Origin",
    "SqliteJournal",
    "chained",
    "check",
    "origin_of",
]

APPLICATION = 0x746B_6A6E
"""SQLite's application id: "tkjn"."""
SCHEMA = 2
"""The format written.  ``migrate`` brings older ones here; of those only reading is possible as they are."""
READABLE = (1, 2)
PAGE = 2_000
"""Rows read at a time."""
BUSY_MILLISECONDS = 5_000
"""How long a write waits for a backup or a second program to let go of the file."""

TABLES = """
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE origin (
    environment TEXT NOT NULL,
    account TEXT NOT NULL
) STRICT;
"""


Row = tuple[int, str, str, str, str]


class Origin(NamedTuple):
    """What a journal belongs to, for ever: live orders are never written into a sandbox's journal."""

    environment: str
    """"backtest", "paper", "sandbox" or "live"."""
    account: str = ""
    """Eight hex digits that stand for the account (``lease.installation``); empty in a backtest."""

    def __str__(self) -> str:
        return f"{self.environment} {self.account}".strip()


BACKTEST = Origin("backtest")


class SqliteJournal:
    """The ``Journal`` port on one file and one connection.  ``OperatingError`` when the file fails it.

    ``power_safe=True`` (paper): a commit has reached the disk when it returns.
    ``power_safe=False`` (backtests, which can be repeated): it survives the process, not the power.
    ``each_durable=True`` (live): ``append`` has reached the disk when it returns, and a head is kept
    beside the file; an existing journal without its head is refused, for nobody knows how long it was.

    ``origin``: what it must belong to; a new file is given it.  None asks for nothing (and makes a
    backtest's).  ``vfs`` names the registered apsw file system all reads and writes go through.

    Opening an existing file checks its pages, its format, its origin and its head; reading checks the
    chain.  After a write that failed, the journal takes no more: what is in the file is then known only
    by opening it again.  ``close`` drops what was not committed and leaves a single file (and its head).
    """

    def __init__(
        self,
        path: Path,
        *,
        power_safe: bool = True,
        each_durable: bool = False,
        origin: Origin | None = None,
        vfs: str = "",
    ) -> None:
        assert power_safe or not each_durable, "what is durable after each event is safe from power cuts"
        self._path = path
        self._broken = False
        self._each = each_durable
        self._witness: Witness | None = None
        is_new = self._is_new()
        with self._failing("cannot be opened"):
            self._db = apsw.Connection(str(path), vfs=vfs or None)
        with ExitStack() as unless_opened:
            unless_opened.callback(self._let_go)
            with self._failing("cannot be opened as a journal"):
                self._db.set_busy_timeout(BUSY_MILLISECONDS)
                self._db.execute(f"PRAGMA synchronous={'FULL' if power_safe else 'OFF'}")
                # No page in it: what was being created when the process died has just been rolled back.
                if is_new or not self._db.execute("PRAGMA page_count").get:
                    self._create(origin or BACKTEST)
                self.schema = check(self._db, path, origin)
                self._last()  # whatever it is, it is left as it was when this fails
                self._db.execute("PRAGMA journal_mode=WAL")
                self._sequence, self._head = self._last()  # and from here on it is seen to be in use
                if each_durable:
                    self._begin_to_witness(vfs)
            unless_opened.pop_all()
        self._cursor = self._db.cursor()

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
            self._cursor.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", row)
            if self._each:
                self._cursor.execute("COMMIT")
                assert self._witness is not None
                self._witness.confirm(Head(sequence, digest))
        self._sequence, self._head = sequence, digest

    def commit(self) -> None:
        if self._db.in_transaction:
            with self._failing("cannot be committed", fatal=True):
                self._db.execute("COMMIT")

    def read(self) -> Iterator[Event]:
        before, done, where = GENESIS, 0, str(self._path)
        while page := self._page(done):
            for sequence, name, at, text, digest in page:
                done += 1
                if sequence != done:
                    raise OperatingError(f"{where}: event {done} is missing; {DAMAGED}")
                event, kind, when = verified_event(where, sequence, text, digest, before)
                if name != kind or at != when:
                    raise OperatingError(f"{where}: event {sequence} is labelled {name} at {at}; {DAMAGED}")
                yield event
                before = digest

    def head(self) -> str:
        return self._head

    def __len__(self) -> int:
        return self._sequence

    def origin(self) -> Origin | None:
        """What it says it belongs to; None in formats that did not say."""
        with self._failing("cannot be read"):
            return origin_of(self._db) if self.schema == SCHEMA else None

    def digests(self) -> list[str]:
        """The digest after each event, unverified."""
        with self._failing("cannot be read"):
            return [d for (d,) in self._db.execute("SELECT digest FROM event ORDER BY sequence")]

    def close(self) -> None:
        # While somebody else has the file open it stays as it is: the last to close it tidies up.
        with suppress(apsw.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._db.execute("PRAGMA journal_mode=DELETE")
        self._let_go()

    def _let_go(self) -> None:
        if self._witness is not None:
            self._witness.close()
        with suppress(apsw.Error):
            self._db.close()

    def _is_new(self) -> bool:
        empty = self._path.is_file() and self._path.stat().st_size == 0
        is_new = not self._path.exists()
        if self._each and (is_new or empty):
            if head_path(self._path).exists():
                raise OperatingError(
                    f"{self._path}: is gone, though {head_path(self._path).name} is there; {DAMAGED}"
                )
            return True  # an empty file is what a crash in the middle of its creation leaves
        if empty:
            raise OperatingError(
                f"{self._path}: an empty file is not a journal; move it away or name another"
            )
        return is_new

    def _create(self, origin: Origin) -> None:
        # In one transaction and before WAL is switched on: a crash leaves all of it or an empty file.
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(f"PRAGMA application_id={APPLICATION}")
        self._db.execute(f"PRAGMA user_version={SCHEMA}")
        self._db.execute(TABLES)
        self._db.execute("INSERT INTO origin VALUES (?, ?)", origin)
        self._db.execute("COMMIT")
        if self._each and self._path.exists():
            self._path.chmod(0o600)

    def _begin_to_witness(self, vfs: str) -> None:
        self._refuse_older()
        self._witness = Witness(self._path, vfs=vfs)
        said = self._witness.confirmed()
        if said is not None:
            self._compare(said)
        elif self._sequence:
            raise OperatingError(
                f"{self._path}: {head_path(self._path).name} is not beside it or damaged, so nobody knows "
                f"whether the journal's end is missing; put back the one that belongs to it, or {DAMAGED}"
            )
        self._witness.confirm(Head(self._sequence, self._head), durable=True)

    def _compare(self, said: Head) -> None:
        if said.sequence > self._sequence:
            lost = f"events {self._sequence + 1} to {said.sequence} were confirmed and are missing"
            raise OperatingError(
                f"{self._path}: {lost} (a damaged or deleted -wal, or an older copy); {DAMAGED}"
            )
        query = "SELECT digest FROM event WHERE sequence = ?"
        found = self._db.execute(query, (said.sequence,)).fetchone()
        if (found[0] if found else GENESIS) != said.digest:
            raise OperatingError(f"{self._path}: is not the journal that its head belongs to; {DAMAGED}")

    def _begin(self) -> None:
        self._refuse_older()
        self._db.execute("BEGIN IMMEDIATE")
        if self._last() != (self._sequence, self._head):
            raise OperatingError(f"{self._path}: another process has written to this journal")

    def _refuse_older(self) -> None:
        if self.schema != SCHEMA:
            raise OperatingError(
                f"{self._path}: journal format {self.schema} is only read; "
                f"tomking backup upgrade brings it to {SCHEMA}"
            )

    def _last(self) -> tuple[int, str]:
        query = "SELECT sequence, digest FROM event ORDER BY sequence DESC LIMIT 1"
        sequence, digest = self._db.execute(query).fetchone() or (0, GENESIS)
        return int(sequence), str(digest)

    def _page(self, done: int) -> list[Row]:
        query = (
            "SELECT sequence, name, at, text, digest FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?"
        )
        with self._failing("cannot be read"):
            return cast("list[Row]", self._db.execute(query, (done, PAGE)).fetchall())

    @contextmanager
    def _failing(self, what: str, *, fatal: bool = False) -> Iterator[None]:
        try:
            yield
        except (apsw.Error, UnicodeDecodeError) as error:
            self._broken = self._broken or fatal
            remedy = f"; {DAMAGED}" if isinstance(error, _DAMAGE) else ""
            raise OperatingError(f"{self._path}: {what} ({_words(error)}){remedy}") from error
        except OperatingError:
            self._broken = self._broken or fatal
            raise


_DAMAGE = (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError)
"""An unknown column or table is damage, too: the statements here are right."""


def check(db: apsw.Connection, path: Path, origin: Origin | None = None) -> int:
    """The format of a journal whose pages are whole.  ``OperatingError`` says what it is instead."""
    application, schema = (db.execute(f"PRAGMA {name}").get for name in ("application_id", "user_version"))
    if application != APPLICATION:
        raise OperatingError(f"{path}: is a database of another program, not a journal; {DAMAGED}")
    if schema not in READABLE:
        raise OperatingError(
            f"{path}: journal format {schema}, this program reads {READABLE[-1]}; "
            "use the newer program that wrote it (there is no way back)"
        )
    faults = [fault for (fault,) in db.execute("PRAGMA quick_check(3)").fetchall() if fault != "ok"]
    if faults:
        raise OperatingError(
            f"{path}: damaged ({'; '.join(' '.join(str(f).split()) for f in faults)}); {DAMAGED}"
        )
    found = origin_of(db) if schema == SCHEMA else None
    if None not in {origin, found} and origin != found:
        raise OperatingError(f"{path}: belongs to {found}, not to {origin}; name the journal of {origin}")
    return int(schema)


def origin_of(db: apsw.Connection) -> Origin | None:
    """What a journal says it belongs to; None when it does not say."""
    found = db.execute("SELECT environment, account FROM origin").fetchone()
    return Origin(*found) if found else None


def _words(error: Exception) -> str:
    return str(error).removeprefix("SQLITE_") or type(error).__name__
