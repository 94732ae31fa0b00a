"""A machine's clock against the broker's date and one that cannot be set (F41)."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters.walltime import WallTime

START = datetime(2031, 3, 7, 15, 0, tzinfo=UTC)


class Clocks:
    """The true time, and what this machine makes of it."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.true = 0.0
        self.ahead = ahead
        """Seconds by which its wall clock is wrong."""
        self.stands: datetime | None = None
        self.walltime = WallTime(self.wall, lambda: 1000.0 + self.true)

    def wall(self) -> datetime:
        return self.stands or START + timedelta(seconds=self.true + self.ahead)

    def answer(self, took: float = 0.0) -> None:
        """The broker writes its date at the middle of the way."""
        self.true += took / 2
        date = format_datetime(START + timedelta(seconds=self.true), usegmt=True)
        self.true += took / 2
        self.walltime.answered(date, took)


def test_a_clock_that_is_right_is_not_doubted_for_a_slow_answer() -> None:
    clocks = Clocks()
    for took in (0.0, 0.3, 4.9, 30.0):
        clocks.answer(took)
        assert clocks.walltime.doubt() is None


@pytest.mark.parametrize(("ahead", "word"), [(3600, "ahead of"), (-3600, "behind"), (3.5, "ahead of")])
def test_a_clock_that_is_wrong_from_the_start_is_found_by_the_first_answer(ahead: float, word: str) -> None:
    clocks = Clocks(ahead)
    assert clocks.walltime.doubt() is None  # nothing has said so yet
    clocks.answer(0.1)
    assert word in (clocks.walltime.doubt() or "")


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 2.5, -2.5])
def test_a_clock_that_is_set_is_found_before_any_answer_and_forgiven_when_the_broker_agrees(
    jump: float,
) -> None:
    clocks = Clocks()
    clocks.answer()
    clocks.true += 60
    clocks.ahead = jump
    assert "moved" in (clocks.walltime.doubt() or "")
    clocks.ahead = 0.0  # somebody has set it right
    assert clocks.walltime.doubt() is None
    clocks.answer()
    assert clocks.walltime.doubt() is None


def test_an_hour_that_was_wrong_at_the_start_and_set_right_is_forgiven_by_the_next_answer() -> None:
    clocks = Clocks(3600)
    clocks.answer()
    clocks.ahead = 0.0
    assert "moved back" in (clocks.walltime.doubt() or "")
    clocks.answer()
    assert clocks.walltime.doubt() is None


def test_a_clock_that_stands_is_found() -> None:
    clocks = Clocks()
    clocks.stands = START
    clocks.true = 2.0
    assert clocks.walltime.doubt() is None
    clocks.true = 2.5
    assert "stood" in (clocks.walltime.doubt() or "")


def test_a_slow_drift_is_found_when_it_amounts_to_more_than_two_seconds() -> None:
    clocks = Clocks()
    doubted = []
    for minute in range(60):
        clocks.true, clocks.ahead = 60.0 * minute, 0.1 * minute  # six seconds an hour
        clocks.answer(0.1)
        doubted.append(clocks.walltime.doubt() is not None)
    # Two seconds at the twentieth minute, and one more that the date does not show.
    first = doubted.index(True)
    assert 20 <= first <= 32
    assert all(doubted[first:])


@pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 99 Foo 2031 00:00:00 GMT", "0" * 400])
def test_a_date_that_cannot_be_read_proves_nothing(date: str | None) -> None:
    clocks = Clocks(3600)
    clocks.walltime.answered(date, 0.1)
    assert clocks.walltime.doubt() is None


@given(
    ahead=st.floats(-10_000, 10_000),
    took=st.floats(0, 20),
    share=st.floats(0, 1),
    offset=st.floats(0, 1),
)
def test_it_doubts_what_is_surely_wrong_and_never_what_may_be_right(
    ahead: float, took: float, share: float, offset: float
) -> None:
    clocks = Clocks(ahead)
    written = START + timedelta(seconds=offset + took * share)
    clocks.true = offset + took
    clocks.walltime.answered(format_datetime(written, usegmt=True), took)
    doubt = clocks.walltime.doubt()
    if abs(ahead) <= 2:
        assert doubt is None
    # What it cannot know is where on the way the date was written, and the second it was cut to.
    if abs(ahead) > 2 + took + 1.1:
        assert doubt is not None
