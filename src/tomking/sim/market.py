"""The model market: real daily history underneath, everything about options modelled.

What is real: the index's and VIX's daily bars and the short rate.  What is drawn: the minutes between
(``sim.paths``).  What is modelled: every option and future (``sim.surface``, ``sim.quoting``,
``sim.spreads``), listed by the 2024 rules in every year (``sim.listing``, ``sim.board``).

Nothing returned at ``now`` depends on later data, but for the path within the day, which is drawn
through that day's own high, low and close.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Future, Option
from tomking.domain.products import PRODUCTS, Settlement
from tomking.pricing.clock import MINUTES_A_YEAR, session_elapsed
from tomking.sim.board import Board, Series, Timetable
from tomking.sim.listing import FRIDAY, moved, quarterly_after
from tomking.sim.paths import DayPath, Paths
from tomking.sim.quoting import DIVIDEND_YIELD, STATE, mids_into, prices_into, quotes_into, rows_into, terms
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
Rights = NDArray[np.int8]

FAMILY, VIX = "SPX", "VIX"
VIX_FRIDAYS = (16, 51)
"""Calendar days between which the Friday expiries lie that may bracket 30 days."""
ONE_MINUTE = timedelta(minutes=1)

NOTES = (
    "The S&P 500's and VIX's daily open, high, low and close and the short rate are real.",
    "The minutes within each day are drawn through the real high, low and close; no real minute is used.",
    "Every option and future price, bid and ask is modelled: nobody traded or quoted it.",
    (
        "At each minute the model's own 30-day option strip gives that minute's VIX by the published "
        "formula; skew, term structure and spreads are fitted to quotes of 2010 to 2026, and how far they "
        "are from quotes held out is in docs/fidelity.md."
    ),
    "Volatilities and deltas in a chain are the model's own, not implied from the rounded quotes.",
    "Expiries and strikes are those of the 2024 rules in every year, also before such options existed.",
    (
        "Strikes, ticks and multipliers of what is listed on a day are scaled to the index level before it, "
        "so that a contract is always about as large as at 5,500 points; what is held keeps its own."
    ),
    f"Forwards assume a dividend yield of {DIVIDEND_YIELD:.1%} in every year.",
    (
        "Options on futures are European and settle at 16:00; real ES quarterlies are American and settle "
        "at the open.  Futures trade only while the stock market is open here."
    ),
)


@dataclass(slots=True, eq=False)
class _Day:
    """What is fixed for one session, and what was worked out in it."""

    session: Session
    row: int
    spx: list[float]
    vix: list[float]
    open_minute: int
    elapsed: float
    """Variance minutes at the open."""
    gone: tuple[float, ...]
    """Variance minutes since the open at each minute of the session."""
    rate: float
    averages: tuple[float, float]
    """Of past VIX closes."""
    scale: Decimal
    """Of what is listed today."""
    fridays: list[tuple[int, float]]
    """Both clocks at the settlement of expiries about 30 days out."""
    bars: Bars
    expiries: dict[str, tuple[date, ...]] = field(default_factory=dict)
    series: dict[tuple[str, date], Series | None] = field(default_factory=dict)
    """What was looked up, None what is not listed."""
    strikes: dict[int, tuple[Floats, Ints, Rights]] = field(default_factory=dict)
    chains: dict[tuple[str, date], tuple[int, Chain]] = field(default_factory=dict)
    """The last chain that was asked for, with its minute: strategies and limits ask for the same."""


class ModelMarket:
    """The ``MarketData`` port on modelled option prices over real underlying history."""

    def __init__(
        self,
        history: History,
        sessions: Sessions,
        seed: int,
        told: Mapping[date, DayPath] | None = None,
        *,
        real_sizes: bool = False,
    ) -> None:
        """``sessions`` holds every day of the history and at least 400 days more.

        told        the days whose minutes are known instead of drawn (scenarios tell them)
        real_sizes  contracts are not scaled to the index level (``sim.board``)

        ``KeyError`` for a day of the history that is not a session.
        """
        self._history = history
        self._times = times = Timetable.of(sessions)
        days: list[date] = history.spx.day.astype("datetime64[D]").tolist()
        self._rows = {day: i for i, day in enumerate(days)}
        lengths = np.array([sessions.days[times.at[day]].minutes for day in days], np.int64)
        by_row = {self._rows[day]: path for day, path in (told or {}).items()}
        self._paths = Paths(history, lengths, seed, by_row)
        self._averages = slow_averages(history.vix.close)
        self._strip_table = strip_table()
        self._board = Board(history, times, real_sizes=real_sizes)
        self._now: datetime | None = None
        self._day: _Day | None = None
        self._last_day: _Day | None = None
        self._minute = 0
        self._state = np.zeros(len(STATE))
        self._solved = False
        self._printed: tuple[float, datetime] | None = None

    @property
    def grid_minutes(self) -> int:
        return 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of any result on this market must know, as sentences."""
        return NOTES

    # -- the port ---------------------------------------------------------------------------

    def minute_of(self, now: datetime) -> tuple[int, int] | None:
        """History row and minute of the session: within it only the clock changes.  None off sessions."""
        day = self._at(now)
        return None if day is None else (day.row, self._minute)

    def spot(self, family: str, now: datetime) -> float | None:
        day = self._at(now)
        return None if day is None or family != FAMILY else day.spx[self._minute]

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        day = self._at(now)
        if day is not None and self._printed is None:
            self._printed = (day.vix[self._minute], self._as_of(day))
        return None if day is None else self._printed

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        """Listed in this session; today's own until the close."""
        day = self._at(now)
        if day is None:
            return ()
        today, listed = day.session.date, day.expiries.get(product)
        if listed is None:
            listed = day.expiries[product] = self._board.expiries(product, today)
        return listed[1:] if now >= day.session.close and listed[:1] == (today,) else listed

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        """Its volatilities and deltas are the surface's own, so no row lacks them."""
        found = self._look_up(product, expiry, now)
        if found is None:
            return None
        day, series = found
        minute, known = day.chains.get((product, expiry), (-1, None))
        if known is None or minute != self._minute:
            known = self._make_chain(product, expiry, day, series)
            day.chains[product, expiry] = (self._minute, known)
        return known

    def _make_chain(self, product: str, expiry: date, day: _Day, series: Series) -> Chain:
        points, strike, right = self._strikes_on(day, series)
        state = self._solve(day)
        counts = np.empty((2, right.size), np.int64)
        greeks = np.empty((2, right.size))
        rows_into(state, series.facts, points, counts, greeks)
        forward, discount, years, _ = terms(state, series.facts)
        return Chain(
            product=product,
            expiry=expiry,
            as_of=self._as_of(day),
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

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        found = self._look_up(product, expiry, now)
        return None if found is None else terms(self._solve(found[0]), found[1].facts)[0]

    def unrounded(self, product: str, expiry: date, now: datetime) -> Floats | None:
        """The model's own prices in points of the rows of ``chain``, before spread and rounding."""
        found = self._look_up(product, expiry, now)
        if found is None:
            return None
        day, series = found
        points, strike, _ = self._strikes_on(day, series)
        price = np.empty(strike.size)
        prices_into(self._solve(day), series.facts, points, price)
        return price

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        """Any strike of a listed expiry has a quote, among the day's strikes or not.

        A contract that expires today is quoted to the end of the day as it stood at the close.
        """
        day = self._at(now)
        if day is None:
            return [None] * len(contracts)
        as_of, counts = self._as_of(day), self._counts(self._board.slots(contracts), day)
        return [
            None if bid < 0 else Quote(bid * contract.tick, ask * contract.tick, as_of)
            for contract, bid, ask in zip(contracts, counts[0].tolist(), counts[1].tolist(), strict=True)
        ]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> Floats:
        """Mids of ``quotes`` in points, (n,); NaN where there is no quote."""
        day = self._at(now)
        if day is None:
            return np.full(len(contracts), np.nan)
        board, slots, out = self._board, self._board.slots(contracts), np.empty(len(contracts))
        mids_into(self._solve(day), slots, board.rights, board.strikes, board.which, board.facts, out)
        return out

    def bars(self, family: str, now: datetime) -> Bars:
        """Real bars of sessions before the day ``now`` falls on in New York: the index's or the VIX's."""
        if family == VIX:
            return self._history.vix.before(new_york(now).date())
        if family != FAMILY:
            return self._history.spx.before(date.min)
        day = self._at(now)
        return self._history.spx.before(new_york(now).date()) if day is None else day.bars

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        """From the close of expiry day on: the index close, or for an option on a future that future.

        For AM settlement from the open on: the level of 09:30, which stands for the opening prices.
        """
        at, row = self._times.at.get(contract.expiry), self._rows.get(contract.expiry)
        if at is None or row is None:
            return None
        product, session = PRODUCTS[contract.product], self._times.sessions.days[at]
        if now < (session.open if product.settles_at_open else session.close):
            return None
        if product.settles_at_open:
            return float(self._paths.day(row).spx[0] * float(product.index_ratio))
        close = float(self._history.spx.close[row] * float(product.index_ratio))
        if isinstance(contract, Future) or product.settlement is not Settlement.FUTURE:
            return close
        minutes = self._times.delivery_minute(contract.expiry) - self._times.closes[at]
        return close * float(np.exp((self._rate(row) - DIVIDEND_YIELD) * minutes / YEAR_MINUTES))

    def future_of(self, option: Option) -> Future | None:
        """The future that exercising an option on a future delivers, of the option's own size."""
        if PRODUCTS[option.product].settlement is not Settlement.FUTURE:
            return None
        expiry = quarterly_after(option.expiry, self._times.sessions)
        return None if expiry is None else Future(option.product, expiry, option.multiplier, option.tick)

    # -- now --------------------------------------------------------------------------------

    def _at(self, now: datetime) -> _Day | None:
        """The day of ``now`` with the minute set, or None before the open and off sessions."""
        if now == self._now:
            return self._day
        day = self._last_day
        if day is None or not day.session.open <= now <= day.session.close:
            day = self._enter(now)
        before = (self._last_day, self._minute)
        self._now, self._day = now, day
        if day is not None:
            self._last_day = day
            self._minute = min((now - day.session.open) // ONE_MINUTE, day.session.minutes)
        if before != (self._last_day, self._minute):
            self._solved, self._printed = False, None
        return day

    def _enter(self, now: datetime) -> _Day | None:
        today = new_york(now).date()
        at, row = self._times.at.get(today), self._rows.get(today)
        if at is None or row is None or now < self._times.sessions.days[at].open:
            return None
        if self._last_day is not None and self._last_day.row == row:
            return self._last_day
        path, (medium, long) = self._paths.day(row), self._averages
        session = self._times.sessions.days[at]
        return _Day(
            session=session,
            row=row,
            spx=path.spx.tolist(),
            vix=path.vix.tolist(),
            open_minute=self._times.opens[at],
            elapsed=self._times.elapsed[2 * at],
            gone=session_elapsed(session.minutes),
            rate=self._rate(row),
            averages=(float(medium[row]), float(long[row])),
            scale=self._board.scale_on(row),
            fridays=self._vix_fridays(today),
            bars=self._history.spx.before(today),
        )

    def _as_of(self, day: _Day) -> datetime:
        return day.session.open + self._minute * ONE_MINUTE

    def _rate(self, row: int) -> float:
        """Yesterday's, because a day's yield is published at its end; the first day has its own."""
        return float(self._history.rate[max(row - 1, 0)])

    def _vix_fridays(self, today: date) -> list[tuple[int, float]]:
        first, last = VIX_FRIDAYS
        friday = today + timedelta(days=first + (FRIDAY - today.weekday() - first) % 7)
        fridays = [friday + timedelta(days=7 * n) for n in range((last - first) // 7 + 1)]
        expiries = [moved(day, self._times.sessions) for day in fridays]
        return [self._times.close_of(day) for day in expiries if day is not None]

    def _solve(self, day: _Day) -> Floats:
        """The state of the minute, its level solved so that the VIX formula returns this VIX."""
        if self._solved:
            return self._state
        minute, elapsed = day.open_minute + self._minute, day.elapsed + day.gone[self._minute]
        spot, vix = day.spx[self._minute], day.vix[self._minute]
        medium, long = multiples(vix, *day.averages)
        near, after = _bracket(day, minute)
        level = solve_level(
            vix,
            variance_time((near[1] - elapsed) / MINUTES_A_YEAR, medium, long),
            variance_time((after[1] - elapsed) / MINUTES_A_YEAR, medium, long),
            float(near[0] - minute),
            float(after[0] - minute),
            self._strip_table,
        )
        self._state[:] = (spot, vix, level, medium, long, day.rate, elapsed, minute)
        self._solved = True
        return self._state

    def _look_up(self, product: str, expiry: date, now: datetime) -> tuple[_Day, Series] | None:
        day = self._at(now)
        if day is None or (expiry == day.session.date and now >= day.session.close):
            return None
        key = (product, expiry)
        if key not in day.series:
            listed = expiry in self.expiries(product, now)
            day.series[key] = self._board.series(product, expiry, day.scale) if listed else None
        series = day.series[key]
        return None if series is None else (day, series)

    def _strikes_on(self, day: _Day, series: Series) -> tuple[Floats, Ints, Rights]:
        """Strikes in points once, (n,), and the chain's strike and right columns, (2n,)."""
        found = day.strikes.get(series.row)
        if found is None:
            once = self._board.strikes_on(series, day.row, day.spx[0], day.vix[0])
            right = np.repeat(np.array([-1, 1], np.int8), once.size)
            strike = np.concatenate((once, once))
            right.setflags(write=False)
            strike.setflags(write=False)
            points: Floats = (once * series.unit).astype(np.float64)
            found = day.strikes[series.row] = (points, strike, right)
        return found

    def _counts(self, slots: Ints, day: _Day) -> Ints:
        board, counts = self._board, np.empty((2, slots.size), np.int64)
        quotes_into(self._solve(day), slots, board.rights, board.strikes, board.which, board.facts, counts)
        return counts


def _bracket(day: _Day, minute: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """The Friday expiries at or before, and after, 30 days from ``minute``."""
    limit, near = minute + VIX_MINUTES, day.fridays[0]
    for after in day.fridays[1:]:
        if after[0] > limit:
            return near, after
        near = after
    raise AssertionError(f"no Friday beyond 30 days from {day.session.date}: the sessions end too soon")
