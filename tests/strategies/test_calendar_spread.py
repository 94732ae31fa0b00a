"""The calendar spread on SPY at 550: the fixture surface of methodology B.2, 4.5 %."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes, rising_bars, skewed
from tests.worlds import at, weekdays

from tomking.domain.book import Position
from tomking.domain.intent import Alternatives, Close, Mark, Open, Pass, Urgency
from tomking.rules import fronts
from tomking.rules.greeks import greeks_of
from tomking.strategies import build
from tomking.strategies.calendar_spread import Settings

TUESDAY = date(2031, 1, 14)
FRONT = date(2031, 2, 14)
"""31 days on."""
BACK = date(2031, 3, 21)
"""A third Friday, 66 days on."""
SESSIONS = weekdays(date(2030, 12, 2), 260)
FRIDAYS = tuple(s.date for s in SESSIONS if s.date.weekday() == 4)
DAY = date(2031, 1, 16)
NOON, AFTER = at("12:01", DAY), at("12:02", DAY)


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    given = {"listed": {"SPY": FRIDAYS}, "vol": skewed, "rate": 0.045, "vix_level": 14.0, **market}
    return Desk(build("calendar_spread", settings or Settings()), World(**given), SESSIONS)


def wished(one: Desk, day: date = TUESDAY) -> Open:
    return next(w.choices[0] for w in one.decide(at("10:15", day)) if isinstance(w, Alternatives))


def entered(settings: Settings | None = None) -> Desk:
    one = desk(settings)
    one.step(at("10:15", TUESDAY))
    one.entered = []
    one.step(at("10:31", TUESDAY))
    assert position(one).stage == "OPEN"
    return one


def position(one: Desk) -> Position:
    return next(iter(one.positions.values()))


def revalue(one: Desk, **values: str) -> None:
    """What the parts would bring at the mids, told outright: ``front_call_1="-1.9"``."""

    def own(now: datetime) -> object:
        held = Desk.own(one, now)
        told = {
            (p.id, role.replace("_", " ")): Decimal(v) for p in held.positions for role, v in values.items()
        }
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


def confirmed(one: Desk, now: datetime = NOON) -> list[Close]:
    assert closes(one.step(now)) == [], "seen once is not enough"
    return closes(list(one.decide(now + timedelta(minutes=1))))


# --------------------------------------------------------------------------------------- structure


def test_a_month_is_sold_against_two_at_the_money() -> None:
    unit = wished(desk())
    assert str(unit.structure) == f"+1 SPY {BACK} C550 / -1 SPY {FRONT} C550"
    assert [p.role for p in unit.parts] == ["back call", "front call 1"]
    # It costs 4.19, 0.76 % of 550: half of it is planned to be lost, a quarter to be won.
    assert unit.reason.startswith("debit 4.19, 0.76% of 550.00")
    assert (unit.planned_loss, unit.target_gain) == (Decimal("2.0950"), Decimal("1.0475"))
    assert unit.least_net == Decimal("-8.25"), "1.5 % of 550"


def test_its_greeks_are_the_methodology_s() -> None:
    # B.8: per lot of SPY 600 delta about 0, gamma below it, vega about +28 dollars; at 550 28.8.
    one = desk()
    greeks = greeks_of(one.view(at("10:15", TUESDAY)), wished(one).structure)
    assert greeks is not None
    assert abs(greeks.delta) < 0.01
    assert greeks.gamma < 0 < greeks.theta
    assert 100 * greeks.vega == pytest.approx(28.8, abs=0.1)


def test_puts_while_the_fast_average_is_below_the_slow_one() -> None:
    falling = rising_bars(TUESDAY, 5500.0, daily=-2.0)
    assert str(wished(desk(daily=falling)).structure) == f"+1 SPY {BACK} P550 / -1 SPY {FRONT} P550"


@pytest.mark.parametrize(
    ("market", "said"),
    [
        ({"vix_level": 20.0}, "VIX: VIX 20.00 is not above 0 and below 20"),
        ({"vix_level": None}, "DATA: no VIX"),
        ({"daily": rising_bars(TUESDAY, 5500.0, count=20)}, "DATA: 20 daily bars of SPX, 21 are needed"),
        ({"vix3m": rising_bars(TUESDAY, 5665.0)}, "VIX: VIX3M over VIX is 1.030, not above 1.03"),
        ({"listed": {"SPY": (FRONT,)}}, "STRUCT: SPY: no expiries near 30 and 60 DTE; IWM: no market"),
        ({"listed": {}}, "STRUCT: SPY: no market; IWM: no market"),
        ({"vol": flat(0.35)}, f"PRICE: +1 SPY {BACK} C550 / -1 SPY {FRONT} C550: debit 10.07, most 8.25"),
    ],
)
def test_what_keeps_it_out(market: dict[str, Any], said: str) -> None:
    # The made-up VIX closed at 5,500: a three-month index of 5,665 is 1.03 of it.
    assert passes(desk(**market).decide(at("10:15", TUESDAY))) == [said]


def test_a_steeper_curve_is_no_obstacle() -> None:
    assert wished(desk(vix3m=rising_bars(TUESDAY, 5670.0))).reason


@pytest.mark.parametrize(("vix", "may"), [(15.4, True), (15.6, False)])
def test_the_iv_rank_is_forty_percent_at_most(vix: float, may: bool) -> None:
    # 252 closes from 12.47 to 20: 40 % of the way up is 15.48.
    bars = rising_bars(TUESDAY, 20.0, daily=0.03)
    wishes = desk(vix_level=vix, daily=bars).decide(at("10:15", TUESDAY))
    assert any(isinstance(w, Alternatives) for w in wishes) is may
    assert may or passes(wishes) == ["TECH: IV rank 42% is above 40%"]


def test_only_tuesdays_open_one() -> None:
    assert desk().decide(at("10:15", date(2031, 1, 15))) == ()


def test_another_calendar_has_another_front() -> None:
    one = entered()
    second = wished(one, date(2031, 1, 21))
    assert second.structure.contracts[1].expiry == date(2031, 2, 21)
    one.market.listed = {"SPY": (FRONT, BACK)}
    assert passes(one.decide(at("10:20", TUESDAY)))[0].startswith("STRUCT: SPY: no expiries")


# ------------------------------------------------------------------------------------------- exits


@pytest.mark.parametrize(("back", "gone"), [("13.51", False), ("13.52", True)])
def test_a_quarter_of_the_debit_won_is_enough(back: str, gone: bool) -> None:
    # In for 4.19, out at 13.52 - 8.28 = 5.24: 1.05 won, 25 % are 1.0475.
    one = entered()
    revalue(one, back_call=back, front_call_1="-8.28")
    found = closes(list(one.decide(NOON)))
    assert [(c.trigger, c.roles) for c in found] == (
        [("target", ("back call", "front call 1"))] if gone else []
    )


@pytest.mark.parametrize(("back", "gone"), [("10.40", False), ("10.37", True)])
def test_half_of_the_debit_lost_is_too_much(back: str, gone: bool) -> None:
    # Out at 10.37 - 8.28 = 2.09: 2.10 lost of 4.19.
    one = entered()
    revalue(one, back_call=back, front_call_1="-8.28")
    found = confirmed(one)
    assert [(c.trigger, c.urgency) for c in found] == ([("stop", Urgency.STOP)] if gone else [])


@pytest.mark.parametrize(("vix", "gone"), [(25.0, False), (25.01, True)])
def test_a_vix_above_25_ends_it(vix: float, gone: bool) -> None:
    one = entered()
    one.market.moved(vix=vix)
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == (["VIX"] if gone else [])


@pytest.mark.parametrize(("level", "gone"), [(5733.0, False), (5735.0, True), (5265.0, True)])
def test_more_than_an_expected_move_from_the_strike_ends_it(level: float, gone: bool) -> None:
    # 550 x 14.55 % x root(31 / 365) = 23.3 at the first look.
    one = entered(Settings(stop_share=Decimal(1)))
    (noted,) = one.notes.values()
    assert float(noted) == pytest.approx(23.32, abs=0.01)
    one.market.moved(level=level)
    assert [c.trigger for c in confirmed(one)] == (["move"] if gone else [])


@pytest.mark.parametrize(
    ("days", "knob", "gone"), [(22, 21, False), (21, 21, True), (21, 7, False), (7, 7, True)]
)
def test_all_goes_at_the_last_days_of_the_front(days: int, knob: int, gone: bool) -> None:
    one = entered(Settings(front_exit_dte=knob, target_share=Decimal(5), rolls_max=0))
    day = FRONT - timedelta(days=days)
    found = closes(list(one.decide(at("10:00", day))))
    assert [(c.trigger, c.roles) for c in found] == (
        [("21 DTE", ("back call", "front call 1"))] if gone else []
    )


def test_a_front_without_time_value_in_the_money_is_not_left_to_be_assigned() -> None:
    # At 5,700 the call is 20 in the money; told to cost 20.09 it has 0.09 left, of 0.10 x 570 / 550 = 0.104.
    one = entered(Settings(stop_share=Decimal(1), move_max=5.0))
    one.market.moved(level=5700.0)
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == []
    one.market.vol = flat(0.02)
    one.market.rate = 0.0
    one.market.moved()
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == ["assignment"]


def test_the_guardian_runs_what_limits_a_loss_or_a_time() -> None:
    guarded = {e.trigger for e in build("calendar_spread").exits if e.guardian}
    assert guarded == {"21 DTE", "VIX", "assignment", "stop", "move", "no front"}


# ------------------------------------------------------------------------------------------- rolls


def spent(settings: Settings | None = None, front: str = "-1.85", back: str = "12.00") -> Desk:
    """The front brought 9.27: four fifths of it are 7.416, so it may cost 1.85."""
    one = entered(settings or Settings(target_share=Decimal(5)))
    revalue(one, front_call_1=front, back_call=back)
    return one


def buy_back(one: Desk, day: date = DAY) -> None:
    """Seen, and seen again."""
    one.step(at("12:01", day))
    assert [c.trigger for c in closes(one.step(at("12:02", day)))] == ["roll"]


def test_a_front_that_lost_four_fifths_is_bought_back_and_the_next_weekly_sold() -> None:
    one = spent()
    assert position(one).components["front call 1"].entry_net == Decimal("9.27")
    (close,) = confirmed(one)
    one.do(close, AFTER)
    assert (close.trigger, close.roles, close.urgency) == ("roll", ("front call 1",), Urgency.RULE)
    (sale,) = [w for w in one.step(at("12:05", DAY)) if isinstance(w, Open)]
    assert sale.joins == position(one).id
    assert str(sale.structure) == "-1 SPY 2031-02-21 C550"
    assert [p.role for p in sale.parts] == ["front call 2"]
    assert one.decide(at("12:10", DAY)) == (), "one front after the other"


@pytest.mark.parametrize(
    ("settings", "front", "wall"),
    [
        (Settings(target_share=Decimal(5)), "-1.86", "12:01"),
        (Settings(target_share=Decimal(5)), "-1.85", "15:00"),
        (Settings(target_share=Decimal(5)), "-1.85", "09:59"),
        (Settings(target_share=Decimal(5), rolls_max=0), "-1.85", "12:01"),
        (Settings(target_share=Decimal(5), roll_dte_min=30), "-1.85", "12:01"),
    ],
)
def test_when_a_front_stays(settings: Settings, front: str, wall: str) -> None:
    assert spent(settings, front).decide(at(wall, DAY)) == ()


def test_a_front_is_not_bought_back_when_none_could_follow() -> None:
    one = spent()
    one.market.listed = {"SPY": (FRONT, BACK)}
    assert confirmed(one) == []


def rolled(times: int) -> Desk:
    """Rolled on one day after another."""
    one = spent()
    for n in range(times):
        day = DAY + timedelta(days=n)
        buy_back(one, day)
        one.step(at("12:05", day))
        one.step(at("12:31", day))
        revalue(one, **{"back_call": "4.00", f"front_call_{n + 2}": "-0.50"})
    return one


def test_two_rolls_and_no_more() -> None:
    one = rolled(1)
    assert position(one).stage == "ROLL_1"
    one = rolled(2)
    assert position(one).stage == "ROLL_2"
    assert fronts.rolls(position(one)) == 2
    assert [c.trigger for c in closes(list(one.decide(at("12:01", date(2031, 1, 20)))))] == []


def test_its_stages_count_the_rolls() -> None:
    life = build("calendar_spread").life
    assert life is not None
    assert life.ways == {
        "OPEN": ("ROLL_1", "ROLL_2", "ROLLING"),
        "ROLL_1": ("ROLL_2", "ROLLING"),
        "ROLL_2": ("ROLLING",),
        "ROLLING": ("OPEN", "ROLL_1", "ROLL_2"),
    }
    one = spent()
    buy_back(one)
    one.market.listed = {"SPY": (FRONT, BACK)}
    one.step(at("12:05", DAY))
    assert position(one).stage == "ROLLING"


def test_a_back_without_a_front_goes_in_the_next_session() -> None:
    one = spent()
    buy_back(one)
    one.market.listed = {"SPY": (FRONT, BACK)}
    (refused,) = (w for w in one.step(at("12:05", DAY)) if isinstance(w, Pass))
    assert refused.code == "STRUCT"
    assert one.decide(at("15:31", DAY)) == (refused,), "until 15:45 a front may still be sold"
    morning = date(2031, 1, 17)
    assert one.decide(at("09:31", morning)) == ()
    (close,) = one.decide(at("10:00", morning))
    assert isinstance(close, Close)
    assert (close.trigger, close.roles) == ("no front", ("back call",))


def test_what_a_roll_won_counts_for_the_target() -> None:
    # The first front won 9.27 - 1.85 = 7.42, the second costs 12.00 at the end.
    one = spent(Settings(), back="6.50")
    buy_back(one)
    one.step(at("12:05", DAY))
    second = position(one).components["front call 2"].entry_net
    paid = position(one).components["back call"].entry_net
    value = Decimal("1.0475") - Decimal("7.42") - paid - second + Decimal(12)
    for more, gone in (("-0.01", False), ("0.00", True)):
        revalue(one, back_call=str(value + Decimal(more)), front_call_2="-12.00")
        found = [c.trigger for c in closes(list(one.decide(at("12:31", DAY))))]
        assert found == (["target"] if gone else [])


def test_a_restart_between_the_two_halves_of_a_roll_sells_the_next_front() -> None:
    one = spent()
    buy_back(one)
    again = Desk(
        build("calendar_spread", Settings(target_share=Decimal(5))),
        one.market,
        SESSIONS,
        positions=one.positions,
        notes=one.notes,
    )
    assert again.decide(at("12:05", DAY)) == one.decide(at("12:05", DAY))
    assert [type(w) for w in again.decide(at("12:05", DAY)) if not isinstance(w, Mark)] == [Open]
