"""The terminal of a live run: one quiet page that is drawn again twice a second."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tomking.app.amounts import money, net
from tomking.app.live.picture import Gauge, Holding, Part, Picture, Ticket
from tomking.app.live.telling import Said
from tomking.domain.calendar import new_york

UP, DOWN, QUIET, WARN, BREACH = "bright_blue", "dark_orange", "grey62", "yellow", "bold red"
"""Gains and losses are told apart by arrows and signs too."""
STALE = 90.0
"""Seconds without a quote, after which the age is marked."""
NEAR = 0.8
"""Share of a limit on Greeks from which on its bar warns."""
LINES = 12


def page(picture: Picture, said: Iterable[Said]) -> RenderableType:
    """The whole screen."""
    return Group(
        _banner(picture),
        _numbers(picture),
        _restraints(picture),
        *_gauges(picture),
        _positions(picture),
        _orders(picture),
        _events(said),
    )


def _banner(picture: Picture) -> RenderableType:
    wall = new_york(picture.at)
    left = f" PAPER  {picture.venue}  account ..{picture.account[-4:]} "
    speed = f"  x{picture.speed:g}" if picture.speed != 1 else ""
    line = Table.grid(expand=True)
    line.add_column(ratio=1)
    line.add_column(justify="center", ratio=1)
    line.add_column(justify="right", ratio=1)
    line.add_row(
        Text(left, style="bold white on blue"),
        Text(f"{wall:%a %Y-%m-%d %H:%M:%S} New York{speed}", style="bold"),
        Text(picture.session),
    )
    bar = ProgressBar(total=1.0, completed=picture.progress, complete_style="blue", finished_style="blue")
    row = Table.grid(expand=True)  # a bar by itself ends no line
    row.add_column(ratio=1)
    row.add_row(bar)
    return Group(line, row)


def _numbers(picture: Picture) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 1))
    cells = [
        ("net liq", Text(f"${picture.net_liq:,.2f}", style="bold")),
        ("day", gain(picture.day_gain)),
        ("cash", Text(f"${picture.cash:,.2f}")),
        ("SPX", Text("no quote" if picture.spot is None else f"{picture.spot:,.2f}")),
        ("VIX", Text("no quote" if picture.vix is None else f"{picture.vix:.2f} {picture.regime}")),
        ("phase", Text(picture.phase or "-")),
        ("quotes", _age(picture)),
        ("step", Text(f"{picture.step_ms:.0f} ms, worst {picture.worst_ms:.0f}", style=QUIET)),
    ]
    for _ in cells:
        grid.add_column(justify="center", ratio=1)
    grid.add_row(*(Text(name, style=QUIET) for name, _ in cells))
    grid.add_row(*(text for _, text in cells))
    return grid


def _age(picture: Picture) -> Text:
    if picture.quotes_age is None:
        return Text("none", style=BREACH)
    words = f"{picture.symbols:,}, {picture.quotes_age:.0f} s"
    return Text(f"{words} stale" if picture.quotes_age > STALE else words, style=QUIET)


def _restraints(picture: Picture) -> RenderableType:
    text = Text(f"trading {picture.trading}", style="" if picture.trading.startswith("ACTIVE") else BREACH)
    for name, value in picture.levels.items():
        text.append(f"   {name} {value}", style=WARN)
    if picture.hold:
        text.append(f"\nnothing is opened: {picture.hold}", style=WARN)
    return text


def _gauges(picture: Picture) -> Iterator[RenderableType]:
    """The limits on Greeks, as bars; nothing while nothing is held."""
    if not picture.gauges:
        return
    grid = Table.grid(expand=True, padding=(0, 1))
    for _ in picture.gauges:
        grid.add_column(ratio=1)
    grid.add_column(justify="right")
    a_day = "not known" if picture.theta is None else money(round(Decimal(picture.theta)))
    theta = Text(f"theta {a_day.removesuffix('.00')} a day", style=QUIET)
    grid.add_row(*map(_gauge, picture.gauges), theta)
    yield grid


def _gauge(one: Gauge) -> RenderableType:
    share = one.share or 0.0
    style = BREACH if share >= 1.0 else WARN if share >= NEAR else "blue"
    bar = ProgressBar(
        total=1.0, completed=min(share, 1.0), width=12, complete_style=style, finished_style=style
    )
    words = "not known" if one.share is None else f"{share:.0%} of {one.limit:,.0f}"
    line = Table.grid(padding=(0, 1))
    line.add_row(Text(one.name, style=QUIET), bar, Text(words, style="" if style == "blue" else style))
    return line


def _positions(picture: Picture) -> RenderableType:
    table = Table(expand=True, box=None, pad_edge=False, header_style=QUIET)
    for name in ("position", "part", "units", "days", "entry", "now", "P&L", "works"):
        table.add_column(
            name, justify="right" if name in {"units", "days", "entry", "now", "P&L"} else "left"
        )
    for holding in picture.holdings:
        _add_holding(table, holding)
    title = f"positions {len(picture.holdings)}"
    return Panel(table if picture.holdings else Text("none", style=QUIET), title=title, title_align="left")


def _add_holding(table: Table, holding: Holding) -> None:
    name = f"{holding.strategy} {holding.id}"
    state = holding.state if not holding.stage else f"{holding.state} {holding.stage}"
    total = Text("-") if holding.gain is None else gain(holding.gain)
    table.add_row(Text(name, style="bold"), Text(state), "", "", "", "", total, "")
    for part in holding.parts:
        table.add_row("", f"{part.role}: {part.legs}", *_part(part))


def _part(part: Part) -> tuple[RenderableType, ...]:
    now = "-" if part.closing is None else net(part.closing)
    own = Text("-") if part.gain is None else gain(part.gain)
    return str(part.units), str(part.days), net(part.entry), now, own, part.state


def _orders(picture: Picture) -> RenderableType:
    table = Table(expand=True, box=None, pad_edge=False, header_style=QUIET)
    for name in ("order", "", "units", "limit", "step", "legs and reason"):
        table.add_column(
            name, justify="right" if name in {"units", "limit"} else "left", no_wrap=name == "step"
        )
    for one in picture.tickets:
        table.add_row(one.id, _kind(one), f"{one.filled}/{one.units}", net(one.limit), one.step, _why(one))
    title = f"working orders {len(picture.tickets)}"
    return Panel(table if picture.tickets else Text("none", style=QUIET), title=title, title_align="left")


def _kind(one: Ticket) -> Text:
    text = Text(f"{one.what} {one.strategy}")
    return text.append(f" {one.trouble}", style=BREACH) if one.trouble else text


def _why(one: Ticket) -> Text:
    return Text(one.legs).append(f"\n{one.reason}", style=QUIET)


def _events(said: Iterable[Said]) -> RenderableType:
    text = Text(overflow="ellipsis")
    for one in list(said)[-LINES:]:
        style = {"critical": BREACH, "warning": WARN}.get(one.level, "")
        text.append(f"{one.clock}  ", style=QUIET).append(f"{one.text}\n", style=style)
    return Panel(text, title="what happened", title_align="left")


def gain(dollars: Decimal) -> Text:
    """``▲ +$12.00``, ``▼ -$3.00``."""
    if not dollars:
        return Text("$0.00", style=QUIET)
    arrow, style = ("▲", UP) if dollars > 0 else ("▼", DOWN)
    return Text(f"{arrow} {'+' if dollars > 0 else '-'}${abs(dollars):,.2f}", style=style)
