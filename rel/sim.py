"""``python -m rel.sim --seeds 10000 --jobs 2``: seeded sessions of faults, each checked after every event.

Prints one line of JSON.  Exit 1 on any violation, when a row of the fault matrix that is played here struck
fewer than fifty times in ten thousand seeds, or when a seed that is played again leaves another trace.

    --from S       the first seed
    --mode M       safety: faults last to the end; liveness: they stop, and all must come right (else both)
    --again K      plays every K-th seed a second time, in another process (else every tenth; 0: none)
    --twice        all of them: --again 1
    --replay SEED  plays one seed and tells it in full
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from time import perf_counter

from rel.holdings import LONGEST_BARE
from rel.session import NOT_HERE, Outcome, play, spare_the_collector
from rel.twice import differing
from rel.world import SESSION
from tomking.sim.faults import DAY, INSTANT, KINDS, Fault, Schedule

LEAST_FIRED = 50
"""In 10,000 seeds."""
MOST_PLAYS = 80
"""To shrink one schedule."""
AT_ONCE = 50
"""Seeds a worker is given."""
AGAIN = 10
"""Every so many-th seed is played twice."""
SHARE = (SESSION.close - SESSION.open).total_seconds() / (DAY + 600)
"""Of a whole session."""
LONGEST = 600.0
"""Seconds: a third of the session."""
MINUTES = (SESSION.close - SESSION.open).total_seconds() / 60
PLAYED = frozenset(KINDS) - NOT_HERE
ROWS = sorted({KINDS[what].id for what in PLAYED}, key=lambda id_: int(id_[1:]))


def schedule_of(seed: int, mode: str = "both") -> Schedule:
    """The schedule of a seed; of both modes the odd seeds play safety."""
    live = mode == "liveness" or (mode == "both" and seed % 2 == 0)
    drawn = Schedule.of(seed, live=live, without=NOT_HERE)
    quiet = None if drawn.quiet_after is None else int(drawn.quiet_after * SHARE)
    return replace(drawn, faults=tuple(_shortened(one, quiet) for one in drawn.faults), quiet_after=quiet)


def _shortened(fault: Fault, quiet: int | None) -> Fault:
    """In the short session what lasts lasts as long as it is, and begins as early in it; never into the
    quiet time.
    """
    if fault.kind.subject != INSTANT:
        return fault
    at = int(fault.at * SHARE)
    longest = LONGEST if quiet is None else min(LONGEST, quiet - at)
    return replace(fault, at=at, seconds=min(fault.seconds, longest))


@dataclass
class Total:
    """What became of many seeds."""

    seeds: int = 0
    broken: list[Outcome] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    """Seconds that something was uncovered, whatever could be done: halted, and a person told (I9)."""
    bare: float = 0.0
    bare_seeds: list[int] = field(default_factory=list)
    """In which it could have been covered for more than half a minute, and was not (G14)."""
    idle: float = 0.0
    idle_seeds: list[int] = field(default_factory=list)
    """In which nothing was done about it for so long."""
    requests: int = 0
    fills: int = 0
    traces: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        if outcome.violations:
            self.broken.append(outcome)
        self.fired.update(outcome.fired)
        self.longest = max(self.longest, outcome.longest)
        self.bare = max(self.bare, outcome.bare)
        if outcome.bare > LONGEST_BARE.total_seconds():
            self.bare_seeds.append(outcome.schedule.seed)
        self.idle = max(self.idle, outcome.idle)
        if outcome.idle > LONGEST_BARE.total_seconds():
            self.idle_seeds.append(outcome.schedule.seed)
        self.requests += outcome.requests
        self.fills += outcome.fills
        self.traces.append(outcome.trace)

    @property
    def trace(self) -> str:
        return sha256("".join(self.traces).encode()).hexdigest()[:16]

    def rare(self) -> list[str]:
        """Rows of the matrix that struck too seldom for so many seeds."""
        least = LEAST_FIRED * self.seeds / 10_000
        return [id_ for id_ in ROWS if self.fired[id_] < least]


def played(seeds: range, mode: str) -> list[Outcome]:
    spare_the_collector()
    return [play(schedule_of(seed, mode)) for seed in seeds]


def run(first: int, count: int, jobs: int, mode: str) -> Total:
    """Plays the seeds from ``first`` on, in order, on so many processes."""
    total = Total()
    parts = [range(s, min(s + AT_ONCE, first + count)) for s in range(first, first + count, AT_ONCE)]
    for outcomes in _spread(parts, jobs, mode):
        for outcome in outcomes:
            total.add(outcome)
    return total


def _spread(parts: list[range], jobs: int, mode: str) -> Iterator[list[Outcome]]:
    if jobs == 1:
        yield from (played(part, mode) for part in parts)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(played, parts, [mode] * len(parts))


def shrunk(schedule: Schedule, ids: Iterable[str]) -> Schedule:
    """The same with as few faults as still break one of these invariants."""
    wanted = set(ids)
    found, left = True, MOST_PLAYS
    while found:
        found = False
        for smaller in schedule.smaller():
            left -= 1
            if left < 0:
                return schedule
            if wanted & {one.id for one in play(smaller).violations}:
                schedule, found = smaller, True
                break
    return schedule


def told(outcome: Outcome, *, shrink: bool = True) -> str:
    """A failing seed in full: what broke, its schedule, the least that breaks it too, how to see it again."""
    seed = outcome.schedule.seed
    lines = [f"seed {seed}:", *(f"  {one}" for one in outcome.violations), _indented(outcome.schedule)]
    if shrink:
        least = shrunk(outcome.schedule, [one.id for one in outcome.violations])
        lines += ["  least:", _indented(least)]
    mode = "safety" if outcome.schedule.quiet_after is None else "liveness"
    return "\n".join([*lines, f"  python -m rel.sim --replay {seed} --mode {mode}"])


def _indented(schedule: Schedule) -> str:
    return "\n".join(f"    {line}" for line in schedule.text().splitlines())


def replay(seed: int, mode: str) -> int:
    outcome = play(schedule_of(seed, mode))
    sys.stdout.write((told(outcome) if outcome.violations else f"seed {seed}: nothing broken") + "\n")
    return 1 if outcome.violations else 0


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rel.sim", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--mode", choices=("both", "safety", "liveness"), default="both")
    parser.add_argument("--again", type=int, default=AGAIN)
    parser.add_argument("--twice", action="store_const", const=1, dest="again")
    parser.add_argument("--replay", type=int, default=None)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    asked = parsed(arguments)
    if asked.replay is not None:
        return replay(asked.replay, asked.mode)
    started = perf_counter()
    total = run(asked.first, asked.seeds, asked.jobs, asked.mode)
    twice, differ = differing(total.traces, asked.first, asked.again, asked.jobs, asked.mode)
    seconds = perf_counter() - started
    for n, outcome in enumerate(total.broken[:5]):
        sys.stderr.write(told(outcome, shrink=n == 0) + "\n")
    rare = total.rare()
    figures = {
        "seeds": total.seeds,
        "violations": len(total.broken),
        "broken": dict(Counter(one.id for outcome in total.broken for one in outcome.violations)),
        "broken_seeds": [outcome.schedule.seed for outcome in total.broken[:20]],
        "seconds": round(seconds, 1),
        "fired": {id_: total.fired[id_] for id_ in ROWS},
        "too_rare": rare,
        "longest_uncovered_seconds": round(total.longest, 1),
        "worst_uncovered_seconds": round(total.bare, 1),
        "uncovered_over_30_s": total.bare_seeds[:20],
        "worst_idle_seconds": round(total.idle, 1),
        "idle_over_30_s": total.idle_seeds[:20],
        "requests_a_minute": round(total.requests / total.seeds / MINUTES, 2),
        "executions": total.fills,
        "trace": total.trace,
        "played_twice": twice,
        "differ": differ[:20],
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    missed = total.broken or rare or total.bare_seeds or total.idle_seeds or differ
    return 1 if missed else 0


__all__ = ["Total", "main", "run", "schedule_of", "shrunk", "told"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
