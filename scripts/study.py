"""What each protection buys: `make study`, docs/evidence/006-study.md and .jsonl.

    make study                                            1990-2024 and 500 quarters, on all cores
    make study ARGS="--paths 20 --years 2008-2009"        a short one, into runs/study

An interrupted run goes on where it stopped, as long as the package's code is the same: its lines are in
runs/study, under the digest of the code.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.app.study.lines import code_digest
from tomking.app.study.page import Study, as_json, page
from tomking.app.study.rows import ALL_OFF, ALL_ON, ROWS
from tomking.app.study.run import Plan, run

ROOT = Path(__file__).resolve().parents[1]
KEPT, EVIDENCE = ROOT / "runs/study", ROOT / "docs/evidence"
NAME = "006-study"
KEYS = tuple(row.key for row in ROWS)
EVERY_SECONDS = 15
PATHS, ALONE, YEARS = 500, 24, (HISTORY_FIRST.year, HISTORY_LAST.year)


def main(words: list[str]) -> int:
    """Plays what is missing and writes page and figures."""
    asked = _asked(words)
    plan = Plan(asked.seed, asked.paths, asked.years, asked.rows, min(asked.alone, asked.paths))
    code = code_digest()
    file = KEPT / f"{code[:12]}-{plan.seed}.jsonl"
    began, first = monotonic(), len(file.read_bytes().splitlines()) if file.exists() else 0

    said = began

    def told(done: int, wanted: int) -> None:
        nonlocal said
        if monotonic() - said < EVERY_SECONDS and done < wanted:
            return
        said = monotonic()
        spent = said - began
        left = spent * (wanted - done) / max(1, done - min(first, done - 1))
        words = f"{spent / 60:.1f} min gone, about {left / 60:.0f} left"
        print(f"{done:,} of {wanted:,} lines, {words}", file=sys.stderr)

    lines = run(plan, file, told, processes=asked.processes)
    study = Study(
        plan=plan,
        lines=lines,
        commit=_commit(),
        code=code,
        minutes=None if first else (monotonic() - began) / 60,
        processes=max(1, asked.processes),
    )
    folder = asked.out or (EVIDENCE if _is_whole(plan) else KEPT)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.jsonl").write_text("".join(f"{line}\n" for line in as_json(study)), encoding="utf-8")
    (folder / f"{NAME}.md").write_text(page(study), encoding="utf-8")
    print(folder / f"{NAME}.md")
    return 0


def _asked(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make study", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--paths", type=_count, default=PATHS, help="quarters, 0 for none")
    parser.add_argument("--years", type=_years, default=YEARS, help='"2008-2009", or "none"')
    parser.add_argument("--rows", type=_rows, default=KEYS, help=f"of {','.join(KEYS)}")
    parser.add_argument("--alone", type=_count, default=ALONE, help="first quarters for each rule alone")
    parser.add_argument("--seed", type=_count, default=1)
    parser.add_argument("--processes", type=_count, default=os.cpu_count() or 1, help="0: this one alone")
    parser.add_argument("--out", type=Path, default=None, help="folder of page and figures")
    return parser.parse_args(words)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _years(text: str) -> tuple[int, int] | None:
    if text == "none":
        return None
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and YEARS[0] <= int(first) <= int(last) <= YEARS[1]):
        raise argparse.ArgumentTypeError(f'{text!r}: write years of {YEARS[0]}-{YEARS[1]}, or "none"')
    return int(first), int(last)


def _rows(text: str) -> tuple[str, ...]:
    keys = text.split(",")
    if wrong := [key for key in keys if key not in KEYS]:
        raise argparse.ArgumentTypeError(f"no row {', '.join(wrong)}; there are {', '.join(KEYS)}")
    return tuple(key for key in KEYS if key in {ALL_ON.key, ALL_OFF.key, *keys})


def _is_whole(plan: Plan) -> bool:
    return plan.paths >= PATHS and plan.alone >= ALONE and plan.years == YEARS and plan.rows == KEYS


def _commit() -> str:
    """With ``-dirty`` where files differ from it."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude", "*"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
