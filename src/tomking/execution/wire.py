"""The broker's line: what is asked of it, and what it may answer, in our words and with nothing hidden.

Below the ``Broker`` port: ``execution.protocol`` speaks it, ``adapters.tastytrade`` and the simulated venue
implement it.  No call waits.  Whatever was asked is answered once by a ``Reply`` of one of three outcomes,
or never; what a stream tells unasked are ``Report`` and ``Line``.  Streams are hints: they may be late,
repeated, out of order or lost.  The sources are facts T1 to T20 of the reliability page.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

from tomking.domain.contract import Contract, Future, Share
from tomking.domain.structure import Leg


class Outcome(Enum):
    """What is known of a request's effect.  Unless it is proved, it is UNKNOWN (T1)."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class Status(Enum):
    """The broker's word for an order (T8).  What was filled is never read from it (T5)."""

    RECEIVED = "received"
    """Taken in, and not at the exchange yet."""
    CONTINGENT = "contingent"
    """A replacement that waits for the end of what it replaces (T3)."""
    LIVE = "live"
    CANCEL_REQUESTED = "cancel requested"
    REPLACE_REQUESTED = "replace requested"
    FILLED = "filled"
    """Shown after the first leg (T5)."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REMOVED = "removed"
    """By an administrator."""
    PARTIALLY_REMOVED = "partially removed"


ENDED = frozenset(
    {
        Status.FILLED,
        Status.CANCELLED,
        Status.EXPIRED,
        Status.REJECTED,
        Status.REMOVED,
        Status.PARTIALLY_REMOVED,
    }
)
"""Statuses after which the broker works an order no more; fills may still be told (T5)."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution of one leg."""

    id: str
    """The venue's, unique in the account."""
    contract: Contract
    quantity: int
    """Contracts, > 0 bought, < 0 sold."""
    price: Decimal
    """Points."""
    at: datetime


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One order as the broker shows it at one instant: the whole object, every time (T5)."""

    id: str
    """The broker's."""
    tag: str
    """The external identifier that it was sent with; empty when it is not one of ours."""
    status: Status
    legs: tuple[Leg, ...]
    """Ratios per unit, > 0 bought."""
    units: int
    limit: Decimal
    """Net points per unit, credit positive."""
    executions: tuple[Execution, ...] = ()
    fees: Decimal = Decimal(0)
    """Dollars for these executions, >= 0."""
    replaces: str | None = None
    """The broker's id of the order that this one replaces."""
    reason: str = ""
    """The broker's own words for a rejection or a removal."""


@dataclass(frozen=True, slots=True)
class Place:
    """One new order: posted once; whether it arrived is what its ``tag`` finds out.

    A close is always sent with ``strict`` position effect: refused without the position (T6).
    """

    key: str
    tag: str
    legs: tuple[Leg, ...]
    units: int
    limit: Decimal
    opens: bool
    good_till_cancelled: bool = False
    strict: bool = True
    """False: the broker turns a close without the position into an opening order (T6).  We never ask for
    that; the simulated venue must be able to show what it leads to."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Cancels ``order`` and, once that has ended, works what is left of it at another limit (T3)."""

    key: str
    tag: str
    order: str
    """The broker's id."""
    limit: Decimal
    opens: bool = False
    """Whether the order does: the kill latch lets no new limit of such a one pass."""
    terms: int = 1
    """So many of the smallest units, which a broker's price is of, are one of those that ``limit`` is of."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request: the fill can win (T4)."""

    key: str
    order: str
    """The broker's id."""


@dataclass(frozen=True, slots=True)
class FindOrders:
    """All orders that anything happened to since the start of the session before, and all that work, whoever
    sent them (T2): a book that was put back overnight is known by them, and late prints of the night show.
    """

    key: str


@dataclass(frozen=True, slots=True)
class FindPositions:
    """Every contract that the account holds, and its cash."""

    key: str


@dataclass(frozen=True, slots=True)
class FindTransactions:
    """Expiries, exercises, assignments and cash movements since the start of the session before."""

    key: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """What an opening order would do to the account, judged and not placed (T19)."""

    key: str
    legs: tuple[Leg, ...]
    units: int
    limit: Decimal
    """Net points per unit, credit positive."""


Request = Place | Replace | Cancel | FindOrders | FindPositions | FindTransactions | DryRun


class Kind(Enum):
    """What a transaction that is no trade was."""

    EXPIRED = "expired"
    """Worthless, or settled in cash."""
    EXERCISED = "exercised"
    ASSIGNED = "assigned"
    MONEY = "money"
    """A deposit, a withdrawal, a dividend, interest."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What changed positions or cash without an order."""

    id: str
    kind: Kind
    at: datetime
    dollars: Decimal
    """Cash received (> 0) or paid, before ``fees``."""
    fees: Decimal
    contract: Contract | None = None
    quantity: int = 0
    """Contracts removed: > 0 were held long, < 0 short."""
    price: Decimal = Decimal(0)
    """Settlement price of the underlying, points."""
    delivered: tuple[Future | Share, int] | None = None
    """What took their place, for all of ``quantity``."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Positions:
    """The account at one instant."""

    held: tuple[tuple[Contract, int], ...]
    """Contracts, signed, none of them zero."""
    cash: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """The broker's own figures for an order that was tried out, in dollars for all its units."""

    margin: Decimal
    """Margin that is asked for in addition, > 0; < 0: less."""
    buying_power: Decimal
    """Change of the buying power, < 0: less."""
    left: Decimal
    """Buying power afterwards."""
    fees: Decimal | None = None
    """>= 0; None where it says nothing of them."""
    warnings: tuple[str, ...] = ()
    """In the broker's words."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the request of that ``key``; an UNKNOWN one says nothing of what happened."""

    key: str
    at: datetime
    outcome: Outcome
    orders: tuple[BrokerOrder, ...] = ()
    """The order placed, replaced or cancelled as it is now; for ``FindOrders`` all of them."""
    positions: Positions | None = None
    transactions: tuple[Transaction, ...] = ()
    code: str = ""
    """The broker's code for a rejection; for UNKNOWN what went wrong ("timeout", "502")."""
    text: str = ""
    effect: Effect | None = None
    """Of a dry run."""


@dataclass(frozen=True, slots=True)
class Report:
    """The account stream shows an order."""

    at: datetime
    order: BrokerOrder


@dataclass(frozen=True, slots=True)
class Line:
    """The account stream went up or down; after it came up again, what it missed is asked for (F27)."""

    at: datetime
    up: bool


Told = Reply | Report | Line


class Wire(Protocol):
    """The transport."""

    def send(self, request: Request, now: datetime) -> None:
        """Hands one request over.  A request that could not be handed over is answered UNKNOWN."""
        ...

    def take(self, now: datetime) -> list[Told]:
        """What has arrived since the last call, in order of arrival."""
        ...
