"""The five ports: all that the kernel knows of the world, and what each promises."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.book import Book
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Future, Share
from tomking.domain.events import BrokerNews, Event
from tomking.domain.order import Order


class MarketData(Protocol):
    """The market as known at ``now``: nothing returned depends on anything after it.

    A product's missing data is a value (None, an empty tuple), never an exception.
    """

    @property
    def grid_minutes(self) -> int:
        """Minutes between data points: 1 on the model market, 15 on quarter-hour chains, 0 live.

        On a grid coarser than a minute one observation confirms a stop (ruling 7).
        """
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Plain sentences about where the prices come from and what they lack, for the report."""
        ...

    def spot(self, family: str, now: datetime) -> float | None:
        """The family's index level in points ("SPX"), at or before ``now`` in this session."""
        ...

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        """The VIX and when it was printed.  Missing is None, never a default."""
        ...

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        """The listed expiries that still trade, ascending."""
        ...

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        """The quotes of one expiry."""
        ...

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        """The ``forward`` of that chain, points, without the rest of it; None with it."""
        ...

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        """Quotes of the given contracts, in their order; None where not listed or not seen."""
        ...

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        """Mid prices in points, shape (n,), of the same quotes; NaN where a side is missing."""
        ...

    def bars(self, family: str, now: datetime) -> Bars:
        """Completed daily bars of sessions before the one ``now`` is in."""
        ...

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """The underlying's settlement price for an expired contract; None until it is known."""
        ...


@dataclass(frozen=True, slots=True)
class Expiry:
    """What became of one expired or assigned contract, as the broker books it, for one long contract.

    A short contract gets the opposite ``dollars`` and ``delivered`` and pays the same ``fee``.
    """

    contract: Contract
    price: Decimal
    """Settlement price of the underlying, points."""
    dollars: Decimal
    """Cash for one long contract."""
    delivered: tuple[Future | Share, int] | None
    """The future, or the lot of shares, that one long contract turned into, +1 bought or -1 sold."""
    fee: Decimal
    """Dollars for exercise or assignment, per contract."""


class Broker(Protocol):
    """Where orders go.  No call waits for the network: outcomes come back as news."""

    def submit(self, order: Order, now: datetime) -> None:
        """Send an order that is already durable in the journal.  Once, ever."""
        ...

    def reprice(self, order: str, limit: Decimal, now: datetime) -> None:
        """Move a working order's limit."""
        ...

    def cancel(self, order: str, now: datetime) -> None:
        """Ask for the end of an order; what comes back says whether it filled first."""
        ...

    def news(self, book: Book, now: datetime) -> Sequence[BrokerNews]:
        """What happened since the last call, and the fate of the orders that the book has as working.

        May repeat itself; the kernel ignores what the book already knows.
        """
        ...

    def next_wake(self, now: datetime) -> datetime | None:
        """When ``news`` should be asked for although nothing arrived; None: never."""
        ...

    def expired(self, contracts: Collection[Contract], now: datetime) -> list[Expiry]:
        """The settlement of those of these expired contracts that has been confirmed."""
        ...

    def assigned(self, contracts: Collection[Contract], now: datetime) -> list[Expiry]:
        """Of these contracts, sold and not expired, those that their holders have exercised by now."""
        ...


class Journal(Protocol):
    """The list of events.  What ``append`` returned from is what happened."""

    def append(self, event: Event) -> None:
        """Add one event to the chain; durable after ``commit``."""
        ...

    def commit(self) -> None:
        """Make everything appended durable: after each event live, once a session in a backtest."""
        ...

    def read(self) -> Iterator[Event]:
        """All events from the first; ``OperatingError`` when the chain of hashes is broken."""
        ...

    def head(self) -> str:
        """Hex digest of the last event and, through it, of all before."""
        ...


class Clock(Protocol):
    """The only source of time."""

    def wait_until(self, instant: datetime) -> datetime | None:
        """The time when ``instant`` has come (or something happened before); None at the end."""
        ...


class Notifier(Protocol):
    """Tells a person."""

    def notify(self, level: str, text: str, now: datetime) -> None:
        """``level`` is "info", "warning" or "critical"."""
        ...
