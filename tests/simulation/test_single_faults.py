"""One fault by itself, struck again and again in a session: nothing is lost, doubled or left uncovered.

The seeds of ``rel.sim`` mix faults.  Here those that people, machines and markets bring have a session of
their own; what the line and the venue do wrong has its own tests in those of the order desk.
"""

import pytest
from rel.session import play
from rel.sim import told

from tomking.sim.faults import INSTANT, KINDS, Fault, Schedule

COUNTS = (0, 2, 5, 9)
"""Occurrences that are struck."""
INSTANTS = (240, 700)
"""Seconds after the open: in the first entries, and in the middle of a session of half an hour."""
LONGEST = 90.0
ALONE = (
    "strategy raises", "runaway", "write error", "disk full", "crash loop", "loop blocked", "hand trade",
    "hand close", "kill pressed", "stale restore", "jump", "halt", "maintenance", "5xx", "closed early",
    "burst",
)  # fmt: skip


def schedule_of(what: str) -> Schedule:
    """Liveness: after the last of them all must come right, but for what a person has to mend."""
    kind = KINDS[what]
    places = INSTANTS if kind.subject == INSTANT else COUNTS
    low, high = kind.seconds
    faults = [Fault(what, at, min(LONGEST, max(low, high / 4)), max(kind.number) or 0) for at in places]
    return Schedule(1, tuple(faults), None if what == "stale restore" else 1_500)


@pytest.mark.slow
@pytest.mark.parametrize("what", ALONE)
def test_a_fault_by_itself_breaks_nothing(what: str) -> None:
    outcome = play(schedule_of(what))
    assert not outcome.violations, told(outcome, shrink=False)
    assert outcome.fired[KINDS[what].id], f"{what} never struck"
