"""Ways out, and the words they are built from.  Money is points per unit, credit positive."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tomking.domain.book import Component
from tomking.domain.calendar import dte
from tomking.domain.contract import Option
from tomking.domain.intent import Close, Mark, Urgency
from tomking.domain.kept import by_identity
from tomking.domain.money import ZERO
from tomking.domain.structure import Structure
from tomking.rules.schedule import data_time
from tomking.rules.select import delta_of
from tomking.rules.strategy import STOP_NOTE, Exit, Held
from tomking.view import Own, View

LONGEST_CLOSURE = 14
"""Calendar days: no two sessions lie farther apart."""
CONFIRM_SECONDS = 5
"""Least time between the two observations of a stop (methodology B.1)."""

Picks = Callable[[Own, Held], Sequence[Component]]
Reason = Callable[[View, Own, Held, Sequence[Component]], str | None]


def everything(own: Own, held: Held) -> Sequence[Component]:
    return held.parts


def role(name: str) -> Picks:
    """One component alone."""

    def pick(own: Own, held: Held) -> Sequence[Component]:
        return held.part(name)

    return pick


def leave(
    trigger: str,
    urgency: Urgency,
    why: Reason,
    *,
    guardian: bool = False,
    which: Picks = everything,
    confirm: bool = False,
    defends: bool = False,
) -> Exit:
    """Close ``which`` components, in one order, as soon as ``why`` gives a reason.

    ``confirm``: only when a second observation, at least ``CONFIRM_SECONDS`` younger, agrees.
    ``defends``: what is left of the position is its untested side.
    """

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        chosen = which(own, held)
        if not chosen:
            return []
        reason = why(view, own, held, chosen)
        if reason is None and not (confirm and _waits(own.notes)):
            return []
        roles = tuple(c.role for c in chosen)
        close = Close(own.strategy, held.position.id, roles, urgency, trigger, reason or "", defends)
        return _confirmed(view, own, chosen, close) if confirm else [close]

    return Exit(trigger, urgency, guardian, check)


@by_identity
def _waits(notes: Mapping[str, str]) -> bool:
    """Whether any first observation of a stop is noted."""
    return any(STOP_NOTE in key for key in notes)


def _confirmed(view: View, own: Own, chosen: Sequence[Component], close: Close) -> list[Close | Mark]:
    """The close at the second observation; a mark at the first; nothing, and no mark, without a reason.

    On a grid coarser than a minute one observation confirms (ruling 7).
    """
    key = f"{close.position}{STOP_NOTE}{close.trigger}|{chosen[0].role}"
    first = own.notes.get(key)
    if not close.reason:
        return [Mark(own.strategy, key, "")] if first else []
    if view.market.grid_minutes > 1:
        return [close]
    seen = _quoted_at(view, chosen)
    if seen is None:
        return []
    if not first:
        return [Mark(own.strategy, key, seen.isoformat())]
    waited = seen - datetime.fromisoformat(first)
    return [close] if waited >= timedelta(seconds=CONFIRM_SECONDS) else []


def stop_loss(
    trigger: str,
    credits_lost: Decimal,
    *,
    of: Picks = everything,
    which: Picks = everything,
    defends: bool = False,
) -> Exit:
    """Closing ``of`` costs (1 + ``credits_lost``) times its credit, observed twice (methodology 0.2)."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        cost, credit = cost_and_credit(own, held, of(own, held))
        if cost is None or credit <= 0 or cost < (1 + credits_lost) * credit:
            return None
        return f"closing costs {cost:.2f}, {1 + credits_lost:g} x the credit of {credit:.2f} or more"

    return leave(trigger, Urgency.STOP, why, guardian=True, which=which, confirm=True, defends=defends)


def keeps(trigger: str, share: Decimal, *, since: time | None = None, which: Picks = everything) -> Exit:
    """``share`` of the credit is won, from wall time ``since`` on."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        if since is not None and view.now < view.session.at(since):
            return None
        cost, credit = cost_and_credit(own, held, chosen)
        if cost is None or credit <= 0 or credit - cost < share * credit:
            return None
        return f"{(credit - cost) / credit:.0%} of the credit of {credit:.2f} is won, {share:.0%} is enough"

    return leave(trigger, Urgency.RULE, why, which=which)


def target_without_order(share: Decimal, *, which: Picks = everything) -> Exit:
    """The profit target of components whose resting order is gone (an untested side, a cancelled one)."""

    def unattended(own: Own, held: Held) -> list[Component]:
        return [c for c in which(own, held) if not c.target]

    return keeps("target", share, which=unattended)


def at_wall(trigger: str, urgency: Urgency, wall: time) -> Exit:
    """Everything, from a wall time of any day on which it still trades."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        return f"{wall:%H:%M} has come" if view.now >= view.session.at(wall) else None

    return leave(trigger, urgency, why, guardian=True)


def days_left(
    trigger: str, days: int, since: time, *, which: Picks = everything, opened_above: int | None = None
) -> Exit:
    """``days`` to the nearest expiry or fewer, from wall time ``since`` on, profit or loss (ruling 10).

    opened_above  spares components opened at so many DTE or fewer; None: ``days``
    """
    spared = days if opened_above is None else opened_above

    def old(own: Own, held: Held) -> list[Component]:
        return [c for c in which(own, held) if c.opened_dte > spared]

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        if data_time(view) < view.session.at(since) or not last_days(view, chosen, days):
            return None
        return f"{dte(view.today, min(c.expiry for c in chosen))} DTE, the rule is {days}"

    return leave(trigger, Urgency.RULE, why, guardian=True, which=old)


def short_delta(
    trigger: str,
    least: float,
    *,
    which: Picks = everything,
    of: Picks | None = None,
    urgency: Urgency = Urgency.STOP,
    confirm: bool = True,
    defends: bool = False,
) -> Exit:
    """A short option of ``of`` (``which``, unless it says so) has an absolute delta of ``least`` or more."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        for component in (of or which)(own, held):
            for short in shorts(component):
                delta = delta_now(view, short)
                if delta is not None and delta >= least:
                    return f"{short} has {delta:.0%} delta, {least:.0%} or more"
        return None

    return leave(trigger, urgency, why, guardian=True, which=which, confirm=confirm, defends=defends)


def gains(trigger: str, share: Decimal, *, of: Picks = everything, which: Picks = everything) -> Exit:
    """``share`` of the debit paid for ``of`` is won."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        paid = of(own, held)
        profit, debit = own.profit(held.position, paid), -sum((c.entry_net for c in paid), ZERO)
        if not paid or profit is None or debit <= 0 or profit < share * debit:
            return None
        return f"{profit:.2f} won on a debit of {debit:.2f}, {share:.0%} or more"

    return leave(trigger, Urgency.RULE, why, which=which)


def loses(trigger: str, share: Decimal, *, of: Picks = everything, which: Picks = everything) -> Exit:
    """``share`` of the debit paid for ``of`` is lost, observed twice."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        paid = of(own, held)
        profit, debit = own.profit(held.position, paid), -sum((c.entry_net for c in paid), ZERO)
        if not paid or profit is None or debit <= 0 or -profit < share * debit:
            return None
        return f"{-profit:.2f} lost of a debit of {debit:.2f}, {share:.0%} or more"

    return leave(trigger, Urgency.STOP, why, guardian=True, which=which, confirm=True)


def loses_share_of_account(
    trigger: str, share: Decimal, *, which: Picks = everything, defends: bool = False
) -> Exit:
    """Dollars lost on ``which`` reach ``share`` of net liq, observed twice."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        profit = own.profit(held.position, chosen)
        if profit is None:
            return None
        dollars = -profit * chosen[0].units * chosen[0].structure.multiplier
        if dollars < share * own.net_liq:
            return None
        return f"${dollars:,.0f} lost, {share:.0%} of ${own.net_liq:,.0f} or more"

    return leave(trigger, Urgency.STOP, why, guardian=True, which=which, confirm=True, defends=defends)


def vix_above(trigger: str, most: float, *, which: Picks = everything) -> Exit:
    """The strategy's own VIX exit (ruling 11)."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        vix = view.vix
        return None if vix is None or vix <= most else f"VIX {vix:.2f} is above {most:g}"

    return leave(trigger, Urgency.RULE, why, guardian=True, which=which)


def shorts(component: Component) -> Sequence[Option]:
    """The options a component is short."""
    return _shorts(component.structure)


@by_identity
def _shorts(structure: Structure) -> tuple[Option, ...]:
    legs = (leg.contract for leg in structure.legs if leg.is_short)
    return tuple(contract for contract in legs if isinstance(contract, Option))


def delta_now(view: View, option: Option) -> float | None:
    """Its absolute delta; None where it is not listed or has none."""
    chain = view.chain(option.product, option.expiry)
    return None if chain is None else delta_of(chain, option)


def last_days(view: View, components: Sequence[Component], days: int) -> bool:
    """The first session with DTE <= ``days``, or the session before if that day is closed (ruling 10)."""
    expiry = min([c.expiry for c in components])
    left = dte(view.today, expiry)
    if left <= days or left > days + LONGEST_CLOSURE:
        return left <= days
    following = view.sessions.after(view.today)
    return following is not None and dte(following.date, expiry) < days


def cost_and_credit(own: Own, held: Held, components: Sequence[Component]) -> tuple[Decimal | None, Decimal]:
    """Points per unit to buy the components back at mids (None where a mid is missing), and received."""
    credit = sum((c.entry_net for c in components), ZERO)
    profit = own.profit(held.position, components)
    return (None if profit is None else credit - profit), credit


def is_last_of_week(view: View) -> bool:
    """Whether no session of this week follows today's."""
    following = view.sessions.after(view.today)
    return _week(following.date) != _week(view.today) if following else view.today.weekday() == 4


def _week(day: date) -> tuple[int, int]:
    return day.isocalendar()[:2]


def _quoted_at(view: View, components: Sequence[Component]) -> datetime | None:
    """When the youngest of their quotes was seen."""
    contracts = [contract for c in components for contract in c.structure.contracts]
    return max((q.as_of for q in view.quotes(contracts) if q is not None), default=None)
