"""`make bench`: nanoseconds an option and digits, ours beside others, in one run on one core.

Every contender prices the same seeded chains; a time is the best of several runs, so that a busy
machine flatters nobody, and what matters is the ratio within one run.  QuantLib, vollib and JAX
join when they are installed; the reference for accuracy is mpmath with 60 digits.

    python benchmarks/kernels.py [--seed 1] [--options 100000]
"""

import argparse
import importlib.util
import math
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Chain, hostile, ordinary
from benchmarks.digits import accuracy, american_accuracy
from benchmarks.others import contenders
from tomking.pricing.american import american_into
from tomking.pricing.bachelier import bachelier_implied_into, bachelier_into
from tomking.pricing.black import greeks_into, greeks_into_parallel
from tomking.pricing.implied import implied_into, implied_into_parallel

Floats = NDArray[np.float64]
REPEATS = 15


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    what: str
    nanoseconds: float
    options: int


def best(run: Callable[[], object], options: int, repeats: int = REPEATS) -> float:
    """Nanoseconds an option of the quickest of ``repeats`` runs, after one to warm up."""
    run()
    quickest = math.inf
    for _ in range(repeats):
        started = time.perf_counter_ns()
        run()
        quickest = min(quickest, time.perf_counter_ns() - started)
    return quickest / options


def ours(chain: Chain) -> Iterator[Row]:
    c, n = chain, chain.forward.size
    out, vol, code = np.empty((6, n)), np.empty(n), np.empty(n, dtype=np.int8)
    model = (c.forward, c.strike, c.years, c.vol, c.discount, c.right)
    yield Row("tomking", "price + 5 Greeks", best(lambda: greeks_into(*model, out), n), n)
    price = out[0].copy()
    quote = (price, c.forward, c.strike, c.years, c.discount, c.right)
    yield Row("tomking", "implied volatility", best(lambda: implied_into(*quote, vol, code), n), n)
    points = (c.forward, c.strike, c.years, c.forward * c.vol, c.discount, c.right)
    yield Row("tomking", "Bachelier + 5 Greeks", best(lambda: bachelier_into(*points, out), n), n)
    normal = (out[0].copy(), *quote[1:])
    run = best(lambda: bachelier_implied_into(*normal, vol, code), n)
    yield Row("tomking", "Bachelier implied", run, n)
    m = min(n, 20_000)
    a = [x[:m] for x in (c.forward, c.strike, c.years, c.vol, np.full(n, 0.04), np.full(n, 0.02), c.right)]
    columns = [np.empty(m) for _ in range(3)]
    yield Row("tomking", "American", best(lambda: american_into(*a, *columns), m), m)
    cores = len(os.sched_getaffinity(0))
    yield Row(
        f"tomking, {cores} cores", "price + 5 Greeks", best(lambda: greeks_into_parallel(*model, out), n), n
    )
    yield Row(
        f"tomking, {cores} cores",
        "implied volatility",
        best(lambda: implied_into_parallel(*quote, vol, code), n),
        n,
    )


def table(rows: list[Row]) -> None:
    base = {row.what: row.nanoseconds for row in reversed(rows) if row.name == "tomking"}
    print(f"{'':26}{'':24}{'ns an option':>14}{'to ours':>10}{'options':>10}")
    for row in sorted(rows, key=lambda r: list(base).index(r.what), reverse=True):
        times = row.nanoseconds / base[row.what]
        print(f"{row.what:24}{row.name:26}{row.nanoseconds:14,.1f}{times:9,.1f}x{row.options:10,}")


def machine() -> str:
    versions = " ".join(
        f"{name} {_version(name)}" for name in ("numpy", "numba", "QuantLib", "vollib", "jax")
    )
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return (
        f"{platform.machine()}, Python {platform.python_version()}, {versions}, commit {done.stdout.strip()}"
    )


def _version(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        return "absent"
    module: Any = importlib.import_module(name)
    return str(getattr(module, "__version__", "present"))


def main() -> None:
    parser = argparse.ArgumentParser(description="ns an option and digits, ours beside others")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--options", type=int, default=100_000)
    told = parser.parse_args()
    print(f"seed {told.seed}, {machine()}\n")
    chain = ordinary(told.options, told.seed)
    rows = list(ours(chain))
    for name, what, options, run in contenders(chain):
        rows.append(Row(name, what, best(run, options, 5), options))
    table(rows)
    print("\nAgainst mpmath, 60 digits")
    for name, cases in (("ordinary", ordinary(10_000, told.seed)), ("hostile", hostile(2_000, told.seed))):
        for line in accuracy(name, cases):
            print(line)
    print("\nAmerican, against QuantLib's high-precision scheme")
    print(american_accuracy(told.seed))


if __name__ == "__main__":
    main()
