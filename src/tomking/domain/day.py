"""What is counted anew every session."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Day:
    """Counters of the session under way."""

    session: date | None = None
    entries: int = 0
    """Openings that were filled."""
    losing_closes: int = 0
    closes: int = 0
    """Whole positions closed, scratches included."""
    entered: tuple[tuple[str, str], ...] = ()
    """(strategy, entry) of every opening that was filled, joined components included."""
    attempts: tuple[tuple[str, str, datetime], ...] = ()
    """(strategy, entry, when) of every opening order sent."""
    declined: tuple[tuple[str, str, str], ...] = ()
    """(strategy, entry, code) that were already written down."""
    ended: bool = False
    began: int = 0
    """The book's sequence when the session began: what was submitted later, the book knows."""
