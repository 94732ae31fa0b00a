"""The short box: borrowing from the option market, not a strategy.  Off by default.

Source: docs/strategies/box_financing.md (methodology B.11).  On Wednesdays the rate at which a one-year SPX
box lends is compared with the Treasury and the margin rate, and said; where it is low enough a box is sold
and held to its cash settlement.
"""

from datetime import time

from tomking.risk.availability import PLACES
from tomking.rules import entry as when
from tomking.rules.life import Life
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Condition, Entry, Strategy, Watch
from tomking.strategies.box_financing import box
from tomking.strategies.box_financing.settings import Settings
from tomking.view import Own, View

__all__ = ["Settings", "strategy"]

ID = "box_financing"


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="Box financing",
        priority=14,
        claim=Claim(None, "none"),
        entries=(
            Entry(
                box.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                Days(weekday=2),
                when=(when.has_market(), _phase_allows()),
                build=lambda view, own: box.wish(settings, view, own),
            ),
        ),
        exits=(),
        life=Life(ways={"OPEN": ()}, reading=lambda _view, _own, _position: ("OPEN", "held to settlement")),
        watch=Watch(390, time(15, 0), time(15, 0)),
        covered=("",),
        settles=("",),
        default_on=False,
    )


def _phase_allows() -> Condition:
    def check(view: View, own: Own) -> str | None:
        allowed = PLACES[ID].products[own.phase]
        return None if box.PRODUCT in allowed else f"no boxes in phase {own.phase}"

    return Condition("PHASE", check)
