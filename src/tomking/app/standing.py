"""The book of a journal at its last instant, on the market it was traded on."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.adapters.journal import SqliteJournal
from tomking.adapters.recorded import load_recorded
from tomking.app.config import Config
from tomking.app.exits import Exit
from tomking.app.markets import model_market
from tomking.app.problems import Problem, Problems, problem
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.book import Book, fold
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.errors import BadData, OperatingError
from tomking.domain.events import Event, RunStarted
from tomking.execution.marking import LastMids, marked, table_of
from tomking.ports import MarketData
from tomking.risk.account import Account
from tomking.risk.settings import Settings
from tomking.risk.standing import Standing, standing
from tomking.risk.valuation import account_of
from tomking.view import View

RUNS = Path("runs")
LISTED_AHEAD = timedelta(days=760)
"""How far past the last session the calendar reaches."""


@dataclass(frozen=True, slots=True)
class Position:
    """Everything the two pages show."""

    journal: Path
    book: Book
    view: View
    account: Account
    settings: Settings
    standing: Standing
    notes: tuple[str, ...]
    """What a reader must know of these numbers."""


def stand(journal: Path | None, chains: Path | None, config: Config) -> Position:
    """The book of ``journal``, or of the newest run, stressed.  ``Problems`` when it cannot be had."""
    path = journal or newest_journal()
    events = events_of(path)
    started, last = _started(path, events), events[-1].at
    book = fold(iter(events))
    market, sessions = _market(started, chains, path)
    session = sessions.on(new_york(last).date())
    if session is None:
        raise problem(Exit.DATA, f"{path}: its last instant {last} is in no session of the calendar")
    view = View(last, session, sessions, market)
    settings = config.section("risk", Settings)
    value = marked(
        table_of(book), book.cash, market.marks(table_of(book).contracts, last), LastMids()
    ).net_liq
    account = account_of(book, view, value, settings)
    found = standing(book, view, account, settings)
    if found is None:
        raise problem(Exit.DATA, f"{path}: there is no VIX at {last}, so there are no shocks")
    return Position(path, book, view, account, settings, found, tuple(_notes(started, config, found)))


def newest_journal() -> Path:
    """Of the runs below the current directory."""
    found = sorted(RUNS.glob("*/journal.sqlite"), key=lambda file: file.stat().st_mtime)
    if not found:
        line = f"no journal below {RUNS}/: run `tomking backtest` first, or name one with --journal PATH"
        raise problem(Exit.DATA, line)
    return found[-1]


def events_of(path: Path, empty: str = "the journal is empty; let its run finish first") -> list[Event]:
    """Of a copy: looking at a journal changes nothing about it.

    empty  what is said of one without events
    """
    if not path.is_file():
        raise problem(Exit.DATA, f"--journal {path}: there is no such file; name a journal.sqlite")
    with tempfile.TemporaryDirectory(prefix="tomking-") as folder:
        copy = Path(folder) / path.name
        try:
            for part in (path, path.with_name(f"{path.name}-wal")):
                if part.exists():
                    shutil.copyfile(part, copy.with_name(part.name))
            with SqliteJournal(copy, power_safe=False) as journal:
                events = list(journal.read())
        except OSError as error:
            raise problem(Exit.DATA, f"--journal {path}: cannot be read: {error.strerror}") from error
        except OperatingError as error:
            raise problem(Exit.DATA, str(error).replace(str(copy), str(path))) from error
    if not events:
        raise problem(Exit.DATA, f"{path}: {empty}")
    return events


def _started(path: Path, events: list[Event]) -> RunStarted:
    first = events[0]
    if not isinstance(first, RunStarted):
        raise problem(Exit.DATA, f"{path}: does not begin with a run; it is not the journal of a backtest")
    return first


def _market(started: RunStarted, chains: Path | None, path: Path) -> tuple[MarketData, Sessions]:
    history = load_history()
    if chains is None:
        if started.data_digest != history.source_digest:
            line = "it was traded on other data than the packaged history"
            raise problem(Exit.DATA, f"{path}: {line}; name its recorded quotes with --chains PATH")
        sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
        return model_market(history, sessions, started.seed), sessions
    try:
        digest = hashlib.sha256(chains.read_bytes() + history.source_digest.encode()).hexdigest()
        sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + 6 * LISTED_AHEAD)
        market = load_recorded(chains, sessions=sessions, history=history)
    except OSError as error:
        raise problem(Exit.DATA, f"--chains {chains}: cannot be read: {error.strerror}") from error
    except BadData as error:
        raise Problems(Problem(Exit.DATA, line) for line in error.problems) from error
    if digest != started.data_digest:
        line = f"--chains {chains}: is not what {path} was traded on; name the same file as in its backtest"
        raise problem(Exit.DATA, line)
    return market, sessions


def _notes(started: RunStarted, config: Config, found: Standing) -> list[str]:
    notes = []
    if started.config_digest != config.digest():
        notes.append("The configuration now is not the one of the run: limits are those in force now.")
    stale = int(found.table.exposure.stale.sum())
    if stale:
        notes.append(f"{stale} legs have no quote: they are valued at the VIX and marked stale.")
    return notes


def dollars(amount: float | Decimal) -> str:
    """``$1,234``, ``-$1,234``."""
    return f"-${-amount:,.0f}" if round(amount) < 0 else f"${abs(amount):,.0f}"
