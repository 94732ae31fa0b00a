"""What an approval stands for: its hash, its prices, and everything that makes it another order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_limits import wish
from tests.worlds import at

from tomking.domain.chain import NetQuote
from tomking.domain.intent import Approved
from tomking.domain.structure import Leg
from tomking.execution.preview import Intent, allows, as_approved, changed, intent_of, pinned

NOW, UNTIL = at("10:30"), at("10:40")
QUOTE = NetQuote(Decimal("10.00"), Decimal("0.50"))
"""The condor of 10 points: 9.50 is the natural price."""


def approved(units: int = 3, least: str = "6") -> Approved:
    return Approved(wish("ES", least_net=Decimal(least)), units, "test", (), Decimal(3000))


def intent(room: str = "0.05", least: str = "6", quote: NetQuote = QUOTE, units: int = 3) -> Intent:
    return intent_of(
        approved(units, least), quote, account="0badcafe", room=Decimal(room), at=NOW, until=UNTIL
    )


def test_its_prices_are_those_of_the_entry_ladder_and_some_room() -> None:
    # A tenth of the half-spread of 0.50 a step; 5 % of 10.00 is 0.50 either way.
    one = intent()
    assert one.ladder == tuple(map(Decimal, ("10.00", "9.95", "9.90", "9.85", "9.80")))
    assert (one.floor, one.top) == (Decimal("9.50"), Decimal("10.50"))


def test_without_room_the_floor_is_the_ladders_last_step() -> None:
    one = intent(room="0")
    assert one.floor == Decimal("9.80")
    assert one.top == Decimal("10.05"), "a tick at least: the mid may lie between two"


def test_the_floor_is_never_below_what_the_strategy_wants_it_for() -> None:
    assert intent(least="9.70").floor == Decimal("9.70")


def test_a_debit_has_room_on_its_own_side() -> None:
    # Paid 2.00, at most 5 % more: 2.10; a market that asks 1.90 or less is another one.
    one = intent(least="-9", quote=NetQuote(Decimal("-2.00"), Decimal("0.05")))
    assert (one.floor, one.top) == (Decimal("-2.10"), Decimal("-1.90"))


CHANGES: dict[str, Callable[[Intent], Intent]] = {
    "account": lambda one: replace(one, account="0badcaff"),
    "strategy": lambda one: replace(one, strategy="lt112"),
    "entry": lambda one: replace(one, entry="other"),
    "joins": lambda one: replace(one, joins="7"),
    "a leg's ratio": lambda one: replace(one, legs=(Leg(one.legs[0].contract, 2), *one.legs[1:])),
    "a leg less": lambda one: replace(one, legs=one.legs[1:]),
    "units": lambda one: replace(one, units=4),
    "ladder": lambda one: replace(one, ladder=(*one.ladder[:-1], Decimal("9.75"))),
    "floor": lambda one: replace(one, floor=Decimal("9.45")),
    "top": lambda one: replace(one, top=Decimal("10.55")),
    "when": lambda one: replace(one, at=NOW + timedelta(seconds=1)),
    "until when": lambda one: replace(one, until=UNTIL + timedelta(seconds=1)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_anything_is_another_hash(what: str) -> None:
    assert CHANGES[what](intent()).hash != intent().hash


def test_digits_that_say_the_same_amount_are_the_same_hash() -> None:
    assert replace(intent(), floor=Decimal("9.5")).hash == replace(intent(), floor=Decimal("9.500")).hash


def test_every_field_of_an_intent_is_in_its_hash() -> None:
    assert len(CHANGES) == len(Intent.__slots__) + 1  # a leg changes in two ways


def test_nothing_has_changed_when_nothing_has() -> None:
    again = replace(approved(), wish=pinned(approved().wish, intent()))
    assert changed(intent(), again, QUOTE, NOW + timedelta(minutes=5)) == ()


@pytest.mark.parametrize(
    ("quote", "said"),
    [
        (NetQuote(Decimal("9.40"), Decimal("0.5")), "the mid is 9.40, approved down to 9.50"),
        (NetQuote(Decimal("10.60"), Decimal("0.5")), "the mid is 10.60, approved up to 10.50"),
        (None, "a leg has no two-sided quote now"),
    ],
)
def test_a_market_that_has_moved_is_named_with_its_numbers(quote: NetQuote | None, said: str) -> None:
    again = replace(approved(), wish=pinned(approved().wish, intent()))
    (line,) = changed(intent(), again, quote, NOW)
    assert said in line


@pytest.mark.parametrize("mid", ["9.50", "10.50"])
def test_the_bounds_themselves_are_inside(mid: str) -> None:
    again = replace(approved(), wish=pinned(approved().wish, intent()))
    assert changed(intent(), again, NetQuote(Decimal(mid), Decimal("0.5")), NOW) == ()


def test_fewer_units_are_a_change_and_more_are_not_taken() -> None:
    fewer, more = (replace(approved(n), wish=pinned(approved().wish, intent())) for n in (2, 6))
    assert changed(intent(), fewer, QUOTE, NOW) == ("2 units are allowed now, 3 were approved",)
    assert changed(intent(), more, QUOTE, NOW) == ()
    # $3,000 of margin for six is $1,500 for three.
    assert (as_approved(intent(), more).units, as_approved(intent(), more).margin) == (3, Decimal(1500))


def test_age_ends_an_approval_to_the_second() -> None:
    again = replace(approved(), wish=pinned(approved().wish, intent()))
    assert changed(intent(), again, QUOTE, UNTIL - timedelta(seconds=1)) == ()
    assert changed(intent(), again, QUOTE, UNTIL) == ("it expired 0 s ago",)
    assert changed(intent(), again, QUOTE, NOW - timedelta(seconds=1)) == ("it was prepared later than now",)


def test_a_wish_that_may_go_lower_is_not_the_one_that_was_approved() -> None:
    (line,) = changed(intent(), approved(), QUOTE, NOW)
    assert line == "it may go down to 6, approved down to 9.50"


def test_another_strategys_legs_are_two_changes() -> None:
    other = replace(approved(), wish=wish("MES", strategy="lt112", least_net=Decimal("9.50")))
    said = changed(intent(), other, QUOTE, NOW)
    assert said[0] == "lt112 condor is not what was approved"
    assert said[1].startswith("the legs are +1 MES 2031-03-07 P5435")


@given(
    units=st.integers(1, 5),
    cents=st.integers(800, 1200),
    drop=st.booleans(),
)
def test_the_wire_lets_nothing_pass_but_these_legs_units_and_prices(
    units: int, cents: int, drop: bool
) -> None:
    one, limit = intent(), Decimal(cents) / 100
    legs = one.legs[1:] if drop else one.legs[::-1]  # the order of legs says nothing
    passes = allows(one, legs, units, limit)
    assert passes == (not drop and units == 3 and limit >= Decimal("9.50"))
