"""The journal of paper and live: durable event by event, and what happens when the disk fails.

1. An event that cannot be written is told to ``on_failure`` at once (halt, alert), and the reserve is freed.
2. An intent to open is not written anywhere: ``OperatingError``, so that nothing is sent; and none will be.
3. Everything else (exits, fills, cancels) is tried once more on the journal opened anew, and then goes to the
   emergency log, which needs no room.  The chain of hashes goes on.
4. At the next start the log is written into the journal before anything is believed, and cleared.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Self

from tomking.adapters.codec import decode, encode
from tomking.adapters.emergency import EmergencyLog, Logged, Reserve
from tomking.adapters.journal import GENESIS, Origin, SqliteJournal, chained
from tomking.adapters.witness import Head
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event, OrderRejected, OrderSubmitted

UNSENT = "its write was reported as failed, so it was never sent"


class LiveJournal:
    """The ``Journal`` port of paper and live, with its emergency.  ``failed`` says why it is in one."""

    def __init__(
        self,
        path: Path,
        origin: Origin,
        *,
        reserve: Reserve,
        log: EmergencyLog,
        on_failure: Callable[[str], object],
        vfs: str = "",
    ) -> None:
        """``on_failure`` is told once, in words, before anything else is tried; it must not raise."""
        self._path, self._origin, self._vfs = path, origin, vfs
        self._reserve, self._log, self._on_failure = reserve, log, on_failure
        self.failed: str | None = None
        self._is_logging = False
        self._logged: list[str] = []
        self._journal = self._opened()
        try:
            left = log.read()
            if left is not None:
                _taken_over(path, self._journal, left)
                log.clear()
        except BaseException:
            self._journal.close()
            raise
        self._head = Head(len(self._journal), self._journal.head())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, event: Event) -> None:
        text = encode(event)
        after = Head(self._head.sequence + 1, chained(self._head.digest, text))
        opens = isinstance(event, OrderSubmitted) and event.order.opens
        if self.failed and opens:
            raise OperatingError(
                f"{self._path}: halted since a write failed ({self.failed}); nothing is opened"
            )
        if self._is_logging:
            self._to_log(text)
        else:
            self._write(event, text, after, opens=opens)
        self._head = after

    def commit(self) -> None:
        """Nothing to do: each event is durable when ``append`` returns."""

    def read(self) -> Iterator[Event]:
        if self._is_logging:
            self._reopened()
        yield from islice(self._journal.read(), self._head.sequence - len(self._logged))
        yield from map(decode, self._logged)

    def head(self) -> str:
        return self._head.digest

    def __len__(self) -> int:
        return self._head.sequence

    def close(self) -> None:
        self._journal.close()

    def _opened(self) -> SqliteJournal:
        return SqliteJournal(self._path, each_durable=True, origin=self._origin, vfs=self._vfs)

    def _write(self, event: Event, text: str, after: Head, *, opens: bool) -> None:
        try:
            self._journal.append(event)
        except OperatingError as error:
            self._fail(str(error))
            there = self._reopened()
            if there == after:
                return  # it is on the disk after all; whatever it opens is stopped by the halt
            if opens:
                raise
            if there != self._head or not self._is_written(event):
                self._to_log(text)

    def _fail(self, words: str) -> None:
        if self.failed is None:
            self.failed = words
            self._on_failure(words)
        self._reserve.free()

    def _reopened(self) -> Head | None:
        """Where the journal ends, opened anew; None when it cannot be opened."""
        self._journal.close()
        try:
            self._journal = self._opened()
        except OperatingError:
            return None
        return Head(len(self._journal), self._journal.head())

    def _is_written(self, event: Event) -> bool:
        try:
            self._journal.append(event)
        except OperatingError:
            return False
        return True

    def _to_log(self, text: str) -> None:
        if not self._is_logging:
            self._log.begin(self._head)
            self._is_logging = True
        self._log.append(text)
        self._logged.append(text)


def _taken_over(path: Path, journal: SqliteJournal, left: Logged) -> None:
    """Writes what an emergency left in the log behind the journal, once, whenever this is interrupted.

    The journal may have one event more than was known when the emergency began: the intent whose write was
    reported as failed, and which therefore was never sent.  It is written down as rejected first.
    """
    known, logged = left.after.sequence, list(left.texts)
    digests = journal.digests()
    if len(digests) < known or (digests[known - 1] if known else GENESIS) != left.after.digest:
        raise OperatingError(
            f"{path}: is not the journal that the emergency log follows (after event {known}); restore that "
            "one: the log is left as it is"
        )
    later = list(journal.read())[known:]
    texts = [encode(event) for event in later]
    done = next(k for k in range(len(logged), -1, -1) if logged[:k] == texts[len(texts) - k :])
    unsent = later[: len(later) - done]
    for event in _rejections(path, unsent):
        journal.append(event)
    for text in logged[done:]:
        journal.append(decode(text))


def _rejections(path: Path, unsent: list[Event]) -> list[Event]:
    """What is still to be written of intents that were never sent."""
    match unsent:
        case []:
            return []
        case [OrderSubmitted(at, order)]:
            return [OrderRejected(at, order.id, UNSENT)]
        case [OrderSubmitted(at, order), OrderRejected() as said] if said == OrderRejected(
            at, order.id, UNSENT
        ):
            return []
        case _:
            raise OperatingError(
                f"{path}: has {len(unsent)} events that the emergency log does not know; compare both with "
                "the broker before anything is traded"
            )
