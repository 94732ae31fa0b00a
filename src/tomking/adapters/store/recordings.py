"""Sessions that were recorded, on their way into the store: their frames, as a layout like any other."""

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from tomking.adapters.importers.raw import LEVELS, QUOTES, Batch, Source
from tomking.adapters.store.commit import Step, unobserved
from tomking.adapters.store.coverage import Calendar, exchange_sessions
from tomking.adapters.store.files import sync_folder
from tomking.adapters.store.frames import MAGIC, Torn, lock_or_none, read_frames
from tomking.adapters.store.importing import import_sources
from tomking.adapters.store.records import Mark
from tomking.adapters.store.reports import ImportReport
from tomking.adapters.store.staging import Check
from tomking.adapters.store.store import Store
from tomking.domain.errors import BadData

FOLDER = "recordings"
SUFFIX = ".frames"
QUOTES_FRAME, LEVELS_FRAME, MARK_FRAME = b"Q", b"L", b"M"
"""Kinds of frames: two Arrow files of the raw form, and a JSON text."""
LICENCE = "own recording"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def roll(
    store: Store,
    *,
    check: Check,
    calendar: Calendar = exchange_sessions,
    step: Step = unobserved,
    licence: str = LICENCE,
) -> tuple[ImportReport, ...]:
    """Recorded sessions into the store, oldest first; a session that is being recorded stays.

    A session file goes when its rows, and those that were quarantined, are in the store.  Files that the
    pipeline refuses stay, and ``BadData`` names their problems when all others are stored.
    """
    importer, reports = RecordingImporter(), []
    problems: list[str] = []
    folder = store.folder / FOLDER
    for path in importer.files(folder) if folder.is_dir() else ():
        handle = lock_or_none(path)
        if handle is None:
            continue
        try:
            report = import_sources(
                store,
                importer,
                [Source(path)],
                check=check,
                licence=licence,
                marks=marks_of(path),
                calendar=calendar,
                step=step,
            )
            step(f"forget {path.name}")
            path.unlink()
            sync_folder(path.parent)
            reports.append(report)
        except BadData as error:
            problems += [f"{path}: {problem}; it is kept" for problem in error.problems]
        finally:
            os.close(handle)
    if problems:
        raise BadData(problems)
    return tuple(reports)


class RecordingImporter:
    """The layout of session files, for the import pipeline."""

    name = "recording"
    version = "1"

    def recognises(self, path: Path) -> bool:
        """By its first bytes."""
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC

    def files(self, path: Path) -> tuple[Path, ...]:
        """Session files, oldest first."""
        return tuple(sorted(path.glob(f"*{SUFFIX}"))) if path.is_dir() else (path,)

    def read(self, source: Source) -> Iterator[Batch]:
        """A batch a frame; ``line`` is the frame's number.  Damaged bytes are in ``marks_of``."""
        for number, (offset, frame) in enumerate(read_frames(source.path), start=1):
            if isinstance(frame, Torn) or frame.kind == MARK_FRAME:
                continue
            rows = pl.read_ipc(io.BytesIO(frame.payload)).with_columns(line=pl.lit(number, pl.Int64))
            empty = pl.DataFrame(schema=LEVELS if frame.kind == QUOTES_FRAME else QUOTES)
            quotes, levels = (rows, empty) if frame.kind == QUOTES_FRAME else (empty, rows)
            yield Batch(quotes, levels, offset)


def marks_of(path: Path) -> dict[str, tuple[Mark, ...]]:
    """What a session file says was missed, by product; times that touch are one.

    Frames that are damaged are missed by every product of the file.
    """
    marks: dict[str, list[Mark]] = {}
    torn: list[Mark] = []
    last: datetime | None = None
    roots: set[str] = set()
    damaged: Torn | None = None
    for _, frame in read_frames(path):
        if isinstance(frame, Torn):
            damaged = frame
            continue
        at = _EPOCH + timedelta(microseconds=frame.at)
        if damaged is not None:
            torn.append(
                Mark(last or at, at, f"{damaged.stop - damaged.start} bytes of the recording are damaged")
            )
            damaged = None
        last = at
        if frame.kind == MARK_FRAME:
            said = json.loads(frame.payload)
            span = datetime.fromisoformat(said["start"]), datetime.fromisoformat(said["end"])
            marks.setdefault(said["root"], []).append(Mark(*span, said["why"]))
        elif frame.kind == QUOTES_FRAME:
            roots.update(pl.read_ipc(io.BytesIO(frame.payload), columns=["root"])["root"].unique())
    if damaged is not None and last is not None:
        torn.append(Mark(last, last, f"{damaged.stop - damaged.start} bytes at its end were never finished"))
    return {
        root: _joined([*marks.get(root, []), *torn])
        for root in sorted({*marks, *roots})
        if root in marks or torn
    }


def _joined(marks: list[Mark]) -> tuple[Mark, ...]:
    """Neighbours with one reason as one; a recorder says them observation by observation."""
    joined: list[Mark] = []
    for mark in sorted(marks, key=lambda m: (m.why, m.start)):
        before = joined[-1] if joined else None
        near = before is not None and before.why == mark.why and mark.start - before.end <= timedelta(hours=1)
        if before is not None and near:
            joined[-1] = Mark(before.start, max(before.end, mark.end), mark.why)
        else:
            joined.append(mark)
    return tuple(sorted(joined, key=lambda m: (m.start, m.end, m.why)))


def mark_bytes(root: str, mark: Mark) -> bytes:
    """The payload of a mark's frame."""
    said = {"root": root, "start": mark.start.isoformat(), "end": mark.end.isoformat(), "why": mark.why}
    return json.dumps(said).encode()
