"""Limits that look at what is held: a threatened LT112 stops more than itself (methodology B.2, E.3)."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from tomking.domain.book import Component, Position
from tomking.domain.calendar import dte
from tomking.domain.chain import Chain
from tomking.domain.contract import Option, Right
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg
from tomking.risk.case import Allowance, Case, Limit, allowed, openings, refused

EQUITY_FAMILIES = frozenset({"SPX", "NDX", "RUT"})
"""Underlyings that fall together (ruling 13)."""
WORTH_A_LOOK = Decimal("0.5")
"""Of its entry price: what a naked put costs at least when its delta is looked up.

One that went from 5 delta at 120 days to 15 delta at 21 costs half of what it brought, or less, only
if its volatility fell to a third.
"""


def naked_puts_calm(case: Case) -> Allowance:
    """No new equity risk while an LT112's naked put is at 15 delta or more; what is only bought hedges."""
    if not case.wish.structure.has_short_leg:
        return allowed()
    if PRODUCTS[case.wish.product].family not in EQUITY_FAMILIES:
        return allowed()
    most, said = case.settings.naked_put_delta_max, []
    for position, component, put in _naked_puts(case):
        delta = _delta(case, position, component, put)
        if delta is None:
            said.append(f"{put} of {position.id} has no quote or no delta: it may be threatened")
        elif delta >= most:
            said.append(f"{put} of {position.id} is at {delta:.1%} delta: no new equity risk from {most:.0%}")
    return refused("; ".join(said)) if said else allowed()


def _naked_puts(case: Case) -> Iterator[tuple[Position, Component, Option]]:
    for position in case.book.of("lt112"):
        for component in position.open_components:
            if not _is_naked(component):
                continue
            for leg in component.structure.legs:
                if leg.is_short and isinstance(leg.contract, Option) and leg.contract.right is Right.PUT:
                    yield position, component, leg.contract


def _is_naked(component: Component) -> bool:
    """More puts sold than bought."""
    ratios = (
        leg.ratio
        for leg in component.structure.legs
        if isinstance(leg.contract, Option) and leg.contract.right is Right.PUT
    )
    return sum(ratios) < 0


def _delta(case: Case, position: Position, component: Component, put: Option) -> float | None:
    """Absolute; 0 for a put that is far too cheap for it to matter, None when it cannot be told."""
    mids = [None if quote is None else quote.mid for quote in case.view.quotes(component.structure.contracts)]
    known = [mid for mid in mids if mid is not None]
    if len(known) < len(mids):
        return None
    if component.structure.net(known) < WORTH_A_LOOK * component.entry_net:
        return 0.0
    chain = case.view.chain(position.product, put.expiry)
    return None if chain is None else _put_delta(chain, put)


def _put_delta(chain: Chain, put: Option) -> float | None:
    """Its own or, where today's chain does not list it, that of the next higher strike: never too little."""
    rows = np.flatnonzero(
        (chain.right < 0) & (chain.strike >= int(put.strike / chain.strike_unit)) & np.isfinite(chain.delta)
    )
    return abs(float(chain.delta[rows[0]])) if len(rows) else None


def exits_done(case: Case) -> Allowance:
    """No new 0DTE while an LT112 is on its way out at 21 DTE."""
    if case.wish.strategy != "friday_0dte":
        return allowed()
    said = [
        f"{position.id} must be closed at {case.settings.exit_dte} DTE ({', '.join(due)}): no new 0DTE before"
        for position in case.book.of("lt112")
        if (due := [one.role for one in position.open_components if _is_due(case, one)])
    ]
    return refused("; ".join(said)) if said else allowed()


def _is_due(case: Case, component: Component) -> bool:
    """Ruling 10: opened above 21 DTE with a short leg, and the first session at or below it is here.

    A debit spread that is alone counts while its exit works: it may be exempt by its strategy's settings.
    """
    line, today = case.settings.exit_dte, case.view.today
    if component.opened_dte <= line or not component.structure.has_short_leg:
        return False
    if not (component.closing or _is_naked(component)):
        return False
    following = case.view.sessions.after(today)
    left = dte(today, component.expiry)
    return left <= line or (following is not None and dte(following.date, component.expiry) < line)


def sides_agree(case: Case) -> Allowance:
    """No contract is held long by one position and short by another.

    The broker keeps one number for each contract: the two would net to nothing there, and the strict close of
    either is refused, for there is no position for it to close (reliability T6).  What is being opened counts
    as held.
    """
    wanted = {leg.contract: leg.ratio for leg in case.wish.structure.legs}
    said = [
        f"{whose} {'holds' if held else 'is opening'} {leg.contract} {'long' if leg.ratio > 0 else 'short'}"
        for whose, held, leg in _legs(case)
        if wanted.get(leg.contract, 0) * leg.ratio < 0
    ]
    return refused(f"the broker nets both sides of a contract: {'; '.join(said)}") if said else allowed()


def _legs(case: Case) -> Iterator[tuple[str, bool, Leg]]:
    """Each leg that is held or being opened, and whose it is."""
    for position in case.book.positions.values():
        for component in position.open_components:
            for leg in component.structure.legs:
                yield position.id, True, leg
    for working, _ in openings(case.book):
        for leg in working.order.structure.legs:
            yield f"order {working.order.id}", False, leg


HELD_LIMITS = (
    Limit("one side a contract", "STRUCT", "decision 214", sides_agree),
    Limit("naked puts", "CORR", "B.2", naked_puts_calm),
    Limit("21-DTE exits", "CORR", "E.3", exits_done),
)
