"""The venue as one value: a market, one account on it, a clock, and what the API calls everything.

Nothing here knows of sockets.  ``rest`` and ``sockets`` ask it, and everything that changes the account goes
through ``SimAccount``, the one model of order life.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np

from tomking.adapters.tastytrade import chains
from tomking.adapters.tastytrade.symbols import Directory
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Contract
from tomking.domain.fees import fees
from tomking.domain.money import ZERO, cents
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Structure
from tomking.execution.wire import BrokerOrder, Cancel, Outcome, Place, Replace, Reply, Report
from tomking.ports import MarketData
from tomking.risk.margin import Held, fallback, margin
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.venue import listings
from tomking.venue.accounts import Valuation
from tomking.venue.clock import VenueClock
from tomking.venue.orders import Asked, Wrong, shown
from tomking.venue.quotes import Feed

Json = dict[str, object]


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
    noted: Callable[[Place | Replace | Cancel, datetime], None] = lambda _request, _at: None
    """Told of every request that was taken (``venue.diary``)."""
    directory: Directory = field(default_factory=Directory)
    _chains: dict[tuple[str, date], list[Json] | Json] = field(
        default_factory=dict[tuple[str, date], list[Json] | Json]
    )
    _changed: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _keys: int = 0

    @property
    def feed(self) -> Feed:
        return Feed(self.market, self.sessions, self.directory)

    def now(self) -> datetime:
        """The venue's time, with everything done that was due by it."""
        now = self.clock.now()
        self.account.advance(now)
        return now

    # ------------------------------------------------------------------ instruments

    def equity_chain(self, underlying: str) -> list[Json]:
        """The nested chain; listed once a day, and learnt."""
        at = self._listed_at()
        key = (underlying, new_york(at).date())
        if key not in self._chains:
            items = listings.equity_chain(underlying, self.market, self.sessions, at)
            self.directory.learn(chains.equity_chain(items))
            self._chains[key] = items
        found = self._chains[key]
        assert isinstance(found, list), f"{underlying} is no future"
        return found

    def futures_chain(self, code: str) -> Json:
        """The nested chain of a future's options; as above."""
        at = self._listed_at()
        key = (f"/{code}", new_york(at).date())
        if key not in self._chains:
            data = listings.futures_chain(code, self.market, self.sessions, at)
            self.directory.learn(chains.futures_chain(data))
            self._chains[key] = data
        found = self._chains[key]
        assert isinstance(found, dict), f"{code} is a future"
        return found

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
        limit = self._marketable(order) if order.limit is None else order.limit
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
        return self.handle(place, self.clock.now())

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
        return shown(named, self.number, self.directory, force, at, opens=ticket.opens)

    def find(self, number: str) -> BrokerOrder | None:
        """The order of an API id as it is shown now."""
        ticket = self.account.tickets.get(f"V{number}")
        return None if ticket is None else ticket.shown.last

    def reports(self) -> Iterator[Report]:
        """What has changed since the last call, oldest first."""
        for report in self.account.reports():
            self._changed[report.order.id] = report.at
            yield report

    def tick_problems(self, order: Asked) -> list[Wrong]:
        """A limit off the grid of net prices."""
        tick = order.legs[0].contract.tick
        if order.limit is None or order.limit % tick == 0:
            return []
        return [Wrong("invalid_price_increment", f"price {abs(order.limit)} is not a multiple of {tick}")]

    # ------------------------------------------------------------------ money

    def fees(self, order: Asked) -> Decimal:
        return fees(Structure("", order.legs), order.units, opens=order.opens)

    def valuation(self, extra: Sequence[Held] = (), cash: Decimal = ZERO) -> Valuation:
        """The account as shown, with further contracts and cash if an order filled."""
        held = self.account.shown
        counts = dict(held.held)
        for one in extra:
            counts[one.contract] = counts.get(one.contract, 0) + one.count
        marks = self.marks(counts)
        worth = {c: cents(n * marks.get(c, ZERO) * c.multiplier) for c, n in counts.items()}
        return Valuation(
            cash=cents(held.cash + cash),
            long_options=sum((w for w in worth.values() if w > 0), ZERO),
            short_options=-sum((w for w in worth.values() if w < 0), ZERO),
            margin=self._margin(counts, marks),
        )

    def marks(self, contracts: Mapping[Contract, int]) -> dict[Contract, Decimal]:
        """Mids in points; missing where nobody quotes."""
        wanted = tuple(contracts)
        mids = self.market.marks(wanted, self.clock.now()) if wanted else np.zeros(0)
        found = zip(wanted, mids.tolist(), strict=True)
        return {c: Decimal(str(round(mid, 4))) for c, mid in found if not np.isnan(mid)}

    def costs(self) -> dict[Contract, Decimal]:
        """Average opening prices of what is held, points."""
        bought: dict[Contract, tuple[int, Decimal]] = {}
        for one in self.account.executions:
            count, cost = bought.get(one.contract, (0, ZERO))
            after = count + one.quantity
            if count * one.quantity >= 0:
                cost = (cost * abs(count) + one.price * abs(one.quantity)) / abs(after)
            bought[one.contract] = (after, cost if after else ZERO)
        return {contract: cost for contract, (count, cost) in bought.items() if count}

    def _margin(self, counts: Mapping[Contract, int], marks: Mapping[Contract, Decimal]) -> Decimal:
        """Of all positions, product by product."""
        by_product: dict[str, list[Held]] = {}
        for contract, count in counts.items():
            if count:
                by_product.setdefault(contract.product, []).append(Held(contract, count))
        vix = self.market.vix(self.clock.now())
        total = ZERO
        for product, legs in by_product.items():
            spot = self.market.spot(PRODUCTS[product].family, self.clock.now())
            mids = np.array([float(marks.get(one.contract, Decimal("NaN"))) for one in legs])
            need = margin(legs, mids, 0.0, spot, vix and vix[0], self.settings)
            total += need if need is not None else fallback(legs, spot, self.settings)
        return total

    def _marketable(self, order: Asked) -> Decimal:
        """Five times the leg's ask, or a cent's worth: what a market order would pay or take."""
        (leg,) = order.legs
        (quote,) = self.market.quotes((leg.contract,), self.clock.now())
        ask = quote.ask if quote is not None and quote.ask is not None else Decimal(100)
        return -5 * ask if leg.ratio > 0 else leg.contract.tick

    def _key(self) -> str:
        self._keys += 1
        return f"R{self._keys}"


def _numbered(order: BrokerOrder) -> BrokerOrder:
    """With ids that are numbers, as the API's are."""
    replaces = None if order.replaces is None else order.replaces.removeprefix("V")
    return replace(order, id=order.id.removeprefix("V"), replaces=replaces)
