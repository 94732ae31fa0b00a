"""One line for each account that was played: a JSON lines file that an interrupted study goes on from."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import tomking
from tomking.app.study.account import Outcome


@dataclass(frozen=True, slots=True)
class Line:
    """One row on one path."""

    row: str
    """Key of the row."""
    path: str
    """The path's number, or the years."""
    crash: str
    """Its name; empty without one."""
    played: bool
    """False: nothing that the row switches off did anything on the path, so this is all-on's outcome."""
    seconds: float
    """Of one core."""
    outcome: Outcome


READERS = frozenset(f"app/study/{name}.py" for name in ("figures", "page", "words"))
"""What reads lines and makes none: a page may be written anew from lines that are there."""


def code_digest() -> str:
    """SHA-256 over the package but for ``READERS``: its code, its settings and its history."""
    root = Path(tomking.__file__).parent
    found = hashlib.sha256()
    for file in sorted(p for p in root.rglob("*") if p.suffix in {".py", ".parquet"}):
        name = file.relative_to(root).as_posix()
        if name not in READERS:
            found.update(name.encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()


def read(file: Path) -> list[Line]:
    """What is there; a last line that was cut off is left out, and played again."""
    return list(_read(file)) if file.exists() else []


def _read(file: Path) -> Iterator[Line]:
    for text in file.read_text(encoding="utf-8").splitlines():
        try:
            raw = json.loads(text)
        except json.JSONDecodeError:
            continue
        yield Line(**{**raw, "outcome": Outcome(**raw["outcome"])})


def append(file: Path, lines: Iterable[Line]) -> None:
    """All of them, in one write."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cut = file.exists() and not file.read_bytes().endswith(b"\n")
    text = "".join(json.dumps(asdict(line)) + "\n" for line in lines)
    with file.open("a", encoding="utf-8") as out:
        out.write(("\n" if cut else "") + text)
