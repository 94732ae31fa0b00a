"""The first half of an import: which sources are known, and every other one read into its staging folder."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tomking.adapters.importers.raw import Batch, Importer, Source
from tomking.adapters.store.commit import STAGING, Step
from tomking.adapters.store.files import digest_of
from tomking.adapters.store.records import Catalogue
from tomking.adapters.store.reports import Progress, SourceReport
from tomking.adapters.store.staging import Check, Staged, stage, staged_before
from tomking.domain.errors import BadData

PIPELINE = "1"
"""Part of what makes a source known: raised when the same file would be stored otherwise."""

_PATH_PARTS = 5
"""Folders and name that layouts read facts from (LEAN: the root, the resolution, the day)."""

Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Read:
    """A source that is not known, staged."""

    source: Source
    key: str
    """In ``Catalogue.sources``."""
    digest: str
    folder: Path
    staged: Staged


@dataclass(frozen=True, slots=True)
class Sources:
    """All sources of an import, by what becomes of them."""

    keys: tuple[str, ...]
    """Of each source, in the order they were given; a source given twice has one key."""
    read: tuple[Read, ...]
    known: dict[str, SourceReport]
    """By key: those that were imported before."""


def version_of(importer: Importer) -> str:
    """What an importer says, "1" where it says nothing."""
    return str(getattr(importer, "version", "1"))


def read_sources(
    sources: Sequence[Source],
    importer: Importer,
    *,
    folder: Path,
    before: Catalogue,
    check: Check,
    progress: Tell | None,
    step: Step,
) -> Sources:
    """Stage what is not known, below a data directory.  ``BadData`` with every problem of every source."""
    keys: list[str] = []
    read: dict[str, Read] = {}
    known: dict[str, SourceReport] = {}
    problems: list[str] = []
    rows = 0
    for number, source in enumerate(sources, start=1):
        try:
            beside = _beside(importer, source.path)
            content = _content(source.path)
            read_with = {path: _content(path) for path in beside}
            key = _key(source, content.digest, importer, read_with)
            keys.append(key)
            if key in before.sources:
                known[key] = _known(source, folder, before, key)
            if key in known or key in read:
                continue

            def tell(
                batch: Batch, source: Source = source, number: int = number, size: int = content.size
            ) -> None:
                nonlocal rows
                rows += batch.quotes.height + batch.levels.height
                if progress is not None:
                    progress(Progress(source.path, number, len(sources), batch.position, size, rows))

            place = folder / STAGING / key[:16]
            staged = staged_before(place) or stage(
                importer.read(source), source, place, check=check, tell=tell, step=step
            )
            for path, before_reading in {source.path: content, **read_with}.items():
                _unchanged(path, before_reading)
            read[key] = Read(source, key, content.digest, place, staged)
        except BadData as error:
            problems += error.problems
    if problems:
        raise BadData(problems)
    return Sources(tuple(keys), tuple(read.values()), known)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file was when its import began."""

    digest: str
    size: int
    changed: int
    """Nanoseconds."""


def _beside(importer: Importer, path: Path) -> tuple[Path, ...]:
    """Other files whose rows come with this one's (LEAN: a day's trades with its quotes)."""
    named: Callable[[Path], tuple[Path, ...]] | None = getattr(importer, "beside", None)
    return () if named is None else named(path)


def _content(path: Path) -> _Content:
    if (name := str(path)) != name.encode("utf-8", "replace").decode("utf-8"):
        told = name.encode("utf-8", "backslashreplace").decode("utf-8")
        raise BadData([f"{told}: the file's name is not UTF-8; rename it"])
    try:
        stat = path.stat()
        return _Content(digest_of(path), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise BadData([f"{path}: cannot be read: {error.strerror or error}"]) from error


def _unchanged(path: Path, content: _Content) -> None:
    stat = path.stat()
    if (stat.st_size, stat.st_mtime_ns) != (content.size, content.changed):
        raise BadData([f"{path}: changed while it was read; import it when it is complete"])


def _key(source: Source, digest: str, importer: Importer, read_with: dict[Path, _Content]) -> str:
    who = importer.name, version_of(importer)
    facts = [digest, *who, source.root, source.zone, PIPELINE, *source.path.parts[-_PATH_PARTS:]]
    for path, content in read_with.items():
        facts += [path.name, content.digest]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _known(source: Source, folder: Path, before: Catalogue, key: str) -> SourceReport:
    record = before.sources[key]
    return SourceReport(
        path=source.path,
        digest=record.digest,
        known=True,
        quotes=record.quotes,
        levels=record.levels,
        reasons=record.reasons,
        quarantine=tuple(folder / file for file in record.quarantine),
        findings=(),
    )
