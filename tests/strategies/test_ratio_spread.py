"""The put ratio spread on SPY at 550: the fixture surface of methodology B.2, 45 days, 4.5 %."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes, skewed
from tests.worlds import at, weekdays

from tomking.domain.book import Position
from tomking.domain.calendar import Sessions
from tomking.domain.intent import Alternatives, Close, Mark, Open, Urgency
from tomking.rules.exits import delta_now, shorts
from tomking.rules.select import stated_points
from tomking.strategies import build
from tomking.strategies.ratio_spread import Settings
from tomking.strategies.ratio_spread.life import LIFE

TUESDAY = date(2031, 1, 14)
EXPIRY = date(2031, 2, 28)
"""45 days on."""
SESSIONS = weekdays(date(2030, 12, 2), 260)
FRIDAYS = tuple(s.date for s in SESSIONS if s.date.weekday() == 4)
NOON = at("12:01", date(2031, 1, 15))
AFTER = at("12:02", date(2031, 1, 15))


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    given = {"listed": {"SPY": FRIDAYS}, "vol": skewed, "rate": 0.045, "vix_level": 17.0, **market}
    return Desk(build("ratio_spread", settings or Settings()), World(**given), SESSIONS)


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
    """What the parts would bring at the mids, told outright: ``extra="-3.1"``."""
    real = type(one).own

    def own(now: object) -> object:
        held = real(one, now)  # type: ignore[arg-type]
        told = {(p.id, role): Decimal(v) for p in held.positions for role, v in values.items()}
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign, assignment]


def confirmed(one: Desk) -> list[Close]:
    """What a second observation a minute later closes."""
    assert closes(one.step(NOON)) == [], "seen once is not enough"
    return closes(list(one.decide(AFTER)))


PATIENT = Settings(stop_credits=Decimal(10), loss_share=Decimal("0.05"), close_delta=0.9)
"""Only the exit under test is left."""


# -------------------------------------------------------------------------------------- structure


def test_one_put_is_bought_and_two_are_sold() -> None:
    unit = wished(desk())
    assert str(unit.structure) == f"+1 SPY {EXPIRY} P531 / -2 SPY {EXPIRY} P521"
    assert [p.role for p in unit.parts] == ["vertical", "extra"]
    # The vertical costs 1.60, the extra put brings 2.46: a credit of 0.86 points, $86.
    assert unit.reason.startswith("credit 0.86, width 10.00")
    # The best profit is 10 + 0.86 at 521; a quarter of it, 2.715, is more than the credit; half of that.
    assert unit.target_gain == Decimal("1.3575")
    # Twice the credit is planned to be lost.
    assert unit.planned_loss == Decimal("1.72")


def test_it_keeps_the_credit_above_and_breaks_even_a_width_and_a_credit_below_the_short_strike() -> None:
    unit, credit = wished(desk()).structure, Decimal("0.86")
    assert unit.payoff(Decimal(560)) + credit == credit
    assert unit.payoff(Decimal(521)) + credit == Decimal("10.86")
    # 521 - 10.86: what P1's formula leaves out is the width.
    assert unit.payoff(Decimal("510.14")) + credit == 0
    assert unit.payoff(Decimal("509.14")) + credit == -1


def test_seventy_five_dollars_are_the_least_credit() -> None:
    # A flat 15 % pays less for the far puts: 0.54.
    assert passes(desk(vol=flat(0.15)).decide(at("10:15", TUESDAY)))[0].startswith(
        "PRICE: SPY: it brings 0.54, least 0.75"
    )
    assert wished(desk(Settings(credit_min_usd=Decimal(54)), vol=flat(0.15))).least_net == Decimal("0.54")


def test_dollars_are_of_spy_at_550_and_scale_with_the_underlying() -> None:
    # $75 a contract of 100 shares is 0.136 % of 550; of a TLT at 88 that is 0.12 points, $12.
    assert stated_points(75, 550.0) == pytest.approx(0.75)
    assert stated_points(75, 88.0) == pytest.approx(0.12)


@pytest.mark.parametrize(("days", "may"), [(39, False), (40, True), (50, True), (51, False)])
def test_forty_five_days_give_or_take_five(days: int, may: bool) -> None:
    expiry = TUESDAY + timedelta(days=days)
    one = desk(Settings(credit_min_usd=Decimal(1)), listed={"SPY": (expiry,)})
    assert any(isinstance(w, Alternatives) for w in one.decide(at("10:15", TUESDAY))) is may


def test_an_underlying_without_a_market_is_passed_over_with_a_reason() -> None:
    only = desk(Settings(products=("IWM", "TLT")))
    assert passes(only.decide(at("10:15", TUESDAY))) == ["STRUCT: IWM: no market; TLT: no market"]
    (wish,) = desk().decide(at("10:15", TUESDAY))
    assert isinstance(wish, Alternatives)
    assert wish.passed_over == ("IWM: no market", "TLT: no market")


def test_each_unit_has_an_expiry_of_its_own() -> None:
    one = entered()
    # On Wednesday week 2031-02-28 has 37 days; a week later 2031-03-07 has 45.
    other = wished(desk(listed={"SPY": (EXPIRY, date(2031, 3, 7))}), date(2031, 1, 21))
    assert other.structure.contracts[0].expiry == date(2031, 3, 7)
    one.market.listed = {"SPY": (EXPIRY,)}
    assert passes(one.decide(at("10:15", date(2031, 1, 14))))[0].startswith("STRUCT: SPY: no free expiry")


def test_on_tuesdays_in_its_window_and_after_a_holiday_on_wednesdays() -> None:
    assert desk().decide(at("10:14", TUESDAY)) == ()
    assert desk().decide(at("10:46", TUESDAY)) == ()
    assert desk().decide(at("10:15", date(2031, 1, 15))) == ()
    one = desk()
    one.sessions = Sessions(tuple(s for s in SESSIONS if s.date != TUESDAY))
    assert wished(one, date(2031, 1, 15)).reason


def test_without_a_vix_nothing_is_sold() -> None:
    assert passes(desk(vix_level=None).decide(at("10:15", TUESDAY))) == ["DATA: no VIX"]


# ------------------------------------------------------------------------------------------- exits


@pytest.mark.parametrize(("extra", "gone"), [("-5.77", False), ("-5.78", True)])
def test_twice_the_credit_lost_closes_all(extra: str, gone: bool) -> None:
    # In: vertical -1.60, extra +2.46.  Out at +3.20 and -5.78: 1.60 - 3.32 = -1.72, twice 0.86.
    one = entered(replace(Settings(), extra_delta=0.7, close_delta=0.9))
    revalue(one, vertical="3.20", extra=extra)
    found = confirmed(one)
    assert [(c.trigger, c.roles, c.urgency) for c in found] == (
        [("stop", ("vertical", "extra"), Urgency.STOP)] if gone else []
    )


def test_two_percent_of_the_account_lost_closes_all() -> None:
    # Half the stop's $172 on a small account: 2 % of $4,000 is $80.
    one = entered(PATIENT)
    one.net_liq = Decimal(4000)
    revalue(one, vertical="1.60", extra="-3.25")
    assert confirmed(one) == []
    one = entered(replace(PATIENT, loss_share=Decimal("0.02")))
    one.net_liq = Decimal(4000)
    revalue(one, vertical="1.60", extra="-3.26")
    assert [c.trigger for c in confirmed(one)] == ["loss"]


@pytest.mark.parametrize(("level", "gone"), [(5261.0, False), (5260.0, True)])
def test_midway_between_the_strikes_the_extra_put_goes(level: float, gone: bool) -> None:
    # (531 + 521) / 2 = 526.
    one = entered(replace(PATIENT, extra_delta=0.7))
    one.market.moved(level=level)
    assert [(c.trigger, c.roles) for c in confirmed(one)] == ([("midpoint", ("extra",))] if gone else [])


def test_the_long_strike_is_where_it_begins_to_earn_and_is_only_looked_at() -> None:
    one = entered(replace(PATIENT, extra_delta=0.7, review_delta=0.6))
    one.market.moved(level=5310.0)
    (mark,) = one.step(NOON)
    assert isinstance(mark, Mark)
    assert mark.value == "SPY at 531.00, the long strike is 531.00"
    assert one.decide(AFTER) == (), "once"
    one.step(AFTER)
    assert position(one).stage == "MANAGING"


def test_p1_s_exit_at_the_long_strike_is_a_switch() -> None:
    one = entered(replace(PATIENT, extra_delta=0.7, exit_on_long_touch=True))
    one.market.moved(level=5310.0)
    assert [(c.trigger, c.roles) for c in confirmed(one)] == [("long touch", ("vertical", "extra"))]


def level_of_delta(one: Desk, least: float) -> float:
    """The highest level, in steps of 5, at which the short put has that delta."""
    (short,) = shorts(position(one).components["extra"])
    for level in range(5500, 4800, -5):
        one.market.moved(level=float(level))
        delta = delta_now(one.view(NOON), short)
        if delta is not None and delta >= least:
            return float(level)
    raise AssertionError("never")


@pytest.mark.parametrize(
    ("delta", "expected"),
    [(0.30, ("extra delta", ("extra",))), (0.40, ("delta", ("vertical", "extra")))],
)
def test_the_ladder_of_the_short_put_s_delta(delta: float, expected: tuple[str, tuple[str, ...]]) -> None:
    settings = Settings(stop_credits=Decimal(10), loss_share=Decimal("0.05"))
    one = entered(settings)
    touched = level_of_delta(one, delta)
    for level, found in ((touched + 5, None), (touched, expected)):
        one = entered(settings)
        one.market.moved(level=level)
        said = [(c.trigger, c.roles) for c in confirmed(one) if c.trigger != "midpoint"]
        assert (found in said) if found else (expected not in said)


def test_at_25_delta_it_is_looked_at() -> None:
    one = entered(PATIENT)
    touched = level_of_delta(one, 0.25)
    assert touched > 5310, "before the long strike is touched"
    one.market.moved(level=touched + 5)
    assert one.step(NOON) == []
    one.market.moved(level=touched)
    (mark,) = one.step(NOON)
    assert isinstance(mark, Mark)
    assert mark.value.endswith("delta")


@pytest.mark.parametrize(("vertical", "gone"), [("2.33", False), ("2.34", True)])
def test_half_of_a_quarter_of_the_best_profit_is_enough(vertical: str, gone: bool) -> None:
    # -1.60 + 2.46 + 2.34 - 1.84 = 1.36, the target is 1.3575.
    one = entered()
    revalue(one, vertical=vertical, extra="-1.84")
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == (["target"] if gone else [])


def test_what_the_extra_put_lost_counts_against_the_target() -> None:
    one = entered()
    revalue(one, vertical="4.00", extra="-3.46")
    one.do(Close("ratio_spread", position(one).id, ("extra",), Urgency.STOP, "midpoint", "told"), NOON)
    # The extra put lost 1.00: the vertical must win 2.36, which is 3.96 of value.
    revalue(one, vertical="3.95")
    assert one.decide(NOON) == ()
    revalue(one, vertical="3.96")
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == ["target"]


@pytest.mark.parametrize(("days", "gone"), [(22, False), (21, True), (18, True)])
def test_at_21_days_all_goes(days: int, gone: bool) -> None:
    one = entered()
    day = EXPIRY - timedelta(days=days)
    found = closes(list(one.decide(at("10:00", day))))
    assert [(c.trigger, c.roles) for c in found] == ([("21 DTE", ("vertical", "extra"))] if gone else [])


def test_deep_in_the_money_it_leaves_before_it_is_assigned() -> None:
    # At 4,300 the 521 put is 91 in the money; without interest its time value is nothing.
    one = entered(replace(PATIENT, extra_delta=0.7))
    one.market.moved(level=4300.0)
    one.market.rate = 0.0
    assert [c.trigger for c in closes(list(one.decide(NOON)))] == ["assignment"]


def test_what_an_assignment_leaves_of_the_vertical_goes_at_21_days() -> None:
    one = entered(PATIENT)
    p = position(one)
    vertical = p.components["vertical"]
    left = replace(vertical, structure=replace(vertical.structure, legs=vertical.structure.legs[:1]))
    one.do(Close("ratio_spread", p.id, ("extra",), Urgency.STOP, "settlement", "told"), NOON)
    one.positions[p.id] = replace(position(one), components={**position(one).components, "vertical": left})
    one.market.moved(level=5200.0)
    assert closes(one.step(NOON)) == []
    (close,) = closes(list(one.decide(at("10:00", EXPIRY - timedelta(days=21)))))
    assert (close.trigger, close.roles) == ("21 DTE", ("vertical",))


def test_the_guardian_runs_what_limits_a_loss_or_a_time() -> None:
    guarded = {e.trigger for e in build("ratio_spread").exits if e.guardian}
    assert guarded == {"21 DTE", "assignment", "stop", "loss", "delta", "extra delta", "midpoint"}


# -------------------------------------------------------------------------------------------- life


def test_its_ways_lead_to_the_vertical_alone() -> None:
    assert LIFE.ways == {
        "OPEN": ("MANAGING", "VERTICAL_ONLY"),
        "MANAGING": ("VERTICAL_ONLY",),
        "VERTICAL_ONLY": (),
    }
    one = entered()
    one.do(Close("ratio_spread", position(one).id, ("extra",), Urgency.STOP, "midpoint", "told"), NOON)
    one.step(AFTER)
    assert position(one).stage == "VERTICAL_ONLY"


def test_a_restart_finds_what_was_looked_at() -> None:
    settings = replace(PATIENT, extra_delta=0.7)
    one = entered(settings)
    one.market.moved(level=5310.0)
    one.step(NOON)
    again = Desk(
        build("ratio_spread", settings), one.market, SESSIONS, positions=one.positions, notes=one.notes
    )
    (step,) = again.strategy.steps(again.view(AFTER), again.own(AFTER))
    assert (step.before, step.after) == ("OPEN", "MANAGING")
    assert [w for w in again.decide(AFTER) if isinstance(w, Mark)] == []
