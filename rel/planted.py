"""``python -m rel.planted``: plants one mistake after the other and says how many seeds each survives.

A seed finds a mutant when it breaks an invariant with it and none without it.  Prints one line of JSON; exit
1 when a mutant is not found within so many seeds, or when there are fewer than twenty-five.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

from rel.mutants import MUTANTS
from rel.session import play
from rel.sim import schedule_of

LEAST_MUTANTS = 25
UNFIT = ("TypeError in mutants.py", "AttributeError in mutants.py")


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The program with that mistake in it."""
    before: list[tuple[Any, str, Any]] = []

    def put(where: Any, what: str, value: Any) -> None:  # noqa: ANN401
        if isinstance(where, type):  # the one of its classes that has it
            where = next(owner for owner in where.__mro__ if what in owner.__dict__)
        before.append((where, what, where.__dict__[what]))
        setattr(where, what, value)

    MUTANTS[name](put)
    try:
        yield
    finally:
        for where, what, value in reversed(before):
            setattr(where, what, value)


def found(name: str, seeds: int) -> tuple[str, int | None, list[str]]:
    """The mutant, how many seeds it took, and the invariants that it broke."""
    for seed in range(seeds):
        try:
            with planted(name):
                broken = play(schedule_of(seed)).violations
        except (AttributeError, KeyError) as error:  # what it changes is not there any more
            return name, None, [str(error)]
        if any(one.id == "I18" and one.text.startswith(UNFIT) for one in broken):
            return name, None, [one.text for one in broken]  # it fell over its own call
        if broken and not play(schedule_of(seed)).violations:
            return name, seed + 1, [one.id for one in broken]
    return name, None, []


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rel.planted", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default=None)
    asked = parser.parse_args(arguments)
    names = [asked.only] if asked.only else sorted(MUTANTS)
    started = perf_counter()
    with ProcessPoolExecutor(asked.jobs, max_tasks_per_child=1) as pool:
        results = list(pool.map(found, names, [asked.seeds] * len(names)))
    needed = {name: count for name, count, _ in results}
    missed = [name for name, count in needed.items() if count is None]
    figures = {
        "mutants": len(names),
        "found": len(names) - len(missed),
        "missed": missed,
        "seeds_needed": needed,
        "by": {name: ids for name, _, ids in results},
        "median": median([count for count in needed.values() if count is not None] or [0]),
        "seconds": round(perf_counter() - started, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 1 if missed or (asked.only is None and len(names) < LEAST_MUTANTS) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
