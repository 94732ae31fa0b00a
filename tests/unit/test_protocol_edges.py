"""The order protocol exactly at its instants: odd legs, final searches, fees of several fills."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from tests.deskworld import both, order, second
from tests.unit.test_protocol_values import attempt, broker_order, course
from tests.unit.test_unbooked import ended, moved, traded

from tomking.domain.book import Working
from tomking.execution.protocol import asking, lookout
from tomking.execution.protocol.course import Input, Phase, Purpose
from tomking.execution.protocol.uneven import MOST_SPACED, PATIENCE, SPACED, _spacing, acts_on
from tomking.execution.unbooked import STRAYS, Movement, movements, newest
from tomking.execution.wire import Outcome, Status

TICK = timedelta(seconds=1)


# ------------------------------------------------------------------------------ evidence


def test_an_answer_of_the_same_instant_is_as_late() -> None:
    assert asking._is_later(second(5), None)
    assert asking._is_later(second(5), second(5))
    assert not asking._is_later(second(4), second(5))


def searched(**found: Any) -> list[Input]:
    """What is said of an order in doubt, or of odd legs, where a search asked at 100 would be final."""
    about = course(attempt(outcome=Outcome.UNKNOWN), **found.pop("course", {}))
    account: Any = SimpleNamespace(found_asked=found.get("asked"), book=None)
    return lookout._inputs(about, account, None, second(found.get("now", 100)), is_full=False)  # type: ignore[arg-type]


@pytest.fixture
def final(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookout, "_final", lambda *_: second(100))
    monkeypatch.setattr(lookout, "judged", lambda *_, **__: Input.DOUBT)
    monkeypatch.setattr(lookout, "has_no_more", lambda *_: True)


@pytest.mark.usefixtures("final")
def test_a_search_asked_at_the_instant_it_is_final_is_final() -> None:
    assert searched() == [Input.DOUBT]
    assert searched(asked=second(100)) == [Input.DOUBT, Input.END]
    assert searched(asked=second(99)) == [Input.DOUBT]
    assert searched(asked=second(100), now=99) == [Input.DOUBT]
    absent = {"absent": second(100)}
    assert searched(course=absent) == [Input.DOUBT, Input.ABSENT]
    assert searched(course=absent, now=99) == [Input.DOUBT]
    assert searched(course={"absent": second(99)}) == [Input.DOUBT]


def test_legs_are_uneven_once_what_the_account_shows_is_as_late_as_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lookout, "_final", lambda *_: None)
    monkeypatch.setattr(lookout, "judged", lambda *_, **__: None)
    uneven = {"uneven": second(0)}
    assert searched(asked=second(0) + PATIENCE, course=uneven) == [Input.UNEVEN]
    assert searched(asked=second(0) + PATIENCE - TICK, course=uneven) == []
    assert searched(course=uneven) == []


def test_what_was_asked_before_is_asked_again_at_once() -> None:
    usual = timedelta(seconds=60)
    assert lookout._once_since(second(10), None, usual) == lookout.AT_ONCE
    assert lookout._once_since(second(10), second(9), usual) == lookout.AT_ONCE
    assert lookout._once_since(second(10), second(10), usual) == usual


def test_while_legs_are_odd_orders_and_positions_are_read_as_soon_as_they_can_tell() -> None:
    # Uneven at 10: orders tell from 10 + patience on; the next remedy waits for positions of then.
    odd = course(attempt(seen=broker_order(Status.CANCELLED)), uneven=second(10), phase=Phase.WORKING)
    told = second(10) + PATIENCE

    def rates(**asked: Any) -> tuple[timedelta, timedelta]:
        at = (asked.get("orders"), asked.get("positions"))
        return lookout._rates_uneven(odd, at, asked.get("now", told))

    assert rates() == (lookout.AT_ONCE, lookout.AT_ONCE)
    assert rates(now=told - TICK) == (lookout.ORDERS_EVERY, lookout.POSITIONS_EVERY)
    assert rates(orders=told, positions=told) == (lookout.ORDERS_EVERY, lookout.POSITIONS_IN_DOUBT)


# ------------------------------------------------------------------------------ odd legs


def test_the_next_remedy_waits_from_the_latest_of_what_happened() -> None:
    done = attempt(seen=broker_order(Status.CANCELLED), sent=second(0))
    plain = course(done, uneven=second(10))
    assert acts_on(plain, alone=True) == second(10) + PATIENCE
    assert acts_on(replace(plain, over=second(60)), alone=True) == second(60)
    later = replace(plain, attempts=(replace(done, sent=second(90)),))
    assert acts_on(later, alone=True) == second(90)


def test_refusals_in_a_row_space_remedies_out() -> None:
    def spaced(refused: int) -> timedelta:
        first = attempt(seen=broker_order(Status.FILLED))
        row = [attempt(n + 2, Purpose.COMPLETE, outcome=Outcome.REJECTED) for n in range(refused)]
        return _spacing(course(first, *row))

    assert [spaced(n) / SPACED for n in range(5)] == [0, 0, 1, 3, 7]
    assert spaced(40) == MOST_SPACED


# ------------------------------------------------------------------------------ fees


def test_fees_are_paid_once_over_all_fills_of_an_order() -> None:
    # Two spreads at two prices: each a fill of its own, with half of $3.
    second_unit = [replace(one, price=one.price + 1) for one in both(1, "b", 2)]
    shown = broker_order(Status.FILLED, *both(1, "a"), *second_unit, fees=Decimal(3))
    filled = course(attempt(seen=shown))
    working = Working(order(units=2), second(0), Decimal(5))
    wholes = lookout._wholes(filled, working)
    fees = [fill.fees for fill in lookout._fills(filled, working, wholes)]
    assert sum(fees) == 3
    assert len(fees) == 2
    assert fees[0] == fees[1] == Decimal("1.5")


# ------------------------------------------------------------------------------ what others did


def test_what_ended_and_what_others_traded_is_no_stray_of_ours() -> None:
    by_hand = traded("", ("x", -2, "9.00"), ("y", 1, "4.00"), fees="3")
    found = movements([ended("T1", -3, "-300", "3")], [by_hand], ours=(), booked={})
    assert [one.is_stray for one in found] == [False, False]


def test_of_strays_the_newest_six_are_tried() -> None:
    # Each of another size, so that only one of them is a gap of that size.
    strays = [
        replace(moved(f"s{n}", str(2**n), is_stray=True), at=second(100 - n)) for n in range(STRAYS + 1)
    ]

    def explains(n: int) -> list[Movement]:
        return newest(strays, Decimal(2**n) - Decimal("0.3"), Decimal("0.3"))

    assert STRAYS == 6
    assert explains(5) == [strays[5]]
