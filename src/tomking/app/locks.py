"""The never-disable lock: what no configuration may switch off or loosen in paper and live (ruling 16).

A pure function of configuration and mode.  In a backtest everything within its range may be tried; the
report says which research switches were turned.  In paper and live

1. a research switch that is turned is refused;
2. the numbers of the protected rules may only be as strict as the methodology's, or stricter;
3. what only a backtest decides by itself is decided by a human (``risk_for``).

The protected rules: 21 DTE, the VIX required, atomic execution, SPY concentration, circuit breakers,
start-up verification, and a quarter of Kelly.  Atomic execution and start-up verification have no setting
at all; a quarter is the only Kelly factor that can be written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from tomking.app.config import Config, Override, Row, load_config
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems
from tomking.app.values import to_toml
from tomking.risk.settings import Settings


class Mode(StrEnum):
    """What the program trades with."""

    BACKTEST = "backtest"
    PAPER = "paper"
    LIVE = "live"


RULES: dict[str, tuple[str, ...]] = {
    "21 DTE": ("risk.exit_dte",),
    "VIX required": ("risk.vix_age_minutes_max", "risk.vix_low", "risk.vix_high", "risk.closing_only_vix"),
    "SPY concentration": (
        "risk.delta_shares_max",
        "risk.delta_net_liq_multiple",
        "risk.delta_event_share",
        "risk.spx_strategies_max",
        "risk.group_max",
        "risk.group_max_phase_2",
        "risk.group_max_phase_1",
        "risk.group_max_phase_0",
        "risk.group_high_vix",
        "risk.equity_positions_max",
        "risk.short_vol_max",
        "risk.correlation_share_max",
        "risk.correlation_days",
    ),
    "circuit breakers": (
        "risk.rapid_loss_shares",
        "risk.rapid_loss_minutes",
        "risk.correlation_breaker_shares",
        "risk.correlation_reset_share",
        "risk.margin_breaker_shares",
        "risk.margin_breaker_strict_share",
        "risk.losses_breaker",
        "risk.breaker_low_vix",
        "risk.breaker_low_vix_share",
        "risk.breaker_warn_share",
        "risk.breaker_flatten_share",
        "risk.breaker_hours",
        "risk.breaker_vix_max",
        "risk.breaker_ramp_shares",
        "risk.breaker_ramp_sessions",
        "risk.breaker_phase_sessions",
        "risk.warned_size_share",
        "risk.vix_crash_points",
        "risk.vix_crash_share",
        "risk.confirm_seconds",
    ),
    "Kelly factor": ("risk.kelly_factor", "risk.kelly_share_max"),
}
"""Every setting a protected rule rests on."""

STRICTER_IS_MORE = frozenset({
    "risk.exit_dte",
    "risk.vix_low",
    "risk.breaker_low_vix",
    "risk.breaker_hours",
    "risk.breaker_ramp_sessions",
    "risk.breaker_phase_sessions",
    "risk.rapid_loss_minutes",
    "risk.correlation_days",
})  # fmt: skip
"""Where more is stricter; in all others less is."""

DECIDED_BY_HUMANS: dict[str, Any] = {"risk.restart_after_red": False}
"""Research switches whose safe position is not their default: a backtest has no human."""
EXIT_DTE = "exit_dte"
"""How the settings of strategies end that say when short legs go."""
LAST_DTE = 21


def load_for(
    mode: Mode,
    *,
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Sequence[Override] = (),
) -> Config:
    """``load_config``, and what ``mode`` refuses besides.  ``Problems`` with all of it, exit code 3."""
    config = load_config(path=path, environment=environment, overrides=overrides)
    if problems := locked(config, mode):
        raise Problems(problems)
    return config


def locked(config: Config, mode: Mode) -> list[Problem]:
    """Why this configuration may not run in this mode: every reason, exit code 3; none in a backtest."""
    if mode is Mode.BACKTEST:
        return []
    rules = {key: rule for rule, keys in RULES.items() for key in keys}
    return [
        Problem(Exit.CONFIG, line) for row in config.rows() for line in _faults(row, rules.get(row.key), mode)
    ]


def _faults(row: Row, rule: str | None, mode: Mode) -> Iterator[str]:
    default, value = row.setting.default, row.value
    if row.key.startswith("strategies.") and row.key.endswith(EXIT_DTE):
        # A strategy may leave later than it would by itself, but not later than the rule.
        rule, default = "21 DTE", min(default, LAST_DTE)
    if value == default or (row.key in DECIDED_BY_HUMANS and value == DECIDED_BY_HUMANS[row.key]):
        return
    shown = f"{row.key} = {to_toml(value)} ({row.source})"
    if row.setting.research:
        yield (
            f"{shown}: a research switch, for backtests only: {mode} refuses it; "
            f"remove it for the default {to_toml(default)}"
        )
        return
    more = row.key in STRICTER_IS_MORE or row.key.endswith(EXIT_DTE)
    if rule is not None and _is_looser(value, default, more=more):
        yield (
            f'{shown}: loosens "{rule}", which {mode} never does: write {to_toml(default)} or something '
            "stricter, or remove it"
        )


def _is_looser(value: Any, default: Any, *, more: bool) -> bool:  # noqa: ANN401 - any setting's type
    """In any item of a table; a table of another length is not comparable and counts as looser."""
    if isinstance(default, tuple):
        if len(value) != len(default):
            return True
        return any(_is_looser(v, d, more=more) for v, d in zip(value, default, strict=True))
    return bool(value < default if more else value > default)


def risk_for(settings: Settings, mode: Mode) -> Settings:
    """The risk settings as the mode has them: no restart by itself; live asks Kelly for a yes."""
    if mode is Mode.BACKTEST:
        return settings
    # A backtest begins without a past; paper and live have one in their journal (decision 208).
    gating = "full_size" if settings.phase_gating == "value" else settings.phase_gating
    human = replace(settings, restart_after_red=False, phase_gating=gating)
    return replace(human, kelly_gate="block", win_floor="suspend") if mode is Mode.LIVE else human
