import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.domain.record import Trade
from tomking.sim import metrics
from tomking.sim.metrics import (
    daily_returns,
    deepest_drawdown,
    drawdowns,
    growth,
    monthly_returns,
    performance,
    stats_by,
    time_in_market,
    trade_stats,
    wilson,
    yearly_returns,
)

MONDAY = date(2031, 3, 3)


def sessions(count: int) -> list[date]:
    return [MONDAY + timedelta(days=i) for i in range(count)]


def trade(
    net: str, *, strategy: str = "friday_0dte", opened: date = MONDAY, days: int = 0, fees: str = "0"
) -> Trade:
    start = datetime(opened.year, opened.month, opened.day, 15, tzinfo=UTC)
    gross = Decimal(net) + Decimal(fees)
    return Trade(
        id="t", strategy=strategy, kind="condor", product="SPXW", legs="", units=1, opened=start,
        closed=start + timedelta(days=days, hours=3), trigger="target", entry_net=Decimal(5),
        gross=gross, fees=Decimal(fees), parts=(),
    )  # fmt: skip


def test_a_deposit_is_capital_and_not_profit() -> None:
    # 100 becomes 110 (+10 %); 90 is paid in, and 200 becomes 190 (-5 %).
    returns = daily_returns(np.array([110.0, 190.0]), np.array([100.0, 90.0]))
    assert returns == pytest.approx([0.10, -0.05])
    assert growth(returns)[-1] == pytest.approx(1.10 * 0.95)


def test_after_ruin_there_is_nothing_more_to_lose() -> None:
    returns = daily_returns(np.array([50.0, -10.0, -10.0]), np.array([100.0, 0.0, 0.0]))
    assert returns == pytest.approx([-0.5, -1.0, 0.0])
    assert performance(sessions(3), returns, np.zeros(3)).total_return == -1.0


def test_one_year_of_figures_by_hand() -> None:
    # +10 %, -5 %, +2 % over 2031-03-03 to 2033-03-02, 730 days:
    # growth 1.10 x 0.95 x 1.02 = 1.06590; CAGR 1.0659 ** (365.25/730) - 1 = 3.2446 %.
    days = [MONDAY, date(2031, 3, 4), date(2033, 3, 2)]
    returns = np.array([0.10, -0.05, 0.02])
    found = performance(days, returns, np.full(3, 0.01))
    assert found.total_return == pytest.approx(0.0659)
    assert found.cagr == pytest.approx(0.032446, abs=1e-6)
    # mean 0.023333; deviations 0.076667, -0.073333, -0.003333: squares sum 0.0112667, / 2, root 0.0750555
    assert found.volatility == pytest.approx(0.0750555 * math.sqrt(252), rel=1e-5)
    # excess mean 0.0133333 over the same deviation
    assert found.sharpe == pytest.approx(0.0133333 / 0.0750555 * math.sqrt(252), rel=1e-5)
    # excess 0.09, -0.06, 0.01: downside sqrt(0.0036 / 3) = 0.0346410
    assert found.sortino == pytest.approx(0.0133333 / 0.0346410 * math.sqrt(252), rel=1e-5)
    assert found.calmar == pytest.approx(0.032446 / 0.05, rel=1e-4)
    assert found.worst_day[0] == date(2031, 3, 4)
    assert found.worst_day[1] == pytest.approx(-0.05)
    assert found.best_day[0] == MONDAY
    assert found.best_day[1] == pytest.approx(0.10)
    assert found.worst_month[0] == "2033-03"
    assert found.worst_month[1] == pytest.approx(0.02)
    assert found.best_month[0] == "2031-03"
    assert found.best_month[1] == pytest.approx(0.045)


def test_a_single_session_has_no_ratios() -> None:
    found = performance([MONDAY], np.array([0.01]), np.zeros(1))
    assert (found.cagr, found.volatility, found.sharpe, found.calmar) == (None, None, None, None)
    assert found.sortino is None
    assert found.total_return == pytest.approx(0.01)


def test_unchanging_returns_have_no_sharpe() -> None:
    assert performance(sessions(5), np.full(5, 0.001), np.zeros(5)).sharpe is None


def test_an_idle_account_has_no_ratios_whatever_cash_earns() -> None:
    found = performance(sessions(3), np.zeros(3), np.array([0.0001, 0.0002, 0.0001]))
    assert (found.sharpe, found.sortino) == (None, None)


def test_the_drawdown_runs_from_its_peak_to_its_recovery() -> None:
    # Index 1.1, 0.99, 0.88, 1.144: peak on day 1, trough day 3 at -20 %, recovered on day 4.
    returns = np.array([0.10, -0.10, -1 / 9, 0.30])
    found = deepest_drawdown(sessions(4), returns)
    assert found.depth == pytest.approx(0.20)
    assert (found.peak, found.trough, found.recovered) == (
        date(2031, 3, 3),
        date(2031, 3, 5),
        date(2031, 3, 6),
    )
    assert found.days == 3


def test_a_fall_from_the_start_counts() -> None:
    found = deepest_drawdown(sessions(3), np.array([-0.10, 0.05, 0.01]))
    assert found.depth == pytest.approx(0.10)
    assert found.recovered is None
    assert (found.peak, found.days) == (MONDAY, 2)


def test_without_a_fall_the_depth_is_zero() -> None:
    found = deepest_drawdown(sessions(2), np.array([0.0, 0.01]))
    assert (found.depth, found.days) == (0.0, 0)


@given(st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=60))
def test_the_deepest_drawdown_is_the_worst_of_all_pairs(returns: list[float]) -> None:
    index = [1.0]
    for r in returns:
        index.append(index[-1] * (1 + r))
    worst = max(1 - index[j] / index[i] for i in range(len(index)) for j in range(i, len(index)))
    array = np.array(returns)
    assert deepest_drawdown(sessions(len(returns)), array).depth == pytest.approx(worst, abs=1e-12)
    assert drawdowns(array).min() == pytest.approx(-worst, abs=1e-12)


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=200))
def test_months_and_years_compound_to_the_whole(returns: list[float]) -> None:
    days, array = sessions(len(returns)), np.array(returns)
    whole = growth(array)[-1]
    for parts in (monthly_returns(days, array), yearly_returns(days, array)):
        assert np.prod([1 + r for r in parts.values()]) == pytest.approx(whole)


def test_wilson_agrees_with_the_textbook() -> None:
    # 81 of 263 (Newcombe 1998, table I): 0.2553 to 0.3662.
    low, high = wilson(81, 263) or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) is None
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)  # Newcombe: 0 of 20


@given(st.integers(1, 2000), st.data())
def test_wilson_is_scipys(trades: int, data: st.DataObject) -> None:
    stats = pytest.importorskip("scipy.stats")
    wins = data.draw(st.integers(0, trades))
    theirs = stats.binomtest(wins, trades).proportion_ci(method="wilson")
    assert wilson(wins, trades) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_trades_are_counted_to_the_cent() -> None:
    # Won 100.10 and 50.05, lost 75.00, scratched 0: 2 of 4; 150.15 / 75 = 2.002; 75.15 / 4 = 18.7875
    found = trade_stats([trade("100.10", fees="2.50"), trade("50.05", days=2), trade("-75"), trade("0")])
    assert (found.trades, found.wins, found.win_rate) == (4, 2, 0.5)
    assert found.average_win == Decimal("75.075")
    assert found.average_loss == Decimal("-37.5")  # the scratch is no win: -75 over two trades
    assert found.profit_factor == pytest.approx(2.002)
    assert found.expectancy == Decimal("18.7875")
    assert (found.best, found.worst) == (Decimal("100.10"), Decimal(-75))
    assert (found.net, found.fees, found.gross) == (Decimal("75.15"), Decimal("2.50"), Decimal("77.65"))
    assert found.average_days == 0.5


def test_no_trades_have_no_averages() -> None:
    found = trade_stats([])
    assert (found.trades, found.net) == (0, Decimal(0))
    assert (found.win_rate, found.average_win, found.profit_factor, found.worst) == (None, None, None, None)


def test_without_a_loss_there_is_no_profit_factor() -> None:
    assert trade_stats([trade("1")]).profit_factor is None
    assert trade_stats([trade("0")]).profit_factor is None


def test_groups_sum_to_the_whole() -> None:
    trades = [trade("5"), trade("-3", strategy="lt112"), trade("4")]
    groups = stats_by(trades, lambda t: t.strategy)
    assert list(groups) == ["friday_0dte", "lt112"]
    assert groups["friday_0dte"].net == 9
    assert sum(g.trades for g in groups.values()) == 3


def test_time_in_market_counts_sessions_with_something_open() -> None:
    # Ten sessions: one trade over three of them, one inside a session, one still open at the last close.
    days = sessions(10)
    trades = [trade("1", opened=days[1], days=2), trade("1", opened=days[6])]
    open_at_close = [False] * 9 + [True]
    assert time_in_market(days, trades, open_at_close) == pytest.approx(0.5)


def test_252_sessions_are_a_year() -> None:
    assert metrics.SESSIONS_A_YEAR == 252
