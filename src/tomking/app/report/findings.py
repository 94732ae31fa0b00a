"""Every figure of the report, computed once: the page, the terminal and run.json only show them."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.app.report.rundata import CLAIMED_DRAWDOWN, CLAIMED_SHARPE, CLAIMED_YEARLY, Claim, Day, RunData
from tomking.domain.money import ZERO
from tomking.domain.record import Trade
from tomking.sim.metrics import (
    Performance,
    TradeStats,
    daily_returns,
    monthly_returns,
    performance,
    stats_by,
    time_in_market,
    trade_stats,
    yearly_returns,
)

ENOUGH_TRADES = 50
"""A strategy with fewer closed trades gets its own explanation."""
YEAR = 365
"""Days."""
IDLE = 0.05
"""With positions in a smaller share of its sessions an account gets no ratios: its returns are almost
all zero, and a ratio would measure the cash rate (a Sharpe of -14 for two small losses in 34 years)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A claimed win rate beside the measured one."""

    claim: Claim
    stats: TradeStats
    verdict: str
    """``inside``, ``above`` or ``below``: where the claim lies seen from the measured interval."""
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the strategies table: an entry of a strategy, or all of it."""

    strategy: str
    entry: str | None
    """None: all entries together."""
    several: bool
    """Whether the strategy has more entries than one."""
    stats: TradeStats
    slippage: Decimal
    """Dollars, of the closed trades."""
    measured: Measured | None
    """The claim that speaks of exactly these trades."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A claim about the whole account beside what was measured."""

    claim: str
    measured: str
    met: bool | None
    """None: the run is under a year, or has no such figure."""
    source: str

    @property
    def verdict(self) -> str:
        """In words."""
        if self.met is None:
            return "not judged on so short a run"
        return "met in this run" if self.met else "not met"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One run's figures.  Shares: 0.01 = 1 %."""

    run: RunData
    returns: NDArray[np.float64]
    performance: Performance
    monthly: Mapping[tuple[int, int], float]
    yearly: Mapping[int, float]
    total: TradeStats
    by_strategy: Mapping[str, TradeStats]
    """Every strategy that was asked, also without a trade."""
    by_kind: Mapping[tuple[str, str], TradeStats]
    by_exit: Mapping[tuple[str, str], TradeStats]
    """(strategy, rule that closed it)."""
    in_market: float
    in_market_by_strategy: Mapping[str, float]
    bp_use: tuple[float, ...]
    """Capital in use over net liq at each close."""
    measured: tuple[Measured, ...]
    compared: tuple[Compared, ...]
    """Empty where nothing was traded: an idle account meets no claim."""
    net_profit: Decimal
    """Dollars: last net liq less everything paid in."""
    lines: tuple[Line, ...]
    """Entry by entry, then the strategy, in the order the strategies were asked."""

    @property
    def final(self) -> Decimal:
        return self.run.history.days[-1].net_liq

    @property
    def open_profit(self) -> Decimal:
        """Dollars of profit in positions that are still open: counted, but in no trade."""
        return self.net_profit - self.total.net

    @property
    def idle(self) -> bool:
        """Held positions too seldom for its ratios to mean anything."""
        return self.in_market < IDLE

    @property
    def bp_average(self) -> float:
        return sum(self.bp_use) / len(self.bp_use)

    @property
    def bp_most(self) -> float:
        return max(self.bp_use)

    @property
    def slippage(self) -> Decimal:
        return sum(self.run.history.slippage.values(), ZERO)

    @property
    def sparse(self) -> tuple[str, ...]:
        """Strategies with fewer closed trades than ``ENOUGH_TRADES``."""
        return tuple(name for name, stats in self.by_strategy.items() if stats.trades < ENOUGH_TRADES)


def find(run: RunData) -> Findings:
    """Computes everything.  The run has at least one session."""
    days, trades = run.history.days, run.history.trades
    dates = [day.date for day in days]
    returns = daily_returns(
        np.array([float(day.net_liq) for day in days]), np.array([float(day.deposits) for day in days])
    )
    overall = performance(dates, returns, np.array(run.risk_free))
    groups = stats_by(trades, lambda t: t.strategy)
    by_strategy = {name: groups.get(name, trade_stats([])) for name in run.strategies}
    in_market = time_in_market(dates, trades, [day.capital > 0 for day in days])
    if in_market < IDLE:
        overall = replace(overall, sharpe=None, sortino=None, calmar=None)
    measured = tuple(_judge(c, trades) for c in run.claims if c.strategy in by_strategy)
    return Findings(
        run=run,
        returns=returns,
        performance=overall,
        monthly=monthly_returns(dates, returns),
        yearly=yearly_returns(dates, returns),
        total=trade_stats(trades),
        by_strategy=by_strategy,
        by_kind=dict(sorted(stats_by(trades, lambda t: (t.strategy, t.kind)).items())),
        by_exit=dict(sorted(stats_by(trades, lambda t: (t.strategy, t.trigger)).items())),
        in_market=in_market,
        in_market_by_strategy={
            name: time_in_market(dates, [t for t in trades if t.strategy == name], [False] * len(days))
            for name in run.strategies
        },
        bp_use=tuple(_bp_use(day) for day in days),
        measured=measured,
        compared=_compared(overall, dates) if trades and in_market >= IDLE else (),
        net_profit=days[-1].net_liq - sum((day.deposits for day in days), ZERO),
        lines=tuple(line for name in run.strategies for line in _lines(name, run, measured)),
    )


def cap_at(run: RunData, vix: float | None) -> float | None:
    """The greatest capital in use allowed at this VIX, as a share of net liq."""
    if vix is None or not run.bp_caps:
        return None
    at = bisect_right(run.bp_caps, vix, key=lambda step: step[0]) - 1
    return run.bp_caps[max(at, 0)][1]


def _bp_use(day: Day) -> float:
    return float(day.capital / day.net_liq) if day.net_liq > 0 else 0.0


def _lines(strategy: str, run: RunData, measured: Sequence[Measured]) -> list[Line]:
    """The entries that traded or were refused, each alone, then all of them; one line for a single one."""
    trades = [t for t in run.history.trades if t.strategy == strategy]
    refused = (r.entry for r in run.history.refusals if r.strategy == strategy)
    entries = sorted({t.kind for t in trades}.union(refused))
    claims = {m.claim.entries: m for m in measured if m.claim.strategy == strategy}
    if len(entries) < 2:
        claim = next(iter(claims.values()), None)
        return [Line(strategy, None, False, trade_stats(trades), _slippage(trades), claim)]  # noqa: FBT003
    groups = [(e, [t for t in trades if t.kind == e]) for e in entries]
    parts = [Line(strategy, e, True, trade_stats(g), _slippage(g), claims.get((e,))) for e, g in groups]  # noqa: FBT003
    return [*parts, Line(strategy, None, True, trade_stats(trades), _slippage(trades), claims.get(()))]  # noqa: FBT003


def _slippage(trades: Sequence[Trade]) -> Decimal:
    return sum((t.slippage for t in trades), ZERO)


def _judge(claim: Claim, trades: Sequence[Trade]) -> Measured:
    """Inside when the claimed range and the Wilson interval touch."""
    mine = [t for t in trades if t.strategy == claim.strategy and t.kind in (claim.entries or (t.kind,))]
    stats = trade_stats(mine)
    if stats.interval is None:
        return Measured(claim, stats, "none", "no closed trade: nothing was measured")
    low, high = stats.interval
    few = "" if stats.trades >= claim.sample else f" ({stats.trades} closed, {claim.sample} are asked for)"
    few += f", counting the {' and '.join(claim.entries)} entries" if claim.entries else ""
    if claim.low > high:
        return Measured(claim, stats, "above", f"not met: the claim lies above the interval{few}")
    if claim.high < low:
        return Measured(claim, stats, "below", f"exceeded: the claim lies below the interval{few}")
    verdict = "not contradicted" if stats.trades >= claim.sample else "too few trades to tell"
    return Measured(claim, stats, "inside", f"{verdict}: the claim lies inside the interval{few}")


def _compared(overall: Performance, days: Sequence[date]) -> tuple[Compared, ...]:
    """Claims about years; a run of less than one neither meets nor misses them."""
    long = (days[-1] - days[0]).days >= YEAR
    depth, sharpe, cagr = overall.drawdown.depth, overall.sharpe, overall.cagr
    return (
        Compared(
            f"greatest drawdown below {CLAIMED_DRAWDOWN:.0%}",
            f"{depth:.1%}",
            depth < CLAIMED_DRAWDOWN if long else None,
            "J, H9",
        ),
        Compared(
            f"Sharpe ratio above {CLAIMED_SHARPE:.1f}",
            "not measurable" if sharpe is None else f"{sharpe:.2f}".replace("-", "−"),
            sharpe > CLAIMED_SHARPE if long and sharpe is not None else None,
            "J, H9",
        ),
        Compared(
            f"{CLAIMED_YEARLY:.0%} a year and more",
            "not measurable" if cagr is None else f"{cagr:.1%} a year".replace("-", "−"),
            cagr >= CLAIMED_YEARLY if long and cagr is not None else None,
            "J, H8",
        ),
    )
