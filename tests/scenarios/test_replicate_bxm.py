"""The BuyWrite index by its rules: a month by hand, then the model market against what was published."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.worlds import ScriptedMarket, weekdays

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.app.replicate import rules
from tomking.app.replicate.income import Earnings, Income
from tomking.app.replicate.published import BXM, DIVIDENDS, dividend_yield
from tomking.app.replicate.rolled import Rolled, is_roll_day
from tomking.app.replicate.rules import on_step
from tomking.app.replicate.run import (
    FIRST,
    LAST,
    WARM_UP,
    World,
    compared,
    play,
    play_session,
    returns_by_year,
    visits,
)
from tomking.app.replicate.text import as_facts, as_text
from tomking.app.replicate.unlimited import Unlimited
from tomking.app.sections import HISTORY_LAST
from tomking.app.wiring import frictionless_kernel
from tomking.domain import events as ev
from tomking.domain.book import fold
from tomking.domain.calendar import Sessions, new_york, wall_instant
from tomking.domain.chain import Chain
from tomking.domain.contract import Contract, Option, Share
from tomking.kernel import Kernel

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / "../shared/data/facts/bxm_calendar_year_returns.csv"
DOCUMENT = ROOT / "docs/replication.md"
SOLD, SETTLED, NEXT = date(2010, 1, 15), date(2010, 2, 19), date(2010, 3, 19)


def level_at(now: datetime) -> float:
    """1000 until the call settles at 1050; 1060 from 11:00 that day on."""
    if now < wall_instant(SETTLED, time(9, 30)):
        return 1000.0
    return 1050.0 if now < wall_instant(SETTLED, time(11)) else 1060.0


@dataclass
class Month(ScriptedMarket):
    """Two third Fridays; the call sold first is worth 20, the next one 22."""

    def spot(self, family: str, now: datetime) -> float | None:
        return level_at(now)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return tuple(day for day in (SOLD, SETTLED, NEXT) if day > new_york(now).date())

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        none, whole = np.empty(0), np.empty(0, np.int64)
        return Chain(
            product=product,
            expiry=expiry,
            as_of=now,
            multiplier=Decimal(100),
            tick=Decimal("0.05"),
            strike_unit=Decimal(5),
            forward=level_at(now),
            discount=1.0,
            years=0.1,
            right=np.empty(0, np.int8),
            strike=whole,
            bid=whole,
            ask=whole,
            iv=none,
            delta=none,
        )

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        return 1050.0 if contract.expiry == SETTLED and now >= wall_instant(SETTLED, time(9, 30)) else None


def mid(contract: Contract, now: datetime) -> float | None:
    if isinstance(contract, Share):
        return level_at(now)
    assert isinstance(contract, Option)
    if new_york(now).date() >= contract.expiry:
        return None
    return 20.0 if contract.expiry == SETTLED else 22.0


def a_kernel(capital: int) -> tuple[Kernel, MemoryJournal, Sessions]:
    sessions, journal = weekdays(date(2010, 1, 4), 60), MemoryJournal()
    kernel = frictionless_kernel(
        strategy=Rolled(rules.BXM, sessions),
        risk=Unlimited(),
        market=Month(mid),
        sessions=sessions,
        journal=journal,
    )
    kernel.record(ev.CashMoved(sessions.days[0].open, Decimal(capital), "capital"))
    return kernel, journal, sessions


def step_through(kernel: Kernel, wake: datetime, last: datetime) -> None:
    while wake <= last:
        kernel.step(wake)
        wake = kernel.next_wake(wake)


def test_a_month_of_the_buywrite_index_by_hand() -> None:
    kernel, journal, sessions = a_kernel(capital=980_000)

    # 15 January, 11:00: index 1000, the 1000 call brings 20; 980 points x $100 a unit: ten units, no cash.
    step_through(kernel, sessions.days[0].open, wall_instant(SOLD, time(16)))
    (position,) = kernel.book.positions.values()
    assert [str(one.structure) for one in position.components.values()] == [
        "+1 SPX S",
        "-1 SPX 2010-02-19 C1000",
    ]
    assert [one.units for one in position.components.values()] == [10, 10]
    assert (kernel.book.cash, kernel.book.fees) == (Decimal(0), Decimal(0))

    # Two points of dividends on ten shares of $100 a point.
    paid = ev.Paid(wall_instant(SOLD, time(16)), position.id, "index", Decimal(2000), "dividends")
    kernel.record(paid)

    # 19 February: the call settles at the open, 1050 - 1000 = 50 points, and is gone before the roll.
    step_through(kernel, wall_instant(date(2010, 1, 18), time(9, 30)), wall_instant(SETTLED, time(10, 59)))
    assert kernel.book.cash == Decimal(2000 - 50_000)
    (held,) = kernel.book.positions.values()
    assert [one.role for one in held.open_components] == ["index"]

    # 11:00, the index at 1060: (S + Div - C) / (S' - C') = (1060 + 2 - 50) / (1000 - 20) = 1012 / 980.
    step_through(kernel, wall_instant(SETTLED, time(11)), wall_instant(SETTLED, time(16)))
    assert kernel.book.prior_close == Decimal(1_012_000)
    # The next unit costs (1060 - 22) x $100 = $103,800; nine fit, the rest is cash.
    (following,) = kernel.book.positions.values()
    assert [str(one.structure) for one in following.components.values()] == [
        "+1 SPX S",
        "-1 SPX 2010-03-19 C1060",
    ]
    assert [one.units for one in following.components.values()] == [9, 9]
    assert kernel.book.cash == Decimal(1_012_000 - 9 * 103_800)
    assert kernel.book.fees == 0
    assert fold(journal.read()) == kernel.book


def paying(days: Sequence[date]) -> Earnings:
    """Two points of dividends on every session, bills without interest."""
    rows = {day: row for row, day in enumerate(days)}
    return Earnings(rows, np.arange(0.0, 2.0 * len(days), 2.0), np.zeros(len(days)))


def test_a_roll_reinvests_the_months_dividends_but_not_the_days_own() -> None:
    kernel, journal, sessions = a_kernel(capital=980_000)
    earnings = paying([s.date for s in sessions.days])
    income = Income(rules.BXM, earnings, paid_to=SOLD, bought=SOLD)
    by_day = {s.date: s for s in sessions.days}
    for day in (SOLD, SETTLED):
        play_session(kernel, by_day[day], sessions, income, Month(mid))
    paid = [event for event in journal.read() if isinstance(event, ev.Paid)]
    # Ten shares of $100 a point.  15 January to 18 February are 24 sessions after the first: 48 points,
    # paid before the roll; 19 February's own two points go to the new shares, at the close.
    assert [one.dollars for one in paid] == [Decimal(48_000), Decimal(2000)]
    assert [new_york(one.at).time() for one in paid] == [time(9, 30), time(16)]
    # (1060 + 48 - 50) x 1000 = $1,058,000 at the roll: ten units of $103,800.
    assert kernel.book.prior_close == Decimal(1_058_000 + 2000)


def test_only_rolls_and_the_last_sessions_of_years_are_visited() -> None:
    world = World.load()
    days = [s.date for s in visits(world.sessions, date(2012, 1, 3), date(2013, 12, 31))]
    assert len(days) == 2 * 13
    assert {day for day in days if not is_roll_day(day, world.sessions)} == {
        date(2012, 12, 31),
        date(2013, 12, 31),
    }


def test_a_year_of_earnings_is_the_years_dividends_and_interest() -> None:
    world = World.load()
    history, earnings = world.history, world.earnings
    last = {year: max(d for d in earnings.rows if d.year == year) for year in (2010, 2011)}
    row = earnings.rows[last[2010]]
    level = history.spx.close[row : earnings.rows[last[2011]] + 1].mean()
    share = earnings.points(last[2010], last[2011]) / level
    assert share == pytest.approx(np.log1p(DIVIDENDS[2011] / 100), rel=0.02)
    # The bill bought on the last day of 2010 is of the day before's rate.
    bill = earnings.interest(last[2010], last[2010], last[2011])
    assert bill == pytest.approx(np.expm1(history.rate[row - 1] * 364 / 365))


def test_the_calls_strike_is_the_first_at_or_above_the_index_and_the_puts_the_first_at_or_below() -> None:
    levels = (1271.99, 1275.0, 1275.01, 1000.0)
    above = [on_step(level, Decimal(5), ROUND_CEILING) for level in levels]
    below = [on_step(level, Decimal(5), ROUND_FLOOR) for level in levels]
    assert above == [Decimal(1275), Decimal(1275), Decimal(1280), Decimal(1000)]
    assert below == [Decimal(1270), Decimal(1275), Decimal(1275), Decimal(1000)]


def test_the_roll_is_on_third_fridays_or_the_session_before_a_holiday() -> None:
    sessions = load_sessions(date(2019, 1, 2), date(2019, 12, 31))
    rolls = [s.date for s in sessions if is_roll_day(s.date, sessions)]
    assert len(rolls) == 12
    assert rolls[3] == date(2019, 4, 18)  # the Thursday before Good Friday
    assert {day.weekday() for day in rolls} == {3, 4}


def test_a_year_of_dividends_adds_what_was_published() -> None:
    days = [date(2010, 12, 31), *(date(2011, m, 28) for m in range(1, 13)), date(2011, 12, 31)]
    shares = [dividend_yield(a, b) for a, b in pairwise(days)]
    assert np.exp(sum(shares)) == pytest.approx(1 + DIVIDENDS[2011] / 100)


def test_the_model_follows_the_index_through_the_crash_of_2008() -> None:
    closes = play(World.load(), rules.BXM, 1, date(2007, 11, 1), date(2008, 12, 31))
    # The index lost 28.65 % and the stocks 37 %: what the calls brought in lies between.
    assert returns_by_year(closes)[2008] == pytest.approx(BXM[2008], abs=5)


def test_a_comparison_counts_deviation_spread_and_error() -> None:
    published = np.array([BXM[year] for year in range(FIRST, LAST + 1)])
    result = compared("BXM", (1, 2), np.array([published + 1, published + 3]))
    # Both seeds are above by 1 and 3: deviation 2, standard deviation of the two sqrt(2), correlation 1.
    assert [year.deviation for year in result.years] == pytest.approx([2.0] * len(published))
    assert result.years[0].spread == pytest.approx(2**0.5)
    near = result.agreement
    assert near is not None
    assert (near.correlation, near.mean_absolute_error) == pytest.approx((1.0, 2.0))
    assert near.each_error == pytest.approx((1.0, 3.0))
    assert "mean absolute error                2.00 percentage points" in as_text(result)
    assert as_facts(result)["mean_deviation"] == pytest.approx(2.0)


def rows() -> Sequence[dict[str, str]]:
    if not SHARED.exists():
        pytest.skip("../shared is not here")
    with SHARED.open() as file:
        return list(csv.DictReader(file))


def test_the_published_returns_are_those_of_the_collection() -> None:
    known = {int(row["year"]): float(row["BXM"]) for row in rows()}
    assert {year: known[year] for year in BXM} == BXM


def test_dividends_are_what_total_return_has_over_price_return() -> None:
    spx = load_history().spx
    years = spx.day.astype("datetime64[Y]").astype(int) + 1970
    for row in rows():
        year = int(row["year"])
        if row["SP500_TR"] and 1991 <= year <= LAST:
            price = spx.close[years == year][-1] / spx.close[years == year - 1][-1]
            added = ((1 + float(row["SP500_TR"]) / 100) / price - 1) * 100
            assert DIVIDENDS[year] == pytest.approx(added, abs=0.011), year


@pytest.mark.slow
@pytest.mark.parametrize("one", rules.INDEXES.values(), ids=rules.INDEXES)
def test_the_documents_numbers_are_those_of_this_program(one: rules.IndexRules) -> None:
    yearly = returns_by_year(play(World.load(), one, 1, WARM_UP, HISTORY_LAST))
    result = compared(one.symbol, (1,), np.array([[yearly[year] for year in range(FIRST, LAST + 1)]]))
    said = f"{DOCUMENT.name} is not current: run `make replication`"
    assert as_text(result) in DOCUMENT.read_text(encoding="utf-8"), said
