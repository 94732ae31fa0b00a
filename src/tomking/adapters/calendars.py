"""Exchange sessions out of the calendar libraries.

Securities and index options follow XNYS of ``exchange_calendars``.  Equity-index futures take
their days from CME_Equity of ``pandas_market_calendars``; its times are put right by the
corrections below, each with its source.  Both libraries are always given the span: their own
defaults end at the wall clock.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta

from tomking.domain.calendar import MONDAY, UTC, Session, Sessions, wall_instant
from tomking.domain.products import Venue, product

INDEX_OPTIONS_EXTRA = timedelta(minutes=15)
"""Index options trade on after the securities close: to 16:15, 13:15 on half days (Cboe hours;
methodology ruling 18).  An expiring SPXW does not: it stops at the close."""

_MARGIN = timedelta(days=14)
"""The libraries refuse spans without a session, so they are asked for more than is wanted."""

# ------------------------------------------------------------------ futures, put right

FUTURES_HALF_DAY_EXTRA = timedelta(minutes=15)
"""On a half day of the securities exchange equity futures stop 15 minutes after it, at 12:15
Chicago; CME_Equity says 12:00.  Source: CME holiday notices (2013-07-03, 2013-12-24, 2017-07-03,
2024-07-03); LEAN's market-hours database, ES, 2009 to 2026.  Before 2009 the same is assumed."""

HOLIDAY_HALT_BEFORE_2014_05_26 = time(11, 30)
"""New York.  On US holidays on which futures trade, they stopped at 10:30 Chicago until Presidents'
Day 2014 and at 12:00 Chicago from Memorial Day 2014; CME_Equity has 12:00 throughout.  Source: CME
notice for Labor Day 2003; LEAN's market-hours database, ES, 2009 to 2026."""

_HOLIDAY_HALT_CHANGED = date(2014, 5, 26)

FUTURES_CORRECTIONS: Mapping[date, time | None] = {
    # The exchange stayed shut after the attacks, as the securities exchange did; CME_Equity
    # has four ordinary days.
    date(2001, 9, 11): None,
    date(2001, 9, 12): None,
    date(2001, 9, 13): None,
    date(2001, 9, 14): None,
    # Hurricane Sandy: equity products stopped at 8:15 Chicago.  CME press releases of
    # 2012-10-28 and 2012-10-29.
    date(2012, 10, 29): time(9, 15),
    date(2012, 10, 30): time(9, 15),
}
"""Single days: the New York time of the close, None where there was no session."""


OTHER_FUTURES = {
    Venue.ENERGY_METALS: "CMEGlobex_CL",
    Venue.RATES: "CME_InterestRate",
    Venue.CURRENCIES: "CME_Currency",
}
"""Names of ``pandas_market_calendars``; CMEGlobex_Gold gives the same as CMEGlobex_CL."""

CHRISTMAS_EVE_ENERGY_METALS = time(13, 45)
"""New York.  The library has a full day.  Source: LEAN's market-hours database, CL, 2012 to 2026."""

GOOD_FRIDAY_RATES = time(11, 15)
"""New York, on the Good Fridays on which rates trade for the employment report; the library has 11:00.
Source: as above, ZN."""


def load_product_sessions(key: str, first: date, last: date) -> Sessions:
    """The sessions of one product of the table, or of a stock, by trade date.

    Futures open on the evening before and close at 17:00 New York, or earlier around holidays; index options,
    and those on SPY, QQQ, IWM and TLT, go on for 15 minutes after the securities close.  On holidays of the
    securities exchange futures have a short session or none.  Where the library is wrong it is put right:
    see the constants above.  ``KeyError`` for an unknown product, ``ValueError`` when ``last`` is before
    ``first``.
    """
    venue = product(key).venue
    if venue is Venue.EQUITY_FUTURES:
        return load_futures_sessions(first, last)
    securities = load_sessions(first, last)
    match venue:
        case Venue.SECURITIES:
            return securities
        case Venue.INDEX_OPTIONS:
            return Sessions(tuple(_index_options(session) for session in securities))
        case Venue.VOLATILITY:
            return Sessions(tuple(_volatility(session) for session in securities))
        case _:
            return _other_futures(venue, securities, first, last)


def _index_options(session: Session) -> Session:
    return Session(session.date, session.open, index_options_close(session))


def _volatility(session: Session) -> Session:
    """CFE: the days of the securities exchange, from the evening before; on half days until 13:15.

    Its short sessions on holidays are left out.
    """
    close = session.close + INDEX_OPTIONS_EXTRA if session.is_half_day else session.at(time(17, 0))
    return Session(session.date, _evening_before(session.date), close)


def _other_futures(venue: Venue, securities: Sessions, first: date, last: date) -> Sessions:
    import pandas_market_calendars  # noqa: PLC0415 - as below

    with _libraries_own_deprecations_unheard():
        calendar = pandas_market_calendars.get_calendar(OTHER_FUTURES[venue])
        schedule = calendar.schedule(start_date=first - _MARGIN, end_date=last + _MARGIN)
    opens, closes = (schedule[side].dt.to_pydatetime() for side in ("market_open", "market_close"))
    raw = _sessions(schedule.index, opens, closes).between(first, last)
    put_right = (_other_put_right(venue, one, securities.on(one.date)) for one in raw)
    return Sessions(tuple(session for session in put_right if session is not None))


def _other_put_right(venue: Venue, raw: Session, securities: Session | None) -> Session | None:
    day, close = raw.date, raw.close
    if FUTURES_CORRECTIONS.get(day, time()) is None:
        return None
    if venue is Venue.ENERGY_METALS and securities is not None and securities.is_half_day:
        if (day.month, day.day) == (12, 24):
            close = raw.at(CHRISTMAS_EVE_ENERGY_METALS)
    elif venue is Venue.ENERGY_METALS and _is_labor_day(day) and day.year >= LABOR_DAY_LATER_FROM:
        close = raw.at(time(14, 30))
    elif venue is Venue.RATES and securities is None:
        if raw.close == raw.at(time(11, 0)):
            close = raw.at(GOOD_FRIDAY_RATES)
        elif day.month == 6 and not ends_early(raw):
            close = raw.at(time(13, 0))  # Juneteenth, which the library does not know
    return Session(day, _evening_before(day), close)


LABOR_DAY_LATER_FROM = 2022
"""Energy and metals stop at 14:30 on Labor Day since then, as on other holidays; the library has 13:00."""


def _is_labor_day(day: date) -> bool:
    return day.month == 9 and day.weekday() == MONDAY and day.day <= 7


def _evening_before(day: date) -> datetime:
    """18:00 New York on the calendar day before; for a Monday that is Sunday."""
    return wall_instant(day - timedelta(days=1), time(18, 0))


def load_sessions(first: date, last: date) -> Sessions:
    """The securities exchange's sessions from ``first`` to ``last``, both included.

    ``ValueError`` when ``last`` is before ``first``.
    """
    _check_span(first, last)
    # Not at the top: this brings pandas, most of a second, which `--help` does not need.
    import exchange_calendars  # noqa: PLC0415

    with _libraries_own_deprecations_unheard():
        calendar = exchange_calendars.get_calendar("XNYS", start=first - _MARGIN, end=last + _MARGIN)
        schedule = calendar.schedule
    opens, closes = (schedule[side].dt.to_pydatetime() for side in ("open", "close"))
    return _sessions(schedule.index, opens, closes).between(first, last)


def load_futures_sessions(first: date, last: date) -> Sessions:
    """The sessions of CME equity-index futures and their options, by trade date.

    ``open`` is the evening before.  On US holidays that the securities exchange keeps, there is
    a short session.  Before ES existed (1997-09-09) this is what its rules would have given.
    ``ValueError`` when ``last`` is before ``first``.
    """
    _check_span(first, last)
    import pandas_market_calendars  # noqa: PLC0415 - as above

    with _libraries_own_deprecations_unheard():
        calendar = pandas_market_calendars.get_calendar("CME_Equity")
        schedule = calendar.schedule(start_date=first - _MARGIN, end_date=last + _MARGIN)
    opens, closes = (schedule[side].dt.to_pydatetime() for side in ("market_open", "market_close"))
    raw = _sessions(schedule.index, opens, closes).between(first, last)
    securities = load_sessions(first, last)
    put_right = (_put_right(session, securities.on(session.date)) for session in raw)
    return Sessions(tuple(session for session in put_right if session is not None))


def index_options_close(session: Session) -> datetime:
    """When index options that do not expire on this day stop: 16:15, 13:15 on half days."""
    return session.close + INDEX_OPTIONS_EXTRA


def ends_early(session: Session) -> bool:
    """Whether trading stops before 16:00 New York; for securities and futures alike."""
    return session.close < session.at(time(16, 0))


def _put_right(raw: Session, securities: Session | None) -> Session | None:
    """The futures session as it was, from the library's and the securities session of that day."""
    if raw.date in FUTURES_CORRECTIONS:
        close = FUTURES_CORRECTIONS[raw.date]
        return None if close is None else Session(raw.date, raw.open, raw.at(close))
    if securities is not None and securities.is_half_day:
        return Session(raw.date, raw.open, securities.close + FUTURES_HALF_DAY_EXTRA)
    if securities is not None and ends_early(raw):
        # A half day of the library's that the securities exchange did not keep: 3 July of 1990,
        # 1991, 1996 and 2002.
        return Session(raw.date, raw.open, raw.at(time(17, 0)))
    if securities is None and raw.date < _HOLIDAY_HALT_CHANGED and raw.close == raw.at(time(13, 0)):
        return Session(raw.date, raw.open, raw.at(HOLIDAY_HALT_BEFORE_2014_05_26))
    return raw


def _sessions(days: Iterable[datetime], opens: Iterable[datetime], closes: Iterable[datetime]) -> Sessions:
    """A library's columns as our values; its instants are UTC already, under another name for it."""
    return Sessions(
        tuple(
            Session(day.date(), opened.replace(tzinfo=UTC), closed.replace(tzinfo=UTC))
            for day, opened, closed in zip(days, opens, closes, strict=True)
        )
    )


@contextmanager
def _libraries_own_deprecations_unheard() -> Iterator[None]:
    """Both libraries use pandas in ways it will drop; nobody here can mend that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _check_span(first: date, last: date) -> None:
    if last < first:
        raise ValueError(f"no sessions from {first} to {last}: the end is before the start")
