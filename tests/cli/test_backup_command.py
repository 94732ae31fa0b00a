"""``tomking backup`` as a user types it: files, exit codes, words."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.oldjournals import WEEK_HEAD, week_texts, write_format

import tomking
from tomking.adapters.copies import verified
from tomking.app.cli.shell import run

SECRET = "correct horse battery"


@dataclass
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def tomking_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command in this process: ``tomking_(home, "create", TOMKING_BACKUP_PASSPHRASE=...)``."""

    def call(home: Path, *words: str, **environment: str) -> Done:
        with monkeypatch.context() as patch:
            patch.setattr("keyring.get_password", lambda *_: None)
            patch.setattr("signal.signal", lambda *_: None)
            for name, value in {"TOMKING_HOME": str(home), **environment}.items():
                patch.setenv(name, value)
            code = run(["backup", *words])
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return call


def as_a_user(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, with nobody's keyring."""
    environment = {
        **os.environ,
        "TOMKING_HOME": str(home),
        "TOMKING_BACKUP_PASSPHRASE": SECRET,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPATH": str(Path(tomking.__file__).parents[1]),
    }
    return subprocess.run(
        [sys.executable, "-m", "tomking", "backup", *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    write_format(2, tmp_path / "state" / "journal.sqlite")
    return tmp_path


@pytest.mark.slow
def test_a_backup_is_made_and_restored_after_the_journal_was_lost(home: Path) -> None:
    # The passphrase costs a second each time: made and read back, then restored.
    made = as_a_user(home, "create")
    assert made.returncode == 0, made.stderr
    backup = home / "state" / "backups" / f"journal-000000168-{WEEK_HEAD[:8]}.age"
    assert made.stdout.splitlines()[0] == str(backup)
    assert "168 events to 019352cf" in made.stdout
    assert "encrypted, read back and checked" in made.stdout
    (home / "state" / "journal.sqlite").unlink()
    restored = as_a_user(home, "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert "Trading is HALTED, and nothing opens until the book has been compared" in restored.stdout
    assert verified(home / "state" / "journal.sqlite").head == (168, WEEK_HEAD)
    assert json.loads((home / "state" / "latch.json").read_text())["state"] == "HALTED"
    assert (home / "state" / "journal.sqlite-restored").exists()


@pytest.mark.slow
def test_the_account_traded_last_is_backed_up_and_its_backup_goes_back_there(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for n, folder in enumerate(("paper/sandbox-5WT00001", "live/sandbox-5WT00001")):
        (state / folder).mkdir(parents=True)
        write_format(2, state / folder / "journal.sqlite")
        # SQLite writes beside the file for hours: that of live is the older file and the newer journal.
        os.utime(state / folder / "journal.sqlite", (2000 - n, 2000 - n))
    (state / "live/sandbox-5WT00001/journal.sqlite-head").touch()
    made = as_a_user(tmp_path, "create")
    assert made.returncode == 0, made.stderr
    backup = Path(made.stdout.splitlines()[0])
    assert backup.parent == state / "live/sandbox-5WT00001/backups"
    (state / "live/sandbox-5WT00001/journal.sqlite").unlink()
    restored = as_a_user(tmp_path, "restore", str(backup))
    assert restored.returncode == 0, restored.stderr
    assert (state / "live/sandbox-5WT00001/journal.sqlite-restored").exists()
    assert json.loads((state / "latch.json").read_text())["state"] == "HALTED"
    assert not (state / "live/sandbox-5WT00001/latch.json").exists(), "real orders heed the one latch alone"


def test_on_a_new_machine_it_must_be_said_where_a_backup_belongs(tomking_: Command, tmp_path: Path) -> None:
    done = tomking_(tmp_path, "restore", str(tmp_path / "x.age"), TOMKING_BACKUP_PASSPHRASE=SECRET)
    assert done.returncode == 6
    assert "say where the journal belongs, --journal" in done.stderr


def test_without_a_passphrase_nothing_is_written_and_it_says_so(tomking_: Command, home: Path) -> None:
    done = tomking_(home, "create")
    assert done.returncode == 4
    assert "keyring set tomking backup-passphrase" in done.stderr
    assert "TOMKING_BACKUP_PASSPHRASE_FILE" in done.stderr
    assert done.stdout == ""
    assert sorted(p.name for p in (home / "state").iterdir()) == ["journal.sqlite"]


def test_a_passphrase_that_others_can_read_is_a_missing_secret(tomking_: Command, home: Path) -> None:
    secret = home / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    done = tomking_(home, "create", "--passphrase-file", str(secret))
    assert done.returncode == 4
    assert "chmod 600 secret" in done.stderr


def test_a_file_that_is_no_backup_is_bad_data(tomking_: Command, home: Path) -> None:
    letter = home / "letter.age"
    letter.write_text("dear broker")
    for command in ("verify", "restore"):
        done = tomking_(home, command, str(letter), TOMKING_BACKUP_PASSPHRASE=SECRET)
        assert done.returncode == 6
        assert "letter.age: cannot be decrypted" in done.stderr
    missing = tomking_(home, "verify", str(home / "nowhere.age"), TOMKING_BACKUP_PASSPHRASE=SECRET)
    assert missing.returncode == 6
    assert "nowhere.age: cannot be read (No such file or directory); name a backup" in missing.stderr


def test_a_journal_that_is_not_there_is_named(tomking_: Command, tmp_path: Path) -> None:
    done = tomking_(tmp_path, "create", TOMKING_BACKUP_PASSPHRASE=SECRET)
    assert done.returncode == 6
    assert "journal.sqlite: there is no such file; name a journal with --journal PATH" in done.stderr


def test_an_old_journal_is_upgraded_once(tomking_: Command, tmp_path: Path) -> None:
    path = write_format(1, tmp_path / "journal.sqlite", week_texts()[:30])
    done = tomking_(tmp_path, "upgrade", "--journal", str(path), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["upgraded"], told["before"], told["after"]) == (True, 1, 2)
    assert Path(told["backup"]).name == "journal.format-1.sqlite"
    again = tomking_(tmp_path, "upgrade", "--journal", str(path))
    assert again.stdout.strip() == f"{path}: is of the present format already"


def test_help_shows_examples_first(tomking_: Command) -> None:
    done = tomking_(Path(), "-h")
    assert done.returncode == 0
    assert "tomking backup create" in done.stdout
    assert "never from the command line" in " ".join(done.stdout.split())
