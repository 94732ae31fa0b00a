"""One backtest from request to report: load, play every session, write everything or nothing."""

import hashlib
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tomking.adapters.calendars import load_sessions
from tomking.adapters.eventfile import read_event_file
from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal, SqliteJournal
from tomking.adapters.recorded import RecordedChains
from tomking.app import beside as processes
from tomking.app.beside import Beside, Tell
from tomking.app.chains import Kind, Opened, kind_of, opened, wanted_roots
from tomking.app.config import Config
from tomking.app.exits import Exit
from tomking.app.markets import model_market
from tomking.app.outside import outside, places
from tomking.app.play import Played, Player, play_all, player
from tomking.app.problems import Problem, Problems, problem
from tomking.app.report.files import write_report
from tomking.app.report.findings import Findings, find
from tomking.app.report.rundata import Identity, RunData, Shown
from tomking.app.report.terminal import summary
from tomking.app.request import Progress, Request, Result
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST, Backtest
from tomking.app.unresolved import unresolved
from tomking.app.values import to_text
from tomking.domain import cpi, fomc
from tomking.domain.bars import History
from tomking.domain.calendar import Session, Sessions
from tomking.domain.errors import BadData, OperatingError
from tomking.domain.eventcalendar import EventCalendar
from tomking.domain.events import RunStarted
from tomking.ports import Journal, MarketData
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy
from tomking.sim.families import Families
from tomking.strategies import ALL, build
from tomking.view import LENIENT

LISTED_AHEAD = timedelta(days=760)
"""How far past the last session the calendar reaches: expiries are listed that far."""
DEFAULT_CAPITAL = Decimal(200_000)
SMALL_CAPITAL = Decimal(44_450)
"""The two accounts of methodology 0.4, ruling 4: the report of a modelled run shows both."""


@dataclass(frozen=True, slots=True)
class World:
    """The market of a run and the sessions it is played over."""

    market: MarketData
    sessions: Sessions
    """With those after the last played one: expiries are listed ahead."""
    played: tuple[Session, ...]
    history: History
    data_digest: str
    events: EventCalendar = LENIENT


def run(request: Request, progress: Progress) -> Result:
    """Plays the request and writes its report.  ``Problems`` when it cannot; nothing is left then."""
    with (
        tempfile.TemporaryDirectory(prefix="tomking-") as folder,
        _told(),
        _other_process(request) as beside,
        _world(request) as plain,
    ):
        world, file = _with_events(request, plain), Path(folder) / "journal.sqlite"
        main, *others = _played(request, world, file, progress, beside)
        found, *more = (_findings(request, world, each) for each in (main, *others))
        other = more[0] if more else None
        facts = write_report(request.report, found, other, journal=file)
        left = "".join(f"{line}\n" for line in _unresolved(world, main))
    return Result(report=request.report, run=facts, summary=left + summary(found, other))


Other = tuple[Played, frozenset[str]]
"""What the second account leaves behind, and what it asked the market for (``Families.asked``)."""


def _other_process(request: Request) -> AbstractContextManager[Beside[Other] | None]:
    """The second account of a modelled run on its way in a process of its own, where that saves time."""
    start, end = request.start, request.end
    if request.chains is None and start and end and processes.worthwhile((end - start).days):
        return Beside(_other_played, request)
    return nullcontext()


def _other_played(tell: Tell, request: Request) -> Other:
    with _told(), _world(request) as plain:
        world = _with_events(request, plain)
        one = _player(request, world, MemoryJournal(), _other_account(request.capital))
        play_all([one], world.played, lambda done, _, day: tell(done, day))
        assert isinstance(world.market, Families)
        return one.played, world.market.asked


def _played(
    request: Request, world: World, file: Path, progress: Progress, beside: Beside[Other] | None
) -> list[Played]:
    """The account that was asked for, its journal in ``file``; of a modelled run also the other one."""
    total = len(world.played)

    def both(done: int, day: str, other: int, its_day: str) -> None:
        """The bar is that of the slower one."""
        progress(min(done, other), total, day if its_day == day else f"{day} and {its_day or 'starting'}")

    def each_day(done: int, _: int, day: str) -> None:
        both(done, day, *((done, day) if beside is None else beside.at()))

    with SqliteJournal(file, power_safe=False) as journal:
        players = [_player(request, world, journal, request.capital)]
        if not request.chains and beside is None:
            players.append(_player(request, world, MemoryJournal(), _other_account(request.capital)))
        play_all(players, world.played, each_day)
        found = [each.played for each in players]
        if beside is not None:
            at_end = total, f"{world.played[-1].date}"
            other, asked = beside.result(lambda *at: both(*at_end, *at))
            assert isinstance(world.market, Families)
            world.market.ask(asked)
            found.append(other)
    return found


# ------------------------------------------------------------------------------------- the world


@contextmanager
def _world(request: Request) -> Iterator[World]:
    """The world of a run, as long as it lasts: a recorded one may stand on files that go with it."""
    if request.chains is None:
        yield _modelled(request)
        return
    history = load_history()
    last = date.fromisoformat(str(history.spx.day[-1]))
    sessions = load_sessions(HISTORY_FIRST, last + 6 * LISTED_AHEAD)
    wanted = wanted_roots(
        request.strategies, [request.config.values[f"strategies.{one}"] for one in request.strategies]
    )
    theirs = (place.products for place in places(request.strategies).values())
    wanted |= {product for products in theirs for phase in products for product in phase}
    span = (request.start, request.end)
    with opened(request.chains, wanted, span=span, sessions=sessions, history=history) as found:
        yield _recorded(request, found, sessions, history)


def _with_events(request: Request, world: World) -> World:
    """The same with the user's file of announcements, which is data like any other."""
    file = request.config.section("backtest", Backtest).events
    if file is None:
        return world
    dates = read_event_file(Path(file))
    digest = hashlib.sha256(world.data_digest.encode() + Path(file).read_bytes()).hexdigest()
    return replace(world, events=EventCalendar(strict=False, dates=dates), data_digest=digest)


def _modelled(request: Request) -> World:
    history = load_history()
    assert request.start is not None
    assert request.end is not None
    sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
    market = model_market(history, sessions, request.seed)
    played = _between(sessions, request.start, request.end)
    return World(market, sessions, played, history, history.source_digest)


def _recorded(request: Request, found: Opened, sessions: Sessions, history: History) -> World:
    assert request.chains is not None
    market = found.market
    # The recording has no VIX and no daily bars: these are the history's.
    digest = hashlib.sha256(found.digest.encode() + history.source_digest.encode()).hexdigest()
    first, final = market.days[0], market.days[-1]
    outside = [
        Problem(
            Exit.DATA,
            f"--{name} {day}: outside the data: {request.chains} runs from {first} to {final};"
            " choose a date within it, or leave the option out",
        )
        for name, day in (("start", request.start), ("end", request.end))
        # Of a store one asks for a span; of a file its days are known.
        if kind_of(request.chains) is not Kind.STORE and day is not None and not first <= day <= final
    ]
    if outside:
        raise Problems(outside)
    recorded = set(market.days)
    played = _between(sessions, request.start or first, request.end or final)
    return World(market, sessions, tuple(s for s in played if s.date in recorded), history, digest)


def _between(sessions: Sessions, start: date, end: date) -> tuple[Session, ...]:
    played = sessions.between(start, end).days
    if not played:
        near = " and ".join(str(s.date) for s in (sessions.before(start), sessions.after(end)) if s)
        line = f"--start {start} --end {end}: no session in that span; the nearest are {near}"
        raise problem(Exit.DATA, line)
    return played


# ------------------------------------------------------------------------------------- the accounts


def _other_account(capital: Decimal) -> Decimal:
    return DEFAULT_CAPITAL if capital == SMALL_CAPITAL else SMALL_CAPITAL


def _player(request: Request, world: World, journal: Journal, capital: Decimal) -> Player:
    config = request.config
    first = world.played[0]
    return player(
        strategies=tuple(sorted(_built(request), key=lambda strategy: strategy.priority)),
        risk=config.section("risk", Settings),
        places=places(request.strategies),
        market=world.market,
        sessions=world.sessions,
        events=world.events,
        first=first,
        journal=journal,
        capital=capital,
        started=RunStarted(first.open, request.seed, config.digest(), world.data_digest, request.strategies),
    )


def _built(request: Request) -> Iterator[Strategy]:
    """The strategies asked for, ours and those from outside, with their settings."""
    theirs = outside() if set(request.strategies) - set(ALL) else {}
    for name in request.strategies:
        settings = request.config.values[f"strategies.{name}"]
        yield build(name, settings) if name in ALL else theirs[name].build(settings)


def _findings(request: Request, world: World, played: Played) -> Findings:
    settings = request.config.section("risk", Settings)
    history = played.history
    capital = sum((day.deposits for day in history.days), Decimal(0))
    return find(
        RunData(
            label=f"${capital:,.0f} account",
            start=world.played[0].date,
            end=world.played[-1].date,
            seed=request.seed,
            capital=capital,
            strategies=request.strategies,
            modelled=request.chains is None,
            notes=(
                *_unresolved(world, played),
                *world.market.notes,
                *_assumptions(request),
                *_filters(world),
            ),
            history=history,
            risk_free=_risk_free(world, [day.date for day in history.days]),
            bp_caps=tuple(
                zip((0.0, *settings.vix_bounds), map(float, settings.vix_capital_share_max), strict=True)
            ),
            settings=tuple(_shown(request.config)),
            research=request.config.research(),
            identity=Identity(
                version=version("tomking"),
                git_commit=_git_commit(),
                config_digest=request.config.digest(),
                data_digest=world.data_digest,
                journal_head=played.head,
            ),
            command=_command(request),
        )
    )


def _unresolved(world: World, played: Played) -> tuple[str, ...]:
    """A line for each position that recorded data leave open."""
    if not isinstance(world.market, RecordedChains):
        return ()
    last = world.played[-1].date
    return tuple(str(one) for one in unresolved(played.book, world.market, world.sessions, last))


def _assumptions(request: Request) -> Iterator[str]:
    """What this run takes for granted besides its prices."""
    yield (
        "Fills: the slippage model of methodology D.7, whole orders only; no order moves the market, "
        "and the exchange's trading halts are not modelled. Commissions and fees: the 2025 schedule in "
        "every year."
    )
    yield "Idle cash earns nothing; margin is an estimate of our own, not the broker's."
    if request.chains:
        yield (
            "The backtest ends with the recording; what is still open then is counted at its last mark, and "
            "listed as unresolved."
        )


def _filters(world: World) -> Iterator[str]:
    """Entry filters of the methodology whose input is missing here (rulings 6 and 19)."""
    for name, table in (("FOMC", fomc), ("CPI", cpi)):
        without = sum(1 for session in world.played if not table.covered(session.date))
        if without:
            yield (
                f"{name} dates are known from {table.COVERED_FROM} to {table.COVERED_TO}: on {without:,} of "
                f"{len(world.played):,} sessions that filter was off (not covered)."
            )
    if not world.events.dates:
        yield (
            "Not evaluated, for want of data: earnings, dividends and splits of single names, and decisions "
            "of OPEC and of central banks but the FOMC (a file of them: backtest.events)."
        )
    yield "Not evaluated, for want of data: the 0DTE's filter on the volume of ES by 10:30."


def _shown(config: Config) -> Iterator[Shown]:
    for row in config.rows():
        yield Shown(row.key, to_text(row.value), row.source, row.setting.source, row.setting.doc)


def _risk_free(world: World, days: list[date]) -> tuple[float, ...]:
    """The 3-month Treasury's simple return of each session, at the rate known the session before."""
    column = world.history.spx.day
    rows = np.searchsorted(column, np.array(days, dtype="datetime64[D]")) - 1
    rates = world.history.rate[np.clip(rows, 0, len(column) - 1)]
    return tuple(float(r) for r in np.expm1(rates / 252))


def _command(request: Request) -> str:
    """What to type to get the same run again."""
    words = ["tomking", "backtest"]
    given: Mapping[str, object] = {
        "--start": request.start,
        "--end": request.end,
        "--strategies": ",".join(request.strategies),
        "--seed": request.seed,
        "--capital": request.capital,
        "--chains": request.chains,
    }
    for option, value in given.items():
        if value is not None:
            words += [option, str(value)]
    for row in request.config.rows():
        typed = row.key.startswith(("backtest.", "account.")) and row.key != "backtest.events"
        if not request.config.is_default(row.key) and not typed:
            words += ["--set", f"{row.key}={to_text(row.value)}"]
    return shlex.join(words)


def _git_commit() -> str:
    """The commit this program was run from; "unknown" for an installed copy."""
    try:
        found = subprocess.run(  # noqa: S603 - fixed words and our own folder
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],  # noqa: S607 - wherever git is
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


# ------------------------------------------------------------------------------------- the files


@contextmanager
def _told() -> Iterator[None]:
    """The world's failures as one line each."""
    try:
        yield
    except BadData as error:
        raise Problems(Problem(Exit.DATA, line) for line in error.problems) from error
    except OperatingError as error:
        raise problem(Exit.DATA, str(error)) from error
