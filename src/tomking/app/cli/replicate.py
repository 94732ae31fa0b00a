"""``tomking replicate``: its commands, and what they play and print."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tomking.app.exits import Exit
from tomking.app.problems import did_you_mean, problem

NAMES = {
    "bxm": "Cboe S&P 500 BuyWrite Index",
    "put": "Cboe S&P 500 PutWrite Index",
    "cndr": "Cboe S&P 500 Iron Condor Index",
}
"""The commands; the rules are ``app.replicate.rules.INDEXES``, which ``--help`` does not wait for."""

Report = Callable[[int, int, str], None]
"""Seeds done, seeds in all, and what is being done."""

Seed = Annotated[int, typer.Option(metavar="N", min=0, max=2**32, help="First seed of the modelled paths.")]
Seeds = Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many seeds.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]


class Indexes(TyperGroup):
    """The group of commands, which knows the nearest index to an unknown one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - the parser's own types
        """As the parser does; ``Problems`` (usage) for an unknown index."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            said = f"{args[0]}: unknown index; {did_you_mean(args[0], self.commands)}"
            raise problem(Exit.USAGE, f"{said} (see {ctx.command_path} -h)")
        return super().resolve_command(ctx, args)


replicate_app = typer.Typer(
    cls=Indexes,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    rich_markup_mode=None,
)


@replicate_app.callback()
def replicate(context: typer.Context) -> None:
    """Rebuild published option indexes by their rules and compare the years.

    \b
    Examples:
      tomking replicate bxm
      tomking replicate put --seeds 3 --json
      tomking replicate cndr --seeds 1 --seed 7
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _command(index: str) -> Callable[..., None]:
    def command(*, seed: Seed = 1, seeds: Seeds = 30, as_json: AsJson = False) -> None:
        print_comparison(seed, seeds, as_json=as_json, index=index)

    command.__doc__ = f"""Compare the {NAMES[index]}, rebuilt by its rules, with its published years.

    \b
    Examples:
      tomking replicate {index}
      tomking replicate {index} --seeds 1 --seed 7
      tomking replicate {index} --json

    One seed takes about a second.  What the deviations come from: docs/replication.md.
    """
    return command


for _index in NAMES:
    replicate_app.command(_index)(_command(_index))


def print_comparison(first: int, count: int, *, as_json: bool, index: str = "bxm") -> None:
    """Plays ``count`` seeds from ``first`` on and prints the comparison."""
    import json

    from tomking.app.replicate.rules import INDEXES
    from tomking.app.replicate.run import replicate as played
    from tomking.app.replicate.text import as_facts, as_text

    with _progress() as progress:
        result = played(range(first, first + count), progress, INDEXES[index])
    print(json.dumps(as_facts(result), indent=2) if as_json else as_text(result))


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar on stderr where somebody watches, one line where nobody does."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        print("tomking: replication running", file=sys.stderr)
        yield lambda _done, _total, _what: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
