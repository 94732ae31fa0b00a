"""Some seeds of a run once more, in processes with other hash seeds: their traces must be the same.

``python -m rel.twice FIRST STOP STEP MODE`` plays those seeds and prints the trace of each on a line.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

HASH_SEEDS = ("1", "4711", "20310307")


def differing(traces: Sequence[str], first: int, every: int, jobs: int, mode: str) -> tuple[int, list[int]]:
    """How many of these seeds, from ``first`` on, were played again, and which left another trace.

    every  every so many-th is: 1 all, 0 none
    """
    if not every:
        return 0, []
    stop = first + len(traces)
    starts = range(first, min(stop, first + jobs * every), every)
    others = [seed for seed in HASH_SEEDS if seed != os.environ.get("PYTHONHASHSEED")]
    step = every * len(starts)
    playing = [_began(range(s, stop, step), mode, others[n % len(others)]) for n, s in enumerate(starts)]
    again: dict[int, str] = {}
    for start, process in zip(starts, playing, strict=True):
        told, _ = process.communicate()
        assert process.returncode == 0, f"the seeds from {start} on could not be played again"
        again |= dict(zip(range(start, stop, step), told.split(), strict=True))
    return len(again), sorted(seed for seed, trace in again.items() if trace != traces[seed - first])


def _began(seeds: range, mode: str, hash_seed: str) -> subprocess.Popen[str]:
    arguments = [str(n) for n in (seeds.start, seeds.stop, seeds.step)]
    command = [sys.executable, "-m", "rel.twice", *arguments, mode]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def main(arguments: list[str]) -> int:
    from rel.session import play, spare_the_collector
    from rel.sim import schedule_of

    spare_the_collector()
    first, stop, step = map(int, arguments[:3])
    for seed in range(first, stop, step):
        sys.stdout.write(play(schedule_of(seed, arguments[3])).trace + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
