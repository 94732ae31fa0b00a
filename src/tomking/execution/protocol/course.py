"""One order's course: a value, a table of phases, and what the broker showed of each attempt."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum

from tomking.domain.contract import Contract
from tomking.domain.kept import by_identity
from tomking.domain.order import Order
from tomking.domain.replaced import replaced
from tomking.domain.structure import Leg
from tomking.execution.wire import ENDED, BrokerOrder, Execution, Outcome, Status


class Phase(Enum):
    """Where an order is between being durable and being over."""

    PENDING = "pending"
    """Durable; no byte has left."""
    SENT = "sent"
    WORKING = "working"
    UNKNOWN = "unknown"
    """Sent, and nothing proves what became of it: counts as filled and as unfilled."""
    PARKED = "parked"
    """Unknown for ten minutes."""
    LEG_IMBALANCE = "leg imbalance"
    """Some legs of a unit are filled, the others are not, and no more comes by itself."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED_ABSENT = "expired absent"
    """Never found, in a search of the whole day after its close."""


class Input(Enum):
    """What happens to an order's course."""

    SEND = "send"
    """Its first byte may have left."""
    DENY = "deny"
    """A check of ours stopped it."""
    WITHDRAW = "withdraw"
    """Cancelled while nothing had been sent."""
    SEEN = "seen"
    """The broker works it, or has filled it and has not told everything."""
    REFUSE = "refuse"
    """The broker refused every attempt; nothing was filled."""
    DOUBT = "doubt"
    """An attempt's fate is unknown and none is seen working."""
    LONG = "long"
    """In doubt for ten minutes."""
    UNEVEN = "uneven"
    FULL = "full"
    """Every unit has all its executions."""
    END = "end"
    """Every attempt is over, and what was filled is whole units."""
    ABSENT = "absent"
    """In no search of the whole day."""


_GRID = """
          send     deny     withdraw  seen    refuse   doubt   long   uneven full   end       absent
pending   sent     rejected cancelled working rejected unknown parked uneven filled cancelled absent
sent      .        .        .         working rejected unknown parked uneven filled cancelled absent
working   .        .        .         .       rejected unknown parked uneven filled cancelled .
unknown   .        .        .         working rejected .       parked uneven filled cancelled absent
parked    .        .        .         working rejected .       .      uneven filled cancelled absent
imbalance .        .        .         .       .        .       .      .      filled cancelled .
filled    .        .        .         .       .        .       .      .      .      .         .
cancelled .        .        .         .       .        .       .      .      .      .         .
rejected  .        .        .         .       .        .       .      .      .      .         .
expired   .        .        .         .       .        .       .      .      .      .         .
"""
"""Rows: from; columns: input; a dot: nothing changes.  Terminal phases absorb: what fills later is a late
print, told apart.  An order in imbalance ends by being completed or unwound only."""

_SHORT = {
    "uneven": Phase.LEG_IMBALANCE,
    "imbalance": Phase.LEG_IMBALANCE,
    "absent": Phase.EXPIRED_ABSENT,
    "expired": Phase.EXPIRED_ABSENT,
}


def _table() -> dict[tuple[Phase, Input], Phase]:
    head, *rows = (line.split() for line in _GRID.strip().splitlines())
    table = {}
    for name, *cells in rows:
        before = _SHORT.get(name) or Phase(name)
        for column, cell in zip(head, cells, strict=True):
            after = before if cell == "." else _SHORT.get(cell) or Phase(cell)
            table[before, Input(column)] = after
    return table


LEAVE = "leave"
"""Of odd legs that no trading day is left for: they are the account's own now."""
TABLE = _table()
TERMINAL = frozenset({Phase.FILLED, Phase.CANCELLED, Phase.REJECTED, Phase.EXPIRED_ABSENT})
IN_DOUBT = frozenset({Phase.UNKNOWN, Phase.PARKED})


def advance(phase: Phase, what: Input) -> Phase:
    """The phase after an input: declared for every pair."""
    return TABLE[phase, what]


class Purpose(Enum):
    """What an attempt is for."""

    WORK = "work"
    """The order, or what is left of it."""
    REPLACE = "replace"
    """The same at another limit, in the place of the attempt before."""
    COMPLETE = "complete"
    """Legs that are missing to a whole unit."""
    UNWIND = "unwind"
    """Back out of legs that have no unit."""


REMEDIES = frozenset({Purpose.COMPLETE, Purpose.UNWIND})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order at the broker, or what may be one."""

    number: int
    purpose: Purpose
    legs: tuple[Leg, ...]
    units: int
    limit: Decimal
    sent: datetime
    outcome: Outcome | None = None
    """Of its request; None: no answer yet."""
    seen: BrokerOrder | None = None
    """What the broker showed of it, all messages merged."""

    # Asked at every look, of every attempt: worked out once.
    is_flying: bool = field(init=False, repr=False, compare=False)
    """Sent, and neither answered nor seen."""
    is_open_question: bool = field(init=False, repr=False, compare=False)
    """Whether it exists is not known."""
    is_live: bool = field(init=False, repr=False, compare=False)
    lacks_executions: bool = field(init=False, repr=False, compare=False)
    """Called filled (T5), and not all executions are told."""

    def __post_init__(self) -> None:
        seen, outcome = self.seen, self.outcome
        object.__setattr__(self, "is_flying", outcome is None and seen is None)
        in_question = outcome is Outcome.UNKNOWN or outcome is Outcome.ACCEPTED
        object.__setattr__(self, "is_open_question", in_question and seen is None)
        object.__setattr__(self, "is_live", seen is not None and seen.status not in ENDED)
        object.__setattr__(self, "lacks_executions", seen is not None and _lacks_executions(seen))


def _lacks_executions(seen: BrokerOrder) -> bool:
    if seen.status is not Status.FILLED:
        return False
    told = sum(abs(one.quantity) for one in seen.executions)
    return told < seen.units * sum(abs(leg.ratio) for leg in seen.legs)


@dataclass(frozen=True, slots=True)
class Planned:
    """The next attempt, waiting until its number is durable."""

    number: int
    purpose: Purpose
    legs: tuple[Leg, ...]
    units: int
    limit: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Course:
    """One order, as far as the broker's evidence goes."""

    order: Order
    since: datetime
    """When it was handed over, or found in the book after a restart."""
    limit: Decimal
    """The newest limit: waits while a replacement or a cancel is in flight."""
    number: int = 1
    """The last durable attempt."""
    phase: Phase = Phase.PENDING
    attempts: tuple[Attempt, ...] = ()
    planned: Planned | None = None
    cancelling: bool = False
    cancel_sent: datetime | None = None
    """When the last cancel was handed over."""
    accepted: bool = False
    """Whether it was told that the broker has it."""
    doubt: datetime | None = None
    """Since when its fate is unknown."""
    absent: datetime | None = None
    """When the last search was asked that did not find an attempt in question."""
    over: datetime | None = None
    """When all its attempts were first seen to be over."""
    uneven: datetime | None = None
    """Since when some legs lack the others."""
    odd: tuple[tuple[Contract, int], ...] = ()
    """Contracts executed beyond whole units, signed."""
    remedies: int = 0
    """How often uneven legs were traded since."""
    told_uneven: str = ""
    """The last action told of."""
    reason: str = ""
    """Of a refusal."""
    gone: bool = False
    """What it would close has ended otherwise, and the account shows how: it would be refused (T6)."""

    # Asked of every order of the session at every look: worked out once.
    is_over: bool = field(init=False, repr=False, compare=False)
    is_restless: bool = field(init=False, repr=False, compare=False)
    """Whether it needs a look every second: all but an order that quietly works, and those that ended."""

    def __post_init__(self) -> None:
        is_over = self.phase in TERMINAL
        object.__setattr__(self, "is_over", is_over)
        object.__setattr__(self, "is_restless", self._needs_looks(is_over=is_over))

    def _needs_looks(self, *, is_over: bool) -> bool:
        if is_over:
            is_odd = self.uneven is not None and self.told_uneven != LEAVE
            return is_odd or any(a.is_live for a in self.attempts)
        if self.phase in IN_DOUBT or self.planned is not None:
            return self.planned is not None
        return self.phase is not Phase.WORKING or self.cancelling or self.uneven is not None

    def attempt(self, number: int) -> Attempt | None:
        return next((a for a in self.attempts if a.number == number), None)

    def with_attempt(self, attempt: Attempt) -> "Course":
        """With that attempt in the place of the one of its number, or added."""
        others = [a for a in self.attempts if a.number != attempt.number]
        return replaced(self, attempts=tuple(sorted([*others, attempt], key=lambda a: a.number)))

    def executions(self, *, unwinding: bool = False) -> list[Execution]:
        """Of the attempts that work the order, or of those that back out of it; each once."""
        return [*_executions(self.attempts)[unwinding]]

    def fees(self, *, unwinding: bool) -> Decimal:
        """Dollars the broker has charged for those attempts."""
        shown = [a.seen for a in self.attempts if (a.purpose is Purpose.UNWIND) is unwinding and a.seen]
        return sum((one.fees for one in shown), Decimal(0))


@by_identity
def _executions(attempts: tuple[Attempt, ...]) -> tuple[tuple[Execution, ...], tuple[Execution, ...]]:
    """Of attempts that work an order, and of those that back out of it."""
    found: tuple[dict[str, Execution], dict[str, Execution]] = ({}, {})
    for attempt in attempts:
        if attempt.seen is not None and attempt.seen.executions:
            mine = found[attempt.purpose is Purpose.UNWIND]
            mine.update((one.id, one) for one in attempt.seen.executions)
    return tuple(found[0].values()), tuple(found[1].values())


def reopened(course: Course) -> Course:
    """The course of an order that had ended and lacks legs: it goes on from what was seen, to its end."""
    return replace(course, phase=Phase.WORKING, accepted=True, cancelling=True, planned=None, told_uneven="")


_RANK = {
    Status.RECEIVED: 0,
    Status.CONTINGENT: 0,
    Status.LIVE: 1,
    Status.REPLACE_REQUESTED: 2,
    Status.CANCEL_REQUESTED: 3,
    Status.FILLED: 4,
    Status.EXPIRED: 5,
    Status.REJECTED: 6,
    Status.REMOVED: 7,
    Status.PARTIALLY_REMOVED: 8,
    Status.CANCELLED: 9,
}
"""Which of two statuses stands, whatever the order they arrive in.  FILLED is shown after the first leg (T5),
so any other end is the stronger word."""


def merged(old: BrokerOrder | None, new: BrokerOrder) -> BrokerOrder:
    """Two showings of one order: the same whatever comes first, and however often."""
    if old is None:
        return new
    later = max(old, new, key=_weight)
    known = {one.id: one for one in (*old.executions, *new.executions)}
    executions = tuple(sorted(known.values(), key=lambda one: (one.at, one.id)))
    return replaced(later, executions=executions, fees=max(old.fees, new.fees))


def _weight(order: BrokerOrder) -> tuple[int, int, Decimal, str]:
    return _RANK[order.status], len(order.executions), order.limit, order.reason
