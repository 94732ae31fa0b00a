"""Results in words: for the terminal, as facts, and as the page with the pictures."""

from collections.abc import Sequence
from math import isnan
from typing import Any

from tomking.app.scenario.outcome import Result, Table

HEAD = """# Scenarios: what came out

Made by `tomking scenario run --all --pictures docs/scenarios`; what was expected, and written down before, is
in [expected.md](expected.md).  Prices of options are modelled on every tape, the real ones too; the minutes
within a real day are drawn through its real open, high, low and close, where no knots tell them.  "Waits" is
what is measured but not asserted yet, with what it waits for.
"""


def figure_text(figure: float | None) -> str:
    """Enough digits to compare, and no more."""
    if figure is None:
        return "not measured"
    if isnan(figure):
        return "not a number"
    if float(figure).is_integer() and abs(figure) < 1e9:
        return f"{figure:.0f}"
    return f"{figure:.4f}" if abs(figure) < 10 else f"{figure:,.1f}"


def as_lines(result: Result) -> list[str]:
    """For the terminal: one line, and one more for each miss."""
    asserted = len(result.checks) - len(result.waiting)
    waits = f", {len(result.waiting)} wait" if result.waiting else ""
    lines = [f"{result.verdict:5} {result.row.name:24} {asserted:3} claims{waits}, {result.seconds:.1f} s"]
    lines += [
        f"      {c.claim.words}: {figure_text(c.figure)}, expected {c.claim.range}" for c in result.missed
    ]
    return lines


def as_facts(result: Result) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "name": result.row.name,
        "source": result.row.source,
        "verdict": result.verdict,
        "seconds": round(result.seconds, 2),
        "claims": [
            {
                "key": c.claim.key,
                "words": c.claim.words,
                "expected": c.claim.range,
                "figure": None if c.figure is None or isnan(c.figure) else round(float(c.figure), 6),
                "verdict": c.verdict,
                "waits_for": c.claim.waits or None,
            }
            for c in result.checks
        ],
    }


def page(results: Sequence[Result]) -> str:
    """docs/scenarios/README.md."""
    lines = [HEAD, "| scenario | source | verdict |", "|---|---|---|"]
    lines += [f"| [{r.row.name}](#{_anchor(r)}) | {r.row.source} | {r.verdict} |" for r in results]
    lines.append("")
    for result in results:
        lines += _section(result)
    return "\n".join(lines)


def _anchor(result: Result) -> str:
    return result.row.name.replace(".", "")


def _section(result: Result) -> list[str]:
    row, outcome = result.row, result.outcome
    lines = [f"## {row.name}", "", f"Tape: {row.tape}.", "", f"Book: {row.book}.", ""]
    lines += [f"{note}\n" for note in outcome.notes]
    if outcome.stories:
        lines += [f"![{row.name}]({row.name}.svg)", ""]
    lines += ["| claim | expected | came out | |", "|---|---|---|---|"]
    for check in result.checks:
        said = f"waits for {check.claim.waits}" if check.claim.waits else check.verdict
        lines.append(f"| {check.claim.words} | {check.claim.range} | {figure_text(check.figure)} | {said} |")
    lines.append("")
    for table in outcome.tables:
        lines += _table(table)
    return lines


def _table(table: Table) -> list[str]:
    lines = [f"**{table.title}**", "", f"| {' | '.join(table.head)} |", "|" + "---|" * len(table.head)]
    lines += [f"| {' | '.join(cells)} |" for cells in table.rows]
    return [*lines, ""]
