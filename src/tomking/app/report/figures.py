"""The charts, as plain Plotly figures: the page's script draws them.

Strings that begin with ``@`` are filled in by the page: ``@days`` is the axis that most traces
share (written once), the others are colours of the light or dark scheme.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from tomking.app.report.findings import Findings, cap_at
from tomking.app.report.rundata import RunData
from tomking.app.report.words import named, signed_percent
from tomking.domain.calendar import new_york
from tomking.sim.metrics import SESSIONS_A_YEAR, drawdowns

Figure = dict[str, Any]

FEW = 10
"""Points that a line alone would hide."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")
COLOURS = ("@one", "@two", "@three", "@four")


def figures(main: Findings, small: Findings | None) -> dict[str, Figure]:
    """Name of its place on the page to figure."""
    return {
        "equity": equity(main, small),
        "drawdown": drawdown(main, small),
        "months": months(main),
        "strategies": strategies(main),
        "power": buying_power(main),
    }


def days(main: Findings) -> list[str]:
    """The shared axis."""
    return [day.date.isoformat() for day in main.run.history.days]


def prices_of(run: RunData) -> str:
    """What every chart's title says about its prices."""
    return "modelled option prices on real S&P 500 history" if run.modelled else "recorded quotes"


def equity(main: Findings, small: Findings | None) -> Figure:
    """Net liquidation, the index from the same start, deposits and withdrawals."""
    axis = _axis(main, main)
    traces = [_line(axis, _net_liq(main), main.run.label, "@one", width=1.6)]
    index = _index(main)
    if index is not None:
        traces.append(_line(axis, index, "S&P 500 without dividends, same start", "@muted", dash="dot"))
    if small is not None:
        traces.append(_line(_axis(small, main), _net_liq(small), small.run.label, "@two", width=1.6))
    traces += _deposits(main)
    layout = _layout(f"Net liquidation, {prices_of(main.run)}", "US dollars", height=430)
    layout["yaxis"] |= {"tickformat": "$~s", "hoverformat": "$,.0f"}
    return {"data": traces, "layout": layout}


def drawdown(main: Findings, small: Findings | None) -> Figure:
    """Below the highest time-weighted index so far."""
    traces = [_line(_axis(main, main), _shares(drawdowns(main.returns)), main.run.label, "@one", fill=True)]
    if small is not None:
        below = _shares(drawdowns(small.returns))
        traces.append(_line(_axis(small, main), below, small.run.label, "@two"))
    layout = _layout(f"Drawdown, {prices_of(main.run)}", "below the peak", height=260)
    layout["yaxis"] |= {"tickformat": ".0%"}
    return {"data": traces, "layout": layout}


def months(main: Findings) -> Figure:
    """Month by year; the colour ends at the 98th percentile so that one crash does not bleach the rest."""
    years = sorted(main.yearly)
    rows = [[main.monthly.get((year, m)) for m in range(1, 13)] + [main.yearly[year]] for year in years]
    # Twelve months belong together; the year is tinted on its own, wider scale.
    scales = [_scale(list(main.monthly.values()))] * 12 + [_scale(list(main.yearly.values()))]
    heat = {
        "type": "heatmap",
        "x": list(MONTHS),
        "y": [str(year) for year in years],
        "z": [
            [None if v is None else round(v / s, 3) for v, s in zip(row, scales, strict=True)] for row in rows
        ],
        "text": [["" if v is None else signed_percent(v) for v in row] for row in rows],
        "texttemplate": "%{text}",
        "textfont": {"size": 10},
        "hovertemplate": "%{x} %{y}: %{text}<extra></extra>",
        "colorscale": [[0, "@down"], [0.5, "@plain"], [1, "@up"]],
        "zmin": -1,
        "zmax": 1,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
    }
    layout = _layout(
        f"Monthly returns, {prices_of(main.run)}", "", height=max(170, 90 + 21 * len(years)), dated=False
    )
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False}
    layout["xaxis"] |= {"side": "top", "showgrid": False, "fixedrange": True}
    layout["margin"] |= {"t": 74, "b": 10}
    return {"data": [heat], "layout": layout}


def _scale(returns: list[float]) -> float:
    """The return that has the full colour."""
    return float(np.quantile(np.abs(returns), 0.98)) or 0.01


def strategies(main: Findings) -> Figure:
    """Closed profit and loss added up, by strategy."""
    traces = []
    for name, colour in zip(main.by_strategy, _colours(len(main.by_strategy)), strict=True):
        trades = sorted((t for t in main.run.history.trades if t.strategy == name), key=lambda t: t.closed)
        sums = accumulate(float(t.net) for t in trades)
        at = [new_york(t.closed).date().isoformat() for t in trades]
        # From nothing on the first day to the last day, whenever its first and last trade were.
        at = [main.run.start.isoformat(), *at, main.run.end.isoformat()]
        closed = [0, *(round(s) for s in sums)]
        traces.append(_line(at, [*closed, closed[-1]], named(name), colour, shape="hv"))
    layout = _layout(f"Closed profit and loss by strategy, {prices_of(main.run)}", "US dollars", height=300)
    layout["yaxis"] |= {"tickformat": "$~s", "hoverformat": "$,.0f"}
    return {"data": traces, "layout": layout}


def buying_power(main: Findings) -> Figure:
    """Capital in use against the cap of the VIX regime, and the VIX below on the same days."""
    sessions = main.run.history.days
    use = _line("@days", [round(u, 4) for u in main.bp_use], "capital in use at the close", "@one")
    caps = [cap_at(main.run, day.vix) for day in sessions]
    vix = _line("@days", [_rounded(day.vix, 2) for day in sessions], "VIX", "@two") | {"yaxis": "y2"}
    traces = [use, vix]
    if any(cap is not None for cap in caps):
        # Drawn first, so that it does not hide what is used.
        cap = _line("@days", caps, "cap at that VIX", "@muted", width=0.8, shape="hv")
        traces.insert(0, cap | {"opacity": 0.5})
    layout = _layout(f"Buying power and VIX, {prices_of(main.run)}", "share of net liq", height=400)
    layout["yaxis"] |= {"domain": [0.42, 1], "tickformat": ".0%", "rangemode": "tozero"}
    layout["yaxis2"] = {**layout["yaxis"], "domain": [0, 0.32], "tickformat": "", "title": {"text": "VIX"}}
    layout["xaxis"] |= {"anchor": "y2"}
    return {"data": traces, "layout": layout}


def _layout(title: str, unit: str, *, height: int, dated: bool = True) -> Figure:
    return {
        "title": {"text": title, "x": 0, "xref": "paper", "font": {"size": 14}, "automargin": False},
        "height": height,
        "margin": {"l": 62, "r": 12, "t": 44, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@ink", "family": "system-ui, sans-serif", "size": 12},
        "hovermode": "x unified" if dated else "closest",
        "hoverlabel": {"bgcolor": "@panel", "font": {"color": "@ink"}},
        "legend": {"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top"},
        "showlegend": dated,
        "xaxis": {"gridcolor": "@grid", "linecolor": "@grid", "zeroline": False}
        | ({"type": "date"} if dated else {}),
        "yaxis": {"gridcolor": "@grid", "zerolinecolor": "@muted", "title": {"text": unit}},
    }


def _line(
    x: str | Sequence[str],
    y: Sequence[float | None],
    name: str,
    colour: str,
    *,
    width: float = 1.2,
    dash: str = "solid",
    shape: str = "linear",
    fill: bool = False,
) -> Figure:
    trace = {
        "type": "scatter",
        "mode": "lines" if len(y) > FEW else "lines+markers",
        "x": x,
        "y": y,
        "name": name,
        "line": {"color": colour, "width": width, "dash": dash, "shape": shape},
    }
    return trace | ({"fill": "tozeroy"} if fill else {})


def _axis(one: Findings, main: Findings) -> str | list[str]:
    """The shared axis where the days are the same, else its own."""
    own = days(one)
    return "@days" if own == days(main) else own


def _net_liq(one: Findings) -> list[float | None]:
    return [round(float(day.net_liq)) for day in one.run.history.days]


def _index(one: Findings) -> list[float | None] | None:
    """The index bought with the opening capital, a price index: dividends are left out."""
    spots = [day.spot for day in one.run.history.days]
    first = next((s for s in spots if s), None)
    if first is None:
        return None
    return [None if s is None else round(float(one.run.capital) * s / first) for s in spots]


def _deposits(one: Findings) -> list[Figure]:
    paid = [day for day in one.run.history.days[1:] if day.deposits]
    if not paid:
        return []
    marks = {"color": "@three", "size": 7, "symbol": "diamond"}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "deposits and withdrawals",
            "marker": marks,
            "x": [day.date.isoformat() for day in paid],
            "y": [round(float(day.net_liq)) for day in paid],
            "text": [f"{day.deposits:+,.0f} dollars" for day in paid],
            "hovertemplate": "%{text}",
        }
    ]


def _shares(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [round(float(v), 5) for v in values]


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


def page_data(main: Findings, small: Findings | None) -> Mapping[str, object]:
    """What the page's script reads."""
    # An index that grew sixteenfold flattens an account on a linear scale; a logarithm has no place for ruin.
    shown = [day.net_liq for one in (main, small) if one for day in one.run.history.days]
    long = len(main.run.history.days) > SESSIONS_A_YEAR
    drawn = figures(main, small)
    if len(main.run.history.days) == 1:
        for one in drawn.values():
            one["layout"]["xaxis"]["type"] = "category"  # a time axis would zoom in to its microseconds
    return {"days": days(main), "figures": drawn, "scale": "log" if long and min(shown) > 0 else "linear"}
