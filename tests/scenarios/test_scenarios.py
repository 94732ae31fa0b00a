"""The scenario suite: every row has a play, its page is its own, and the quick ones are played here."""

import json
import re
from pathlib import Path

import pytest

from tomking.app.cli.shell import run as command
from tomking.app.exits import Exit
from tomking.app.scenario.expected import at_least, exactly
from tomking.app.scenario.outcome import Check, Result
from tomking.app.scenario.run import NAMES, PLAYS, run
from tomking.app.scenario.table import BY_NAME, ROWS, expected_page

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "scenarios"
QUICK = (
    "august-proof",
    "july-2024-attempts",
    "august-2024-narrative",
    "crash-20",
    "crash-20-at-the-limit",
    "vix-15-40-20",
    "phases-default",
    "half-day",
    "expiry-friday",
    "data-outage",
    "correlation-spike",
    "consecutive-losses",
    "zero-dte-up-2",
)
ISSUE = (
    "vix-15-40-20", "crash-20", "expiry-friday", "empty-and-thin-chains", "phases-audit", "phases-default",
    "flash-crash-2010", "august-2015", "volmageddon-2018", "covid-2020", "august-2024",
    "august-2024-narrative",
    "correlation-spike", "consecutive-losses", "data-outage", "half-day",
)  # fmt: skip
"""The list of issue 6, item 8."""


@pytest.fixture(scope="module")
def played() -> dict[str, Result]:
    return {result.row.name: result for result in run(QUICK)}


def test_every_row_has_a_play_and_every_play_a_row() -> None:
    assert set(PLAYS) == set(NAMES) == set(BY_NAME)
    assert len(NAMES) == len(ROWS)
    assert set(ISSUE) <= set(NAMES)


def test_no_key_is_claimed_twice_in_a_row() -> None:
    for row in ROWS:
        keys = [claim.key for claim in row.claims]
        assert len(keys) == len(set(keys)), row.name


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_quick_scenario_meets_its_row(name: str, played: dict[str, Result]) -> None:
    result = played[name]
    missed = {c.claim.words: (c.figure, c.claim.range) for c in result.missed}
    assert missed == {}
    assert {c.claim.key for c in result.checks} == set(result.outcome.figures), "every figure is claimed"


@pytest.mark.slow
def test_the_permitted_august_book_loses_a_fraction_of_the_unprotected_one(played: dict[str, Result]) -> None:
    # Six positions of five ES units are offered.  A.4 lets P4 hold three ES in all, so one position of three
    # is what is left, and every other limit has its own reason from the second or third on.
    figures = played["august-proof"].outcome.figures
    assert figures["units_permitted"] == 3
    permitted, unprotected = figures["permitted_loss"], figures["unprotected_loss"]
    assert permitted is not None
    assert unprotected is not None
    assert permitted < 0.04
    assert unprotected > 0.20
    # Methodology J, row 12: six ES units are about -$50k on the real tape; thirty are five times that.
    assert 673_100 * unprotected / 5 == pytest.approx(50_000, rel=0.35)


def test_the_documents_are_those_of_the_table() -> None:
    assert (FOLDER / "expected.md").read_text(encoding="utf-8") == expected_page()
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == list(NAMES)
    assert "MISS" not in page
    shown = set(re.findall(r"\((.+\.svg)\)", page))
    assert shown == {path.name for path in FOLDER.glob("*.svg")}


def test_a_figure_outside_its_range_is_a_miss_and_a_missing_one_too() -> None:
    claim = at_least("loss", 2, "lost")
    assert [Check(claim, figure).verdict for figure in (1.99, 2.0, None)] == ["MISS", "pass", "MISS"]
    assert Check(exactly("x", 1, "one", "something"), 7.0).verdict == "waits"


def test_a_miss_ends_the_command_with_9(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play = PLAYS["win-rate"]

    def wrong() -> object:
        outcome = play()
        outcome.figures["covered"] = 0.5
        return outcome

    monkeypatch.setitem(PLAYS, "win-rate", wrong)
    assert command(["scenario", "run", "win-rate", "--json"]) == Exit.MISMATCH
    told = capsys.readouterr()
    (facts,) = json.loads(told.out)
    assert facts["verdict"] == "MISS"
    assert [c["verdict"] for c in facts["claims"]] == ["MISS", "pass"]
    assert "1 of 1 scenarios missed: win-rate" in told.err


def test_an_unknown_scenario_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["scenario", "run", "crash-2O"]) == Exit.USAGE
    assert 'did you mean "crash-20"?' in capsys.readouterr().err
    assert command(["scenario", "run"]) == Exit.USAGE
    assert "--all" in capsys.readouterr().err


def test_the_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["scenario", "list"]) == Exit.OK
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMES)


def test_pictures_are_left_where_they_are_wished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["scenario", "run", "zero-dte-flat", "--pictures", str(tmp_path)]) == Exit.OK
    assert "zero-dte-flat" in capsys.readouterr().out
    (picture,) = tmp_path.iterdir()
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
