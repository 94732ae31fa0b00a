"""Minute paths of the index and of VIX through the real open, high, low and close of each day.

Only the daily bars are real.  What lies between them is drawn, so a path is one of many that the day's
bar allows, never what happened.  It is conditioned on the day's own high, low and close: minute t is
drawn by a hand that knows the rest of the day.  What a reader can use of that is only what any walk that
ends within known bounds tells: nothing at minute t depends on a later *day*.

Model, in order (methodology 0.4, ruling 3):

1. The 09:30 level, inside [low, high] (``opening_level``): the index's official open lags the tape and
   is not used; VIX's open, known at that minute, is.
2. The day's variance: Garman-Klass (1980) on that level, high, low and close, times ``SEEN_PER_MINUTE``.
3. How it spreads over the minutes: the U of ``pricing.clock.session_shape`` times a wandering factor.
4. The index walk (``path_kernels.pinned_walk``), in logarithms.
5. VIX likewise through its own real bar, driven by the index's walk with correlation ``CORRELATION``.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import History
from tomking.pricing.clock import session_shape
from tomking.sim.path_kernels import pinned_walk, variance_clock

Floats = NDArray[np.float64]

CORRELATION = -0.8
"""Of the minute changes of log VIX with those of the log index."""
SEEN_PER_MINUTE = 1.12
"""Median of one-minute realised variance over Garman-Klass: 1.16 on 26 SPX sessions of 2026, 1.12 on 21
ES sessions of 2020."""
ROUGHNESS, MEMORY = 0.55, 0.95
"""Standard deviation and one-minute correlation of log variance about the U."""
GAP, GAP_ROUND, FAR = 2.48, 0.084, 1.71
"""Of the 09:30 level's log weight, in daily standard deviations; see ``opening_level``."""
GAP_PER_JUMP, JUMP_MAX = -10.1, 0.2
"""Daily standard deviations of gap per unit of overnight change in log VIX, which counts up to this."""
GAP_CELLS = 64
CACHED_DAYS = 8


@dataclass(frozen=True, slots=True, eq=False)
class DayPath:
    """One session's levels at 09:30, 09:31 ... close: (391,), or (211,) on half days.  Read-only."""

    spx: Floats
    """Index points; touches the day's real high and low, ends at its real close."""
    vix: Floats
    """Volatility points; starts at the day's real VIX open, touches its high and low, ends at its close."""


class Paths:
    """The path of every session of a history, drawn when asked for."""

    def __init__(
        self,
        history: History,
        minutes: NDArray[np.int64],
        seed: int,
        told: Mapping[int, DayPath] | None = None,
    ) -> None:
        """minutes: length of each session, (n,): 390 or 210, row i for ``history.spx.day[i]``.

        told: by row, the days whose minutes are known instead of drawn (scenarios tell them).
        """
        self._told = dict(told or {})
        self._history = history
        self._minutes = minutes
        self._seed = seed
        self._epoch_day = history.spx.day.astype("datetime64[D]").astype(np.int64)
        self._shapes = {int(n): session_shape(int(n)) for n in np.unique(minutes)}
        self._recent: OrderedDict[int, DayPath] = OrderedDict()

    def day(self, i: int) -> DayPath:
        """Row i's path: from the seed, the date, its bar and the bar before; in whatever order asked."""
        found = self._recent.get(i)
        if found is not None:
            self._recent.move_to_end(i)
            return found
        drawn = self._told.get(i) or self._draw(i)
        self._recent[i] = drawn
        if len(self._recent) > CACHED_DAYS:
            self._recent.popitem(last=False)
        return drawn

    def _draw(self, i: int) -> DayPath:
        spx, vix = self._history.spx, self._history.vix
        rng = np.random.default_rng([self._seed, int(self._epoch_day[i])])
        low, high, close = float(spx.low[i]), float(spx.high[i]), float(spx.close[i])
        bar = (float(vix.open[i]), float(vix.high[i]), float(vix.low[i]), float(vix.close[i]))
        # The first session has no close before it: its own opens stand in.
        previous = float(spx.close[i - 1] if i > 0 else spx.open[i])
        calm = float(vix.close[i - 1]) if i > 0 else bar[0]
        jump = math.log(bar[0] / calm) if bar[1] > bar[2] else 0.0
        daily_vol = calm / 100 / math.sqrt(252)
        start = opening_level(previous, low, high, close, daily_vol, jump, rng.random())
        share = variance_clock(self._shapes[int(self._minutes[i])], ROUGHNESS, MEMORY, rng)
        still = np.zeros_like(share)
        level = _walk((start, high, low, close), share, still, 1.0, rng)
        own = _day_variance(*bar) / max(_day_variance(start, high, low, close), 1e-12)
        drive = CORRELATION * math.sqrt(own) * np.log(level / start)
        volatility = _walk(bar, share, drive, 1.0 - CORRELATION**2, rng)
        level.setflags(write=False)
        volatility.setflags(write=False)
        return DayPath(level, volatility)


def opening_level(  # noqa: PLR0917
    previous: float, low: float, high: float, close: float, daily_vol: float, vix_jump: float, uniform: float
) -> float:
    """The 09:30 level, strictly inside (low, high), drawn by ``uniform`` in [0, 1).

    A discrete choice among 64 cells of the day's range.  A cell's log weight falls by ``GAP`` for each
    daily standard deviation between its gap from the previous close and the gap that VIX's own open
    suggests (rounded off at ``GAP_ROUND``: a hyperbolic law), and rises by ``FAR`` for each unit of distance
    to the day's close, as a range has to be travelled.  Maximum likelihood of SPY's opens, 1993 to April
    2024, given each day's SPX high, low, close and previous close and VIX's open (10 % of the opens lie
    outside that range and are moved to its edge).

    daily_vol: VIX at the previous close, as a fraction, over the square root of 252.
    vix_jump: log of VIX's open over its previous close; 0 where it has no open of its own.
    """
    if high <= low:
        return close
    place = (np.arange(GAP_CELLS) + 0.5) / GAP_CELLS
    level = low + place * (high - low)
    suggested = GAP_PER_JUMP * min(max(vix_jump, -JUMP_MAX), JUMP_MAX)
    surprise = np.log(level / previous) / daily_vol - suggested
    # On a day far wider than VIX foretold, distance is in thirds of its range.
    distance = np.abs(np.log(level / close)) / math.hypot(daily_vol, math.log(high / low) / 3)
    log_weight = FAR * distance - GAP * np.sqrt(surprise**2 + GAP_ROUND**2)
    reached: Floats = np.cumsum(np.exp(log_weight - log_weight.max()))
    target = uniform * float(reached[-1])
    cell = min(int(np.searchsorted(reached, target, side="right")), GAP_CELLS - 1)
    under = float(reached[cell - 1]) if cell > 0 else 0.0
    inside = float(target - under) / (float(reached[cell]) - under)
    return low + (high - low) * min(max((cell + inside) / GAP_CELLS, 1e-4), 1.0 - 1e-4)


def _day_variance(start: float, high: float, low: float, close: float) -> float:
    """Garman-Klass variance of the session's log returns; at least 0.114 of the squared log range."""
    return 0.5 * math.log(high / low) ** 2 - (2 * math.log(2) - 1) * math.log(close / start) ** 2


def _walk(
    bar: tuple[float, float, float, float],
    share: Floats,
    drive: Floats,
    free: float,
    rng: np.random.Generator,
) -> Floats:
    """Levels through open, high, low and close, each hit exactly in spite of the logarithm."""
    start, high, low, close = bar
    if high <= low:
        return np.full(len(share), close)
    variance = SEEN_PER_MINUTE * _day_variance(start, high, low, close)
    logs = pinned_walk(
        math.log(start), math.log(close), math.log(low), math.log(high), share * variance, drive, free, rng
    )
    level = np.minimum(np.maximum(np.exp(logs), low), high)
    level[0], level[-1] = start, close
    level[np.argmax(logs)], level[np.argmin(logs)] = high, low
    return level
