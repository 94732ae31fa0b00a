"""The fault matrix: every fault id of the reliability page has tests, and every test it names exists.

``python -m rel.matrix`` prints one line of JSON and exits 1 on a miss.  A row of ``matrix.toml`` may name a
test node (``tests/unit/test_x.py::test_y``) or a command of this package (``rel.sim``), which counts the
fault itself.  Tests that come ``later``, with another branch, count as soon as their file is there.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MATRIX = ROOT / "rel" / "matrix.toml"
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
FAULTS = tuple(f"F{n}" for n in range(1, 64))
"""Every id of section 5."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    id: str
    fault: str
    expected: str
    invariants: tuple[str, ...]
    tests: tuple[str, ...]
    later: tuple[str, ...]
    """Tests whose file may not be there yet."""
    missing: str
    """What of the expectation no test shows; empty: nothing."""


def rows(path: Path = MATRIX) -> tuple[Row, ...]:
    """The matrix as it is written."""
    with path.open("rb") as file:
        tables = tomllib.load(file)
    return tuple(_row(id_, table) for id_, table in tables.items())


def problems(matrix: tuple[Row, ...], root: Path = ROOT) -> list[str]:
    """What is wrong, one sentence each; empty when every fault is covered."""
    known = {row.id for row in matrix}
    said = [f"{id_} has no row" for id_ in FAULTS if id_ not in known]
    said += [f"{row.id} is no fault of the reliability page" for row in matrix if row.id not in FAULTS]
    for row in matrix:
        if not covers(row):
            said.append(f"{row.id} has no test: {row.fault}")
        said += [
            f"{row.id} names {test}, which does not exist"
            for test in named(row, root)
            if not exists(test, root)
        ]
    return said


def named(row: Row, root: Path = ROOT) -> tuple[str, ...]:
    """Its tests, with those of files that have come."""
    return (*row.tests, *(test for test in row.later if (root / test.partition("::")[0]).is_file()))


def covers(row: Row, root: Path = ROOT) -> bool:
    """Whether anything shows what follows from the fault: a test, or a command that plays it."""
    return bool(named(row, root))


def exists(test: str, root: Path = ROOT) -> bool:
    """Whether a test node, or a command of this package, is there."""
    if test.startswith("rel."):
        return (root / "rel" / f"{test.removeprefix('rel.')}.py").is_file()
    path, _, node = test.partition("::")
    name = node.rpartition("::")[2].partition("[")[0]
    return name in _functions(root / path)


@cache
def _functions(path: Path) -> frozenset[str]:
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, FUNCTION))


def _row(id_: str, table: Mapping[str, object]) -> Row:
    invariants, tests, later = (
        tuple(map(str, _listed(table.get(key, [])))) for key in ("invariants", "tests", "later")
    )
    words = str(table.get("missing", ""))
    return Row(id_, str(table["fault"]), str(table["expected"]), invariants, tests, later, words)


def _listed(value: object) -> list[object]:
    assert isinstance(value, list), f"{value!r} is no list"
    return value


def main() -> int:
    """Prints the figure; 0 when every fault is covered."""
    matrix = rows()
    said = problems(matrix)
    covered = sum(1 for row in matrix if covers(row) and all(map(exists, named(row))))
    figures = {
        "command": "rel.matrix",
        "faults": len(FAULTS),
        "covered": covered,
        "tests": len({test for row in matrix for test in named(row)}),
        "in_part": {row.id: row.missing for row in matrix if row.missing},
        "problems": said,
    }
    print(json.dumps(figures))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
