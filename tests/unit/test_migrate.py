"""Journals of older formats: they come out with the same book, or they stay what they were."""

import sqlite3
from pathlib import Path

import apsw
import pytest
from tests.oldjournals import WEEK_HEAD, week_texts, write_format

from tomking.adapters.codec import decode, encode
from tomking.adapters.copies import verified
from tomking.adapters.journal import BACKTEST, SCHEMA, Origin, SqliteJournal
from tomking.adapters.migrate import STEPS, format_of, migrate
from tomking.domain.book import Book, fold
from tomking.domain.errors import OperatingError

LIVE = Origin("live", "ab12cd34")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_format(1, tmp_path / "journal.sqlite")


@pytest.fixture(scope="module")
def book() -> Book:
    return fold(decode(text) for text in week_texts())


@pytest.mark.parametrize("number", [1, 2])
def test_every_format_that_ever_was_is_read_and_gives_the_same_book(
    number: int, tmp_path: Path, book: Book
) -> None:
    found = verified(write_format(number, tmp_path / "journal.sqlite"))
    assert (found.schema, found.head, found.book) == (number, (168, WEEK_HEAD), book)


def test_the_golden_file_of_the_present_format_is_what_the_program_writes(tmp_path: Path) -> None:
    golden = write_format(SCHEMA, tmp_path / "golden.sqlite")
    with SqliteJournal(tmp_path / "written.sqlite", power_safe=False) as journal:
        for text in week_texts():
            journal.append(decode(text))
        journal.commit()
    dumps = []
    for path in (golden, tmp_path / "written.sqlite"):
        db = sqlite3.connect(path)
        statements = db.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
        schema = [" ".join(s.split()).replace("( ", "(").replace(" )", ")") for (s,) in statements]
        rows = db.execute("SELECT * FROM event").fetchall()
        dumps.append((schema, rows, db.execute("SELECT * FROM origin").fetchall()))
        db.close()
    assert dumps[0] == dumps[1]


def test_the_week_is_written_as_the_program_writes_it_today() -> None:
    assert [encode(decode(text)) for text in week_texts()] == week_texts()


def test_an_old_journal_is_migrated_and_its_backup_stays(old: Path, book: Book) -> None:
    before = old.read_bytes()
    done = migrate(old, LIVE)
    assert done is not None
    assert (done.before, done.after, done.events) == (1, 2, 168)
    after = verified(old)
    assert (after.schema, after.head, after.book, after.origin) == (2, (168, WEEK_HEAD), book, LIVE)
    assert verified(done.backup).schema == 1
    assert sorted(p.name for p in old.parent.iterdir()) == ["journal.format-1.sqlite", "journal.sqlite"]
    assert len(before) == done.backup.stat().st_size


def test_a_journal_of_the_present_format_is_left_alone(tmp_path: Path) -> None:
    path = write_format(2, tmp_path / "journal.sqlite")
    before = path.read_bytes()
    assert migrate(path) is None
    assert path.read_bytes() == before


def test_a_migrated_journal_goes_on(old: Path) -> None:
    migrate(old)
    with SqliteJournal(old, origin=BACKTEST) as journal:
        journal.append(decode(week_texts()[0]))
        journal.commit()
        assert len(list(journal.read())) == 169


def test_an_old_journal_is_read_but_not_written(old: Path) -> None:
    with SqliteJournal(old) as journal:
        assert len(list(journal.read())) == 168
        with pytest.raises(OperatingError, match="format 1 is only read; tomking backup upgrade"):
            journal.append(decode(week_texts()[0]))
    with pytest.raises(OperatingError, match="tomking backup upgrade"):
        SqliteJournal(old, each_durable=True)


def test_a_newer_format_is_refused_and_there_is_no_way_back(old: Path) -> None:
    db = sqlite3.connect(old)
    db.execute("PRAGMA user_version=9")
    db.close()
    before = old.read_bytes()
    with pytest.raises(OperatingError, match="format 9, this program reads 2; use the newer program"):
        migrate(old)
    assert old.read_bytes() == before


def test_a_step_that_changes_the_past_changes_nothing(old: Path) -> None:
    def forgetful(db: apsw.Connection, origin: Origin) -> None:
        STEPS[1](db, origin)
        db.execute("DELETE FROM event WHERE sequence = 168")

    before = old.read_bytes()
    with pytest.raises(OperatingError, match="came out different in format 2; it stays format 1"):
        migrate(old, steps={1: forgetful})
    assert old.read_bytes() == before
    assert format_of(old) == 1


def test_a_step_that_fails_changes_nothing(old: Path) -> None:
    def broken(db: apsw.Connection, origin: Origin) -> None:
        db.execute("DROP TABLE event")
        db.execute("INSERT INTO nowhere VALUES (1)")

    before = old.read_bytes()
    with pytest.raises(OperatingError, match="cannot be brought to format 2"):
        migrate(old, steps={1: broken})
    assert old.read_bytes() == before


def test_a_damaged_journal_is_not_migrated(old: Path) -> None:
    db = sqlite3.connect(old)
    db.execute("UPDATE event SET text = replace(text, '2021', '2020') WHERE sequence = 40")
    db.commit()
    db.close()
    with pytest.raises(OperatingError, match="chain of hashes breaks at event 40"):
        migrate(old)
    assert format_of(old) == 1


def test_what_a_kill_left_in_the_log_is_migrated_too(tmp_path: Path) -> None:
    path = write_format(1, tmp_path / "journal.sqlite", week_texts()[:100])
    whole = write_format(1, tmp_path / "whole.sqlite")
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    other = sqlite3.connect(whole)
    db.executemany(
        "INSERT INTO event VALUES (?,?,?,?,?)", other.execute("SELECT * FROM event WHERE sequence > 100")
    )
    db.commit()
    killed = tmp_path / "killed"
    killed.mkdir()
    for suffix in ("", "-wal"):
        (killed / f"journal.sqlite{suffix}").write_bytes((tmp_path / f"journal.sqlite{suffix}").read_bytes())
    db.close()
    other.close()
    done = migrate(killed / "journal.sqlite")
    assert done is not None
    assert verified(killed / "journal.sqlite").head == (168, WEEK_HEAD)


def test_a_journal_that_is_open_elsewhere_is_not_migrated(old: Path) -> None:
    with SqliteJournal(old), pytest.raises(OperatingError, match="open in another process; stop the engine"):
        migrate(old)
