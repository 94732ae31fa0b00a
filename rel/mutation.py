"""``python -m rel.mutation [MODULE ...] --sample 60``: small mistakes in the code that must not be wrong.

Each mutant differs from its module in one place: a comparison, a sign, an ``and``, a count, a statement left
out.  It is killed when a unit test of that module fails, or does not come to an end.  Every mutant runs in a
forked child, which has the mutated module in place of the real one before it imports anything of tomking.

Prints one line of JSON with the share killed of each module (survivors on stderr); exit 1 under the goal.

    --sample N  so many mutants of each group, drawn by ``--seed``; 0 takes all of them
    --group G   protocol, reconcile, flatten, latch or gate (else all)
"""

import argparse
import ast
import contextlib
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from io import StringIO
from pathlib import Path
from time import perf_counter
from types import ModuleType

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tomking"
GOAL = 0.85
LONGEST = 60.0
"""Seconds of CPU until a mutant that does not end is taken for killed."""
WARM = ("numba", "hypothesis", "pytest", "scipy.special", "apsw", "filelock")
"""What children need not import again; nothing of tomking."""


@dataclass(frozen=True, slots=True)
class Group:
    """Modules that belong together, and the unit tests that are theirs."""

    modules: tuple[str, ...]
    """Patterns of paths below ``src/tomking``."""
    tests: tuple[str, ...]


def _unit(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/unit/test_{name}.py" for name in names)


GROUPS = {
    "protocol": Group(
        ("execution/protocol/*.py",), _unit("protocol_values", "protocol_desk", "odd_quotes_and_limits")
    ),
    "reconcile": Group(
        (
            "execution/reconcile.py",
            "execution/differences.py",
            "execution/unbooked.py",
            "execution/comparing.py",
        ),
        _unit("reconcile", "corporate_action"),
    ),
    "flatten": Group(("execution/flatten*.py",), _unit("flatten")),
    "latch": Group(("adapters/latch.py", "risk/latched.py"), _unit("latch")),
    "gate": Group(("risk/gate.py", "risk/limits_*.py"), _unit("gate", "limits", "coordinator")),
}

# ------------------------------------------------------------------------------------ the mistakes

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake, named by where it is."""

    path: Path
    number: int
    line: int
    what: str

    @property
    def module(self) -> str:
        return ".".join(self.path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"


class _Places(ast.NodeVisitor):
    """Everything that can be changed, as functions that change it, in the order of the source."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str, Callable[[], None]]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in node.body:
            self.visit(part)  # neither decorators nor types nor defaults

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in node.body:
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """What never is cannot be tested."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """Words."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Words."""

    def visit_Compare(self, node: ast.Compare) -> None:
        for n, op in enumerate(node.ops):
            self._swap(node, op, lambda new, n=n: node.ops.__setitem__(n, new))  # type: ignore[misc]
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not (isinstance(node.op, ast.Add) and isinstance(node.left, ast.Constant | ast.JoinedStr)):
            self._swap(node, node.op, lambda new: setattr(node, "op", new))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._swap(node, node.op, lambda new: setattr(node, "op", new))
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._add(node, "not", "", lambda: setattr(node, "op", _Nothing()))
        elif isinstance(node.op, ast.USub):
            self._add(node, "-", "+", lambda: setattr(node, "op", ast.UAdd()))
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        self._add(node, "if", "if not", lambda: setattr(node, "test", _negated(node.test)))
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._add(node, "if", "if not", lambda: setattr(node, "test", _negated(node.test)))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._add(node, str(value), str(not value), lambda: setattr(node, "value", not value))
        elif isinstance(value, int | float):
            self._add(node, str(value), str(value + 1), lambda: setattr(node, "value", value + 1))

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            text = ast.unparse(node.value)[:40]
            self._add(node, text, "nothing", lambda: setattr(node, "value", ast.Constant(None)))
            self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not isinstance(node.value, ast.Constant):
            text = ast.unparse(node.value)[:30]
            self._add(node, f"return {text}", "None", lambda: setattr(node, "value", ast.Constant(None)))
        self.generic_visit(node)

    def _swap(self, node: ast.expr, op: ast.AST, put: Callable[[ast.AST], None]) -> None:
        other = SWAPPED.get(type(op))
        if other is not None:
            self._add(node, type(op).__name__, other.__name__, lambda: put(other()))

    def _add(self, node: ast.stmt | ast.expr, old: str, new: str, change: Callable[[], None]) -> None:
        self.found.append((node.lineno, f"{old} -> {new or 'nothing'}", change))


class _Nothing(ast.UAdd):
    """Stands for a ``not`` that is gone, until ``_Unwrapped`` takes it out."""


class _Unwrapped(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, _Nothing) else node


def _negated(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _places(tree: ast.Module) -> list[tuple[int, str, Callable[[], None]]]:
    visitor = _Places()
    visitor.visit(tree)
    return visitor.found


def mutants(path: Path) -> list[Mutant]:
    """All of a module, in the order of the source."""
    found = _places(ast.parse(path.read_text()))
    return [Mutant(path, n, line, what) for n, (line, what, _) in enumerate(found)]


def planted(mutant: Mutant) -> ast.Module:
    """The module with that mistake in it."""
    tree = ast.parse(mutant.path.read_text())
    _places(tree)[mutant.number][2]()
    _Unwrapped().visit(tree)
    return ast.fix_missing_locations(tree)


# ------------------------------------------------------------------------------------ playing them


@dataclass
class _Instead(MetaPathFinder, Loader):
    """Finds one module, mutated."""

    mutant: Mutant

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        del path, target
        if name != self.mutant.module:
            return None
        spec = spec_from_loader(name, self, origin=str(self.mutant.path))
        if spec is not None and self.mutant.path.name == "__init__.py":
            spec.submodule_search_locations = [str(self.mutant.path.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.mutant.path)
        exec(compile(planted(self.mutant), str(self.mutant.path), "exec"), module.__dict__)


WITHOUT = ("randomly", "cacheprovider", "xdist", "cov")
QUIETLY = (
    "-x",
    "-q",
    "--no-header",
    "--assert=plain",
    *(word for name in WITHOUT for word in ("-p", f"no:{name}")),
)


def _tested(tests: Sequence[str]) -> int:
    import pytest

    out = StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return int(pytest.main([*QUIETLY, "-o", "addopts=", *tests]))


def is_killed(mutant: Mutant | None, tests: Sequence[str]) -> bool:
    """Whether the tests fail with it (with None: whether they fail at all), in a child of this process."""
    child = os.fork()
    if child == 0:
        if mutant is not None:
            sys.meta_path.insert(0, _Instead(mutant))
        # CPU time: a busy machine kills no mutant.  The signal ends the child.
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        try:
            code = 0 if _tested(tests) == 0 else 1
        except BaseException:  # noqa: BLE001 - whatever it is: the mutant was noticed
            code = 1
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return status != 0


def _paths(group: Group, only: Sequence[str]) -> Iterator[Path]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = str(path.relative_to(SOURCE))
        asked = not only or any(fnmatch(name, f"*{one}*") for one in only)
        if asked and any(fnmatch(name, pattern) for pattern in group.modules):
            yield path


def _drawn(group: Group, arguments: argparse.Namespace) -> list[Mutant]:
    every = [one for path in _paths(group, arguments.modules) for one in mutants(path)]
    if not arguments.sample or arguments.sample >= len(every):
        return every
    chance = np.random.Generator(np.random.PCG64(arguments.seed))
    chosen = chance.choice(len(every), arguments.sample, replace=False)
    return [every[n] for n in sorted(chosen.tolist())]


def _score(mutants: Sequence[Mutant], tests: Sequence[str]) -> dict[str, list[int]]:
    """Killed and played of each module."""
    scores: dict[str, list[int]] = {}
    for one in mutants:
        killed = is_killed(one, tests)
        count = scores.setdefault(one.module.removeprefix("tomking."), [0, 0])
        count[0] += killed
        count[1] += 1
        if not killed:
            sys.stderr.write(f"survives {one}\n")
            sys.stderr.flush()
    return scores


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rel.mutation", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("modules", nargs="*", help="parts of paths; else all of the group")
    parser.add_argument("--group", choices=sorted(GROUPS), action="append")
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for name in WARM:
        importlib.import_module(name)
    started = perf_counter()
    figures: dict[str, object] = {}
    killed = played = 0
    for name in asked.group or sorted(GROUPS):
        group = GROUPS[name]
        drawn = _drawn(group, asked)
        if drawn and is_killed(None, group.tests):
            sys.stderr.write(f"the tests of {name} fail without any mistake\n")
            return 1
        for module, (ok, count) in sorted(_score(drawn, group.tests).items()):
            figures[module] = {"killed": ok, "of": count, "score": round(ok / count, 3)}
            killed, played = killed + ok, played + count
    score = round(killed / max(played, 1), 3)
    told = {"modules": figures, "killed": killed, "of": played, "score": score}
    sys.stdout.write(json.dumps({**told, "seconds": round(perf_counter() - started, 1)}) + "\n")
    return 0 if score >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
