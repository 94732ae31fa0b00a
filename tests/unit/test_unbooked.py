"""Cash that no book of ours explains: what transactions and orders of others brought, to the cent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tomking.domain.contract import parse_contract
from tomking.domain.structure import Leg
from tomking.execution.unbooked import Movement, is_ours, movements, newest, removals
from tomking.execution.wire import BrokerOrder, Execution, Kind, Status, Transaction

D = Decimal
NOW = datetime(2031, 3, 7, 20, tzinfo=UTC)
PUT, CALL = parse_contract("SPXW 2031-03-07 P5700"), parse_contract("SPXW 2031-03-07 C5800")


def ended(id_: str, quantity: int, dollars: str, fees: str = "0", minutes: int = 0) -> Transaction:
    at = NOW + timedelta(minutes=minutes)
    return Transaction(id_, Kind.EXPIRED, at, D(dollars), D(fees), PUT, quantity)


def money(id_: str, dollars: str, fees: str = "0", minutes: int = 0, reason: str = "") -> Transaction:
    at = NOW + timedelta(minutes=minutes)
    return Transaction(id_, Kind.MONEY, at, D(dollars), D(fees), reason=reason)


def traded(tag: str = "", *counts: tuple[str, int, str], fees: str = "0") -> BrokerOrder:
    executions = tuple(
        Execution(id_, PUT if count < 0 else CALL, count, D(price), NOW + timedelta(minutes=n))
        for n, (id_, count, price) in enumerate(counts)
    )
    return BrokerOrder("B7", tag, Status.FILLED, (Leg(PUT, -1), Leg(CALL, 1)), 2, D(1), executions, D(fees))


def test_only_what_the_order_desk_sent_is_ours() -> None:
    assert is_ours(traded("0badcafe-3-7-1"))
    assert not is_ours(traded("f1a77e40-22345-7-1"))
    assert not is_ours(traded("by hand"))
    assert not is_ours(traded(""))


def test_money_comes_after_its_fees_and_with_its_reason() -> None:
    (one, two) = movements(
        [money("T1", "100", "1.50", reason="wire"), money("T2", "-5")], [], ours=(), booked={}
    )
    assert (two.dollars, two.reason, two.is_money) == (D("98.50"), "wire (T1)", True)
    assert (one.dollars, one.reason, one.is_money) == (D(-5), "money moved (T2)", True)


def test_what_ended_and_no_position_holds_is_the_accounts_as_far_as_it_is_not_booked() -> None:
    (whole,) = movements([ended("T1", -3, "-300", "3")], [], ours=(), booked={})
    assert (whole.dollars, whole.is_money) == (D(-303), False)
    # Two of three were ours: the third is a third of the money.
    (third,) = movements([ended("T1", -3, "-300", "3")], [], ours=[PUT], booked={"T1": 2})
    assert third.dollars == D(-101)
    assert movements([ended("T1", -3, "-300", "3")], [], ours=[PUT], booked={}) == []
    assert movements([ended("T1", -3, "-300", "3")], [], ours=[PUT], booked={"T1": 3}) == []


def test_an_order_of_others_brought_what_it_sold_less_what_it_bought_and_its_fees() -> None:
    # Sells 2 puts at 9.00, buys 1 call at 4.00: (18 - 4) x $100 - $3.
    by_hand = traded("", ("x", -2, "9.00"), ("y", 1, "4.00"), fees="3")
    (whole,) = movements([], [by_hand], ours=(), booked={})
    assert (whole.dollars, whole.reason) == (D(1397), "order B7, not ours")
    assert whole.at == NOW + timedelta(minutes=1)
    # One of the puts closed what was ours: $900 and a third of the fees are not the account's.
    (rest,) = movements([], [by_hand], ours=(), booked={"x": 1})
    assert rest.dollars == D(900 - 400 - 2)
    (call,) = movements([], [by_hand], ours=(), booked={"x": 2})
    assert (call.dollars, call.at) == (D(-401), NOW + timedelta(minutes=1))
    assert movements([], [by_hand], ours=(), booked={"x": 2, "y": 1}) == []
    assert movements([], [replace(by_hand, tag="0badcafe-3-7-1")], ours=(), booked={}) == []


def test_what_others_traded_removes_contracts_with_its_money_and_its_share_of_the_fees() -> None:
    by_hand = traded("", ("x", -2, "9.00"), ("y", 1, "4.00"), fees="3")
    bought, sold = removals([ended("T1", 1, "0", minutes=-5), money("T2", "5")], [by_hand])[:2]
    # Newest first.  Buying one call removes one that was short.
    assert (bought.contract, bought.quantity, bought.dollars, bought.fees) == (CALL, -1, D(-400), D(1))
    assert (sold.contract, sold.quantity, sold.dollars, sold.fees) == (PUT, 2, D(1800), D(2))
    assert [one.id for one in removals([ended("T1", 1, "0", minutes=-5)], [by_hand])] == ["y", "x", "T1"]


def moved(id_: str, dollars: str, *, is_money: bool = False, is_stray: bool = False) -> Movement:
    return Movement(NOW, id_, D(dollars), id_, is_money=is_money, is_stray=is_stray)


def found(gap: str, *items: Movement, slack: str = "0") -> list[str]:
    return [one.id for one in newest(items, D(gap), D(slack))]


def test_the_newest_that_together_are_the_gap_explain_it_oldest_first() -> None:
    three, two, one = moved("3", "5"), moved("2", "7"), moved("1", "100")
    assert found("12", three, two, one) == ["2", "3"]
    assert found("5", three, two, one) == ["3"]
    assert found("7", three, two, one) == ["2"]  # the newer one may be booked already
    assert found("0", three, two, one) == []


@pytest.mark.parametrize(("gap", "told"), [("12.01", ["2", "3"]), ("12.02", []), ("0.01", [])])
def test_settlements_round_by_a_cent(gap: str, told: list[str]) -> None:
    assert found(gap, moved("3", "5"), moved("2", "7"), slack="0.01") == told


def test_money_explains_before_trades_and_strays_before_all_of_them() -> None:
    trade, deposit, stray = moved("t", "50"), moved("m", "50", is_money=True), moved("s", "20", is_stray=True)
    assert found("50", trade, deposit) == ["m"]
    assert found("70", stray, trade, deposit) == ["m", "s"]
    assert found("120", stray, trade, deposit) == ["m", "t", "s"]
    assert found("20", stray, trade) == ["s"]
    other = moved("u", "-30", is_stray=True)
    assert sorted(found("-10", stray, other, trade)) == ["s", "u"]


def test_three_movements_explain_cash_though_one_between_them_was_settled() -> None:
    """A dividend, a second one and a trade by hand, with an expiry of ours that is booked already."""
    items = [
        replace(moved("ended", "26610.40"), at=NOW + timedelta(minutes=9)),
        replace(moved("nothing", "0"), at=NOW + timedelta(minutes=9)),
        replace(moved("hand", "333.22"), at=NOW + timedelta(minutes=3)),
        replace(moved("second", "235", is_money=True), at=NOW + timedelta(minutes=2)),
        replace(moved("first", "124", is_money=True), at=NOW + timedelta(minutes=1)),
    ]
    assert found("692.22", *items) == ["first", "second", "hand"]
    assert found("692.21", *items) == []
