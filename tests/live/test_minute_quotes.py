"""Before the minute's quotes are there nothing is decided; where they always come nothing waits."""

from datetime import UTC, datetime, timedelta

from tomking.app.live.minute import MinuteQuotes

NOON = datetime(2022, 9, 16, 16, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_the_quotes_of_a_minute_are_waited_for_until_no_more_come() -> None:
    quotes = MinuteQuotes()
    assert quotes.is_coming(at(0.1), at(-59.5), 10), "those of the minute before are a minute old"
    assert quotes.is_coming(at(0.2), at(0.15), 12), "the first are there"
    assert quotes.is_coming(at(0.3), at(0.25), 14)
    assert not quotes.is_coming(at(0.4), at(0.25), 14)


def test_quotes_that_began_to_come_between_two_looks_are_waited_for_too() -> None:
    quotes = MinuteQuotes()
    assert not quotes.is_coming(at(-30.0), at(-59.8), 10)
    assert quotes.is_coming(at(0.2), at(0.15), 12)
    assert not quotes.is_coming(at(0.3), at(0.15), 12)


def test_once_they_are_there_nothing_waits_however_old_they_grow_within_the_minute() -> None:
    quotes = MinuteQuotes()
    assert quotes.is_coming(at(0.1), at(-59.5), 10)
    assert quotes.is_coming(at(0.3), at(0.2), 14)
    # A step of an order's ladder ten seconds later, and an answer of the broker after twelve.
    assert [quotes.is_coming(at(s), at(0.2), 14) for s in (0.4, 10.3, 12.0, 15.0)] == [False] * 4


def test_a_feed_that_never_pauses_is_never_waited_for() -> None:
    quotes = MinuteQuotes()
    looks = [quotes.is_coming(at(0.2 * n), at(0.2 * n - 0.5), 3 * n) for n in range(300)]
    assert not any(looks)


def test_a_feed_that_is_late_is_waited_for_twenty_seconds_and_no_longer() -> None:
    quotes = MinuteQuotes()
    assert quotes.is_coming(at(19.9), at(-59.5), 10)
    assert not quotes.is_coming(at(20.0), at(-59.5), 10)
    assert not quotes.is_coming(at(30.0), at(-59.5), 10)


def test_without_a_connection_nothing_is_waited_for() -> None:
    assert not MinuteQuotes().is_coming(at(0.1), None, 0)
