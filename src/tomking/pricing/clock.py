"""The variance clock: the one measure of time to imply, price, select and stress by.

Prices move mostly while the exchange is open, so a minute of a session counts as a minute, and
the whole gap between two sessions (a night, a weekend, a holiday alike) as a quarter of a full
session: 97.5 minutes, which puts 97.5 / (390 + 97.5) = 20 % of all variance outside the session.
Within a gap the weight accrues evenly.  A year is 252 sessions of 390 minutes, so on expiry day
``years`` is session minutes to settlement / (390 x 252).

A calendar year holds 252 nights too and is therefore about 1.25 clock years: volatilities on this
clock are lower than ACT/365 ones by sqrt(1.25) = 1.118.  ACT/365 is for discounting and DTE only.

Source: methodology F.4 (Time); the 20 % is its starting weight, to be fitted on real chains.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SESSION_MINUTES = 390
MINUTES_A_YEAR = SESSION_MINUTES * 252
OUTSIDE_SHARE = 0.20
"""Share of a full day's variance that falls outside the session."""
GAP_MINUTES = SESSION_MINUTES * OUTSIDE_SHARE / (1.0 - OUTSIDE_SHARE)
"""What one gap between sessions counts: 97.5 session minutes."""
CALENDAR_YEAR = (SESSION_MINUTES + GAP_MINUTES) / SESSION_MINUTES
"""Clock years in a calendar year of 252 full sessions: 1.25."""
LEAST_MINUTES = 1.0


@dataclass(frozen=True, slots=True)
class VarianceClock:
    """Variance minutes at every session edge; between edges they grow evenly.

    Instants are whole minutes since 1970-01-01 00:00 UTC (``int(instant.timestamp()) // 60``).
    """

    edges: tuple[int, ...]
    """Open, close, open, close ... of consecutive sessions, ascending."""
    elapsed: tuple[float, ...]
    """Variance minutes from the first open to each edge."""

    @classmethod
    def of(cls, opens: NDArray[np.int64], closes: NDArray[np.int64]) -> "VarianceClock":
        """The clock of the sessions [opens[i], closes[i]], columns of shape (n,), n >= 1.

        ``ValueError`` when they are not ascending or overlap.
        """
        edges = np.column_stack((opens, closes)).ravel()
        if edges.size == 0 or bool((np.diff(edges) <= 0).any()):
            raise ValueError("sessions must be ascending and must not overlap")
        spans = np.diff(edges).astype(np.float64)
        spans[1::2] = GAP_MINUTES
        elapsed = np.concatenate(([0.0], np.cumsum(spans)))
        return cls(tuple(edges.tolist()), tuple(elapsed.tolist()))

    def years(self, now: int, expiry: int) -> float:
        """Years from minute ``now`` to minute ``expiry``, at least one minute's worth.

        ``ValueError`` when either lies outside the sessions the clock was made of.
        """
        minutes = self._at(expiry) - self._at(now)
        return max(minutes, LEAST_MINUTES) / MINUTES_A_YEAR

    def years_to(self, now: int, expiries: NDArray[np.int64]) -> NDArray[np.float64]:
        """``years`` to each of ``expiries``, shape (n,)."""
        if expiries.size and not (self.edges[0] <= expiries.min() and expiries.max() <= self.edges[-1]):
            raise ValueError(self._outside(int(expiries.max())))
        minutes = np.interp(expiries, self.edges, self.elapsed) - self._at(now)
        return np.maximum(minutes, LEAST_MINUTES) / MINUTES_A_YEAR

    def _at(self, minute: int) -> float:
        edges, elapsed = self.edges, self.elapsed
        i = bisect_right(edges, minute) - 1
        if i < 0 or minute > edges[-1]:
            raise ValueError(self._outside(minute))
        if minute == edges[i]:
            return elapsed[i]
        share = (minute - edges[i]) / (edges[i + 1] - edges[i])
        return elapsed[i] + share * (elapsed[i + 1] - elapsed[i])

    def _outside(self, minute: int) -> str:
        return f"minute {minute} is outside the calendar ({self.edges[0]} to {self.edges[-1]})"
