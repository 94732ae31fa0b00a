"""Encrypted backups of a journal: taken while it is written, verified to the last event, restored at once.

A backup is one age file (https://age-encryption.org/v1, so ``age -d`` opens it too) of a compressed, closed
copy of the journal.  Its name says where the journal stood: ``journal-000000168-019352cf.age``.

Restoring replaces a file; it cannot replace what the broker has done since.  So a restore first leaves a mark
beside the journal, and as long as the mark is there nothing may be opened: the engine takes the book as
read-only, compares it with the broker, and only then calls ``reconciled``.
"""

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyrage  # type: ignore[import-untyped]

from tomking.adapters.clock import wait
from tomking.adapters.copies import (
    Verified,
    copied,
    in_use,
    put_in_place,
    removed,
    settled,
    verified,
    written_privately,
)
from tomking.adapters.journal import SqliteJournal
from tomking.adapters.store.files import sync_folder, write_synced
from tomking.adapters.witness import Head, Witness, head_path
from tomking.domain.errors import OperatingError

FORMAT = b"tomking journal backup 1\n"
SUFFIX = ".age"
MEASURED, BETWEEN = 20, 0.5
"""How often, and seconds between: age measures for a few milliseconds how quick this machine is, and refuses
what would take sixteen seconds at that.  A busy machine looks slow once, and not always."""
WORD = "--discard-newer"
"""What a person must say to put an older journal in the place of a newer one."""


class Sealing(Protocol):
    """What makes bytes unreadable for others, and readable again."""

    def seal(self, plain: bytes) -> bytes:
        """The encrypted bytes."""
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """The plain bytes.  ``ValueError`` when the key is wrong or a byte was changed, ``TooSlow``."""
        ...


class TooSlow(Exception):
    """Nothing is wrong with the passphrase or the file."""


@dataclass(frozen=True, slots=True)
class Passphrase:
    """Age with a passphrase: scrypt takes about a second each time, which is its point."""

    text: str

    def __repr__(self) -> str:
        return "Passphrase(...)"

    def seal(self, plain: bytes) -> bytes:
        return bytes(pyrage.passphrase.encrypt(plain, self.text))

    def unseal(self, sealed: bytes) -> bytes:
        for _ in range(MEASURED):
            try:
                return bytes(pyrage.passphrase.decrypt(sealed, self.text))
            except pyrage.DecryptError as error:
                if "Excessive work" not in str(error):
                    raise ValueError(str(error)) from error
            wait(BETWEEN)
        raise TooSlow(
            "this machine is too busy or too slow for it: stop what else runs and do it again, or open it "
            "on a quicker one"
        )


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and where the journal that was there is now."""

    journal: Path
    found: Verified
    replaced: Path | None


# ---------------------------------------------------------------------------------------- create


def create(journal: Path, folder: Path, sealing: Sealing) -> tuple[Path, Verified]:
    """A verified backup in ``folder``; the engine may be writing meanwhile.

    The copy is read to its last event before it is encrypted, and what was written is decrypted and compared
    before it is called a backup.  ``OperatingError`` leaves none behind.
    """
    if not journal.is_file():
        raise OperatingError(f"{journal}: there is no such file; name a journal with --journal PATH")
    part = journal.with_name(f"{journal.name}.backup-part")
    try:
        with _said(f"{folder}: the backup cannot be written"):
            removed(part)
            copied(journal, part)
            found = verified(part)
            plain = FORMAT + zlib.compress(part.read_bytes())
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            target = folder / f"{journal.stem}-{found.label}{SUFFIX}"
            _write_checked(target, plain, sealing)
    finally:
        with suppress(OSError):
            removed(part)
    return target, found


def _write_checked(target: Path, plain: bytes, sealing: Sealing) -> None:
    """Under its name only after it was read back from the disk and decrypted to the same bytes."""
    fresh = target.with_name(f"{target.name}.part")
    try:
        written_privately(fresh, sealing.seal(plain))
        if sealing.unseal(fresh.read_bytes()) != plain:
            raise OperatingError(f"{target}: what was written is not what is read; try another disk")
        put_in_place(fresh, target)
    except TooSlow as error:
        raise OperatingError(f"{target}: cannot be read back now: {error}") from error
    except ValueError as error:
        raise OperatingError(f"{target}: cannot be read back ({error}); try another disk") from error
    finally:
        fresh.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------- verify, restore


def verify(backup: Path, beside: Path, sealing: Sealing) -> Verified:
    """Decrypts a backup into the folder ``beside``, reads it to its last event, and removes it again."""
    part = beside / f"{backup.name}.verify-part"
    try:
        return _unpacked(backup, part, sealing)
    finally:
        removed(part)


def restore(backup: Path, journal: Path, sealing: Sealing, *, discard_newer: bool = False) -> Restored:
    """Puts the journal of a backup in place, marked as restored; what was there is kept under another name.

    ``OperatingError``, and nothing has changed, when the backup cannot be read to its last event, when the
    journal is open, and, but for ``discard_newer``, when it has events that the backup has not.

    1. The backup is decrypted and verified beside the journal.     4. The new file takes the journal's name.
    2. The mark is written: nothing may be opened from here on.     5. Its head is written.
    3. What was there gets a second name, its head is removed.
    A process that dies before 4 leaves the old journal, after it the new one: without a head, neither is
    traded on until a restore has come to its end.
    """
    part = journal.with_name(f"{journal.name}.restore-part")
    try:
        with _said(f"{journal}: the backup cannot be restored"):
            journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = _unpacked(backup, part, sealing)
            replaced = _kept(journal, found, discard_newer=discard_newer)
            _mark(journal, found.head, backup)
            head_path(journal).unlink(missing_ok=True)
            removed_beside(journal)
            put_in_place(part, journal)
            begin_head(journal, found.head)
    finally:
        with suppress(OSError):
            removed(part)
    return Restored(journal, found, replaced)


def _unpacked(backup: Path, part: Path, sealing: Sealing) -> Verified:
    try:
        sealed = backup.read_bytes()
    except OSError as error:
        raise OperatingError(f"{backup}: cannot be read ({error.strerror}); name a backup") from error
    try:
        plain = sealing.unseal(sealed)
        if not plain.startswith(FORMAT):
            raise OperatingError(f"{backup}: is an age file, but no backup of a journal; name another")
        content = zlib.decompress(plain.removeprefix(FORMAT))
    except TooSlow as error:
        raise OperatingError(f"{backup}: cannot be decrypted now: {error}") from error
    except (ValueError, zlib.error) as error:
        raise OperatingError(
            f"{backup}: cannot be decrypted ({error}): the passphrase is another one, or the file is "
            "damaged; try an earlier backup"
        ) from error
    removed(part)
    written_privately(part, content)
    try:
        return verified(part)
    except OperatingError as error:
        raise OperatingError(str(error).replace(str(part), str(backup))) from error


def _kept(journal: Path, found: Verified, *, discard_newer: bool) -> Path | None:
    """The second name of the journal that is there; None where none is.  Refuses to lose events."""
    if not journal.exists():
        return None
    if in_use(journal):
        raise OperatingError(f"{journal}: is open in another process; stop the engine first")
    label, newer = _compared(journal, found)
    if newer and not discard_newer:
        raise OperatingError(
            f"{journal}: {newer} that the backup has not; look at it first, or say {WORD} to put the "
            "backup in its place (it is kept under another name)"
        )
    for suffix in ("", "-wal"):
        old = journal.with_name(journal.name + suffix)
        if old.exists():
            _second_name(old, journal.with_name(f"{journal.stem}.replaced-{label}{journal.suffix}{suffix}"))
    sync_folder(journal.parent)
    return journal.with_name(f"{journal.stem}.replaced-{label}{journal.suffix}")


def _compared(journal: Path, found: Verified) -> tuple[str, str]:
    """(a label for the journal that is there, what it has that the backup has not: empty for nothing)."""
    try:
        settled(journal)
        with SqliteJournal(journal, power_safe=False) as there:
            count, digest = len(there), there.head()
            for _ in there.read():
                continue
    except OperatingError:
        return "damaged", _confirmed_after(journal, found)
    label = f"{count:09d}-{digest[:8]}"
    if count > found.head.sequence:
        return label, f"has {count - found.head.sequence:,} events"
    same = digest == found.digest_at(count)
    return label, "" if same else f"is another journal: its {count:,} events are not those"


def _confirmed_after(journal: Path, found: Verified) -> str:
    """Of a journal that cannot be read only its head says how far it had come."""
    witness = Witness(journal)
    said = witness.confirmed()
    witness.close()
    if said is None:
        return "is damaged, and may have had events"
    lost = said.sequence - found.head.sequence
    return f"is damaged, and had {lost:,} events" if lost > 0 else ""


def _second_name(old: Path, new: Path) -> None:
    """The same file under another name as well, so that the first is never missing."""
    new.unlink(missing_ok=True)
    try:
        os.link(old, new)
    except OSError:  # a file system without hard links
        write_synced(new, old.read_bytes())


def removed_beside(journal: Path) -> None:
    """The log of the journal that is replaced, which must not be played over the new one."""
    for suffix in ("-wal", "-shm", "-journal"):
        journal.with_name(journal.name + suffix).unlink(missing_ok=True)


def begin_head(journal: Path, head: Head) -> None:
    """The head of a journal that has none, durable: what it says is confirmed from now on."""
    witness = Witness(journal)
    witness.confirm(head, durable=True)
    witness.close()


# ---------------------------------------------------------------------------------------- the mark


def mark_path(journal: Path) -> Path:
    """``journal.sqlite-restored``."""
    return journal.with_name(f"{journal.name}-restored")


def _mark(journal: Path, head: Head, backup: Path) -> None:
    said = {"backup": backup.name, "digest": head.digest, "sequence": head.sequence}
    write_synced(mark_path(journal), (json.dumps(said) + "\n").encode())


def read_only_because(journal: Path) -> str | None:
    """Why nothing may be opened on this journal: it was restored and not yet compared with the broker.

    A mark that cannot be read counts like any other.
    """
    try:
        said = json.loads(mark_path(journal).read_bytes())
        where = f"{said['backup']} at event {said['sequence']:,}"
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):
        where = "a backup"
    return f"restored from {where} and not yet reconciled with the broker"


def reconciled(journal: Path) -> None:
    """Take the mark away: book and broker agree, and a person has said so."""
    mark_path(journal).unlink(missing_ok=True)
    sync_folder(journal.parent)


@contextmanager
def _said(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OperatingError(
            f"{what} ({error.strerror or error}); free space or name another place"
        ) from error
