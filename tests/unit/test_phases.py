"""Phases: where an account starts, how it rises and how it falls (methodology A.1, A.2)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.worlds import at

from tomking.domain.book import Book, apply
from tomking.risk.drawdown import session_end_levels
from tomking.risk.phases import phase_of, session_end_phase, starting_phase
from tomking.risk.settings import Settings

SETTINGS = Settings()


@pytest.mark.parametrize(
    ("net_liq", "phase"),
    [("44388.74", 0), ("44388.75", 1), ("44450", 1), ("63499", 2), ("95250", 3), ("200000", 4), ("0", 0)],
)
def test_the_starting_phase_forgives_a_quarter_of_a_per_cent(net_liq: str, phase: int) -> None:
    # 44,500 x 0.9975 = 44,388.75: the GBP 35,000 account of $44,450 begins in phase 1.
    assert starting_phase(Decimal(net_liq), SETTINGS) == phase


def closes(book: Book, *dollars: int) -> Book:
    """The book after closes at these net liqs, a day apart."""
    for n, net_liq in enumerate(dollars):
        now = at("16:00") + timedelta(days=n)
        for event in session_end_phase(book, Decimal(net_liq), now, SETTINGS):
            book = apply(book, event)
    return book


def in_phase(phase: int) -> Book:
    return Book(levels={"phase": str(phase)})


def test_five_closes_above_the_next_floor_promote() -> None:
    assert phase_of(closes(in_phase(1), *[64_000] * 4)) == 1
    assert phase_of(closes(in_phase(1), *[64_000] * 5)) == 2


def test_a_close_below_starts_the_count_anew() -> None:
    assert phase_of(closes(in_phase(1), 64_000, 64_000, 63_000, *[64_000] * 4)) == 1


def test_the_second_promotion_waits_twenty_sessions() -> None:
    book = closes(in_phase(1), *[200_000] * 5)
    assert phase_of(book) == 2
    assert phase_of(closes(book, *[200_000] * 19)) == 2
    assert phase_of(closes(book, *[200_000] * 20)) == 3


def test_two_closes_below_the_line_demote_and_one_does_not() -> None:
    # 93.3 % of phase 3's floor of 95,250 is 88,868.25.
    assert phase_of(closes(in_phase(3), 88_868)) == 3
    assert phase_of(closes(in_phase(3), 88_868, 88_869, 88_868)) == 3
    assert phase_of(closes(in_phase(3), 88_868, 88_868)) == 2


def test_a_steady_account_writes_nothing() -> None:
    assert session_end_phase(in_phase(4), Decimal(200_000), at("16:00"), SETTINGS) == []


def test_red_costs_one_phase_once() -> None:
    book = replace(in_phase(3), peak=Decimal(150_000), prior_close=Decimal(150_000))
    for event in session_end_levels(book, Decimal(119_000), at("16:00"), SETTINGS):
        book = apply(book, event)
    assert book.levels["drawdown"] == "RED"
    assert phase_of(closes(book, 119_000, 119_000, 119_000)) == 2
