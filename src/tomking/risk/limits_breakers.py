"""Limits of breakers, emergency levels, pauses, losing streaks and the floors on a strategy's record."""

from calendar import monthrange
from datetime import date
from decimal import Decimal

from tomking.domain.book import record_key
from tomking.domain.money import ZERO
from tomking.domain.record import Record
from tomking.risk import breakers, emergency
from tomking.risk.case import Allowance, Case, Limit, allowed, refused
from tomking.risk.drawdown import MONTH, periods
from tomking.risk.pauses import paused

OFF_WHILE_WATCHED = frozenset({"butterfly_9b", "diagonal"})
"""Strategies that level 1 switches off, with the LT112's weekly calls (C.9)."""
WEEKLY_CALLS = ("lt112", "weekly")
NO_WIN_FLOOR = frozenset({"butterfly_9b"})
"""A butterfly lives of few wins (C.2)."""


def hand_released(case: Case) -> Allowance:
    """A human, or a VIX of 50, lets nothing be opened until a human says so (C.9, ruling 9)."""
    for name in ("halt", emergency.MANUAL):
        if why := case.book.levels.get(name):
            return refused(f"{name}: {why}; a human must release it")
    return allowed()


def breakers_allow(case: Case) -> Allowance:
    """Level 2 and 3 halt entries until the breaker has recovered; level 1 halves sizes."""
    level = breakers.level_of(case.book)
    if level < breakers.HALTS:
        return allowed()
    return refused(f"circuit breaker level {level} since {case.book.notes.get(breakers.SINCE, 'today')}")


def losses_today_allow(case: Case) -> Allowance:
    """The breaker on losing closes of one day: entries halt until it is over (C.4, C.8)."""
    day, settings = case.book.day, case.settings
    most = settings.losses_breaker[case.phase]
    if day.losing_closes >= most:
        return refused(f"{day.losing_closes} losing closes today, breaker at {most} in phase {case.phase}")
    if day.closes >= settings.loss_rate_closes_min:
        rate = day.losing_closes / day.closes
        if rate > settings.loss_rate_max:
            return refused(
                f"{day.losing_closes} of {day.closes} closes lost today, "
                f"{rate:.0%}, limit {settings.loss_rate_max:.0%}"
            )
    return allowed()


def emergency_allows(case: Case) -> Allowance:
    """From level 2 on nothing is opened; level 1 switches off flies, diagonals and weekly call sales."""
    level = emergency.level_of(case.book)
    if level >= emergency.RESTRICT:
        return refused(f"emergency level {level}")
    wish = case.wish
    is_off = wish.strategy in OFF_WHILE_WATCHED or (wish.strategy, wish.entry) == WEEKLY_CALLS
    if level == emergency.MONITOR and is_off:
        return refused(f"{wish.strategy} {wish.entry} is off at emergency level 1")
    return allowed()


def not_paused(case: Case) -> Allowance:
    pause = paused(case.book)
    return allowed() if pause is None else refused(pause)


def wins_enough(case: Case) -> Allowance:
    """60 % after twenty trades, but for butterflies and budgets: else suspended until a human looks."""
    strategy = case.wish.strategy
    if strategy in NO_WIN_FLOOR or case.is_budgeted:
        return allowed("no floor on its wins")
    record, settings = record_of(case), case.settings
    if record.trades < settings.win_trades_min:
        return allowed(f"{record.trades} closed trades, the floor counts from {settings.win_trades_min}")
    rate = record.wins / record.trades
    words = f"{record.wins} of {record.trades} trades won, {rate:.0%}, floor {settings.win_share_min:.0%}"
    if rate >= settings.win_share_min:
        return allowed(words)
    if settings.win_floor == "warn":
        return Allowance(None, words, warning=words)
    return refused(f"{words}: suspended until a human looks")


def record_of(case: Case) -> Record:
    return case.book.records.get(record_key(case.wish.strategy, case.wish.entry), Record())


def month_watched(case: Case) -> Allowance:
    """A month on the way to 12 % is a sign of trading too much: a warning (C.4)."""
    projected, words = month_pace(case)
    if projected <= case.settings.month_gain_share_watched:
        return allowed(words)
    return Allowance(None, words, warning=words)


def size_of_month(case: Case) -> tuple[Decimal, str]:
    """A month on the way to 15 %: less is opened (C.4)."""
    projected, words = month_pace(case)
    if projected <= case.settings.month_gain_share_reduced:
        return Decimal(1), ""
    return case.settings.month_size_share, words


def month_pace(case: Case) -> tuple[Decimal, str]:
    """The month's gain at its present rate, as a share; 0 where it has none or is too young to say."""
    settings, day = case.settings, case.view.today
    month = next((p for p in periods(case.book, settings) if p.level == MONTH), None)
    if month is None or month.base <= ZERO:
        return ZERO, ""
    gain = case.net_liq / month.base - 1
    if gain <= ZERO:
        return ZERO, ""
    first = day.replace(day=1)
    done = case.view.sessions.count(first, day)
    whole = case.view.sessions.count(first, _month_end(day))
    projected = gain * whole / max(done, 1)
    words = f"the month is at {gain:+.1%} after {done} sessions, {projected:+.1%} at this rate"
    return (projected if done >= LEAST_SESSIONS else ZERO), words


LEAST_SESSIONS = 5
"""Fewer say nothing about a month."""


def _month_end(day: date) -> date:
    """Its last calendar day."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def size_of_record(case: Case) -> tuple[Decimal, str]:
    """The expectancy floor (C.2): half size below 100 pounds a trade, less in a small account."""
    record, settings = record_of(case), case.settings
    if record.trades < settings.expectancy_trades_min or case.is_budgeted:
        return Decimal(1), ""
    floor = expectancy_floor(case)
    each = (record.won - record.lost) / record.trades
    if each >= floor:
        return Decimal(1), ""
    return settings.expectancy_size_share, f"${each:,.2f} a trade is below the floor of ${floor:,.2f}"


def expectancy_floor(case: Case) -> Decimal:
    """Dollars a trade, at the threshold rate."""
    settings = case.settings
    full = settings.expectancy_full_gbp * settings.threshold_rate
    share = min(Decimal(1), max(ZERO, case.net_liq) / full)
    return settings.expectancy_gbp_min * settings.threshold_rate * share


BREAKER_LIMITS = (
    Limit("release", "SYS", "C.9, ruling 9", hand_released),
    Limit("circuit breaker", "SYS", "C.8", breakers_allow),
    Limit("losses today", "SYS", "C.4, C.8", losses_today_allow),
    Limit("emergency level", "SYS", "C.9", emergency_allows),
    Limit("pause", "SYS", "C.1, C.4, C.9", not_paused),
    Limit("win rate", "SIZE", "C.2", wins_enough),
    Limit("month's pace", "SIZE", "C.4", month_watched),
)
