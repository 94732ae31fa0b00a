"""What ``tomking data`` says to machines: plain values, instants in ISO, paths as text."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tomking.adapters.store import Overview, Store
from tomking.adapters.store.records import Counts, SessionRecord, SourceRecord
from tomking.adapters.store.reports import ImportReport, SourceReport
from tomking.adapters.verify import as_json, merged
from tomking.app.cli.data_text import Daily
from tomking.app.data import Chosen, Verified

Plain = dict[str, Any]


def import_json(report: ImportReport, folder: Path, chosen: Chosen, *, dry_run: bool) -> Plain:
    """An import: what was read, kept and refused, by file and altogether."""
    return {
        "store": str(folder),
        "format": chosen.importer.name,
        "assumed_at_close": [str(path) for path in chosen.at_close],
        "dry_run": dry_run,
        "changed": report.changed,
        "totals": asdict(report.totals),
        "sources": [_source(one) for one in report.sources],
        "months": [asdict(month) for month in report.months],
        "findings": [as_json(f) for f in merged(f for one in report.sources for f in one.findings)],
    }


def _source(one: SourceReport) -> Plain:
    return {
        "path": str(one.path),
        "sha256": one.digest,
        "known": one.known,
        "quotes": asdict(one.quotes),
        "levels": asdict(one.levels),
        "quarantined": dict(one.reasons),
        "quarantine": [path.name for path in one.quarantine],
        "findings": [as_json(finding) for finding in one.findings],
    }


def list_json(folder: Path, there: tuple[Overview, ...], daily: tuple[Daily, ...]) -> Plain:
    """The store's overview, and the downloads."""
    rows = [{**asdict(one), "first": one.first.isoformat(), "last": one.last.isoformat()} for one in there]
    downloads = [
        {
            "name": one.name,
            "path": str(one.path),
            "sha256": one.digest,
            "first": one.first.isoformat(),
            "last": one.last.isoformat(),
            "rows": one.rows,
            "confirmed": None if one.confirmed is None else one.confirmed.isoformat(),
        }
        for one in daily
    ]
    return {"store": str(folder), "there": rows, "daily": downloads}


def root_json(store: Store, name: str, kind: str, month: str | None) -> Plain:
    """The months of a root with their sessions, or one of them."""
    chosen = {m: r for m, r in store.months(name, kind).items() if month in {None, m}}
    return {
        "store": str(store.folder),
        "name": name,
        "kind": kind,
        "months": {
            m: {
                "file": str(store.folder / record.file),
                "sha256": record.digest,
                "bytes": record.bytes,
                "rows": record.rows,
                "step_minutes": record.step_minutes,
                "missing": [day.isoformat() for day in record.missing],
                "sessions": [_session(one) for one in record.sessions],
            }
            for m, record in chosen.items()
        },
        "marks": [
            {"start": mark.start.isoformat(), "end": mark.end.isoformat(), "why": mark.why}
            for mark in store.marks(name)
        ],
        "sources": [_origin(one) for one in store.sources(name, kind)],
    }


def _session(one: SessionRecord) -> Plain:
    return {
        "day": one.day.isoformat(),
        "snapshots": one.snapshots,
        "rows": one.rows,
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "holes": [[start.isoformat(), end.isoformat()] for start, end in one.holes],
    }


def _origin(one: SourceRecord) -> Plain:
    def counts(of: Counts) -> Plain:
        return asdict(of)

    return {
        "path": one.path,
        "sha256": one.digest,
        "format": one.importer,
        "licence": one.licence,
        "quotes": counts(one.quotes),
        "levels": counts(one.levels),
        "quarantined": dict(one.reasons),
    }


def verified_json(folder: Path, found: Verified) -> Plain:
    """Every finding by itself, and each kind and root once under ``summary``."""
    return {
        "store": str(folder),
        "roots": list(found.roots),
        "rows": found.rows,
        "quarantined": dict(found.quarantined),
        "damage": [{"path": str(one.path), "why": one.why} for one in found.damage],
        "summary": [as_json(finding) for finding in found.summary],
        "findings": [as_json(finding) for finding in found.findings],
    }
