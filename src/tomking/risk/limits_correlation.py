"""Limits on how alike positions are: groups, equities together, short volatility, moving together (C.5)."""

from collections.abc import Sequence
from decimal import Decimal

from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS, never_traded
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.groups import (
    BULLISH,
    EQUITY,
    NO_GROUP,
    SHORT_VOL,
    Counted,
    correlation,
    counted,
    group_limit,
    group_of,
    weight_of,
)

JOINED = allowed("joins an open position")
UNCOUNTED = allowed("counts in no group")


def symbol_known(case: Case) -> Allowance:
    """What no group knows is blocked, and so is what is never traded (A.5)."""
    product = case.wish.product
    never = never_traded(product)
    if never is not None:
        return refused(never)
    if not group_of(case.wish.strategy, product):
        return refused(f"{product} is in no correlation group")
    return allowed()


def group_allows(case: Case) -> Allowance:
    """The weights in the candidate's group, the candidate's own included.

    Positions whose family moves with the candidate's at more than the limit count in its group too.  Within
    equities the combined limit does that: SPY moves with ES on every day.
    """
    weight, group = _own(case)
    if not weight:
        return UNCOUNTED if case.wish.joins is None else JOINED
    most = group_limit(group, case.phase, case.view.vix, case.settings)
    rows = _rows(case)
    inside = [row for row in rows if row.group == group]
    moving, said, watched = _moving_together(case, [row for row in rows if row.group != group])
    total = _sum(inside) + _sum(moving) + weight
    words = f"{group} would hold {_words(total)} of {_words(most)} in phase {case.phase}"
    words += f" ({_names(inside)})" if inside else ""
    words += f", with {said}" if said else ""
    return Allowance(0 if total > most else None, words, warning=watched)


def _moving_together(case: Case, rows: Sequence[Counted]) -> tuple[list[Counted], str, str]:
    """Rows of other groups that count here for their correlation; their words; what is only watched."""
    settings, family = case.settings, PRODUCTS[case.wish.product].family
    own = group_of(case.wish.strategy, case.wish.product)
    moving: list[Counted] = []
    said: dict[str, None] = {}
    watched: dict[str, None] = {}
    for row in rows:
        if not row.weight or row.family == family or {own, row.group} <= EQUITY:
            continue
        found = correlation(case.view, family, row.family, settings.correlation_days)
        if found is None or found <= settings.correlation_share_watched:
            continue
        words = f"{row.family} at a correlation of {found:.2f}"
        if found > settings.correlation_share_max:
            moving.append(row)
            said[words] = None
        else:
            watched[words] = None
    return moving, ", ".join(said), ", ".join(watched)


def equities_allow(case: Case) -> Allowance:
    """A1 and A2 together: nearly every strategy is the same trade."""
    weight, group = _own(case)
    if not weight or group not in EQUITY:
        return UNCOUNTED
    rows = [row for row in _rows(case) if row.group in EQUITY]
    total, most = _sum(rows) + weight, case.settings.equity_positions_max
    words = f"equities would hold {_words(total)} of {_words(most)}"
    words += f" ({_names(rows)})" if rows else ""
    return refused(words) if total > most else allowed(words)


def short_vol_allows(case: Case) -> Allowance:
    """Short-volatility positions of all groups, by the same weights."""
    if case.wish.joins is not None:
        return JOINED
    if case.wish.strategy not in SHORT_VOL:
        return allowed("is not short of volatility as a whole")
    rows = [row for row in _rows(case) if row.strategy in SHORT_VOL]
    total, most = _sum(rows) + weight_of(case.wish.strategy, case.settings), case.settings.short_vol_max
    words = f"{_words(total)} short-volatility positions of {most}"
    words += f" ({_names(rows)})" if rows else ""
    return refused(words) if total > most else allowed(words)


def stack_watched(case: Case) -> Allowance:
    """LT112, LEAP-put income and IPMCC together: a warning, no refusal (V17)."""
    if case.wish.joins is not None or case.wish.strategy not in BULLISH:
        return allowed()
    count = 1 + sum(1 for row in _rows(case) if row.strategy in BULLISH)
    if count < case.settings.bullish_stack_max:
        return allowed()
    words = f"{count} bullish positions (LT112, LEAP-put income, IPMCC) together"
    return Allowance(None, words, warning=words)


def strategies_allow(case: Case) -> Allowance:
    """Strategies that hold risk on the S&P 500 at once (C.6); hedges and flies are none."""
    weight, _ = _own(case)
    if not weight or PRODUCTS[case.wish.product].family != "SPX":
        return UNCOUNTED
    names = {row.strategy for row in _rows(case) if row.family == "SPX" and row.weight}
    most = case.settings.spx_strategies_max
    if case.wish.strategy in names or len(names) < most:
        return allowed()
    return refused(f"{', '.join(sorted(names))} hold risk on SPX, limit {most} strategies")


def _own(case: Case) -> tuple[Decimal, str]:
    """What the candidate adds to its group: nothing when it joins (ruling 13), or is a hedge."""
    group = group_of(case.wish.strategy, case.wish.product)
    if case.wish.joins is not None or group in NO_GROUP or not group:
        return ZERO, group
    return weight_of(case.wish.strategy, case.settings), group


def _rows(case: Case) -> list[Counted]:
    if "counted" not in case.worked_out:
        case.worked_out["counted"] = list(counted(case.book, case.settings))
    found = case.worked_out["counted"]
    assert isinstance(found, list)
    return found


def _sum(rows: Sequence[Counted]) -> Decimal:
    return sum((row.weight for row in rows), ZERO)


def _names(rows: Sequence[Counted]) -> str:
    return ", ".join(row.strategy for row in rows if row.weight) or "nothing that counts"


def _words(number: Decimal) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


CORRELATION_LIMITS = (
    Limit("symbol", "CORR", "C.5, A.5", symbol_known),
    Limit("correlation group", "CORR", "C.5", group_allows),
    Limit("equities together", "CORR", "C.5", equities_allow),
    Limit("short volatility", "CORR", "C.5", short_vol_allows),
    Limit("SPX strategies", "CORR", "C.6", strategies_allow),
    Limit("bullish stack", "CORR", "C.5", stack_watched),
)
