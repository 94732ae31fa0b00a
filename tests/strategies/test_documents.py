"""The specification of each strategy says what its module says, number by number."""

import re
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from tomking.domain.settings import settings_of
from tomking.strategies import ALL

DOCS = Path(__file__).resolve().parents[2] / "docs" / "strategies"
ROW = re.compile(r"^\| `(\w+)` \| `([^`]*)` \| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
SAID = re.compile(r"`(\w+) = ([^`]*)`")
NAMES = re.compile(
    r"`tomking[\w.]*`|Claimed win rate: \d+%|\b0\.4\b"
    r"|0DTE|LT112|1-1-2|EMA8|EMA21|S&P 500|[A-J]\.\d+(\.\d+)?|rulings? \d+|decisions? \d+|21 DTE"
    r"|\b[SP]\d\b|8/21"
)


def text(value: object) -> str:
    """A default as the configuration file writes it."""
    match value:
        case bool():
            return str(value).lower()
        case time():
            return f"{value:%H:%M}"
        case Decimal() | int() | float():
            return str(value)
        case tuple():
            return f"[{', '.join(text(v) for v in value)}]"
        case _:
            return str(value)


@pytest.mark.parametrize("id_", ALL)
def test_the_table_is_the_settings(id_: str) -> None:
    rows = {name: (value, source.strip()) for name, value, source, _ in ROW.findall(read(id_))}
    known = {s.name: (text(s.default), s.source) for s in settings_of(ALL[id_].Settings)}  # type: ignore[arg-type]
    assert rows == known


@pytest.mark.parametrize("id_", ALL)
def test_numbers_in_sentences_are_settings_too(id_: str) -> None:
    """Outside the table and the worked example, a number stands as `name = value` or not at all."""
    known = {s.name: text(s.default) for s in settings_of(ALL[id_].Settings)}  # type: ignore[arg-type]
    rules, _, _ = read(id_).partition("## Worked example")
    for name, value in SAID.findall(rules):
        assert known.get(name) == value, f"{name} = {value}"
    bare = NAMES.sub("", SAID.sub("", ROW.sub("", rules)))
    assert re.findall(r"[^\s]*\d[^\s]*", bare) == []


@pytest.mark.parametrize("id_", ALL)
def test_the_claim_stands_in_the_table_of_claims(id_: str) -> None:
    claim = ALL[id_].strategy(ALL[id_].Settings()).claim
    said = "none" if claim.win_rate is None else f"{claim.win_rate:.0%} ({claim.source})"
    assert f"Claimed win rate: {said}" in read(id_)


@pytest.mark.parametrize("id_", ALL)
def test_tests_named_in_it_exist(id_: str) -> None:
    """A row of the methodology is shown by a test that is there, in the file of the strategy or one named."""
    tests = Path(__file__).resolve().parents[1]
    rows = read(id_).partition("## Where each row is shown")[2]
    files = {tests.parent / name for name in re.findall(r"`(tests/[\w/]+\.py)`", rows)}
    assert [str(file) for file in files if not file.exists()] == []
    own = tests / "strategies" / f"test_{id_}.py"
    there = "".join(file.read_text(encoding="utf-8") for file in {*files, own})
    named = re.findall(r"`(test_\w+)`", rows)
    assert [name for name in named if f"def {name}(" not in there] == []


def read(id_: str) -> str:
    return (DOCS / f"{id_}.md").read_text(encoding="utf-8")
