"""The levels of the morning: what stood at 09:30, and how far the index has moved since."""

from datetime import time

from tomking.rules.schedule import Days, Window
from tomking.rules.strategy import Condition, Fact, today_s
from tomking.view import Own, View

OPEN = time(9, 30)


def opening_fact(days: Days, until: time) -> Fact:
    """The index's first print from 09:30 up to ``until``; later ones stand for nothing (B.1)."""
    return Fact("open", Window(OPEN, until), days, _spot_text)


def level_fact(key: str, days: Days, start: time, until: time) -> Fact:
    """The index's first print from ``start`` up to ``until``."""
    return Fact(key, Window(start, until), days, _spot_text)


def seen_at(key: str, start: time, until: time) -> Condition:
    """The print ``key`` was captured; a missing one is no entry."""

    def check(view: View, own: Own) -> str | None:
        missing = today_s(own, key, view.today) is None
        return f"no print between {start:%H:%M} and {until:%H:%M}" if missing else None

    return Condition("DATA", check)


def move_until(key: str, view: View, own: Own) -> float:
    """The print ``key`` over that of 09:30, less one."""
    text = today_s(own, key, view.today)
    assert text is not None, f"asked before the print {key!r}"
    return float(text) / opening_print(view, own) - 1


def measured(until: time) -> Condition:
    """The opening print was captured; a missing one is no entry, never a constant."""

    def check(view: View, own: Own) -> str | None:
        seen = today_s(own, "open", view.today)
        return f"no print between 09:30 and {until:%H:%M}" if seen is None else None

    return Condition("DATA", check)


def opening_print(view: View, own: Own) -> float:
    """The index level at 09:30, points."""
    text = today_s(own, "open", view.today)
    assert text is not None, "asked before the opening print"
    return float(text)


def move_since_open(view: View, own: Own) -> float:
    """``m``: the index now over its 09:30 print, less one."""
    spot = view.spot()
    assert spot is not None, "asked before its DATA condition"
    return spot / opening_print(view, own) - 1


def _spot_text(view: View) -> str | None:
    spot = view.spot()
    return None if spot is None else repr(float(spot))
