"""Limits between strategies (E.5), full contracts and micros (C.13), and announcements (C.10)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.unit.test_limits import (
    SETTINGS,
    Listed,
    case,
    empty,
    holding,
    lt112,
    mid,
    open_position,
    says,
    wish,
    working,
)
from tests.worlds import at, session_on, weekdays

from tomking.domain.book import Book
from tomking.domain.eventcalendar import Dates, Event, EventCalendar
from tomking.domain.intent import Open, Part, Urgency
from tomking.domain.record import Record
from tomking.domain.structure import Structure
from tomking.risk import limits_capital as capital
from tomking.risk import limits_contracts as contracts
from tomking.risk import limits_coordinator as coordinator
from tomking.risk import limits_count as counts
from tomking.risk import limits_events as events
from tomking.risk.case import Case

TUESDAY = date(2031, 3, 4)
FRIDAY = date(2031, 3, 7)


def on(day: date, one: Case, wall: str = "10:30", **view: object) -> Case:
    sessions = weekdays(day - timedelta(days=30), 200)
    seen = replace(one.view, now=at(wall, day), session=session_on(day), sessions=sessions, **view)  # type: ignore[arg-type]
    return replace(one, view=seen)


def puts(product: str, strategy: str, expiry: str = "2031-06-20", ratio: int = -1) -> Open:
    part = Part("puts", Structure.parse("puts", f"{ratio} {product} {expiry} P4590"))
    return wish(strategy=strategy, entry="puts", parts=(part,))


# ------------------------------------------------------------------------------------ reservation


def test_an_opening_order_keeps_its_margin_and_a_quarter_from_all_others() -> None:
    # An LT112 order of $8,000 margin is at work: 10,000 are reserved.  Phase 4 allows 80 % of 200,000.
    busy = replace(empty(), orders={"O7": working(lt112(), units=8)})
    free, one = case(book=empty()), case(book=busy)
    assert "$10,000 in use" in capital.margin_allows(one).detail
    assert "in use" not in capital.margin_allows(free).detail


# -------------------------------------------------------------------------------- unknown orders


def test_nothing_is_opened_while_a_quarantined_strategy_has_an_order_that_may_fill() -> None:
    orders = {"O7": working(lt112())}
    book = replace(empty(), orders=orders, quarantined=frozenset({"lt112"}))
    assert says(coordinator.others_are_known(case(book=book))) == (
        "lt112 raised an error and its order O7 is still at work"
    )
    assert coordinator.others_are_known(case(book=replace(book, quarantined=frozenset()))).units is None


def test_its_resting_targets_stop_nobody() -> None:
    resting = working(lt112())
    resting = replace(resting, order=replace(resting.order, opens=False, urgency=Urgency.TARGET))
    book = replace(empty(), orders={"O7": resting}, quarantined=frozenset({"lt112"}))
    assert coordinator.others_are_known(case(book=book)).units is None


# --------------------------------------------------------------------------------------- priority


def test_above_seventy_per_cent_of_margin_only_the_0dte_enters() -> None:
    full = Decimal(140_001)
    assert says(coordinator.priority_allows(case(lt112(), margin=full))) == (
        "margin in use is 70% of net liq, above 70% only the 0DTE enters"
    )
    assert coordinator.priority_allows(case(margin=full)).units is None
    assert coordinator.priority_allows(case(lt112(), margin=Decimal(140_000))).units is None


# ----------------------------------------------------------------------------------------- shares


def test_a_strategy_stays_within_its_share_of_the_vix_cap() -> None:
    # VIX 24: 75 % of 200,000 is 150,000; the LT112's quarter is 37,500, 30,000 are in use.
    one = on(TUESDAY, case(lt112(), by_strategy={"lt112": Decimal(30_000)}))
    answer = coordinator.share_allows(one)
    assert answer.units == int(Decimal(7_500) // one.margin)
    assert "lt112: 25% of the cap of 75%" in answer.detail


def test_all_others_share_a_tenth() -> None:
    # 15,000 for all; the ratio spreads have 14,000 of it.
    others = {"ratio_spread": Decimal(14_000), "leap_put_hedge": Decimal(9_000), "lt112": Decimal(1)}
    one = on(TUESDAY, case(puts("ES", "calendarized_112"), by_strategy=others))
    assert "$14,000 in use" in says(coordinator.share_allows(one))


def test_what_needs_no_margin_needs_no_share() -> None:
    # A weekly call beside its LEAP, in a share that a fallen cap has long made too small.
    one = on(TUESDAY, case(lt112(), by_strategy={"lt112": Decimal(90_000)}))
    assert coordinator.share_allows(one).units == 0
    assert coordinator.share_allows(replace(one, margin=Decimal(0))).units is None


def test_in_the_last_session_of_the_week_unused_shares_are_lent() -> None:
    one = case(lt112(), by_strategy={"lt112": Decimal(37_500)})
    assert coordinator.share_allows(on(TUESDAY, one)).units == 0
    assert coordinator.share_allows(on(FRIDAY, one)).units is None
    hard = replace(one, settings=replace(SETTINGS, cap_shares="hard"))
    assert coordinator.share_allows(on(FRIDAY, hard)).units == 0
    off = replace(one, settings=replace(SETTINGS, cap_shares="off"))
    assert coordinator.share_allows(on(TUESDAY, off)).units is None


def test_a_thursday_before_a_holiday_is_the_last_session_too() -> None:
    one = case(lt112(), by_strategy={"lt112": Decimal(37_500)})
    thursday = on(date(2031, 3, 6), one)
    assert coordinator.share_allows(thursday).units == 0
    days = tuple(s for s in thursday.view.sessions.days if s.date != FRIDAY)
    closed = replace(thursday.view, sessions=replace(thursday.view.sessions, days=days))
    assert coordinator.share_allows(replace(thursday, view=closed)).units is None


def test_hedges_with_a_budget_have_no_share() -> None:
    one = on(
        TUESDAY, case(puts("XSP", "leap_put_hedge", ratio=1), by_strategy={"ratio_spread": Decimal(90_000)})
    )
    assert coordinator.share_allows(one).units is None


# ------------------------------------------------------------------------------ LT112's expiries


def test_a_calendarized_112_takes_no_expiry_that_an_lt112_has() -> None:
    held = holding(open_position(opening=lt112(expiry="2031-07-03")))
    same, other = puts("ES", "calendarized_112", "2031-07-03"), puts("ES", "calendarized_112", "2031-07-10")
    assert says(coordinator.apart_from_lt112(case(same, held))) == "an LT112 holds 2031-07-03"
    assert coordinator.apart_from_lt112(case(other, held)).units is None
    assert coordinator.apart_from_lt112(case(lt112(), held)).units is None
    ordered = replace(empty(), orders={"O7": working(lt112(expiry="2031-07-03"))})
    assert coordinator.apart_from_lt112(case(same, ordered)).units == 0


# --------------------------------------------------------------------------------------- contracts


@pytest.mark.parametrize(
    ("product", "phase", "units"),
    [
        ("ES", 2, 0),
        ("ES", 3, 1),
        ("ES", 4, 3),
        ("MES", 1, 5),
        ("MES", 2, 10),
        ("MES", 3, 5),
        ("XSP", 4, None),
    ],
)
def test_units_in_one_product_by_phase(product: str, phase: int, units: int | None) -> None:
    one = case(puts(product, "calendarized_112"), empty(phase))
    assert contracts.contracts_allow(one).units == units


def test_units_of_all_strategies_count_but_those_with_ceilings_of_their_own() -> None:
    mine = open_position("P2", strategy="calendarized_112", units=2, opening=puts("ES", "calendarized_112"))
    held = holding(open_position("P1", units=3), mine)
    assert contracts.contracts_allow(case(puts("ES", "vix_spike_puts"), held)).units == 1
    assert contracts.contracts_allow(case(lt112(), held)).units is None


def earned(book: Book, product: str = "ES") -> Case:
    one = case(wish(product), book)
    return replace(one, settings=replace(SETTINGS, phase_gating="full_size"))


LONG_AGO = {"risk.earned": "2029-01-02 2029-01-02 4 0"}


def traded(trades: int, wins: int, key: str = "futures_strangle:C1", phase: int = 4) -> Book:
    """Two LT112 won, and so many trades and wins in all, in an account that is years old."""
    records = {key: Record(trades - 2, wins - 2), "lt112:1-1-2": Record(2, 2)}
    return replace(empty(phase), records=records, notes=LONG_AGO)


def test_full_size_is_earned_by_more_than_fifty_futures_trades_two_thirds_won() -> None:
    assert contracts.full_size_allows(earned(traded(51, 34))).units is None
    assert says(contracts.full_size_allows(earned(traded(50, 40)))) == (
        "ES is not earned yet (closed futures trades 50 of more than 50): trade MES"
    )
    assert "of them won 65% of more than 65%" in says(contracts.full_size_allows(earned(traded(100, 65))))
    assert "earned phase 2 of 3" in says(contracts.full_size_allows(earned(traded(99, 80, phase=2))))


def test_a_young_account_earns_no_full_contract_by_trades_alone() -> None:
    young = replace(traded(99, 80), notes={"risk.earned": "2031-02-10 2031-02-10 4 0"})
    assert "earned phase 1 of 3" in says(contracts.full_size_allows(earned(young)))


def test_a_poor_account_earns_nothing() -> None:
    one = replace(earned(traded(99, 80)), account=replace(case().account, net_liq=Decimal(75_000)))
    assert "net liq $75,000 of more than $75,000" in says(contracts.full_size_allows(one))


def test_trades_in_shares_earn_no_futures() -> None:
    assert "closed futures trades 2 of more than 50" in says(
        contracts.full_size_allows(earned(traded(99, 90, "ratio_spread:ratio")))
    )


def test_budgets_need_not_earn_anything() -> None:
    fly = replace(earned(empty(), "SPXW"), wish=wish("SPXW", strategy="butterfly_9b"))
    assert contracts.full_size_allows(fly).units is None


def test_spxw_is_full_size_its_tenth_and_micros_are_not() -> None:
    assert says(contracts.full_size_allows(earned(empty(), "SPXW"))).endswith("trade XSP")
    assert contracts.full_size_allows(earned(empty(), "XSP")).units is None
    assert contracts.full_size_allows(earned(empty(), "MES")).units is None


def test_by_value_the_phase_alone_decides() -> None:
    assert contracts.full_size_allows(case(wish("ES"))).units is None


# --------------------------------------------------------------------------------- dynamic ceilings


@pytest.mark.parametrize(
    ("base", "phase", "vix", "most"),
    [(2, 1, 20.0, 2), (2, 2, 20.0, 3), (2, 4, 20.0, 5), (2, 4, 14.9, 6), (2, 4, 25.0, 3), (1, 1, 35.0, 1)],
)
def test_ceilings_move_with_phase_and_vix(base: int, phase: int, vix: float, most: int) -> None:
    # A.4's variant: 2 x 2.5 = 5; below 15 x 1.25 = 6.25; from 25 x 0.75 = 3.75; never fewer than one.
    assert counts.dynamic_most(case(book=empty(phase), vix=vix), base) == most


def test_dynamic_ceilings_count_positions_and_open_no_phase() -> None:
    dynamic = replace(SETTINGS, ceilings="dynamic")
    held = holding(open_position("P1"), open_position("P2"), open_position("P3"), open_position("P4"))
    one = replace(case(lt112(), held), settings=dynamic)
    assert counts.strategy_ceiling(one).units is None
    five = holding(*(open_position(f"P{n}") for n in range(5)))
    assert counts.strategy_ceiling(replace(case(lt112(), five), settings=dynamic)).units == 0
    first = replace(case(lt112(), empty(1)), settings=dynamic)
    assert counts.phase_allows(first).units == 0


# ---------------------------------------------------------------------------------- announcements

FOMC = date(2024, 6, 12)
"""A statement, and on the same morning a price index."""


def announced(day: date, wall: str, opening: Open, calendar: EventCalendar | None = None) -> str:
    one = case(opening, market=Listed(mid, level=5500.0, vix_level=20.0))
    seen = on(day, one, wall, **({} if calendar is None else {"events": calendar}))
    answer = events.announcements_allow(seen)
    return answer.detail if answer.units == 0 else ""


def test_no_0dte_on_the_day_of_a_statement_or_a_price_index() -> None:
    assert announced(FOMC, "10:30", wish(expiry=str(FOMC))).startswith(
        "FOMC announcement on 2024-06-12: no 0DTE"
    )
    assert "CPI" in announced(date(2024, 5, 15), "10:30", wish(expiry="2024-05-15"))


def test_nobody_enters_around_the_statement_or_before_ten_on_a_price_index() -> None:
    later = lt112(expiry="2024-10-18")
    assert announced(FOMC, "12:59", later) == ""
    assert "no entries from 13:00 to 15:00" in announced(FOMC, "13:00", later)
    assert "no entries before 10:00" in announced(date(2024, 5, 15), "09:59", later)
    assert announced(date(2024, 5, 15), "10:00", later) == ""


def test_around_earnings_no_short_premium_in_that_name() -> None:
    dates = {"AAPL": Dates(date(2024, 1, 1), date(2024, 12, 31), {Event.EARNINGS: (date(2024, 5, 2),)})}
    known = EventCalendar(strict=False, dates=dates)
    sold = Part("call", Structure.parse("call", "-1 AAPL 2024-05-10 C190"))
    weekly = wish(strategy="ipmcc", parts=(sold,))
    assert "earnings on 2024-05-02" in announced(date(2024, 4, 30), "10:00", weekly, known)
    assert announced(date(2024, 5, 6), "10:00", weekly, known) == ""


def test_past_the_tables_a_backtest_goes_on_and_says_so_and_live_blocks() -> None:
    day, opening = date(2031, 3, 7), wish(expiry="2031-03-07")
    assert announced(day, "10:30", opening) == ""
    lenient = events.announcements_allow(on(day, case(opening)))
    assert lenient.detail == "not covered: FOMC, CPI"
    assert announced(day, "10:30", opening, EventCalendar(strict=True)).startswith("no calendar of FOMC, CPI")
