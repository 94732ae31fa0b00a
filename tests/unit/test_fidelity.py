"""docs/fidelity.md speaks of the model that is here."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import fidelity


def test_the_document_is_of_this_model() -> None:
    told = fidelity.DOCUMENT.read_text("utf-8")
    assert fidelity.DIGEST + fidelity.digest() in told, "docs/fidelity.md is out of date: run `make fidelity`"


def test_the_digest_knows_every_source(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fidelity.digest()
    assert re.fullmatch(r"[0-9a-f]{64}", whole)
    assert "src/tomking/sim/surface.py" in fidelity.SOURCES
    for name in fidelity.SOURCES:
        monkeypatch.setattr(fidelity, "SOURCES", tuple(s for s in fidelity.SOURCES if s != name))
        assert fidelity.digest() != whole
        monkeypatch.undo()


def test_the_pictures_it_shows_exist_and_are_small() -> None:
    shown = re.findall(r"\]\((images/[^)]+)\)", fidelity.DOCUMENT.read_text("utf-8"))
    assert len(shown) == 4
    for name in shown:
        assert 0 < (fidelity.DOCUMENT.parent / name).stat().st_size < 150_000


def test_without_the_data_it_says_so(tmp_path: Path) -> None:
    code = (
        f"from pathlib import Path; from scripts import fidelity; fidelity.ROOT = Path({str(tmp_path)!r}); "
    )
    done = subprocess.run(
        [sys.executable, "-c", code + "raise SystemExit(fidelity.main())"],
        cwd=fidelity.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "../shared/data" in done.stderr
