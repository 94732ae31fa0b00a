"""``tomking secrets ...``: put the broker's secrets into the keyring, see where they are, take them out.

A secret is typed without being shown, or comes on standard input; it is never an argument.
"""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tomking.adapters.secrets import Name
    from tomking.adapters.tastytrade.session import Environment
    from tomking.app.problems import Problems

HELP = {"help_option_names": ["-h", "--help"]}
LONGEST = 4096
"""Characters of a line on standard input: no secret is longer."""

secrets_app = typer.Typer(context_settings=HELP, invoke_without_command=True, rich_markup_mode=None)

SecretName = Annotated[
    str, typer.Argument(metavar="NAME", help="client-secret or refresh-token.", show_default=False)
]
Which = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="Whose: live, or cert (the broker's tests).")
]


@secrets_app.callback()
def secrets(context: typer.Context) -> None:
    """Keep the broker's OAuth client secret and refresh token in the keyring.

    \b
    Examples:
      tomking secrets set client-secret
      tomking secrets set refresh-token --stdin < token
      tomking secrets list
      tomking secrets rm refresh-token

    Without a keyring: TT_SECRET_FILE and TT_REFRESH_FILE name files that only you can read, or
    TT_SECRET and TT_REFRESH hold them (TT_CERT_... for --environment cert).  The keyring comes
    first, then files, then variables.  The sandbox needs none.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@secrets_app.command("set")
def set_(
    name: SecretName,
    *,
    environment: Which = "live",
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read it from standard input, one line, instead of asking.")
    ] = False,
) -> None:
    """Ask for a secret, without showing it, and keep it."""
    from tomking.adapters.secrets import NoSecret, store_secret

    which, wanted = _asked(environment, name)
    value = _line() if stdin else _typed(name)
    try:
        store_secret(which, wanted, value)
    except NoSecret as refused:
        raise _missing(refused.problems) from None
    print(f"{name} for {which.value}: kept in the keyring")


@secrets_app.command("list")
def list_(*, environment: Which = "live") -> None:
    """Show where each secret would be taken from, never what it is."""
    from tomking.adapters.secrets import found_secrets

    which, _ = _asked(environment, "client-secret")
    for found in found_secrets(which, os.environ):
        print(f"{found.name.value:<15}{found.where or 'nowhere'}")


@secrets_app.command("rm")
def remove(name: SecretName, *, environment: Which = "live") -> None:
    """Take a secret out of the keyring."""
    from tomking.adapters.secrets import NoSecret, remove_secret

    which, wanted = _asked(environment, name)
    try:
        was_there = remove_secret(which, wanted)
    except NoSecret as refused:
        raise _missing(refused.problems) from None
    print(f"{name} for {which.value}: {'taken out of the keyring' if was_there else 'was not there'}")


def _asked(environment: str, name: str) -> "tuple[Environment, Name]":
    from tomking.adapters.secrets import Name
    from tomking.adapters.tastytrade.session import Environment
    from tomking.app.exits import Exit
    from tomking.app.problems import Problem, Problems, did_you_mean

    problems = []
    places = {one.value: one for one in (Environment.LIVE, Environment.CERT)}
    names = {one.value: one for one in Name}
    if environment not in places:
        said = (
            "the sandbox needs no secrets" if environment == "sandbox" else did_you_mean(environment, places)
        )
        problems.append(Problem(Exit.USAGE, f"--environment {environment}: {said}"))
    if name not in names:
        # What was typed may be the secret itself: it is not repeated.
        known = ", ".join(names)
        problems.append(Problem(Exit.USAGE, f"NAME is one of {known}; the secret itself is asked for"))
    if problems:
        raise Problems(problems)
    return places[environment], names[name]


def _typed(name: str) -> str:
    from tomking.app.exits import Exit
    from tomking.app.problems import problem

    if not sys.stdin.isatty():
        raise problem(
            Exit.USAGE, f"no terminal to ask for the {name}: give it on standard input with --stdin"
        )
    return str(typer.prompt(f"{name} (not shown)", hide_input=True, err=True)).strip()


def _line() -> str:
    return sys.stdin.readline(LONGEST).strip()


def _missing(lines: Iterable[str]) -> "Problems":
    from tomking.app.exits import Exit
    from tomking.app.problems import Problem, Problems

    return Problems(Problem(Exit.SECRET, line) for line in lines)
