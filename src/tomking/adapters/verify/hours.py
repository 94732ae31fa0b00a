"""Where instants fall in an exchange's sessions, for whole columns at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tomking.domain.calendar import Sessions

INSIDE, OUTSIDE, SHUT = 0, 1, 2
"""Where an instant falls: in regular hours, on a session's day outside them, on no session's day."""
AFTER_CLOSE = timedelta(minutes=15)
"""Index and fund options trade a quarter of an hour longer."""
GRACE = timedelta(minutes=1)
"""A day's figures are stamped seconds after the close: they are still of the session."""
EVENING = "6h"
"""From 18:00 New York an instant belongs to the next day, as the store and the exchanges count it."""


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """The sessions of an exchange as columns of shape (n,), ascending."""

    opens: NDArray[np.int64]
    """Microseconds since 1970-01-01 UTC."""
    closes: NDArray[np.int64]
    """The close, with what trades on after it, and ``GRACE``."""
    days: NDArray[np.datetime64]

    @classmethod
    def of(cls, sessions: Sessions, after: timedelta = timedelta(0)) -> Self:
        """Those of ``sessions``, each ending ``after`` its close."""
        return cls(
            opens=_micros([s.open for s in sessions]),
            closes=_micros([s.close + after + GRACE for s in sessions]),
            days=np.array([s.date for s in sessions], dtype="datetime64[D]"),
        )

    def placed(self, at: NDArray[np.int64]) -> NDArray[np.int8]:
        """INSIDE, OUTSIDE or SHUT for instants in microseconds since 1970, shape (n,)."""
        row = np.searchsorted(self.opens, at, side="right") - 1
        inside = (row >= 0) & (at <= self.closes[np.maximum(row, 0)])
        wall = pl.Series(at).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone("America/New_York")
        day = wall.dt.replace_time_zone(None).dt.offset_by(EVENING).dt.date().to_numpy()
        near = np.minimum(np.searchsorted(self.days, day.astype("datetime64[D]")), self.days.size - 1)
        open_day = self.days[near] == day
        return np.where(inside, INSIDE, np.where(open_day, OUTSIDE, SHUT)).astype(np.int8)


def _micros(instants: list[datetime]) -> NDArray[np.int64]:
    return np.array([int(instant.timestamp()) for instant in instants], dtype=np.int64) * 1_000_000
