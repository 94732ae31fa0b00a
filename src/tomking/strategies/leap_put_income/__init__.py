"""The short-put ladder: one-year SPY puts sold naked, one rung a week.  Off unless the configuration says so.

Source: docs/strategies/leap_put_income.md (methodology B.6b).  Its name in the sources is that of the hedge,
its risk the opposite: each rung is short a crash.  Three tenths of the credit are enough, three times the
credit is too much, and at 150 days a rung goes whatever it has brought.
"""

from collections.abc import Sequence
from datetime import time
from decimal import Decimal

from tomking.domain.book import Component
from tomking.domain.calendar import dte
from tomking.domain.eventcalendar import Entry as Occasion
from tomking.domain.intent import Urgency
from tomking.domain.products import PRODUCTS
from tomking.rules import entry as when
from tomking.rules import exits as out
from tomking.rules import select
from tomking.rules.schedule import Window
from tomking.rules.strategy import Claim, Entry, Exit, Held, Strategy, Watch
from tomking.strategies.leap_put_income import put
from tomking.strategies.leap_put_income.settings import Settings
from tomking.view import Own, View

__all__ = ["Settings", "strategy"]

ID = "leap_put_income"


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="LEAP put income",
        priority=11,
        claim=Claim(0.80, "P1"),
        default_on=False,
        entries=(
            Entry(
                put.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                put.SCHEDULE,
                when=(
                    when.has_vix(),
                    when.vix_between(settings.vix_min, float("inf"), strict_low=False),
                    when.nothing_announced(Occasion(PRODUCTS[put.PRODUCT])),
                ),
                build=lambda view, own: put.rung(settings, view, own),
            ),
        ),
        exits=_exits(settings),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
    )


def _exits(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.stop_loss("stop", settings.stop_credits),
        out.short_delta("delta", settings.delta_close),
        out.leave("assignment", Urgency.RULE, _may_be_assigned(settings), guardian=True),
        out.days_left("time exit", settings.time_exit_dte, settings.exit_from),
        out.target_without_order(settings.target),
    )


def _may_be_assigned(settings: Settings) -> out.Reason:
    """In the money with hardly any time value: its holder gains by exercising now."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        cost, _ = out.cost_and_credit(own, held, chosen)
        for sold in out.shorts(chosen[0]):
            level = select.price_of(view, sold.product)
            if cost is None or level is None or level >= float(sold.strike):
                return None
            left = cost - sold.intrinsic(Decimal(repr(level)))
            if left < settings.extrinsic_share_min * sold.strike:
                days = dte(view.today, sold.expiry)
                return f"{sold} is in the money with {left:.2f} of time value, {days} days left"
        return None

    return why
