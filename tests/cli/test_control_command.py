"""``tomking halt``, ``reduce``, ``resume``, ``flatten`` as a person types them."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rel.kill import Venue, engine
from tests.worlds import instant

from tomking.adapters import clock
from tomking.adapters.latch import LatchFile
from tomking.app import control
from tomking.app.cli import control as printed
from tomking.app.cli.shell import run
from tomking.app.exits import Exit
from tomking.app.live import flat
from tomking.app.problems import Problems
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract
from tomking.domain.trading import Trading
from tomking.execution.flattening import Said

NOW = instant("2031-03-07T20:20:00")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LatchFile:
    """A home of its own, no terminal, and a user called anna."""
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    monkeypatch.setattr("getpass.getuser", lambda: "anna")
    monkeypatch.setattr(printed, "wall_now", lambda: NOW)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return LatchFile(tmp_path / "state")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_halt_asks_nothing_and_prints_what_it_did_and_how_to_undo_it(
    home: LatchFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["halt", "--reason", "quotes look wrong"]) == 0
    first, was, effect, undo = capsys.readouterr().out.splitlines()
    assert first == "HALTED since 2031-03-07 15:20:00 New York by anna: tomking halt (quotes look wrong)"
    assert was.startswith("was HALTED (")
    assert "nobody has armed trading here" in was
    assert effect == "No order that opens anything leaves any more. Exits and cancels still do."
    assert undo == "Undo: tomking resume    Close everything: tomking flatten"
    assert home.read().state is Trading.HALTED


def test_the_receipt_for_machines_has_before_and_after(
    home: LatchFile, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["resume", "--yes-resume-trading", "--reason", "new"])
    capsys.readouterr()
    assert run(["halt", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["by"], told["since"]) == (
        "HALTED", "anna: tomking halt", "2031-03-07T20:20:00+00:00",
    )  # fmt: skip
    assert told["was"] == {
        "state": "ACTIVE", "since": "2031-03-07T20:20:00+00:00", "by": "anna: tomking resume", "why": "new",
    }  # fmt: skip
    assert told["file"] == str(home.path)


def test_reduce_is_closing_only_and_does_not_loosen_a_halt(
    home: LatchFile, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["resume", "--yes-resume-trading"])
    capsys.readouterr()
    assert run(["reduce"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "REDUCING since 2031-03-07 15:20:00 New York by anna: tomking reduce"
    )
    run(["halt"])
    capsys.readouterr()
    assert run(["reduce"]) == Exit.HALTED
    assert "trading stays HALTED" in capsys.readouterr().err
    assert home.read().state is Trading.HALTED


def test_without_a_terminal_resume_asks_nobody_and_needs_the_flag(
    home: LatchFile, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["halt"])
    capsys.readouterr()
    assert run(["resume"]) == Exit.APPROVAL
    said = capsys.readouterr()
    assert said.out == ""
    assert "confirm with --yes-resume-trading" in said.err
    assert "Trading is HALTED since 2031-03-07 15:20:00 New York by anna" in said.err
    assert home.read().state is Trading.HALTED
    assert run(["resume", "--yes-resume-trading"]) == 0
    assert home.read().opens


@pytest.mark.parametrize("typed", ["resume", "yes", "", "RESUM"])
def test_resume_wants_the_word_itself(
    home: LatchFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    run(["halt"])
    typing(monkeypatch, f"{typed}\n")
    assert run(["resume"]) == Exit.APPROVAL
    assert f"nothing was changed: {typed!r} is not RESUME" in capsys.readouterr().err
    assert home.read().state is Trading.HALTED


def test_resume_by_the_typed_word_lets_orders_open_again(
    home: LatchFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["halt"])
    capsys.readouterr()
    typing(monkeypatch, "RESUME\n")
    assert run(["resume"]) == 0
    said = capsys.readouterr()
    assert "Type RESUME to let orders open again: " in said.err
    assert said.out.splitlines()[0] == "ACTIVE since 2031-03-07 15:20:00 New York by anna: tomking resume"
    assert home.read().opens


def test_a_halt_while_the_word_is_typed_stands(
    home: LatchFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["halt"])

    class Slow(Terminal):
        def readline(self, *_: object) -> str:  # type: ignore[override]
            home.halt("ben: tomking halt", "no!", NOW + timedelta(seconds=3))
            return "RESUME\n"

    monkeypatch.setattr(sys, "stdin", Slow())
    assert run(["resume"]) == Exit.DATA
    assert "set by somebody else meanwhile" in capsys.readouterr().err
    assert home.read().by == "ben: tomking halt"


def test_flatten_without_a_broker_halts_says_so_and_closes_nothing(
    home: LatchFile, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["resume", "--yes-resume-trading"])
    assert run(["flatten", "--yes-flatten-everything"]) == Exit.UNAVAILABLE
    said = capsys.readouterr().err
    assert "Trading is HALTED since 2031-03-07 15:20:00 New York by anna: tomking flatten" in said
    assert "no account was traded from here: nothing was cancelled and nothing closed" in said
    assert home.read().state is Trading.HALTED


# ------------------------------------------------------------------------------ with a broker


class Wall:
    """A clock that waiting moves."""

    def __init__(self, now: datetime, seen: Callable[[datetime], None] = lambda _: None) -> None:
        self.now = now
        self.seen = seen

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=max(seconds, 0.001))
        self.seen(self.now)


def unquoted(contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
    """A market that shows nothing."""
    return [None] * len(contracts)


def connected(monkeypatch: pytest.MonkeyPatch, venue: Venue) -> Wall:
    wall = Wall(instant("2031-03-07T14:50:00"))
    told = control.Line(venue.line, venue.world.quotes)
    monkeypatch.setattr(flat, "broker_line", lambda *_: nullcontext(told))
    monkeypatch.setattr(printed, "wall_now", wall)
    monkeypatch.setattr(printed, "wait", wall.wait)
    return wall


def test_flatten_closes_everything_and_says_each_step(
    home: LatchFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = Venue(seed=3, positions=4)
    connected(monkeypatch, venue)
    typing(monkeypatch, "FLATTEN\n")
    assert run(["flatten"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].startswith("The account is flat after ")
    assert said.out.splitlines()[0].endswith(" s. Trading stays HALTED.")
    assert "09:50:0" in said.err
    assert said.err.count("close at ") == 4
    assert venue.account.true.held == {}
    assert (home.read().state, home.read().why) == (Trading.HALTED, "flattened")
    assert home.read().alone_until is None


def test_flatten_needs_its_word_or_its_flag_and_has_halted_before_it_asks(
    home: LatchFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = Venue(seed=3, positions=1)
    connected(monkeypatch, venue)
    assert run(["flatten"]) == Exit.APPROVAL
    assert "confirm with --yes-flatten-everything" in capsys.readouterr().err
    typing(monkeypatch, "RESUME\n")
    assert run(["flatten"]) == Exit.APPROVAL
    assert len(venue.account.true.held) == 4
    assert home.read().state is Trading.HALTED


def test_what_cannot_be_closed_is_listed_and_ends_with_9(
    home: LatchFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = Venue(seed=3, positions=1)
    connected(monkeypatch, venue)
    silent = control.Line(venue.line, unquoted)
    monkeypatch.setattr(flat, "broker_line", lambda *_: nullcontext(silent))
    assert run(["flatten", "--yes-flatten-everything", "--json"]) == Exit.MISMATCH
    told = json.loads(capsys.readouterr().out)
    assert told["flat"] is False
    assert len([line for line in told["left"] if line.startswith("still held: ")]) == 4
    assert told["seconds"] >= 300
    assert run(["flatten", "--yes-flatten-everything"]) == Exit.MISMATCH
    assert capsys.readouterr().out.startswith("THE ACCOUNT IS NOT FLAT after 30")


def test_the_engine_leaves_exits_to_flatten_while_that_lives_and_half_a_minute_longer(tmp_path: Path) -> None:
    latch = LatchFile(tmp_path)
    venue = Venue(seed=3, positions=1)
    left: list[float] = []

    def seen(now: datetime) -> None:
        until = latch.read().alone_until
        left.append(-1 if until is None else (until - now).total_seconds())

    wall = Wall(instant("2031-03-07T14:50:00"), seen)
    line = control.Line(venue.line, unquoted)
    said: list[Said] = []
    control.flatten(latch, line, "anna", clock=wall, wait=wall.wait, tell=said.append)
    assert len(left) > 1_000
    # Renewed every ten seconds, for thirty.
    assert 19 < min(left) < 21
    assert max(left) <= 30
    assert latch.read().alone_until is None


def test_halt_works_while_the_engine_hangs(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with engine(folder) as process:
        os.kill(process.pid, signal.SIGSTOP)
        ended = subprocess.run(
            [sys.executable, "-m", "tomking", "halt", "--json"],
            env={**os.environ, "TOMKING_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        os.kill(process.pid, signal.SIGCONT)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["state"] == "HALTED"
    assert LatchFile(folder).read().state is Trading.HALTED


# ------------------------------------------------------------------------------ where and who


def test_the_state_folder_is_tomking_homes_or_the_platforms() -> None:
    assert control.state_folder({"TOMKING_HOME": "/somewhere"}) == Path("/somewhere/state")
    assert control.state_folder({}).name == "tomking"


def test_a_user_without_a_name_is_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert control.actor("halt") == "somebody: tomking halt"


def test_where_nothing_was_ever_traded_flatten_has_no_broker(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        pytest.raises(Problems, match="no account was traded from here") as ended,
        flat.broker_line({"TOMKING_HOME": str(tmp_path)}, said.append),
    ):
        pass
    assert ended.value.code is Exit.UNAVAILABLE


def test_the_wall_clock_is_aware_and_waits() -> None:
    before = clock.wall_now()
    clock.wait(-1)
    clock.wait(0.01)
    assert clock.wall_now() - before >= timedelta(seconds=0.01)
    assert before.utcoffset() == timedelta(0)
