"""Secrets: where they come from, where they never go, and what hides them when they try."""

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring.errors
import pytest
import typer.testing
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters import redaction
from tomking.adapters.redaction import HIDDEN, learn, redacted
from tomking.adapters.secrets import (
    Name,
    NoSecret,
    broker_secrets,
    found_secrets,
    remove_secret,
    store_secret,
)
from tomking.adapters.tastytrade.session import Environment, Secrets
from tomking.app.cli.secrets import secrets_app
from tomking.app.exits import Exit
from tomking.app.problems import Problems
from tomking.app.secrets import secrets_of

LIVE, CERT = Environment.LIVE, Environment.CERT


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test's secrets were is nothing to the next test."""
    known = list(redaction._KNOWN)
    yield
    redaction._KNOWN.clear()
    redaction._KNOWN.extend(known)


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A keyring of the test's own."""
    kept: dict[tuple[str, str], str] = {}

    def delete(service: str, user: str) -> None:
        if kept.pop((service, user), None) is None:
            raise keyring.errors.PasswordDeleteError

    monkeypatch.setattr("keyring.get_password", lambda service, user: kept.get((service, user)))
    monkeypatch.setattr("keyring.set_password", lambda s, u, value: kept.update({(s, u): value}))
    monkeypatch.setattr("keyring.delete_password", delete)
    for name in ("TT_SECRET", "TT_REFRESH", "TT_SECRET_FILE", "TT_REFRESH_FILE"):
        monkeypatch.delenv(name, raising=False)
    return kept


def a_file(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


# ---------------------------------------------------------------------------------- where from


def test_the_keyring_comes_first_then_a_file_then_the_environment(tmp_path: Path) -> None:
    given = {"TT_SECRET": "from-variable", "TT_REFRESH": "refresh-variable"}
    assert broker_secrets(LIVE, given).client_secret == "from-variable"
    given["TT_SECRET_FILE"] = a_file(tmp_path, "from-file\n")
    assert broker_secrets(LIVE, given).client_secret == "from-file"
    store_secret(LIVE, Name.CLIENT_SECRET, "from-keyring")
    assert broker_secrets(LIVE, given).client_secret == "from-keyring"
    assert [one.where for one in found_secrets(LIVE, given)] == ["keyring", "TT_REFRESH"]


def test_each_environment_has_its_own() -> None:
    store_secret(CERT, Name.CLIENT_SECRET, "cert-secret")
    store_secret(CERT, Name.REFRESH_TOKEN, "cert-refresh")
    assert broker_secrets(CERT, {}).refresh_token == "cert-refresh"
    with pytest.raises(NoSecret):
        broker_secrets(LIVE, {"TT_CERT_SECRET": "x", "TT_CERT_REFRESH": "x"})


def test_everything_that_is_missing_is_told_at_once_with_the_fix() -> None:
    with pytest.raises(NoSecret) as missing:
        broker_secrets(LIVE, {})
    assert [one.split(":")[0] for one in missing.value.problems] == [
        "no client-secret for live",
        "no refresh-token for live",
    ]
    assert all("tomking secrets set" in one and "_FILE" in one for one in missing.value.problems)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    given = {"TT_SECRET_FILE": a_file(tmp_path, "canary", mode), "TT_REFRESH": "x"}
    with pytest.raises(NoSecret, match="chmod 600") as refused:
        broker_secrets(LIVE, given)
    assert "canary" not in str(refused.value)


def test_a_folder_and_an_absent_file_are_refused(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none"):
        with pytest.raises(NoSecret, match=file.name):
            broker_secrets(LIVE, {"TT_SECRET_FILE": str(file), "TT_REFRESH": "x"})


@pytest.mark.parametrize("value", ["", "two words", "line\nbreak", "ünicode", "\x1b[31m"])
def test_what_cannot_be_a_secret_is_refused_before_it_is_kept(
    value: str, ring: dict[tuple[str, str], str]
) -> None:
    with pytest.raises(NoSecret):
        store_secret(LIVE, Name.CLIENT_SECRET, value)
    assert ring == {}


def test_a_machine_without_a_keyring_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: str) -> str:
        raise keyring.errors.NoKeyringError("canary")

    for name in ("get", "set", "delete"):
        monkeypatch.setattr(f"keyring.{name}_password", none)
    with pytest.raises(NoSecret, match="TT_REFRESH_FILE"):
        store_secret(LIVE, Name.REFRESH_TOKEN, "a-token")
    with pytest.raises(NoSecret, match="no keyring"):
        remove_secret(LIVE, Name.REFRESH_TOKEN)
    assert broker_secrets(LIVE, {"TT_SECRET": "a-secret", "TT_REFRESH": "a-token"}).refresh_token == "a-token"


def test_a_keyring_that_keeps_nothing_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyring.set_password", lambda *_: None)
    with pytest.raises(NoSecret, match="keeps nothing"):
        store_secret(LIVE, Name.REFRESH_TOKEN, "a-token")


def test_a_missing_secret_ends_a_command_with_its_own_code() -> None:
    with pytest.raises(Problems) as ended:
        secrets_of(LIVE)
    assert ended.value.code is Exit.SECRET


def test_no_text_form_of_secrets_shows_them() -> None:
    one = Secrets("canary-secret", "canary-refresh")
    assert "canary" not in f"{one} {one!r} {[one]} {Problems}"


# ---------------------------------------------------------------------------------- the command


def run(*words: str, stdin: str | None = None) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(secrets_app, list(words), input=stdin)


def test_a_secret_is_kept_listed_and_taken_out(ring: dict[tuple[str, str], str]) -> None:
    done = run("set", "refresh-token", "--stdin", stdin="canary-refresh\n")
    assert (done.exit_code, done.stdout) == (0, "refresh-token for live: kept in the keyring\n")
    assert list(ring.values()) == ["canary-refresh"]
    shown = run("list").stdout
    assert shown == "client-secret  nowhere\nrefresh-token  keyring\n"
    assert "taken out" in run("rm", "refresh-token").stdout
    assert "was not there" in run("rm", "refresh-token").stdout
    assert ring == {}


def test_without_a_terminal_nothing_is_asked_and_the_flag_is_named() -> None:
    ended = run("set", "client-secret", stdin="canary-secret\n").exception
    assert isinstance(ended, Problems)
    assert ended.code is Exit.USAGE
    assert "--stdin" in ended.lines[0]


def test_a_secret_given_as_an_argument_is_refused_and_not_repeated() -> None:
    ended = run("set", "canary-secret").exception
    assert isinstance(ended, Problems)
    assert ended.code is Exit.USAGE
    assert "canary" not in str(ended)


def test_the_sandbox_needs_none() -> None:
    ended = run("list", "--environment", "sandbox").exception
    assert isinstance(ended, Problems)
    assert "needs no secrets" in ended.lines[0]


# ---------------------------------------------------------------------------------- redaction


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Everything that is logged at DEBUG, as it would be written, with redaction installed."""
    factory, hook, thread_hook = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    redaction.install()
    yield text.getvalue
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook = hook, thread_hook


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("GET /accounts/5WT00001/orders", "GET /accounts/***0001/orders"),
        ("account 5WX12345 is closed", "account ***2345 is closed"),
        ("Authorization: Bearer abc.def-ghi", f"Authorization: Bearer {HIDDEN}"),
        ('{"refresh_token": "abcdef123"}', f'{{"refresh_token": "{HIDDEN}"}}'),
        ("client_secret=abcdef123&x=1", f"client_secret={HIDDEN}&x=1"),
        ("'auth-token': 'Bearer abcdef123'", f"'auth-token': 'Bearer {HIDDEN}'"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", HIDDEN),
        ("SPXW  240607P05320000 at 5.35", "SPXW  240607P05320000 at 5.35"),
    ],
)
def test_what_looks_like_a_token_or_an_account_is_hidden(said: str, shown: str) -> None:
    assert redacted(said) == shown


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40), st.text())
def test_what_was_learnt_never_comes_through(secret: str, around: str) -> None:
    learn(secret)
    assert secret not in redacted(f"{around}{secret}{around}").replace(HIDDEN, "") or secret in HIDDEN


def test_records_of_every_library_are_redacted_with_their_arguments_and_exceptions(
    log: Callable[[], str],
) -> None:
    learn("canary-token")
    other = logging.getLogger("somebody.else")
    other.debug("sending %s to %s", {"auth-token": "canary-token"}, "/accounts/5WT00001")
    try:
        int("canary-token")
    except ValueError:
        other.exception("failed")
    other.debug("%d items", "five")
    assert "canary" not in log()
    assert "5WT00001" not in log()
    assert "ValueError" in log()
    assert "***0001" in log()


def test_a_message_cannot_begin_a_line_of_its_own(log: Callable[[], str]) -> None:
    logging.getLogger("x").warning("first\nERROR forged \x1b[31mred")
    assert log() == "first\\nERROR forged \\x1b[31mred\n"


def test_exceptions_nobody_caught_are_redacted(
    log: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    learn("canary-token")
    error = RuntimeError("canary-token")
    sys.excepthook(RuntimeError, error, None)
    threading.excepthook(threading.ExceptHookArgs((RuntimeError, error, None, None)))
    said = capsys.readouterr().err
    assert said.count(f"RuntimeError: {HIDDEN}") == 2
    assert "canary" not in said


def test_what_a_command_says_on_stderr_is_redacted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tomking.app.cli import shell

    learn("canary-token")

    class Broken:
        def main(self, *_: object, **__: object) -> None:
            raise RuntimeError("canary-token at /accounts/5WT00001")

    monkeypatch.setattr("typer.main.get_command", lambda _: Broken())
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert shell.run([]) == Exit.BUG
    said = capsys.readouterr().err
    assert "canary" not in said
    assert "***0001" in said
