"""A terminal that takes nothing more, or is gone, never stops who writes to it."""

import threading
import time

from tomking.app.live.aside import Aside


def test_lines_come_in_order_and_the_end_waits_for_them() -> None:
    seen: list[int] = []
    one = Aside()
    for n in range(200):
        one.do(lambda n=n: seen.append(n))  # type: ignore[misc]
    one.close()
    assert seen == list(range(200))


def test_a_terminal_that_is_stopped_holds_nobody_up() -> None:
    begun, stopped, seen = threading.Event(), threading.Event(), list[int]()
    one = Aside(most=3)

    def held_up() -> None:
        begun.set()
        stopped.wait()

    one.do(held_up)
    assert begun.wait(5)
    began = time.monotonic()
    for n in range(1000):
        one.do(lambda n=n: seen.append(n))  # type: ignore[misc]
    one.close(patience=0.05)
    assert time.monotonic() - began < 2.0
    stopped.set()


def test_of_pages_that_wait_only_the_newest_is_drawn() -> None:
    stopped, seen = threading.Event(), list[str]()
    one = Aside()
    one.do(stopped.wait)
    for n in range(100):
        one.draw(lambda n=n: seen.append(f"page {n}"))  # type: ignore[misc]
    one.do(lambda: seen.append("line"))
    stopped.set()
    one.close()
    assert seen == ["line", "page 99"]


def test_a_reader_that_has_gone_ends_the_lines_and_nothing_else() -> None:
    def gone() -> None:
        raise BrokenPipeError

    seen: list[int] = []
    one = Aside()
    one.do(gone)
    one.do(lambda: seen.append(1))
    one.close()
    one.do(lambda: seen.append(2))
    assert seen == []
