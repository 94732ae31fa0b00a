"""Schedules of faults: from a seed, to text and back, smaller, and counted when they strike."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.venueworlds import schedule
from tests.worlds import at

from tomking.sim.faults import KINDS, Fault, Schedule, calm


@given(st.integers(0, 2**63), st.booleans())
def test_a_schedule_reads_back_from_its_text(seed: int, live: bool) -> None:
    one = Schedule.of(seed, live=live)
    assert Schedule.parse(one.text()) == one
    assert Schedule.of(seed, live=live) == one


def test_a_schedule_says_what_goes_wrong_when_and_for_how_long() -> None:
    text = "seed 7 safety\nF14 late answer place#3 12.5s\nF16 partial offer#0 60.0s x2\nF8 crash @5400 31.0s"
    read = Schedule.parse(text)
    assert read.faults[0] == Fault("late answer", 3, 12.5)
    assert read.faults[1] == Fault("partial", 0, 60.0, 2)
    assert read.faults[2] == Fault("crash", 5400, 31.0)
    assert read.text() == text


@pytest.mark.parametrize("text", ["F9 lost anser place#0", "F9", ""])
def test_what_is_no_fault_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        Fault.parse(text)


@given(st.integers(0, 10_000))
def test_in_liveness_mode_nothing_lasts_beyond_the_quiet(seed: int) -> None:
    one = Schedule.of(seed, live=True)
    assert one.quiet_after is not None
    for fault in one.faults:
        if fault.kind.subject == "@":
            assert fault.at + max(0, fault.seconds) < one.quiet_after


def test_leaving_kinds_out_leaves_the_others_as_they_are() -> None:
    whole = Schedule.of(3)
    gone = whole.faults[0].what
    rest = Schedule.of(3, without=frozenset({gone}))
    assert rest.faults == tuple(fault for fault in whole.faults if fault.what != gone)


def test_seeds_differ_in_how_much_goes_wrong() -> None:
    sizes = [len(Schedule.of(seed).faults) for seed in range(300)]
    assert min(sizes) < 8
    assert max(sizes) > 40


def test_every_kind_comes_within_a_few_hundred_seeds() -> None:
    seen = {fault.what for seed in range(300) for fault in Schedule.of(seed).faults}
    assert seen == set(KINDS)


@given(st.integers(0, 2_000))
def test_smaller_schedules_are_smaller(seed: int) -> None:
    whole = Schedule.of(seed)
    smaller = list(whole.smaller())
    assert all(len(one.faults) < len(whole.faults) for one in smaller)
    singles = {one.faults for one in smaller if len(one.faults) == len(whole.faults) - 1}
    assert singles >= {whole.faults[:i] + whole.faults[i + 1 :] for i in range(len(whole.faults))}


def test_a_fault_strikes_the_occurrence_it_names() -> None:
    faults = schedule("F9 lost answer place#1")
    now = at("10:00")
    assert [list(faults.strike("place", now)) for _ in range(3)] == [[], ["lost answer"], []]


def test_nothing_strikes_once_it_is_quiet() -> None:
    faults = schedule("F9 lost answer place#0", quiet_after=60)
    assert faults.strike("place", at("09:31")) == {}
    assert faults.after(30, at("09:30")) == at("09:30") + timedelta(seconds=30)
    assert faults.after(300, at("09:30")) == at("09:31")
    assert faults.after(300, at("09:40")) == at("09:40")


def test_a_window_lasts_as_long_as_it_says() -> None:
    faults = schedule("F53 halt @60 30s")
    opened = at("09:30")
    lasts = [faults.during("halt", opened + timedelta(seconds=s)) is not None for s in (59, 60, 89, 90)]
    assert lasts == [False, True, True, False]
    assert [fault.what for _, _, fault in faults.windows("halt", "jump")] == ["halt"]


def test_what_took_effect_is_counted_by_row_of_the_matrix() -> None:
    faults = calm(at("09:30"))
    for what in ("lost answer", "502 answer", "halt"):
        faults.fire(what)
    assert faults.fired_ids() == {"F9": 2, "F53": 1}


def test_each_owner_finds_its_own() -> None:
    one = Schedule.parse("seed 1 safety\nF53 halt @60 30s\nF8 crash @60 1s\nF9 lost answer place#0")
    assert [fault.what for fault in one.owned("market")] == ["halt"]
    assert [fault.what for fault in one.owned("process")] == ["crash"]
