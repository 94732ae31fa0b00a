"""All rows, in the order they are listed and run, and the table as a document."""

from collections.abc import Sequence

from tomking.app.scenario import rows_days, rows_seeds, rows_strategies
from tomking.app.scenario.expected import Row

ROWS: tuple[Row, ...] = (*rows_seeds.ROWS, *rows_days.ROWS, *rows_strategies.ROWS)
BY_NAME = {row.name: row for row in ROWS}

HEAD = """# Scenarios: what is expected

One row a scenario, written before the scenarios were (`src/tomking/app/scenario/rows_*.py`; this page is
generated from there and tested against it).  Every row also claims that nothing raised, that no order was
left at work after the last close, and that none was sent outside the session.  What came out:
[README](README.md).
"""


def expected_page(rows: Sequence[Row] = ROWS) -> str:
    """docs/scenarios/expected.md."""
    lines = [HEAD]
    for row in rows:
        lines += [f"## {row.name}", "", f"{row.source}", "", f"- Tape: {row.tape}", f"- Book: {row.book}", ""]
        lines += ["| must hold | range |", "|---|---|"]
        for claim in row.claims:
            waits = f" (waits for {claim.waits})" if claim.waits else ""
            lines.append(f"| {claim.words}{waits} | {claim.range} |")
        lines.append("")
    return "\n".join(lines)
