"""The chain of hashes every journal is, and the journal that keeps it in memory.

Every row carries ``sha256(digest before || canonical text)``, so the last digest stands for the whole list;
nothing of this machine, its clock or its paths goes into it, so one seed gives one digest in every journal.
It needs the standard library only: the core's tests run on it.
"""

from collections.abc import Iterator
from hashlib import sha256

from tomking.adapters.codec import encode, labelled
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event

GENESIS = "0" * 64
"""The digest before the first event."""
DAMAGED = "do not trade on it: restore a backup (tomking backup restore), or compare it with the broker first"
"""What to do about a journal that is not what was written."""


def chained(digest: str, text: str) -> str:
    """The next hex digest of the chain."""
    return sha256((digest + text).encode()).hexdigest()


def verified_event(where: str, sequence: int, text: str, digest: str, before: str) -> tuple[Event, str, str]:
    """The event of a row with its name and instant as written.  ``OperatingError`` when the chain breaks."""
    try:
        whole = chained(before, text) == digest
    except (TypeError, UnicodeEncodeError):  # a damaged cell that is no text any more
        whole = False
    if not whole:
        raise OperatingError(f"{where}: the chain of hashes breaks at event {sequence}; {DAMAGED}")
    try:
        return labelled(text)
    except OperatingError as error:
        raise OperatingError(f"{where}: event {sequence}: {error}") from error


class MemoryJournal:
    """The ``Journal`` port for tests and short runs.  Holds the texts, so it reads as a file does."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []
        self._head = GENESIS

    def append(self, event: Event) -> None:
        text = encode(event)
        self._head = chained(self._head, text)
        self._rows.append((text, self._head))

    def commit(self) -> None:
        """Nothing to do: memory is as durable as it gets."""

    def read(self) -> Iterator[Event]:
        before = GENESIS
        for sequence, (text, digest) in enumerate(self._rows, start=1):
            yield verified_event("journal in memory", sequence, text, digest, before)[0]
            before = digest

    def head(self) -> str:
        return self._head

    def __len__(self) -> int:
        return len(self._rows)
