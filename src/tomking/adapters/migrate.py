"""A journal of an older format becomes one of the present format, or stays what it was.

1. What is in the write-ahead log is folded in, so that one file is the whole journal.
2. Two verified copies are made: one stays as the backup ``NAME.format-1.sqlite``, one is worked on.
3. The steps run on the second, in one transaction; it is read from its first event to its last.
4. Only if every event, the chain and the book are the same does it take the journal's name, by one rename.

So a process that dies in between leaves the old journal, or the new one; and the old one is never deleted.
Newer formats are refused, and there is no way back to an older one.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from tomking.adapters.copies import Verified, copied, put_in_place, removed, settled, verified
from tomking.adapters.journal import BACKTEST, SCHEMA, TABLES, Origin, check
from tomking.domain.errors import OperatingError

Step = Callable[[apsw.Connection, Origin], None]
"""From one format to the next, inside the transaction."""


def _two(db: apsw.Connection, origin: Origin) -> None:
    """Columns keep to their types; the journal says what it belongs to."""
    db.execute("ALTER TABLE event RENAME TO event_before")
    db.execute(TABLES)
    db.execute(
        "INSERT INTO event SELECT sequence, name, at, text, digest FROM event_before ORDER BY sequence"
    )
    db.execute("DROP TABLE event_before")
    db.execute("INSERT INTO origin VALUES (?, ?)", origin)


STEPS: Mapping[int, Step] = {1: _two}
"""By the format they start from."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done."""

    before: int
    after: int
    events: int
    backup: Path


def format_of(path: Path) -> int:
    """The format of a journal.  ``OperatingError`` when it is none, damaged, or newer than this program."""
    try:
        with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
            return check(db, path)
    except apsw.Error as error:
        raise OperatingError(f"{path}: cannot be read as a journal ({error}); name another") from error


def migrate(path: Path, origin: Origin = BACKTEST, *, steps: Mapping[int, Step] = STEPS) -> Migrated | None:
    """Brings the journal to the present format; None when it is there already.

    ``origin``: what a journal belongs to whose format did not say.  ``OperatingError`` when anything is not
    as it was: the journal is then untouched.
    """
    schema = format_of(path)
    if schema == SCHEMA:
        return None
    settled(path)
    backup = path.with_name(f"{path.stem}.format-{schema}{path.suffix}")
    kept, work = (path.with_name(f"{backup.name}.{end}") for end in ("part", "work"))
    try:
        before = _faithful(path, kept)
        put_in_place(kept, backup)
        copied(path, work)
        _transformed(work, schema, origin, steps)
        after = verified(work)
        if (after.head, after.book, after.schema) != (before.head, before.book, SCHEMA):
            raise OperatingError(f"{path}: came out different in format {SCHEMA}; it stays format {schema}")
        put_in_place(work, path)
    finally:
        removed(kept)
        removed(work)
    return Migrated(schema, SCHEMA, before.head.sequence, backup)


def _faithful(path: Path, target: Path) -> Verified:
    """A copy that was read to its end."""
    removed(target)
    copied(path, target)
    return verified(target)


def _transformed(work: Path, schema: int, origin: Origin, steps: Mapping[int, Step]) -> None:
    try:
        with closing(apsw.Connection(str(work))) as db:
            db.execute("PRAGMA synchronous=EXTRA")
            db.execute("BEGIN EXCLUSIVE")
            for number in range(schema, SCHEMA):
                steps[number](db, origin)
            db.execute(f"PRAGMA user_version={SCHEMA}")
            db.execute("COMMIT")
    except apsw.Error as error:
        raise OperatingError(f"{work}: cannot be brought to format {SCHEMA} ({error})") from error
