"""Find work that was left undone in ``src``: exit 1 with file:line for each, 0 when there is none.

Refused: a bare ``pass``; ``NotImplementedError``; the words of a note to do later; a body of
``...`` outside a Protocol; a constant nothing (``return 0.0``, ``[]``, ``None`` ...) that is the
whole of a function, or that stands beside a comment about doing it later.

What is meant to be so is listed in scripts/placeholders_allowed.txt, one a line, with its reason:

    path | the line, stripped | reason

An entry that matches nothing any more is refused too.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = ROOT / "scripts" / "placeholders_allowed.txt"

NOTE = re.compile(r"\b(TODO|FIXME|XXX|TBD|HACK)\b")
LATER = re.compile(
    r"#.*\b(to-?do|to do|placeholder|stub|dummy|for now|not yet|later|temporar\w+|implement\w*)\b",
    re.IGNORECASE,
)
NOTHING = {"0", "0.0", "[]", "{}", "()", "None", "''", "False", "True", "Decimal(0)", "Decimal('0')", "ZERO"}


@dataclass(frozen=True, slots=True)
class Finding:
    path: str
    line: int
    text: str
    """The line, stripped."""
    why: str


def scan(root: Path) -> list[Finding]:
    """Every placeholder in the Python files under ``root / "src"``, by path and line."""
    found = []
    for path in sorted((root / "src").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        name = path.relative_to(root).as_posix()
        places = sorted({*_notes(lines), *_code(ast.parse(source), lines)})
        found += [Finding(name, n, lines[n - 1].strip(), why) for n, why in places]
    return found


def _notes(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        if note := NOTE.search(line):
            yield number, f"says {note[0]}"


def _code(tree: ast.Module, lines: list[str]) -> Iterator[tuple[int, str]]:
    protocols = {
        id(f) for c in ast.walk(tree) if isinstance(c, ast.ClassDef) and _is_protocol(c) for f in c.body
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Pass):
            yield node.lineno, "bare pass"
        elif isinstance(node, ast.Name | ast.Attribute) and _last(node) == "NotImplementedError":
            yield node.lineno, "not implemented"
        elif isinstance(node, ast.Return) and _is_nothing(node) and _speaks_of_later(lines, node.lineno):
            yield node.lineno, "returns nothing, to be done later"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and id(node) not in protocols:
            yield from _empty_body(node)


def _empty_body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str]]:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not body:
        yield node.lineno, "a function that is only its docstring"
    elif len(body) == 1 and isinstance(body[0], ast.Return) and _is_nothing(body[0]):
        yield body[0].lineno, "a function that only returns nothing"
    elif len(body) == 1 and isinstance(body[0], ast.Expr) and ast.unparse(body[0]) == "...":
        overload = any(_last(d) in {"overload", "abstractmethod"} for d in node.decorator_list)
        if not overload:
            yield body[0].lineno, "a function that is only an ellipsis"


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(_last(base) == "Protocol" for base in node.bases)


def _last(node: ast.AST) -> str:
    """The last word of a possibly dotted, possibly subscripted name."""
    if isinstance(node, ast.Subscript):
        return _last(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _is_nothing(node: ast.Return) -> bool:
    return node.value is None or ast.unparse(node.value) in NOTHING


def _speaks_of_later(lines: list[str], number: int) -> bool:
    """Whether the line, or the comment right above it, promises to do it later."""
    above = lines[number - 2].strip() if number > 1 else ""
    return bool(LATER.search(lines[number - 1]) or (above.startswith("#") and LATER.search(above)))


def read_allowed(text: str) -> dict[tuple[str, str], str]:
    """(path, line) to reason.  ``ValueError`` names an entry without a reason."""
    allowed = {}
    for entry in text.splitlines():
        if not entry.strip() or entry.startswith("#"):
            continue
        words = [word.strip() for word in entry.split(" | ")]
        if len(words) != 3 or not all(words):
            raise ValueError(f"not `path | line | reason`: {entry}")
        allowed[words[0], words[1]] = words[2]
    return allowed


def complaints(root: Path, allowed: dict[tuple[str, str], str]) -> list[str]:
    """One line for each placeholder that is not allowed and each allowance that nothing needs."""
    found = scan(root)
    bad = [f"{f.path}:{f.line}: {f.why}: {f.text}" for f in found if (f.path, f.text) not in allowed]
    used = {(f.path, f.text) for f in found}
    stale = [
        f"scripts/placeholders_allowed.txt: nothing needs: {p} | {t}"
        for p, t in allowed
        if (p, t) not in used
    ]
    return bad + stale


if __name__ == "__main__":
    said = complaints(ROOT, read_allowed(ALLOWED.read_text(encoding="utf-8")))
    print("\n".join(said) if said else "no placeholders in src")
    sys.exit(1 if said else 0)
