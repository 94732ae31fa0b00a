"""What announcements forbid: releases for every symbol, and for single names their earnings (C.10)."""

from datetime import date

from tomking.domain.eventcalendar import Dates, Entry, Event, EventCalendar
from tomking.domain.products import PRODUCTS
from tomking.strategies.ipmcc.regime import is_single_name
from tomking.strategies.ipmcc.settings import Settings
from tomking.view import View


def why_no_leap(settings: Settings, view: View, product: str) -> str | None:
    occasion = Entry(PRODUCTS[product], short_call=True, long_dated=True)
    return _calendar(settings).judge(occasion, view.now, view.sessions).blocked


def why_no_weekly(settings: Settings, view: View, product: str, expiry: date) -> str | None:
    """Besides the days around an announcement none is sold through one."""
    calendar = _calendar(settings)
    blocked = calendar.judge(Entry(PRODUCTS[product], short_call=True), view.now, view.sessions).blocked
    if blocked or not is_single_name(product):
        return blocked
    day = calendar.earnings_between(product, view.today, expiry)
    if day is not None:
        return f"{product}: earnings on {day}, no call that expires on {expiry} is sold through them"
    if calendar.strict and calendar.known_until(PRODUCTS[product]) < expiry:
        return f"no calendar of {product} earnings up to {expiry}: {product} is blocked"
    return None


def _calendar(settings: Settings) -> EventCalendar:
    """Of the settings' list; past its end, or without one, single names are blocked."""
    first, last = settings.earnings_first, settings.earnings_last
    days: dict[str, list[date]] = {}
    for line in settings.earnings:
        ticker, day = line.split()
        days.setdefault(ticker, []).append(date.fromisoformat(day))
    known = {} if first is None or last is None else {
        ticker: Dates(first, last, {Event.EARNINGS: tuple(sorted(found))}) for ticker, found in days.items()
    }  # fmt: skip
    return EventCalendar(strict=settings.earnings_uncovered == "block", dates=known)
