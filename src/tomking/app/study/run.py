"""Plays every row on the real years and on every path, on as many processes as there are cores."""

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from time import process_time

from tomking.app.markets import model_market
from tomking.app.scenario.tape import packaged
from tomking.app.sections import DEFAULT_ON
from tomking.app.study.account import World, outcome_of, play_path, resting_collector
from tomking.app.study.lines import Line, append, read
from tomking.app.study.paths import Source
from tomking.app.study.rows import ALL_ON, ALONE, BY_KEY
from tomking.domain.calendar import Session, Sessions
from tomking.ports import MarketData
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy
from tomking.strategies import build

CAPITAL = Decimal(200_000)
"""Methodology 0.4, ruling 4; P4 by its value, so that every strategy may trade."""
TOGETHER = 9
"""Rows that one process plays over the years side by side: two processes, as each plays all-on besides."""

Told = Callable[[int, int], None]
"""Lines that are there, lines that are wanted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played."""

    seed: int
    paths: int
    years: tuple[int, int] | None
    """First and last; None for no real years."""
    rows: tuple[str, ...]
    """Keys of ``rows.ROWS``."""
    alone: int = 0
    """First paths that each protection is also played on alone."""

    def wanted(self) -> Iterator[tuple[str, str]]:
        """Row and path of every line."""
        if self.years is not None:
            for row in self.rows:
                yield row, span(*self.years)
        for number in range(self.paths):
            for row in self.on_path(number):
                yield row, str(number)

    def on_path(self, number: int) -> tuple[str, ...]:
        """Keys of the rows that are played on a path."""
        alone = [ALONE[row].key for row in self.rows if row in ALONE] if number < self.alone else []
        return (*self.rows, *alone)


def span(first: int, last: int) -> str:
    """``"1990-2024"``."""
    return f"{first}-{last}"


def run(plan: Plan, file: Path, told: Told, *, processes: int | None = None) -> list[Line]:
    """All lines of the plan; those in ``file`` are not played again, new ones are added as they come.

    processes  None: one a core; 0: in this one
    """
    wanted = set(plan.wanted())
    lines = {(line.row, line.path): line for line in read(file)}
    jobs = list(_jobs(plan, wanted - set(lines)))
    for new in _done(plan, jobs, os.cpu_count() or 1 if processes is None else processes):
        append(file, new)
        lines.update({(line.row, line.path): line for line in new})
        told(len(wanted & set(lines)), len(wanted))
    return [lines[key] for key in plan.wanted()]


@dataclass(frozen=True, slots=True)
class _Job:
    """Some rows on the years, or on one path."""

    path: int | None
    rows: tuple[str, ...]


def _jobs(plan: Plan, missing: set[tuple[str, str]]) -> Iterator[_Job]:
    """The long ones first."""
    if plan.years is not None:
        years = [row for row in plan.rows if (row, span(*plan.years)) in missing]
        for i in range(0, len(years), TOGETHER):
            yield _Job(None, tuple(years[i : i + TOGETHER]))
    for number in range(plan.paths):
        rows = tuple(row for row in plan.on_path(number) if (row, str(number)) in missing)
        if rows:
            yield _Job(number, rows)


def _done(plan: Plan, jobs: Sequence[_Job], processes: int) -> Iterator[list[Line]]:
    if not processes or not jobs:
        yield from (_play(plan, job) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures: list[Future[list[Line]]] = [pool.submit(_play, plan, job) for job in jobs]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _play(plan: Plan, job: _Job) -> list[Line]:
    _settled()
    with resting_collector():
        if job.path is None:
            assert plan.years is not None
            found = list(_on_years(plan.seed, plan.years, job.rows))
        else:
            found = list(_on_path(plan.seed, job.path, job.rows))
        gc.collect()
    return found


@cache
def _settled() -> None:
    """What a process loads stays: the collector need not look at it again."""
    source()
    gc.collect()
    gc.freeze()


@cache
def source() -> Source:
    return Source(*packaged())


@cache
def strategies() -> tuple[Strategy, ...]:
    """Those of the default backtest, with their default settings."""
    return tuple(sorted((build(id_) for id_ in DEFAULT_ON), key=lambda one: one.priority))


def world_on(market: MarketData, sessions: Sessions, first: Session) -> World:
    """What an account of the study stands on."""
    return World(market, sessions, first, CAPITAL, strategies(), Settings())


def _on_path(seed: int, number: int, keys: Sequence[str]) -> Iterator[Line]:
    path = source().path(seed, number)
    world = world_on(path.market(), path.sessions, path.played[0])
    yield from _lines(keys, str(number), path.crash, world, path.played)


def _on_years(seed: int, years: tuple[int, int], keys: Sequence[str]) -> Iterator[Line]:
    history, sessions = packaged()
    first, last = date(years[0], 1, 1), min(date(years[1], 12, 31), history.spx.day[-1].astype(date))
    played = sessions.between(first, last).days
    world = world_on(model_market(history, sessions, seed), sessions, played[0])
    yield from _lines(keys, span(*years), "", world, _year_by_year(played))


def _lines(
    keys: Sequence[str], path: str, crash: str, world: World, sessions: Iterable[Session]
) -> Iterator[Line]:
    began = process_time()
    on, others = play_path([BY_KEY[key] for key in keys if key != ALL_ON.key], world, sessions)
    each = round((process_time() - began) / (1 + len(others)), 3)
    for key in keys:
        mine = on if key == ALL_ON.key else others.get(key)
        seconds, outcome = (0.0, outcome_of(on.watch)) if mine is None else (each, outcome_of(mine.watch))
        yield Line(key, path, crash, mine is not None, seconds, outcome)


def _year_by_year(sessions: Sequence[Session]) -> Iterator[Session]:
    """The collector looks once a year."""
    year = sessions[0].date.year
    for session in sessions:
        if session.date.year != year:
            year = session.date.year
            gc.collect()
        yield session
