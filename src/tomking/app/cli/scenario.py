"""``tomking scenario``: what it lists, runs and prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomking.app.exits import Exit
from tomking.app.problems import did_you_mean, problem

if TYPE_CHECKING:
    from tomking.app.scenario.outcome import Result

scenario_app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    rich_markup_mode=None,
)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]


@scenario_app.callback()
def scenario(context: typer.Context) -> None:
    """Play scripted and historic days against the risk rules, and check what must happen.

    \b
    Examples:
      tomking scenario list
      tomking scenario run crash-20
      tomking scenario run --all
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@scenario_app.command("list")
def list_scenarios(*, as_json: AsJson = False) -> None:
    """Print the scenarios with what each must show.

    \b
    Examples:
      tomking scenario list
      tomking scenario list --json
    """  # noqa: D301
    import json
    from dataclasses import asdict

    from tomking.app.scenario.table import ROWS

    if as_json:
        print(
            json.dumps([{**asdict(r), "claims": [c.words + ": " + c.range for c in r.claims]} for r in ROWS])
        )
        return
    for row in ROWS:
        print(f"{row.name:24} {len(row.claims):3} claims  {row.source}: {row.tape}")


@scenario_app.command("run")
def run_scenarios(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which scenarios.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Run every scenario.")] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Leave a picture of each there, and a page if all are run."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run scenarios and compare what came out with the table of what must.

    \b
    Examples:
      tomking scenario run august-proof
      tomking scenario run --all
      tomking scenario run --all --pictures docs/scenarios --json

    Ends with exit code 9 when a figure lies outside its range.
    """  # noqa: D301
    play(tuple(names or ()), everything=everything, pictures=pictures, as_json=as_json)


def play(names: tuple[str, ...], *, everything: bool, pictures: Path | None, as_json: bool) -> None:
    """The body of ``run``; ``Problems`` for unknown names and for misses."""
    import json

    from tomking.app.scenario.run import NAMES, run
    from tomking.app.scenario.text import as_facts, as_lines

    chosen = NAMES if everything else names
    if not chosen:
        raise problem(Exit.USAGE, "name a scenario, or give --all (see tomking scenario list)")
    for name in chosen:
        if name not in NAMES:
            said = did_you_mean(name, NAMES)
            raise problem(Exit.USAGE, f"{name}: unknown scenario; {said} (see tomking scenario list)")
    results = []
    for result in run(chosen):
        results.append(result)
        if not as_json:
            print("\n".join(as_lines(result)), flush=True)
    if pictures is not None:
        _leave(pictures, results, whole=everything)
    if as_json:
        print(json.dumps([as_facts(result) for result in results], indent=2))
    missed = [result.row.name for result in results if result.missed]
    if missed:
        raise problem(Exit.MISMATCH, f"{len(missed)} of {len(results)} scenarios missed: {', '.join(missed)}")


def _leave(folder: Path, results: "list[Result]", *, whole: bool) -> None:
    """A picture of each, and the two pages when all were run."""
    from tomking.app.scenario.picture import picture
    from tomking.app.scenario.table import expected_page
    from tomking.app.scenario.text import page

    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        if result.outcome.stories:
            drawn = picture(result.row.name, result.outcome.stories)
            (folder / f"{result.row.name}.svg").write_text(drawn, encoding="utf-8")
    if whole:
        (folder / "README.md").write_text(page(results), encoding="utf-8")
        (folder / "expected.md").write_text(expected_page(), encoding="utf-8")
