"""The ways out of an LT112, component by component."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from tomking.domain.book import Component
from tomking.domain.calendar import dte
from tomking.domain.intent import Close, Mark, Urgency
from tomking.rules import exits as out
from tomking.rules.schedule import data_time
from tomking.rules.strategy import Exit, Held, position_note
from tomking.strategies.lt112.conditions import put_delta
from tomking.strategies.lt112.settings import Settings
from tomking.strategies.lt112.weekly import is_weekly
from tomking.view import Own, View

DEFENCES = ("NP stop", "NP loss", "NP delta")
"""Triggers that close the naked puts to limit a loss."""


def exits_of(settings: Settings) -> tuple[Exit, ...]:
    return (
        Exit("21 DTE", Urgency.RULE, guardian=True, check=_last_days(settings)),
        out.stop_loss(
            "NP stop", settings.np_stop_credits, of=out.role("NP"), which=_np_with_spent_pds, defends=True
        ),
        out.loses_share_of_account("NP loss", settings.np_loss_share, which=out.role("NP"), defends=True),
        _np_exit("NP delta", _np_delta(settings)),
        out.stop_loss("weekly stop", settings.weekly_stop_credits, of=_weeklies, which=_weeklies),
        out.leave("weekly time", Urgency.RULE, _week_ends(settings), guardian=True, which=_weeklies),
        out.target_without_order(settings.np_target, which=out.role("NP")),
        out.target_without_order(settings.weekly_target, which=_weeklies),
        out.leave("PDS target", Urgency.RULE, _pds_gained(settings), which=out.role("PDS")),
        Exit("PDS trail", Urgency.RULE, guardian=False, check=_pds_trail(settings)),
    )


def _weeklies(own: Own, held: Held) -> list[Component]:
    return [c for c in held.parts if is_weekly(c)]


def _np_exit(trigger: str, why: out.Reason) -> Exit:
    return out.leave(
        trigger, Urgency.STOP, why, guardian=True, which=out.role("NP"), confirm=True, defends=True
    )


def _np_with_spent_pds(own: Own, held: Held) -> list[Component]:
    """The naked puts; with them the debit spread, unless it is worth more than it cost."""
    pair, spread = held.part("NP"), held.part("PDS")
    return [*pair, *(c for c in spread if pair and not _is_worth_more(own, held, c))]


def _is_worth_more(own: Own, held: Held, spread: Component) -> bool:
    value = own.closing_net(held.position, spread)
    return value is not None and value > -spread.entry_net


def _last_days(settings: Settings) -> Callable[[View, Own, Held], list[Close | Mark]]:
    """All parts opened above 21 DTE, as one order; a PDS left alone later, when it is exempt."""

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        old = [c for c in held.parts if c.opened_dte > settings.exit_dte]
        alone = settings.pds_exempt_from_21dte and not held.position.components["NP"].is_open
        days = settings.pds_exempt_dte if alone else settings.exit_dte
        if (
            not old
            or not out.last_days(view, old, days)
            or data_time(view) < view.session.at(settings.exit_from)
        ):
            return []
        left = dte(view.today, min(c.expiry for c in old))
        roles = tuple(c.role for c in old)
        return [
            Close(
                own.strategy,
                held.position.id,
                roles,
                Urgency.RULE,
                "21 DTE",
                f"{left} DTE, the rule is {days}",
            )
        ]

    return check


def _np_delta(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        delta = put_delta(view, own, held.position, chosen[0])
        return f"{delta:.0%} delta" if delta is not None and delta >= settings.np_delta_close else None

    return why


def _week_ends(settings: Settings) -> out.Reason:
    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        due = min(view.session.at(settings.weekly_exit), view.session.close - timedelta(hours=1))
        last = out.is_last_of_week(view) or any(c.expiry == view.today for c in chosen)
        return "the week ends" if last and view.now >= due else None

    return why


def _pds_gained(settings: Settings) -> out.Reason:
    """Half the debit is won after the naked puts went at their target."""

    def why(view: View, own: Own, held: Held, chosen: Sequence[Component]) -> str | None:
        pair, profit, debit = (
            held.position.components["NP"],
            own.profit(held.position, chosen),
            -chosen[0].entry_net,
        )
        if pair.is_open or pair.trigger in DEFENCES or profit is None or profit < settings.pds_gain * debit:
            return None
        return f"{profit:.2f} won on a debit of {debit:.2f}, the naked puts are gone"

    return why


def _pds_trail(settings: Settings) -> Callable[[View, Own, Held], list[Close | Mark]]:
    """After a defensive close of the naked puts: a share of its best value given back ends it."""

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        spread, pair = held.part("PDS"), held.position.components["NP"]
        value = own.closing_net(held.position, spread[0]) if spread else None
        if value is None or pair.is_open or pair.trigger not in DEFENCES:
            return []
        key = position_note(held.position, "best")
        best = Decimal(own.notes.get(key) or 0)
        if value > best:
            return [Mark(own.strategy, key, str(value))]
        if best <= -spread[0].entry_net or value > best * (1 - settings.pds_trail_share):
            return []
        reason = f"worth {value:.2f} after {best:.2f}"
        return [Close(own.strategy, held.position.id, ("PDS",), Urgency.RULE, "PDS trail", reason)]

    return check
