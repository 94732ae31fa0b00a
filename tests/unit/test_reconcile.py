"""Book against account: what differs, what resolves it, and that a second look finds nothing to do."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rel.recon import check, pair_of

from tomking.domain.book import Book, apply
from tomking.domain.contract import Contract, Option, Share, parse_contract
from tomking.domain.events import (
    CashMoved,
    Event,
    ForeignChanged,
    OrderCancelled,
    OrderFilled,
    OrderSubmitted,
    Paid,
    Reconciled,
    SessionBegan,
    Settled,
    Transitioned,
)
from tomking.domain.intent import Part, Target, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Leg, Structure
from tomking.domain.trading import Trading
from tomking.execution.comparing import Comparer
from tomking.execution.differences import Reconciliation, Shown, Sort, standing
from tomking.execution.protocol.account import Account
from tomking.execution.protocol.course import Attempt, Course, Purpose
from tomking.execution.reconcile import owned_by, reconcile, resolved
from tomking.execution.wire import BrokerOrder, Execution, Kind, Positions, Status, Transaction

THURSDAY = datetime(2031, 3, 6, 16, tzinfo=UTC)
NOW = datetime(2031, 3, 7, 14, tzinfo=UTC)
"""Friday morning in New York."""
P5700, P5670 = "SPXW 2031-03-07 P5700", "SPXW 2031-03-07 P5670"
SPREAD = f"-1 {P5700} / +1 {P5670}"
CALLS = "-1 SPY 2031-03-21 C570"
ZERO = Decimal(0)
TAG = "0badcafe-3-{}-1"


def c(text: str) -> Contract:
    return parse_contract(text)


def started(cash: int = 100_000) -> Book:
    book = apply(Book(), CashMoved(THURSDAY, Decimal(cash), "deposit"))
    return apply(book, SessionBegan(THURSDAY, date(2031, 3, 6)))


def order(book: Book, legs: str, units: int, *, opens: bool = True, position: str = "") -> Order:
    id_ = str(book.sequence)
    return Order(
        id_, "friday", position or id_, (Part("side", Structure.parse("x", legs)),), units, Decimal(1), None,
        opens=opens, urgency=Urgency.ENTRY if opens else Urgency.RULE, reason="r", trigger="t",
    )  # fmt: skip


def working(book: Book, legs: str, units: int = 1, *, opens: bool = True, position: str = "") -> Book:
    return apply(book, OrderSubmitted(THURSDAY, order(book, legs, units, opens=opens, position=position)))


def filled(book: Book, units: int, fees: str = "0", id_: str = "") -> Book:
    (one,) = book.orders.values()
    prices = tuple(Decimal(3 - n) for n, _ in enumerate(one.order.structure.legs))
    fill = Fill(id_ or f"X:{units}", one.order.id, THURSDAY, units, prices, Decimal(fees))
    return apply(book, OrderFilled(THURSDAY, fill))


def holding(*structures: str, units: int = 1, book: Book | None = None) -> Book:
    """A book that holds each of them; each fill brings 100 x (3 - 2) per spread, 300 per single."""
    book = book or started()
    for legs in structures:
        book = filled(working(book, legs, units), units, id_=f"X{book.sequence}:{units}")
    return book


def account(
    book: Book,
    *changes: tuple[str, int],
    cash: str = "0",
    transactions: Iterable[Transaction] = (),
    orders: Iterable[BrokerOrder] = (),
) -> Shown:
    """The account that agrees with the book, but for ``changes`` and so much more cash."""
    held = owned_by(book)
    for contract, quantity in book.foreign.items():
        held[contract] = held.get(contract, 0) + quantity
    for text, quantity in changes:
        held[c(text)] = held.get(c(text), 0) + quantity
    positions = Positions(tuple((k, n) for k, n in held.items() if n), book.cash + Decimal(cash))
    return Shown(positions, tuple(orders), tuple(transactions))


def compare(
    book: Book, shown: Shown, told: tuple[str, ...] = (), insist: tuple[Contract, ...] = ()
) -> Reconciliation:
    return reconcile(book, shown, NOW, instance="0badcafe", epoch=3, told=told, insist=insist)


def is_resolved(book: Book, shown: Shown) -> Book:
    """One pass, a second that does nothing; the book after."""
    answer = compare(book, shown)
    after = resolved(book, answer)
    again = compare(after, shown, standing(answer.differences))
    assert again.events == ()
    assert standing(again.differences) == standing(answer.differences)
    return after


def transaction(kind: Kind, contract: str, quantity: int, dollars: str = "0", **more: object) -> Transaction:
    plain = Transaction("T1", kind, NOW, Decimal(dollars), ZERO, c(contract), quantity)
    return replace(plain, **more)  # type: ignore[arg-type]


def sorts(answer: Reconciliation) -> list[Sort]:
    return [d.sort for d in answer.differences]


def broker_order(tag: str, status: Status = Status.LIVE, **more: object) -> BrokerOrder:
    legs = Structure.parse("x", SPREAD).legs
    plain = BrokerOrder("B1", tag, status, legs, 1, Decimal(1))
    return replace(plain, **more)  # type: ignore[arg-type]


def executions(*trades: tuple[str, str, int, str]) -> tuple[Execution, ...]:
    return tuple(Execution(id_, c(text), n, Decimal(price), NOW) for id_, text, n, price in trades)


# ------------------------------------------------------------------------------ agreement


def test_what_agrees_has_no_difference_no_event_and_permits_everything() -> None:
    book = holding(SPREAD)
    assert compare(book, account(book)) == Reconciliation()
    assert Reconciliation().state is Trading.ACTIVE
    assert Reconciliation().families == frozenset()


def test_agreeing_again_is_told_once() -> None:
    book = holding(SPREAD)
    assert compare(book, account(book), ("cash: ...",)).events == (Reconciled(NOW, ()),)


def test_two_positions_on_one_contract_are_compared_together() -> None:
    book = holding(SPREAD, f"+1 {P5700} / -1 {P5670}")
    assert owned_by(book) == {c(P5700): 0, c(P5670): 0}
    assert compare(book, account(book)) == Reconciliation()


@settings(max_examples=150)
@given(st.integers(20_000, 1_000_000))
def test_any_book_and_any_account_come_together_in_one_pass(seed: int) -> None:
    assert check(pair_of(seed)) is None


# ------------------------------------------------------------------------------ foreign


def test_what_no_position_holds_is_adopted_as_foreign_and_nothing_of_it_is_closed() -> None:
    book = holding(SPREAD)
    shown = account(book, ("SPY 2031-03-21 C570", 3))
    answer = compare(book, shown)
    assert answer.events == (ForeignChanged(NOW, c("SPY 2031-03-21 C570"), 3),)
    (difference,) = answer.differences
    assert difference.text == "SPY 2031-03-21 C570: +3 are in no position here"
    assert (difference.sort, difference.family, answer.cancel) == (Sort.FOREIGN, "SPX", ())
    assert answer.state is Trading.ACTIVE
    assert is_resolved(book, shown).foreign == {c("SPY 2031-03-21 C570"): 3}


def test_foreign_ones_that_went_are_forgotten() -> None:
    book = apply(holding(SPREAD), ForeignChanged(NOW, c("SPY S"), 2))
    answer = compare(book, account(book, ("SPY S", -2)))
    assert answer.events == (ForeignChanged(NOW, c("SPY S"), 0),)
    assert answer.differences[0].text == "SPY S: no more of them are in the account"
    assert is_resolved(book, account(book, ("SPY S", -2))).foreign == {}


def test_foreign_ones_beside_our_own_of_the_same_contract_are_no_loss() -> None:
    book = holding(CALLS, units=2)
    answer = compare(book, account(book, ("SPY 2031-03-21 C570", -1)))
    assert answer.events == (ForeignChanged(NOW, c("SPY 2031-03-21 C570"), -1),)
    assert sorts(answer) == [Sort.FOREIGN]


# ------------------------------------------------------------------------------ missing


def test_what_is_missing_without_a_word_stands_and_closes_its_underlying() -> None:
    book = holding(SPREAD, units=3)
    shown = account(book, (P5700, 2))
    answer = compare(book, shown)
    words = f"{P5700}: positions here hold -3, the account -1"
    assert answer.events == (ForeignChanged(NOW, c(P5700), 2), Reconciled(NOW, (words,)))
    assert sorts(answer) == [Sort.FOREIGN, Sort.MISSING]
    assert answer.families == {"SPX"}
    # Other underlyings go on: the state of the whole is not touched.
    assert answer.state is Trading.ACTIVE
    after = is_resolved(book, shown)
    # And it is over when the contracts are back.
    back = compare(after, account(book), (words,))
    assert back.events == (ForeignChanged(NOW, c(P5700), 0), Reconciled(NOW, ()))


# ------------------------------------------------------------------------------ what ended


def test_a_worthless_expiry_is_settled_for_the_position_that_held_it() -> None:
    book = holding(SPREAD, units=2)
    gone = [
        transaction(Kind.EXPIRED, P5700, -2, price=Decimal(5750)),
        transaction(Kind.EXPIRED, P5670, 2, price=Decimal(5750), id="T2"),
    ]
    shown = account(book, (P5700, 2), (P5670, -2), transactions=gone)
    answer = compare(book, shown)
    (event,) = answer.events
    assert isinstance(event, Settled)
    assert (event.dollars, event.fees, event.price) == (ZERO, ZERO, Decimal(5750))
    assert set(event.expired) == {c(P5700), c(P5670)}
    assert sorts(answer) == [Sort.SETTLED]
    assert answer.differences[0].text == (f"position 2 side: {P5670}, {P5700} ended at 5750: $0.00")
    assert is_resolved(book, shown).positions["2"].open_components == ()


def test_a_cash_settlement_books_dollars_and_fees_to_the_cent() -> None:
    book = holding(SPREAD, units=2)
    # Settles at 5690: the short one costs 10 points x 100 x 2 = 2,000 and two exercises at 5 dollars.
    gone = [
        transaction(Kind.EXPIRED, P5700, -2, "-2000.00", fees=Decimal(10), price=Decimal(5690)),
        transaction(Kind.EXPIRED, P5670, 2, price=Decimal(5690), id="T2"),
    ]
    shown = account(book, (P5700, 2), (P5670, -2), cash="-2010.00", transactions=gone)
    (event,) = compare(book, shown).events
    assert isinstance(event, Settled)
    assert (event.dollars, event.fees) == (Decimal(-2000), Decimal(10))
    assert is_resolved(book, shown).cash == book.cash - 2010


def test_an_assignment_overnight_leaves_the_shares_in_the_position() -> None:
    book = holding(CALLS, units=2)
    # Two calls at 570 are called: 2 lots are sold at 570 x 100 = 57,000 each.
    gone = transaction(
        Kind.ASSIGNED, "SPY 2031-03-21 C570", -2, "114000.00", fees=Decimal(10), price=Decimal(580),
        delivered=(c("SPY S"), -2),
    )  # fmt: skip
    shown = account(book, ("SPY 2031-03-21 C570", 2), ("SPY S", -2), cash="113990.00", transactions=[gone])
    (event,) = compare(book, shown).events
    assert isinstance(event, Settled)
    assert event.delivered == (Leg(c("SPY S"), -1),)
    after = is_resolved(book, shown)
    (left,) = after.positions["2"].open_components
    assert (str(left.structure), left.units, left.delivered) == ("-1 SPY S", 2, True)
    assert after.foreign == {}


def test_an_expired_contract_ends_for_owners_on_both_sides() -> None:
    book = holding("-1 SPXW 2031-03-07 P5700", units=3)
    book = holding("+1 SPXW 2031-03-07 P5700", book=book)
    gone = transaction(Kind.EXPIRED, P5700, -2, price=Decimal(5750))
    shown = account(book, (P5700, 2), transactions=[gone])
    answer = compare(book, shown)
    assert sorted(e.position for e in answer.events if isinstance(e, Settled)) == ["2", "4"]
    assert not any(isinstance(e, ForeignChanged) for e in answer.events)


def test_before_its_expiry_only_the_side_that_was_assigned_ends() -> None:
    book = holding(CALLS, units=3)
    book = holding("+1 SPY 2031-03-21 C570", book=book)
    gone = transaction(Kind.ASSIGNED, "SPY 2031-03-21 C570", -3, price=Decimal(580))
    answer = compare(book, account(book, ("SPY 2031-03-21 C570", 3), transactions=[gone]))
    assert [e.position for e in answer.events if isinstance(e, Settled)] == ["2"]


def test_the_oldest_owners_that_fit_are_assigned_first() -> None:
    book = holding(CALLS, units=2)
    book = holding(CALLS, units=1, book=book)
    gone = transaction(Kind.ASSIGNED, "SPY 2031-03-21 C570", -1, "0")
    answer = compare(book, account(book, ("SPY 2031-03-21 C570", 1), transactions=[gone]))
    # One contract: the older position holds two and cannot lose one of them; the younger one can.
    assert [e.position for e in answer.events if isinstance(e, Settled)] == ["4"]


def test_an_assignment_of_a_part_of_a_position_stands_as_missing_with_its_cash_booked() -> None:
    book = holding(CALLS, units=3)
    gone = transaction(
        Kind.ASSIGNED, "SPY 2031-03-21 C570", -1, "57000.00", fees=Decimal(5), delivered=(c("SPY S"), -1)
    )
    shown = account(book, ("SPY 2031-03-21 C570", 1), ("SPY S", -1), cash="56995.00", transactions=[gone])
    answer = compare(book, shown)
    after = is_resolved(book, shown)
    assert after.foreign == {c("SPY 2031-03-21 C570"): 1, c("SPY S"): -1}
    assert answer.families == {"SPX"}
    # The contract is a position's, so its end is not taken for somebody else's: the cash stands too.
    assert Sort.CASH in sorts(answer)
    assert answer.state is Trading.REDUCING


def test_a_transaction_that_removed_too_little_explains_nothing() -> None:
    book = holding(CALLS, units=2)
    gone = transaction(Kind.ASSIGNED, "SPY 2031-03-21 C570", -1)
    answer = compare(book, account(book, ("SPY 2031-03-21 C570", 2), transactions=[gone]))
    assert Sort.MISSING in sorts(answer)
    assert not any(isinstance(e, Settled) for e in answer.events)


def test_a_transaction_that_was_booked_already_is_not_booked_again() -> None:
    book = holding(CALLS, units=1)
    gone = transaction(Kind.ASSIGNED, "SPY 2031-03-21 C570", -1)
    assert compare(book, account(book, transactions=[gone])) == Reconciliation()


def test_an_order_on_what_ended_must_end_first_and_nothing_is_booked_meanwhile() -> None:
    book = holding(CALLS, units=1)
    book = apply(book, Transitioned(NOW, "2", State.BUILDING, State.ACTIVE, "t"))
    book = working(book, "+1 SPY 2031-03-21 C570", opens=False, position="2")
    gone = transaction(
        Kind.ASSIGNED, "SPY 2031-03-21 C570", -1, "57000", price=Decimal(580), delivered=(c("SPY S"), -1)
    )
    shown = account(book, ("SPY 2031-03-21 C570", 1), ("SPY S", -1), cash="57000", transactions=[gone])
    answer = compare(book, shown)
    closing = next(iter(book.orders))
    assert answer.end_first == (closing,)
    assert [e for e in answer.events if not isinstance(e, Reconciled)] == []
    assert answer.families == {"SPX"}
    assert answer.differences[0].text == (
        f"position 2 side: SPY 2031-03-21 C570 ended while order {closing} works"
    )
    # Once it has ended, the next pass books it.
    after = is_resolved(apply(book, OrderCancelled(NOW, closing)), shown)
    assert str(after.positions["2"].open_components[0].structure) == "-1 SPY S"


def test_what_was_traded_by_hand_while_an_order_works_on_it_moves_cash_once() -> None:
    book = apply(holding(CALLS), Transitioned(NOW, "2", State.BUILDING, State.ACTIVE, "t"))
    book = working(book, "+1 SPY 2031-03-21 C570", opens=False, position="2")
    closing = next(iter(book.orders))
    # Bought back at 1.00 by the owner, 1.78 of fees.
    by_hand = BrokerOrder(
        "V9", "", Status.FILLED, (Leg(c("SPY 2031-03-21 C570"), 1),), 1, Decimal(1),
        executions(("E9", "SPY 2031-03-21 C570", 1, "1")), Decimal("1.78"),
    )  # fmt: skip
    shown = account(book, ("SPY 2031-03-21 C570", 1), cash="-101.78", orders=[by_hand])
    answer = compare(book, shown)
    assert [e for e in answer.events if not isinstance(e, Reconciled)] == []
    assert sorts(answer) == [Sort.BUSY]
    after = is_resolved(apply(book, OrderCancelled(NOW, closing)), shown)
    assert after.cash == book.cash - Decimal("101.78")
    assert "2" not in after.positions or not after.positions["2"].open_components


def test_without_a_delivery_only_the_contract_itself_waits() -> None:
    book = apply(holding(CALLS), Transitioned(NOW, "2", State.BUILDING, State.ACTIVE, "t"))
    book = working(book, "+1 SPY 2031-03-21 C570", opens=False, position="2")
    gone = transaction(Kind.EXPIRED, "SPY 2031-03-21 C570", -1)
    shown = account(book, ("SPY 2031-03-21 C570", 1), ("SPY S", 4), transactions=[gone])
    answer = compare(book, shown)
    assert [e for e in answer.events if isinstance(e, ForeignChanged)] == [ForeignChanged(NOW, c("SPY S"), 4)]


def test_a_resting_target_is_in_the_way_too() -> None:
    book = apply(holding(CALLS), Transitioned(NOW, "2", State.BUILDING, State.ACTIVE, "t"))
    plain = order(book, "+1 SPY 2031-03-21 C570", 1, opens=False, position="2")
    rests = replace(plain, urgency=Urgency.TARGET, targets=(Target(("side",), Decimal("0.5")),))
    book = apply(book, OrderSubmitted(THURSDAY, rests))
    gone = transaction(Kind.EXPIRED, "SPY 2031-03-21 C570", -1)
    shown = account(book, ("SPY 2031-03-21 C570", 1), transactions=[gone])
    assert compare(book, shown).end_first == (rests.id,)


def test_what_was_flattened_from_outside_is_booked_at_the_prices_it_traded_for() -> None:
    book = holding(SPREAD, units=2)
    # Bought back at 4.00 and sold at 1.50: 2 x (1.50 - 4.00) x 100 = -500, and 4.12 of fees.
    closed = broker_order(
        "f1a77e40-22000-7-1", Status.FILLED, fees=Decimal("4.12"),
        executions=executions(("X1", P5700, 2, "4.00"), ("X2", P5670, -2, "1.50")),
    )  # fmt: skip
    shown = account(book, (P5700, 2), (P5670, -2), cash="-504.12", orders=[closed])
    (event,) = compare(book, shown).events
    assert isinstance(event, Settled)
    assert (event.dollars, event.fees) == (Decimal(-500), Decimal("4.12"))
    assert is_resolved(book, shown).cash == book.cash - Decimal("504.12")


def test_cents_that_settling_by_position_rounds_are_booked_as_that() -> None:
    book = holding(CALLS)
    book = holding(CALLS, book=book)
    # 3.13 of fees for two contracts: 1.565 each is rounded to 1.56 for both positions, half-even.
    closed = broker_order(
        "", Status.FILLED, fees=Decimal("3.13"),
        executions=executions(("X1", "SPY 2031-03-21 C570", 2, "1.00")),
    )  # fmt: skip
    shown = account(book, ("SPY 2031-03-21 C570", 2), cash="-203.13", orders=[closed])
    *settled, rounded = compare(book, shown).events
    assert [e.fees for e in settled if isinstance(e, Settled)] == [Decimal("1.56")] * 2
    assert rounded == CashMoved(NOW, Decimal("-0.01"), "cents that settling by position rounded")
    assert is_resolved(book, shown).cash == book.cash - Decimal("203.13")


# ------------------------------------------------------------------------------ orders


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("0badcafe-4-1-1", "of trading lease 4, ours is 3"),
        ("0badcafe-3-900-1", "the book has 4 events and has never made it"),
        ("0badcafe-3-4-1", "the book has 4 events"),
    ],
)
def test_a_tag_that_this_book_cannot_have_made_halts_everything(tag: str, why: str) -> None:
    book = holding(SPREAD)
    shown = account(book, (P5700, 1), cash="5", orders=[broker_order(tag, Status.CANCELLED)])
    answer = compare(book, shown)
    assert answer.state is Trading.HALTED
    assert (answer.cancel, answer.end_first, answer.families) == ((), (), frozenset())
    (event,) = answer.events
    assert isinstance(event, Reconciled)
    assert why in event.differences[0]
    assert "this book is out of date" in event.differences[0]
    assert compare(book, shown, event.differences).events == ()


def test_an_attempt_that_the_book_never_made_is_as_bad() -> None:
    book = working(started(), SPREAD)
    assert compare(book, account(book, orders=[broker_order("0badcafe-3-2-1")])) == Reconciliation()
    answer = compare(book, account(book, orders=[broker_order("0badcafe-3-2-2")]))
    assert answer.state is Trading.HALTED
    assert "the book knows of attempt 1" in answer.differences[0].text


def test_other_peoples_tags_are_no_proof_of_anything() -> None:
    book = holding(SPREAD)
    others = [broker_order(t) for t in ("", "hello", "deadbeef-9-900-1", "f1a77e40-22000-900-1")]
    assert compare(book, account(book, orders=others)) == Reconciliation()


def test_an_order_of_ours_that_has_ended_here_and_works_there_is_cancelled() -> None:
    book = holding(SPREAD)
    answer = compare(book, account(book, orders=[broker_order(TAG.format(2))]))
    assert answer.cancel == ("B1",)
    assert sorts(answer) == [Sort.FORGOTTEN]
    assert answer.state is Trading.REDUCING
    assert answer.differences[0].text == (
        "order B1 (0badcafe-3-2-1) works at the broker and has ended here: cancelled"
    )
    assert compare(book, account(book, orders=[broker_order(TAG.format(2), Status.CANCELLED)])).cancel == ()


def test_a_working_order_that_is_not_ours_is_left_alone() -> None:
    book = holding(SPREAD)
    assert compare(book, account(book, orders=[broker_order("")])).cancel == ()


# ------------------------------------------------------------------------------ under way


def test_fills_that_the_book_has_not_booked_yet_are_no_difference() -> None:
    book = working(started(), SPREAD, units=2)
    # One unit at 3.00 and 2.00: +300 - 200 = +100, less 2.06 of fees.
    told = broker_order(
        TAG.format(2), fees=Decimal("2.06"),
        executions=executions(("X1", P5700, -1, "3.00"), ("X2", P5670, 1, "2.00")),
    )  # fmt: skip
    shown = account(book, (P5700, -1), (P5670, 1), cash="97.94", orders=[told])
    assert compare(book, shown) == Reconciliation()


def test_of_a_fill_that_is_booked_in_part_only_the_rest_is_under_way() -> None:
    book = filled(working(started(), SPREAD, units=3), 1, fees="1.03", id_="X1:1|X2:1")
    told = broker_order(
        TAG.format(2), fees=Decimal("3.09"),
        executions=executions(("X1", P5700, -3, "3.00"), ("X2", P5670, 3, "2.00")),
    )  # fmt: skip
    # Two units are not booked: 2 x 100 less 2.06 of fees.
    shown = account(book, (P5700, -2), (P5670, 2), cash="197.94", orders=[told])
    assert compare(book, shown) == Reconciliation()


def test_the_fees_of_several_attempts_are_those_of_one_order() -> None:
    book = filled(working(started(), SPREAD, units=2), 1, fees="1.03", id_="X1:1|X2:1")
    first = broker_order(
        TAG.format(2), Status.CANCELLED, fees=Decimal("1.03"),
        executions=executions(("X1", P5700, -1, "3.00"), ("X2", P5670, 1, "2.00")),
    )  # fmt: skip
    second = replace(first, id="B2", executions=(), fees=ZERO)
    assert compare(book, account(book, orders=[first, second])) == Reconciliation()


def test_what_an_order_under_way_may_have_done_is_doubtful_until_it_is_insisted_upon() -> None:
    book = working(started(), SPREAD)
    shown = account(book, (P5700, -1), (P5670, 1))
    answer = compare(book, shown)
    assert sorts(answer) == [Sort.DOUBTFUL, Sort.DOUBTFUL]
    assert (answer.events, answer.families, answer.state) == ((), frozenset(), Trading.ACTIVE)
    assert f"{P5670}: the account has +1 more than the book, and an order works on it" in (
        d.text for d in answer.differences
    )
    insisted = compare(book, shown, insist=(c(P5700), c(P5670)))
    assert [e for e in insisted.events if isinstance(e, ForeignChanged)] == [
        ForeignChanged(NOW, c(P5670), 1),
        ForeignChanged(NOW, c(P5700), -1),
    ]


def test_an_order_is_no_excuse_for_what_goes_the_other_way() -> None:
    book = working(started(), SPREAD)
    answer = compare(book, account(book, (P5700, 1)))
    assert answer.events == (ForeignChanged(NOW, c(P5700), 1),)


# ------------------------------------------------------------------------------ cash


def money(id_: str, dollars: str, minute: int, contract: str | None = None, reason: str = "") -> Transaction:
    at = NOW + timedelta(minutes=minute)
    return Transaction(
        id_, Kind.MONEY, at, Decimal(dollars), ZERO, c(contract) if contract else None, reason=reason
    )


def test_a_deposit_is_booked_with_the_brokers_words_and_id() -> None:
    book = holding(SPREAD)
    shown = account(book, cash="1000.00", transactions=[money("T7", "1000", 0, reason="ACH deposit")])
    answer = compare(book, shown)
    assert answer.events == (CashMoved(NOW, Decimal(1000), "ACH deposit (T7)"),)
    assert sorts(answer) == [Sort.MONEY]
    assert answer.differences[0].text == "$+1,000.00: ACH deposit (T7)"
    assert is_resolved(book, shown).deposits == Decimal(101_000)


def test_only_the_newest_movements_are_booked_the_others_were() -> None:
    book = holding(SPREAD)
    told = [money("T2", "20", 2), money("T1", "10", 1), money("T3", "30", 3)]
    answer = compare(book, account(book, cash="50", transactions=told))
    assert [(e.dollars, e.reason) for e in answer.events if isinstance(e, CashMoved)] == [
        (Decimal(20), "money moved (T2)"),
        (Decimal(30), "money moved (T3)"),
    ]


def test_a_dividend_goes_to_the_positions_that_hold_the_shares() -> None:
    book = holding("+2 SPY S")
    book = holding("+1 SPY S", book=book)
    # 100.01 for three lots: 66.67 for two, and what is left, 33.34, for the last.
    shown = account(book, cash="100.01", transactions=[money("T1", "100.01", 0, "SPY S", "dividend")])
    answer = compare(book, shown)
    assert answer.events == (
        Paid(NOW, "2", "side", Decimal("66.67"), "dividend (T1)"),
        Paid(NOW, "4", "side", Decimal("33.34"), "dividend (T1)"),
    )
    assert is_resolved(book, shown).cash == book.cash + Decimal("100.01")


def test_a_dividend_on_what_nobody_here_holds_long_is_the_accounts() -> None:
    book = holding("-1 SPY S")
    shown = account(book, cash="-50", transactions=[money("T1", "-50", 0, "SPY S", "dividend")])
    assert compare(book, shown).events == (CashMoved(NOW, Decimal(-50), "dividend (T1)"),)


def test_what_others_traded_explains_the_cash_it_cost() -> None:
    book = holding(SPREAD)
    # 2 x 1.25 x 100 = 250, and 2.30 of fees.
    hand = broker_order(
        "", Status.FILLED, fees=Decimal("2.30"),
        executions=executions(("X9", "SPY 2031-03-21 C570", 2, "1.25")),
    )  # fmt: skip
    shown = account(book, ("SPY 2031-03-21 C570", 2), cash="-252.30", orders=[hand])
    answer = compare(book, shown)
    assert CashMoved(NOW, Decimal("-252.30"), "order B1, not ours") in answer.events
    assert is_resolved(book, shown).cash == book.cash - Decimal("252.30")


def test_the_end_of_a_foreign_contract_is_the_accounts_cash() -> None:
    book = apply(holding(SPREAD), ForeignChanged(NOW, c("SPY 2031-03-06 C570"), -1))
    gone = transaction(Kind.EXPIRED, "SPY 2031-03-06 C570", -1, "-300", fees=Decimal(5))
    shown = account(book, ("SPY 2031-03-06 C570", 1), cash="-305", transactions=[gone])
    answer = compare(book, shown)
    assert (
        CashMoved(NOW, Decimal(-305), "SPY 2031-03-06 C570 expired, in no position here (T1)")
        in answer.events
    )
    assert is_resolved(book, shown).foreign == {}


def test_a_trade_that_closed_ours_and_opened_more_is_split_between_both() -> None:
    book = holding(CALLS)
    # Three bought at 2.00, one of them ours: -200 and 1.00 of fees for it, -402.00 for the rest.
    hand = broker_order(
        "", Status.FILLED, fees=Decimal(3),
        executions=executions(("X9", "SPY 2031-03-21 C570", 3, "2.00")),
    )  # fmt: skip
    shown = account(book, ("SPY 2031-03-21 C570", 3), cash="-603", orders=[hand])
    answer = compare(book, shown)
    (settled,) = [e for e in answer.events if isinstance(e, Settled)]
    assert (settled.dollars, settled.fees) == (Decimal(-200), Decimal(1))
    assert CashMoved(NOW, Decimal(-402), "order B1, not ours") in answer.events
    assert is_resolved(book, shown).foreign == {c("SPY 2031-03-21 C570"): 2}


def test_of_several_trades_the_newest_closed_ours_at_their_own_prices() -> None:
    book = holding(CALLS, units=2)
    trades = (
        Execution("X1", c("SPY 2031-03-21 C570"), 1, Decimal("9.00"), NOW),
        Execution("X2", c("SPY 2031-03-21 C570"), 1, Decimal("1.00"), NOW + timedelta(minutes=1)),
        Execution("X3", c("SPY 2031-03-21 C570"), 1, Decimal("2.00"), NOW + timedelta(minutes=2)),
    )
    hand = broker_order("", Status.FILLED, executions=trades)
    shown = account(book, ("SPY 2031-03-21 C570", 3), cash="-1200", orders=[hand])
    (settled,) = [e for e in compare(book, shown).events if isinstance(e, Settled)]
    assert settled.dollars == Decimal(-300)
    assert is_resolved(book, shown).cash == book.cash - 1200


def test_cash_that_nothing_explains_stands_and_is_not_booked() -> None:
    book = holding(SPREAD)
    shown = account(book, cash="-0.01", transactions=[money("T1", "5", 0)])
    answer = compare(book, shown)
    words = "cash: the account has $-0.01 more than the book, unexplained"
    assert answer.events == (Reconciled(NOW, (words,)),)
    assert answer.state is Trading.REDUCING
    assert is_resolved(book, shown).cash == book.cash


def test_without_a_settlement_no_cent_is_called_rounding() -> None:
    book = holding(SPREAD)
    assert sorts(compare(book, account(book, cash="0.01"))) == [Sort.CASH]


# ------------------------------------------------------------------------------ looked at twice


def look(book: Book, shown: Shown, courses: dict[str, Course] | None = None) -> Account:
    return Account(book, shown.positions, NOW, shown.orders, NOW, shown.transactions, courses or {})


def told(events: Iterable[Event]) -> list[str]:
    return [type(e).__name__ for e in events]


def test_a_difference_is_believed_at_the_second_look() -> None:
    book = holding(SPREAD)
    comparer = Comparer("0badcafe", 3)
    seen = look(book, account(book, ("SPY S", 1)))
    assert comparer(seen, NOW) == ()
    assert comparer.unsure
    events = comparer(seen, NOW + timedelta(seconds=2))
    assert events == (ForeignChanged(NOW + timedelta(seconds=2), c("SPY S"), 1),)
    assert not comparer.unsure


def test_a_difference_that_was_a_fill_between_two_reads_is_never_told() -> None:
    book = holding(SPREAD)
    comparer = Comparer("0badcafe", 3)
    assert comparer(look(book, account(book, ("SPY S", 1))), NOW) == ()
    assert comparer(look(book, account(book)), NOW) == ()
    assert comparer(look(book, account(book)), NOW) == ()
    assert not comparer.unsure


def test_what_stands_is_told_once_and_holds_entries_until_it_is_gone() -> None:
    book = holding(SPREAD)
    comparer = Comparer("0badcafe", 3)
    wrong, right = look(book, account(book, cash="7")), look(book, account(book))
    assert comparer.hold() is None
    assert [told(comparer(wrong, NOW)) for _ in range(4)] == [[], ["Reconciled"], [], []]
    assert comparer.hold() == (
        "REDUCING: book and broker differ: cash: the account has $+7.00 more than the book, unexplained"
    )
    assert [told(comparer(right, NOW)) for _ in range(3)] == [[], ["Reconciled"], []]
    assert comparer.hold() is None


def test_an_old_book_is_told_at_the_first_look() -> None:
    book = holding(SPREAD)
    comparer = Comparer("0badcafe", 3)
    seen = look(book, account(book, orders=[broker_order("0badcafe-9-1-1")]))
    assert told(comparer(seen, NOW)) == ["Reconciled"]
    assert comparer(seen, NOW) == ()
    assert (comparer.hold() or "").startswith("HALTED: ")


def test_what_the_stream_showed_of_an_order_counts_beside_the_last_search() -> None:
    book = working(started(), SPREAD)
    done = broker_order(
        TAG.format(2), executions=executions(("X1", P5700, -1, "3.00"), ("X2", P5670, 1, "2.00"))
    )
    (one,) = book.orders.values()
    legs = one.order.structure.legs
    attempts = (
        Attempt(1, Purpose.WORK, legs, 1, Decimal(1), NOW, seen=done),
        Attempt(2, Purpose.REPLACE, legs, 1, Decimal(1), NOW),
    )
    courses = {"2": Course(one.order, NOW, Decimal(1), attempts=attempts)}
    shown = account(book, (P5700, -1), (P5670, 1), cash="100", orders=[broker_order(TAG.format(2))])
    comparer = Comparer("0badcafe", 3)
    comparer(look(book, shown, courses), NOW)
    assert comparer.answer == Reconciliation()


def test_the_orders_that_must_end_first_are_those_of_the_last_look() -> None:
    book = apply(holding(CALLS), Transitioned(NOW, "2", State.BUILDING, State.ACTIVE, "t"))
    book = working(book, "+1 SPY 2031-03-21 C570", opens=False, position="2")
    gone = transaction(Kind.EXPIRED, "SPY 2031-03-21 C570", -1)
    comparer = Comparer("0badcafe", 3)
    comparer(look(book, account(book, ("SPY 2031-03-21 C570", 1), transactions=[gone])), NOW)
    assert comparer.end_first == tuple(book.orders)


def test_without_positions_nothing_is_compared() -> None:
    comparer = Comparer("0badcafe", 3)
    assert comparer(replace(look(Book(), account(Book())), positions=None), NOW) == ()


def test_the_contracts_of_these_tests_are_what_they_are_taken_for() -> None:
    assert isinstance(c(P5700), Option)
    assert isinstance(c("SPY S"), Share)


def test_odd_legs_of_an_order_that_ended_are_not_foreign_while_they_are_traded_back() -> None:
    book = working(started(), SPREAD)
    (id_,) = book.orders
    ended = apply(book, OrderCancelled(NOW, id_))
    tag = TAG.format(id_)
    # 3.00 x 100 for one sold, less a dollar of fees.
    torn = broker_order(tag, Status.CANCELLED, executions=executions(("E1", P5700, -1, "3")), fees=Decimal(1))
    assert compare(ended, account(ended, (P5700, -1), cash="299", orders=[torn])).events == ()
    back = broker_order(
        TAG.format(id_)[:-1] + "2", Status.FILLED, executions=executions(("E2", P5700, 1, "3.10")), id="B2"
    )
    assert compare(ended, account(ended, orders=[torn, back])).events == ()


def test_odd_legs_that_are_left_are_the_accounts_with_what_they_cost() -> None:
    book = working(started(), SPREAD)
    (id_,) = book.orders
    ended = apply(book, OrderCancelled(NOW, id_))
    torn = broker_order(
        TAG.format(id_), Status.CANCELLED, executions=executions(("E1", P5700, -1, "3")), fees=Decimal(1)
    )
    interest = Transaction("T7", Kind.MONEY, NOW, Decimal(5), ZERO, reason="interest")
    shown = account(ended, (P5700, -1), cash="304", orders=[torn], transactions=[interest])
    answer = reconcile(ended, shown, NOW, instance="0badcafe", epoch=3, left={id_})
    assert answer.events == (
        ForeignChanged(NOW, c(P5700), -1),
        CashMoved(NOW, Decimal(5), "interest (T7)"),
        CashMoved(NOW, Decimal(299), f"order {id_}, in no position here"),
    )
    after = resolved(ended, answer)
    assert reconcile(after, shown, NOW, instance="0badcafe", epoch=3, left={id_}).events == ()


def test_foreign_ones_of_a_contract_of_ours_are_paid_for_what_they_were_worth() -> None:
    book = apply(holding(SPREAD), ForeignChanged(NOW, c(P5700), 1))
    # Both ended: ours were settled, -2.00 for the one sold and 2.50 of fees; of the account's none was left.
    book = apply(
        book, Settled(NOW, "2", "side", (c(P5700), c(P5670)), Decimal(5698), Decimal(-200), ZERO, ())
    )
    gone = transaction(Kind.EXPIRED, P5700, -1, "-200", fees=Decimal(5))
    net = account(book, (P5700, -1), cash="200", transactions=[replace(gone, quantity=-1)])
    answer = compare(book, net)
    assert answer.events == (
        ForeignChanged(NOW, c(P5700), 0),
        CashMoved(NOW, Decimal(200), f"+1 {P5700} ended, in no position here"),
    )


def test_a_trade_by_hand_explains_cash_though_something_newer_was_settled_since() -> None:
    book = started()
    settled = transaction(Kind.EXPIRED, P5700, -1, "-200", fees=Decimal(5))
    by_hand = broker_order(
        "", Status.FILLED, executions=executions(("E9", P5670, -2, "1")), fees=Decimal("3.56"), id="V8"
    )
    by_hand = replace(
        by_hand, executions=tuple(replace(x, at=NOW - timedelta(minutes=9)) for x in by_hand.executions)
    )
    shown = account(book, (P5670, -2), cash="196.44", orders=[by_hand], transactions=[settled])
    after = is_resolved(book, shown)
    assert after.cash == book.cash + Decimal("196.44")


def test_whole_units_of_an_order_that_ended_and_that_nobody_books_are_foreign() -> None:
    book = working(started(), SPREAD)
    (id_,) = book.orders
    ended = apply(book, OrderCancelled(NOW, id_))
    whole = executions(("E1", P5700, -1, "3"), ("E2", P5670, 1, "2"))
    shown = broker_order(TAG.format(id_), Status.CANCELLED, executions=whole)
    told = compare(ended, account(ended, (P5700, -1), (P5670, 1), orders=[shown]))
    assert [type(event) for event in told.events] == [ForeignChanged, ForeignChanged]


def test_an_order_under_way_excuses_what_is_missing_for_half_a_minute_only() -> None:
    book = apply(holding(SPREAD), Transitioned(NOW, "2", State.BUILDING, State.ACTIVE, "t"))
    book = working(book, f"+1 {P5700} / -1 {P5670}", opens=False, position="2")
    comparer = Comparer("0badcafe", 3)
    gone = account(book, (P5700, 1))

    def news_at(seconds: int) -> list[str]:
        now = NOW + timedelta(seconds=seconds)
        return told(comparer(replace(look(book, gone), asked=now), now))

    assert [news_at(n) for n in (0, 15, 29)] == [[], [], []]
    assert comparer.answer.doubtful == (c(P5700),)
    assert [news_at(n) for n in (31, 35)] == [[], ["ForeignChanged", "Reconciled"]]


# ------------------------------------------------------------------------------ what ended beside positions

EVENING = datetime(2031, 3, 7, 22, tzinfo=UTC)


def settled_at_5600(book: Book) -> Book:
    """The spread that position 2 sold: P5700 ends 100.00 in the money, P5670 70.00."""
    return apply(
        book, Settled(EVENING, "2", "side", (c(P5700), c(P5670)), Decimal(5600), Decimal(-3000), ZERO, ())
    )


def test_odd_legs_that_offset_a_position_end_with_it_though_the_account_held_nothing() -> None:
    # A close has bought back the short leg only, for 99.00 and a dollar.  The account held one P5670 at the
    # close, and was paid 70.00 for it: what P5700 was worth is seen from its price.
    book = working(holding(SPREAD), f"+1 {P5700} / -1 {P5670}", opens=False, position="2")
    (id_,) = book.orders
    book = settled_at_5600(book)
    torn = broker_order(
        TAG.format(id_), Status.CANCELLED, executions=executions(("E1", P5700, 1, "99")), fees=Decimal(1)
    )
    gone = transaction(Kind.EXPIRED, P5670, 1, "7000", price=Decimal(5600))
    # Cash of the account: -9,900 - 1 bought, +7,000 settled; of the book: -3,000.
    shown = account(book, cash="99", orders=[torn], transactions=[gone])
    first = reconcile(book, shown, EVENING, instance="0badcafe", epoch=3)
    assert (first.events, first.state) == ((), Trading.ACTIVE)

    ended = apply(book, OrderCancelled(EVENING, id_))
    left = reconcile(ended, shown, EVENING, instance="0badcafe", epoch=3, left={id_})
    # +10,000.00 for its end, -9,901.00 for buying it.
    assert left.events == (CashMoved(EVENING, Decimal(99), f"order {id_}, in no position here"),)
    after = resolved(ended, left)
    assert reconcile(after, shown, EVENING, instance="0badcafe", epoch=3, left={id_}).events == ()


def test_odd_legs_on_the_side_of_a_position_end_with_their_own_fees() -> None:
    # An opening of a second spread has bought its long leg only, for 50.00.
    book = working(holding(SPREAD), SPREAD)
    (id_,) = book.orders
    book = settled_at_5600(book)
    torn = broker_order(TAG.format(id_), Status.CANCELLED, executions=executions(("E1", P5670, 1, "50")))
    gone = [
        transaction(Kind.EXPIRED, P5700, -1, "-10000", price=Decimal(5600), id="T1"),
        transaction(Kind.EXPIRED, P5670, 2, "14000", price=Decimal(5600), fees=Decimal(10), id="T2"),
    ]
    # The odd one: -5,000 bought, +7,000 at its end, half of the fees for both.
    shown = account(book, cash="1995", orders=[torn], transactions=gone)
    assert reconcile(book, shown, EVENING, instance="0badcafe", epoch=3).events == ()


def test_odd_legs_that_somebody_traded_away_do_not_end_a_second_time() -> None:
    book = working(started(), SPREAD)
    (id_,) = book.orders
    # Bought for 50.00, and sold again by hand for 60.00, which is booked.
    book = apply(apply(book, ForeignChanged(NOW, c(P5670), -1)), CashMoved(NOW, Decimal(6000), "by hand"))
    torn = broker_order(TAG.format(id_), Status.CANCELLED, executions=executions(("E1", P5670, 1, "50")))
    other = transaction(Kind.EXPIRED, P5700, -1, "-10000", price=Decimal(5600))
    shown = account(book, (P5670, 1), cash="-5000", orders=[torn], transactions=[other])
    assert reconcile(book, shown, EVENING, instance="0badcafe", epoch=3).events == ()


def test_what_others_sold_of_ours_and_nobody_saw_before_it_ended_is_paid_for_with_its_end() -> None:
    # Of the long leg of two spreads one was sold by hand for 80.00 while nobody looked: the account was paid
    # 70.00 for one, the book for two.  80.00 - 70.00, less 1.25 for the trade.
    book = apply(
        holding(SPREAD, units=2),
        Settled(EVENING, "2", "side", (c(P5700), c(P5670)), Decimal(5600), Decimal(-6000), Decimal(5), ()),
    )
    hand = broker_order(
        "", Status.FILLED, executions=executions(("E1", P5670, -1, "80")), fees=Decimal("1.25")
    )
    gone = transaction(Kind.EXPIRED, P5670, 1, "7000", price=Decimal(5600), fees=Decimal(5))
    shown = account(book, cash="998.75", orders=[hand], transactions=[gone])
    answer = reconcile(book, shown, EVENING, instance="0badcafe", epoch=3)
    assert answer.events == (CashMoved(EVENING, Decimal("998.75"), "order B1, not ours, and its end"),)
    assert reconcile(resolved(book, answer), shown, EVENING, instance="0badcafe", epoch=3).events == ()


def test_odd_legs_that_somebody_bought_back_are_left_without_an_end_of_their_own() -> None:
    # Sold for 50.00 beside nothing, and bought back by hand for 40.00, which is booked.  The day is over.
    book = working(started(), SPREAD)
    (id_,) = book.orders
    book = apply(apply(book, ForeignChanged(NOW, c(P5700), 1)), CashMoved(NOW, Decimal(-4000), "by hand"))
    ended = apply(book, OrderCancelled(NOW, id_))
    torn = broker_order(TAG.format(id_), Status.CANCELLED, executions=executions(("E1", P5700, -1, "50")))
    other = transaction(Kind.EXPIRED, P5670, 1, "7000", price=Decimal(5600))
    shown = account(ended, (P5700, -1), cash="5000", orders=[torn], transactions=[other])
    answer = reconcile(ended, shown, EVENING, instance="0badcafe", epoch=3, left={id_})
    assert answer.events == (
        ForeignChanged(EVENING, c(P5700), 0),
        CashMoved(EVENING, Decimal(5000), f"order {id_}, in no position here"),
    )


def test_odd_legs_that_became_shares_are_seen_in_the_positions() -> None:
    # One put more than the position's was sold and is assigned: a hundred shares, and its strike in dollars.
    put = "SPY 2031-03-07 P570"
    book = working(started(), f"-1 {put}")
    (id_,) = book.orders
    ended = apply(book, OrderCancelled(EVENING, id_))
    odd = broker_order(TAG.format(id_), Status.CANCELLED, executions=executions(("E1", put, -1, "3")))
    gone = transaction(Kind.ASSIGNED, put, -1, "-57000", delivered=(c("SPY S"), 100))
    shown = account(ended, ("SPY S", 100), cash="-56700", orders=[odd], transactions=[gone])
    answer = reconcile(ended, shown, EVENING, instance="0badcafe", epoch=3, left={id_})
    assert ForeignChanged(EVENING, c("SPY S"), 100) in answer.events
    assert resolved(ended, answer).cash == book.cash - 56_700


def test_odd_legs_that_left_the_account_before_it_says_for_what_are_paid_when_it_does() -> None:
    book = working(started(), SPREAD)
    (id_,) = book.orders
    torn = broker_order(TAG.format(id_), Status.CANCELLED, executions=executions(("E1", P5670, 1, "50")))
    early = reconcile(book, account(book, cash="-5000", orders=[torn]), EVENING, instance="0badcafe", epoch=3)
    assert early.events == (ForeignChanged(EVENING, c(P5670), -1),)
    gone = transaction(Kind.EXPIRED, P5670, 1, "7000", price=Decimal(5600))
    later = replace(account(book, cash="2000", orders=[torn]), transactions=(gone,))
    after = reconcile(resolved(book, early), later, EVENING, instance="0badcafe", epoch=3)
    assert resolved(resolved(book, early), after).cash == book.cash + 7000


def test_foreign_ones_that_left_the_account_nothing_of_ours_are_paid_for_at_its_price() -> None:
    # Somebody bought back the short leg by hand; at 5600.00 it was 100.00 in the money, and the account
    # held none of it: the book settled -100.00 for the position, and these were worth as much.
    book = settled_at_5600(apply(holding(SPREAD), ForeignChanged(NOW, c(P5700), 1)))
    gone = transaction(Kind.EXPIRED, P5670, 1, "7000", price=Decimal(5600))
    shown = account(book, (P5700, -1), cash="10000", transactions=[gone])
    answer = reconcile(book, shown, EVENING, instance="0badcafe", epoch=3)
    assert answer.events == (
        ForeignChanged(EVENING, c(P5700), 0),
        CashMoved(EVENING, Decimal(10_000), f"+1 {P5700} ended, in no position here"),
    )
