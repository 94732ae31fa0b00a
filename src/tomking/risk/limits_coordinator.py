"""Limits between strategies that want the same buying power (methodology E.5)."""

from decimal import Decimal

from tomking.domain.calendar import dte
from tomking.domain.intent import Urgency
from tomking.domain.money import ZERO
from tomking.domain.structure import Structure
from tomking.risk.case import Allowance, Case, Limit, allowed, fits, openings, refused, reserved
from tomking.risk.regime import capital_cap

SHARES = {
    "friday_0dte": "zero_dte_cap_share",
    "lt112": "lt112_cap_share",
    "futures_strangle": "futures_strangle_cap_share",
    "ipmcc": "ipmcc_cap_share",
}
"""Strategy to the setting of its share; all others have one together."""


def others_are_known(case: Case) -> Allowance:
    """Nothing is opened while a strategy that raised still has an order at work that may fill."""
    said = []
    for working in case.book.orders.values():
        order = working.order
        if order.strategy in case.book.quarantined and order.urgency is not Urgency.TARGET:
            said.append(f"{order.strategy} raised an error and its order {order.id} is still at work")
    return refused("; ".join(said)) if said else allowed()


def priority_allows(case: Case) -> Allowance:
    """With most of the margin in use what is left is for those of high priority."""
    place, most = case.places.get(case.wish.strategy), case.settings.high_priority_margin_share
    used = case.account.margin + reserved(case.book, case.settings)
    share = used / case.net_liq if case.net_liq > 0 else Decimal(1)
    if share <= most or case.margin <= 0 or (place is not None and place.high_priority):
        return allowed()
    return refused(f"margin in use is {share:.0%} of net liq, above {most:.0%} only the 0DTE enters")


def share_allows(case: Case) -> Allowance:
    """Its share of the VIX cap; in the week's last session what the others left is lent (soft)."""
    settings, vix, name = case.settings, case.view.vix, case.wish.strategy
    if settings.cap_shares == "off" or case.is_budgeted or case.margin <= 0:
        return allowed()
    if vix is None:
        return refused("no VIX, no cap to share")
    if settings.cap_shares == "soft" and _is_last_of_week(case):
        return allowed("the week's last session: unused shares are lent")
    cap, _ = capital_cap(case.book, vix, settings)
    share: Decimal = getattr(settings, SHARES.get(name, "other_cap_share"))
    whose = name if name in SHARES else "all strategies without a share of their own"
    what = f"{whose}: {share:.0%} of the cap of {cap:.0%}"
    return fits(case, what, _used(case), case.margin, share * cap)


def _used(case: Case) -> Decimal:
    """Dollars of margin of those who share with the wish's strategy, orders at work included."""
    name = case.wish.strategy

    def shares(strategy: str) -> bool:
        place = case.places.get(strategy)
        if name in SHARES:
            return strategy == name
        return strategy not in SHARES and not (place is not None and place.budgeted)

    held = sum((dollars for who, dollars in case.account.by_strategy.items() if shares(who)), ZERO)
    working = (
        w.order.margin * left / w.order.units for w, left in openings(case.book) if shares(w.order.strategy)
    )
    return held + case.settings.reservation_factor * sum(working, ZERO)


def _is_last_of_week(case: Case) -> bool:
    today, following = case.view.today, case.view.sessions.after(case.view.today)
    return following is None or dte(today, following.date) >= 7 - today.weekday()


def apart_from_lt112(case: Case) -> Allowance:
    """A calendarized 1-1-2 takes no expiry that an LT112 has (B.3)."""
    if case.wish.strategy != "calendarized_112":
        return allowed()
    taken = {
        contract.expiry
        for position in case.book.of("lt112")
        for one in position.open_components
        for contract in one.structure.contracts
    }
    taken |= {
        contract.expiry
        for working, _ in openings(case.book)
        if working.order.strategy == "lt112"
        for contract in working.order.structure.contracts
    }
    both = sorted(taken & _expiries(case.wish.structure))
    return refused(f"an LT112 holds {', '.join(map(str, both))}") if both else allowed()


def _expiries(structure: Structure) -> set[object]:
    return {contract.expiry for contract in structure.contracts}


COORDINATOR_LIMITS = (
    Limit("LT112's expiries", "CORR", "B.3", apart_from_lt112),
    Limit("unknown orders", "LOCK", "E.5", others_are_known),
    Limit("priority", "LOCK", "E.5", priority_allows),
    Limit("share of the cap", "LOCK", "E.5", share_allows),
)
