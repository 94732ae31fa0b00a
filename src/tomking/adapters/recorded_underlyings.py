"""What the underlyings of recorded chains stood at: for spot, forwards, shares, bars and settlement.

Levels that were recorded come first; then what the chains' own rows say; then what parity implies.  What an
expiry settles at is a recorded or official price or nothing: nobody's estimate.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.history import FAMILIES, family_history
from tomking.adapters.recorded_index import Indexed
from tomking.adapters.recorded_levels import (
    Levels,
    Series,
    daily_bars,
    exact,
    level_after,
    level_at,
    level_before,
    quote_at,
    sessions_prices,
)
from tomking.adapters.recorded_rows import Rows
from tomking.domain.bars import Bars, FamilyBars, History
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import Quote
from tomking.domain.contract import Contract, Future, Share
from tomking.domain.expiries import terms_of, underlying_future
from tomking.domain.products import PRODUCTS, Product, Settlement


class Underlyings:
    """The underlyings of some recorded products."""

    def __init__(
        self, products: Mapping[str, Indexed], levels: Levels, sessions: Sessions, history: History
    ) -> None:
        self._of = products
        self._levels = levels
        self._sessions = sessions
        self._history = history
        self._bars: dict[str, Bars] = {"SPX": history.spx, "VIX": history.vix}

    def spot(self, family: str, now: datetime) -> float | None:
        """A family's level, points."""
        level = level_at(self._levels.front(family, new_york(now).date()), now, self._session(now))
        if level is not None:
            return level
        members = [i for i in self._of.values() if i.product.family == family]
        members.sort(key=lambda i: (i.product.ratio_drifts, i.product.future))
        for indexed in members:
            own = self.own_level(indexed, now)
            if own is not None:
                return own / float(indexed.product.index_ratio)
        return None

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        """As recorded, and when; None where it is not."""
        session = self._session(now)
        quote = None if session is None else quote_at(self._levels.front("VIX", session.date), now, session)
        return None if quote is None or quote.mid is None else (float(quote.mid), quote.as_of)

    @property
    def has_vix(self) -> bool:
        """Whether it is recorded at all."""
        return ("VIX", None) in self._levels.series

    def own_level(self, indexed: Indexed, now: datetime) -> float | None:
        """What a product's underlying stands at, its own points."""
        number = indexed.number(now)
        spot = None if number is None else indexed.spot(number)
        if spot is not None:
            return spot
        session = self._session(now)
        level = level_at(self._levels.front(indexed.product.key, new_york(now).date()), now, session)
        if level is not None or number is None:
            return level
        return _parity(indexed.rows(number), float(indexed.product.tick))

    def future(self, product: Product, expiry: date, now: datetime) -> float | None:
        """Of options on a future what that future stood at."""
        if product.settlement is not Settlement.FUTURE:
            return None
        beneath = underlying_future(product, expiry, self._sessions)
        series = self._levels.future(product.key, expiry) or (
            None if beneath is None else self._levels.future(product.key, beneath)
        )
        return level_at(series, now, self._session(now))

    def quote(self, contract: Future | Share, now: datetime) -> Quote | None:
        """Of a share or a future: its market, else its last price on both sides."""
        session = self._session(now)
        if session is None:
            return None
        series = self._underlying(contract, session.date)
        quote = quote_at(series, now, session)
        indexed = self._of.get(contract.product)
        number = None if indexed is None else indexed.number(now)
        if quote is not None or indexed is None or number is None or isinstance(contract, Future):
            return quote
        spot = indexed.spot(number)
        return None if spot is None else Quote(exact(spot), exact(spot), indexed.seen(number, now))

    def last_quote(self, contract: Future | Share, days: Sequence[date], now: datetime) -> Quote | None:
        """Its last market in the sessions of ``days`` up to ``now``."""
        for day in reversed(days):
            session = self._sessions.on(day)
            if session is not None and session.open <= now:
                quote = self.quote(contract, min(now, session.close))
                if quote is not None:
                    return quote
        return None

    def bars(self, family: str, now: datetime) -> Bars:
        """Completed sessions' bars.  The history's; of a family without one what is recorded of its
        underlying, maybe nothing.
        """
        if family not in self._bars:
            self._bars[family] = self._made_bars(family)
        return self._bars[family].before(new_york(now).date())

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """What an expired contract settles at; None where the data do not say."""
        assert not isinstance(contract, Share), f"{contract} never expires"
        product = PRODUCTS[contract.product]
        session = self._sessions.on(contract.expiry) or self._sessions.before(contract.expiry)
        if session is None or now < session.open:
            return None
        if self._at_open(product, session.date):
            return self._opening(contract, session, now)
        if now < session.close:
            return None
        official = on_day(self._history.spx.day, self._history.spx.close, session.date)
        if official is not None and product.family == "SPX" and product.settlement is Settlement.CASH:
            return official * float(product.index_ratio)
        recorded = level_before(self._underlying(contract, session.date), session, now)
        if recorded is not None:
            return recorded * (1.0 if product.ratio_drifts else float(product.index_ratio))
        indexed = self._of.get(contract.product)
        return None if indexed is None or product.future else indexed.spot_after(session, now)

    def _underlying(self, contract: Contract, day: date) -> Series | None:
        """What a contract is on: its future, share or index; an index's level only where it is its own."""
        product, levels = PRODUCTS[contract.product], self._levels
        if isinstance(contract, Future):
            return levels.future(product.key, contract.expiry)
        if product.settlement is Settlement.FUTURE:
            beneath = underlying_future(product, contract.expiry, self._sessions)
            own = levels.future(product.key, contract.expiry)
            return own or (None if beneath is None else levels.future(product.key, beneath))
        key = product.key if product.settlement is Settlement.SHARES else product.family
        return levels.front(key, day)

    def _at_open(self, product: Product, expiry: date) -> bool:
        terms = terms_of(product, expiry, self._sessions)
        return terms is not None and terms.at_open

    def _opening(self, contract: Contract, session: Session, now: datetime) -> float | None:
        """The first level after the open stands for the opening prices."""
        product = PRODUCTS[contract.product]
        level = level_after(self._underlying(contract, session.date), session.open, now)
        return None if level is None else level * float(product.index_ratio)

    def _session(self, now: datetime) -> Session | None:
        return self._sessions.on(new_york(now).date())

    def _made_bars(self, family: str) -> Bars:
        """Of the embedded history, else of recorded levels, else of what the rows say."""
        embedded = family_history(family) if family in FAMILIES else None
        if isinstance(embedded, FamilyBars):
            return embedded.bars
        series = self._levels.series.get((family, None))
        prices = {} if series is None else sessions_prices(series, self._sessions)
        for indexed in self._of.values() if not prices else ():
            if indexed.product.family == family and not indexed.product.ratio_drifts:
                prices = dict(indexed.days_spots())
        return daily_bars(prices)


PARITY_PAIRS = 5
"""Strikes nearest the money that say together what the underlying is."""


def _parity(rows: Rows, tick: float) -> float | None:
    """Strike plus call less put of the nearest expiry that has both, points; None without a pair."""
    for expiry in rows.expiries:
        here = rows.of(expiry)
        assert here is not None, "an expiry of these rows"
        strike, bid, ask = (column[here].astype(np.int64) for column in (rows.strike, rows.bid, rows.ask))
        quoted = (bid >= 0) & (ask >= 0)
        puts, calls = (quoted & (rows.right[here] == side) for side in (-1, 1))
        both, p, c = np.intersect1d(strike[puts], strike[calls], return_indices=True)
        if both.size:
            mid = 0.5 * tick * (bid + ask)
            less = mid[calls][c] - mid[puts][p]
            near = np.argsort(np.abs(less), kind="stable")[:PARITY_PAIRS]
            return float(np.median(both[near] * float(rows.strike_unit) + less[near]))
    return None


def on_day(days: NDArray[np.datetime64], column: NDArray[np.float64], day: date) -> float | None:
    """The value of one session, None where the history has none."""
    i = int(np.searchsorted(days, np.datetime64(day)))
    found = i < days.size and days[i] == np.datetime64(day) and bool(np.isfinite(column[i]))
    return float(column[i]) if found else None
