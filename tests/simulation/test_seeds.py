"""A short run of the simulation harness: seeded faults, every invariant after every event."""

from pathlib import Path

import pytest
from rel.session import play
from rel.sim import run, schedule_of, told

from tomking.sim.faults import Schedule

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.slow
def test_a_hundred_seeds_of_faults_break_no_invariant() -> None:
    total = run(first=0, count=100, jobs=1, mode="both")
    assert not total.broken, "\n".join(told(one, shrink=False) for one in total.broken)
    assert total.fills > 100  # they traded: a session that does nothing breaks nothing


def test_a_seed_leaves_the_same_trace_again() -> None:
    first, second = (play(schedule_of(3)) for _ in range(2))
    assert first.trace == second.trace
    assert first.events == second.events


def test_another_seed_is_another_trace() -> None:
    assert play(schedule_of(4)).trace != play(schedule_of(5)).trace


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_once_broke_an_invariant_does_not_any_more(path: Path) -> None:
    outcome = play(Schedule.parse(path.read_text()))
    assert not outcome.violations, told(outcome, shrink=False)
