"""The summary on the terminal: what the page's first screen says, in plain lines."""

import io

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tomking.app.report import tables
from tomking.app.report.findings import Findings
from tomking.app.report.words import claimed, counted, dollars, gain, named, percent, small_share

WIDTH = 100


def summary(main: Findings, small: Findings | None = None) -> str:
    """Lines without markup or colour, at most ``WIDTH`` wide."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, force_terminal=False, highlight=False)
    run = main.run
    console.print(Text(_opening(main)))
    for key in run.research:
        console.print(Text(f"Research switch on: {key}. These are not the framework's rules."))
    accounts = [main] if small is None else [main, small]
    console.print(_accounts(accounts))
    for one in accounts:
        console.print(_strategies(one))
    for measured in main.measured:
        console.print(Text(f"{named(measured.claim.strategy)}: {measured.words}."))
    for compared in main.compared:
        console.print(Text(f"Claim of {compared.claim}: {compared.verdict} ({compared.measured})."))
    if run.modelled and main.total.trades:
        console.print(Text("On modelled prices: none of these verdicts is evidence about a real market."))
    if main.idle:
        held = small_share(main.in_market)
        console.print(Text(f"Positions in {held} of the sessions: ratios would mean nothing."))
    for sparse in tables.sparse(main):
        console.print(Text(sparse.sentence))
    console.print(Text(f"Journal {run.identity.journal_head} ({run.history.events:,} events)"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _opening(main: Findings) -> str:
    run = main.run
    prices = (
        "Option prices are MODELLED on real S&P 500 and VIX history."
        if run.modelled
        else "Prices are recorded quotes."
    )
    return f"{run.start} to {run.end}, {counted(len(run.history.days), 'session')}, seed {run.seed}. {prices}"


def _accounts(accounts: list[Findings]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for one in accounts:
        table.add_column(one.run.label, justify="right")
    for name, cells in tables.accounts(accounts):
        if ": " not in name:
            table.add_row(name, *(cell.text for cell in cells))
    return table


def _strategies(one: Findings) -> Table:
    table = Table(title=one.run.label, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("strategy", no_wrap=True)
    for name in ("trades", "won", "95%", "claimed", "avg win", "avg loss", "fees", "slippage", "P&L"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in one.lines:
        stats, claim = line.stats, line.measured.claim if line.measured else None
        table.add_row(
            tables.line_name(line),
            f"{stats.trades:,}",
            percent(stats.win_rate),
            "–" if stats.interval is None else f"{stats.interval[0]:.0%}–{stats.interval[1]:.0%}",
            "–" if claim is None else claimed(claim),
            dollars(stats.average_win),
            dollars(stats.average_loss),
            dollars(stats.fees),
            dollars(line.slippage),
            gain(stats.net).removeprefix("▲ ").removeprefix("▼ "),
        )
    return table
