"""The calendarized 1-1-2: a far put debit spread, paid for by naked puts sold again and again nearby.

Source: docs/strategies/calendarized_112.md (methodology B.3).  On third Wednesdays a 50-point put spread
is bought at 150 days and two 5-delta puts are sold at 45.  The naked puts (NP) go at 90 % of their credit,
or at half of it while there is time for another sale; the debit spread (PDS) is their hedge throughout.
"""

from datetime import time

from tomking.rules import entry as when
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.calendarized_112 import unit
from tomking.strategies.calendarized_112.exits import exits_of
from tomking.strategies.calendarized_112.life import life_of
from tomking.strategies.calendarized_112.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "calendarized_112"
WEDNESDAYS = Days(weekday=2)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    window = Window(settings.entry_start, settings.entry_end)
    market = (when.has_market(), when.enough_bars(settings.ema_slow))
    vix = when.vix_between(settings.vix_min, settings.vix_max, strict_high=True)
    calm = when.vix_between(settings.vix_min, min(settings.vix_max, settings.cycle_vix_max), strict_high=True)
    return Strategy(
        id=ID,
        title="Calendarized 1-1-2",
        priority=4,
        claim=Claim(None, "none"),
        entries=(
            Entry(
                "1-1-2",
                window,
                Days(weekday=2, weeks=(3,)),
                when=(
                    *market,
                    vix,
                    when.trend_up(settings.ema_fast, settings.ema_slow),
                ),
                build=lambda view, own: unit.first(settings, view, own),
            ),
            Entry(
                "cycle",
                window,
                WEDNESDAYS,
                when=(*market, calm),
                build=lambda view, own: unit.again(settings, view, own),
                once=False,
                wanted=lambda day, own: any(unit.may_sell(settings, p, day) for p in own.positions),
            ),
        ),
        exits=exits_of(settings),
        life=life_of(settings),
        covered=("PDS",),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
    )
