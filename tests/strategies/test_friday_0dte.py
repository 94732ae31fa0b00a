"""The Friday 0DTE, on a Friday in 2031 with an index at 5,500 and an average true range of 60."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.strategies.world import Desk, World, closes, flat, passes, rising_bars
from tests.worlds import FRIDAY, at, weekdays

from tomking.domain import fomc
from tomking.domain.calendar import Session, Sessions
from tomking.domain.contract import Option
from tomking.domain.intent import Alternatives, Intent, Mark, Open, Urgency
from tomking.strategies import build
from tomking.strategies.friday_0dte import Settings

SESSIONS = weekdays(date(2031, 1, 1), 200)
LISTED = {"ES": (FRIDAY,), "SPXW": (FRIDAY,), "XSP": (FRIDAY,), "MES": (FRIDAY,)}


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    world = World(**{"listed": LISTED, "daily": rising_bars(FRIDAY, 5500.0), **market})
    return Desk(build("friday_0dte", settings or Settings()), world, SESSIONS)


def opened(wishes: list[Intent]) -> tuple[Open, ...]:
    return next(w.choices for w in wishes if isinstance(w, Alternatives))


def at_entry(one: Desk, move: float = 0.0, wall: str = "10:30") -> list[Intent]:
    """The print at 09:30, then the market ``move`` away."""
    one.step(at("09:30"))
    one.market.moved(level=one.market.level * (1 + move))
    return one.step(at(wall))


def entered(settings: Settings | None = None, product: str = "ES", move: float = 0.0) -> Desk:
    one = desk(settings)
    one.product = product
    at_entry(one, move)
    assert len(one.positions) == 1
    return one


# -------------------------------------------------------------------------------------- structure


def test_the_worked_example_of_the_methodology() -> None:
    # B.1: S 5,500, ATR 60, 15 %: half an ATR is 5530 / 5470 at 27 delta, pushed to 5535 / 5465.
    es = opened(at_entry(desk()))[0]
    assert str(es.structure) == (
        "-1 ES 2031-03-07 P5465 / +1 ES 2031-03-07 P5435 / -1 ES 2031-03-07 C5535 / +1 ES 2031-03-07 C5565"
    )
    assert [part.role for part in es.parts] == ["put side", "call side"]


def test_it_risks_the_width_less_the_credit_and_never_takes_less_than_a_fifth_of_the_wing() -> None:
    # Credit 9.10 at the mid: 30 - 9.10 = 20.90 at risk, 4.55 to win at half; 20 % of 30 is 6.00.
    es = opened(at_entry(desk()))[0]
    assert (es.planned_loss, es.target_gain, es.least_net) == (
        Decimal("20.90"),
        Decimal("4.5500"),
        Decimal("6.00"),
    )
    assert es.targets[0].roles == ("put side", "call side")
    assert es.targets[0].keep == Decimal("0.50")


def test_the_ten_point_six_of_the_example_are_the_strikes_before_they_are_pushed() -> None:
    # 5530/5560 and 5470/5440 at 15 % bring 10.6 points; with 30 delta allowed they stay there.
    loose = Settings(delta_max=0.28)
    es = opened(at_entry(desk(loose)))[0]
    assert [float(c.strike) for c in es.structure.contracts if hasattr(c, "strike")] == [
        5470,
        5440,
        5530,
        5560,
    ]
    assert 30 - es.planned_loss == pytest.approx(Decimal("10.6"), abs=Decimal("0.15"))


def test_strikes_of_futures_options_are_placed_around_the_future() -> None:
    # December 2024: the future 0.7 % above the index.  5,500 x 1.007 = 5,538.5; +- 30, outward to the
    # grid, one step further below 25 delta; SPXW stays around the index.
    es, spxw, *_ = opened(at_entry(desk(carry=0.007)))
    strikes = [[float(c.strike) for c in o.structure.contracts if isinstance(c, Option)] for o in (es, spxw)]
    assert strikes == [[5505, 5475, 5575, 5605], [5465, 5435, 5535, 5565]]


def test_the_move_and_the_gap_stay_on_the_index() -> None:
    one = desk(carry=0.02)
    assert len(opened(at_entry(one))[0].parts) == 2, "no move: a condor"


def test_every_listed_product_is_an_alternative_largest_first() -> None:
    assert [o.product for o in opened(at_entry(desk()))] == ["ES", "SPXW", "XSP", "MES"]
    # 12 ES-equivalents at most: 6 SPXW of $100, 60 XSP of $10 an index point, 120 MES of $5.
    assert [o.ceiling for o in opened(at_entry(desk()))] == [12, 6, 60, 120]


def test_phase_0_trades_micros_alone() -> None:
    one = desk()
    one.phase = 0
    assert [o.product for o in opened(at_entry(one))] == ["XSP", "MES"]


def test_a_fixed_product_is_the_only_one_and_phase_0_may_not_have_it() -> None:
    assert [o.product for o in opened(at_entry(desk(Settings(product="SPXW"))))] == ["SPXW"]
    one = desk(Settings(product="ES"))
    one.phase = 0
    assert passes(at_entry(one)) == ["PHASE: ES is not traded in phase 0"]


@pytest.mark.parametrize(
    ("direction", "move", "roles"),
    [
        ("fade", 0.006, ["call side"]),
        ("fade", -0.006, ["put side"]),
        ("follow", 0.006, ["put side"]),
        ("follow", -0.006, ["call side"]),
        ("both_sides", 0.006, ["put side", "call side"]),
        ("fade", 0.005, ["put side", "call side"]),
    ],
)
def test_after_a_move_one_side_is_sold(direction: str, move: float, roles: list[str]) -> None:
    wide = desk(Settings(direction=direction), vol=flat(0.22))
    es = opened(at_entry(wide, move - 1e-9))[0]
    assert [part.role for part in es.parts] == roles


def test_a_vertical_lies_seven_tenths_of_an_average_range_away() -> None:
    # 5,500 up 0.6 % is 5,533; 0.7 x 60 = 42 more is 5,575: 18 delta at 15 %, about 3.4 points for 30.
    es = opened(at_entry(desk(), 0.006))[0]
    assert str(es.structure) == "-1 ES 2031-03-07 C5575 / +1 ES 2031-03-07 C5605"
    assert 30 - es.planned_loss == pytest.approx(Decimal("3.5"), abs=Decimal("0.4"))
    # 10 % of the wing is the least.
    assert es.least_net == Decimal("3.00")


def test_wings_shrink_with_the_index_to_the_listed_grid() -> None:
    # At 2,065 30 points are 11.26: 10 on a grid of 5.  ATR 22.5, as at 5,500.
    low = desk(level=2065.0, daily=rising_bars(FRIDAY, 2065.0, daily=0.7, spread=11.25), vol=flat(0.16))
    es = opened(at_entry(low))[0]
    strikes = [float(c.strike) for c in es.structure.contracts if hasattr(c, "strike")]
    assert strikes[0] - strikes[1] == strikes[3] - strikes[2] == 10


def test_a_far_strike_moves_in_to_fifteen_delta() -> None:
    # A range of 200 puts the shorts 100 points away, two deviations: below 10 delta.
    calm = desk(daily=rising_bars(FRIDAY, 5500.0, spread=100.0), vol=flat(0.22))
    es = opened(at_entry(calm))[0]
    # 15 delta is 1.04 deviations of 70.1 points: 5,573 (calls a little more: the median is lower).
    assert [float(c.strike) for c in es.structure.contracts if hasattr(c, "strike")] == [
        5430,
        5400,
        5575,
        5605,
    ]


def test_a_broken_wing_is_wider_on_the_side_the_market_leans_away_from() -> None:
    # Rising averages: calls are the tested side, so the put wing is the 50 points.
    es = opened(at_entry(desk(Settings(broken_wing=True))))[0]
    assert [float(c.strike) for c in es.structure.contracts if hasattr(c, "strike")] == [
        5465,
        5415,
        5535,
        5565,
    ]
    tested = opened(at_entry(desk(Settings(broken_wing=True, broken_wing_side="tested"))))[0]
    assert [float(c.strike) for c in tested.structure.contracts if hasattr(c, "strike")] == [
        5465,
        5435,
        5535,
        5585,
    ]


# ------------------------------------------------------------------------------------------- gates


@pytest.mark.parametrize(
    ("market", "code"),
    [
        ({"vix_level": 22.0}, "VIX"),
        ({"vix_level": 35.01}, "VIX"),
        ({"vix_level": None}, "DATA"),
        ({"daily": rising_bars(FRIDAY, 5500.0, count=14)}, "DATA"),
        ({"daily": rising_bars(FRIDAY, 5500.0 / 1.0151)}, "TECH"),
        ({"listed": {}}, "STRUCT"),
        ({"vol": flat(0.05)}, "PRICE"),
        ({"half_spread_ticks": 50}, "PRICE"),
    ],
)
def test_what_keeps_it_out(market: dict[str, Any], code: str) -> None:
    said = passes(at_entry(desk(**market)))
    assert [text.split(":")[0] for text in said] == [code]


@pytest.mark.parametrize("vix", [22.01, 35.0])
def test_the_vix_gate_is_open_above_22_and_up_to_35(vix: float) -> None:
    assert opened(at_entry(desk(vix_level=vix)))


def test_a_soft_gate_trades_half_below_22_and_nothing_below_13() -> None:
    soft = Settings(vix_gate="soft")
    # Phase 4: half of four ES is 2, or 1 SPXW, 10 XSP, 20 MES.
    assert [o.ceiling for o in opened(at_entry(desk(soft, vix_level=18.0)))] == [2, 1, 10, 20]
    assert passes(at_entry(desk(soft, vix_level=12.9))) == ["VIX: VIX 12.90 is not from 13 and up to 35"]


def test_without_the_gate_any_low_vix_will_do() -> None:
    assert opened(at_entry(desk(Settings(vix_gate="off"), vix_level=9.0)))


def test_without_the_opening_print_there_is_no_trade() -> None:
    one = desk()
    assert Mark("friday_0dte", "vix", "2031-03-07 24.0") in one.step(at("09:41"))
    assert "open" not in one.notes
    assert passes(one.step(at("10:30"))) == ["DATA: no print between 09:30 and 09:40"]


def test_yesterday_s_print_is_not_today_s() -> None:
    one = desk()
    one.notes["open"] = "2031-02-28 5500.0"
    assert passes(one.step(at("10:30"))) == ["DATA: no print between 09:30 and 09:40"]


def test_on_quarter_hours_the_first_snapshot_is_the_print() -> None:
    one = desk(grid_minutes=15)
    assert Mark("friday_0dte", "open", "2031-03-07 5500.0") in one.step(at("09:45"))


def test_an_announcement_day_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fomc, "fomc_on", lambda day: day == FRIDAY)
    assert passes(at_entry(desk())) == ["EVT: FOMC announcement on 2031-03-07: no 0DTE"]


def test_outside_the_calendar_s_coverage_the_reason_says_so() -> None:
    assert "not covered" in opened(at_entry(desk()))[0].reason


@pytest.mark.parametrize(
    ("wall", "in_time"), [("10:29", False), ("10:30", True), ("11:00", True), ("11:01", False)]
)
def test_the_entry_window(wall: str, in_time: bool) -> None:
    one = desk()
    one.step(at("09:30"))
    assert any(isinstance(w, Alternatives) for w in one.decide(at(wall))) is in_time


def test_thursday_is_no_friday_and_a_half_day_is_skipped() -> None:
    assert desk().decide(at("10:30", date(2031, 3, 6))) == ()
    half = Session(FRIDAY, at("09:30"), at("13:00"))
    one = desk()
    one.sessions = Sessions(tuple(half if s.date == FRIDAY else s for s in SESSIONS))
    assert passes(at_entry(one)) == ["CAL: early close: no entry on a half day"]


def test_one_entry_a_friday() -> None:
    one = entered()
    one.positions.clear()
    assert one.decide(at("10:40")) == ()


# ------------------------------------------------------------------------------------------- exits


def test_half_the_credit_is_enough_when_no_order_rests() -> None:
    one = entered()
    p = next(iter(one.positions.values()))
    one.positions[p.id] = replace(p, components={k: replace(c, target=None) for k, c in p.components.items()})
    one.market.vol = flat(0.08)
    one.market.moved()
    assert [c.trigger for c in closes(list(one.decide(at("11:30"))))] == ["target"]


def test_a_resting_target_is_left_alone() -> None:
    one = entered()
    one.market.vol = flat(0.08)
    one.market.moved()
    assert closes(list(one.decide(at("11:30")))) == []


def test_three_times_the_credit_must_be_seen_twice() -> None:
    # The vertical at 5575 / 5605 for about 3.5: with the index at 5,586 it costs more than 10.
    one = entered(move=0.006)
    one.market.moved(level=5572.0)
    one.market.vol = flat(0.40)
    one.market.moved()
    first = one.step(at("11:30"))
    assert [type(w) for w in first] == [Mark]
    again = one.decide(at("11:30"))
    assert again == (), "the same quotes confirm nothing"
    (close,) = closes(list(one.decide(at("11:31"))))
    assert (close.trigger, close.urgency, close.roles) == ("stop", Urgency.STOP, ("call side",))


def test_a_stop_that_is_not_confirmed_is_forgotten() -> None:
    one = entered(move=0.006)
    one.market.vol = flat(0.40)
    one.market.moved(level=5572.0)
    one.step(at("11:30"))
    assert [k for k in one.notes if "stop" in k]
    one.market.vol = flat(0.15)
    one.market.moved(level=5530.0)
    one.step(at("11:31"))
    assert not [k for k in one.notes if "stop" in k]


def test_on_quarter_hours_one_observation_is_enough() -> None:
    one = entered(move=0.006)
    one.market.grid_minutes = 15
    one.market.vol = flat(0.40)
    one.market.moved(level=5572.0)
    assert [c.trigger for c in closes(list(one.decide(at("11:30"))))] == ["stop"]


def test_a_touched_side_goes_at_a_whole_credit_lost_and_the_other_stays() -> None:
    # 5565 is at the call wing: the condor costs about 20 of a 9.10 credit.
    one = entered()
    one.market.moved(level=5562.0)
    (close,) = closes(one.step(at("11:30")))
    assert (close.trigger, close.roles, close.defends) == ("defend", ("call side",), True)
    (left,) = next(iter(one.positions.values())).open_components
    assert (left.role, left.target) == ("put side", None)
    # The put side alone has now won half of its own credit.
    assert [c.trigger for c in closes(one.step(at("11:31")))] == ["target"]


@pytest.mark.parametrize(("product", "tested"), [("ES", ["call side"]), ("SPXW", [])])
def test_a_touch_in_futures_options_is_the_future_s(product: str, tested: list[str]) -> None:
    # Short calls at 5,535 (SPXW) and, with a future 38.5 above the index, 5,575 (ES).
    # Index 5,534, future 5,534 x 1.007 = 5,572.7: nothing.  5,534.9 + 38.7 = 5,573.6.
    one = desk(carry=0.007)
    one.product = product
    at_entry(one)
    one.market.moved(level=5534.0)
    one.step(at("11:30"))
    assert [v for k, v in one.notes.items() if k.endswith("tested")] == []
    # The carry alone lifts the future to 5,534 x 1.0075 = 5,575.5.
    one.market.carry = 0.0075
    one.market.moved()
    one.step(at("11:31"))
    assert [v for k, v in one.notes.items() if k.endswith("tested")] == tested


def test_near_a_strike_is_near_the_future() -> None:
    # ES puts at 5,505: 0.3 % is up to 5,521.5 of the future, 5,483 of the index at 0.7 % carry.
    one = desk(carry=0.007)
    one.product = "ES"
    at_entry(one)
    one.market.vol = flat(0.24)
    one.market.moved(level=5484.0)
    assert closes(list(one.decide(at("14:30")))) == []
    one.market.moved(level=5482.0)
    assert [c.trigger for c in closes(list(one.decide(at("14:30"))))] == ["near strike"]


def test_on_end_of_day_data_nothing_is_opened_after_its_own_end() -> None:
    one = desk(grid_minutes=390, seen=at("15:45"))
    one.step(at("15:46"))
    assert passes(one.step(at("15:50"))) == ["CAL: 15:00 has come: nothing is held from here on"]


def test_a_touch_is_remembered_until_the_loss_is_a_credit() -> None:
    one = entered()
    one.market.moved(level=5536.0)
    assert closes(one.step(at("11:30"))) == []
    assert [v for k, v in one.notes.items() if k.endswith("tested")] == ["call side"]
    # Back below the strike, but volatility has doubled: the loss decides now.
    one.market.vol = flat(0.36)
    one.market.moved(level=5534.0)
    assert [c.trigger for c in closes(one.step(at("11:31")))] == ["defend"]


@pytest.mark.parametrize(
    ("wall", "level", "vol", "trigger"),
    [
        ("11:59", 5500.0, 0.11, None),
        ("12:00", 5500.0, 0.11, "noon profit"),
        ("14:29", 5518.0, 0.24, None),
        ("14:30", 5518.5, 0.24, "near strike"),
        ("14:30", 5513.0, 0.22, "late profit"),
        ("15:00", 5500.0, 0.50, "time"),
        ("15:29", 5500.0, 0.50, "time"),
        ("15:30", 5500.0, 0.50, "backstop"),
    ],
)
def test_the_time_line(wall: str, level: float, vol: float, trigger: str | None) -> None:
    one = entered()
    one.market.vol = flat(vol)
    one.market.moved(level=level)
    found = [c.trigger for c in closes(list(one.decide(at(wall))))]
    assert found[:1] == ([] if trigger is None else [trigger])


def test_a_position_found_after_15_00_closes_at_once_and_whole() -> None:
    one = entered()
    (close,) = closes(list(one.decide(at("15:17"))))
    assert close.roles == ("put side", "call side")


@pytest.mark.parametrize(
    ("first", "vix", "gone"), [(24.0, 35.5, True), (22.5, 33.8, True), (24.0, 34.9, False)]
)
def test_a_jump_of_the_vix_closes_all(first: float, vix: float, gone: bool) -> None:
    one = desk(vix_level=first)
    one.product = "ES"
    at_entry(one)
    one.market.moved(vix=vix)
    assert [c.trigger for c in closes(list(one.decide(at("11:30"))))] == (["VIX"] if gone else [])


def test_the_guardian_stops_and_ends_but_does_not_defend() -> None:
    one = entered()
    one.market.moved(level=5562.0)
    view, own = one.view(at("11:30")), one.own(at("11:30"))
    assert one.strategy.guard(view, own) == ()
    late = one.strategy.guard(one.view(at("15:00")), one.own(at("15:00")))
    assert [c.trigger for c in closes(list(late))] == ["time"]


def test_a_component_that_is_being_closed_is_left_to_its_order() -> None:
    one = entered()
    p = next(iter(one.positions.values()))
    one.positions[p.id] = replace(p, components={k: replace(c, closing="7") for k, c in p.components.items()})
    assert one.decide(at("15:00")) == ()


def test_while_it_holds_something_it_wakes_every_minute() -> None:
    one = entered()
    session = SESSIONS.on(FRIDAY)
    assert session
    own = one.own(at("12:00"))
    assert one.strategy.next_wake(session, own, at("12:00"), 1) == at("12:01")
    assert one.strategy.next_wake(session, own, at("15:59"), 1) is None


def test_a_friday_without_a_position_wakes_for_the_print_and_the_window() -> None:
    one = desk(vix_level=15.0)
    session = SESSIONS.on(FRIDAY)
    assert session
    walls = [w.astimezone(at("09:30").tzinfo) for w in one.wakes(session) if one.step(w) is not None]
    first = [at("09:30") + timedelta(minutes=5 * n) for n in range(7)]  # the opening range
    expected = [*first, *(at(f"10:{m}") for m in range(30, 60, 5)), at("11:00")]
    assert walls == expected


# --------------------------------------------------------------------------------------- analysis


def morning(one: Desk, move: float = 0.0) -> str:
    """Open at 5,500 after a close at 5,478, down to 5,489, up to 5,511, then ``move`` at 10:30; the note."""
    for wall, level in (("09:30", 5500.0), ("09:45", 5489.0), ("10:00", 5511.0)):
        one.market.moved(level=level)
        one.step(at(wall))
    one.market.moved(level=5500.0 * (1 + move))
    one.step(at("10:30"))
    return one.notes["analysis"]


def test_the_morning_is_summed_up_whether_it_trades_or_not() -> None:
    # 5,500 over 5,478 is a gap of 0.40 %, which scores: 5 + 1.5, and half a point each for phase and hour.
    said = (
        "2031-03-07 gap +0.40%; opening range 5489.00 to 5511.00; "
        "+0.10% since 09:30, within 0.5%: condor; score 7.5, informational"
    )
    bars = rising_bars(FRIDAY, 5478.0)
    assert morning(desk(daily=bars), 0.001) == said
    quiet = desk(daily=bars, vix_level=15.0)
    assert morning(quiet, 0.001) == said
    assert not quiet.positions


@pytest.mark.parametrize(
    ("direction", "move", "words"),
    [
        ("fade", 0.006, "call vertical, to fade the rise"),
        ("fade", -0.006, "put vertical, to fade the fall"),
        ("follow", 0.006, "put vertical, to follow the rise"),
        ("both_sides", 0.006, "both sides are sold after a move too"),
    ],
)
def test_it_says_which_variant_and_why(direction: str, move: float, words: str) -> None:
    assert words in morning(desk(Settings(direction=direction)), move)


def test_an_entry_carries_the_analysis_as_its_reason() -> None:
    one = desk()
    morning(one)
    entered_with = next(w for _, w in one.said if isinstance(w, Alternatives)).choices[0].reason
    assert (
        "opening range 5489.00 to 5511.00; +0.00% since 09:30, within 0.5%: condor; VIX 24.00" in entered_with
    )


def test_without_the_print_nothing_is_summed_up() -> None:
    one = desk()
    one.step(at("10:30"))
    assert "analysis" not in one.notes


def test_a_quiet_friday_from_print_to_profit() -> None:
    one = desk()
    one.product = "ES"
    session = SESSIONS.on(FRIDAY)
    assert session
    one.run(session)
    # Time alone wins 40 % of the credit by 12:48.
    assert one.trades() == [("10:30", "open"), ("12:48", "noon profit: put side, call side")]


def path_down(start: str, end: str, to: float) -> Callable[[World], Callable[[datetime], None]]:
    begin, stop = at(start), at(end)

    def of(market: World) -> Callable[[datetime], None]:
        def move(now: datetime) -> None:
            share = float(np.clip((now - begin) / (stop - begin), 0, 1))
            market.moved(level=5500.0 + share * (to - 5500.0))

        return move

    return of


def test_a_falling_friday_closes_the_put_side_then_the_rest_at_its_target() -> None:
    one = desk()
    one.product = "ES"
    session = SESSIONS.on(FRIDAY)
    assert session
    one.run(session, path_down("11:00", "13:00", 5400.0)(one.market))
    words = [word for _, word in one.trades()]
    assert words == ["open", "defend: put side", "target: call side"]
    assert not one.positions
    assert time(11, 0) < (one.said[-1][0].astimezone(at("09:30").tzinfo)).time()
