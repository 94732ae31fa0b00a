"""What paper refuses before any socket is opened: in these tests opening one is an error of its own."""

import json
import socket
from pathlib import Path

import pytest

from tomking.adapters.lease import take
from tomking.app.cli.shell import run
from tomking.app.exits import Exit
from tomking.app.live.asked import asked
from tomking.app.live.folder import Folder


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--fills", "simulated"], Exit.USAGE, "sandbox fills orders itself"),
        (["--fills", "simulatd"], Exit.USAGE, 'did you mean "simulated"?'),
        (["--venue", "cert", "--fills", "simulated"], Exit.USAGE, "cert fills orders itself"),
        (["--venue", "production", "--fills", "simulated"], Exit.SECRET, "no client-secret for live"),
        (["--venue", "api.tastyworks.com", "--fills", "simulated"], Exit.USAGE, "fills orders itself"),
    ],
)
def test_what_fills_is_said_before_any_socket(
    options: list[str],
    code: Exit,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("keyring.get_password", lambda _service, _name: None)
    assert run(["paper", *options]) == code
    assert words in capsys.readouterr().err


SANDBOX = ("sandbox", 8700, None, None, None)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    for name in ("TT_SECRET", "TT_REFRESH", "TOMKING_SANDBOX_SECRET", "TOMKING_SANDBOX_REFRESH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("host", ["live", "production", "api.tastyworks.com", "https://api.tastytrade.com/"])
def test_paper_never_talks_to_production(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "--venue", host]) == Exit.CONFIG
    said = capsys.readouterr().err
    assert "never talks to the production system" in said
    assert "--venue sandbox" in said


def test_the_brokers_test_system_needs_its_own_account_and_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keyring.get_password", lambda _service, _name: None)
    monkeypatch.setenv("TT_SECRET", "of-production")
    monkeypatch.setenv("TT_REFRESH", "of-production-too")
    assert run(["paper", "--venue", "cert", "--speed", "60"]) == Exit.USAGE
    said = capsys.readouterr().err
    assert "--account: name the account of cert" in said
    assert "tomking secrets set client-secret --environment cert" in said
    assert "TT_CERT_REFRESH" in said
    assert "--speed: only a sandbox's market can be hurried" in said


def test_a_venue_that_nobody_knows_gets_its_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "--venue", "sandbx"]) == Exit.USAGE
    assert 'did you mean "sandbox"?' in capsys.readouterr().err


def test_all_that_is_wrong_with_the_numbers_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "--port", "0", "--speed", "fast", "--sessions", "0"]) == Exit.USAGE
    said = capsys.readouterr().err
    assert all(option in said for option in ("--port 0", "--speed fast", "--sessions 0"))


def test_half_of_the_secrets_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOMKING_SANDBOX_SECRET", "words-of-my-own")
    assert run(["paper"]) == Exit.SECRET
    said = capsys.readouterr().err
    assert "TOMKING_SANDBOX_REFRESH is not set" in said
    assert "words-of-my-own" not in said


def test_secrets_with_spaces_are_named_and_not_shown() -> None:
    environment = {"TOMKING_SANDBOX_SECRET": "a word", "TOMKING_SANDBOX_REFRESH": "other"}
    wanted, problems = asked(*SANDBOX, environment)
    assert wanted is None
    assert [one.code for one in problems] == [Exit.SECRET]
    assert "a word" not in problems[0].line


def test_the_brokers_own_secrets_are_never_sent_to_a_sandbox() -> None:
    environment = {"TT_SECRET": "real", "TOMKING_SANDBOX_SECRET": "real", "TOMKING_SANDBOX_REFRESH": "other"}
    _, problems = asked(*SANDBOX, environment)
    assert [one.code for one in problems] == [Exit.SECRET]
    assert "unset" in problems[0].line


def test_without_words_of_its_own_the_sandboxs_are_used() -> None:
    wanted, problems = asked(*SANDBOX, {})
    assert not problems
    assert wanted is not None
    assert repr(wanted.secrets) == "Secrets(...)"


def test_what_is_for_backtests_only_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paper", "--set", "friday_0dte.vix_gate=off"]) == Exit.CONFIG
    assert "a research switch, for backtests only: paper refuses it" in capsys.readouterr().err


def test_a_second_engine_on_the_account_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with take(home / "state" / "paper", account="5WT00001", environment="sandbox"):
        assert run(["paper"]) == Exit.UNAVAILABLE
    assert "another process trades this account" in capsys.readouterr().err


def test_a_folder_of_another_environment_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with take(home / "state" / "paper", account="5WT00001", environment="live"):
        pass
    assert run(["paper"]) == Exit.CONFIG
    assert "is traded as live here, not as sandbox" in capsys.readouterr().err


def test_a_damaged_journal_is_refused_before_anything_is_asked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(home / "state" / "paper" / "sandbox-5WT00001")
    folder.path.mkdir(parents=True)
    folder.journal.write_bytes(b"not a journal" * 400)
    assert run(["paper"]) == Exit.DATA
    assert "journal.sqlite" in capsys.readouterr().err


def test_what_was_never_traded_has_no_status(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("status", "positions", "orders", "why", "today"):
        assert run([command]) == Exit.DATA
        assert "tomking paper" in capsys.readouterr().err


def test_a_fresh_start_keeps_the_old_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "sandbox-X")
    assert folder.set_aside() is None
    for name in ("sandbox-X.1", "sandbox-X.2"):
        folder.path.mkdir()
        folder.log.write_text(json.dumps({}))
        aside = folder.set_aside()
        assert aside is not None
        assert aside.name == name
        assert (aside / folder.log.name).exists()


@pytest.mark.enable_socket
def test_a_fresh_start_that_finds_no_venue_leaves_the_journal_where_it_was(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Folder(home / "state" / "paper" / "sandbox-5WT00001")
    folder.path.mkdir(parents=True)
    folder.log.write_text("what was traded")
    assert run(["paper", "--fresh", "--port", str(port)]) == Exit.UNAVAILABLE
    assert "no sandbox answers" in capsys.readouterr().err
    assert folder.log.read_text() == "what was traded"
    assert [one.name for one in folder.lease.iterdir() if one.is_dir()] == ["sandbox-5WT00001"]
