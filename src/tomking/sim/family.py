"""The option market of one family outside the SPX one: its listing, quotes and settlement.

What differs between VIX, gold and oil is data (``Spec``) and the model of level, futures and variance
(``Model``).  Expiries and strikes are listed by the rules of ``sim.listing``, at their real sizes in every
year.  Trading is that of the stock market's session; options settle at its close, AM-settled ones at its
open.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.calendar import Session, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.expiries import underlying_future
from tomking.domain.products import PRODUCTS, Product
from tomking.pricing.clock import VarianceClock
from tomking.sim.board import Timetable
from tomking.sim.family_kernels import quote_one, rows_into
from tomking.sim.listing import ZONE_DAYS, Listed, expiries_of, extremes_before, strikes_listed, zone_units

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

YEAR_MINUTES = 365 * 1440
ONE_MINUTE = timedelta(minutes=1)


class Terms(Protocol):
    """One minute of a family."""

    @property
    def level(self) -> float:
        """Points of the family's level."""
        ...

    @property
    def stress(self) -> float:
        """What half-spreads are multiplied by, >= 1."""
        ...

    def forward(self, years: float) -> float:
        """Points of the future that ends so many calendar years from now."""
        ...

    def variance(self, years: float, clock_years: float) -> float:
        """Total at-the-money variance until an option settles: calendar years and those of the clock."""
        ...


class Model(Protocol):
    """The levels of a family, day by day; nothing at a day depends on a later one."""

    @property
    def bars(self) -> Bars:
        """All of its daily bars."""
        ...

    @property
    def gauge(self) -> Floats:
        """Its volatility in points known before each bar, (n,): how far strikes are listed."""
        ...

    def row(self, day: date) -> int | None: ...

    def at(self, session: Session, minute: int) -> Terms | None:
        """None without data."""
        ...

    def settled(self, session: Session) -> Terms | None:
        """Those that options expiring in this session settle by."""
        ...


@dataclass(frozen=True, slots=True)
class Spread:
    """Half a quoted spread in points of an option worth p: flat + per_root sqrt(p)."""

    flat: float
    per_root: float


@dataclass(frozen=True, slots=True)
class Spec:
    """A family as data."""

    eta: float
    rho: float
    """The smile of ``sim.family_kernels``."""
    spreads: dict[str, Spread]
    """By product: the products there are."""
    last: date
    """No expiry after it is listed: there is no data to settle it by."""
    note: str
    """What a reader of any result with it must know."""


@dataclass(slots=True, eq=False)
class _Listing:
    """What the rules list of one product."""

    product: Product
    listed: tuple[Listed, ...]
    by_day: dict[date, Listed] = field(init=False)
    steps: Ints = field(init=False)
    longest: timedelta = field(init=False)
    """From a listing to its expiry."""

    def __post_init__(self) -> None:
        self.by_day = {one.expiry: one for one in self.listed}
        self.steps = zone_units(self.product)
        ahead = (one.expiry - one.first for one in self.listed)
        self.longest = max(ahead, default=timedelta(0))

    def on(self, today: date) -> Iterator[date]:
        """Expiries listed on a day, ascending."""
        start = bisect_left(self.listed, today, key=_expiry_of)
        stop = bisect_right(self.listed, today + self.longest, key=_expiry_of)
        return (one.expiry for one in self.listed[start:stop] if one.first <= today <= one.last)


def _expiry_of(one: Listed) -> date:
    return one.expiry


@dataclass(slots=True, eq=False)
class _Seen:
    """A minute of a session, what the model says of it, and what was worked out from that."""

    session: Session
    minute: int
    terms: Terms
    as_of: datetime = field(init=False)
    epoch_minute: int = field(init=False)
    series: dict[tuple[str, date], "_Series"] = field(default_factory=dict)
    chains: dict[tuple[str, date], Chain] = field(default_factory=dict)
    grids: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.as_of = self.session.open + self.minute * ONE_MINUTE
        self.epoch_minute = int(self.as_of.timestamp()) // 60


@dataclass(frozen=True, slots=True)
class _Series:
    """One expiry at one minute, in numbers."""

    forward: float
    discount: float
    years: float
    """On the variance clock."""
    theta: float


class FamilyMarket:
    """The ``MarketData`` questions about one family's products."""

    def __init__(self, spec: Spec, model: Model, times: Timetable, rates: Bars) -> None:
        """rates: the short rate on every day of the history, as ``close``."""
        self.spec = spec
        self._model = model
        self._times = times
        self._rates = rates
        self._clock = VarianceClock.of(np.array(times.opens, np.int64), np.array(times.closes, np.int64))
        self._listings: dict[str, _Listing] = {}
        self._listed: dict[str, tuple[date, tuple[date, ...]]] = {}
        """The expiries of each product on the day that was asked for last."""
        self._futures: dict[tuple[str, date], date] = {}
        self._strikes: dict[tuple[str, date, date], Ints] = {}
        self._minutes: dict[int, _Seen] = {}
        """Of one session: all accounts of a run look at the same minutes."""
        self._minutes_of: Session | None = None
        self._rate_on: tuple[date, float] = (date.min, math.nan)
        self._now: datetime | None = None
        self._seen: _Seen | None = None

    def spot(self, now: datetime) -> float | None:
        seen = self._at(now)
        return None if seen is None else seen.terms.level

    def bars(self, now: datetime) -> Bars:
        """Of sessions before the day ``now`` falls on in New York."""
        return self._model.bars.before(new_york(now).date())

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        """Listed in this session; today's own until the close."""
        seen = self._at(now)
        if seen is None or product not in self.spec.spreads:
            return ()
        today = seen.session.date
        known = self._listed.get(product)
        listed = known[1] if known is not None and known[0] == today else None
        if listed is None:
            listed = tuple(self._listing(product).on(today))
            self._listed[product] = (today, listed)
        return listed[1:] if now >= seen.session.close and listed[:1] == (today,) else listed

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        """Its volatilities and deltas are the model's own."""
        seen = self._at(now)
        if seen is None or expiry not in self.expiries(product, now):
            return None
        known = seen.chains.get((product, expiry))
        if known is None:
            known = seen.chains[product, expiry] = self._make_chain(product, expiry, seen)
        return known

    def _make_chain(self, product: str, expiry: date, seen: _Seen) -> Chain:
        row, series = PRODUCTS[product], self._series_at(product, expiry, seen)
        once = self._strikes_on(product, expiry, seen)
        counts, greeks = np.empty((2, 2 * once.size), np.int64), np.empty((2, 2 * once.size))
        points: Floats = (once * float(row.strike_grid)).astype(np.float64)
        grid = self._grid(row, seen)
        spec = self.spec
        rows_into(
            points, series.forward, series.discount, series.theta, spec.eta, spec.rho, grid, counts, greeks
        )
        return Chain(
            product=product,
            expiry=expiry,
            as_of=seen.as_of,
            multiplier=row.multiplier,
            tick=row.tick,
            strike_unit=row.strike_grid,
            forward=series.forward,
            discount=series.discount,
            years=series.years,
            right=np.repeat(np.array([-1, 1], np.int8), once.size),
            strike=np.concatenate((once, once)),
            bid=counts[0],
            ask=counts[1],
            iv=greeks[0] / math.sqrt(series.years),
            delta=greeks[1],
        )

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        seen = self._at(now)
        if seen is None or expiry not in self.expiries(product, now):
            return None
        return self._series_at(product, expiry, seen).forward

    def counts(self, contract: Contract, now: datetime) -> tuple[int, int] | None:
        """Bid and ask in ticks; any strike of an expiry that the rules list has them until it settles."""
        seen = self._at(now)
        if seen is None:
            return None
        if isinstance(contract, Option):
            return self._option_counts(contract, seen)
        return None if isinstance(contract, Share) else self._future_counts(contract, seen)

    def quote(self, contract: Contract, now: datetime) -> Quote | None:
        found = self.counts(contract, now)
        if found is None or self._seen is None:
            return None
        return Quote(found[0] * contract.tick, found[1] * contract.tick, self._seen.as_of)

    def mark(self, contract: Contract, now: datetime) -> float:
        """The mid of ``quote`` in points; NaN where there is none."""
        found = self.counts(contract, now)
        return math.nan if found is None else (found[0] + found[1]) * (0.5 * float(contract.tick))

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """From the close of expiry day on, AM-settled from its open: the future beneath the option."""
        session = self._times.sessions.on(contract.expiry)
        terms = None if session is None else self._model.settled(session)
        if session is None or terms is None:
            return None
        product = PRODUCTS[contract.product]
        minute = session.open if product.settles_at_open else session.close
        if now < minute:
            return None
        if isinstance(contract, Future) or product.settles_at_open:
            return terms.level
        beneath = self._future_of(product, contract.expiry)
        return terms.forward(self._years(product, beneath, int(minute.timestamp()) // 60))

    # -- now --------------------------------------------------------------------------------

    def _at(self, now: datetime) -> _Seen | None:
        """None before the open, off sessions and where there is no data."""
        if now == self._now:
            return self._seen
        session = self._times.sessions.on(new_york(now).date())
        seen = None
        if session is not None and now >= session.open:
            seen = self._in_session(session, min((now - session.open) // ONE_MINUTE, session.minutes))
        self._now, self._seen = now, seen
        return seen

    def _in_session(self, session: Session, minute: int) -> _Seen | None:
        if self._minutes_of is not session:
            self._minutes_of, self._minutes = session, {}
        seen = self._minutes.get(minute)
        if seen is None:
            terms = self._model.at(session, minute)
            seen = None if terms is None else _Seen(session, minute, terms)
            if seen is not None:
                self._minutes[minute] = seen
        return seen

    def _series_at(self, product: str, expiry: date, seen: _Seen) -> _Series:
        found = seen.series.get((product, expiry))
        if found is None:
            found = seen.series[product, expiry] = self._make_series(PRODUCTS[product], expiry, seen)
        return found

    def _make_series(self, product: Product, expiry: date, seen: _Seen) -> _Series:
        now = seen.epoch_minute
        settles = self._times.settlement_of(product, expiry)[0]
        years, clock_years = max(settles - now, 0) / YEAR_MINUTES, self._clock.years(now, settles)
        return _Series(
            forward=seen.terms.forward(self._years(product, self._future_of(product, expiry), now)),
            discount=math.exp(-self._rate(seen.session.date) * years),
            years=clock_years,
            theta=seen.terms.variance(years, clock_years),
        )

    def _years(self, product: Product, day: date, now: int) -> float:
        """Calendar years from a minute to the end of a product's future of that day."""
        return max(self._times.settlement_of(product, day)[0] - now, 0) / YEAR_MINUTES

    def _rate(self, today: date) -> float:
        if self._rate_on[0] != today:
            known = self._rates.before(today)
            self._rate_on = today, float(known.close[-1]) if len(known) else float(self._rates.close[0])
        return self._rate_on[1]

    def _future_of(self, product: Product, expiry: date) -> date:
        """When the future beneath ends; where the calendar does not reach so far, the option's own day."""
        found = self._futures.get((product.key, expiry))
        if found is None:
            beneath = underlying_future(product, expiry, self._times.sessions)
            found = self._futures[product.key, expiry] = beneath or expiry
        return found

    # -- contracts --------------------------------------------------------------------------

    def _option_counts(self, option: Option, seen: _Seen) -> tuple[int, int] | None:
        product, today = PRODUCTS[option.product], seen.session.date
        listed = option.product in self.spec.spreads and option.expiry in self._listing(option.product).by_day
        if not listed or (option.multiplier, option.tick) != (product.multiplier, product.tick):
            return None
        if today > option.expiry or (product.settles_at_open and today == option.expiry):
            return None
        series = self._series_at(option.product, option.expiry, seen)
        bid, ask, _, _ = quote_one(
            float(option.strike),
            int(option.right),
            series.forward,
            series.discount,
            series.theta,
            self.spec.eta,
            self.spec.rho,
            self._grid(product, seen),
        )
        return bid, ask

    def _future_counts(self, future: Future, seen: _Seen) -> tuple[int, int] | None:
        """A tick wide, around the level; not after its last day."""
        if seen.session.date > future.expiry or self._times.sessions.on(future.expiry) is None:
            return None
        price = seen.terms.forward(self._years(PRODUCTS[future.product], future.expiry, seen.epoch_minute))
        bid = math.floor(price / float(future.tick) + 1e-9)
        return bid, bid + 1

    def _grid(self, product: Product, seen: _Seen) -> Floats:
        grid = seen.grids.get(product.key)
        if grid is None:
            grid = seen.grids[product.key] = self._make_grid(product, seen)
        return grid

    def _make_grid(self, product: Product, seen: _Seen) -> Floats:
        spread, stress = self.spec.spreads[product.key], seen.terms.stress
        above, start = product.tick_above / product.tick, product.tick_from / product.tick
        tick = float(product.tick)
        return np.array([tick, float(above), float(start), spread.flat * stress, spread.per_root * stress])

    def _listing(self, product: str) -> _Listing:
        found = self._listings.get(product)
        if found is None:
            listed = expiries_of(product, self._times.sessions)
            known = tuple(one for one in listed if one.expiry <= self.spec.last)
            found = self._listings[product] = _Listing(PRODUCTS[product], known)
        return found

    def _strikes_on(self, product: str, expiry: date, seen: _Seen) -> Ints:
        """In strike units, ascending; by the prices before today and the level of 09:30."""
        today = seen.session.date
        key = (product, expiry, today)
        found = self._strikes.get(key)
        if found is None:
            if len(self._strikes) > 64:
                self._strikes.clear()
            found = self._strikes[key] = self._list_strikes(product, expiry, seen.session)
        return found

    def _list_strikes(self, product: str, expiry: date, session: Session) -> Ints:
        listing, bars = self._listing(product), self._model.bars
        row, first = self._model.row(session.date), self._model.at(session, 0)
        assert row is not None
        assert first is not None
        zones = [max(listing.by_day[expiry].first, expiry - timedelta(days=int(n))) for n in ZONE_DAYS]
        since = np.searchsorted(bars.day, np.array(zones, "datetime64[D]")).astype(np.int64)
        low, high, worst = extremes_before(
            bars.low, bars.high, self._model.gauge, since, row, first.level, float(self._model.gauge[row])
        )
        open_zones = np.array([i for i, day in enumerate(zones) if day <= session.date], np.int64)
        unit = float(listing.product.strike_grid)
        strikes: Ints = strikes_listed(low, high, worst, unit, listing.steps, open_zones)
        strikes.setflags(write=False)
        return strikes
