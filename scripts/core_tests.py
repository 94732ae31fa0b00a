"""Name the core's code and the tests that need nothing but the core, for `make core-pins`.

A test belongs here when everything it imports, directly or through other files of ``tests``, is
the standard library, a package of requirements-core.txt, or the core itself.  So nobody marks
tests by hand, and a test that starts to need an adapter drops out of the list by itself.
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
LIBRARIES = frozenset({"numpy", "numba", "scipy", "pytest", "hypothesis"})


def core_tests(root: Path) -> list[Path]:
    """The test files under ``root`` that run on the core's dependencies alone, sorted."""
    return [
        p
        for p in sorted((root / "tests").rglob("test_*.py"))
        if all(_is_core(root, m) for m in _reached(root, p))
    ]


def core_sources(root: Path) -> list[Path]:
    """The core's packages and modules under ``root``, for their doctests."""
    here = root / "src" / "tomking"
    return [p for p in sorted(here.iterdir()) if p.stem in CORE and (p.is_dir() or p.suffix == ".py")]


def _reached(root: Path, path: Path) -> set[str]:
    """Every module that ``path`` imports, those of ``tests`` followed to what they import."""
    found: set[str] = set()
    todo = [path]
    seen = {path}
    while todo:
        for module in _imports(todo.pop()):
            found.add(module)
            inner = root.joinpath(*module.split(".")).with_suffix(".py")
            if module.startswith("tests.") and inner.is_file() and inner not in seen:
                seen.add(inner)
                todo.append(inner)
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from tests import worlds` and `from tomking import kernel` import modules too.
            inner = node.module in {"tests", "tomking"}
            yield from (f"{node.module}.{a.name}" for a in node.names) if inner else (node.module,)


def _is_core(root: Path, module: str) -> bool:
    top, _, rest = module.partition(".")
    if top == "tomking":
        return rest.partition(".")[0] in CORE
    return (
        top in LIBRARIES or top in sys.stdlib_module_names or (top == "tests" and (root / "tests").is_dir())
    )


if __name__ == "__main__":
    for found in [*core_tests(ROOT), *core_sources(ROOT)]:
        print(found.relative_to(ROOT))
