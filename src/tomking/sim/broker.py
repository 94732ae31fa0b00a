"""The one model of order life: orders rest, fill as whole structures, settle at expiry."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import Quote, net_quote
from tomking.domain.contract import Contract
from tomking.domain.events import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected
from tomking.domain.fees import EXERCISE
from tomking.domain.order import Fill, Order
from tomking.ports import Expiry, MarketData
from tomking.sim.assignment import exercised_early
from tomking.sim.fills import Offer, Pricing, leg_prices, with_slippage
from tomking.sim.settlement import expire

Told = OrderAccepted | OrderRejected | OrderCancelled | OrderFilled
"""What this broker can tell."""

Fees = Callable[[Order, int], Decimal]
"""Dollars for filling that many units of an order."""

Portion = Callable[[Order, int, datetime], int]
"""How many of that many open units the market takes at that instant: 0 to all of them."""


def whole(order: Order, units: int, now: datetime) -> int:
    """All of them: what a backtest assumes (methodology D.7)."""
    return units


@dataclass(frozen=True, slots=True)
class _Resting:
    order: Order
    limit: Decimal
    units: int
    """Not filled yet."""
    arrived: date | None
    """The session in which its present limit was first compared with the market: from then on it is
    passive.  An order that rests overnight arrives anew at the open."""


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    """The legs of all resting orders, one row each."""

    contracts: tuple[Contract, ...]
    ratios: NDArray[np.float64]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, orders: list[Order]) -> "_Watched":
        legs = [order.structure.legs for order in orders]
        starts = np.cumsum([0, *(len(one) for one in legs[:-1])])
        flat = [leg for one in legs for leg in one]
        return cls(
            tuple(leg.contract for leg in flat),
            np.array([leg.ratio for leg in flat], dtype=np.float64),
            starts,
        )


class SimBroker:
    """The ``Broker`` port on a simulated market.  Knows orders, holds no opinion about positions."""

    def __init__(
        self,
        market: MarketData,
        sessions: Sessions,
        fees: Fees,
        *,
        pricing: Pricing = with_slippage,
        exercise: Decimal = EXERCISE,
        portion: Portion = whole,
    ) -> None:
        """exercise: dollars per contract exercised, assigned or settled in cash."""
        self._market = market
        self._sessions = sessions
        self._fees = fees
        self._pricing = pricing
        self._exercise = exercise
        self._portion = portion
        self._resting: dict[str, _Resting] = {}
        self._news: list[Told] = []
        self._fills = 0
        self._watched: _Watched | None = None

    def submit(self, order: Order, now: datetime) -> None:
        if self._session(now) is None:
            self._news.append(OrderRejected(now, order.id, "the market is closed"))
            return
        self._news.append(OrderAccepted(now, order.id))
        self._resting[order.id] = _Resting(order, order.limit, order.units, arrived=None)
        self._watched = None
        self._match(order.id, now)

    def reprice(self, order: str, limit: Decimal, now: datetime) -> None:
        if order in self._resting:
            self._resting[order] = replace(self._resting[order], limit=limit, arrived=None)
            self._match(order, now)

    def cancel(self, order: str, now: datetime) -> None:
        if self._resting.pop(order, None) is not None:
            self._watched = None
            self._news.append(OrderCancelled(now, order))

    def next_wake(self, now: datetime) -> None:
        """Never: it answers at once, and the kernel looks at every new quote."""

    def news(self, book: Book, now: datetime) -> list[Told]:
        news = self.happened(now)
        told = {one.fill.order if isinstance(one, OrderFilled) else one.order for one in news}
        # What is unresolved and unknown here can never fill: a restart finds a new simulated broker.
        lost = [id_ for id_ in book.orders if id_ not in self._resting and id_ not in told]
        return [*news, *(OrderCancelled(now, id_) for id_ in lost)]

    def expired(self, contracts: Collection[Contract], now: datetime) -> list[Expiry]:
        settled = []
        for contract in contracts:
            price = self._market.settlement(contract, now)
            if price is not None:
                settled.append(expire(contract, _exact(price), self._sessions, self._exercise))
        return settled

    def assigned(self, contracts: Collection[Contract], now: datetime) -> list[Expiry]:
        """Whoever holds them is taken to be rational: ``sim.assignment``."""
        return [
            expire(contract, _exact(level), self._sessions, self._exercise)
            for contract, level in exercised_early(contracts, self._market, now)
        ]

    def traded(self, order: str, units: int, now: datetime) -> bool:
        """Somebody trades at most so many units against a resting order at its limit, wherever the market
        is: how a venue in which others act too forces a race.  False: nothing is left, nobody quotes it, or
        a leg would have to be given away for less than nothing.
        """
        if order not in self._resting or self._session(now) is None:
            return False
        resting = self._resting[order]
        quotes = self._market.quotes(resting.order.structure.contracts, now)
        structure = resting.order.structure
        if net_quote(structure, quotes) is None or min(leg_prices(structure, quotes, resting.limit)) < 0:
            return False
        self._fill(order, min(units, resting.units), resting.limit, quotes, now)
        return True

    def happened(self, now: datetime) -> list[Told]:
        """What happened to its orders since it was last asked."""
        for order in self._reached(now):
            self._match(order, now)
        news, self._news = self._news, []
        return news

    def _reached(self, now: datetime) -> list[str]:
        """Orders the market may have come to: no fill is better than a tick off the mid, so a mid
        short of the limit rules one out.  One vector lookup for all of them.
        """
        if not self._resting:
            return []
        if self._watched is None:
            self._watched = _Watched.of([r.order for r in self._resting.values()])
        watched = self._watched
        mids = self._market.marks(watched.contracts, now)
        nets = np.add.reduceat(-watched.ratios * mids, watched.starts).tolist()
        limits = [float(r.limit) for r in self._resting.values()]
        return [
            id_ for id_, net, limit in zip(self._resting, nets, limits, strict=True) if not net < limit - 1e-9
        ]

    def _match(self, id_: str, now: datetime) -> None:
        """Fills the order whole when the market's price is at its limit or better."""
        session = self._session(now)
        if session is None:
            return
        resting = self._resting[id_]
        order, structure = resting.order, resting.order.structure
        self._resting[id_] = replace(resting, arrived=session.date)
        quotes = self._market.quotes(structure.contracts, now)
        quote = net_quote(structure, quotes)
        if quote is None:
            return
        vix = self._market.vix(now)
        price = self._pricing(Offer(order, quotes, quote, vix and vix[0], session, now))
        if price is None or price < resting.limit:
            return
        units = self._portion(order, resting.units, now)
        if units > 0:
            self._fill(id_, units, resting.limit if resting.arrived == session.date else price, quotes, now)

    def _fill(
        self, id_: str, units: int, net: Decimal, quotes: Sequence[Quote | None], now: datetime
    ) -> None:
        """Fills so many units; what is left of the order rests on."""
        resting = self._resting[id_]
        order = resting.order
        left = resting.units - units
        if left:
            self._resting[id_] = replace(self._resting[id_], units=left)
        else:
            del self._resting[id_]
            self._watched = None
        self._fills += 1
        prices = leg_prices(order.structure, quotes, net)
        mids = tuple(one.mid for one in quotes if one is not None and one.mid is not None)
        fees = self._fees(order, units)
        fill = Fill(f"F{order.id}.{self._fills}", order.id, now, units, prices, fees, mids)
        self._news.append(OrderFilled(now, fill))

    def _session(self, now: datetime) -> Session | None:
        session = self._sessions.on(new_york(now).date())
        return session if session and session.open <= now <= session.close else None


def _exact(price: float) -> Decimal:
    """To a hundredth of a hundredth of a point."""
    return Decimal(str(round(price, 4)))
