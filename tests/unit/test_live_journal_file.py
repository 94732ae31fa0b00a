"""The journal as it is used live: each event durable, its head beside it, and what a lost end looks like."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from rel import corrupt, upgrade, vfs
from rel.storage import KINDS, Disk, week

from tomking.adapters import journal as journals
from tomking.adapters.journal import GENESIS, Origin, SqliteJournal
from tomking.adapters.witness import LENGTH, SLOT, Head, Witness, head_path
from tomking.domain.errors import OperatingError

WEEK = week()
QUICK_DISK = Disk("quick-live")
"""Without syncs."""
LIVE = Origin("live", "ab12cd34")


def live(path: Path, origin: Origin | None = None) -> SqliteJournal:
    return SqliteJournal(path, each_durable=True, origin=origin, vfs=QUICK_DISK.name)


def written(path: Path, first: int, last: int) -> Path:
    with live(path) as journal:
        for event in WEEK[first:last]:
            journal.append(event)
    return path


def copied(source: Path, target: Path, names: tuple[str, ...]) -> Path:
    target.mkdir()
    for name in names:
        (target / name).write_bytes((source / name).read_bytes())
    return target / "journal.sqlite"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "journal.sqlite", 0, 20)


def test_what_append_returned_from_survives_a_kill(tmp_path: Path) -> None:
    # The child writes, says each event's number only afterwards, and is killed without a commit.
    child = textwrap.dedent("""
        import sys
        from pathlib import Path
        from rel.storage import week
        from tomking.adapters.journal import SqliteJournal
        journal = SqliteJournal(Path(sys.argv[1]), each_durable=True)
        for number, event in enumerate(week()[:40], start=1):
            journal.append(event)
            print(number, flush=True)
        sys.stdin.read()
    """)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{Path(journals.__file__).parents[2]}:{root}"}
    path = tmp_path / "journal.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", child, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "40":
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
    with live(path) as journal:
        assert list(journal.read()) == list(WEEK[:40])


def test_each_event_is_its_own_transaction(path: Path) -> None:
    with live(path) as journal, SqliteJournal(path, power_safe=False) as other:
        journal.append(WEEK[20])
        assert not journal._db.in_transaction
        assert len(list(other.read())) == 21


def test_files_are_for_the_owner_only(path: Path) -> None:
    with live(path) as journal:
        journal.append(WEEK[20])
        for file in path.parent.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file


def test_a_deleted_log_is_noticed(path: Path, tmp_path: Path) -> None:
    # Twenty events are in the file, five more in the log that somebody leaves behind.
    with live(path) as journal:
        for event in WEEK[20:25]:
            journal.append(event)
        copy = copied(tmp_path, tmp_path / "copy", ("journal.sqlite", "journal.sqlite-head"))
    with pytest.raises(OperatingError, match=r"events 21 to 25 were confirmed and are missing .* -wal"):
        live(copy)


def test_a_copy_without_its_head_is_not_traded(path: Path, tmp_path: Path) -> None:
    copy = copied(tmp_path, tmp_path / "copy", ("journal.sqlite",))
    with pytest.raises(OperatingError, match=r"journal\.sqlite-head is not beside it .* restore a backup"):
        live(copy)
    with SqliteJournal(copy) as looked_at:
        assert len(list(looked_at.read())) == 20


def test_an_older_copy_in_its_place_is_noticed(path: Path, tmp_path: Path) -> None:
    older = path.read_bytes()
    written(path, 20, 30)
    path.write_bytes(older)
    with pytest.raises(OperatingError, match="events 21 to 30 were confirmed and are missing"):
        live(path)


def test_a_journal_that_is_gone_is_not_begun_anew(path: Path) -> None:
    path.unlink()
    with pytest.raises(OperatingError, match=r"is gone, though journal\.sqlite-head is there"):
        live(path)


def test_the_head_of_another_journal_is_noticed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "journal.sqlite"
    with live(other) as journal:
        for event in WEEK[1:11]:
            journal.append(event)
    head_path(path).write_bytes(head_path(other).read_bytes())
    with pytest.raises(OperatingError, match="is not the journal that its head belongs to"):
        live(path)


def test_a_torn_head_promises_one_event_less(path: Path) -> None:
    # Event 20 is in the first slot, event 19 in the second.
    head = bytearray(head_path(path).read_bytes())
    head[30] ^= 1
    head_path(path).write_bytes(head)
    witness = Witness(path)
    said = witness.confirmed()
    witness.close()
    assert said is not None
    assert said.sequence == 19
    with live(path) as journal:
        assert len(journal) == 20


def test_a_head_with_no_slot_left_is_no_head(path: Path) -> None:
    head_path(path).write_bytes(bytes(SLOT + LENGTH))
    with pytest.raises(OperatingError, match="is not beside it or damaged"):
        live(path)


def test_slots_are_written_in_turn(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    witness = Witness(tmp_path / "j")
    assert witness.confirmed() is None
    for sequence in range(5):
        witness.confirm(Head(sequence, GENESIS))
        assert witness.confirmed() == Head(sequence, GENESIS)
    witness.close()
    assert (tmp_path / "j-head").stat().st_size == SLOT + LENGTH


@pytest.mark.parametrize("content", [None, b""])
def test_a_creation_that_was_interrupted_is_begun_again(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "journal.sqlite"
    if content is not None:
        path.write_bytes(content)
    assert len(list(written(path, 0, 3).parent.iterdir())) == 2


def test_a_live_journal_is_not_used_for_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    live(path, LIVE).close()
    with live(path, LIVE) as journal:
        assert journal.origin() == LIVE
    for other in (Origin("sandbox", "ab12cd34"), Origin("live", "00000000")):
        with pytest.raises(OperatingError, match=f"belongs to live ab12cd34, not to {other}"):
            live(path, other)


def test_a_damaged_page_is_refused_before_anything_is_read(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 + 8 : 4096 + 40] = bytes(32)  # the cell pointers of the second page
    path.write_bytes(data)
    with pytest.raises(OperatingError, match=r"damaged|malformed") as failure:
        live(path)
    assert "restore a backup" in str(failure.value)


# ---------------------------------------------------------------------- short runs of the long ones


@pytest.mark.parametrize("kind", KINDS)
def test_no_acknowledged_event_is_lost_when_the_disk_fails(kind: str, tmp_path: Path) -> None:
    # The third session of the week, every thirteenth operation on the disk.
    bench = vfs.Bench(tmp_path)
    runs = 0
    for at in range(0, 10_000, 13):
        fired, wrong = bench.run(vfs.Case(2, kind, at, 1))
        assert wrong == ""
        if not fired:
            break
        runs += 1
    assert runs > 15


def test_damaged_files_are_refused_in_words_or_harmless(tmp_path: Path) -> None:
    bench = corrupt.Bench(tmp_path)
    outcomes = []
    for number in range(120):
        what, image = bench.damaged(number)
        outcome, said = bench.outcome(image)
        assert outcome != "WRONG", f"{number} {what}: {said}"
        outcomes.append(outcome)
    assert outcomes.count("refused") > 60


def test_an_upgrade_a_backup_and_a_restore_survive_a_kill(tmp_path: Path) -> None:
    kills, wrong = upgrade.run(tmp_path, every=31)
    assert wrong == []
    assert set(kills) == set(upgrade.ACTS)
