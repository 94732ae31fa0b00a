"""``tomking data import``, ``list``, ``show`` and ``verify``: from what was typed to what is printed."""

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import available_timezones

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from tomking.adapters.download import WallWaiting
from tomking.adapters.store import Overview, Store
from tomking.adapters.store.reports import Progress as Imported
from tomking.adapters.verify import Severity
from tomking.app.cli import data_text as text
from tomking.app.cli.data_json import import_json, list_json, root_json, verified_json
from tomking.app.data import Asked, bring_in, choose, data_path, read_moment, rehearsal, verify_store
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, problem
from tomking.domain.errors import BadData, OperatingError

_ROOT = re.compile(r"[A-Za-z0-9]{1,8}([./][A-Za-z]{1,2})?")
QUIET_SECONDS = 2.0
"""What takes longer shows how far it is."""
MOST_PROBLEMS = 100
"""Lines of one import that are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """``data import`` as it was typed."""

    paths: tuple[Path, ...]
    layout: str | None
    mapping: Path | None
    product: str | None
    zone: str | None
    at: str | None
    strict: bool
    licence: str
    dry_run: bool
    store: Path | None


def store_folder(given: Path | None, *, must_exist: bool = True) -> Path:
    """The data directory in force.  A named one that is only read must be there."""
    if given is None:
        return data_path(os.environ)
    if given.exists() and not given.is_dir():
        raise problem(Exit.DATA, f"--store {given}: is a file; name the directory that is to hold the store")
    if must_exist and not given.is_dir():
        raise problem(Exit.DATA, f"--store {given}: there is no such directory; check the path")
    return given


# ----------------------------------------------------------------------------------------------- import


def run_import(typed: Typed, *, as_json: bool) -> None:
    """Import, or rehearse it, and print what became of every row."""
    asked = _asked(typed)
    folder = store_folder(typed.store, must_exist=False)
    with disk_troubles(folder), _told_at_most(MOST_PROBLEMS):
        chosen = choose(asked)
        place = rehearsal(folder) if typed.dry_run else nullcontext(folder)
        with place as used, shown("importing") as tell:
            report = bring_in(
                used,
                chosen,
                now=WallWaiting().now(),
                strict=typed.strict,
                licence=typed.licence,
                progress=_importing(tell),
            )
    if as_json:
        plain = import_json(report, folder, chosen, dry_run=typed.dry_run)
        print(json.dumps(plain, indent=2))
        return
    print(text.imported(report, folder, chosen, dry_run=typed.dry_run))


def _asked(typed: Typed) -> Asked:
    problems = []
    moment = None
    if typed.at is not None:
        moment = read_moment(typed.at)
        if moment is None:
            line = f"--at {typed.at}: not a moment; write it like '2026-07-31 17:22', in New York"
            problems.append(Problem(Exit.USAGE, line))
    if typed.layout is not None and typed.mapping is not None:
        problems.append(Problem(Exit.USAGE, "--format and --mapping exclude each other; give one of them"))
    if typed.zone is not None and typed.zone not in available_timezones():
        near = get_close_matches(typed.zone, available_timezones(), n=1) or ["America/New_York"]
        problems.append(Problem(Exit.USAGE, f"--zone {typed.zone}: not a time zone; one is {near[0]}"))
    if typed.product is not None and not _ROOT.fullmatch(typed.product):
        line = f"--product {typed.product}: not an option root; roots are like SPXW, ES or BRK.B"
        problems.append(Problem(Exit.USAGE, line))
    if problems:
        raise Problems(problems)
    return Asked(
        paths=typed.paths,
        layout=typed.layout,
        mapping=typed.mapping,
        product=typed.product,
        zone=typed.zone,
        at=moment,
    )


def _importing(tell: "Tell") -> Callable[[Imported], None]:
    def told(now: Imported) -> None:
        name = now.source.name if now.count == 1 else f"{now.number}/{now.count} {now.source.name}"
        share = now.position / now.size if now.size else 1.0
        tell((now.number - 1 + share) / now.count, f"{name}: {now.rows:,} rows")

    return told


# ----------------------------------------------------------------------------------------- list and show


def print_list(store: Path | None, *, as_json: bool) -> None:
    """What the store has, and the downloads beside it."""
    folder = store_folder(store)
    with disk_troubles(folder):
        there = Store(folder).overview()
        daily = text.downloads(folder, WallWaiting().now())
    if as_json:
        print(json.dumps(list_json(folder, there, daily), indent=2))
        return
    print(text.overview(folder, there, daily))


def print_root(root: str, month: str | None, store: Path | None, *, as_json: bool) -> None:
    """The months of a root, or the sessions of one."""
    folder = store_folder(store)
    with disk_troubles(folder):
        held = Store(folder)
        name, kind = _known(held, root)
        months = held.months(name, kind)
        if month is not None and month not in months:
            raise problem(Exit.DATA, _no_month(name, month, list(months)))
        if as_json:
            print(json.dumps(root_json(held, name, kind, month), indent=2))
            return
        print(text.months(held, name, kind) if month is None else text.sessions(held, name, kind, month))


def _no_month(name: str, month: str, months: list[str]) -> str:
    span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}, {len(months)} months"
    try:
        date.fromisoformat(f"{month}-01")
    except ValueError:
        return f"{month}: not a month; write it like {months[-1]} (there is {span})"
    return f"{name} {month}: nothing stored; there is {span}"


def _known(store: Store, root: str) -> tuple[str, str]:
    """The name as stored and its kind; quotes before levels.  ``Problems`` names what is near."""
    there: tuple[Overview, ...] = store.overview()
    kinds = {one.name: one.kind for one in reversed(there)}
    for name in (root, root.upper()):
        if name in kinds:
            return name, kinds[name]
    if not there:
        raise problem(Exit.DATA, f"{root}: {store.folder} is empty; `tomking data import PATH` fills it")
    raise problem(Exit.DATA, f"{root}: not in the store {store.folder}; {nearest(root, kinds)}")


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean "SPXW"?``, else what there is, for names in capitals."""
    names = list(known)
    near = get_close_matches(word.upper(), names, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(names)}"


# ------------------------------------------------------------------------------------------------ verify


def print_verified(root: str | None, store: Path | None, *, strict: bool, as_json: bool) -> None:
    """What verification found; damage, and with ``strict`` any warning, ends with 6."""
    folder = store_folder(store)
    with disk_troubles(folder):
        name = None
        if root is not None:
            name, kind = _known(Store(folder), root)
            if kind != "quotes":
                raise problem(Exit.DATA, f"{name}: there are only levels of it; quotes are what is verified")
        with shown("verifying") as tell:
            found = verify_store(folder, name, lambda done, of, what: tell(done / of if of else 1.0, what))
    if as_json:
        print(json.dumps(verified_json(folder, found), indent=2))
    else:
        print(text.verified(folder, found))
    if found.damage:
        raise BadData([f"{one.path}: {one.why}; put it back from a backup" for one in found.damage])
    warnings = sum(f.severity is not Severity.NOTE for f in found.findings)
    if strict and warnings:
        raise problem(Exit.DATA, f"--strict: {warnings} warnings; see the report")


# ---------------------------------------------------------------------------------------------- progress


Tell = Callable[[float, str], None]
"""Share done, 0 to 1, and what is being done."""


@contextmanager
def shown(what: str) -> Iterator[Tell]:
    """How far it is, on stderr, for what takes more than two seconds; one line where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(what, total=1.0)
    begun = time.monotonic()
    started = False

    def tell(share: float, words: str) -> None:
        nonlocal started
        if not started:
            if time.monotonic() - begun < QUIET_SECONDS:
                return
            started = True
            if console.is_terminal:
                bar.start()
            else:
                print(f"tomking: {what} ...", file=sys.stderr)
        if console.is_terminal:
            bar.update(task, completed=share, description=f"{what} {words}")

    try:
        yield tell
    finally:
        if started and console.is_terminal:
            bar.stop()


@contextmanager
def _told_at_most(count: int) -> Iterator[None]:
    """Thousands of files may have the same thing wrong with them: the first are named, the rest counted."""
    try:
        yield
    except BadData as error:
        if len(error.problems) <= count:
            raise
        # The last one may be what was done about all of them.
        *told, last = error.problems[: count - 1] + error.problems[-1:]
        raise BadData([*told, f"and {len(error.problems) - count:,} more like these", last]) from error


@contextmanager
def disk_troubles(folder: Path) -> Iterator[None]:
    """A full disk or a locked directory, in one line."""
    try:
        yield
    except (BrokenPipeError, BadData):
        raise
    except OperatingError as error:
        raise problem(Exit.DATA, str(error)) from error
    except OSError as error:
        where = error.filename or folder
        what = error.strerror or type(error).__name__
        line = f"{where}: {what}; check the path, its permissions and the space on the disk"
        raise problem(Exit.DATA, line) from error
