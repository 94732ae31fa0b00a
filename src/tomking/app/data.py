"""The user's market data: where it is, what a path on the command line means, imports, rehearsals, checks."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import platformdirs
import polars as pl

from tomking.adapters.history import load_history
from tomking.adapters.importers.known import importers, mapped, recognised
from tomking.adapters.importers.raw import STRIKE_DIGITS, Importer, Source
from tomking.adapters.importers.tabular import Tabular
from tomking.adapters.store import Store
from tomking.adapters.store.importing import import_sources
from tomking.adapters.store.months import KINDS
from tomking.adapters.store.questions import scan, scan_levels
from tomking.adapters.store.records import NAME, Catalogue, MonthRecord, SessionRecord, SourceRecord
from tomking.adapters.store.reports import ImportReport, Progress
from tomking.adapters.store.store import Damage
from tomking.adapters.verify import (
    Checked,
    Context,
    Digest,
    Finding,
    across_findings,
    check,
    daily_levels,
    examine_part,
    joined,
    load_context,
    merged,
)
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, did_you_mean
from tomking.domain.calendar import NEW_YORK
from tomking.domain.errors import BadData
from tomking.domain.products import PRODUCTS

DAILY = "daily"
"""Folder of the downloaded daily histories, in the data directory."""
ROWS_AT_ONCE = 500_000
"""Whole sessions are examined together up to this many rows: about 300 MB."""
MIXED_LOOKED_AT = 50
"""Files of a folder that are asked what they are, when they are not what the folder was taken for."""
LEVEL_MINUTES = 10
"""A level so much older than a quote is still the underlying of it."""


def data_path(environment: Mapping[str, str]) -> Path:
    """Where chains and histories are kept: ``$TOMKING_HOME/data``, else the platform's data directory."""
    home = environment.get("TOMKING_HOME")
    return Path(home) / "data" if home else platformdirs.user_data_path("tomking")


# ----------------------------------------------------------------------------------- into the store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user said of the files to import."""

    paths: tuple[Path, ...]
    layout: str | None = None
    mapping: Path | None = None
    product: str | None = None
    zone: str | None = None
    at: datetime | None = None
    """The moment of files that do not say theirs, aware."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be read, and by whom."""

    importer: Importer
    sources: tuple[Source, ...]

    @property
    def at_close(self) -> tuple[Path, ...]:
        """Files whose name says the day and no time: their quotes are taken to be of its close."""
        if not isinstance(self.importer, Tabular):
            return ()
        return tuple(one.path for one in self.sources if self.importer.assumes_close(one.path))


def choose(asked: Asked) -> Chosen:
    """The importer and the files.  ``Problems`` and ``BadData`` say all that is wrong with what was asked."""
    importer = _importer(asked)
    if asked.at is not None:
        if not isinstance(importer, Tabular) or not importer.needs_at:
            line = f"--at: {importer.name} files have their own times; leave it out"
            raise Problems([Problem(Exit.USAGE, line)])
        importer = importer.at(asked.at)
    problems: list[str] = []
    files: list[Path] = []
    for path in asked.paths:
        try:
            files += _found(importer, path)
        except BadData as error:
            problems += error.problems
    if not files and not problems:
        problems = [
            f"{path}: nothing in it that {importer.name} reads; check the path" for path in asked.paths
        ]
    if problems:
        raise BadData(problems)
    if asked.layout is None and asked.mapping is None:
        _refuse_mixed(importer, files)
    root = None if asked.product is None else asked.product.upper()
    return Chosen(importer, tuple(Source(file, root, asked.zone) for file in dict.fromkeys(files)))


def _found(importer: Importer, path: Path) -> tuple[Path, ...]:
    if not path.exists() and not path.is_symlink():
        raise BadData([f"{path}: no such file or folder; check the path"])
    return importer.files(path)


def _importer(asked: Asked) -> Importer:
    if asked.mapping is not None:
        try:
            return mapped(asked.mapping)
        except BadData as error:
            raise Problems(Problem(Exit.CONFIG, line) for line in error.problems) from error
    if asked.layout is not None:
        found = importers().get(asked.layout.lower())
        if found is None:
            hint = did_you_mean(asked.layout, importers())
            raise Problems([Problem(Exit.USAGE, f"--format {asked.layout}: no such format; {hint}")])
        return found
    return _one_layout({path: recognised(path) for path in asked.paths})


def _one_layout(found: Mapping[Path, Importer]) -> Importer:
    """One import is one format, so that it is stored whole or not at all."""
    layouts = {importer.name: importer for importer in found.values()}
    if len(layouts) > 1:
        said = "; ".join(f"{path} is {importer.name}" for path, importer in found.items())
        line = f"these files are of several formats: {said}; import each format by itself"
        raise Problems([Problem(Exit.USAGE, line)])
    return next(iter(layouts.values()))


def _refuse_mixed(importer: Importer, files: list[Path]) -> None:
    """``Problems`` where a folder holds files of another format beside those of the one it was taken for."""
    others = [file for file in files if not importer.recognises(file)]
    layouts: dict[str, list[Path]] = {}
    for file in others[:MIXED_LOOKED_AT]:
        for name in [i.name for i in importers().values() if i.recognises(file)]:
            layouts.setdefault(name, []).append(file)
    if layouts:
        mine = next(file for file in files if file not in others)
        said = "; ".join(
            f"{found[0]} is {name}" for name, found in {importer.name: [mine], **layouts}.items()
        )
        line = f"these files are of several formats: {said}; name the files of one format"
        raise Problems([Problem(Exit.USAGE, line)])


def bring_in(
    folder: Path,
    chosen: Chosen,
    *,
    now: datetime,
    strict: bool = False,
    licence: str = "",
    progress: Callable[[Progress], None],
) -> ImportReport:
    """Import what was chosen into the store of a folder; see ``import_sources``."""
    return import_sources(
        Store(folder),
        chosen.importer,
        chosen.sources,
        check=checker(load_context(now=now)),
        progress=progress,
        strict=strict,
        licence=licence,
    )


def checker(context: Context) -> Callable[[pl.DataFrame, Source], Checked]:
    """The row checks as the pipeline wants them: findings name the source's file."""

    def checked(quotes: pl.DataFrame, source: Source) -> Checked:
        return check(quotes, replace(context, source=str(source.path)))

    return checked


@contextmanager
def rehearsal(folder: Path) -> Iterator[Path]:
    """A throw-away store that looks like the one in ``folder``, for an import that changes nothing.

    Links instead of copies: the pipeline replaces files and never writes into one.
    """
    store = Store(folder)
    with tempfile.TemporaryDirectory(prefix="tomking-rehearsal-") as place:
        made = Path(place) / "data"
        if (folder / NAME).exists():
            made.mkdir()
            (made / NAME).write_bytes((folder / NAME).read_bytes())
            for kind in KINDS:
                for record in (r for months in store.catalogue.of(kind).values() for r in months.values()):
                    link = made / record.file
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to((folder / record.file).resolve())
        yield made


# -------------------------------------------------------------------------------------- verification


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification found."""

    damage: tuple[Damage, ...]
    """Files that are not what the catalogue says; their quotes were not examined."""
    findings: tuple[Finding, ...]
    """One a kind, root and session (or span), the quotes' order."""
    roots: tuple[str, ...]
    rows: int
    """Quotes examined."""
    quarantined: tuple[tuple[str, int], ...]
    """Why imports kept rows out, of all files of these roots, most frequent first."""

    @property
    def summary(self) -> tuple[Finding, ...]:
        """One finding a kind and root, the worst kinds first."""
        return merged(self.findings)


def verify_store(
    folder: Path, root: str | None, tell: Callable[[int, int, str], None] = lambda _done, _all, _what: None
) -> Verified:
    """Hash every file again and examine the quotes of one root, or of all.

    ``tell`` is given rows done, rows altogether, and what is being examined.  ``BadData`` for a root that is
    not there.
    """
    store = Store(folder)
    damage = store.verify()
    broken = {one.path for one in damage}
    catalogue = store.catalogue
    roots = tuple(catalogue.quotes) if root is None else (root,)
    months = {name: store.months(name) for name in roots}
    total = sum(record.rows for by_month in months.values() for record in by_month.values())
    context, daily = load_context(), daily_levels(load_history())
    findings: list[Finding] = []
    done = 0
    for name, by_month in months.items():
        whole = [record for record in by_month.values() if store.folder / record.file not in broken]
        digests: list[Digest] = []
        for first, last, rows in _spans(whole):
            tell(done, total, f"{name} {first:%Y-%m}")
            found, digest = examine_part(_raw(store, name, first, last), context)
            findings += found
            digests.append(digest)
            done += rows
        if digests:
            findings += across_findings(joined(digests), context, daily)
    refused = Counter[str]()
    for one in _sources(catalogue, None if root is None else months[root]):
        refused.update(dict(one.reasons))
    return Verified(damage, tuple(findings), roots, done, tuple(refused.most_common()))


def _sources(catalogue: Catalogue, months: Mapping[str, MonthRecord] | None) -> list[SourceRecord]:
    """The files that brought rows to these months; of None all, for some brought none that was kept."""
    keys = catalogue.sources if months is None else {key for r in months.values() for key in r.sources}
    return [catalogue.sources[key] for key in keys]


def _spans(records: Sequence[MonthRecord]) -> Iterator[tuple[date, date, int]]:
    """Runs of whole sessions of at most ``ROWS_AT_ONCE`` rows, at least one session each, and their rows.

    Where a month is left out a run ends, so that it is not read.
    """
    run: list[SessionRecord] = []
    rows = 0
    for record in records:
        for session in record.sessions:
            if run and (rows + session.rows > ROWS_AT_ONCE or _months_apart(run[-1].day, session.day) > 1):
                yield run[0].day, run[-1].day, rows
                run, rows = [], 0
            run.append(session)
            rows += session.rows
    if run:
        yield run[0].day, run[-1].day, rows


def _months_apart(one: date, other: date) -> int:
    return (other.year - one.year) * 12 + other.month - one.month


def _raw(store: Store, root: str, first: date, last: date) -> pl.DataFrame:
    """Stored quotes as the examination wants them, with the underlying beside each where it is known."""
    quotes = (
        scan(store, root, first, last)
        .select(
            pl.lit(root).alias("root"),
            "at",
            "expiry",
            "right",
            (pl.col("strike") * STRIKE_DIGITS).round().cast(pl.Int64).alias("strike"),
            "bid",
            "ask",
            "spot",
        )
        .collect()
    )
    if quotes["spot"].null_count() < quotes.height:
        return quotes
    levels = _levels(store, root, first, last)
    if levels is None:
        return quotes
    return quotes.drop("spot").sort("at").join_asof(levels, on="at", tolerance=f"{LEVEL_MINUTES}m")


def _levels(store: Store, root: str, first: date, last: date) -> pl.DataFrame | None:
    """The level of a root's underlying by instant, None where the store has none; futures have several."""
    product = PRODUCTS.get(root)
    key = root if product is None else product.family
    if (product is not None and product.future) or key not in store.catalogue.levels:
        return None
    ratio = 1.0 if product is None else float(product.index_ratio)
    level = pl.coalesce("last", 0.5 * (pl.col("bid") + pl.col("ask"))) * ratio
    return (
        scan_levels(store, key, first, last)
        .select("at", level.alias("spot"))
        .drop_nulls()
        .collect()
        .sort("at")
        .unique("at", keep="last", maintain_order=True)
    )


def read_moment(text: str) -> datetime | None:
    """An instant as typed: New York where no offset is given; None when it cannot be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text and " " not in text.strip():
        return None  # a day is no moment
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=NEW_YORK)
