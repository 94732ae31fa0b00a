"""What the broker's news are worth: whether the book can take them, and what a person hears of them."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest
from tests.unit.test_book import CALLS, NOON, OPEN_FILL, PUTS, closing, opened

from tomking.domain import events as ev
from tomking.domain.book import REOPEN, Book, apply, fold
from tomking.domain.order import Fill
from tomking.domain.trading import TRADING
from tomking.kernel.alarm import RareNews, alarm, halted, is_new

SHORT, LONG = PUTS.contracts
HALF = replace(OPEN_FILL, units=1)


def after(*events: ev.Event, first: Iterable[ev.Event] = ()) -> Book:
    return fold(iter([*first, *events]))


WAITING = after(*opened()[:3])
"""The opening order works, nothing is filled."""
HELD = after(*opened())
HALF_THERE = after(ev.OrderFilled(NOON, HALF), ev.OrderCancelled(NOON, "1"), first=opened()[:3])
"""One of two units was filled, then the order ended."""


def test_the_trading_level_holds_openings_but_where_it_is_active_or_was_never_set() -> None:
    def at(level: str) -> str | None:
        return halted(Book(levels={TRADING: level}))

    assert halted(Book()) is None
    assert [at(level) for level in ("", "ACTIVE")] == [None, None]
    assert [at(level) for level in ("REDUCING", "HALTED")] == ["trading is REDUCING", "trading is HALTED"]


# ------------------------------------------------------------------------------------------ new or not


UNKNOWN, PARKED = ev.OrderUnknown(NOON, "1", 1, "no answer"), ev.OrderParked(NOON, "1", "not found")


def test_doubt_is_new_once() -> None:
    assert is_new(WAITING, UNKNOWN)
    doubted = apply(WAITING, UNKNOWN)
    assert not is_new(doubted, UNKNOWN)
    assert is_new(doubted, PARKED)
    assert not is_new(apply(doubted, PARKED), PARKED)
    assert is_new(apply(doubted, ev.OrderAccepted(NOON, "1")), UNKNOWN)


@pytest.mark.parametrize("attempt", [0, 1, 2, 3])
def test_an_attempt_is_new_above_the_last_one(attempt: int) -> None:
    assert WAITING.orders["1"].attempt == 1
    assert is_new(WAITING, ev.OrderRetried(NOON, "1", attempt, "again")) is (attempt > 1)


def test_nothing_is_taken_of_an_order_that_does_not_work() -> None:
    for news in (
        UNKNOWN,
        PARKED,
        ev.OrderRetried(NOON, "1", 5, ""),
        ev.LegsUneven(NOON, "1", "complete", ""),
    ):
        assert not is_new(Book(), news)
        assert is_new(WAITING, news)
    unwound = ev.LegsUnwound(NOON, "1", Decimal(-30), Decimal(2), "sold back")
    assert is_new(WAITING, unwound)
    assert not is_new(HELD, unwound)


def test_only_an_order_that_has_ended_is_reopened() -> None:
    again = ev.LegsUneven(NOON, "1", REOPEN, "a late print")
    assert is_new(HALF_THERE, again)
    assert not is_new(WAITING, again)


def test_a_late_fill_is_new_where_its_order_had_room_for_it() -> None:
    late = replace(HALF, id="F9")
    assert is_new(HALF_THERE, ev.LateFill(NOON, late))
    assert not is_new(HALF_THERE, ev.LateFill(NOON, HALF))  # booked before the end
    assert not is_new(HALF_THERE, ev.LateFill(NOON, replace(late, units=2)))  # three of two units
    assert not is_new(WAITING, ev.LateFill(NOON, late))  # it has not ended


def test_a_late_close_is_new_while_what_it_closes_is_there() -> None:
    ended = (ev.OrderSubmitted(NOON, closing("put side", PUTS, "7")), ev.OrderCancelled(NOON, "7"))
    book = after(*ended, first=opened())
    late = ev.LateFill(NOON, Fill("F9", "7", NOON, 2, (Decimal(14), Decimal(5)), Decimal(0)))
    assert is_new(book, late)
    # Meanwhile another order has closed one of the two units.
    other = replace(closing("put side", PUTS, "8"), units=1)
    more = (
        ev.OrderSubmitted(NOON, other),
        ev.OrderFilled(NOON, Fill("F8", "8", NOON, 1, (Decimal(14), Decimal(5)), Decimal(0))),
    )
    assert not is_new(after(*ended, *more, first=opened()), late)


def test_a_foreign_position_is_new_when_its_number_is() -> None:
    def told(quantity: int) -> ev.ForeignChanged:
        return ev.ForeignChanged(NOON, SHORT, quantity)

    assert not is_new(Book(), told(0))
    assert is_new(Book(), told(-3))
    assert not is_new(apply(Book(), told(-3)), told(-3))
    assert is_new(apply(Book(), told(-3)), told(0))


@pytest.mark.parametrize(
    ("now", "before", "to", "taken"),
    [
        ("", "", "HALTED", True),
        ("HALTED", "", "HALTED", False),  # somebody was quicker
        ("HALTED", "HALTED", "HALTED", False),  # no change
        ("HALTED", "HALTED", "", True),
        ("", "HALTED", "", False),
    ],
)
def test_a_level_is_taken_from_where_it_stands(now: str, before: str, to: str, taken: bool) -> None:
    news = ev.LevelChanged(NOON, TRADING, before, to, "test")
    assert is_new(Book(levels={TRADING: now} if now else {}), news) is taken


def paid(position: str = "1", role: str = "put side") -> ev.Paid:
    return ev.Paid(NOON, position, role, Decimal(-25), "dividend")


def settled(*gone: object, position: str = "1", role: str = "put side") -> ev.Settled:
    return ev.Settled(NOON, position, role, gone, Decimal(5650), Decimal(-600), Decimal(0))  # type: ignore[arg-type]


def test_money_and_ends_are_taken_for_components_that_are_open() -> None:
    assert is_new(HELD, paid())
    assert is_new(HELD, settled(SHORT))
    assert is_new(HELD, settled(SHORT, LONG))
    for other in ({"position": "9"}, {"role": "weekly"}):
        assert not is_new(HELD, paid(**other))
        assert not is_new(HELD, settled(SHORT, **other))
    assert not is_new(HELD, settled())
    assert not is_new(HELD, settled(SHORT, CALLS.contracts[0]))  # a leg of the other side
    over = apply(HELD, settled(SHORT, LONG))
    assert not is_new(over, paid())
    assert not is_new(over, settled(SHORT))


# ------------------------------------------------------------------------------------------ what is said


SAID: dict[RareNews, tuple[str, str] | None] = {
    UNKNOWN: ("warning", "order 1, attempt 1: fate unknown (no answer); it is searched for"),
    PARKED: ("critical", "order 1 is PARKED: not found"),
    ev.OrderRetried(NOON, "1", 2, "absent"): None,
    ev.LegsUneven(NOON, "1", "complete", "1 of 2 shorts"): (
        "critical",
        "order 1 has uneven legs: 1 of 2 shorts; complete",
    ),
    ev.LegsUnwound(NOON, "1", Decimal("-1234.5"), Decimal(2), "sold back"): (
        "warning",
        "order 1: odd legs traded back for $-1,234.50 (sold back)",
    ),
    ev.LateFill(NOON, HALF): ("warning", "order 1 had ended and filled 1 more (a late print)"),
    ev.ForeignChanged(NOON, SHORT, -3): (
        "critical",
        f"-3 {SHORT} in the account belong to no position here",
    ),
    ev.ForeignChanged(NOON, SHORT, 0): (
        "warning",
        f"{SHORT} in the account, which belonged to no position here, is gone",
    ),
    ev.Reconciled(NOON, ("cash", "legs")): ("critical", "book and broker differ: cash; legs"),
    ev.Reconciled(NOON, ()): None,
    ev.LevelChanged(NOON, TRADING, "", "HALTED", "six like orders"): (
        "critical",
        "trading is HALTED: six like orders",
    ),
    ev.LevelChanged(NOON, TRADING, "HALTED", "", "anna"): ("critical", "trading is released: anna"),
    settled(SHORT, LONG): ("warning", f"1 put side: {SHORT}, {LONG} ended by the broker's account"),
    paid(): None,
    ev.CashMoved(NOON, Decimal(100), "deposit"): None,
}


@pytest.mark.parametrize("news", SAID, ids=lambda news: type(news).__name__)
def test_what_a_person_hears(news: RareNews) -> None:
    assert alarm(news) == SAID[news]


def kinds() -> set[object]:
    """Of everything that ``RareNews`` is made of."""
    parts: list[object] = [RareNews]
    found: set[object] = set()
    while parts:
        one = parts.pop()
        parts += get_args(one)
        found |= set() if get_args(one) else {one}
    return found


def test_every_kind_of_news_is_decided_both_ways() -> None:
    assert {type(news) for news in SAID} == kinds()
    for news in SAID:
        assert is_new(WAITING, news) in {True, False}
    assert is_new(Book(), ev.Reconciled(NOON, ()))
    assert is_new(Book(), ev.CashMoved(NOON, Decimal(1), "deposit"))
