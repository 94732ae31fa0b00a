"""What risk does where a price, a level, a row of the market or a part of the past is missing."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from tests.unit.stressworld import EXPIRY, Surface, book_of, lt112, one_part, surface, view
from tests.unit.stressworld import case as stressed_case
from tests.unit.stressworld import wish as stressed_wish
from tests.unit.test_gate import call_mid, covered
from tests.unit.test_groups import look, two
from tests.unit.test_limits import (
    SETTINGS,
    Listed,
    account,
    case,
    empty,
    fault,
    holding,
    open_position,
    wish,
    working,
)
from tests.unit.test_protect import BOOK, CONDOR, MONDAY, broken, closed, fresh, held_at, position, seen
from tests.unit.test_protect import view as view_of
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.domain.bars import Bars
from tomking.domain.book import Book, apply
from tomking.domain.chain import Chain
from tomking.domain.contract import Contract
from tomking.domain.events import PeakReset
from tomking.domain.fees import fees
from tomking.domain.intent import Approved, Part, Urgency
from tomking.domain.structure import Structure
from tomking.pricing.black import black
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.risk import breakers, emergency, limits_correlation, limits_data, limits_held, limits_stress
from tomking.risk.ahead import ahead
from tomking.risk.desk import Desk
from tomking.risk.drawdown import OLD_PEAK, entries_stopped, session_end_levels
from tomking.risk.drawdown import guard as drawdown_guard
from tomking.risk.expansion import _factors, cells
from tomking.risk.exposure import Line, exposure, lines_of
from tomking.risk.gate import case_of, judge
from tomking.risk.greeks import greeks_of
from tomking.risk.groups import correlation, counted
from tomking.risk.limits_coordinator import priority_allows
from tomking.risk.limits_events import occasion
from tomking.risk.limits_state import losses_allow
from tomking.risk.livegreeks import LiveGreeks
from tomking.risk.paired import _greater, _less
from tomking.risk.progress import full_size_requirements, requirements
from tomking.risk.protect import forced, guard
from tomking.risk.readings import answered
from tomking.risk.regime import by_vix
from tomking.risk.revalue import revalue_into
from tomking.risk.shocks import Shock, own_move, shock_table
from tomking.risk.standing import standing
from tomking.risk.stress import stressed
from tomking.risk.tape import NOTE, Mark, Tape, second_of, tape_of
from tomking.risk.valuation import account_of
from tomking.view import View

NAN = float("nan")
CALM = Tape(FRIDAY.isoformat(), 20.0, 100_000.0, NAN, (Mark(second_of(at("10:00")), 20.0, 100_000.0),))


# ------------------------------------------------------------------------------ correlation at work


@pytest.mark.parametrize(("found", "share"), [(NAN, None), (0.45, 0.5), (0.9, 1.0)])
def test_a_correlation_is_a_breaker_that_closes_nothing(found: float, share: float | None) -> None:
    most = SETTINGS.correlation_breaker_shares[3]
    tape = CALM._replace(correlation=found * most / 0.9)
    rows = {r.name: r for r in breakers.readings(fresh(), tape, at("10:01"), 20.0, 1e5, None, SETTINGS)}
    assert ("correlation" in rows) is (share is not None)
    if share is not None:
        assert rows["correlation"].share == pytest.approx(share)
        assert not rows["correlation"].closes
        assert rows["correlation"].words.endswith(f"threshold {most:.2f}")


@pytest.mark.parametrize(("above", "level"), [(-0.01, 0), (0.0, 2)])
def test_a_breaker_stays_while_everything_moves_together(above: float, level: int) -> None:
    monday = CALM._replace(day=MONDAY.isoformat(), correlation=SETTINGS.correlation_reset_share + above)
    book = broken()
    book = replace(book, notes={**book.notes, NOTE: monday.text})
    assert breakers.level_of(closed(book, at("16:00", MONDAY))) == level


def test_a_new_session_reads_how_its_complexes_move() -> None:
    gold = position("1", "futures_strangle", "-1 GC 2031-04-17 P2000 / +1 GC 2031-04-17 P1990")
    index = position("2", "lt112", "-1 ES 2031-04-17 P5200 / +1 ES 2031-04-17 P5150")
    market = two(0.8)
    for held, known in (((gold, index), True), ((index,), False)):
        book = fresh(*held)
        for event in guard(book, look(market), Decimal(100_000), SETTINGS):
            book = apply(book, event)
        tape = tape_of(book)
        assert tape is not None
        assert np.isfinite(tape.correlation) is np.bool_(known)
        if known:
            days = SETTINGS.correlation_breaker_days
            expected = correlation(look(market), "SPX", "GC", days, until=FRIDAY)
            assert tape.correlation == pytest.approx(expected, abs=0.001)


class Stopped(ScriptedMarket):
    """Gold has no close of the last day, silver has not moved for a year."""

    def bars(self, family: str, now: datetime) -> Bars:
        days = np.array([FRIDAY - timedelta(days=n) for n in range(200, 0, -1)], "datetime64[D]")
        close = 100 + np.arange(200.0) if family != "SI" else np.full(200, 30.0)
        days, close = (days[:-3], close[:-3]) if family == "GC" else (days, close)
        return Bars(days, close, close, close, close)


def test_series_that_end_apart_or_do_not_move_have_no_correlation() -> None:
    seen_by = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY, 5), Stopped(lambda *_: None))
    assert correlation(seen_by, "SPX", "CL", 20, until=FRIDAY) == pytest.approx(1.0)
    assert correlation(seen_by, "SPX", "GC", 20, until=FRIDAY) is None
    assert correlation(seen_by, "SPX", "SI", 20, until=FRIDAY) is None


# ------------------------------------------------------------------------------ breaker and emergency at once


def test_what_a_breaker_and_an_emergency_name_in_one_step_is_all_remembered() -> None:
    """9 % down within a minute at a VIX of 41: the riskiest goes whole, and half of the short premium."""
    book = held_at(seen(fresh(*BOOK), at("10:00")), at("10:01"), net_liq=91_000, vix=41.0)
    assert breakers.level_of(book) >= 2
    assert emergency.level_of(book) >= 3
    named = emergency.to_close(book)
    worst = breakers.riskiest(book)
    assert worst is not None
    assert named[worst.id] == 0
    assert set(emergency.half_of_short_premium(book)) <= set(named)


def test_a_first_sight_of_a_breaker_is_looked_at_again_on_a_quiet_day() -> None:
    book = seen(fresh(CONDOR), at("10:00"))
    sight = replace(book, notes={**book.notes, "risk.seen.breaker": at("10:00").isoformat()})
    after = seen(sight, at("10:01"))
    assert not after.notes.get("risk.seen.breaker")
    assert breakers.level_of(after) == 0


def test_red_again_remembers_the_older_peak() -> None:
    """A second restart keeps the highest peak there ever was."""
    since = at("16:00") - timedelta(days=SETTINGS.red_lock_days)
    red = fresh(levels={"phase": "3", "drawdown": "RED"}, notes={"risk.red_since": since.isoformat()})
    once = session_end_levels(red, Decimal(79_000), at("16:00"), SETTINGS)
    again = session_end_levels(
        replace(red, notes={**red.notes, OLD_PEAK: "10000"}), Decimal(79_000), at("16:00"), SETTINGS
    )

    def kept(events: list[object]) -> Decimal:
        assert any(isinstance(e, PeakReset) for e in events)
        return Decimal(next(e.value for e in events if getattr(e, "key", "") == OLD_PEAK))  # type: ignore[attr-defined]

    assert kept([*once]) == 0  # the peak of 100,000 less its deposit of 100,000
    assert kept([*again]) == 10_000


# ------------------------------------------------------------------------------ prices


def margin_beside(market: Listed) -> Decimal:
    book, joined = covered(joins="P1")
    now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    return case_of(joined, book, now, account(book), SETTINGS).margin


def test_what_joins_a_position_without_prices_is_margined_by_itself() -> None:
    """The call of March has no quote, or the one of June has none: nobody knows what covers it."""
    whole = Listed(call_mid, level=5500.0, vix_level=20.0)

    def without(strike: int) -> Listed:
        def mid(contract: Contract, now: object) -> float | None:
            return None if getattr(contract, "strike", 0) == strike else call_mid(contract, now)

        return Listed(mid, level=5500.0, vix_level=20.0)

    assert margin_beside(whole) <= 0
    for strike in (560, 500):
        assert margin_beside(without(strike)) > 10_000
    book, joined = covered(joins="P1")
    shut = {role: replace(one, units=0) for role, one in book.positions["P1"].components.items()}
    none = replace(book, positions={"P1": replace(book.positions["P1"], components=shut)})
    now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY, 5), whole)
    assert case_of(joined, none, now, account(none), SETTINGS).margin > 10_000


@dataclass
class Gone(Surface):
    """No chain of any product, or chains without a volatility."""

    is_empty: bool = False

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        whole = super().chain(product, expiry, now)
        return None if whole is None or not self.is_empty else replace(whole, iv=np.full(whole.iv.size, NAN))


def blank(*, is_empty: bool) -> Gone:
    plain = surface()
    return Gone(plain.mid, level=plain.level, vix_level=16.0, vol=plain.vol, is_empty=is_empty)


@pytest.mark.parametrize("is_empty", [True, False])
def test_without_a_chain_or_its_volatilities_an_option_is_taken_at_its_own_mid(is_empty: bool) -> None:
    (line,) = lines_of(book_of(("x", one_part(f"-1 ES {EXPIRY} P4600"), 1)))
    found = exposure([line], view(blank(is_empty=is_empty)))
    assert not found.stale[0]
    # 14.55 % + 0.30 x ln(5500/4600) = 19.9 % of calendar years.
    assert found.vols[0] * 1.409**0.5 == pytest.approx(0.1991, rel=0.02)


def test_a_future_and_shares_move_with_the_index_and_have_no_smile() -> None:
    """$50 a point: 5 % of 5,500 are $13,750 a future; without a mid it stands at the family's level."""
    future = Structure.parse("f", "+1 ES 2031-03-21 F").contracts[0]
    line = Line(future, 2.0, "x", "P1")
    blind = surface()
    blind.mid = lambda *_: None
    for market, stale in ((surface(), False), (blind, True)):
        found = stressed([line], view(market), [Shock("", -0.05, 0.0)], SETTINGS)
        assert found.losses(np.ones(1, bool))[0] == pytest.approx(27_500)
        assert found.exposure.stale[0] is np.bool_(stale)
        held = greeks_of(found.exposure, SETTINGS)
        # One ES is 500 shares of SPY at 550; no gamma, no vega.
        assert (round(held.delta[0]), held.gamma[0], held.vega[0]) == (1000, 0, 0)


def test_where_nothing_was_ever_priced_all_of_vega_is_stale() -> None:
    class Dark(Surface):
        def chain(self, product: str, expiry: date, now: datetime) -> None:
            return None

        def forward(self, product: str, expiry: date, now: datetime) -> None:
            return None

        def spot(self, family: str, now: datetime) -> None:
            return None

    dark = Dark(lambda *_: None, level=5500.0, vix_level=16.0)
    book = book_of(("lt112", lt112()[1], 3))
    found = LiveGreeks(SETTINGS).look(book, view(dark), at("10:30"))
    assert found.stale_vega_share == 1.0
    assert found.is_degraded


def test_a_table_of_shocks_without_legs_is_no_loss() -> None:
    found = stressed([], view(), shock_table(16.0, SETTINGS), SETTINGS)
    assert not found.losses(np.zeros(0, bool)).any()
    assert found.group_losses() == {}


def test_what_is_worth_nothing_in_any_cell_asks_for_no_room() -> None:
    flat = surface(lambda k: np.full_like(k, 0.03))
    flat.half_spread_ticks = 0
    nothing = stressed_wish(one_part(f"+1 ES {FRIDAY} P3000"), strategy="leap_put_hedge")
    answer = limits_stress.expansion_allows(stressed_case(nothing, market=flat))
    assert (answer.units, answer.detail) == (None, "no cell asks for more")


def test_the_spread_of_an_option_on_a_future_is_counted_in_its_own_ticks() -> None:
    # Two ticks of 0.25 above ten points, whatever share of the price that is.
    assert fault("10.00", "10.50", product="ES") == ""
    assert fault("2.00", "2.10", product="ES") == ""
    assert fault("1.50", "2.10", product="ES") != ""


# ------------------------------------------------------------------------------ parts of the past


def test_an_order_that_joins_counts_in_no_group_of_its_own() -> None:
    joining = working(wish("ES"), id_="O7")
    joining = replace(joining, order=replace(joining.order, position="P1"))
    book = replace(holding(open_position("P1")), orders={"O7": joining})
    assert [row.id for row in counted(book, SETTINGS)] == ["P1"]


def test_phases_that_ask_for_nothing_but_value_have_no_further_lines() -> None:
    assert requirements(empty(), 1, FRIDAY, SETTINGS, in_phase=True) == ()
    free = replace(
        SETTINGS,
        earned_trades=(0,) * 5,
        earned_win_shares=(0.0,) * 5,
        earned_months=(0,) * 5,
        earned_drawdown_shares=(Decimal(1),) * 5,
    )
    names = [row.name for row in requirements(empty(), 4, FRIDAY, free, in_phase=True)]
    assert names[:2] == ["worst position", "LT112 cycles"]
    assert not {"closed trades", "win rate", "months", "greatest drawdown"} & set(names)


def test_of_a_naked_component_only_the_sold_puts_are_asked_for_their_delta() -> None:
    deep = Listed(lambda *_: 10.0, level=5500.0, put_delta=-0.30)
    text = "-2 ES 2031-07-03 P4590 / +1 ES 2031-07-03 P4500"
    held = open_position(
        opening=wish("ES", strategy="lt112", parts=(Part("NP", Structure.parse("NP", text)),))
    )
    said = limits_held.naked_puts_calm(case(wish("ES"), holding(held), market=deep)).detail
    assert said.count("delta") == 1
    assert "P4590" in said


def test_a_debit_spread_alone_is_not_due_at_21_days_until_its_exit_works() -> None:
    spread = Part("PDS", Structure.parse("PDS", "+1 ES 2031-03-27 P5200 / -1 ES 2031-03-27 P5150"))
    alone = open_position(opening=wish("ES", strategy="lt112", parts=(spread,)))
    assert limits_held.exits_done(case(book=holding(alone))).units is None
    closing = {role: replace(one, closing="O9") for role, one in alone.components.items()}
    due = limits_held.exits_done(case(book=holding(replace(alone, components=closing))))
    assert (due.units, "PDS" in due.detail) == (0, True)


def test_an_account_of_another_step_is_worked_out_anew() -> None:
    desk, market = Desk(SETTINGS), Listed(lambda *_: 10.0, level=5500.0)
    book: Book = holding(open_position("P1"))
    now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    first = desk.judge(wish("ES"), book, now, Decimal(200_000))
    assert desk.judge(wish("ES"), book, now, Decimal(200_000)) == first
    later = replace(now, now=at("10:31"))
    assert desk.judge(wish("ES"), book, later, Decimal(200_000)) is not first


def test_a_future_beside_an_option_has_no_volatility_of_its_own() -> None:
    future = Structure.parse("f", "+1 ES 2031-03-21 F").contracts[0]
    put = Structure.parse("p", f"-1 ES {EXPIRY} P4600").contracts[0]
    both = greeks_of(exposure([Line(future, 1.0, "x", "P1"), Line(put, -1.0, "x", "P1")], view()), SETTINGS)
    alone = greeks_of(exposure([Line(put, -1.0, "x", "P1")], view()), SETTINGS)
    assert (both.vega[0], both.gamma[0], both.theta[0]) == (0, 0, 0)
    assert both.vega[1] == alone.vega[0] < 0


def repriced(right: float, points: int) -> float:
    """One leg of strike 5,000 at F 5,500, 5 % down, its smile so many points of 20 %."""
    out = np.empty((1, 1))
    one = np.ones((1, 1))
    revalue_into(
        np.array([[5500.0, 5000.0, 0.3, 1.0, right]]),
        np.array([[0, points]]),
        np.linspace(-0.1, 0.1, points),
        np.full(points, 0.2),
        0.95 * one,
        0 * one,
        one,
        one,
        1.0,
        out,
    )
    return float(out[0, 0])


def test_the_forward_itself_moves_whole_and_without_a_smile_there_is_no_price() -> None:
    assert repriced(0.0, 0) == pytest.approx(5225)
    assert np.isnan(repriced(1.0, 0))
    expected = black(forward=5225.0, strike=5000.0, years=0.3, vol=0.2, discount=1.0, right=1)
    assert repriced(1.0, 3) == pytest.approx(float(expected.price))


def test_what_was_opened_below_21_days_is_not_due_at_21() -> None:
    puts = Part("NP", Structure.parse("NP", "-2 ES 2031-03-21 P4590"))
    one = open_position(opening=wish("ES", strategy="lt112", parts=(puts,)))
    young = {role: replace(part, opened_dte=SETTINGS.exit_dte) for role, part in one.components.items()}
    assert limits_held.exits_done(case(book=holding(one))).units == 0
    assert limits_held.exits_done(case(book=holding(replace(one, components=young)))).units is None


def test_an_option_on_a_future_may_be_two_of_its_ticks_wide_at_any_price() -> None:
    # Gold ticks by 0.10: 0.20 at 1.00 is a fifth, and two ticks.
    assert fault("0.90", "1.10", product="GC") == ""
    assert fault("0.85", "1.15", product="GC") == "spread 0.30 at mid 1.00 is 30%, limit 20%"


def test_the_desk_tells_what_an_answer_says_of_the_data_and_knows_calm_of_each_book() -> None:
    desk = Desk(SETTINGS)
    market = Listed(lambda *_: 10.0, level=5500.0, chain_changes={"iv": np.full(1202, NAN)})
    now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    verdict = desk.judge(wish("SPXW"), empty(), now, Decimal(200_000))
    told = list(desk.answered(empty(), verdict, at("10:30"), whole=True))
    assert told == list(answered(empty(), verdict, at("10:30"), SETTINGS))
    assert told
    for book in (fresh(), fresh(phase=1), fresh()):
        quiet = view_of(at("10:00"))
        assert list(desk.guard(book, quiet, Decimal(100_000))) == list(
            Desk(SETTINGS).guard(book, quiet, Decimal(100_000))
        )


@pytest.mark.parametrize(("phase", "is_strict"), [(0, True), (1, True), (2, False), (4, False)])
def test_margin_breaks_at_the_strict_share_in_the_two_small_phases_only(phase: int, is_strict: bool) -> None:
    usual = float(by_vix(12.0, SETTINGS.margin_breaker_bounds, SETTINGS.margin_breaker_shares))
    strict = float(SETTINGS.margin_breaker_strict_share)
    assert strict < usual
    rows = breakers.readings(fresh(phase=phase), CALM, at("10:01"), 12.0, 1e5, 50_000.0, SETTINGS)
    (margin,) = [one for one in rows if one.name == "margin"]
    assert margin.share == pytest.approx(0.5 / (strict if is_strict else usual))


@pytest.mark.parametrize(("minutes", "acts"), [(1, False), (2, True), (15, True)])
def test_on_a_grid_coarser_than_a_minute_one_look_is_enough(minutes: int, acts: bool) -> None:
    told = drawdown_guard(fresh(), Decimal(94_000), at("11:00"), SETTINGS, vix=20.0, grid_minutes=minutes)
    assert any(getattr(one, "name", "") == "daily_loss" for one in told) is acts


def test_a_lost_day_stops_entries_by_name() -> None:
    lost = fresh(levels={"phase": "3", "daily_loss": FRIDAY.isoformat()})
    assert entries_stopped(lost, SETTINGS) == "daily loss limit reached in 2031-03-07"
    assert entries_stopped(fresh(), SETTINGS) is None


@pytest.mark.parametrize(("vix", "vol"), [(30.0, 0.30), (None, 0.20)])
def test_an_option_without_a_price_is_as_volatile_as_the_vix_says(vix: float | None, vol: float) -> None:
    blind = blank(is_empty=True)
    blind.mid = lambda *_: None
    blind.vix_level = vix
    (line,) = lines_of(book_of(("x", one_part(f"-1 ES {EXPIRY} P4600"), 1)))
    found = exposure([line], view(blind))
    assert found.stale[0]
    assert found.vols[0] * CALENDAR_YEAR**0.5 == pytest.approx(vol)


def test_what_joins_and_still_asks_margin_is_shrunk_like_any_other() -> None:
    """At VIX 30 a quarter goes: of one unit that nobody knows to be covered nothing is left."""
    book, joined = covered(joins="P1")
    for mid, is_covered in ((call_mid, True), (lambda *_: None, False)):
        market = Listed(mid, level=5500.0, vix_level=30.0)
        now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
        answer = judge(joined, book, now, account(book), SETTINGS, ())
        assert isinstance(answer, Approved) is is_covered


# ------------------------------------------------------------------------------ worked figures


def test_a_shock_of_the_vix_is_measured_in_points_and_in_shares_of_where_it_began() -> None:
    # From 12 to 16: 4 of 10 points, and a third where a half breaks: two thirds.  Below 13 it is tighter.
    tape = CALM._replace(base_vix=12.0)
    rows = breakers.readings(fresh(), tape, at("10:01"), 16.0, 1e5, None, SETTINGS)
    (shock,) = [one for one in rows if one.name == "VIX shock"]
    scale = float(SETTINGS.breaker_low_vix_share)
    assert (SETTINGS.vix_crash_points, SETTINGS.vix_crash_share) == (10, 0.5)
    assert shock.share == pytest.approx(4 / 12 / 0.5 / scale)
    # From 30 to 36: 6 of 10 points, and a fifth.
    high = breakers.readings(fresh(), CALM._replace(base_vix=30.0), at("10:01"), 36.0, 1e5, None, SETTINGS)
    assert next(one.share for one in high if one.name == "VIX shock") == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("since", "calm", "falls"),
    [
        ("2031-03-06", "2031-03-07", True),
        ("2031-03-07", "2031-03-06", True),
        ("2031-03-07", "2031-03-07", False),
    ],
)
def test_the_third_level_falls_in_a_session_after_it_was_reached_or_after_calm_began(
    since: str, calm: str, falls: bool
) -> None:
    notes = {
        emergency.SINCE: at("10:00", date.fromisoformat(since)).isoformat(),
        emergency.CALM: at("11:00", date.fromisoformat(calm)).isoformat(),
    }
    book = fresh(levels={"phase": "3", emergency.LEVEL: "3"}, notes=notes)
    told = list(emergency.calmer(book, 0, at("15:00"), SETTINGS))
    assert bool(told) is falls
    if falls:
        assert (told[0].before, told[0].after) == ("3", "2")  # type: ignore[union-attr]


def test_of_naked_puts_the_one_nearest_the_money_goes_first_and_longs_do_not_count() -> None:
    near = position("1", "leap_put_income", "-1 SPY 2031-12-19 P480")
    far = position("2", "leap_put_income", "-1 SPY 2031-12-19 P450 / +1 SPY 2031-12-19 P500")
    assert sorted([far, near], key=emergency.rank) == [near, far]


@pytest.mark.parametrize(
    ("margin", "net_liq", "margin_each", "units"),
    [(139_000, 200_000, 100, 0), (127_000, 200_000, 100, None), (139_000, 200_000, 0, None), (0, 0, 100, 0)],
)
def test_above_seventy_per_cent_margin_and_reserved_together_stop_all_but_the_0dte(
    margin: int, net_liq: int, margin_each: int, units: int | None
) -> None:
    # An order of $10,000 at work reserves $12,500: 139,000 and 12,500 are 75.8 %, 127,000 and it 69.8 %.
    busy = replace(empty(), orders={"O7": working(wish("ES"), units=10)})
    for strategy, expected in (("lt112", units), ("friday_0dte", None), ("mine", units)):
        one = case(wish(strategy=strategy), busy, net_liq=Decimal(net_liq), margin=Decimal(margin))
        assert priority_allows(replace(one, margin=Decimal(margin_each))).units == expected


def test_the_last_of_the_bars_is_the_prior_close() -> None:
    class Rising(Listed):
        def bars(self, family: str, now: datetime) -> Bars:
            flat = super().bars(family, now)
            close = np.linspace(2000.0, 5400.0, flat.close.size)
            return Bars(flat.day, close, close, close, close)

    one = case(market=Rising(lambda *_: 10.0, level=5500.0))
    assert limits_data.index_believed(one).units is None


def test_a_strike_beyond_the_chain_has_no_volatility() -> None:
    # Puts are listed from 4,000 to 7,000.
    for strike, words in (("P7005", True), ("P7000", False), ("P3995", True), ("C7005", True)):
        part = Part("x", Structure.parse("x", f"-1 ES 2031-03-07 {strike}"))
        detail = limits_data.volatility_sensible(case(wish("ES", parts=(part,)))).detail
        assert ("no implied volatility" in detail) is words, strike


def test_a_book_without_room_takes_no_unit_more() -> None:
    naked = stressed_wish(one_part(f"-1 ES {EXPIRY} P5400"))
    full = book_of(("x", one_part(f"-1 ES {EXPIRY} P5400"), 30))
    answer = limits_stress.expansion_allows(stressed_case(naked, full))
    assert answer.units == 0


def test_stress_limits_are_shares_of_net_liq() -> None:
    look_now = view()
    book = book_of(("x", one_part(f"-1 ES {EXPIRY} P4600"), 1))
    used = account_of(book, look_now, Decimal(300_000), SETTINGS)
    found = standing(book, look_now, used, SETTINGS)
    assert found is not None
    limits = {one.name: one.limit for one in found.readings}
    for name, share in (
        ("stress S-5", SETTINGS.stress_5_share_max),
        ("stress S-10", SETTINGS.stress_10_share_max[4]),
        ("stress S-20", SETTINGS.stress_20_share_max[4]),
        ("group A1 stress", SETTINGS.stress_group_share_max),
    ):
        assert limits[name] == pytest.approx(float(share) * 300_000)
    assert limits["margin expansion"] == float(SETTINGS.stressed_margin_share_max)


def test_where_nothing_is_left_of_the_account_any_margin_is_beyond_all_bounds() -> None:
    look_now = view()
    book = book_of(("x", one_part(f"-1 ES {EXPIRY} P5400"), 30))
    poor = account_of(book, look_now, Decimal(50_000), SETTINGS)
    found = standing(book, look_now, poor, SETTINGS)
    assert found is not None
    assert next(one.used for one in found.readings if one.name == "margin expansion") == np.inf
    rich = standing(book, look_now, account_of(book, look_now, Decimal(10**9), SETTINGS), SETTINGS)
    assert rich is not None
    lost = rich.margins / 1e9
    used = next(one.used for one in rich.readings if one.name == "margin expansion")
    assert used == pytest.approx(lost.max(), rel=0.02)


def test_the_second_of_the_day_is_of_utc() -> None:
    # 10:30:20 in New York is 15:30:20 UTC in winter time.
    assert second_of(at("10:30") + timedelta(seconds=20)) == 15 * 3600 + 30 * 60 + 20


def test_a_debit_adds_to_margin_where_nothing_covers_and_is_in_it_where_all_is_covered() -> None:
    def capital(text: str, net: str) -> tuple[Decimal, Decimal]:
        book = fresh(position("1", "x", text, net=net))
        found = account_of(book, view_of(at("10:30")), Decimal(100_000), SETTINGS)
        return found.margin, found.capital

    # A put spread bought for 10 points of $50: covered, the debit is its margin.
    margin, used = capital("+1 ES 2031-04-17 P5000 / -1 ES 2031-04-17 P4950", "-10")
    assert margin == used == 500
    # A naked put on a future bought against a debit: what was paid comes on top.
    margin, used = capital("+1 ES 2031-04-17 P4000 / -1 ES 2031-05-15 P4950", "-10")
    assert used == margin + 500


def test_a_future_has_no_life_of_its_own_and_no_discount() -> None:
    future = Structure.parse("f", "+1 ES 2031-03-21 F").contracts[0]
    found = exposure([Line(future, 1.0, "x", "P1")], view())
    assert found.legs[0].tolist() == [5500.0, 0.0, 0.0, 1.0, 0.0]
    assert found.smile_of[0].tolist() == [0, 0]


def test_without_a_mid_or_a_vix_nobody_is_shown_what_a_yes_would_mean() -> None:
    approved = Approved(wish("SPXW"), 2, "test", (), Decimal(900))

    def seen(mid: float | None, vix: float | None) -> object:
        market = Listed(lambda *_: mid, level=5500.0, vix_level=vix)
        now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
        return ahead(approved, empty(), now, Decimal(200_000), SETTINGS, worst_net=Decimal(5))

    assert seen(10.0, 24.0) is not None
    assert seen(None, 24.0) is None
    assert seen(10.0, None) is None


def test_gold_moves_by_its_own_move_either_way_in_the_last_two_cells() -> None:
    shocks = cells(SETTINGS)
    assert shocks[-2:] == (Shock("PROD+", others=1.0), Shock("PROD-", others=-1.0))
    moves = _factors("GC", shocks, SETTINGS)
    own = own_move("GC", SETTINGS)
    assert moves[-2:].tolist() == [1 + own, 1 - own]
    assert (moves[:-2] == 1).all()
    assert _factors("VIX", shocks, SETTINGS).tolist() == [1.0] * len(shocks)
    assert _factors("ES", shocks, SETTINGS).tolist() == [1 + shock.move for shock in shocks]


def test_the_calm_of_one_book_is_not_that_of_another() -> None:
    desk = Desk(SETTINGS)
    calm = fresh()
    for event in drawdown_guard(calm, Decimal(100_000), at("10:00"), SETTINGS, vix=20.0):
        calm = apply(calm, event)
    assert not list(
        desk.guard(
            replace(calm, notes={**calm.notes, NOTE: CALM.text}), view_of(at("10:00")), Decimal(100_000)
        )
    )
    # The same net liq is 9 % below the close of another book.
    richer = replace(calm, prior_close=Decimal(110_000))
    told = list(desk.guard(richer, view_of(at("10:01")), Decimal(100_000)))
    assert any(getattr(one, "key", "") == "risk.seen.daily_loss" for one in told)


def test_capital_in_use_is_held_to_the_least_of_vix_phase_and_reserve() -> None:
    book = book_of(("x", one_part(f"-1 ES {EXPIRY} P4600"), 1))
    for vix, phase in ((16.0, 4), (27.0, 4), (16.0, 0)):
        now = view(surface(vix=vix))
        one = replace(book, levels={"phase": str(phase)})
        found = standing(one, now, account_of(one, now, Decimal(200_000), SETTINGS), SETTINGS)
        assert found is not None
        limit = next(r.limit for r in found.readings if r.name == "capital in use")
        cap = min(
            by_vix(vix, SETTINGS.vix_bounds, SETTINGS.vix_capital_share_max),
            SETTINGS.capital_share_max[phase],
            1 - SETTINGS.reserve_share,
        )
        assert limit == float(cap * 200_000)


def test_an_account_that_begins_with_nothing_has_lost_nothing() -> None:
    poor = replace(empty(), prior_close=Decimal(0))
    assert losses_allow(case(book=poor, net_liq=Decimal(0))).units is None
    dollar = replace(empty(), prior_close=Decimal(1))
    assert losses_allow(case(book=dollar, net_liq=Decimal("0.90"))).units == 0


def test_of_two_naked_sides_the_one_that_asks_more_with_its_value_stands_beside_the_others_value() -> None:
    def greater(*needs: tuple[float, float]) -> float:
        columns = [(np.array([one]), np.array([value])) for one, value in needs]
        return float(_greater(columns)[0])

    # 10 + 3 against 9 + 3.5: the first stands, with both values; 10 + 1 against 9 + 5: the second.
    assert greater((10.0, 3.0), (9.0, 3.5)) == 16.5
    assert greater((10.0, 1.0), (9.0, 5.0)) == 15.0
    assert greater((10.0, 3.0)) == 13.0


def test_what_was_paired_is_taken_from_the_first_and_a_hair_is_nothing() -> None:
    assert _less([(0, 3.0), (1, 2.0)], 1.0) == [(0, 2.0), (1, 2.0)]
    assert _less([(0, 3.0), (1, 2.0)], 3.0) == [(1, 2.0)]
    assert _less([(0, 3.0)], 3.0 - 1e-12) == []
    assert _less([], 1.0) == []


def test_only_what_is_bought_for_long_is_long_dated() -> None:
    def told(text: str) -> tuple[bool, bool, bool]:
        one = occasion(case(wish("SPY", parts=(Part("x", Structure.parse("x", text)),))))
        return one.long_dated, one.short_premium, one.short_call

    assert told("+1 SPY 2032-06-18 C500") == (True, False, False)
    assert told("-1 SPY 2032-06-18 C500") == (False, True, True)
    assert told("-1 SPY 2032-06-18 P500") == (False, True, False)
    assert told("+1 SPY 2031-03-14 C500") == (False, False, False)


def test_before_the_first_trade_nobody_has_won_anything() -> None:
    rows = {one.name: one for one in full_size_requirements(empty(), Decimal(10**6), FRIDAY, SETTINGS)}
    assert (rows["of them won"].reached, rows["of them won"].met) == ("0%", False)
    assert rows["net liq"].met


def test_a_full_group_names_what_fills_it() -> None:
    book = holding(
        position("1", "lt112", "-1 ES 2031-04-17 P5200"), position("2", "ipmcc", "-1 ES 2031-04-17 P5200")
    )
    detail = limits_correlation.group_allows(case(wish("ES", strategy="lt112"), book)).detail
    assert detail.endswith("(lt112)")
    assert "2 of 2" in detail


def test_the_0dte_goes_at_its_share_of_a_prior_close_that_is_known() -> None:
    book = fresh(CONDOR)
    # Sold for 2.00 on one MES: at 2,000 points the loss is far beyond any share of $100,000.
    values = {("2", "all"): Decimal(-2000)}
    assert [close.position for close in forced(book, values, SETTINGS)] == ["2"]
    assert forced(replace(book, prior_close=Decimal(0)), values, SETTINGS) == []
    assert forced(book, {("2", "all"): Decimal(-3)}, SETTINGS) == []


def test_greeks_are_those_of_the_volatility_at_the_options_own_strike() -> None:
    put = Structure.parse("p", f"-1 ES {EXPIRY} P4600").contracts[0]
    found = greeks_of(exposure([Line(put, 1.0, "x", "P1")], view()), SETTINGS)
    # B.2's surface: 14.55 % + 0.30 x ln(5500/4600) = 19.91 %; at the money it would be 14.55 %.
    paid = float(np.exp(-0.045 * 120 / 365))
    one = black(forward=5500.0, strike=4600.0, years=120 / 365, vol=0.19911, discount=paid, right=-1)
    # $50 a point of 5,500, in shares of 550: 500 a delta.
    assert found.delta[0] == pytest.approx(500 * float(one.delta), rel=0.01)
    assert found.vega[0] == pytest.approx(50 * float(one.reported().vega), rel=0.01)


def test_a_debit_ties_up_its_dollars_where_that_is_more_than_the_margin() -> None:
    one = replace(case(wish("ES")), margin=Decimal(1_000))
    # 30 points of $50.
    assert replace(one, mid=Decimal(-30)).capital == 1_500
    assert replace(one, mid=Decimal(-10)).capital == 1_000
    assert replace(one, mid=Decimal(30)).capital == 1_000
    assert replace(one, mid=None).capital == 1_000


def test_a_yes_is_shown_with_its_loss_at_the_stop_and_its_fees_both_ways() -> None:
    approved = Approved(wish("SPXW"), 2, "test", (), Decimal(900))
    market = Listed(lambda *_: 10.0, level=5500.0, vix_level=24.0)
    now = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    shown = ahead(approved, empty(), now, Decimal(200_000), SETTINGS, worst_net=Decimal(5))
    assert shown is not None
    # 20 points x 2 units x $100; 30 wide for 5 points at the worst: 25 x 2 x $100, and the fees to open.
    assert shown.stop_loss == 4_000
    assert shown.max_loss == 5_000 + shown.fees_open
    assert shown.fees_open == fees(wish("SPXW").structure, 2, opens=True)
    assert shown.fees_close == fees(wish("SPXW").structure.inverse(), 2, opens=False)
    assert (shown.margin, shown.worst in shown.shocks) == (Decimal(900), True)


def test_the_shocks_fall_but_the_melt_up_and_one_side_of_each_other_product() -> None:
    moves = {shock.name: shock.move for shock in shock_table(16.0, SETTINGS)}
    assert moves["CRISIS"] == moves["S-10"] == -0.10
    assert moves["S-20"] == -0.20
    assert [name for name, move in moves.items() if move > 0] == [
        name for name in moves if name.startswith("S+")
    ]


@pytest.mark.parametrize(("urgency", "level"), [(Urgency.TARGET, 0), (Urgency.RULE, 2), (Urgency.ENTRY, 2)])
def test_a_breaker_does_not_recover_while_anything_but_a_target_works(urgency: Urgency, level: int) -> None:
    one = working(wish("ES"))
    busy = replace(broken(), orders={"O7": replace(one, order=replace(one.order, urgency=urgency))})
    assert breakers.level_of(closed(busy, at("16:00", MONDAY))) == level
