"""`make bench-store`: the chain store beside Polars and DuckDB on one Parquet file, in one run on one core.

A generated month (13 half-hour chains a session, about 1,250 contracts each) is imported; every contender
then answers the same questions, and the answers are compared.  Times are medians; every value asked for is
looked at, so that a mapped column is really read.

    python -m benchmarks.store [--seed 1]
    python -m benchmarks.store --import-gb 1      a generated CSV of that size: rate and peak memory
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np
import polars as pl

from benchmarks.store_import import measure_import
from benchmarks.store_market import sessions_of
from tomking.adapters.importers.raw import LEVELS, STRIKE_DIGITS, Batch, Source
from tomking.adapters.store import Store
from tomking.adapters.store.columns import read_columns
from tomking.adapters.store.importing import import_sources
from tomking.adapters.store.replay import Month, open_month
from tomking.adapters.verify import Checked
from tomking.domain.contract import Right

MONTH, FIRST, LAST = "2018-01", date(2018, 1, 1), date(2018, 1, 31)
_SELECTED = 'expiry, "right", strike, bid, ask'
COLUMNS = ("expiry", "right", "strike", "bid", "ask")
_FULL = ("tomking", "tomking, store and month opened", "polars", "duckdb", "duckdb, one table")
"""Contenders that look at every value, and so must agree."""
GOALS_US = {"one timestamp": 100.0, "one contract's month": 3_000.0, "a month of chains": 30_000.0}


@dataclass(frozen=True, slots=True)
class Generated:
    """An importer whose file says no more than a seed."""

    name: str = "generated"

    def recognises(self, path: Path) -> bool:
        return path.suffix == ".seed"

    def files(self, path: Path) -> tuple[Path, ...]:
        return (path,)

    def read(self, source: Source) -> Iterator[Batch]:
        rng = np.random.default_rng(int(source.path.read_text()))
        for rows in sessions_of(rng, FIRST, LAST):
            yield Batch(rows, pl.DataFrame(schema=LEVELS), position=source.path.stat().st_size)


def accept(rows: pl.DataFrame, source: Source) -> Checked:
    """What is generated needs no check."""
    return Checked(rows, rows.clear().with_columns(reason=pl.lit("", pl.String)), ())


def timed(run: Callable[[int], float], repeats: int) -> tuple[float, float]:
    """Median microseconds and the sum of the answers of ``repeats`` runs, after two to warm up."""
    for n in (0, 1):
        run(n)
    taken, answer = [], 0.0
    for n in range(repeats):
        started = time.perf_counter_ns()
        answer += run(n)
        taken.append((time.perf_counter_ns() - started) / 1_000)
    return median(taken), answer


def looked_at(columns: Any) -> float:  # noqa: ANN401 - arrays, frames or snapshots
    """The sum of every value of the columns, so that all of them are read."""
    return float(sum(np.add.reduce(columns[name], dtype=np.int64) for name in COLUMNS))


class Questions:
    """The same questions to all contenders."""

    def __init__(self, store: Store, seed: int) -> None:
        self.month: Month = open_month(store, "SPXW", MONTH)
        self.store = store
        self.file = store.folder / store.months("SPXW")[MONTH].file
        rng = np.random.default_rng(seed)
        self.numbers = rng.integers(0, len(self.month), 4_000).tolist()
        self.rows = [self._contract(int(r)) for r in rng.integers(0, self.month.rows["bid"].size, 400)]
        self.unit = int(self.month.strike_unit * STRIKE_DIGITS)
        self.db = duckdb.connect()
        self.db.execute("SET threads = 1")
        self.db.execute("SET TimeZone = 'UTC'")

    def _contract(self, row: int) -> tuple[date, Right, int]:
        rows = self.month.rows
        expiry = date(1970, 1, 1) + timedelta(days=int(rows["expiry"][row]))
        return expiry, Right(int(rows["right"][row])), int(rows["strike"][row])

    # -------------------------------------------------------------------------- one timestamp

    def snapshot_slices(self, n: int) -> float:
        """Views only: what a strategy pays that looks at a few rows."""
        one = self.month.snapshot(self.numbers[n])
        return float(one.bid.size)

    def snapshot(self, n: int) -> float:
        one = self.month.snapshot(self.numbers[n])
        return looked_at({name: getattr(one, name) for name in COLUMNS})

    def opened_snapshot(self, n: int) -> float:
        """With finding and mapping the month in a process that has nothing open."""
        store = Store(self.store.folder)
        one = open_month(store, "SPXW", MONTH).snapshot(self.numbers[n])
        return looked_at({name: getattr(one, name) for name in COLUMNS})

    def snapshot_polars(self, n: int) -> float:
        at = pl.lit(self.month.at(self.numbers[n])).cast(pl.Datetime("us", "UTC"))
        rows = pl.scan_parquet(self.file).filter(pl.col("at") == at).select(COLUMNS).collect()
        return self._frame(rows)

    def snapshot_duckdb(self, n: int) -> float:
        at = self.month.at(self.numbers[n])
        asked = f"SELECT {_SELECTED} FROM '{self.file}' WHERE \"at\" = ?"  # noqa: S608
        return self._arrays(self.db.execute(asked, [at]).fetchnumpy())

    # -------------------------------------------------------------------- one contract's month

    def contract(self, n: int) -> float:
        expiry, right, strike = self.rows[n]
        life = self.month.contract(expiry, right, strike * self.month.strike_unit)
        return float(life.bid.sum() + life.ask.sum() + life.at.size)

    def contract_polars(self, n: int) -> float:
        expiry, right, strike = self.rows[n]
        asked = (
            (pl.col("expiry") == expiry)
            & (pl.col("right") == int(right))
            & (pl.col("strike") == strike * self.unit)
        )
        rows = pl.scan_parquet(self.file).filter(asked).select("at", "bid", "ask").collect()
        return float(int(rows["bid"].sum()) + int(rows["ask"].sum()) + rows.height)

    def contract_duckdb(self, n: int) -> float:
        expiry, right, strike = self.rows[n]
        where = 'WHERE expiry = ? AND "right" = ? AND strike = ?'
        asked = f"SELECT epoch_us(\"at\") AS instant, bid, ask FROM '{self.file}' {where}"  # noqa: S608
        rows = self.db.execute(asked, [expiry, int(right), strike * self.unit]).fetchnumpy()
        return float(rows["bid"].sum() + rows["ask"].sum() + rows["instant"].size)

    # ------------------------------------------------------------------------ a month of chains

    def chains(self, _: int) -> float:
        """Every snapshot of the month, each one read."""
        total = 0.0
        for number in range(len(self.month)):
            one = self.month.snapshot(number)
            total += looked_at({name: getattr(one, name) for name in COLUMNS})
        return total

    def columns(self, _: int) -> float:
        """As the whole columns that a recorded market is built of: 64 bits each, copied."""
        whole = read_columns(self.store, "SPXW", FIRST, LAST)
        return float(whole.bid.sum() + whole.ask.sum())

    def chains_polars(self, _: int) -> float:
        rows = pl.scan_parquet(self.file).select("at", *COLUMNS).collect()
        return sum(self._frame(part) for part in rows.partition_by("at"))

    def chains_duckdb(self, _: int) -> float:
        """One table of the month; taking it apart is not counted."""
        asked = f"SELECT epoch_us(\"at\") AS instant, {_SELECTED} FROM '{self.file}'"  # noqa: S608
        return self._arrays(self.db.execute(asked).fetchnumpy())

    def _frame(self, rows: pl.DataFrame) -> float:
        columns = {name: rows[name] for name in COLUMNS}
        columns["expiry"] = columns["expiry"].to_physical()
        return self._summed({name: column.to_numpy() for name, column in columns.items()})

    def _arrays(self, columns: dict[str, Any]) -> float:
        days = columns["expiry"].astype("datetime64[D]").astype(np.int64)
        return self._summed({**columns, "expiry": days})

    def _summed(self, columns: dict[str, Any]) -> float:
        """Strikes in the units of the replay, so that the answers can be compared."""
        return looked_at({**columns, "strike": np.asarray(columns["strike"]) // self.unit})


def compare(seed: int) -> None:
    """Import the month, ask, and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store"))
        source = Path(folder, "market.seed")
        source.write_text(str(seed))
        import_sources(store, Generated(), [Source(source)], check=accept)
        record = store.months("SPXW")[MONTH]
        started = time.perf_counter()
        open_month(store, "SPXW", MONTH)
        built = time.perf_counter() - started
        ask = Questions(store, seed)
        per_bar = record.rows / sum(s.snapshots for s in record.sessions)
        cache = sum(p.stat().st_size for p in (store.folder / "cache").rglob("*.arrow"))
        print(
            f"{record.rows:,} quotes, {len(ask.month)} snapshots, {per_bar:,.0f} contracts each; "
            f"Parquet {record.bytes / record.rows:.2f} B a quote, cache {cache / record.rows:.1f} B, "
            f"built in {built * 1e3:.0f} ms\n"
        )
        _table(ask)


def _table(ask: Questions) -> None:
    groups: dict[str, list[tuple[str, Callable[[int], float], int]]] = {
        "one timestamp": [
            ("tomking", ask.snapshot, 2_000),
            ("tomking, views only", ask.snapshot_slices, 2_000),
            ("tomking, store and month opened", ask.opened_snapshot, 300),
            ("polars", ask.snapshot_polars, 40),
            ("duckdb", ask.snapshot_duckdb, 40),
        ],
        "one contract's month": [
            ("tomking", ask.contract, 300),
            ("polars", ask.contract_polars, 20),
            ("duckdb", ask.contract_duckdb, 20),
        ],
        "a month of chains": [
            ("tomking", ask.chains, 30),
            ("tomking, whole 64-bit columns", ask.columns, 10),
            ("polars", ask.chains_polars, 7),
            ("duckdb, one table", ask.chains_duckdb, 7),
        ],
    }
    print(f"{'':24}{'':34}{'us':>10}{'to ours':>9}{'goal us':>9}")
    for question, contenders in groups.items():
        ours = 0.0
        for name, run, repeats in contenders:
            taken, _ = timed(run, repeats)
            ours = ours or taken
            goal = f"{GOALS_US[question]:,.0f}" if name == "tomking" else ""
            print(f"{question:24}{name:34}{taken:10,.1f}{taken / ours:8.1f}x{goal:>9}")
        answers = {round(sum(run(n) for n in range(5))) for name, run, _ in contenders if name in _FULL}
        assert len(answers) == 1, f"{question}: the answers differ: {answers}"


def _commit() -> str:
    said = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(said, check=False, capture_output=True, text=True).stdout.strip() or "unknown"  # noqa: S603


def _on_one_core() -> None:
    """Start again with one core: Polars has made its threads when it was imported."""
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.store", *sys.argv[1:]])  # noqa: S606
    assert pl.thread_pool_size() == 1


def main() -> None:
    """What the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--import-gb", type=float, metavar="GB")
    asked = parser.parse_args()
    _on_one_core()
    versions = f"Python {platform.python_version()}, polars {pl.__version__}, duckdb {duckdb.__version__}"
    print(f"seed {asked.seed}, {platform.machine()}, {versions}, one core, commit {_commit()}\n")
    if asked.import_gb:
        with tempfile.TemporaryDirectory() as folder:
            measure_import(asked.import_gb, asked.seed, Path(folder))
    else:
        compare(asked.seed)


if __name__ == "__main__":
    main()
