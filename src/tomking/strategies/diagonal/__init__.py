"""The diagonal: a month sold farther out than the two months bought, on one side or on both.

Source: docs/strategies/diagonal.md (methodology B.10).  On Tuesdays, with the VIX at 18 or less, a 30-delta
option of 60 days is bought and one of 30 days sold beyond its strike; where that leans too far either way,
the same is done on the other side.  Half of what it can earn is enough; a VIX above 18 ends it.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules import fronts
from tomking.rules.schedule import EVERY_SESSION, Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.diagonal import unit
from tomking.strategies.diagonal.exits import exits_of, roll_of
from tomking.strategies.diagonal.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "diagonal"
EVERY = 30
"""Minutes between looks into the window."""


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    roll = roll_of(settings)
    return Strategy(
        id=ID,
        title="Diagonal",
        priority=9,
        claim=Claim(0.60, "P1"),
        entries=(
            Entry(
                unit.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                Days(weekday=1),
                when=(
                    when.has_market(),
                    when.enough_bars(settings.ema_slow),
                    when.vix_between(0.0, settings.vix_max),
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
