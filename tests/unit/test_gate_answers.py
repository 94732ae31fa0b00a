"""What limits answer where something is special: a budget, a stock, a hedge, no price, a human's word."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.unit import stressworld as stressed
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
from tests.worlds import FRIDAY

from tomking.domain.book import Day
from tomking.domain.eventcalendar import Dates, Event, EventCalendar
from tomking.domain.intent import Part
from tomking.domain.structure import Structure
from tomking.risk import groups
from tomking.risk import limits_breakers as halts
from tomking.risk import limits_capital as capital
from tomking.risk import limits_correlation as correlated
from tomking.risk import limits_count as counts
from tomking.risk import limits_data as data
from tomking.risk import limits_greeks as sensitive
from tomking.risk import limits_held as held
from tomking.risk import limits_stress as stress
from tomking.risk.case import Allowance, Case
from tomking.risk.groups import correlation, counted
from tomking.risk.sizes import shrink


def at_level(**levels: str) -> Case:
    return case(book=replace(empty(), levels={"phase": "4", **levels}))


# ------------------------------------------------------------------------------ levels at the gate


def test_what_a_human_must_release_is_refused_by_name() -> None:
    assert halts.hand_released(case()).units is None
    assert says(halts.hand_released(at_level(halt="anna"))) == "halt: anna; a human must release it"
    assert says(halts.hand_released(at_level(manual="VIX 82"))) == "manual: VIX 82; a human must release it"


@pytest.mark.parametrize(("level", "units"), [("", None), ("1", None), ("2", 0), ("3", 0)])
def test_a_breaker_halts_entries_from_its_second_level(level: str, units: int | None) -> None:
    answer = halts.breakers_allow(at_level(breaker=level))
    assert answer.units == units
    assert answer.detail == ("" if units is None else f"circuit breaker level {level} since today")


@pytest.mark.parametrize(("level", "units"), [("1", None), ("2", 0), ("4", 0)])
def test_an_emergency_opens_nothing_from_its_second_level(level: str, units: int | None) -> None:
    answer = halts.emergency_allows(at_level(emergency=level))
    assert (answer.units, answer.detail) == (units, "" if units is None else f"emergency level {level}")


@pytest.mark.parametrize(
    ("strategy", "entry", "units"),
    [
        ("butterfly_9b", "9b", 0),
        ("diagonal", "x", 0),
        ("lt112", "weekly", 0),
        ("lt112", "1-1-2", None),
        ("ipmcc", "weekly", None),
    ],
)
def test_the_first_emergency_level_switches_off_flies_diagonals_and_weekly_calls(
    strategy: str, entry: str, units: int | None
) -> None:
    one = case(wish(strategy=strategy, entry=entry), at_level(emergency="1").book)
    assert halts.emergency_allows(one).units == units


@pytest.mark.parametrize(
    ("phase", "losing", "closes", "units"),
    [
        (4, 2, 9, None),
        (4, 3, 9, 0),
        (0, 1, 9, None),
        (0, 2, 9, 0),
        (4, 2, 4, None),
        (4, 2, 3, 0),
        (4, 1, 1, None),
    ],
)
def test_losing_closes_break_by_number_and_by_share(
    phase: int, losing: int, closes: int, units: int | None
) -> None:
    # Three in phase 4, two in phase 0; and more than half of at least three closes.
    day = Day(session=FRIDAY, losing_closes=losing, closes=closes)
    answer = halts.losses_today_allow(case(book=replace(empty(phase), day=day)))
    assert answer.units == units


def test_a_month_on_its_way_to_twelve_per_cent_only_warns() -> None:
    # Begun with 180,000 and now at 200,000 in the first week: far over 12 % by its end.
    ahead = replace(empty(), notes={"risk.monthly_loss": "2031-03 -20000"})
    answer = halts.month_watched(case(book=ahead))
    assert (answer.units, answer.warning) == (None, answer.detail)
    assert answer.warning
    assert not halts.month_watched(case()).warning


def test_while_a_breaker_warns_sizes_are_halved() -> None:
    factor, why = shrink(at_level(breaker="1"))
    assert (factor, why) == (shrink(case())[0] / 2, "0.50 while a breaker warns")


# ------------------------------------------------------------------------------ budgets, stocks, strangers


BUDGETED: tuple[Callable[[Case], Allowance], ...] = (
    capital.loss_at_stop,
    capital.heat_allows,
    capital.position_capital,
    capital.kelly_allows,
)


@pytest.mark.parametrize("limit", BUDGETED, ids=lambda limit: limit.__name__)
def test_a_budget_replaces_two_per_cent_heat_capital_and_kelly(limit: Callable[[Case], Allowance]) -> None:
    poor = Decimal(100)  # of net liq: nothing else could pass
    assert limit(case(wish(strategy="leap_put_hedge"), net_liq=poor)).units is None
    if limit is not capital.kelly_allows:
        assert limit(case(wish("SPXW"), net_liq=poor)).units == 0


def test_an_ipmcc_has_shares_of_its_own() -> None:
    # $200,000: 13.5 % = $27,000 in one position instead of 5 %; at the stop what A.3 says for phase 4.
    own, other = case(wish("SPXW", strategy="ipmcc")), case(wish("SPXW", strategy="ratio_spread"))
    assert "limit $27,000" in capital.position_capital(own).detail
    assert "limit $10,000" in capital.position_capital(other).detail
    share = SETTINGS.ipmcc_loss_shares[4]
    assert f"limit ${200_000 * share:,.0f} " in capital.loss_at_stop(own).detail
    assert "limit $4,000 " in capital.loss_at_stop(other).detail


def test_a_strategy_without_a_prior_has_no_edge_to_show() -> None:
    stranger = case(wish(strategy="calendar_spread"))
    words = "calendar_spread has no prior: no source claims a win rate"
    assert capital.kelly_allows(stranger) == Allowance(None, words, warning=words)
    blocking = replace(stranger, settings=replace(SETTINGS, kelly_gate="block"))
    assert says(capital.kelly_allows(blocking)) == words


def test_without_a_mid_nothing_is_known_of_slippage() -> None:
    blind = replace(case(), mid=None)
    for limit in (capital.loss_at_stop, capital.heat_allows, capital.costs_allow):
        assert says(limit(blind)) == "a leg has no mid, so its slippage is unknown"


def test_without_a_vix_no_buffer_and_no_slippage() -> None:
    blind = case(vix=None)
    assert says(capital.buffer_allows(blind)) == "no VIX, no buffer"
    assert capital.slippage(blind, stop=True) is None


def test_earnings_tomorrow_ask_for_more_buffer() -> None:
    calendar = EventCalendar(
        strict=False,
        dates={"AAPL": Dates(FRIDAY, date(2031, 12, 31), {Event.EARNINGS: (date(2031, 3, 10),)})},
    )
    calm = case(wish("AAPL", strategy="ipmcc"))
    before = replace(calm, view=replace(calm.view, events=calendar))
    assert "earnings of AAPL" in capital.buffer_allows(before).detail
    assert "earnings" not in capital.buffer_allows(calm).detail


def test_orders_at_work_use_margin_where_they_are_alike_and_nowhere_else() -> None:
    # An order of $1,000 for an LT112 on ES to 3 July; reserved with a quarter more: $1,250.
    busy = replace(empty(), orders={"O7": working(lt112())})
    like, unlike = replace(case(lt112(), busy), margin=Decimal(100)), case(wish("GC"), busy)
    unlike = replace(unlike, margin=Decimal(100))
    for limit in (capital.family_allows, capital.strategy_allows, capital.expiry_margin_allows):
        assert "$1,250 in use" in limit(like).detail
        assert "in use" not in limit(unlike).detail


def test_an_order_that_closes_reserves_nothing_and_is_no_position() -> None:
    exiting = working(lt112())
    exiting = replace(exiting, order=replace(exiting.order, opens=False))
    busy = replace(empty(), orders={"O7": exiting})
    assert "in use" not in capital.strategy_allows(case(lt112(), busy)).detail
    assert list(counted(busy, SETTINGS)) == []
    assert [row.id for row in counted(replace(busy, orders={"O7": working(lt112())}), SETTINGS)] == ["O7"]


def test_what_joins_a_position_may_need_less_or_nothing() -> None:
    one = case(net_liq=Decimal(1_000))
    for each, used, units in ((-5, 0, None), (-5, 5_000, None), (0, 0, None), (0, 5_000, 0)):
        held_already = replace(one.account, by_family={"SPX": Decimal(used)})
        answer = capital.family_allows(replace(one, margin=Decimal(each), account=held_already))
        assert answer.units == units, (each, used)


# ------------------------------------------------------------------------------ counts


def test_positions_are_counted_by_the_table_of_their_strategy() -> None:
    # ipmcc_max in phase 4.
    most = SETTINGS.ipmcc_max[4]
    full = [open_position(f"P{n}", strategy="ipmcc") for n in range(most)]
    ask = wish("SPY", strategy="ipmcc")
    assert counts.strategy_ceiling(case(ask, holding(*full[1:]))).units is None
    assert says(counts.strategy_ceiling(case(ask, holding(*full)))) == (
        f"{most} positions of ipmcc held or being opened, phase 4 allows {most}"
    )
    opening = replace(holding(*full[1:]), orders={"O7": working(ask)})
    assert counts.strategy_ceiling(case(ask, opening)).units == 0


def test_an_unknown_strategy_and_a_product_without_es_equivalent_have_no_ceiling_to_fit_in() -> None:
    assert says(counts.strategy_ceiling(case(wish(strategy="mine")))) == "mine is in no phase table"
    assert says(counts.strategy_ceiling(case(wish("GC")))) == "GC has no ES-equivalent"


def test_ceilings_count_the_opening_orders_of_the_same_strategy_only() -> None:
    plain = counts.strategy_ceiling(case(lt112())).units
    assert plain == 3
    other = replace(empty(), orders={"O7": working(wish("ES"), units=2)})
    same = replace(empty(), orders={"O7": working(lt112(), units=2)})
    joining = working(lt112(), units=2)
    joining = replace(joining, order=replace(joining.order, position="P1"))
    assert [
        counts.strategy_ceiling(case(lt112(), book)).units
        for book in (other, same, replace(empty(), orders={"O7": joining}))
    ] == [3, 1, 3]


def test_a_component_that_joined_later_is_no_unit_of_the_ceiling() -> None:
    one = open_position(units=1)
    parts = {role: replace(part, trade="P1/weekly") for role, part in one.components.items()}
    assert counts.strategy_ceiling(case(lt112(), holding(one))).units == 2
    assert counts.strategy_ceiling(case(lt112(), holding(replace(one, components=parts)))).units == 3


def test_what_joins_counts_no_second_time_anywhere() -> None:
    joined = case(replace(lt112(), joins="P1"))
    for limit in (counts.positions_allow, counts.entries_allow, counts.spacing_allows):
        assert limit(joined).units is None


def test_hedges_are_no_positions() -> None:
    full = holding(*(open_position(f"P{n}") for n in range(30)))
    assert counts.positions_allow(case(lt112(), full)).units == 0
    answer = counts.positions_allow(case(wish(strategy="leap_put_hedge"), full))
    assert (answer.units, answer.detail) == (None, "counts as no position")


def test_todays_entries_run_out_with_orders_at_work_counted() -> None:
    done = replace(empty(), day=Day(session=FRIDAY, entries=9))
    assert counts.entries_allow(case(book=done)).units is None
    busy = replace(done, orders={"O7": working(lt112())})
    assert says(counts.entries_allow(case(book=busy))) == (
        "10 new positions today, phase 4 allows 10 at this VIX"
    )


# ------------------------------------------------------------------------------ correlation


def test_what_is_never_traded_and_what_no_group_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert correlated.symbol_known(case(wish("ES"))).units is None
    hedge = case(wish("VIX", strategy="vix_call_hedge"))
    assert correlated.symbol_known(hedge).units is None
    never = replace(hedge, wish=wish("VX"))
    assert says(correlated.symbol_known(never)) == "VX (VIX futures) is never traded (methodology A.5)"
    monkeypatch.setattr(groups, "NO_GROUP", frozenset())
    assert says(correlated.symbol_known(hedge)) == "VIX is in no correlation group"


@pytest.mark.parametrize(("together", "watched"), [(0.5, False), (0.65, True)])
def test_what_moves_together_a_little_is_watched_only(together: float, watched: bool) -> None:
    gold = position("1", "futures_strangle", "-1 GC 2031-04-17 P2000 / +1 GC 2031-04-17 P1990")
    market = two(together)
    found = correlation(look(market), "SPX", "GC", SETTINGS.correlation_days)
    assert found is not None
    limits = replace(
        SETTINGS, correlation_share_watched=0.6 if found < 0.6 else found - 0.01, correlation_share_max=0.99
    )
    book = replace(empty(), positions={"1": gold})
    one = replace(case(wish("ES", strategy="lt112"), book, market=market), settings=limits)
    answer = correlated.group_allows(one)
    assert answer.units is None
    assert (f"GC at a correlation of {found:.2f}" in answer.warning) is watched


def test_hedges_and_the_own_family_are_not_asked_how_they_move() -> None:
    """A market that knows no bars would raise nothing and say nothing: nobody may ask it."""

    class Silent(Listed):
        def bars(self, family: str, now: object) -> object:  # type: ignore[override]
            raise AssertionError(family)

    rows = [position("1", "ratio_spread", ES), position("2", "vix_call_hedge", VIX)]
    book = replace(empty(), positions={one.id: one for one in rows})
    market = Silent(mid, level=5500.0)
    assert correlated.group_allows(case(wish("ES", strategy="lt112"), book, market=market)).units is None


ES = "-1 ES 2031-04-17 P5200 / +1 ES 2031-04-17 P5150"
VIX = "+1 VIX 2031-04-16 C40"


# ------------------------------------------------------------------------------ data and what is held


def test_a_volatility_may_be_far_from_its_prior_close() -> None:
    # 15 points after 5,500: any index would be refused.
    far = case(wish("VIX"), market=Listed(mid, level=15.0))
    words = "a volatility may jump: its own rule is the VIX limit's"
    assert data.index_believed(far) == Allowance(None, words)


def test_shares_have_no_implied_volatility_to_be_sensible() -> None:
    text = "+1 SPY S / -1 SPY 2031-03-07 C5500"
    covered = wish("SPY", parts=(Part("covered", Structure.parse("covered", text)),))
    one = case(covered)
    assert data.volatility_sensible(one).units is None
    nothing = replace(one, chains={FRIDAY: None})
    assert says(data.volatility_sensible(nothing)).count("no implied volatility") == 1


def test_naked_puts_hold_back_what_is_sold_on_equities_and_nothing_else() -> None:
    deep = Listed(mid, level=5500.0, put_delta=-0.30)
    book = holding(open_position())

    def asked(opening: object) -> int | None:
        return held.naked_puts_calm(case(opening, book, market=deep)).units  # type: ignore[arg-type]

    assert asked(wish("ES")) == 0
    assert asked(wish("GC")) is None
    bought = Part("put", Structure.parse("put", "+1 ES 2031-07-03 P4590"))
    assert asked(wish("ES", parts=(bought,))) is None


def test_only_an_open_naked_put_is_asked_for_its_delta() -> None:
    deep = Listed(mid, level=5500.0, put_delta=-0.30)
    calls = Part("calls", Structure.parse("calls", "-2 ES 2031-07-03 C4590"))
    one = open_position(opening=wish("ES", strategy="lt112", parts=(calls,)))
    assert held.naked_puts_calm(case(wish("ES"), holding(one), market=deep)).units is None


# ------------------------------------------------------------------------------ stress and Greeks


class NoPrice(Listed):
    """Knows no level and no chain of anything: nothing can be worked out."""

    def chain(self, product: str, expiry: date, now: object) -> None:
        return None

    def forward(self, product: str, expiry: date, now: object) -> None:
        return None

    def spot(self, family: str, now: object) -> None:
        return None


def blind(opening: object = None) -> Case:
    return case(opening, market=NoPrice(lambda *_: None, level=5500.0))  # type: ignore[arg-type]


def test_a_leg_without_a_price_cannot_be_stressed_and_has_no_greeks() -> None:
    for limit in (sensitive.delta_allows, sensitive.gamma_allows, sensitive.vega_allows):
        assert limit(blind(lt112())).units == 0
    assert sensitive.theta_watched(blind(lt112())) == Allowance(None, "theta unknown")
    assert says(stress.expansion_allows(blind(lt112()))) == "a leg has no price to be stressed from"
    answers = [limit.check(blind(lt112())) for limit in stress.STRESS_LIMITS]
    told = [answer.detail for answer in answers if answer.units == 0]
    assert any(detail.endswith("a leg has no price to be stressed from") for detail in told)


def test_without_a_vix_there_are_no_shocks() -> None:
    for limit in (*stress.STRESS_LIMITS, *sensitive.GREEKS_LIMITS):
        answer = limit.check(case(vix=None))
        assert "VIX" in answer.detail


def test_what_is_only_bought_asks_for_no_more_margin_in_any_cell() -> None:
    """A long put costs its debit and gains in every fall: only cells where it dies ask for something."""
    put = stressed.wish(stressed.one_part(f"+1 ES {stressed.EXPIRY} P4590"), strategy="leap_put_hedge")
    assert stress.expansion_allows(stressed.case(put)).units is not None


def test_a_book_that_is_over_on_the_other_side_gains_by_the_candidate() -> None:
    answer = sensitive.delta_allows(asks("lt112", book_of("lt112")))
    assert answer.units is None or answer.units >= 0


def test_one_order_at_work_is_one_position() -> None:
    # ipmcc_max in phase 4: with two fewer held and one being opened there is room for one more.
    most = SETTINGS.ipmcc_max[4]
    ask = wish("SPY", strategy="ipmcc")
    held_now = [open_position(f"P{n}", strategy="ipmcc") for n in range(most - 2)]
    one_more = replace(holding(*held_now), orders={"O7": working(ask)})
    assert counts.strategy_ceiling(case(ask, one_more)).units is None


@pytest.mark.parametrize(("vix", "most"), [(30.0, 10), (30.01, 7), (40.0, 7), (40.01, 5)])
def test_entries_shrink_above_thirty_and_above_forty(vix: float, most: int) -> None:
    assert counts.entries_max(case(vix=vix)) == most


@pytest.mark.parametrize(
    ("mid_now", "natural", "units"),
    [("0.80", "0.10", 0), ("0.80", "0.79", None), ("0", "-0.50", None), ("-0.80", "-1.60", None)],
)
def test_the_spread_of_a_small_credit_counts_and_a_debit_has_no_such_bound(
    mid_now: str, natural: str, units: int | None
) -> None:
    one = replace(case(), mid=Decimal(mid_now), natural=Decimal(natural))
    assert data.structure_spread(one).units == units


def test_a_bullish_stack_is_of_bullish_strategies_that_do_not_join() -> None:
    stack = book_of("lt112", "ipmcc", "leap_put_income")
    assert correlated.stack_watched(asks("ipmcc", stack)).warning
    assert not correlated.stack_watched(asks("ipmcc", stack, joins="0")).warning
    assert not correlated.stack_watched(asks("leap_put_hedge", stack)).warning
