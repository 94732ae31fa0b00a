"""An answer is worked out once of each object, and never given for another."""

from tomking.domain.kept import MOST, by_identity


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
