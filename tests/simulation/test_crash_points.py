"""The points at which rel.crash kills an engine: each is come to as often as it is counted."""

import os
from collections import Counter

import pytest
from rel.crash import Kill, Points, kills


class Killed(Exception):
    """In the place of SIGKILL."""


@pytest.fixture(autouse=True)
def killed(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(os, "kill", kill)


@pytest.mark.parametrize("nth", [1, 2])
def test_of_two_like_messages_that_come_at_once_either_can_be_the_last(nth: int) -> None:
    points = Points(Kill("receive report filled", nth, after=True))
    # Both are counted before either is done with, as they are taken together.
    counted = [points.before("receive report filled") for _ in range(2)]
    assert counted == [1, 2]
    for one in counted[: nth - 1]:
        points.after("receive report filled", one)
    with pytest.raises(Killed):
        points.after("receive report filled", counted[nth - 1])


def test_before_is_before_and_other_points_are_passed() -> None:
    points = Points(Kill("submit Cancel", 2, after=False))
    points.after("submit Cancel", points.before("submit Cancel"))
    points.before("persist Noted")
    with pytest.raises(Killed):
        points.before("submit Cancel")
    assert points.seen == {"submit Cancel": 2, "persist Noted": 1}


def test_each_point_is_killed_before_and_after_its_first_and_its_last_time() -> None:
    seen = Counter({"persist Noted": 3, "submit Cancel": 1})
    assert [str(one) for one in kills(seen)] == [
        "before persist Noted #1",
        "after persist Noted #1",
        "before persist Noted #3",
        "after persist Noted #3",
        "before submit Cancel #1",
        "after submit Cancel #1",
    ]
