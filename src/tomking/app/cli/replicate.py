"""``tomking replicate``: what was typed, played and printed."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tomking.app.replicate.run import replicate
from tomking.app.replicate.text import as_facts, as_text
from tomking.app.request import Progress as Report


def print_comparison(first: int, count: int, *, as_json: bool) -> None:
    """Plays ``count`` seeds from ``first`` on and prints the comparison."""
    with _progress() as progress:
        result = replicate(range(first, first + count), progress)
    print(json.dumps(as_facts(result), indent=2) if as_json else as_text(result))


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar on stderr where somebody watches, one line where nobody does."""
    console = Console(stderr=True)
    if not console.is_terminal:
        print("tomking: replication running", file=sys.stderr)
        yield lambda _done, _total, _what: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
