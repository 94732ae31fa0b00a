"""The book: cash, positions, working orders and every fact a restart must not forget.

``reduce(apply, journal, Book())`` is the whole of recovery: nothing is known that is not here,
and nothing here changes but by its own event.  What each event does is in ``folding``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from operator import attrgetter

from tomking.domain import events as ev
from tomking.domain.contract import Contract
from tomking.domain.day import Day
from tomking.domain.draft import MAPS, Draft
from tomking.domain.folding import REOPEN, happen
from tomking.domain.folding_positions import LOSING_CLOSE_SHARE, record_key
from tomking.domain.money import ZERO
from tomking.domain.order import Fill, Working
from tomking.domain.position import Component, Position
from tomking.domain.record import Record, Trade

__all__ = [
    "LOSING_CLOSE_SHARE",
    "REOPEN",
    "Book",
    "Component",
    "Day",
    "Position",
    "Working",
    "apply",
    "fold",
    "record_key",
    "takes_late",
]


@dataclass(frozen=True, slots=True)
class Book:
    """See the module; ``sequence`` counts the events applied and makes ids."""

    sequence: int = 0
    cash: Decimal = ZERO
    deposits: Decimal = ZERO
    fees: Decimal = ZERO
    positions: Mapping[str, Position] = field(default_factory=dict[str, Position])
    orders: Mapping[str, Working] = field(default_factory=dict[str, Working])
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    levels: Mapping[str, str] = field(default_factory=dict[str, str])
    records: Mapping[str, Record] = field(default_factory=dict[str, Record])
    day: Day = field(default_factory=Day)
    prior_close: Decimal = ZERO
    """Net liq at the last close (deposits before the first)."""
    peak: Decimal = ZERO
    """Highest closing net liq since the last reset, moved by deposits."""
    last_entry: tuple[datetime, str] | None = None
    """When and by which strategy a position was last opened."""
    losing_run: int = 0
    """Losing closes in a row, over sessions; a gain of more than a scratch ends it."""
    worst_close_share: Decimal = ZERO
    """Greatest loss of one position over net liq at the close before it, 0 to 1."""
    just_closed: tuple[Trade, ...] = ()
    """Trades that the last event closed."""
    quarantined: frozenset[str] = frozenset()
    ended: Mapping[str, Working] = field(default_factory=dict[str, Working])
    """Orders that ended in the session under way, as they were then: a late print reopens them."""
    foreign: Mapping[Contract, int] = field(default_factory=dict[Contract, int])
    """Contracts in the account that no position here explains, signed: never closed by the program."""

    def of(self, strategy: str) -> tuple[Position, ...]:
        """A strategy's open positions, oldest first."""
        return tuple(p for p in self.positions.values() if p.strategy == strategy)

    def held(self) -> list[Contract]:
        """Every contract of every open component."""
        return [leg.contract for p in self.positions.values() for leg, _ in p.legs()]


_VALUES = attrgetter(*[one.name for one in fields(Book)])
"""All fields of a book, or of a draft of one."""


def apply(book: Book, event: ev.Event) -> Book:
    """The book after one more event."""
    draft = Draft(set(MAPS), *_VALUES(book))
    happen(draft, event)
    return Book(*_VALUES(draft))


def fold(journal: Iterator[ev.Event]) -> Book:
    """The book of a journal: ``reduce(apply, journal, Book())``, made once."""
    draft = Draft(set(MAPS), *_VALUES(Book()))
    for event in journal:
        happen(draft, event)
    return Book(*_VALUES(draft))


def takes_late(book: Book, fill: Fill) -> bool:
    """Whether a fill of an order that has ended can be booked where it belongs."""
    ended = book.ended.get(fill.order)
    if ended is None or fill.id in ended.fills or ended.filled + fill.units > ended.order.units:
        return False
    order, position = ended.order, book.positions.get(ended.order.position)
    if order.opens:
        return position is not None or order.position == order.id
    return position is not None and all(
        position.components[role].units >= fill.units for role in order.roles if role in position.components
    )
