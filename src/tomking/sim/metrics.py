"""What a run earned and at what risk, from its daily equity and its closed trades.

Returns are time-weighted: a deposit counts as made before its session, so that it is capital
and never profit.  Ratios use 252 sessions a year; CAGR uses calendar days.  What cannot be
computed (no losing day, one session) is None, never zero or infinity.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tomking.domain.calendar import new_york
from tomking.domain.money import ZERO
from tomking.domain.record import Trade

Floats = NDArray[np.float64]
K = TypeVar("K", bound=Hashable)

SESSIONS_A_YEAR = 252
DAYS_A_YEAR = 365.25
Z_95 = 1.959963984540054
"""Two-sided 95 % point of the standard normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall of the time-weighted index below its earlier peak."""

    depth: float
    """Share of the peak, >= 0."""
    peak: date
    """The session of the peak; the first session when it fell from the start."""
    trough: date
    recovered: date | None
    """The first session at or above the peak again; None: not yet."""
    days: int
    """Calendar days from the peak to the recovery, or to the last session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Shares, 0.01 = 1 %, unless said otherwise."""

    total_return: float
    """``prod(1 + r) - 1``."""
    cagr: float | None
    """``prod(1 + r) ** (365.25 / calendar days) - 1``; None under one day, -1 after ruin."""
    volatility: float | None
    """``std(r, ddof=1) * sqrt(252)``."""
    sharpe: float | None
    """``mean(r - rf) / std(r - rf, ddof=1) * sqrt(252)`` (Sharpe 1994)."""
    sortino: float | None
    """``mean(r - rf) / sqrt(mean(min(r - rf, 0)**2)) * sqrt(252)`` (Sortino and van der Meer 1991)."""
    calmar: float | None
    """``cagr / depth of the deepest drawdown``."""
    drawdown: Drawdown
    best_day: tuple[date, float]
    worst_day: tuple[date, float]
    best_month: tuple[str, float]
    """"2031-03" and its return."""
    worst_month: tuple[str, float]


def daily_returns(net_liq: Floats, deposits: Floats) -> Floats:
    """Time-weighted session returns, shape (n,).

    net_liq   dollars at each close, shape (n,)
    deposits  dollars paid in (> 0) or out before each session, shape (n,); the first is the
              opening capital

    ``r[t] = net_liq[t] / (net_liq[t-1] + deposits[t]) - 1``, with nothing before the first.  Without
    capital (base <= 0) the return is 0: what is lost was lost before.
    """
    base = np.concatenate(([0.0], net_liq[:-1])) + deposits
    returns = np.zeros(len(base))
    np.divide(net_liq, base, out=returns, where=base > 0)
    returns[base > 0] = np.maximum(returns[base > 0] - 1.0, -1.0)
    return returns


def growth(returns: Floats) -> Floats:
    """The index that starts at 1 before the first session: ``cumprod(1 + r)``, shape (n,)."""
    return np.asarray(np.cumprod(1.0 + returns), dtype=np.float64)


def drawdowns(returns: Floats) -> Floats:
    """Share below the highest index so far (at least 1, the start), <= 0, shape (n,)."""
    index = growth(returns)
    return index / np.maximum(np.maximum.accumulate(index), 1.0) - 1.0


def performance(days: Sequence[date], returns: Floats, risk_free: Floats) -> Performance:
    """All figures of a run.

    days       sessions, ascending, at least one
    returns    of ``daily_returns``, shape (n,)
    risk_free  simple return of cash for each session, shape (n,), 0.0001 = 1 basis point
    """
    assert len(days) == len(returns) == len(risk_free) > 0, "one return and one rate for each session"
    total = float(growth(returns)[-1]) - 1.0
    years = (days[-1] - days[0]).days / DAYS_A_YEAR
    cagr = (1.0 + total) ** (1.0 / years) - 1.0 if years > 0 else None
    deepest = deepest_drawdown(days, returns)
    months = list(monthly_returns(days, returns).items())
    low, high = int(np.argmin(returns)), int(np.argmax(returns))
    return Performance(
        total_return=total,
        cagr=cagr,
        volatility=_scaled(_deviation(returns)),
        sharpe=_scaled(_ratio(returns, risk_free, _deviation)),
        sortino=_scaled(_ratio(returns, risk_free, _downside)),
        calmar=cagr / deepest.depth if cagr is not None and deepest.depth > 0 else None,
        drawdown=deepest,
        best_day=(days[high], float(returns[high])),
        worst_day=(days[low], float(returns[low])),
        best_month=_named(max(months, key=lambda item: item[1])),
        worst_month=_named(min(months, key=lambda item: item[1])),
    )


def deepest_drawdown(days: Sequence[date], returns: Floats) -> Drawdown:
    """The deepest drawdown; of equals the first.  Depth 0 on the first day when there was none."""
    below = drawdowns(returns)
    trough = int(np.argmin(below))
    if below[trough] >= 0:
        return Drawdown(depth=0.0, peak=days[0], trough=days[0], recovered=days[0], days=0)
    at_peak = np.flatnonzero(below[:trough] >= 0)
    peak = days[int(at_peak[-1])] if len(at_peak) else days[0]
    healed = np.flatnonzero(below[trough:] >= 0)
    recovered = days[trough + int(healed[0])] if len(healed) else None
    return Drawdown(
        depth=-float(below[trough]),
        peak=peak,
        trough=days[trough],
        recovered=recovered,
        days=((recovered or days[-1]) - peak).days,
    )


def monthly_returns(days: Sequence[date], returns: Floats) -> dict[tuple[int, int], float]:
    """(year, month) to ``prod(1 + r) - 1`` of its sessions, ascending."""
    return _compounded(days, returns, lambda day: (day.year, day.month))


def yearly_returns(days: Sequence[date], returns: Floats) -> dict[int, float]:
    """Year to ``prod(1 + r) - 1`` of its sessions, ascending."""
    return _compounded(days, returns, lambda day: day.year)


def wilson(wins: int, trades: int, z: float = Z_95) -> tuple[float, float] | None:
    """Score interval of a win rate, each end in [0, 1]; None without a trade.

    ``(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``  (Wilson 1927, J. Am. Stat. Assoc. 22).

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if not trades:
        return None
    p, n = wins / trades, trades
    middle = p + z * z / (2 * n)
    spread = z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    scale = 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeStats:
    """Closed trades of one strategy, entry or rule; dollars are net of fees unless said otherwise."""

    trades: int
    wins: int
    """Trades that ended above zero after fees; a scratch is none."""
    win_rate: float | None
    interval: tuple[float, float] | None
    """Wilson, 95 %."""
    average_win: Decimal | None
    average_loss: Decimal | None
    """Dollars, <= 0."""
    profit_factor: float | None
    """Dollars won per dollar lost; None without a loss."""
    expectancy: Decimal | None
    """Dollars per trade."""
    best: Decimal | None
    worst: Decimal | None
    gross: Decimal
    """Dollars before fees."""
    fees: Decimal
    net: Decimal
    average_days: float | None
    """Calendar days a trade was open."""


def trade_stats(trades: Sequence[Trade]) -> TradeStats:
    """Counts and sums are exact; averages have the Decimal context's 28 digits."""
    nets = [trade.net for trade in trades]
    won, lost = [n for n in nets if n > 0], [n for n in nets if n <= 0]
    held = [(new_york(t.closed).date() - new_york(t.opened).date()).days for t in trades]
    return TradeStats(
        trades=len(nets),
        wins=len(won),
        win_rate=len(won) / len(nets) if nets else None,
        interval=wilson(len(won), len(nets)),
        average_win=_mean(won),
        average_loss=_mean(lost),
        profit_factor=float(sum(won, ZERO) / -sum(lost, ZERO)) if any(lost) else None,
        expectancy=_mean(nets),
        best=max(nets, default=None),
        worst=min(nets, default=None),
        gross=sum((t.gross for t in trades), ZERO),
        fees=sum((t.fees for t in trades), ZERO),
        net=sum(nets, ZERO),
        average_days=sum(held) / len(held) if held else None,
    )


def stats_by(trades: Sequence[Trade], key: Callable[[Trade], K]) -> dict[K, TradeStats]:
    """Statistics of each group, in the order in which the groups first closed a trade."""
    groups: dict[K, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(key(trade), []).append(trade)
    return {name: trade_stats(members) for name, members in groups.items()}


def time_in_market(days: Sequence[date], trades: Iterable[Trade], held_overnight: Sequence[bool]) -> float:
    """Share of sessions in which something was held, 0 to 1.

    days            sessions, ascending
    held_overnight  whether positions were open at each close: counts what has not closed yet
    """
    index = {day: i for i, day in enumerate(days)}
    busy = np.array(held_overnight, dtype=np.bool_)
    for trade in trades:
        first, last = index.get(new_york(trade.opened).date()), index.get(new_york(trade.closed).date())
        if first is not None and last is not None:
            busy[first : last + 1] = True
    return float(np.mean(busy)) if len(busy) else 0.0


def _compounded(days: Sequence[date], returns: Floats, key: Callable[[date], K]) -> dict[K, float]:
    pairs = groupby(zip(days, returns, strict=True), key=lambda pair: key(pair[0]))
    return {name: float(np.prod([1.0 + r for _, r in members])) - 1.0 for name, members in pairs}


def _deviation(values: Floats) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _downside(values: Floats) -> float | None:
    return float(np.sqrt(np.mean(np.minimum(values, 0.0) ** 2)))


def _ratio(returns: Floats, risk_free: Floats, risk: Callable[[Floats], float | None]) -> float | None:
    # A spread of rounding errors is no risk: an account that never moved has no ratio, although
    # the rate of cash moves its excess.
    excess = returns - risk_free
    own, taken = _deviation(returns), risk(excess)
    if own is None or taken is None or min(own, taken) <= 1e-15:
        return None
    return float(np.mean(excess)) / taken


def _scaled(value: float | None) -> float | None:
    return None if value is None else value * SESSIONS_A_YEAR**0.5


def _mean(values: Sequence[Decimal]) -> Decimal | None:
    return sum(values, ZERO) / len(values) if values else None


def _named(month: tuple[tuple[int, int], float]) -> tuple[str, float]:
    (year, number), value = month
    return f"{year}-{number:02d}", value
