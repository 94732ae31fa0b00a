"""Daily bars and the real history that a market is built on, as columns."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Completed daily bars, oldest first; columns of shape (n,), prices in points."""

    day: NDArray[np.datetime64]
    """datetime64[D], session dates, ascending."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats

    def __len__(self) -> int:
        return len(self.day)

    def before(self, day: date) -> "Bars":
        """The bars of sessions before ``day``: all that is known during it.  Views, no copies."""
        n = int(np.searchsorted(self.day, np.datetime64(day)))
        return Bars(self.day[:n], self.open[:n], self.high[:n], self.low[:n], self.close[:n])


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Real daily history of the index, its volatility index and short rates, on one date column.

    Row i of every column belongs to session ``spx.day[i]``.
    """

    spx: Bars
    vix: Bars
    """Carried or widened where the source is missing or disordered; see ``vix_flag``."""
    vix_flag: NDArray[np.uint8]
    """0 as published, else a bit set: 1 missing and carried, 2 disordered and widened,
    4 flat (open = high = low = close)."""
    rate: Floats
    """3-month Treasury yield, continuously compounded, 0.05 = 5 %; carried over gaps."""
    source_digest: str
    """SHA-256 of the file it came from."""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyBars:
    """The daily bars of one family of products, and what they are."""

    family: str
    bars: Bars
    """On the sessions of the securities exchange from the series' first day on."""
    flag: NDArray[np.uint8]
    """Bits as in ``History.vix_flag``, per row."""
    what: str
    """In words, for reports: "front-month future, rolls unadjusted"."""
    last_day: date
    """The last day with a published value: after it the series stands still, and nothing may trade on it."""
    closes_only: bool
    """True where a day is one price: open, high, low and close are that price."""
    own_volatility: bool
    """True where a published volatility index belongs to the family (VIX for SPX).  Where not, option prices
    rest on an estimate from these bars (``pricing.realised``) and must be labelled as one."""
    source_digest: str
    """SHA-256 of the file it came from."""


@dataclass(frozen=True, slots=True)
class NoHistory:
    """There is none for this family: strategies on it stand still in a backtest, and say why."""

    family: str
    reason: str
