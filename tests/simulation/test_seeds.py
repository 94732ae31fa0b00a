"""A short run of the simulation harness: seeded faults, every invariant after every event."""

from functools import cache
from pathlib import Path

import pytest
from rel.mutants import MUTANTS
from rel.planted import LEAST_MUTANTS, found
from rel.session import play
from rel.sim import Total, run, schedule_of, shrunk, told

from tomking.sim.faults import Fault, Schedule

CORPUS = Path(__file__).parent / "corpus"
SEEDS = 30
HARD = {"I1", "I2", "I3", "I13", "I17", "I19", "I22"}
"""What loses money at once: none of these has ever been allowed to wait."""


@cache
def seeds() -> Total:
    return run(first=0, count=SEEDS, jobs=1, mode="both")


@pytest.mark.slow
def test_no_seed_sends_twice_flips_a_close_or_opens_when_halted() -> None:
    broken = [one for one in seeds().broken if HARD & {v.id for v in one.violations}]
    assert not broken, "\n".join(told(one, shrink=False) for one in broken)
    assert seeds().fills > SEEDS  # they traded: a session that does nothing breaks nothing


@pytest.mark.slow
def test_no_seed_breaks_any_invariant() -> None:
    assert not seeds().broken, "\n".join(told(one, shrink=False) for one in seeds().broken)


def test_a_calm_session_trades_and_ends_as_the_broker_says() -> None:
    outcome = play(Schedule(1))
    assert not outcome.violations, told(outcome, shrink=False)
    assert outcome.fills >= 20
    assert outcome.bare == 0  # nothing is uncovered where nothing goes wrong


def test_a_seed_leaves_the_same_trace_again() -> None:
    first, second = (play(schedule_of(3)) for _ in range(2))
    assert first.trace == second.trace
    assert first.events == second.events


def test_another_seed_is_another_trace() -> None:
    assert play(schedule_of(4)).trace != play(schedule_of(5)).trace


def test_a_schedule_is_played_alike_from_its_text() -> None:
    schedule = schedule_of(8)
    assert play(Schedule.parse(schedule.text())).trace == play(schedule).trace


def test_a_mistake_is_found_and_its_schedule_shrunk() -> None:
    # A close that is not strict needs no fault at all to be seen at the socket.
    name, count, ids = found("closes_are_not_strict", 20)
    assert (name, ids) == ("closes_are_not_strict", ["I3"])
    assert count is not None


def test_shrinking_leaves_only_what_matters() -> None:
    killed, silent = Fault("kill pressed", 300), Fault("no takers", 1_700, 10.0)
    schedule = Schedule(1, (silent, killed))
    outcome = play(schedule)
    assert not outcome.violations
    assert shrunk(schedule, ["I13"]) == schedule  # what breaks nothing is not made smaller


def test_there_are_enough_planted_mistakes() -> None:
    assert len(MUTANTS) >= LEAST_MUTANTS
    assert all(plant.__doc__ or name.startswith("not_found") for name, plant in MUTANTS.items())


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_once_broke_an_invariant_does_not_any_more(path: Path) -> None:
    outcome = play(Schedule.parse(path.read_text()))
    assert not outcome.violations, told(outcome, shrink=False)
