"""An answer is worked out once of each object, and never given for another."""

from dataclasses import dataclass
from weakref import ref

import numpy as np

from tomking.domain.chain import Chain
from tomking.domain.intent import Open
from tomking.domain.kept import MOST, by_identity
from tomking.domain.structure import Structure


def test_the_same_object_is_asked_once_and_an_equal_one_anew() -> None:
    asked: list[list[int]] = []

    @by_identity
    def total(of: list[int]) -> int:
        asked.append(of)
        return sum(of)

    one, equal = [1, 2], [1, 2]
    assert [total(one), total(one), total(equal)] == [3, 3, 3]
    assert asked == [one, equal]


def test_objects_that_are_gone_leave_no_answer_to_those_that_come_in_their_place() -> None:
    @by_identity
    def first(of: list[int]) -> int:
        return of[0]

    # Each list may get the address of one before it; more than are kept, so that some are let go.
    assert [first([n]) for n in range(3 * MOST)] == list(range(3 * MOST))


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Columns:
    """As heavy as a chain, and asked about as briefly."""

    strikes: np.ndarray[tuple[int], np.dtype[np.int64]]


@by_identity
def _highest(columns: Columns) -> int:
    return int(columns.strikes.max())


def test_what_is_asked_about_is_not_kept_alive_by_it() -> None:
    columns = Columns(np.arange(10))
    gone = ref(columns)
    assert [_highest(columns), _highest(columns)] == [9, 9]
    del columns
    assert gone() is None


def test_an_answer_is_forgotten_with_its_object_though_another_takes_its_place() -> None:
    # Each is freed before the next is made, which mostly gets its address.
    assert [_highest(Columns(np.arange(n))) for n in range(1, 200)] == list(range(199))


def test_a_chain_a_wish_and_a_structure_are_not_kept_alive() -> None:
    assert all(kind.__weakrefoffset__ for kind in (Chain, Open, Structure))
