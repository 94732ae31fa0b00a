"""The put ratio spread: one put bought, two sold farther down, for a credit.

Source: docs/strategies/ratio_spread.md (methodology B.9).  On Tuesdays, 45 days out, a 25-delta put is bought
and two 16-delta puts are sold: a vertical and an extra naked put, which is given up first when the index
comes near.  A rise keeps the credit, a small fall earns the width, a large one loses on the extra put.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.ratio_spread import unit
from tomking.strategies.ratio_spread.exits import exits_of
from tomking.strategies.ratio_spread.life import LIFE
from tomking.strategies.ratio_spread.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "ratio_spread"
EVERY = 30
"""Minutes between looks into the window."""
TUESDAYS = Days(weekday=1)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="Ratio spread",
        priority=7,
        claim=Claim(0.72, "P1"),
        entries=(
            Entry(
                unit.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                TUESDAYS,
                when=(when.has_market(),),
                build=lambda view, own: unit.units(settings, view, own),
                every=EVERY,
            ),
        ),
        exits=exits_of(settings),
        life=LIFE,
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
    )
