"""Calls on the VIX as an emergency hedge: cheap while nobody is afraid, sold when everybody is.

Source: docs/strategies/vix_call_hedge.md (methodology B.12).  Below VIX 13, or ahead of a major event below
18, at most once a month and within a budget; half is sold at three times its price, the rest at five times
or when the VIX is above 35, all of it at 21 days.
"""

from datetime import time

from tomking.domain.book import Position
from tomking.rules import entry as when
from tomking.rules import exits as out
from tomking.rules import ledger
from tomking.rules.life import Life
from tomking.rules.schedule import EVERY_SESSION, Window
from tomking.rules.strategy import Claim, Condition, Entry, Exit, Strategy, Watch
from tomking.strategies.vix_call_hedge import calls
from tomking.strategies.vix_call_hedge.settings import Settings
from tomking.view import Own, View

__all__ = ["Settings", "strategy"]

ID = "vix_call_hedge"
EVERY = 60
"""Minutes between looks into the window: its conditions are those of a day."""
LIFE = Life(ways={"OPEN": ("HALF_SOLD",), "HALF_SOLD": ()}, reading=lambda _view, _own, one: _reading(one))


def strategy(settings: Settings) -> Strategy:
    """The strategy with these numbers."""
    return Strategy(
        id=ID,
        title="VIX call hedge",
        priority=13,
        claim=Claim(None, "none"),
        entries=(
            Entry(
                calls.ENTRY,
                Window(settings.entry_start, settings.entry_end),
                EVERY_SESSION,
                every=EVERY,
                when=(when.has_market(), _cheap(settings)),
                build=lambda view, own: calls.wish(settings, view, own),
                wanted=lambda day, own: (
                    not any((d.year, d.month) == (day.year, day.month) for d in ledger.opened_days(own))
                ),
            ),
        ),
        exits=_exits(settings),
        life=LIFE,
        covered=("",),
        watch=Watch(settings.check_minutes, time(9, 31), time(15, 59), also=(settings.exit_from,)),
    )


def _cheap(settings: Settings) -> Condition:
    """The VIX is low, or low enough ahead of a major event."""

    def check(view: View, own: Own) -> str | None:
        vix, event = when.known(view.vix), _event_ahead(settings, view)
        most = settings.vix_max if event is None else settings.event_vix_max
        if vix < most:
            return None
        ahead = "no major event ahead" if event is None else f"major event {event}"
        return f"VIX {vix:.2f} is not below {most:g}, {ahead}"

    return Condition("VIX", check)


def _event_ahead(settings: Settings, view: View) -> str | None:
    """The first major event within the sessions ahead."""
    last = view.today
    for _ in range(settings.event_sessions):
        following = view.sessions.after(last)
        last = last if following is None else following.date
    return next((f"{day}" for day in sorted(settings.event_days) if view.today <= day <= last), None)


def _exits(settings: Settings) -> tuple[Exit, ...]:
    first, rest = out.role(calls.FIRST), out.role(calls.REST)
    return (
        ledger.keeping(),
        out.days_left("21 DTE", settings.exit_dte, settings.exit_from),
        out.vix_above("VIX", settings.exit_vix),
        out.gains("first half", settings.half_multiple - 1, of=first, which=first),
        out.gains("rest", settings.rest_multiple - 1, of=rest, which=rest),
    )


def _reading(position: Position) -> tuple[str, str]:
    """Half is gone once the first of two components is closed."""
    gone = [one for one in position.components.values() if not one.is_open]
    return ("HALF_SOLD", gone[0].trigger) if gone else ("OPEN", "nothing is sold")
