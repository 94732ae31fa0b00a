"""``tomking parity``: the same sessions through the backtest driver and the live stack, side by side."""

import json
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, problem

if TYPE_CHECKING:
    from tomking.app.parity.run import Compared


def add_to(app: typer.Typer) -> None:
    """Registers it as a command of ``tomking`` itself."""
    app.command()(parity)


def parity(
    *,
    start: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The first session, or the next one after that day.")
    ] = "2022-09-16",
    sessions: Annotated[int, typer.Option(metavar="N", help="How many; the book is carried over.")] = 1,
    strategies: Annotated[
        str | None, typer.Option(metavar="A,B", help="Which strategies, instead of the configuration's.")
    ] = None,
    capital: Annotated[str, typer.Option(metavar="USD", help="Cash of the account.")] = "200000",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the modelled paths.")] = 1,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")] = False,
) -> None:
    """Trade the same sessions through the backtest driver and the live stack, and compare.

    \b
    Examples:
      tomking parity
      tomking parity --start 2019-03-01 --sessions 20
      tomking parity --strategies friday_0dte --json

    A venue is served on loopback for as long as it takes.  Ends with exit code 9 at any difference.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    from tomking.app.cli.configuration import read_assignments

    day, money, problems = _read(start, sessions, capital)
    overrides, wrong = read_assignments(assignments or [])
    problems += wrong
    if problems or day is None or money is None:
        raise Problems(problems)
    from tomking.app.live.stages import configure
    from tomking.app.parity.run import Wanted, compare
    from tomking.app.parity.text import as_facts, as_lines, summary

    def told(one: "Compared") -> None:
        if not as_json:
            print("\n".join(as_lines(one)), flush=True)

    names = tuple(name.strip() for name in strategies.split(",")) if strategies else None
    found = compare(Wanted(configure(path, overrides, names), day, sessions, money, seed), told)
    print(json.dumps(as_facts(found), indent=2) if as_json else summary(found))
    if found.differences:
        raise problem(
            Exit.MISMATCH, f"{found.differences} differences between the backtest driver and the live stack"
        )


def _read(start: str, sessions: int, capital: str) -> tuple[date | None, Decimal | None, list[Problem]]:
    from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST

    problems: list[Problem] = []
    day: date | None = None
    money: Decimal | None = None
    try:
        day = date.fromisoformat(start)
    except ValueError:
        problems.append(Problem(Exit.USAGE, f"--start {start}: not a date; write it like 2022-09-16"))
    if day is not None and not HISTORY_FIRST <= day <= HISTORY_LAST:
        span = f"the packaged history has {HISTORY_FIRST} to {HISTORY_LAST}"
        problems.append(Problem(Exit.DATA, f"--start {day}: {span}"))
    if sessions < 1:
        problems.append(Problem(Exit.USAGE, f"--sessions {sessions}: not 1 or more"))
    try:
        money = Decimal(capital)
    except InvalidOperation:
        money = None
    if money is None or not money.is_finite() or money <= 0 or money != round(money, 2):
        problems.append(Problem(Exit.USAGE, f"--capital {capital}: not an amount above 0, in whole cents"))
    return day, money, problems
