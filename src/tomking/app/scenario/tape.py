"""Tapes: the real history, or the real history with some of its days told minute by minute.

A told day is a list of knots: wall time, the index over its close before, and VIX.  Between knots both move
in straight lines.  Days after it keep their real returns, from the level that the told one left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.app.markets import model_market
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Session, Sessions
from tomking.sim.families import Families
from tomking.sim.paths import DayPath

Floats = NDArray[np.float64]
LISTED_AHEAD = timedelta(days=760)
SEED = 1
KEPT_WARM = 3


@dataclass(frozen=True, slots=True)
class Knot:
    """The market at one minute of a told day."""

    wall: str
    """``"10:30"``, New York."""
    move: float
    """Index over the close before, less one: -0.07 is 7 % down."""
    vix: float


Told = Mapping[date, Sequence[Knot]]


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """A market and the sessions it is listed on."""

    market: Families
    sessions: Sessions
    history: History

    def close(self, day: date) -> float:
        """The index's close."""
        return float(self.history.spx.close[self._row(day)])

    def move(self, day: date) -> float:
        """The day's return, close to close."""
        row = self._row(day)
        return float(self.history.spx.close[row] / self.history.spx.close[row - 1] - 1)

    def _row(self, day: date) -> int:
        return int(np.searchsorted(self.history.spx.day, np.datetime64(day)))


@cache
def packaged() -> tuple[History, Sessions]:
    """The history inside the package, and its sessions."""
    return load_history(), load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)


def tape(
    told: Told | None = None,
    gold: Bars | None = None,
    oil: Bars | None = None,
    rate: float | None = None,
) -> Tape:
    """The real history with ``told`` days in place of its own.

    gold, oil  replace their daily bars
    rate       replaces the short rate of every day, continuously compounded, 0.05 = 5 %
    """
    history, sessions = packaged()
    if told is None and gold is None and oil is None and rate is None:
        return _real()
    spliced, paths = _spliced(history, sessions, told or {})
    if rate is not None:
        spliced = replace(spliced, rate=np.full_like(spliced.rate, rate))
    market = model_market(spliced, sessions, SEED, told=paths, gold_bars=gold, oil=oil)
    return Tape(market, sessions, spliced)


@cache
def _real() -> Tape:
    history, sessions = packaged()
    return Tape(model_market(history, sessions, SEED), sessions, history)


def flat(vix: float, days: Sequence[date], move: float = 0.0) -> dict[date, tuple[Knot, ...]]:
    """Days that go ``move`` in a straight line at one VIX."""
    return {day: (Knot("09:30", 0.0, vix), Knot("16:00", move, vix)) for day in days}


def gliding(
    days: Sequence[date], vixes: Sequence[float], moves: Sequence[float]
) -> dict[date, tuple[Knot, ...]]:
    """Days on which VIX reaches its close within half an hour, and the index its own in a straight line.

    vixes: one more than days, the first is where the first day begins.
    """
    return {
        day: (
            Knot("09:30", 0.0, vixes[i]),
            Knot("10:00", moves[i] / 13, vixes[i + 1]),
            Knot("16:00", moves[i], vixes[i + 1]),
        )
        for i, day in enumerate(days)
    }


def _spliced(history: History, sessions: Sessions, told: Told) -> tuple[History, dict[date, DayPath]]:
    """Told days one after the other; what lies between and after moves with them."""
    spx = {name: getattr(history.spx, name).copy() for name in ("open", "high", "low", "close")}
    vix = {name: getattr(history.vix, name).copy() for name in ("open", "high", "low", "close")}
    flags = history.vix_flag.copy()
    paths: dict[date, DayPath] = {}
    for day, knots in sorted(told.items()):
        session = sessions.on(day)
        assert session is not None, f"{day} is no session"
        row = int(np.searchsorted(history.spx.day, np.datetime64(day)))
        path = _path(session, knots, float(spx["close"][row - 1]))
        factor = path.spx[-1] / spx["close"][row]
        for column in spx.values():
            column[row + 1 :] *= factor
        _bar(spx, row, path.spx)
        _bar(vix, row, path.vix)
        flags[row] = 0
        paths[day] = path
    made = replace(
        history, spx=Bars(history.spx.day, **spx), vix=Bars(history.vix.day, **vix), vix_flag=flags
    )
    return made, paths


def _bar(columns: dict[str, Floats], row: int, levels: Floats) -> None:
    columns["open"][row], columns["close"][row] = levels[0], levels[-1]
    columns["high"][row], columns["low"][row] = levels.max(), levels.min()


def _path(session: Session, knots: Sequence[Knot], previous: float) -> DayPath:
    minutes = np.arange(session.minutes + 1, dtype=np.float64)
    at = [float(minute_of(knot.wall)) for knot in knots]
    assert at == sorted(at), f"{session.date}: knots are not in order"
    spx = previous * (1 + np.interp(minutes, at, [knot.move for knot in knots]))
    vix = np.interp(minutes, at, [knot.vix for knot in knots])
    # A bar needs some height, and a straight line gives none of it.
    ripple = 1 + 2e-5 * np.sin(minutes / 7.0)
    ripple[0] = ripple[-1] = 1.0
    spx = spx * ripple
    spx.setflags(write=False)
    vix.setflags(write=False)
    return DayPath(spx, vix)


def minute_of(wall: str) -> int:
    """Minutes after 09:30: ``minute_of("10:30")`` is 60."""
    hour, minute = wall.split(":")
    return int(hour) * 60 + int(minute) - 570
