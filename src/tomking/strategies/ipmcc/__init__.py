"""IPMCC, the income poor man's covered call: a deep one-year call, and a weekly call sold against it.

Source: docs/strategies/ipmcc.md (methodology B.5).  One position a symbol.  On Fridays the call that expires
is bought back and the next week's is sold, at the money or in it, never below the LEAP's strike.  The LEAP is
rolled at 90 days; down by three tenths of its cost, both go.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.ipmcc import pair, weekly
from tomking.strategies.ipmcc.exits import exits_of
from tomking.strategies.ipmcc.life import LIFE
from tomking.strategies.ipmcc.parts import SALE_DAYS
from tomking.strategies.ipmcc.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "ipmcc"
MONDAYS = Days(weekday=0)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    morning = Window(settings.entry_start, settings.entry_end)
    late = Window(settings.late_start, settings.late_end)
    return Strategy(
        id=ID,
        title="IPMCC",
        priority=5,
        claim=Claim(0.80, "S1"),
        entries=(
            Entry(
                pair.ENTRY,
                morning,
                SALE_DAYS,
                when=(when.has_vix(),),
                build=lambda view, own: pair.cheapest_first(settings, view, own),
            ),
            _weekly(settings, weekly.ENTRY, morning, SALE_DAYS),
            _weekly(settings, weekly.LATE, late, SALE_DAYS),
            _weekly(settings, weekly.AFTER_ASSIGNMENT, morning, MONDAYS),
        ),
        exits=exits_of(settings),
        life=LIFE,
        covered=("",),
        settles=("weekly",),
        watch=Watch(
            settings.check_minutes, settings.roll_from, time(15, 59), also=(settings.pre_expiry_from,)
        ),
    )


def _weekly(settings: Settings, name: str, window: Window, days: Days) -> Entry:
    return Entry(
        name,
        window,
        days,
        when=(when.has_vix(),),
        build=lambda view, own: weekly.calls(settings, view, own, name),
        once=False,
        wanted=lambda _, own: any(weekly.may_sell(p, name) for p in own.positions),
    )
