"""The catalogue: what the store holds, from where, and what is missing, as values and as one JSON file."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tomking.domain.errors import BadData

NAME = "catalogue.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session of a month."""

    day: date
    snapshots: int
    """Instants at which there is any row."""
    rows: int
    first: datetime
    """Aware UTC."""
    last: datetime
    holes: tuple[tuple[datetime, datetime], ...]
    """Neighbouring instants that are further apart than the month's usual step."""


@dataclass(frozen=True, slots=True)
class MonthRecord:
    """One file of quotes or levels."""

    file: str
    """Below the data directory, with ``/``."""
    digest: str
    """Hex SHA-256."""
    bytes: int
    rows: int
    per_point: int
    """Counts of its prices in a point."""
    step_minutes: float | None
    """The usual time between two snapshots of a session; None where there is one a session."""
    sessions: tuple[SessionRecord, ...]
    missing: tuple[date, ...]
    """The exchange's sessions of this month that are not there, ascending."""
    sources: tuple[str, ...]
    """Keys of ``Catalogue.sources`` that brought rows."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows: ``read == kept + already + quarantined``."""

    read: int = 0
    kept: int = 0
    """New in the store, or completing a stored row with what it lacked."""
    already: int = 0
    """There before with equal values, or twice in what was read."""
    quarantined: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.read + other.read,
            self.kept + other.kept,
            self.already + other.already,
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One imported file."""

    path: str
    """As it was given."""
    digest: str
    bytes: int
    importer: str
    version: str
    """Of the importer."""
    licence: str
    """What the user said of the right to use it."""
    quotes: Counts
    levels: Counts
    reasons: tuple[tuple[str, int], ...]
    """Why rows were quarantined, most frequent first."""
    quarantine: tuple[str, ...]
    """Files below the data directory."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A time that a recording says it missed."""

    start: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it."""

    format: int = FORMAT
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    quotes: dict[str, dict[str, MonthRecord]] = field(default_factory=dict)
    """By root and month ("2018-01")."""
    levels: dict[str, dict[str, MonthRecord]] = field(default_factory=dict)
    marks: dict[str, tuple[Mark, ...]] = field(default_factory=dict)
    """By root."""

    def of(self, kind: str) -> dict[str, dict[str, MonthRecord]]:
        """The months of "quotes" or "levels"."""
        return {"quotes": self.quotes, "levels": self.levels}[kind]

    def with_month(self, kind: str, name: str, month: str, record: MonthRecord) -> "Catalogue":
        """The same with one month new or replaced; months and names stay in order."""
        months = self.of(kind)
        mine = dict(sorted({**months.get(name, {}), month: record}.items()))
        changed = dict(sorted({**months, name: mine}.items()))
        return replace(self, quotes=changed) if kind == "quotes" else replace(self, levels=changed)


def load(folder: Path) -> Catalogue:
    """The catalogue of a data directory; an empty one where there is none."""
    path = folder / NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Catalogue()
    try:
        found = _adapter().validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        what = f"{path}: damaged at {where or 'its start'}: {first['msg']}"
        remedy = "put it back from a backup, or move it away and import the sources again (stored rows stay)"
        raise BadData([f"{what}; {remedy}"]) from error
    if found.format != FORMAT:
        raise BadData(
            [f"{path}: format {found.format} is of another version of tomking; this one reads {FORMAT}"]
        )
    return found


def dump(catalogue: Catalogue) -> bytes:
    """As the file has it: the same catalogue gives the same bytes."""
    return _adapter().dump_json(catalogue, indent=1) + b"\n"


@cache
def _adapter() -> TypeAdapter[Catalogue]:
    return TypeAdapter(Catalogue)
