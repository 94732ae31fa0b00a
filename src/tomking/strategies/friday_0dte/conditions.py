"""What must hold before a Friday 0DTE is built."""

from tomking.rules import entry as when
from tomking.rules.entry import known
from tomking.rules.indicators import atr, last_close
from tomking.rules.strategy import Condition, today_s
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


def measured(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        if today_s(own, "open", view.today) is None:
            return f"no print between 09:30 and {settings.print_until:%H:%M}"
        if atr(view.bars(), settings.atr_sessions) is None:
            return f"fewer than {settings.atr_sessions + 1} daily bars for the average true range"
        return None

    return Condition("DATA", check)


def vix_gate(settings: Settings) -> Condition:
    low = {"hard": settings.vix_min, "soft": settings.vix_soft_min, "off": 0.0}[settings.vix_gate]
    return when.vix_between(low, settings.vix_max, strict_low=settings.vix_gate != "soft")


def no_gap(settings: Settings) -> Condition:
    def check(view: View, own: Own) -> str | None:
        gap = opening_print(own, view) / known(last_close(view.bars())) - 1
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


def spot_text(view: View) -> str | None:
    spot = view.spot()
    return None if spot is None else repr(float(spot))


def vix_text(view: View) -> str | None:
    return None if view.vix is None else repr(float(view.vix))


def opening_print(own: Own, view: View) -> float:
    """The index level at 09:30, points."""
    text = today_s(own, "open", view.today)
    assert text is not None, "asked before the opening print"
    return float(text)


def products(settings: Settings, own: Own) -> tuple[str, ...]:
    """What this phase may trade, in the order in which it is tried."""
    allowed = MICRO if own.phase == 0 else PRODUCTS_IN_ORDER
    return allowed if settings.product == "auto" else tuple(p for p in allowed if p == settings.product)
