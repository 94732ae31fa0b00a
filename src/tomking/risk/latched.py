"""What the kill latch says, as levels of the book: so that entries are not even decided.

The latch itself stands before every opening order at the sender; this makes the decision agree with it.
"""

from collections.abc import Iterator
from datetime import datetime

from tomking.domain.book import Book
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.domain.trading import Latch, Trading
from tomking.risk.emergency import MANUAL
from tomking.risk.protect import HALT

SEEN = "latch"
"""Note: when the latch was set that was heeded last."""


def heed(book: Book, latch: Latch, now: datetime) -> tuple[Event, ...]:
    """The events that bring the book's levels to what the latch says; none when they are there.

    HALTED sets ``halt``; REDUCING releases it and sets ``manual`` (closing only until a human releases it);
    ACTIVE releases ``halt``, and ``manual`` too when somebody has set the latch since it was heeded last: the
    closing-only that a VIX of 80 brings ends with a person's ``resume`` and with nothing else (C.9).
    """
    seen = latch.since.isoformat() if latch.since else ""
    is_new = bool(seen) and book.notes.get(SEEN, "") != seen
    return tuple(_events(book, latch, now, seen if is_new else ""))


def _events(book: Book, latch: Latch, now: datetime, seen: str) -> Iterator[Event]:
    halt, manual = book.levels.get(HALT, ""), book.levels.get(MANUAL, "")
    by = latch.by or "latch"
    if latch.state is Trading.HALTED:
        if halt != by:
            yield LevelChanged(now, HALT, halt, by, latch.words)
    elif halt:
        yield LevelChanged(now, HALT, halt, "", latch.words)
    if latch.state is Trading.REDUCING and manual != by and (seen or not manual):
        yield LevelChanged(now, MANUAL, manual, by, latch.words)
    if latch.state is Trading.ACTIVE and manual and seen:
        yield LevelChanged(now, MANUAL, manual, "", latch.words)
    if seen:
        yield Noted(now, SEEN, seen)
