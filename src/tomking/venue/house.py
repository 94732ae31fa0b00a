"""The venue as one value: a market, one account on it, a clock, and what the API calls everything.

Nothing here knows of sockets.  ``rest`` and ``sockets`` ask it, and everything that changes the account goes
through ``SimAccount``, the one model of order life.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from tomking.adapters.tastytrade import chains
from tomking.adapters.tastytrade.symbols import Directory
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Contract
from tomking.domain.fees import fees
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.execution.wire import BrokerOrder, Cancel, Outcome, Place, Replace, Reply, Report
from tomking.ports import MarketData
from tomking.risk.margin import Held
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.venue import accounts, listings
from tomking.venue.accounts import Valuation
from tomking.venue.clock import VenueClock
from tomking.venue.complexes import AskedComplex, Complex, Complexes, marketable
from tomking.venue.orders import Asked, Wrong, shown
from tomking.venue.quotes import Feed
from tomking.venue.worth import Worth, costs

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Moved:
    """That the account is shown otherwise."""

    positions: tuple[Json, ...]
    """Those that changed; none where only the cash did."""


@dataclass(frozen=True, slots=True)
class ComplexBody:
    """A complex order that was taken."""

    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ComplexEnd:
    """A complex order that was cancelled."""

    id: int


Noted = Callable[[Place | Replace | Cancel | ComplexBody | ComplexEnd, datetime], None]


def unheard(_request: object, _at: datetime) -> None:
    """Nobody keeps what is asked."""


@dataclass(slots=True)
class House:
    """One account at one venue."""

    number: str
    """The account's."""
    market: MarketData
    sessions: Sessions
    account: SimAccount
    clock: VenueClock
    settings: Settings
    """Margin rates."""
    noted: Noted = unheard
    """Told of every request that was taken (``venue.diary``)."""
    directory: Directory = field(default_factory=Directory)
    _chains: dict[tuple[str, date], list[Json] | Json] = field(
        default_factory=dict[tuple[str, date], list[Json] | Json]
    )
    dressed: dict[str, Json] = field(default_factory=dict[str, Json])
    """What else the API shows of an order, by the account's id: its type, its place in a complex order."""
    complexes: Complexes = field(init=False)
    _changed: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _keys: int = 0
    _told: tuple[dict[Contract, int], Decimal] = field(init=False)

    def __post_init__(self) -> None:
        self.complexes = Complexes(self.account, self.market, self.dressed)
        self._told = ({}, self.account.shown.cash)

    @property
    def feed(self) -> Feed:
        return Feed(self.market, self.sessions, self.directory)

    def now(self) -> datetime:
        """The venue's time, with everything done that was due by it."""
        now = self.clock.now()
        self.complexes.advance(now)
        return now

    # ------------------------------------------------------------------ instruments

    def equity_chain(self, underlying: str) -> list[Json]:
        """The nested chain; listed once a day, and learnt.

        A recording that begins after the open lists nothing before it begins.
        """
        at = self._listed_at()
        key = (underlying, new_york(at).date())
        known = self._chains.get(key)
        if isinstance(known, list):
            return known
        for instant in (at, self.clock.now()):
            items = listings.equity_chain(underlying, self.market, self.sessions, instant)
            if items:
                self.directory.learn(chains.equity_chain(items))
                self._chains[key] = items
                return items
        return []

    def futures_chain(self, code: str) -> Json:
        """The nested chain of a future's options, and the futures themselves; as above."""
        at = self._listed_at()
        key = (f"/{code}", new_york(at).date())
        known = self._chains.get(key)
        if isinstance(known, dict):
            return known
        data: Json = {}
        for instant in (at, self.clock.now()):
            data = listings.futures_chain(code, self.market, self.sessions, instant)
            if data["option-chains"]:
                self._chains[key] = data
                break
        self.directory.learn(chains.futures_chain(data))
        self.directory.learn(listings.futures(PRODUCTS[code], self.sessions, at))
        return data

    def _listed_at(self) -> datetime:
        """The open of the session that is on or comes next: what it lists is known before it, and all day."""
        now = self.clock.now()
        today = new_york(now).date()
        session = self.sessions.on(today)
        if session is None or now >= session.close:
            session = self.sessions.after(today)
        return now if session is None else session.open

    # ------------------------------------------------------------------ orders

    def place(self, order: Asked) -> Reply:
        """Takes an order that can be understood; market orders get the limit that takes any price."""
        limit = order.limit
        if limit is None:
            limit = marketable(order.legs[0], self.market, self.clock.now())
        place = Place(
            self._key(),
            order.tag,
            order.legs,
            order.units,
            limit,
            order.opens,
            order.time_in_force == "GTC",
            strict=order.strict,
        )
        reply = self.handle(place, self.clock.now())
        if order.limit is None and reply.orders:
            self.dressed[reply.orders[0].id] = {"order-type": order.kind, "price": None}
        return reply

    def place_complex(self, order: AskedComplex, body: Mapping[str, object]) -> Complex | Wrong:
        """A complex order; its trigger is an order like any other.  ``body``: as it was sent."""
        now, noted, first = self.clock.now(), self.noted, None
        if order.trigger is not None:
            self.noted = unheard  # the trigger is part of what is noted below
            reply = self.place(order.trigger)
            self.noted = noted
            if reply.outcome is not Outcome.ACCEPTED:
                return Wrong(reply.code, reply.text)
            first = reply.orders[0].id
        self.noted(ComplexBody(body), now)
        return self.complexes.enter(order.kind, first, order.orders, now)

    def cancel_complex(self, id_: int) -> Complex | None:
        now = self.clock.now()
        self.noted(ComplexEnd(id_), now)
        return self.complexes.cancel(id_, now)

    def shown_complex(self, one: Complex) -> Json:
        """A complex order as the API shows it; ids of related orders are texts, as its clients need them."""
        tickets = self.account.tickets
        faces = [self.shown(tickets[id_].shown.last) for id_ in one.orders]
        shown: Json = {"id": one.id, "account-number": self.number, "type": one.kind, "orders": faces}
        if one.trigger is not None:
            shown["trigger-order"] = self.shown(tickets[one.trigger].shown.last)
            shown["related-orders"] = [{"id": one.trigger.removeprefix("V")}]
        if one.terminal is not None:
            shown["terminal-at"] = listings.instant(one.terminal)
        return shown

    def replace(self, id_: str, tag: str, limit: Decimal) -> Reply:
        return self.handle(Replace(self._key(), tag, id_, limit), self.clock.now())

    def cancel(self, id_: str) -> Reply:
        return self.handle(Cancel(self._key(), id_), self.clock.now())

    def handle(self, request: Place | Replace | Cancel, now: datetime) -> Reply:
        """Hands a request to the account; what it takes is noted."""
        reply = self.account.handle(request, now)
        if reply.outcome is Outcome.ACCEPTED:
            self.noted(request, now)
        return reply

    def shown(self, order: BrokerOrder) -> Json:
        """An order as the API shows it."""
        ticket = self.account.tickets[order.id]
        force = "GTC" if ticket.rests_overnight else "Day"
        at = self._changed.setdefault(order.id, ticket.entered)
        named = _numbered(order)
        face = shown(named, self.number, self.directory, force, at, opens=ticket.opens)
        face |= {"received-at": listings.instant(ticket.entered), **self.dressed.get(order.id, {})}
        return {name: value for name, value in face.items() if value is not None}

    def find(self, number: str) -> BrokerOrder | None:
        """The order of an API id as it is shown now."""
        ticket = self.account.tickets.get(f"V{number}")
        return None if ticket is None else ticket.shown.last

    def reports(self) -> Iterator[Report]:
        """What has changed since the last call, oldest first."""
        for report in self.account.reports():
            self._changed[report.order.id] = report.at
            yield report

    def touched(self, reports: Iterable[Report]) -> list[Complex]:
        """The complex orders that these orders belong to, each once."""
        ids = [self.dressed.get(one.order.id, {}).get("complex-order-id") for one in reports]
        return [self.complexes.all[id_] for id_ in dict.fromkeys(ids) if isinstance(id_, int)]

    def tick_problems(self, order: Asked) -> list[Wrong]:
        """A limit off the grid of net prices."""
        tick = order.legs[0].contract.tick
        if order.limit is None or order.limit % tick == 0:
            return []
        return [Wrong("invalid_price_increment", f"price {abs(order.limit)} is not a multiple of {tick}")]

    # ------------------------------------------------------------------ money

    def fees(self, order: Asked) -> Decimal:
        return fees(Structure("", order.legs), order.units, opens=order.opens)

    @property
    def worth(self) -> Worth:
        return Worth(self.market, self.sessions, self.settings, self.clock.now())

    def valuation(self, extra: Sequence[Held] = (), cash: Decimal = ZERO) -> Valuation:
        """The account as shown, with further contracts and cash if an order filled."""
        held = self.account.shown
        counts = dict(held.held)
        for one in extra:
            counts[one.contract] = counts.get(one.contract, 0) + one.count
        return self.worth.valuation(counts, held.cash + cash)

    def priced_at(self) -> datetime:
        """See ``Worth.priced_at``."""
        return self.worth.priced_at

    def margin_by_underlying(self) -> dict[str, Decimal]:
        """Dollars >= 0, of all that is shown to be held."""
        return self.worth.by_underlying(dict(self.account.shown.held))

    # ------------------------------------------------------------------ as shown

    def balances(self) -> Json:
        return accounts.balances(self.number, self.valuation(), self.clock.now())

    def positions(self) -> list[Json]:
        now = self.clock.now()
        held = self.account.positions(now)
        marks = self.worth.marks(dict(held.held))
        return accounts.positions(
            self.number, held, costs(self.account.executions), marks, self.directory, now
        )

    def moved(self) -> Moved | None:
        """What of positions and cash is shown otherwise than at the last call; gone ones as zero."""
        shown = self.account.shown
        held, cash = dict(shown.held), shown.cash
        before, self._told = self._told, (held, cash)
        if before == (held, cash):
            return None
        changed = {one for one in {*before[0], *held} if before[0].get(one, 0) != held.get(one, 0)}
        symbols = {self.directory.listed(one).symbol for one in changed if held.get(one, 0)}
        rows = [row for row in self.positions() if row["symbol"] in symbols]
        gone = [one for one in changed if not held.get(one, 0)]
        now = self.clock.now()
        return Moved((*rows, *(accounts.gone(self.number, one, self.directory, now) for one in gone)))

    def transactions(self) -> list[Json]:
        """Trades and what else changed the account, oldest first."""
        rows = [
            accounts.trade(
                self.number,
                number_of(one.id),
                one,
                number_of(ticket.id),
                opens=ticket.opens,
                directory=self.directory,
            )
            for ticket in self.account.tickets.values()
            for one in ticket.told
        ]
        rows += [
            accounts.transaction(self.number, number_of(other.id), other, self.directory)
            for other in self.account.all_transactions
        ]
        return sorted(rows, key=lambda row: (str(row["executed-at"]), str(row["id"])))

    def _key(self) -> str:
        self._keys += 1
        return f"R{self._keys}"


def number_of(id_: str) -> int:
    """The digits of an id of ours: executions, orders and transactions count together."""
    return int("".join(filter(str.isdigit, id_)) or 0)


def _numbered(order: BrokerOrder) -> BrokerOrder:
    """With ids that are numbers, as the API's are."""
    replaces = None if order.replaces is None else order.replaces.removeprefix("V")
    return replace(order, id=order.id.removeprefix("V"), replaces=replaces)
