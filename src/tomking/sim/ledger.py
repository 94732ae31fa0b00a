"""What an account holds: contracts and cash, true at once and shown leg by leg later (T5)."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

from tomking.domain.contract import Contract
from tomking.domain.money import ZERO, cents
from tomking.execution.wire import Execution, Kind, Positions, Transaction
from tomking.ports import Expiry

T = TypeVar("T")

REMEMBERED = timedelta(minutes=10)
"""How old a snapshot may be that is shown again."""


@dataclass(slots=True)
class Versions(Generic[T]):
    """A value over time, for those who are shown an old one."""

    first: T
    times: list[datetime] = field(default_factory=list)
    values: list[T] = field(default_factory=list)

    def add(self, at: datetime, value: T) -> None:
        self.times.append(at)
        self.values.append(value)
        if len(self.times) > 64:
            stale = max(0, bisect_right(self.times, at - REMEMBERED) - 1)
            del self.times[:stale], self.values[:stale]

    @property
    def last(self) -> T:
        return self.values[-1] if self.values else self.first

    def as_of(self, at: datetime) -> T:
        """What was shown then; the oldest remembered one for times before."""
        if not self.times or at >= self.times[-1]:
            return self.last
        i = bisect_right(self.times, at)
        return self.values[i - 1] if i else self.first


@dataclass(slots=True)
class Holdings:
    """Contracts and cash.  Cash is exact; it is shown to the cent, half-even."""

    cash: Decimal
    held: dict[Contract, int] = field(default_factory=dict)
    shown: Versions[Positions] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = Versions(self._positions())

    def trade(self, executions: Iterable[Execution], fees: Decimal, at: datetime) -> None:
        """Contracts come or go for their price."""
        for one in executions:
            self.cash -= one.quantity * one.price * one.contract.multiplier
            self._add(one.contract, one.quantity)
        self.cash -= fees
        self.shown.add(at, self._positions())

    def move(self, dollars: Decimal, changes: Iterable[tuple[Contract, int]], at: datetime) -> None:
        """Cash and contracts come or go without an order."""
        self.cash += dollars
        for contract, quantity in changes:
            self._add(contract, quantity)
        self.shown.add(at, self._positions())

    def _add(self, contract: Contract, quantity: int) -> None:
        total = self.held.get(contract, 0) + quantity
        if total:
            self.held[contract] = total
        else:
            self.held.pop(contract, None)

    def _positions(self) -> Positions:
        return Positions(tuple(self.held.items()), cents(self.cash))


class Ledger:
    """The account twice, as it is and as it is shown, and the records that both are the sums of."""

    def __init__(self, cash: Decimal) -> None:
        self.true = Holdings(cash)
        self.shown = Holdings(cash)
        self.executions: list[Execution] = []
        """All of them, shown or not, in order."""
        self.fees = ZERO
        """Dollars for these executions."""
        self.transactions: list[Transaction] = []

    def trade(self, executions: list[Execution], fees: Decimal, now: datetime) -> None:
        """What has traded; ``tell`` shows it."""
        self.executions += executions
        self.fees += fees
        self.true.trade(executions, fees, now)

    def tell(self, executions: list[Execution], fees: Decimal, now: datetime) -> None:
        """Makes a part of what has traded visible."""
        self.shown.trade(executions, fees, now)

    def transact(self, one: Transaction, changes: Iterable[tuple[Contract, int]] = ()) -> None:
        """Money and contracts that come or go without an order."""
        changes = list(changes)
        self.transactions.append(one)
        for holdings in (self.true, self.shown):
            holdings.move(one.dollars - one.fees, changes, one.at)

    def settle(self, id_: str, expiry: Expiry, quantity: int, now: datetime, *, early: bool = False) -> None:
        """So many contracts, signed as held, turn into what an expiry or an exercise makes of them."""
        delivered = expiry.delivered and (expiry.delivered[0], expiry.delivered[1] * quantity)
        kind = Kind.EXPIRED
        if delivered or early:
            kind = Kind.EXERCISED if quantity > 0 else Kind.ASSIGNED
        one = Transaction(
            id=id_,
            kind=kind,
            at=now,
            dollars=cents(expiry.dollars * quantity),
            fees=cents(expiry.fee * abs(quantity)),
            contract=expiry.contract,
            quantity=quantity,
            price=expiry.price,
            delivered=delivered,
        )
        self.transact(one, [(expiry.contract, -quantity), *([delivered] if delivered else [])])


class Agenda:
    """What is to happen when, in the order of instants and then of planning."""

    def __init__(self) -> None:
        self._acts: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._sequence = count()

        self.next: datetime | None = None
        """When the first of it is to happen."""

    def add(self, at: datetime, act: Callable[[datetime], None]) -> None:
        heappush(self._acts, (at, next(self._sequence), act))
        self.next = self._acts[0][0]

    def do_next(self) -> None:
        """The first of them, at its own instant."""
        at, _, act = heappop(self._acts)
        self.next = self._acts[0][0] if self._acts else None
        act(at)
