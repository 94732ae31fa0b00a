"""From lines to the table's figures: shares with their intervals, and each row against all-on path by path.

A result is the quarter's gain as a share of the starting capital.  Differences are all-on less the row: above
zero the protection has earned something, below zero it has cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomking.app.study.lines import Line
from tomking.app.study.paths import SYNTHETIC
from tomking.sim.metrics import wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TAIL = 0.05
RESAMPLES = 2_000
Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Spread:
    """One row over all paths."""

    key: str
    paths: int
    worst_day: float
    drawdown: float
    """Of the worst path."""
    deep: float
    """Drawdown that one path in twenty exceeds."""
    red: Estimate
    """Share of the paths."""
    terminal: int
    """Paths."""
    mean: float
    median: float
    tail: float
    """Mean of the worst twentieth of results."""
    trades: float
    """A path."""


@dataclass(frozen=True, slots=True)
class Bought:
    """All-on against one row, on the same paths."""

    key: str
    changed: int
    """Paths whose result is another."""
    mean: Estimate
    quiet: Estimate
    """Mean difference over the paths without a crash."""
    crash: Estimate
    """Over those with one."""
    tail: Estimate
    """Difference of the means of each one's worst twentieth."""
    drawdown: Estimate
    """Mean difference of the paths' drawdowns; above zero the protection kept them smaller."""
    saved: int
    """Paths that reach RED without the protection and not with it."""
    caused: int
    """Paths the other way round."""


@dataclass(frozen=True, slots=True)
class Paths:
    """One row's paths as columns, in the order of the paths' numbers."""

    results: Floats
    drawdowns: Floats
    days: Floats
    trades: Floats
    red: Flags
    terminal: Flags
    crash: tuple[str, ...]

    @classmethod
    def of(cls, lines: Sequence[Line], row: str) -> "Paths":
        """From lines of paths, not of years."""
        mine = sorted((one for one in lines if one.row == row), key=lambda one: int(one.path))
        outcomes = [one.outcome for one in mine]
        return cls(
            results=np.array([one.result for one in outcomes]),
            drawdowns=np.array([one.drawdown for one in outcomes]),
            days=np.array([one.worst_day for one in outcomes]),
            trades=np.array([one.trades for one in outcomes], np.float64),
            red=np.array([one.is_red for one in outcomes], np.bool_),
            terminal=np.array([one.is_terminal for one in outcomes], np.bool_),
            crash=tuple(one.crash for one in mine),
        )

    def kind(self, which: str) -> Flags:
        """Paths that are ``quiet``, have a real ``episode``, or the ``-20 % day``."""
        synthetic = np.array([crash == SYNTHETIC for crash in self.crash], np.bool_)
        quiet = np.array([not crash for crash in self.crash], np.bool_)
        return {"quiet": quiet, "episode": ~quiet & ~synthetic, SYNTHETIC: synthetic}[which]

    def only(self, rows: Flags) -> "Paths":
        """Some of them."""
        return Paths(
            results=self.results[rows],
            drawdowns=self.drawdowns[rows],
            days=self.days[rows],
            trades=self.trades[rows],
            red=self.red[rows],
            terminal=self.terminal[rows],
            crash=tuple(name for name, chosen in zip(self.crash, rows, strict=True) if chosen),
        )


def spread_of(paths: Paths, key: str) -> Spread:
    count = len(paths.results)
    red = int(paths.red.sum())
    interval = wilson(red, count)
    assert interval is not None, "a row without a path"
    return Spread(
        key=key,
        paths=count,
        worst_day=float(paths.days.min()),
        drawdown=float(paths.drawdowns.max()),
        deep=float(np.quantile(paths.drawdowns, 1 - TAIL)),
        red=Estimate(red / count, *interval),
        terminal=int(paths.terminal.sum()),
        mean=float(paths.results.mean()),
        median=float(np.median(paths.results)),
        tail=tail_mean(paths.results),
        trades=float(paths.trades.mean()),
    )


def bought_by(on: Paths, off: Paths, key: str) -> Bought:
    gained = on.results - off.results
    quiet = on.kind("quiet")
    return Bought(
        key=key,
        changed=int((gained != 0).sum()),
        mean=mean_of(gained),
        quiet=mean_of(gained[quiet]),
        crash=mean_of(gained[~quiet]),
        tail=_tail_difference(on.results, off.results),
        drawdown=mean_of(off.drawdowns - on.drawdowns),
        saved=int((off.red & ~on.red).sum()),
        caused=int((on.red & ~off.red).sum()),
    )


def mean_of(values: Floats) -> Estimate:
    """The normal interval; NaN without a value, no width with one alone.

    >>> mean_of(np.array([1.0, 1.0, 1.0, 1.0]))
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"))
    mean = float(values.mean())
    half = Z_95 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return Estimate(mean, mean - half, mean + half)


def tail_mean(values: Floats) -> float:
    """Mean of the worst twentieth, at least of one.

    >>> tail_mean(np.arange(40.0))
    0.5
    """
    count = max(1, round(TAIL * len(values)))
    return float(np.sort(values)[:count].mean())


def _tail_difference(on: Floats, off: Floats) -> Estimate:
    """The interval from paths drawn anew, the same ones for both."""
    rng = np.random.default_rng(len(on))
    rows = rng.integers(len(on), size=(RESAMPLES, len(on)))
    count = max(1, round(TAIL * len(on)))
    drawn = (np.partition(each[rows], count - 1, axis=1)[:, :count].mean(axis=1) for each in (on, off))
    first, second = drawn
    low, high = np.quantile(first - second, [0.025, 0.975])
    return Estimate(tail_mean(on) - tail_mean(off), float(low), float(high))
