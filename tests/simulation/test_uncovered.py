"""What is uncovered is covered within half a minute of the time in which that could be (I9, G14).

The first order of the session is a condor whose long put never trades: its two shorts and the long call do, a
minute and forty seconds after the open.
"""

import pytest
from rel.planted import planted
from rel.session import Outcome, play

from tomking.sim.faults import Fault, Schedule

TORN = Fault("torn legs", 0, number=13)


def played(*faults: Fault, mistake: str = "") -> Outcome:
    schedule = Schedule(1, (TORN, *faults))
    if not mistake:
        return play(schedule)
    with planted(mistake):
        return play(schedule)


def test_odd_legs_are_covered_once_they_have_been_waited_for() -> None:
    outcome = played()
    assert not outcome.violations
    # Ten seconds in which the missing leg could be late, and one until positions are told.
    assert 10 < outcome.bare < 13


@pytest.mark.parametrize("mistake", ["a_remedy_waits_at_the_mid", "uneven_legs_wait_for_a_person"])
def test_a_desk_that_could_cover_them_and_does_not_is_found(mistake: str) -> None:
    outcome = played(mistake=mistake)
    assert [one.id for one in outcome.violations] == ["I9"]


NOBODY = Fault("no takers", 103, 300.0)
CLOSED = Fault("5xx", 103, 300.0)
HALTED = Fault("halt", 103, 300.0)
BLOCKED = Fault("loop blocked", 103, 110.0)


@pytest.mark.parametrize("fault", [NOBODY, CLOSED, HALTED, BLOCKED], ids=lambda one: one.what)
def test_time_in_which_nobody_could_cover_them_is_told_and_does_not_count(fault: Fault) -> None:
    outcome = played(fault)
    assert not outcome.violations
    assert outcome.longest > 100
    assert outcome.bare < 30


@pytest.mark.parametrize("fault", [NOBODY, CLOSED, HALTED, BLOCKED], ids=lambda one: one.what)
def test_the_time_after_it_counts(fault: Fault) -> None:
    outcome = played(fault, mistake="uneven_legs_wait_for_a_person")
    assert [one.id for one in outcome.violations] == ["I9"]
    assert "could have been covered for 30." in outcome.violations[0].text
    assert outcome.longest > 120
