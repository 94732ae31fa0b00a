"""Sources into the store: all of them or, when one cannot be used, nothing.

1. A source that was imported before (by content, importer and its version) is known and not read.
2. Every other one is read, checked and spilled (``staging``), at most a batch in memory.
3. Every month with new rows is merged with what is stored (``merging``), at most a session in memory.
4. Months, quarantine and catalogue take their places together (``commit``).

A process killed in 2 or 3 leaves the store as it was; the next import goes on after the last source that was
read to its end.  Killed in 4, whoever opens the store next finishes it.
"""

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tomking.adapters.importers.raw import Importer, Source
from tomking.adapters.store.commit import STAGING, Step, commit, finish, unobserved
from tomking.adapters.store.coverage import (
    Calendar,
    exchange_sessions,
    missing_days,
    month_days,
    session_records,
)
from tomking.adapters.store.files import digest_of, only_writer, write_synced
from tomking.adapters.store.merging import Incoming, Merged, merge_month
from tomking.adapters.store.months import KINDS
from tomking.adapters.store.quarantine import gather, name_rows
from tomking.adapters.store.records import NAME, Catalogue, Counts, Mark, MonthRecord, SourceRecord, dump
from tomking.adapters.store.reports import ImportReport, MonthChange, SourceReport
from tomking.adapters.store.sources import Read, Tell, read_sources, version_of
from tomking.adapters.store.staging import Check
from tomking.adapters.store.store import Store
from tomking.domain.errors import BadData, OperatingError


def import_sources(
    store: Store,
    importer: Importer,
    sources: Sequence[Source],
    *,
    check: Check,
    progress: Tell | None = None,
    strict: bool = False,
    licence: str = "",
    marks: Mapping[str, Sequence[Mark]] | None = None,
    calendar: Calendar = exchange_sessions,
    step: Step = unobserved,
) -> ImportReport:
    """Read ``sources``, check them, and add what is new to the store.

    ``marks`` are times by root that a recording says it missed.  ``step`` is told before each durable
    action.  ``BadData`` names every problem of every source, or with ``strict`` the rows that would have
    been quarantined; the store is then as it was.  ``OperatingError`` when the disk is full or may not be
    written to: run the import again, and it goes on.
    """
    made = not store.folder.exists()
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
        with only_writer(store.folder):
            finish(store.folder)
            run = _Import(store, importer, calendar, step)
            try:
                return run.done(sources, check, progress, strict=strict, licence=licence, marks=marks or {})
            except BadData:
                shutil.rmtree(run.staging, ignore_errors=True)
                raise
    except BadData:
        if made:
            with suppress(OSError):
                store.folder.rmdir()
        raise
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        remedy = (
            "put that right and run the import again: the store is as it was, and no whole file is read again"
        )
        # Arrow's own words for a full disk are long; the number is the system's.
        what = os.strerror(error.errno) if error.errno else str(error)
        raise OperatingError(f"{store.folder}: {what}; {remedy}") from error


class _Import:
    """One run, under the lock."""

    def __init__(self, store: Store, importer: Importer, calendar: Calendar, step: Step) -> None:
        self._store = store
        self._importer = importer
        self._version = version_of(importer)
        self._calendar = calendar
        self._step = step
        self._before: Catalogue = store.catalogue
        self.staging = store.folder / STAGING
        self._fresh = self.staging / "new"

    def done(
        self,
        sources: Sequence[Source],
        check: Check,
        progress: Tell | None,
        *,
        strict: bool,
        licence: str,
        marks: Mapping[str, Sequence[Mark]],
    ) -> ImportReport:
        found = read_sources(
            sources,
            self._importer,
            folder=self._store.folder,
            before=self._before,
            check=check,
            progress=progress,
            step=self._step,
        )
        read = found.read
        merged = self._merge_all(read)
        reports = [self._report(n, each, merged) for n, each in enumerate(read)]
        if strict:
            _refuse_strictly(read, reports, merged)
        reports = [self._again(each, report) for each, report in zip(read, reports, strict=True)]
        renames, catalogue = self._files(read, reports, merged, licence)
        catalogue = _with_marks(catalogue, marks)
        changed = catalogue != self._before
        if changed:
            self._fresh.mkdir(parents=True, exist_ok=True)
            write_synced(self._fresh / NAME, dump(catalogue))
            commit(
                self._store.folder, [*renames, (self._fresh / NAME, self._store.folder / NAME)], self._step
            )
        else:
            shutil.rmtree(self.staging, ignore_errors=True)
        by_key = {**found.known, **{e.key: r for e, r in zip(read, reports, strict=True)}}
        return ImportReport(
            sources=tuple(_in_order(sources, found.keys, by_key)),
            months=tuple(_changes(merged)),
            changed=changed,
        )

    # -------------------------------------------------------------------------------------- 3

    def _merge_all(self, read: Sequence[Read]) -> dict[tuple[str, str, str], Merged]:
        shutil.rmtree(self._fresh, ignore_errors=True)
        incoming: dict[tuple[str, str, str], list[Incoming]] = defaultdict(list)
        for n, each in enumerate(read):
            for piece in each.staged.pieces:
                incoming[piece.kind, piece.name, piece.month].append(Incoming(n, each.folder, piece))
        merged = {}
        for (kind, name, month), pieces in sorted(incoming.items()):
            place = KINDS[kind].path(name, month)
            self._step(f"merge {place}")
            merged[kind, name, month] = merge_month(
                KINDS[kind],
                name,
                month,
                stored=self._stored(kind, name, month),
                incoming=pieces,
                to=self._fresh / place,
            )
        return merged

    def _stored(self, kind: str, name: str, month: str) -> Path | None:
        """The file of a month that is there and undamaged, None when there is none."""
        path = self._store.folder / KINDS[kind].path(name, month)
        record = self._before.of(kind).get(name, {}).get(month)
        if not path.exists():
            if record is not None:
                raise BadData([f"{path}: in the catalogue but gone; put it back from a backup"])
            return None
        if record is not None and digest_of(path) != record.digest:
            raise BadData([f"{path}: damaged (its hash is not the catalogue's); put it back from a backup"])
        return path

    def _report(self, n: int, each: Read, merged: Mapping[tuple[str, str, str], Merged]) -> SourceReport:
        reasons = Counter(dict(each.staged.reasons))
        counts = {}
        for kind, staged in (("quotes", each.staged.quotes), ("levels", each.staged.levels)):
            mine = [m for (k, _, _), m in merged.items() if k == kind]
            against = sum(m.refused_rows[n] for m in mine)
            if against:
                reasons["contradicts the stored row"] += against
            counts[kind] = Counts(
                read=staged.read,
                kept=sum(m.kept[n] for m in mine),
                already=sum(m.already[n] for m in mine),
                quarantined=staged.quarantined + against,
            )
            c = counts[kind]
            assert c.read == c.kept + c.already + c.quarantined, (each.source.path, kind, c)
        return SourceReport(
            path=each.source.path,
            digest=each.digest,
            known=False,
            quotes=counts["quotes"],
            levels=counts["levels"],
            reasons=tuple(reasons.most_common()),
            quarantine=tuple(self._store.folder / file for file in self._quarantine_files(each, counts)),
            findings=each.staged.findings,
        )

    def _quarantine_files(self, each: Read, counts: Mapping[str, Counts]) -> list[str]:
        stem = f"{each.source.path.name}-{each.key[:8]}"
        return [f"quarantine/{stem}.{kind}.parquet" for kind, c in counts.items() if c.quarantined]

    def _earlier(self, each: Read, report: SourceReport) -> SourceRecord | None:
        """The record of the same content from another place, when it brings no row; None otherwise."""
        if report.quotes.kept or report.levels.kept:
            return None
        for record in self._before.sources.values():
            same = (record.digest, record.importer, record.version) == (each.digest, *self._who)
            refused = record.quotes.quarantined, record.levels.quarantined
            if same and refused == (report.quotes.quarantined, report.levels.quarantined):
                return record
        return None

    def _again(self, each: Read, report: SourceReport) -> SourceReport:
        """What is said of content that was imported from another place."""
        earlier = self._earlier(each, report)
        if earlier is None:
            return report
        files = tuple(self._store.folder / file for file in earlier.quarantine)
        return replace(report, known=True, quarantine=files)

    # -------------------------------------------------------------------------------------- 4

    def _files(
        self,
        read: Sequence[Read],
        reports: Sequence[SourceReport],
        merged: Mapping[tuple[str, str, str], Merged],
        licence: str,
    ) -> tuple[list[tuple[Path, Path]], Catalogue]:
        """What is to be renamed, and the new catalogue."""
        catalogue, renames = self._before, []
        for (kind, name, month), one in merged.items():
            if one.changed:
                place = KINDS[kind].path(name, month)
                renames.append((self._fresh / place, self._store.folder / place))
                brought = [read[n].key for n in sorted(one.kept)]
                record = self._record(kind, name, month, one, brought)
                catalogue = catalogue.with_month(kind, name, month, record)
        records = dict(catalogue.sources)
        for n, (each, report) in enumerate(zip(read, reports, strict=True)):
            if report.known:
                continue
            for path in report.quarantine:
                kind = path.name.split(".")[-2]
                self._step(f"quarantine {path.name}")
                fresh = self._fresh / path.relative_to(self._store.folder)
                against = [f for (k, _, _), m in merged.items() if k == kind for s, f in m.refused if s == n]
                parts = [each.folder / file for of, file in each.staged.refused if of == kind]
                gather(KINDS[kind], parts, against, source=each.source.path, to=fresh)
                renames.append((fresh, path))
            records[each.key] = self._source_record(each, report, licence)
        return renames, replace(catalogue, sources=records)

    def _record(self, kind: str, name: str, month: str, merged: Merged, brought: list[str]) -> MonthRecord:
        sessions = self._calendar(name, *month_days(month))
        place = KINDS[kind].path(name, month)
        file = self._fresh / place
        days, step_minutes = session_records(merged.seen, sessions)
        before = self._before.of(kind).get(name, {}).get(month)
        return MonthRecord(
            file=place.as_posix(),
            digest=digest_of(file),
            bytes=file.stat().st_size,
            rows=merged.rows,
            per_point=merged.counts,
            step_minutes=step_minutes,
            sessions=days,
            missing=missing_days(merged.seen, sessions),
            sources=tuple(dict.fromkeys([*(before.sources if before else ()), *brought])),
        )

    @property
    def _who(self) -> tuple[str, str]:
        return self._importer.name, self._version

    def _source_record(self, each: Read, report: SourceReport, licence: str) -> SourceRecord:
        return SourceRecord(
            path=str(each.source.path),
            digest=each.digest,
            bytes=each.source.path.stat().st_size,
            importer=self._importer.name,
            version=self._version,
            licence=licence,
            quotes=report.quotes,
            levels=report.levels,
            reasons=report.reasons,
            quarantine=tuple(path.relative_to(self._store.folder).as_posix() for path in report.quarantine),
        )


def _in_order(
    sources: Sequence[Source], keys: Sequence[str], by_key: Mapping[str, SourceReport]
) -> Iterator[SourceReport]:
    """A report for each source; of one content under two names, the second is known."""
    seen: set[str] = set()
    for source, key in zip(sources, keys, strict=True):
        report = by_key[key]
        yield replace(report, path=source.path, known=report.known or key in seen)
        seen.add(key)


def _refuse_strictly(
    read: Sequence[Read], reports: Sequence[SourceReport], merged: Mapping[tuple[str, str, str], Merged]
) -> None:
    problems: list[str] = []
    for n, (each, report) in enumerate(zip(read, reports, strict=True)):
        count = report.quotes.quarantined + report.levels.quarantined
        against = [(KINDS[k], f) for (k, _, _), m in merged.items() for s, f in m.refused if s == n]
        named = name_rows(each.staged, against, each.source.path)
        problems += named
        if count > len(named):
            reasons = ", ".join(f"{reason}: {rows:,}" for reason, rows in report.reasons)
            problems.append(f"{each.source.path}: and {count - len(named):,} more rows ({reasons})")
    if problems:
        raise BadData([*problems, "a strict import keeps all or nothing: nothing was stored"])


def _with_marks(catalogue: Catalogue, marks: Mapping[str, Sequence[Mark]]) -> Catalogue:
    if not marks:
        return catalogue
    mine = dict(catalogue.marks)
    for root, new in marks.items():
        known = mine.get(root, ())
        mine[root] = tuple(sorted({*known, *new}, key=lambda m: (m.start, m.end, m.why)))
    return replace(catalogue, marks=dict(sorted(mine.items())))


def _changes(merged: Mapping[tuple[str, str, str], Merged]) -> list[MonthChange]:
    return [
        MonthChange(kind, name, month, m.kept.total(), m.rows)
        for (kind, name, month), m in merged.items()
        if m.changed
    ]
