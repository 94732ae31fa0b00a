"""Two accounts in two processes leave the same bytes as in one, and one tells what ended the other."""

from pathlib import Path

import pytest
from tests.scenarios.accounts import request

from tomking.app import beside
from tomking.app.backtest import run
from tomking.app.beside import Beside, SecondAccountError, Tell
from tomking.app.exits import Exit
from tomking.app.problems import Problems, problem
from tomking.domain.errors import BadData, OperatingError

pytestmark = pytest.mark.slow

SPAN = ("2024-01-02", "2024-02-15")
OFTEN = ("friday_0dte.vix_gate=off",)


def test_two_processes_leave_the_bytes_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    said: list[tuple[int, int, str]] = []
    for folder, least in zip(folders, (10**6, 0), strict=True):
        folder.mkdir()
        monkeypatch.setattr(beside, "LEAST_DAYS", least)
        monkeypatch.setattr(beside, "cores", lambda: 2)
        said.clear()
        run(request(*SPAN, *OFTEN, report=folder / "report.html"), lambda *one: said.append(one))
    # A market of its own also says what only the other account asked for: the notes are the same, too.
    for name in ("trades.csv", "run.json", "report.html"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    assert said[-1] == (32, 32, "2024-02-15")
    assert [done for done, _, _ in said] == sorted(done for done, _, _ in said)


def test_one_processor_plays_its_accounts_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "cores", lambda: 1)
    assert not beside.worthwhile(12_000)
    monkeypatch.setattr(beside, "cores", lambda: 2)
    assert beside.worthwhile(12_000)
    assert not beside.worthwhile(365)  # its start would cost more than it saves


# ----------------------------------------------------------------------- what the other process does


def counted(tell: Tell, days: int) -> int:
    for done in range(days):
        tell(done + 1, f"day {done + 1}")
    return days


def failed(tell: Tell, kind: str) -> None:
    tell(1, "day 1")
    raise {
        "problems": problem(Exit.CONFIG, "a line for the user"),
        "data": BadData(["one", "two"]),
        "operating": OperatingError("no disk"),
        "bug": ZeroDivisionError("somewhere"),
    }[kind]


def killed(tell: Tell) -> None:
    raise SystemExit(3)


def test_what_the_other_process_found_comes_with_its_progress() -> None:
    seen: list[tuple[int, str]] = []
    with Beside(counted, 3) as other:
        assert other.result(lambda done, day: seen.append((done, day))) == 3
        assert other.at() == (3, "day 3")
    assert seen[:3] == [(1, "day 1"), (2, "day 2"), (3, "day 3")]


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        ("problems", Problems, "a line for the user"),
        ("data", BadData, "one; two"),
        ("operating", OperatingError, "no disk"),
        ("bug", SecondAccountError, "ZeroDivisionError: somewhere"),
    ],
)
def test_its_errors_are_raised_as_if_they_had_happened_here(
    kind: str, error: type[Exception], words: str
) -> None:
    with Beside(failed, kind) as other, pytest.raises(error, match=words) as raised:
        other.result(lambda *_: None)
    if isinstance(raised.value, Problems):
        assert raised.value.code is Exit.CONFIG


def test_a_process_that_ends_without_a_word_is_said_so() -> None:
    with Beside(killed) as other, pytest.raises(OperatingError, match="ended with code 3"):
        other.result(lambda *_: None)


def test_leaving_early_ends_the_other_process() -> None:
    with Beside(counted, 10**9) as other:
        process = other._process
    assert not process.is_alive()
