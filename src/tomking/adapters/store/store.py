"""The store as a user sees it: a data directory and what its catalogue says."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tomking.adapters.store.commit import PLAN, finish
from tomking.adapters.store.coverage import Calendar, exchange_sessions, missing_between
from tomking.adapters.store.files import Busy, digest_of, only_writer
from tomking.adapters.store.months import KINDS
from tomking.adapters.store.records import NAME, Catalogue, Mark, MonthRecord, SourceRecord, load
from tomking.domain.errors import BadData


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the store has of one root or underlying: a line of ``tomking data list``."""

    kind: str
    """"quotes" or "levels"."""
    name: str
    months: int
    sessions: int
    snapshots: int
    rows: int
    bytes: int
    first: datetime
    last: datetime
    missing: int
    """The exchange's sessions between the first and the last day that are not there."""
    holes: int
    """Inside sessions."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what the catalogue says."""

    path: Path
    why: str


class Store:
    """A data directory; it need not be there yet.  Any number of processes may read while one writes.

    Opening it finishes a commit that was killed.  ``BadData`` when that, or the catalogue, is damaged.
    """

    def __init__(self, folder: Path, calendar: Calendar = exchange_sessions) -> None:
        self.folder = folder
        self._calendar = calendar
        self._loaded: tuple[tuple[int, int], Catalogue] | None = None
        if (folder / PLAN).exists():
            # A living process that is at it will finish it itself.
            with suppress(Busy), only_writer(folder):
                finish(folder)

    @property
    def catalogue(self) -> Catalogue:
        """As it is on the disk now."""
        try:
            stat = (self.folder / NAME).stat()
        except FileNotFoundError:
            return Catalogue()
        stamp = stat.st_mtime_ns, stat.st_ino
        if self._loaded is None or self._loaded[0] != stamp:
            self._loaded = stamp, load(self.folder)
        return self._loaded[1]

    def overview(self) -> tuple[Overview, ...]:
        """What there is, quotes first, by name."""
        catalogue = self.catalogue
        return tuple(
            self._overview(kind, name, months)
            for kind in KINDS
            for name, months in catalogue.of(kind).items()
        )

    def months(self, name: str, kind: str = "quotes") -> dict[str, MonthRecord]:
        """The months of a root by "2018-01", ascending; ``BadData`` where there are none."""
        found = self.catalogue.of(kind).get(name)
        if found is None:
            there = ", ".join(self.catalogue.of(kind)) or "nothing"
            raise BadData([f"{self.folder}: no {kind} of {name}; there is {there}"])
        return found

    def sources(self, name: str, kind: str = "quotes") -> tuple[SourceRecord, ...]:
        """The files that the rows of a root came from, each once."""
        keys = dict.fromkeys(key for record in self.months(name, kind).values() for key in record.sources)
        return tuple(self.catalogue.sources[key] for key in keys)

    def missing(self, name: str, kind: str = "quotes") -> tuple[date, ...]:
        """The exchange's sessions between a root's first and last day that are not there."""
        return missing_between(name, self.months(name, kind), self._calendar)

    def marks(self, name: str) -> tuple[Mark, ...]:
        """What a recorder says it missed of a root, ascending."""
        return self.catalogue.marks.get(name, ())

    def verify(self) -> tuple[Damage, ...]:
        """Hash every file again: what is gone, damaged, or not in the catalogue."""
        known = {
            record.file: record.digest
            for kind in KINDS
            for months in self.catalogue.of(kind).values()
            for record in months.values()
        }
        found = []
        for file, digest in sorted(known.items()):
            path = self.folder / file
            if not path.exists():
                found.append(Damage(path, "in the catalogue, but gone"))
            elif digest_of(path) != digest:
                found.append(Damage(path, "damaged: its hash is not the catalogue's"))
        for kind in KINDS.values():
            there = sorted((self.folder / kind.folder).rglob("*.parquet"))
            strange = [p for p in there if p.relative_to(self.folder).as_posix() not in known]
            found += [Damage(path, "not in the catalogue") for path in strange]
        return tuple(found)

    def _overview(self, kind: str, name: str, months: dict[str, MonthRecord]) -> Overview:
        sessions = [session for record in months.values() for session in record.sessions]
        return Overview(
            kind=kind,
            name=name,
            months=len(months),
            sessions=len(sessions),
            snapshots=sum(s.snapshots for s in sessions),
            rows=sum(s.rows for s in sessions),
            bytes=sum(record.bytes for record in months.values()),
            first=min(s.first for s in sessions),
            last=max(s.last for s in sessions),
            missing=len(missing_between(name, months, self._calendar)),
            holes=sum(len(s.holes) for s in sessions),
        )
