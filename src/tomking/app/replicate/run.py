"""The index rules played through the history on one seed or several, and compared year by year."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.app.replicate.buywrite import INDEX, BuyWrite
from tomking.app.replicate.published import BXM, dividend_yield
from tomking.app.replicate.unlimited import Unlimited
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.app.wiring import frictionless_kernel
from tomking.domain import events as ev
from tomking.domain.bars import History
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.domain.money import cents
from tomking.kernel import Kernel
from tomking.sim.market import ModelMarket

FIRST, LAST = 1991, 2024
"""Years compared: 1990 has no call before its first third Friday."""
WARM_UP = date(1990, 11, 1)
"""Played from here, so that January 1991 begins with a call from December."""
CAPITAL = Decimal(10_000_000_000)
"""Dollars: so many that whole units round nothing away."""
LISTED_AHEAD = timedelta(days=550)

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Year:
    """One calendar year; returns in percent."""

    year: int
    model: float
    """Mean over the seeds."""
    published: float
    spread: float
    """Standard deviation over the seeds; 0 for one seed."""

    @property
    def deviation(self) -> float:
        """Percentage points."""
        return self.model - self.published


@dataclass(frozen=True, slots=True)
class Comparison:
    """Model and published returns of all years, and how near they are."""

    index: str
    seeds: tuple[int, ...]
    years: tuple[Year, ...]
    correlation: float
    """Of the mean over the seeds with the published returns."""
    mean_absolute_error: float
    """Likewise, percentage points."""
    bias: float
    """Mean deviation, percentage points."""
    each_correlation: tuple[float, ...]
    """Of each seed alone, in the order of ``seeds``."""
    each_error: tuple[float, ...]
    """Mean absolute error of each seed alone."""


def replicate(
    seeds: Sequence[int], progress: Progress, rules: Callable[[Sessions], BuyWrite] = BuyWrite
) -> Comparison:
    """BXM's rules on the model market of every seed, against the published returns."""
    return compared(tuple(seeds), returns(seeds, progress, rules))


def returns(
    seeds: Sequence[int], progress: Progress, rules: Callable[[Sessions], BuyWrite] = BuyWrite
) -> Floats:
    """Percent of each calendar year, shape (seeds, years)."""
    history = load_history()
    sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
    rows = []
    for done, seed in enumerate(seeds):
        progress(done, len(seeds), f"seed {seed}")
        yearly = returns_by_year(play(history, sessions, seed, WARM_UP, HISTORY_LAST, rules))
        rows.append([yearly[year] for year in range(FIRST, LAST + 1)])
    progress(len(seeds), len(seeds), "compared")
    return np.array(rows)


def compared(seeds: tuple[int, ...], model: Floats) -> Comparison:
    """model: percent, shape (seeds, years)."""
    years = range(FIRST, LAST + 1)
    published = np.array([BXM[year] for year in years])
    mean = model.mean(axis=0)
    spread = model.std(axis=0, ddof=1) if len(seeds) > 1 else np.zeros(len(years))
    return Comparison(
        index="BXM",
        seeds=seeds,
        years=tuple(
            Year(year, float(mean[i]), float(published[i]), float(spread[i])) for i, year in enumerate(years)
        ),
        correlation=_correlation(mean, published),
        mean_absolute_error=float(np.abs(mean - published).mean()),
        bias=float((mean - published).mean()),
        each_correlation=tuple(_correlation(row, published) for row in model),
        each_error=tuple(float(np.abs(row - published).mean()) for row in model),
    )


@dataclass(slots=True)
class Values:
    """Net liq at each close, kept as the sessions end."""

    closes: dict[date, Decimal] = field(default_factory=dict)

    def __call__(self, _book: Book, event: ev.Event) -> None:
        if isinstance(event, ev.SessionEnded):
            self.closes[event.day] = event.net_liq


def play(  # noqa: PLR0917
    history: History,
    sessions: Sessions,
    seed: int,
    first: date,
    last: date,
    rules: Callable[[Sessions], BuyWrite] = BuyWrite,
) -> dict[date, Decimal]:
    """Net liq at each close from ``first`` to ``last``, dollars."""
    values = Values()
    kernel = frictionless_kernel(
        strategy=rules(sessions),
        risk=Unlimited(),
        market=ModelMarket(history, sessions, seed),
        sessions=sessions,
        journal=MemoryJournal(),
        observe=values,
    )
    days = sessions.between(first, last).days
    kernel.record(ev.CashMoved(days[0].open, CAPITAL, "starting capital"))
    for session in days:
        level = float(history.spx.close[np.searchsorted(history.spx.day, np.datetime64(session.date))])
        play_session(kernel, session, sessions, level)
    return values.closes


def play_session(kernel: Kernel, session: Session, sessions: Sessions, level: float) -> None:
    """From the open to the close, at which the stocks have paid their dividends.

    level: the index at the close, points.
    """
    wake = session.open
    while wake < session.close:
        kernel.step(wake)
        wake = kernel.next_wake(wake)
    for paid in dividends(kernel.book, session, sessions, level):
        kernel.record(paid)
    kernel.step(session.close)


def dividends(book: Book, session: Session, sessions: Sessions, level: float) -> Iterator[ev.Paid]:
    """What the index shares of a book receive for the days since the session before."""
    before = sessions.before(session.date)
    if before is None:
        return
    points = level * dividend_yield(before.date, session.date)
    for position in book.positions.values():
        for one in position.open_components:
            if one.role == INDEX:
                dollars = cents(Decimal(points) * one.units * one.structure.multiplier)
                yield ev.Paid(session.close, position.id, one.role, dollars, "dividends")


def returns_by_year(values: dict[date, Decimal]) -> dict[int, float]:
    """Percent, of every year that has a value in the year before."""
    at_end = {day.year: value for day, value in sorted(values.items())}
    return {
        year: float(value / at_end[year - 1] - 1) * 100
        for year, value in at_end.items()
        if year - 1 in at_end
    }


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1])
