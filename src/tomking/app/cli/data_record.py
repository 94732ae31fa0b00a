"""``tomking data record``: what was asked, and what became of it."""

import json
from datetime import date, timedelta
from pathlib import Path

from tomking.app.cli.data import disk_troubles, shown, store_folder
from tomking.app.exits import Exit
from tomking.app.problems import Problem, Problems, did_you_mean
from tomking.app.recording import Wanted, record_model, unknown_products

LISTED = ("SPXW", "SPX", "XSP", "SPY", "ES", "MES")


def run_record(  # noqa: PLR0917 - as it was typed
    products: str, start: str, end: str | None, every: int, seed: int, store: Path | None, *, as_json: bool
) -> None:
    """Record, roll into the store, and say what is there now."""
    wanted = _wanted(products, start, end, every, seed)
    folder = store_folder(store, must_exist=False)
    with disk_troubles(folder), shown("recording") as tell:
        done = record_model(folder, wanted, tell)
    quarantined = sum(r.totals.quarantined for r in done.reports)
    if as_json:
        plain = {
            "sessions": done.sessions,
            "observations": done.observations,
            "rows": done.rows,
            "quarantined": quarantined,
            "store": str(folder),
        }
        print(json.dumps(plain, indent=2))
        return
    print(f"recorded {done.observations:,} observations of {done.sessions} sessions: {done.rows:,} rows,")
    print(f"{quarantined:,} in quarantine; modelled prices, in {folder}")


def _wanted(products: str, start: str, end: str | None, every: int, seed: int) -> Wanted:
    problems: list[Problem] = []
    roots = tuple(dict.fromkeys(p.strip().upper() for p in products.split(",") if p.strip()))
    for root in unknown_products(roots, LISTED):
        line = f"--products {root}: the model market does not list it; {did_you_mean(root, LISTED)}"
        problems.append(Problem(Exit.USAGE, line))
    days = []
    for name, text in (("start", start), ("end", end or start)):
        try:
            days.append(date.fromisoformat(text))
        except ValueError:
            problems.append(Problem(Exit.USAGE, f"--{name} {text}: not a date; write it like 2024-06-03"))
    if len(days) == 2 and days[1] < days[0]:
        problems.append(Problem(Exit.USAGE, f"--end {days[1]} is before --start {days[0]}"))
    if not roots:
        problems.append(Problem(Exit.USAGE, f"--products: none is named; known: {', '.join(LISTED)}"))
    if problems:
        raise Problems(problems)
    return Wanted(products=roots, first=days[0], last=days[1], every=timedelta(minutes=every), seed=seed)
