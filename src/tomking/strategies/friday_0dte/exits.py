"""The ways out of a Friday 0DTE."""

from collections.abc import Callable, Sequence

from tomking.domain.book import Component
from tomking.domain.contract import Option
from tomking.domain.intent import Close, Mark, Urgency
from tomking.rules import exits as out
from tomking.rules.select import underlying
from tomking.rules.strategy import Exit, Held, position_note, today_s
from tomking.strategies.friday_0dte.settings import Settings
from tomking.view import Own, View


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        out.at_wall("backstop", Urgency.STOP, settings.backstop),
        out.leave("VIX", Urgency.STOP, _vix_reason(settings), guardian=True),
        out.stop_loss("stop", settings.stop_credits),
        out.at_wall("time", Urgency.RULE, settings.exit_time),
        Exit("defend", Urgency.STOP, guardian=False, check=_defence(settings)),
        out.target_without_order(settings.target_share),
        out.keeps("late profit", settings.late_share, since=settings.late),
        out.leave("near strike", Urgency.RULE, _near_reason(settings)),
        out.keeps("noon profit", settings.noon_share, since=settings.noon),
    )


def _vix_reason(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        vix, first = view.vix, today_s(own, "vix", view.today)
        if vix is None:
            return None
        if vix > settings.vix_max:
            return f"VIX {vix:.2f} is above {settings.vix_max:g}"
        if first is None or vix < float(first) * (1 + settings.vix_jump_share):
            return None
        return f"VIX {vix:.2f} is {vix / float(first) - 1:.0%} above its first {float(first):.2f}"

    return why


def _near_reason(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        at = None if view.now < view.session.at(settings.late) else _level(view, chosen)
        for short in (_short_of(c) for c in chosen):
            near = None if at is None else abs(at / float(short.strike) - 1)
            if near is not None and near <= settings.late_near_share:
                return f"{near:.2%} from the short {short}"
        return None

    return why


def _defence(settings: Settings) -> Callable[[View, Own, Held], list[Close | Mark]]:
    """A side whose short strike was touched closes at a full credit lost; the other stays."""

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        key, at = position_note(held.position, "tested"), _level(view, held.parts)
        tested = next((c.role for c in held.parts if _is_touched(c, at)), None)
        found: list[Close | Mark] = []
        if tested is not None and own.notes.get(key) != tested:
            found.append(Mark(own.strategy, key, tested))
        tested = tested or own.notes.get(key)
        closing = [c for c in held.parts if c.role == tested]
        cost, credit = out.cost_and_credit(own, held, held.parts)
        if closing and cost is not None and credit > 0 and cost - credit >= settings.defend_credits * credit:
            reason = f"{tested} was touched and {cost - credit:.2f} of {credit:.2f} credit is lost"
            found.append(
                Close(
                    own.strategy,
                    held.position.id,
                    (closing[0].role,),
                    Urgency.STOP,
                    "defend",
                    reason,
                    defends=len(held.parts) > 1,
                )
            )
        return found

    return check


def _level(view: View, components: Sequence[Component]) -> float | None:
    """What their strikes are compared with: all are of one expiry."""
    short = _short_of(components[0])
    return underlying(view, short.product, short.expiry)


def _is_touched(component: Component, at: float | None) -> bool:
    short = _short_of(component)
    return at is not None and (at - float(short.strike)) * int(short.right) >= 0


def _short_of(component: Component) -> Option:
    return next(
        leg.contract for leg in component.structure.legs if leg.is_short and isinstance(leg.contract, Option)
    )
