"""Real option quotes of ../shared/data in one form, for scripts/fidelity.py.

A ``Smile`` is one expiry at one instant: the out-of-the-money side of every strike, with the forward
that put-call parity gives and volatilities on the variance clock.  Beside each instant stands the VIX
that the model market is given for it: computed from the chain itself where that holds 30 days, else
published.
"""

import csv
import gzip
import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.calendars import load_sessions
from tomking.domain.calendar import NEW_YORK
from tomking.pricing.clock import LEAST_MINUTES, MINUTES_A_YEAR, VarianceClock
from tomking.pricing.implied import implied_vol
from tomking.pricing.parity import imply_forward
from tomking.sim.surface import YEAR_MINUTES, slow_averages

Floats = NDArray[np.float64]
Rows = list[dict[str, str]]

SHARED = Path(__file__).resolve().parents[1] / "../shared/data"
STATED = 5500.0
"""The index at which points are stated."""
SAMPLES = ("calibration", "hold-out")
SESSIONS = load_sessions(date(2009, 1, 2), date(2028, 6, 30))
OPENS = np.array([int(s.open.timestamp()) // 60 for s in SESSIONS], np.int64)
CLOSES = np.array([int(s.close.timestamp()) // 60 for s in SESSIONS], np.int64)
CLOCK = VarianceClock.of(OPENS, CLOSES)
SESSION_ON = {s.date: i for i, s in enumerate(SESSIONS)}
PARITY_MAX = 1.0
"""Points: a chain whose pairs lie further off parity in the median mixes two settlements or is stale."""


@dataclass(frozen=True, slots=True)
class Instant:
    """What the model is told of the moment."""

    minute: int
    """Calendar minutes since 1970."""
    vix: float
    averages: tuple[float, float]
    """Of closes before that day."""


@dataclass(frozen=True, slots=True)
class Smile:
    """One expiry at one instant; columns (n,), ascending strikes."""

    source: str
    sample: str
    at: Instant
    settled: int
    """Calendar minute of settlement."""
    forward: float
    discount: float
    strike: Floats
    right: Floats
    mid: Floats
    half: Floats
    """Half the quoted spread in points; NaN where only a volatility is known."""
    vol: Floats
    """Per clock year."""

    @property
    def years(self) -> float:
        return max(elapsed(self.settled) - elapsed(self.at.minute), LEAST_MINUTES) / MINUTES_A_YEAR

    @property
    def days(self) -> float:
        return (self.settled - self.at.minute) / 1440

    @property
    def delta(self) -> Floats:
        """Of the put, 0 to -1, by its own volatility."""
        d1 = np.log(self.forward / self.strike) / (self.vol * math.sqrt(self.years))
        d1 += 0.5 * self.vol * math.sqrt(self.years)
        return np.array([0.5 * math.erfc(-x / math.sqrt(2)) - 1.0 for x in d1])

    def of(self, source: str, sample: str, at: Instant) -> "Smile":
        return Smile(
            source,
            sample,
            at,
            self.settled,
            self.forward,
            self.discount,
            self.strike,
            self.right,
            self.mid,
            self.half,
            self.vol,
        )


def rows(name: str) -> Rows:
    with gzip.open(SHARED / name, "rt") as lines:
        return list(csv.DictReader(lines))


def elapsed(minute: int) -> float:
    """Variance minutes at a calendar minute."""
    return CLOCK.at(minute)


def minute_of(stamp: str) -> int:
    """Of New York wall time, ``YYYY-MM-DD HH:MM``."""
    wall = datetime.fromisoformat(stamp).replace(tzinfo=NEW_YORK)
    return int(wall.timestamp()) // 60


def close_of(day: str | date) -> int:
    return int(CLOSES[SESSION_ON[_session_for(day)]])


def open_of(day: str | date) -> int:
    return int(OPENS[SESSION_ON[_session_for(day)]])


def _session_for(day: str | date) -> date:
    """The day itself or, if the exchange is closed, the session before."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    while found not in SESSION_ON:
        found -= timedelta(days=1)
    return found


class VixRecord:
    """Daily VIX closes, and the model's slow averages of those before a day."""

    def __init__(self) -> None:
        table = rows("daily/vix_ohlc_daily.csv.gz")
        self.day = [row["date"] for row in table]
        self.close = np.array([float(row["close"]) for row in table])
        self.medium, self.long = slow_averages(self.close)

    def row(self, day: str) -> int:
        return int(np.searchsorted(np.array(self.day), day))

    def at(self, day: str, minute: int, vix: float | None = None) -> Instant:
        i = self.row(day)
        told = float(self.close[i]) if vix is None else vix
        return Instant(minute, told, (float(self.medium[i]), float(self.long[i])))


# -- one expiry out of calls and puts ----------------------------------------------------------------


def smile_of(
    calls: dict[float, tuple[float, float]],
    puts: dict[float, tuple[float, float]],
    now: int,
    settled: int,
    rate: float,
) -> Smile | None:
    """From (bid, ask) by strike; None where parity does not hold to ``PARITY_MAX``."""
    both = sorted(k for k in calls.keys() & puts.keys() if calls[k][0] > 0 and puts[k][0] > 0)
    if len(both) < 8:
        return None
    call, put = np.array([calls[k] for k in both]), np.array([puts[k] for k in both])
    noise = np.maximum(0.5 * (call[:, 1] - call[:, 0] + put[:, 1] - put[:, 0]), 0.01)
    strike = np.array(both)
    prior = math.exp(-rate * (settled - now) / YEAR_MINUTES)
    found = imply_forward(
        strike=strike,
        call=call.mean(axis=1),
        put=put.mean(axis=1),
        noise=noise,
        discount=prior,
        discount_sd=0.002 + 0.01 * (1 - prior),
    )
    if found is None:
        return None
    off = call.mean(axis=1) - put.mean(axis=1) - found.discount * (found.forward - strike)
    near = np.argsort(np.abs(strike - found.forward))[:20]
    if float(np.median(np.abs(off[near]))) > PARITY_MAX:
        return None
    return _outside(calls, puts, now, settled, found.forward, found.discount)


def _outside(  # noqa: PLR0917
    calls: dict[float, tuple[float, float]],
    puts: dict[float, tuple[float, float]],
    now: int,
    settled: int,
    forward: float,
    discount: float,
) -> Smile:
    kept: list[tuple[float, float, float, float]] = []
    for side, quotes in ((-1.0, puts), (1.0, calls)):
        for k, (bid, ask) in quotes.items():
            if (k - forward) * side >= 0 and bid > 0 and ask > bid:
                kept.append((k, side, 0.5 * (bid + ask), 0.5 * (ask - bid)))
    strike, right, mid, half = (np.array(c) for c in zip(*sorted(kept), strict=True))
    years = max(elapsed(settled) - elapsed(now), LEAST_MINUTES) / MINUTES_A_YEAR
    vol = implied_vol(
        price=mid, forward=forward, strike=strike, years=years, discount=discount, right=right
    ).vol
    good = np.isfinite(vol)
    unknown = Instant(now, math.nan, (math.nan, math.nan))
    return Smile(
        "",
        "",
        unknown,
        settled,
        forward,
        discount,
        strike[good],
        right[good],
        mid[good],
        half[good],
        vol[good],
    )


def strip_of(smile: Smile) -> float:
    """Total variance of the listed strip, by the white paper's sum."""
    k = smile.strike
    at = max(int(np.searchsorted(k, smile.forward)) - 1, 0)
    total = 2 / smile.discount * float(np.sum(np.gradient(k) / k**2 * smile.mid))
    return float(total - (smile.forward / k[at] - 1) ** 2)


def vix_of(smiles: list[Smile]) -> float | None:
    """The published formula on the two expiries around 30 days; None where a chain has no such two."""
    month = 30 * 1440
    near = max((s for s in smiles if 16 < s.days <= 30), key=lambda s: s.days, default=None)
    after = min((s for s in smiles if 30 < s.days < 60), key=lambda s: s.days, default=None)
    if near is None or after is None:
        return None
    n1, n2 = near.settled - near.at.minute, after.settled - after.at.minute
    share = (n2 - month) / (n2 - n1)
    mixed = share * strip_of(near) + (1 - share) * strip_of(after)
    return 100 * math.sqrt(mixed * YEAR_MINUTES / month)
