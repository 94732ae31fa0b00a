"""A cheap market of one short session: an SPX-like index, options of a day and of six weeks, and a feed.

``World`` is what is so: the simulated venue trades on it.  ``Feed`` is what the program is shown of it,
which may be late, one-sided, crossed, empty or gone.  Both are the ``MarketData`` port.  The index moves
every five seconds; a quote is stamped with the last move.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from math import erf, log, sqrt
from operator import is_

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.calendar import Session, Sessions, new_york, wall_instant
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.products import PRODUCTS
from tomking.pricing.black import black
from tomking.sim.faults import Fault, Faults

DAY = date(2031, 3, 7)
MONTHLY = date(2031, 4, 18)
LISTED = {"SPXW": (DAY,), "SPX": (MONTHLY,)}
LEVEL = 5750.0
TICK = timedelta(seconds=5)
"""The index moves this often."""
SPAN = 0.09
"""Strikes are listed this far from the level, a share of it."""
KEPT = 16
"""Moves whose quotes are remembered."""
UNASKED = Quote(None, None, datetime(1, 1, 1, tzinfo=UTC))
"""Stands for a quote that was not worked out yet."""
CLOSE = time(10)
"""Half an hour: as many orders as in a long session, with less time in which nothing happens."""


def calendar() -> Sessions:
    """The session that is played, the one before it and those after, without holidays."""
    days = [DAY + timedelta(days=n) for n in range(-7, 60)]
    weekdays = (day for day in days if day.weekday() < 5)
    return Sessions(tuple(Session(d, wall_instant(d, time(9, 30)), wall_instant(d, CLOSE)) for d in weekdays))


SESSIONS = calendar()


def _session() -> Session:
    found = SESSIONS.on(DAY)
    assert found is not None, "the day that is played is a session"
    return found


SESSION = _session()


def _bars() -> Bars:
    """Ninety quiet days that end at the level."""
    days = [DAY - timedelta(days=n) for n in range(1, 140)]
    column = np.array([d for d in days if d.weekday() < 5][:90][::-1], dtype="datetime64[D]")
    close = LEVEL - 3.0 * np.arange(len(column), dtype=np.float64)[::-1]
    return Bars(column, close, close + 20, close - 20, close)


BARS = _bars()
NO_BARS = Bars(np.empty(0, dtype="datetime64[D]"), *(np.empty(0) for _ in range(4)))


@dataclass
class World:
    """What is so, from a seed's generator: a level for each tick of the session and a day beside it."""

    levels: list[float]
    session: Session = SESSION
    vix_level: float = 17.0
    vol: float = 0.16
    halts: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Nobody quotes anything then."""
    grid_minutes: int = 0
    notes: tuple[str, ...] = ("made by a generator",)
    _chains: dict[tuple[str, date, int], Chain] = field(default_factory=dict)
    _quotes: dict[int, dict[Contract, Quote | None]] = field(default_factory=dict)
    """By move."""
    _asked: tuple[datetime, int] = (SESSION.open, 0)
    """The instant that was asked for last, and its move."""

    @classmethod
    def drawn(cls, chance: np.random.Generator, faults: Faults) -> "World":
        """A session of one, two or four times ordinary movement, with the jumps and halts of a schedule."""
        speed = float(chance.choice((1.0, 2.0, 4.0)))
        count = int((SESSION.close - SESSION.open) / TICK) + 1
        moves = chance.standard_normal(count) * (0.16 * speed / sqrt(252 * 390 * 60 / TICK.seconds))
        for start, _, jump in faults.windows("jump"):
            moves[min(count - 1, (start - SESSION.open) // TICK)] += jump.number / 100
            faults.fire("jump")
        levels = [LEVEL * x for x in np.exp(np.cumsum(moves)).tolist()]
        return cls(levels, halts=[(start, end) for start, end, _ in faults.windows("halt")])

    def tick_of(self, now: datetime) -> int:
        """The number of the last move at or before ``now``, within the session."""
        if now is not self._asked[0]:
            tick = min(max(0, (now - self.session.open) // TICK), len(self.levels) - 1)
            self._asked = now, tick
        return self._asked[1]

    def spot(self, family: str, now: datetime) -> float | None:
        return self.levels[self.tick_of(now)]

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return self.vix_level, now

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return tuple(e for e in LISTED.get(product, ()) if e >= new_york(now).date())

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        return self.spot("SPX", now) if expiry in LISTED.get(product, ()) else None

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if expiry not in LISTED.get(product, ()):
            return None
        key = product, expiry, self.tick_of(now)
        if key not in self._chains:
            if len(self._chains) > 3:
                self._chains.clear()
            self._chains[key] = self._chain(product, expiry, self.tick_of(now))
        return self._chains[key]

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        if self.halts and any(start <= now < end for start, end in self.halts):
            return [None] * len(contracts)
        tick = self.tick_of(now)
        known = self._quotes.get(tick)
        if known is None:
            if len(self._quotes) > KEPT:
                self._quotes.clear()
            known = self._quotes[tick] = {}
        found: list[Quote | None] = []
        for contract in contracts:
            quote = known.get(contract, UNASKED)
            if quote is UNASKED:
                quote = known[contract] = self._made(contract, tick)
            found.append(quote)
        return found

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        return mids(self.quotes(contracts, now))

    def bars(self, family: str, now: datetime) -> Bars:
        return BARS if family == "SPX" else NO_BARS

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        over = self.session.close if contract.expiry == DAY else wall_instant(contract.expiry, CLOSE)
        return self.levels[-1] if now >= over else None

    def stamp(self, tick: int) -> datetime:
        return self.session.open + tick * TICK

    def _years(self, expiry: date, tick: int) -> float:
        if expiry == DAY:
            left = (self.session.close - self.stamp(tick)).total_seconds()
            return max(60.0, left * (390 * 60) / self._length) / (390 * 60 * 252)
        return (expiry - DAY).days / 365

    def _made(self, contract: Contract, tick: int) -> Quote | None:
        if not isinstance(contract, Option) or contract.expiry not in LISTED.get(contract.product, ()):
            return None
        level, strike = self.levels[tick], float(contract.strike)
        total = self._vol(strike, level) * sqrt(self._years(contract.expiry, tick))
        d = log(level / strike) / total
        call = level * _normal(d + total / 2) - strike * _normal(d - total / 2)
        price = call if int(contract.right) > 0 else call - level + strike
        count, half = _counts(price, float(contract.tick))
        return Quote(max(0, count - half) * contract.tick, (count + half) * contract.tick, self.stamp(tick))

    @property
    def _length(self) -> float:
        """Seconds; what expires today loses a whole day's value in them."""
        return (self.session.close - self.session.open).total_seconds()

    def _vol(self, strike: float, level: float) -> float:
        return min(0.60, max(0.08, self.vol - 0.6 * log(strike / level)))

    def _chain(self, product: str, expiry: date, tick: int) -> Chain:
        listed, level, years = PRODUCTS[product], self.levels[tick], self._years(expiry, tick)
        unit = float(listed.strike_grid)
        counts = np.arange(int(level * (1 - SPAN) / unit), int(level * (1 + SPAN) / unit))
        n, points = len(counts), counts * unit
        vols = np.tile(np.clip(self.vol - 0.6 * np.log(points / level), 0.08, 0.60), 2)
        right = np.repeat(np.array([-1, 1], dtype=np.int8), n)
        priced = black(
            forward=level, strike=np.tile(points, 2), years=years, vol=vols, discount=1.0, right=right
        )
        mid = np.rint(priced.price / float(listed.tick)).astype(np.int64)
        half = np.maximum(1, np.rint(mid * 0.01)).astype(np.int64)
        return Chain(
            product=product,
            expiry=expiry,
            as_of=self.stamp(tick),
            multiplier=listed.multiplier,
            tick=listed.tick,
            strike_unit=listed.strike_grid,
            forward=level,
            discount=1.0,
            years=years,
            right=right,
            strike=np.tile(counts, 2).astype(np.int64),
            bid=np.maximum(0, mid - half),
            ask=mid + half,
            iv=vols,
            delta=priced.delta,
        )


def _normal(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def _counts(price: float, tick: float) -> tuple[int, int]:
    """The mid and the half-spread in ticks: one tick below three points, 1 % above."""
    count = round(price / tick)
    return count, max(1, round(count * 0.01))


def mids(quotes: Sequence[Quote | None]) -> NDArray[np.float64]:
    found = [None if quote is None else quote.mid for quote in quotes]
    return np.array([np.nan if mid is None else float(mid) for mid in found])


# ------------------------------------------------------------------------------------------ the feed


@dataclass
class Feed:
    """The ``MarketData`` port as the program sees it: what is so, through the faults that a market owns."""

    world: World
    faults: Faults
    notes: tuple[str, ...] = ("made by a generator, shown by a feed that fails",)
    grid_minutes: int = 0
    _struck: set[Fault] = field(default_factory=set)
    _marked: tuple[list[Quote | None], NDArray[np.float64]] | None = None
    _asked: tuple[Sequence[Contract], int, int] | None = None
    _edges: list[datetime] = field(default_factory=list)
    """Instants at which a fault of quotes begins or ends."""
    _span: tuple[int, bool] = (-1, False)
    """Which of the spans between them was asked for last, and whether a fault lasts in it."""

    def __post_init__(self) -> None:
        windows = self.faults.windows(*OF_QUOTES)
        self._edges = sorted({at for start, end, _ in windows for at in (start, end)})

    def spot(self, family: str, now: datetime) -> float | None:
        return None if self._on("halt", now) else self.world.spot(family, self._known(now))

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return None if self._on("no greeks", now) else self.world.vix(self._known(now))

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return self.world.expiries(product, now)

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        return self.world.forward(product, expiry, self._known(now))

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if self._on("empty chain", now) or self._on("halt", now):
            return None
        chain = self.world.chain(product, expiry, self._known(now))
        if chain is not None and self._on("no greeks", now):
            nothing = np.full(len(chain.iv), np.nan)
            return replace(chain, iv=nothing, delta=nothing)
        if chain is not None and self._on("crossed quotes", now):
            return replace(chain, bid=chain.ask, ask=chain.bid)
        return chain

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        if not self._any(now):
            return self.world.quotes(contracts, now)
        return [self._quote(contract, now) for contract in contracts]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        """The very same column while nothing was printed, as the port promises."""
        moment = contracts, self.world.tick_of(now), bisect_right(self._edges, now)
        if self._asked is not None and self._asked[0] is contracts and self._asked[1:] == moment[1:]:
            assert self._marked is not None, "it was asked before"
            return self._marked[1]
        self._asked = moment
        quotes = self.quotes(contracts, now)
        if (
            self._marked is None
            or len(quotes) != len(self._marked[0])
            or not all(map(is_, quotes, self._marked[0]))
        ):
            self._marked = quotes, mids(quotes)
        return self._marked[1]

    def bars(self, family: str, now: datetime) -> Bars:
        return self.world.bars(family, now)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        return self.world.settlement(contract, now)

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        """Some contracts are struck by a fault of quotes, the others go on as they are."""
        third = int(contract.strike / 5) % 3 if isinstance(contract, Option) else 0
        known = self._known(now)
        stale = self._on("stale quotes", now) if third < 2 else None
        (quote,) = self.world.quotes((contract,), self._start(stale) if stale else known)
        if quote is None or (third == 0 and self._on("nan quotes", now)):
            return None
        if third != 1 and self._on("one-sided quotes", now):
            return replace(quote, bid=None)
        if third != 2 and self._on("crossed quotes", now):
            return replace(quote, bid=quote.ask, ask=quote.ask if third else quote.bid)
        return quote

    def _known(self, now: datetime) -> datetime:
        """When what is shown now was so."""
        cut = self._on("quotes cut", now)
        return self._start(cut) if cut else now

    def _start(self, fault: Fault) -> datetime:
        return SESSION.open + timedelta(seconds=fault.at)

    def _any(self, now: datetime) -> bool:
        span = bisect_right(self._edges, now)
        if span != self._span[0]:
            self._span = span, any(self.faults.during(what, now) for what in OF_QUOTES)
        return self._span[1]

    def _on(self, what: str, now: datetime) -> Fault | None:
        fault = self.faults.during(what, now)
        if fault is not None and fault not in self._struck:
            self._struck.add(fault)
            self.faults.fire(what)
        return fault


OF_QUOTES = ("stale quotes", "one-sided quotes", "crossed quotes", "nan quotes", "halt", "quotes cut")
