"""``tomking data record`` as a user types it."""

import json
from pathlib import Path

import polars as pl
from typer.testing import CliRunner, Result

from tomking.adapters.store.questions import scan
from tomking.adapters.store.store import Store
from tomking.app.cli.commands import app


def record(store: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["data", "record", "--store", str(store), *words])


def test_a_session_is_recorded_at_real_sizes_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    words = ("--start", "2024-06-03", "--every", "390", "--products", "XSP", "--json")
    told = json.loads(record(tmp_path, *words).stdout)
    # At the open and at the close of the session.
    assert (told["sessions"], told["observations"], told["quarantined"]) == (1, 2, 0)
    store = Store(tmp_path)
    months = {name: one.digest for name, one in store.months("XSP").items()}
    (source,) = store.sources("XSP")
    assert source.licence == "modelled prices, seed 1"
    strikes = scan(store, "XSP").select(pl.col("strike").unique()).collect()["strike"]
    assert strikes.len() > 100
    again = json.loads(record(tmp_path, *words).stdout)
    assert again["rows"] == told["rows"]
    assert {name: one.digest for name, one in store.months("XSP").items()} == months


def test_typos_are_named_all_at_once(tmp_path: Path) -> None:
    told = record(tmp_path, "--start", "2024-13-03", "--products", "SPXE,ES")
    words = [str(line) for line in getattr(told.exception, "lines", ())] or [told.output]
    said = " ".join(words)
    assert "2024-13-03" in said
    assert "SPXW" in said
    assert list(tmp_path.iterdir()) == []
