"""The never-disable lock (ruling 16): what paper and live refuse, and that nothing was left out."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tomking.app.config import Override, Row, load_config
from tomking.app.exits import Exit
from tomking.app.locks import RULES, STRICTER_IS_MORE, Mode, load_for, locked, risk_for
from tomking.app.problems import Problems
from tomking.app.values import to_text
from tomking.risk.settings import Settings

DEFAULTS = load_config(environment={})
ROWS = {row.key: row for row in DEFAULTS.rows()}
REAL = (Mode.PAPER, Mode.LIVE)


def with_(key: str, text: str) -> Any:
    return load_config(environment={}, overrides=[Override(key, text, "--set")])


def looser(row: Row) -> str | None:
    """The loosest value that its range lets a user write; None where there is none."""
    end = row.setting.low if row.key in STRICTER_IS_MORE else row.setting.high
    default = row.setting.default
    if end is None:
        return None
    value = tuple(end for _ in default) if isinstance(default, tuple) else end
    return None if value == default else to_text(value)


LOCKED = [(rule, key) for rule, keys in RULES.items() for key in keys]


@pytest.mark.parametrize(("rule", "key"), LOCKED, ids=[key for _, key in LOCKED])
def test_a_protected_number_cannot_be_loosened_where_money_is_real(rule: str, key: str) -> None:
    text = looser(ROWS[key])
    if text is None:
        return  # its range ends where the methodology is: it cannot even be written
    config = with_(key, text)
    assert locked(config, Mode.BACKTEST) == []
    for mode in REAL:
        (problem,) = locked(config, mode)
        assert problem.code is Exit.CONFIG
        assert f'loosens "{rule}"' in problem.line
        assert key in problem.line


def turned(row: Row) -> Iterator[str]:
    """Other values of a research switch."""
    default, setting = row.setting.default, row.setting
    if isinstance(default, bool):
        yield "no" if default else "yes"
    elif setting.choices:
        for choice in setting.choices:
            if choice != default:
                yield str(choice.value if isinstance(choice, Enum) else choice)
    else:
        yield to_text(setting.low if default != setting.low else setting.high)


RESEARCH = [key for key, row in ROWS.items() if row.setting.research]


@pytest.mark.parametrize("key", [key for key in RESEARCH if key != "risk.restart_after_red"])
def test_every_research_switch_of_every_section_is_refused(key: str) -> None:
    for text in turned(ROWS[key]):
        config = with_(key, text)
        assert locked(config, Mode.BACKTEST) == []
        for mode in REAL:
            assert any("research switch" in p.line and p.code is Exit.CONFIG for p in locked(config, mode))


def test_only_a_backtest_restarts_by_itself_and_live_asks_kelly() -> None:
    assert risk_for(Settings(), Mode.BACKTEST) == Settings()
    human = replace(Settings(), restart_after_red=False, phase_gating="full_size")
    assert risk_for(Settings(), Mode.PAPER) == human
    assert risk_for(Settings(), Mode.LIVE).kelly_gate == "block"
    # Writing down what holds there anyway is no offence.
    assert locked(with_("risk.restart_after_red", "no"), Mode.LIVE) == []


EXITS = [key for key in ROWS if key.startswith("strategies.") and key.endswith("exit_dte")]


@pytest.mark.parametrize("key", EXITS)
def test_no_strategy_holds_a_short_leg_past_21_days_where_money_is_real(key: str) -> None:
    row = ROWS[key]
    if row.setting.low >= 21:
        return
    for mode in REAL:
        assert locked(with_(key, "20"), mode)
    assert locked(with_(key, "20"), Mode.BACKTEST) == []


def test_stricter_numbers_are_welcome() -> None:
    for key, text in (
        ("risk.rapid_loss_shares", "0.01,0.01,0.02,0.02,0.02"),
        ("risk.breaker_hours", "48"),
        ("risk.equity_positions_max", "2"),
        ("lt112.exit_dte", "30"),
    ):
        assert locked(with_(key, text), Mode.LIVE) == []


def test_one_item_of_a_table_is_enough_to_loosen_it() -> None:
    assert locked(with_("risk.delta_shares_max", "75,300,500,750,1001"), Mode.LIVE)
    assert locked(with_("risk.delta_shares_max", "75,300,500,750,999"), Mode.LIVE) == []


def test_the_defaults_may_run_in_every_mode() -> None:
    assert [locked(DEFAULTS, mode) for mode in Mode] == [[], [], []]


def test_everything_is_said_at_once_and_the_exit_code_is_three(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    text = '[risk]\nbreaker_flatten_share = "2"\n[strategies.friday_0dte]\nvix_gate = "off"\n'
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as refusal:
        load_for(Mode.LIVE, path=file, environment={})
    assert refusal.value.code is Exit.CONFIG
    assert len(refusal.value.lines) == 2
    assert any(f"{file}:2" in line for line in refusal.value.lines)
    researched = load_for(Mode.BACKTEST, path=file, environment={}).research()
    assert researched == ("strategies.friday_0dte.vix_gate",)


def test_rules_without_a_setting_have_none_and_a_quarter_is_the_only_kelly() -> None:
    # Atomic execution and start-up verification: no key that could switch them off.
    assert not [key for key in ROWS if any(word in key for word in ("atomic", "legged", "verif", "startup"))]
    factor = ROWS["risk.kelly_factor"].setting
    assert factor.low == factor.high == Decimal("0.25")
    assert ROWS["risk.exit_dte"].setting.low == ROWS["risk.exit_dte"].setting.high == 21


def test_the_switches_of_the_risk_settings_are_all_known() -> None:
    """A new switch or choice has to be research, or be weighed here."""
    switches = {
        key
        for key, row in ROWS.items()
        if key.startswith("risk.") and (isinstance(row.value, bool) or row.setting.choices)
    }
    assert {key for key in switches if not ROWS[key].setting.research} == {
        "risk.kelly_gate",  # blocks in live whatever it says
        "risk.win_floor",  # suspends in live whatever it says
        "risk.terminal_peak",
        "risk.phase_gating",  # the roll-out ladder (ruling 17) stands beside it
        "risk.threshold_currency",
        "risk.correlation_weights",  # the other choice is stricter
        "risk.cap_shares",  # so is the other of these
        "risk.ceilings",  # how many positions: none of the six rules of ruling 16
    }
