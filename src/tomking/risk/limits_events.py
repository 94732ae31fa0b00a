"""The limit on announcements: every entry asks it, whatever its strategy asked before (methodology C.10)."""

from tomking.domain.contract import Option, Right
from tomking.domain.eventcalendar import Entry
from tomking.domain.products import PRODUCTS
from tomking.risk.case import Allowance, Case, Limit, allowed, refused

LONG_DAYS = 270
"""Calendar days from which a bought option is a LEAP."""


def announcements_allow(case: Case) -> Allowance:
    """FOMC and CPI days, inventories, decisions, and a single name's earnings, dividends and splits."""
    answer = case.view.events.judge(occasion(case), case.view.now, case.view.sessions)
    if answer.blocked is not None:
        return refused(answer.blocked)
    return allowed(f"not covered: {', '.join(answer.not_covered)}" if answer.not_covered else "")


def occasion(case: Case) -> Entry:
    """The wish as the calendar of events sees it."""
    structure, today = case.wish.structure, case.view.today
    options = [(leg, leg.contract) for leg in structure.legs if isinstance(leg.contract, Option)]
    return Entry(
        PRODUCTS[case.wish.product],
        same_day=any(contract.expiry == today for _, contract in options),
        short_premium=structure.has_short_leg,
        short_call=any(leg.is_short and contract.right is Right.CALL for leg, contract in options),
        long_dated=any(
            not leg.is_short and (contract.expiry - today).days >= LONG_DAYS for leg, contract in options
        ),
    )


EVENT_LIMITS = (Limit("announcements", "EVT", "C.10, ruling 6", announcements_allow),)
