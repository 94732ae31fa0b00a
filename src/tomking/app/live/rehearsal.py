"""Looking ahead: what the day's entries will ask for is asked for five minutes before, so that it is there.

A chain that nobody has asked for is not subscribed, and its quotes come some time after the first question.
What a rehearsal answers is thrown away.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from tomking.domain.book import Book
from tomking.domain.calendar import Session, Sessions
from tomking.execution.marking import Marks
from tomking.kernel.holdings import Holdings
from tomking.ports import MarketData
from tomking.risk.desk import Desk
from tomking.rules.strategy import Strategy
from tomking.view import Own, View

AHEAD, MINUTE = timedelta(minutes=5), timedelta(minutes=1)


def rehearsals(strategies: Sequence[Strategy], session: Session, sessions: Sessions) -> list[datetime]:
    """When to look ahead in a session, ascending: before each of today's entry windows."""
    starts = {
        session.at(entry.window.start)
        for strategy in strategies
        for entry in strategy.entries
        if entry.days.meant(session.date, sessions)
    }
    return sorted(max(session.open, at - AHEAD) for at in starts if at < session.close)


def rehearse(
    strategies: Sequence[Strategy],
    risk: Desk,
    book: Book,
    marks: Marks,
    *,
    make_view: Callable[[datetime], View],
    now: datetime,
) -> None:
    """Asks those whose window opens soon what they would do then, for the sake of their questions."""
    holdings = Holdings()
    for strategy in strategies:
        view = next(_soon(strategy, make_view, now), None)
        if view is None:
            continue
        mine = holdings.of(book, strategy.id)
        own = Own(
            strategy=strategy.id,
            phase=risk.phase(book),
            net_liq=marks.net_liq,
            drawdown_level=risk.drawdown_level(book),
            positions=mine.positions,
            orders=mine.orders,
            notes=mine.notes or {},
            entered=mine.entered,
            values=marks.values,
            barred=risk.barred(book, strategy.id),
        )
        with suppress(Exception):  # a bug of a strategy is the kernel's to see, when it counts
            strategy.decide(view, own)


def _soon(strategy: Strategy, make_view: Callable[[datetime], View], now: datetime) -> Iterator[View]:
    view = make_view(now)
    for entry in strategy.entries:
        start = view.session.at(entry.window.start)
        if now < start <= now + AHEAD + MINUTE and entry.days.meant(view.today, view.sessions):
            yield make_view(start)


def view_of(market: MarketData, session: Session, sessions: Sessions, now: datetime) -> View:
    """The market as it is, at an instant that may be to come."""
    return View(now, session, sessions, market)
