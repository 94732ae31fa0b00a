"""The Friday butterfly (section 9B): a small bet, after the 0DTE, that the morning's move fades.

Source: docs/strategies/butterfly_9b.md (methodology B.7).  After a move of more than half a per cent by
10:30 a 10-wide SPXW fly is bought on the side it would fade to, and held to cash settlement: the loss is
the debit, so the 0DTE's exits do not apply.
"""

from datetime import time

from tomking.domain.book import Position
from tomking.rules import entry as when
from tomking.rules import prints
from tomking.rules.life import Life
from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Claim, Condition, Entry, Strategy, Watch
from tomking.strategies.butterfly_9b import fly
from tomking.strategies.butterfly_9b.settings import Settings
from tomking.view import Own, View

__all__ = ["Settings", "strategy"]

ID = "butterfly_9b"
FRIDAY = Days(weekday=4, moves=False)


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="Butterfly 9B",
        priority=2,
        claim=Claim(0.18, "P1"),
        facts=(
            prints.opening_fact(FRIDAY, settings.print_until),
            prints.level_fact(fly.MORNING, FRIDAY, settings.move_at, settings.entry_start),
        ),
        entries=(
            Entry(
                fly.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                FRIDAY,
                when=(
                    when.full_session(),
                    when.has_market(),
                    prints.measured(settings.print_until),
                    prints.seen_at(fly.MORNING, settings.move_at, settings.entry_start),
                    when.vix_between(0.0, settings.vix_max),
                    when.nothing_announced(when.SAME_DAY),
                    _has_moved(settings),
                ),
                build=lambda view, own: fly.wish(settings, view, own),
            ),
        ),
        exits=(),
        life=Life(ways={"OPEN": ()}, reading=_reading),
        covered=("",),
        settles=("",),
        watch=Watch(5, time(10, 36), time(10, 56)),
    )


def _has_moved(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        move = prints.move_until(fly.MORNING, view, own)
        if abs(move) > settings.move_share_min:
            return None
        until, least = settings.move_at, settings.move_share_min
        return f"{move:+.2%} from 09:30 to {until:%H:%M}, more than {least:.1%} either way is needed"

    return Condition("TECH", check)


def _reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    """Open until it is settled."""
    return "OPEN", "held to settlement"
