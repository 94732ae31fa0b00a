"""Shares of an index portfolio: the leg that makes a sold call a covered one."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import at

from tomking.domain import events as ev
from tomking.domain.book import apply, fold
from tomking.domain.contract import Share, parse_contract
from tomking.domain.fees import fees
from tomking.domain.intent import Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Structure

COVERED = Structure.parse("buy-write", "+1 SPX S / -1 SPX 2031-04-18 C5750")


@pytest.mark.parametrize("text", ["SPX S", "SPX S x1639.34/0.00305"])
def test_a_share_comes_back_from_its_text(text: str) -> None:
    share = parse_contract(text)
    assert isinstance(share, Share)
    assert str(share) == text


@pytest.mark.parametrize("text", ["SPX S x100", "NDX S", "SPX S 2031-03-07", "SPX s"])
def test_what_is_no_share_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="like 'SPX"):
        parse_contract(text)


def test_a_share_never_expires() -> None:
    assert parse_contract("SPX S").expiry == date.max


@given(settle=st.integers(0, 20_000).map(Decimal))
def test_a_covered_call_is_worth_the_lesser_of_index_and_strike(settle: Decimal) -> None:
    assert COVERED.payoff(settle) == min(settle, Decimal(5750))


def test_a_covered_call_can_lose_what_was_paid_for_it_and_no_more() -> None:
    # Bought at 5745, call sold at 110: 5635 points are gone when the index is worthless.
    assert COVERED.net([Decimal(5745), Decimal(110)]) == Decimal(-5635)
    assert COVERED.max_loss(Decimal(-5635)) == Decimal(5635)


def test_shares_sold_short_can_lose_without_end() -> None:
    assert Structure.parse("short", "-1 SPX S").max_loss(Decimal(5745)) is None


def test_there_is_no_fee_schedule_for_what_nobody_trades() -> None:
    with pytest.raises(AssertionError, match="nobody trades it"):
        fees(COVERED, 1, opens=True)


def test_a_dividend_is_cash_of_its_component_and_no_deposit() -> None:
    order = Order(
        id="1",
        strategy="bxm",
        position="1",
        parts=(Part("index", Structure.parse("index", "+1 SPX S")),),
        units=3,
        limit=Decimal(-5750),
        floor=None,
        opens=True,
        urgency=Urgency.ENTRY,
        reason="",
        trigger="roll",
    )
    filled = Fill("F", "1", at("11:00"), 3, (Decimal(5745),), Decimal(0))
    opened = fold(iter((ev.OrderSubmitted(at("11:00"), order), ev.OrderFilled(at("11:00"), filled))))
    opened = apply(opened, ev.Transitioned(at("11:00"), "1", State.BUILDING, State.ACTIVE, "roll"))
    # 0.32 points on 3 shares of $100 a point: $96.
    paid = apply(opened, ev.Paid(at("16:00"), "1", "index", Decimal(96), "dividends"))
    assert paid.cash - opened.cash == 96
    assert paid.positions["1"].components["index"].dollars == Decimal(-5745 * 300 + 96)
    assert (paid.deposits, paid.fees, paid.peak) == (opened.deposits, opened.fees, opened.peak)
