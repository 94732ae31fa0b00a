"""Backups: consistent while the engine writes, verified before they count, restored whole or not at all."""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from rel.storage import Disk
from tests.oldjournals import WEEK_HEAD, week_texts, write_format

from tomking.adapters import backup as backups
from tomking.adapters.backup import (
    Passphrase,
    create,
    mark_path,
    read_only_because,
    reconciled,
    restore,
    verify,
)
from tomking.adapters.codec import decode
from tomking.adapters.copies import verified
from tomking.adapters.journal import SqliteJournal
from tomking.adapters.passphrase import NoPassphrase, backup_passphrase
from tomking.adapters.witness import head_path
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event

QUICK_DISK = Disk("quick")
"""Without syncs."""
WEEK = [decode(text) for text in week_texts()]


@dataclass(frozen=True)
class Quick:
    """A sealing without the second that scrypt takes."""

    key: int = 7

    def seal(self, plain: bytes) -> bytes:
        return bytes([self.key]) + plain[::-1]

    def unseal(self, sealed: bytes) -> bytes:
        if not sealed or sealed[0] != self.key:
            raise ValueError("Decryption failed")
        return sealed[:0:-1]


def live(path: Path, events: list[Event]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with SqliteJournal(path, each_durable=True, vfs=QUICK_DISK.name) as journal:
        for event in events:
            journal.append(event)
    return path


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return live(tmp_path / "state" / "journal.sqlite", WEEK[:100])


def test_a_backup_is_restored_to_the_same_book(journal: Path, tmp_path: Path) -> None:
    before = verified(journal)
    made, found = create(journal, tmp_path / "backups", Quick())
    assert (found.head, found.book) == (before.head, before.book)
    assert made.name == f"journal-000000100-{before.head.digest[:8]}.age"
    elsewhere = tmp_path / "other machine" / "journal.sqlite"
    restored = restore(made, elsewhere, Quick())
    assert restored.replaced is None
    assert verified(elsewhere).book == before.book


def test_the_engine_may_write_while_a_backup_is_made(journal: Path, tmp_path: Path) -> None:
    with SqliteJournal(journal, each_durable=True) as engine:
        engine.append(WEEK[100])
        made, found = create(journal, tmp_path, Quick())
        engine.append(WEEK[101])
        assert found.head.sequence == 101
        assert len(engine) == 102
    assert verify(made, tmp_path, Quick()).head.sequence == 101
    # Nothing unencrypted is left anywhere.
    assert names(tmp_path) == [made.name, "state"]
    assert names(journal.parent) == ["journal.sqlite", "journal.sqlite-head"]


def test_backups_are_for_the_owner_only(journal: Path, tmp_path: Path) -> None:
    made, _ = create(journal, tmp_path / "backups", Quick())
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    restore(made, tmp_path / "new" / "journal.sqlite", Quick())
    assert stat.S_IMODE((tmp_path / "new" / "journal.sqlite").stat().st_mode) == 0o600


def test_a_damaged_journal_is_not_called_a_backup(journal: Path, tmp_path: Path) -> None:
    journal.write_bytes(journal.read_bytes().replace(b"starting capital", b"starting capitol"))
    with pytest.raises(OperatingError, match="chain of hashes breaks"):
        create(journal, tmp_path / "backups", Quick())
    assert not (tmp_path / "backups").exists()
    assert names(journal.parent) == ["journal.sqlite", "journal.sqlite-head"]


def test_a_backup_that_cannot_be_read_back_is_none(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Quick, "unseal", lambda self, sealed: b"something else")
    with pytest.raises(OperatingError, match="what was written is not what is read; try another disk"):
        create(journal, tmp_path / "backups", Quick())
    assert names(tmp_path / "backups") == []


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:1] + data[9:], "cannot be decrypted"),
        (lambda data: b"", "cannot be decrypted"),
        (lambda data: b"\x08" + data[1:], "the passphrase is another one, or the file is damaged"),
        (lambda data: Quick().seal(b"a letter"), "no backup of a journal"),
    ],
)
def test_a_damaged_backup_restores_nothing(
    journal: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], says: str
) -> None:
    made, _ = create(journal, tmp_path, Quick())
    made.write_bytes(spoil(made.read_bytes()))
    before = journal.read_bytes()
    with pytest.raises(OperatingError, match=says):
        restore(made, journal, Quick())
    with pytest.raises(OperatingError, match=says):
        verify(made, tmp_path, Quick())
    assert journal.read_bytes() == before
    assert names(journal.parent) == ["journal.sqlite", "journal.sqlite-head"]


def test_a_journal_is_not_replaced_by_an_older_one_without_the_word(journal: Path, tmp_path: Path) -> None:
    made, _ = create(journal, tmp_path, Quick())
    live(journal, WEEK[100:])
    with pytest.raises(OperatingError, match=r"68 events that the backup has not; .* say --discard-newer"):
        restore(made, journal, Quick())
    assert verified(journal).head == (168, WEEK_HEAD)
    done = restore(made, journal, Quick(), discard_newer=True)
    assert len(verified(journal).digests) == 100
    assert done.replaced is not None
    assert done.replaced.name == f"journal.replaced-000000168-{WEEK_HEAD[:8]}.sqlite"
    assert verified(done.replaced).head == (168, WEEK_HEAD)


def test_an_earlier_journal_of_the_same_past_needs_no_word(journal: Path, tmp_path: Path) -> None:
    whole = live(tmp_path / "whole" / "journal.sqlite", WEEK)
    made, _ = create(whole, tmp_path, Quick())
    restore(made, journal, Quick())
    assert verified(journal).head == (168, WEEK_HEAD)


def test_another_past_is_not_replaced_without_the_word(journal: Path, tmp_path: Path) -> None:
    other = live(tmp_path / "other" / "journal.sqlite", [*WEEK[:2], WEEK[2], *WEEK[2:20]][:18])
    made, _ = create(journal, tmp_path, Quick())
    with pytest.raises(OperatingError, match="another journal: its 18 events are not those"):
        restore(made, other, Quick())


def test_a_damaged_journal_is_replaced_and_kept(journal: Path, tmp_path: Path) -> None:
    made, _ = create(journal, tmp_path, Quick())
    damaged = b"not a database any more" * 500
    journal.write_bytes(damaged)
    done = restore(made, journal, Quick())
    assert done.replaced is not None
    assert done.replaced.name == "journal.replaced-damaged.sqlite"
    assert done.replaced.read_bytes() == damaged
    assert len(verified(journal).digests) == 100


def test_a_damaged_journal_that_was_newer_needs_the_word(journal: Path, tmp_path: Path) -> None:
    # Its head says event 168, the backup ends at 100.
    made, _ = create(journal, tmp_path, Quick())
    live(journal, WEEK[100:])
    journal.write_bytes(b"not a database any more" * 500)
    with pytest.raises(OperatingError, match="is damaged, and had 68 events that the backup has not"):
        restore(made, journal, Quick())


def test_a_journal_that_is_open_is_not_replaced(journal: Path, tmp_path: Path) -> None:
    made, _ = create(journal, tmp_path, Quick())
    with (
        SqliteJournal(journal, each_durable=True),
        pytest.raises(OperatingError, match="open in another process; stop the engine first"),
    ):
        restore(made, journal, Quick(), discard_newer=True)


def test_a_restored_book_is_read_only_until_it_is_reconciled(journal: Path, tmp_path: Path) -> None:
    assert read_only_because(journal) is None
    made, _ = create(journal, tmp_path, Quick())
    restore(made, journal, Quick())
    why = read_only_because(journal)
    assert why == f"restored from {made.name} at event 100 and not yet reconciled with the broker"
    # A restart changes nothing about it, nor does damage to the mark.
    live(journal, WEEK[100:110])
    assert read_only_because(journal) == why
    mark_path(journal).write_bytes(b"\0\0")
    assert read_only_because(journal) == "restored from a backup and not yet reconciled with the broker"
    reconciled(journal)
    assert read_only_because(journal) is None


def test_what_a_kill_left_in_the_log_is_not_played_over_the_restored_journal(tmp_path: Path) -> None:
    source = live(tmp_path / "a" / "journal.sqlite", WEEK[:100])
    made, _ = create(source, tmp_path, Quick())
    killed = tmp_path / "b"
    killed.mkdir()
    with SqliteJournal(source, each_durable=True) as engine:
        for event in WEEK[100:]:
            engine.append(event)
        for name in names(source.parent):
            (killed / name).write_bytes((source.parent / name).read_bytes())
    assert (killed / "journal.sqlite-wal").stat().st_size > 0
    done = restore(made, killed / "journal.sqlite", Quick(), discard_newer=True)
    assert len(verified(killed / "journal.sqlite").digests) == 100
    assert done.replaced is not None
    assert verified(done.replaced).head == (168, WEEK_HEAD)


def test_an_old_format_is_restored_as_it_was(tmp_path: Path) -> None:
    old = write_format(1, tmp_path / "journal.sqlite")
    made, _ = create(old, tmp_path / "backups", Quick())
    restore(made, tmp_path / "new" / "journal.sqlite", Quick())
    assert verified(tmp_path / "new" / "journal.sqlite").schema == 1


def test_a_restore_that_dies_before_the_rename_leaves_a_journal_that_is_not_traded(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = create(journal, tmp_path, Quick())
    live(journal, WEEK[100:])

    def dies(_part: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "put_in_place", dies)
    with pytest.raises(OperatingError, match=r"No space left on device.; free space"):
        restore(made, journal, Quick(), discard_newer=True)
    assert verified(journal).head == (168, WEEK_HEAD)
    assert read_only_because(journal) is not None
    with pytest.raises(OperatingError, match="nobody knows whether"):
        SqliteJournal(journal, each_durable=True)
    monkeypatch.undo()
    restore(made, journal, Quick(), discard_newer=True)
    with SqliteJournal(journal, each_durable=True) as engine:
        assert len(engine) == 100


@pytest.mark.slow
def test_age_keeps_it_from_others() -> None:
    # Three times scrypt, at about a second each.
    right, wrong = Passphrase("correct horse battery"), Passphrase("correct horse bakery")
    sealed = right.seal(b"SessionBegan")
    assert sealed.startswith(b"age-encryption.org/v1")
    assert b"SessionBegan" not in sealed
    assert right.unseal(sealed) == b"SessionBegan"
    with pytest.raises(ValueError, match="Decryption failed"):
        wrong.unseal(sealed)
    assert "correct" not in repr(right)


def full(_path: Path, _content: bytes) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_makes_no_backup_and_leaves_nothing(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "written_privately", full)
    with pytest.raises(OperatingError, match=r"cannot be written \(No space left on device\); free space"):
        create(journal, tmp_path / "backups", Quick())
    assert names(tmp_path / "backups") == []
    assert names(journal.parent) == ["journal.sqlite", "journal.sqlite-head"]


def test_a_full_disk_restores_nothing(journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = create(journal, tmp_path, Quick())
    before = journal.read_bytes()
    monkeypatch.setattr(backups, "written_privately", full)
    with pytest.raises(OperatingError, match="cannot be restored"):
        restore(made, journal, Quick())
    assert journal.read_bytes() == before
    assert names(journal.parent) == ["journal.sqlite", "journal.sqlite-head"]


# ------------------------------------------------------------------------------------ the passphrase


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_passphrase_comes_from_the_named_file_then_the_environment(tmp_path: Path) -> None:
    one, two = private(tmp_path / "one", "from file one!\n"), private(tmp_path / "two", "from file two!")
    given = {"TOMKING_BACKUP_PASSPHRASE": "from the variable", "TOMKING_BACKUP_PASSPHRASE_FILE": str(two)}
    assert backup_passphrase(given, one) == "from file one!"
    assert backup_passphrase(given) == "from the variable"
    del given["TOMKING_BACKUP_PASSPHRASE"]
    assert backup_passphrase(given) == "from file two!"


def test_the_keyring_is_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def get(service: str, user: str) -> str:
        asked.append((service, user))
        return "from the keyring"

    monkeypatch.setattr("keyring.get_password", get)
    assert backup_passphrase({}) == "from the keyring"
    assert asked == [("tomking", "backup-passphrase")]


def test_without_a_passphrase_it_says_where_to_put_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.get_password", lambda *_: None)
    with pytest.raises(NoPassphrase, match="keyring set tomking backup-passphrase"):
        backup_passphrase({})


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = private(tmp_path / "secret", "a long passphrase")
    path.chmod(0o644)
    with pytest.raises(NoPassphrase, match="others on this machine can read it; chmod 600 secret"):
        backup_passphrase({}, path)


@pytest.mark.parametrize("text", ["", "short", "eleven char"])
def test_a_short_passphrase_is_refused(text: str) -> None:
    with pytest.raises(NoPassphrase, match="12 characters or more"):
        backup_passphrase({"TOMKING_BACKUP_PASSPHRASE": text})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoPassphrase, match="nowhere: the passphrase cannot be read"):
        backup_passphrase({}, tmp_path / "nowhere")
    assert not head_path(tmp_path / "nowhere").exists()


def test_a_machine_that_was_busy_for_a_moment_still_opens_a_backup(monkeypatch: pytest.MonkeyPatch) -> None:
    # What age said on a busy machine: its measure of a few milliseconds had been interrupted.
    answers = iter([pyrage.DecryptError("Excessive work parameter for passphrase."), b"SessionBegan"])

    def decrypt(sealed: bytes, text: str) -> bytes:
        answer = next(answers)
        if isinstance(answer, bytes):
            return answer
        raise answer

    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
    monkeypatch.setattr(backups, "BETWEEN", 0.0)
    assert Passphrase("words").unseal(b"sealed") == b"SessionBegan"


def test_a_machine_that_stays_too_slow_is_told_apart_from_a_wrong_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decrypt(sealed: bytes, text: str) -> bytes:
        raise pyrage.DecryptError("Excessive work parameter for passphrase.")

    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
    monkeypatch.setattr(backups, "BETWEEN", 0.0)
    sealed = tmp_path / "journal.age"
    sealed.write_bytes(b"sealed")
    with pytest.raises(OperatingError, match="too busy or too slow") as said:
        verify(sealed, tmp_path / "part", Passphrase("words"))
    assert "damaged" not in str(said.value)
