"""What a journal says, beside an engine that may be writing it: of a copy, so nothing about it changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tomking.adapters.latch import LatchFile
from tomking.app.control import state_folder
from tomking.app.live import picture as pictures
from tomking.app.live.folder import Folder, newest
from tomking.app.live.latch import own_latch, tightest
from tomking.app.live.telling import words
from tomking.app.locks import Mode
from tomking.app.standing import events_of
from tomking.domain import events as ev
from tomking.domain.book import Book, apply
from tomking.domain.calendar import new_york
from tomking.domain.trading import Latch


@dataclass(frozen=True, slots=True)
class Read:
    """A journal's events, its book, and what its engine last showed of itself."""

    folder: Folder
    events: tuple[ev.Event, ...]
    books: tuple[Book, ...]
    """After each event."""
    latch: Latch
    shown: Mapping[str, Any] | None
    """The engine's last picture; None where there is none."""

    @property
    def book(self) -> Book:
        return self.books[-1]

    @property
    def at(self) -> datetime:
        """The instant of the last event."""
        return self.events[-1].at

    @property
    def day(self) -> date:
        """New York's, of the last event."""
        return new_york(self.at).date()


EMPTY = "nothing has been traded on paper yet (tomking paper)"


def read(journal: Path | None, environment: Mapping[str, str]) -> Read:
    """The journal named, or the one written last.  ``Problems`` (6) when it cannot be had."""
    state = state_folder(environment)
    folder = newest(state) if journal is None else Folder(journal.parent)
    events = tuple(events_of(folder.journal if journal is None else journal, EMPTY))
    books, book = [], Book()
    for event in events:
        book = apply(book, event)
        books.append(book)
    mode = Mode.LIVE if folder.path.parent.name == Mode.LIVE.value else Mode.PAPER
    latch = tightest(own_latch(mode, folder.path, state), LatchFile(state))
    return Read(folder, events, tuple(books), latch, pictures.read(folder.picture))


@dataclass(frozen=True, slots=True)
class Reason:
    """One decision, and why."""

    at: datetime
    strategy: str
    text: str


def reasons(found: Read, day: date, strategy: str | None) -> list[Reason]:
    """What was decided on a day, done or not, in order; of one strategy, or of all."""
    return [
        one
        for one in _reasons(found, day)
        if strategy is None or not one.strategy or one.strategy == strategy
    ]


def _reasons(found: Read, day: date) -> Iterator[Reason]:
    for event, book in zip(found.events, found.books, strict=True):
        if new_york(event.at).date() != day or isinstance(event, ev.OrderRepriced):
            continue
        text = words(book, event)
        if isinstance(event, ev.DeclinedAgain):
            text = f"{event.strategy} {event.entry}: {event.code}, {event.times} more times"
        if text:
            yield Reason(event.at, strategy_of(event, book), text)


def strategy_of(event: ev.Event, book: Book) -> str:
    """Whose decision it is; empty where it concerns the account."""
    match event:
        case ev.EntryApproved() | ev.Declined() | ev.DeclinedAgain() | ev.Quarantined():
            return event.strategy
        case ev.OrderSubmitted(_, order):
            return order.strategy
        case ev.OrderFilled(_, fill) | ev.LateFill(_, fill):
            return _owner(book, fill.order)
        case ev.Transitioned() | ev.Staged() | ev.Settled() | ev.Paid():
            position = book.positions.get(event.position)
            return "" if position is None else position.strategy
        case _:
            id_: object = getattr(event, "order", None)
            return _owner(book, id_) if isinstance(id_, str) else ""


def _owner(book: Book, id_: str) -> str:
    working = book.orders.get(id_) or book.ended.get(id_)
    return "" if working is None else working.order.strategy


def sessions_of(events: Sequence[ev.Event]) -> list[date]:
    """The days on which anything was journalled, ascending."""
    return sorted({new_york(event.at).date() for event in events})
