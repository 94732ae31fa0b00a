"""The watchdog beside a loop that stands (F40): real threads, and a clock of the test's."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tomking.app.live import watchdog
from tomking.app.live.watchdog import Watchdog

PATIENCE = 5.0


class Loop:
    """A loop's clock and what the watchdog did about it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.blocked: list[float] = []
        self.lost: list[float] = []
        self.barked = threading.Event()
        self.gone = threading.Event()

    def is_blocked(self, seconds: float) -> None:
        self.blocked.append(seconds)
        self.barked.set()

    def is_lost(self, seconds: float) -> None:
        self.lost.append(seconds)
        self.gone.set()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def dog(loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.01)
    return Watchdog(tmp_path / "stacks.txt", loop.is_blocked, loop.is_lost, wall=lambda: loop.seconds)


def guarded(dog: Watchdog, work: Callable[[], None]) -> None:
    dog.start()
    try:
        work()
    finally:
        dog.close()


def test_a_loop_that_stands_for_more_than_five_seconds_is_told_with_its_stacks(
    dog: Watchdog, loop: Loop, tmp_path: Path
) -> None:
    def work() -> None:
        loop.seconds = 5.5
        assert loop.barked.wait(PATIENCE)

    guarded(dog, work)
    assert loop.blocked == [5.5]
    assert loop.lost == []
    # This very test is what the standing loop was doing.
    assert "test_watchdog.py" in (tmp_path / "stacks.txt").read_text(encoding="utf-8")


def test_it_barks_once_for_each_time_that_the_loop_stands(dog: Watchdog, loop: Loop) -> None:
    def work() -> None:
        loop.seconds = 6.0
        assert loop.barked.wait(PATIENCE)
        loop.barked.clear()
        loop.seconds = 8.0
        assert not loop.barked.wait(0.1)
        dog.alive()
        loop.seconds = 14.0
        assert loop.barked.wait(PATIENCE)

    guarded(dog, work)
    assert loop.blocked == [6.0, 6.0]


def test_after_a_minute_nobody_will_get_it_going_again_and_that_is_said_once(
    dog: Watchdog, loop: Loop
) -> None:
    def work() -> None:
        loop.seconds = 61.0
        assert loop.gone.wait(PATIENCE)
        loop.gone.clear()
        loop.seconds = 120.0
        assert not loop.gone.wait(0.1)

    guarded(dog, work)
    assert (loop.blocked, loop.lost) == ([61.0], [61.0])


def test_a_loop_that_turns_hears_nothing(dog: Watchdog, loop: Loop) -> None:
    def work() -> None:
        for second in range(100):
            loop.seconds = float(second)
            dog.alive()

    guarded(dog, work)
    assert (loop.blocked, loop.lost) == ([], [])


def test_stacks_that_cannot_be_written_do_not_keep_it_from_telling(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK_EVERY", 0.01)
    dog = Watchdog(tmp_path / "no such folder" / "stacks.txt", loop.is_blocked, wall=lambda: loop.seconds)

    def work() -> None:
        loop.seconds = 9.0
        assert loop.barked.wait(PATIENCE)

    guarded(dog, work)
    assert loop.blocked == [9.0]
