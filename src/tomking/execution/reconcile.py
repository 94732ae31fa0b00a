"""The book against the broker's account, leg by leg and to the cent: what differs, and what resolves it.

One pass makes book and account agree wherever the evidence says why they differ; a second one finds nothing
to do.  The broker is believed about what is held, and never about whose it is:

1. A tag of ours that the book has never heard of says that the book is old (a restored backup, a second
   machine): nothing is resolved and nothing may be sent (I27).
2. What orders under way have filled and the book has not booked yet is no difference: the order desk does it.
3. What is missing and the broker's transactions explain (expired, exercised, assigned) is settled for its
   owners, whole components only.  What orders have filled beyond that of a contract that has ended has ended
   with it, for as much as the others.
4. All that is left over, of either sign, is foreign: counted in risk, and never closed by the program (I25).
   Where it takes away from what a position here holds, that position's legs are missing, and that stands as
   a difference until a person has looked.
5. Cash that differs is looked for among the newest movements that are no order of ours; what nothing
   explains stands as a difference and is not booked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import reduce

from tomking.domain.book import Book, Component, Position, Working, apply
from tomking.domain.calendar import new_york
from tomking.domain.contract import Contract
from tomking.domain.events import AccountNews, CashMoved, ForeignChanged, Paid, Reconciled, Settled
from tomking.domain.money import CENT, ZERO, cents
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg
from tomking.domain.trading import Trading
from tomking.execution.differences import STANDS, Difference, Reconciliation, Shown, Sort, standing
from tomking.execution.protocol.fills import consumed, per_unit
from tomking.execution.protocol.settling import ended, netted, worth
from tomking.execution.protocol.tags import parsed
from tomking.execution.unbooked import Movement, explaining, is_ours, movements, newest, removals
from tomking.execution.wire import ENDED, BrokerOrder, Transaction
from tomking.ports import Expiry

Counts = dict[Contract, int]


def reconcile(
    book: Book,
    shown: Shown,
    now: datetime,
    *,
    instance: str,
    epoch: int,
    told: Sequence[str] = (),
    insist: Collection[Contract] = (),
    left: Collection[str] = (),
) -> Reconciliation:
    """Compares; pure.

    Precondition: the order desk has told what ``shown.orders`` say of its orders, late prints included.

    instance  of our tags
    epoch     of our trading lease
    told      the standing differences told last: they are told again only when they have changed
    insist    contracts that an order under way has been an excuse for long enough
    left      orders that ended with odd legs which stay: they are the account's, with what they cost
    """
    stale = tuple(_stale(book, shown.orders, instance, epoch))
    if stale:
        return Reconciliation(stale, _news(stale, told, now), state=Trading.HALTED)
    found = _Pass(book, shown, now, _under_way(book, shown.orders, instance, left), book.foreign)
    found.settle()
    found.end_odd_legs()
    found.adopt(insist)
    found.balance()
    forgotten = tuple(_forgotten(book, shown.orders, instance))
    found.differences += [
        Difference(
            Sort.FORGOTTEN, f"order {o.id} ({o.tag}) works at the broker and has ended here: cancelled"
        )
        for o in forgotten
    ]
    stands = any(d.sort in STANDS and not d.family for d in found.differences)
    return Reconciliation(
        tuple(found.differences),
        (*found.events, *_news(found.differences, told, now)),
        tuple(order.id for order in forgotten),
        tuple(dict.fromkeys(found.end_first)),
        tuple(found.doubtful),
        Trading.REDUCING if stands else Trading.ACTIVE,
    )


def _news(differences: Iterable[Difference], told: Sequence[str], now: datetime) -> tuple[AccountNews, ...]:
    words = standing(differences)
    return () if words == tuple(told) else (Reconciled(now, words),)


# ------------------------------------------------------------------------------ orders


def _stale(book: Book, orders: Iterable[BrokerOrder], instance: str, epoch: int) -> Iterator[Difference]:
    """Tags of ours that this book cannot have made."""
    for order in orders:
        tag = parsed(order.tag)
        if tag is None or tag.instance != instance:
            continue
        working = book.orders.get(tag.order)
        if tag.epoch > epoch:
            why = f"of trading lease {tag.epoch}, ours is {epoch}"
        elif int(tag.order) >= book.sequence:
            why = f"the book has {book.sequence} events and has never made it"
        elif working is not None and tag.attempt > working.attempt:
            why = f"the book knows of attempt {working.attempt}"
        else:
            continue
        yield Difference(
            Sort.STALE, f"the broker has seen order {order.tag}: {why}; this book is out of date"
        )


def _forgotten(book: Book, orders: Iterable[BrokerOrder], instance: str) -> Iterator[BrokerOrder]:
    for order in orders:
        tag = parsed(order.tag)
        is_ours = tag is not None and tag.instance == instance
        if tag is not None and is_ours and order.status not in ENDED and tag.order not in book.orders:
            yield order


@dataclass(frozen=True, slots=True)
class _Stray:
    """What an order has traded that no position here takes, and nothing is done about."""

    at: datetime
    id: str
    held: Counts
    dollars: Decimal
    """After fees."""
    reason: str

    def moved(self, ends: Decimal = ZERO) -> Movement:
        """``ends``: dollars that it was worth at its end."""
        return Movement(self.at, self.id, cents(self.dollars + ends), self.reason, is_stray=True)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """What the book does not have yet of orders that work here."""

    held: Counts
    """Filled, and not booked."""
    cash: Decimal
    strays: tuple["_Stray", ...]
    open: dict[Contract, set[int]]
    """What may still be filled of it, by contract: +1 bought, -1 sold."""


def _under_way(book: Book, orders: Iterable[BrokerOrder], instance: str, left: Collection[str]) -> _UnderWay:
    held: Counts = {}
    cash = ZERO
    strays: list[_Stray] = []
    for id_, shown in _by_order(orders, instance).items():
        working = book.orders.get(id_) or book.ended.get(id_)
        if working is None:
            continue
        counts, dollars = _unbooked(working, shown)
        if id_ in book.ended and (id_ in left or _is_even(working, counts)):
            # Nothing, or what its position does not take any more: no legs are to be traded.
            if dollars and any(counts.values()):
                at = max(x.at for one in shown for x in one.executions)
                reason = f"order {id_}, in no position here"
                strays.append(_Stray(at, f"order {id_}", counts, dollars, reason))
            continue
        cash += dollars
        for contract, count in counts.items():
            held[contract] = held.get(contract, 0) + count
    may_fill: dict[Contract, set[int]] = {}
    for working in book.orders.values():
        for leg in working.order.structure.legs:
            may_fill.setdefault(leg.contract, set()).add(1 if leg.ratio > 0 else -1)
    return _UnderWay(held, cents(cash), tuple(strays), may_fill)


def _by_order(orders: Iterable[BrokerOrder], instance: str) -> dict[str, list[BrokerOrder]]:
    """The attempts of each order of ours."""
    found: dict[str, list[BrokerOrder]] = {}
    for order in orders:
        tag = parsed(order.tag)
        if tag is not None and tag.instance == instance:
            found.setdefault(tag.order, []).append(order)
    return found


def _unbooked(working: Working, shown: Iterable[BrokerOrder]) -> tuple[Counts, Decimal]:
    """Contracts and cash of its executions that no fill of the book has taken."""
    booked = consumed(working.fills)
    held: Counts = {}
    cash = working.fees
    for order in shown:
        for one in order.executions:
            side = 1 if one.quantity > 0 else -1
            left = one.quantity - side * booked.get(one.id, 0)
            held[one.contract] = held.get(one.contract, 0) + left
            cash -= left * one.price * one.contract.multiplier
        cash -= order.fees
    return held, cash


def _is_even(working: Working, counts: Counts) -> bool:
    """Whether they are whole units, or none."""
    units = {Decimal(counts.get(c, 0)) / n for c, n in per_unit(working.order.structure.legs).items() if n}
    return len(units) <= 1


# ------------------------------------------------------------------------------ one pass


@dataclass(slots=True)
class _Pass:
    """The state of one comparison: ``book`` moves with the events."""

    book: Book
    shown: Shown
    now: datetime
    under_way: _UnderWay
    foreign: Mapping[Contract, int]
    """Of the book as it was before."""
    events: list[AccountNews] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    end_first: list[str] = field(default_factory=list)
    waiting: set[Contract] = field(default_factory=set)
    """Left for a later pass."""
    doubtful: list[Contract] = field(default_factory=list)
    ends: list[Movement] = field(default_factory=list)
    """Of foreign contracts beside our own."""
    odd_ends: Decimal = ZERO
    """Cash of what orders under way had filled, and has ended."""
    pending: Decimal = ZERO
    """Cash of what ended and is settled when the orders that work on it have ended."""
    booked: dict[str, int] = field(default_factory=dict)
    """Contracts of each transaction and execution, by id, that were settled."""

    def record(self, event: AccountNews) -> None:
        self.events.append(event)
        self.book = apply(self.book, event)

    def differs(self, sort: Sort, text: str, contract: Contract | None = None) -> None:
        family = "" if contract is None else PRODUCTS[contract.product].family
        self.differences.append(Difference(sort, text, family))

    def gaps(self) -> Counts:
        """What the account holds beyond book, foreign ones and fills under way, in a fixed order."""
        held = dict(self.shown.positions.held)
        owned = owned_by(self.book)
        known = {*held, *owned, *self.book.foreign, *self.under_way.held}
        gaps = {
            c: held.get(c, 0) - owned.get(c, 0) - self.book.foreign.get(c, 0) - self.under_way.held.get(c, 0)
            for c in sorted(known, key=str)
        }
        return {c: gap for c, gap in gaps.items() if gap}

    # ---------------------------------------------------------------- 3 settled

    def settle(self) -> None:
        told_all = removals(self.shown.transactions, self.shown.orders)
        outcomes: dict[Contract, Expiry] = {}
        ending: dict[tuple[str, str], list[Leg]] = {}
        for contract, gap in self.gaps().items():
            told = explaining(contract, -gap, told_all)
            owners = _owners(self.book, contract) if told else []
            whole = list(_whole(owners, -gap, is_over=contract.expiry <= new_york(self.now).date()))
            if whole:
                told = explaining(contract, sum(leg.ratio * one.units for _, one, leg in whole), told_all)
                gross = sum(abs(leg.ratio) * one.units for _, one, leg in whole)
                (outcomes[contract],) = ended([contract], told, gross={contract: gross})
            for position, one, leg in whole:
                self._book(told, abs(leg.ratio) * one.units)
                if one.closing or one.target:
                    self._is_busy(position, one, leg, outcomes[contract])
                else:
                    ending.setdefault((position.id, one.role), []).append(leg)
        for (id_, role), legs in ending.items():
            component = self.book.positions[id_].components[role]
            event = _settled(id_, component, legs, outcomes, self.now)
            self.record(event)
            gone = ", ".join(map(str, event.expired))
            self.differs(
                Sort.SETTLED, f"position {id_} {role}: {gone} ended at {event.price}: ${event.dollars:,.2f}"
            )

    def _book(self, told: Iterable[Transaction], count: int) -> None:
        """So many contracts of these are settled, the newest first."""
        for one in told:
            taken = min(count, abs(one.quantity) - self.booked.get(one.id, 0))
            self.booked[one.id] = self.booked.get(one.id, 0) + taken
            count -= taken

    def _is_busy(self, position: Position, one: Component, leg: Leg, outcome: Expiry) -> None:
        contract = leg.contract
        dollars = leg.ratio * one.units * outcome.dollars - abs(leg.ratio) * one.units * outcome.fee
        self.pending += cents(dollars)
        orders = [id_ for id_ in (one.closing, one.target) if id_]
        self.end_first += orders
        self.waiting.add(contract)
        if outcome.delivered is not None:
            self.waiting.add(outcome.delivered[0])
        words = (
            f"position {position.id} {one.role}: {contract} ended while order {' and '.join(orders)} works"
        )
        self.differs(Sort.BUSY, words, contract)

    def end_odd_legs(self) -> None:
        """Takes off what orders under way have filled of contracts that have ended, for what it was worth."""
        gone = {c: n for c, n in self.under_way.held.items() if n and c in self._gone(self.under_way.held)}
        for contract, count in gone.items():
            dollars = worth(contract, count, self.shown.transactions)
            if dollars is not None:
                del self.under_way.held[contract]
                self.odd_ends += cents(dollars)

    def _gone(self, contracts: Iterable[Contract]) -> set[Contract]:
        """Of these what is over, and neither the account nor a position here, nor anybody else, holds.

        Foreign ones until now stood against these, or are paid for by themselves.
        """
        today = new_york(self.now).date()
        held = {*dict(self.shown.positions.held), *owned_by(self.book), *self.foreign}
        return {c for c in contracts if c.expiry <= today and c not in held}

    def _ended(self, counts: Counts) -> Decimal:
        """Dollars that what is gone of these was worth at its end."""
        gone = self._gone(counts)
        ends = (worth(c, n, self.shown.transactions) for c, n in counts.items() if n and c in gone)
        return sum((dollars for dollars in ends if dollars is not None), ZERO)

    # ---------------------------------------------------------------- 4 foreign

    def adopt(self, insist: Collection[Contract]) -> None:
        for contract, gap in self.gaps().items():
            if contract in self.waiting:
                continue
            side = 1 if gap > 0 else -1
            if side in self.under_way.open.get(contract, set()) and contract not in insist:
                text = f"{contract}: the account has {gap:+d} more than the book, and an order works on it"
                self.differs(Sort.DOUBTFUL, text, contract)
                self.doubtful.append(contract)
                self.waiting.add(contract)
                continue
            self._end_of_foreign(contract, gap)
            quantity = self.book.foreign.get(contract, 0) + gap
            self.record(ForeignChanged(self.now, contract, quantity))
            words = (
                f"{quantity:+d} are in no position here" if quantity else "no more of them are in the account"
            )
            self.differs(Sort.FOREIGN, f"{contract}: {words}", contract)
        self._missing()

    def _end_of_foreign(self, contract: Contract, gap: int) -> None:
        """What foreign ones were worth at their end, where positions here held the same contract.

        The account was settled for all together, and those have paid the fees.
        """
        if self.book.foreign.get(contract, 0) * gap >= 0:
            return
        told = self.shown.transactions
        found = ended([contract], told)
        if not found and contract.expiry <= new_york(self.now).date():
            found = netted({contract: 0}, told)  # the account held what positions did, less these: nothing
        if found:
            at = max((one.at for one in told if one.contract == contract), default=self.now)
            reason = f"{-gap:+d} {contract} ended, in no position here"
            dollars = cents(-gap * found[0].dollars)
            self.ends.append(Movement(at, str(contract), dollars, reason, is_stray=True))

    def _missing(self) -> None:
        """Foreign ones that take away from what positions here hold."""
        owned = owned_by(self.book)
        for contract in sorted(self.book.foreign, key=str):
            ours, theirs = owned.get(contract, 0), self.book.foreign[contract]
            if ours * theirs < 0:
                text = f"{contract}: positions here hold {ours:+d}, the account {ours + theirs:+d}"
                self.differs(Sort.MISSING, text, contract)

    # ---------------------------------------------------------------- 5 cash

    def balance(self) -> None:
        if not self._cash_gap:
            return
        shown = self.shown
        slack = CENT * (sum(isinstance(event, Settled) for event in self.events) + len(self.end_first))
        items = movements(shown.transactions, shown.orders, ours=owned_by(self.book), booked=self.booked)
        strays = [one.moved(self._ended(one.held)) for one in self.under_way.strays]
        for item in newest([*strays, *self._late(), *self.ends, *items], self._cash_gap, slack):
            self._move(item)
        gap = self._cash_gap
        if gap and abs(gap) <= slack:
            self.record(CashMoved(self.now, gap, "cents that settling by position rounded"))
        elif gap:
            self.differs(Sort.CASH, f"cash: the account has ${gap:+,.2f} more than the book, unexplained")

    def _late(self) -> Iterator[Movement]:
        """Orders of others, with what they traded as it ended: nobody saw it before it was over.

        Where a position held the same, the account was settled for both together.
        """
        for order in self.shown.orders:
            counts: Counts = {}
            for one in () if is_ours(order) else order.executions:
                counts[one.contract] = counts.get(one.contract, 0) + one.quantity
            ends = self._ended(counts)
            if ends:
                dollars = sum((-x.quantity * x.price * x.contract.multiplier for x in order.executions), ZERO)
                at = max(x.at for x in order.executions)
                reason = f"order {order.id}, not ours, and its end"
                yield _Stray(at, order.id, counts, dollars - order.fees, reason).moved(ends)

    @property
    def _cash_gap(self) -> Decimal:
        known = self.book.cash + self.under_way.cash + self.odd_ends + self.pending
        return self.shown.positions.cash - known

    def _move(self, item: Movement) -> None:
        """A payment for what positions hold is theirs; everything else is the account's."""
        owners = [] if item.contract is None else _owners(self.book, item.contract)
        owners = [owner for owner in owners if owner[2].ratio > 0]
        total = sum(leg.ratio * one.units for _, one, leg in owners)
        left = item.dollars
        for n, (position, one, leg) in enumerate(owners):
            is_last = n == len(owners) - 1
            share = left if is_last else cents(item.dollars * leg.ratio * one.units / total)
            left -= share
            self.record(Paid(self.now, position.id, one.role, share, item.reason))
        if not owners:
            self.record(CashMoved(self.now, item.dollars, item.reason))
        self.differs(Sort.MONEY, f"${item.dollars:+,.2f}: {item.reason}")


def owned_by(book: Book) -> Counts:
    """Contracts that positions hold, all owners added up, signed."""
    held: Counts = {}
    for position in book.positions.values():
        for leg, units in position.legs():
            held[leg.contract] = held.get(leg.contract, 0) + leg.ratio * units
    return held


# ------------------------------------------------------------------------------ whose it was


Owner = tuple[Position, Component, Leg]


def _owners(book: Book, contract: Contract) -> list[Owner]:
    """Oldest first."""
    return [
        (position, one, leg)
        for position in book.positions.values()
        for one in position.open_components
        for leg in one.structure.legs
        if leg.contract == contract
    ]


def _whole(owners: Sequence[Owner], removed: int, *, is_over: bool) -> Iterator[Owner]:
    """Owners all of whose contracts are gone: of an expired contract everybody, else the oldest that fit."""
    if is_over and sum(leg.ratio * one.units for _, one, leg in owners) == removed:
        yield from owners
        return
    left = removed
    for owner in owners:
        _, one, leg = owner
        mine = leg.ratio * one.units
        if mine * left > 0 and abs(mine) <= abs(left):
            left -= mine
            yield owner


def _settled(
    id_: str, one: Component, legs: Sequence[Leg], outcomes: Mapping[Contract, Expiry], now: datetime
) -> Settled:
    dollars = fees = ZERO
    delivered: list[Leg] = []
    for leg in legs:
        outcome = outcomes[leg.contract]
        dollars += leg.ratio * one.units * outcome.dollars
        fees += abs(leg.ratio) * one.units * outcome.fee
        if outcome.delivered is not None:
            what, side = outcome.delivered
            delivered.append(Leg(what, side * leg.ratio))
    price = outcomes[legs[-1].contract].price
    gone = tuple(leg.contract for leg in legs)
    return Settled(now, id_, one.role, gone, price, cents(dollars), cents(fees), tuple(delivered))


def resolved(book: Book, answer: Reconciliation) -> Book:
    """The book once the answer's events are recorded."""
    return reduce(apply, answer.events, book)
