"""Quotes against the model: volatility, price, term structure and spreads; for scripts/fidelity.py."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scripts.fidelity import figure, table
from scripts.fidelity_chains import lean_halves
from scripts.fidelity_model import Term, prices, quoted_half, vols
from scripts.fidelity_quotes import SAMPLES, STATED, Smile

from tomking.sim.spreads import WIDTHS

Floats = NDArray[np.float64]

TENORS = (
    ("0DTE", 0.0, 0.35),
    ("1 day", 0.35, 1.6),
    ("7 days", 4.0, 10.5),
    ("14 days", 10.5, 20.0),
    ("30 days", 20.0, 40.0),
    ("60 days", 40.0, 85.0),
    ("120 days", 85.0, 160.0),
    ("250 days", 160.0, 400.0),
)
"""Name, and calendar days from and below."""
DELTAS = (
    ("put 2", 0.02),
    ("put 5", 0.05),
    ("put 10", 0.10),
    ("put 16", 0.16),
    ("put 25", 0.25),
    ("50", 0.50),
    ("call 25", 0.75),
    ("call 10", 0.90),
    ("call 5", 0.95),
)
PRICES = ((0.05, 0.5), (0.5, 2.0), (2.0, 5.0), (5.0, 15.0), (15.0, 40.0), (40.0, 150.0))
"""Points at an index of 5,500."""
SPREAD_TENORS = (
    ("to 1 day", 0.0, 1.6),
    ("2 to 7 days", 1.6, 7.5),
    ("8 to 40 days", 7.5, 40.0),
    ("41 to 135 days", 40.0, 135.0),
    ("beyond", 135.0, 400.0),
)

Cells = dict[tuple[str, str, str], list[float]]


def tenor_of(days: float) -> str | None:
    return next((name for name, low, high in TENORS if low <= days < high), None)


def at_deltas(smile: Smile) -> tuple[list[str], Floats, Floats]:
    """Names of the deltas inside what is quoted, their strikes and real volatilities."""
    delta = -smile.delta
    order = np.argsort(delta)
    inside = [(n, d) for n, d in DELTAS if delta.min() <= d <= delta.max()]
    at = np.array([d for _, d in inside])
    strike = np.exp(np.interp(at, delta[order], np.log(smile.strike[order])))
    return [n for n, _ in inside], strike, np.interp(at, delta[order], smile.vol[order])


def vol_errors(smiles: Iterable[Smile]) -> tuple[Cells, Cells]:
    """Model less real, volatility points, by (sample, tenor, delta) and by (sample, source, delta)."""
    by_tenor: Cells = defaultdict(list)
    by_source: Cells = defaultdict(list)
    for smile in smiles:
        tenor = tenor_of(smile.days)
        names, strike, real = at_deltas(smile)
        if tenor is None or not names:
            continue
        for name, error in zip(names, 100 * (vols(smile, strike) - real), strict=True):
            by_tenor[smile.sample, tenor, name].append(float(error))
            by_source[smile.sample, smile.source, name].append(float(error))
    return by_tenor, by_source


def vol_table(cells: Cells, sample: str, names: Sequence[str], head: str) -> str:
    """Mean error, and in brackets its root mean square."""

    def cell(name: str, delta: str) -> str:
        found = np.array(cells.get((sample, name, delta), []))
        if found.size < 2:
            return "–"
        return f"{figure(float(found.mean()), sign=True)} ({figure(float(np.sqrt(np.mean(found**2))))})"

    deltas = [name for name, _ in DELTAS]
    return table([head, *deltas], [[name, *(cell(name, d) for d in deltas)] for name in names])


def price_errors(smiles: Iterable[Smile]) -> Cells:
    """|model - real mid| over the real half-spread, by (sample, tenor, nearest delta)."""
    cells: Cells = defaultdict(list)
    for smile in smiles:
        tenor = tenor_of(smile.days)
        if tenor is None or not np.isfinite(smile.half).all():
            continue
        off = np.abs(prices(smile) - smile.mid) / smile.half
        for delta, value in zip(-smile.delta, off, strict=True):
            if 0.01 < delta < 0.99:
                name = min(DELTAS, key=lambda d: abs(math.log(d[1] / delta * (1 - delta) / (1 - d[1]))))[0]
                cells[smile.sample, tenor, name].append(float(value))
    return cells


def price_table(cells: Cells, sample: str) -> str:
    """Median, and in brackets the share within the quoted bid and ask."""

    def cell(name: str, delta: str) -> str:
        found = np.array(cells.get((sample, name, delta), []))
        if found.size < 5:
            return "–"
        return f"{figure(float(np.median(found)))} ({100 * float(np.mean(found <= 1)):.0f} %)"

    deltas = [name for name, _ in DELTAS]
    body = [[name, *(cell(name, d) for d in deltas)] for name, _, _ in TENORS]
    return table(["tenor", *deltas], body)


def term_table(term: Term) -> str:
    body = []
    for days in (9, 93):
        for sample in SAMPLES:
            error = 100 * np.log(term.model[days] / term.real[days])
            chosen = (term.year % 2 == SAMPLES.index(sample)) & np.isfinite(error)
            for name, low, high in (
                ("all", 0, 999),
                ("below 15", 0, 15),
                ("15 to 25", 15, 25),
                ("25 up", 25, 999),
            ):
                e = error[chosen & (term.vix >= low) & (term.vix < high)]
                body.append(
                    [
                        f"{days} days, {sample}, VIX {name}",
                        str(e.size),
                        figure(float(e.mean()), sign=True),
                        figure(float(np.sqrt(np.mean(e**2)))),
                        figure(float(np.quantile(np.abs(e), 0.95))),
                    ]
                )
    return table(["index", "days", "mean %", "r.m.s. %", "95 % within %"], body)


# -- spreads -----------------------------------------------------------------------------------------

Quoted = tuple[str, str, float, float, float, float]
"""Source, sample, calendar days, VIX, price and half-spread in points at 5,500."""


def halves(smiles: Iterable[Smile]) -> list[Quoted]:
    out: list[Quoted] = []
    for s in smiles:
        scale = STATED / s.forward
        if np.isfinite(s.half).all():
            out += [
                (s.source, s.sample, s.days, s.at.vix, p * scale, h * scale)
                for p, h in zip(s.mid.tolist(), s.half.tolist(), strict=True)
            ]
    return out + list(lean_halves())


def spread_table(quoted: list[Quoted]) -> str:
    """Median of model over real half-spread by source, sample and tenor, all prices."""
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    names: dict[str, None] = {}
    for source, sample, days, vix, price, half in quoted:
        if not PRICES[0][0] <= price < PRICES[-1][1]:
            continue
        name = f"{source}, {sample}"
        names[name] = None
        tenor = next((n for n, low, high in SPREAD_TENORS if low <= days < high), None)
        if tenor is not None:
            width = WIDTHS["ES" if source.startswith("ES") else "SPXW"]
            cells[name, tenor].append(quoted_half(price, days, vix, width) / half)
    tenors = [n for n, _, _ in SPREAD_TENORS]

    def cell(name: str, tenor: str) -> str:
        found = cells.get((name, tenor), [])
        return figure(float(np.median(found)), 2) if len(found) >= 5 else "–"

    return table(["chain", *tenors], [[n, *(cell(n, t) for t in tenors)] for n in names])


def spread_by_price(quoted: list[Quoted]) -> str:
    """Median real half-spread and, after the stroke, the model's for the same contracts."""
    head = [f"{low:g}–{high:g}" for low, high in PRICES]
    body = []
    for tenor, first, last in SPREAD_TENORS:
        for source in ("SPXW 2016", "SPXW 2021", "SPX July 2026", "ES 2020"):
            row = [f"{tenor}, {source}"]
            for low, high in PRICES:
                found = [q for q in quoted if q[0] == source and first <= q[2] < last and low <= q[4] < high]
                width = WIDTHS["ES" if source.startswith("ES") else "SPXW"]
                ours = [quoted_half(q[4], q[2], q[3], width) for q in found]
                row.append(
                    f"{np.median([q[5] for q in found]):.2f} / {np.median(ours):.2f}"
                    if len(found) > 4
                    else "–"
                )
            if any(c != "–" for c in row[1:]):
                body.append(row)
    return table(["price at 5,500", *head], body)
