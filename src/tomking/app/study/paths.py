"""Quarters that history might have had: blocks of real days in another order, with crashes laid in.

One quarter is 63 sessions on real dates.  Before it lies the real history of those dates; then

1. blocks of ``BLOCK`` sessions are drawn from 1992 to 2024, the next one each time from the ``NEAREST`` whose
   VIX on the evening before was nearest to the path's own: index and VIX keep their daily returns, their
   clusters, and the VIX its way back to calm;
2. gold and oil follow on the same days; where they have no history then, on those of a second such block;
3. in every second path a crash begins on one of the sessions ``CRASH_FROM`` to ``CRASH_TO``: a real episode
   with its own index returns and its rise of the VIX in points, or the -20 % day of methodology H.

Everything follows from the seed and the path's number.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.history import history_series, load_gold
from tomking.app.markets import GOLD, GOLD_SPEC, OIL, OIL_SPEC, VIX_SPEC, oil_bars
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions
from tomking.sim.board import Timetable
from tomking.sim.commodity import Commodity, CommodityModel
from tomking.sim.families import Families
from tomking.sim.family import FamilyMarket, Spec
from tomking.sim.market import ModelMarket
from tomking.sim.vix_options import VixModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SESSIONS = 63
BLOCK = 5
NEAREST = 100
WARM_UP = 520
"""Real sessions before the first played one: what the slowest average of any model looks back on."""
LISTED_AHEAD = timedelta(days=1100)
FIRST_DAY, LAST_DAY = date(2002, 12, 2), date(2018, 9, 28)
"""Quarters begin between them: gold and oil have a real past before each."""
CRASH_EVERY = 2
CRASH_FROM, CRASH_TO = 22, 51
"""Sessions of the path, from 1: a month to fill the book before it, a week left after the longest crash."""
VIX_LOW, VIX_HIGH = 8.5, 120.0
SYNTHETIC = "-20 % day"

EPISODES: tuple[tuple[str, date, int], ...] = (
    ("October 1997", date(1997, 10, 27), 2),
    ("August 1998", date(1998, 8, 27), 3),
    ("September 2001", date(2001, 9, 17), 5),
    ("October 2008", date(2008, 10, 6), 5),
    ("Flash crash 2010", date(2010, 5, 6), 2),
    ("August 2011", date(2011, 8, 4), 5),
    ("August 2015", date(2015, 8, 20), 4),
    ("February 2018", date(2018, 2, 5), 5),
    ("February 2020", date(2020, 2, 24), 5),
    ("March 2020", date(2020, 3, 9), 8),
    ("August 2024", date(2024, 8, 1), 4),
)
"""Name, first session, sessions.  October 1987 lies before the history: the -20 % day stands for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One quarter as a market, and the sessions that are played."""

    number: int
    crash: str
    """Name of the crash, empty without one."""
    crash_day: int
    """Session of the path on which it begins, from 1; 0 without one."""
    history: History
    gold: Bars
    oil: Bars
    sessions: Sessions
    played: tuple[Session, ...]
    seed: int
    """Of the minutes."""

    def market(self) -> Families:
        """The model market of the program on this path."""
        times = Timetable.of(self.sessions)
        index = ModelMarket(self.history, self.sessions, self.seed)
        rate = self.history.rate
        rates = Bars(self.history.spx.day, rate, rate, rate, rate)

        def vix() -> FamilyMarket:
            return FamilyMarket(VIX_SPEC, VixModel(index, self.history.vix), times, rates)

        def commodity(spec: Spec, what: Commodity, bars: Bars) -> FamilyMarket:
            # A day's yield is published at its end: the day before's is known.
            known = np.concatenate([rate[:1], rate[:-1]])
            return FamilyMarket(spec, CommodityModel(what, bars, known, self.seed), times, rates)

        return Families(
            index,
            {
                "VIX": vix,
                "GC": lambda: commodity(GOLD_SPEC, GOLD, self.gold),
                "CL": lambda: commodity(OIL_SPEC, OIL, self.oil),
            },
        )


@dataclass(frozen=True, slots=True)
class _Days:
    """Real days one after the other: bars over the close before, columns open, high, low, close."""

    spx: Floats
    vix: Floats
    """Points, where ``in_points``; else over the close before."""
    gold: Floats
    oil: Floats
    in_points: bool = False


@dataclass(frozen=True, eq=False)
class Source:
    """The packaged history as returns.  One a process: everything in it is worked out once."""

    history: History
    sessions: Sessions

    def path(self, seed: int, number: int) -> Path:
        """Path ``number``, from 0, of a seed."""
        rng = np.random.default_rng([seed, number])
        rows = np.searchsorted(self.history.spx.day, np.array([FIRST_DAY, LAST_DAY], "datetime64[D]"))
        start = int(rng.integers(rows[0], rows[1]))
        crash = _crash_of(number)
        crash_day = int(rng.integers(CRASH_FROM, CRASH_TO + 1))
        history, gold, oil = self._spliced(start, rng, crash, crash_day - 1)
        column: list[date] = history.spx.day.astype("datetime64[D]").tolist()
        played = self.sessions.between(column[WARM_UP], column[-1]).days
        return Path(
            number=number,
            crash=crash,
            crash_day=crash_day if crash else 0,
            history=history,
            gold=gold,
            oil=oil,
            sessions=self.sessions.between(column[0], column[-1] + LISTED_AHEAD),
            played=played,
            seed=int(rng.integers(2**31)),
        )

    def episode(self, name: str, vix: float) -> _Days:
        """A crash by its name, after an evening at this VIX."""
        if name == SYNTHETIC:
            return _twenty_down(vix)
        _, first, count = next(one for one in EPISODES if one[0] == name)
        row = int(np.searchsorted(self.history.spx.day, np.datetime64(first)))
        rows = np.arange(row, row + count)
        gold, oil = self._gold[rows], self._oil[rows]
        # What has no price then stands still: 1997 and 1998 have no gold, 2020 and 2024 no oil.
        gold, oil = (np.where(np.isnan(column), 1.0, column) for column in (gold, oil))
        points = self._bars_of(self.history.vix)[rows] - self.history.vix.close[rows - 1][:, None]
        return _Days(self._spx[rows], points, gold, oil, in_points=True)

    # -- the real days -------------------------------------------------------------------------

    @staticmethod
    def _bars_of(bars: Bars) -> Floats:
        return np.stack([bars.open, bars.high, bars.low, bars.close], axis=1)

    def _ratios(self, bars: Bars) -> Floats:
        """Over the close before, on the index's days; NaN where one is missing, (n, 4)."""
        days = self.history.spx.day
        out = np.full((len(days), 4), np.nan)
        rows = np.searchsorted(days, bars.day)
        out[rows[1:]] = self._bars_of(bars)[1:] / bars.close[:-1, None]
        return out

    @cached_property
    def _spx(self) -> Floats:
        return self._ratios(self.history.spx)

    @cached_property
    def _vix(self) -> Floats:
        return self._ratios(self.history.vix)

    @cached_property
    def gold_bars(self) -> Bars:
        return load_gold()

    @cached_property
    def oil_bars(self) -> Bars:
        """To its last published day."""
        bars, last = oil_bars(self.history), np.datetime64(history_series("wti").last_day)
        n = int(np.searchsorted(bars.day, last, side="right"))
        return Bars(bars.day[:n], bars.open[:n], bars.high[:n], bars.low[:n], bars.close[:n])

    @cached_property
    def _gold(self) -> Floats:
        return self._ratios(self.gold_bars)

    @cached_property
    def _oil(self) -> Floats:
        return self._ratios(self.oil_bars)

    @cached_property
    def _starts(self) -> tuple[Floats, Ints]:
        """Where a block may begin, by the VIX before it: all its days and the one before as published."""
        return self._by_vix(self.history.vix_flag == 0)

    @cached_property
    def _starts_gold(self) -> tuple[Floats, Ints]:
        return self._by_vix((self.history.vix_flag == 0) & ~np.isnan(self._gold[:, 0]))

    @cached_property
    def _starts_oil(self) -> tuple[Floats, Ints]:
        return self._by_vix((self.history.vix_flag == 0) & ~np.isnan(self._oil[:, 0]))

    def _by_vix(self, good: NDArray[np.bool_]) -> tuple[Floats, Ints]:
        whole = np.lib.stride_tricks.sliding_window_view(good, BLOCK + 1).all(axis=1)
        rows = np.flatnonzero(whole) + 1
        keys = np.log(self.history.vix.close[rows - 1])
        order = np.argsort(keys, kind="stable")
        return keys[order], rows[order].astype(np.int64)

    # -- a path --------------------------------------------------------------------------------

    def _block(self, vix: float, rng: np.random.Generator) -> _Days:
        rows = _drawn(self._starts, vix, rng)
        gold, oil = self._gold[rows], self._oil[rows]
        if np.isnan(gold).any():
            gold = self._gold[_drawn(self._starts_gold, vix, rng)]
        if np.isnan(oil).any():
            oil = self._oil[_drawn(self._starts_oil, vix, rng)]
        return _Days(self._spx[rows], self._vix[rows], gold, oil)

    def _spliced(
        self, start: int, rng: np.random.Generator, crash: str, crash_at: int
    ) -> tuple[History, Bars, Bars]:
        """The real days before row ``start``, then the drawn ones; ``crash_at`` counts from 0."""
        known = slice(start - WARM_UP, start + SESSIONS)
        days = self.history.spx.day[known]
        spx, vix = (self._bars_of(b)[known].copy() for b in (self.history.spx, self.history.vix))
        gold, oil = (self._real(bars, days) for bars in (self.gold_bars, self.oil_bars))
        done = 0
        while done < SESSIONS:
            row = WARM_UP + done
            evening = float(vix[row - 1, 3])
            if crash and done == crash_at:
                found = self.episode(crash, evening)
                count = len(found.spx)
            else:
                found = self._block(evening, rng)
                count = min(BLOCK, (crash_at if crash and done < crash_at else SESSIONS) - done)
            for i in range(count):
                spx[row + i] = spx[row + i - 1, 3] * found.spx[i]
                before = vix[row + i - 1, 3]
                levels = before + found.vix[i] if found.in_points else before * found.vix[i]
                vix[row + i] = np.clip(levels, VIX_LOW, VIX_HIGH)
                gold[row + i] = gold[row + i - 1, 3] * found.gold[i]
                oil[row + i] = oil[row + i - 1, 3] * found.oil[i]
            done += count
        flags = self.history.vix_flag[known].copy()
        flags[WARM_UP:] = 0
        digest = self.history.source_digest
        made = History(_bars(days, spx), _bars(days, vix), flags, self.history.rate[known], digest)
        return made, _bars(days, gold), _bars(days, oil)

    def _real(self, bars: Bars, days: NDArray[np.datetime64]) -> Floats:
        """A series on these days; what has none carries the close before."""
        rows = np.searchsorted(bars.day, days, side="right") - 1
        out = self._bars_of(bars)[rows]
        carried = bars.day[rows] != days
        out[carried] = out[carried, 3][:, None]
        return out


def _crash_of(number: int) -> str:
    """Every second path has one, and they take turns: so has any first part of the paths."""
    if number % CRASH_EVERY == 0:
        return ""
    names = (SYNTHETIC, *(name for name, _, _ in reversed(EPISODES)))
    return names[number // CRASH_EVERY % len(names)]


def _drawn(starts: tuple[Floats, Ints], vix: float, rng: np.random.Generator) -> Ints:
    """The rows of a block whose VIX before it is near."""
    keys, rows = starts
    at = int(np.searchsorted(keys, np.log(vix)))
    first = min(max(0, at - NEAREST // 2), len(rows) - NEAREST)
    row = int(rows[first + int(rng.integers(NEAREST))])
    return np.arange(row, row + BLOCK, dtype=np.int64)


def _bars(days: NDArray[np.datetime64], columns: Floats) -> Bars:
    open_, high, low, close = (np.ascontiguousarray(columns[:, i]) for i in range(4))
    return Bars(days, open_, high, low, close)


def _twenty_down(vix: float) -> _Days:
    """Section H's crash: S-20's VIX (C.7); gold and oil as in the narrative of H.2, +3 % and -8 %."""
    close = max(80.0, vix + 40.0) - vix
    return _Days(
        spx=np.array([[0.97, 0.985, 0.79, 0.80]]),
        vix=np.array([[10.0, close + 5.0, 8.0, close]]),
        gold=np.array([[1.01, 1.04, 1.0, 1.03]]),
        oil=np.array([[0.97, 0.98, 0.91, 0.92]]),
        in_points=True,
    )
