"""Limits on whether anything may be opened at all: trading state, losses, the market's hours."""

from tomking.domain.calendar import new_york
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.drawdown import drawdown, drawdown_level, periods


def not_quarantined(case: Case) -> Allowance:
    """A strategy that raised opens nothing more."""
    name = case.wish.strategy
    if name in case.book.quarantined:
        return refused(f"{name} raised an error and opens nothing until a human looks")
    return allowed()


def drawdown_allows(case: Case) -> Allowance:
    """ORANGE, RED and TERMINAL open nothing; YELLOW halves sizes (the multiplier does that)."""
    level = drawdown_level(case.book)
    if level in {"GREEN", "YELLOW"}:
        return allowed()
    share = drawdown(case.book, case.net_liq)
    return refused(
        f"level {level}, net liq ${case.net_liq:,.0f} is {share:.1%} below the peak of "
        f"${case.book.peak:,.0f}; no new trades from {case.settings.orange_share:.0%} on"
    )


def losses_allow(case: Case) -> Allowance:
    """The day's, the week's and the month's loss; a limit once passed holds to the period's end."""
    said = []
    for period in periods(case.book, case.settings):
        lost = period.base - case.net_liq
        is_over = period.base > 0 and lost >= period.share * period.base
        if is_over or case.book.levels.get(period.level) == period.key:
            said.append(
                f"{period.level.replace('_', ' ')} limit reached in {period.key}: ${lost:,.0f} now "
                f"of ${period.base:,.0f} at its start, limit {period.share:.0%}"
            )
    return refused("; ".join(said)) if said else allowed()


def losing_closes_allow(case: Case) -> Allowance:
    count, most = case.book.day.losing_closes, case.settings.losing_closes_max
    if count >= most:
        return refused(f"{count} losing closes today, limit {most}")
    return allowed()


def market_open(case: Case) -> Allowance:
    """The exchange's session, half days included."""
    view = case.view
    if view.session.open <= view.now < view.session.close:
        return allowed()
    opens, closes = new_york(view.session.open), new_york(view.session.close)
    return refused(
        f"{new_york(view.now):%H:%M} is outside the session {opens:%H:%M} to {closes:%H:%M} New York"
    )


STATE_LIMITS = (
    Limit("quarantine", "SYS", "E.2", not_quarantined),
    Limit("drawdown", "SYS", "C.4", drawdown_allows),
    Limit("loss limits", "SYS", "C.4", losses_allow),
    Limit("losing closes", "SYS", "C.4", losing_closes_allow),
    Limit("market open", "CAL", "B.0, D.8", market_open),
)
