"""``python -m rel.mutation [MODULE ...] --sample 60``: small mistakes in the code that must not be wrong.

Each mutant differs from its module in one place: a comparison, a sign, an ``and``, a count, a statement left
out.  It is killed when a test that runs its line fails, or does not come to an end.  The tests of a group are
collected once; every mutant is a child of that process, in which the mutated function stands in the place of
the real one (``rel.planting``) and the quickest tests of its line come first.

Prints one line of JSON with the share killed of each module (survivors on stderr); exit 1 under the goal.
Mutants that no test could tell from the real thing are named, with why, in ``rel/equivalent.toml``.

    --sample N  so many mutants of each group, drawn by ``--seed``; 0 takes all of them
    --group G   one of rel/careful.py's, repeatable (else all that decide something)
    --budget S  seconds of tests for one mutant, the quickest first
"""

import argparse
import contextlib
import importlib
import json
import os
import pickle
import resource
import signal
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from io import StringIO
from time import perf_counter, process_time
from types import ModuleType

import numpy as np
import pytest

from rel.careful import GROUPS, ROOT, SOURCE, Group
from rel.mistakes import Mutant, mutants, planted
from rel.planting import plant

GOAL = 0.85
LONGEST = 4.0
"""Seconds of CPU beyond five times what its tests need until a mutant is taken for one that does not end."""
WARM = ("numba", "hypothesis", "pytest", "scipy.special", "apsw", "filelock", "coverage")
"""What children need not import again; nothing of tomking."""
WITHOUT = ("randomly", "cacheprovider", "xdist", "cov")
QUIETLY = (
    *("-q", "--no-header", "--assert=plain", "--disable-socket", "--import-mode=importlib"),
    *(word for name in WITHOUT for word in ("-p", f"no:{name}")),
    *("-o", "addopts=", "--hypothesis-profile=mutation"),
)
KILLED, SURVIVED, TIMED_OUT, ELSEWHERE = "killed", "survived", "timed out", "elsewhere"
_CODES = {0: SURVIVED, 1: KILLED, 3: ELSEWHERE}


@dataclass(frozen=True, slots=True)
class Measured:
    """What the tests do without any mistake."""

    seconds: list[float]
    """Of CPU for each test, in the order collected: a busy machine chooses no other tests."""
    runs: dict[str, dict[int, list[int]]]
    """Tests by path and line."""


# ------------------------------------------------------------------------------------ children


def in_child(act: Callable[[], int], longest: float = 0.0) -> int:
    """What ``act`` returns, in a fork of this process; -1 when it was stopped for taking too long."""
    child = os.fork()
    if child == 0:
        code = 1  # whatever it raises: it was noticed
        if longest:
            # CPU time: a busy machine kills no mutant.  The signal ends the child.
            signal.setitimer(signal.ITIMER_PROF, longest)
            signal.setitimer(signal.ITIMER_REAL, 20 * longest)
        with contextlib.suppress(BaseException):
            code = act()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else -1


def _verdict(code: int) -> str:
    return TIMED_OUT if code < 0 else _CODES.get(code, KILLED)


# ------------------------------------------------------------------------------------ tests collected once


@dataclass
class Player:
    """Plays mutants where pytest would run its tests."""

    mutants: Sequence[Mutant]
    budget: float
    console: int
    """Where survivors are told at once: pytest has the usual one."""
    verdicts: dict[Mutant, str] = field(default_factory=dict)
    nearest: dict[str, list[str]] = field(default_factory=dict)
    """The quickest files of tests by the path of the module that they run."""
    failing: bool = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        measured = self._measured(session)
        self.failing = measured is None
        if measured is not None:
            self.nearest = {path: self._files(path, measured, session) for path in measured.runs}
            for mutant in self.mutants:
                verdict = self.verdicts[mutant] = self._played(mutant, measured, session)
                if verdict == SURVIVED:
                    os.write(self.console, f"survives {mutant}  | {mutant.text}\n".encode())
        return True

    def _measured(self, session: pytest.Session) -> Measured | None:
        """In a child: this process has run nothing, so that nothing is remembered."""
        read, write = os.pipe()

        def act() -> int:
            os.close(read)
            found = measure(session)
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(None if session.testsfailed else found, pipe)
            return 0

        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                act()
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        found = pickle.loads(told) if told else None
        return found if isinstance(found, Measured) else None

    def _played(self, mutant: Mutant, measured: Measured, session: pytest.Session) -> str:
        chosen = self._chosen(mutant, measured)
        if not chosen:
            return ELSEWHERE

        def act() -> int:
            is_function = plant(mutant)
            if is_function is None:
                return 3
            if run(session, [session.items[n] for n in chosen]):
                return 1
            # What was made of a constant before it was exchanged still has the old one: not the last word.
            return 0 if is_function else 3

        return _verdict(in_child(act, LONGEST + 5 * sum(measured.seconds[n] for n in chosen)))

    def _files(self, path: str, measured: Measured, session: pytest.Session) -> list[str]:
        """As many as three times the budget has time for: a new import runs them whole."""
        seconds: Counter[str] = Counter()
        for item, taken in zip(session.items, measured.seconds, strict=True):
            seconds[str(item.path)] += taken  # type: ignore[assignment]
        running = {str(session.items[n].path) for tests in measured.runs[path].values() for n in tests}
        chosen: list[str] = []
        left = 3 * self.budget
        for name in sorted(running, key=lambda name: (seconds[name], name)):
            left -= seconds[name]
            if chosen and left < 0:
                break
            chosen.append(name)
        return chosen

    def _chosen(self, mutant: Mutant, measured: Measured) -> list[int]:
        """The tests of its line, the quickest first, as many as the budget has time for."""
        tests = measured.runs.get(str(mutant.path), {}).get(mutant.line, [])
        chosen: list[int] = []
        left = self.budget
        for n in sorted(tests, key=lambda n: measured.seconds[n]):
            left -= measured.seconds[n]
            if chosen and left < 0:
                break
            chosen.append(n)
        return chosen


def run(session: pytest.Session, items: Sequence[pytest.Item]) -> bool:
    """Whether one of them fails: then the rest is left out."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return True
    return False


def measure(session: pytest.Session) -> Measured:
    """Runs all of them."""
    import coverage

    seen = coverage.Coverage(data_file=None, include=[f"{SOURCE}/*"], config_file=False)
    seen.start()
    seconds = []
    for n, item in enumerate(session.items):
        seen.switch_context(str(n))
        started = process_time()
        if run(session, [item]):
            sys.stderr.write(f"fails without any mistake: {item.nodeid}\n")
            break
        seconds.append(process_time() - started)
    seen.stop()
    data = seen.get_data()
    runs = {
        path: {line: [int(n) for n in tests if n] for line, tests in data.contexts_by_lineno(path).items()}
        for path in data.measured_files()
    }
    return Measured(seconds, runs)


def _pytest(arguments: Sequence[str], plugins: Sequence[object] = ()) -> int:
    from hypothesis import Phase, settings

    # Finding a failing case is enough: nobody reads the shortest one.
    settings.register_profile(
        "mutation", deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
    )
    out = StringIO()
    with contextlib.redirect_stdout(out):
        return int(pytest.main([*QUIETLY, *arguments], plugins=[*plugins]))


# ------------------------------------------------------------------------------------ imported anew


@dataclass
class _Instead(MetaPathFinder, Loader):
    """Finds one module, mutated."""

    mutant: Mutant

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        del path, target
        if name != self.mutant.module:
            return None
        spec = spec_from_loader(name, self, origin=str(self.mutant.path))
        if spec is not None and self.mutant.path.name == "__init__.py":
            spec.submodule_search_locations = [str(self.mutant.path.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.mutant.path)
        exec(compile(planted(self.mutant), str(self.mutant.path), "exec"), module.__dict__)


def imported(mutant: Mutant, tests: Sequence[str], group: Group) -> str:
    """What becomes of a mutant that is there before anything of tomking is imported."""

    def act() -> int:
        _prepare(group)
        sys.meta_path.insert(0, _Instead(mutant))
        return 0 if _pytest(["-x", *_options(group), *tests]) == 0 else 1

    return _verdict(in_child(act, 40 * LONGEST))


# ------------------------------------------------------------------------------------ a group


def equivalent() -> list[dict[str, str]]:
    """``path``, ``line`` (its text), ``what``, ``why``."""
    found = tomllib.loads((ROOT / "rel" / "equivalent.toml").read_text())["equivalent"]
    return list(found)


def is_equivalent(mutant: Mutant, known: Sequence[dict[str, str]]) -> bool:
    name = str(mutant.path.relative_to(SOURCE))
    return any(
        one["path"] == name and one["line"] == mutant.text and mutant.what in one["what"] for one in known
    )


def drawn(group: Group, asked: argparse.Namespace) -> list[Mutant]:
    known = equivalent()
    every = [m for path in group.paths(asked.modules) for m in mutants(path) if not is_equivalent(m, known)]
    if not asked.sample or asked.sample >= len(every):
        return every
    chance = np.random.Generator(np.random.PCG64(asked.seed))
    chosen = chance.choice(len(every), asked.sample, replace=False)
    return [every[n] for n in sorted(chosen.tolist())]


def play(group: Group, chosen: Sequence[Mutant], budget: float) -> dict[Mutant, str] | None:
    """Verdicts; None when the tests fail without any mistake."""
    read, write = os.pipe()
    console = os.dup(2)
    child = os.fork()
    if child == 0:
        os.close(read)
        with contextlib.suppress(BaseException):
            _prepare(group)
            player = Player(chosen, budget, console)
            _pytest([*_options(group), *group.tests], [player])
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(None if player.failing else (player.verdicts, player.nearest), pipe)
        os._exit(0)
    os.close(write)
    os.close(console)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    found: tuple[dict[Mutant, str], dict[str, list[str]]] | None = pickle.loads(told) if told else None
    if found is None or len(found[0]) != len(chosen):
        return None
    verdicts, nearest = found
    for mutant, verdict in verdicts.items():
        if verdict == ELSEWHERE:
            # Of a module of numbers no test runs a line: its importing is all that there is.
            tests = nearest.get(str(mutant.path)) or group.tests
            verdicts[mutant] = imported(mutant, tests, group)
        if verdict == ELSEWHERE and verdicts[mutant] == SURVIVED:
            sys.stderr.write(f"survives {mutant}  | {mutant.text}\n")
    return verdicts


def _prepare(group: Group) -> None:
    if not group.compiled:
        import numba

        numba.config.DISABLE_JIT = True  # type: ignore[attr-defined]


def _options(group: Group) -> Sequence[str]:
    return () if group.compiled else ("-W", "ignore::RuntimeWarning")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m rel.mutation", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("modules", nargs="*", help="parts of paths; else all of the group")
    parser.add_argument("--group", choices=sorted(GROUPS), action="append")
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=10.0)
    asked = parser.parse_args(arguments)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    for name in WARM:
        importlib.import_module(name)
    started = perf_counter()
    counts: dict[str, Counter[str]] = {}
    usual = sorted(name for name, group in GROUPS.items() if not group.is_data)
    for name in asked.group or usual:
        group = GROUPS[name]
        chosen = drawn(group, asked)
        verdicts = play(group, chosen, asked.budget) if chosen else {}
        if verdicts is None:
            sys.stderr.write(f"the tests of {name} fail without any mistake\n")
            return 1
        for mutant, verdict in verdicts.items():
            counts.setdefault(mutant.module.removeprefix("tomking."), Counter())[verdict] += 1
    return tell(counts, perf_counter() - started)


def tell(counts: dict[str, Counter[str]], seconds: float) -> int:
    total = sum(counts.values(), Counter[str]())
    played = max(total.total(), 1)
    score = round((total[KILLED] + total[TIMED_OUT]) / played, 3)
    modules = {name: {**count, "of": count.total()} for name, count in sorted(counts.items())}
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "modules": modules,
        "score": score,
        **{word.replace(" ", "_"): total[word] for word in (KILLED, SURVIVED, TIMED_OUT)},
        "of": total.total(),
        "cpu_seconds": round(cpu.ru_utime + cpu.ru_stime),
        "seconds": round(seconds),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if score >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
