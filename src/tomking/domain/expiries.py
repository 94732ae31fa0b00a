"""When futures and options end: the exchanges' rules as pure functions on a session calendar.

``sessions`` are the securities exchange's: its holidays are the days on which CME, NYMEX, COMEX and CBOT
have no business day.  Each function returns None where the sessions do not reach.  Months are delivery
(contract) months, 1 to 12.  Sources: exchange rulebooks as named in ``domain.catalogue``; methodology D.4
and D.5.  Checked in tests/unit/test_expiries.py against published dates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from tomking.domain.calendar import (
    FRIDAY,
    WEDNESDAY,
    Sessions,
    WhenClosed,
    session_on,
    third_friday,
    weekday_of_month,
)
from tomking.domain.product import Cycle, Product, Settlement, Style, Venue

MONTH_LETTERS = "FGHJKMNQUVXZ"
ROLL_SESSIONS = 5
"""The roll begins so many sessions before the last trade or the first notice (methodology D.5)."""
HARD_CLOSE_SESSIONS = 5
"""American options on futures are closed so many sessions before they expire at the latest (D.4)."""
VIX_DAYS = 30
"""VIX settles so many days before the next month's third Friday."""


# -- futures --------------------------------------------------------------------------------------


def future_last_trade(product: Product, year: int, month: int, sessions: Sessions) -> date | None:
    """Last trade date of the future of a delivery month.

    ES, NQ  third Friday at the open;  CL  3 business days before the 25th of the month before (or before the
    last business day ahead of the 25th); MCL  one business day earlier;  GC  third last business day;
    6E  second business day before the third Wednesday;  ZB, ZN  seventh business day before the last
    business day;  VX  30 days before the next month's third Friday, at the open.
    """
    match product.cycle:
        case Cycle.THIRD_FRIDAY:
            return session_on(third_friday(year, month), sessions, WhenClosed.BEFORE)
        case Cycle.CRUDE:
            return _before_day_25(year, month, 4 if product.micro else 3, sessions)
        case Cycle.GOLD:
            return _from_month_end(year, month, 2, sessions, _floor_closed)
        case Cycle.CURRENCY:
            return _business_days_before(weekday_of_month(year, month, WEDNESDAY, 3), 2, sessions)
        case Cycle.TREASURY:
            return _from_month_end(year, month, 7, sessions)
        case Cycle.VIX:
            return _vix_settlement(year, month, sessions)


def first_notice(product: Product, year: int, month: int, sessions: Sessions) -> date | None:
    """First day on which a holder may be told to take delivery; None also where nothing is delivered.

    CL  two business days after the last trade;  GC, ZB, ZN  last business day of the month before;
    6E  the last trade itself, delivery follows on the third Wednesday.
    """
    if product.spec is None or not product.spec.physical:
        return None
    match product.cycle:
        case Cycle.CRUDE:
            last = future_last_trade(product, year, month, sessions)
            return None if last is None else _sessions_after(last, 2, sessions)
        case Cycle.GOLD:
            return _from_month_end(*_months_on(year, month, -1), 0, sessions, _floor_closed)
        case Cycle.TREASURY:
            return _from_month_end(*_months_on(year, month, -1), 0, sessions)
        case _:
            return future_last_trade(product, year, month, sessions)


def roll_day(product: Product, year: int, month: int, sessions: Sessions) -> date | None:
    """The session on which a roll out of this future begins: five before its last trade or first notice.

    From this day on nothing new is opened in it (methodology D.5).
    """
    ends = (
        future_last_trade(product, year, month, sessions),
        first_notice(product, year, month, sessions),
    )
    known = [day for day in ends if day is not None]
    return None if not known else _business_days_before(min(known), ROLL_SESSIONS, sessions)


def front_month(product: Product, today: date, sessions: Sessions) -> tuple[int, int] | None:
    """(year, month) of the nearest future that may still be opened: its roll has not begun."""
    for year, month in _future_months(product, today):
        day = roll_day(product, year, month, sessions)
        if day is None:
            return None
        if today < day:
            return year, month
    return None


def delivery_month(product: Product, last_trade: date, sessions: Sessions) -> tuple[int, int] | None:
    """(year, month) of the future that last trades on this day; None where none does."""
    for months in range(3):
        year, month = _months_on(last_trade.year, last_trade.month, months)
        if _has_future(product, month) and future_last_trade(product, year, month, sessions) == last_trade:
            return year, month
    return None


def month_code(product: Product, last_trade: date, sessions: Sessions) -> str | None:
    """The exchange's short name of a future, like ``CLF25``; None where none last trades on this day."""
    found = delivery_month(product, last_trade, sessions)
    return None if found is None else f"{product.key}{MONTH_LETTERS[found[1] - 1]}{found[0] % 100:02d}"


# -- options --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terms:
    """What one option expiry is, as the exchange has it."""

    style: Style
    settlement: Settlement
    at_open: bool
    """Settled at the opening prices (AM): last traded the session before."""
    last_trade: date


def terms_of(product: Product, expiry: date, sessions: Sessions) -> Terms | None:
    """Style, settlement and last trade date of the options expiring on ``expiry``.

    The quarterly third-Friday options on equity-index futures are American and settle at the open into
    the expiring future.  Their PM namesakes of the same day (EYC), which the model market lists, are not.
    """
    quarterly = product.venue is Venue.EQUITY_FUTURES and is_quarterly_expiry(expiry, sessions)
    at_open = product.settles_at_open or quarterly
    last = _business_days_before(expiry, 1, sessions) if product.settles_at_open else expiry
    if last is None:
        return None
    style = Style.AMERICAN if quarterly else product.style
    return Terms(style, product.settlement, at_open, last)


def is_quarterly_expiry(expiry: date, sessions: Sessions) -> bool:
    """Whether it is the third Friday of a quarter's last month, or the session before a closed one."""
    third = session_on(third_friday(expiry.year, expiry.month), sessions, WhenClosed.BEFORE)
    return expiry.month % 3 == 0 and expiry == third


def monthly_expiry(product: Product, year: int, month: int, sessions: Sessions) -> date | None:
    """Expiry of the monthly options of a contract month.

    SPX, ES, funds, stocks  third Friday, or the session before;  CL  3 business days before CL's future;
    GC  fourth last business day of the month before, and the day before that if it is a Friday or the eve of
    a holiday;  6E  second Friday before the third Wednesday;  ZB, ZN  last Friday that is at least two
    business days before the last business day of the month before;  VIX  with its future.
    """
    match product.cycle:
        case Cycle.THIRD_FRIDAY:
            return session_on(third_friday(year, month), sessions, WhenClosed.BEFORE)
        case Cycle.CRUDE:
            return _before_day_25(year, month, 6, sessions)
        case Cycle.GOLD:
            return _gold_expiry(*_months_on(year, month, -1), sessions)
        case Cycle.CURRENCY:
            friday = weekday_of_month(year, month, WEDNESDAY, 3) - timedelta(days=12)
            return session_on(friday, sessions, WhenClosed.BEFORE)
        case Cycle.TREASURY:
            return _treasury_expiry(*_months_on(year, month, -1), sessions)
        case Cycle.VIX:
            return _vix_settlement(year, month, sessions)


def underlying_future(product: Product, expiry: date, sessions: Sessions) -> date | None:
    """Last trade date of the future that the options expiring on ``expiry`` are on.

    Equity index: the first quarterly future after the expiry.  VIX: the VX future of that day.  Others: the
    first delivery month (GC's are the even ones) whose own monthly options have not expired before.
    """
    if product.spec is None:
        return None
    if product.cycle is Cycle.VIX:
        return expiry
    for year, month in _future_months(product, expiry):
        last = future_last_trade(product, year, month, sessions)
        if last is None:
            return None
        if product.cycle is Cycle.THIRD_FRIDAY:
            reached = last > expiry
        else:
            own = monthly_expiry(product, year, month, sessions)
            reached = own is not None and own >= expiry
        if reached:
            return last
    return None


def hard_close_day(product: Product, expiry: date, sessions: Sessions) -> date | None:
    """The last session on which an option on a future that is delivered may still be held (D.4)."""
    american = product.settlement is Settlement.FUTURE and product.style is Style.AMERICAN
    return _business_days_before(expiry, HARD_CLOSE_SESSIONS, sessions) if american else expiry


# -- counting -------------------------------------------------------------------------------------


def _future_months(product: Product, today: date) -> list[tuple[int, int]]:
    """Delivery months from this one on, enough to pass any that are over."""
    months = (_months_on(today.year, today.month, n) for n in range(9))
    return [(year, month) for year, month in months if _has_future(product, month)]


def _has_future(product: Product, month: int) -> bool:
    return product.spec is not None and MONTH_LETTERS[month - 1] in product.spec.months


def _months_on(year: int, month: int, months: int) -> tuple[int, int]:
    n = year * 12 + month - 1 + months
    return n // 12, n % 12 + 1


def _business_days_before(
    day: date, count: int, sessions: Sessions, closed: Callable[[date], bool] = lambda _: False
) -> date | None:
    """The ``count``-th business day before ``day``, which itself may be none.

    closed  sessions of the securities exchange that were no business day of this one
    """
    if not sessions.days or day > sessions.days[-1].date:
        return None
    left = count
    while left:
        session = sessions.before(day)
        if session is None:
            return None
        day = session.date
        left -= not closed(day)
    return day


def _sessions_after(day: date, count: int, sessions: Sessions) -> date | None:
    for _ in range(count):
        session = sessions.after(day)
        if session is None:
            return None
        day = session.date
    return day


def _from_month_end(
    year: int, month: int, count: int, sessions: Sessions, closed: Callable[[date], bool] = lambda _: False
) -> date | None:
    """The last business day of a month, or the ``count``-th before it."""
    next_month = date(*_months_on(year, month, 1), 1)
    return _business_days_before(next_month, count + 1, sessions, closed)


def _floor_closed(day: date) -> bool:
    """Whether NYMEX and COMEX had no business day: the Friday after Thanksgiving until 2012, 2007-12-24.

    Inferred from the last trade dates of CL's December and January futures of those years.
    """
    after_thanksgiving = day.month == 11 and day.weekday() == FRIDAY and 23 <= day.day <= 29
    return (after_thanksgiving and day.year <= 2012) or day == date(2007, 12, 24)


def _before_day_25(year: int, month: int, count: int, sessions: Sessions) -> date | None:
    """Business days before the 25th of the month before delivery, or before the last one ahead of it."""
    the_25th = date(*_months_on(year, month, -1), 25)
    anchor = _business_days_before(the_25th + timedelta(days=1), 1, sessions, _floor_closed)
    return None if anchor is None else _business_days_before(anchor, count, sessions, _floor_closed)


def _gold_expiry(year: int, month: int, sessions: Sessions) -> date | None:
    day = _from_month_end(year, month, 3, sessions, _floor_closed)
    if day is None:
        return None
    following = sessions.after(day)
    eve = following is None or (following.date - day).days > 1 or _floor_closed(following.date)
    return _business_days_before(day, 1, sessions, _floor_closed) if eve else day


def _treasury_expiry(year: int, month: int, sessions: Sessions) -> date | None:
    latest = _from_month_end(year, month, 2, sessions)
    if latest is None:
        return None
    friday = latest - timedelta(days=(latest.weekday() - FRIDAY) % 7)
    return session_on(friday, sessions, WhenClosed.BEFORE)


def _vix_settlement(year: int, month: int, sessions: Sessions) -> date | None:
    third = session_on(third_friday(*_months_on(year, month, 1)), sessions, WhenClosed.BEFORE)
    if third is None:
        return None
    return session_on(third - timedelta(days=VIX_DAYS), sessions, WhenClosed.BEFORE)
