"""The gates of `make check` bite: each planted fault is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


def ruff_says(code: str, where: str) -> str:
    command = [
        str(BIN / "ruff"),
        "check",
        "--no-cache",
        "--output-format=concise",
        "--stdin-filename",
        where,
        "-",
    ]
    return subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    "code",
    [
        "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)\n",
        "from datetime import date\n\nTODAY = date.today()\n",
        "import time\n\nNOW = time.time()\n",
        "import time\n\ntime.sleep(1)\n",
        "import random\n\nDRAW = random.random()\n",
        "from uuid import uuid4\n\nID = uuid4()\n",
        "import numpy as np\n\nDRAW = np.random.normal()\n",
        "import numpy as np\n\nnp.random.seed(1)\n",
    ],
)
@pytest.mark.parametrize("where", ["src/tomking/kernel/loop.py", "src/tomking/app/backtest.py"])
def test_clock_chance_and_sleep_are_banned(code: str, where: str) -> None:
    assert "TID251" in ruff_says(code, where)


def test_a_seeded_generator_that_is_passed_in_is_not_banned() -> None:
    code = (
        "import numpy as np\n\n\ndef f(rng: np.random.Generator) -> float:\n    return float(rng.normal())\n"
    )
    assert "TID251" not in ruff_says(code, "src/tomking/sim/paths.py")


@pytest.mark.parametrize(
    ("where", "code", "contract"),
    [
        ("domain/money.py", "import time\n", "The core never meets the world"),
        ("rules/entry.py", "import pyarrow\n", "The core never meets the world"),
        ("view.py", "from tomking import kernel\n", "Layers"),
        ("pricing/black.py", "from tomking.domain import money\n", "Layers"),
        ("sim/paths.py", "from tomking.adapters import history\n", "Layers"),
        (
            "strategies/lt112.py",
            "from tomking.strategies import friday_0dte\n",
            "Strategies do not know each other",
        ),
        ("app/cli/about.py", "from tomking.sim import broker\n", "Only wiring may hold a broker"),
        ("utils/__init__.py", "X = 1\n", "Layers"),
    ],
)
def test_each_contract_breaks_when_it_is_violated(
    where: str, code: str, contract: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "tomking" / where
    planted.parent.mkdir(exist_ok=True)
    with planted.open("a") as file:
        file.write(f"\n{code}")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    command = [str(BIN / "lint-imports"), "--no-cache"]
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    broken = [line for line in ended.stdout.splitlines() if line.endswith("BROKEN")]
    if contract == "Layers" and not broken:
        # An undeclared package is an error of the contract rather than a breach.
        assert "utils" in ended.stdout + ended.stderr
    else:
        assert any(line.startswith(contract) for line in broken), ended.stdout
    assert ended.returncode != 0
