"""The ways out of a diagonal, and the roll of its fronts."""

from decimal import Decimal

from tomking.domain.book import Position
from tomking.domain.intent import Close, Mark, Urgency
from tomking.domain.structure import merged
from tomking.rules import assignment, fronts, whole
from tomking.rules import exits as out
from tomking.rules.greeks import best_at_front_expiry
from tomking.rules.strategy import Exit, Held, position_note
from tomking.strategies.diagonal.settings import Settings
from tomking.view import Own, View

BEST = "best profit"


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.days_left("21 DTE", settings.front_exit_dte, settings.exit_from),
        out.vix_above("VIX", settings.vix_max),
        assignment.threatened("assignment", settings.assignment_usd),
        whole.loses("stop", whole.share_of_debit(settings.stop_share)),
        fronts.unsold("no front", settings.exit_from),
        whole.wins("target", lambda own, p: _enough(settings, own, p)),
        *fronts.bought_back(roll_of(settings)),
        Exit(BEST, Urgency.RULE, guardian=False, check=_noted),
    )


def roll_of(settings: Settings) -> fronts.Roll:
    return fronts.Roll(
        most=settings.rolls_max,
        share=settings.roll_share,
        days=settings.roll_dte_min,
        above_dte=settings.front_exit_dte,
        since=settings.roll_start,
        until=settings.roll_until,
    )


def _noted(view: View, own: Own, held: Held) -> list[Close | Mark]:
    """Dollars it can earn at most to the front's expiry, all units, as it stands at the first look."""
    key = position_note(held.position, BEST)
    if key in own.notes or len(held.parts) < len(held.position.components):
        return []
    structure = merged(BEST, [one.structure for one in held.parts])
    value = best_at_front_expiry(view, structure)
    if value is None:
        return []
    units = held.parts[0].units * structure.multiplier
    best = Decimal(repr(round(value, 4))) * units + whole.received(held.position)
    return [Mark(own.strategy, key, f"{best:.2f}")]


def _enough(settings: Settings, own: Own, position: Position) -> Decimal | None:
    noted = own.notes.get(position_note(position, BEST))
    return None if noted is None else settings.target_share * Decimal(noted)
