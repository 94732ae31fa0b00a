"""Whole copies of a journal: taken while it is written, verified to the last event, put in place at once.

What a backup, a restore and a migration share.  A copy appears under its name only when it is complete and
on the disk: until then it is a file ending in ``.part``.
"""

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import apsw

from tomking.adapters.journal import BUSY_MILLISECONDS, DAMAGED, GENESIS, Origin, SqliteJournal, check
from tomking.adapters.store.files import sync_file, sync_folder
from tomking.adapters.witness import Head
from tomking.domain.book import Book, fold
from tomking.domain.errors import OperatingError

BELONGING = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside an open database."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A journal that was read from its first event to its last."""

    path: Path
    schema: int
    origin: Origin | None
    """None: its format does not say."""
    head: Head
    book: Book
    digests: tuple[str, ...]
    """Of every event, so that another journal can be compared with it."""

    def digest_at(self, sequence: int) -> str:
        """The digest after ``sequence`` events, which it must have."""
        return self.digests[sequence - 1] if sequence else GENESIS

    @property
    def label(self) -> str:
        """``000000168-019352cf``: where it ends, for names of files."""
        return f"{self.head.sequence:09d}-{self.head.digest[:8]}"


def verified(path: Path) -> Verified:
    """Check pages, chain, every event and their fold.  ``OperatingError`` says what is wrong."""
    if not path.is_file():
        raise OperatingError(f"{path}: there is no such file; name a journal")
    with SqliteJournal(path, power_safe=False) as journal:
        try:
            book = fold(journal.read())
        except (AssertionError, LookupError, ArithmeticError) as error:
            raise OperatingError(f"{path}: its events do not add up to a book ({error})") from error
        head = Head(len(journal), journal.head())
        return Verified(path, journal.schema, journal.origin(), head, book, tuple(journal.digests()))


def copied(source: Path, target: Path) -> None:
    """A consistent copy of a journal, which may be written meanwhile, as one closed file at ``target``.

    SQLite's online backup: it sees one commit of the source, and starts again when a later one comes.
    ``OperatingError`` leaves no target behind.
    """
    try:
        with closing(_connected(source)) as origin:
            check(origin, source)
            with closing(_connected(target, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE)) as copy:
                with copy.backup("main", origin, "main") as backup:
                    while not backup.done:
                        backup.step(-1)
                copy.execute("PRAGMA journal_mode=DELETE")
        target.chmod(0o600)
        sync_file(target)
    except (apsw.Error, OSError) as error:
        removed(target)
        raise OperatingError(f"{source}: cannot be copied to {target} ({error})") from error
    except OperatingError:
        removed(target)
        raise


def put_in_place(part: Path, target: Path) -> None:
    """A complete file under its name, at once, with content and name on the disk."""
    sync_file(part)
    part.replace(target)
    sync_folder(target.parent)


def written_privately(path: Path, content: bytes) -> None:
    """A new file for its owner only, on the disk; whoever asked removes it when this fails."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def removed(path: Path) -> None:
    """A database and what SQLite kept beside it."""
    for suffix in ("", *BELONGING):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def settled(path: Path) -> None:
    """Folds what a kill left in the write-ahead log into the file, so that the file alone is the journal.

    Without this the log of one database could be played over another that takes its name.
    ``OperatingError`` when the journal is open elsewhere or its log cannot be read.
    """
    if in_use(path):
        raise OperatingError(f"{path}: is open in another process; stop the engine first (tomking halt)")
    try:
        with closing(_connected(path)) as db:
            db.execute("PRAGMA journal_mode=DELETE")
    except apsw.Error as error:
        raise OperatingError(f"{path}: cannot be read ({error}); {DAMAGED}") from error
    left = [part.name for suffix in BELONGING if (part := path.with_name(path.name + suffix)).exists()]
    if left:
        raise OperatingError(f"{path}: {left[0]} stays beside it; {DAMAGED}")


def in_use(path: Path) -> bool:
    """Whether another connection has the journal open: it is then nobody's to replace."""
    with closing(_connected(path, wait=0)) as db:
        try:
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("ROLLBACK")
        except apsw.BusyError:
            return True
        except apsw.Error:
            return False  # no database: nobody can have it open as one
        return False


def _connected(
    path: Path, flags: int = apsw.SQLITE_OPEN_READWRITE, wait: int = BUSY_MILLISECONDS
) -> apsw.Connection:
    db = apsw.Connection(str(path), flags=flags)
    db.set_busy_timeout(wait)
    return db
