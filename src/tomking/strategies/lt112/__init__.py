"""LT112, the 1-1-2 at 120 days: a put debit spread paid for by two far puts, each managed by itself.

Source: docs/strategies/lt112.md (methodology B.2).  On Wednesdays a 25-delta put is bought, one 50
points lower and two 5-delta puts are sold.  The naked puts (NP) go at 90 % of their credit or at
three times it; the debit spread (PDS) is their hedge and goes after them; at 21 DTE all goes.  From
day 30 a weekly call vertical is sold beside it.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.lt112 import conditions, unit, weekly
from tomking.strategies.lt112.exits import exits_of
from tomking.strategies.lt112.life import LIFE
from tomking.strategies.lt112.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "lt112"
MONDAYS = Days(weekday=0)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="LT112",
        priority=3,
        claim=Claim(0.73, "S0, S1"),
        entries=(_one_one_two(settings), *_weekly(settings)),
        exits=exits_of(settings),
        life=LIFE,
        covered=("PDS", "weekly"),
        watch=Watch(
            settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from, settings.weekly_exit)
        ),
    )


def _one_one_two(settings: Settings) -> Entry:
    return Entry(
        "1-1-2",
        Window(settings.entry_start, settings.entry_end),
        conditions.WEDNESDAYS,
        when=(
            when.has_market(),
            when.enough_bars(settings.high_sessions),
            when.vix_between(settings.vix_min, settings.vix_max, strict_high=True),
            conditions.phase_allows(settings),
            conditions.trend_up(settings),
            when.not_at_high(settings.high_sessions),
        ),
        build=lambda view, own: unit.units(settings, view, own),
    )


def _weekly(settings: Settings) -> tuple[Entry, ...]:
    if settings.weekly_sale == "off":
        return ()
    entry = Entry(
        "weekly",
        Window(settings.weekly_start, settings.weekly_end),
        MONDAYS,
        when=(
            when.has_market(),
            when.enough_bars(settings.ema_slow),
            when.vix_between(
                settings.weekly_vix_min, settings.weekly_vix_max, strict_low=False, strict_high=True
            ),
            when.no_fomc_this_week(),
            conditions.not_stretched(settings),
        ),
        build=lambda view, own: weekly.calls(settings, view, own),
        once=False,
        wanted=lambda day, own: any(weekly.may_sell(settings, p, day) for p in own.positions),
    )
    return (entry,)
