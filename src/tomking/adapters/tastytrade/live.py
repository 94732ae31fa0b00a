"""The ``MarketData`` port on live quotes: chains as columns of what the stream has shown (architecture).

What is asked for is subscribed, and until it has come it is missing, which is a value: a strategy passes with
DATA and is asked again.  An expiry is subscribed as far as ``REACH`` standard moves from the money.  All
expiries of a product that are subscribed are read together (``pricing.snapshot``), as recorded chains
are, again only when
time or the stream has moved.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.tastytrade.stream import QuoteStream, Sides
from tomking.adapters.tastytrade.symbols import Directory, Listed
from tomking.domain.bars import Bars
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.chain import NO_QUOTE, Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.expiries import terms_of
from tomking.domain.product import Product
from tomking.domain.products import PRODUCTS
from tomking.pricing.clock import VarianceClock
from tomking.pricing.snapshot import Instant, Reading, read_instant
from tomking.pricing.terms import RATE_SD

Floats = NDArray[np.float64]

REACH = 7.0
"""Standard moves of the index on either side of the money, at VIX, that are subscribed."""
LEAST_REACH = 0.04
"""And at least this share of the level."""
STRIKE_UNIT = Decimal("0.005")
"""Points per count of strikes: every listed one is a multiple."""
_MINUTES_A_YEAR = 365 * 24 * 60

LEVELS = {"SPX": "SPX", "VIX": "VIX"}
"""The streamer symbol of a family's level, where it does not depend on the month."""


BY_DAY = frozenset({"SPX"})
"""Families whose level is calculated during the session only: at the open the last one is yesterday's."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """One expiry's subscribed contracts: columns (n,), puts first, then by strike."""

    listed: tuple[Listed, ...]
    symbols: tuple[str, ...]
    right: NDArray[np.int8]
    strike: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What was made of a product's quotes."""

    minute: int
    """Of the clock, which counts no less."""
    frames: int
    """Of the stream, when it was read."""
    expiries: tuple[date, ...]
    reading: Reading
    places: dict[date, slice]
    """Each expiry's rows in the columns."""
    bid: Floats
    ask: Floats


class LiveMarket:
    """See the module; ``load`` gives it each session's listings."""

    grid_minutes = 0
    notes: tuple[str, ...] = ("live quotes",)

    def __init__(
        self,
        stream: QuoteStream,
        directory: Directory,
        sessions: Sessions,
        bars: Callable[[str], Bars],
        *,
        rate: float,
        levels: Mapping[str, str] | None = None,
    ) -> None:
        """bars: a family's completed daily bars, all of them; rate: Treasury, continuous."""
        self._stream, self._directory, self._sessions = stream, directory, sessions
        self._bars, self._rate = bars, rate
        self._levels = {**LEVELS, **(levels or {})}
        self._listed: dict[tuple[str, date], list[Listed]] = {}
        self._rows: dict[tuple[str, date], _Rows] = {}
        self._read: dict[str, _Read] = {}
        self._held: set[str] | None = None
        self._ends: dict[tuple[str, date], datetime] = {}
        stamps = np.array([(s.open.timestamp(), s.close.timestamp()) for s in sessions], dtype=np.int64) // 60
        self._clock = VarianceClock.of(stamps[:, 0], stamps[:, 1])
        stream.want(self._levels.values())
        stream.want_trades(self._levels.values())

    def load(self, listed: Iterable[Listed]) -> None:
        """What is listed from now on, of some products; replaces what was known of them."""
        found: dict[tuple[str, date], list[Listed]] = {}
        for one in listed:
            if isinstance(one.contract, Option):
                found.setdefault((one.contract.product, one.contract.expiry), []).append(one)
        products = {product for product, _ in found}
        over = [key for key in self._rows if key[0] in products and key not in found]
        self._stream.drop(symbol for key in over for symbol in self._rows[key].symbols)
        self._listed = {key: v for key, v in self._listed.items() if key[0] not in products} | found
        self._rows = {key: rows for key, rows in self._rows.items() if key[0] not in products}
        self._read = {product: one for product, one in self._read.items() if product not in products}
        self._directory.learn(one for rows in found.values() for one in rows)

    @contextmanager
    def still(self) -> Iterator[None]:
        """One reading of each product for the whole block, however many frames come in meanwhile.

        So one look sees one market, and pays for it once.  What is subscribed within the block is read anew.
        """
        outer = self._held
        self._held = set() if outer is None else outer
        try:
            yield
        finally:
            self._held = outer

    # ------------------------------------------------------------------ the port

    def spot(self, family: str, now: datetime) -> float | None:
        symbol = self._levels.get(family)
        if symbol is not None and family in BY_DAY and self._is_of_yesterday(symbol, now):
            return None
        sides = None if symbol is None else self._stream.sides(symbol)
        mid = None if sides is None else _mid(sides)
        return mid if mid is not None or symbol is None else self._stream.traded(symbol)

    def _is_of_yesterday(self, symbol: str, now: datetime) -> bool:
        """Whether nothing was told of it since today's open: what is known then is the last close."""
        session, told = self._sessions.on(new_york(now).date()), self._stream.told_at(symbol)
        return session is not None and told is not None and told < session.open <= now

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        level, seen = self.spot("VIX", now), self._stream.last
        return None if level is None or seen is None else (level, seen)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return tuple(sorted(day for key, day in self._listed if key == product and self._end(key, day) > now))

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if self._end(product, expiry) <= now or not self._subscribe(product, expiry, now):
            return None
        found = self._reading(product, now)
        if found is None or expiry not in found.places:
            return None
        here, e, rows = found.places[expiry], found.expiries.index(expiry), self._rows[product, expiry]
        bid, ask, reading = found.bid, found.ask, found.reading
        row = PRODUCTS[product]
        seen = self._stream.last
        if seen is None or not np.isfinite(bid[here]).any():
            return None
        return Chain(
            product=product,
            expiry=expiry,
            as_of=seen,
            multiplier=row.multiplier,
            tick=row.tick,
            strike_unit=STRIKE_UNIT,
            forward=float(reading.forward[e]),
            discount=float(reading.discount[e]),
            years=self._clock.years(_minute(now), _minute(self._end(product, expiry))),
            right=rows.right,
            strike=rows.strike,
            bid=_counts(bid[here], row.tick),
            ask=_counts(ask[here], row.tick),
            iv=reading.iv[here],
            delta=reading.delta[here],
            interpolated=reading.interpolated[here],
        )

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        chain = self.chain(product, expiry, now)
        return None if chain is None else chain.forward

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        symbols = [self._directory.listed(one).streamer for one in contracts]
        self._stream.want(symbols)
        return [_quote(self._stream.sides(s), c) for s, c in zip(symbols, contracts, strict=True)]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> Floats:
        symbols = [self._directory.listed(one).streamer for one in contracts]
        self._stream.want(symbols)
        bid, ask = self._stream.columns(symbols)
        return np.where(ask >= bid, 0.5 * (bid + ask), np.nan)

    def bars(self, family: str, now: datetime) -> Bars:
        return self._bars(family).before(new_york(now).date())

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """The broker's transactions say what settled; quotes do not."""
        return None

    # ------------------------------------------------------------------ chains

    def _end(self, product: str, expiry: date) -> datetime:
        """When an expiry ends: its day's close, at AM settlement the open."""
        known = self._ends.get((product, expiry))
        if known is not None:
            return known
        session = self._sessions.on(expiry) or self._sessions.before(expiry)
        assert session is not None, f"{expiry} lies within the calendar"
        terms = terms_of(PRODUCTS[product], session.date, self._sessions)
        at_open = terms is not None and terms.at_open and not PRODUCTS[product].future
        end = self._ends[product, expiry] = session.open if at_open else session.close
        return end

    def _subscribe(self, product: str, expiry: date, now: datetime) -> bool:
        """Whether the expiry is listed and its rows are known; subscribes them at the first question."""
        key = (product, expiry)
        if key in self._rows:
            return True
        level, vix = self._level(PRODUCTS[product], now), self.vix(now)
        listed = self._listed.get(key)
        if listed is None or level is None or vix is None:
            return False
        years = self._clock.years(_minute(now), _minute(self._end(product, expiry)))
        reach = max(LEAST_REACH, REACH * vix[0] / 100 * math.sqrt(years))
        near = [one for one in listed if abs(math.log(float(_option(one).strike) / level)) <= reach]
        near.sort(key=lambda one: (int(_option(one).right), _option(one).strike))
        self._rows[key] = _Rows(
            tuple(near),
            tuple(one.streamer for one in near),
            np.array([int(_option(one).right) for one in near], dtype=np.int8),
            np.array([int(_option(one).strike / STRIKE_UNIT) for one in near], dtype=np.int64),
        )
        self._stream.want(self._rows[key].symbols)
        return True

    def _reading(self, product: str, now: datetime) -> _Read | None:
        """All subscribed expiries of a product, read together; kept until the minute or the stream moves."""
        kept, frames = self._read.get(product), self._stream.frames
        expiries = tuple(d for p, d in sorted(self._rows) if p == product and self._end(p, d) > now)
        is_held = self._held is not None and product in self._held
        if (
            kept is not None
            and (kept.minute, kept.expiries) == (_minute(now), expiries)
            and (is_held or kept.frames == frames)
        ):
            self._hold(product)
            return kept
        level = self._level(PRODUCTS[product], now)
        if level is None or not expiries:
            return None
        tables = [self._rows[product, day] for day in expiries]
        bid, ask = self._stream.columns([s for table in tables for s in table.symbols])
        # Crossed quotes are no quotes: a reading never rests on one.
        crossed = bid > ask
        bid, ask = np.where(crossed, np.nan, bid), np.where(crossed, np.nan, ask)
        ends = np.array([_minute(self._end(product, day)) for day in expiries], dtype=np.int64)
        lengths = [len(table.symbols) for table in tables]
        starts = np.cumsum([0, *lengths])
        reading = read_instant(
            Instant(
                spot=level,
                rate=self._rate,
                rate_sd=RATE_SD,
                years=self._clock.years_to(_minute(now), ends),
                calendar_years=np.maximum(ends - _minute(now), 1) / _MINUTES_A_YEAR,
                row_expiry=np.repeat(np.arange(len(tables)), lengths),
                strike=np.concatenate([table.strike for table in tables]) * float(STRIKE_UNIT),
                right=np.concatenate([table.right for table in tables]).astype(np.float64),
                bid=bid,
                ask=ask,
            )
        )
        places = {day: slice(int(starts[i]), int(starts[i + 1])) for i, day in enumerate(expiries)}
        self._read[product] = _Read(_minute(now), frames, expiries, reading, places, bid, ask)
        self._hold(product)
        return self._read[product]

    def _hold(self, product: str) -> None:
        if self._held is not None:
            self._held.add(product)

    def _level(self, product: Product, now: datetime) -> float | None:
        level = self.spot(product.family, now)
        return None if level is None else level * float(product.index_ratio)


def bars_of(time: NDArray[np.int64], prices: Floats) -> Bars:
    """Daily candles as bars; ``time`` in milliseconds at New York's midnight."""
    days = [new_york(datetime.fromtimestamp(int(at) / 1000, UTC) + timedelta(hours=12)).date() for at in time]
    # Columns of their own: kernels are compiled for such.
    opened, high, low, close = (np.ascontiguousarray(prices[:, i]) for i in range(4))
    return Bars(np.array(days, dtype="datetime64[D]"), opened, high, low, close)


def _option(listed: Listed) -> Option:
    assert isinstance(listed.contract, Option), "a chain lists options"
    return listed.contract


def _mid(sides: Sides) -> float | None:
    if not (sides.ask >= sides.bid > 0):
        return None
    return 0.5 * (sides.bid + sides.ask)


def _quote(sides: Sides | None, contract: Contract) -> Quote | None:
    if sides is None:
        return None
    tick = contract.tick
    return Quote(_on_grid(sides.bid, tick), _on_grid(sides.ask, tick), sides.seen)


def _on_grid(price: float, tick: Decimal) -> Decimal | None:
    return None if math.isnan(price) or price < 0 else round(price / float(tick)) * tick


def _counts(prices: Floats, tick: Decimal) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        counts = np.rint(prices / float(tick))
    return np.where(np.isfinite(counts) & (counts >= 0), counts, NO_QUOTE).astype(np.int64)


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60
