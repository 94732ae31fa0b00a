"""The variance clock: the one measure of time to imply, price, select and stress by.

Prices move mostly while the exchange is open, and there most after the open and least at noon.  So a full
session counts its 390 minutes, spread over the day by ``session_shape``; a night between two sessions
counts 142 minutes more, each further day without a session (weekend, holiday) 39.  That puts 29 % of
all variance outside the session.  Within a gap the weight accrues evenly.  A year is 252 sessions of 390
minutes, so on expiry day ``years`` is what is left of the session's minutes / (390 x 252).

A calendar year holds 252 nights and 113 further days too and is therefore about 1.41 clock years:
volatilities on this clock are lower than ACT/365 ones by sqrt(1.41) = 1.19.  ACT/365 is for discounting
and DTE only.

Source: methodology F.4 (Time), its weights fitted as docs/fidelity.md says.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SESSION_MINUTES = 390
MINUTES_A_YEAR = SESSION_MINUTES * 252
NIGHT_MINUTES, FURTHER_DAY_MINUTES = 142.0, 39.0
"""What a gap between sessions counts: its first night, and each further calendar day.  SPY's opens and
closes of even years 1993 to 2024, each move in units of the VIX before it, put 29 % outside the session
(odd years 29 %; 23 % until 2009, 37 % since); a weekend counted 1.3 nights there, about 2 in the quotes of
2021 and 2026: here 1.55."""
CALENDAR_YEAR = 1.0 + (NIGHT_MINUTES + (365.0 / 252.0 - 1.0) * FURTHER_DAY_MINUTES) / SESSION_MINUTES
"""Clock years in a calendar year of 252 full sessions: 1.409."""
OUTSIDE_SHARE = 1.0 - 1.0 / CALENDAR_YEAR
"""Share of all variance that falls outside sessions: 0.29."""
LEAST_MINUTES = 1.0
_DAY = 1440


def session_shape(minutes: int) -> NDArray[np.float64]:
    """Expected variance of each minute of a session, mean 1, (minutes,): high at the open, low at noon.

    Least squares on the variance of each hour of alternate SPX sessions of September 2023 to August 2026
    (354 of 707) and, residuals times 0.6, of each quarter hour of 47 sessions of minutes.
    """
    t = np.arange(minutes) + 0.5
    shape = 1.0 + 2.98 * np.exp(-t / 15) + 3.31 * np.exp(-t / 90) + 1.67 * np.exp(-(minutes - t) / 33)
    return np.asarray(shape / shape.mean(), np.float64)


@cache
def session_elapsed(minutes: int) -> tuple[float, ...]:
    """Variance minutes gone by at each minute of a session of this length, minutes + 1 of them from 0."""
    gone = np.cumsum(session_shape(minutes)).tolist()
    # A billionth of a minute is left off, and with it what one machine's exp adds to another's.
    return (0.0, *(round(minute, 9) for minute in gone))


@dataclass(frozen=True, slots=True)
class VarianceClock:
    """Variance minutes at every session edge; between edges they grow as above.

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
        nights = np.maximum((spans[1::2] + _DAY / 2) // _DAY, 1.0)
        spans[1::2] = NIGHT_MINUTES + FURTHER_DAY_MINUTES * (nights - 1.0)
        elapsed = np.concatenate(([0.0], np.cumsum(spans)))
        return cls(tuple(edges.tolist()), tuple(elapsed.tolist()))

    def years(self, now: int, expiry: int) -> float:
        """Years from minute ``now`` to minute ``expiry``, at least one minute's worth.

        ``ValueError`` when either lies outside the sessions the clock was made of.
        """
        return max(self.at(expiry) - self.at(now), LEAST_MINUTES) / MINUTES_A_YEAR

    def years_to(self, now: int, expiries: NDArray[np.int64]) -> NDArray[np.float64]:
        """``years`` to each of ``expiries``, shape (n,)."""
        minutes = np.array([self.at(expiry) for expiry in expiries.tolist()]) - self.at(now)
        return np.maximum(minutes, LEAST_MINUTES) / MINUTES_A_YEAR

    def at(self, minute: int) -> float:
        """Variance minutes from the first open to ``minute``; ``ValueError`` as for ``years``."""
        edges, elapsed = self.edges, self.elapsed
        i = bisect_right(edges, minute) - 1
        if i < 0 or minute > edges[-1]:
            raise ValueError(f"minute {minute} is outside the calendar ({edges[0]} to {edges[-1]})")
        gone = minute - edges[i]
        if gone == 0:
            return elapsed[i]
        span = edges[i + 1] - edges[i]
        if i % 2 == 0:
            return elapsed[i] + session_elapsed(span)[gone]
        return elapsed[i] + gone / span * (elapsed[i + 1] - elapsed[i])
