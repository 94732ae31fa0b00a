"""What holds for the repository as a whole."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Spelled in halves, or this file would find itself.
REGISTRIES = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "ana" + "conda.org",
    "npm" + "js.org",
    "npm" + "js.com",
)
INDEX_OPTIONS = ("--index" + "-url", "--extra-index" + "-url", "--find" + "-links", "--trusted" + "-host")
PINS = ("requirements.txt", "requirements-dev.txt", "requirements-core.txt")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [p for p in paths if p.is_file()]


def test_no_tracked_file_names_a_package_registrys_host() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {host}" for host in REGISTRIES if host in text]
    assert found == []


def test_pins_are_names_versions_and_hashes_and_nothing_else() -> None:
    for name in PINS:
        lines = (ROOT / name).read_text().splitlines()
        assert not [line for line in lines if any(o in line for o in INDEX_OPTIONS) or "://" in line]
        for line in lines:
            assert line.startswith(("#", "    --hash=sha256:")) or "==" in line, f"{name}: {line}"


def test_what_runs_is_tested_with_the_same_versions() -> None:
    run, dev = (
        {line.split(" \\")[0] for line in (ROOT / name).read_text().splitlines() if "==" in line}
        for name in PINS[:2]
    )
    assert run <= dev


def test_the_core_is_tested_on_the_oldest_versions_it_promises() -> None:
    text = (ROOT / "requirements-core.txt").read_text()
    for pin in ("numpy==1.26.4", "numba==0.61.2", "scipy==1.13.1"):
        assert pin in text


def test_decision_records_are_short_and_say_what_was_decided() -> None:
    for path in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# "), path.name
        assert len(text.splitlines()) <= 40, path.name
