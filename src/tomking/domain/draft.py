"""A book while events are applied to it: the fields of ``Book``, changed in place.

One event changes three or four of two dozen fields, and a restart applies a hundred thousand events before it
may trade: a copy of everything at every step would be most of that time.  A map is the book's own until it is
first changed here, and then a copy, so the book that was begun from stays as it was.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tomking.domain.contract import Contract
from tomking.domain.day import Day
from tomking.domain.order import Working
from tomking.domain.position import Position
from tomking.domain.record import Record, Trade

MAPS = frozenset({"positions", "orders", "notes", "levels", "records", "ended", "foreign"})


@dataclass(slots=True)
class Draft:
    """See the module, and ``Book`` for the fields, which are the same in the same order."""

    lent: set[str]
    """Maps that a book still has: to be copied before they are changed."""
    sequence: int
    cash: Decimal
    deposits: Decimal
    fees: Decimal
    positions: dict[str, Position]
    orders: dict[str, Working]
    notes: dict[str, str]
    levels: dict[str, str]
    records: dict[str, Record]
    day: Day
    prior_close: Decimal
    peak: Decimal
    last_entry: tuple[datetime, str] | None
    losing_run: int
    worst_close_share: Decimal
    just_closed: tuple[Trade, ...]
    quarantined: frozenset[str]
    ended: dict[str, Working]
    foreign: dict[Contract, int]

    def put_position(self, position: Position) -> None:
        if self._is_lent("positions"):
            self.positions = self.positions.copy()
        self.positions[position.id] = position

    def drop_position(self, id_: str) -> None:
        if self._is_lent("positions"):
            self.positions = self.positions.copy()
        del self.positions[id_]

    def put_order(self, working: Working) -> None:
        if self._is_lent("orders"):
            self.orders = self.orders.copy()
        self.orders[working.order.id] = working

    def drop_order(self, id_: str) -> Working:
        if self._is_lent("orders"):
            self.orders = self.orders.copy()
        return self.orders.pop(id_)

    def put_ended(self, working: Working) -> None:
        if self._is_lent("ended"):
            self.ended = self.ended.copy()
        self.ended[working.order.id] = working

    def drop_ended(self, id_: str) -> Working:
        if self._is_lent("ended"):
            self.ended = self.ended.copy()
        return self.ended.pop(id_)

    def put_note(self, key: str, value: str) -> None:
        """The newest is last; an empty value forgets it."""
        if self._is_lent("notes"):
            self.notes = self.notes.copy()
        self.notes.pop(key, None)
        if value:
            self.notes[key] = value

    def put_level(self, name: str, value: str) -> None:
        if self._is_lent("levels"):
            self.levels = self.levels.copy()
        self.levels[name] = value

    def put_record(self, key: str, record: Record) -> None:
        if self._is_lent("records"):
            self.records = self.records.copy()
        self.records[key] = record

    def put_foreign(self, contract: Contract, quantity: int) -> None:
        """The newest is last; none of it is nothing to remember."""
        if self._is_lent("foreign"):
            self.foreign = self.foreign.copy()
        self.foreign.pop(contract, None)
        if quantity:
            self.foreign[contract] = quantity

    def _is_lent(self, name: str) -> bool:
        """Whether it is still a book's; asked once, for then it is copied."""
        if name not in self.lent:
            return False
        self.lent.remove(name)
        return True
