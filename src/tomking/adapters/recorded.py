"""Recorded option chains as market data: what stood in the file at or before ``now``.

What a reading is:

    now        the latest snapshot at or before it in its session (ruling 7); nothing between
    chain      forward and discount implied by parity, IV and delta by our kernels, once a snapshot
    VIX        the day's open, at every snapshot: recordings carry none, and high, low and close of
               the daily history are not known during the day
    expired    contracts end at their expiry day's close; what a file shows of them later is stale
    settle     the official close of the history; without it, the first spot at or after the close
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_snapshots import Snapshots, expiry_minute, read_recording
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import UTC, Session, Sessions, new_york
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Option
from tomking.domain.products import PRODUCTS
from tomking.pricing.black import black
from tomking.pricing.clock import VarianceClock
from tomking.pricing.implied import implied_vol
from tomking.pricing.parity import imply_forward

CHAINS_KEPT = 32
"""Built chains that are remembered: a few expiries of the last few snapshots."""
RATE_SD = 0.005
"""How far the rate in option prices may be off the Treasury yield: a prior for the discount factor."""
NO_RATE, NO_RATE_SD = 0.02, 0.03
"""The prior where the history has no rate."""

_MINUTES_A_YEAR = 365.0 * 1440.0
_CALLS = 1 << 40
"""Added to a call's strike count in the key that finds rows: above every put's."""

_Floats = NDArray[np.float64]
_Pairs = tuple[_Floats, _Floats, _Floats, _Floats]
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
    """The ``MarketData`` port over recorded snapshots."""

    def __init__(
        self, products: Sequence[Snapshots], *, notes: Sequence[str], sessions: Sessions, history: History
    ) -> None:
        self._of = {p.product: _Indexed(p, sessions) for p in products}
        minutes = np.unique(np.concatenate([p.seen for p in products]))
        self._sessions = sessions
        self._history = history
        self._instants = _by_day(minutes)
        self._clock = _clock(sessions)
        self._built: OrderedDict[_Key, Chain] = OrderedDict()
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

    def _found(self, contract: Contract, now: datetime) -> "tuple[_Indexed, int, int] | None":
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
            as_of=_instant(at),
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

    def _build(self, indexed: "_Indexed", at: int, expiry: date, rows: slice) -> Chain:
        data, product = indexed.data, PRODUCTS[indexed.data.product]
        right, count, bid, ask = data.right[rows], data.strike[rows], data.bid[rows], data.ask[rows]
        strike = np.multiply(count, float(data.strike_unit), dtype=np.float64)
        quoted = (bid >= 0) & (ask >= 0)
        tick = float(product.tick)
        mid = np.multiply(np.where(quoted, bid + ask, np.nan), 0.5 * tick, dtype=np.float64)
        end = indexed.ends[expiry.toordinal()]
        spread = np.multiply(ask - bid, tick, dtype=np.float64)
        pairs = _pairs(right, strike, mid, spread)
        forward, discount = self._carry(at, end, indexed.spot_at[at], pairs)
        years = self._clock.years(at, end)
        iv = implied_vol(
            price=mid, forward=forward, strike=strike, years=years, discount=discount, right=right
        ).vol
        greeks = black(forward=forward, strike=strike, years=years, vol=iv, discount=discount, right=right)
        return Chain(
            product=product.key,
            expiry=expiry,
            as_of=_instant(at),
            multiplier=product.multiplier,
            tick=product.tick,
            strike_unit=data.strike_unit,
            forward=forward,
            discount=discount,
            years=years,
            right=right.astype(np.int8),
            strike=count,
            bid=bid,
            ask=ask,
            iv=iv,
            delta=greeks.delta,
        )

    def _carry(self, at: int, end: int, spot: float, pairs: _Pairs) -> tuple[float, float]:
        """Forward and discount factor; the Treasury rate is the prior, and without pairs the answer."""
        act365 = (end - at) / _MINUTES_A_YEAR
        rate, rate_sd = self._rate(at)
        prior = min(float(np.exp(-rate * act365)), 1.0)
        strike, call, put, noise = pairs
        implied = imply_forward(
            strike=strike, call=call, put=put, noise=noise, discount=prior, discount_sd=rate_sd * act365
        )
        return (spot / prior, prior) if implied is None else (implied.forward, implied.discount)

    def _rate(self, at: int) -> tuple[float, float]:
        """Yesterday's: today's is published after the close."""
        known = int(np.searchsorted(self._history.spx.day, np.datetime64(_instant(at).date())))
        rate = float(self._history.rate[known - 1]) if known else float("nan")
        return (rate, RATE_SD) if np.isfinite(rate) else (NO_RATE, NO_RATE_SD)

    def _own_notes(self) -> tuple[str, ...]:
        said = [
            f"recorded quotes every {self.grid_minutes} minutes; a reading is the latest snapshot",
            "intraday VIX is the day's open: the recording has none",
        ]
        for day in self.days:
            session = self._sessions.on(day)
            after = session is not None and self._instants[day][-1] >= session.close
            if not after and _on(self._history.spx.day, self._history.spx.close, day) is None:
                said.append(f"{day}: neither a snapshot at the close nor a history: nothing can settle")
            if _on(self._history.vix.day, self._history.vix.open, day) is None:
                said.append(f"{day}: no VIX in the history")
        return tuple(said)


class _Indexed:
    """One product's snapshots with their rows found by (minute, expiry)."""

    def __init__(self, data: Snapshots, sessions: Sessions) -> None:
        self.data = data
        self.minutes: list[int] = data.seen.tolist()
        self.days = [_instant(m).date() for m in self.minutes]
        self.spot_at: dict[int, float] = dict(zip(self.minutes, data.spot.tolist(), strict=True))
        self.rows: dict[tuple[int, int], slice] = {}
        self.listed: dict[int, list[int]] = {m: [] for m in self.minutes}
        changes = (np.diff(data.minute) != 0) | (np.diff(data.expiry) != 0)
        starts = [0, *(np.flatnonzero(changes) + 1).tolist(), data.minute.size]
        for start, stop in pairwise(starts):
            minute, expiry = int(data.minute[start]), int(data.expiry[start])
            self.rows[minute, expiry] = slice(start, stop)
            self.listed[minute].append(expiry)
        self.ends = {int(e): expiry_minute(int(e), sessions) for e in np.unique(data.expiry)}
        # Puts come first, so one ascending key finds a row by bisection.
        self.key = (data.right > 0) * _CALLS + data.strike

    def latest(self, now: datetime) -> int | None:
        """The minute of the latest snapshot at or before ``now`` on its day."""
        i = bisect_right(self.minutes, int(now.timestamp()) // 60) - 1
        return self.minutes[i] if i >= 0 and self.days[i] == new_york(now).date() else None

    def trades(self, expiry: int, now: datetime) -> bool:
        return expiry in self.ends and now.timestamp() < self.ends[expiry] * 60

    def find(self, at: int, expiry: int, option: Option) -> int | None:
        rows = self.rows.get((at, expiry))
        count = option.strike / self.data.strike_unit
        if rows is None or count != int(count):
            return None
        wanted = int(count) + (_CALLS if option.right > 0 else 0)
        row = rows.start + int(self.key[rows].searchsorted(wanted))
        return row if row < rows.stop and self.key[row] == wanted else None

    def spot_after(self, session: Session, now: datetime) -> float | None:
        """The first spot at or after the close, once it is seen."""
        close = int(session.close.timestamp()) // 60
        i = bisect_right(self.minutes, close - 1)
        if i == len(self.minutes) or self.days[i] != session.date or self.minutes[i] * 60 > now.timestamp():
            return None
        return self.spot_at[self.minutes[i]]


def _pairs(right: NDArray[np.int64], strike: _Floats, mid: _Floats, spread: _Floats) -> _Pairs:
    """Strike, call, put and noise where both are quoted; a spread of 0 counts as a cent."""
    n = int(np.count_nonzero(right < 0))
    _, p, c = np.intersect1d(strike[:n], strike[n:], assume_unique=True, return_indices=True)
    c = c + n
    both = np.isfinite(mid[p]) & np.isfinite(mid[c])
    p, c = p[both], c[both]
    return strike[p], mid[c], mid[p], np.maximum(0.5 * (spread[p] + spread[c]), 0.01)


def _instant(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def _by_day(minutes: NDArray[np.int64]) -> dict[date, tuple[datetime, ...]]:
    days: dict[date, list[datetime]] = {}
    for minute in minutes.tolist():
        days.setdefault(_instant(minute).date(), []).append(_instant(minute))
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
