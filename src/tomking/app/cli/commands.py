"""The commands and their options.  Bodies import what they need, so that ``--help`` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from tomking.app.cli import prepare_commands
from tomking.app.cli.backup_commands import backup_app
from tomking.app.cli.control_commands import add_to
from tomking.app.cli.data_commands import data_app
from tomking.app.cli.live_commands import add_to as add_live_to
from tomking.app.cli.parity import add_to as add_parity_to
from tomking.app.cli.replicate import replicate_app
from tomking.app.cli.scenario import scenario_app
from tomking.app.cli.secrets import secrets_app

HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="tomking",
    context_settings=HELP,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: quick, and the same in a pipe
    invoke_without_command=True,
)
config_app = typer.Typer(context_settings=HELP, invoke_without_command=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="PATH", help="Configuration file; else config.toml of the user's directory."
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set one configuration value, like friday_0dte.vix_gate=off; repeatable.",
    ),
]


@app.callback()
def tomking(
    context: typer.Context,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
) -> None:
    """Sell options by rule: backtest the rules on 34 years of real index history.

    \b
    Examples:
      tomking backtest
      tomking backtest --start 2008-01-02 --end 2009-12-31 --strategies lt112
      tomking config show

    Every command explains itself with -h.  Data goes to stdout, everything else to stderr;
    exit codes are listed in docs/cli.md.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    _help_when_alone(context)


@app.command()
def version(*, as_json: AsJson = False) -> None:
    """Print the version of tomking and of what its numbers depend on.

    \b
    Examples:
      tomking version
      tomking version --json
    """  # noqa: D301
    from tomking.app.cli.about import print_version

    print_version(as_json=as_json)


@config_app.callback()
def config(context: typer.Context) -> None:
    """Show or check the configuration in force.

    \b
    Examples:
      tomking config show
      tomking config check --config my.toml
    """  # noqa: D301
    _help_when_alone(context)


@config_app.command()
def show(*, path: ConfigPath = None, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Print every effective value with its source and its methodology paragraph.

    \b
    Examples:
      tomking config show
      tomking config show --json
      tomking config show > config.toml

    What is printed is itself a valid configuration file.
    """  # noqa: D301
    from tomking.app.cli.configuration import print_config

    print_config(path, assignments or [], as_json=as_json)


@config_app.command()
def check(
    *,
    path: ConfigPath = None,
    assignments: Assignments = None,
    mode: Annotated[
        str,
        typer.Option(metavar="MODE", help="backtest, paper or live: what may not be loosened there."),
    ] = "backtest",
    as_json: AsJson = False,
) -> None:
    """Check the configuration and name everything that is wrong with it at once.

    \b
    Examples:
      tomking config check
      tomking config check --config my.toml
      tomking config check --set account.capital=44450
      tomking config check --mode live
    """  # noqa: D301
    from tomking.app.cli.configuration import print_check

    print_check(path, assignments or [], mode=mode, as_json=as_json)


app.add_typer(config_app, name="config")


@app.command(context_settings={**HELP, "ignore_unknown_options": True, "allow_extra_args": True})
def backtest(
    context: typer.Context,
    *,
    start: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", show_default="1990-01-02", help="First session that may trade."),
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", show_default="2024-12-30", help="Last session.")
    ] = None,
    strategies: Annotated[
        str | None, typer.Option(metavar="A,B", show_default="friday_0dte,lt112", help="Which strategies.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="N", show_default="1", help="Seed of the modelled paths.")
    ] = None,
    capital: Annotated[
        str | None, typer.Option(metavar="USD", show_default="200000", help="Starting cash in US dollars.")
    ] = None,
    chains: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Run on recorded quotes: a file, a chain store's folder, or the word store for yours.",
        ),
    ] = None,
    path: ConfigPath = None,
    assignments: Assignments = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH.html", show_default="runs/START_END_seedN/report.html", help="The report."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the strategies over history and write a report.

    \b
    Examples:
      tomking backtest
      tomking backtest --start 2008-01-02 --end 2009-12-31 --strategies lt112
      tomking backtest --capital 44450 --seed 7 --report small.html
      tomking backtest --chains quotes.csv.gz --set friday_0dte.vix_gate=off
      tomking backtest --chains store --strategies friday_0dte --start 2016-04-29

    Without --chains the prices are modelled on the real history of the S&P 500 and the VIX.
    trades.csv, run.json and journal.sqlite are left beside the report, whose path is the last line
    printed.  On bad input nothing is written.
    """  # noqa: D301
    from tomking.app.cli.backtest import Asked, run_backtest

    options = {"start": start, "end": end, "strategies": strategies, "seed": seed, "capital": capital}
    run_backtest(
        Asked(
            options={name: text for name, text in options.items() if text is not None},
            assignments=tuple(assignments or ()),
            config=path,
            chains=chains,
            report=report,
            unknown=tuple(context.args),
            known=tuple(o for p in context.command.params for o in p.opts),
        ),
        as_json=as_json,
    )


JournalPath = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        metavar="PATH",
        show_default="the newest of runs/*/journal.sqlite",
        help="The journal whose book is looked at, at its last instant.",
    ),
]
ChainsPath = Annotated[
    Path | None,
    typer.Option("--chains", metavar="PATH", help="The recorded quotes that journal was traded on."),
]


@app.command()
def stress(
    *,
    journal: JournalPath = None,
    chains: ChainsPath = None,
    path: ConfigPath = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show what a book would gain or lose in each shock, and on the grid of moves, VIX and days.

    \b
    Examples:
      tomking stress
      tomking stress --journal runs/2008/journal.sqlite
      tomking stress --json
    """  # noqa: D301
    from tomking.app.cli.risk import print_stress

    print_stress(journal, chains, path, assignments or [], as_json=as_json)


@app.command()
def risk(
    *,
    journal: JournalPath = None,
    chains: ChainsPath = None,
    path: ConfigPath = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Show how much of each limit a book uses, its fullest group and its number of bets.

    \b
    Examples:
      tomking risk
      tomking risk --journal runs/2008/journal.sqlite
      tomking risk --json
    """  # noqa: D301
    from tomking.app.cli.risk import print_risk

    print_risk(journal, chains, path, assignments or [], as_json=as_json)


@app.command()
def sandbox(
    *,
    day: Annotated[
        str, typer.Option("--date", metavar="YYYY-MM-DD", help="The session it opens on.")
    ] = "2022-09-16",
    at: Annotated[str, typer.Option("--time", metavar="HH:MM", help="New York time it opens at.")] = "09:25",
    speed: Annotated[
        str,
        typer.Option(
            metavar="X",
            help="Market seconds in a second, from the first login on; 0: it stands until it is moved.",
        ),
    ] = "60",
    port: Annotated[int, typer.Option(metavar="N", help="Loopback port; 0: any free one.")] = 8700,
    capital: Annotated[str, typer.Option(metavar="USD", help="Cash of the account.")] = "200000",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the modelled paths.")] = 1,
    account: Annotated[
        str | None, typer.Option(metavar="NUMBER", show_default="5WT00001", help="Its account number.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep orders and positions there for the next start."),
    ] = None,
    chains: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Trade on recorded quotes: a file, a store's folder, or the word store.",
        ),
    ] = None,
) -> None:
    """Run a local venue that speaks tastytrade's API, on the modelled market, until Ctrl-C.

    \b
    Examples:
      tomking sandbox
      tomking sandbox --date 2022-09-16 --time 09:25 --speed 60
      tomking sandbox --speed 0 --port 0 --state orders.jsonl
      tomking sandbox --chains store --date 2016-04-29

    It listens on 127.0.0.1 only.  The secrets it prints are fixed words that open nothing else.
    """  # noqa: D301
    from tomking.app.cli.sandbox import Typed, run_sandbox

    run_sandbox(Typed(day, at, speed, port, capital, seed, account, state, chains))


add_live_to(app)
add_parity_to(app)
add_to(app)
prepare_commands.add_to(app)
app.add_typer(replicate_app, name="replicate")
app.add_typer(scenario_app, name="scenario")
app.add_typer(data_app, name="data")
app.add_typer(backup_app, name="backup")
app.add_typer(secrets_app, name="secrets")


def _help_when_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
