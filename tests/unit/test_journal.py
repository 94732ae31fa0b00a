import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from tomking.adapters import journal as journals
from tomking.adapters.codec import encode
from tomking.adapters.journal import GENESIS, MemoryJournal, SqliteJournal, chained
from tomking.domain.errors import OperatingError
from tomking.domain.events import Noted

AT = datetime(2031, 3, 7, 15, tzinfo=UTC)


def note(number: int) -> Noted:
    return Noted(AT, "n", str(number))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def written(path: Path, count: int) -> Path:
    with SqliteJournal(path, power_safe=False) as journal:
        for number in range(count):
            journal.append(note(number))
        journal.commit()
    return path


def edit(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    db.execute(statement)
    db.commit()
    db.close()


def test_a_digest_is_sha256_of_the_one_before_and_the_text() -> None:
    text = encode(note(1))
    assert chained(GENESIS, text) == sha256(("0" * 64 + text).encode()).hexdigest()


def test_a_journal_goes_on_where_it_ended(path: Path) -> None:
    written(path, 2)
    with SqliteJournal(path) as journal:
        journal.append(note(2))
        journal.commit()
        assert list(journal.read()) == [note(0), note(1), note(2)]
        assert len(journal) == 3
        in_memory = MemoryJournal()
        for number in range(3):
            in_memory.append(note(number))
        assert journal.head() == in_memory.head()
        assert len(in_memory) == 3


def test_closing_drops_what_was_not_committed_and_leaves_one_file(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(note(0))
        journal.commit()
        journal.append(note(1))
    assert [p.name for p in path.parent.iterdir()] == ["journal.sqlite"]
    with SqliteJournal(path) as journal:
        assert list(journal.read()) == [note(0)]


def test_rows_hold_no_machine_clock_or_path(path: Path) -> None:
    written(path, 1)
    db = sqlite3.connect(path)
    rows = db.execute("SELECT * FROM event").fetchall()
    db.close()
    text = '{"at":"2031-03-07T15:00:00Z","event":"Noted","key":"n","value":"0","version":1}'
    assert rows == [(1, "Noted", "2031-03-07T15:00:00Z", text, chained(GENESIS, text))]


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name, 50).read_bytes() for name in ("one", "two"))
    assert one == two


def test_after_a_kill_the_committed_is_there_and_the_rest_is_not(path: Path) -> None:
    # The child commits 1,000 events, appends 5,000 more (far more than SQLite's cache keeps in
    # memory), says so, and is killed in the middle of its transaction.
    child = textwrap.dedent("""
        import sys, time
        from datetime import UTC, datetime
        from pathlib import Path
        from tomking.adapters.journal import SqliteJournal
        from tomking.domain.events import Noted
        journal = SqliteJournal(Path(sys.argv[1]))
        at = datetime(2031, 3, 7, 15, tzinfo=UTC)
        for number in range(1000):
            journal.append(Noted(at, "n", str(number)))
        journal.commit()
        for number in range(5000):
            journal.append(Noted(at, "lost", "x" * 1000))
        print(journal.head(), flush=True)
        time.sleep(60)
    """)
    environment = {**os.environ, "PYTHONPATH": str(Path(journals.__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", child, str(path)], stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        lost_head = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
        process.wait()
    with SqliteJournal(path) as journal:
        assert list(journal.read()) == [note(number) for number in range(1000)]
        assert journal.head() != lost_head
        journal.append(note(1000))
        journal.commit()
        assert len(list(journal.read())) == 1001


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE event SET text = replace(text, '\"7\"', '\"8\"') WHERE sequence = 8", "breaks at event 8"),
        ("UPDATE event SET digest = upper(digest) WHERE sequence = 8", "breaks at event 8"),
        ("UPDATE event SET name = 'CashMoved' WHERE sequence = 8", "event 8 is labelled CashMoved"),
        ("UPDATE event SET at = '2031-03-08' WHERE sequence = 8", "event 8 is labelled Noted at 2031-03-08"),
        ("DELETE FROM event WHERE sequence = 8", "event 8 is missing"),
        ("DELETE FROM event WHERE sequence < 8", "event 1 is missing"),
    ],
)
def test_reading_finds_what_was_changed(path: Path, statement: str, says: str) -> None:
    edit(written(path, 20), statement)
    with SqliteJournal(path) as journal, pytest.raises(OperatingError, match=says):
        list(journal.read())


def test_an_event_of_another_version_is_named_with_its_place(path: Path) -> None:
    text = '{"at":"2031-03-07T15:00:00Z","event":"Dreamt","version":1}'
    written(path, 0)
    edit(path, f"INSERT INTO event VALUES (1, 'Dreamt', '', '{text}', '{chained(GENESIS, text)}')")  # noqa: S608
    with (
        SqliteJournal(path) as journal,
        pytest.raises(OperatingError, match="event 1: unknown event 'Dreamt'"),
    ):
        list(journal.read())


def test_a_changed_row_in_memory_is_found_too() -> None:
    journal = MemoryJournal()
    journal.append(note(0))
    journal._rows[0] = (encode(note(1)), journal.head())
    with pytest.raises(OperatingError, match="journal in memory: the chain of hashes breaks at event 1"):
        list(journal.read())


def _text(path: Path) -> None:
    path.write_text("date,open,high\n" * 100)


def _empty(path: Path) -> None:
    path.touch()


def _folder(path: Path) -> None:
    path.mkdir()


def _foreign(path: Path) -> None:
    edit(path, "CREATE TABLE trades (id)")


def _cut(path: Path) -> None:
    data = written(path, 200).read_bytes()
    path.write_bytes(data[:5000])


def _newer(path: Path) -> None:
    edit(written(path, 1), "PRAGMA user_version=3")


def _without_table(path: Path) -> None:
    edit(written(path, 1), "DROP TABLE event")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_text, "cannot be opened as a journal (file is not a database)"),
        (_empty, "an empty file is not a journal"),
        (_folder, "cannot be opened"),
        (_foreign, "a database of another program"),
        (_cut, "cannot be opened as a journal (database disk image is malformed)"),
        (_newer, "journal format 3, this program reads 2"),
        (_without_table, "cannot be opened as a journal (no such table: event)"),
    ],
)
def test_what_is_not_a_journal_is_refused_and_left_as_it_was(path: Path, make: object, says: str) -> None:
    assert callable(make)
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(OperatingError) as failure:
        SqliteJournal(path)
    assert says in str(failure.value)
    assert str(path) in str(failure.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperatingError, match="cannot be opened"):
        SqliteJournal(tmp_path / "nowhere" / "journal.sqlite")


def test_a_second_writer_is_noticed_and_nothing_is_mixed(path: Path) -> None:
    written(path, 1)
    with SqliteJournal(path) as one, SqliteJournal(path) as two:
        two.append(note(1))
        two.commit()
        with pytest.raises(OperatingError, match="another process has written"):
            one.append(note(2))
        with pytest.raises(OperatingError, match="a write failed before"):
            one.append(note(2))
        assert list(two.read()) == [note(0), note(1)]


def test_the_head_stays_where_the_last_written_event_is_when_a_write_fails(path: Path) -> None:
    with SqliteJournal(path) as journal:
        journal.append(note(0))
        journal.commit()
        head = journal.head()
        journal._db.execute("PRAGMA query_only=1")
        with pytest.raises(OperatingError, match="cannot be written"):
            journal.append(note(1))
        assert journal.head() == head
