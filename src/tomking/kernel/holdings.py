"""What of the book belongs to which strategy.

Worked out when a part of the book changes, and handed out as the same object until something of that
strategy's own changes: wakes stand as long as that.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import is_
from typing import TypeVar

from tomking.domain.book import Book, Position, Working
from tomking.domain.kept import by_identity
from tomking.domain.lifecycle import State

T = TypeVar("T")

EXIT = "exit: "
"""Begins the name of what is declined when an exit cannot be priced."""


@dataclass(frozen=True, slots=True, eq=False)
class Mine:
    """One strategy's part of the book."""

    positions: tuple[Position, ...] = ()
    orders: tuple[Working, ...] = ()
    notes: Mapping[str, str] | None = None
    """Without the strategy's prefix; None: none."""
    entered: tuple[str, ...] = ()
    unpriced: bool = False
    """An exit of its found no quote today."""
    halfway: bool = False
    """A part of one of its exits has filled, and the next part is still to be sent."""


NOTHING = Mine()


def is_halfway(position: Position | None) -> bool:
    """A part of its exit has filled, and the next part is still to be sent."""
    return position is not None and position.state is State.EXITING and not position.is_working


@by_identity
def halfway(positions: Mapping[str, Position]) -> tuple[Position, ...]:
    """Those whose exit goes on."""
    return tuple(filter(is_halfway, positions.values()))


@by_identity
def behind(positions: Mapping[str, Position]) -> tuple[str, ...]:
    """Ids of those whose state may have fallen behind what their components say."""
    return tuple(p.id for p in positions.values() if p.state is State.BUILDING or not p.open_components)


class Holdings:
    """The book split by strategy."""

    def __init__(self) -> None:
        self._book: Book | None = None
        self._of: tuple[object, ...] = ()
        self._mine: dict[str, Mine] = {}

    def of(self, book: Book, strategy: str) -> Mine:
        """Its part of ``book``: the same object while nothing of it has changed."""
        return (self._mine if book is self._book else self.all(book)).get(strategy, NOTHING)

    def all(self, book: Book) -> Mapping[str, Mine]:
        """The same of every strategy that has any."""
        if book is not self._book:
            made_of = (book.positions, book.orders, book.notes, book.day)
            if len(self._of) != len(made_of) or not all(map(is_, self._of, made_of)):
                self._of = made_of
                self._mine = self._split(book)
            self._book = book
        return self._mine

    def _split(self, book: Book) -> dict[str, Mine]:
        positions, orders, notes = _positions(book.positions), _orders(book.orders), _notes(book.notes)
        entered, unpriced = _entered(book.day.entered), _unpriced(book.day.declined)
        return {
            strategy: self._kept(
                strategy,
                Mine(
                    mine := positions.get(strategy, ()),
                    orders.get(strategy, ()),
                    notes.get(strategy),
                    entered.get(strategy, ()),
                    strategy in unpriced,
                    any(map(is_halfway, mine)),
                ),
            )
            for strategy in {*positions, *orders, *notes, *entered, *unpriced}
        }

    def _kept(self, strategy: str, new: Mine) -> Mine:
        """The old object where it says the same."""
        old = self._mine.get(strategy)
        if old is None:
            return new
        same = (
            len(old.positions) == len(new.positions)
            and len(old.orders) == len(new.orders)
            and all(map(is_, old.positions, new.positions))
            and all(map(is_, old.orders, new.orders))
            and (old.notes, old.entered, old.unpriced) == (new.notes, new.entered, new.unpriced)
        )
        return old if same else new


# ------------------------------------------------------- parts of the book, each split when it has changed


@by_identity
def _positions(held: Mapping[str, Position]) -> dict[str, tuple[Position, ...]]:
    return _grouped((position.strategy, position) for position in held.values())


@by_identity
def _orders(working: Mapping[str, Working]) -> dict[str, tuple[Working, ...]]:
    return _grouped((one.order.strategy, one) for one in working.values())


@by_identity
def _notes(notes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, value in notes.items():
        strategy, _, name = key.partition(".")
        found.setdefault(strategy, {})[name] = value
    return found


@by_identity
def _entered(pairs: Collection[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return _grouped(pairs)


@by_identity
def _unpriced(declined: Collection[tuple[str, str, str]]) -> set[str]:
    return {who for who, what, _ in declined if what.startswith(EXIT)}


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = {}
    for strategy, one in pairs:
        found.setdefault(strategy, []).append(one)
    return {strategy: tuple(many) for strategy, many in found.items()}
