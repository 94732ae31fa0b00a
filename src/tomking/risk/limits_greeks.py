"""Limits on the Greeks of book and candidate together: delta, overnight gamma, vega; theta warns (A.3, C.6).

A candidate that does not deepen what is limited is permitted whatever the book holds: it lowers the risk.
"""

from datetime import date
from decimal import Decimal

import numpy as np

from tomking.domain import cpi, fomc
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.greeks import SPY_AT_5500, Greeks, greeks_of
from tomking.risk.limits_stress import stressed_case
from tomking.risk.settings import Settings

UNKNOWN = refused("a leg has no price, so the Greeks are unknown")
NO_VIX = refused("no VIX, no Greeks")


def delta_allows(case: Case) -> Allowance:
    """Delta of the equity complex either way, in SPY shares at 550 dollars; half of it on event days."""
    found = greeks_in(case)
    if found is None:
        return NO_VIX
    used, each = found.used("delta"), found.each("delta")
    limit, why = delta_limit(case)
    return _either_way(case, f"delta in SPY shares{why}", used, each, limit)


def delta_limit(case: Case) -> tuple[float, str]:
    """The lower of the phase's number and the multiple of net liq, and why it is halved."""
    return delta_shares_allowed(case.settings, case.phase, case.net_liq, case.view.today)


def delta_shares_allowed(settings: Settings, phase: int, net_liq: Decimal, today: date) -> tuple[float, str]:
    """The same without a case: of a phase, at a net liq in dollars, on a day."""
    by_net_liq = float(settings.delta_net_liq_multiple * net_liq) / SPY_AT_5500
    limit = min(float(settings.delta_shares_max[phase]), max(0.0, by_net_liq))
    if not _is_event_day(today):
        return limit, ""
    return limit * float(settings.delta_event_share), " on an FOMC or CPI day"


def _is_event_day(day: date) -> bool:
    return fomc.fomc_on(day) or cpi.cpi_on(day)


def gamma_allows(case: Case) -> Allowance:
    """Overnight: what expires today is limited by its greatest loss instead."""
    found = greeks_in(case)
    if found is None:
        return NO_VIX
    used, each = found.used("gamma", overnight=True), found.each("gamma", overnight=True)
    limit = float(case.settings.gamma_shares_max[case.phase])
    return _either_way(case, "overnight gamma in SPY shares a dollar", used, each, limit)


def vega_allows(case: Case) -> Allowance:
    """Short vega in dollars a point; long vega is limited by what it costs."""
    found = greeks_in(case)
    if found is None:
        return NO_VIX
    used, each = found.used("vega"), found.each("vega")
    limit = float(case.settings.short_vega_usd_max[case.phase])
    if not np.isfinite(used + each):
        return UNKNOWN
    words = f"vega ${used:+,.0f} a point held and ${each:+,.0f} a unit, limit -${limit:,.0f}"
    if each >= 0:
        return allowed(words)
    units = max(0, int((used + limit) // -each))
    return Allowance(units, words, warning=_watched(case, used + min(units, 1) * each, limit, "vega"))


def theta_watched(case: Case) -> Allowance:
    """Theta is information (C.6): above half as much again as its target, or 0.5 % a day, it warns."""
    found = greeks_in(case)
    if found is None:
        return NO_VIX
    total, settings = found.used("theta") + found.each("theta"), case.settings
    if not np.isfinite(total):
        return allowed("theta unknown")
    target = float(settings.theta_usd_target[case.phase])
    words = f"theta ${total:+,.0f} a day with one unit"
    most = float(settings.theta_share_watched * case.net_liq)
    if total > most:
        return Allowance(None, words, warning=f"{words}: over {settings.theta_share_watched:.1%} of net liq")
    if total > 1.5 * target:
        return Allowance(None, words, warning=f"{words}: over 1.5 times the ${target:,.0f} aimed at")
    return allowed(words)


class Sums:
    """Greeks of what is held and of one unit."""

    def __init__(self, greeks: Greeks, held: np.ndarray) -> None:
        self._greeks, self._held = greeks, held

    def used(self, name: str, *, overnight: bool = False) -> float:
        return self._sum(name, self._held, overnight=overnight)

    def each(self, name: str, *, overnight: bool = False) -> float:
        return self._sum(name, ~self._held, overnight=overnight)

    def _sum(self, name: str, rows: np.ndarray, *, overnight: bool) -> float:
        chosen = rows & (self._greeks.days > 0) if overnight else rows
        return float(getattr(self._greeks, name)[chosen].sum())


def greeks_in(case: Case) -> Sums | None:
    """The case's Greeks, worked out once from the legs the stress limits have read; None without a VIX."""
    if "greeks" not in case.worked_out:
        found = stressed_case(case)
        sums = None if found is None else Sums(greeks_of(found.exposure, case.settings), found.held)
        case.worked_out["greeks"] = sums
    known = case.worked_out["greeks"]
    assert known is None or isinstance(known, Sums)
    return known


def _either_way(case: Case, what: str, used: float, each: float, limit: float) -> Allowance:
    """Units for which ``|used + n each|`` stays within the limit; towards zero as far as its other side."""
    if not np.isfinite(used + each):
        return UNKNOWN
    words = f"{what}: {used:+,.1f} held and {each:+,.1f} a unit, limit {limit:,.1f} either way"
    if not each:
        return allowed(words)
    # The candidate's direction is the one it can breach; a book that is over on the other side gains by it.
    ahead = used if each > 0 else -used
    units = max(0, int((limit - ahead) // abs(each)))
    return Allowance(units, words, warning=_watched(case, ahead + min(units, 1) * abs(each), limit, what))


def _watched(case: Case, level: float, limit: float, what: str) -> str:
    share = abs(level) / limit if limit else 0.0
    if share < float(case.settings.greeks_watched_share):
        return ""
    return f"{what} at {share:.0%} of its limit with one unit"


GREEKS_LIMITS = (
    Limit("equity delta", "GREEKS", "A.3, C.6", delta_allows),
    Limit("overnight gamma", "GREEKS", "A.3, C.6", gamma_allows),
    Limit("short vega", "GREEKS", "A.3, C.6", vega_allows),
    Limit("theta", "GREEKS", "C.6", theta_watched),
)
