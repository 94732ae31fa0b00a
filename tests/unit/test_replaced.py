from dataclasses import replace
from decimal import Decimal

import pytest
from tests.worlds import at

from tomking.domain.book import Book, Component
from tomking.domain.replaced import replaced
from tomking.domain.structure import Structure

SPREAD = Structure.parse("spread", "-1 SPXW 2031-03-07 P5700 / +1 SPXW 2031-03-07 P5670")
LATER = Structure.parse("put", "-1 SPXW 2031-04-18 P5700")
PART = Component("put", "p", "p", SPREAD, 2, 2, Decimal("1.05"), at("15:00"), 0, Decimal(210), Decimal(4))


def test_it_is_the_standard_function_only_faster() -> None:
    book = Book(sequence=7, cash=Decimal("12.50"), notes={"a": "b"})
    assert replaced(book, cash=Decimal(3), sequence=8) == replace(book, cash=Decimal(3), sequence=8)
    assert replaced(book) == book
    assert replaced(book) is not book


def test_what_a_class_works_out_is_worked_out_anew() -> None:
    # The nearest expiry is a component's own field, computed from its structure.
    assert str(replaced(PART, structure=LATER).expiry) == "2031-04-18"
    assert str(PART.expiry) == "2031-03-07"


def test_a_field_that_is_none_is_named() -> None:
    with pytest.raises(KeyError, match="moon"):
        replaced(Book(), moon=1)
