"""A second account in a process of its own: the two share nothing but the request.

The second process tells the first where it is, then what came of it, through a pipe.  It heeds no Ctrl-C
(whoever started it ends it), ends by itself when nobody reads it any more, and keeps its compiled kernels in
a folder of its own: two processes that fill one at a time would mix up each other's.
"""

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from tomking.app.kernels import VARIABLE, place
from tomking.app.problems import Problem, Problems
from tomking.domain.errors import BadData, OperatingError

T = TypeVar("T")
Tell = Callable[[int, str], None]
"""Sessions done and the last one's date."""

LEAST_DAYS = 500
"""Calendar days from which a second process saves more than its start costs."""


def worthwhile(days: int) -> bool:
    """Whether accounts of so many calendar days are better played beside each other than in turn."""
    return days >= LEAST_DAYS and cores() > 1


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


class Beside(Generic[T]):
    """``work(tell, *given)`` in another process; both must be picklable, by name and by value.

    As a context: whatever ends it ends the process.
    """

    def __init__(self, work: Callable[..., T], *given: object) -> None:
        context = get_context("spawn")
        self._heard, said = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(said, work, given), daemon=True)
        self._at = (0, "")
        self._found: list[T] = []
        with _prepared():
            self._process.start()
        said.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()
        self._heard.close()

    def at(self) -> tuple[int, str]:
        """Sessions it has done and the date of the last.  Raises what it failed with."""
        while not self._found and self._heard.poll():
            self._hear()
        return self._at

    def result(self, waiting: Tell) -> T:
        """What came of it; ``waiting`` is told as it goes on.  Raises what it failed with."""
        while not self._found:
            self._hear()
            waiting(*self._at)
        return self._found[0]

    def _hear(self) -> None:
        try:
            kind, what = self._heard.recv()
        except EOFError:
            self._process.join()
            ended = f"the process of the second account ended with code {self._process.exitcode}"
            raise OperatingError(f"{ended}; was it stopped, or out of memory?") from None
        if kind == "at":
            self._at = what
        elif kind == "found":
            self._found.append(what)
        else:
            raise _as_it_was(kind, what)


@contextmanager
def _prepared() -> Iterator[None]:
    """What a new process inherits: deaf to Ctrl-C, and where its kernels are."""
    before, kernels = os.environ.get(VARIABLE), place() / "beside"
    os.environ[VARIABLE] = str(kernels)
    is_main = threading.current_thread() is threading.main_thread()
    heeded: Any = signal.signal(signal.SIGINT, signal.SIG_IGN) if is_main else None
    try:
        yield
    finally:
        if is_main:
            signal.signal(signal.SIGINT, heeded)
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def _serve(said: Connection, work: Callable[..., object], given: tuple[object, ...]) -> None:
    """The other process, from begin to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def tell(done: int, day: str) -> None:
        said.send(("at", (done, day)))

    try:
        said.send(_outcome(work, tell, given))
    except BrokenPipeError:
        return  # nobody waits for it any more


def _outcome(work: Callable[..., object], tell: Tell, given: tuple[object, ...]) -> tuple[str, object]:
    """What came of the work, or what it failed with in a form that another process can read."""
    try:
        return "found", work(tell, *given)
    except BrokenPipeError:
        raise
    except Problems as error:
        return "problems", error.problems
    except BadData as error:
        return "data", error.problems
    except OperatingError as error:
        return "operating", (str(error),)
    except Exception:  # noqa: BLE001 - whatever it is, it is raised where somebody sees it
        return "bug", (traceback.format_exc(),)


def _as_it_was(kind: str, said: tuple[object, ...]) -> Exception:
    """The exception that ended the work, as if it had been raised here."""
    if kind == "problems":
        return Problems(one for one in said if isinstance(one, Problem))
    lines = tuple(map(str, said))
    if kind == "data":
        return BadData(lines)
    return OperatingError(*lines) if kind == "operating" else SecondAccountError(*lines)


class SecondAccountError(Exception):
    """An unexpected error in the other process; its text is the traceback of there."""
