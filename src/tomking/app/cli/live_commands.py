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
    for command in (paper, status, today, positions, orders, why, reconcile):
        app.command()(command)


def paper(
    *,
    venue: Annotated[
        str, typer.Option(metavar="NAME", help="Where it trades: sandbox, cert, or production's quotes.")
    ] = "sandbox",
    fills: Annotated[
        str,
        typer.Option(metavar="NAME", help="Who fills: broker, or simulated (with --venue production)."),
    ] = "broker",
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
      tomking paper --venue production --fills simulated

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
        fills=fills,
        fresh=fresh,
        as_json=as_json,
    )
    if ended:
        raise typer.Exit(ended)


JournalPath = Annotated[
    Path | None,
    typer.Option(
        "--journal", metavar="PATH", show_default="the one written last", help="The journal that is read."
    ),
]


def status(*, journal: JournalPath = None, as_json: AsJson = False) -> None:
    """Show where the paper account stands, and whether trading is allowed.

    \b
    Examples:
      tomking status
      tomking status --json

    Works beside a running engine and without one: it reads a copy of the journal.
    """  # noqa: D301
    from tomking.app.cli.live_reading import print_status

    print_status(journal, as_json=as_json)


def positions(*, journal: JournalPath = None, as_json: AsJson = False) -> None:
    """Show what is held, part by part, with what works on it.

    \b
    Examples:
      tomking positions
      tomking positions --json
    """  # noqa: D301
    from tomking.app.cli.live_reading import print_positions

    print_positions(journal, as_json=as_json)


def orders(*, journal: JournalPath = None, as_json: AsJson = False) -> None:
    """Show the orders that work and those that ended today, each with its reason.

    \b
    Examples:
      tomking orders
      tomking orders --json
    """  # noqa: D301
    from tomking.app.cli.live_reading import print_orders

    print_orders(journal, as_json=as_json)


def why(
    words: Annotated[list[str] | None, typer.Argument(metavar="[DATE] [STRATEGY]")] = None,
    *,
    journal: JournalPath = None,
    as_json: AsJson = False,
) -> None:
    """Show what was decided on a day, and why; also what was not done.

    \b
    Examples:
      tomking why
      tomking why friday_0dte
      tomking why 2022-09-16 lt112 --json
    """  # noqa: D301
    from tomking.app.cli.live_reading import print_why

    print_why(words or [], journal, as_json=as_json)


def today(
    *,
    journal: JournalPath = None,
    path: ConfigPath = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show each strategy's day: its windows, what it last decided, what it holds.

    \b
    Examples:
      tomking today
      tomking today --json
    """  # noqa: D301
    from tomking.app.cli.live_reading import print_today

    print_today(journal, path, assignments or [], as_json=as_json)


def reconcile(
    *,
    venue: Annotated[
        str, typer.Option(metavar="NAME", help="Where it is: sandbox, cert, production.")
    ] = "sandbox",
    port: Annotated[
        int | None, typer.Option(metavar="N", show_default="the last run's", help="Port of the sandbox.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="NUMBER", show_default="5WT00001", help="The account.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the book with the broker's account; exit code 9 where they differ.

    \b
    Examples:
      tomking reconcile
      tomking reconcile --port 8700 --json

    It changes nothing on either side; a running engine does the same by itself.
    """  # noqa: D301
    from tomking.app.cli.live_reading import print_reconcile

    if ended := print_reconcile(venue, port, account, as_json=as_json):
        raise typer.Exit(ended)
