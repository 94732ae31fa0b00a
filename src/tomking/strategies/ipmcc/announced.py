"""What announcements forbid: releases for every symbol, and for single names their earnings (C.10).

The gate asks the calendar of events as well; here it is asked first, so that another symbol can be tried,
and for what only this strategy knows: the life of the call.
"""

from datetime import date

from tomking.domain.eventcalendar import Entry
from tomking.domain.products import PRODUCTS
from tomking.strategies.ipmcc.regime import is_single_name
from tomking.view import View


def why_no_leap(view: View, product: str) -> str | None:
    occasion = Entry(PRODUCTS[product], short_call=True, long_dated=True)
    return view.events.judge(occasion, view.now, view.sessions).blocked


def why_no_weekly(view: View, product: str, expiry: date) -> str | None:
    """Besides the days around earnings none is sold through them, nor past the end of what is known."""
    calendar = view.events
    blocked = calendar.judge(Entry(PRODUCTS[product], short_call=True), view.now, view.sessions).blocked
    if blocked or not is_single_name(product):
        return blocked
    day = calendar.earnings_between(product, view.today, expiry)
    if day is not None:
        return f"{product}: earnings on {day}, no call that expires on {expiry} is sold through them"
    if calendar.strict and calendar.known_until(PRODUCTS[product]) < expiry:
        return f"no calendar of {product} earnings up to {expiry}: {product} is blocked"
    return None
