"""Limits on what may be held and how often: phase, ceilings, positions, entries, spacing, expiries."""

from bisect import bisect_right
from datetime import date, timedelta
from decimal import Decimal

from tomking.domain.book import Book, Position
from tomking.domain.money import ZERO
from tomking.domain.structure import Structure
from tomking.risk.availability import ES_EQUIVALENT
from tomking.risk.case import Allowance, Case, Limit, allowed, is_new, openings, refused

JOINED = allowed("joins an open position")


def phase_allows(case: Case) -> Allowance:
    """The strategy is unlocked, and in this product."""
    strategy, product, phase = case.wish.strategy, case.wish.product, case.phase
    place = case.places.get(strategy)
    if place is None:
        return refused(f"{strategy} is in no phase table")
    table = place.products
    if not table[phase]:
        return refused(f"{strategy} is not available in phase {phase}")
    if product not in table[phase]:
        return refused(
            f"{strategy} may not trade {product} in phase {phase}, only {', '.join(sorted(table[phase]))}"
        )
    return allowed()


def strategy_ceiling(case: Case) -> Allowance:
    """What one strategy may hold, working orders included; joined components do not count.

    0DTE and LT112 count ES-equivalents, the others positions (ruling 13).
    """
    if case.wish.joins:
        return JOINED
    place = case.places.get(case.wish.strategy)
    if place is not None and place.dynamic_base and case.settings.ceilings == "dynamic":
        return _positions_of(case, dynamic_most(case, place.dynamic_base))
    if place is not None and place.most is not None:
        return _positions_of(case, place.most(case.settings)[case.phase])
    held, most = _held(case), _ceiling(case)
    if most is None:
        return refused(f"{case.wish.strategy} is in no phase table")
    each = ES_EQUIVALENT.get(case.wish.product)
    if each is None:
        return refused(f"{case.wish.product} has no ES-equivalent")
    if case.wish.strategy == "friday_0dte" and case.phase == 0:
        lots, most_lots = held / each, case.settings.zero_dte_lots_phase_0
        return Allowance(max(0, most_lots - int(lots)), f"{lots:.0f} lots held, phase 0 allows {most_lots}")
    detail = f"{held} ES-equivalents held + {each} a unit, phase {case.phase} allows {most}"
    return Allowance(max(0, int((most - held) // each)), detail)


def dynamic_most(case: Case, base: int) -> int:
    """Positions at most: base x phase x VIX, rounded down, at least one; without a VIX as in the worst."""
    settings, vix = case.settings, case.view.vix
    row = len(settings.dynamic_vix_bounds) if vix is None else bisect_right(settings.dynamic_vix_bounds, vix)
    return max(1, int(base * settings.dynamic_phase_factors[case.phase] * settings.dynamic_vix_factors[row]))


def _positions_of(case: Case, most: int) -> Allowance:
    name, book = case.wish.strategy, case.book
    opening = sum(1 for w, _ in openings(book) if w.order.strategy == name and is_new(w, book))
    held = len(book.of(name)) + opening
    if held >= most:
        return refused(f"{held} positions of {name} held or being opened, phase {case.phase} allows {most}")
    return allowed()


def _ceiling(case: Case) -> Decimal | None:
    settings, phase = case.settings, case.phase
    if case.wish.strategy == "lt112":
        return settings.lt112_es_units[phase]
    if case.wish.strategy != "friday_0dte":
        return None
    large = phase == len(settings.zero_dte_es_units) - 1 and case.net_liq >= settings.zero_dte_large_usd
    return settings.zero_dte_es_units_large if large else settings.zero_dte_es_units[phase]


def _held(case: Case) -> Decimal:
    """ES-equivalents of one strategy: filled and still to be filled."""
    total = ZERO
    for position in case.book.of(case.wish.strategy):
        total += ES_EQUIVALENT.get(position.product, ZERO) * _units(position)
    for working, left in openings(case.book):
        order = working.order
        if order.strategy == case.wish.strategy and order.position == order.id:
            total += ES_EQUIVALENT.get(order.structure.product, ZERO) * left
    return total


def _units(position: Position) -> int:
    """Units of the opening trade that are still open in some component."""
    return max((one.units for one in position.open_components if one.trade == position.id), default=0)


def positions_allow(case: Case) -> Allowance:
    """Open positions and opening orders at work, whatever their units (ruling 13)."""
    if case.wish.joins:
        return JOINED
    if not case.counts(case.wish.strategy):
        return allowed("counts as no position")
    held = sum(1 for p in case.book.positions.values() if case.counts(p.strategy))
    held += sum(1 for w, _ in openings(case.book) if is_new(w, case.book) and case.counts(w.order.strategy))
    most = case.settings.positions_max[case.phase]
    if held >= most:
        return refused(f"{held} positions open or being opened, phase {case.phase} allows {most}")
    return allowed()


def _new_orders(book: Book) -> int:
    return sum(1 for working, _ in openings(book) if is_new(working, book))


def entries_allow(case: Case) -> Allowance:
    """New positions today, fewer in high VIX."""
    if case.wish.joins:
        return JOINED
    done, most = case.book.day.entries + _new_orders(case.book), entries_max(case)
    if done >= most:
        return refused(f"{done} new positions today, phase {case.phase} allows {most} at this VIX")
    return allowed()


def entries_max(case: Case) -> int:
    """A.3's number for the phase: three quarters above VIX 30 (at least 2), half above 40 (at least 1)."""
    settings, vix = case.settings, case.view.vix
    most = settings.entries_a_day_max[case.phase]
    if vix is not None and vix > settings.entries_crisis_vix:
        return max(1, most // 2)
    if vix is not None and vix > settings.entries_high_vix:
        return max(2, most * 3 // 4)
    return most


def spacing_allows(case: Case) -> Allowance:
    """Minutes since another strategy opened, and how many strategies are opening right now."""
    settings, strategy = case.settings, case.wish.strategy
    if case.wish.joins:
        return JOINED
    entering = {w.order.strategy for w, _ in openings(case.book)} | {strategy}
    most = settings.entering_max[case.phase]
    if len(entering) > most:
        return refused(
            f"{', '.join(sorted(entering))} would be entering at once, phase {case.phase} allows {most}"
        )
    if case.book.last_entry is None or case.book.last_entry[1] == strategy:
        return allowed()
    at, other = case.book.last_entry
    if case.view.now - at < timedelta(minutes=settings.entry_spacing_minutes):
        minutes = (case.view.now - at).total_seconds() / 60
        return refused(
            f"{other} entered {minutes:.1f} minutes ago, {settings.entry_spacing_minutes} are needed"
        )
    return allowed()


def expiry_allows(case: Case) -> Allowance:
    """Positions with short legs on one date; what joins one is counted against the others."""
    most, said = case.settings.same_expiry_max, []
    for expiry in sorted(_short_expiries(case.wish.structure)):
        count = len(_others(case, frozenset({expiry})))
        if count >= most:
            said.append(f"{count} other positions have short legs on {expiry}, limit {most}")
    return refused("; ".join(said)) if said else allowed()


def expiry_week_allows(case: Case) -> Allowance:
    """The same for one calendar week of expirations, Monday to Sunday."""
    most, said = case.settings.expiry_week_max, []
    for monday in sorted({_monday(expiry) for expiry in _short_expiries(case.wish.structure)}):
        count = len(_others(case, frozenset(monday + timedelta(days=n) for n in range(7))))
        if count >= most:
            said.append(
                f"{count} other positions have short legs that expire in the week of {monday}, limit {most}"
            )
    return refused("; ".join(said)) if said else allowed()


def _others(case: Case, dates: frozenset[date]) -> set[str]:
    """Ids of positions, held or being opened, with a short leg on one of ``dates``.

    Without the one that is joined: it stays one position (ruling 13).
    """
    book = case.book
    found = {
        position.id
        for position in book.positions.values()
        if any(dates & _short_expiries(one.structure) for one in position.open_components)
    }
    found |= {w.order.position for w, _ in openings(book) if dates & _short_expiries(w.order.structure)}
    return found - {case.wish.joins}


def _short_expiries(structure: Structure) -> set[date]:
    return {leg.contract.expiry for leg in structure.legs if leg.is_short}


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


COUNT_LIMITS = (
    Limit("phase", "PHASE", "A.4", phase_allows),
    Limit("strategy ceiling", "CAP", "A.4, ruling 13", strategy_ceiling),
    Limit("open positions", "CAP", "A.3, ruling 13", positions_allow),
    Limit("entries a day", "CAP", "A.3", entries_allow),
    Limit("entry spacing", "CAP", "A.3, B.0", spacing_allows),
    Limit("same expiry", "CORR", "C.2", expiry_allows),
    Limit("expiry week", "CORR", "B.2", expiry_week_allows),
)
