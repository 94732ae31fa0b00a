"""The short box at 5,500: what a year's money costs, and when it is cheap enough."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, flat, passes
from tests.worlds import at, weekdays

from tomking.domain.intent import Open
from tomking.strategies import build
from tomking.strategies.box_financing import Settings

WEDNESDAY = date(2031, 3, 5)
EXPIRY = WEDNESDAY + timedelta(days=365)
SESSIONS = weekdays(date(2031, 1, 1), 300)


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    given: dict[str, Any] = {
        "listed": {"SPX": (EXPIRY,)}, "level": 5500.0, "rate": 0.045, "vol": flat(0.18), **market,
    }  # fmt: skip
    return Desk(build("box_financing", settings or Settings()), World(**given), SESSIONS)


def wish_of(one: Desk) -> Open:
    return next(w for w in one.decide(at("10:30", WEDNESDAY)) if isinstance(w, Open))


def said(one: Desk) -> str:
    return passes(one.decide(at("10:30", WEDNESDAY)))[0]


def test_the_worked_example_of_the_document() -> None:
    # 500 points around 5,500: exp(-0.045) of it is 478.00 to receive now.  500 / 478 is 4.60 % for a year.
    wish = wish_of(desk())
    assert str(wish.structure) == (
        f"-1 SPX {EXPIRY} C5250 / +1 SPX {EXPIRY} C5750 / -1 SPX {EXPIRY} P5750 / +1 SPX {EXPIRY} P5250"
    )
    assert wish.planned_loss == Decimal("22.00")
    assert wish.reason == (
        "financing at 4.60% simple, 4.60% compounded; Treasury 4.60% (the chain's own discount), "
        "margin 9.60%, limit 5.35%"
    )
    # At the limit of 5.35 % it is worth 474.60; the order asks for no less.
    assert wish.least_net == Decimal("474.60")


def test_it_pays_its_width_whatever_happens() -> None:
    box = wish_of(desk()).structure
    assert {box.payoff(Decimal(level)) for level in (0, 5000, 5250, 5500, 5750, 9000)} == {Decimal(-500)}
    assert box.max_loss(Decimal(478)) == Decimal(22)


def test_longer_boxes_say_the_compounded_rate_too() -> None:
    # Two years: exp(0.09) - 1 is 9.42 %, 4.71 % a year simple and 4.60 % compounded.
    wish = wish_of(desk(listed={"SPX": (WEDNESDAY + timedelta(days=730),)}))
    assert wish.reason.startswith("financing at 4.71% simple, 4.60% compounded")


def test_a_dear_box_is_not_sold_and_its_rate_is_said() -> None:
    one = desk(Settings(treasury_rate=0.038))
    assert "PRICE" in said(one)
    assert "financing at 4.60% simple" in said(one)
    assert "Treasury 3.80% (as set), margin 8.80%, limit 4.55%" in said(one)


def test_the_margin_rate_less_one_percent_may_be_the_lower_limit() -> None:
    assert "margin 5.50%, limit 4.50%" in said(desk(Settings(margin_rate=0.055)))
    assert "limit 4.70%" in wish_of(desk(Settings(margin_rate=0.057))).reason


def test_a_quarter_of_net_liq_at_most_is_borrowed() -> None:
    # $50,000 of $200,000 is one box of $47,800; of $100,000 it is $25,000: a box of 250 points.
    assert wish_of(desk()).ceiling == 1
    half = desk()
    half.net_liq = Decimal(100_000)
    assert wish_of(half).structure.payoff(Decimal(5500)) == -250
    double = desk()
    double.net_liq = Decimal(400_000)
    assert wish_of(double).ceiling == 2


def test_what_is_borrowed_already_counts() -> None:
    # A box of 400 points brought $38,240 or so; of $50,000 there are $11,760 left: 115 points.
    one = desk(Settings(width_points=Decimal(400)))
    one.step(at("10:30", WEDNESDAY))
    one.entered = []
    week = WEDNESDAY + timedelta(days=7)
    one.market.listed = {"SPX": (EXPIRY, week + timedelta(days=366))}
    second = next(w for w in one.decide(at("10:30", week)) if isinstance(w, Open))
    assert second.structure.payoff(Decimal(5500)) == -115
    # With $48,000 allowed there are less than $10,000 left, and no box of 100 points.
    one.net_liq = Decimal(192_000)
    assert passes(one.decide(at("10:30", week)))[0].startswith(
        "STRUCT: 2032-03-12: no box wide enough of four quoted strikes"
    )


@pytest.mark.parametrize(("days", "found"), [(364, False), (365, True), (730, True), (731, False)])
def test_it_matures_in_one_to_two_years(days: int, found: bool) -> None:
    one = desk(listed={"SPX": (WEDNESDAY + timedelta(days=days),)})
    assert bool([w for w in one.decide(at("10:30", WEDNESDAY)) if isinstance(w, Open)]) is found
    assert found or said(one) == "STRUCT: no SPX expiry of 365 to 730 DTE"


@pytest.mark.parametrize(
    ("wall", "asked"), [("10:29", False), ("10:30", True), ("11:30", True), ("11:31", False)]
)
def test_wednesdays_from_half_past_ten_to_half_past_eleven(wall: str, asked: bool) -> None:
    assert bool(desk().decide(at(wall, WEDNESDAY))) is asked
    assert not desk().decide(at(wall, WEDNESDAY + timedelta(days=1)))


def test_it_is_off_by_default_and_from_phase_3_on() -> None:
    one = desk()
    assert not one.strategy.default_on
    one.phase = 2
    assert said(one) == "PHASE: no boxes in phase 2"


def test_it_is_held_to_its_settlement() -> None:
    one = desk()
    assert one.strategy.exits == ()
    one.step(at("10:30", WEDNESDAY))
    one.step(at("15:00", WEDNESDAY))
    (position,) = one.positions.values()
    assert position.stage == "OPEN"
    assert one.strategy.life is not None
    assert one.strategy.life.ways == {"OPEN": ()}


def test_only_the_european_index_is_used() -> None:
    one = desk(listed={"SPY": (EXPIRY,), "SPXW": (EXPIRY,)})
    assert said(one) == "STRUCT: no SPX expiry of 365 to 730 DTE"
