"""``tomking data ...``: the commands and their options.  Bodies import what they need."""

from pathlib import Path
from typing import Annotated

import typer

HELP = {"help_option_names": ["-h", "--help"]}

data_app = typer.Typer(context_settings=HELP, invoke_without_command=True, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of text.")]
StorePath = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="PATH", help="The data directory; else the user's (see tomking data -h)."
    ),
]


@data_app.callback()
def data(context: typer.Context) -> None:
    """Import, look at and check real market data, and download public histories.

    \b
    Examples:
      tomking data import quotes.csv.gz
      tomking data list
      tomking data verify SPXW
      tomking data download vix

    Chains are kept in $TOMKING_HOME/data, else in the platform's data directory
    (~/.local/share/tomking on Linux); --store names another place.
    """  # noqa: D301 - \b is the parser's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@data_app.command("import")
def import_(
    *,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Files or folders of one format.", show_default=False),
    ],
    layout: Annotated[
        str | None,
        typer.Option("--format", metavar="NAME", help="The files' format; else it is recognised."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Read any other table as this file says (docs/importing.md)."),
    ] = None,
    product: Annotated[
        str | None, typer.Option(metavar="ROOT", help="The option root, where the files do not name it.")
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Time zone of the files' times, where it is not the format's own."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="'YYYY-MM-DD HH:MM'", help="When the quotes were taken, where no file says it."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Store nothing when any row would be quarantined.")
    ] = False,
    licence: Annotated[
        str, typer.Option(metavar="TEXT", help="A note on your right to use the data, kept with it.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Check option quotes and add them to the chain store.

    \b
    Examples:
      tomking data import quotes.csv.gz
      tomking data import lean/indexoption --licence "Apache-2.0, QuantConnect/Lean"
      tomking data import chain.csv --format yahoo --product SPXW --at '2026-07-31 17:22'
      tomking data import mine.csv --mapping mine.toml --dry-run

    Bad rows go to quarantine and are counted by reason; with --strict they refuse the import.  A
    broken file refuses it always, and the store stays as it was.  Importing again changes nothing.
    """  # noqa: D301
    from tomking.app.cli.data import Typed, run_import

    run_import(
        Typed(
            paths=tuple(paths),
            layout=layout,
            mapping=mapping,
            product=product,
            zone=zone,
            at=at,
            strict=strict,
            licence=licence,
            dry_run=dry_run,
            store=store,
        ),
        as_json=as_json,
    )


@data_app.command("list")
def list_(*, store: StorePath = None, as_json: AsJson = False) -> None:
    """Print what the store has: spans, rows, sizes, what is missing, and downloaded histories.

    \b
    Examples:
      tomking data list
      tomking data list --json
    """  # noqa: D301
    from tomking.app.cli.data import print_list

    print_list(store, as_json=as_json)


@data_app.command()
def show(
    *,
    root: Annotated[str, typer.Argument(metavar="ROOT", help="An option root or an underlying: SPXW.")],
    month: Annotated[
        str | None, typer.Argument(metavar="[MONTH]", help="A month, like 2018-01: its sessions.")
    ] = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Print the months of a root, or the sessions of one month, and the files they came from.

    \b
    Examples:
      tomking data show SPXW
      tomking data show SPXW 2016-04
    """  # noqa: D301
    from tomking.app.cli.data import print_root

    print_root(root, month, store, as_json=as_json)


@data_app.command()
def verify(
    *,
    root: Annotated[
        str | None, typer.Argument(metavar="[ROOT]", help="One option root; else all of them.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End with 6 on any warning too.")] = False,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Hash every file again and examine whole sessions: what is stuck, missing or contradictory.

    \b
    Examples:
      tomking data verify
      tomking data verify SPXW --json
      tomking data verify --strict

    Nothing is changed.  Damaged files end it with 6.  Every kind is explained in docs/verifying.md.
    """  # noqa: D301
    from tomking.app.cli.data import print_verified

    print_verified(root, store, strict=strict, as_json=as_json)


@data_app.command()
def download(
    *,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="vix, rates, all, or single series like VIX3M.")
    ],
    base: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Another host than the publisher's (a mirror)."),
    ] = None,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Download public daily histories: Cboe's volatility indexes, the rates of FRED.

    \b
    Examples:
      tomking data download vix
      tomking data download rates
      tomking data download VIX DGS10

    Asked for politely and only when changed, checked before it replaces anything, kept with its
    SHA-256 in the folder "daily" of the data directory.  Offline it ends with 5.
    """  # noqa: D301
    from tomking.app.cli.data_download import run_download

    run_download(names, base, store, as_json=as_json)


@data_app.command()
def record(
    *,
    start: Annotated[str, typer.Option(metavar="DATE", help="First session to record.", show_default=False)],
    end: Annotated[str | None, typer.Option(metavar="DATE", help="Last session; else the first.")] = None,
    products: Annotated[str, typer.Option(metavar="A,B", help="Option roots to record.")] = "SPXW",
    every: Annotated[int, typer.Option(metavar="MINUTES", min=1, max=390, help="Between observations.")] = 5,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the model market's paths.")] = 1,
    store: StorePath = None,
    as_json: AsJson = False,
) -> None:
    """Record chains as the market delivers them, observation by observation, into the store.

    \b
    Examples:
      tomking data record --start 2024-06-03
      tomking data record --start 2024-06-03 --end 2024-06-07 --products SPXW,ES --every 30

    The market is the model market, in the exchange's own contract sizes: the recorder takes whatever
    the market-data port delivers.  Each observation is on the disk when the next begins; what a kill
    leaves behind is found and rolled in by the next recording, and the time missed is marked.
    """  # noqa: D301
    from tomking.app.cli.data_record import run_record

    run_record(products, start, end, every, seed, store, as_json=as_json)
