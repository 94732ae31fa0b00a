"""The ways out of a strangle: the whole, by credit and days, and its sides, by delta."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.eventcalendar import Entry as Occasion
from tomking.domain.intent import Close, Mark, Urgency
from tomking.domain.products import PRODUCTS
from tomking.rules import exits as out
from tomking.rules import select, whole
from tomking.rules.strategy import Exit, Held, position_note
from tomking.strategies.futures_strangle.defence import (
    ROLL,
    of_side,
    replacement,
    rolled_away,
    side_of,
    waits_for_roll,
)
from tomking.strategies.futures_strangle.settings import Settings
from tomking.strategies.futures_strangle.unit import CALL, PUT
from tomking.view import Own, View

SINGLE = "single side"


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.days_left("21 DTE", settings.exit_dte, settings.exit_from),
        whole.loses("stop", _most(settings)),
        out.short_delta("all delta", settings.all_delta),
        *(
            out.short_delta("side delta", settings.side_delta, which=_side(name), defends=True)
            for name in (PUT, CALL)
        ),
        *(_rolling(settings, name) for name in (PUT, CALL)),
        Exit(SINGLE, Urgency.RULE, guardian=False, check=_single(settings)),
        out.leave("target", Urgency.RULE, _won(settings), which=_rolled_pair),
    )


def _most(settings: Settings) -> whole.Dollars:
    """What may be lost: so many times the credit of the opening order."""
    return lambda _own, position: settings.stop_credits * whole.received(position)


def _side(name: str) -> out.Picks:
    def pick(own: Own, held: Held) -> Sequence[Component]:
        return [one for one in held.parts if side_of(one.role) == name]

    return pick


def _rolling(settings: Settings, name: str) -> Exit:
    """Closes the untested side ``name`` when the other one is tested and selling anew is a sure credit."""
    other = CALL if name == PUT else PUT

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        tested = of_side(held.position, other)
        if (
            tested is None
            or rolled_away(held.position) is not None
            or not _may_sell(settings, view, held.position.product)
        ):
            return None
        delta = max((out.delta_now(view, short) or 0.0 for short in out.shorts(tested)), default=0.0)
        if delta < settings.roll_delta or not _is_credit(settings, view, chosen[0]):
            return None
        return f"{other} at {delta:.0%} delta, {settings.roll_delta:.0%} or more: the {name} is rolled"

    return out.leave(ROLL, Urgency.RULE, why, which=_side(name), confirm=True)


def _may_sell(settings: Settings, view: View, product: str) -> bool:
    """A time, a VIX and a calendar with which the new side can be expected to be sold (D.7, C.10)."""
    if view.events.judge(Occasion(PRODUCTS[product]), view.now, view.sessions).blocked is not None:
        return False
    begin, end = view.session.at(settings.roll_from), view.session.at(settings.roll_until)
    return view.vix is not None and view.vix < settings.roll_vix_max and begin <= view.now <= end


def _is_credit(settings: Settings, view: View, old: Component) -> bool:
    """Buying back at the offer and selling anew at the bid still brings something."""
    part = replacement(settings, view, old)
    if isinstance(part, str):
        return False
    new, back = select.priced(view, part.structure), select.priced(view, old.structure.inverse())
    if new is None or back is None:
        return False
    return new.natural * part.structure.multiplier + back.natural * old.structure.multiplier > 0


def is_single(position: Position) -> bool:
    """One side is left, for good."""
    return len({side_of(one.role) for one in position.open_components}) == 1


def _single(settings: Settings) -> Callable[[View, Own, Held], list[Close | Mark]]:
    """A side left alone goes at half of what it was worth when it was left (B.4, asymmetry)."""

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        position = held.position
        if not held.parts or not is_single(position) or waits_for_roll(position, view.today):
            return []
        cost, _ = out.cost_and_credit(own, held, held.parts)
        if cost is None:
            return []
        key = position_note(position, "single")
        first = own.notes.get(key)
        if first is None:
            return [Mark(own.strategy, key, str(cost))]
        most = (1 - settings.single_keep) * Decimal(first)
        if cost > most:
            return []
        roles = tuple(one.role for one in held.parts)
        reason = f"costs {cost:.2f}, {first} when it was left alone"
        return [Close(own.strategy, position.id, roles, Urgency.RULE, SINGLE, reason)]

    return check


def _rolled_pair(own: Own, held: Held) -> Sequence[Component]:
    """Both sides after a roll: no order rests for them."""
    return held.parts if rolled_away(held.position) is not None and not is_single(held.position) else ()


def _won(settings: Settings) -> out.Reason:
    """The share of the opening credit is won by the whole trade, the roll's result included."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        won, credit = whole.profit(own, held.position), whole.received(held.position)
        if won is None or won < settings.target * credit:
            return None
        return f"${won:,.0f} won of a credit of ${credit:,.0f}, {settings.target:.0%} is enough"

    return why
