"""Limits on what the book and the candidate would lose, and be asked for, in a shock (C.7)."""

from decimal import Decimal

import numpy as np

from tomking.domain.products import PRODUCTS
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.expansion import Margins, cells, needs_of, stressed_margins, unit_need
from tomking.risk.shocks import S5, S10, S20, VOL, Shock, binding_shocks, shock_table
from tomking.risk.stress import Stressed, book_and_unit, stressed

NO_VIX = refused("no VIX, no shocks")


def s5_allows(case: Case) -> Allowance:
    return _within(case, S5, case.settings.stress_5_share_max)


def s10_allows(case: Case) -> Allowance:
    return _within(case, S10, case.settings.stress_10_share_max[case.phase])


def s20_allows(case: Case) -> Allowance:
    return _within(case, S20, case.settings.stress_20_share_max[case.phase])


def _within(case: Case, name: str, share: Decimal) -> Allowance:
    """Units for which the loss of book and candidate together stays within a share of net liq."""
    found = stressed_case(case)
    if found is None:
        return NO_VIX
    held, column = found.held, found.column(name)
    used, each = float(found.losses(held)[column]), float(found.losses(~held)[column])
    return _room(case, name, used, each, share)


def group_allows(case: Case) -> Allowance:
    """The candidate's correlation group in the shocks that hit it; the tightest of them."""
    found = stressed_case(case)
    if found is None:
        return NO_VIX
    group = PRODUCTS[case.wish.product].group
    held, mine = found.held, found.of_group(group)
    used, each = found.losses(held & mine), found.losses(~held & mine)
    share = case.settings.stress_group_share_max
    answers = [
        _room(case, f"group {group} under {name}", float(used[i]), float(each[i]), share)
        for name in binding_shocks(group)
        for i in (found.column(name),)
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
    found = stressed_case(case)
    if found is None:
        return NO_VIX
    share, most = found.stale_share(), case.settings.stale_vega_share_max
    words = f"{share:.0%} of gross {VOL} rests on legs without a quote, limit {most:.0%}"
    return allowed(words) if share <= most else refused(words)


def expansion_allows(case: Case) -> Allowance:
    """Margin after every cell of the grid against the net liq that is left there; the tightest cell."""
    found = stressed_case(case)
    if found is None:
        return NO_VIX
    margins, share = _margins(case, found), float(case.settings.stressed_margin_share_max)
    first = _table_size(case)
    gains, held = found.gains[:, first:], found.held
    room = share * (float(case.net_liq) + gains[held].sum(axis=0)) - margins.book
    each = margins.unit - share * gains[~held].sum(axis=0)
    if not np.isfinite(room + each).all():
        return refused("a leg has no price to be stressed from")
    asks = each > 0
    if not asks.any():
        return allowed("no cell asks for more")
    units = np.full(room.size, np.inf)
    units[asks] = np.maximum(0.0, room[asks] // each[asks])
    tightest = int(units.argmin())
    return Allowance(int(units[tightest]), _cell_words(case, found, margins, tightest))


def _cell_words(case: Case, found: Stressed, margins: Margins, cell: int) -> str:
    first = _table_size(case)
    shock = found.shocks[first + cell]
    gains, held = found.gains[:, first + cell], found.held
    left = float(case.net_liq) + float(gains[held].sum())
    return (
        f"{_name(shock)}: margin ${margins.book[cell]:,.0f} held + ${margins.unit[cell]:,.0f} a unit, which "
        f"also loses {_dollars(-float(gains[~held].sum()))}, of ${left:,.0f} net liq left there, "
        f"limit {case.settings.stressed_margin_share_max:.0%}"
    )


def _name(shock: Shock) -> str:
    return shock.name or f"index {shock.move:+.0%}, VIX {shock.vix:+.1f}"


def stressed_case(case: Case) -> Stressed | None:
    """Book and one unit in the table's shocks and then the grid's cells; None without a VIX."""
    if "stressed" not in case.worked_out:
        case.worked_out["stressed"] = _stress(case)
    found = case.worked_out["stressed"]
    assert found is None or isinstance(found, Stressed)
    return found


def _stress(case: Case) -> Stressed | None:
    vix = case.view.vix
    if vix is None:
        return None
    lines = book_and_unit(case.book, case.wish.structure, case.wish.strategy)
    shocks = (*shock_table(vix, case.settings), *cells(case.settings))
    return stressed(lines, case.view, shocks, case.settings)


def _table_size(case: Case) -> int:
    return len(shock_table(case.view.vix or 0.0, case.settings))


def _margins(case: Case, found: Stressed) -> Margins:
    mid = 0.0 if case.mid is None else float(case.mid)
    needs = [*needs_of(case.book), unit_need(case.wish.structure, mid, float(case.margin))]
    first, vix = _table_size(case), case.view.vix
    assert vix is not None
    inside = Stressed(found.exposure, found.shocks[first:], found.base, found.prices[:, first:])
    return stressed_margins(needs, inside, case.view, vix, case.settings)


STRESS_LIMITS = (
    Limit("stale legs", "DATA", "C.6", fresh_enough),
    Limit("stress S-5", "SIZE", "C.7", s5_allows),
    Limit("stress S-10", "SIZE", "A.3, C.7", s10_allows),
    Limit("stress S-20", "SIZE", "A.3, C.7", s20_allows),
    Limit("group stress", "SIZE", "C.5", group_allows),
    Limit("margin expansion", "SIZE", "decision 210", expansion_allows),
)
