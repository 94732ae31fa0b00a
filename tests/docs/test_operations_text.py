"""docs/operations.md names commands, options and words that exist, and says what the program says."""

import re
from pathlib import Path

import pytest
import typer

from tomking.app.cli.commands import app
from tomking.app.cli.control import EFFECT
from tomking.domain.trading import Trading
from tomking.execution.differences import Sort
from tomking.execution.flatten import CONCESSIONS
from tomking.execution.flattening import STEP, TIME

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = getattr(typer.main.get_command(app), "commands")  # noqa: B009 - the type has no such attribute


def test_every_command_it_names_exists_with_every_option() -> None:
    named = re.findall(r"`?tomking ([a-z]+)((?: --[a-z-]+)*)", TEXT)
    assert {name for name, _ in named} >= {"halt", "reduce", "resume", "flatten"}
    for name, options in named:
        known = {o for p in COMMANDS[name].params for o in p.opts}
        assert set(options.split()) <= known, f"tomking {name} {options}"


@pytest.mark.parametrize("name", ["halt", "reduce", "resume", "flatten"])
def test_each_command_of_the_kill_path_has_its_place(name: str) -> None:
    assert f"\n## {name}\n" in TEXT
    assert f"| `tomking {name}` |" in TEXT


def test_the_words_to_type_are_those_that_are_asked_for() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "tomking" / "app" / "cli" / "control.py"
    asked = re.findall(r'_confirm\(\s*"([A-Z]+)"', source.read_text(encoding="utf-8"))
    assert sorted(asked) == ["FLATTEN", "RESUME"]
    assert all(f"the word {word}" in TEXT for word in asked)


def test_the_ladder_and_the_time_are_those_of_the_program() -> None:
    assert [int(50 * c) for c in CONCESSIONS] == [50, 100, 150]
    assert "50, 100 and 150 % of the spread off the mid" in TEXT
    assert len(CONCESSIONS) * STEP.total_seconds() == 30
    assert TIME.total_seconds() == 5 * 60


def test_every_difference_that_stands_has_a_row() -> None:
    for words in (
        "in no position here",
        "positions here hold",
        "ended while order",
        "has ended here",
        "out of date",
    ):
        assert words in TEXT
    assert {s.value for s in Sort} >= {"stale", "missing", "busy", "forgotten", "cash"}
    assert set(EFFECT) == set(Trading)
