"""What the report is made of: one run's facts, and how a journal is read for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tomking.domain import events as ev
from tomking.domain.book import Book, apply
from tomking.domain.calendar import new_york
from tomking.domain.money import ZERO, cents
from tomking.domain.order import Fill, Order
from tomking.domain.record import Trade


@dataclass(frozen=True, slots=True)
class Day:
    """One session's close."""

    date: date
    net_liq: Decimal
    deposits: Decimal
    """Dollars paid in (> 0) or out since the close before."""
    margin: Decimal
    capital: Decimal
    """Capital in use: margin plus the cost of long premium (methodology C.1)."""
    vix: float | None
    spot: float | None
    """The S&P 500 index."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Everything one gate refused to one entry of a strategy."""

    strategy: str
    entry: str
    code: str
    """Of methodology B.0: the first gate that failed."""
    sessions: int
    """Sessions in which it refused at least once."""
    times: int
    """Refusals in all."""
    example: tuple[str, ...]
    """The most recent one's breached limits with their numbers."""
    example_day: date


@dataclass(frozen=True, slots=True)
class History:
    """What happened, as the journal tells it."""

    days: tuple[Day, ...]
    trades: tuple[Trade, ...]
    refusals: tuple[Refusals, ...]
    """By strategy, entry and code."""
    slippage: Mapping[str, Decimal]
    """Dollars by strategy: what fills were worse than the mid of that moment (> 0: paid)."""
    open_positions: int
    """At the end: counted in net liquidation, not among the trades."""
    events: int


@dataclass(slots=True)
class Recorder:
    """Collects a history while it happens: the kernel's ``observe``, called after each event."""

    _days: list[Day] = field(default_factory=list[Day])
    _trades: list[Trade] = field(default_factory=list[Trade])
    _refused: dict[tuple[str, str, str], Refusals] = field(
        default_factory=dict[tuple[str, str, str], Refusals]
    )
    _orders: dict[str, Order] = field(default_factory=dict[str, Order])
    _slippage: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    _deposits: Decimal = ZERO
    _open: int = 0
    _events: int = 0

    def __call__(self, book: Book, event: ev.Event) -> None:
        """Takes note of ``event``; ``book`` is the book after it."""
        self._events += 1
        self._open = len(book.positions)
        self._trades.extend(book.just_closed)
        match event:
            case ev.CashMoved(_, dollars):
                self._deposits += dollars
            case ev.SessionEnded(_, day, net_liq, margin, capital, vix, spot):
                self._days.append(Day(day, net_liq, self._deposits, margin, capital, vix, spot))
                self._deposits = ZERO
            case ev.Declined():
                self._note_refusal(event, book)
            case ev.DeclinedAgain(_, strategy, entry, code, times):
                self._note_repeats((strategy, entry, code), times)
            case ev.OrderSubmitted(_, order):
                self._orders[order.id] = order
            case ev.OrderFilled(_, fill):
                order = self._orders[fill.order]
                self._slippage[order.strategy] = self._slippage.get(order.strategy, ZERO) + slippage(
                    order, fill
                )
            case ev.OrderCancelled(_, ended) | ev.OrderRejected(_, ended, _):
                self._orders.pop(ended, None)
            case _:
                # The other events are decisions and states: the trades and days already show their effect.
                return

    def history(self) -> History:
        """Everything noted so far."""
        return History(
            days=tuple(self._days),
            trades=tuple(self._trades),
            refusals=tuple(self._refused[key] for key in sorted(self._refused)),
            slippage=dict(sorted(self._slippage.items())),
            open_positions=self._open,
            events=self._events,
        )

    def _note_refusal(self, event: ev.Declined, book: Book) -> None:
        key = (event.strategy, event.entry, event.code)
        old = self._refused.get(key)
        sessions, times = (old.sessions, old.times) if old else (0, 0)
        day = book.day.session or new_york(event.at).date()
        self._refused[key] = Refusals(*key, sessions + 1, times + 1, event.details, day)

    def _note_repeats(self, key: tuple[str, str, str], times: int) -> None:
        old = self._refused[key]
        self._refused[key] = Refusals(*key, old.sessions, old.times + times, old.example, old.example_day)


def gather(events: Iterable[ev.Event]) -> History:
    """The history of a journal: ``gather(journal.read())``."""
    recorder, book = Recorder(), Book()
    for event in events:
        book = apply(book, event)
        recorder(book, event)
    return recorder.history()


def slippage(order: Order, fill: Fill) -> Decimal:
    """Dollars by which a fill was worse than the mids of its moment; 0 where these were not seen."""
    if len(fill.leg_mids) != len(fill.leg_prices):
        return ZERO
    structure = order.structure
    given_up = structure.net(fill.leg_mids) - structure.net(fill.leg_prices)
    return cents(given_up * fill.units * structure.multiplier)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the sources say of a strategy's win rate (methodology J: measured, not believed)."""

    strategy: str
    low: float
    """Claimed win rate, 0 to 1; the lower end where a range is claimed."""
    high: float
    source: str
    break_even: str
    """The win rate at which the published exits earn nothing, in words."""
    sample: int
    """Trades that methodology J asks for before anything is concluded."""
    entries: tuple[str, ...] = ()
    """The entries it speaks of; () means all: LT112's weekly calls are no 1-1-2."""


CLAIMS = (
    Claim("friday_0dte", 0.88, 0.88, "J, H1 (sources S0, S1, P1)", "80% before fees at +50%/−200%", 175),
    Claim("lt112", 0.73, 0.75, "J, H2 (sources S0, S1)", "74% before fees, 77% after (MES)", 100, ("1-1-2",)),
)

CLAIMED_DRAWDOWN = 0.20
CLAIMED_SHARPE = 2.0
CLAIMED_YEARLY = 1.0
"""J, H8 and H9: drawdown below 20 %, Sharpe above 2.0, 100 % a year and more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One effective setting."""

    key: str
    value: str
    set_by: str
    """``default``, or who changed it."""
    source: str
    """Methodology paragraph."""
    doc: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes the run repeatable."""

    version: str
    git_commit: str
    config_digest: str
    data_digest: str
    journal_head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunData:
    """One run on one account."""

    label: str
    """"Default account", "Small account"."""
    start: date
    end: date
    seed: int
    capital: Decimal
    """Dollars at the start."""
    strategies: tuple[str, ...]
    modelled: bool
    """True: prices are modelled on real underlying history; False: recorded quotes."""
    notes: tuple[str, ...]
    """Plain sentences about where the prices come from and what they lack."""
    history: History
    risk_free: tuple[float, ...]
    """Simple return of cash for each session of ``history.days``."""
    bp_caps: tuple[tuple[float, float], ...]
    """(VIX from, greatest capital in use as a share of net liq), ascending; () shows no cap."""
    settings: tuple[Shown, ...]
    research: tuple[str, ...]
    """Research switches that are on: they mark the report (ruling 16)."""
    identity: Identity
    command: str
    """Reproduces the run."""
    claims: tuple[Claim, ...] = CLAIMS
