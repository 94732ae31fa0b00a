"""The long-put ladder: one-year puts at four distances below the market, bought far out first, as insurance.

Source: docs/strategies/leap_put_hedge.md (methodology B.6a).  One rung a month.  Each is rolled at 90 days,
moved when the market has left it behind, and harvested in a fall: half at three times its cost, the rest at
five.  What it may cost is bounded, what it may lose is what it cost.
"""

from datetime import time

from tomking.domain.eventcalendar import Entry as Occasion
from tomking.domain.products import PRODUCTS
from tomking.rules import entry as when
from tomking.rules.schedule import EVERY_SESSION, Window
from tomking.rules.strategy import Claim, Entry, Strategy, Watch
from tomking.strategies.leap_put_hedge import ladder, rung
from tomking.strategies.leap_put_hedge.exits import exits_of
from tomking.strategies.leap_put_hedge.life import LIFE
from tomking.strategies.leap_put_hedge.settings import Settings

__all__ = ["Settings", "strategy"]

ID = "leap_put_hedge"
EVERY = 30
"""Minutes between looks into the window: a price for a year does not change in five."""


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    window = Window(settings.entry_start, settings.entry_end)
    conditions = (
        when.has_vix(),
        when.vix_between(0.0, settings.vix_max, strict_high=True),
        when.nothing_announced(Occasion(PRODUCTS[settings.product], short_premium=False)),
    )
    return Strategy(
        id=ID,
        title="LEAP put hedge",
        priority=12,
        claim=Claim(None, "none"),
        entries=(
            Entry(
                rung.REPLACE,
                window,
                EVERY_SESSION,
                when=conditions,
                build=lambda view, own: rung.replacements(settings, view, own),
                once=False,
                wanted=lambda day, own: bool(ladder.to_replace(settings, own, day)),
                every=EVERY,
            ),
            Entry(
                rung.MONTHLY,
                window,
                ladder.SCHEDULE,
                when=conditions,
                build=lambda view, own: rung.next_rung(settings, view, own),
                wanted=lambda _, own: len(own.positions) < len(settings.rungs),
                every=EVERY,
            ),
        ),
        exits=exits_of(settings),
        life=LIFE,
        covered=("",),
        watch=Watch(settings.check_minutes, settings.exit_from, time(15, 59)),
    )
