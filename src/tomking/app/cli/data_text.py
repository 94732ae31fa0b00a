"""What ``tomking data`` says to a person: plain tables and sentences, at most 100 wide."""

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tomking.adapters.download import SERIES, Cache, read_table
from tomking.adapters.store import Overview, Store
from tomking.adapters.store.records import Counts, SourceRecord
from tomking.adapters.store.reports import ImportReport, SourceReport
from tomking.adapters.verify import KINDS, Finding, Severity, merged
from tomking.app.data import DAILY, Chosen, Verified
from tomking.domain.calendar import new_york
from tomking.domain.errors import BadData

WIDTH = 100
EMPTY = "no quotes yet: `tomking data import PATH` brings them in"
MOST_FINDINGS = 30
FEW_FILES = 12
"""Files that are listed one by one."""


def _printed(*parts: Table | str) -> str:
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, highlight=False)
    for part in parts:
        if isinstance(part, str):
            console.print(Text(part))
        else:
            console.print(part)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n")


def _table(*heads: str, left: int = 1) -> Table:
    """A table whose first ``left`` columns are words and the others numbers."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0)
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i < left else "right", no_wrap=i >= left, overflow="fold")
    return table


def counted(n: int, noun: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.1f} GB"


# ----------------------------------------------------------------------------------------------- import


def imported(report: ImportReport, folder: Path, chosen: Chosen, *, dry_run: bool) -> str:
    """Rows read, kept and quarantined with their reasons, and where they are."""
    read = [one for one in report.sources if not one.known]
    known = len(report.sources) - len(read)
    opening = f"{counted(len(report.sources), 'file')} of format {chosen.importer.name}"
    if not read:
        return _printed(f"{opening}, imported before: nothing new")
    if known:
        opening += f", {known:,} of them imported before"
    parts: list[Table | str] = [opening, *_assumed(read, chosen), _counts(report)]
    reasons = Counter[str]()
    for one in read:
        reasons.update(dict(one.reasons))
    found = merged(f for one in read for f in one.findings)
    if reasons:
        parts.append(_refused(reasons, found))
    told = [f for f in found if not f.quarantined]
    if told:
        parts.append(_findings(told, "kept, but look"))
    if report.months:
        parts.append(_months_line(report))
    kept_out = [path for one in read for path in one.quarantine]
    if not report.changed:
        parts.append("nothing new: every row was in the store before")
    elif dry_run:
        parts.append(f"dry run: nothing was changed in {folder}")
    else:
        parts.append(f"stored in {folder}")
        if kept_out:
            where = kept_out[0].name if len(kept_out) == 1 else f"{len(kept_out)} files"
            parts.append(f"quarantined rows: {folder / 'quarantine'} ({where})")
        if any(month.kind == "quotes" for month in report.months):
            parts.append("whole sessions are looked at by: tomking data verify")
    return _printed(*parts)


def _assumed(read: Sequence[SourceReport], chosen: Chosen) -> list[str]:
    """The instant that nobody said, of the files read now."""
    guessed = [one.path for one in read if one.path in chosen.at_close]
    if not guessed:
        return []
    more = "" if len(guessed) == 1 else f" and {counted(len(guessed) - 1, 'other file')}"
    said = f"! {guessed[0].name}{more}: the name says a day and no time, so the quotes are stamped with that"
    return [f"{said} day's close; if they were taken at another time, import with --at instead"]


def _counts(report: ImportReport) -> Table:
    table = _table("rows", "read", "kept", "there before", "quarantined")
    read = [one for one in report.sources if not one.known]
    if len(read) <= FEW_FILES:
        names = Counter(one.path.name for one in read)
        for one in read:
            name = one.path.name if names[one.path.name] == 1 else f"{one.path.parent.name}/{one.path.name}"
            _row(table, name, one.quotes + one.levels)
    if len(read) != 1:
        _row(table, f"all {len(read):,} files read", report.totals)
    return table


def _row(table: Table, name: str, of: Counts) -> None:
    table.add_row(name, *(f"{n:,}" for n in (of.read, of.kept, of.already, of.quarantined)))


def _refused(reasons: Counter[str], found: Sequence[Finding]) -> Table:
    table = _table("quarantined", "rows", left=1)
    table.add_column("why, and what to do", overflow="fold")
    firsts = {f.kind: f for f in reversed(found)}
    for reason, count in reasons.most_common():
        kind, first = KINDS.get(reason), firsts.get(reason)
        if kind is None:
            stays = "; the stored one stays, and each row in quarantine says what differs"
            differs = reason.startswith("contradicts the stored row")
            table.add_row("by the store", f"{count:,}", reason + stays * differs)
            continue
        example = "" if first is None else f"\nfirst: {first.where}: {first.example}"
        table.add_row(reason, f"{count:,}", f"{kind.meaning}; {kind.advice}{example}")
    return table


def _months_line(report: ImportReport) -> str:
    names: dict[str, list[str]] = {}
    for month in report.months:
        names.setdefault(f"{month.name} {month.kind}", []).append(month.month)
    spans = [f"{name} {_span(months)}" for name, months in names.items()]
    return "months that changed: " + "; ".join(spans)


def _span(months: Sequence[str]) -> str:
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]} ({len(months)})"


def _findings(findings: Iterable[Finding], title: str) -> Table:
    table = _table(title, "of", "count", left=2)
    table.add_column("what, the first or worst, and what to do", overflow="fold")
    every = list(findings)
    for one in every[:MOST_FINDINGS]:
        mark = "! " if one.severity is Severity.WARNING else ""
        words = f"{one.about.meaning}\n{one.where}: {one.example}\n{one.about.advice}"
        table.add_row(f"{mark}{one.kind}", one.root, f"{one.count:,}", words)
    if len(every) > MOST_FINDINGS:
        table.add_row("", "", "", f"and {len(every) - MOST_FINDINGS:,} more: --json has all")
    return table


# ------------------------------------------------------------------------------------------------- list


@dataclass(frozen=True, slots=True)
class Daily:
    """A downloaded history."""

    name: str
    path: Path
    digest: str
    rows: int
    first: date
    last: date
    confirmed: datetime | None
    """When its publisher last said that it is the newest."""
    age: str


def downloads(folder: Path, now: datetime) -> tuple[Daily, ...]:
    """The histories that were downloaded and can be read."""
    cache, found = Cache(folder / DAILY), []
    for name, series in SERIES.items():
        cached = cache.find(series)
        if cached is None:
            continue
        try:
            table = read_table(cached.body, series, str(cached.path))
        except BadData:
            continue
        confirmed = None if cached.story is None else cached.story.confirmed
        found.append(
            Daily(
                name=name,
                path=cached.path,
                digest=cached.digest,
                rows=len(table.rows),
                first=table.first,
                last=table.last,
                confirmed=confirmed,
                age=cached.age(now),
            )
        )
    return tuple(found)


def overview(folder: Path, there: Sequence[Overview], daily: Sequence[Daily]) -> str:
    """A line a root or underlying, a line a downloaded history."""
    parts: list[Table | str] = [f"data directory: {folder}"]
    if there:
        table = _table(
            "name",
            "kind",
            "first",
            "last",
            "sessions",
            "snapshots",
            "rows",
            "size",
            "missing",
            "holes",
            left=2,
        )
        for one in there:
            first, last = (str(new_york(t).date()) for t in (one.first, one.last))
            numbers = (f"{n:,}" for n in (one.sessions, one.snapshots, one.rows))
            gaps = (f"{n:,}" for n in (one.missing, one.holes))
            table.add_row(one.name, one.kind, first, last, *numbers, _size(one.bytes), *gaps)
        parts += [table, "missing: exchange sessions between first and last; holes: inside sessions"]
    else:
        parts.append(EMPTY)
    if daily:
        table = _table("daily history", "what", "first", "last", "days", "confirmed", left=2)
        for each in daily:
            what = SERIES[each.name].what
            table.add_row(each.name, what, str(each.first), str(each.last), f"{each.rows:,}", each.age)
        parts.append(table)
    return _printed(*parts)


# ------------------------------------------------------------------------------------------------- show


def months(store: Store, name: str, kind: str) -> str:
    """A line a month, then where it came from."""
    table = _table("month", "sessions", "snapshots", "rows", "size", "every", "missing", "holes")
    for month, record in store.months(name, kind).items():
        table.add_row(
            month,
            f"{len(record.sessions):,}",
            f"{sum(s.snapshots for s in record.sessions):,}",
            f"{record.rows:,}",
            _size(record.bytes),
            "-" if record.step_minutes is None else f"{record.step_minutes:g} min",
            f"{len(record.missing):,}",
            f"{sum(len(s.holes) for s in record.sessions):,}",
        )
    return _printed(f"{name}, {kind}", table, *_marks(store, name), *_origins(store.sources(name, kind)))


def sessions(store: Store, name: str, kind: str, month: str) -> str:
    """A line a session of one month, New York times, then what is missing."""
    record = store.months(name, kind)[month]
    table = _table("session", "snapshots", "rows", "first", "last", "holes")
    for one in record.sessions:
        holes = ", ".join(f"{new_york(a):%H:%M}-{new_york(b):%H:%M}" for a, b in one.holes[:3])
        more = f" and {len(one.holes) - 3} more" if len(one.holes) > 3 else ""
        first, last = (f"{new_york(t):%H:%M}" for t in (one.first, one.last))
        table.add_row(
            f"{one.day} {one.day:%a}", f"{one.snapshots:,}", f"{one.rows:,}", first, last, f"{holes}{more}"
        )
    missing = [f"missing sessions: {', '.join(map(str, record.missing))}"] if record.missing else []
    return _printed(f"{name}, {kind}, {month}; times in New York", table, *missing)


def _marks(store: Store, name: str) -> list[str]:
    marks = store.marks(name)
    said = [f"  {m.start:%Y-%m-%d %H:%M} to {m.end:%Y-%m-%d %H:%M} UTC: {m.why}" for m in marks[:10]]
    more = [f"  and {len(marks) - 10:,} more"] if len(marks) > 10 else []
    return ["the recorder says of itself:", *said, *more] if marks else []


def _origins(sources: Sequence[SourceRecord]) -> list[Table | str]:
    table = _table("from", "format", "licence", "kept", "quarantined", left=3)
    for one in sources[:FEW_FILES]:
        kept = one.quotes.kept + one.levels.kept
        out = one.quotes.quarantined + one.levels.quarantined
        table.add_row(one.path, one.importer, one.licence or "-", f"{kept:,}", f"{out:,}")
    more = (
        [f"and {len(sources) - FEW_FILES:,} more files (--json has all)"] if len(sources) > FEW_FILES else []
    )
    return [table, *more]


# ----------------------------------------------------------------------------------------------- verify


def verified(folder: Path, found: Verified) -> str:
    """Damage first, then a line a kind and root, worst kinds first."""
    if not found.roots and not found.damage:
        return _printed(f"data directory: {folder}", EMPTY)
    examined = f"{', '.join(found.roots)}: {counted(found.rows, 'quote')} examined in {folder}"
    parts: list[Table | str] = [examined]
    if found.quarantined:
        refused = ", ".join(f"{reason} {count:,}" for reason, count in found.quarantined)
        parts.append(f"of their files in quarantine: {refused}")
    parts += [f"DAMAGED {one.path}: {one.why}" for one in found.damage]
    if found.findings:
        parts.append(_findings(found.summary, "found"))
        parts.append("! is a warning, the rest are notes; each kind: docs/verifying.md; all of them: --json")
    else:
        parts.append("nothing found")
    return _printed(*parts)
