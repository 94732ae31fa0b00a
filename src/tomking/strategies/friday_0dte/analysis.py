"""The morning's analysis, written down each Friday whether it trades or not (methodology B.1).

The gap at the open, the range of the first half hour, the move until the entry, and the variant they ask
for and why.  The "Progressive Friday" score is information only: of its signals the gap, the phase and the
hour are known here (ruling 19), and nothing reads it.
"""

from datetime import time

from tomking.rules.indicators import last_close
from tomking.rules.prints import move_since_open, opening_print
from tomking.rules.strategy import today_s
from tomking.strategies.friday_0dte.settings import Settings
from tomking.view import Own, View

RANGE, NOTE = "opening range", "analysis"
GAP_SIGNAL = (0.003, 0.008)
"""Gaps, either way, that score."""
LAST_HOUR = time(11, 0)
BASE, GAP_POINTS, PHASE_POINTS, HOUR_POINTS = 5.0, 1.5, 0.5, 0.5


def opening_range(view: View, own: Own, seen: str | None) -> str | None:
    """``"low high"`` of the looks so far, to the cent: nothing trades on it."""
    spot = view.spot()
    if spot is None:
        return seen
    levels = [float(spot), *(float(word) for word in (seen or "").split())]
    return f"{min(levels):.2f} {max(levels):.2f}"


def note(settings: Settings, view: View, own: Own, seen: str | None) -> str | None:
    """The analysis in words, once; None while the opening print is missing."""
    if seen is not None or today_s(own, "open", view.today) is None or view.spot() is None:
        return seen
    return "; ".join([*found(settings, view, own), f"score {score(view, own):g}, informational"])


def found(settings: Settings, view: View, own: Own) -> list[str]:
    """Gap, range, move, and the variant."""
    parts = []
    gap, seen = _gap(view, own), today_s(own, RANGE, view.today)
    if gap is not None:
        parts.append(f"gap {gap:+.2%}")
    if seen is not None:
        low, high = (float(word) for word in seen.split())
        parts.append(f"opening range {low:.2f} to {high:.2f}")
    return [*parts, variant(settings, move_since_open(view, own))]


def variant(settings: Settings, move: float) -> str:
    """Which side is sold after this move, and why."""
    flat, said = settings.flat_move_share, f"{move:+.2%} since 09:30"
    if abs(move) <= flat:
        return f"{said}, within {flat:.1%}: condor"
    if settings.direction == "both_sides":
        return f"{said}, beyond {flat:.1%}: condor, both sides are sold after a move too"
    rose = "rise" if move > 0 else "fall"
    side = "call" if (move > 0) == (settings.direction == "fade") else "put"
    return f"{said}, beyond {flat:.1%}: {side} vertical, to {settings.direction} the {rose}"


def score(view: View, own: Own) -> float:
    """0 to 10, of what is known here; 7 and more would be "progressive"."""
    gap, (least, most) = _gap(view, own), GAP_SIGNAL
    points = BASE + PHASE_POINTS * (own.phase >= 3)
    points += GAP_POINTS * (gap is not None and least <= abs(gap) <= most)
    return points + HOUR_POINTS * (view.now <= view.session.at(LAST_HOUR))


def _gap(view: View, own: Own) -> float | None:
    """The opening print over the last close, less one."""
    close = last_close(view.bars())
    return None if close is None else opening_print(view, own) / close - 1
