"""What the kernel believes: the book, each event durable before it counts, and what is worked out of it.

Everything else of the kernel stands on this: it records, moves positions' states, asks for the end of orders,
says refusals, and values the book.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import is_

import numpy as np
from numpy.typing import NDArray

from tomking.domain import events as ev
from tomking.domain.book import Book, Position, Working, apply, fold
from tomking.domain.calendar import Session
from tomking.domain.intent import Urgency
from tomking.domain.lifecycle import State
from tomking.execution.collar import LastSound
from tomking.execution.marking import LastMids, Marks, Table, Values, marked, table_of
from tomking.kernel.holdings import Holdings, Mine, is_halfway
from tomking.kernel.parts import Parts
from tomking.view import Own

HALFWAY = "the next part of the exit"
"""Stands for the trigger of an exit that goes on: what covers is sold after what it covers was bought."""


class Belief:
    """A book, the parts around it, and what was worked out of both."""

    def __init__(self, parts: Parts, book: Book | None = None) -> None:
        """``book``: the fold of the journal where somebody has it already; None folds it here."""
        self._at = parts
        self.book: Book = fold(parts.journal.read()) if book is None else book
        self._again: dict[tuple[str, str, str], int] = {}
        self._last_mids = LastMids()
        self._sound = LastSound()
        self._table: tuple[object, Table] | None = None
        self._marks = Marks(self.book.cash, Values())
        self._marks_of: tuple[object, object, object] = (None, None, None)
        self._mids: NDArray[np.float64] = np.empty(0)
        self._holdings = Holdings()
        self._wakes: dict[str, tuple[Mine, Session, datetime, datetime]] = {}
        self._rested_of: tuple[object, ...] = ()
        self._owns: dict[str, tuple[Mine, Marks, object, Own]] = {}
        self._asked: set[tuple[str, str]] = set()
        self._is_fresh = True
        self._sent = False
        self._unquoted = False
        self._unsettled = False
        self._sleeps: tuple[Book, datetime] | None = None
        """The book when it last had nothing left to do, and until when."""
        self._slept = False

    def record(self, event: ev.Event) -> None:
        """Durable first, then believed."""
        self._at.journal.append(event)
        self.book = apply(self.book, event)
        if self._at.observe is not None:
            self._at.observe(self.book, event)

    def _record_all(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            self.record(event)

    def value(self, now: datetime) -> Marks:
        """The book at the mids, with the table of its legs rebuilt when positions changed."""
        if self._table is None or self._table[0] is not self.book.positions:
            self._table = (self.book.positions, table_of(self.book))
            self._last_mids.keep(frozenset(self._table[1].contracts))

        table = self._table[1]
        mids = self._at.market.marks(table.contracts, now)
        made_of = (table, self.book.cash, mids)
        # The very same column: nothing was printed since, and everything stands that was made of it.
        if not all(map(is_, made_of, self._marks_of)):
            self._marks = marked(table, self.book.cash, mids, self._last_mids)
            self._marks_of, self._mids = made_of, mids
        return self._marks

    def _own(self, strategy: str) -> Own:
        """A strategy's own holdings, made anew when they, their marks or the levels have changed."""
        mine, levels = self._holdings.of(self.book, strategy), self.book.levels
        known = self._owns.get(strategy)
        if known is None or known[0] is not mine or known[1] is not self._marks or known[2] is not levels:
            known = (mine, self._marks, levels, self._make_own(strategy, mine))
            self._owns[strategy] = known
        return known[3]

    def _make_own(self, strategy: str, mine: Mine) -> Own:
        return Own(
            strategy=strategy,
            phase=self._at.risk.phase(self.book),
            net_liq=self._marks.net_liq,
            drawdown_level=self._at.risk.drawdown_level(self.book),
            positions=mine.positions,
            orders=mine.orders,
            notes=mine.notes or {},
            entered=mine.entered,
            values=self._marks.values.made(),
            barred=self._at.risk.barred(self.book, strategy),
        )

    def _live_on(self, id_: str, trigger: str, now: datetime) -> None:
        """Moves a position's state to what its components and orders say it is."""
        position = self.book.positions.get(id_)
        if position is None:
            return
        opening = any(w.order.opens and w.order.position == id_ for w in self.book.orders.values())
        if not position.open_components and not opening:
            self._become(position, State.CLOSED, trigger, now)
        elif position.state is State.BUILDING and not opening:
            self._become(position, State.ACTIVE, trigger, now)
        elif is_halfway(position) and trigger != HALFWAY:
            self._become(position, State.ACTIVE, "exit did not complete", now)

    def _become(self, position: Position, state: State, trigger: str, now: datetime) -> None:
        if position.state is not state:
            self.record(ev.Transitioned(now, position.id, position.state, state, trigger))

    def _cancel(self, id_: str, reason: str, now: datetime) -> None:
        if not self.book.orders[id_].cancelling:
            self.record(ev.CancelRequested(now, id_, reason))
            self._at.broker.cancel(id_, now)
            self._sent = True

    def _decline(self, strategy: str, entry: str, code: str, details: tuple[str, ...], now: datetime) -> None:
        """A refusal is written once per session, entry and code; repetitions are counted."""
        key = (strategy, entry, code)
        if key in self.book.day.declined:
            self._again[key] = self._again.get(key, 0) + 1
        else:
            self.record(ev.Declined(now, strategy, entry, code, details))


def rests(working: Working) -> bool:
    return working.order.urgency is Urgency.TARGET
