"""The book: cash, positions, working orders and every fact a restart must not forget.

``reduce(apply, journal, Book())`` is the whole of recovery: nothing is known that is not here,
and nothing here changes but by its own event.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import assert_never

from tomking.domain import events as ev
from tomking.domain.calendar import dte, new_york
from tomking.domain.contract import Contract, Option
from tomking.domain.intent import Target, Urgency
from tomking.domain.lifecycle import State, may_become
from tomking.domain.money import ZERO
from tomking.domain.order import Fill, Order, part_dollars, part_fees, part_nets, part_slippages
from tomking.domain.products import PRODUCTS
from tomking.domain.record import Record, Trade
from tomking.domain.structure import Leg, Structure

LOSING_CLOSE_SHARE = Decimal("0.0002")
"""A losing close loses more than 0.02 % of net liq; less is a scratch (methodology C.4)."""


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a position with its own P&L, orders and end."""

    role: str
    trade: str
    """The trade it belongs to: the position's id, or its own when it joined later."""
    kind: str
    """The entry that opened it."""
    structure: Structure
    """What one unit holds now."""
    units: int
    """Open units; 0 when closed."""
    filled_units: int
    """Units ever opened."""
    entry_net: Decimal
    """Points per unit received on opening, average over fills."""
    opened: datetime
    opened_dte: int
    """Calendar days to the nearest expiry when it was opened."""
    dollars: Decimal
    """Cash of all fills and settlements before fees."""
    fees: Decimal
    closing: str | None = None
    """The rule exit that works on it."""
    target: str | None = None
    """The resting profit-taking order."""
    closed: datetime | None = None
    trigger: str = ""
    """The rule that closed it."""
    slippage: Decimal = ZERO
    """Dollars given away against the mids, over all fills."""
    legs_text: str = ""
    planned_loss: Decimal = ZERO
    """Points per unit of the whole wish at the planned stop."""
    delivered: bool = False
    """Whether an exercise or an assignment left a future or shares in it."""

    expiry: date = field(init=False, repr=False, compare=False)
    """The nearest expiry among its legs; worked out once, because every look asks for it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "expiry", _nearest_expiry(self.structure))

    @property
    def is_open(self) -> bool:
        return self.units > 0

    @property
    def net_dollars(self) -> Decimal:
        """Cash so far, after fees: its P&L once it is closed."""
        return self.dollars - self.fees


@dataclass(frozen=True, slots=True)
class Position:
    """One strategy, one underlying family, one expiration set, whatever its units (ruling 13)."""

    id: str
    strategy: str
    product: str
    state: State
    opened: datetime
    components: Mapping[str, Component]
    units: int
    """Units of the opening order that were filled."""
    margin: Decimal
    """Dollars of margin the gate counted when it was opened."""
    planned_loss: Decimal
    """Dollars lost at the planned stop, all units, as judged at entry."""
    targets: tuple[Target, ...] = ()
    """The profit-taking orders that rest while their components are open."""
    stage: str = ""
    """Where it is in its strategy's own life (``rules.life``); empty until the strategy has said."""

    open_components: tuple[Component, ...] = field(init=False, repr=False, compare=False)
    """Worked out once: an IPMCC has closed a hundred calls, and every look asks for the open one."""

    def __post_init__(self) -> None:
        still = tuple([one for one in self.components.values() if one.units > 0])
        object.__setattr__(self, "open_components", still)

    @property
    def family(self) -> str:
        return PRODUCTS[self.product].family

    @property
    def is_working(self) -> bool:
        """A rule exit is on its way for some component."""
        return any(c.closing for c in self.components.values())

    def legs(self) -> Iterator[tuple[Leg, int]]:
        """Every open leg with its component's units."""
        for component in self.open_components:
            for leg in component.structure.legs:
                yield leg, component.units


@dataclass(frozen=True, slots=True)
class Working:
    """An order that has not ended."""

    order: Order
    since: datetime
    """When it was first submitted."""
    limit: Decimal
    """Its present limit."""
    filled: int = 0
    """Units."""
    cancelling: bool = False
    attempt: int = 1
    """The last attempt that is durable: the first, each new limit and each repetition are one."""
    fills: tuple[str, ...] = ()
    """Ids of its own fills: which executions are booked already."""
    fees: Decimal = ZERO
    """Dollars booked with them."""
    doubt: datetime | None = None
    """Since when its fate is unknown; None: it is known."""
    parked: bool = False
    """Unknown for too long: a person was told."""
    refused: datetime | None = None
    """When it was refused; None: it was not."""


@dataclass(frozen=True, slots=True)
class Day:
    """Counters of the session under way."""

    session: date | None = None
    entries: int = 0
    """Openings that were filled."""
    losing_closes: int = 0
    closes: int = 0
    """Whole positions closed, scratches included."""
    entered: tuple[tuple[str, str], ...] = ()
    """(strategy, entry) of every opening that was filled, joined components included."""
    attempts: tuple[tuple[str, str, datetime], ...] = ()
    """(strategy, entry, when) of every opening order sent."""
    declined: tuple[tuple[str, str, str], ...] = ()
    """(strategy, entry, code) that were already written down."""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    """See the module; ``sequence`` counts the events applied and makes ids."""

    sequence: int = 0
    cash: Decimal = ZERO
    deposits: Decimal = ZERO
    fees: Decimal = ZERO
    positions: Mapping[str, Position] = field(default_factory=dict[str, Position])
    orders: Mapping[str, Working] = field(default_factory=dict[str, Working])
    fills: frozenset[str] = frozenset()
    """Ids of the fills of working orders: a repeated report is ignored."""
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    levels: Mapping[str, str] = field(default_factory=dict[str, str])
    records: Mapping[str, Record] = field(default_factory=dict[str, Record])
    day: Day = Day()
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


def record_key(strategy: str, kind: str) -> str:
    """Closed trades are counted by strategy and entry: an LT112 and its weekly sales apart."""
    return f"{strategy}:{kind}"


def fold(journal: Iterator[ev.Event]) -> Book:
    """The book of a journal."""
    return reduce(apply, journal, Book())


def apply(book: Book, event: ev.Event) -> Book:
    """The book after one more event.  Assertions guard what no event may do."""
    counted = book.sequence + 1
    match event:  # what comes most often, in one copy
        case ev.Noted(_, key, value):
            notes = {k: v for k, v in book.notes.items() if k != key}
            notes = {**notes, key: value} if value else notes
            return replace(book, sequence=counted, just_closed=(), notes=notes)
        case ev.OrderRepriced(_, order, limit):
            working = book.orders[order]
            working = replace(working, limit=limit, attempt=working.attempt + 1)
            orders = {**book.orders, order: working}
            return replace(book, sequence=counted, just_closed=(), orders=orders)
        case ev.Declined(_, strategy, entry, code, _):
            day = replace(book.day, declined=(*book.day.declined, (strategy, entry, code)))
            return replace(book, sequence=counted, just_closed=(), day=day)
        case _:
            return _applied(replace(book, sequence=counted, just_closed=()), event)


Seldom = (
    ev.RunStarted
    | ev.SessionBegan
    | ev.SessionEnded
    | ev.CashMoved
    | ev.DeclinedAgain
    | ev.EntryApproved
    | ev.OrderSubmitted
    | ev.OrderAccepted
    | ev.OrderFilled
    | ev.OrderCancelled
    | ev.OrderRejected
    | ev.CancelRequested
    | ev.Transitioned
    | ev.Staged
    | ev.Settled
    | ev.Paid
    | ev.LevelChanged
    | ev.PeakReset
    | ev.Quarantined
    | ev.Reconciled
    | ev.LegsUneven
    | ev.OrderUnknown
    | ev.OrderParked
    | ev.OrderRetried
    | ev.LegsUnwound
    | ev.LateFill
    | ev.ForeignChanged
)


def _applied(book: Book, event: Seldom) -> Book:  # noqa: C901, PLR0912 - one case per event
    match event:
        case ev.OrderFilled(_, fill):
            return _filled(book, fill)
        case ev.OrderSubmitted(at, order):
            return _submitted(book, order, at)
        case ev.OrderCancelled(_, order):
            return _without_order(book, order)
        case ev.OrderRejected(at, order, _):
            book = _without_order(book, order)
            refused = replace(book.ended[order], refused=at)
            return replace(book, ended={**book.ended, order: refused})
        case ev.CancelRequested(_, order, _):
            working = replace(book.orders[order], cancelling=True)
            return replace(book, orders={**book.orders, order: working})
        case ev.Transitioned(_, position, before, after, _):
            return _transitioned(book, position, before, after)
        case ev.Staged(_, position, before, after, _, _):
            return _staged(book, position, before, after)
        case ev.Settled():
            return _settled(book, event)
        case ev.Paid():
            return _paid(book, event)
        case ev.SessionBegan(_, day):
            return replace(book, day=Day(session=day), ended={})
        case ev.SessionEnded(_, _, net_liq):
            ended = replace(book.day, ended=True)
            return replace(book, prior_close=net_liq, peak=max(book.peak, net_liq), day=ended)
        case ev.CashMoved(_, dollars, _):
            return replace(
                book,
                cash=book.cash + dollars,
                deposits=book.deposits + dollars,
                prior_close=book.prior_close + dollars,
                peak=book.peak + dollars,
            )
        case ev.LevelChanged(_, name, before, after, _):
            assert book.levels.get(name, "") == before, f"{name} is not {before!r}"
            return replace(book, levels={**book.levels, name: after})
        case ev.PeakReset(_, net_liq):
            return replace(book, peak=net_liq)
        case ev.Quarantined(_, strategy, _):
            return replace(book, quarantined=book.quarantined | {strategy})
        case ev.RunStarted() | ev.DeclinedAgain() | ev.EntryApproved() | ev.Reconciled() | ev.LegsUneven():
            return book
        case ev.OrderAccepted(_, order):
            return _out_of_doubt(book, order)
        case ev.OrderUnknown() | ev.OrderParked() | ev.OrderRetried() | ev.LegsUnwound() | ev.LateFill():
            return _doubted(book, event)
        case ev.ForeignChanged(_, contract, quantity):
            foreign = {c: n for c, n in book.foreign.items() if c != contract}
            return replace(book, foreign={**foreign, contract: quantity} if quantity else foreign)
        case _:
            assert_never(event)


def _out_of_doubt(book: Book, id_: str) -> Book:
    working = book.orders.get(id_)
    if working is None or working.doubt is None:
        return book
    return replace(book, orders={**book.orders, id_: replace(working, doubt=None, parked=False)})


def _doubted(
    book: Book, event: ev.OrderUnknown | ev.OrderParked | ev.OrderRetried | ev.LegsUnwound | ev.LateFill
) -> Book:
    if isinstance(event, ev.LateFill):
        return _filled_late(book, event.fill)
    working = book.orders[event.order]
    match event:
        case ev.OrderUnknown(at):
            working = replace(working, doubt=working.doubt or at)
        case ev.OrderParked(at):
            working = replace(working, doubt=working.doubt or at, parked=True)
        case ev.OrderRetried(_, _, attempt):
            assert attempt > working.attempt, f"attempt {attempt} of order {event.order} is not the next"
            working = replace(working, attempt=attempt)
        case ev.LegsUnwound(_, order, dollars, fees):
            book = replace(book, cash=book.cash + dollars - fees, fees=book.fees + fees)
            return _without_order(book, order)
        case _:
            assert_never(event)
    return replace(book, orders={**book.orders, event.order: working})


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


def _filled_late(book: Book, fill: Fill) -> Book:
    """Books it as if the order still worked; what a position has closed since is open again with it."""
    ended = book.ended[fill.order]
    position = book.positions.get(ended.order.position)
    if position is not None and ended.order.opens:
        roles = set(ended.order.roles)
        reopened = {
            role: replace(one, closed=None, trigger="") if role in roles else one
            for role, one in position.components.items()
        }
        book = _with_position(book, replace(position, components=reopened))
    book = _filled(replace(book, orders={**book.orders, fill.order: ended}), fill)
    return _without_order(book, fill.order) if fill.order in book.orders else book


def _submitted(book: Book, order: Order, at: datetime) -> Book:
    assert order.id not in book.orders, f"order {order.id} submitted twice"
    orders = {**book.orders, order.id: Working(order, at, order.limit)}
    book = replace(book, orders=orders)
    if order.opens:
        attempts = (*book.day.attempts, (order.strategy, order.entry_key, at))
        return replace(book, day=replace(book.day, attempts=attempts))
    position = book.positions[order.position]
    components = dict(position.components)
    for role in order.roles:
        one = components[role]
        if order.urgency is Urgency.TARGET:
            assert one.target is None, f"{order.position} {role} has a resting target"
            components[role] = replace(one, target=order.id)
        else:
            assert one.closing is None, f"{order.position} {role} is being closed"
            assert one.target is None, f"{order.position} {role} has a resting target"
            components[role] = replace(one, closing=order.id)
    return _with_position(book, replace(position, components=components))


def _filled(book: Book, fill: Fill) -> Book:
    assert fill.id not in book.fills, f"fill {fill.id} applied twice"
    working = book.orders[fill.order]
    order = working.order
    assert working.filled + fill.units <= order.units, f"order {order.id} overfilled"
    dollars = part_dollars(order, fill)
    book = replace(
        book,
        cash=book.cash + sum(dollars, ZERO) - fill.fees,
        fees=book.fees + fill.fees,
        fills=book.fills | {fill.id},
        orders={
            **book.orders,
            order.id: replace(
                working,
                filled=working.filled + fill.units,
                fills=(*working.fills, fill.id),
                fees=working.fees + fill.fees,
            ),
        },
    )
    book = _opened(book, order, fill) if order.opens else _closed(book, order, fill)
    if working.filled + fill.units == order.units:
        book = _without_order(book, order.id)
    return book


def _opened(book: Book, order: Order, fill: Fill) -> Book:
    is_new = order.position not in book.positions
    joins = order.position != order.id
    old = book.positions.get(order.position) or Position(
        id=order.position,
        strategy=order.strategy,
        product=order.structure.product,
        state=State.BUILDING,
        opened=fill.at,
        components={},
        units=0,
        margin=order.margin,
        planned_loss=order.planned_loss * order.units * order.structure.multiplier,
    )
    components = dict(old.components)
    for part, net, dollars, fees, slippage in zip(
        order.parts,
        part_nets(order, fill),
        part_dollars(order, fill),
        part_fees(order, fill),
        part_slippages(order, fill),
        strict=True,
    ):
        one = components.get(part.role) or Component(
            role=part.role,
            trade=f"{order.position}/{part.role}" if joins else order.position,
            kind=order.trigger,
            structure=part.structure,
            units=0,
            filled_units=0,
            entry_net=ZERO,
            opened=fill.at,
            opened_dte=dte(new_york(fill.at).date(), _nearest_expiry(part.structure)),
            dollars=ZERO,
            fees=ZERO,
            legs_text=str(part.structure),
            planned_loss=order.planned_loss,
        )
        assert one.closed is None, f"{order.position} {part.role} was closed and cannot be opened again"
        units = one.filled_units + fill.units
        components[part.role] = replace(
            one,
            units=one.units + fill.units,
            filled_units=units,
            entry_net=(one.entry_net * one.filled_units + net * fill.units) / units,
            dollars=one.dollars + dollars,
            fees=one.fees + fees,
            slippage=one.slippage + slippage,
        )
    units = old.units if joins else old.units + fill.units
    first = fill.units == book.orders[order.id].filled
    targets = (*old.targets, *order.targets) if first else old.targets
    position = replace(old, components=components, units=units, targets=targets)
    day = replace(
        book.day,
        entries=book.day.entries + (1 if is_new else 0),
        entered=(*book.day.entered, (order.strategy, order.trigger)),
    )
    entry = (fill.at, order.strategy) if is_new else book.last_entry
    return replace(_with_position(book, position), day=day, last_entry=entry)


def _closed(book: Book, order: Order, fill: Fill) -> Book:
    position = book.positions[order.position]
    components = dict(position.components)
    for role, dollars, fees, slippage in zip(
        order.roles,
        part_dollars(order, fill),
        part_fees(order, fill),
        part_slippages(order, fill),
        strict=True,
    ):
        one = components[role]
        assert fill.units <= one.units, f"{order.position} {role}: closing more than is held"
        units = one.units - fill.units
        components[role] = replace(
            one,
            units=units,
            dollars=one.dollars + dollars,
            fees=one.fees + fees,
            slippage=one.slippage + slippage,
            closed=None if units else fill.at,
            trigger=one.trigger if units else order.trigger,
        )
    return _with_closed_trades(_with_position(book, replace(position, components=components)), position)


def _settled(book: Book, event: ev.Settled) -> Book:
    position = book.positions[event.position]
    one = position.components[event.role]
    kept = tuple(leg for leg in one.structure.legs if leg.contract not in event.expired)
    legs = _added_up((*kept, *event.delivered))
    done = not legs
    settled = replace(
        one,
        delivered=any(not isinstance(leg.contract, Option) for leg in legs)
        and (one.delivered or bool(event.delivered)),
        structure=one.structure if done else Structure(one.structure.name, legs),
        units=0 if done else one.units,
        dollars=one.dollars + event.dollars,
        fees=one.fees + event.fees,
        closed=event.at if done else None,
        trigger="settlement" if done else one.trigger,
    )
    position_after = replace(position, components={**position.components, event.role: settled})
    book = replace(book, cash=book.cash + event.dollars - event.fees, fees=book.fees + event.fees)
    return _with_closed_trades(_with_position(book, position_after), position)


def _paid(book: Book, event: ev.Paid) -> Book:
    position = book.positions[event.position]
    one = position.components[event.role]
    assert one.is_open, f"{event.position} {event.role} is closed"
    paid = replace(one, dollars=one.dollars + event.dollars)
    position = replace(position, components={**position.components, event.role: paid})
    return _with_position(replace(book, cash=book.cash + event.dollars), position)


def _added_up(legs: tuple[Leg, ...]) -> tuple[Leg, ...]:
    """What both sides of a spread deliver cancels."""
    ratios: dict[Contract, int] = {}
    for leg in legs:
        ratios[leg.contract] = ratios.get(leg.contract, 0) + leg.ratio
    return tuple(Leg(contract, ratio) for contract, ratio in ratios.items() if ratio)


def _transitioned(book: Book, id_: str, before: State, after: State) -> Book:
    position = book.positions[id_]
    assert position.state is before, f"{id_} is {position.state}, not {before}"
    assert may_become(before, after), f"{id_}: {before} may not become {after}"
    if after is State.CLOSED:
        assert not position.open_components, f"{id_} still holds {position.open_components}"
        return replace(book, positions={k: p for k, p in book.positions.items() if k != id_})
    return _with_position(book, replace(position, state=after))


def _staged(book: Book, id_: str, before: str, after: str) -> Book:
    position = book.positions[id_]
    assert position.stage == before, f"{id_} is at {position.stage!r}, not {before!r}"
    return _with_position(book, replace(position, stage=after))


def _without_order(book: Book, id_: str) -> Book:
    ended = book.orders[id_]
    order = ended.order
    orders = {k: w for k, w in book.orders.items() if k != id_}
    fills = frozenset() if not orders else book.fills
    book = replace(book, orders=orders, fills=fills, ended={**book.ended, id_: ended})
    position = book.positions.get(order.position)
    if order.opens or position is None:
        return book
    components = {
        role: replace(
            one,
            closing=None if one.closing == id_ else one.closing,
            target=None if one.target == id_ else one.target,
        )
        for role, one in position.components.items()
    }
    return _with_position(book, replace(position, components=components))


def _with_position(book: Book, position: Position) -> Book:
    return replace(book, positions={**book.positions, position.id: position})


def _with_closed_trades(book: Book, before: Position) -> Book:
    """Adds the trades whose last component just closed to the records."""
    after = book.positions[before.id]
    open_now = {c.trade for c in after.open_components}
    ended = {c.trade: None for c in before.open_components if c.trade not in open_now}
    for id_ in ended:
        trade = _trade(after, id_)
        key = record_key(trade.strategy, trade.kind)
        record = book.records.get(key, Record()).plus(trade.net)
        book = replace(book, records={**book.records, key: record}, just_closed=(*book.just_closed, trade))
    return book if after.open_components else _with_losing_close(book, after)


def _with_losing_close(book: Book, position: Position) -> Book:
    """A whole position has closed: at a loss, if it is more than a scratch (methodology C.4).

    What closes inside a position that goes on is a trade (ruling 5), but no losing close.
    """
    net = sum((c.net_dollars for c in position.components.values()), ZERO)
    scratch = LOSING_CLOSE_SHARE * book.prior_close
    lost, won = -net > scratch, net > scratch
    day = replace(book.day, losing_closes=book.day.losing_closes + int(lost), closes=book.day.closes + 1)
    run = book.losing_run + 1 if lost else 0 if won else book.losing_run
    worst = max(book.worst_close_share, -net / book.prior_close) if book.prior_close > 0 else ZERO
    return replace(book, day=day, losing_run=run, worst_close_share=worst)


def _trade(position: Position, id_: str) -> Trade:
    parts = [c for c in position.components.values() if c.trade == id_]
    ends = sorted(parts, key=lambda c: c.closed or c.opened)
    last = ends[-1]
    return Trade(
        id=id_,
        strategy=position.strategy,
        kind=parts[0].kind,
        product=position.product,
        legs=" / ".join(c.legs_text for c in parts),
        units=max(c.filled_units for c in parts),
        opened=min(c.opened for c in parts),
        closed=last.closed or last.opened,
        trigger=" then ".join(dict.fromkeys(c.trigger for c in ends)),
        entry_net=sum((c.entry_net for c in parts), ZERO),
        gross=sum((c.dollars for c in parts), ZERO),
        fees=sum((c.fees for c in parts), ZERO),
        parts=tuple((c.role, c.net_dollars) for c in parts),
        slippage=sum((c.slippage for c in parts), ZERO),
    )


def _nearest_expiry(structure: Structure) -> date:
    return min(leg.contract.expiry for leg in structure.legs)
