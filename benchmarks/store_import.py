"""The import of a generated CSV of a given size, in a process of its own: rate and peak memory."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.store_market import optionsdx, sessions_of


def measure_import(gigabytes: float, seed: int, folder: Path) -> None:
    """Write a CSV in OptionsDX's layout, import it in a process of its own, twice, and print what it took."""
    source = folder / "spxw_generated.txt"
    _write_csv(source, gigabytes, seed)
    said = [sys.executable, "-m", "benchmarks.store_once", str(source), str(folder / "store")]
    print(f"{source.stat().st_size / 1e9:.2f} GB of CSV in OptionsDX's layout")
    for run in ("first", "again"):
        done = json.loads(subprocess.run(said, check=True, capture_output=True, text=True).stdout)  # noqa: S603
        print(
            f"{run:6} {done['seconds']:7.1f} s, peak memory {done['peak_mb']:,.0f} MB "
            f"(of it {done['start_mb']:,.0f} before the first row), rows read {done['read']:,}, "
            f"kept {done['kept']:,}, quarantined {done['quarantined']:,}, "
            f"store {done['bytes'] / 1e6:,.1f} MB, changed {done['changed']}"
        )


def _write_csv(path: Path, gigabytes: float, seed: int) -> None:
    rng, header = np.random.default_rng(seed), True
    with path.open("wb") as file:
        for rows in sessions_of(rng, date(2010, 1, 4), date(2026, 6, 30)):
            optionsdx(rows).write_csv(file, include_header=header, separator=",")
            header = False
            if file.tell() >= gigabytes * 1e9:
                return
