"""``tomking backtest``: from what was typed to a request, or to everything that is wrong with it."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tomking.app import request as border
from tomking.app.cli.configuration import read_assignments
from tomking.app.config import Config, Override, check_config
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, did_you_mean
from tomking.app.request import Request
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST, Account, Backtest
from tomking.domain.errors import BadData

OPTION_KEYS = {
    "start": "backtest.start",
    "end": "backtest.end",
    "strategies": "backtest.strategies",
    "seed": "backtest.seed",
    "capital": "account.capital",
}
"""Options that are configuration keys under a shorter name."""


RECORDINGS_END = date(2035, 12, 31)
"""The last session that a recording is held against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed, unread."""

    options: Mapping[str, str]
    """Texts of the options of ``OPTION_KEYS`` that were given."""
    assignments: tuple[str, ...]
    config: Path | None
    chains: Path | None
    report: Path | None
    unknown: tuple[str, ...]
    """Words the parser could not place."""
    known: tuple[str, ...]
    """Options it knows."""


def run_backtest(asked: Asked, *, as_json: bool) -> None:
    """Run what was asked.  Raises ``Problems`` before anything is written."""
    request = make_request(asked)
    from tomking.app.backtest import run  # the whole core: only once the input is known to be good

    with _progress() as progress:
        result = run(request, progress)
    if as_json:
        print(json.dumps(result.run, indent=2, default=str))
        return
    print(result.summary)
    print(result.report)


def make_request(asked: Asked) -> Request:
    """The request that was typed.  Raises ``Problems`` with all that is wrong, whatever its kind."""
    problems = _unknown_words(asked)
    assignments, malformed = read_assignments(asked.assignments)
    options = [Override(OPTION_KEYS[o], text, f"--{o}", Exit.USAGE) for o, text in asked.options.items()]
    config, invalid = check_config(path=asked.config, overrides=[*assignments, *options])
    problems += [*malformed, *invalid]
    # With the configuration broken, the dates and the report's place are still judged by what can be read.
    start, end = _span(asked, config)
    problems += _order_problems(asked, config) + border.data_problems(start, end, asked.chains)
    if config is not None:
        problems += border.capital_problems(config.section("account", Account).capital)
    if asked.report is not None:
        problems += border.report_problems(asked.report)
    if config is None or problems:
        raise Problems([*problems, *_recording_problems(asked.chains)])
    chosen = config.section("backtest", Backtest)
    return Request(
        start=start,
        end=end,
        strategies=chosen.strategies,
        seed=chosen.seed,
        capital=config.section("account", Account).capital,
        chains=asked.chains,
        config=config,
        report=asked.report or _default_report(start, end, chosen.seed, asked.chains),
    )


def _unknown_words(asked: Asked) -> list[Problem]:
    """A line for each option nobody knows, with the value that follows it, and for each stray word."""
    problems = []
    after_option = False
    for word in asked.unknown:
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            hint = did_you_mean(name, [o for o in asked.known if o.startswith("--")])
            problems.append(Problem(Exit.USAGE, f"{name}: unknown option; {hint} (see tomking backtest -h)"))
            after_option = not equals
        elif after_option:
            after_option = False
        else:
            line = f"{word}: unexpected word; options start with -- (see tomking backtest -h)"
            problems.append(Problem(Exit.USAGE, line))
    return problems


def _recording_problems(chains: Path | None) -> list[Problem]:
    """What is wrong inside the chain file: read only to be told together with what else is wrong.

    A run that has no other problem finds these itself when it reads the file.
    """
    if chains is None or border.data_problems(None, None, chains):
        return []
    from tomking.adapters.calendars import load_sessions
    from tomking.adapters.recorded_snapshots import read_recording
    from tomking.app.chains import Kind, kind_of

    if kind_of(chains) is not Kind.RECORDING:
        return []  # an import takes its time: the run itself says what is wrong
    try:
        read_recording((chains,), load_sessions(HISTORY_FIRST, RECORDINGS_END))
    except BadData as error:
        return [Problem(Exit.DATA, line) for line in error.problems]
    return []


def _span(asked: Asked, config: Config | None) -> tuple[date | None, date | None]:
    """First and last day asked for; None where the recorded chains decide."""
    if config is None:
        start, end = _readable(asked.options.get("start")), _readable(asked.options.get("end"))
    else:
        chosen = config.section("backtest", Backtest)
        start, end = chosen.start, chosen.end
    if asked.chains is not None:
        return start, end
    return start or HISTORY_FIRST, end or HISTORY_LAST


def _order_problems(asked: Asked, config: Config | None) -> list[Problem]:
    """An end before the start, said also when something else of that section keeps it from being judged."""
    start, end = (_readable(asked.options.get(name)) for name in ("start", "end"))
    if config is not None or start is None or end is None or start <= end:
        return []
    line = f"the end {end} is before the start {start}; give an end on or after it"
    return [Problem(Exit.USAGE, f"backtest (--start, --end): {line}")]


def _readable(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _default_report(start: date | None, end: date | None, seed: int, chains: Path | None) -> Path:
    span = f"{start}_{end}" if chains is None else chains.name.split(".")[0] or "chains"
    return Path("runs") / f"{span}_seed{seed}" / "report.html"


@contextmanager
def _progress() -> Iterator[border.Progress]:
    """A bar on stderr where somebody watches, one line where nobody does."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    if not console.is_terminal:
        print("tomking: backtest running", file=sys.stderr)
        yield lambda _done, _total, _what: None
        return
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
