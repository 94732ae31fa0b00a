"""The rows of the table: what is switched off in each, and how.

Three ways, in research only.  A limit is left out of the gate; a number of the guard gets a value that it
never reaches; an exit is left out of the strategies.  What stays on in every row: availability and ceilings
by phase (A.4), full-size contracts (C.13), the phase's caps on margin and capital with the cash reserve
(A.3), announcements, costs, data and quotes, and the coordinator.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from tomking.domain.intent import Urgency
from tomking.risk.gate import LIMITS
from tomking.risk.settings import Settings
from tomking.rules.strategy import Exit, Strategy

NEVER, NEVER_MONEY = 1e9, Decimal(1_000_000)
NEVER_COUNT = 1_000_000
BIG = "VIX above the size table's first bound"
"""What the watch says where sizes shrink with the VIX: the levels do not tell."""
RUN = "losing run"
"""The same for a run of losing closes."""
PACE = "month's pace"
"""The limit that warns of a month's gain; the size it also shrinks is no limit's answer."""
MONTH = "month on the way to too much"
"""The same for that size."""
ANY_STOP = "any stop"
TIME_STOPS = frozenset({"backstop", "VIX"})
"""Exits of the greatest urgency that no loss brings."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way to run the program."""

    key: str
    title: str
    source: str
    """Of the methodology."""
    limits: frozenset[str] = frozenset()
    """Names of limits that are left out of the gate."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Risk settings that never bind."""
    exits: frozenset[str] = frozenset()
    """Triggers of exits that strategies are without; ``ANY_STOP`` for all that a loss brings."""
    loosened: frozenset[str] = frozenset()
    """Limits that ``settings`` loosen."""
    signs: frozenset[str] = frozenset()
    """What ``watch`` has seen if anything but a limit or an exit of this row did anything."""
    how: str = ""
    """What is switched off, for the reader."""

    @property
    def touched(self) -> frozenset[str]:
        """Limits whose answers may be others in this row."""
        return self.limits | self.loosened

    def risk(self, settings: Settings) -> Settings:
        return replace(settings, **self.settings)

    def strategies(self, whole: Iterable[Strategy]) -> tuple[Strategy, ...]:
        """With the exits that are left."""
        if not self.exits:
            return tuple(whole)
        return tuple(replace(one, exits=tuple(e for e in one.exits if not self.drops(e))) for one in whole)

    def drops(self, way: Exit) -> bool:
        if way.trigger in self.exits:
            return True
        return ANY_STOP in self.exits and way.urgency is Urgency.STOP and way.trigger not in TIME_STOPS


def _never(count: int) -> tuple[Decimal, ...]:
    return (NEVER_MONEY,) * count


ALL_ON = Row("on", "every protection on", "")

PROTECTIONS: tuple[Row, ...] = (
    Row(
        "stress",
        "stress limits",
        "C.7, C.5",
        limits=frozenset({"stress S-5", "stress S-10", "stress S-20", "group stress"}),
        how="S-5, S-10, S-20 and the group's stress left out of the gate",
    ),
    Row(
        "expansion",
        "margin expansion",
        "decision 210",
        limits=frozenset({"margin expansion"}),
        how="the margin-expansion gate left out",
    ),
    Row(
        "groups",
        "correlation groups",
        "C.5",
        limits=frozenset({"correlation group", "equities together", "short volatility"}),
        how="groups, equities together and short volatility left out of the gate",
    ),
    Row(
        "spx",
        "S&P complex, Greeks",
        "C.6, B.2",
        limits=frozenset({
            "SPX strategies", "equity delta", "overnight gamma", "short vega", "naked puts",
        }),
        how="strategies on the S&P 500, delta, gamma, vega and threatened naked puts left out of the gate",
    ),
    Row(
        "drawdown",
        "drawdown protocol",
        "C.4",
        settings=MappingProxyType({
            "yellow_share": NEVER_MONEY,
            "orange_share": NEVER_MONEY + 1,
            "red_share": NEVER_MONEY + 2,
            "terminal_share": NEVER_MONEY + 3,
        }),
        signs=frozenset({"drawdown"}),
        how="YELLOW, ORANGE, RED and TERMINAL are never reached",
    ),
    Row(
        "losses",
        "loss limits",
        "C.4",
        limits=frozenset({"loss limits", "losing closes", "losses today"}),
        settings=MappingProxyType({
            "daily_loss_share_max": NEVER_MONEY,
            "weekly_loss_share_max": NEVER_MONEY,
            "monthly_loss_share_max": NEVER_MONEY,
            "zero_dte_loss_share_max": NEVER_MONEY,
            "day_high_share_max": NEVER_MONEY,
            "losing_run_half": NEVER_COUNT,
            "losing_run_pause": NEVER_COUNT,
            "month_gain_share_reduced": NEVER_MONEY,
        }),
        signs=frozenset({
            "daily_loss", "weekly_loss", "monthly_loss", "pause.day_high", "pause.losing_run", RUN,
            MONTH, "exit 0DTE guard",
        }),
        how="day, week, month, losing closes and runs, the day's high, the 0DTE's, a month's pace never bind",
    ),
    Row(
        "breakers",
        "circuit breakers",
        "C.8",
        settings=MappingProxyType({
            "rapid_loss_shares": _never(5),
            "correlation_breaker_shares": (NEVER,) * 5,
            "margin_breaker_shares": _never(7),
            "margin_breaker_strict_share": NEVER_MONEY,
            "vix_crash_points": NEVER,
            "vix_crash_share": NEVER,
        }),
        signs=frozenset({"breaker", "pause.vix_crash"}),
        how="rapid loss, margin, correlation and VIX shock (with C.1's CRASH flag) never bind",
    ),
    Row(
        "emergency",
        "emergency levels",
        "C.9",
        settings=MappingProxyType({
            "emergency_loss_shares": _never(4),
            "emergency_vix_alone": (NEVER,) * 3,
            "emergency_vix_losing": (NEVER,) * 4,
            "emergency_correlations": (NEVER,) * 4,
            "manual_vix": NEVER,
            "black_swan_share": NEVER,
        }),
        signs=frozenset({"emergency", "manual", "pause.black_swan"}),
        how="levels 1 to 4, closing only from VIX 50 on, and the black swan never come",
    ),
    Row(
        "vix",
        "VIX regimes",
        "C.1, A.3",
        settings=MappingProxyType({
            "vix_bounds": (13.0, 18.0, 25.0, 30.0, 35.0, NEVER),
            "vix_capital_share_max": (Decimal(1),) * 7,
            "closing_only_vix": NEVER,
            "vix_size_shares": (Decimal(1),) * 3,
            "vix_size_share_extreme": Decimal(1),
            "buffer_shares": (Decimal(0),) * 4,
            "buffer_fomc_share": Decimal(0),
            "buffer_cpi_share": Decimal(0),
            "buffer_earnings_share": Decimal(0),
            "buffer_expiration_share": Decimal(0),
            "buffer_december_share": Decimal(0),
            "entries_high_vix": NEVER,
            "entries_crisis_vix": NEVER,
            "group_high_vix": NEVER,
            "vix_spike_points": NEVER,
            "cap_shares": "off",
        }),
        loosened=frozenset({
            "VIX regime", "capital in use", "margin buffer", "entries a day", "correlation group",
            "share of the cap",
        }),
        signs=frozenset({BIG, "pause.vix_spike"}),
        how="caps, sizes, margin buffer, closing only, spike pause and fewer entries by VIX never bind",
    ),
    Row(
        "margins",
        "margin on one name",
        "C.2, ruling 13",
        limits=frozenset({"underlying", "strategy margin", "expiry margin"}),
        how="15 % on one underlying, 30 % on one strategy, 25 % on one expiry left out of the gate",
    ),
    Row("heat", "heat", "C.2", limits=frozenset({"heat"}), how="the sum of planned losses left out"),
    Row(
        "trade",
        "per trade",
        "A.3, C.2",
        limits=frozenset({"loss at stop", "position capital"}),
        how="2 % at the stop and 5 % of capital for one position left out of the gate",
    ),
    Row(
        "counts",
        "counts and spacing",
        "A.3, B.2, C.2",
        limits=frozenset({
            "open positions", "entries a day", "entry spacing", "same expiry", "expiry week",
            "LT112's expiries",
        }),
        how="open positions, entries a day, five minutes, expiries and their weeks left out of the gate",
    ),
    Row(
        "dte",
        "21 DTE",
        "ruling 10",
        limits=frozenset({"21-DTE exits"}),
        exits=frozenset({"21 DTE", "21 DTE of the spread"}),
        how="the strategies' exits at 21 days left out: what no other exit ends runs to its expiry",
    ),
    Row(
        "stops",
        "stops",
        "B",
        exits=frozenset({ANY_STOP}),
        how="the strategies' exits on loss, delta or a tested strike left out; those by time and VIX stay",
    ),
)  # fmt: skip


def _off(key: str, title: str, kept: Row | None, how: str) -> Row:
    """Everything of every row off, but what ``kept`` would switch off."""
    rows = [row for row in PROTECTIONS if row is not kept]
    stays = kept or Row("", "", "")
    settings: dict[str, Any] = {}
    for row in rows:
        settings.update(row.settings)
    return Row(
        key,
        title,
        stays.source,
        limits=frozenset().union(*(row.limits for row in rows)) - stays.limits,
        settings=settings,
        exits=frozenset().union(*(row.exits for row in rows)) - stays.exits,
        how=how,
    )


ALL_OFF = _off("off", "all of these off", None, "for scale: all of the rows above at once")
ROWS = (ALL_ON, *PROTECTIONS, ALL_OFF)
ALONE = {row.key: _off(f"only {row.key}", row.title, row, "all off but this") for row in PROTECTIONS}
"""By the protection that is left: all others off."""
BY_KEY = {row.key: row for row in (*ROWS, *ALONE.values())}
KNOWN = frozenset(limit.name for limit in LIMITS)
assert PACE in KNOWN
assert all(row.touched <= KNOWN for row in ROWS), "a row names a limit that the gate does not have"
