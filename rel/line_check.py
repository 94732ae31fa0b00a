"""What ``rel.line`` looks for: double and lost orders, a book that is not the venue's, unhandled errors."""

import logging
import threading
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType

from tomking.domain import events as ev
from tomking.domain.book import Book
from tomking.domain.contract import Contract
from tomking.execution.protocol.tags import parsed
from tomking.venue.house import House

MINUTES = 60.0
"""Of the wall, for twenty sessions."""
LEAST_ORDERS = 8
"""A session that reach the venue: fewer show nothing."""


@dataclass
class Found:
    """What was seen, over all sessions."""

    sessions: int = 0
    orders: int = 0
    attempts: int = 0
    fills: int = 0
    double: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    """Where book and venue differ at a session's end."""
    unhandled: list[str] = field(default_factory=list)
    doubts: int = 0
    """Attempts whose fate was unknown for a while."""
    refused: Counter[str] = field(default_factory=Counter)
    """Why orders were not taken, or not even sent."""
    _read: int = 0

    def misses(self, wanted: int, minutes: float) -> list[str]:
        told = [
            name
            for name, lines in (
                ("double orders", self.double),
                ("lost orders", self.lost),
                ("book and venue differ", self.unlike),
                ("unhandled errors", self.unhandled),
            )
            if lines
        ]
        if self.sessions < wanted:
            told.append(f"{self.sessions} of {wanted} sessions")
        if self.orders < LEAST_ORDERS * wanted:
            told.append(f"only {self.orders} orders")
        if minutes > MINUTES * max(wanted, 1) / 20:
            told.append(f"{minutes:.1f} minutes")
        return told

    def look(self, day: date, book: Book, events: list[ev.Event], house: House) -> None:
        """At a session's end: book against the venue's truth, and order against order."""
        self.sessions += 1
        self.unlike += [f"{day}: {line}" for line in unlike(book, house)]
        self._orders(day, events, house)
        new, self._read = events[self._read :], len(events)
        self.refused.update(e.reason[:80] for e in new if isinstance(e, ev.OrderRejected))
        self.fills += sum(isinstance(e, ev.OrderFilled | ev.LateFill) for e in new)
        self.doubts += sum(isinstance(e, ev.OrderUnknown) for e in new)
        raised = [f"{day}: {e.strategy} raised {e.error}" for e in new if isinstance(e, ev.Quarantined)]
        self.unhandled += raised

    def _orders(self, day: date, events: list[ev.Event], house: House) -> None:
        """What the venue has under our tags against what the journal says."""
        known = {e.order.id: e.order for e in events if isinstance(e, ev.OrderSubmitted)}
        booked, traded, tags = Counter[str](), Counter[str](), Counter[str]()
        for event in events:
            if isinstance(event, ev.OrderFilled | ev.LateFill):
                booked[event.fill.order] += event.fill.units
        for ticket in house.account.tickets.values():
            tag = parsed(ticket.tag)
            if tag is None or tag.order not in known:
                self.lost.append(f"{day}: the venue has {ticket.id} ({ticket.tag}), the journal does not")
                continue
            tags[ticket.tag] += 1
            traded[tag.order] += ticket.filled
        self.attempts, self.orders = sum(tags.values()), len(traded)
        self.double += [f"{day}: {tag} is at the venue {n} times" for tag, n in tags.items() if n > 1]
        for id_, order in known.items():
            if traded[id_] > order.units:
                self.double.append(f"{day}: order {id_} traded {traded[id_]} of {order.units} units")
            if traded[id_] != booked[id_]:
                words = f"order {id_} traded {traded[id_]} units, the book has {booked[id_]}"
                self.lost.append(f"{day}: {words}")


class Errors(logging.Handler):
    """Everything that nobody handled: log records of errors, and exceptions that end a thread."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        tail = ""
        if record.exc_info and record.exc_info[1] is not None:
            last = traceback.extract_tb(record.exc_info[2])[-1:]
            where = f" at {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
            tail = f" [{type(record.exc_info[1]).__name__}{where}]"
        self._into.append(f"{record.name}: {record.getMessage()[:300]}{tail}")

    def thread(self, args: threading.ExceptHookArgs) -> None:
        self.raised(args.exc_type, args.exc_value, args.exc_traceback)

    def raised(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        last = traceback.extract_tb(trace)[-1:]
        where = f" at {Path(last[0].filename).name}:{last[0].lineno}" if last else ""
        self._into.append(f"{kind.__name__}: {error}{where}"[:300])


def unlike(book: Book, house: House) -> list[str]:
    """Where the book is not what the venue truly has; at a session's end nothing may be open of that day."""
    ours = Counter[Contract]()
    for position in book.positions.values():
        for leg, units in position.legs():
            ours[leg.contract] += leg.ratio * units
    truth = house.account.true
    lines = [
        f"{contract}: book {ours[contract]}, venue {truth.held.get(contract, 0)}"
        for contract in sorted({*ours, *truth.held}, key=str)
        if ours[contract] != truth.held.get(contract, 0)
    ]
    if book.cash != truth.cash:
        lines.append(f"cash: book {book.cash}, venue {truth.cash}")
    works = [t for t in house.account.tickets.values() if not t.is_over]
    lines += [f"{t.id} ({t.tag}) works on at the venue" for t in works]
    lines += [f"order {id_} works on in the book" for id_ in book.orders]
    lines += [f"foreign: {n:+d} {contract}" for contract, n in book.foreign.items()]
    return lines
