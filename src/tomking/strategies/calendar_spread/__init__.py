"""The calendar spread: the next month sold against the one after, at the money, in calm markets.

Source: docs/strategies/calendar_spread.md (methodology B.8).  On Tuesdays with a low VIX in the lower part of
its range a front of 30 days is sold and 60 days are bought at the same strike.  A quarter of the debit is
enough, half of it too much; the front never sees its last three weeks.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules import fronts
from tomking.rules.schedule import EVERY_SESSION, Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.calendar_spread import unit
from tomking.strategies.calendar_spread.exits import exits_of, roll_of
from tomking.strategies.calendar_spread.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "calendar_spread"
EVERY = 30
"""Minutes between looks into the window."""


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    roll = roll_of(settings)
    return Strategy(
        id=ID,
        title="Calendar spread",
        priority=8,
        claim=Claim(None, "none"),
        entries=(
            Entry(
                unit.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                Days(weekday=1),
                when=(
                    when.has_market(),
                    when.enough_bars(settings.ema_slow),
                    when.vix_between(0.0, settings.vix_max, strict_high=True),
                    when.contango(settings.contango_min),
                    when.iv_rank_up_to(settings.iv_rank_max),
                ),
                build=lambda view, own: unit.units(settings, view, own),
                every=EVERY,
            ),
            Entry(
                fronts.ROLL,
                Window(settings.roll_start, settings.roll_end),
                EVERY_SESSION,
                when=(when.has_market(),),
                build=lambda view, own: fronts.sell_next(roll, view, own),
                once=False,
                wanted=lambda day, own: any(any(fronts.waits_for_sale(p, day)) for p in own.positions),
            ),
        ),
        exits=exits_of(settings),
        life=fronts.life_of(settings.rolls_max),
        covered=("",),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
    )
