"""Fees where the broker shows none, and what it charged otherwise as money that moved."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_reconcile import account, compare, holding

from tomking.adapters.tastytrade.symbols import Directory
from tomking.adapters.tastytrade.words import broker_order, fee_differences
from tomking.domain.book import apply
from tomking.domain.fees import fees
from tomking.domain.structure import Structure
from tomking.execution.protocol.fills import assembled, fees_due
from tomking.execution.wire import BrokerOrder, Kind
from tomking.sim.venue import order_of

SPREAD = Structure.parse("spread", "-1 SPXW 2026-01-16 P5700 / +1 SPXW 2026-01-16 P5670")
SHORT, LONG = "SPXW  260116P05700000", "SPXW  260116P05670000"


def fill(id_: str, quantity: int, at: str = "15:30:00", price: str = "4.05") -> dict[str, Any]:
    when = f"2026-01-05T{at}.000+00:00"
    return {"fill-id": id_, "quantity": str(quantity), "fill-price": price, "filled-at": when}


def shown(short: list[dict[str, Any]], long: list[dict[str, Any]], units: int, effect: str = "Open") -> Any:
    def leg(symbol: str, side: str, fills: list[dict[str, Any]]) -> dict[str, Any]:
        return {"symbol": symbol, "action": f"{side} to {effect}", "quantity": units, "fills": fills}

    sides = ("Sell", "Buy") if effect == "Open" else ("Buy", "Sell")
    body = {
        "id": 1,
        "status": "Live",
        "price": "0",
        "legs": [leg(SHORT, sides[0], short), leg(LONG, sides[1], long)],
    }
    return broker_order(body, Directory())


def booked(orders: list[BrokerOrder], units: int) -> Decimal:
    """Fees of all fills that the desk makes of these showings, one after the other, as ``lookout`` does."""
    order = order_of("7", SPREAD.legs, units, Decimal(0), opens=True)
    ids: list[str] = []
    paid = Decimal(0)
    for one in orders:
        for whole in assembled(order, one.executions, ids):
            ids.append(whole.id)
            paid += max(Decimal(0), fees_due(one.fees, one.executions, ids) - paid)
    return paid


# ---------------------------------------------------------------------------------- by the schedule


def test_an_order_costs_what_the_schedule_says() -> None:
    # Two legs of 3: commission 6.00, clearing 0.60, exchange 3.90, ORF 0.1611, and 3 sold at 0.00279: 10.67.
    one = shown([fill("a", 3)], [fill("b", 3)], 3)
    assert one.fees == fees(SPREAD, 3, opens=True) == Decimal("10.67")


def test_closing_has_no_commission() -> None:
    one = shown([fill("a", 3)], [fill("b", 3)], 3, "Close")
    assert one.fees == fees(SPREAD.inverse(), 3, opens=False) == Decimal("4.67")


def test_an_order_without_fills_costs_nothing() -> None:
    assert shown([], [], 3).fees == 0


def test_what_fills_in_parts_is_rounded_part_by_part() -> None:
    first, then = fill("a", 1), fill("c", 2, "15:31:00")
    one = shown([first, then], [fill("b", 1), fill("d", 2, "15:31:00")], 3)
    assert one.fees == fees(SPREAD, 1, opens=True) + fees(SPREAD, 2, opens=True)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.booleans())
def test_the_desks_fills_carry_all_fees_however_an_order_is_shown(parts: list[int], legs_apart: bool) -> None:
    units = sum(parts)
    short = [fill(f"s{i}", n, f"15:{30 + i}:00") for i, n in enumerate(parts)]
    long = [fill(f"l{i}", n, f"15:{30 + i}:00") for i, n in enumerate(parts)]
    showings = []
    for i in range(1, len(parts) + 1):
        if legs_apart:
            showings.append(shown(short[:i], long[: i - 1], units))
        showings.append(shown(short[:i], long[:i], units))
    assert booked(showings, units) == sum(fees(SPREAD, n, opens=True) for n in parts)


# ---------------------------------------------------------------------------------- as charged


def trade(id_: int, symbol: str, action: str, quantity: int, **charged: str) -> dict[str, Any]:
    rows: dict[str, Any] = {
        "id": id_,
        "order-id": 1,
        "transaction-type": "Trade",
        "transaction-sub-type": action,
        "symbol": symbol,
        "action": action,
        "quantity": str(quantity),
        "executed-at": "2026-01-05T15:30:00.000+00:00",
    }
    for name, amount in charged.items():
        rows |= {name.replace("_", "-"): amount, f"{name.replace('_', '-')}-effect": "Debit"}
    return rows


def test_what_was_charged_as_scheduled_is_no_news() -> None:
    rows = [
        trade(1, SHORT, "Sell to Open", 3, commission="3.0", clearing_fees="2.34"),
        trade(2, LONG, "Buy to Open", 3, commission="3.0", clearing_fees="2.33"),
    ]
    assert fee_differences(rows, Directory()) == ()


def test_what_was_charged_otherwise_is_money_that_moved() -> None:
    rows = [
        trade(1, SHORT, "Sell to Open", 3, commission="3.0", regulatory_fees="2.50"),
        trade(2, LONG, "Buy to Open", 3, commission="3.0", regulatory_fees="2.33"),
    ]
    (one,) = fee_differences(rows, Directory())
    assert (one.kind, one.dollars, one.fees) == (Kind.MONEY, Decimal("-0.16"), Decimal(0))
    assert one.reason == "fees of order 1: 10.83 charged, 10.67 by the schedule"


def test_rows_without_fees_are_not_charged_yet() -> None:
    charged = trade(1, SHORT, "Sell to Open", 3, commission="3.0")
    assert fee_differences([charged, trade(2, LONG, "Buy to Open", 3)], Directory()) == ()


def test_reconciling_books_the_difference_once() -> None:
    # The account has sixteen cents less than the book; the transactions say why.
    book = holding(str(SPREAD))
    rows = [
        trade(1, SHORT, "Sell to Open", 3, commission="3.0", regulatory_fees="2.50"),
        trade(2, LONG, "Buy to Open", 3, commission="3.0", regulatory_fees="2.33"),
    ]
    told = fee_differences(rows, Directory())
    there = account(book, cash="-0.16", transactions=told)
    answer = compare(book, there)
    for event in answer.events:
        book = apply(book, event)
    assert book.cash == there.positions.cash
    again = compare(book, there)
    assert [one for one in again.events if type(one).__name__ == "CashMoved"] == []


@pytest.mark.parametrize("symbol", ["/VXX5"])
def test_a_contract_without_a_schedule_is_unknown_anyway(symbol: str) -> None:
    with pytest.raises(ValueError, match=symbol):
        Directory().contract(symbol)
