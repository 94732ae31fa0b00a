"""VIX regimes: how much capital may be in use, and how sizes shrink (methodology C.1).

What tightens acts at once; what loosens needs the VIX a point past the boundary for 15 minutes, or at a
daily close.  The memory is the level ``vix_regime`` of the book, and a note for the 15 minutes.
"""

from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from tomking.domain.book import Book
from tomking.domain.calendar import new_york
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.domain.money import ZERO
from tomking.risk.settings import Settings

LABELS = ("COMPLACENT", "NORMAL", "ELEVATED", "HIGH", "EXTREME", "EXTREME+", "CRISIS")
LEVEL = "vix_regime"
LOOSER = "risk.vix_looser"
"""Note: since when the VIX has stood past the boundary of a looser regime in this session, and the row."""
PAST_BOUNDARY = 1.0
"""Points of VIX beyond a boundary that a loosening needs."""


def regime(vix: float, settings: Settings) -> int:
    """Row of C.1's table: 0 COMPLACENT to 6 CRISIS."""
    return bisect_right(settings.vix_bounds, vix)


def capital_cap(book: Book, vix: float, settings: Settings) -> tuple[Decimal, str]:
    """Share of net liq that capital in use may reach at this VIX, and the regime it comes from."""
    shares = settings.vix_capital_share_max
    rows = [regime(vix, settings)]
    if remembered := book.levels.get(LEVEL):
        rows.append(LABELS.index(remembered))
    row = min(rows, key=lambda r: shares[r])
    return shares[row], LABELS[row]


def regime_events(
    book: Book, vix: float | None, now: datetime, settings: Settings, *, at_close: bool
) -> list[Event]:
    """The regime's change: tighter at any time, looser after 15 minutes or at a close."""
    if vix is None:
        return []
    before = book.levels.get(LEVEL, "")
    row = regime(vix, settings)
    events: list[Event] = []
    if before:
        shares, old = settings.vix_capital_share_max, LABELS.index(before)
        if shares[row] >= shares[old]:
            looser = _loosened(vix, old, row, settings)
            row = looser if at_close else _stood(events, book, old, looser, now, settings)
        if row != old or at_close:
            events = _forgotten(book, now)
    after = LABELS[row]
    return events if after == before else [*events, LevelChanged(now, LEVEL, before, after, f"VIX {vix:.2f}")]


def _stood(  # noqa: PLR0917 - all of them are needed, none has a default
    events: list[Event], book: Book, old: int, looser: int, now: datetime, settings: Settings
) -> int:
    """The looser row once it has stood long enough in this session; ``old`` until then."""
    seen, _, known = book.notes.get(LOOSER, "").partition(" ")
    since = datetime.fromisoformat(seen) if seen else None
    if looser == old:
        events += _forgotten(book, now)
        return old
    if since is None or known != str(looser) or new_york(since).date() != new_york(now).date():
        events.append(Noted(now, LOOSER, f"{now.isoformat()} {looser}"))
        return old
    return looser if now - since >= timedelta(minutes=settings.loosen_minutes) else old


def _forgotten(book: Book, now: datetime) -> list[Event]:
    return [Noted(now, LOOSER, "")] if LOOSER in book.notes else []


def _loosened(vix: float, old: int, new: int, settings: Settings) -> int:
    """The row nearest to ``new`` whose boundary the VIX has passed by a point; ``old`` when none."""
    toward_old = range(new, old, 1 if old > new else -1)
    return next((row for row in toward_old if _is_past(vix, old, row, settings)), old)


def _is_past(vix: float, old: int, new: int, settings: Settings) -> bool:
    """A point beyond the boundary that was crossed last."""
    bounds = settings.vix_bounds
    if new > old:
        return vix >= bounds[new - 1] + PAST_BOUNDARY
    return vix <= bounds[new] - PAST_BOUNDARY


def vix_size(vix: float, settings: Settings) -> Decimal:
    """Size multiplier, 0 to 1: 1 up to 25, linear to 0.75 at 30 and 0.5 at 35, 0.25 to 40, then 0."""
    bounds, shares = settings.vix_size_bounds, settings.vix_size_shares
    if vix >= settings.vix_bounds[-1]:
        return ZERO
    if vix >= bounds[-1]:
        return settings.vix_size_share_extreme
    if vix <= bounds[0]:
        return shares[0]
    level = Decimal(repr(vix))
    for (low, first), (high, last) in pairwise(zip(bounds, shares, strict=True)):
        if vix < high:
            span = Decimal(repr(high)) - Decimal(repr(low))
            return first + (last - first) * (level - Decimal(repr(low))) / span
    raise AssertionError(f"VIX {vix} is in no row of the size table")


def by_vix(vix: float, bounds: tuple[float, ...], shares: tuple[Decimal, ...]) -> Decimal:
    """The entry of a table by VIX."""
    return shares[bisect_right(bounds, vix)]
