"""docs/cli.md says what the command line does: every command, every option, every exit code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from tomking.app.cli.commands import app
from tomking.app.exits import Exit

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by what a user types."""
    inner = getattr(command, "commands", {})
    for name, each in inner.items():
        yield from commands(each, f"{path} {name}")
    if not inner:
        yield path, command


ALL = dict(commands(typer.main.get_command(app), "tomking"))


def test_every_command_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(tomking [a-z ]+)` \|", TEXT, re.MULTILINE))
    assert documented == set(ALL)


def test_every_option_is_documented() -> None:
    missing = [
        f"{path} {option}"
        for path, command in ALL.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-") and f"`{option}" not in TEXT  # what has no dash is an argument
    ]
    assert missing == []


def test_backtests_table_has_its_options_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(--[a-z]+)", TEXT, re.MULTILINE))
    known = {o for p in ALL["tomking backtest"].params for o in p.opts} - {"--help", "-h"}
    assert documented == known


def test_the_exit_code_table_is_the_enum() -> None:
    table = re.findall(r"^\| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)
    assert [(int(code), meaning) for code, meaning in table] == [(int(e), e.meaning) for e in Exit]
