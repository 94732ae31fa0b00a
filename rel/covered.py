"""``python -m rel.covered``: every branch of the code that must not be wrong is taken by its own tests.

Runs the tests of ``rel.careful`` once, those of kernels as plain Python, and prints one line of JSON with the
share of lines and branches run (what is missing on stderr); exit 1 under 100 %.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from rel.careful import GROUPS, ROOT, Group

SETTINGS = """
[run]
branch = true
data_file = {data}
include =
  {modules}
[report]
exclude_also =
  case _:\\n\\s+assert_never\\(
  raise AssertionError\\(
"""
"""What is proved never to happen is no branch that could be missing."""


def _ran(groups: Sequence[Group], settings: Path) -> bool:
    """Whether the tests of groups that are alike pass."""
    compiled = all(group.compiled for group in groups)
    tests = dict.fromkeys(test for group in groups for test in group.tests)
    plain = () if compiled else ("-W", "ignore::RuntimeWarning")
    command = [sys.executable, "-m", "coverage", "run", "--append", "--rcfile", str(settings), "-m", "pytest"]
    quiet = ("-n", "0", "-q", "-p", "no:randomly", "-p", "no:cacheprovider")
    environment = {**os.environ, **({} if compiled else {"NUMBA_DISABLE_JIT": "1"})}
    done = subprocess.run(
        [*command, *quiet, *plain, *tests],
        check=False,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.stderr.write(done.stdout[-6000:] + done.stderr[-2000:])
    return done.returncode == 0


def _found(settings: Path, report: Path) -> dict[str, dict[str, object]]:
    command = [sys.executable, "-m", "coverage", "json", "-q", "--rcfile", str(settings), "-o", str(report)]
    subprocess.run(command, cwd=ROOT, check=True)
    files: dict[str, dict[str, object]] = json.loads(report.read_text())["files"]
    return files


def tell(files: dict[str, dict[str, object]], modules: Sequence[Path], seconds: float) -> int:
    """The figure, and what is missing."""
    done = of = 0
    missing: dict[str, float] = {}
    for path in modules:
        one = files.get(str(path.relative_to(ROOT)))
        if one is None:
            sys.stderr.write(f"{path.relative_to(ROOT)}: never imported\n")
            missing[path.name] = 0.0
            continue
        summary: dict[str, int] = one["summary"]  # type: ignore[assignment]
        here = summary["covered_lines"] + summary["covered_branches"]
        every = summary["num_statements"] + summary["num_branches"]
        done, of = done + here, of + every
        if here < every:
            name = str(path.relative_to(ROOT / "src" / "tomking"))
            missing[name] = round(100 * here / every, 1)
            branches = [f"{a}->{b}" for a, b in one["missing_branches"]]  # type: ignore[attr-defined]
            sys.stderr.write(f"{name}: lines {one['missing_lines']}, branches {', '.join(branches)}\n")
    share = round(100 * done / max(of, 1), 2) if done < of else 100.0
    told = {"branch_coverage": share, "modules": len(modules), "taken": done, "of": of, "under": missing}
    sys.stdout.write(json.dumps({**told, "seconds": round(seconds)}) + "\n")
    return 1 if missing else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rel.covered", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--group", choices=sorted(GROUPS), action="append")
    asked = parser.parse_args(arguments)
    groups = [GROUPS[name] for name in asked.group or sorted(GROUPS)]
    started = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "coverage.ini"
        modules = sorted({path for group in groups for path in group.paths()})
        named = "\n  ".join(map(str, modules))
        settings.write_text(SETTINGS.format(data=Path(folder) / "data", modules=named))
        for alike in ([g for g in groups if g.compiled], [g for g in groups if not g.compiled]):
            if alike and not _ran(alike, settings):
                return 1
        return tell(_found(settings, Path(folder) / "report.json"), modules, perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
