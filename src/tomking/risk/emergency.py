"""Emergency levels 0 to 4, and in which order positions are closed (methodology C.9).

The level is the book's ``emergency``: it rises when a trigger has held 30 seconds, and falls one step at a
time, after half an hour below its trigger (1 and 2) or in a later session (3 and 4).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from tomking.domain.book import Book, Component, Position
from tomking.domain.calendar import new_york
from tomking.domain.contract import Option
from tomking.domain.events import Event, LevelChanged, Noted
from tomking.domain.money import ZERO
from tomking.risk.settings import Settings

LEVEL = "emergency"
SINCE = "risk.emergency_since"
"""Note: when the present level was reached; with "VIX" behind it when the VIX alone did it."""
CALM = "risk.emergency_calm"
"""Note: since when the level's trigger has not held."""
RAMP = "risk.emergency_ramp"
"""Note: sessions at reduced size that are left (C.12)."""
TO_CLOSE = "risk.to_close"
"""Note: what a level wants gone or smaller, until it is; see ``to_close``."""
MANUAL = "manual"
"""Level: why only a human may let entries begin again (C.9, ruling 9)."""
MONITOR, RESTRICT, REDUCE, FLATTEN = 1, 2, 3, 4


def level_of(book: Book) -> int:
    return int(book.levels.get(LEVEL) or 0)


def is_by_vix(book: Book) -> bool:
    """Whether the VIX alone brought the present level."""
    return book.notes.get(SINCE, "").endswith("VIX")


def level_at(loss: float, vix: float | None, correlation: float, settings: Settings) -> tuple[int, str, bool]:
    """The level of now, what brings it, and whether it is the VIX alone.

    loss         of the day as a share of the prior close's net liq; negative is a gain
    correlation  between complexes, NaN where it means nothing
    """
    for level in (FLATTEN, REDUCE, RESTRICT, MONITOR):
        i = level - 1
        if loss >= float(settings.emergency_loss_shares[i]):
            return level, f"day {-loss:.1%}", False
        if correlation >= settings.emergency_correlations[i]:
            return level, f"average correlation {correlation:.2f}", False
        if vix is None:
            continue
        if vix >= settings.emergency_vix_losing[i] and loss >= float(settings.emergency_losing_shares[i]):
            return level, f"VIX {vix:.2f} and day {-loss:.1%}", False
        if i < len(settings.emergency_vix_alone) and vix >= settings.emergency_vix_alone[i]:
            return level, f"VIX {vix:.2f} alone", True
    return 0, "", False


def tightened(book: Book, level: int, words: str, now: datetime, *, by_vix: bool) -> Iterator[Event]:
    yield LevelChanged(now, LEVEL, book.levels.get(LEVEL, ""), str(level), words)
    yield since(now, by_vix=by_vix)
    if CALM in book.notes:
        yield Noted(now, CALM, "")


def since(now: datetime, *, by_vix: bool = False) -> Noted:
    """The note of when the present level began, and whether the VIX alone brought it."""
    return Noted(now, SINCE, f"{now.isoformat()} VIX" if by_vix else now.isoformat())


def calmer(book: Book, level_now: int, now: datetime, settings: Settings) -> Iterator[Event]:
    """One step down when it is due; where the calm begins is noted, and where it ends."""
    level, calm = level_of(book), book.notes.get(CALM)
    if not level:
        return
    if level_now >= level:
        if calm:
            yield Noted(now, CALM, "")
        return
    if calm is None:
        yield Noted(now, CALM, now.isoformat())
        return
    calm_since = datetime.fromisoformat(calm)
    if level >= REDUCE:
        due = new_york(calm_since).date() < new_york(now).date() or _reached(book) < new_york(now).date()
    else:
        due = now - calm_since >= timedelta(minutes=settings.emergency_minutes)
    if not due:
        return
    yield LevelChanged(now, LEVEL, str(level), str(level - 1) if level > 1 else "", "below its trigger")
    yield Noted(now, CALM, now.isoformat() if level > 1 else "")
    yield since(now, by_vix=is_by_vix(book))
    if level == RESTRICT and settings.emergency_ramp_sessions:
        yield Noted(now, RAMP, str(settings.emergency_ramp_sessions))


def _reached(book: Book) -> date:
    text = book.notes.get(SINCE, "").removesuffix(" VIX")
    return new_york(datetime.fromisoformat(text)).date()


# ------------------------------------------------------------------------------ what goes first

NAKED_PUTS, STRANGLES, RATIOS, LT112_PUTS, OTHERS, LT112_SPREADS, WEEKLIES, CALENDARS, HEDGES = range(9)
_RANKS = {
    "leap_put_income": NAKED_PUTS,
    "vix_spike_puts": NAKED_PUTS,
    "futures_strangle": STRANGLES,
    "ratio_spread": RATIOS,
    "lt112": LT112_PUTS,
    "calendarized_112": LT112_PUTS,
    "ipmcc": WEEKLIES,
    "calendar_spread": CALENDARS,
    "diagonal": CALENDARS,
    "leap_put_hedge": HEDGES,
    "vix_call_hedge": HEDGES,
}


def rank(position: Position) -> tuple[int, Decimal]:
    """Sorts positions as C.9 closes them; among naked puts the one nearest the money first.

    Defined risk that has no place in the list (a 0DTE, a fly) goes before the debit spreads.
    """
    place = _RANKS.get(position.strategy, OTHERS)
    strikes = [
        leg.contract.strike for leg, _ in position.legs() if leg.is_short and isinstance(leg.contract, Option)
    ]
    return place, -max(strikes, default=ZERO)


def has_short_leg(position: Position) -> bool:
    return any(one.structure.has_short_leg for one in position.open_components)


def half_of_short_premium(book: Book) -> dict[str, int]:
    """What goes when short premium is halved (C.9): ids of positions, and how many units of each stay.

    Of a position with more than one unit half, rounded up, goes.  One unit cannot be halved: of those
    positions whole ones go, in the order of closing, until at least half of their margin is gone.
    """
    short = sorted((p for p in book.positions.values() if has_short_leg(p)), key=rank)
    chosen = {p.id: units_of(p) // 2 for p in short if units_of(p) > 1}
    single = [p for p in short if p.id not in chosen]
    whole, gone = sum((p.margin for p in single), ZERO), ZERO
    for position in single:
        if gone and gone * 2 >= whole:
            break
        chosen[position.id] = 0
        gone += position.margin
    return chosen


def units_of(position: Position) -> int:
    """Open units of its largest component."""
    return max((one.units for one in position.open_components), default=0)


def naked_first(components: tuple[Component, ...]) -> list[list[Component]]:
    """Groups to close one after the other: naked puts, then spreads and the rest (C.9, level 3)."""
    naked = [c for c in components if c.role == "NP" or c.role.startswith("NP ")]
    rest = [c for c in components if c not in naked]
    return [group for group in (naked, rest) if group]


def to_close(book: Book) -> dict[str, int]:
    """Ids of the positions that a level wants smaller, and how many units of each may stay: 0 none."""
    return _read(book.notes.get(TO_CLOSE, ""))


def _read(text: str) -> dict[str, int]:
    named: dict[str, int] = {}
    for word in text.split():
        id_, _, stays = word.partition(":")
        named[id_] = int(stays or 0)
    return named


def _written(wanted: Mapping[str, int]) -> str:
    """``"12 17:4"``: position 12 goes, four units of position 17 stay."""
    return " ".join(f"{id_}:{stays}" if stays else id_ for id_, stays in wanted.items())


def named(book: Book, wanted: Mapping[str, int], now: datetime) -> Iterator[Event]:
    """Adds positions to those that have to shrink or go; the smaller number stands."""
    known = to_close(book)
    new = {**known, **{id_: min(stays, known.get(id_, stays)) for id_, stays in wanted.items()}}
    if new != known:
        yield Noted(now, TO_CLOSE, _written(new))


def close_events(book: Book, reduced: Sequence[str], now: datetime) -> Iterator[Event]:
    """At the close: the ramp advances, what is done is forgotten, and what a demotion ends is named."""
    if (left := int(book.notes.get(RAMP) or 0)) > 0:
        yield Noted(now, RAMP, str(left - 1) if left > 1 else "")
    known = to_close(book)
    left_over = {
        id_: stays
        for id_, stays in {**known, **dict.fromkeys(reduced, 0)}.items()
        if id_ in book.positions and units_of(book.positions[id_]) > stays
    }
    if left_over != known:
        yield Noted(now, TO_CLOSE, _written(left_over))


def ramp_share(book: Book, settings: Settings) -> Decimal:
    return settings.emergency_ramp_share if book.notes.get(RAMP) else Decimal(1)
