"""Every state and every step is decided: positions, strategies' own cycles, trading, the latch."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from tests.unit.stressworld import view
from tests.unit.test_book import NOON, opened
from tests.unit.test_protect import SETTINGS, fresh

from tomking.adapters.latch import LatchFile
from tomking.app import control
from tomking.app.problems import Problems
from tomking.domain import events as ev
from tomking.domain.book import apply, fold
from tomking.domain.lifecycle import ALLOWED, State, may_become
from tomking.domain.trading import Latch, Trading
from tomking.risk.protect import HALT, trading_state
from tomking.rules.life import IllegalStep, Life
from tomking.strategies import ALL, build
from tomking.view import Own

B, A, D, E, C = State.BUILDING, State.ACTIVE, State.DEFENDING, State.EXITING, State.CLOSED
STEPS = {(B, A), (B, E), (B, C), (A, D), (A, E), (A, C), (D, A), (D, E), (D, C), (E, A), (E, D), (E, C)}


def test_every_pair_of_position_states_is_decided_and_closed_is_the_end() -> None:
    assert set(ALLOWED) == set(State)
    assert {pair for pair in product(State, State) if may_become(*pair)} == STEPS
    assert not any(may_become(C, then) for then in State)


@pytest.mark.parametrize("pair", [*product(State, State)], ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_the_book_takes_the_steps_of_the_table_and_no_other(pair: tuple[State, State]) -> None:
    before, after = pair
    held = fold(iter(opened()))
    held = replace(held, positions={"1": replace(held.positions["1"], state=before)})
    step = ev.Transitioned(NOON, "1", before, after, "test")
    if pair not in STEPS:
        with pytest.raises(AssertionError, match="may not become"):
            apply(held, step)
    elif after is State.CLOSED:
        with pytest.raises(AssertionError, match="still holds"):
            apply(held, step)
    else:
        assert apply(held, step).positions["1"].state is after


# --------------------------------------------------------------------------------- strategies' cycles


LIVES = {id_: life for id_ in ALL if (life := build(id_).life) is not None}
OWN = Own("test", 4, Decimal(100_000), "GREEN", (), (), {}, (), {})


def test_most_strategies_have_a_cycle_of_their_own_and_every_stage_is_reached_from_its_first() -> None:
    assert len(LIVES) >= 10
    for id_, life in LIVES.items():
        reached, new = {life.first}, [life.first]
        while new:
            new = [then for then in life.ways[new.pop()] if then not in reached] + new
            reached |= set(new)
        assert reached == set(life.ways), id_


@pytest.mark.parametrize("id_", [*LIVES])
def test_a_cycle_steps_along_its_table_stays_where_it_is_and_refuses_every_other_pair(id_: str) -> None:
    ways = LIVES[id_].ways
    held = fold(iter(opened())).positions["1"]
    for before, after in product(ways, ways):
        life = Life(ways, lambda *_, after=after: (after, "why"))
        position = replace(held, stage=before)
        if after in ways[before] and after != before:
            step = life.step(view(), OWN, position)
            assert step is not None
            assert (step.before, step.after, step.trigger) == (before, after, "why")
        elif after == before:
            assert life.step(view(), OWN, position) is None
        else:
            with pytest.raises(IllegalStep, match=f"from {before} to {after}"):
                life.step(view(), OWN, position)


def test_a_cycle_begins_at_its_first_stage_once_the_position_is_built() -> None:
    held = fold(iter(opened())).positions["1"]
    for life in LIVES.values():
        assert life.step(view(), OWN, replace(held, state=B)) is None
        step = life.step(view(), OWN, held)
        assert step is not None
        assert (step.before, step.after, step.context) == ("", life.first, "index 5500.00, VIX 16.00")


# ------------------------------------------------------------------------------------------ trading

LATER = NOON + timedelta(minutes=5)
Act = Callable[[LatchFile], object]
ACTS: dict[str, Act] = {
    "halt": lambda latch: control.halt(latch, "ben", "", LATER),
    "reduce": lambda latch: control.reduce(latch, "ben", "", LATER),
    "resume": lambda latch: control.resume(latch, latch.read(), "ben", "", LATER),
}
R, H, T = Trading.REDUCING, Trading.HALTED, Trading.ACTIVE
BECOMES: dict[tuple[Trading, str], Trading | None] = {
    (T, "halt"): H,
    (T, "reduce"): R,
    (T, "resume"): T,
    (R, "halt"): H,
    (R, "reduce"): R,
    (R, "resume"): T,
    (H, "halt"): H,
    (H, "reduce"): None,  # would loosen: refused
    (H, "resume"): T,
}


@pytest.mark.parametrize("pair", [*product(Trading, ACTS)], ids=lambda pair: f"{pair[0]}-{pair[1]}")
def test_every_act_of_a_person_is_decided_in_every_state_of_the_latch(
    pair: tuple[Trading, str], tmp_path: Path
) -> None:
    state, act = pair
    latch = LatchFile(tmp_path)
    latch.exchange(latch.read(), Latch(state, NOON, "anna", ""))
    becomes = BECOMES[pair]
    if becomes is None:
        with pytest.raises(Problems, match="closing only would loosen that"):
            ACTS[act](latch)
        assert latch.read() == Latch(state, NOON, "anna", "")
    else:
        ACTS[act](latch)
        assert latch.read() == Latch(becomes, LATER, "ben", "")
    assert latch.read().opens is (becomes is T)


def test_of_what_stops_trading_the_strongest_is_told() -> None:
    """Halted by hand before closing only; then what the levels say, strongest first."""
    levels = {"phase": "3"}
    assert trading_state(fresh(levels=levels), SETTINGS) == ("ACTIVE", "")
    told = []
    for name, value in (
        ("drawdown", "ORANGE"),
        ("emergency", "2"),
        ("breaker", "2"),
        ("manual", "VIX 82"),
        (HALT, "anna"),
    ):
        levels[name] = value
        told.append(trading_state(fresh(levels=levels), SETTINGS))
    assert [state for state, _ in told] == ["REDUCING"] * 4 + ["HALTED"]
    assert [why for _, why in told][1:] == [
        "emergency level 2",
        "circuit breaker level 2",
        "closing only until a human releases it: VIX 82",
        "halted: anna",
    ]
