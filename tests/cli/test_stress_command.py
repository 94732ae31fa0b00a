"""What a user of `tomking stress` and `tomking risk` sees, on the journal of a real fortnight's backtest."""

import json
import shutil
from pathlib import Path

import pytest

from tomking.app.cli.shell import run
from tomking.app.exits import Exit

RUN = ("--start", "2013-01-02", "--end", "2013-01-08", "--strategies", "lt112")


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A week in which an LT112 was sold on the first Wednesday."""
    folder = tmp_path_factory.mktemp("week")
    assert run(["backtest", *RUN, "--report", str(folder / "report.html")]) == Exit.OK
    return folder / "journal.sqlite"


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration and no runs of the user's."""
    monkeypatch.setenv("TOMKING_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_stress_shows_the_shocks_the_strategies_and_the_grid(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stress", "--journal", str(journal)]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert "2013-01-08 16:00 New York" in lines[0]
    assert "1 positions" in lines[0]
    assert [line.split()[0] for line in lines[3:11]] == [
        "S-5", "S-10", "S-20", "S+5", "PROD+", "PROD-", "VOL+", "CRISIS",
    ]  # fmt: skip
    assert any(line.startswith("lt112 ") for line in lines)
    assert any(line.startswith("A1 ") for line in lines)
    assert sum(line.startswith("-20% ") for line in lines) == 4  # three days and the margins


def test_stress_in_json_has_every_cell_and_adds_up(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stress", "--journal", str(journal), "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert len(told["grid"]) == 9 * 6 * 3
    assert len(told["margins"]) == 9 * 6
    shocks = {one["name"]: one for one in told["shocks"]}
    assert shocks["S-20"]["gain"] < shocks["S-10"]["gain"] < shocks["S-5"]["gain"] < 0
    for one in shocks.values():
        assert sum(one["by_strategy"].values()) == pytest.approx(one["gain"], abs=0.02)
        assert sum(one["by_group"].values()) == pytest.approx(one["gain"], abs=0.02)
    still = next(c for c in told["grid"] if (c["days"], c["move"], c["vix_points"]) == (0, 0, 0))
    assert still["gain"] == 0


def test_risk_shows_the_distance_to_each_limit(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["risk", "--journal", str(journal), "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    limits = {one["name"]: one for one in told["limits"]}
    assert {"stress S-5", "stress S-10", "stress S-20", "margin expansion", "margin", "heat"} <= set(limits)
    assert limits["stress S-20"]["limit"] == pytest.approx(0.30 * told["net_liq"])
    assert 0 < limits["stress S-20"]["used"] < limits["stress S-20"]["limit"]
    assert told["effective_bets"] == pytest.approx(1.0)
    assert str(told["fullest_group"]).startswith("group A1")
    assert run(["risk", "--journal", str(journal)]) == Exit.OK
    text = capsys.readouterr().out
    assert "Effective number of bets: 1.0 of 1 positions." in text
    assert "Fullest: group A1" in text


def test_risk_shows_the_state_and_what_is_still_to_be_earned(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["risk", "--journal", str(journal), "--json"]) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == {"name": "ACTIVE", "why": ""}
    assert [row["name"] for row in told["holds"]] == ["VIX regime"]
    assert told["next_phase"] == []  # $200,000 are the last phase
    needed = {row["name"]: (row["needed"], row["met"]) for row in told["full_size"]}
    assert needed["net liq"] == ("more than $75,000", True)
    assert needed["closed futures trades"] == ("more than 50", False)
    assert run(["risk", "--journal", str(journal)]) == Exit.OK
    text = capsys.readouterr().out
    assert "Trading state: ACTIVE." in text
    assert "Phase 4 is the last." in text
    assert "Full-size contracts (phase_gating = value: not asked here; paper and live ask):" in text


def test_without_a_name_the_newest_run_is_looked_at(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["risk"]) == Exit.DATA
    assert "no journal below runs/: run `tomking backtest` first" in capsys.readouterr().err
    folder = tmp_path / "here" / "runs" / "week"
    folder.mkdir(parents=True)
    shutil.copy(journal, folder / "journal.sqlite")
    before = (folder / "journal.sqlite").read_bytes()
    assert run(["risk"]) == Exit.OK
    assert "runs/week/journal.sqlite" in capsys.readouterr().out
    assert [file.name for file in folder.iterdir()] == ["journal.sqlite"]
    assert (folder / "journal.sqlite").read_bytes() == before


def test_what_is_no_journal_is_refused(
    journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "notes.sqlite"
    other.write_text("not a database")
    for path, words in ((tmp_path / "none.sqlite", "there is no such file"), (other, "notes.sqlite")):
        assert run(["stress", "--journal", str(path)]) == Exit.DATA
        assert words in capsys.readouterr().err
    chains = tmp_path / "quotes.csv"
    chains.write_text("x\n")
    assert run(["stress", "--journal", str(journal), "--chains", str(chains)]) == Exit.DATA
    assert "quotes.csv" in capsys.readouterr().err
