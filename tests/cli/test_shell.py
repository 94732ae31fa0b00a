"""The command as a new user meets it: help, typos, pipes, signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tomking.app.cli.shell import run
from tomking.app.exits import Exit

ROOT = Path(__file__).resolve().parents[2]


def tomking(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TOMKING_HOME": str(home), **more}
    command = [sys.executable, "-m", "tomking", *words]
    return subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"]])
def test_help_is_on_stdout_and_ends_well(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == Exit.OK
    out, err = capsys.readouterr()
    assert err == ""
    assert out.index("Examples:") < out.index("Options:") < out.index("Commands:")


@pytest.mark.parametrize(
    "words", [["backtest"], ["config"], ["config", "show"], ["config", "check"], ["version"]]
)
def test_every_command_explains_itself_with_examples_first(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "-h"]) == Exit.OK
    out = capsys.readouterr().out
    assert out.index("Examples:") < out.index("Options:")
    assert f"tomking {' '.join(words)}" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("bactest", "tomking: No such command 'bactest'. Did you mean 'backtest'? (see tomking -h)\n"),
        ("config shwo", "tomking: No such command 'shwo'. Did you mean 'show'? (see tomking config -h)\n"),
        (
            "config show --jsn",
            'tomking: --jsn: unknown option; did you mean "--json"? (see tomking config show -h)\n',
        ),
        ("version now", "tomking: Got unexpected extra argument(s) (now) (see tomking version -h)\n"),
    ],
)
def test_a_typo_ends_with_2_and_the_nearest_word(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words.split()) == Exit.USAGE
    assert capsys.readouterr() == ("", said)


def test_config_show_names_source_and_methodology(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    monkeypatch.setenv("TOMKING__BACKTEST__SEED", "9")
    assert run(["config", "show"]) == Exit.OK
    out = capsys.readouterr().out
    assert "seed = 9  # TOMKING__BACKTEST__SEED; methodology 0.4, ruling 3" in out
    assert 'capital = "200000"  # default; methodology 0.4, ruling 4' in out
    assert run(["config", "show", "--json"]) == Exit.OK
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)["values"]}
    assert rows["backtest.seed"]["source"] == "TOMKING__BACKTEST__SEED"
    assert rows["backtest.seed"]["value"] == "9"


def test_config_check_says_what_differs_or_everything_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path))
    assert run(["config", "check", "--set", "account.capital=44450"]) == Exit.OK
    assert 'account.capital = "44450"  (--set; default "200000")' in capsys.readouterr().out
    assert run(["config", "check", "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["changed"] == {}
    assert (
        run(["config", "check", "--set", "account.capital=x", "--set", "seed=1", "--set", "z"]) == Exit.USAGE
    )
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_version_is_there_for_people_and_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--json"]) == Exit.OK
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= {"tomking", "python", "numpy", "numba"}
    assert run(["version"]) == Exit.OK
    assert capsys.readouterr().out.startswith("tomking ")


def test_the_real_command_keeps_data_and_problems_apart(tmp_path: Path) -> None:
    good = tomking("config", "show", "--json", home=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    json.loads(good.stdout)
    bad = tomking("backtest", "--start", "2016-13-01", "--strategies", "lt113", home=tmp_path)
    assert (bad.returncode, bad.stdout, len(bad.stderr.splitlines())) == (2, "", 2)
    assert list(tmp_path.iterdir()) == []


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, tomking.app.cli.shell; print(*sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    loaded = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    heavy = {"numpy", "numba", "pandas", "pyarrow", "plotly", "pydantic", "rich", "exchange_calendars"}
    assert heavy.isdisjoint(loaded.stdout.split())


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TOMKING_HOME": str(tmp_path)}
    command = f"{sys.executable} -m tomking config show | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_with_its_code_and_one_line(sent: int, code: int, tmp_path: Path) -> None:
    waits = (
        "import sys, types, threading, signal\n"
        # Whoever runs the tests in the background may have left the signal ignored: a terminal does not.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def run(request, progress):\n"
        "    print('running', flush=True)\n"
        "    threading.Event().wait(30)\n"
        "sys.modules['tomking.app.backtest'] = types.SimpleNamespace(run=run)\n"
        "from tomking.app.cli.shell import run as shell\n"
        "sys.exit(shell(['backtest']))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "TOMKING_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", waits],
        env=env,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(sent)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.splitlines()[-1].startswith("tomking: ")
    assert "Traceback" not in err


@pytest.mark.slow
def test_help_is_there_in_300_ms(tmp_path: Path) -> None:
    tomking("--help", home=tmp_path)  # compiles the bytecode
    best = min(_seconds(tmp_path) for _ in range(5))
    assert best < 0.3


def _seconds(home: Path) -> float:
    """Of the processor: what else the machine does is no failure of ours."""
    began = _of_children()
    tomking("--help", home=home)
    return _of_children() - began


def _of_children() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def test_a_missing_value_points_to_the_commands_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "show", "--set"]) == Exit.USAGE
    assert "(see tomking config show -h)" in capsys.readouterr().err


def test_a_terminal_without_our_characters_still_gets_the_output(tmp_path: Path) -> None:
    # "ü" of the path is in no ASCII; the command must say it with a question mark and go on.
    ended = tomking("config", "check", "--config", "fü.toml", home=tmp_path, PYTHONIOENCODING="ascii")
    assert ended.returncode == Exit.CONFIG
    assert ended.stderr.startswith("tomking: f?.toml: there is no such configuration file")
