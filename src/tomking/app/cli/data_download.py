"""``tomking data download``: what was asked for, and what became of it."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tomking.adapters.download import (
    GROUPS,
    SERIES,
    Absent,
    Cache,
    Failed,
    Fetched,
    Outcome,
    Unchanged,
    WallWaiting,
    download,
)
from tomking.app.cli.data import nearest, shown, store_folder
from tomking.app.data import DAILY
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, problem

REVISIONS_TOLD = 3


def run_download(names: Sequence[str], base: str | None, store: Path | None, *, as_json: bool) -> None:
    """Bring the named histories up to date; what failed ends the command with 5 or 6 after the others."""
    wanted = _series(names)
    if base is not None and not base.startswith(("http://", "https://")):
        raise problem(Exit.USAGE, f"--from {base}: not an address; it starts with http:// or https://")
    cache = Cache(store_folder(store, must_exist=False) / DAILY)
    with shown("downloading") as tell:
        done = iter(range(len(wanted)))
        outcomes = download(
            wanted,
            cache,
            WallWaiting(),
            base=base,
            tell=lambda name: tell(next(done) / len(wanted), name),
        )
    if as_json:
        print(json.dumps([_plain(one) for one in outcomes], indent=2))
    else:
        for one in outcomes:
            for line in _lines(one):
                print(line)
    failed = [one for one in outcomes if isinstance(one, Failed)]
    if failed:
        raise Problems(
            Problem(Exit.UNAVAILABLE if one.offline else Exit.DATA, line)
            for one in failed
            for line in one.problems
        )


def _series(names: Sequence[str]) -> tuple[str, ...]:
    """The series that are meant, each once.  ``Problems`` names every word that is none."""
    found: list[str] = []
    problems = []
    for name in names:
        if name in SERIES:  # VIX in capitals is one series, vix the group
            found.append(name)
        elif name.lower() in GROUPS:
            found += GROUPS[name.lower()]
        elif name.upper() in SERIES:
            found.append(name.upper())
        else:
            hint = nearest(name, (*SERIES, *GROUPS))
            problems.append(Problem(Exit.USAGE, f"{name}: no such history; {hint}"))
    if problems:
        raise Problems(problems)
    return tuple(dict.fromkeys(found))


def _lines(one: Outcome) -> list[str]:
    match one:
        case Fetched():
            news = "new" if one.added == one.rows else f"{one.added:,} new"
            lines = [f"{one.name}: {one.rows:,} days {one.first} to {one.last}, {news}; {one.path}"]
            lines += [f"  revised {each}" for each in one.revised[:REVISIONS_TOLD]]
            more = len(one.revised) - REVISIONS_TOLD
            return lines + ([f"  and {more} more revised days"] if more > 0 else [])
        case Unchanged():
            return [f"{one.name}: nothing new, {one.rows:,} days {one.first} to {one.last}; {one.path}"]
        case Absent():
            return [f"{one.name}: not published at this time ({one.why})"]
        case Failed():
            return []  # told as problems, after the others


def _plain(one: Outcome) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in type(one).__dataclass_fields__}
    plain = {
        name: str(value)
        if isinstance(value, Path | date)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }
    return {"outcome": type(one).__name__.lower(), **plain}
