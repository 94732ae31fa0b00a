"""Strangles on futures: far puts and calls sold together, four times a year's quarter ahead, one a group.

Source: docs/strategies/futures_strangle.md (methodology B.4).  On second Tuesdays a 6-delta put and a
5.5-delta call at 90 days are sold in a quiet market of each correlation group that is free.  Half the
credit is enough, twice the credit is too much, at 21 DTE all goes; a threatened side is answered by delta.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules.schedule import EVERY_SESSION, Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.futures_strangle import conditions, defence, unit
from tomking.strategies.futures_strangle.exits import exits_of
from tomking.strategies.futures_strangle.life import LIFE
from tomking.strategies.futures_strangle.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "futures_strangle"
LAST_SALE = time(15, 44)
"""Of a rolled side: then the last quarter of an hour begins, with its spreads (D.7)."""
SECOND_TUESDAY = Days(weekday=1, weeks=(2,))


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="Futures strangle",
        priority=6,
        claim=Claim(0.72, "S0"),
        entries=(*(_strangle(settings, group) for group in conditions.groups(settings)), _roll(settings)),
        exits=exits_of(settings),
        life=LIFE,
        covered=("",) if settings.enhanced == "tail_wing" else (),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
    )


def _strangle(settings: Settings, group: str) -> Entry:
    """One way in for each correlation group: each has its own month, and its own refusals."""
    name = f"strangle {group}"
    return Entry(
        name,
        Window(settings.entry_start, settings.entry_end),
        SECOND_TUESDAY,
        when=(
            when.has_market(),
            when.vix_between(settings.vix_min, settings.vix_max, strict_low=False),
            conditions.phase_allows(settings, group),
            conditions.group_free(group),
        ),
        build=lambda view, own: unit.wish(settings, view, own, name, group),
    )


def _roll(settings: Settings) -> Entry:
    return Entry(
        defence.ROLL,
        Window(settings.roll_from, LAST_SALE),
        EVERY_SESSION,
        when=(when.has_market(),),
        build=lambda view, own: defence.rolls(settings, view, own),
        once=False,
        wanted=lambda day, own: any(defence.waits_for_roll(position, day) for position in own.positions),
    )
