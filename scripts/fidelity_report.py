"""The text and the pictures of docs/fidelity.md; run by scripts/fidelity.py."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scripts.fidelity import table
from scripts.fidelity_chains import all_smiles
from scripts.fidelity_clock import decay_table, own_day_table, share_table, spy_moves, third_fridays
from scripts.fidelity_level import level_table, skew_table
from scripts.fidelity_minutes import gap_table, hour_table, minute_table, real_sessions
from scripts.fidelity_model import SEED, Drawn, Term, term_structure, vols
from scripts.fidelity_options import (
    DELTAS,
    TENORS,
    Cells,
    halves,
    price_errors,
    price_table,
    spread_by_price,
    spread_table,
    term_table,
    vol_errors,
    vol_table,
)
from scripts.fidelity_pictures import BLUE, GREY, ORANGE, Line, Panel, picture
from scripts.fidelity_quotes import SAMPLES, Smile, VixRecord

Floats = NDArray[np.float64]

# -- pictures ----------------------------------------------------------------------------------------


def smile_panels(smiles: Sequence[Smile]) -> list[Panel]:
    def first(source: str, low: float, high: float) -> Smile:
        return next(
            s for s in smiles if s.source == source and s.sample == "hold-out" and low <= s.days < high
        )

    panels = []
    for source, low, high in (
        ("SPXW 2016", 0.1, 0.35),
        ("SPXW January 2018", 20, 30),
        ("SPX July 2026", 40, 85),
        ("SPXW 2016", 100, 160),
    ):
        s = first(source, low, high)
        shown = (-s.delta > 0.01) & (-s.delta < 0.99)
        k = 100 * (s.strike[shown] / s.forward - 1)
        panels.append(
            Panel(
                f"{source}, {s.days:.1f} days, VIX {s.at.vix:.1f} (hold-out)",
                "strike over forward, %",
                "volatility, % per clock year",
                [
                    Line("real", GREY, k, 100 * s.vol[shown], dots=True),
                    Line("model", BLUE, k, 100 * vols(s)[shown]),
                ],
            )
        )
    return panels


def error_panels(cells: Cells) -> list[Panel]:
    panels = []
    for tenor in ("7 days", "30 days", "60 days", "120 days"):
        lines = []
        for sample, colour in zip(SAMPLES, (BLUE, ORANGE), strict=True):
            points = [
                (100 * d, float(np.mean(cells[sample, tenor, n])))
                for n, d in DELTAS
                if cells.get((sample, tenor, n))
            ]
            if points:
                x, y = np.array(points).T
                lines.append(Line(sample, colour, x, y))
        panels.append(
            Panel(f"Mean error, {tenor}", "put delta, %", "volatility points", lines, from_zero=True)
        )
    return panels


def term_panels(term: Term) -> list[Panel]:
    panels = []
    for days in (9, 93):
        for sample, colour in zip(SAMPLES, (BLUE, ORANGE), strict=True):
            chosen = (term.year % 2 == SAMPLES.index(sample)) & np.isfinite(term.real[days])
            chosen &= np.arange(chosen.size) % 4 == 0
            real, model = (
                term.real[days][chosen] / term.vix[chosen],
                term.model[days][chosen] / term.vix[chosen],
            )
            line = np.array([real.min(), real.max()])
            panels.append(
                Panel(
                    f"{days}-day index over VIX, {sample}",
                    "real",
                    "model",
                    [Line("", colour, real, model, dots=True), Line("", GREY, line, line)],
                )
            )
    return panels


def shape_panels(drawn: Drawn, real: dict[str, Floats]) -> list[Panel]:
    def shape(days: Iterable[Floats]) -> Floats:
        scaled = [np.diff(np.log(v))[:375] / np.diff(np.log(v))[:375].std() for v in days]
        return np.asarray(np.mean([s**2 for s in scaled], axis=0).reshape(25, 15).mean(axis=1), np.float64)

    x: Floats = (np.arange(25, dtype=np.float64) + 0.5) * 0.25
    return [
        Panel(
            "Variance over the day, quarter hours",
            "hours after the open",
            "day's mean 1",
            [
                Line("real, 47 days", GREY, x, shape(real.values())),
                Line("model", BLUE, x, shape(drawn.path(d).spx[:390] for d in drawn.day[-500:])),
            ],
            from_zero=True,
        )
    ]


# -- the document ------------------------------------------------------------------------------------


def write(document: Path, pictures: Path, stamp: str) -> list[Path]:
    """Measure, write the document and the pictures; the pictures' paths."""
    record = VixRecord()
    smiles, drawn, real = all_smiles(record), Drawn(), real_sessions()
    term, (errors, by_source), quoted = term_structure(record), vol_errors(smiles), halves(smiles)
    off, moves = price_errors(smiles), spy_moves(record)
    tenors, sources = [n for n, _, _ in TENORS], list(dict.fromkeys(s.source for s in smiles))
    figures = {
        "stamp": stamp,
        "counts": table(
            ["chain", *SAMPLES],
            [
                [n, *(str(sum(s.source == n and s.sample == x for s in smiles)) for x in SAMPLES)]
                for n in sources
            ],
        ),
        "vol_cal": vol_table(errors, SAMPLES[0], tenors, "calibration"),
        "vol_hold": vol_table(errors, SAMPLES[1], tenors, "hold-out"),
        "source_cal": vol_table(by_source, SAMPLES[0], sources, "calibration"),
        "source_hold": vol_table(by_source, SAMPLES[1], sources, "hold-out"),
        "price_cal": price_table(off, SAMPLES[0]),
        "price_hold": price_table(off, SAMPLES[1]),
        "term": term_table(term),
        "spreads": spread_table(quoted),
        "by_price": spread_by_price(quoted),
        "minutes": minute_table(drawn, real),
        "hours": hour_table(drawn),
        "gaps": gap_table(drawn),
        "level": level_table(smiles),
        "skew": skew_table(smiles, record),
        "share": share_table(moves),
        "third": third_fridays(moves, drawn),
        "decay": decay_table(smiles),
        "own_day": own_day_table(smiles, record),
        "seed": str(SEED),
    }
    text = (Path(__file__).parent / "fidelity.md.in").read_text("utf-8")
    for name, value in figures.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    document.write_text(text, "utf-8")
    drawings = {
        "smiles": smile_panels(smiles),
        "errors": error_panels(errors),
        "term": term_panels(term),
        "minutes": shape_panels(drawn, real),
    }
    paths = []
    for name, panels in drawings.items():
        path = pictures / f"fidelity-{name}.svg"
        path.write_text(picture(panels, min(2, len(panels))), "utf-8")
        paths.append(path)
    return paths
