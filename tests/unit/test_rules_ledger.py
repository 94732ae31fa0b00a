"""The ledger: what was opened when and for how much, after it is gone."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.worlds import ScriptedMarket, at, session_on, weekdays

from tomking.domain.book import Component, Position
from tomking.domain.intent import Mark
from tomking.domain.lifecycle import State
from tomking.domain.structure import Structure
from tomking.rules import ledger
from tomking.rules.strategy import held_now
from tomking.view import Own, View

DAY = date(2031, 3, 3)


def position(opened: datetime, net: str = "-1.20", state: State = State.ACTIVE) -> Position:
    structure = Structure.parse("call", "+1 VIX 2031-05-21 C20")
    part = Component(
        "rest", "7", "vix calls", structure, 3, 3, Decimal(net), opened, 79, Decimal(0), Decimal(0)
    )
    return Position("7", "hedge", "VIX", state, opened, {"rest": part}, 3, Decimal(0), Decimal(0))


def own(*positions: Position, bought: str = "") -> Own:
    notes = {"bought": bought} if bought else {}
    return Own("hedge", 4, Decimal(100_000), "GREEN", positions, (), notes, (), {})


def written(one: Position, bought: str = "", day: date = DAY) -> list[str]:
    view = View(
        at("12:00", day), session_on(day), weekdays(date(2031, 1, 1), 300), ScriptedMarket(mid=lambda *_: 1.0)
    )
    wishes = ledger.keeping().check(view, own(one, bought=bought), held_now(one, day))
    return [wish.value for wish in wishes if isinstance(wish, Mark)]


def test_a_position_is_written_down_once_with_what_it_cost() -> None:
    # Three calls at 1.20 of 100 dollars each.
    assert written(position(at("10:00", DAY))) == ["2031-03-03:360.00"]
    assert written(position(at("10:00", DAY)), "2031-03-03:360.00") == []


def test_what_is_still_being_built_waits() -> None:
    assert written(position(at("10:00", DAY), state=State.BUILDING)) == []


@pytest.mark.parametrize(("before", "kept"), [("2030-03-04:5", "2030-03-04:5 "), ("2030-03-03:5", "")])
def test_a_year_is_remembered(before: str, kept: str) -> None:
    assert written(position(at("10:00", DAY)), before) == [f"{kept}2031-03-03:360.00"]


def test_days_and_dollars_include_what_is_not_written_yet() -> None:
    one = own(position(at("10:00", DAY)), bought="2030-12-01:100 2031-02-01:50")
    assert ledger.opened_days(one) == {date(2030, 12, 1), date(2031, 2, 1), DAY}
    assert ledger.spent_since(one, date(2031, 1, 1)) == 410
    after = own(position(at("10:00", DAY)), bought="2031-03-03:360.00")
    assert ledger.spent_since(after, date(2031, 1, 1)) == 360


def test_a_credit_is_negative_and_late_openings_are_of_their_new_york_day() -> None:
    late = position(
        datetime.combine(DAY, datetime.min.time(), at("10:00").tzinfo) + timedelta(hours=27), net="2"
    )
    assert ledger.paid(late) == -600
    assert ledger.opened_on(late) == DAY
    assert ledger.opened_on(replace(late, opened=at("10:00", DAY))) == DAY
