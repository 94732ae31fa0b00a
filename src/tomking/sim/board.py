"""What is on the board: expiries, sizes and strikes of the model market, and the numbers of each contract.

The rules are in ``sim.listing``; here they are applied to one history and kept as the arrays that the
kernels of ``sim.quoting`` read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import History
from tomking.domain.calendar import Sessions
from tomking.domain.contract import Contract, Future, Option, Share
from tomking.domain.products import PRODUCTS, Product
from tomking.pricing.clock import VarianceClock
from tomking.sim.listing import (
    ZONE_DAYS,
    Listed,
    Size,
    expiries_of,
    extremes_before,
    moved,
    quarterly_after,
    scale_at,
    size_at,
    strikes_listed,
    third_friday,
    zone_units,
)
from tomking.sim.quoting import FUTURE_LEG, SERIES
from tomking.sim.spreads import Grid

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

UNLISTED = -1
FAMILY = "SPX"
LISTED_DAYS = 1100
"""No expiry is listed longer before it."""
QUOTED_AS = {"SPX": "SPXW"}
"""Products whose spreads are another's: the quotes that spreads were fitted to are of both."""
FIRST_ROWS = 256
KEPT_BY_IDENTITY = 4096
LISTS_KEPT = 256


@dataclass(frozen=True, slots=True, eq=False)
class Timetable:
    """Sessions by date with both clocks at their edges; calendar minutes since 1970 UTC."""

    sessions: Sessions
    at: dict[date, int]
    """Position of a date's session."""
    opens: tuple[int, ...]
    closes: tuple[int, ...]
    elapsed: tuple[float, ...]
    """Variance minutes at open, close, open, close ... (``pricing.clock``)."""

    @classmethod
    def of(cls, sessions: Sessions) -> "Timetable":
        opens = [int(s.open.timestamp()) // 60 for s in sessions]
        closes = [int(s.close.timestamp()) // 60 for s in sessions]
        clock = VarianceClock.of(np.array(opens, np.int64), np.array(closes, np.int64))
        at = {session.date: i for i, session in enumerate(sessions)}
        return cls(sessions, at, tuple(opens), tuple(closes), clock.elapsed)

    def close_of(self, day: date) -> tuple[int, float]:
        """Calendar minute and variance minutes at the close of a session's date."""
        i = self.at[day]
        return self.closes[i], self.elapsed[2 * i + 1]

    def open_of(self, day: date) -> tuple[int, float]:
        """The same at its open."""
        i = self.at[day]
        return self.opens[i], self.elapsed[2 * i]

    def settlement_of(self, product: Product, expiry: date) -> tuple[int, float]:
        """The same when a product's options of this expiry settle."""
        return self.open_of(expiry) if product.settles_at_open else self.close_of(expiry)

    def delivery_minute(self, expiry: date) -> int:
        """When the future expires that an option on it delivers."""
        delivered = quarterly_after(expiry, self.sessions)
        return self.close_of(expiry if delivered is None else delivered)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One expiry of one product: facts that hold from its listing to its settlement."""

    row: int
    """Of ``Board.facts``."""
    size: Size
    facts: Floats
    """The columns ``quoting.SERIES``."""
    unit: float
    """Points of the product per strike unit."""
    index_unit: float
    """Points of the index per strike unit."""
    steps: Ints
    """Strike units between strikes, by zone."""
    zone_first: Ints
    """Ordinal of the first day of each zone."""
    zone_since: Ints
    """History row from which each zone's extremes count."""


class Board:
    """The listing of one history, worked out as it is asked for."""

    def __init__(self, history: History, timetable: Timetable, *, real_sizes: bool = False) -> None:
        """``real_sizes``: contracts of the product table's own size in every year, for recordings."""
        self._history = history
        self._times = timetable
        self._real_sizes = real_sizes
        self._listed: dict[str, tuple[Listed, ...]] = {}
        self._days: dict[str, Ints] = {}
        self._series: dict[tuple[str, date, Decimal], Series | None] = {}
        # By slot: what the kernels need of a contract that was asked for.
        self.rights = np.zeros(FIRST_ROWS, np.int64)
        self.strikes = np.zeros(FIRST_ROWS)
        self.which = np.zeros(FIRST_ROWS, np.int64)
        self._slot_of: dict[Contract, int] = {}
        self._by_identity: dict[int, tuple[Contract, int]] = {}
        self._lists: dict[int, tuple[tuple[Contract, ...], Ints]] = {}
        # By row: what they need of an expiry.
        self.facts = np.zeros((FIRST_ROWS, len(SERIES)))
        self._rows = 0

    # -- expiries ---------------------------------------------------------------------------

    def expiries(self, product: str, today: date) -> tuple[date, ...]:
        """Listed on this day, ascending; () for a product that is unknown."""
        if product not in PRODUCTS or PRODUCTS[product].family != FAMILY:
            return ()
        listed = self._listing(product)
        expiry, first, last = self._days[product]
        day = today.toordinal()
        start, stop = np.searchsorted(expiry, (day, day + LISTED_DAYS))
        here = np.nonzero((first[start:stop] <= day) & (last[start:stop] >= day))[0] + start
        return tuple(listed[i].expiry for i in here.tolist())

    def _listing(self, product: str) -> tuple[Listed, ...]:
        if product not in self._listed:
            listed = expiries_of(product, self._times.sessions)
            columns = ([x.expiry for x in listed], [x.first for x in listed], [x.last for x in listed])
            self._days[product] = np.array([[d.toordinal() for d in c] for c in columns], np.int64)
            self._listed[product] = listed
        return self._listed[product]

    def series(self, product: str, expiry: date, scale: Decimal) -> Series | None:
        """None where the rules list no such expiry."""
        key = (product, expiry, scale)
        if key not in self._series:
            self._series[key] = self._make_series(product, expiry, scale)
        return self._series[key]

    def scale_on(self, row: int) -> Decimal:
        """That of what is listed on the day of a history row: of the close before it."""
        if self._real_sizes:
            return Decimal(1)
        spx = self._history.spx
        return scale_at(float(spx.close[row - 1] if row > 0 else spx.open[0]))

    def _make_series(self, name: str, expiry: date, scale: Decimal) -> Series | None:
        if name not in PRODUCTS or PRODUCTS[name].family != FAMILY:
            return None
        listing, expiries = self._listing(name), self._days[name][0]
        i = int(np.searchsorted(expiries, expiry.toordinal()))
        if i == len(listing) or listing[i].expiry != expiry:
            return None
        product, first = PRODUCTS[name], listing[i].first
        size = size_at(product, scale)
        zone_first = [max(first, expiry - timedelta(days=int(n))) for n in ZONE_DAYS]
        since = np.searchsorted(self._history.spx.day, np.array(zone_first, "datetime64[D]"))
        facts = self._facts_of(name, expiry, size)
        return Series(
            row=self._keep(facts),
            size=size,
            facts=facts,
            unit=float(size.strike_unit),
            index_unit=float(size.strike_unit / product.index_ratio),
            steps=zone_units(product),
            zone_first=np.array([day.toordinal() for day in zone_first], np.int64),
            zone_since=since.astype(np.int64),
        )

    def _facts_of(self, name: str, expiry: date, size: Size) -> Floats:
        product = PRODUCTS[name]
        minute, clock = self._times.settlement_of(product, expiry)
        future = self._times.delivery_minute(expiry) if product.future else minute
        grid = Grid.of(PRODUCTS[QUOTED_AS.get(name, name)])
        ratio, tick = float(product.index_ratio), float(size.tick)
        kept = (clock, minute, future, ratio, tick, grid.point, grid.above, grid.from_count, grid.width)
        return np.array(kept, np.float64)

    def strikes_on(self, series: Series, row: int, level: float, vix: float) -> Ints:
        """Strikes of one expiry on the day of history row ``row``, in strike units, ascending.

        ``level`` and ``vix`` are those of 09:30; no later price of the day matters.
        """
        spx, vix_bars = self._history.spx, self._history.vix
        low, high, worst = extremes_before(
            spx.low, spx.high, vix_bars.high, series.zone_since, row, level, vix
        )
        today: date = spx.day[row].astype("datetime64[D]").item()
        zones = np.nonzero(series.zone_first <= today.toordinal())[0]
        listed: Ints = strikes_listed(low, high, worst, series.index_unit, series.steps, zones)
        return listed

    # -- contracts --------------------------------------------------------------------------

    def slots(self, contracts: Sequence[Contract]) -> Ints:
        """Where each contract's numbers are, (n,); UNLISTED where the board has no such contract.

        Found by identity first: hashing a contract costs more than pricing it, and the kernel and the broker
        ask for the same tuples minute after minute.
        """
        if not isinstance(contracts, tuple):
            return self._slots(contracts)
        seen = self._lists.get(id(contracts))
        if seen is None:
            if len(self._lists) >= LISTS_KEPT:
                self._lists.clear()
            # The contracts are kept beside their slots, so that no others can come to have their identity.
            seen = self._lists[id(contracts)] = (contracts, self._slots(contracts))
        return seen[1]

    def _slots(self, contracts: Sequence[Contract]) -> Ints:
        known, slots = self._by_identity, []
        for contract in contracts:
            found = known.get(id(contract))
            slots.append(self._slot(contract) if found is None else found[1])
        return np.array(slots, np.int64)

    def _slot(self, contract: Contract) -> int:
        slot = self._slot_of.get(contract)
        if slot is None:
            slot = self._slot_of[contract] = self._make_slot(contract)
        if len(self._by_identity) >= KEPT_BY_IDENTITY:
            self._by_identity.clear()
        # The contract is kept beside its slot, so that no other can come to have its identity.
        self._by_identity[id(contract)] = (contract, slot)
        return slot

    def _make_slot(self, contract: Contract) -> int:
        row = self._row(contract)
        if row is None:
            return UNLISTED
        slot = len(self._slot_of)
        if slot >= self.rights.size:
            self.rights = np.concatenate((self.rights, np.zeros_like(self.rights)))
            self.strikes = np.concatenate((self.strikes, np.zeros_like(self.strikes)))
            self.which = np.concatenate((self.which, np.zeros_like(self.which)))
        self.which[slot] = row
        if isinstance(contract, Option):
            self.rights[slot], self.strikes[slot] = int(contract.right), _points(contract)
        else:
            self.rights[slot] = FUTURE_LEG
        return slot

    def _row(self, contract: Contract) -> int | None:
        if isinstance(contract, Option):
            return self._row_of_option(contract)
        return self._row_of_future(contract) if isinstance(contract, Future) else self._row_of_share(contract)

    def _row_of_share(self, share: Share) -> int | None:
        """A share is quoted as a future that never expires and carries nothing: at the index level."""
        product = PRODUCTS[share.product]
        if product.future:
            return None
        facts = np.zeros(len(SERIES))
        facts[:5] = (0.0, np.inf, 0.0, float(product.index_ratio), float(share.tick))
        return self._keep(facts)

    def _row_of_option(self, option: Option) -> int | None:
        product = PRODUCTS[option.product]
        series = self.series(option.product, option.expiry, option.tick / product.tick)
        if series is None or (series.size.multiplier, series.size.tick) != (option.multiplier, option.tick):
            return None
        return series.row

    def _row_of_future(self, future: Future) -> int | None:
        expiry = future.expiry
        third = moved(third_friday(expiry.year, expiry.month), self._times.sessions)
        if third != expiry or expiry.month % 3 != 0 or not PRODUCTS[future.product].future:
            return None
        minute, clock = self._times.close_of(expiry)
        facts = np.zeros(len(SERIES))
        facts[:5] = (clock, minute, minute, 1.0, float(future.tick))
        return self._keep(facts)

    def _keep(self, facts: Floats) -> int:
        if self._rows == len(self.facts):
            self.facts = np.concatenate((self.facts, np.zeros_like(self.facts)))
        self.facts[self._rows] = facts
        self._rows += 1
        return self._rows - 1


def _points(option: Option) -> float:
    """As a chain computes it: a count of strike units times the unit as a float."""
    product = PRODUCTS[option.product]
    unit = product.strike_grid * (option.tick / product.tick)
    count = option.strike / unit
    return int(count) * float(unit) if count == int(count) else float(option.strike)
