"""The commands of 15:20: ``halt``, ``reduce``, ``resume``, ``flatten``."""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for the receipt and the journal.")
]


def add_to(app: typer.Typer) -> None:
    """Registers them as commands of ``tomking`` itself: nobody should have to look for them."""
    for command in (halt, reduce, resume, flatten):
        app.command()(command)


def halt(*, reason: Reason = "", as_json: AsJson = False) -> None:
    """Stop everything that opens, at once.  Exits go on.

    \b
    Examples:
      tomking halt
      tomking halt --reason "quotes look wrong"

    Works with the engine hung or dead; it is a file.  Nothing is asked.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    from tomking.app.cli.control import run_halt

    run_halt(reason, as_json=as_json)


def reduce(*, reason: Reason = "", as_json: AsJson = False) -> None:
    """Closing only, until somebody resumes.

    \b
    Examples:
      tomking reduce
      tomking reduce --reason "away this afternoon"
    """  # noqa: D301
    from tomking.app.cli.control import run_reduce

    run_reduce(reason, as_json=as_json)


def resume(
    *,
    reason: Reason = "",
    yes: Annotated[
        bool,
        typer.Option("--yes-resume-trading", help="Instead of typing RESUME; needed without a terminal."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let orders open again after halt, reduce or flatten.

    \b
    Examples:
      tomking resume
      tomking resume --yes-resume-trading --reason "checked with the broker"

    Shows who stopped trading, and asks for the word RESUME.
    """  # noqa: D301
    from tomking.app.cli.control import run_resume

    run_resume(reason, confirmed=yes, as_json=as_json)


def flatten(
    *,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes-flatten-everything", help="Instead of typing FLATTEN; needed without a terminal."
        ),
    ] = False,
    shares: Annotated[
        bool, typer.Option("--shares", help="Close shares too; else they are left alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Halt, cancel every order and close everything in the account, without the engine.

    \b
    Examples:
      tomking flatten
      tomking flatten --yes-flatten-everything

    Halts at once, then asks for the word FLATTEN.  Talks to the broker by itself: spreads as spreads,
    shorts first, limits only.  Orders and positions that are not tomking's are ended as well.
    """  # noqa: D301
    from tomking.app.cli.control import run_flatten

    raise typer.Exit(run_flatten(shares=shares, confirmed=yes, as_json=as_json))
