"""``tomking live`` and ``tomking approve``."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
Account = Annotated[
    str | None,
    typer.Option(metavar="NUMBER", show_default="5WT00001, the sandbox's", help="The account."),
]


def add_to(app: typer.Typer) -> None:
    """Registers them as commands of ``tomking`` itself."""
    for command in (live, approve):
        app.command()(command)


def live(
    *,
    venue: Annotated[
        str, typer.Option(metavar="NAME", help="Where it trades: sandbox, cert, or production.")
    ] = "sandbox",
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
    account: Account = None,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="The account's number again, where there is no terminal."),
    ] = None,
    ladder: Annotated[
        bool, typer.Option("--ladder", help="Show the stage of the roll-out and what the next one asks for.")
    ] = False,
    next_stage: Annotated[
        bool, typer.Option("--next-stage", help="Take the step to the next stage, if all of it is there.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Not with money: begin a new journal; the old one is kept."),
    ] = False,
    path: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="PATH", help="Configuration file; else config.toml of the user's directory."
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set one configuration value; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prepare real orders: each opening is tried out at the broker and waits for your approval.

    \b
    Examples:
      tomking live --venue sandbox --speed 5
      tomking live --ladder
      tomking live --venue production --account 5WX12345
      tomking live --next-stage
      tomking live --set live.armed=friday_0dte

    Exits are never held back.  What waits is shown and approved by: tomking approve.  Trading must
    have been armed by: tomking resume.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    from tomking.app.cli.prepare import Typed, run_live

    settings = tuple(assignments or ())
    typed = Typed(venue, port, speed, sessions, strategies, account, confirm, path, settings, fresh)
    if ended := run_live(typed, ladder=ladder, next_stage=next_stage, as_json=as_json):
        raise typer.Exit(ended)


def approve(
    order: Annotated[
        str | None, typer.Argument(metavar="[HASH]", help="Which order; at least four digits of its hash.")
    ] = None,
    *,
    reject: Annotated[bool, typer.Option("--reject", help="Say no instead.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the journal.")] = "",
    show_all: Annotated[bool, typer.Option("--all", help="List those that have ended, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the orders that wait for you, or approve one of them.

    \b
    Examples:
      tomking approve
      tomking approve 7c1ea65fe40e
      tomking approve 7c1e --reject --reason "before the announcement"

    What is approved is what is sent: these legs, these units, no worse a price than shown, before it
    expires.  The gate is asked again when it goes out; anything that has changed stops it.
    """  # noqa: D301
    from tomking.app.cli.prepare import print_waiting, run_answer

    if order is None:
        print_waiting(show_all=show_all, reject=reject, as_json=as_json)
    else:
        run_answer(order, accepts=not reject, why=reason, as_json=as_json)
