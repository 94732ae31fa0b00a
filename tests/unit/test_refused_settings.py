"""Every limit of every section, set to what it must not be (F4): refused by name, all of them at once."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tomking.app.config import Override, check_config
from tomking.app.exits import Exit
from tomking.app.sections import sections
from tomking.app.values import to_text
from tomking.domain.settings import Setting, settings_of

ALONE = {"TOMKING_HOME": "/nonexistent"}


def bounded(name: str) -> Iterator[tuple[str, Setting]]:
    """Keys of the settings that have such a bound."""
    for section, kind in sections().items():
        for each in settings_of(kind):
            if getattr(each, name) is not None:
                yield f"{section}.{each.name}", each


def beyond(each: Setting, bound: Any, sign: int) -> Any:
    """The least step out of the allowed range."""
    out: Any = None
    match bound:
        case bool():
            return bound
        case int() | float():
            out = bound + sign
        case Decimal():
            out = bound + sign * Decimal(1)
        case date():
            out = bound + sign * timedelta(days=1)
        case _:
            out = None
    return (out,) * len(each.default) if isinstance(each.default, tuple) and out is not None else out


def refusals(values: dict[str, str]) -> list[str]:
    config, problems = check_config(
        environment=ALONE, overrides=[Override(key, text, "--set") for key, text in values.items()]
    )
    assert config is None
    assert {problem.code for problem in problems} == {Exit.CONFIG}
    return [problem.line for problem in problems]


def unnamed(values: dict[str, str]) -> list[str]:
    """Keys that no refusal names."""
    said = refusals(values)
    return [key for key in values if not any(line.startswith(f"{key} ") for line in said)]


@pytest.mark.parametrize(("bound", "sign"), [("low", -1), ("high", 1)])
def test_every_number_out_of_its_range_is_refused_by_name(bound: str, sign: int) -> None:
    found = {key: beyond(each, getattr(each, bound), sign) for key, each in bounded(bound)}
    values = {key: to_text(value) for key, value in found.items() if value is not None}
    assert len(values) > 200  # nearly every setting has both bounds
    assert unnamed(values) == []


WORDS: list[Callable[[Setting], str]] = [
    lambda _: "",
    lambda _: "lots",
    lambda _: "nan",
    lambda _: "-1e400",
]


@pytest.mark.parametrize("word", WORDS, ids=["nothing", "a word", "nan", "too small"])
def test_what_is_no_number_is_refused_where_a_number_is_due(word: Callable[[Setting], str]) -> None:
    values = {
        key: word(each)
        for key, each in bounded("low")
        if isinstance(each.low, int | float | Decimal) and not isinstance(each.default, tuple)
        if each.default is not None
    }
    assert len(values) > 150
    assert unnamed(values) == []


def test_a_misspelt_limit_is_refused_and_its_name_suggested() -> None:
    (line,) = refusals({"risk.positions_mx": "1"})
    assert "risk.positions_mx" in line
    assert "positions_max" in line
