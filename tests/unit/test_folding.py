"""The fold of a journal against the same events applied one by one, for whatever may happen in any order."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worlds import at

from tomking.domain import events as ev
from tomking.domain.book import REOPEN, Book, apply, fold, takes_late
from tomking.domain.contract import parse_contract
from tomking.domain.draft import MAPS, Draft
from tomking.domain.intent import Part, Urgency
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Structure

PUT = Structure.parse("put spread", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
CALL = Structure.parse("call spread", "-1 SPXW 2031-03-07 C5900 / +1 SPXW 2031-03-07 C5930")
PRICES = (Decimal("2.10"), Decimal("1.05"), Decimal("1.80"), Decimal("0.85"))
START = at("15:00")

Choice = Callable[[int], int]
"""One of so many, drawn."""


def _opening(id_: str) -> Order:
    return Order(
        id=id_,
        strategy="friday_0dte",
        position=id_,
        parts=(Part("put", PUT), Part("call", CALL)),
        units=2,
        limit=Decimal("2.00"),
        floor=Decimal("1.50"),
        opens=True,
        urgency=Urgency.ENTRY,
        reason="credit 2.00",
        trigger="condor",
    )


class Story:
    """Events that could have happened, each made from the book as it is."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.book = Book()
        self.told: list[ev.Event] = []
        self.now = START

    def happen(self, event: ev.Event) -> None:
        """What the book refuses has not happened."""
        with suppress(AssertionError, KeyError):
            self.book = apply(self.book, event)
            self.told.append(event)

    def go_on(self) -> None:
        self.now += timedelta(seconds=1)
        what = (self.note, self.submit, self.fill, self.fill, self.end, self.change, self.close, self.day)
        what[self.choice(len(what))]()

    def note(self) -> None:
        key, value = f"key {self.choice(3)}", ("", "a", "b")[self.choice(3)]
        contract = PUT.legs[self.choice(2)].contract
        level = f"level {self.choice(2)}"
        self.happen(
            (
                ev.Noted(self.now, key, value),
                ev.Declined(self.now, "friday_0dte", key, "CAP", (value,)),
                ev.ForeignChanged(self.now, contract, self.choice(3)),
                ev.LevelChanged(self.now, level, self.book.levels.get(level, ""), value, ""),
                ev.CashMoved(self.now, Decimal(100 * self.choice(3) - 100), "moved"),
                ev.Quarantined(self.now, key, "raised"),
                ev.PeakReset(self.now, Decimal(10_000)),
            )[self.choice(7)]
        )

    def submit(self) -> None:
        self.happen(ev.OrderSubmitted(self.now, _opening(str(self.book.sequence + 1))))

    def fill(self) -> None:
        """A fill of what works, or a late print of what has ended."""
        late = [w for w in self.book.ended.values() if takes_late(self.book, self._print(w.order))]
        working = [*self.book.orders.values()]
        if late and self.choice(3) == 0:
            order = late[self.choice(len(late))].order
            self.happen(ev.LateFill(self.now, self._print(order)))
        elif working:
            order = working[self.choice(len(working))].order
            self.happen(ev.OrderFilled(self.now, self._print(order)))

    def _print(self, order: Order) -> Fill:
        prices = PRICES[: len(order.structure.legs)]
        return Fill(f"x{self.book.sequence}", order.id, self.now, 1, prices, Decimal("4.90"), prices)

    def end(self) -> None:
        for id_ in [*self.book.orders][: 1 + self.choice(2)]:
            self.happen(
                ev.OrderCancelled(self.now, id_)
                if self.choice(2)
                else ev.OrderRejected(self.now, id_, "said no")
            )

    def change(self) -> None:
        if self.book.ended and self.choice(4) == 0:
            self.happen(ev.LegsUneven(self.now, [*self.book.ended][-1], REOPEN, "a leg late"))
        if not self.book.orders:
            return
        id_, working = [*self.book.orders.items()][-1]
        self.happen(
            (
                ev.OrderAccepted(self.now, id_),
                ev.OrderRepriced(self.now, id_, Decimal("1.95")),
                ev.CancelRequested(self.now, id_, "patience"),
                ev.OrderUnknown(self.now, id_, working.attempt, "timeout"),
                ev.OrderParked(self.now, id_, "ten minutes"),
                ev.OrderRetried(self.now, id_, working.attempt + 1, "absent"),
                ev.LegsUnwound(self.now, id_, Decimal("-3.00"), Decimal("1.20"), "one leg back"),
            )[self.choice(7)]
        )

    def close(self) -> None:
        """A close, a settlement or a dividend of what is open; a closed position is gone."""
        for position in self.book.positions.values():
            if not position.open_components:
                if not any(w.order.position == position.id for w in self.book.orders.values()):
                    self.happen(
                        ev.Transitioned(self.now, position.id, position.state, State.ACTIVE, "filled")
                    )
                    self.happen(ev.Transitioned(self.now, position.id, State.ACTIVE, State.CLOSED, "flat"))
                return
            one = position.open_components[0]
            if self.choice(2) and one.closing is None and one.target is None:
                urgency = Urgency.TARGET if self.choice(2) else Urgency.RULE
                order = replace(
                    _opening(str(self.book.sequence + 1)),
                    position=position.id,
                    parts=(Part(one.role, one.structure.inverse()),),
                    units=one.units,
                    opens=False,
                    urgency=urgency,
                )
                self.happen(ev.OrderSubmitted(self.now, order))
            elif one.closing is None and one.target is None:
                gone = tuple(leg.contract for leg in one.structure.legs)
                level, paid = Decimal(5800), Decimal("-12.00")
                self.happen(ev.Paid(self.now, position.id, one.role, Decimal("1.25"), "dividend"))
                self.happen(
                    ev.Settled(self.now, position.id, one.role, gone, level, paid, Decimal(0)),
                )
            return

    def day(self) -> None:
        if self.choice(4) == 0:
            today = date(2031, 3, 7)
            self.happen(
                ev.SessionEnded(self.now, today, Decimal(9_990), Decimal(0), Decimal(0), None, None),
            )
            self.happen(ev.SessionBegan(self.now, today))


def _stories() -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 2**16), min_size=20, max_size=120)


def _played(numbers: list[int]) -> Story:
    left = iter(numbers)
    story = Story(lambda many: next(left, 0) % many)
    while (mark := next(left, None)) is not None:
        assert mark >= 0
        story.go_on()
    return story


@settings(max_examples=150, deadline=None)
@given(_stories())
def test_folding_a_journal_is_applying_its_events_one_by_one(numbers: list[int]) -> None:
    told = _played(numbers).told
    once, stepwise = fold(iter(told)), reduce(apply, told, Book())
    assert once == stepwise
    for name in MAPS:  # their order counts, too: what is asked first is decided first
        assert list(getattr(once, name)) == list(getattr(stepwise, name))
    assert once.sequence == len(told)


@settings(max_examples=50, deadline=None)
@given(_stories())
def test_what_happens_later_never_changes_an_earlier_book(numbers: list[int]) -> None:
    book, before = Book(), repr(Book())
    for event in _played(numbers).told:
        after = apply(book, event)
        assert repr(book) == before
        book, before = after, repr(after)


def test_a_draft_has_the_fields_of_a_book() -> None:
    assert [one.name for one in fields(Draft)] == ["lent", *(one.name for one in fields(Book))]


def test_a_map_is_copied_at_its_first_change_only() -> None:
    told: list[ev.Event] = [
        ev.Noted(START, "a", "1"),
        ev.ForeignChanged(START, parse_contract("SPXW 2031-03-07 P5700"), 1),
    ]
    book = fold(iter(told))
    after = apply(book, ev.Noted(START, "b", "2"))
    assert after.foreign is book.foreign
    assert (dict(book.notes), dict(after.notes)) == ({"a": "1"}, {"a": "1", "b": "2"})


def test_the_stories_reach_what_they_should() -> None:
    """A property over stories is worth what happens in them."""
    numbers = [(7919 * n * n + 104729 * n) % 65_521 for n in range(6_000)]
    kinds = {type(event).__name__ for event in _played(numbers).told}
    assert {"LateFill", "OrderFilled", "OrderCancelled", "Settled", "Transitioned", "LegsUneven"} <= kinds
