"""Name the core's code and the tests that need nothing but the core, for `make core-pins`.

A test belongs here when everything it reaches, directly or through files of ours, is the standard
library, a package of requirements-core.txt, or our own.  So nobody marks tests by hand, and a test
that starts to need pyarrow or QuantLib drops out of the list by itself.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = frozenset(
    {
        "domain",
        "pricing",
        "ports",
        "view",
        "rules",
        "risk",
        "execution",
        "planning",
        "kernel",
        "strategies",
        "sim",
    }
)
OURS = frozenset({"tests", "tomking"})
LIBRARIES = frozenset({"numpy", "numba", "scipy", "pytest", "hypothesis"})


def core_tests(root: Path) -> list[Path]:
    """The test files under ``root`` that run on the core's dependencies alone, sorted."""
    known = LIBRARIES | OURS | sys.stdlib_module_names
    tests = sorted((root / "tests").rglob("test_*.py"))
    return [p for p in tests if {"tomking"} <= _reached(root, p) <= known]


def core_sources(root: Path) -> list[Path]:
    """The core's packages and modules under ``root``, for their doctests."""
    here = root / "src" / "tomking"
    return [p for p in sorted(here.iterdir()) if p.stem in CORE and (p.is_dir() or p.suffix == ".py")]


def _reached(root: Path, path: Path) -> set[str]:
    """The top-level packages that ``path`` imports, our own files followed to what they import."""
    found: set[str] = set()
    todo = [path]
    seen = {path}
    while todo:
        for module in _imports(todo.pop()):
            found.add(module.partition(".")[0])
            # Importing a.b.c runs the files of a and a.b as well.
            words = module.split(".")
            for n in range(1, len(words) + 1):
                inner = _file_of(root, ".".join(words[:n]))
                if inner is not None and inner not in seen:
                    seen.add(inner)
                    todo.append(inner)
    return found


def _imports(path: Path) -> Iterator[str]:
    """Every module that is imported anywhere in the file, late imports too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(root: Path, module: str) -> Path | None:
    """Our file that holds ``module``; None for others' modules and for names that are none."""
    if module.partition(".")[0] not in OURS:
        return None
    stem = (root / "src" if module.startswith("tomking") else root).joinpath(*module.split("."))
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


if __name__ == "__main__":
    for each in [*core_tests(ROOT), *core_sources(ROOT)]:
        print(each.relative_to(ROOT))
