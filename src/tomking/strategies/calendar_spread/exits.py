"""The ways out of a calendar, and the roll of its front."""

from collections.abc import Sequence

from tomking.domain.book import Component
from tomking.domain.intent import Close, Mark, Urgency
from tomking.rules import assignment, fronts, select, whole
from tomking.rules import exits as out
from tomking.rules.strategy import Exit, Held, position_note
from tomking.strategies.calendar_spread.settings import Settings
from tomking.view import Own, View

MOVE = "expected move"


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    strays = out.leave("move", Urgency.STOP, _strays(settings), guardian=True, confirm=True)
    return (
        out.days_left("21 DTE", settings.front_exit_dte, settings.exit_from),
        out.vix_above("VIX", settings.vix_exit),
        assignment.threatened("assignment", settings.assignment_usd),
        whole.loses("stop", whole.share_of_debit(settings.stop_share)),
        strays,
        fronts.unsold("no front", settings.exit_from),
        whole.wins("target", whole.share_of_debit(settings.target_share)),
        *fronts.bought_back(roll_of(settings)),
        Exit(MOVE, Urgency.RULE, guardian=False, check=_noted),
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
    """The expected move to the front's expiry, as it stands at the first look: a distance for its life."""
    key = position_note(held.position, MOVE)
    front = fronts.all_fronts(own, held)
    chain = view.chain(held.position.product, front[0].expiry) if front and key not in own.notes else None
    move = None if chain is None else select.expected_move(chain)
    return [] if move is None else [Mark(own.strategy, key, f"{move:.4f}")]


def _strays(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        noted = own.notes.get(position_note(held.position, MOVE))
        price = select.underlying(view, held.position.product, chosen[0].expiry)
        if noted is None or price is None:
            return None
        strike, most = float(fronts.strike_of(chosen[0])), settings.move_max * float(noted)
        if abs(price - strike) <= most:
            return None
        return f"{price:.2f} is {abs(price - strike):.2f} from the strike {strike:.2f}, limit {most:.2f}"

    return why
