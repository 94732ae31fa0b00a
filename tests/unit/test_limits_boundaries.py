"""The limits of the gate exactly at their numbers, with orders at work beside what is held."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.unit.test_coordinator import on, puts
from tests.unit.test_groups import asks, book_of, look, two
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
from tests.unit.test_protect import position
from tests.worlds import FRIDAY, at

from tomking.domain.bars import Bars
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Part
from tomking.domain.record import Record
from tomking.domain.structure import Structure
from tomking.risk import groups
from tomking.risk import limits_breakers as streaks
from tomking.risk import limits_capital as capital
from tomking.risk import limits_contracts as contracts
from tomking.risk import limits_coordinator as coordinator
from tomking.risk import limits_correlation as correlated
from tomking.risk import limits_count as counts
from tomking.risk import limits_data as data
from tomking.risk import limits_events as events
from tomking.risk import limits_greeks as sensitive
from tomking.risk import limits_held as held
from tomking.risk import limits_stress as stress
from tomking.risk.case import Allowance, Case
from tomking.risk.expansion import Margins
from tomking.risk.greeks import Greeks
from tomking.risk.kelly import Prior, belief, quarter_kelly
from tomking.risk.shocks import Shock

ZERO, ONE = Decimal(0), Decimal(1)
MONDAY = date(2031, 3, 3)
"""The first session of its month."""


# ------------------------------------------------------------------------------ margin of what joins


def spreads(low: float, high: float) -> Callable[[Contract, object], float | None]:
    def mids(contract: Contract, now: object) -> float | None:
        return low if isinstance(contract, Option) and contract.strike == 5080 else high

    return mids


@pytest.mark.parametrize(("product", "dollars"), [("ES", 800), ("MES", 80)])
def test_what_joins_asks_for_its_own_width_less_its_own_credit(product: str, dollars: int) -> None:
    # Held: two condors of ES, 30 wide, sold for 5: 2 x 25 x $50 = $2,500.  Three spreads of 20 points for
    # 4 beside it: 16 points each, x $50 on ES and x $5 on MES, whose three are 0.3 of an ES.
    mine = holding(open_position("P1", units=2, opening=wish("ES", "2031-03-14")))
    text = f"+1 {product} 2031-03-21 P5080 / -1 {product} 2031-03-21 P5100"
    beside = wish(parts=(Part("spread", Structure.parse("spread", text)),), joins="P1", ceiling=3)
    market = Listed(spreads(6.0, 10.0), level=5500.0)
    found = case(beside, mine, market=market)
    assert found.mid == 4
    assert found.margin == dollars


def test_without_quotes_what_joins_is_a_quarter_of_the_index_for_each_short() -> None:
    # One short of 25 % of 5,500 x $50 a unit, whatever the ceiling.
    mine = holding(open_position("P1", units=2, opening=wish("ES", "2031-03-14")))
    text = "+1 ES 2031-03-21 P5080 / -1 ES 2031-03-21 P5100"
    beside = wish(parts=(Part("spread", Structure.parse("spread", text)),), joins="P1", ceiling=3)
    blind = Listed(lambda contract, now: None, level=5500.0)
    assert case(beside, mine, market=blind).margin == 68_750


def test_without_a_mid_of_what_is_held_it_is_the_same() -> None:
    # The naked put that is joined has no mid, so its own margin is unknown.
    naked = Part("NP", Structure.parse("NP", "-1 ES 2031-07-03 P4590"))
    mine = holding(open_position("P1", units=2, opening=wish(parts=(naked,))))
    text = "+1 ES 2031-03-21 P5080 / -1 ES 2031-03-21 P5100"
    beside = wish(parts=(Part("spread", Structure.parse("spread", text)),), joins="P1", ceiling=3)

    def mids(contract: Contract, now: object) -> float | None:
        return None if isinstance(contract, Option) and contract.strike == 4590 else 10.0

    assert case(beside, mine, market=Listed(mids, level=5500.0)).margin == 68_750


# ------------------------------------------------------------------------------ correlation of families


def closes(days: np.ndarray, start: int = 0) -> Bars:
    close = 100 * np.exp(np.cumsum(np.sin(days.astype(np.int64) - start)) / 50)
    return Bars(days, close, close, close, close)


def test_days_that_one_family_lacks_are_made_up_from_further_back() -> None:
    """21 closes of both are needed for 20 returns; of every third day one of them knows nothing."""
    days = np.arange("2031-01-01", "2031-03-02", dtype="datetime64[D]")  # sixty
    kept = days[np.arange(days.size) % 3 != 0]
    whole, thin = closes(days), closes(kept)
    # Of the last 40 days of each 27 are common.
    found = groups._of(whole, thin, 20)
    assert found is not None
    assert -1 <= found <= 1
    assert groups._of(whole, whole, 20) == pytest.approx(1.0)
    # Twenty closes of both are nineteen returns; 21 are enough.
    assert groups._of(closes(days[-20:]), whole, 20) is None
    assert groups._of(closes(days[-21:]), whole, 20) is not None
    # One that ends a day earlier tells nothing of the other's end.
    assert groups._of(closes(days[:-1]), whole, 20) is None


@pytest.mark.parametrize(("more", "watched", "counts_too"), [(0.0, False, False), (-1e-9, True, True)])
def test_what_moves_together_exactly_at_a_limit_is_within_it(
    more: float, watched: bool, counts_too: bool
) -> None:
    market = two(0.65)
    gold = position("1", "futures_strangle", "-1 GC 2031-04-17 P2000 / +1 GC 2031-04-17 P1990")
    found = groups.correlation(look(market), "SPX", "GC", SETTINGS.correlation_days)
    assert found is not None
    one = case(wish("ES", strategy="lt112"), replace(empty(), positions={"1": gold}), market=market)
    line = found + more
    near = replace(SETTINGS, correlation_share_watched=line, correlation_share_max=0.99)
    assert bool(correlated.group_allows(replace(one, settings=near)).warning) is watched
    both = replace(SETTINGS, correlation_share_watched=0.1, correlation_share_max=line)
    answer = correlated.group_allows(replace(one, settings=both))
    assert ("would hold 2 of 2" in answer.detail) is counts_too


def test_a_refusal_names_what_fills_the_group_and_an_empty_one_names_nobody() -> None:
    full = book_of("lt112", "ipmcc", "ratio_spread")
    assert says(correlated.equities_allow(asks("lt112", full))) == (
        "equities would hold 4 of 3 (lt112, ipmcc, ratio_spread)"
    )
    assert correlated.equities_allow(asks("lt112", book_of())).detail == "equities would hold 1 of 3"
    assert correlated.short_vol_allows(asks("lt112", book_of())).detail == "1 short-volatility positions of 5"
    one = book_of("lt112")
    assert correlated.short_vol_allows(asks("lt112", one)).detail == (
        "2 short-volatility positions of 5 (lt112)"
    )
    assert correlated.group_allows(asks("lt112", book_of())).detail == "A1 would hold 1 of 2 in phase 4"
    assert correlated.group_allows(asks("lt112", one)).detail == "A1 would hold 2 of 2 in phase 4 (lt112)"


def test_what_joins_and_what_weighs_nothing_are_told_apart() -> None:
    joining, hedge = asks("lt112", book_of(), joins="0"), asks("leap_put_hedge", book_of())
    assert correlated.group_allows(joining).detail == "joins an open position"
    assert correlated.group_allows(hedge).detail == "counts in no group"


def test_strategies_that_hold_no_risk_on_the_index_fill_none_of_its_three_places() -> None:
    gold = "-1 GC 2031-04-17 P2000 / +1 GC 2031-04-17 P1990"
    rows = [position(str(n), f"mine{n}", gold) for n in range(3)]
    rows.append(position("3", "leap_put_hedge", "+1 SPY 2031-12-19 P400"))
    book = replace(empty(), positions={one.id: one for one in rows})
    assert correlated.strategies_allow(asks("lt112", book)).units is None


# ------------------------------------------------------------------------------ Kelly


def test_a_record_of_wins_that_brought_nothing_keeps_the_priors_payoff() -> None:
    prior = Prior(0.6, 0.5, 10)
    nothing = Record(10, 5, ZERO, Decimal(500))
    assert belief(nothing, prior, SETTINGS)[1] == 0.5
    lost_nothing = Record(10, 5, Decimal(500), ZERO)
    assert belief(lost_nothing, prior, SETTINGS)[1] == 0.5
    # Half a dollar is something: 5 wins of $0.10 against 5 losses of $0.05.
    little = Record(10, 5, Decimal("0.50"), Decimal("0.25"))
    assert belief(little, prior, SETTINGS)[1] == pytest.approx(2.0)


def test_a_quarter_kelly_is_told_to_nine_digits() -> None:
    # (0.65 x 0.6 - 0.35) / 0.6 = 1 / 15, a quarter of it 0.01666...
    assert quarter_kelly(Record(), Prior(0.65, 0.6, 20), SETTINGS) == Decimal("0.016666667")


def test_kellys_basis_is_the_record_from_the_sample_on() -> None:
    def basis(trades: int) -> str:
        records = {"friday_0dte:condor": Record(trades, trades, Decimal(100 * trades))}
        return capital.kelly_allows(case(book=replace(empty(), records=records))).detail

    assert basis(49).endswith("from the prior")
    assert basis(50).endswith("from 50 closed trades")


# ------------------------------------------------------------------------------ the month and the record


def pace(one: Case) -> tuple[object, object]:
    return streaks.month_pace(one)


def ahead(net_liq: str, begun: str, day: date = FRIDAY, **limits: object) -> Case:
    """A month that began with so many dollars; deposits are 200,000."""
    note = f"2031-03 {Decimal(begun) - 200_000}"
    book = replace(empty(), notes={"risk.monthly_loss": note})
    one = on(day, case(book=book, net_liq=Decimal(net_liq)))
    return replace(one, settings=replace(SETTINGS, **limits))  # type: ignore[arg-type]


def test_the_pace_of_a_month_is_its_gain_by_the_sessions_done_and_to_come() -> None:
    # 2 % after 5 of March's 21 sessions: x 21 / 5 = 8.4 %.
    gain, words = streaks.month_pace(ahead("102000", "100000"))
    assert gain == Decimal("0.084")
    assert words == "the month is at +2.0% after 5 sessions, +8.4% at this rate"
    # On its first session it is told, and says nothing yet; so on the fourth.
    assert pace(ahead("102000", "100000", MONDAY)) == (
        0,
        "the month is at +2.0% after 1 sessions, +42.0% at this rate",
    )
    assert pace(ahead("102000", "100000", date(2031, 3, 6)))[0] == 0
    assert pace(ahead("100000", "100000")) == (0, "")
    assert pace(ahead("99999", "100000")) == (0, "")
    assert pace(ahead("99999", "0")) == (0, "")
    assert pace(case()) == (0, "")


def test_a_month_exactly_at_its_pace_is_neither_warned_of_nor_shrunk() -> None:
    line = Decimal("0.084")
    exact, over = (
        ahead(net_liq, "100000", month_gain_share_watched=line, month_gain_share_reduced=line)
        for net_liq in ("102000", "102001")
    )
    assert not streaks.month_watched(exact).warning
    assert streaks.month_watched(over).warning
    whole: tuple[object, object] = streaks.size_of_month(exact)
    assert whole == (1, "")
    share, words = streaks.size_of_month(over)
    assert (share, words) == (SETTINGS.month_size_share, streaks.month_pace(over)[1])


def test_the_expectancy_floor_counts_from_thirty_trades_and_is_met_exactly() -> None:
    # 100 pounds are $127; of 75,000 pounds = $95,250 all of it: half of that asks for half.
    def sized(trades: int, won: str, lost: str, net_liq: str = "95250") -> tuple[object, object]:
        records = {"friday_0dte:condor": Record(trades, trades // 2, Decimal(won), Decimal(lost))}
        book = replace(empty(), records=records)
        return streaks.size_of_record(case(book=book, net_liq=Decimal(net_liq)))

    assert sized(30, "5810", "2000") == (1, "")  # 3,810 / 30 = 127
    below = "$126.97 a trade is below the floor of $127.00"
    assert sized(30, "5809", "2000") == (SETTINGS.expectancy_size_share, below)
    assert sized(29, "0", "2000") == (1, "")
    assert sized(30, "3905", "2000", "47625") == (1, "")  # 1,905 / 30 = 63.50
    assert sized(30, "3904", "2000", "47625")[0] == SETTINGS.expectancy_size_share
    assert sized(30, "5809", "2000", "900000")[0] == SETTINGS.expectancy_size_share
    assert sized(30, "2000", "2000", "0") == (1, "")  # nothing left: a floor of nothing
    hedge = replace(case(book=empty()), wish=wish(strategy="leap_put_hedge"))
    whole: tuple[object, object] = streaks.size_of_record(hedge)
    assert whole == (1, "")


# ------------------------------------------------------------------------------ money


def test_orders_at_work_use_what_they_reserve_of_capital_margin_and_buffer() -> None:
    # $1,000 and a quarter more are reserved beside the $5,000 of what is held.
    busy = replace(empty(), orders={"O7": working(lt112())})
    used = Decimal(5_000)
    one = replace(case(wish("ES"), busy, capital=used, margin=used), margin=Decimal(100))
    for limit in (capital.capital_allows, capital.margin_allows, capital.buffer_allows):
        assert "$6,250 in use" in limit(one).detail
    # Heat: $3,000 planned, and 56 points x $50 of the order's.
    hot = case(wish("ES"), busy, heat=Decimal(3_000))
    assert "$5,800 in use" in capital.heat_allows(hot).detail


def test_what_closes_at_the_last_session_that_is_known_has_a_buffer_too() -> None:
    one = case()
    last = replace(one.view.sessions, days=one.view.sessions.days[-1:])
    day = last.days[0].date
    alone = on(day, one)
    alone = replace(alone, view=replace(alone.view, sessions=last))
    assert "a free buffer of" in capital.buffer_allows(alone).detail


def test_where_the_third_friday_is_a_holiday_the_session_before_is_the_monthly_expiration() -> None:
    # 21 March 2031 is the third Friday.
    thursday, friday = date(2031, 3, 20), date(2031, 3, 21)
    view = on(date(2031, 3, 19), case()).view
    assert [capital._is_monthly_expiration(day, view) for day in (thursday, friday)] == [False, True]
    days = tuple(one for one in view.sessions.days if one.date != friday)
    closed = replace(view, sessions=replace(view.sessions, days=days))
    assert [capital._is_monthly_expiration(day, closed) for day in (thursday, friday)] == [True, False]
    assert not capital._is_monthly_expiration(date(2031, 3, 19), closed)
    bare = replace(view, sessions=replace(view.sessions, days=()))
    assert not capital._is_monthly_expiration(thursday, bare)


@pytest.mark.parametrize(("product", "least", "warned"), [("ES", "0.25", False), ("MES", "0.45", True)])
def test_costs_may_take_exactly_their_share(product: str, least: str, warned: bool) -> None:
    one = case(wish(product))
    slip = capital.slippage(one, stop=False)
    assert slip is not None
    costs = one.fees + 2 * slip * one.multiplier

    def answer(share: Decimal, short: str = "0") -> Allowance:
        target = costs / share / one.multiplier - Decimal(short)
        return capital.costs_allow(replace(one, wish=replace(one.wish, target_gain=target)))

    exact = answer(Decimal(least))
    assert (exact.units, bool(exact.warning)) == (None, warned)
    assert answer(Decimal(least), "0.01").units == 0
    assert not answer(Decimal("0.25")).warning


# ------------------------------------------------------------------------------ counts


def test_a_position_of_which_nothing_is_open_holds_no_unit() -> None:
    one = open_position("P1", strategy="calendarized_112", opening=puts("ES", "calendarized_112"))
    gone = replace(one, components={})
    wanted = puts("ES", "calendarized_112")
    assert contracts.contracts_allow(case(wanted, holding(one))).detail.startswith("1 units in ES held")
    assert contracts.contracts_allow(case(wanted, holding(gone))).detail.startswith("0 units in ES held")


def test_units_being_opened_are_units_held() -> None:
    mine = open_position("P2", strategy="calendarized_112", units=2, opening=puts("ES", "calendarized_112"))
    orders = {
        "O7": replace(working(puts("ES", "calendarized_112"), units=3), filled=2),
        "O8": working(lt112(), units=9, id_="O8"),
        "O9": working(puts("MES", "calendarized_112"), units=9, id_="O9"),
    }
    book = replace(holding(mine), orders=orders)
    answer = contracts.contracts_allow(case(puts("ES", "vix_spike_puts"), book))
    assert (answer.units, answer.detail) == (0, "3 units in ES held, phase 4 allows 3")


def test_lots_beyond_those_of_phase_0_leave_none() -> None:
    # Two lots of XSP or MES in phase 0; three are held.
    three = holding(open_position("P1", strategy="friday_0dte", units=3, opening=wish("XSP")), phase=0)
    answer = counts.strategy_ceiling(case(wish("XSP"), three))
    assert (answer.units, answer.detail) == (0, "3 lots held, phase 0 allows 2")


def test_hedges_being_opened_and_parts_that_join_are_no_new_positions() -> None:
    four = holding(*(open_position(f"P{n}") for n in range(4)), phase=2)
    hedge = working(wish("SPY", strategy="leap_put_hedge"), id_="O8")
    joining = working(lt112())
    joining = replace(joining, order=replace(joining.order, position="P1"))
    for order in (hedge, joining):
        busy = replace(four, orders={order.order.id: order})
        assert counts.positions_allow(case(book=busy)).units is None
    new = replace(four, orders={"O7": working(lt112())})
    assert counts.positions_allow(case(book=new)).units == 0


def test_spacing_says_how_long_ago_the_other_entered() -> None:
    book = replace(empty(), last_entry=(at("10:25") + timedelta(seconds=6), "lt112"))
    assert says(counts.spacing_allows(case(book=book))) == "lt112 entered 4.9 minutes ago, 5 are needed"


def calendar(front: str, back: str) -> Part:
    text = f"-1 SPY {front} C500 / +1 SPY {back} C500"
    return Part("calendar", Structure.parse("calendar", text))


def test_only_short_legs_crowd_an_expiration() -> None:
    """Two calendars that sell April and buy May leave May to others, and April to nobody."""
    opening = wish(strategy="calendar_spread", parts=(calendar("2031-04-17", "2031-05-15"),))
    book = holding(*(open_position(f"P{n}", strategy="calendar_spread", opening=opening) for n in range(2)))
    for expiry, units in (("2031-04-17", 0), ("2031-05-15", None)):
        asked = case(wish("ES", expiry), book)
        assert counts.expiry_allows(asked).units == units
        assert counts.expiry_week_allows(asked).units == units
    # Nor is a candidate refused for what it buys.
    buys = wish(strategy="calendar_spread", parts=(calendar("2031-03-20", "2031-04-17"),))
    assert counts.expiry_allows(case(buys, book)).units is None


def test_a_share_of_the_cap_is_asked_for_whatever_needs_any_margin() -> None:
    full = on(date(2031, 3, 4), case(lt112(), by_strategy={"lt112": Decimal(90_000)}))
    assert coordinator.share_allows(replace(full, margin=Decimal("0.50"))).units == 0
    assert coordinator.share_allows(replace(full, margin=ZERO)).units is None
    assert coordinator.share_allows(replace(full, margin=Decimal(-1))).units is None


def test_orders_at_work_use_their_strategys_share_of_the_cap() -> None:
    # $30,000 held, and $1,000 and a quarter of the LT112's order; the ratio spread's is not its.
    orders = {"O7": working(lt112()), "O8": working(wish("ES", strategy="ratio_spread"), id_="O8")}
    busy = replace(empty(), orders=orders)
    one = on(date(2031, 3, 4), case(lt112(), busy, by_strategy={"lt112": Decimal(30_000)}))
    assert "$31,250 in use" in coordinator.share_allows(one).detail


def test_without_net_liq_all_of_the_margin_is_in_use() -> None:
    broke = case(lt112(), net_liq=ZERO)
    assert says(coordinator.priority_allows(replace(broke, margin=ONE))).startswith("margin in use is 100%")
    # A dollar of $1 in use is all of it too; of $2 it is half.
    for net_liq, units in ((1, 0), (2, None)):
        small = case(lt112(), net_liq=Decimal(net_liq), margin=ONE)
        assert coordinator.priority_allows(replace(small, margin=ONE)).units == units


# ------------------------------------------------------------------------------ data


def test_the_prior_close_is_the_last_one() -> None:
    class Rising(Listed):
        """Bars that doubled on their last day."""

        def bars(self, family: str, now: object) -> Bars:
            days = np.array(["2031-03-05", "2031-03-06"], "datetime64[D]")
            close = np.array([2750.0, 5500.0])
            return Bars(days, close, close, close, close)

    assert data.index_believed(case(market=Rising(mid, level=5500.0))).units is None
    assert says(data.index_believed(case(market=Rising(mid, level=2750.0)))) == (
        "SPX 2750.00 is -50.0% from its prior close 5500.00, limit 15%"
    )


def test_what_is_offered_as_worthless_needs_no_bid_and_has_none_below_nothing() -> None:
    market = Listed(mid, level=5500.0)
    chain = market.chain("SPXW", FRIDAY, at("10:30"))
    assert chain is not None

    def valid(bid: int, ask: int) -> bool:
        # Ticks of 0.05; what is offered at 0.05 is worthless.
        rows = len(chain.right)
        quoted = replace(chain, bid=np.full(rows, bid, np.int64), ask=np.full(rows, ask, np.int64))
        found = data._valid_rows(quoted, SETTINGS)
        assert found.all() or not found.any()
        return bool(found[0])

    assert valid(0, 1)
    assert not valid(0, 2)
    assert valid(1, 2)
    assert not valid(1, 1)
    assert not valid(2, 1)
    assert not valid(0, 0)
    assert not valid(-1, 1)


@pytest.mark.parametrize(
    ("mid", "scale", "most"),
    [("9.99", "1", "0.10"), ("10", "1", "0.50"), ("0.999", "0.1", "0.010"), ("1", "0.1", "0.050")],
)
def test_from_ten_points_a_futures_option_ticks_by_a_quarter(mid: str, scale: str, most: str) -> None:
    contract = wish("ES").structure.legs[0].contract
    tight = replace(SETTINGS, leg_spread_share_max=Decimal("0.0001"), cheap_leg_points=ZERO)

    def fault(spread: Decimal) -> str:
        bid, ask = Decimal(mid) - spread / 2, Decimal(mid) + spread / 2
        return data._too_wide(contract, bid, ask, Decimal(scale), tight)

    assert not fault(Decimal(most))
    assert fault(Decimal(most) + Decimal("0.0001"))


@pytest.mark.parametrize(("days", "is_leap"), [(269, False), (270, True)])
def test_a_bought_option_is_a_leap_from_270_days_on(days: int, is_leap: bool) -> None:
    expiry = FRIDAY + timedelta(days=days)
    for ratio in (1, -1):
        part = Part("one", Structure.parse("one", f"{ratio:+d} SPY {expiry} C500"))
        asked = case(wish(strategy="ipmcc", parts=(part,)))
        assert events.occasion(asked).long_dated is (is_leap and ratio > 0)


# ------------------------------------------------------------------------------ naked puts


def test_a_call_that_is_bought_covers_no_put() -> None:
    # A put sold and a call bought beside it: the put is naked.
    book = holding(open_position(opening=wish(parts=(reversal("+1 {0} C5600"),), strategy="lt112")))
    deep = Listed(
        lambda contract, now: 10.0 if contract.strike == 4590 else 1.0,  # type: ignore[union-attr]
        level=5500.0,
        put_delta=-0.30,
    )
    assert held.naked_puts_calm(case(wish("ES"), book, market=deep)).units == 0
    covered = holding(open_position(opening=wish(parts=(reversal("+1 {0} P4500"),), strategy="lt112")))
    assert held.naked_puts_calm(case(wish("ES"), covered, market=deep)).units is None


def reversal(other: str) -> Part:
    text = f"-1 ES 2031-07-03 P4590 / {other.format('ES 2031-07-03')}"
    return Part("RR", Structure.parse("RR", text))


def test_a_put_has_the_delta_of_its_own_strike_where_it_is_listed() -> None:
    chain = Listed(mid, level=5500.0).chain("ES", date(2031, 7, 3), at("10:30"))
    assert chain is not None
    rising = replace(chain, delta=chain.right * chain.strikes / 10_000)
    put = next(iter(wish(parts=(reversal("+1 {0} P4500"),)).structure.contracts))
    assert isinstance(put, Option)
    assert held._put_delta(rising, put) == pytest.approx(0.459)


# ------------------------------------------------------------------------------ Greeks


class Told(sensitive.Sums):
    """Sums that are told."""

    def __init__(self, used: float, each: float) -> None:
        self._used, self._each = used, each

    def used(self, name: str, *, overnight: bool = False) -> float:
        return self._used

    def each(self, name: str, *, overnight: bool = False) -> float:
        return self._each


def greek(limit: Callable[[Case], Allowance], used: float, each: float) -> Allowance:
    one = case()
    one.worked_out["greeks"] = Told(used, each)
    return limit(one)


def test_short_vega_is_limited_and_long_vega_is_not() -> None:
    most = float(SETTINGS.short_vega_usd_max[4])
    vega = sensitive.vega_allows
    # Four units of a quarter of the limit fit exactly; a book that is long has room for more.
    assert greek(vega, 0.0, -most / 4).units == 4
    assert greek(vega, -most / 4, -most / 4).units == 3
    assert greek(vega, most / 4, -most / 4).units == 5
    assert greek(vega, -most, -1.0).units == 0
    assert greek(vega, -2 * most, -1.0).units == 0
    assert greek(vega, -2 * most, 0.0).units is None
    assert greek(vega, -2 * most, 1.0).units is None
    assert greek(vega, np.nan, 1.0) == sensitive.UNKNOWN


def test_vega_is_watched_with_one_unit_more() -> None:
    most, line = float(SETTINGS.short_vega_usd_max[4]), float(SETTINGS.greeks_watched_share)
    near = -most * (line - 0.1)
    assert not greek(sensitive.vega_allows, near, -0.09 * most).warning
    assert greek(sensitive.vega_allows, near, -0.1001 * most).warning == (
        f"vega at {line:.0%} of its limit with one unit"
    )
    # Where not even one unit fits, what is held is told.
    assert greek(sensitive.vega_allows, -most, -most).warning.startswith("vega at 100% of")


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_delta_is_limited_either_way_and_towards_nothing_as_far_as_the_other_side(side: float) -> None:
    limit, _ = sensitive.delta_limit(case())

    def units(used: float, each: float) -> int | None:
        return greek(sensitive.delta_allows, side * used * limit, side * each * limit).units

    assert units(0.0, 0.25) == 4
    assert units(0.5, 0.25) == 2
    assert units(1.0, 0.25) == 0
    assert units(2.0, 0.25) == 0
    assert units(-1.0, 0.25) == 8
    assert units(2.0, 0.0) is None


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_delta_is_watched_with_one_unit_more_and_no_further(side: float) -> None:
    limit, _ = sensitive.delta_limit(case())
    line = float(SETTINGS.greeks_watched_share)

    def warning(used: float, each: float) -> str:
        return greek(sensitive.delta_allows, side * used * limit, side * each * limit).warning

    assert not warning(line - 0.1, 0.09)
    assert warning(line - 0.1, 0.1001) == f"delta in SPY shares at {line:.0%} of its limit with one unit"
    # Over on the other side, one unit leads towards nothing: what is left is what is watched.
    assert not warning(-line, 0.1)
    # Exactly at the line it is told.
    assert sensitive._watched(case(), line * 1000, 1000.0, "delta") != ""
    assert sensitive._watched(case(), -line * 1000, 1000.0, "delta") != ""
    # A limit of nothing is no share of anything.
    assert sensitive._watched(case(), 5.0, 0.0, "delta") == ""


def test_small_greeks_count_in_their_own_direction() -> None:
    # Half a share of delta, long or short, beside 2 of a limit of at least 4.
    limit, _ = sensitive.delta_limit(case())
    assert greek(sensitive.delta_allows, 2.0, 0.5).units == int((limit - 2) // 0.5)
    assert greek(sensitive.delta_allows, 2.0, -0.5).units == int((limit + 2) // 0.5)
    assert greek(sensitive.vega_allows, 0.0, 0.5).units is None


def test_without_net_liq_no_delta_is_allowed_and_what_expires_today_is_not_overnight() -> None:
    assert sensitive.delta_shares_allowed(SETTINGS, 4, Decimal(-1_000), FRIDAY)[0] == 0.0
    none = np.zeros(3)
    gamma = np.array([1.0, 2.0, 4.0])
    found = Greeks(none, gamma, none, none, np.array([0.0, 1.0, 5.0]))
    sums = sensitive.Sums(found, np.array([True, True, False]))
    assert sums.used("gamma") == 3.0
    assert sums.used("gamma", overnight=True) == 2.0
    assert sums.each("gamma", overnight=True) == 4.0


def test_theta_warns_from_half_as_much_again_as_is_aimed_at() -> None:
    target = float(SETTINGS.theta_usd_target[4])
    share = float(SETTINGS.theta_share_watched * 200_000)
    theta = sensitive.theta_watched
    least = min(1.5 * target, share)
    assert not greek(theta, least / 2, least / 2).warning
    assert "over" in greek(theta, least / 2, least / 2 + 0.01).warning
    assert f"over {SETTINGS.theta_share_watched:.1%} of net liq" in greek(theta, share, 0.01).warning
    assert greek(theta, np.nan, 0.0).detail == "theta unknown"


# ------------------------------------------------------------------------------ stress


def test_the_tightest_cell_is_told_with_what_is_left_in_it() -> None:
    # In the second cell the book loses $30,000 of $200,000.
    cells = (Shock("", -0.05, 4.0), Shock("", -0.10, 8.0))
    fake: Any = SimpleNamespace(shocks=(Shock("S-5"), *cells))
    found = stress.CaseStress(fake, 1, np.array([1.0, 10_000.0, 30_000.0]), np.array([2.0, 100.0, -300.0]))
    margins = Margins(np.array([40_000.0, 60_000.0]), np.array([4_000.0, 6_000.0]))
    limit = f"limit {SETTINGS.stressed_margin_share_max:.0%}"
    assert stress._cell_words(case(), found, margins, 1) == (
        "index -10%, VIX +8.0: margin $60,000 held + $6,000 a unit, which also loses -$300, "
        f"of $170,000 net liq left there, {limit}"
    )
    assert "also loses $100, of $190,000 net liq left" in stress._cell_words(case(), found, margins, 0)


def test_what_loses_nothing_in_a_shock_is_allowed_and_a_dollar_counts() -> None:
    one, share = case(), Decimal("0.10")  # $20,000

    def units(used: float, each: float) -> int | None:
        return stress._room(one, "S", used, each, share).units

    assert units(50_000.0, 0.0) is None
    assert units(50_000.0, -3.0) is None
    assert units(50_000.0, 0.5) == 0
    assert units(10_000.0, 1.0) == 10_000
    assert units(0.0, 5_000.0) == 4
    assert units(-5_000.0, 5_000.0) == 5
    assert units(20_000.0, 5_000.0) == 0
    detail = stress._room(one, "S", -5_000.0, 4_000.0, share).detail
    assert detail == (
        "S: -$5,000 lost by what is held + $4,000 a unit, limit $20,000 (10.0% of net liq $200,000)"
    )
    assert says(stress._room(one, "S", np.nan, 1.0, share)) == "S: a leg has no price to be stressed from"
