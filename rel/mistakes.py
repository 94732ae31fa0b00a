"""Small mistakes in a module: a comparison, a sign, an ``and``, a count, a statement left out."""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rel.careful import ROOT, SOURCE

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
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SILENT = frozenset({"strict", "repr", "compare", "init", "indent"})
"""Arguments that assert, or change looks only."""
_TURNED = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake, named by where it is."""

    path: Path
    number: int
    line: int
    what: str

    @property
    def text(self) -> str:
        """Its line of the source."""
        return self.path.read_text().splitlines()[self.line - 1].strip()

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

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in SILENT:
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        for n, op in enumerate(node.ops):
            self._swap(node, op, lambda new, n=n: node.ops.__setitem__(n, new))  # type: ignore[misc]
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not (isinstance(node.op, ast.Add) and isinstance(node.left, ast.Constant | ast.JoinedStr)):
            self._swap(node, node.op, lambda new: setattr(node, "op", new))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
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
        self._negate(node, node.test, lambda: setattr(node, "test", _negated(node.test)))
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node, node.test, lambda: setattr(node, "test", _negated(node.test)))
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for n, test in enumerate(node.ifs):
            self._negate(test, test, lambda n=n, test=test: node.ifs.__setitem__(n, _negated(test)))  # type: ignore[misc]
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
            if text.startswith("assert_never("):
                return  # what never is cannot be tested
            self._add(node, text, "nothing", lambda: setattr(node, "value", ast.Constant(None)))
            self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not isinstance(node.value, ast.Constant):
            text = ast.unparse(node.value)[:30]
            self._add(node, f"return {text}", "None", lambda: setattr(node, "value", ast.Constant(None)))
        self.generic_visit(node)

    def _swap(self, node: ast.stmt | ast.expr, op: ast.AST, put: Callable[[ast.AST], None]) -> None:
        other = SWAPPED.get(type(op))
        if other is not None:
            self._add(node, type(op).__name__, other.__name__, lambda: put(other()))

    def _negate(self, node: ast.stmt | ast.expr, test: ast.expr, change: Callable[[], None]) -> None:
        """But not where turning the test's own operator says the same."""
        is_same = isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], _TURNED)
        if not is_same and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            self._add(node, "if", "if not", change)

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


def tree_of(path: Path) -> ast.Module:
    """As written."""
    return ast.parse(path.read_text())


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
