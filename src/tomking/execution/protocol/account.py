"""The broker's account as last read, beside what the book and orders under way say it should be."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from tomking.domain.book import Book, Working
from tomking.domain.contract import Contract
from tomking.execution.protocol.course import LEAVE, Course
from tomking.execution.protocol.fills import consumed
from tomking.execution.wire import BrokerOrder, Positions, Transaction


@dataclass(frozen=True, slots=True)
class Account:
    """Evidence of one instant and the book it is compared with."""

    book: Book
    positions: Positions | None
    asked: datetime | None
    """When the positions were asked for; nothing later is in them."""
    found: tuple[BrokerOrder, ...]
    """All orders of the last search."""
    found_asked: datetime | None
    transactions: tuple[Transaction, ...]
    courses: Mapping[str, Course]

    def gross(self, contract: Contract) -> int:
        """Contracts that positions hold, long and short added up."""
        mine = (
            abs(leg.ratio) * units
            for position in self.book.positions.values()
            for leg, units in position.legs()
            if leg.contract == contract
        )
        return sum(mine)

    @property
    def left(self) -> frozenset[str]:
        """Orders that ended in this session, and whose odd legs nothing is done about any more."""
        return frozenset(id_ for id_, c in self.courses.items() if c.is_over and c.told_uneven == LEAVE)

    def held(self, contract: Contract) -> int:
        """Contracts that the broker shows, signed."""
        pairs = self.positions.held if self.positions is not None else ()
        return sum(count for one, count in pairs if one == contract)

    def expected(self, contract: Contract) -> int:
        """Contracts by the book, foreign ones, and executions that are no fill of the book yet."""
        booked = sum(
            leg.ratio * units
            for position in self.book.positions.values()
            for leg, units in position.legs()
            if leg.contract == contract
        )
        return booked + self.book.foreign.get(contract, 0) + self.unbooked().get(contract, 0)

    def agrees_on(self, contracts: Collection[Contract]) -> bool:
        """Whether broker and book hold the same of these."""
        return self.positions is not None and all(self.held(c) == self.expected(c) for c in contracts)

    def is_alone(self, odd: Mapping[Contract, int]) -> bool:
        """Whether odd legs are all that is expected of their contracts."""
        return all(self.expected(contract) == count for contract, count in odd.items())

    def unbooked(self) -> dict[Contract, int]:
        """Contracts executed for our orders, signed, that no fill of the book has taken yet.

        Of orders that still work; of those that ended in this session the legs that have no others, until
        they are left as they are.
        """
        counts: dict[Contract, int] = {}
        for id_, working in self.book.orders.items():
            course, taken = self.courses[id_], consumed(working.fills)
            for one in (*course.executions(), *course.executions(unwinding=True)):
                sign = 1 if one.quantity > 0 else -1
                left = one.quantity - sign * taken.get(one.id, 0)
                counts[one.contract] = counts.get(one.contract, 0) + left
        for id_ in self.book.ended:
            for contract, count in self.courses[id_].odd if id_ in self.courses else ():
                if id_ in self.left:
                    continue
                counts[contract] = counts.get(contract, 0) + count
        return {contract: count for contract, count in counts.items() if count}


def book_of(book: Book, order: str) -> Working | None:
    """The order as the book has it, working or ended in this session."""
    return book.orders.get(order) or book.ended.get(order)
