"""The futures strangle in crude oil at 70: 30 % volatility, 90 days; 30 cents a day are normal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.strategies.world import Desk, World, closes, flat
from tests.worlds import at, weekdays

from tomking.domain.bars import Bars
from tomking.domain.book import Position
from tomking.domain.chain import Quote
from tomking.domain.intent import Alternatives, Close, Intent, Open, Pass, Urgency
from tomking.domain.lifecycle import State
from tomking.rules.life import IllegalStep
from tomking.strategies import build
from tomking.strategies.futures_strangle import Settings
from tomking.strategies.futures_strangle.life import LIFE

TUESDAY = date(2031, 3, 11)
"""The second of March."""
EXPIRY = TUESDAY + timedelta(days=90)
LAST_DAY = EXPIRY - timedelta(days=21)
SESSIONS = weekdays(date(2031, 1, 1), 300)


def bars(
    last: float, growing: float = 1.0, high: float = 1.005, sessions: int = 400, today: date = TUESDAY
) -> Bars:
    """Closes up and down 0.4 % around ``last``; with ``growing`` > 0 ever more, so that the last day is the
    most volatile of all; below 0 ever less."""
    days = [today - timedelta(days=n) for n in range(1, 2 * sessions)]
    days = [day for day in days if day.weekday() < 5][:sessions][::-1]
    swing = 0.004 * np.linspace(1.0 - growing / 2, 1.0 + growing / 2, sessions)
    close = last * (1 + swing * np.where(np.arange(sessions) % 2, 1.0, -1.0))
    return Bars(np.array(days, dtype="datetime64[D]"), close, close * high, close / high, close)


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    """Crude, as CL and MCL; the micro's credit of $49 is too little for its fees."""
    given: dict[str, Any] = {
        "listed": {"CL": (EXPIRY,), "MCL": (EXPIRY,)}, "level": 70.0, "vix_level": 20.0, "vol": flat(0.3),
        "daily": bars(70.0), "span": (0.4, 1.8), **market,
    }  # fmt: skip
    return Desk(build("futures_strangle", settings or Settings()), World(**given), SESSIONS)


def opened(wishes: list[Intent] | tuple[Intent, ...]) -> tuple[Open, ...]:
    return next(w.choices for w in wishes if isinstance(w, Alternatives))


def refused(one: Desk, group: str = "C1", now: datetime | None = None) -> str:
    """What the entry of a group says it lacks."""
    wishes = one.decide(now or at("10:00", TUESDAY))
    return next(f"{w.code}: {w.detail}" for w in wishes if isinstance(w, Pass) and w.entry.endswith(group))


def entered(settings: Settings | None = None, **market: Any) -> Desk:
    """Short one P56 and one C90 of CL for 0.49."""
    one = desk(settings, **market)
    one.step(at("10:00", TUESDAY))
    one.entered = []
    assert list(only(one).components) == ["put", "call"]
    return one


def only(one: Desk) -> Position:
    return next(iter(one.positions.values()))


def looks(one: Desk, wall: str = "11:00", day: date = TUESDAY + timedelta(days=1)) -> list[Close]:
    """Two looks a minute apart: what is seen twice is done."""
    wishes = one.step(at(wall, day))
    return closes(wishes) or closes(one.step(at(wall, day) + timedelta(minutes=1)))


def costing(one: Desk, **values: str) -> None:
    """What buying back the sides costs, told outright: ``put="1.20"``."""
    real: Callable[[datetime], Any] = one.own

    def own(now: datetime) -> Any:
        held = real(now)
        told = {(p.id, role): -Decimal(v) for p in held.positions for role, v in values.items()}
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign]


# ------------------------------------------------------------------------------------------ entry


def test_the_worked_example_of_the_document() -> None:
    # 6 delta at 90 days and 30 %: 56 and 90; they bring 0.235 and 0.255 at the mid, 0.49 together.
    wish = opened(desk().decide(at("10:00", TUESDAY)))[0]
    assert str(wish.structure) == f"-1 CL {EXPIRY} P56 / -1 CL {EXPIRY} C90"
    # Twice the credit is the loss planned, half of it the gain; $250 on 1,000 barrels are 0.25 points.
    assert (wish.planned_loss, wish.target_gain, wish.least_net) == (
        Decimal("0.980"),
        Decimal("0.2450"),
        Decimal("0.25"),
    )
    assert [(t.roles, t.keep) for t in wish.targets] == [(("put", "call"), Decimal("0.50"))]
    assert wish.entry == "strangle C1"


def test_only_the_second_tuesday_opens_one_and_a_holiday_moves_it() -> None:
    one = desk(Settings(underlyings=("CL",)))
    for day in (TUESDAY - timedelta(days=7), TUESDAY + timedelta(days=7), TUESDAY + timedelta(days=2)):
        assert one.decide(at("10:00", day)) == ()
    closed = [s for s in SESSIONS if s.date != TUESDAY]
    moved = replace(one, sessions=type(SESSIONS)(tuple(closed)))
    # Wednesday is its day then, but at ten the weekly inventories are near: C.10.
    assert "EVT: CL: weekly crude inventories" in refused(moved, now=at("10:00", TUESDAY + timedelta(days=1)))


@pytest.mark.parametrize(
    ("wall", "asked"), [("09:59", False), ("10:00", True), ("10:15", True), ("10:16", False)]
)
def test_the_window_is_a_quarter_of_an_hour(wall: str, asked: bool) -> None:
    assert bool(desk().decide(at(wall, TUESDAY))) is asked


@pytest.mark.parametrize(("vix", "allowed"), [(14.99, False), (15.0, True), (40.0, True), (40.01, False)])
def test_the_vix_range_includes_both_ends(vix: float, allowed: bool) -> None:
    one = desk(vix_level=vix)
    wishes = one.decide(at("10:00", TUESDAY))
    assert any(isinstance(w, Alternatives) for w in wishes) is allowed
    if not allowed:
        assert refused(one).startswith("VIX")


def test_phases_decide_the_products_and_the_units() -> None:
    one = desk(vol=flat(0.5), span=(0.2, 2.5))
    found = {}
    for phase in range(5):
        one.phase = phase
        wishes = one.decide(at("10:00", TUESDAY))
        good = [w for w in wishes if isinstance(w, Alternatives)]
        found[phase] = [(w.product, w.ceiling) for w in good[0].choices] if good else refused(one)[:5]
    # P0 sells nothing; CL comes with P3; never ten micros: that would be one CL.  How many of those, the
    # gate says by phase.
    assert found == {
        0: "PHASE",
        1: [("MCL", 9)],
        2: [("MCL", 9)],
        3: [("CL", 5), ("MCL", 9)],
        4: [("CL", 5), ("MCL", 9)],
    }


def wider(quote: Quote) -> Quote:
    assert quote.bid is not None
    assert quote.ask is not None
    return replace(quote, bid=quote.bid - Decimal("0.04"), ask=quote.ask + Decimal("0.04"))


def test_the_full_contract_is_passed_over_when_ten_micros_cost_less() -> None:
    # Half a spread of 0.02 is $20 on a CL strangle and $2 on an MCL one; with the fees of ten micros CL is
    # far cheaper.  At 0.10 it is $100 for CL and the micros' $2 each with $6.68 of fees, $86.80 for ten.
    class Wide(World):
        def quotes(self, contracts: Any, now: datetime) -> list[Quote | None]:
            found = zip(contracts, super().quotes(contracts, now), strict=True)
            return [wider(quote) if quote and c.product == "CL" else quote for c, quote in found]

    one = desk(Settings(leg_spread_share_max=Decimal("0.5")))
    one.market = Wide(
        one.market.listed, level=70.0, vix_level=20.0, vol=flat(0.5), daily=bars(70.0), span=(0.2, 2.5)
    )
    wish = next(w for w in one.decide(at("10:00", TUESDAY)) if isinstance(w, Alternatives))
    assert [choice.product for choice in wish.choices] == ["MCL"]
    assert "CL costs $" in wish.passed_over[0]
    assert "ten micros" in wish.passed_over[0]


def test_a_product_without_data_stands_still_and_says_so() -> None:
    assert refused(desk(), "B1").startswith("STRUCT: GC: no expiry of 80 to 100 DTE")
    nothing = desk()
    nothing.market.spot = lambda family, now: 5500.0 if family == "SPX" else None  # type: ignore[method-assign]
    assert refused(nothing) == "DATA: CL: no data of CL; MCL: no data of CL; XOP: no data of XOP"
    few = desk(daily=bars(70.0, sessions=313))
    assert "313 daily bars of CL are too few" in refused(few)


def test_without_any_daily_bars_rank_and_range_are_not_asked_and_the_reason_says_so() -> None:
    reason = opened(desk(daily=bars(70.0, sessions=0)).decide(at("10:00", TUESDAY)))[0].reason
    assert "IV rank and range not evaluated: no daily bars of CL" in reason


def test_a_calm_year_s_calmest_day_has_no_iv_rank() -> None:
    said = refused(desk(daily=bars(70.0, growing=-1.0)))
    assert said.startswith("TECH: CL: IV rank 0.0% (estimated from its daily bars), 30% is needed")


def test_the_vix_is_the_volatility_of_the_index_products() -> None:
    # Closes of the "VIX" end at 70: a VIX of 20 is below all of them.
    one = desk(Settings(underlyings=("MES",)))
    assert "TECH: MES: IV rank 0.0%, 30% is needed" in refused(one, "A1")


def test_a_market_that_runs_is_not_sold() -> None:
    # Highs 1.05 over and lows 1.05 under closes that lie 0.8 % apart: more than 10 % in all.
    assert "TECH: CL: range of 20 sessions is 1" in refused(desk(daily=bars(70.0, high=1.05)))


def test_a_statement_of_the_federal_reserve_is_a_decision_for_bonds() -> None:
    # 2024-06-11 is a second Tuesday, the statement came on the 12th.
    day = date(2024, 6, 11)
    sessions = weekdays(date(2024, 1, 1), 300)
    listed, daily = {"CL": (day + timedelta(days=90),)}, bars(70.0, today=day)
    bonds = replace(desk(Settings(underlyings=("ZN",)), daily=daily), sessions=sessions)
    assert "EVT: ZN: a decision for ZN on 2024-06-12" in refused(bonds, "B1", at("10:00", day))
    # Crude is not concerned; of OPEC's days nothing is known, and the reason says so.
    crude = replace(desk(listed=listed, daily=daily), sessions=sessions)
    assert "CL decisions" in opened(crude.decide(at("10:00", day)))[0].reason


def test_a_wide_leg_is_not_sold() -> None:
    # Two ticks either side of 0.235: 0.04 is 17 % of it, and more than two ticks.
    assert refused(desk(half_spread_ticks=2)).startswith("LIQ: CL: -1 CL")


def test_a_micro_brings_ten_times_its_fees() -> None:
    one = desk()
    one.phase = 2
    # $49 on 100 barrels; fees of $6.68 there and back make $66.80 the least.
    assert "PRICE: MCL: " in refused(one)
    assert "brings 0.49, $49, least 0.67" in refused(one)


def test_two_strangles_are_never_in_one_group() -> None:
    one = entered()
    later = date(2031, 4, 8)
    one.market = replace(one.market, listed={"CL": (later + timedelta(days=90), EXPIRY)}, chains={})
    assert "CORR: p0 holds CL of group C1" in refused(one, now=at("10:00", later))


def test_each_group_has_its_own_month() -> None:
    # Gold at 2,000, crude cannot be had: the entry of gold is not the entry of crude.
    one = desk(listed={"GC": (EXPIRY,), "CL": (EXPIRY,)}, level=2000.0, daily=bars(2000.0), vol=flat(0.2))
    wishes = [w.choices[0].entry for w in one.decide(at("10:00", TUESDAY)) if isinstance(w, Alternatives)]
    assert wishes == ["strangle C1", "strangle B1"]


def test_users_name_their_underlyings() -> None:
    one = desk(Settings(underlyings=("MGC", "GC")))
    assert [e.name for e in one.strategy.entries] == ["strangle B1", "roll"]


# ------------------------------------------------------------------------------------------- exits


def test_the_stop_is_three_times_the_credit_seen_twice() -> None:
    # 0.49 received, 1.47 to buy back: 0.98 lost, twice the credit, $980 on one CL.
    one = entered()
    costing(one, put="1.20", call="0.26")
    assert not looks(one)
    costing(one, put="1.21", call="0.26")
    assert [(c.trigger, c.roles, c.urgency) for c in looks(one, "12:00")] == [
        ("stop", ("put", "call"), Urgency.STOP)
    ]


def test_at_21_days_everything_goes_profit_or_loss() -> None:
    one = entered()
    assert not looks(one, day=LAST_DAY - timedelta(days=3))
    # 2031-05-19 is a Monday; the Friday before has 24 days.
    assert LAST_DAY.weekday() == 0
    assert not closes(one.step(at("09:59", LAST_DAY)))
    assert [c.trigger for c in looks(one, "10:00", LAST_DAY)] == ["21 DTE"]


def test_sixteen_delta_is_watched_and_no_more() -> None:
    one = entered(vol=flat(0.25))
    one.market.moved(level=64.0)
    assert not looks(one)


def falling(one: Desk, level: float, wall: str = "11:00") -> list[Close]:
    one.market.moved(level=level)
    return looks(one, wall)


def test_at_20_delta_the_untested_side_is_rolled_once_for_a_credit() -> None:
    one = entered()
    quiet(one)
    # At 63.5 the P56 has 20 delta or a little more; the call that brought 0.255 costs 0.02 now.
    (close,) = falling(one, 62.7)
    assert (close.trigger, close.roles, close.defends) == ("roll", ("call",), False)
    assert only(one).state is State.ACTIVE
    wishes = one.step(at("11:06", TUESDAY + timedelta(days=1)))
    (roll,) = (w for w in wishes if isinstance(w, Open))
    # The new call has the delta of an entry, the same expiry, and brings more than the old one cost.
    (leg,) = roll.structure.legs
    assert (roll.joins, roll.parts[0].role, leg.contract.expiry) == ("p0", "call 2", EXPIRY)
    assert roll.least_net > Decimal("0.02")
    assert sorted(c.role for c in only(one).open_components) == ["call 2", "put"]
    # A second time nothing is rolled, whatever the deltas say.
    assert not falling(one, 62.6, "13:00")


def quiet(one: Desk) -> None:
    """Neither stop nor target speaks: the put costs twice what it brought, the call next to nothing."""
    costing(one, put="0.47", call="0.02")


@pytest.mark.parametrize(("wall", "vix"), [("09:45", 20.0), ("15:31", 20.0), ("11:00", 30.0)])
def test_it_is_not_rolled_when_the_new_side_would_hardly_be_sold(wall: str, vix: float) -> None:
    one = entered()
    quiet(one)
    one.market.moved(vix=vix)
    assert not falling(one, 62.7, wall)


def test_it_is_not_rolled_while_entries_are_quiet() -> None:
    # Crude on a Wednesday around its inventories; the day after there is nothing in the way.
    one = entered()
    quiet(one)
    assert (TUESDAY + timedelta(days=1)).weekday() == 2
    assert not falling(one, 62.7, "10:30")
    assert [c.trigger for c in looks(one, "10:30", TUESDAY + timedelta(days=2))] == ["roll"]


def test_no_credit_no_roll() -> None:
    one = entered()
    quiet(one)
    one.market.half_spread_ticks = 20
    assert not falling(one, 62.7)


def test_a_roll_that_could_not_be_sold_leaves_a_single_side() -> None:
    one = entered()
    quiet(one)
    falling(one, 62.7)
    one.market.half_spread_ticks = 30
    one.market.moved(level=62.7)
    assert any("roll" in said for said in map(str, one.decide(at("11:06", TUESDAY + timedelta(days=1)))))
    assert only(one).components["call"].trigger == "roll"
    # The next day it is over: nothing waits, the put is a side left alone.
    later = one.decide(at("11:06", TUESDAY + timedelta(days=2)))
    assert not [w for w in later if isinstance(w, Open)]
    one.step(at("11:06", TUESDAY + timedelta(days=2)))
    assert one.notes["p0|single"] == "0.47"


def test_at_25_delta_the_tested_side_goes_and_the_other_is_left_alone() -> None:
    one = entered(Settings(roll_delta=0.5))
    quiet(one)
    (close,) = falling(one, 60.8)
    assert (close.trigger, close.roles, close.urgency, close.defends) == (
        "side delta",
        ("put",),
        Urgency.STOP,
        True,
    )
    assert only(one).state is State.DEFENDING
    # The call cost 0.02 when it was left: at 0.01 it is half.
    looks(one, "12:00")
    assert one.notes["p0|single"] == "0.02"
    assert not looks(one, "12:30")
    costing(one, call="0.01")
    assert [(c.trigger, c.roles) for c in looks(one, "13:00")] == [("single side", ("call",))]


def test_at_30_delta_all_goes() -> None:
    one = entered()
    quiet(one)
    (close,) = falling(one, 59.0)
    assert (close.trigger, close.roles) == ("all delta", ("put", "call"))


def test_after_a_roll_half_the_first_credit_is_enough_with_the_roll_s_result_in_it() -> None:
    one = entered()
    quiet(one)
    falling(one, 62.7)
    one.step(at("11:06", TUESDAY + timedelta(days=1)))
    second = only(one).components["call 2"].entry_net
    # Won on the first call 0.255 less 0.02, and all of the second's credit when it costs nothing; the put
    # brought 0.235.  Half of the opening credit of 0.49 is 0.245: the put may still cost the rest.
    most = Decimal("0.255") - Decimal("0.02") + second + Decimal("0.235") - Decimal("0.245")
    costing(one, **{"put": str(most + Decimal("0.01")), "call 2": "0"})
    one.market.moved(level=64.5)
    assert not looks(one, "13:00")
    costing(one, **{"put": str(most), "call 2": "0"})
    assert [(c.trigger, set(c.roles)) for c in looks(one, "14:00")] == [("target", {"put", "call 2"})]


def test_stops_last_days_and_deltas_run_on_when_the_strategy_is_quarantined() -> None:
    guarded = {e.trigger for e in build("futures_strangle").exits if e.guardian}
    assert guarded == {"21 DTE", "stop", "all delta", "side delta"}


# -------------------------------------------------------------------------------------------- life


def test_its_life_is_entered_normal_first_and_second_defence() -> None:
    one = entered()
    quiet(one)
    seen: list[str] = []

    def look(wall: str) -> None:
        now = at(wall, TUESDAY + timedelta(days=1))
        for step in one.strategy.steps(one.view(now), one.own(now)):
            seen.append(f"{step.before} to {step.after}: {step.trigger}")
            one.do(step, now)

    look("09:31")
    look("09:32")
    one.market.moved(level=62.7)
    one.do(
        Close("futures_strangle", "p0", ("call",), Urgency.RULE, "roll", "told"),
        at("11:00", TUESDAY + timedelta(days=1)),
    )
    look("11:05")
    look("11:06")
    assert seen == [
        " to ENTERED: opened",
        "ENTERED to NORMAL: both sides are open",
        "NORMAL to DEFENCE_1: the call was rolled",
    ]
    next_day = at("11:00", TUESDAY + timedelta(days=2))
    (step,) = one.strategy.steps(one.view(next_day), one.own(next_day))
    assert (step.before, step.after, step.trigger) == ("DEFENCE_1", "DEFENCE_2", "call: roll")


def test_there_is_no_way_back_from_a_single_side() -> None:
    one = entered()
    held = replace(only(one), stage="DEFENCE_2")
    now = at("11:00", TUESDAY)
    with pytest.raises(IllegalStep, match="from DEFENCE_2 to NORMAL"):
        LIFE.step(one.view(now), one.own(now), held)


def test_a_restart_knows_that_the_one_roll_is_spent() -> None:
    # All that is asked is in the components: the same book on a new desk wishes the same.
    one = entered()
    quiet(one)
    falling(one, 62.7)
    one.step(at("11:06", TUESDAY + timedelta(days=1)))
    again = replace(
        one, strategy=build("futures_strangle"), positions=dict(one.positions), notes=dict(one.notes)
    )
    again.own = one.own  # type: ignore[method-assign]
    assert again.decide(at("13:00", TUESDAY + timedelta(days=1))) == one.decide(
        at("13:00", TUESDAY + timedelta(days=1))
    )


# ------------------------------------------------------------------------------------------- wings


def winged(**changed: Any) -> Desk:
    return desk(Settings(enhanced="tail_wing", full_credit_usd=Decimal(0), **changed))


def test_tail_wings_that_save_too_little_margin_are_refused_with_the_strangle() -> None:
    said = refused(winged())
    assert said.startswith("PRICE: CL: wings cost ")
    assert "(least 25%)" in said


def test_tail_wings_make_four_legs_that_cap_the_risk() -> None:
    # A strike further out a loss of half a point is all there is, whatever it leaves of the credit.
    near = winged(wing_delta=0.05, wing_cost_share=Decimal(1))
    wish = opened(near.decide(at("10:00", TUESDAY)))[0]
    assert [leg.ratio for leg in wish.structure.legs] == [-1, 1, -1, 1]
    assert wish.structure.max_loss(Decimal(0)) is not None
    assert [part.role for part in wish.parts] == ["put", "call"]
