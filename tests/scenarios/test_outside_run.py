"""A strategy from outside in a whole backtest, and a user's file of announcements beside it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenarios.accounts import request
from tests.unit.test_outside import WEEKLY

from tomking.app.backtest import run
from tomking.app.problems import Problems
from tomking.app.request import Result

pytestmark = pytest.mark.slow

FILE = "ticker,date,kind\nAAPL,2012-01-24,earnings\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "weekly_vertical.py").write_text(WEEKLY, encoding="utf-8")
    info = tmp_path / "fake-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tomking.strategies]\nweekly_vertical = weekly_vertical\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("weekly_vertical", None)


def played(tmp_path: Path, *assignments: str, strategies: tuple[str, ...] = ("weekly_vertical",)) -> Result:
    asked = request(
        "2012-01-03", "2012-02-29", *assignments, strategies=strategies, report=tmp_path / "report.html"
    )
    return run(asked, lambda done, of, what: None)


@pytest.mark.usefixtures("installed")
def test_it_trades_beside_ours_through_the_same_gate(tmp_path: Path) -> None:
    names = ("lt112", "weekly_vertical")
    played(tmp_path, f"backtest.strategies={','.join(names)}", strategies=names)
    trades = (tmp_path / "trades.csv").read_text(encoding="utf-8")
    assert ",weekly_vertical,vertical,XSP," in trades


def test_a_file_of_announcements_is_data_of_the_run(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text(FILE, encoding="utf-8")
    bare = played(tmp_path, strategies=("lt112",)).run
    told = played(tmp_path, f"backtest.events={file}", strategies=("lt112",)).run
    assert bare["data_hash"] != told["data_hash"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"--set backtest.events={file}" in page
    assert "earnings, dividends and splits" not in page


def test_a_file_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("ticker,date\nAAPL,yesterday\n", encoding="utf-8")
    with pytest.raises(Problems, match="yesterday"):
        played(tmp_path, f"backtest.events={file}", strategies=("lt112",))
