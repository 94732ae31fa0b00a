"""Recorded option chains as market data: what stood in the file at or before ``now``.

What a reading is:

    now        the latest snapshot at or before it in its session (ruling 7); nothing between
    chain      what ``pricing.snapshot`` reads off all expiries of one snapshot, worked out at the first
               question and kept; rows without a two-sided quote are marked as interpolated
    marks      recorded quotes only: what is held and not quoted keeps its last mid
    VIX        the day's open, at every snapshot: recordings carry none, and high, low and close of
               the daily history are not known during the day
    expired    contracts end at their expiry day's close; what a file shows of them later is stale
    settle     the official close of the history; without it, the first spot at or after the close
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_index import Indexed, instant_of
from tomking.adapters.recorded_snapshots import Snapshots, read_recording
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.products import PRODUCTS
from tomking.pricing.clock import VarianceClock
from tomking.pricing.snapshot import Reading, read_instant
from tomking.pricing.terms import RATE_SD

CHAINS_KEPT = 32
"""Built chains that are remembered: a few expiries of the last few snapshots."""
READINGS_KEPT = 4
"""Snapshots whose fit is remembered: the present one of each product and the one before."""
NO_RATE, NO_RATE_SD = 0.02, 0.03
"""The prior where the history has no rate."""

_Floats = NDArray[np.float64]
_Key = tuple[str, int, int]


def load_recorded(path: Path | Sequence[Path], *, sessions: Sessions, history: History) -> "RecordedChains":
    """The market of one or more recorded chain files.

    ``sessions`` must reach from the first recorded day to the last expiry that is to be traded.
    Raises ``BadData`` with every problem of every file.
    """
    paths = (path,) if isinstance(path, Path) else tuple(path)
    products, notes = read_recording(paths, sessions)
    return RecordedChains(products, notes=notes, sessions=sessions, history=history)


class RecordedChains:
    """The ``MarketData`` port over recorded snapshots.

    ``products`` may come from anywhere: files (``load_recorded``), a store's column slices, tests.
    What ``Snapshots`` promises of its columns is all that is asked of them.
    """

    def __init__(
        self, products: Sequence[Snapshots], *, notes: Sequence[str], sessions: Sessions, history: History
    ) -> None:
        self._of = {p.product: Indexed(p, sessions) for p in products}
        minutes = np.unique(np.concatenate([p.seen for p in products]))
        self._sessions = sessions
        self._history = history
        self._instants = _by_day(minutes)
        self._clock = _clock(sessions)
        self._built: OrderedDict[_Key, Chain] = OrderedDict()
        self._read: OrderedDict[tuple[str, int], Reading] = OrderedDict()
        self.grid_minutes = _grid(self._instants)
        """Minutes between snapshots; 390 when there is one a day."""
        self.notes = (*notes, *self._own_notes())
        """What a report must say of this data: what was kept out, and what stands in for what."""

    @property
    def days(self) -> tuple[date, ...]:
        """The recorded session dates, ascending."""
        return tuple(self._instants)

    def instants(self, day: date) -> tuple[datetime, ...]:
        """The snapshots of one session, ascending, its close included and nothing later."""
        session = self._sessions.on(day)
        seen = self._instants.get(day, ())
        return () if session is None else tuple(t for t in seen if t <= session.close)

    def spot(self, family: str, now: datetime) -> float | None:
        for product, indexed in self._of.items():
            at = indexed.latest(now) if PRODUCTS[product].family == family else None
            if at is not None:
                return indexed.spot_at[at] / float(PRODUCTS[product].index_ratio)
        return None

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        """The day's open, stamped with the latest snapshot: see the head of this module."""
        today = new_york(now).date()
        session = self._sessions.on(today)
        if session is None or now < session.open:
            return None
        value = _on(self._history.vix.day, self._history.vix.open, today)
        seen = [t for t in self._instants.get(today, ()) if t <= now]
        return None if value is None else (value, seen[-1] if seen else session.open)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        indexed = self._of.get(product)
        at = None if indexed is None else indexed.latest(now)
        if indexed is None or at is None:
            return ()
        return tuple(date.fromordinal(e) for e in indexed.listed[at] if indexed.trades(e, now))

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        indexed = self._of.get(product)
        at = None if indexed is None else indexed.latest(now)
        if indexed is None or at is None or not indexed.trades(expiry.toordinal(), now):
            return None
        key = (product, at, expiry.toordinal())
        if key not in self._built:
            rows = indexed.rows.get(key[1:])
            if rows is None:
                return None
            self._built[key] = self._build(indexed, at, expiry, rows)
            if len(self._built) > CHAINS_KEPT:
                self._built.popitem(last=False)
        self._built.move_to_end(key)
        return self._built[key]

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        chain = self.chain(product, expiry, now)
        return None if chain is None else chain.forward

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        return [self._quote(c, now) for c in contracts]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> _Floats:
        return np.array([self._mark(c, now) for c in contracts], dtype=np.float64)

    def bars(self, family: str, now: datetime) -> Bars:
        """The index's: SPX is the one family with a history; another gets none."""
        day = new_york(now).date() if family == "SPX" else date.min
        return self._history.spx.before(day)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        product = PRODUCTS[contract.product]
        session = self._sessions.on(contract.expiry) or self._sessions.before(contract.expiry)
        if session is None or now < session.close:
            return None
        official = _on(self._history.spx.day, self._history.spx.close, session.date)
        if official is not None and product.family == "SPX":
            return official * float(product.index_ratio)
        indexed = self._of.get(contract.product)
        return None if indexed is None else indexed.spot_after(session, now)

    def _found(self, contract: Contract, now: datetime) -> tuple[Indexed, int, int] | None:
        """The product's snapshots, the minute, and the row of a contract that is quoted in it."""
        if not isinstance(contract, Option) or contract.product not in self._of:
            return None
        indexed, expiry = self._of[contract.product], contract.expiry.toordinal()
        at = indexed.latest(now)
        real = contract.multiplier == PRODUCTS[contract.product].multiplier
        if at is None or not real or not indexed.trades(expiry, now):
            return None
        row = indexed.find(at, expiry, contract)
        return None if row is None else (indexed, at, row)

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        found = self._found(contract, now)
        if found is None:
            return None
        indexed, at, row = found
        bid, ask, tick = (
            int(indexed.data.bid[row]),
            int(indexed.data.ask[row]),
            PRODUCTS[contract.product].tick,
        )
        return Quote(
            bid=None if bid < 0 else bid * tick,
            ask=None if ask < 0 else ask * tick,
            as_of=instant_of(at),
        )

    def _mark(self, contract: Contract, now: datetime) -> float:
        found = self._found(contract, now)
        if found is None:
            return float("nan")
        indexed, _, row = found
        bid, ask = int(indexed.data.bid[row]), int(indexed.data.ask[row])
        return (
            (bid + ask) * (0.5 * float(PRODUCTS[contract.product].tick))
            if min(bid, ask) >= 0
            else float("nan")
        )

    def _build(self, indexed: Indexed, at: int, expiry: date, rows: slice) -> Chain:
        data, product = indexed.data, PRODUCTS[indexed.data.product]
        reading, end = self._reading(indexed, at), indexed.ends[expiry.toordinal()]
        e, here = indexed.place(at, expiry.toordinal())
        return Chain(
            product=product.key,
            expiry=expiry,
            as_of=instant_of(at),
            multiplier=product.multiplier,
            tick=product.tick,
            strike_unit=data.strike_unit,
            forward=float(reading.forward[e]),
            discount=float(reading.discount[e]),
            years=self._clock.years(at, end),
            right=data.right[rows].astype(np.int8),
            strike=data.strike[rows],
            bid=data.bid[rows],
            ask=data.ask[rows],
            iv=reading.iv[here],
            delta=reading.delta[here],
            interpolated=reading.interpolated[here],
        )

    def _reading(self, indexed: Indexed, at: int) -> Reading:
        """All expiries of one snapshot; nothing before or after it takes part."""
        key = (indexed.data.product, at)
        if key not in self._read:
            rate, rate_sd = self._rate(at)
            self._read[key] = read_instant(indexed.instant(at, self._clock, rate, rate_sd))
            if len(self._read) > READINGS_KEPT:
                self._read.popitem(last=False)
        return self._read[key]

    def _rate(self, at: int) -> tuple[float, float]:
        """Yesterday's: today's is published after the close."""
        known = int(np.searchsorted(self._history.spx.day, np.datetime64(instant_of(at).date())))
        rate = float(self._history.rate[known - 1]) if known else float("nan")
        return (rate, RATE_SD) if np.isfinite(rate) else (NO_RATE, NO_RATE_SD)

    def _blank_notes(self) -> Iterator[str]:
        """How many rows can have no volatility of their own."""
        for product, indexed in self._of.items():
            data = indexed.data
            blank = int(np.count_nonzero((data.bid < 0) | (data.ask < 0) | (data.ask < data.bid)))
            if blank:
                yield (
                    f"{blank:,} of {data.bid.size:,} rows of {product} are not quoted on both sides: their "
                    "volatility and delta are interpolated from the fitted surface; they are not traded"
                )

    def _own_notes(self) -> tuple[str, ...]:
        said = [
            f"recorded quotes every {self.grid_minutes} minutes; a reading is the latest snapshot",
            "intraday VIX is the day's open: the recording has none",
            *self._blank_notes(),
        ]
        for day in self.days:
            session = self._sessions.on(day)
            after = session is not None and self._instants[day][-1] >= session.close
            if not after and _on(self._history.spx.day, self._history.spx.close, day) is None:
                said.append(f"{day}: neither a snapshot at the close nor a history: nothing can settle")
            if _on(self._history.vix.day, self._history.vix.open, day) is None:
                said.append(f"{day}: no VIX in the history")
        return tuple(said)


def _by_day(minutes: NDArray[np.int64]) -> dict[date, tuple[datetime, ...]]:
    days: dict[date, list[datetime]] = {}
    for minute in minutes.tolist():
        days.setdefault(instant_of(minute).date(), []).append(instant_of(minute))
    return {day: tuple(instants) for day, instants in days.items()}


def _grid(instants: dict[date, tuple[datetime, ...]]) -> int:
    gaps = [b - a for seen in instants.values() for a, b in pairwise(seen)]
    middle = sorted(gaps)[len(gaps) // 2] if gaps else timedelta(minutes=390)
    return int(middle.total_seconds()) // 60


def _clock(sessions: Sessions) -> VarianceClock:
    stamps = np.array([(s.open.timestamp(), s.close.timestamp()) for s in sessions], dtype=np.int64) // 60
    return VarianceClock.of(stamps[:, 0], stamps[:, 1])


def _on(days: NDArray[np.datetime64], column: _Floats, day: date) -> float | None:
    """The value of one session, None where the history has none."""
    i = int(np.searchsorted(days, np.datetime64(day)))
    found = i < days.size and days[i] == np.datetime64(day) and bool(np.isfinite(column[i]))
    return float(column[i]) if found else None
