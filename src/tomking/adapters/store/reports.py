"""What an import says of itself: how far it is, and what it did."""

from dataclasses import dataclass
from pathlib import Path

from tomking.adapters.store.records import Counts
from tomking.adapters.verify.findings import Finding


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is."""

    source: Path
    number: int
    """From 1."""
    count: int
    position: int
    """Bytes of this source."""
    size: int
    rows: int
    """Read so far, of all sources."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one source."""

    path: Path
    digest: str
    known: bool
    """Imported before: its counts are those of then, and nothing was written."""
    quotes: Counts
    levels: Counts
    reasons: tuple[tuple[str, int], ...]
    """Of quarantined rows, most frequent first."""
    quarantine: tuple[Path, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class MonthChange:
    """A month that has rows it had not."""

    kind: str
    name: str
    month: str
    added: int
    """Rows that are new, or completed one that was there."""
    rows: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    sources: tuple[SourceReport, ...]
    months: tuple[MonthChange, ...]
    changed: bool
    """False: not one byte of the store was written."""

    @property
    def totals(self) -> Counts:
        """Of the sources that were read now, quotes and levels together."""
        new = [s for s in self.sources if not s.known]
        return sum((s.quotes + s.levels for s in new), Counts())
