"""Everything that can happen: the journal is a list of these and the book their fold.

Facts and decisions only: no wall-clock time of this machine, no host, no path.  Every event
carries ``at``, the market instant (aware UTC) it belongs to.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tomking.domain.contract import Contract
from tomking.domain.lifecycle import State
from tomking.domain.order import Fill, Order
from tomking.domain.structure import Leg


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First event of a journal: what makes this run this run."""

    at: datetime
    seed: int
    config_digest: str
    data_digest: str
    strategies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CashMoved:
    """A deposit (> 0) or withdrawal (< 0); the peak moves with it."""

    at: datetime
    dollars: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class SessionBegan:
    """Daily counters start anew."""

    at: datetime
    day: date


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The close: what tomorrow's loss limits and the peak are measured against."""

    at: datetime
    day: date
    net_liq: Decimal
    margin: Decimal
    """Dollars of margin the open positions need."""
    capital: Decimal
    """Margin plus the cost of long premium: capital in use."""
    vix: float | None
    spot: float | None


@dataclass(frozen=True, slots=True)
class Declined:
    """Why an entry was not taken: said once per session, entry and first code."""

    at: datetime
    strategy: str
    entry: str
    code: str
    details: tuple[str, ...]
    """Every breached limit with its numbers."""


@dataclass(frozen=True, slots=True)
class DeclinedAgain:
    """How often the same refusal was repeated in the session, written at its end."""

    at: datetime
    strategy: str
    entry: str
    code: str
    times: int


@dataclass(frozen=True, slots=True)
class EntryApproved:
    """The gate's yes: units, and the limit that bound."""

    at: datetime
    strategy: str
    entry: str
    units: int
    binding: str
    warnings: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class OrderSubmitted:
    """The intent to trade, durable before the first byte goes out."""

    at: datetime
    order: Order


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    at: datetime
    order: str


@dataclass(frozen=True, slots=True)
class OrderRejected:
    at: datetime
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderRepriced:
    """The order's limit moved: a step of its ladder, or the market under it."""

    at: datetime
    order: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class CancelRequested:
    at: datetime
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """Terminal: nothing more will fill."""

    at: datetime
    order: str


@dataclass(frozen=True, slots=True)
class OrderFilled:
    at: datetime
    fill: Fill


@dataclass(frozen=True, slots=True)
class OrderUnknown:
    """What became of an attempt is not known: it counts as filled and as unfilled until evidence comes."""

    at: datetime
    order: str
    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class OrderParked:
    """Unknown for so long that a person should look; only evidence or the day's end resolves it."""

    at: datetime
    order: str
    why: str


@dataclass(frozen=True, slots=True)
class OrderRetried:
    """Another attempt of an order, durable before its first byte."""

    at: datetime
    order: str
    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class LegsUneven:
    """Some legs of a unit are filled and the others are not, and what is done about it."""

    at: datetime
    order: str
    action: str
    """"wait", "cancel", "complete" or "unwind"."""
    detail: str


@dataclass(frozen=True, slots=True)
class LegsUnwound:
    """Ends an order whose odd legs were traded back: nothing of them is held."""

    at: datetime
    order: str
    dollars: Decimal
    """Cash received (> 0) or paid for all of them, before fees, to the cent."""
    fees: Decimal
    detail: str


@dataclass(frozen=True, slots=True)
class LateFill:
    """A fill told after its order had ended (a late print): the order is reopened for it and ends again."""

    at: datetime
    fill: Fill

    @property
    def order(self) -> str:
        return self.fill.order


@dataclass(frozen=True, slots=True)
class ForeignChanged:
    """The account holds that many of a contract that no position here explains; 0: no more."""

    at: datetime
    contract: Contract
    quantity: int
    """Contracts, signed: all of the foreign ones."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The book was compared with the broker's account and found to differ, or to agree again."""

    at: datetime
    differences: tuple[str, ...]
    """In words; empty: none any more."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Legs of a component expired: cash for what they were worth, or a delivered future."""

    at: datetime
    position: str
    role: str
    expired: tuple[Contract, ...]
    price: Decimal
    """Settlement price of the underlying, points."""
    dollars: Decimal
    """Cash received (> 0) or paid for all units, before fees."""
    fees: Decimal
    """Exercise and assignment fees, dollars."""
    delivered: tuple[Leg, ...] = ()
    """Futures or shares that took the place of exercised legs, ratio per unit."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A component received cash for what it holds, such as a dividend (< 0: it paid one)."""

    at: datetime
    position: str
    role: str
    dollars: Decimal
    """For all units, to the cent."""
    reason: str


@dataclass(frozen=True, slots=True)
class Transitioned:
    """A position's state changed; no other event changes it."""

    at: datetime
    position: str
    before: State
    after: State
    trigger: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A position reached another stage of its strategy's own life (methodology E.3)."""

    at: datetime
    position: str
    before: str
    """Empty: its first."""
    after: str
    trigger: str
    """What brought it there."""
    context: str
    """The market it happened in, in words."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact a restart must not forget (an opening print, the first tick of a stop)."""

    at: datetime
    key: str
    value: str
    """Empty: forget it."""


@dataclass(frozen=True, slots=True)
class LevelChanged:
    """A risk level or the phase changed: ``drawdown`` from GREEN to YELLOW, ``phase`` 3 to 4 ..."""

    at: datetime
    name: str
    before: str
    after: str
    detail: str


@dataclass(frozen=True, slots=True)
class PeakReset:
    """After a restart from RED the drawdown is measured from here; history keeps the old peak."""

    at: datetime
    net_liq: Decimal


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A strategy raised: it opens nothing more, its positions stay under the guardian exits."""

    at: datetime
    strategy: str
    error: str


Event = (
    RunStarted
    | CashMoved
    | SessionBegan
    | SessionEnded
    | Declined
    | DeclinedAgain
    | EntryApproved
    | OrderSubmitted
    | OrderAccepted
    | OrderRejected
    | OrderRepriced
    | CancelRequested
    | OrderCancelled
    | OrderFilled
    | OrderUnknown
    | OrderParked
    | OrderRetried
    | LegsUneven
    | LegsUnwound
    | LateFill
    | ForeignChanged
    | Reconciled
    | Settled
    | Paid
    | Transitioned
    | Staged
    | Noted
    | LevelChanged
    | PeakReset
    | Quarantined
)

OrderNews = (
    OrderAccepted
    | OrderRejected
    | OrderCancelled
    | OrderFilled
    | OrderUnknown
    | OrderParked
    | OrderRetried
    | LegsUneven
    | LegsUnwound
    | LateFill
)
"""What can be told of one order."""

AccountNews = ForeignChanged | Reconciled | LevelChanged | CashMoved | Paid | Settled
"""What can be told of the account."""

BrokerNews = OrderNews | AccountNews
"""What a broker can tell us."""
