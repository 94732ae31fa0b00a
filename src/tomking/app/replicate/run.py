"""The index rules played through the history on one seed or several, and compared year by year."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.app.replicate.income import Earnings, Income, crossing
from tomking.app.replicate.published import PUBLISHED
from tomking.app.replicate.rolled import Rolled, is_roll_day
from tomking.app.replicate.rules import Backing, IndexRules, Price
from tomking.app.replicate.unlimited import Unlimited
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.app.wiring import frictionless_kernel
from tomking.domain import events as ev
from tomking.domain.bars import History
from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.kernel import Kernel
from tomking.ports import MarketData
from tomking.sim.market import ModelMarket

FIRST, LAST = 1991, 2024
"""Years played: 1990 has no options before its first third Friday."""
WARM_UP = date(1990, 11, 1)
"""Played from here, so that January 1991 begins with options from December."""
CAPITAL = Decimal(10_000_000_000)
"""Dollars: so many that whole units round nothing away."""
LISTED_AHEAD = timedelta(days=550)

Floats = NDArray[np.float64]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class World:
    """What every seed shares."""

    history: History
    sessions: Sessions
    earnings: Earnings

    @classmethod
    def load(cls) -> "World":
        """The packaged history and its exchange's calendar."""
        history = load_history()
        return cls(history, load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD), Earnings.of(history))


@dataclass(frozen=True, slots=True)
class Year:
    """One calendar year; returns in percent."""

    year: int
    model: float
    """Mean over the seeds."""
    published: float | None
    """None where it is not known."""
    spread: float
    """Standard deviation over the seeds; 0 for one seed."""

    @property
    def deviation(self) -> float | None:
        """Percentage points."""
        return None if self.published is None else self.model - self.published


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near the model is to what was published, over the years that are known."""

    years: tuple[int, ...]
    correlation: float
    """Of the mean over the seeds with the published returns."""
    mean_absolute_error: float
    """Likewise, percentage points."""
    bias: float
    """Mean deviation, percentage points."""
    each_correlation: tuple[float, ...]
    """Of each seed alone, in the order of the seeds."""
    each_error: tuple[float, ...]
    """Mean absolute error of each seed alone."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Model and published returns of all years, and how near they are."""

    index: str
    seeds: tuple[int, ...]
    years: tuple[Year, ...]
    agreement: Agreement | None
    """None when no published year is known."""


def replicate(seeds: Sequence[int], progress: Progress, rules: IndexRules) -> Comparison:
    """An index's rules on the model market of every seed, against the published returns."""
    return compared(rules.symbol, tuple(seeds), returns(seeds, progress, rules))


def returns(seeds: Sequence[int], progress: Progress, rules: IndexRules) -> Floats:
    """Percent of each calendar year, shape (seeds, years)."""
    world = World.load()
    rows = []
    for done, seed in enumerate(seeds):
        progress(done, len(seeds), f"{rules.symbol} seed {seed}")
        yearly = returns_by_year(play(world, rules, seed, WARM_UP, HISTORY_LAST))
        rows.append([yearly[year] for year in range(FIRST, LAST + 1)])
    progress(len(seeds), len(seeds), "compared")
    return np.array(rows)


def compared(symbol: str, seeds: tuple[int, ...], model: Floats) -> Comparison:
    """model: percent, shape (seeds, years)."""
    known = PUBLISHED[symbol]
    mean = model.mean(axis=0)
    spread = model.std(axis=0, ddof=1) if len(seeds) > 1 else np.zeros(model.shape[1])
    years = tuple(
        Year(year, float(mean[i]), known.get(year), float(spread[i]))
        for i, year in enumerate(range(FIRST, LAST + 1))
    )
    return Comparison(symbol, seeds, years, _agreement(years, model))


def _agreement(years: Sequence[Year], model: Floats) -> Agreement | None:
    rows = [i for i, year in enumerate(years) if year.published is not None]
    if not rows:
        return None
    published = np.array([years[i].published for i in rows], np.float64)
    each = model[:, rows]
    mean = each.mean(axis=0)
    return Agreement(
        years=tuple(years[i].year for i in rows),
        correlation=correlation(mean, published),
        mean_absolute_error=float(np.abs(mean - published).mean()),
        bias=float((mean - published).mean()),
        each_correlation=tuple(correlation(row, published) for row in each),
        each_error=tuple(float(np.abs(row - published).mean()) for row in each),
    )


@dataclass(slots=True)
class Values:
    """Net liq at each close, kept as the sessions end."""

    closes: dict[date, Decimal] = field(default_factory=dict)

    def __call__(self, _book: Book, event: ev.Event) -> None:
        if isinstance(event, ev.SessionEnded):
            self.closes[event.day] = event.net_liq


def play(  # noqa: PLR0917
    world: World, rules: IndexRules, seed: int, first: date, last: date, also: Collection[date] = ()
) -> dict[date, Decimal]:
    """Net liq at the close of each session visited from ``first`` to ``last``, dollars."""
    values, market = Values(), ModelMarket(world.history, world.sessions, seed)
    kernel = frictionless_kernel(
        strategy=Rolled(rules, world.sessions),
        risk=Unlimited(),
        market=market,
        sessions=world.sessions,
        journal=MemoryJournal(),
        observe=values,
    )
    visited = tuple(visits(world.sessions, first, last, also))
    kernel.record(ev.CashMoved(visited[0].open, CAPITAL, "starting capital"))
    income = Income(rules, world.earnings, paid_to=visited[0].date, bought=visited[0].date)
    for session in visited:
        play_session(kernel, session, world.sessions, income, market)
    return values.closes


def visits(sessions: Sessions, first: date, last: date, also: Collection[date] = ()) -> Iterator[Session]:
    """The only sessions on which anything happens: rolls, the last of each year, and those asked for."""
    days = sessions.between(first, last).days
    for session, following in zip(days, (*days[1:], None), strict=True):
        ends = following is None or following.date.year != session.date.year
        if ends or is_roll_day(session.date, sessions) or session.date in also:
            yield session


def play_session(
    kernel: Kernel, session: Session, sessions: Sessions, income: Income, market: MarketData
) -> None:
    """From the open to the close.

    What was earned since the session before is paid first, so that a roll reinvests it.  The bills mature
    on the morning of a roll; the stocks pay the day's own dividend at its close.
    """
    before, rolls = sessions.before(session.date), is_roll_day(session.date, sessions)
    assert before is not None, "the calendar begins before what is played"
    due = session.date if income.rules.backing is Backing.BILLS else max(before.date, income.paid_to)
    _record(kernel, income.due(kernel.book, due, session.open))
    wake = session.open
    while wake < session.close:
        kernel.step(wake)
        wake = kernel.next_wake(wake)
    if rolls:
        assert kernel.book.positions, f"{income.rules.symbol} was not rolled on {session.date}"
        income.bought = session.date
        if income.rules.price is Price.FAR_SIDE:
            _record(kernel, crossing(kernel.book, market, session.at(income.rules.roll_at)))
    _record(kernel, income.due(kernel.book, session.date, session.close))
    kernel.step(session.close)


def _record(kernel: Kernel, events: Iterable[ev.Event]) -> None:
    for event in tuple(events):
        kernel.record(event)


def returns_by_year(values: dict[date, Decimal]) -> dict[int, float]:
    """Percent, of every year that has a value in the year before."""
    at_end = {day.year: value for day, value in sorted(values.items())}
    return {
        year: float(value / at_end[year - 1] - 1) * 100
        for year, value in at_end.items()
        if year - 1 in at_end
    }


def correlation(a: Floats, b: Floats) -> float:
    """Pearson's, of two series of the same length."""
    return float(np.corrcoef(a, b)[0, 1])
