"""The model market: real daily history underneath, everything about options modelled.

What is real: the index's and VIX's daily bars and the short rate.  What is drawn: the minutes between
(sim.paths).  What is modelled: every option and future (sim.surface, sim.quoting, sim.spreads), listed
by the 2024 rules in every year (sim.listing).

Nothing returned at ``now`` depends on later data, but for the path within the day, which is drawn
through that day's own high, low and close.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Future, Option
from tomking.domain.products import PRODUCTS, Settlement
from tomking.pricing.clock import MINUTES_A_YEAR, VarianceClock
from tomking.sim.listing import (
    ZONE_DAYS,
    Listed,
    Size,
    expiries_of,
    extremes_before,
    moved,
    quarterly_after,
    size_at,
    strikes_listed,
    third_friday,
    zone_units,
)
from tomking.sim.paths import Paths
from tomking.sim.quoting import (
    DIVIDEND_YIELD,
    FUTURE_LEG,
    SERIES,
    STATE,
    mids_into,
    prices_into,
    quotes_into,
    rows_into,
    terms,
)
from tomking.sim.spreads import Grid
from tomking.sim.surface import (
    VIX_MINUTES,
    YEAR_MINUTES,
    multiples,
    slow_averages,
    solve_level,
    strip_table,
    variance_time,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FAMILY = "SPX"
UNLISTED = -1
VIX_FRIDAYS = (16, 51)
"""Calendar days between which the Friday expiries lie that may bracket 30 days."""
ONE_MINUTE = timedelta(minutes=1)
FIRST_SLOTS = 256

NOTES = (
    "The S&P 500's and VIX's daily open, high, low and close and the short rate are real.",
    "The minutes within each day are drawn through the real high, low and close; no real minute is used.",
    "Every option and future price, bid and ask is modelled: nobody traded or quoted it.",
    "At each minute the model's own 30-day option strip gives that minute's VIX by the published formula; "
    "skew, term structure and spreads were set by eye on SPXW quotes of April 2016 and July 2026.",
    "Volatilities and deltas in a chain are the model's own, not implied from the rounded quotes.",
    "Expiries and strikes are those of the 2024 rules in every year, also before such options existed.",
    "Strikes, ticks and multipliers are scaled to the index level before an expiry is listed, so that a "
    "contract is always about as large as at 5,500 points.",
    f"Forwards assume a dividend yield of {DIVIDEND_YIELD:.1%} in every year.",
    "Options on futures are European and settle at 16:00; real ES quarterlies are American and settle "
    "at the open.  Futures trade only while the stock market is open here.",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """One expiry of one product: facts that hold from its listing to its settlement."""

    row: int
    """Of the table the kernels read."""
    product: str
    expiry: date
    size: Size
    close: datetime
    facts: Floats
    """The columns ``quoting.SERIES``."""
    unit: float
    index_unit: float
    """Points of the product, and of the index, per strike unit."""
    steps: Ints
    zone_since: Ints
    """History row from which each strike zone's extremes count, (z,)."""
    zone_days: Ints
    """Session ordinals from which each zone is listed, (z,)."""


@dataclass(slots=True, eq=False)
class _Day:
    """What is fixed for one session."""

    session: Session
    row: int
    spx: list[float]
    vix: list[float]
    open_minute: int
    clock: float
    """Variance minutes at the open."""
    rate: float
    averages: tuple[float, float]
    fridays: list[tuple[int, float]]
    """Calendar minute and variance minutes at settlement of expiries about 30 days out."""
    expiries: dict[str, tuple[date, ...]] = field(default_factory=dict)
    strikes: dict[int, tuple[Floats, Ints, NDArray[np.int8]]] = field(default_factory=dict)


class ModelMarket:
    """The ``MarketData`` port on modelled option prices over real underlying history."""

    def __init__(self, history: History, sessions: Sessions, seed: int) -> None:
        """``sessions`` holds every day of the history and at least 400 days more."""
        self._history = history
        self._sessions = sessions
        self._by_date = {session.date: i for i, session in enumerate(sessions)}
        opens = np.array([_minute_of(s.open) for s in sessions], np.int64)
        closes = np.array([_minute_of(s.close) for s in sessions], np.int64)
        self._closes = closes.tolist()
        self._clock_edges = VarianceClock.of(opens, closes).elapsed
        self._ordinals = np.array([s.date.toordinal() for s in sessions], np.int64)
        days: list[date] = history.spx.day.astype("datetime64[D]").tolist()
        self._rows = {day: i for i, day in enumerate(days)}
        lengths = np.array([sessions.days[self._by_date[day]].minutes for day in days], np.int64)
        self._paths = Paths(history, lengths, seed)
        self._averages = slow_averages(history.vix.close)
        self._table = strip_table()
        self._listed: dict[str, tuple[Listed, ...]] = {}
        self._listed_days: dict[str, tuple[Ints, Ints, Ints]] = {}
        self._series: dict[tuple[str, date], _Series | None] = {}
        self._day: _Day | None = None
        self._now: datetime | None = None
        self._minute = 0
        self._as_of: datetime | None = None
        self._state = np.zeros(len(STATE))
        self._solved = False
        # Contracts that were asked for, by slot, and where to find them: by identity first,
        # because hashing a contract costs more than pricing it.
        self._slot_of: dict[Contract, int] = {}
        self._slot_by_id: dict[int, tuple[Contract, int]] = {}
        self._rights = np.zeros(FIRST_SLOTS, np.int64)
        self._strikes = np.zeros(FIRST_SLOTS)
        self._which = np.zeros(FIRST_SLOTS, np.int64)
        self._facts = np.zeros((FIRST_SLOTS, len(SERIES)))
        self._facts_used = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of any result on this market must know, as sentences."""
        return NOTES

    # -- the port ---------------------------------------------------------------------------

    def spot(self, family: str, now: datetime) -> float | None:
        day = self._at(now)
        return None if day is None or family != FAMILY else day.spx[self._minute]

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        day = self._at(now)
        if day is None:
            return None
        assert self._as_of is not None
        return day.vix[self._minute], self._as_of

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        """Listed on this session's day; today's own until the close."""
        if product not in PRODUCTS:
            return ()
        day = self._at(now)
        if day is None:
            return ()
        listed = day.expiries.get(product)
        if listed is None:
            listed = day.expiries[product] = self._listed_on(product, day.session.date)
        if listed and listed[0] == day.session.date and now >= day.session.close:
            return listed[1:]
        return listed

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        if expiry not in self.expiries(product, now):
            return None
        day, series = self._day, self._series_of(product, expiry)
        if day is None or series is None or self._as_of is None:
            return None
        state = self._solve(day)
        points, strike, right = self._strikes_on(day, series)
        counts = np.empty((2, right.size), np.int64)
        greeks = np.empty((2, right.size))
        rows_into(state, series.facts, points, counts, greeks)
        forward, discount, years, _ = terms(state, series.facts)
        return Chain(
            product=product,
            expiry=expiry,
            as_of=self._as_of,
            multiplier=series.size.multiplier,
            tick=series.size.tick,
            strike_unit=series.size.strike_unit,
            forward=forward,
            discount=discount,
            years=years,
            right=right,
            strike=strike,
            bid=counts[0],
            ask=counts[1],
            iv=greeks[0],
            delta=greeks[1],
        )

    def unrounded(self, product: str, expiry: date, now: datetime) -> Floats | None:
        """The model's own prices in points of the rows of ``chain``, before spread and rounding."""
        if expiry not in self.expiries(product, now):
            return None
        day, series = self._day, self._series_of(product, expiry)
        if day is None or series is None:
            return None
        points, strike, _ = self._strikes_on(day, series)
        price = np.empty(strike.size)
        prices_into(self._solve(day), series.facts, points, price)
        return price

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        """Any strike of a listed expiry has a quote, inside the day's strikes or not."""
        day = self._at(now)
        if day is None:
            return [None] * len(contracts)
        as_of = self._as_of
        assert as_of is not None
        _, counts = self._counts(contracts, day)
        return [
            None if bid < 0 else Quote(bid * contract.tick, ask * contract.tick, as_of)
            for contract, bid, ask in zip(contracts, counts[0].tolist(), counts[1].tolist(), strict=True)
        ]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> Floats:
        """Mids of ``quotes`` in points, (n,); NaN where there is no quote."""
        day = self._at(now)
        if day is None:
            return np.full(len(contracts), np.nan)
        slots, counts = self._counts(contracts, day)
        out = np.empty(len(contracts))
        mids_into(counts, slots, self._which, self._facts, out)
        return out

    def bars(self, family: str, now: datetime) -> Bars:
        """Real bars of sessions before the day ``now`` falls on in New York."""
        day = new_york(now).date() if family == FAMILY else date.min
        return self._history.spx.before(day)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """From the close of expiry day on: the index close, or for an option on a future that future."""
        at = self._by_date.get(contract.expiry)
        row = self._rows.get(contract.expiry)
        if at is None or row is None or now < self._sessions.days[at].close:
            return None
        product = PRODUCTS[contract.product]
        close = float(self._history.spx.close[row]) * float(product.index_ratio)
        if isinstance(contract, Future) or product.settlement is not Settlement.FUTURE:
            return close
        series = self._series_of(contract.product, contract.expiry)
        if series is None:
            return None
        minutes = self._future_minute(contract.expiry) - self._closes[at]
        return close * float(np.exp((self._rate(row) - DIVIDEND_YIELD) * minutes / YEAR_MINUTES))

    def future_of(self, option: Option) -> Future | None:
        """The future that exercising an option on a future delivers, of the option's own size."""
        if PRODUCTS[option.product].settlement is not Settlement.FUTURE:
            return None
        expiry = quarterly_after(option.expiry, self._sessions)
        return None if expiry is None else Future(option.product, expiry, option.multiplier, option.tick)

    # -- now --------------------------------------------------------------------------------

    def _at(self, now: datetime) -> _Day | None:
        """The day of ``now`` with the minute set, or None before the open and off sessions."""
        if now == self._now:
            return self._day
        day = self._day
        if day is None or not day.session.open <= now <= day.session.close:
            day = self._enter(now)
        self._now, self._day, self._solved = now, day, False
        if day is not None:
            self._minute = min((now - day.session.open) // ONE_MINUTE, day.session.minutes)
            self._as_of = day.session.open + self._minute * ONE_MINUTE
        return day

    def _enter(self, now: datetime) -> _Day | None:
        today = new_york(now).date()
        at, row = self._by_date.get(today), self._rows.get(today)
        if at is None or row is None or now < self._sessions.days[at].open:
            return None
        if self._day is not None and self._day.row == row:
            return self._day
        session = self._sessions.days[at]
        path = self._paths.day(row)
        averages = self._averages
        return _Day(
            session=session,
            row=row,
            spx=path.spx.tolist(),
            vix=path.vix.tolist(),
            open_minute=_minute_of(session.open),
            clock=self._clock_edges[2 * at],
            rate=self._rate(row),
            averages=(float(averages[0][row]), float(averages[1][row])),
            fridays=self._vix_fridays(today),
        )

    def _rate(self, row: int) -> float:
        """Yesterday's, because a day's yield is published at its end; the first day has its own."""
        return float(self._history.rate[max(row - 1, 0)])

    def _vix_fridays(self, today: date) -> list[tuple[int, float]]:
        first, last = VIX_FRIDAYS
        found = []
        friday = today + timedelta(days=first + (4 - today.weekday() - first) % 7)
        while (friday - today).days <= last:
            expiry = moved(friday, self._sessions)
            if expiry is not None:
                at = self._by_date[expiry]
                found.append((self._closes[at], self._clock_edges[2 * at + 1]))
            friday += timedelta(days=7)
        return found

    def _solve(self, day: _Day) -> Floats:
        """The state of the minute, its level solved so that the VIX formula returns this VIX."""
        if self._solved:
            return self._state
        minute = day.open_minute + self._minute
        clock = day.clock + self._minute
        vix = day.vix[self._minute]
        medium, long = multiples(vix, *day.averages)
        near, after = self._bracket(day, minute)
        level = solve_level(
            vix,
            variance_time((near[1] - clock) / MINUTES_A_YEAR, medium, long),
            variance_time((after[1] - clock) / MINUTES_A_YEAR, medium, long),
            float(near[0] - minute),
            float(after[0] - minute),
            self._table,
        )
        self._state[:] = (day.spx[self._minute], vix, level, medium, long, day.rate, clock, minute)
        self._solved = True
        return self._state

    def _bracket(self, day: _Day, minute: int) -> tuple[tuple[int, float], tuple[int, float]]:
        limit, near = minute + VIX_MINUTES, day.fridays[0]
        for after in day.fridays[1:]:
            if after[0] > limit:
                return near, after
            near = after
        raise AssertionError(f"no Friday beyond 30 days from {day.session.date}: the sessions end too soon")

    # -- listing ----------------------------------------------------------------------------

    def _listed_on(self, product: str, today: date) -> tuple[date, ...]:
        if product not in self._listed:
            listed = self._listed[product] = expiries_of(product, self._sessions)
            columns = ((x.expiry, x.first, x.last) for x in listed)
            days = np.array([[d.toordinal() for d in row] for row in columns], np.int64)
            self._listed_days[product] = (days[:, 0].copy(), days[:, 1].copy(), days[:, 2].copy())
        expiry, first, last = self._listed_days[product]
        day = today.toordinal()
        start, stop = np.searchsorted(expiry, (day, day + 400))
        here = np.nonzero((first[start:stop] <= day) & (last[start:stop] >= day))[0] + start
        listed = self._listed[product]
        return tuple(listed[i].expiry for i in here.tolist())

    def _series_of(self, product: str, expiry: date) -> _Series | None:
        key = (product, expiry)
        if key not in self._series:
            self._series[key] = self._make_series(product, expiry)
        return self._series[key]

    def _make_series(self, name: str, expiry: date) -> _Series | None:
        product, at = PRODUCTS.get(name), self._by_date.get(expiry)
        if product is None or at is None:
            return None
        self._listed_on(name, expiry)
        expiries = self._listed_days[name][0]
        i = int(np.searchsorted(expiries, expiry.toordinal()))
        if i == expiries.size or expiries[i] != expiry.toordinal():
            return None
        first = self._listed[name][i].first
        size = size_at(product, self._level_before(first))
        grid = Grid.of(product)
        zone_first = [max(first, expiry - timedelta(days=int(n))) for n in ZONE_DAYS]
        zone_since = np.searchsorted(self._history.spx.day, np.array(zone_first, "datetime64[D]"))
        future = self._future_minute(expiry) if product.future else self._closes[at]
        facts = np.array(
            (
                self._clock_edges[2 * at + 1],
                self._closes[at],
                future,
                float(product.index_ratio),
                float(size.tick),
                grid.point,
                grid.above,
                grid.from_count,
                grid.width,
            )
        )
        return _Series(
            row=self._keep_facts(facts),
            product=name,
            expiry=expiry,
            size=size,
            close=self._sessions.days[at].close,
            facts=facts,
            unit=float(size.strike_unit),
            index_unit=float(size.strike_unit / product.index_ratio),
            steps=zone_units(product),
            zone_since=zone_since.astype(np.int64),
            zone_days=np.array([d.toordinal() for d in zone_first], np.int64),
        )

    def _level_before(self, first: date) -> float:
        """The last close before an expiry's first listed day; before the history, its first open."""
        before = int(np.searchsorted(self._history.spx.day, np.datetime64(first)))
        spx = self._history.spx
        return float(spx.close[before - 1] if before > 0 else spx.open[0])

    def _future_minute(self, expiry: date) -> int:
        delivered = quarterly_after(expiry, self._sessions)
        return self._closes[self._by_date[expiry if delivered is None else delivered]]

    def _strikes_on(self, day: _Day, series: _Series) -> tuple[Floats, Ints, NDArray[np.int8]]:
        """Strikes in points once, (n,), and the chain's strike and right columns, (2n,)."""
        found = day.strikes.get(series.row)
        if found is not None:
            return found
        history, today = self._history, day.session.date.toordinal()
        low, high, worst = extremes_before(
            history.spx.low,
            history.spx.high,
            history.vix.high,
            series.zone_since,
            day.row,
            day.spx[0],
            day.vix[0],
        )
        zones = np.nonzero(series.zone_days <= today)[0]
        once = strikes_listed(low, high, worst, series.index_unit, series.steps, zones)
        right = np.repeat(np.array([-1, 1], np.int8), once.size)
        strike = np.concatenate((once, once))
        right.setflags(write=False)
        strike.setflags(write=False)
        day.strikes[series.row] = found = (once * series.unit, strike, right)
        return found

    # -- held contracts ---------------------------------------------------------------------

    def _counts(self, contracts: Sequence[Contract], day: _Day) -> tuple[Ints, Ints]:
        by_id = self._slot_by_id
        slots = np.empty(len(contracts), np.int64)
        for i, contract in enumerate(contracts):
            known = by_id.get(id(contract))
            slots[i] = self._slot(contract) if known is None else known[1]
        counts = np.empty((2, slots.size), np.int64)
        quotes_into(self._solve(day), slots, self._rights, self._strikes, self._which, self._facts, counts)
        return slots, counts

    def _slot(self, contract: Contract) -> int:
        slot = self._slot_of.get(contract)
        if slot is None:
            slot = self._slot_of[contract] = self._make_slot(contract)
        if len(self._slot_by_id) > 4096:
            self._slot_by_id.clear()
        # Kept beside its slot, so that no other contract can come to have this identity.
        self._slot_by_id[id(contract)] = (contract, slot)
        return slot

    def _make_slot(self, contract: Contract) -> int:
        facts = self._future_facts(contract) if isinstance(contract, Future) else self._option_facts(contract)
        if facts is None:
            return UNLISTED
        slot = len(self._slot_of)
        if slot >= self._rights.size:
            self._rights = np.concatenate((self._rights, np.zeros_like(self._rights)))
            self._strikes = np.concatenate((self._strikes, np.zeros_like(self._strikes)))
            self._which = np.concatenate((self._which, np.zeros_like(self._which)))
        self._which[slot] = facts
        if isinstance(contract, Option):
            self._rights[slot], self._strikes[slot] = int(contract.right), _points(contract)
        else:
            self._rights[slot] = FUTURE_LEG
        return slot

    def _option_facts(self, option: Option) -> int | None:
        series = self._series_of(option.product, option.expiry)
        if series is None or (series.size.multiplier, series.size.tick) != (option.multiplier, option.tick):
            return None
        return series.row

    def _future_facts(self, future: Future) -> int | None:
        at = self._by_date.get(future.expiry)
        month = third_friday(future.expiry.year, future.expiry.month)
        quarterly = future.expiry.month % 3 == 0 and moved(month, self._sessions) == future.expiry
        if at is None or not quarterly or not PRODUCTS[future.product].future:
            return None
        facts = np.zeros(len(SERIES))
        facts[:5] = (
            self._clock_edges[2 * at + 1],
            self._closes[at],
            self._closes[at],
            1.0,
            float(future.tick),
        )
        return self._keep_facts(facts)

    def _keep_facts(self, facts: Floats) -> int:
        if self._facts_used == len(self._facts):
            self._facts = np.concatenate((self._facts, np.zeros_like(self._facts)))
        self._facts[self._facts_used] = facts
        self._facts_used += 1
        return self._facts_used - 1


def _points(option: Option) -> float:
    """As the chain computes it: a count of strike units times the unit as a float."""
    scale = option.tick / PRODUCTS[option.product].tick
    unit = PRODUCTS[option.product].strike_grid * scale
    count = option.strike / unit
    whole = count.to_integral_value()
    return int(whole) * float(unit) if count == whole else float(option.strike)


def _minute_of(instant: datetime) -> int:
    return int(instant.timestamp()) // 60
