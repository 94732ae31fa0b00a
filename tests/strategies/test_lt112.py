"""The LT112 on the fixture surface of methodology B.2: a future at 5,500, 120 days, 4.5 %."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes, rising_bars, skewed
from tests.worlds import at, weekdays

from tomking.domain import fomc
from tomking.domain.book import Component
from tomking.domain.calendar import Session, Sessions
from tomking.domain.intent import Alternatives, Close, Intent, Mark, Open, Urgency
from tomking.domain.lifecycle import State
from tomking.strategies import build
from tomking.strategies.lt112 import Settings

WEDNESDAY = date(2031, 3, 5)
"""The first Wednesday of March."""
EXPIRY = WEDNESDAY + timedelta(days=120)
LATER = WEDNESDAY + timedelta(days=126)
THIRD_FRIDAY = date(2031, 6, 20)
SESSIONS = weekdays(date(2031, 1, 1), 300)
MONDAY = date(2031, 4, 7)
"""The first Monday at least 30 days after the entry."""
WEEK_END = date(2031, 4, 11)


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    listed = {"ES": (EXPIRY, LATER, WEEK_END), "MES": (EXPIRY, LATER, WEEK_END)}
    given = {"listed": listed, "vol": skewed, "rate": 0.045, "vix_level": 15.0, **market}
    return Desk(build("lt112", settings or Settings()), World(**given), SESSIONS)


def opened(wishes: list[Intent] | tuple[Intent, ...]) -> tuple[Open, ...]:
    return next(w.choices for w in wishes if isinstance(w, Alternatives))


def entered(settings: Settings | None = None, units: int = 1) -> Desk:
    one = desk(settings)
    one.units, one.product = units, "MES"
    one.step(at("10:00", WEDNESDAY))
    assert len(one.positions) == 1
    one.entered = []
    return one


def part(one: Desk, role: str) -> Component:
    return next(iter(one.positions.values())).components[role]


def revalue(one: Desk, **values: str) -> None:
    """What the parts would cost at the mids, told outright: ``NP="-83"``."""
    real = one.own

    def own(now: object) -> object:
        held = real(now)  # type: ignore[arg-type]
        told = {(p.id, role): Decimal(v) for p in held.positions for role, v in values.items()}
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


# -------------------------------------------------------------------------------------- structure


def test_the_fixture_surface_of_the_methodology() -> None:
    # B.2: 25 delta is about 5,200 and the spread costs 10.7; 5 delta is 4,590 and the pair brings 27.5.
    es = opened(desk().decide(at("10:00", WEDNESDAY)))[0]
    spread, pair = es.parts
    assert (spread.role, pair.role) == ("PDS", "NP")
    assert str(spread.structure) == f"+1 ES {EXPIRY} P5195 / -1 ES {EXPIRY} P5145"
    assert str(pair.structure) == f"-2 ES {EXPIRY} P4590"
    # A loss of 2 x the pair's 27.70 is planned: 55.40 points, $2,770 on ES.
    assert es.planned_loss == Decimal("55.400")
    # 90 % of 27.70 less the debit of 10.55; the net of 17.15 is above the least 10.
    assert es.target_gain == Decimal("14.3800")
    assert es.least_net == 10
    assert (es.targets[0].roles, es.targets[0].keep) == (("NP",), Decimal("0.90"))


def test_ten_micros_are_one_es() -> None:
    assert [(o.product, o.ceiling) for o in opened(desk().decide(at("10:00", WEDNESDAY)))] == [
        ("ES", 1),
        ("MES", 9),
    ]


def test_phase_2_trades_two_micros_an_expiry() -> None:
    one = desk()
    one.phase = 2
    assert [(o.product, o.ceiling) for o in opened(one.decide(at("10:00", WEDNESDAY)))] == [("MES", 2)]


def test_the_naked_puts_are_twelve_percent_away_whatever_their_delta() -> None:
    # At 30 % everywhere 5 delta lies 27 % away; at 9 % it would lie 8 % away, above the limit of 4,840.
    calm = desk(vol=flat(0.09))
    assert passes(calm.decide(at("10:00", WEDNESDAY)))[0].startswith(
        "STRUCT: ES 2031-07-03: no put of 4% to 6%"
    )


def test_standard_expiries_come_first_in_es_and_the_nearest_in_mes() -> None:
    listed = (WEDNESDAY + timedelta(days=112), EXPIRY, date(2031, 6, 30))
    one = desk(listed={"ES": listed, "MES": listed})
    es, mes = opened(one.decide(at("10:00", WEDNESDAY)))
    assert (es.structure.legs[0].contract.expiry, mes.structure.legs[0].contract.expiry) == (
        date(2031, 6, 30),
        EXPIRY,
    )


def test_micros_reach_farther_for_an_expiry() -> None:
    near = WEDNESDAY + timedelta(days=90)
    one = desk(listed={"ES": (near,), "MES": (near,)})
    assert [o.product for o in opened(one.decide(at("10:00", WEDNESDAY)))] == ["MES"]


def test_each_unit_has_an_expiry_of_its_own() -> None:
    one = entered()
    second = opened(one.decide(at("10:00", date(2031, 3, 12))))
    assert {o.structure.legs[0].contract.expiry for o in second} == {LATER}


# ------------------------------------------------------------------------------------------- gates


@pytest.mark.parametrize(
    ("day", "phase", "may"),
    [
        ("03-05", 1, False),
        ("03-05", 2, True),
        ("03-12", 2, False),
        ("03-12", 3, True),
        ("03-19", 3, False),
        ("03-19", 4, True),
    ],
)
def test_later_wednesdays_need_later_phases(day: str, phase: int, may: bool) -> None:
    today = date.fromisoformat(f"2031-{day}")
    one = desk(listed={"ES": (), "MES": (today + timedelta(days=120),)})
    one.phase = phase
    wishes = one.decide(at("10:00", today))
    assert any(isinstance(w, Alternatives) for w in wishes) is may
    assert may or passes(wishes)[0].startswith("PHASE: Wednesday")


def test_a_fourth_wednesday_and_a_tuesday_are_no_days() -> None:
    assert desk().decide(at("10:00", date(2031, 3, 26))) == ()
    assert desk().decide(at("10:00", date(2031, 3, 4))) == ()


def test_a_holiday_moves_the_entry_to_thursday() -> None:
    one = desk()
    one.sessions = Sessions(tuple(s for s in SESSIONS if s.date != WEDNESDAY))
    assert opened(one.decide(at("10:00", date(2031, 3, 6))))


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"vix_level": 12.0}, "VIX"),
        ({"vix_level": 35.0}, "VIX"),
        ({"vix_level": None}, "DATA"),
        ({"daily": rising_bars(WEDNESDAY, 5500.0, count=251)}, "DATA"),
        ({"daily": rising_bars(WEDNESDAY, 5500.0, daily=-1.0)}, "TECH"),
        ({"daily": rising_bars(WEDNESDAY, 5500.0, spread=0.0)}, "TECH"),
        ({"listed": {"ES": (WEDNESDAY + timedelta(days=150),)}}, "STRUCT"),
        ({"vol": flat(0.14)}, "PRICE"),
    ],
)
def test_what_keeps_it_out(market: dict[str, Any], said: str) -> None:
    assert [text.split(":")[0] for text in passes(desk(**market).decide(at("10:00", WEDNESDAY)))] == [said]


def test_without_the_trend_rule_a_falling_market_is_entered() -> None:
    falling = rising_bars(WEDNESDAY, 5500.0, daily=-1.0)
    assert opened(desk(Settings(trend="none"), daily=falling).decide(at("10:00", WEDNESDAY)))


# ------------------------------------------------------------------------------------------- exits


@pytest.mark.parametrize(("spread", "roles"), [("10.00", ("NP", "PDS")), ("11.00", ("NP",))])
def test_at_three_times_its_credit_the_pair_goes_and_a_spent_spread_with_it(
    spread: str, roles: tuple[str, ...]
) -> None:
    # 3 x 27.70 = 83.10.  The spread cost 10.55.
    one = entered()
    revalue(one, NP="-83.10", PDS=spread)
    noon = at("12:01", date(2031, 3, 6))
    assert [type(w) for w in one.step(noon)] == [Mark]
    (close,) = closes(list(one.decide(noon + timedelta(minutes=1))))
    assert (close.trigger, close.urgency, close.roles, close.defends) == (
        "NP stop",
        Urgency.STOP,
        roles,
        True,
    )


def test_a_cent_less_is_no_stop() -> None:
    one = entered()
    revalue(one, NP="-83.09", PDS="10.00")
    assert one.decide(at("12:01", date(2031, 3, 6))) == ()


def test_two_percent_of_the_account_lost_on_the_pair_closes_it() -> None:
    # 2 % of $50,000 is $1,000: 9 MES units of $5 lose it at 22.23 points, below the stop's 55.40.
    one = entered(units=9)
    one.net_liq = Decimal(50_000)
    revalue(one, NP="-49.93")
    one.step(at("12:01", date(2031, 3, 6)))
    (close,) = closes(list(one.decide(at("12:02", date(2031, 3, 6)))))
    assert (close.trigger, close.roles) == ("NP loss", ("NP",))


def test_a_put_at_twenty_delta_is_closed() -> None:
    # The index falls to 4,850: the 4,590 put is 5 % away and costs less than three times its 13.85
    # only when the stop is set aside.
    one = entered(Settings(np_stop_credits=Decimal(9)))
    one.market.moved(level=4850.0)
    one.step(at("12:01", date(2031, 3, 6)))
    (close,) = closes(list(one.decide(at("12:02", date(2031, 3, 6)))))
    assert (close.trigger, close.roles) == ("NP delta", ("NP",))


def test_the_target_of_the_pair_is_left_to_its_order() -> None:
    one = entered()
    revalue(one, NP="-2.77")
    assert one.decide(at("12:01", date(2031, 3, 6))) == ()
    p = next(iter(one.positions.values()))
    bare = {role: replace(c, target=None) for role, c in p.components.items()}
    one.positions[p.id] = replace(p, components=bare)
    (close,) = closes(list(one.decide(at("12:01", date(2031, 3, 6)))))
    assert (close.trigger, close.roles) == ("target", ("NP",))


def without_pair(one: Desk, trigger: str) -> None:
    p = next(iter(one.positions.values()))
    one.do(
        Close("lt112", p.id, ("NP",), Urgency.STOP, trigger, "told", defends=True),
        at("12:00", date(2031, 3, 6)),
    )


def test_a_spread_that_won_half_its_debit_goes_after_the_pair_s_target() -> None:
    one = entered()
    revalue(one, PDS="15.90", NP="-10")
    day = date(2031, 3, 6)
    assert one.decide(at("12:01", day)) == (), "it is the hedge while the pair is open"
    without_pair(one, "target")
    (close,) = closes(list(one.decide(at("12:01", day))))
    # 10.55 x 1.5 = 15.825.
    assert (close.trigger, close.roles) == ("PDS target", ("PDS",))


def test_after_a_stop_the_spread_trails_its_best_value() -> None:
    one = entered()
    without_pair(one, "NP stop")
    day = date(2031, 3, 6)
    real = one.own
    for value, word in [("30.00", "best"), ("23.00", None), ("40.00", "best"), ("30.00", "PDS trail")]:
        one.own = real  # type: ignore[method-assign]
        revalue(one, PDS=value)
        wishes = one.step(at("12:01", day))
        words = [w.key.split("|")[-1] if isinstance(w, Mark) else getattr(w, "trigger", "") for w in wishes]
        assert words == ([] if word is None else [word])
    assert not one.positions


@pytest.mark.parametrize(("days", "gone"), [(22, False), (21, True), (20, True)])
def test_at_21_dte_all_goes(days: int, gone: bool) -> None:
    one = entered()
    day = EXPIRY - timedelta(days=days)
    while day.weekday() > 4:
        day += timedelta(days=1)
    found = closes(list(one.decide(at("10:00", day))))
    assert [(c.trigger, c.roles) for c in found] == ([("21 DTE", ("PDS", "NP"))] if gone else [])


def test_a_closed_21st_day_moves_the_exit_forward() -> None:
    one = entered()
    closed = EXPIRY - timedelta(days=21)
    one.sessions = Sessions(tuple(s for s in SESSIONS if s.date != closed))
    before = one.sessions.before(closed)
    assert before
    assert [c.trigger for c in closes(list(one.decide(at("10:00", before.date))))] == ["21 DTE"]


def test_a_spread_left_alone_goes_at_21_dte_too_unless_it_is_exempt() -> None:
    day = EXPIRY - timedelta(days=21)
    for settings, gone in ((Settings(), True), (Settings(pds_exempt_from_21dte=True), False)):
        one = entered(settings)
        without_pair(one, "target")
        assert bool(closes(list(one.decide(at("10:00", day))))) is gone


def test_the_guardian_runs_stops_and_the_last_day() -> None:
    one = entered()
    day = EXPIRY - timedelta(days=21)
    late = one.strategy.guard(one.view(at("10:00", day)), one.own(at("10:00", day)))
    assert [c.trigger for c in closes(list(late))] == ["21 DTE"]


# ------------------------------------------------------------------------------------ weekly calls


def on_monday(day: date = MONDAY, **market: Any) -> Desk:
    one = entered()
    for name, value in {"daily": rising_bars(day, 5500.0), **market}.items():
        setattr(one.market, name, value)
    return one


def test_a_weekly_call_vertical_is_sold_beside_each_unit_from_day_30() -> None:
    one = on_monday()
    (wish,) = [w for w in one.decide(at("09:35", MONDAY)) if isinstance(w, Open)]
    (calls,) = wish.parts
    assert (wish.joins, calls.role) == ("p0", "weekly 2031-04-11")
    strikes = [float(str(leg.contract).split(" C")[1]) for leg in calls.structure.legs]
    # One week's move: 5,500 x 14.55 % x root(4 / 365) = 83.8; the first strike from 5,583.8 and 10 delta.
    assert strikes[1] - strikes[0] == 25
    assert strikes[0] >= 5585
    assert wish.least_net == 1
    assert wish.targets[0].keep == Decimal("0.50")


@pytest.mark.parametrize("day", [date(2031, 3, 31), date(2031, 4, 8)])
def test_too_young_or_the_wrong_day(day: date) -> None:
    assert on_monday(day).decide(at("09:35", day)) == ()


@pytest.mark.parametrize(
    ("market", "code"),
    [
        ({"vix_level": 13.9}, "VIX"),
        ({"vix_level": 25.0}, "VIX"),
        ({"daily": rising_bars(MONDAY, 5500.0, daily=14.0)}, "TECH"),
        ({"listed": {"MES": (EXPIRY, LATER)}}, "STRUCT"),
    ],
)
def test_what_keeps_the_weekly_sale_out(market: dict[str, Any], code: str) -> None:
    one = on_monday(**market)
    assert [text.split(":")[0] for text in passes(one.decide(at("09:35", MONDAY)))] == [code]


def test_from_emergency_level_1_on_nothing_is_sold() -> None:
    # C.9, C.12: a VIX of 25 alone is level 1; 14 to just below 25 is sold.
    assert passes(on_monday(vix_level=25.0).decide(at("09:35", MONDAY))) == [
        "VIX: VIX 25.00 is not from 14 and below 25"
    ]
    for vix in (14.0, 24.99):
        assert any(isinstance(w, Open) for w in on_monday(vix_level=vix).decide(at("09:35", MONDAY)))


def test_the_weekly_call_is_placed_on_the_future() -> None:
    # Without carry 5,585: see above.  A future 1 % up is 5,555, its week's move 84.6: from 5,639.6.
    one = on_monday(carry=0.01)
    (wish,) = [w for w in one.decide(at("09:35", MONDAY)) if isinstance(w, Open)]
    assert float(str(wish.structure.legs[0].contract).split(" C")[1]) >= 5640


def test_the_five_day_high_is_lifted_to_the_future() -> None:
    # A high of 5,620 on the index is 5,676.2 on a future 1 % above it: the first strike above is 5,680.
    daily = rising_bars(MONDAY, 5500.0, spread=120.0)
    one = on_monday(carry=0.01, daily=daily)
    (wish,) = [w for w in one.decide(at("09:35", MONDAY)) if isinstance(w, Open)]
    assert str(wish.structure.legs[0].contract) == "MES 2031-04-11 C5680"


def test_a_weekly_sale_below_its_least_credit_is_not_worth_it() -> None:
    # 5 % of volatility is a move of 29 points in four days: some 1.5 points for 25, fewer than 5.
    one = on_monday(vol=flat(0.05))
    dear = build("lt112", Settings(weekly_credit_min=Decimal(5)))
    said = passes(dear.decide(one.view(at("09:35", MONDAY)), one.own(at("09:35", MONDAY))))
    assert [text.split(":")[0] for text in said] == ["PRICE"]


def test_no_sale_in_an_announcement_week(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fomc, "fomc_on", lambda day: day == MONDAY + timedelta(days=2))
    assert passes(on_monday().decide(at("09:35", MONDAY))) == [
        "EVT: FOMC announcement this week, on 2031-04-09"
    ]


def test_no_sale_beside_a_unit_that_is_being_defended() -> None:
    one = on_monday()
    p = next(iter(one.positions.values()))
    one.positions[p.id] = replace(p, state=State.DEFENDING)
    assert one.decide(at("09:35", MONDAY)) == ()


def test_no_sale_when_it_is_off() -> None:
    assert [e.name for e in build("lt112", Settings(weekly_sale="off")).entries] == ["1-1-2"]


def sold() -> Desk:
    one = on_monday()
    one.step(at("09:35", MONDAY))
    assert part(one, "weekly 2031-04-11").is_open
    return one


def test_one_sale_a_week() -> None:
    one = sold()
    assert one.decide(at("09:36", MONDAY)) == ()
    p = next(iter(one.positions.values()))
    one.do(Close("lt112", p.id, ("weekly 2031-04-11",), Urgency.RULE, "target", "told"), at("09:40", MONDAY))
    assert one.decide(at("09:41", MONDAY)) == ()


@pytest.mark.parametrize(
    ("wall", "day", "gone"), [("15:00", MONDAY, False), ("14:59", WEEK_END, False), ("15:00", WEEK_END, True)]
)
def test_the_weekly_sale_ends_on_friday_at_15_00(wall: str, day: date, gone: bool) -> None:
    one = sold()
    found = closes(list(one.decide(at(wall, day))))
    assert [(c.trigger, c.roles) for c in found] == (
        [("weekly time", ("weekly 2031-04-11",))] if gone else []
    )


def test_a_good_friday_ends_it_on_thursday() -> None:
    one = sold()
    one.sessions = Sessions(tuple(s for s in SESSIONS if s.date != WEEK_END))
    assert [c.trigger for c in closes(list(one.decide(at("15:00", WEEK_END - timedelta(days=1)))))] == [
        "weekly time"
    ]


def test_a_half_day_ends_it_an_hour_before_the_close() -> None:
    one = sold()
    half = Session(WEEK_END, at("09:30", WEEK_END), at("13:00", WEEK_END))
    one.sessions = Sessions(tuple(half if s.date == WEEK_END else s for s in SESSIONS))
    assert not closes(list(one.decide(at("11:59", WEEK_END))))
    assert [c.trigger for c in closes(list(one.decide(at("12:00", WEEK_END))))] == ["weekly time"]


def test_the_weekly_stop_leaves_the_unit_alone() -> None:
    one = sold()
    credit = part(one, "weekly 2031-04-11").entry_net
    revalue(one, **{"weekly 2031-04-11": str(-3 * credit)})
    one.step(at("12:01", MONDAY))
    (close,) = closes(list(one.decide(at("12:02", MONDAY))))
    assert (close.trigger, close.roles) == ("weekly stop", ("weekly 2031-04-11",))


# -------------------------------------------------------------------------------------------- wakes


def test_it_looks_every_half_hour_at_what_it_holds() -> None:
    one = entered()
    session = SESSIONS.on(date(2031, 3, 7))
    assert session
    walls = [w.astimezone(at("09:30").tzinfo) for w in one.wakes(session) if not one.step(w)]
    day = session.date
    expected = ["09:31", *(f"{h}:{m}" for h in range(10, 16) for m in ("00", "30"))]
    assert walls == [at(w, day) for w in expected]


def test_a_first_observation_of_a_stop_is_looked_at_again_after_a_minute() -> None:
    one = entered()
    revalue(one, NP="-90", PDS="5")
    day = date(2031, 3, 6)
    one.step(at("12:01", day))
    session = SESSIONS.on(day)
    assert session
    assert one.strategy.next_wake(session, one.own(at("12:01", day)), at("12:01", day), 1) == at("12:02", day)


def test_notes_go_with_their_position() -> None:
    one = entered()
    revalue(one, NP="-90", PDS="5")
    one.step(at("12:01", date(2031, 3, 6)))
    key = next(k for k in one.notes if "|stop|" in k)
    one.positions.clear()
    assert one.decide(at("12:31", date(2031, 3, 6))) == (Mark("lt112", key, ""),)


def test_a_stop_s_note_goes_with_its_component_and_stops_the_minute_looks() -> None:
    one = sold()
    credit = part(one, "weekly 2031-04-11").entry_net
    real = one.own
    revalue(one, **{"weekly 2031-04-11": str(-3 * credit)})
    one.step(at("12:01", MONDAY))
    one.own = real  # type: ignore[method-assign]
    one.do(Close("lt112", "p0", ("weekly 2031-04-11",), Urgency.RULE, "told", "told"), at("12:01", MONDAY))
    session, now = SESSIONS.on(MONDAY), at("12:02", MONDAY)
    assert session
    assert one.strategy.next_wake(session, one.own(now), now, 1) == at("12:30", MONDAY)
    (forgotten,) = one.decide(at("12:30", MONDAY))
    assert isinstance(forgotten, Mark)
    assert forgotten.value == ""


def test_the_first_quotes_of_a_session_close_nothing() -> None:
    one = entered()
    revalue(one, NP="-90", PDS="5")
    assert one.decide(at("09:30", date(2031, 3, 6))) == ()
    assert one.decide(at("09:31", date(2031, 3, 6))), "a stop does not wait for ten o'clock"


@pytest.mark.parametrize("minutes", [390, 210])
def test_the_last_day_waits_for_ten_o_clock_on_half_days_too(minutes: int) -> None:
    one = entered()
    last = EXPIRY - timedelta(days=21)
    session = Session(last, at("09:30", last), at("09:30", last) + timedelta(minutes=minutes))
    one.sessions = Sessions(tuple(session if s.date == last else s for s in SESSIONS))
    one.said.clear()
    one.run(session)
    assert one.trades() == [("10:00", "21 DTE: PDS, NP")]


def test_on_coarse_data_the_last_day_takes_the_first_snapshot_from_ten_o_clock_on() -> None:
    one = entered()
    last = EXPIRY - timedelta(days=21)
    one.market.grid_minutes, one.market.seen = 15, at("09:46", last)
    assert closes(list(one.decide(at("10:00", last)))) == []
    one.market.seen = at("10:01", last)
    assert closes(list(one.decide(at("10:05", last))))


def test_end_of_day_snapshots_are_looked_for_every_five_minutes() -> None:
    one = entered()
    session = SESSIONS.on(date(2031, 3, 7))
    assert session
    one.market.grid_minutes = 390
    walls = [w for w in one.wakes(session) if not one.step(w)]
    assert len([w for w in walls if w >= at("15:45", session.date)]) >= 2
