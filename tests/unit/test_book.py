"""The book is a fold of its journal: worked examples in dollars and cents."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tomking.domain import events as ev
from tomking.domain.book import Book, apply, fold
from tomking.domain.intent import Part, Target, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Structure

NOON = datetime(2031, 3, 7, 17, 0, tzinfo=UTC)
PUTS = Structure.parse("put side", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
CALLS = Structure.parse("call side", "-1 SPXW 2031-03-07 C5800 / +1 SPXW 2031-03-07 C5830")


def order(id_: str, *, opens: bool, parts: tuple[Part, ...], position: str = "1", units: int = 2) -> Order:
    return Order(
        id=id_,
        strategy="friday_0dte",
        position=position,
        parts=parts,
        units=units,
        limit=Decimal(0),
        floor=None,
        opens=opens,
        urgency=Urgency.ENTRY if opens else Urgency.RULE,
        reason="test",
        trigger="condor" if opens else "15:00",
        targets=(Target(("put side", "call side"), Decimal("0.5")),) if opens else (),
        planned_loss=Decimal(20),
    )


def prices(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(t) for t in texts)


OPENING = order("1", opens=True, parts=(Part("put side", PUTS), Part("call side", CALLS)))
OPEN_FILL = Fill("F1", "1", NOON, 2, prices("9", "4", "8", "4.50"), Decimal("14.22"))


def opened() -> list[ev.Event]:
    return [
        ev.CashMoved(NOON, Decimal(100_000), "deposit"),
        ev.SessionBegan(NOON, date(2031, 3, 7)),
        ev.OrderSubmitted(NOON, OPENING),
        ev.OrderFilled(NOON, OPEN_FILL),
        ev.Transitioned(NOON, "1", State.BUILDING, State.ACTIVE, "condor"),
    ]


def closing(role: str, structure: Structure, id_: str) -> Order:
    return order(id_, opens=False, parts=(Part(role, structure.inverse()),))


def test_a_fill_opens_a_position_with_one_component_per_part() -> None:
    book = fold(iter(opened()))
    # Puts (9 - 4) and calls (8 - 4.50): 5.00 + 3.50 points x $100 x 2 units = $1,700, less $14.22.
    assert book.cash == Decimal("101685.78")
    position = book.positions["1"]
    assert {c.role: c.entry_net for c in position.open_components} == {
        "put side": Decimal(5),
        "call side": Decimal("3.5"),
    }
    assert position.state is State.ACTIVE
    assert position.planned_loss == Decimal(4000)  # 20 points x 2 units x $100
    assert not book.orders
    assert book.day.entered == (("friday_0dte", "condor"),)


def test_components_close_apart_and_the_trade_closes_with_the_last() -> None:
    events = [
        *opened(),
        ev.OrderSubmitted(NOON, closing("put side", PUTS, "7")),
        # Bought back at 14 - 5 = 9 points: -$1,800.
        ev.OrderFilled(NOON, Fill("F2", "7", NOON, 2, prices("14", "5"), Decimal("3.11"))),
    ]
    book = fold(iter(events))
    assert book.just_closed == ()
    assert [c.role for c in book.positions["1"].open_components] == ["call side"]
    book = apply(book, ev.OrderSubmitted(NOON, closing("call side", CALLS, "9")))
    # 1.00 - 0.50 = 0.50 points: -$100.
    book = apply(book, ev.OrderFilled(NOON, Fill("F3", "9", NOON, 2, prices("1", "0.5"), Decimal("3.11"))))
    (trade,) = book.just_closed
    assert trade.trigger == "15:00"
    # 1,700 - 1,800 - 100 = -200 before fees of 14.22 + 3.11 + 3.11.
    assert (trade.gross, trade.fees, trade.net) == (Decimal(-200), Decimal("20.44"), Decimal("-220.44"))
    assert sum((net for _, net in trade.parts), Decimal(0)) == trade.net
    assert book.cash == Decimal(100_000) + trade.net
    assert book.records["friday_0dte:condor"].lost == Decimal("220.44")
    assert book.day.losing_closes == 1  # 0.22 % of $100,000 is over the scratch of 0.02 %


def test_a_part_that_joins_later_is_a_trade_of_its_own() -> None:
    weekly = Structure.parse("weekly", "-1 SPXW 2031-03-14 C5900 / +1 SPXW 2031-03-14 C5925")
    joining = order("20", opens=True, parts=(Part("weekly", weekly),), units=1)
    ending = order("30", opens=False, parts=(Part("weekly", weekly.inverse()),), units=1)
    book = fold(
        iter(
            [
                *opened(),
                ev.OrderSubmitted(NOON, joining),
                ev.OrderFilled(NOON, Fill("F4", "20", NOON, 1, prices("2", "1"), Decimal("5.11"))),
                ev.OrderSubmitted(NOON, ending),
                ev.OrderFilled(NOON, Fill("F5", "30", NOON, 1, prices("0.6", "0.2"), Decimal("1.11"))),
            ]
        )
    )
    (trade,) = book.just_closed
    assert trade.id == "1/weekly"
    assert trade.net == Decimal("53.78")  # (1.00 - 0.40) x $100 - 6.22
    assert len(book.positions["1"].open_components) == 2


def test_settlement_replaces_exercised_legs_by_the_future() -> None:
    es = Structure.parse("put side", "-1 ES 2031-03-07 P5700 / +1 ES 2031-03-07 P5670")
    future = Structure.parse("f", "-1 ES 2031-03-21 F").legs[0]
    opening = order("1", opens=True, parts=(Part("put side", es),), units=1)
    book = fold(
        iter(
            [
                *opened()[:2],
                ev.OrderSubmitted(NOON, opening),
                ev.OrderFilled(NOON, Fill("F1", "1", NOON, 1, prices("9", "4"), Decimal(0))),
                ev.Settled(
                    NOON,
                    "1",
                    "put side",
                    es.contracts,
                    Decimal(5650),
                    # Short put assigned: buys at 5700; long put exercised: sells at 5670.  30 x $50.
                    Decimal(-1500),
                    Decimal(10),
                    (),
                ),
            ]
        )
    )
    (trade,) = book.just_closed
    assert trade.gross == Decimal(-1250)  # 5 x $50 received, $1,500 paid
    assert future.ratio == -1


def test_the_same_fill_twice_is_our_own_mistake() -> None:
    partial = Fill("F1", "1", NOON, 1, OPEN_FILL.leg_prices, Decimal(0))
    book = fold(iter([*opened()[:3], ev.OrderFilled(NOON, partial)]))
    with pytest.raises(AssertionError, match="applied twice"):
        apply(book, ev.OrderFilled(NOON, partial))


def test_a_component_has_at_most_one_closing_order() -> None:
    book = fold(iter([*opened(), ev.OrderSubmitted(NOON, closing("put side", PUTS, "7"))]))
    with pytest.raises(AssertionError, match="is being closed"):
        apply(book, ev.OrderSubmitted(NOON, closing("put side", PUTS, "8")))


def test_states_change_only_along_the_table() -> None:
    book = fold(iter(opened()))
    with pytest.raises(AssertionError, match="still holds"):
        apply(book, ev.Transitioned(NOON, "1", State.ACTIVE, State.CLOSED, "?"))
    with pytest.raises(AssertionError, match="may not become"):
        apply(book, ev.Transitioned(NOON, "1", State.ACTIVE, State.BUILDING, "?"))


def test_a_deposit_moves_the_peak_and_is_no_profit() -> None:
    later = NOON + timedelta(days=1)
    book = fold(iter([ev.CashMoved(NOON, Decimal(100), "deposit"), ev.CashMoved(later, Decimal(50), "more")]))
    assert (book.peak, book.prior_close, book.deposits) == (Decimal(150), Decimal(150), Decimal(150))


def test_an_empty_journal_is_an_empty_book() -> None:
    assert fold(iter([])) == Book()
