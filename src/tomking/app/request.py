"""What a backtest is asked for and what it gives back: the border between command line and run."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from tomking.app.config import Config
from tomking.app.exits import Exit
from tomking.app.problems import Problem
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST

Progress = Callable[[int, int, str], None]
"""Sessions done, sessions in all, and what is being done, in a few words."""


BESIDE = ("trades.csv", "run.json", "journal.sqlite")
"""What is left beside the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One backtest.  Everything in it has been read and checked; the market data has not."""

    start: date | None
    """First session that may trade; None, with chains only, is the first one recorded."""
    end: date | None
    """Last session, on or after ``start``; None, with chains only, is the last one recorded."""
    strategies: tuple[str, ...]
    """At least one, each once, in the order they are asked."""
    seed: int
    capital: Decimal
    """US dollars, > 0."""
    chains: Path | None
    """Recorded quotes to run on (``app.chains``); None runs on the modelled market."""
    config: Config
    report: Path
    """The HTML file to write; ``trades.csv``, ``run.json`` and ``journal.sqlite`` go beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a finished backtest leaves."""

    report: Path
    run: Mapping[str, object]
    """What ``run.json`` holds: ``backtest --json`` prints it."""
    summary: str
    """For the terminal: plain lines, no markup."""


def report_problems(report: Path) -> list[Problem]:
    """Why the report cannot be written there, before anything is made."""
    try:
        return _place_problems(report)
    except OSError as error:
        return [_usage(f"--report {report}: {error.strerror}; choose another place")]


def _place_problems(report: Path) -> list[Problem]:
    if not report.name:
        return [_usage(f"--report {report}: names no file; for example --report report.html")]
    if report.suffix.lower() not in {".html", ".htm"}:
        return [
            _usage(
                f"--report {report}: must end in .html; for example --report {report.with_suffix('.html')}"
            )
        ]
    if report.is_dir():
        return [
            _usage(f"--report {report}: is a directory; name a file in it, like {report / 'report.html'}")
        ]
    nearest = next(p for p in report.absolute().parents if p.exists())
    if not nearest.is_dir():
        return [_usage(f"--report {report}: {nearest} is a file, not a directory; choose another place")]
    try:
        # Permissions say yes to root in places that take no file: only trying tells.
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError:
        return [_usage(f"--report {report}: {nearest} may not be written to; choose another place")]
    return [
        _usage(f"--report {report}: {each} is a directory where a file goes; choose another place")
        for each in map(report.with_name, BESIDE)
        if each.is_dir()
    ]


def capital_problems(capital: Decimal) -> list[Problem]:
    """Money has no smaller unit than the cent."""
    if capital == round(capital, 2):
        return []
    return [_usage(f"--capital {capital}: must be in whole cents; for example --capital {capital:.2f}")]


def data_problems(start: date | None, end: date | None, chains: Path | None) -> list[Problem]:
    """What is already known to be missing.  The run itself refuses malformed files (``BadData``, exit 6)."""
    if chains is not None:
        return _chain_problems(chains)
    within = f"the history runs from {HISTORY_FIRST} to {HISTORY_LAST}; choose a date within it"
    return [
        _data(f"the {name} {day} is outside the data: {within}")
        for name, day in (("start", start), ("end", end))
        if day is not None and not HISTORY_FIRST <= day <= HISTORY_LAST
    ]


def _chain_problems(chains: Path) -> list[Problem]:
    # Not at the top: it brings Polars, which the command line starts without.
    from tomking.app import chains as named  # noqa: PLC0415

    place = named.place_of(chains)
    if chains == named.STORE_WORD and not place.exists():
        return [_data(f"--chains store: there is no store at {place} yet; fill it with tomking data import")]
    try:
        if place.is_dir():
            return _folder_problems(chains, readable=named.is_readable(place))
        with place.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        return [_data(f"--chains {chains}: there is no such file; correct the path")]
    except OSError as error:
        return [_data(f"--chains {chains}: cannot be read: {error.strerror}; make the file readable")]
    return [_data(f"--chains {chains}: is empty; name a file of recorded quotes")] if empty else []


def _folder_problems(chains: Path, *, readable: bool) -> list[Problem]:
    if readable:
        return []
    said = "is a directory that holds no chain store and nothing that an importer knows as a folder"
    return [_data(f"--chains {chains}: {said}; name a file in it, or see tomking data import -h")]


def _usage(line: str) -> Problem:
    return Problem(Exit.USAGE, line)


def _data(line: str) -> Problem:
    return Problem(Exit.DATA, line)
