"""Micro against full contracts: how many of each, and when full ones have been earned (methodology C.13)."""

from tomking.domain.book import Position
from tomking.risk.case import Allowance, Case, Limit, allowed, openings, refused
from tomking.risk.coordination import UNITS_MAX
from tomking.risk.progress import earned_phase, full_size_requirements, requirements, small_of


def full_size_allows(case: Case) -> Allowance:
    """Full-size contracts are earned by closed trades; micros, tenths and budgets need nothing.

    C.13 names what any of them asks for.  Beyond that it must stand in A.4's row for the phase that is
    earned, not only reached by value (ruling 5).  Where phases follow net liq alone, nothing is asked
    (decision 208).
    """
    settings, product = case.settings, case.wish.product
    small = small_of(product)
    if settings.phase_gating == "value" or small is None or case.is_budgeted:
        return allowed()
    today = case.view.today
    asked = full_size_requirements(case.book, case.net_liq, today, settings)
    earned = min(earned_phase(case.book, today, settings), case.phase)
    place = case.places.get(case.wish.strategy)
    if place is not None and product not in place.products[earned]:
        following = min(earned + 1, len(place.products) - 1)
        asked += requirements(case.book, following, today, settings, in_phase=False)
    lacking = "; ".join(f"{one.name} {one.reached} of {one.needed}" for one in asked if not one.met)
    return refused(f"{product} is not earned yet ({lacking}): trade {small}") if lacking else allowed()


def contracts_allow(case: Case) -> Allowance:
    """Units in one product by phase, of all strategies that are counted in positions.

    0DTE and LT112 have ceilings of their own in ES-equivalents, which go before (A.4, ruling 13).
    """
    product = case.wish.product
    table = UNITS_MAX.get(product)
    if table is None or case.wish.joins or not _is_counted(case, case.wish.strategy):
        return allowed()
    most = getattr(case.settings, table)[case.phase]
    held = sum(
        _units(position)
        for position in case.book.positions.values()
        if position.product == product and _is_counted(case, position.strategy)
    )
    held += sum(
        left
        for working, left in openings(case.book)
        if working.order.structure.product == product and _is_counted(case, working.order.strategy)
    )
    return Allowance(max(0, most - held), f"{held} units in {product} held, phase {case.phase} allows {most}")


def _is_counted(case: Case, strategy: str) -> bool:
    place = case.places.get(strategy)
    return place is not None and place.most is not None


def _units(position: Position) -> int:
    return max((one.units for one in position.open_components), default=0)


CONTRACT_LIMITS = (
    Limit("full size", "PHASE", "A.2, C.13, ruling 5", full_size_allows),
    Limit("contracts", "CAP", "C.13", contracts_allow),
)
