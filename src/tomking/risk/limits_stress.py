"""Limits on what the book and the candidate would lose, and be asked for, in a shock (C.7)."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomking.domain.products import PRODUCTS
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.expansion import Margins, cells, needs_of, stressed_margins, unit_need
from tomking.risk.shocks import S5, S10, S20, VOL, Shock, binding_shocks, shock_table
from tomking.risk.stress import Stressed, book_and_unit, stressed

Floats = NDArray[np.float64]

NO_VIX = refused("no VIX, no shocks")


def s5_allows(case: Case) -> Allowance:
    return _within(case, S5, case.settings.stress_5_share_max)


def s10_allows(case: Case) -> Allowance:
    return _within(case, S10, case.settings.stress_10_share_max[case.phase])


def s20_allows(case: Case) -> Allowance:
    return _within(case, S20, case.settings.stress_20_share_max[case.phase])


def _within(case: Case, name: str, share: Decimal) -> Allowance:
    """Units for which the loss of book and candidate together stays within a share of net liq."""
    found = stress_of(case)
    if found is None:
        return NO_VIX
    column = found.stressed.column(name)
    return _room(case, name, float(found.lost[column]), float(found.each[column]), share)


def group_allows(case: Case) -> Allowance:
    """The candidate's correlation group in the shocks that hit it; the tightest of them."""
    found = stress_of(case)
    if found is None:
        return NO_VIX
    group = PRODUCTS[case.wish.product].group
    used = found.stressed.losses(found.stressed.held & found.stressed.of_group(group))
    share = case.settings.stress_group_share_max
    answers = [
        _room(case, f"group {group} under {name}", float(used[i]), float(found.each[i]), share)
        for name in binding_shocks(group)
        for i in (found.stressed.column(name),)
    ]
    return min(answers, key=lambda answer: (answer.units is None, answer.units or 0))


def _room(case: Case, what: str, used: float, each: float, share: Decimal) -> Allowance:
    """What gains in the shock is permitted whatever the book has lost: it lowers the loss."""
    limit = float(share * case.net_liq)
    detail = (
        f"{what}: {_dollars(used)} lost by what is held + {_dollars(each)} a unit, "
        f"limit ${limit:,.0f} ({share:.1%} of net liq ${case.net_liq:,.0f})"
    )
    if not np.isfinite(used + each):
        return refused(f"{what}: a leg has no price to be stressed from")
    if each <= 0:
        return allowed(detail)
    return Allowance(max(0, int((limit - used) // each)), detail)


def _dollars(amount: float) -> str:
    return f"-${-amount:,.0f}" if amount < 0 else f"${amount:,.0f}"


def fresh_enough(case: Case) -> Allowance:
    """C.6: no entries while too much of the book's volatility risk rests on stale legs."""
    found = stress_of(case)
    if found is None:
        return NO_VIX
    share, most = found.stressed.stale_share(), case.settings.stale_vega_share_max
    words = f"{share:.0%} of gross {VOL} rests on legs without a quote, limit {most:.0%}"
    return allowed(words) if share <= most else refused(words)


def expansion_allows(case: Case) -> Allowance:
    """Margin after every cell of the grid against the net liq that is left there; the tightest cell."""
    found = stress_of(case)
    if found is None:
        return NO_VIX
    margins, share = _margins(case, found), float(case.settings.stressed_margin_share_max)
    room = share * (float(case.net_liq) - found.lost[found.first :]) - margins.book
    each = margins.unit + share * found.each[found.first :]
    if not np.isfinite(room + each).all():
        return refused("a leg has no price to be stressed from")
    asks = each > 0
    if not asks.any():
        return allowed("no cell asks for more")
    units = np.full(room.size, np.inf)
    units[asks] = np.maximum(0.0, room[asks] // each[asks])
    tightest = int(units.argmin())
    return Allowance(int(units[tightest]), _cell_words(case, found, margins, tightest))


def _cell_words(case: Case, found: "CaseStress", margins: Margins, cell: int) -> str:
    shock = found.stressed.shocks[found.first + cell]
    left = float(case.net_liq) - float(found.lost[found.first + cell])
    return (
        f"{_name(shock)}: margin ${margins.book[cell]:,.0f} held + ${margins.unit[cell]:,.0f} a unit, which "
        f"also loses {_dollars(float(found.each[found.first + cell]))}, of ${left:,.0f} net liq left there, "
        f"limit {case.settings.stressed_margin_share_max:.0%}"
    )


def _name(shock: Shock) -> str:
    return shock.name or f"index {shock.move:+.0%}, VIX {shock.vix:+.1f}"


class CaseStress(NamedTuple):
    """Book and one unit in the table's shocks and then the grid's cells."""

    stressed: Stressed
    first: int
    """Column of the first cell."""
    lost: Floats
    """Dollars by what is held and being opened, (s,)."""
    each: Floats
    """Dollars by one unit, (s,)."""


def stress_of(case: Case) -> CaseStress | None:
    """Worked out once for all limits; None without a VIX."""
    if "stress" not in case.worked_out:
        case.worked_out["stress"] = _stress(case)
    found = case.worked_out["stress"]
    assert found is None or isinstance(found, CaseStress)
    return found


def stressed_case(case: Case) -> Stressed | None:
    """The legs of book and unit in every shock, for limits that look at the legs; None without a VIX."""
    found = stress_of(case)
    return None if found is None else found.stressed


def _stress(case: Case) -> CaseStress | None:
    vix = case.view.vix
    if vix is None:
        return None
    lines = book_and_unit(case.book, case.wish.structure, case.wish.strategy)
    table = shock_table(vix, case.settings)
    found = stressed(lines, case.view, (*table, *cells(case.settings)), case.settings)
    held = found.held
    return CaseStress(found, len(table), found.losses(held), found.losses(~held))


def _margins(case: Case, found: CaseStress) -> Margins:
    mid = 0.0 if case.mid is None else float(case.mid)
    needs = [*needs_of(case.book), unit_need(case.wish.structure, mid, float(case.margin))]
    whole, first, vix = found.stressed, found.first, case.view.vix
    assert vix is not None
    inside = Stressed(whole.exposure, whole.shocks[first:], whole.base, whole.prices[:, first:])
    return stressed_margins(needs, inside, case.view, vix, case.settings)


STRESS_LIMITS = (
    Limit("stale legs", "DATA", "C.6", fresh_enough),
    Limit("stress S-5", "SIZE", "C.7", s5_allows),
    Limit("stress S-10", "SIZE", "A.3, C.7", s10_allows),
    Limit("stress S-20", "SIZE", "A.3, C.7", s20_allows),
    Limit("group stress", "SIZE", "C.5", group_allows),
    Limit("margin expansion", "SIZE", "decision 210", expansion_allows),
)
