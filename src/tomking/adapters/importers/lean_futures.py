"""The last trading day of a future, from its root and contract month.

LEAN's older files name a future by its month alone.  Business days are those of the securities exchange,
which keeps the same holidays in the days that matter here.  Source: contract specifications of CME Group and
Cboe.
"""

from collections.abc import Callable
from datetime import date, timedelta

from tomking.adapters.importers.lean_layout import Place
from tomking.adapters.importers.listed import sessions_of
from tomking.domain.errors import BadData

_FRIDAY, _WEDNESDAY = 4, 2


def last_trading_day(root: str, month: str) -> date | None:
    """Of a contract month "202003"; None for a root whose rule is not known here."""
    rule = _RULES.get(root)
    return None if rule is None else rule(int(month[:4]), int(month[4:]))


def future_expiry(place: Place, month: str) -> date:
    """The last trading day of a file's future.  Raises ``BadData`` for a root whose rule is not known."""
    day = last_trading_day(place.root, month)
    if day is None:
        reason = (
            f"{place.path}: when the future {place.root} {month} expires is not known here, only for "
            f"{', '.join(sorted(_RULES))}: leave the file out, or export it with a newer LEAN, which "
            "writes the day into the names (es_trade_202003_20200320.csv)"
        )
        raise BadData([reason])
    return day


def _third_friday(year: int, month: int) -> date:
    """Equity-index futures: the third Friday, or the session before it."""
    return _back(_weekday(year, month, _FRIDAY, 3) + timedelta(days=1), 1)


def _volatility(year: int, month: int) -> date:
    """VIX futures: 30 days before the third Friday of the next month, or the session before that."""
    friday = _third_friday(*_next(year, month))
    return _back(friday - timedelta(days=29), 1)


def _crude(year: int, month: int) -> date:
    """Three business days before the 25th of the month before, or before the business day before that."""
    before = date(year, month, 1) - timedelta(days=1)
    return _back(_back(before.replace(day=26), 1), 3)


def _gas(year: int, month: int) -> date:
    """Three business days before the month begins."""
    return _back(date(year, month, 1), 3)


def _metal(year: int, month: int) -> date:
    """The third last business day of the month."""
    return _back(date(*_next(year, month), 1), 3)


def _long_bond(year: int, month: int) -> date:
    """Notes of ten years and bonds: seven business days before the last of the month."""
    return _back(date(*_next(year, month), 1), 8)


def _short_note(year: int, month: int) -> date:
    """Notes of two and five years: the last business day of the month."""
    return _back(date(*_next(year, month), 1), 1)


def _currency(year: int, month: int) -> date:
    """Two business days before the third Wednesday."""
    return _back(_weekday(year, month, _WEDNESDAY, 3), 2)


_RULES: dict[str, Callable[[int, int], date]] = {
    **dict.fromkeys(("ES", "MES", "NQ", "MNQ", "RTY", "M2K", "YM", "MYM", "EMD"), _third_friday),
    **dict.fromkeys(("VX", "VXM"), _volatility),
    "CL": _crude,
    "NG": _gas,
    **dict.fromkeys(("GC", "SI", "HG", "MGC", "SIL"), _metal),
    **dict.fromkeys(("ZN", "ZB", "UB", "TN"), _long_bond),
    **dict.fromkeys(("ZF", "ZT"), _short_note),
    **dict.fromkeys(("6A", "6B", "6E", "6J", "6S"), _currency),
}


def _weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def _back(day: date, sessions: int) -> date:
    """The session so many before a day; the day itself does not count."""
    known = sessions_of(day.year)
    for _ in range(sessions):
        session = known.before(day)
        assert session is not None, "a year's sessions are loaded with the weeks around them"
        day = session.date
    return day
