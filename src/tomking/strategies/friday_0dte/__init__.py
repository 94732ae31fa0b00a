"""Friday 0DTE: sell the last hours of the week beyond the range, be flat before the close.

Source: docs/strategies/friday_0dte.md (methodology B.1).  Entered 10:30 to 11:00 when the VIX is
above 22; shorts half an ATR away on both sides after a quiet hour, 0.7 ATR away on one side after
a move; wings 30 points out; half the credit is enough, twice the credit is too much, 15:00 ends it.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules import prints
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Fact, Running, Strategy, Watch
from tomking.strategies.friday_0dte import analysis, conditions, condor
from tomking.strategies.friday_0dte.exits import exits_of
from tomking.strategies.friday_0dte.life import LIFE
from tomking.strategies.friday_0dte.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "friday_0dte"
FRIDAY = Days(weekday=4, moves=False)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="Friday 0DTE",
        priority=1,
        claim=Claim(0.88, "S1"),
        facts=(
            prints.opening_fact(FRIDAY, settings.print_until),
            Fact("vix", Window(time(9, 30), time(15, 59)), FRIDAY, conditions.vix_text),
        ),
        running=(
            Running(
                analysis.RANGE,
                Window(time(9, 30), settings.range_until),
                FRIDAY,
                settings.range_minutes,
                analysis.opening_range,
            ),
            Running(
                analysis.NOTE,
                Window(settings.entry_start, settings.entry_start),
                FRIDAY,
                1,
                lambda view, own, seen: analysis.note(settings, view, own, seen),
                once=True,
            ),
        ),
        entries=(
            Entry(
                "0dte",
                Window(settings.entry_start, settings.entry_end),
                FRIDAY,
                when=(
                    when.full_session(),
                    conditions.before_the_end(settings),
                    when.has_market(),
                    prints.measured(settings.print_until),
                    conditions.enough_range(settings),
                    conditions.vix_gate(settings),
                    when.nothing_announced(when.SAME_DAY),
                    conditions.product_allowed(settings),
                    conditions.no_gap(settings),
                    conditions.flat(),
                ),
                build=lambda view, own: condor.wish(settings, view, own),
            ),
        ),
        exits=exits_of(settings),
        life=LIFE,
        covered=("",),
        watch=Watch(1, time(9, 30), time(15, 59)),
    )
