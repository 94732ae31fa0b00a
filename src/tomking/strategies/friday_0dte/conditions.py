"""What must hold before a Friday 0DTE is built."""

from tomking.rules import entry as when
from tomking.rules.entry import known
from tomking.rules.indicators import atr, last_close
from tomking.rules.prints import opening_print
from tomking.rules.strategy import Condition
from tomking.strategies.friday_0dte.settings import PRODUCTS_IN_ORDER, Settings
from tomking.view import Own, View

MICRO = ("XSP", "MES")
"""Phase 0 trades these alone (A.4)."""


def before_the_end(settings: Settings) -> Condition:
    """On end-of-day data the window is open later than 0DTE positions are held."""

    def check(view: View, own: Own) -> str | None:
        ended = view.now >= view.session.at(settings.exit_time)
        return f"{settings.exit_time:%H:%M} has come: nothing is held from here on" if ended else None

    return Condition("CAL", check)


def enough_range(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        if atr(view.bars(), settings.atr_sessions) is None:
            return f"fewer than {settings.atr_sessions + 1} daily bars for the average true range"
        return None

    return Condition("DATA", check)


def vix_gate(settings: Settings) -> Condition:
    low = {"hard": settings.vix_min, "soft": settings.vix_soft_min, "off": 0.0}[settings.vix_gate]
    return when.vix_between(low, settings.vix_max, strict_low=settings.vix_gate != "soft")


def no_gap(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        gap = opening_print(view, own) / known(last_close(view.bars())) - 1
        if abs(gap) < settings.gap_share_max:
            return None
        return f"opening gap {gap:+.2%}, {settings.gap_share_max:.1%} or more skips"

    return Condition("TECH", check)


def product_allowed(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        return None if products(settings, own) else f"{settings.product} is not traded in phase {own.phase}"

    return Condition("PHASE", check)


def flat() -> Condition:
    def check(view: View, own: Own) -> str | None:
        return "a 0DTE position is open" if own.positions else None

    return Condition("CAP", check)


def vix_text(view: View) -> str | None:
    return None if view.vix is None else repr(float(view.vix))


def products(settings: Settings, own: Own) -> tuple[str, ...]:
    """What this phase may trade, in the order in which it is tried."""
    allowed = MICRO if own.phase == 0 else PRODUCTS_IN_ORDER
    return allowed if settings.product == "auto" else tuple(p for p in allowed if p == settings.product)
