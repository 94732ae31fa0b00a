"""The scan for work left undone, and the choice of the core's tests."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


placeholders = script("placeholders")
core_tests = script("core_tests")

UNDONE = "TO" + "DO"


def said_of(tmp_path: Path, code: str, allowed: str = "") -> list[str]:
    (tmp_path / "src").mkdir(exist_ok=True)
    (tmp_path / "src" / "part.py").write_text(code)
    found: list[str] = placeholders.complaints(tmp_path, placeholders.read_allowed(allowed))
    return found


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("try:\n    f()\nexcept OSError:\n    pass\n", 4),
        ("def f():\n    raise NotImplementedError\n", 2),
        ("def f():\n    raise NotImplementedError('margin')\n", 2),
        (f"x = 1  # {UNDONE}: scale\n", 1),
        ("def f(x):\n    if x:\n        return 0.0  # margin comes later\n    return x\n", 3),
        (
            "def f(x):\n    if x:\n        # placeholder for the gate\n        return []\n    return x\n",
            4,
        ),
        ("def f():\n    '''Margin.'''\n    return None\n", 3),
        ("def f():\n    return 0.0\n", 2),
        ("def f():\n    ...\n", 2),
        ("def f():\n    '''Says much and does nothing.'''\n", 1),
    ],
)
def test_a_placeholder_is_found_at_its_line(code: str, line: int, tmp_path: Path) -> None:
    found = said_of(tmp_path, code)
    assert len(found) == 1
    assert found[0].startswith(f"src/part.py:{line}: ")


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    if x:\n        return None\n    return x\n",
        "def f(x):\n    if x:\n        return 0.0  # nothing is at risk after expiry\n    return x\n",
        "class Clock(Protocol):\n    def now(self) -> int:\n        ...\n",
        "@overload\ndef f(x: int) -> int: ...\n",
    ],
)
def test_what_means_what_it_says_is_left_alone(code: str, tmp_path: Path) -> None:
    assert said_of(tmp_path, code) == []


def test_an_allowed_line_needs_its_reason_and_its_use(tmp_path: Path) -> None:
    code = "def fee():\n    return 0.0\n"
    assert said_of(tmp_path, code, "src/part.py | return 0.0 | closing costs nothing at this broker") == []
    stale = said_of(tmp_path, "x = 1\n", "src/part.py | return 0.0 | closing costs nothing at this broker")
    assert stale == ["scripts/placeholders_allowed.txt: nothing needs: src/part.py | return 0.0"]
    with pytest.raises(ValueError, match="not `path"):
        placeholders.read_allowed("src/part.py | return 0.0")


def test_a_core_test_is_one_that_reaches_only_the_core(tmp_path: Path) -> None:
    files = {
        "tests/worlds.py": "from tomking.domain.chain import Chain\n",
        "tests/books.py": "import pyarrow\n",
        "tests/unit/test_core.py": "import numpy\nfrom tests.worlds import chain\nimport tomking.sim\n",
        "src/tomking/adapters/history.py": "import pyarrow\n",
        "src/tomking/adapters/journal.py": "import sqlite3\n",
        "tests/unit/test_kept.py": "from tomking.adapters.journal import MemoryJournal\n",
        "tests/unit/test_world.py": "from tomking.adapters.history import load_history\n",
        "tests/unit/test_late.py": "def test() -> None:\n    import pyarrow\n",
        "tests/unit/test_through.py": "from tests import books\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert [p.name for p in core_tests.core_tests(tmp_path)] == ["test_core.py", "test_kept.py"]


def test_this_repositorys_core_has_tests_that_run_on_its_oldest_versions() -> None:
    text = "".join(p.read_text() for p in core_tests.core_tests(ROOT))
    present = {p.stem for p in core_tests.core_sources(ROOT) if p.is_file() or len(list(p.glob("*.py"))) > 1}
    assert {name for name in present if f"tomking.{name}" not in text} <= {"ports", "view"}
