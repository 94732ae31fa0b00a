"""Measure how far the model market is from real quotes, and write docs/fidelity.md with its pictures.

    make fidelity        (python -m scripts.fidelity)

Needs ../shared/data beside the repository and says so when it is absent.  By hand, after any change of
``SOURCES``; tests/unit/test_fidelity.py compares the digest that the document carries.
"""

import hashlib
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("quotes", "chains", "model", "options", "level", "clock", "minutes")
SOURCES = (
    *(f"src/tomking/sim/{name}.py" for name in ("surface", "spreads", "quoting", "paths", "path_kernels")),
    *(f"src/tomking/pricing/{name}.py" for name in ("clock", "ssvi")),
    *(f"scripts/fidelity{name}" for name in (".py", *(f"_{part}.py" for part in PARTS), ".md.in")),
)
DOCUMENT, PICTURES = ROOT / "docs/fidelity.md", ROOT / "docs/images"
DIGEST = "Digest of what was measured: "


def digest() -> str:
    """SHA-256 over the text of ``SOURCES``: the code and the constants that every figure depends on."""
    found = hashlib.sha256()
    for name in SOURCES:
        found.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
    return found.hexdigest()


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join("---" if i == 0 else "---:" for i in range(len(head)))]
    return "\n".join(f"| {line} |" for line in [*lines, *(" | ".join(row) for row in body)])


def figure(value: float, digits: int = 1, *, sign: bool = False) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def main() -> int:
    """Write the document; 2 when the data is not here."""
    if not (ROOT / "../shared/data/chains").is_dir():
        print(
            "make fidelity needs the development data in ../shared/data, which is not here", file=sys.stderr
        )
        return 2
    from scripts import fidelity_report  # noqa: PLC0415 - it reads the data; the digest must not need any

    pictures = fidelity_report.write(DOCUMENT, PICTURES, DIGEST + digest())
    for path in (DOCUMENT, *pictures):
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
