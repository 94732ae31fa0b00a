"""Profit and loss of a whole position in dollars, with the components that are closed already.

What a roll or a lifted leg has realised belongs to the trade: a target or a stop that looked only at what
is still open would forget it.  Dollars, because components that joined later may be of another size.
"""

from collections.abc import Callable
from decimal import Decimal

from tomking.domain.book import Position
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO
from tomking.rules import exits as out
from tomking.rules.strategy import Exit, Held
from tomking.view import Own, View

Dollars = Callable[[Own, Position], Decimal | None]
"""An amount for all units of a position; None while it is not known."""


def profit(own: Own, position: Position) -> Decimal | None:
    """Dollars won so far, all units, at mids and before fees; None where a mid is missing."""
    total = ZERO
    for one in position.components.values():
        total += one.dollars
        if one.is_open:
            net = own.closing_net(position, one)
            if net is None:
                return None
            total += net * one.units * one.structure.multiplier
    return total


def received(position: Position) -> Decimal:
    """Dollars the opening order brought for all units; negative where it was a debit."""
    first = next(iter(position.components.values())).kind
    return sum(
        (
            one.entry_net * one.filled_units * one.structure.multiplier
            for one in position.components.values()
            if one.kind == first
        ),
        ZERO,
    )


def wins(trigger: str, enough: Dollars) -> Exit:
    """The whole position has won ``enough``."""

    def why(view: View, own: Own, held: Held, chosen: object) -> str | None:
        won, least = profit(own, held.position), enough(own, held.position)
        if won is None or least is None or least <= 0 or won < least:
            return None
        return f"${won:,.0f} won, ${least:,.0f} is enough"

    return out.leave(trigger, Urgency.RULE, why)


def loses(trigger: str, most: Dollars) -> Exit:
    """The whole position has lost ``most``, observed twice."""

    def why(view: View, own: Own, held: Held, chosen: object) -> str | None:
        won, limit = profit(own, held.position), most(own, held.position)
        if won is None or limit is None or limit <= 0 or -won < limit:
            return None
        return f"${-won:,.0f} lost, the limit is ${limit:,.0f}"

    return out.leave(trigger, Urgency.STOP, why, guardian=True, confirm=True)


def share_of_debit(share: Decimal) -> Dollars:
    """Of what the opening order cost."""

    def dollars(own: Own, position: Position) -> Decimal:
        return share * -received(position)

    return dollars


def share_of_credit(share: Decimal) -> Dollars:
    """Of what the opening order brought; 2 is twice as much."""

    def dollars(own: Own, position: Position) -> Decimal:
        return share * received(position)

    return dollars


def share_of_account(share: Decimal) -> Dollars:
    """Of net liq."""

    def dollars(own: Own, position: Position) -> Decimal:
        return share * own.net_liq

    return dollars
