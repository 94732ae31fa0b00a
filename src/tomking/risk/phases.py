"""Account phases by net liq: where an account starts, rises and falls (methodology A.1, A.2).

The phase is the book's level ``phase``; the counters between closes are its note ``risk.phase``:
closes at or above the next floor, closes below the demotion line, sessions since the last change.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from tomking.domain.book import Book
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.risk.settings import Settings

LEVEL = "phase"
NOTE = "risk.phase"
RED_SINCE = "risk.red_since"
"""Note: the instant RED began (written by ``risk.drawdown``)."""
PHASE_ONE = "risk.phase_one"
"""Note: sessions on the limits of P1 that are left (written by ``risk.breakers``)."""
RED_NOTE = "risk.phase_red"
"""Note: the RED that has already cost a phase."""


def phase_of(book: Book) -> int:
    """0 (micro only) to 4 (professional); 0 until one has been journalled."""
    return int(book.levels.get(LEVEL) or 0)


def acting_phase(book: Book) -> int:
    """The phase whose limits hold: P1 at most for some sessions after a level-3 breaker (A.2)."""
    phase = phase_of(book)
    return min(phase, 1) if book.notes.get(PHASE_ONE) else phase


def phase_floors(settings: Settings) -> tuple[Decimal, ...]:
    """Dollars; pounds at the fixed threshold rate where the account's thresholds are in pounds (0.2)."""
    if settings.threshold_currency == "usd":
        return settings.phase_floors_usd
    return tuple(floor * settings.threshold_rate for floor in settings.phase_floors_gbp)


def starting_phase(net_liq: Decimal, settings: Settings) -> int:
    """The phase of a new account: a floor missed by a hair (0.25 %) counts as reached."""
    lowered = [floor * (1 - settings.phase_edge_share) for floor in phase_floors(settings)]
    return bisect_right(lowered, net_liq) - 1


def session_end_phase(
    book: Book, net_liq: Decimal, now: datetime, settings: Settings, *, earned: bool = True
) -> list[Event]:
    """What this close does to the phase: at most one step either way.

    RED costs one phase, once; until the restart nothing else counts, and the way up begins there.

    earned  whether what the next phase asks for besides value is there (``progress.may_rise``)
    """
    if book.levels.get("drawdown") in {"RED", "TERMINAL"}:
        return _after_red(book, now)
    phase, floors = phase_of(book), phase_floors(settings)
    above, below, since = _memory(book, settings)
    since = min(since + 1, settings.promotion_sessions)
    is_above = phase + 1 < len(floors) and net_liq >= floors[phase + 1]
    is_below = phase > 0 and net_liq < floors[phase] * settings.demotion_share
    above = min(above + 1, settings.promotion_closes) if is_above else 0
    below = below + 1 if is_below else 0
    if below >= settings.demotion_closes:
        line = floors[phase] * settings.demotion_share
        return _demoted(book, now, f"net liq ${net_liq:,.0f} closed {below} times below ${line:,.0f}")
    if earned and above >= settings.promotion_closes and since >= settings.promotion_sessions:
        detail = f"net liq ${net_liq:,.0f} closed {above} times at or above ${floors[phase + 1]:,.0f}"
        change = LevelChanged(now, LEVEL, str(phase), str(phase + 1), detail)
        return [change, *_noted(book, now, (0, 0, 0))]
    if (above, below, since) == _memory(book, settings):
        return []
    return _noted(book, now, (above, below, since))


def changed_to(events: Iterable[Event], before: int) -> int:
    """The phase after these events."""
    changes = (e.after for e in events if isinstance(e, LevelChanged) and e.name == LEVEL)
    return int(next(changes, before))


def _after_red(book: Book, now: datetime) -> list[Event]:
    red = book.notes.get(RED_SINCE, "")
    if not red or book.notes.get(RED_NOTE) == red:
        return []
    return [*_demoted(book, now, "drawdown RED costs one phase"), Noted(now, RED_NOTE, red)]


def _demoted(book: Book, now: datetime, detail: str) -> list[Event]:
    """One phase down, and the count to the next promotion starts anew."""
    phase = phase_of(book)
    change = [LevelChanged(now, LEVEL, str(phase), str(phase - 1), detail)] if phase else []
    return [*change, *_noted(book, now, (0, 0, 0))]


def _memory(book: Book, settings: Settings) -> tuple[int, int, int]:
    above, below, since = (int(n) for n in book.notes.get(NOTE, f"0 0 {settings.promotion_sessions}").split())
    return above, below, since


def _noted(book: Book, now: datetime, memory: tuple[int, int, int]) -> list[Event]:
    value = " ".join(map(str, memory))
    return [] if book.notes.get(NOTE) == value else [Noted(now, NOTE, value)]


def reduction(
    book: Book, phase: int, net_liq: Decimal, margins: Mapping[str, Decimal], settings: Settings
) -> list[str]:
    """Positions that a demotion to ``phase`` ends because its cap on margin is broken: newest first (A.2).

    Nothing is ended where only a limit on entries is.  margins: dollars by position
    """
    cap = settings.margin_share_max[phase] * net_liq
    used = sum(margins.values(), Decimal(0))
    ids: list[str] = []
    for position in sorted(book.positions.values(), key=lambda p: p.opened, reverse=True):
        if used <= cap:
            break
        if any(one.structure.has_short_leg for one in position.open_components):
            ids.append(position.id)
            used -= margins.get(position.id, Decimal(0))
    return ids
