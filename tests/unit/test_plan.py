"""Which components are closed together, and in which turn."""

from datetime import UTC, datetime
from decimal import Decimal

from tomking.domain.book import Component
from tomking.domain.structure import Structure
from tomking.execution.plan import first_in_turn, groups_by_units

OPENED = datetime(2031, 3, 7, 15, 30, tzinfo=UTC)


def held(role: str, legs: str, units: int) -> Component:
    return Component(
        role=role,
        trade="1",
        kind="test",
        structure=Structure.parse(role, legs),
        units=units,
        filled_units=units,
        entry_net=Decimal(1),
        opened=OPENED,
        opened_dte=30,
        dollars=Decimal(0),
        fees=Decimal(0),
    )


BACK = held("back put", "+1 SPY 2031-06-20 P540", 61)
FRONT = held("front call", "-1 SPY 2031-05-16 C580", 61)
ROLLED = held("front put 2", "-1 SPY 2031-05-23 P538", 12)


def test_what_covers_a_short_leg_is_sold_after_that_was_bought() -> None:
    # 61 backs cover 12 rolled fronts: closed together, the backs could fill first and leave 12 puts naked.
    groups = groups_by_units([BACK, FRONT, ROLLED])
    assert [[c.role for c in g] for g in groups] == [["back put", "front call"], ["front put 2"]]
    assert first_in_turn(groups, []) == [[ROLLED]]
    assert first_in_turn([[BACK, FRONT]], [ROLLED]) == [], "it waits while the fronts' order works"
    assert first_in_turn([[BACK, FRONT]], []) == [[BACK, FRONT]]


def test_what_covers_nothing_of_the_others_goes_at_once() -> None:
    put, call = held("put", "-1 ES 2031-06-20 P5000", 2), held("call", "-1 ES 2031-06-20 C6000", 3)
    groups = groups_by_units([put, call])
    assert first_in_turn(groups, []) == groups
    # A front that ends later than the long leg is not covered by it.
    short_lived = held("long", "+1 SPY 2031-05-16 P540", 5)
    assert first_in_turn([[short_lived], [ROLLED]], []) == [[short_lived], [ROLLED]]


def test_two_that_cover_each_other_go_one_at_a_time() -> None:
    one = [held("a", "+1 SPY 2031-06-20 P540 / -1 SPY 2031-06-20 P520", 2)]
    other = [held("b", "+1 SPY 2031-06-20 P500 / -1 SPY 2031-06-20 P480", 3)]
    assert first_in_turn([one, other], []) == [one]
