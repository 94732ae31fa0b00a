"""The parts of an IPMCC: one LEAP, and weekly calls numbered by their expiry, never more than it covers."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from tomking.domain.book import Component, Position
from tomking.domain.contract import Option
from tomking.rules.schedule import Days
from tomking.rules.strategy import Held
from tomking.view import Own

LEAP = "LEAP"
SALE_DAYS = Days(weekday=4, moves=False, earlier=True)
"""Fridays; the session before where Friday is closed."""


class Uncovered(Exception):
    """More calls are sold than the LEAP covers, or one outlives it."""


def weekly_role(expiry: date) -> str:
    return f"weekly {expiry}"


def is_weekly(component: Component) -> bool:
    return component.role.startswith("weekly ")


def weeklies(position: Position) -> list[Component]:
    """Oldest first."""
    return [one for one in position.components.values() if is_weekly(one)]


def open_weekly(position: Position) -> Component | None:
    return next((one for one in position.open_components if is_weekly(one)), None)


def call_of(component: Component) -> Option:
    """Its only contract; not to be asked of one that an assignment changed."""
    (contract,) = component.structure.contracts
    assert isinstance(contract, Option), f"{component.role} holds {contract}"
    return contract


def lost_share(own: Own, position: Position) -> Decimal | None:
    """What the LEAP has lost of its cost, a share (< 0: won); None while it has no mid."""
    leap = position.components[LEAP]
    value = own.closing_net(position, leap)
    return None if value is None else (leap.entry_net + value) / leap.entry_net


def assert_covered(position: Position) -> None:
    """``Uncovered`` unless every open call has an open LEAP that lives longer, contract by contract."""
    leap = position.components[LEAP]
    sold = [one for one in position.open_components if is_weekly(one) and not one.delivered]
    if sum(one.units for one in sold) > leap.units:
        raise Uncovered(f"{position.id}: {len(sold)} calls sold against {leap.units} LEAPs: buy them back")
    if any(one.expiry >= leap.expiry for one in sold):
        raise Uncovered(f"{position.id}: a call outlives the LEAP of {leap.expiry}: buy it back")


# -- what exits close -----------------------------------------------------------------------------


def the_weekly(own: Own, held: Held) -> Sequence[Component]:
    return [one for one in held.parts if is_weekly(one)]


def both(own: Own, held: Held) -> Sequence[Component]:
    """The LEAP with its call; the call alone first, while one order cannot take both.

    A call that is being bought back, that has no quote or is of another size (decision 303) must be gone
    before its cover goes.
    """
    leap, sold = held.part(LEAP), open_weekly(held.position)
    if sold is None or not leap:
        return leap
    if sold.role not in held.by_role:
        return ()
    same = (sold.units, sold.structure.multiplier) == (leap[0].units, leap[0].structure.multiplier)
    return (*leap, sold) if same and own.closing_net(held.position, sold) is not None else (sold,)
