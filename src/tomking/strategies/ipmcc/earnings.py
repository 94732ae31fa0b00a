"""Single names stand still around their earnings, or where nobody knows them (methodology C.10)."""

from datetime import date, timedelta

from tomking.strategies.ipmcc.regime import is_single_name
from tomking.strategies.ipmcc.settings import Settings
from tomking.view import View


def why_no_leap(settings: Settings, view: View, product: str) -> str | None:
    last = view.today + timedelta(days=settings.earnings_leap_days)
    return _announced(settings, product, view.today, last)


def why_no_weekly(settings: Settings, view: View, product: str, expiry: date) -> str | None:
    """None through an announcement, nor just after one."""
    first = view.today
    for _ in range(settings.earnings_sessions_after):
        before = view.sessions.before(first)
        first = first - timedelta(days=1) if before is None else before.date
    return _announced(settings, product, first, expiry)


def _announced(settings: Settings, product: str, first: date, last: date) -> str | None:
    if not is_single_name(product):
        return None
    days = [date.fromisoformat(day) for name, day in map(str.split, settings.earnings) if name == product]
    for day in sorted(days):
        if first <= day <= last:
            return f"{product} announces its earnings on {day}"
    if settings.earnings_uncovered == "ignore":
        return None
    if settings.earnings_to is None:
        return f"no calendar of the earnings of {product}"
    covered = settings.earnings_to
    return None if last <= covered else f"the calendar of earnings ends on {covered}, {last} is after it"
