"""The ways out of a calendarized 1-1-2: pair by pair, and the whole when a pair is stopped."""

from collections.abc import Sequence

from tomking.domain.book import Component
from tomking.domain.calendar import dte
from tomking.domain.intent import Urgency
from tomking.rules import exits as out
from tomking.rules.strategy import Exit, Held
from tomking.strategies.calendarized_112.settings import Settings
from tomking.strategies.calendarized_112.unit import is_pair, pairs_of
from tomking.view import Own, View


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.days_left("21 DTE", np_exit_dte(settings), settings.exit_from, which=_pair),
        out.days_left("21 DTE of the spread", settings.exit_dte, settings.exit_from, which=_spread),
        out.stop_loss("NP stop", settings.np_stop_credits, of=_pair, which=_with_spread),
        out.short_delta("NP delta", settings.np_delta_close, of=_pair, which=_with_spread),
        out.leave("early target", Urgency.RULE, _early(settings), which=_pair),
        out.target_without_order(settings.np_target, which=_pair),
        out.gains("PDS target", settings.pds_gain, of=_lone_spread, which=_lone_spread),
    )


def np_exit_dte(settings: Settings) -> int:
    """Days left at which the naked puts go whatever they cost."""
    return settings.np_late_dte if settings.allow_np_below_21 else settings.exit_dte


def _pair(own: Own, held: Held) -> Sequence[Component]:
    return [one for one in held.parts if is_pair(one.role)]


def _spread(own: Own, held: Held) -> Sequence[Component]:
    return held.part("PDS")


def _with_spread(own: Own, held: Held) -> Sequence[Component]:
    """A stopped pair takes its hedge along (B.3)."""
    pair = _pair(own, held)
    return [*pair, *held.part("PDS")] if pair else []


def _lone_spread(own: Own, held: Held) -> Sequence[Component]:
    """While naked puts are open the spread is their hedge and has no target."""
    return () if any(pair.is_open for pair in pairs_of(held.position)) else held.part("PDS")


def _early(settings: Settings) -> out.Reason:
    """Half the credit while there is time for another sale."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        left = dte(view.today, chosen[0].expiry) - np_exit_dte(settings)
        cost, credit = out.cost_and_credit(own, held, chosen)
        if left < settings.np_early_days or cost is None or credit <= 0:
            return None
        if credit - cost < settings.np_early_share * credit:
            return None
        won = (credit - cost) / credit
        return f"{won:.0%} of the credit of {credit:.2f} is won, {left} days before the last"

    return why
