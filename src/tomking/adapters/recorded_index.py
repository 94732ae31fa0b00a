"""One product's recorded snapshots, with what a question needs found in them.

Nothing here copies the columns: an index is the place where each expiry of each snapshot starts.
"""

from bisect import bisect_right
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.recorded_snapshots import Snapshots, expiry_minute
from tomking.domain.calendar import UTC, Session, Sessions, new_york
from tomking.domain.contract import Option
from tomking.domain.products import PRODUCTS
from tomking.pricing.clock import VarianceClock
from tomking.pricing.snapshot import Instant

_MINUTES_A_YEAR = 365.0 * 1440.0


class Indexed:
    """One product's snapshots with their rows found by (minute, expiry)."""

    def __init__(self, data: Snapshots, sessions: Sessions) -> None:
        self.data = data
        self.minutes: list[int] = data.seen.tolist()
        self.days = [instant_of(m).date() for m in self.minutes]
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

    def latest(self, now: datetime) -> int | None:
        """The minute of the latest snapshot at or before ``now`` on its day."""
        i = bisect_right(self.minutes, int(now.timestamp()) // 60) - 1
        return self.minutes[i] if i >= 0 and self.days[i] == new_york(now).date() else None

    def trades(self, expiry: int, now: datetime) -> bool:
        return expiry in self.ends and now.timestamp() < self.ends[expiry] * 60

    def find(self, at: int, expiry: int, option: Option) -> int | None:
        """The row of a contract in one snapshot, None where it is not listed there."""
        rows = self.rows.get((at, expiry))
        count = option.strike / self.data.strike_unit
        if rows is None or count != int(count):
            return None
        # Puts come first, each side's strikes ascend.
        puts = rows.start + int(self.data.right[rows].searchsorted(0))
        first, stop = (rows.start, puts) if option.right < 0 else (puts, rows.stop)
        row = first + int(self.data.strike[first:stop].searchsorted(int(count)))
        return row if row < stop and self.data.strike[row] == int(count) else None

    def alive(self, at: int) -> list[int]:
        """The expiries of one snapshot that had not ended, ascending."""
        return [e for e in self.listed[at] if self.ends[e] > at]

    def instant(self, at: int, clock: VarianceClock, rate: float, rate_sd: float) -> Instant:
        """All rows of one snapshot's living expiries, in points."""
        data, alive = self.data, self.alive(at)
        rows = slice(self.rows[at, alive[0]].start, self.rows[at, alive[-1]].stop)
        ends = np.array([self.ends[e] for e in alive], dtype=np.int64)
        tick = float(PRODUCTS[data.product].tick)
        return Instant(
            spot=self.spot_at[at],
            rate=rate,
            rate_sd=rate_sd,
            years=clock.years_to(at, ends),
            calendar_years=(ends - at) / _MINUTES_A_YEAR,
            row_expiry=np.searchsorted(alive, data.expiry[rows]),
            strike=np.multiply(data.strike[rows], float(data.strike_unit), dtype=np.float64),
            right=data.right[rows].astype(np.float64),
            bid=_points(data.bid[rows], tick),
            ask=_points(data.ask[rows], tick),
        )

    def place(self, at: int, expiry: int) -> tuple[int, slice]:
        """Where an expiry and its rows stand in ``instant``."""
        alive, rows = self.alive(at), self.rows[at, expiry]
        first = self.rows[at, alive[0]].start
        return alive.index(expiry), slice(rows.start - first, rows.stop - first)

    def spot_after(self, session: Session, now: datetime) -> float | None:
        """The first spot at or after the close, once it is seen."""
        close = int(session.close.timestamp()) // 60
        i = bisect_right(self.minutes, close - 1)
        if i == len(self.minutes) or self.days[i] != session.date or self.minutes[i] * 60 > now.timestamp():
            return None
        return self.spot_at[self.minutes[i]]


def instant_of(minute: int) -> datetime:
    """Aware UTC, from minutes since 1970."""
    return datetime.fromtimestamp(minute * 60, tz=UTC)


def _points(counts: NDArray[np.int64], tick: float) -> NDArray[np.float64]:
    return np.where(counts >= 0, counts * tick, np.nan)
