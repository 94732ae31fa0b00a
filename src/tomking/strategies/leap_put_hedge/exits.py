"""The ways out of a rung: harvested, rolled, re-struck, or sold before it is worthless."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.calendar import dte, new_york
from tomking.domain.intent import Close, Mark, Urgency
from tomking.domain.money import ZERO
from tomking.rules import exits as out
from tomking.rules import select
from tomking.rules.schedule import data_time
from tomking.rules.strategy import Exit, Held, position_note
from tomking.strategies.leap_put_hedge.ladder import SCHEDULE, cost, put_of, replacing, share_of, value
from tomking.strategies.leap_put_hedge.rung import ROLLED
from tomking.strategies.leap_put_hedge.settings import Settings
from tomking.view import Own, View

BACKSTOP, ROLL, RESTRIKE, REST, HALF = "backstop", "roll", "re-strike", "harvest rest", "harvest half"
HARVESTED = "harvested"


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.days_left(BACKSTOP, settings.backstop_dte, settings.exit_from),
        _sold(settings, REST, _rest(settings), after=HARVESTED),
        _sold(settings, ROLL, _is_old(settings), after=ROLLED, guardian=True),
        Exit(RESTRIKE, Urgency.RULE, guardian=False, check=_restrike(settings)),
        out.leave(HALF, Urgency.RULE, _half(settings), which=_first_half),
    )


def _first_half(own: Own, held: Held) -> Sequence[Component]:
    """One of two halves that nothing works on yet; of what is left, or of a single put, there is none."""
    return held.parts[:1] if len(held.parts) > 1 else ()


def _sold(settings: Settings, trigger: str, why: out.Reason, *, after: str, guardian: bool = False) -> Exit:
    """The whole rung goes, and what is to be bought in its place is noted."""

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        reason = why(view, own, held, held.parts) if held.parts else None
        return [] if reason is None else _replaced(settings, view, own, held, trigger, reason, after)

    return Exit(trigger, Urgency.RULE, guardian, check)


def _replaced(  # noqa: PLR0917
    settings: Settings, view: View, own: Own, held: Held, trigger: str, reason: str, after: str
) -> list[Close | Mark]:
    roles = tuple(one.role for one in held.parts)
    close = Close(own.strategy, held.position.id, roles, Urgency.RULE, trigger, reason)
    if after != HARVESTED:
        return [close, replacing(own, share_of(held.position), view.today, after, ZERO)]
    proceeds = value(own, held.position) or ZERO
    dollars = (settings.proceeds_share * proceeds).quantize(Decimal(1))
    return [close, replacing(own, settings.rungs[0], view.today, after, dollars)]


def _is_late_enough(settings: Settings, view: View) -> bool:
    return data_time(view) >= view.session.at(settings.exit_from)


# -- harvest ----------------------------------------------------------------------------------------


def _half(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        times = _multiple(own, held.position)
        if times is not None and times >= settings.half_multiple:
            return f"worth {times:.1f} times its cost, half goes at {settings.half_multiple:g}"
        return _too_much(settings, own, held.position)

    return why


def _rest(settings: Settings) -> out.Reason:
    """Five times its cost, or deep in the money; what cannot be halved also where the ladder is too dear."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        times = _multiple(own, held.position)
        if times is not None and times >= settings.rest_multiple:
            return f"worth {times:.1f} times its cost, the rest goes at {settings.rest_multiple:g}"
        put, level = put_of(chosen[0]), select.price_of(view, held.position.product)
        depth = 0.0 if level is None else 1 - level / float(put.strike)
        if depth >= settings.rest_itm_share:
            return f"{put} is {depth:.0%} in the money"
        last = len(held.position.open_components) == 1
        return _too_much(settings, own, held.position) if last else None

    return why


def _multiple(own: Own, position: Position) -> Decimal | None:
    worth, paid = value(own, position), cost(position)
    return None if worth is None or paid <= 0 else worth / paid


def _too_much(settings: Settings, own: Own, position: Position) -> str | None:
    """All rungs together are worth too large a share of net liq, and this is the one worth most."""
    worths = {p.id: value(own, p) or ZERO for p in own.positions}
    total, most = sum(worths.values(), ZERO), settings.value_share_max * own.net_liq
    if total <= most or max(worths, key=lambda id_: worths[id_]) != position.id:
        return None
    return f"the ladder is worth ${total:,.0f}, {settings.value_share_max:.0%} of net liq is enough"


# -- roll and re-strike -----------------------------------------------------------------------------


def _is_old(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        left = dte(view.today, chosen[0].expiry)
        if left > settings.roll_dte or not _is_late_enough(settings, view):
            return None
        return f"{left} DTE, rolled at {settings.roll_dte}"

    return why


def _restrike(settings: Settings) -> Callable[[View, Own, Held], list[Close | Mark]]:
    """Looked at every so many days; what the market left behind waits for the next day of the schedule.

    There it is looked at again, and where it could not be bought again (a high VIX) it stays.  A strike
    above its target is no error but a fall that the put was bought for: the harvest's matter (ruling 11).
    """

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        position = held.position
        queued = own.notes.get(position_note(position, "queued"))
        if queued is None:
            return _looked(settings, view, own, position)
        scheduled = SCHEDULE.meant(view.today, view.sessions) is not None
        if not held.parts or not scheduled or not _is_late_enough(settings, view):
            return []
        if _behind(settings, view, position) is None:
            return [Mark(own.strategy, position_note(position, "queued"), "")]
        if view.vix is None or view.vix > settings.roll_vix_max:
            return []
        return _replaced(settings, view, own, held, RESTRIKE, queued, ROLLED)

    return check


def _looked(settings: Settings, view: View, own: Own, position: Position) -> list[Close | Mark]:
    key = position_note(position, "looked")
    last = own.notes.get(key)
    since = date.fromisoformat(last) if last else new_york(position.opened).date()
    if view.today - since < timedelta(days=settings.restrike_days):
        return []
    marks: list[Close | Mark] = [Mark(own.strategy, key, view.today.isoformat())]
    said = _behind(settings, view, position)
    if said is not None:
        marks.append(Mark(own.strategy, position_note(position, "queued"), f"{said} on {view.today}"))
    return marks


def _behind(settings: Settings, view: View, position: Position) -> str | None:
    """The strike lies too far below its share of the index now; None: it does not, or nobody can say."""
    level = select.price_of(view, position.product)
    if level is None or not position.open_components:
        return None
    off = 1 - float(put_of(position.open_components[0]).strike) / (float(share_of(position)) * level)
    return f"its strike is {off:.0%} below its target" if off > settings.restrike_share else None
