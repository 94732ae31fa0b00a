"""What a comparison of book and account is asked with, and what it answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from tomking.domain.events import AccountNews
from tomking.domain.trading import Trading
from tomking.execution.wire import BrokerOrder, Positions, Transaction


@dataclass(frozen=True, slots=True)
class Shown:
    """What the broker shows: asked for together, orders last."""

    positions: Positions
    orders: tuple[BrokerOrder, ...] = ()
    transactions: tuple[Transaction, ...] = ()


class Sort(Enum):
    """What kind of difference it is."""

    STALE = "stale"
    """The book is older than what the broker has seen of us: HALTED, read-only."""
    MISSING = "missing"
    """A position here holds what the account does not, and nothing says why."""
    FOREIGN = "foreign"
    """The account holds what no position here does, or no longer."""
    SETTLED = "settled"
    """Expired, exercised or assigned, and booked so."""
    BUSY = "busy"
    """The same, but an order of ours still works on what is left: that ends first."""
    DOUBTFUL = "doubtful"
    """An order under way may be the reason: looked at again."""
    FORGOTTEN = "forgotten"
    """An order of ours works at the broker and has ended in the book: it is cancelled."""
    CASH = "cash"
    MONEY = "money"
    """Cash that came or went without an order of ours, and is booked."""


STANDS = frozenset({Sort.STALE, Sort.MISSING, Sort.BUSY, Sort.FORGOTTEN, Sort.CASH})
"""Sorts that a pass does not end by itself: a person hears of them, and nothing is opened meanwhile."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One, in words for a person."""

    sort: Sort
    text: str
    family: str = ""
    """Of the underlying, where it has one: nothing is opened on it while the difference stands."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The answer of one pass."""

    differences: tuple[Difference, ...] = ()
    events: tuple[AccountNews, ...] = ()
    """What brings the book to the account; to be recorded in this order."""
    cancel: tuple[str, ...] = ()
    """The broker's ids of working orders that the book says have ended."""
    end_first: tuple[str, ...] = ()
    """Orders of ours that must end before what they work on can be settled."""
    state: Trading = Trading.ACTIVE
    """The loosest that is permitted while the differences stand."""

    @property
    def families(self) -> frozenset[str]:
        """Underlyings on which nothing may be opened while the differences stand."""
        return frozenset(d.family for d in self.differences if d.family and d.sort in STANDS)


def standing(differences: Iterable[Difference]) -> tuple[str, ...]:
    """The words of those that a pass does not end by itself: what ``told`` is next time."""
    return tuple(d.text for d in differences if d.sort in STANDS)
