"""``tomking paper`` and what is asked about it while it runs, or later."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="PATH", help="Configuration file; else config.toml of the user's directory."
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one configuration value; repeatable."),
]


def add_to(app: typer.Typer) -> None:
    """Registers them as commands of ``tomking`` itself."""
    for command in (paper,):
        app.command()(command)


def paper(
    *,
    venue: Annotated[str, typer.Option(metavar="NAME", help="Where it trades: sandbox.")] = "sandbox",
    port: Annotated[int, typer.Option(metavar="N", help="Port of the sandbox.")] = 8700,
    speed: Annotated[
        str | None,
        typer.Option(
            metavar="X",
            help="Run the sandbox at so many market seconds in a second, without its nights.",
        ),
    ] = None,
    sessions: Annotated[
        int | None, typer.Option(metavar="N", help="End by itself after so many sessions.")
    ] = None,
    strategies: Annotated[
        str | None, typer.Option(metavar="A,B", help="Which strategies, instead of the configuration's.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="NUMBER", show_default="5WT00001", help="The account.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin a new journal; the old one is kept beside it.")
    ] = False,
    path: ConfigPath = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Trade the rules on paper, over the same line to the broker as with money, until Ctrl-C.

    \b
    Examples:
      tomking paper --venue sandbox --speed 60
      tomking paper --strategies friday_0dte,lt112,futures_strangle --sessions 1
      tomking paper --fresh --json

    Start the venue first, in another terminal: tomking sandbox.  Five stages are checked before
    anything trades: configuration, journal, market data, broker, reconcile.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    from tomking.app.cli.live import run_paper

    ended = run_paper(
        venue,
        port,
        speed,
        sessions,
        strategies,
        account,
        path,
        assignments or [],
        fresh=fresh,
        as_json=as_json,
    )
    if ended:
        raise typer.Exit(ended)
