"""The VIX call hedge: a future at 14, calls at 55 %, sixty days."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.strategies.world import Desk, World, closes, flat, passes
from tests.worlds import at, weekdays

from tomking.domain.book import Position
from tomking.domain.intent import Close, Intent, Mark, Open
from tomking.strategies import build
from tomking.strategies.vix_call_hedge import Settings

MONDAY = date(2031, 3, 3)
EXPIRY = MONDAY + timedelta(days=60)
NEXT = MONDAY + timedelta(days=95)
SESSIONS = weekdays(date(2031, 1, 1), 500)


def desk(settings: Settings | None = None, **market: Any) -> Desk:
    given: dict[str, Any] = {
        "listed": {"VIX": (EXPIRY, NEXT)}, "level": 14.0, "vix_level": 12.5, "vol": flat(0.55),
        "span": (0.5, 3.0), **market,
    }  # fmt: skip
    return Desk(build("vix_call_hedge", settings or Settings()), World(**given), SESSIONS)


def wish_of(one: Desk, day: date = MONDAY) -> Open:
    return next(w for w in one.decide(at("09:45", day)) if isinstance(w, Open))


def entered(**account: Any) -> Desk:
    """Long C17, bought at 0.36 in two halves."""
    one = replace(desk(), **account)
    one.step(at("09:45", MONDAY))
    one.entered = []
    assert one.positions
    return one


def only(one: Desk) -> Position:
    return next(iter(one.positions.values()))


def worth(one: Desk, **values: str) -> None:
    """What the halves would bring, told outright."""
    real: Callable[[datetime], Any] = one.own

    def own(now: datetime) -> Any:
        held = real(now)
        told = {(p.id, role): Decimal(v) for p in held.positions for role, v in values.items()}
        return replace(held, values={**held.values, **told})

    one.own = own  # type: ignore[method-assign]


def look(one: Desk, wall: str = "11:00", day: date = MONDAY + timedelta(days=1)) -> list[Intent]:
    return one.step(at(wall, day))


def test_the_worked_example_of_the_document() -> None:
    # 22.5 delta is nearest at 17 (0.36, with a spread of two cents).  A quarter per cent of $200,000 is $500:
    # at $37 a call thirteen, six in each half, $432 in all at the mid.
    wish = wish_of(desk())
    assert [str(part.structure) for part in wish.parts] == [f"+1 VIX {EXPIRY} C17"] * 2
    assert [part.role for part in wish.parts] == ["first half", "rest"]
    assert (wish.ceiling, wish.planned_loss, wish.least_net) == (6, Decimal("0.720"), Decimal("-0.74"))


def test_a_small_account_buys_one_call_and_keeps_it_for_five_times_its_price() -> None:
    # 0.25 % of $20,000 is $50.
    wish = wish_of(replace(desk(), net_liq=Decimal(20_000)))
    assert ([part.role for part in wish.parts], wish.ceiling) == (["rest"], 1)


def test_a_budget_that_buys_no_call_buys_none() -> None:
    one = replace(desk(), net_liq=Decimal(10_000))
    assert passes(one.decide(at("09:45", MONDAY)))[0].startswith("SIZE: VIX ")


@pytest.mark.parametrize(("vix", "bought"), [(12.99, True), (13.0, False), (17.0, False)])
def test_it_is_bought_below_13_only(vix: float, bought: bool) -> None:
    said = passes(desk(vix_level=vix).decide(at("09:45", MONDAY)))
    assert (said == []) is bought
    assert bought or said == [f"VIX: VIX {vix:.2f} is not below 13, no major event ahead"]


@pytest.mark.parametrize(
    ("sessions", "vix", "bought"), [(10, 17.99, True), (10, 18.0, False), (11, 17.99, False)]
)
def test_ahead_of_a_major_event_it_is_bought_below_18(sessions: int, vix: float, bought: bool) -> None:
    ahead = [s.date for s in SESSIONS if s.date > MONDAY][sessions - 1]
    one = desk(Settings(event_days=(ahead,)), vix_level=vix)
    assert (passes(one.decide(at("09:45", MONDAY))) == []) is bought


@pytest.mark.parametrize(
    ("wall", "asked"), [("09:44", False), ("09:45", True), ("10:15", True), ("10:16", False)]
)
def test_it_is_bought_in_the_morning(wall: str, asked: bool) -> None:
    assert bool(desk().decide(at(wall, MONDAY))) is asked


def test_no_expiry_of_45_to_75_days_no_call() -> None:
    one = desk(listed={"VIX": (MONDAY + timedelta(days=44), MONDAY + timedelta(days=76))})
    assert passes(one.decide(at("09:45", MONDAY))) == ["STRUCT: no VIX expiry of 45 to 75 DTE"]


def test_a_spread_of_more_than_15_percent_and_five_cents_is_not_crossed() -> None:
    # Three cents either side of 0.36 are 0.06: 17 %.
    assert passes(desk(half_spread_ticks=3).decide(at("09:45", MONDAY)))[0].startswith("LIQ: VIX ")
    assert passes(desk(half_spread_ticks=2).decide(at("09:45", MONDAY))) == []


# -------------------------------------------------------------------------------- month and year


def test_once_a_month_even_when_it_was_sold_in_between() -> None:
    one = entered()
    look(one)  # the ledger is written
    assert one.notes["bought"] == "2031-03-03:72.00"
    worth(one, **{"first half": "5", "rest": "5"})
    look(one, "12:00")
    assert not one.positions
    assert one.decide(at("09:45", MONDAY + timedelta(days=7))) == ()
    april = date(2031, 4, 1)
    one.market.listed = {"VIX": (april + timedelta(days=60),)}
    assert wish_of(one, april).parts


def test_a_day_without_a_fill_is_no_purchase() -> None:
    assert wish_of(desk(), MONDAY + timedelta(days=1)).parts


def test_two_percent_a_year_at_most() -> None:
    # 2 % of $200,000 is $4,000; $3,950 are spent, $50 left: one call at $37.
    one = desk()
    one.notes["bought"] = "2030-05-01:3000.00 2031-02-03:950.00"
    wish = wish_of(one)
    assert "$50.00 of the budget is left" in wish.reason
    assert len(wish.parts) == 1
    # What was bought more than a year ago is forgotten.
    one.notes["bought"] = "2030-03-01:3000.00 2031-02-03:950.00"
    assert "$500.00 of the budget is left" in wish_of(one).reason


def test_the_ledger_drops_what_is_older_than_a_year() -> None:
    one = entered(notes={"bought": "2030-03-01:300.00 2031-02-03:950.00"})
    marks = [w for w in look(one) if isinstance(w, Mark)]
    assert [m.value for m in marks] == ["2031-02-03:950.00 2031-03-03:72.00"]
    assert not [w for w in look(one, "11:30") if isinstance(w, Mark)]


# ------------------------------------------------------------------------------------------- exits


def test_half_is_sold_at_three_times_its_price_and_the_rest_at_five() -> None:
    one = entered()
    look(one)
    worth(one, **{"first half": "1.07", "rest": "1.07"})
    assert not closes(look(one, "11:30"))
    worth(one, **{"first half": "1.08", "rest": "1.08"})
    assert [(c.trigger, c.roles) for c in closes(look(one, "12:00"))] == [("first half", ("first half",))]
    worth(one, rest="1.79")
    assert not closes(look(one, "12:30"))
    worth(one, rest="1.80")
    assert [(c.trigger, c.roles) for c in closes(look(one, "13:00"))] == [("rest", ("rest",))]


@pytest.mark.parametrize(("vix", "sold"), [(35.0, False), (35.01, True)])
def test_above_vix_35_all_is_sold(vix: float, sold: bool) -> None:
    one = entered()
    look(one)
    worth(one, **{"first half": "0.5", "rest": "0.5"})
    one.market.moved(vix=vix)
    assert [c.trigger for c in closes(look(one, "12:00"))] == (["VIX"] if sold else [])


def test_at_21_days_what_is_left_is_sold() -> None:
    one = entered()
    day = EXPIRY - timedelta(days=21)
    assert not closes(look(one, "09:59", day))
    (close,) = closes(look(one, "10:00", day))
    assert (close.trigger, close.roles) == ("21 DTE", ("first half", "rest"))


def test_its_life_is_open_then_half_sold() -> None:
    one = entered()
    look(one)
    assert only(one).stage == "OPEN"
    one.do(
        Close("vix_call_hedge", only(one).id, ("first half",), _rule(), "first half", "told"),
        at("12:00", MONDAY),
    )
    look(one, "12:30")
    assert only(one).stage == "HALF_SOLD"


def _rule() -> Any:
    return build("vix_call_hedge").exits[-1].urgency
