"""Bad readings in a row: what they suspend, for how long, and what ends them (methodology C.11, C.9)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tests.unit.test_limits import NET_LIQ, SETTINGS, case, empty, wish
from tests.unit.test_protect import after, fresh, seen
from tests.worlds import at

from tomking.domain.book import Book
from tomking.domain.intent import Approved, Breach, Refused, Verdict
from tomking.risk import limits_breakers, limits_data
from tomking.risk.pauses import UNSEEN, is_on
from tomking.risk.protect import entries_stopped
from tomking.risk.readings import answered, suspended_until

GOOD = Approved(wish("SPXW"), 1, "ceiling")
BAD = Refused(wish("SPXW"), (Breach("DATA", "chain", "no chain"),))
POOR = Refused(wish("SPXW"), (Breach("SIZE", "heat", "10 %"),))


def told(book: Book, *answers: tuple[str, Verdict]) -> Book:
    for wall, verdict in answers:
        book = after(book, answered(book, verdict, at(wall), SETTINGS))
    return book


def until(book: Book) -> datetime | None:
    return suspended_until(book, "SPXW", SETTINGS)


def test_three_bad_minutes_suspend_a_product_for_ten() -> None:
    book = told(fresh(), ("10:30", BAD), ("10:31", BAD))
    assert until(book) is None
    book = told(book, ("10:32", BAD))
    assert until(book) == at("10:42")
    asked = case(wish("SPXW"), book)
    view = replace(asked.view, now=at("10:41"))
    assert limits_data.not_suspended(replace(asked, view=view)).units == 0
    assert limits_data.not_suspended(replace(asked, view=replace(view, now=at("10:42")))).units is None
    # Another product is not touched.
    assert suspended_until(book, "XSP", SETTINGS) is None


def test_a_good_reading_ends_a_row_and_another_limits_refusal_is_a_good_reading() -> None:
    book = told(fresh(), ("10:30", BAD), ("10:31", BAD), ("10:32", POOR), ("10:33", BAD), ("10:34", BAD))
    assert until(book) is None
    assert told(book, ("10:35", GOOD)).notes == {}


def test_one_minute_is_one_reading_whoever_looks() -> None:
    assert until(told(fresh(), *(("10:30", BAD) for _ in range(5)))) is None


def test_while_suspended_nothing_counts_and_then_the_count_begins_anew() -> None:
    book = told(fresh(), ("10:30", BAD), ("10:31", BAD), ("10:32", BAD), ("10:40", GOOD), ("10:41", BAD))
    assert until(book) == at("10:42")
    book = told(book, ("10:45", BAD), ("10:46", BAD))
    assert until(book) is None
    assert until(told(book, ("10:47", BAD))) == at("10:57")


def test_three_minutes_without_a_vix_pause_entries_for_thirty_good_ones() -> None:
    book = seen(seen(fresh(), at("10:00"), vix=None), at("10:01"), vix=None)
    assert entries_stopped(book) is None
    book = seen(book, at("10:02"), vix=None)
    assert "no VIX" in str(entries_stopped(book))
    book = seen(book, at("10:05"), vix=None)
    book = seen(book, at("10:06"), vix=20.0)
    assert is_on(seen(book, at("10:34"), vix=20.0), UNSEEN)
    assert entries_stopped(seen(book, at("10:35"), vix=20.0)) is None


@pytest.mark.parametrize("vix", [5.0, 150.0])
def test_a_vix_nobody_believes_is_a_bad_reading(vix: float) -> None:
    book = fresh()
    for minute in range(3):
        book = seen(book, at("10:00") + timedelta(minutes=minute), vix=vix)
    assert is_on(book, UNSEEN)


def test_a_row_over_a_night_pauses_again_at_the_open() -> None:
    book = fresh()
    for minute in range(3):
        book = seen(book, at("15:40") + timedelta(minutes=minute), vix=None)
    # The pause of 15:42 is over by 16:12; the first look after it is bad again.
    book = seen(book, at("16:30"), vix=None)
    assert book.levels[UNSEEN] == (at("16:30") + timedelta(minutes=30)).isoformat()


@pytest.mark.parametrize(
    ("gain", "share"), [("0.0356", "1"), ("0.0358", "0.5"), ("0.05", "0.5"), ("-0.05", "1")]
)
def test_a_month_on_the_way_to_fifteen_per_cent_halves_sizes(gain: str, share: str) -> None:
    # FRIDAY is the fifth of the 21 sessions of March 2031: 3.56 % are 14.95 % at this rate, 3.58 % 15.04 %.
    base = NET_LIQ / (1 + Decimal(gain))
    book = replace(empty(), notes={"risk.monthly_loss": f"2031-03 {base - NET_LIQ}"})
    asked = case(book=book)
    projected, words = limits_breakers.month_pace(asked)
    assert limits_breakers.size_of_month(asked)[0] == Decimal(share), (projected, words)


def test_a_refusal_that_ended_at_a_known_reason_says_nothing_of_good_data() -> None:
    book = told(fresh(), ("10:30", BAD))
    assert not list(answered(book, POOR, at("10:31"), SETTINGS, whole=False))
    assert list(answered(book, POOR, at("10:31"), SETTINGS, whole=True))
