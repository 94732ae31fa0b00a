"""One seed, one run: the same journal and files, whatever keeps the journal and whoever plays beside."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from tests.scenarios.accounts import SEED, played, request, world

from tomking.adapters.journal import MemoryJournal, SqliteJournal
from tomking.app.backtest import DEFAULT_CAPITAL, SMALL_CAPITAL, run

pytestmark = pytest.mark.slow

SPAN = ("2018-01-02", "2018-12-31")
OFTEN = ("friday_0dte.vix_gate=off",)
"""More to compare: a position on most Fridays."""


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The command's own run, twice, each into its own folder."""
    folders = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    for folder in folders:
        run(request(*SPAN, *OFTEN, report=folder / "report.html"), lambda *_: None)
    return folders


def told(folder: Path) -> dict[str, object]:
    facts = json.loads((folder / "run.json").read_text())
    assert isinstance(facts, dict)
    return facts


def test_two_runs_with_one_seed_leave_the_same_bytes(twice: tuple[Path, Path]) -> None:
    one, two = twice
    names = {file.name for file in one.iterdir()}
    assert names == {"journal.sqlite", "report.html", "run.json", "trades.csv"}
    for name in ("trades.csv", "run.json", "report.html"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    assert len((one / "trades.csv").read_text().splitlines()) > 8
    heads = []
    for folder in twice:
        with SqliteJournal(folder / "journal.sqlite") as journal:
            heads.append(journal.head())
    assert heads == [told(one)["journal_digest"]] * 2


@cache
def alone(capital: Decimal, seed: int) -> str:
    """The head of an account that is played by itself, its journal in memory."""
    return played(request(*SPAN, *OFTEN, capital=capital, seed=seed)).journal.head()


def test_a_journal_in_memory_has_the_head_of_the_file(twice: tuple[Path, Path]) -> None:
    with SqliteJournal(twice[0] / "journal.sqlite") as file:
        memory = MemoryJournal()
        for event in file.read():
            memory.append(event)
        assert (memory.head(), len(memory)) == (file.head(), len(file))
        assert alone(DEFAULT_CAPITAL, SEED) == file.head()


def test_another_seed_gives_another_path_and_another_head(twice: tuple[Path, Path]) -> None:
    first, other = world(request(*SPAN)), world(request(*SPAN, seed=2))
    noons = [s.open + (s.close - s.open) / 2 for s in first.played[:20]]
    assert all(first.market.spot("SPX", now) != other.market.spot("SPX", now) for now in noons)
    # Each day's own close is real, whatever the seed.
    closes = [s.close for s in first.played[:20]]
    assert [first.market.spot("SPX", t) for t in closes] == [other.market.spot("SPX", t) for t in closes]
    assert alone(DEFAULT_CAPITAL, 2) != told(twice[0])["journal_digest"]


def test_two_accounts_on_one_market_are_played_as_if_each_were_alone(twice: tuple[Path, Path]) -> None:
    facts = told(twice[0])
    small = facts["small_account"]
    assert isinstance(small, dict)
    assert Decimal(small["capital"]) == SMALL_CAPITAL
    assert small["trades"]["trades"] > 0, "an idle account proves little"
    assert alone(SMALL_CAPITAL, SEED) == small["journal_digest"]
    assert alone(DEFAULT_CAPITAL, SEED) == facts["journal_digest"]
