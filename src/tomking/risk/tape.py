"""What has been seen of the session: VIX and net liq whenever one has moved, kept in one note of the journal.

Breakers and flags look minutes back; a restart must look back as far.  A reading is written down when the
VIX has moved half a point or net liq a quarter of a per cent since the last one: what lies between is known
that well.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from math import isnan, nan
from typing import NamedTuple

from tomking.domain.book import Book
from tomking.domain.calendar import new_york
from tomking.domain.kept import by_identity

NOTE = "risk.tape"
VIX_STEP = 0.5
"""Points."""
NET_LIQ_STEP = 0.0025
"""Share."""
KEPT_SECONDS = 30 * 60
"""At least the longest look back (C.1)."""


class Mark(NamedTuple):
    second: int
    """Of the UTC day."""
    vix: float
    """NaN when missing."""
    net_liq: float
    """Dollars."""


class Tape(NamedTuple):
    """One session's readings, oldest first; never empty."""

    day: str
    """The session, ISO."""
    base_vix: float
    """What rises are measured from: the lower of the first print and yesterday's last; NaN without one."""
    high: float
    """Highest net liq since the session began, or since it last paused entries; dollars."""
    correlation: float
    """Between the held complexes at the session's begin; NaN where it means nothing."""
    marks: tuple[Mark, ...]

    @property
    def text(self) -> str:
        head = f"{self.day} {self.base_vix:.2f} {self.high:.2f} {self.correlation:.3f}"
        return " ".join([head, *(f"{s}/{v:.2f}/{n:.2f}" for s, v, n in self.marks)])

    def net_liq_high(self, now: datetime, minutes: int) -> float:
        """Highest net liq that was seen, or still stood, in the last ``minutes``."""
        return max(mark.net_liq for mark in self._since(now, minutes))

    def vix_low(self, now: datetime, minutes: int) -> float:
        return min((m.vix for m in self._since(now, minutes) if not isnan(m.vix)), default=nan)

    def _since(self, now: datetime, minutes: int) -> tuple[Mark, ...]:
        """Marks of that span, and the one that stood at its begin."""
        start = second_of(now) - 60 * minutes
        first = max((i for i, mark in enumerate(self.marks) if mark.second <= start), default=0)
        return self.marks[first:]


def tape_of(book: Book) -> Tape | None:
    return _tape_in(book.notes)


@by_identity
def _tape_in(notes: Mapping[str, str]) -> Tape | None:
    text = notes.get(NOTE)
    return _parsed(text) if text else None


@lru_cache(maxsize=8)
def _parsed(text: str) -> Tape:
    """A pure function of the note; kept because every step asks for it."""
    day, base, high, correlation, *rows = text.split(" ")
    marks = []
    for row in rows:
        second, vix, net_liq = row.split("/")
        marks.append(Mark(int(second), float(vix), float(net_liq)))
    return Tape(day, float(base), float(high), float(correlation), tuple(marks))


def second_of(now: datetime) -> int:
    """Of the UTC day; ``now`` is in UTC, as everywhere in the core."""
    return now.hour * 3600 + now.minute * 60 + now.second


def begun(before: Tape | None, now: datetime, vix: float, net_liq: float, correlation: float) -> Tape:
    """A new session's tape; yesterday's last VIX counts, so that a gap is a rise."""
    last = before.marks[-1].vix if before else nan
    base = min((level for level in (vix, last) if not isnan(level)), default=nan)
    day = new_york(now).date().isoformat()
    return Tape(day, base, net_liq, correlation, (Mark(second_of(now), vix, net_liq),))


def read(tape: Tape, now: datetime, vix: float, net_liq: float) -> Tape:
    """The tape with a new reading, or the very same where nothing has moved."""
    last = tape.marks[-1]
    if not _has_moved(last, vix, net_liq):
        return tape
    second = second_of(now)
    marks = (*tape.marks, Mark(second, vix, net_liq))
    stood = [i for i, mark in enumerate(marks) if mark.second <= second - KEPT_SECONDS]
    base = vix if isnan(tape.base_vix) else tape.base_vix
    return tape._replace(
        base_vix=base, high=max(tape.high, net_liq), marks=marks[stood[-1] :] if stood else marks
    )


def _has_moved(last: Mark, vix: float, net_liq: float) -> bool:
    if not isnan(vix) and not abs(vix - last.vix) < VIX_STEP:
        return True
    return abs(net_liq - last.net_liq) >= NET_LIQ_STEP * max(abs(last.net_liq), 1.0)
