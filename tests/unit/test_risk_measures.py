"""How risk measures: margin of paired legs, moves of a portfolio, the tape, pauses, phases and regimes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isnan, nan
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.unit import stressworld as stressed
from tests.unit.test_groups import seasoned
from tests.unit.test_limits import case, empty, holding, lt112, open_position, wish, working
from tests.unit.test_protect import fresh, position
from tests.worlds import FRIDAY, ScriptedMarket, at, session_on, weekdays

from tomking.domain import events as ev
from tomking.domain.bars import Bars
from tomking.domain.book import Book, Component, apply
from tomking.domain.contract import Share
from tomking.domain.products import PRODUCTS
from tomking.domain.record import Record
from tomking.domain.structure import Structure
from tomking.domain.trading import TRADING
from tomking.pricing.black import black
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.risk import (
    breakers,
    drawdown,
    emergency,
    paired,
    pauses,
    phases,
    portfolio,
    progress,
    protect,
    readings,
    rollout,
    shocks,
)
from tomking.risk import limits_stress as stress
from tomking.risk import standing as page
from tomking.risk.case import Case
from tomking.risk.expansion import needs_of
from tomking.risk.exposure import Line, exposure, lines_in
from tomking.risk.legtable import LegTable, Sums
from tomking.risk.livegreeks import LiveGreeks, Snapshot, Throttle, changes
from tomking.risk.margin import Held
from tomking.risk.paired import Rates, Row
from tomking.risk.regime import LEVEL as REGIME
from tomking.risk.regime import LOOSER, by_vix, capital_cap, regime, regime_events, vix_size
from tomking.risk.settings import Settings
from tomking.risk.shocks import CRISIS_GROUPS, Shock, moves_of, shock_table
from tomking.risk.standing import Reading
from tomking.risk.state import holding as holds
from tomking.risk.stress import Stressed
from tomking.risk.tape import Mark, Tape, begun, read
from tomking.risk.valuation import _main_expiry, _netted, account_of, heat_of, received_for
from tomking.view import View

SETTINGS = Settings()
ZERO, ONE = Decimal(0), Decimal(1)
CRUDE_WEIGHT = SETTINGS.crisis_weights[CRISIS_GROUPS.index("C1")]
MARCH, APRIL, MAY, JUNE = (date(2031, month, 20) for month in (3, 4, 5, 6))


def notes(events: Iterable[ev.Event]) -> dict[str, str]:
    return {e.key: e.value for e in events if isinstance(e, ev.Noted)}


def levels(events: Iterable[ev.Event]) -> dict[str, str]:
    return {e.name: e.after for e in events if isinstance(e, ev.LevelChanged)}


def view(wall: str = "10:30", day: date = FRIDAY, **market: Any) -> View:
    world = ScriptedMarket(lambda contract, now: 5.0, level=5000.0)
    for name, value in market.items():
        setattr(world, name, value)
    return View(at(wall, day), session_on(day), weekdays(FRIDAY - timedelta(days=30), 200), world)


# ------------------------------------------------------------------------------ which long covers which short


def test_of_longs_that_cover_alike_the_one_that_ends_first_is_used_first() -> None:
    # The call of March needs neither of the longs more than the other; that of May needs June's.
    rows = [Row(JUNE, 1, 490.0, 1), Row(APRIL, 1, 490.0, 1), Row(MARCH, 1, 500.0, -1), Row(MAY, 1, 505.0, -1)]
    found = paired.on_shares(rows)
    assert (found.fixed, found.naked) == (0.0, ())
    # Without June's the May call is naked: nothing that ends before it covers it.
    assert paired.on_shares(rows[1:]).naked == ((2, 1),)


def test_a_long_that_costs_less_beside_the_short_is_used_before_a_nearer_one() -> None:
    # Put of 500 sold: the put of 495 leaves 5 points, that of 480 20.
    rows = [Row(MARCH, -1, 480.0, 1), Row(APRIL, -1, 495.0, 1), Row(MARCH, -1, 500.0, -2)]
    found = paired.on_shares(rows)
    assert (found.fixed, found.naked) == (25.0, ())
    assert paired.on_shares([*rows[:2], Row(MARCH, -1, 500.0, -3)]) == paired.Paired(25.0, 0.0, ((2, 1),))
    one = paired.on_shares([*rows[:2], Row(MARCH, -1, 500.0, -1)])
    assert one.fixed == 5.0


def test_of_index_options_the_nearest_to_the_money_count_as_naked() -> None:
    # Puts of 5,000 and 4,900 sold, one of 4,800 bought: it covers the 4,900, which loses 100 at most.
    rows = [Row(MARCH, -1, 5000.0, -1), Row(MARCH, -1, 4900.0, -1), Row(MARCH, -1, 4800.0, 1)]
    assert paired.on_index(rows) == paired.Paired(100.0, 0.0, ((0, 1),))
    # Two bought cover both: (5,000 - 4,800) + 100.
    assert paired.on_index([*rows[:2], Row(MARCH, -1, 4800.0, 2)]) == paired.Paired(300.0, 0.0, ())
    # Of three sold at one strike one bought hides one.
    three = [Row(MARCH, -1, 5000.0, -3), Row(MARCH, -1, 4900.0, 1)]
    assert paired.on_index(three) == paired.Paired(100.0, 0.0, ((0, 2),))


def test_a_payoff_is_worst_at_a_strike_or_at_nothing() -> None:
    # One call of 100 sold and two of 110 bought lose 10 at 110; what is bought alone loses nothing more.
    assert paired.worst_payout([Row(MARCH, 1, 100.0, -1), Row(MARCH, 1, 110.0, 2)]) == 10.0
    assert paired.worst_payout([Row(MARCH, -1, 100.0, 1)]) == 0.0
    assert paired.worst_payout([Row(MARCH, -1, 100.0, -1)]) == 100.0
    assert paired.worst_payout([Row(MARCH, -1, 100.0, -1), Row(MARCH, -1, 80.0, 1)]) == 20.0
    # Each expiration by itself.
    assert paired.worst_payout([Row(MARCH, 1, 100.0, -1), Row(MARCH, 1, 110.0, 1),
                                Row(APRIL, -1, 100.0, -1), Row(APRIL, -1, 70.0, 1)]) == 40.0  # fmt: skip


def test_a_put_and_a_call_ask_for_the_greater_and_both_their_values() -> None:
    # At 100: the put of 95 asks 20 - 5 = 15, the call of 110 max(20 - 10, 10) = 10; values 1 and 0.5.
    rates = Rates(0.20, 0.10, of_strike=True)
    rows = [Row(MARCH, -1, 95.0, -2), Row(MARCH, 1, 110.0, -1)]
    mids, level = np.array([[1.0], [0.5]]), np.array([100.0])
    found = paired.asked(paired.on_shares(rows), rows, mids, level, rates, SETTINGS)
    # Once together: 15 + 1 + 0.5; and the second put alone: 15 + 1.
    assert found.tolist() == [16.5 + 16.0]
    # A put far out of the money asks for a tenth of its strike; a call for a tenth of the underlying.
    far = [Row(MARCH, -1, 50.0, -1)], [Row(MARCH, 1, 150.0, -1)]
    asked = [
        paired.asked(paired.on_shares(one), one, np.array([[0.1]]), level, rates, SETTINGS)[0] for one in far
    ]
    assert asked == pytest.approx([5.1, 10.1])
    of_level = Rates(0.20, 0.10, of_strike=False)
    put = paired.asked(paired.on_shares(far[0]), far[0], np.array([[0.1]]), level, of_level, SETTINGS)
    assert put[0] == pytest.approx(10.1)


def test_equal_needs_are_told_once() -> None:
    # Both ask for 15 and are worth 1: 15 + 2.
    rates = Rates(0.20, 0.10, of_strike=True)
    rows = [Row(MARCH, -1, 95.0, -1), Row(MARCH, 1, 105.0, -1)]
    mids, level = np.array([[1.0], [1.0]]), np.array([100.0])
    assert paired.asked(paired.on_shares(rows), rows, mids, level, rates, SETTINGS).tolist() == [17.0]


# ------------------------------------------------------------------------------ moves of a portfolio


@pytest.mark.parametrize(
    ("product", "down", "up"),
    [("SPY", 0.08, 0.06), ("QQQ", 0.08, 0.06), ("IWM", 0.10, 0.10), ("AAPL", 0.15, 0.15)],
)
def test_shares_lose_what_the_rule_moves_their_family(product: str, down: float, up: float) -> None:
    row = PRODUCTS[product]
    share = next(leg.contract for leg in Structure.parse("any", f"+1 {product} S").legs)
    assert isinstance(share, Share)
    market = ScriptedMarket(lambda contract, now: 100.0, level=5000.0)
    look = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY, 5), market)
    worth = 100.0 * float(row.multiplier)
    for number, lost in ((1, down), (-1, up)):
        held = exposure([Line(share, number, "x", "P1")], look)
        assert portfolio.portfolio_margin(held) == {row.family: pytest.approx(worth * lost)}


def test_volatility_moves_by_a_fifth_and_only_what_is_short_has_a_least() -> None:
    assert portfolio.RANGES["VIX"] == (-0.20, 0.20)
    look = stressed.view()
    far = f"{{0:+d}} SPXW {stressed.EXPIRY} P2300"
    for number, least in ((-2, 75.0), (2, 1.3)):  # $37.50 a contract; what it is worth
        held = exposure(lines_in(Structure.parse("any", far.format(number)), 1, "x", "P1"), look)
        assert portfolio.portfolio_margin(held)["SPX"] == pytest.approx(least, abs=0.1)


def test_a_portfolios_moves_keep_each_volatility_with_its_moneyness() -> None:
    # 8 % down from 5,500 is 5,060, from where a put of 5,000 is 1.2 % out of the money: 14.55 % + 0.36 %.
    strike, moved, years = 5000.0, 5060.0, 120 / 365
    paid = float(np.exp(-stressed.RATE * years))

    def price(forward: float) -> float:
        vol = 0.1455 - 0.30 * np.log(strike / forward)
        put = black(forward=forward, strike=strike, years=years, vol=vol, discount=paid, right=-1)
        return float(put.price)

    legs = lines_in(Structure.parse("any", f"-1 SPXW {stressed.EXPIRY} P5000"), 1, "x", "P1")
    found = portfolio.portfolio_margin(exposure(legs, stressed.view()))
    assert found == {"SPX": pytest.approx(100 * (price(moved) - price(5500.0)), rel=1e-3)}


# ------------------------------------------------------------------------------ stress


def test_no_dollars_are_no_negative_dollars() -> None:
    told = stress._room(case(), "S", 0.0, 0.0, Decimal("0.10")).detail
    assert told.startswith("S: $0 lost by what is held + $0 a unit")
    assert "-$1 lost" in stress._room(case(), "S", -0.6, 0.5, Decimal("0.10")).detail


def in_shocks(**each: float) -> Case:
    """A candidate on gold that loses so much in its two shocks, of a limit of $20,000."""
    names = list(each)
    none = np.zeros(1, np.bool_)
    fake = SimpleNamespace(
        held=none,
        of_group=lambda group: none,
        losses=lambda rows: np.zeros(len(names)),
        column=names.index,
    )
    one = replace(case(wish("GC")), settings=replace(SETTINGS, stress_group_share_max=Decimal("0.10")))
    one.worked_out["stress"] = stress.CaseStress(fake, 0, np.zeros(2), np.array(list(each.values())))  # type: ignore[arg-type]
    return one


@pytest.mark.parametrize(
    ("up", "down", "units"),
    [(5_000.0, 4_000.0, 4), (4_000.0, 5_000.0, 4), (-1.0, 5_000.0, 4), (5_000.0, -1.0, 4), (-1.0, -1.0, None),
     (15_000.0, 30_000.0, 0), (30_000.0, 15_000.0, 0)],
)  # fmt: skip
def test_the_tighter_of_a_groups_shocks_decides(up: float, down: float, units: int | None) -> None:
    answer = stress.group_allows(in_shocks(**{"PROD+": up, "PROD-": down}))
    assert answer.units == units
    if units is not None:
        tighter = "PROD+" if up > down else "PROD-"
        assert answer.detail.startswith(f"group B1 under {tighter}: ")


def test_the_shocks_of_the_methodology() -> None:
    # C.7 at VIX 16: to 50 is 34 points, to 80 are 64.
    told = {one.name: (one.move, one.vix, one.vols, one.others) for one in shock_table(16.0, SETTINGS)}
    assert told == {
        "S-5": (-0.06, pytest.approx(SETTINGS.shock_5_vix_points), 0.0, 0.0),
        "S-10": (-0.10, pytest.approx(34.0), 0.0, 0.0),
        "S-20": (-0.20, pytest.approx(64.0), 0.0, 0.0),
        "S+5": (0.05, pytest.approx(SETTINGS.shock_up_vix_share * 16.0), 0.0, 0.0),
        "PROD+": (0.0, 0.0, 0.0, 1.0),
        "PROD-": (0.0, 0.0, 0.0, -1.0),
        "VOL+": (0.0, 0.0, 0.5, 0.0),
        "CRISIS": (-0.10, pytest.approx(34.0), 0.0, 0.0),
    }
    assert [one.name for one in shock_table(16.0, SETTINGS) if one.crisis] == ["CRISIS"]
    # From VIX 90 no shock falls back to 50 or 80: it rises by its points.
    high = {one.name: one.vix for one in shock_table(90.0, SETTINGS)}
    assert (high["S-10"], high["S-20"]) == (SETTINGS.shock_10_vix_points, SETTINGS.shock_20_vix_points)


@pytest.mark.parametrize(
    ("text", "shock", "move", "scale"),
    [
        ("+1 ES {0} P5000", Shock("", -0.10), 0.90, 1.0),
        ("+1 QQQ {0} P400", Shock("", -0.10), 1 - 0.10 * SETTINGS.ndx_beta, 1.0),
        ("+1 AAPL {0} P150", Shock("", -0.10), 1 - 0.10 * SETTINGS.stock_beta, 1.0),
        ("+1 GC {0} P2000", Shock("", -0.10), 1.0, 1.0),
        ("+1 GC {0} P2000", Shock("", others=1.0), 1 + SETTINGS.product_move, 1.5),
        ("+1 CL {0} P60", Shock("", others=-1.0), 1 - SETTINGS.crude_move, 1.5),
        ("+1 ZN {0} P110", Shock("", others=-1.0), 1 - SETTINGS.rates_move, 1.5),
        ("+1 6E {0} P1.1", Shock("", others=1.0), 1 + SETTINGS.currency_move, 1.5),
        ("+1 ES {0} P5000", Shock("", vols=0.5), 1.0, 1.5),
        ("+1 GC {0} P2000", Shock("", vols=0.5), 1.0, 1.5),
        ("+1 ES {0} P5000", Shock("", others=1.0), 1.0, 1.0),
        # In a crisis crude falls by its group's weight of its own move.
        ("+1 CL {0} P60", Shock("", -0.10, crisis=True), 1 - SETTINGS.crude_move * CRUDE_WEIGHT, 1.5),
    ],
)
def test_what_a_shock_does_to_a_leg(text: str, shock: Shock, move: float, scale: float) -> None:
    legs = lines_in(Structure.parse("any", text.format(stressed.EXPIRY)), 1, "x", "P1")
    found = moves_of(exposure(legs, view()), [shock], SETTINGS)
    assert found.move[0, 0] == pytest.approx(max(move, 0.01))
    assert found.scale[0, 0] == pytest.approx(scale)
    assert found.left[0, 0] == 1.0


@pytest.mark.parametrize(
    ("days", "ahead", "left"),
    [(10, 0, 1.0), (10, 4, 0.6), (10, 10, 0.0), (10, 30, 0.0), (0, 0, 1.0), (0, 1, 0.0), (1, 1, 0.0)],
)
def test_days_ahead_are_taken_off_what_is_left_of_a_life(days: int, ahead: int, left: float) -> None:
    text = f"+1 ES {FRIDAY + timedelta(days=days)} P5000"
    legs = lines_in(Structure.parse("any", text), 1, "x", "P1")
    found = moves_of(exposure(legs, view()), [Shock("", days=ahead)], SETTINGS)
    assert found.left[0, 0] == pytest.approx(left)


def test_the_vix_products_move_by_their_own_points_alone() -> None:
    # Beta, whether it is the VIX's, own move, weight in a crisis.
    assert shocks._place("VIX", SETTINGS) == (0.0, 1.0, 0.0, 0.0)
    assert shocks._place("ES", SETTINGS) == (1.0, 0.0, 0.0, 0.0)
    assert shocks._place("CL", SETTINGS) == (0.0, 0.0, SETTINGS.crude_move, CRUDE_WEIGHT)


def test_the_vix_lifts_short_lives_whole_and_long_ones_less() -> None:
    # Ten points are 10 % of volatility up to 30 days, at 120 days sqrt(30 / 120) = half of it; gold keeps
    # its own.
    def shift(text: str, days: int) -> float:
        legs = lines_in(Structure.parse("any", text.format(FRIDAY + timedelta(days=days))), 1, "x", "P1")
        found = moves_of(exposure(legs, view()), [Shock("", vix=10.0)], SETTINGS)
        scale: float = CALENDAR_YEAR**0.5
        return scale * float(found.shift[0, 0])

    damping = int(SETTINGS.shock_damping_days)
    assert shift("+1 ES {0} P5000", damping) == pytest.approx(0.10)
    assert shift("+1 ES {0} P5000", 1) == pytest.approx(0.10)
    assert shift("+1 ES {0} P5000", 4 * damping) == pytest.approx(0.05)
    assert shift("+1 GC {0} P2000", 10) == 0.0


# ------------------------------------------------------------------------------ the tape


def tape(*marks: tuple[int, float, float], base: float = 20.0) -> Tape:
    """Marks at so many minutes after ten (15:00 UTC)."""
    rows = tuple(Mark(15 * 3600 + 60 * minute, vix, worth) for minute, vix, worth in marks)
    return Tape("2031-03-07", base, max(row.net_liq for row in rows), nan, rows)


def minute(n: int) -> datetime:
    return at("10:00") + timedelta(minutes=n)


def test_a_reading_is_written_from_half_a_point_or_a_quarter_per_cent_on() -> None:
    one = tape((0, 20.0, 100_000.0))
    for vix, worth, is_written in (
        (20.49, 100_000.0, False),
        (20.5, 100_000.0, True),
        (19.5, 100_000.0, True),
        (20.0, 100_249.0, False),
        (20.0, 100_250.0, True),
        (20.0, 99_750.0, True),
        (nan, 100_000.0, False),
        (nan, 99_750.0, True),
    ):
        assert (len(read(one, minute(1), vix, worth).marks) == 2) is is_written, (vix, worth)
    # After a missing one the next that is there is news; and a dollar is where shares of nothing begin.
    assert len(read(tape((0, nan, 100_000.0)), minute(1), 20.0, 100_000.0).marks) == 2
    assert read(tape((0, nan, 100_000.0), base=nan), minute(1), 21.0, 100_000.0).base_vix == 21.0
    broke = tape((0, 20.0, 0.0))
    assert len(read(broke, minute(1), 20.0, 0.0025).marks) == 2
    assert len(read(broke, minute(1), 20.0, 0.0024).marks) == 1


def test_it_keeps_half_an_hour_and_the_mark_that_stood_at_its_begin() -> None:
    one = tape((0, 20.0, 100.0), (10, 21.0, 101.0), (20, 22.0, 102.0))
    assert [m.vix for m in read(one, minute(39), 25.0, 90.0).marks] == [20.0, 21.0, 22.0, 25.0]
    assert [m.vix for m in read(one, minute(40), 25.0, 90.0).marks] == [21.0, 22.0, 25.0]
    assert [m.vix for m in read(one, minute(49), 25.0, 90.0).marks] == [21.0, 22.0, 25.0]
    assert read(one, minute(40), 25.0, 90.0).high == 102.0
    assert read(one, minute(40), 25.0, 190.0).high == 190.0


def test_a_look_back_reaches_to_the_mark_that_stood_then() -> None:
    one = tape((0, 20.0, 105.0), (10, nan, 103.0), (20, 24.0, 101.0))
    assert [one.net_liq_high(minute(n), 5) for n in (5, 14, 15, 24, 25)] == [
        105.0,
        105.0,
        103.0,
        103.0,
        101.0,
    ]
    assert one.vix_low(minute(20), 30) == 20.0
    assert one.vix_low(minute(30), 5) == 24.0
    assert isnan(tape((0, nan, 1.0)).vix_low(minute(1), 5))


def test_a_session_begins_with_the_lower_of_its_first_print_and_yesterdays_last() -> None:
    before = tape((0, 30.0, 100.0), (5, 18.0, 100.0))
    assert begun(before, minute(0), 20.0, 100.0, nan).base_vix == 18.0
    assert begun(before, minute(0), 17.0, 100.0, nan).base_vix == 17.0
    assert begun(before, minute(0), nan, 100.0, nan).base_vix == 18.0
    assert begun(None, minute(0), 20.0, 100.0, nan).base_vix == 20.0
    assert isnan(begun(None, minute(0), nan, 100.0, nan).base_vix)


# ------------------------------------------------------------------------------ pauses


def test_a_pause_ends_at_its_instant() -> None:
    book = fresh(levels={"phase": "3", pauses.SPIKE: at("10:30").isoformat()})
    quiet = tape((0, 20.0, 100_000.0))
    before = list(pauses.pause_events(book, view("10:29"), quiet, 100_000.0, SETTINGS))
    assert pauses.SPIKE not in levels(before)
    ended = levels(pauses.pause_events(book, view("10:30"), quiet, 100_000.0, SETTINGS))
    assert ended[pauses.SPIKE] == ""


def test_a_fall_is_measured_from_the_days_high_and_of_nothing_there_is_none() -> None:
    def falls(high: float, worth: float) -> bool:
        one = tape((0, 20.0, high))
        return pauses.DAY_HIGH in levels(pauses.pause_events(fresh(), view(), one, worth, SETTINGS))

    share = float(SETTINGS.day_high_share_max)
    assert falls(100_000.0, 100_000 * (1 - share))
    assert not falls(100_000.0, 100_000 * (1 - share) + 1)
    assert not falls(0.0, -1_000.0)
    assert falls(1.0, 0.5)


@pytest.mark.parametrize(
    ("index", "is_swan"), [(3750.0, False), (3749.0, True), (6250.0, False), (6251.0, True)]
)
def test_a_move_of_exactly_the_limit_is_no_swan(index: float, is_swan: bool) -> None:
    class World(ScriptedMarket):
        def bars(self, family: str, now: object) -> Any:
            close = np.array([9000.0, 5000.0])
            days = np.array(["2031-03-05", "2031-03-06"], "datetime64[D]")
            return Bars(days, close, close, close, close)

    market = World(lambda contract, now: 5.0, level=index)
    look = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY - timedelta(days=30), 200), market)
    careful = replace(SETTINGS, black_swan_share=0.25)
    assert bool(list(pauses.swan_events(fresh(), look, careful))) is is_swan


def test_each_further_loss_of_a_run_pauses_again() -> None:
    most = SETTINGS.losing_run_pause

    def told(run: int, seen: str) -> dict[str, str]:
        return notes(
            pauses._losing_run(fresh(losing_run=run, notes={pauses.RUN_SEEN: seen}), view(), SETTINGS)
        )

    assert told(most, "") == {pauses.RUN_SEEN: str(most)}
    assert told(most, str(most)) == {}
    assert told(most + 1, str(most)) == {pauses.RUN_SEEN: str(most + 1)}
    assert told(most - 1, "") == {}
    # At the end of what is known it lasts a day.
    last = replace(view(), sessions=replace(view().sessions, days=()))
    (begin, _) = pauses._losing_run(fresh(losing_run=most), last, SETTINGS)
    assert getattr(begin, "after", "") == (at("10:30") + timedelta(days=1)).isoformat()


def test_without_a_vix_or_a_base_there_is_no_flag() -> None:
    far = tape((0, 10.0, 100_000.0), base=10.0)
    assert list(pauses._vix_flags(fresh(), view(vix_level=30.0), far, SETTINGS)) != []
    assert list(pauses._vix_flags(fresh(), view(vix_level=None), far, SETTINGS)) == []
    assert list(pauses._vix_flags(fresh(), view(vix_level=30.0), far._replace(base_vix=nan), SETTINGS)) == []


def test_margin_is_worked_out_below_99_per_cent_of_the_prior_close_or_two_points_of_vix() -> None:
    one = tape((0, 20.0, 100_000.0))

    def grown(worth: float, vix: float | None = 20.0) -> bool:
        return protect._may_have_grown(fresh(), one, vix, worth)

    assert [grown(worth) for worth in (99_000.0, 98_999.0)] == [False, True]
    assert [grown(100_000.0, vix) for vix in (21.99, 22.0, None)] == [False, True, False]


# ------------------------------------------------------------------------------ when nothing can change


def is_quiet(
    vix: float | None = 20.0, worth: float = 100_000.0, *, seen: Tape | None = None, **book: Any
) -> bool:
    held = fresh(**book)
    return protect._is_quiet(held, seen or tape((0, 20.0, 100_000.0)), vix, worth, SETTINGS)


def test_a_look_is_quiet_only_while_nothing_is_remembered() -> None:
    assert is_quiet()
    assert not is_quiet(None)
    run = SETTINGS.losing_run_pause
    assert is_quiet(losing_run=run - 1)
    assert not is_quiet(losing_run=run)
    for name in (*pauses.WORDS, "breaker", "emergency", "manual"):
        assert not is_quiet(levels={"phase": "3", name: "1"}), name
    for note in (pauses.RUN_SEEN, "risk.seen.breaker", "risk.seen.emergency", readings.VIX_NOTE):
        assert not is_quiet(notes={note: "1"}), note


def test_a_look_is_quiet_only_far_below_every_first_threshold() -> None:
    # 80 % of it warns, and 67 % of that where the session began in calm: 53.6 % of each breaker.
    assert is_quiet(24.99, seen=tape((0, 24.0, 100_000.0), base=24.0))
    assert not is_quiet(25.0, seen=tape((0, 24.0, 100_000.0), base=24.0))
    # VIX: two points above where the session began, or 53.6 % of half of it: of 7 that is 1.876.
    assert is_quiet(21.99)
    assert not is_quiet(22.0)
    low = tape((0, 7.0, 100_000.0), base=7.0)
    assert is_quiet(8.87, seen=low)
    assert not is_quiet(8.88, seen=low)
    # Five points from the lowest that is on the tape.
    fell = tape((0, 19.0, 100_000.0), (5, 14.0, 100_000.0), base=19.0)
    assert is_quiet(18.99, seen=fell)
    assert not is_quiet(19.0, seen=fell)
    # Correlation: 53.6 % of 80 % is 0.4288, before the 70 % of an emergency.
    calm = tape((0, 20.0, 100_000.0))
    assert is_quiet(seen=calm._replace(correlation=0.42))
    assert not is_quiet(seen=calm._replace(correlation=0.43))
    # Net liq: 53.6 % of 2 % below the day's high, or 1 % below the prior close.
    high = tape((0, 20.0, 200_000.0))
    assert is_quiet(worth=200_000 * (1 - 0.01071), seen=high)
    assert not is_quiet(worth=200_000 * (1 - 0.01073), seen=high)
    assert is_quiet(worth=99_001.0)
    assert not is_quiet(worth=99_000.0)


# ------------------------------------------------------------------------------ readings


def test_a_vix_is_believed_between_its_bounds_and_until_it_is_too_old() -> None:
    def fault(level: float, minutes: float, grid: int = 1) -> str:
        class Seen(ScriptedMarket):
            def vix(self, now: datetime) -> tuple[float, datetime]:
                return level, now - timedelta(minutes=minutes)

        market = Seen(lambda contract, now: 5.0, grid_minutes=grid)
        look = View(at("10:30"), session_on(FRIDAY), weekdays(FRIDAY, 5), market)
        return readings.vix_fault(look, SETTINGS)

    most = SETTINGS.vix_age_minutes_max
    assert fault(20.0, most) == ""
    assert fault(20.0, most + 1) == f"VIX 20.00 is {most + 1} minutes old, limit {most}"
    assert fault(20.0, most + 10, most + 10) == ""
    for level in (SETTINGS.vix_low, SETTINGS.vix_high):
        assert "is outside" in fault(level, 0)
    assert fault(SETTINGS.vix_low + 0.01, 0) == fault(SETTINGS.vix_high - 0.01, 0) == ""


def test_the_first_bad_minute_is_one() -> None:
    class Blind(ScriptedMarket):
        def vix(self, now: datetime) -> None:
            return None

    def paused_after(times: int, most: int) -> bool:
        book = fresh()
        for n in range(times):
            look = View(minute(n), session_on(FRIDAY), weekdays(FRIDAY, 5), Blind(lambda contract, now: 5.0))
            told = list(pauses._unseen_vix(book, look, replace(SETTINGS, bad_readings_max=most)))
            for event in told:
                book = apply(book, event)
        return pauses.is_on(book, pauses.UNSEEN)

    assert [paused_after(times, 1) for times in (0, 1)] == [False, True]
    assert [paused_after(times, 2) for times in (1, 2)] == [False, True]


# ------------------------------------------------------------------------------ regimes


def test_a_regime_begins_at_its_bound() -> None:
    for row, bound in enumerate(SETTINGS.vix_bounds):
        assert (regime(bound - 0.01, SETTINGS), regime(bound, SETTINGS)) == (row, row + 1)
        table = tuple(Decimal(n) for n in range(len(SETTINGS.vix_bounds) + 1))
        found = [by_vix(vix, SETTINGS.vix_bounds, table) for vix in (bound - 0.01, bound)]
        assert found == [row, row + 1]


def test_the_cap_is_that_of_the_tighter_of_now_and_what_is_remembered() -> None:
    calm = fresh(levels={REGIME: "NORMAL"})
    tight = fresh(levels={REGIME: "CRISIS"})
    assert capital_cap(calm, 45.0, SETTINGS)[1] == capital_cap(tight, 16.0, SETTINGS)[1] == "CRISIS"
    assert capital_cap(fresh(), 16.0, SETTINGS)[1] == "NORMAL"


def test_a_loosening_needs_a_point_past_the_bound_exactly() -> None:
    # HIGH begins at 25: ELEVATED again at 24, at a close or after it stood.
    high = fresh(levels={REGIME: "HIGH"})

    def after_close(vix: float) -> dict[str, str]:
        return levels(regime_events(high, vix, at("16:00"), SETTINGS, at_close=True))

    bound = SETTINGS.vix_bounds[2]
    assert after_close(bound - 0.99) == {}
    assert after_close(bound - 1) == {REGIME: "ELEVATED"}
    # Out of complacency, whose capital is less, upwards: a point past too.
    low = fresh(levels={REGIME: "COMPLACENT"})
    first = SETTINGS.vix_bounds[0]
    assert levels(regime_events(low, first + 0.99, at("16:00"), SETTINGS, at_close=True)) == {}
    assert levels(regime_events(low, first + 1, at("16:00"), SETTINGS, at_close=True)) == {REGIME: "NORMAL"}


def test_a_loosening_stops_at_the_row_whose_bound_was_passed_by_a_point() -> None:
    # From EXTREME at half a point below where HIGH begins: HIGH's own upper bound was passed by far more.
    extreme = fresh(levels={REGIME: "EXTREME"})
    vix = SETTINGS.vix_bounds[2] - 0.5
    assert regime(vix, SETTINGS) == 2
    assert levels(regime_events(extreme, vix, at("16:00"), SETTINGS, at_close=True)) == {REGIME: "HIGH"}


def test_out_of_complacency_too_it_goes_as_far_as_a_bound_was_passed() -> None:
    # Half a point above where ELEVATED begins; NORMAL began far below.
    low = fresh(levels={REGIME: "COMPLACENT"})
    vix = SETTINGS.vix_bounds[1] + 0.5
    assert regime(vix, SETTINGS) == 2
    assert levels(regime_events(low, vix, at("16:00"), SETTINGS, at_close=True)) == {REGIME: "NORMAL"}


def test_what_stood_in_another_session_or_towards_another_row_begins_anew() -> None:
    def told(seen: str, vix: float = 23.0) -> dict[str, str]:
        book = fresh(levels={REGIME: "HIGH"}, notes={LOOSER: seen})
        return notes(regime_events(book, vix, at("10:30"), SETTINGS, at_close=False))

    row = regime(23.0, SETTINGS)
    fresh_sight = {LOOSER: f"{at('10:30').isoformat()} {row}"}
    assert told(f"{at('15:59', date(2031, 3, 6)).isoformat()} {row}") == fresh_sight
    assert told(f"{at('10:00').isoformat()} {row - 1}") == fresh_sight
    assert told(f"{at('10:20').isoformat()} {row}") == {}


@pytest.mark.parametrize(
    ("vix", "share"),
    [("25", "1"), ("26", "0.95"), ("29.9", "0.755"), ("30", "0.75"), ("32.5", "0.625"), ("35", "0.25"),
     ("39.99", "0.25"), ("40", "0")],
)  # fmt: skip
def test_sizes_fall_on_straight_lines_from_vix_25(vix: str, share: str) -> None:
    # 1 to 0.75 between 25 and 30: 0.05 a point; 0.75 to 0.5 between 30 and 35.
    assert vix_size(float(vix), SETTINGS) == Decimal(share)


# ------------------------------------------------------------------------------ phases


def promoted(net_liq: str, note: str, phase: int = 2, *, earned: bool = True) -> list[ev.Event]:
    book = fresh(levels={"phase": str(phase)}, notes={phases.NOTE: note})
    return phases.session_end_phase(book, Decimal(net_liq), at("16:00"), SETTINGS, earned=earned)


def test_the_fifth_close_at_the_floor_and_the_twentieth_session_promote() -> None:
    # P3 begins at $95,250.
    assert levels(promoted("95250", "4 0 19")) == {"phase": "3"}
    assert notes(promoted("95250", "4 0 19")) == {phases.NOTE: "0 0 0"}
    assert notes(promoted("95249.99", "4 0 19")) == {phases.NOTE: "0 0 20"}
    assert notes(promoted("95250", "3 0 19")) == {phases.NOTE: "4 0 20"}
    assert notes(promoted("95250", "4 0 18")) == {phases.NOTE: "5 0 19"}
    assert notes(promoted("95250", "4 0 19", earned=False)) == {phases.NOTE: "5 0 20"}
    assert promoted("95250", "5 0 20", earned=False) == []
    assert notes(promoted("9999999", "0 0 19", 4)) == {phases.NOTE: "0 0 20"}


def test_the_second_close_below_the_line_demotes_and_the_line_itself_does_not() -> None:
    line = SETTINGS.phase_floors_usd[2] * SETTINGS.demotion_share
    below = str(line - Decimal("0.01"))
    assert notes(promoted(str(line), "0 1 20")) == {phases.NOTE: "0 0 20"}
    assert notes(promoted(below, "0 0 20")) == {phases.NOTE: "0 1 20"}
    (change, *_) = promoted(below, "0 1 20")
    assert (getattr(change, "before", ""), getattr(change, "after", "")) == ("2", "1")
    assert getattr(change, "detail", "").endswith(f"closed 2 times below ${line:,.0f}")
    first = SETTINGS.phase_floors_usd[1] * SETTINGS.demotion_share
    (change, *_) = promoted(str(first - 1), "0 1 20", 1)
    assert getattr(change, "after", "") == "0"
    # Below phase 0 there is none, whatever is left.
    assert promoted("1", "0 0 20", 0) == []
    assert promoted("-1", "0 0 20", 0) == []


def test_only_a_change_of_the_phase_itself_is_one() -> None:
    other = ev.LevelChanged(at("16:00"), "breaker", "", "2", "")
    phase = ev.LevelChanged(at("16:00"), "phase", "2", "3", "")
    assert phases.changed_to([other], 2) == 2
    assert phases.changed_to([other, phase], 2) == 3


def test_a_demotion_ends_the_newest_shorts_until_the_cap_holds() -> None:
    # 10 % of $100,000 for shares of the test; three of $5,000, opened one after the other, and a hedge.
    cap = replace(SETTINGS, margin_share_max=(Decimal("0.10"),) * 5)
    text = "-1 ES 2031-04-17 P5000"
    rows = [position(str(n), "ratio_spread", text, margin=5_000) for n in range(3)]
    rows.append(position("3", "leap_put_hedge", "+1 SPY 2031-12-19 P400", margin=0))
    held = fresh(*(replace(one, opened=at(f"10:3{n}")) for n, one in enumerate(rows)))
    margins = dict.fromkeys("012", Decimal(5_000))
    worth = Decimal(100_000)
    assert phases.reduction(held, 1, worth, margins, cap) == ["2"]
    assert phases.reduction(held, 1, worth * 2, margins, cap) == []
    assert phases.reduction(held, 1, Decimal(150_000), margins, cap) == []  # exactly at its cap
    assert phases.reduction(held, 1, Decimal(49_999), margins, cap) == ["2", "1", "0"]
    assert phases.reduction(held, 1, worth, {}, cap) == []


# ------------------------------------------------------------------------------ what is earned


def test_months_are_whole_ones() -> None:
    began = date(2030, 11, 7)
    for today, months in (
        (date(2030, 12, 6), 0),
        (date(2030, 12, 7), 1),
        (date(2031, 3, 6), 3),
        (FRIDAY, 4),
        (date(2032, 11, 7), 24),
    ):
        assert progress._months(began, today) == months


def test_a_drawdown_is_kept_in_half_per_cents_rounded_up() -> None:
    assert [str(progress._stepped(Decimal(text))) for text in ("0", "0.0001", "0.005", "0.0051")] == [
        "0.000",
        "0.005",
        "0.005",
        "0.010",
    ]


def test_only_the_last_phase_has_nothing_above_it() -> None:
    rows = [progress.progress(seasoned(60, 40, phase=n), ONE, FRIDAY, SETTINGS) for n in range(5)]
    assert [bool(row) for row in rows] == [True, True, True, True, False]
    floors = SETTINGS.phase_floors_usd
    assert [row[0].needed for row in rows[:4]] == [f"${floor:,.0f}" for floor in floors[1:]]


def test_where_phases_must_be_earned_what_is_earned_may_rise() -> None:
    strict = replace(SETTINGS, phase_gating="earned")
    ready = seasoned(120, 90, phase=3)
    rows = progress.requirements(ready, 4, FRIDAY, strict, in_phase=True)
    assert all(row.met for row in rows)
    assert progress.may_rise(ready, FRIDAY, strict) is True
    assert progress.may_rise(seasoned(1, 0, phase=3), FRIDAY, strict) is False
    # Months count in the phase to rise from it, and since the account began to have earned it.
    young = {"risk.earned": "2029-01-02 2031-02-10 3 0"}
    risen = replace(ready, notes=young, levels={"phase": "3"})
    assert progress.may_rise(risen, FRIDAY, strict) is False
    assert progress.earned_phase(replace(risen, levels={"phase": "4"}), FRIDAY, strict) == 4
    # In the last phase what it asks for is asked again, and nothing beyond it.
    assert progress.may_rise(seasoned(120, 90, phase=4), FRIDAY, strict) is True


def test_a_strategy_is_judged_from_ten_trades_and_must_have_gained() -> None:
    def losing(trades: int, won: int, lost: int) -> bool:
        record = Record(trades, 1, Decimal(won), Decimal(lost))
        book = replace(empty(3), records={"ipmcc:a": record})
        row = next(r for r in progress.requirements(book, 4, FRIDAY, SETTINGS, in_phase=True)
                   if r.name == "strategies gain")  # fmt: skip
        return not row.met

    assert losing(10, 100, 100)
    assert not losing(10, 101, 100)
    assert not losing(9, 0, 100)
    # Two entries of one strategy are one.
    records = {"ipmcc:a": Record(5, 1, Decimal(10), ZERO), "ipmcc:b": Record(5, 1, ZERO, Decimal(11))}
    assert progress._judged(replace(empty(3), records=records)) == {"ipmcc": Decimal(-1)}


# ------------------------------------------------------------------------------ the account


def parts_of(*rows: tuple[str, str, int, str]) -> dict[str, Component]:
    """Role, legs, units, points received."""
    one = position("1", "lt112", "-1 ES 2031-07-03 P5000").components["all"]
    return {
        role: replace(
            one, role=role, structure=Structure.parse(role, text), units=units, entry_net=Decimal(net)
        )
        for role, text, units, net in rows
    }


def test_what_was_received_is_counted_in_contracts_of_the_first_size() -> None:
    # Two ES for 10 and four MES for 5, each a tenth of an ES: 20 + 2.
    parts = parts_of(("a", "-1 ES 2031-07-03 P5000", 2, "10"), ("b", "-1 MES 2031-07-03 P4900", 4, "5"))
    assert received_for(tuple(parts.values())) == 22
    assert received_for(tuple(reversed(parts.values()))) == 220


def test_a_trade_that_closed_a_part_risks_no_more_than_the_rest_can_lose() -> None:
    # A debit spread paid 3 points for two units, $300, beside a naked put; planned 56 points: $5,600.
    spread = ("PDS", "+1 ES 2031-07-03 P5200 / -1 ES 2031-07-03 P5150", 2, "-3")
    naked = ("NP", "-2 ES 2031-07-03 P4590", 2, "8")
    parts = parts_of(spread, naked)
    planned = {role: replace(one, planned_loss=Decimal(56)) for role, one in parts.items()}
    whole = replace(position("1", "lt112", "-1 ES 2031-07-03 P5000"), components=planned)
    assert heat_of(whole) == 5_600
    gone = {**planned, "NP": replace(planned["NP"], units=0)}
    assert heat_of(replace(whole, components=gone)) == 300
    # What is naked is left: nothing bounds it but its plan.
    other = {**planned, "PDS": replace(planned["PDS"], units=0)}
    assert heat_of(replace(whole, components=other)) == 5_600


def test_a_joined_weekly_does_not_move_the_expiry_of_what_it_joins() -> None:
    main = position("1", "lt112", "-2 MES 2031-07-03 P4590", role="NP")
    weekly = position("1", "lt112", "-1 MES 2031-03-14 P4900", role="weekly").components["weekly"]
    parts = {**main.components, "weekly": replace(weekly, trade="1/weekly")}
    assert _main_expiry(replace(main, components=parts)) == date(2031, 7, 3)
    alone = {"weekly": parts["weekly"]}
    assert _main_expiry(replace(main, components=alone)) == date(2031, 3, 14)


def test_a_contract_in_two_components_is_one_row() -> None:
    # Two sold, one of them bought by another component; of a third contract nothing is left.
    text = " / ".join(f"+1 ES 2031-07-03 P{strike}" for strike in (5000, 4900, 4800))
    a, b, c = (leg.contract for leg in Structure.parse("any", text).legs)
    held = (Held(a, -2), Held(b, 1), Held(a, 1), Held(c, -1), Held(c, 1))
    netted, rows = _netted(held)
    assert netted == (Held(a, -1), Held(b, 1))
    assert rows is not None
    assert [held[row].contract for row in rows] == [a, b]
    assert _netted(held[:2]) == (held[:2], None)


def test_each_position_is_read_at_its_own_mids() -> None:
    # A naked SPY put (20 % of 500 less 50 out of the money, and 5) beside one of 400 (10 % of its strike, and
    # 5) and a condor whose margin needs no mid: $5,500, $4,500, (30 - 2) x $5 = $140.
    near = position("1", "leap_put_income", "-1 SPY 2031-12-19 P450")
    condor = position("2", "friday_0dte", "-1 MES 2031-03-07 P4900 / +1 MES 2031-03-07 P4870")
    far = position("3", "leap_put_income", "-1 SPY 2031-06-20 P400")
    account = account_of(fresh(near, condor, far), view(), Decimal(100_000), SETTINGS)
    assert account.by_position == {"1": 5_500, "2": 140, "3": 4_500}
    assert account.by_family == {"SPX": 10_140}
    assert account.by_strategy == {"leap_put_income": 10_000, "friday_0dte": 140}
    assert account.by_expiry == {date(2031, 12, 19): 5_500, FRIDAY: 140, date(2031, 6, 20): 4_500}
    assert [account.margin, account.capital] == [10_140, 10_140]
    assert account_of(fresh(), view(), ONE, SETTINGS).margin == 0


def test_a_need_is_what_is_left_to_be_filled_at_its_limit() -> None:
    opening = replace(working(lt112("MES"), units=4), filled=1)
    book = replace(holding(open_position("P1", units=2, opening=lt112("MES"))), orders={"O7": opening})
    held, coming = needs_of(book)
    # Components of the test were each sold for 5: (5 + 5) x 2.
    assert (held.position, held.received, held.fallback) == ("P1", 20.0, 8000.0)
    assert [leg.count for leg in held.legs] == [2, -2, -4]
    # Three of four at the limit of 9; $4,000 were reserved for four.
    assert (coming.position, coming.received, coming.fallback) == ("O7", 27.0, 3000.0)
    assert [leg.count for leg in coming.legs] == [3, -3, -6]


# ------------------------------------------------------------------------------ Greeks as the market moves


def test_what_expires_tomorrow_is_overnight_and_a_share_at_its_limit_degrades_nothing() -> None:
    book = fresh(
        position("1", "x", "-1 SPXW 2031-03-14 P4900"), position("2", "x", "-1 SPXW 2031-03-14 P4800")
    )
    engine = LiveGreeks(replace(SETTINGS, stale_vega_share_max=0.25))

    def told(days: float, stale_vega: float) -> tuple[float, bool]:
        rows = np.array([(0.0, 3.0, stale_vega, 0.0), (0.0, 0.0, -3.0, 0.0)])
        table = LegTable.of(book, None)
        found = engine._snapshot(at("10:30"), table, rows, np.array([days, 5.0]), np.array([True, False]))
        return found.overnight_gamma, found.is_degraded

    assert told(0.0, 1.0) == (0.0, False)  # 1 of 4
    assert told(1.0, 1.01) == (3.0, True)


def test_a_look_is_due_exactly_at_its_time_and_at_its_move() -> None:
    def due(elapsed: float, level: float = 4.0, frames: int = 1, *, expires_today: bool = False) -> bool:
        throttle = Throttle(least=1.0, most=30.0, most_on_expiry=5.0, move=0.25, least_after_move=0.125)
        assert throttle.due(0.0, 1, {"SPX": 4.0})
        return throttle.due(elapsed, frames, {"SPX": level}, expires_today=expires_today)

    assert [due(n) for n in (29.5, 30.0)] == [False, True]
    assert [due(n, expires_today=True) for n in (4.5, 5.0)] == [False, True]
    assert [due(n, frames=2) for n in (0.5, 1.0)] == [False, True]
    assert [due(0.125, level) for level in (4.5, 5.0, 3.0)] == [False, True, True]
    assert not due(0.0625, 5.0)


@pytest.mark.parametrize(("more", "is_told"), [(0.0, False), (0.05, False), (0.0625, True), (-0.0625, True)])
def test_a_page_is_drawn_again_for_more_than_a_twentieth(more: float, is_told: bool) -> None:
    one = Snapshot(at("10:30"), {(): Sums()}, frozenset(), 0.0, 0.0, is_degraded=False)
    assert bool(changes(one, replace(one, sums={(): Sums(theta=more)}))) is is_told


# ------------------------------------------------------------------------------ the page of what holds


def test_what_holds_is_told_until_it_is_over_and_no_longer() -> None:
    def names(**book: Any) -> list[str]:
        return [one.name for one in holds(fresh(**book), at("10:30"), SETTINGS)]

    half = SETTINGS.losing_run_half
    assert names(losing_run=half) == [f"{half} losing closes in a row"]
    assert names(losing_run=half - 1) == []
    times = SETTINGS.bad_readings_max
    ends = timedelta(minutes=SETTINGS.suspended_minutes)
    for since, told in ((at("10:30") - ends, []), (at("10:31") - ends, ["bad data of ES"])):
        assert names(notes={f"{readings.NOTE}ES": f"{times} {since.isoformat()}"}) == told
    # From the third level on it takes another session.
    later = {one.name: one.until for one in holds(fresh(levels={"emergency": "3"}), at("10:30"), SETTINGS)}
    soon = {one.name: one.until for one in holds(fresh(levels={"emergency": "2"}), at("10:30"), SETTINGS)}
    assert later == {"emergency": "below its trigger in a later session"}
    assert soon == {"emergency": "half an hour below its trigger"}


def test_margin_expansion_is_read_in_its_fullest_cell() -> None:
    account = account_of(fresh(), view(), Decimal(100), SETTINGS)

    def used(*cells: tuple[float, float]) -> float:
        """Of cells with so much lost and so much margin asked for, at $100."""
        lost, margins = (np.array(column) for column in zip(*cells, strict=True))
        inside: Any = SimpleNamespace(losses=lambda held: lost, held=None)
        return page._expansion(inside, margins, account, SETTINGS).used

    assert used((0.0, 50.0)) == 0.5
    assert used((0.0, 50.0), (20.0, 60.0), (-100.0, 100.0)) == 0.75
    assert used((0.0, 0.0), (100.0, 0.0)) == 0.0
    assert used((0.0, 0.0), (100.0, 0.01)) == float("inf")
    assert used((99.5, 0.25)) == 0.5


def test_groups_are_told_by_what_counts_in_them() -> None:
    short = position("1", "lt112", "-2 MES 2031-07-03 P4590")
    hedge = position("2", "leap_put_hedge", "+1 SPY 2031-12-19 P400")
    fear = position("3", "vix_call_hedge", "+1 VIX 2031-04-16 C40")
    found = list(page._group_readings(fresh(short, hedge, fear), view(), SETTINGS))
    assert [(one.name, one.used) for one in found] == [("group A1 positions", 1.0)]


def two_positions(*prices: tuple[float, float]) -> Stressed:
    """One lot of MES puts each, of strategies a and b, worth nothing now and so many points in two shocks."""
    text = "+1 MES 2031-07-03 P4590"
    lines = [
        *lines_in(Structure.parse("a", text), 1, "a", "P1"),
        *lines_in(Structure.parse("b", text), 1, "b", "P2"),
    ]
    table = (Shock("x", -0.1), Shock("y", 0.1))
    return Stressed(exposure(lines, view()), table, np.zeros(2), np.array(prices))


def test_gains_are_added_up_by_the_strategy_they_belong_to() -> None:
    found = two_positions((1.0, 2.0), (10.0, 20.0)).by_strategy()
    assert {name: gains.tolist() for name, gains in found.items()} == {"a": [5.0, 10.0], "b": [50.0, 100.0]}


def test_of_a_volatility_risk_of_cents_a_share_rests_on_stale_legs_too() -> None:
    found = two_positions((0.02, 0.0), (0.06, 0.0))
    named = (Shock("VOL+", vols=0.5), Shock("y", 0.1))
    stale = replace(found.exposure, stale=np.array([True, False]))
    # $0.10 of $0.40.
    assert replace(found, shocks=named, exposure=stale).stale_share() == pytest.approx(0.25)
    none = replace(found, shocks=named, exposure=stale, prices=np.zeros((2, 2)))
    assert none.stale_share() == 0.0


def test_products_beside_equities_move_each_by_themselves() -> None:
    # Gold ($100 a point) and crude ($1,000) gain $1,000 each in the shock of all other products: two bets.
    lines = [
        *lines_in(Structure.parse("a", "+1 GC 2031-07-03 P2000"), 1, "a", "P1"),
        *lines_in(Structure.parse("b", "+1 CL 2031-07-03 P60"), 1, "b", "P2"),
    ]
    prices = np.array([[0.0, 10.0], [0.0, 1.0]])
    table = (Shock("x", -0.1), Shock("PROD+", others=1.0))
    found = Stressed(exposure(lines, view()), table, np.zeros(2), prices)
    assert page.effective_bets(found) == pytest.approx(2.0)


def test_what_nothing_moves_is_no_bet() -> None:
    assert page.effective_bets(two_positions((0.0, 0.0), (0.0, 0.0))) == 0.0
    assert page.effective_bets(two_positions((1.0, 2.0), (2.0, 4.0))) == pytest.approx(1.0)
    # One gains only where the other does not move: two bets.
    assert page.effective_bets(two_positions((1.0, 0.0), (0.0, 1.0))) == pytest.approx(2.0)


def test_a_limit_of_nothing_is_overfull_with_anything() -> None:
    assert Reading("x", 0.0, 0.0, "$", "").share == 0.0
    assert Reading("x", -1.0, 0.0, "$", "").share == 0.0
    assert Reading("x", 0.5, 0.0, "$", "").share == float("inf")
    assert Reading("x", 0.5, 2.0, "$", "").share == 0.25
    assert Reading("x", 0.5, 0.5, "$", "").share == 1.0


def test_on_the_ladder_only_what_begins_to_hold_is_a_trigger() -> None:
    told = [
        (name, after, rollout._trigger_of_level(name, after))
        for name in ("halt", "manual", TRADING, "breaker", "emergency", "daily_loss", "drawdown")
        for after in ("", "1", "2", "REDUCING", "ACTIVE", "ORANGE", "YELLOW", "2031-03-07")
    ]
    breaks = "breaker or loss limit"
    wanted = {("breaker", "2"): breaks, ("emergency", "2"): breaks, ("drawdown", "ORANGE"): breaks}
    wanted[TRADING, "REDUCING"] = "closing only"
    for name, after, found in told:
        default = (
            {"halt": "halt", "manual": "closing only", "daily_loss": breaks}.get(name, "") if after else ""
        )
        assert found == wanted.get((name, after), default), (name, after)


def test_a_close_is_broken_above_its_caps_and_not_at_them() -> None:
    def said(margin: str, capital: str, net_liq: str = "100000") -> str:
        day = ev.SessionEnded(
            at("16:00"), FRIDAY, Decimal(net_liq), Decimal(margin), Decimal(capital), 20.0, 5000.0
        )
        return rollout._over(day, fresh(phase=4), SETTINGS)

    most, whole = SETTINGS.margin_share_max[4] * 100_000, SETTINGS.capital_share_max[4] * 100_000
    assert said(str(most), str(whole)) == ""
    assert said(str(most + 1), "0").startswith(f"margin ${most + 1:,.0f} at the close of 2031-03-07, limit ")
    assert said("0", str(whole + 1)).startswith("capital in use $")
    assert said("0", "0", "-5") == ""
    assert said("1", "0", "-5") != ""


# ------------------------------------------------------------------------------ recovery


def test_a_breaker_recovers_after_a_day_in_calm_with_nothing_but_targets_at_work() -> None:
    since = at("16:00")
    broken = Book(levels={breakers.LEVEL: "2"}, notes={breakers.SINCE: since.isoformat()})
    hours = timedelta(hours=SETTINGS.breaker_hours)

    def recovers(after: timedelta, vix: float | None = 20.0, correlation: float = nan) -> bool:
        seen = tape((0, 20.0, 1.0))._replace(correlation=correlation)
        return breakers._may_recover(broken, seen, since + after, SETTINGS, vix)

    assert recovers(hours)
    assert not recovers(hours - timedelta(seconds=1))
    assert not recovers(hours, SETTINGS.breaker_vix_max)
    assert not recovers(hours, None)
    assert not recovers(hours, 20.0, SETTINGS.correlation_reset_share)
    assert recovers(hours, 20.0, SETTINGS.correlation_reset_share - 0.01)


def test_half_an_hour_of_calm_is_enough_for_the_lower_levels() -> None:
    minutes = timedelta(minutes=SETTINGS.emergency_minutes)
    calm = {emergency.CALM: at("10:00").isoformat(), emergency.SINCE: at("09:40").isoformat()}

    def told(level: str, after: timedelta) -> dict[str, str]:
        book = fresh(levels={"phase": "3", emergency.LEVEL: level}, notes=calm)
        return levels(emergency.calmer(book, 0, at("10:00") + after, SETTINGS))

    assert told("2", minutes) == {emergency.LEVEL: "1"}
    assert told("1", minutes) == {emergency.LEVEL: ""}
    assert told("2", minutes - timedelta(seconds=1)) == {}
    assert told("3", minutes) == {}


def test_a_first_sight_is_confirmed_after_its_wait_and_not_before() -> None:
    def acts(seconds: int) -> bool:
        book = Book(notes={f"{drawdown.SEEN}x": at("10:00").isoformat()})
        now, wait = at("10:00") + timedelta(seconds=seconds), timedelta(seconds=30)
        return drawdown.acts([], book, "x", breached=True, now=now, wait=wait)

    assert [acts(n) for n in (29, 30, 31)] == [False, True, True]
