"""Recording a market into the chain store: observations on the disk at once, sessions rolled in at their end.

The market is the ``MarketData`` port: today the model market, at the exchange's own contract sizes; the
sandbox and the broker deliver the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.store import Store
from tomking.adapters.store.recorder import Recorder
from tomking.adapters.store.recordings import roll
from tomking.adapters.store.reports import ImportReport
from tomking.adapters.verify import load_context
from tomking.app.backtest import LISTED_AHEAD
from tomking.app.data import checker
from tomking.app.exits import Exit
from tomking.app.problems import problem
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.calendar import Session
from tomking.ports import MarketData
from tomking.sim.market import ModelMarket

Tell = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be recorded."""

    products: tuple[str, ...]
    first: date
    last: date
    every: timedelta
    seed: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of it."""

    sessions: int
    observations: int
    rows: int
    reports: tuple[ImportReport, ...]


def record_model(folder: Path, wanted: Wanted, tell: Tell) -> Recorded:
    """The model market's chains of a span, observation by observation.

    What an earlier, broken-off recording left is rolled in first.  ``Problems`` when the span has no session.
    """
    history, sessions = load_history(), load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
    played = sessions.between(wanted.first, min(wanted.last, HISTORY_LAST)).days
    if not played:
        span = f"--start {wanted.first} --end {wanted.last}"
        raise problem(Exit.DATA, f"{span}: no session of the model market, which ends {HISTORY_LAST}")
    market = ModelMarket(history, sessions, wanted.seed, real_sizes=True)
    store, check = Store(folder), checker(load_context())
    licence = f"modelled prices, seed {wanted.seed}"
    reports = list(roll(store, check=check, licence=licence))
    observations = rows = 0
    with Recorder(folder, products=wanted.products, every=wanted.every) as recorder:
        for n, session in enumerate(played):
            tell(n / len(played), str(session.date))
            seen, found = _record(recorder, market, session, wanted.every)
            observations, rows = observations + seen, rows + found
    reports += roll(store, check=check, licence=licence)
    return Recorded(len(played), observations, rows, tuple(reports))


def _record(recorder: Recorder, market: MarketData, session: Session, every: timedelta) -> tuple[int, int]:
    """Observations and rows of one session, from its open to its close."""
    now, seen, rows = session.open, 0, 0
    while now <= session.close:
        rows += recorder.observe(market, now).rows
        seen, now = seen + 1, now + every
    return seen, rows


def unknown_products(products: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Those that the model market does not list."""
    return tuple(p for p in products if p not in known)
