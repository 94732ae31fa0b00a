"""The ways out of a ratio spread: the extra put first, then all."""

from collections.abc import Sequence
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.intent import Close, Mark, Urgency
from tomking.rules import assignment, whole
from tomking.rules import exits as out
from tomking.rules.select import underlying
from tomking.rules.strategy import Exit, Held, position_note
from tomking.strategies.ratio_spread.settings import Settings
from tomking.strategies.ratio_spread.unit import EXTRA, VERTICAL, strikes_of, target_points
from tomking.view import Own, View

REVIEW = "review"
WORTH_A_LOOK = Decimal("0.75")
"""Of its entry price: what a short put costs at least when its delta is looked up.

From 16 delta at 45 days to 25 delta at 21 a put's price grows 1.2-fold at one volatility; to be there at this
share of it, its volatility would have to fall by more than a third.
"""


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    midpoint = out.leave("midpoint", Urgency.STOP, _at_midpoint, guardian=True, which=_extra, confirm=True)
    touch = out.leave("long touch", Urgency.STOP, _at_long, guardian=True, confirm=True)
    return (
        out.days_left("21 DTE", settings.exit_dte, settings.exit_from),
        assignment.threatened("assignment", settings.assignment_usd),
        whole.loses("stop", whole.share_of_credit(settings.stop_credits)),
        whole.loses("loss", whole.share_of_account(settings.loss_share)),
        out.short_delta("delta", settings.close_delta, of=_dear),
        *((touch,) if settings.exit_on_long_touch else ()),
        out.short_delta("extra delta", settings.extra_delta, of=_dear, which=_extra),
        midpoint,
        whole.wins("target", _target(settings)),
        Exit(REVIEW, Urgency.RULE, guardian=False, check=lambda v, o, h: _review(settings, v, o, h)),
    )


def was_reviewed(own: Own, position: Position) -> str | None:
    """Why it was looked at, once it was."""
    return own.notes.get(position_note(position, REVIEW))


def _extra(own: Own, held: Held) -> Sequence[Component]:
    return held.part(EXTRA)


def _dear(own: Own, held: Held) -> Sequence[Component]:
    """What holds the short put, once; nothing while it is so cheap that its delta cannot matter."""
    extra = held.part(EXTRA)
    if not extra:
        return held.part(VERTICAL)
    net = own.closing_net(held.position, extra[0])
    return () if net is None or -net < WORTH_A_LOOK * extra[0].entry_net else extra


def _target(settings: Settings) -> whole.Dollars:
    """Dollars for all units."""

    def enough(own: Own, position: Position) -> Decimal | None:
        strikes = strikes_of(position)
        if strikes is None:
            return None
        first = position.components[VERTICAL]
        credit = first.entry_net + position.components[EXTRA].entry_net
        points = target_points(settings, credit, strikes[0] - strikes[1])
        return points * first.filled_units * first.structure.multiplier

    return enough


def _at_midpoint(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
    strikes = strikes_of(held.position)
    if strikes is None:
        return None
    return _at_or_below(view, held, (strikes[0] + strikes[1]) / 2, "midway between the strikes")


def _at_long(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
    strikes = strikes_of(held.position)
    return None if strikes is None else _at_or_below(view, held, strikes[0], "the long strike")


def _at_or_below(view: View, held: Held, points: Decimal, what: str) -> str | None:
    price = underlying(view, held.position.product, held.parts[0].expiry)
    if price is None or price > points:
        return None
    return f"{held.position.product} at {price:.2f}, {what} is {points:.2f}"


def _review(settings: Settings, view: View, own: Own, held: Held) -> list[Close | Mark]:
    """Noted once and shown as a stage; nothing is sent."""
    if was_reviewed(own, held.position):
        return []
    deltas = ((short, out.delta_now(view, short)) for one in _dear(own, held) for short in out.shorts(one))
    said = _at_long(view, own, held, held.parts) or next(
        (f"{short} has {d:.0%} delta" for short, d in deltas if d is not None and d >= settings.review_delta),
        None,
    )
    return [Mark(own.strategy, position_note(held.position, REVIEW), said)] if said else []
