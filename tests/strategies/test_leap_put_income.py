"""The short-put ladder on a flat Black chain: SPY at 550, a year, 20 %, no interest."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes
from tests.worlds import at, weekdays

from tomking.domain.calendar import Sessions
from tomking.domain.intent import Open
from tomking.domain.structure import Structure
from tomking.strategies import build
from tomking.strategies.leap_put_income import Settings

MONDAY = date(2031, 3, 3)
YEAR = MONDAY + timedelta(days=365)
NEAR = tuple(MONDAY + timedelta(days=n) for n in range(1, 30))
SESSIONS = weekdays(date(2031, 1, 1), 400)


def desk(settings: Settings | None = None, sessions: Sessions = SESSIONS, **market: Any) -> Desk:
    given = {"listed": {"SPY": (*NEAR, YEAR)}, "vol": flat(0.20), "vix_level": 18.0, **market}
    return Desk(build("leap_put_income", settings or Settings()), World(**given), sessions)


def sold(one: Desk, day: date = MONDAY) -> Open:
    (wish,) = [w for w in one.decide(at("10:00", day)) if isinstance(w, Open)]
    return wish


def entered(**market: Any) -> Desk:
    one = desk(**market)
    one.step(at("10:00", MONDAY))
    one.entered = []
    assert len(one.positions) == 1
    return one


def revalue(one: Desk, cost: str) -> None:
    real = one.own

    def own(now: object) -> object:
        held = real(now)  # type: ignore[arg-type]
        told = {(p.id, "put"): -Decimal(cost) for p in held.positions}
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


def test_it_is_off_unless_somebody_turns_it_on() -> None:
    assert not build("leap_put_income").default_on


def test_a_put_is_chosen_by_its_delta_not_by_the_rejected_formula() -> None:
    # N(-d1) = 0.12 at d1 = 1.175: ln(550/K) = 1.175 x 0.2 - 0.02 = 0.215, K = 443.6, 19 % out of the money.
    # "price x (1 - 12 %)" would be 484, a put of 26 delta.
    wish = sold(desk())
    assert str(wish.structure) == f"-1 SPY {YEAR} P444"
    assert wish.targets[0].keep == Decimal("0.30")


@pytest.mark.parametrize(
    ("day", "strike"),
    [("03-03", "P444"), ("03-10", "P448"), ("03-17", "P452"), ("03-24", "P444"), ("03-31", "P444")],
)
def test_the_delta_is_that_of_the_week_of_the_month(day: str, strike: str) -> None:
    # 12, 13 and 14 % lie at d1 = 1.175, 1.126 and 1.080: 443.6, 448.0 and 452.1.
    monday = date.fromisoformat(f"2031-{day}")
    one = desk(listed={"SPY": (*NEAR, monday + timedelta(days=365))})
    assert str(sold(one, monday).structure).endswith(strike)


def test_one_a_week_on_monday_or_the_session_after_it() -> None:
    assert desk().decide(at("10:00", date(2031, 3, 4))) == ()
    without = Sessions(tuple(s for s in SESSIONS if s.date != MONDAY))
    assert sold(desk(sessions=without), date(2031, 3, 4)).entry == "rung"


@pytest.mark.parametrize(("vix", "puts"), [(14.99, 0), (15.0, 1), (20.0, 1), (20.01, 2)])
def test_none_below_vix_15_and_two_above_20(vix: float, puts: int) -> None:
    wishes = [w for w in desk(vix_level=vix).decide(at("10:00", MONDAY)) if isinstance(w, Open)]
    assert sum(w.ceiling for w in wishes) == puts


def test_a_calm_vix_is_refused_in_plain_words() -> None:
    assert passes(desk(vix_level=14.5).decide(at("10:00", MONDAY))) == ["VIX: VIX 14.50 is not from 15"]


def test_it_brings_400_dollars_at_least() -> None:
    # At 10 % volatility 12 delta brings less than four points.
    assert passes(desk(vol=flat(0.08)).decide(at("10:00", MONDAY)))[0].startswith("PRICE: ")
    assert sold(desk()).least_net == Decimal("4.00")


def test_an_expiry_without_a_rung_comes_first() -> None:
    other = YEAR + timedelta(days=20)
    one = entered(listed={"SPY": (*NEAR, YEAR, other)})
    assert sold(one, date(2031, 3, 10)).structure.contracts[0].expiry == other


@pytest.mark.parametrize(("times", "closed"), [("2.99", False), ("3", True)])
def test_at_three_times_its_credit_it_goes(times: str, closed: bool) -> None:
    one = entered()
    (position,) = one.positions.values()
    revalue(one, str(position.components["put"].entry_net * Decimal(times)))
    day = date(2031, 3, 10)
    one.step(at("10:31", day))
    assert [c.trigger for c in closes(one.decide(at("10:32", day)))] == (["stop"] if closed else [])


@pytest.mark.parametrize(("level", "closed"), [(4790.0, False), (4700.0, True)])
def test_at_35_delta_it_goes(level: float, closed: bool) -> None:
    # The 444 put of a year has 35 delta where ln(F/444) = 0.385 x 0.2 - 0.02 = 0.057: at 470.1.
    one = entered()
    one.market.moved(level=level)
    revalue(one, "10")
    day = date(2031, 3, 4)
    one.step(at("10:31", day))
    assert [c.trigger for c in closes(one.decide(at("10:32", day)))] == (["delta"] if closed else [])


@pytest.mark.parametrize(("cost", "closed"), [("46.23", False), ("46.21", True)])
def test_what_may_be_assigned_goes(cost: str, closed: bool) -> None:
    # At 400 the 444 put is 44 in the money; half a per cent of 444 is 2.22 points of time value.
    one = entered()
    settings = Settings(stop_credits=Decimal(10), delta_close=1.0)
    one.strategy = build("leap_put_income", settings)
    one.market.moved(level=4000.0)
    revalue(one, cost)
    said = [c.trigger for c in closes(one.decide(at("10:31", date(2031, 3, 4))))]
    assert said == (["assignment"] if closed else [])


@pytest.mark.parametrize(("left", "closed"), [(151, False), (150, True)])
def test_at_150_days_it_goes(left: int, closed: bool) -> None:
    one = entered()
    day = date(2031, 3, 4)
    (position,) = one.positions.values()
    near = day + timedelta(days=left)
    put = replace(position.components["put"], structure=Structure.parse("put", f"-1 SPY {near} P444"))
    one.positions[position.id] = replace(position, components={"put": put})
    one.market.listed = {"SPY": (*NEAR, near)}
    one.market.moved()
    assert closes(one.decide(at("09:59", day))) == []
    assert [c.trigger for c in closes(one.decide(at("10:00", day)))] == (["time exit"] if closed else [])


def test_stops_and_times_are_guarded() -> None:
    guarded = {e.trigger for e in build("leap_put_income").exits if e.guardian}
    assert guarded == {"stop", "delta", "assignment", "time exit"}
