"""The tables of the page, as rows of text: the template only lays them out."""

from dataclasses import dataclass
from decimal import Decimal

from tomking.app.report import words
from tomking.app.report.findings import ENOUGH_TRADES, Findings, Line
from tomking.app.report.rundata import Refusals
from tomking.app.report.words import dollars, gain, interval, named, percent, ratio, signed_percent


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and how it is coloured: ``up``, ``down`` or not at all."""

    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline figure."""

    name: str
    value: Cell
    note: str


def headline(one: Findings) -> list[Figure]:
    """What is read first."""
    p, deepest = one.performance, one.performance.drawdown
    healed = f"recovered {deepest.recovered}" if deepest.recovered else "not yet recovered"
    return [
        Figure("Net liquidation", Cell(dollars(one.final)), f"from {dollars(one.run.capital)}"),
        Figure("Profit and loss", _gain(one.net_profit), "after fees and slippage, before tax"),
        Figure("Total return", _signed(p.total_return), "time-weighted"),
        Figure("CAGR", _signed(p.cagr), "a year"),
        Figure("Sharpe ratio", Cell(ratio(p.sharpe)), _sharpe_note(one)),
        Figure("Volatility", Cell(percent(p.volatility)), "a year"),
        Figure(
            "Greatest drawdown",
            _depth(one),
            f"{deepest.peak} to {deepest.trough}, {healed}"
            if deepest.depth
            else "no close below an earlier one",
        ),
        Figure("Calmar ratio", Cell(ratio(p.calmar)), "CAGR over greatest drawdown"),
        Figure(
            "Closed trades",
            Cell(f"{one.total.trades:,}"),
            f"won {percent(one.total.win_rate)} ({interval(one.total.interval)})",
        ),
        Figure("Fees", Cell(dollars(one.total.fees)), f"slippage {dollars(one.slippage)}"),
        Figure("Worst day", _signed(p.worst_day[1]), f"{p.worst_day[0]}"),
        Figure("Worst month", _signed(p.worst_month[1]), p.worst_month[0]),
    ]


def accounts(all_: list[Findings]) -> list[tuple[str, list[Cell]]]:
    """The accounts side by side: a name and one cell for each account."""
    rows: list[tuple[str, list[Cell]]] = [
        ("Starting capital", [Cell(dollars(f.run.capital)) for f in all_]),
        ("Net liquidation at the end", [Cell(dollars(f.final)) for f in all_]),
        ("Profit and loss", [_gain(f.net_profit) for f in all_]),
        ("Of that, in positions still open", [_gain(f.open_profit) for f in all_]),
        ("Total return", [_signed(f.performance.total_return) for f in all_]),
        ("CAGR", [_signed(f.performance.cagr, 2) for f in all_]),
        ("Volatility", [Cell(percent(f.performance.volatility)) for f in all_]),
        ("Sharpe / Sortino", [Cell(_ratios(f)) for f in all_]),
        ("Greatest drawdown", [_depth(f) for f in all_]),
        ("Days from its peak to recovery", [Cell(_healing(f)) for f in all_]),
        ("Calmar", [Cell(ratio(f.performance.calmar)) for f in all_]),
        ("Worst day", [_dated(f.performance.worst_day) for f in all_]),
        ("Worst month", [_dated(f.performance.worst_month) for f in all_]),
        ("Best month", [_dated(f.performance.best_month) for f in all_]),
        ("Sessions with a position", [Cell(words.small_share(f.in_market)) for f in all_]),
        ("Capital in use, average / most", [Cell(_bp(f)) for f in all_]),
        ("Fees", [Cell(dollars(f.total.fees)) for f in all_]),
        ("Slippage, open positions too", [Cell(dollars(f.slippage)) for f in all_]),
        ("Closed trades", [Cell(f"{f.total.trades:,}") for f in all_]),
        ("Positions open at the end", [Cell(str(f.run.history.open_positions)) for f in all_]),
    ]
    for name in dict.fromkeys(name for f in all_ for name in f.by_strategy):
        rows.append((f"{named(name)}: trades, win rate", [Cell(_won(f, name)) for f in all_]))
        rows.append((f"{named(name)}: profit and loss", [_strategy_gain(f, name) for f in all_]))
    return rows


def strategies(one: Findings) -> list[list[Cell]]:
    """Strategy, trades, win rate, interval, claim, verdict, average win and loss, fees, slippage, P&L."""
    rows = []
    for line in one.lines:
        stats, claim = line.stats, line.measured
        rows.append(
            [
                Cell(line_name(line)),
                Cell(f"{stats.trades:,}"),
                Cell(percent(stats.win_rate)),
                Cell(interval(stats.interval)),
                Cell(words.claimed(claim.claim) if claim else words.NOTHING),
                Cell(claim.words if claim else _unclaimed(line), claim.verdict if claim else ""),
                _plain_gain(stats.average_win),
                _plain_gain(stats.average_loss),
                Cell(ratio(stats.profit_factor)),
                _plain_gain(stats.expectancy),
                Cell(dollars(stats.fees)),
                Cell(dollars(line.slippage)),
                _gain(stats.net),
            ]
        )
    return rows


def line_name(line: Line) -> str:
    """``LT112 1-1-2``, ``LT112 in all``, ``Friday 0DTE``."""
    if not line.several:
        return named(line.strategy)
    return f"{named(line.strategy)} {line.entry or 'in all'}"


def _unclaimed(line: Line) -> str:
    return "" if line.several and line.entry is None else "no claim known"


def kinds(one: Findings) -> list[list[Cell]]:
    """Strategy, entry, trades, win rate, interval, average days, worst, P&L."""
    return [
        [
            Cell(named(strategy)),
            Cell(kind),
            Cell(f"{stats.trades:,}"),
            Cell(percent(stats.win_rate)),
            Cell(interval(stats.interval)),
            Cell(words.NOTHING if stats.average_days is None else f"{stats.average_days:.1f}"),
            _gain(stats.worst),
            _gain(stats.net),
        ]
        for (strategy, kind), stats in one.by_kind.items()
    ]


def exits(one: Findings) -> list[list[Cell]]:
    """Strategy, rule, trades, share of the strategy's trades, win rate, average, P&L."""
    return [
        [
            Cell(named(strategy)),
            Cell(trigger),
            Cell(f"{stats.trades:,}"),
            Cell(percent(stats.trades / _trades(one, strategy), places=0)),
            Cell(percent(stats.win_rate, places=0)),
            _gain(stats.expectancy),
            _gain(stats.net),
        ]
        for (strategy, trigger), stats in one.by_exit.items()
    ]


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate's refusals for one entry."""

    strategy: str
    entry: str
    code: str
    meaning: str
    sessions: str
    times: str
    example: tuple[str, ...]
    example_day: str


def gates(one: Findings) -> list[Gate]:
    """Why entries were not taken, the most frequent gate first within each strategy."""
    order = {name: i for i, name in enumerate(one.by_strategy)}
    found = sorted(
        one.run.history.refusals,
        key=lambda r: (order.get(r.strategy, len(order)), -r.sessions, r.entry, r.code),
    )
    return [_gate(r) for r in found]


@dataclass(frozen=True, slots=True)
class Sparse:
    """Why a strategy closed few trades: a sentence, and its gates."""

    name: str
    sentence: str
    gates: tuple[Gate, ...]


def sparse(one: Findings) -> list[Sparse]:
    """One explanation for each strategy with fewer than ``ENOUGH_TRADES`` closed trades."""
    found = []
    sessions = len(one.run.history.days)
    for name in one.sparse:
        mine = sorted((r for r in one.run.history.refusals if r.strategy == name), key=lambda r: -r.sessions)
        trades = one.by_strategy[name].trades
        sentence = (
            f"{named(name)} closed {words.counted(trades, 'trade')} in {words.counted(sessions, 'session')}, "
            f"fewer than {ENOUGH_TRADES}. "
        )
        if mine:
            counts = ", ".join(f"{r.code} {r.sessions:,} ({r.entry})" for r in mine)
            sentence += (
                f"The gate that stopped it most often was {mine[0].code}: {words.gate(mine[0].code)}. "
                f"Sessions refused, by gate: {counts}."
            )
        else:
            sentence += "No gate refused anything: its schedule asked for no more."
        found.append(Sparse(named(name), sentence, tuple(_gate(r) for r in mine)))
    return found


def _gate(refusals: Refusals) -> Gate:
    return Gate(
        named(refusals.strategy),
        refusals.entry,
        refusals.code,
        words.gate(refusals.code),
        f"{refusals.sessions:,}",
        f"{refusals.times:,}",
        refusals.example,
        str(refusals.example_day),
    )


def _gain(value: Decimal | None) -> Cell:
    return Cell(gain(value), words.side(value))


def _plain_gain(value: Decimal | None) -> Cell:
    """With its sign, without the arrow: for rows full of them."""
    return Cell(gain(value).removeprefix("▲ ").removeprefix("▼ "), words.side(value))


def _signed(value: float | None, places: int = 1) -> Cell:
    return Cell(signed_percent(value, places=places), words.side(value))


def _dated(pair: tuple[object, float]) -> Cell:
    return Cell(f"{signed_percent(pair[1])} ({pair[0]})", words.side(pair[1]))


def _ratios(one: Findings) -> str:
    if one.idle:
        return f"{words.NOTHING} (hardly traded)"
    return f"{ratio(one.performance.sharpe)} / {ratio(one.performance.sortino)}"


def _sharpe_note(one: Findings) -> str:
    if one.idle:
        return f"not meaningful: positions in {words.small_share(one.in_market)} of the sessions"
    if one.performance.sharpe is None:
        return "not measurable on this run"
    return (
        f"Sortino {ratio(one.performance.sortino)}; over Treasury bills, while idle cash earns nothing here"
    )


def _depth(one: Findings) -> Cell:
    depth = one.performance.drawdown.depth
    return Cell(percent(-depth), "down" if depth else "")


def _healing(one: Findings) -> str:
    deepest = one.performance.drawdown
    return f"{deepest.days:,}" + ("" if deepest.recovered else ", not yet")


def _bp(one: Findings) -> str:
    return f"{one.bp_average:.0%} / {one.bp_most:.0%}"


def _won(one: Findings, name: str) -> str:
    stats = one.by_strategy.get(name)
    return words.NOTHING if stats is None else f"{stats.trades:,}, {percent(stats.win_rate)}"


def _strategy_gain(one: Findings, name: str) -> Cell:
    stats = one.by_strategy.get(name)
    return Cell(words.NOTHING) if stats is None else _gain(stats.net)


def _trades(one: Findings, strategy: str) -> int:
    return sum(stats.trades for (name, _), stats in one.by_exit.items() if name == strategy)
