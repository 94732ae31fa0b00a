"""A start in five stages, each with its checks; nothing trades before the last (docs/live.md).

1. configuration   as paper may have it, its strategies, its venue and its secrets: no socket yet
2. journal         the lease, the pages and the chain of the journal, its fold, the latch
3. market data     the session, today's chains, SPX and VIX seen, daily bars without a gap
4. broker          the account, that it may trade, its balances
5. reconcile       orders, positions and cash against the book

The first check that fails ends the start with its exit code, and whatever was opened is closed.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from tomking.adapters.alerts import Channel
from tomking.adapters.backup import read_only_because, reconciled
from tomking.adapters.calendars import load_sessions
from tomking.adapters.clock import wait, wall_now
from tomking.adapters.emergency import EmergencyLog, Reserve
from tomking.adapters.history import load_history
from tomking.adapters.journal import Origin
from tomking.adapters.latch import LatchFile
from tomking.adapters.lease import Lease, installation, take
from tomking.adapters.livejournal import LiveJournal
from tomking.adapters.migrate import migrate
from tomking.adapters.tastytrade.line import TastytradeLine
from tomking.adapters.tastytrade.live import LiveMarket
from tomking.adapters.tastytrade.reference import Reference
from tomking.adapters.tastytrade.session import GuardedSession, Scope, session
from tomking.adapters.tastytrade.words import tag_of
from tomking.adapters.walltime import WallTime
from tomking.app.chains import wanted_roots
from tomking.app.config import Config, Override
from tomking.app.exits import Exit
from tomking.app.live.alerting import alerting, channels, count_start
from tomking.app.live.announced import Announced
from tomking.app.live.answers import Counted
from tomking.app.live.around import Surroundings, surroundings
from tomking.app.live.asked import Asked
from tomking.app.live.broker import check_broker, risk_free
from tomking.app.live.clock import OPENS_WITHIN, MarketClock
from tomking.app.live.feed import Feed, missing, strange, uncovered
from tomking.app.live.first import first_look
from tomking.app.live.folder import Folder
from tomking.app.live.latch import WHO, arm, own_latch, tightest
from tomking.app.live.lines import RunLine
from tomking.app.live.listings import load_listings, read
from tomking.app.live.simulated import SettlingMarket, SimulatedLine, simulated_account
from tomking.app.live.telling import Teller, by_day
from tomking.app.live.warm import warm_up
from tomking.app.locks import Mode, load_for
from tomking.app.outside import outside, places
from tomking.app.prepare.start import preparation_for
from tomking.app.problems import Problem, Problems, did_you_mean, problem
from tomking.app.sections import Backtest
from tomking.app.wiring import Trading, line_kernel, line_risk
from tomking.domain.book import Book, fold
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.errors import OperatingError
from tomking.domain.events import Event, RunStarted
from tomking.domain.trading import Latch
from tomking.execution.protocol.tags import parsed
from tomking.risk.rollout import source_of
from tomking.risk.settings import Settings
from tomking.rules.strategy import Strategy
from tomking.strategies import ALL, build

STAGES = ("configuration", "journal", "market data", "broker", "reconcile")
SEEN_WITHIN = 30.0
"""Seconds of the wall in which quotes and bars must have come."""
YEARS_BACK, YEARS_AHEAD = timedelta(days=3 * 366), timedelta(days=3 * 366)
"""The calendar: as far back as indicators look, and as far ahead as options are listed."""

LOOKS = 4
"""At the broker's time, a second apart, before this machine's is doubted."""
Told = Callable[[str, str], None]
"""(stage, what was found); called as each stage ends."""


@dataclass(frozen=True, slots=True)
class Configured:
    """Stage 1."""

    config: Config
    strategies: tuple[Strategy, ...]

    @property
    def events(self) -> Path | None:
        """The user's file of announcements."""
        file = self.config.section("backtest", Backtest).events
        return None if file is None else Path(file)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.id for one in self.strategies)

    def products(self) -> frozenset[str]:
        """Roots that any of them may trade."""
        settings = [self.config.values[f"strategies.{one}"] for one in self.names]
        theirs = (place.products for place in places(self.names).values())
        return wanted_roots(self.names, settings) | {p for ps in theirs for phase in ps for p in phase}


@dataclass(slots=True)
class Gates:
    """What the driver may forbid from outside the kernel."""

    shut: str = "the start is not complete"
    """Why nothing may be opened; empty: it may."""
    walltime: WallTime = field(default_factory=WallTime)
    restored: str = ""
    """That the journal is an older one, which was not compared with the broker yet."""
    closing: str = ""
    """Why this run only manages what is held."""

    def may_open(self, _now: datetime) -> str | None:
        return self.shut or self.restored or self.closing or self.walltime.doubt()


@dataclass(slots=True)
class Ready:
    """Everything a run needs, all of it checked; ``close`` ends what was opened, in reverse."""

    asked: Asked
    configured: Configured
    folder: Folder
    clock: MarketClock
    sessions: Sessions
    feed: Feed
    line: RunLine
    wire: Counted
    trading: Trading
    journal: LiveJournal
    latch: Callable[[], Latch]
    own_latch: LatchFile
    teller: Teller
    gates: Gates
    reference: Reference
    announced: Announced
    _open: ExitStack

    def close(self) -> None:
        self._open.close()


def configure(
    path: Path | None,
    overrides: Sequence[Override],
    names: tuple[str, ...] | None,
    mode: Mode = Mode.PAPER,
) -> Configured:
    """Stage 1.  ``Problems`` (2, 3)."""
    config = load_for(mode, path=path, overrides=overrides)
    wanted = names or config.section("backtest", Backtest).strategies
    theirs = outside() if set(wanted) - set(ALL) else {}
    unknown = sorted(set(wanted) - set(ALL) - set(theirs))
    if unknown:
        raise Problems(
            Problem(Exit.USAGE, f"--strategies: no strategy {one}; {did_you_mean(one, [*ALL, *theirs])}")
            for one in unknown
        )
    built = [
        build(name, config.values[f"strategies.{name}"])
        if name in ALL
        else theirs[name].build(config.values[f"strategies.{name}"])
        for name in dict.fromkeys(wanted)
    ]
    return Configured(config, tuple(sorted(built, key=lambda one: one.priority)))


def start(  # noqa: PLR0917 - what a run is made of
    asked: Asked,
    configured: Configured,
    told: Told,
    teller: Callable[[Path, Callable[[], datetime]], Teller],
    wake: Callable[[], None],
    around: Surroundings | None = None,
) -> Ready:
    """Stages 2 to 5.  ``Problems`` with the first check that fails; nothing is left open then.

    told  hears of each stage that is passed; wake is called whenever the line has something
    around  what the venue asks for, where it is not what it always does (a test's)
    """
    around = around or surroundings(asked.to.environment, asked.to.port)
    with ExitStack() as opened:
        told(STAGES[0], f"{asked.mode}, {asked.venue}, {', '.join(configured.names)}")
        gates = Gates(walltime=around.walltime())
        ready = _Start(asked, configured, told, opened, channels(os.environ), around, gates).run(teller, wake)
        opened.pop_all()
    return ready


@dataclass(slots=True)
class _Start:
    """The way through the stages."""

    asked: Asked
    configured: Configured
    told: Told
    opened: ExitStack
    ways: list[Channel]
    """To a person who is not at the screen."""
    around: Surroundings
    gates: Gates
    events: tuple[Event, ...] = ()
    """Of the journal, before this start."""
    _is_ready: bool = False

    def run(
        self, teller: Callable[[Path, Callable[[], datetime]], Teller], wake: Callable[[], None]
    ) -> Ready:
        asked, folder, clock, gates = self.asked, Folder(self.asked.folder), self.around.clock(), self.gates
        lease, journal, book, own = self._journal(folder)
        tell = teller(folder.log, clock.now)
        reference = Reference(self._reading, clock.now, folder.reference)
        sessions, feed, announced = self._market_data(clock, book, tell, reference)
        cash, latest = self._broker(book)
        if not len(journal) and latest >= lease.epoch:
            lease = self._later(folder, lease, latest)
        gates.restored = read_only_because(folder.journal) or ""
        latch = partial(tightest, own, LatchFile(asked.control))
        self.opened.callback(alerting(self.ways, folder.path, own, tell).close)
        line = self._line(feed, sessions, clock, tell, wake, (cash, book, lease))
        line.start()
        self.opened.callback(line.close)
        wire = Counted(line)
        settings = self.configured.config.section("risk", Settings)
        trading = line_kernel(
            strategies=self.configured.strategies,
            risk=line_risk(settings, asked.mode, on_a_model=self.around.on_a_model),
            places=places(self.configured.names),
            market=feed.market,
            sessions=sessions,
            wire=wire,
            latch=latch,
            lease=lease,
            instance=installation(asked.world, asked.account),
            may_open=gates.may_open,
            journal=journal,
            notifier=tell,
            book=book,
            events=announced.calendar,
            observe=tell.heard,
            preparation=preparation_for(asked, self.configured, self.events, tell),
        )
        now = clock.now()
        self._same_world(book, now)
        trading.kernel.record(self._started(now, clock.speed if asked.speed is None else asked.speed))
        found = first_look(trading, line, clock.now, wait, epoch=lease.epoch, cash=cash)
        if gates.restored and found.agrees:
            reconciled(folder.journal)
            gates.restored = ""
        self.told(STAGES[4], "; ".join(filter(None, (found.words, gates.restored, gates.closing))))
        count_start(folder.path, own, tell)
        self._is_ready = True
        stack = ExitStack()
        stack.push(self.opened.pop_all())
        return Ready(
            asked, self.configured, folder, clock, sessions, feed, line, wire, trading, journal, latch, own,
            tell, gates, reference, announced, stack,
        )  # fmt: skip

    def _reading(self) -> GuardedSession:
        """A session that may only read; a broker's answers are held against this machine's clock."""
        heard = self.gates.walltime.answered if self.around.is_checked else None
        return session(self.asked.to, self.asked.secrets, Scope.READ, answered=heard)

    def _line(  # noqa: PLR0917 - what it is made of
        self,
        feed: Feed,
        sessions: Sessions,
        clock: MarketClock,
        tell: Teller,
        wake: Callable[[], None],
        past: tuple[Decimal, Book, Lease],
    ) -> RunLine:
        """To the broker, or to an account that is simulated here."""
        asked, (cash, book, lease) = self.asked, past
        if asked.simulated:
            instance = installation(asked.world, asked.account)
            now = clock.now()
            account = simulated_account(feed.market, sessions, now, cash, book, instance, lease.epoch)
            return SimulatedLine(account, now, wake)
        return TastytradeLine(
            partial(session, asked.to, asked.secrets, answered=self.gates.walltime.answered),
            asked.account,
            feed.directory,
            clock.now,
            by_day(tell, sessions) if self.around.is_checked else tell.warn,
            wake=wake,
        )

    def _journal(self, folder: Folder) -> tuple[Lease, LiveJournal, Book, LatchFile]:
        """Stage 2."""
        asked = self.asked
        origin = Origin(asked.world, installation(asked.world, asked.account))
        try:
            lease = take(folder.lease, account=asked.account, environment=asked.venue)
            self.opened.callback(lease.give_back)
            aside = folder.set_aside() if asked.fresh else None
            if aside is not None:
                self.opened.callback(self._put_back, folder, aside)
            folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            own = own_latch(asked.mode, folder.path, asked.control)
            reserve = Reserve(folder.reserve, RESERVE_BYTES)
            is_reserved = reserve.hold()
            older = migrate(folder.journal, origin) if folder.journal.exists() else None
            log = EmergencyLog(folder.emergency)
            self.opened.callback(log.close)
            journal = LiveJournal(
                folder.journal, origin, reserve=reserve, log=log, on_failure=partial(_halted, own)
            )
            self.opened.callback(journal.close)
            events = list(journal.read())
        except OperatingError as error:
            raise problem(_code(str(error)), str(error)) from error
        book, self.events = fold(iter(events)), tuple(events)
        words = arm(own, is_new=not events) if asked.mode is Mode.PAPER else own.read().words
        words += f"; the earlier one is now {aside.name}" if aside else ""
        words += f"; format {older.before} before, kept as {older.backup.name}" if older else ""
        words += "" if is_reserved else "; the disk has no room to keep for the moment it is full: free some"
        self.told(STAGES[1], f"{len(events):,} events, epoch {lease.epoch}, {words}")
        return lease, journal, book, own

    def _later(self, folder: Folder, lease: Lease, latest: int) -> Lease:
        """A folder without a past, of an account that knows orders of ours: its epochs were lost with it."""
        lease.give_back()
        try:
            taken = take(folder.lease, account=self.asked.account, environment=self.asked.venue, after=latest)
        except OperatingError as error:
            raise problem(_code(str(error)), str(error)) from error
        self.opened.callback(taken.give_back)
        return taken

    def _put_back(self, folder: Folder, aside: Path) -> None:
        """The earlier journal, when a fresh start ends before it has begun: nothing was traded."""
        if not self._is_ready:
            folder.put_back(aside)

    def _market_data(
        self, clock: MarketClock, book: Book, tell: Teller, reference: Reference
    ) -> tuple[Sessions, Feed, Announced]:
        """Stage 3."""
        asked, around = self.asked, self.around
        clock.connect(OPENS_WITHIN)
        if asked.speed is not None:
            clock.run(0.0)  # the sandbox waits until everything is ready
        warm_up(self.configured.strategies, self.configured.config.section("risk", Settings))
        clock.follow()
        self.opened.callback(clock.close)
        today = new_york(clock.now()).date()
        sessions = load_sessions(today - YEARS_BACK, today + YEARS_AHEAD)
        if around.is_checked:
            read(self._reading, "/customers/me")  # chains may be kept: the login comes first
        products = self.configured.products() | {one.product for one in book.held()}
        listings = load_listings(self._reading, products, reference)
        announced = Announced(reference, self.configured.events, around.has_metrics)
        dates = announced.read(products, today)
        history = load_history()
        feed = Feed(
            self._reading,
            sessions,
            history,
            listings,
            now=clock.now,
            said=by_day(tell, sessions) if around.is_checked else tell.warn,
            silent=around.silent,
            rate=risk_free(self._reading) if around.is_checked else None,
            market=SettlingMarket if asked.simulated else LiveMarket,
        )
        feed.start()
        self.opened.callback(feed.close)
        left = missing(feed, sessions.on(today), clock.now(), sessions)
        for _ in range(int(SEEN_WITHIN / 0.1)):
            if not left:
                break
            wait(0.1)
            left = missing(feed, sessions.on(today), clock.now(), sessions)
        if left:
            raise problem(Exit.DATA, f"{'; '.join(left)} after {SEEN_WITHIN:.0f} seconds; nothing was traded")
        if around.is_checked:
            self._checked([*strange(feed, history), *uncovered(sessions, today)], book)
        absent = f"; not listed there: {', '.join(listings.absent)}" if listings.absent else ""
        count = f"{len(listings.listed):,} options of {', '.join(listings.products)}"
        saved = f"; {reference.saved} of its pages kept since the last start" if reference.saved else ""
        known = f"; {dates}" if dates else ""
        at = f"{new_york(clock.now()):%Y-%m-%d %H:%M} New York"
        self.told(STAGES[2], f"{at}, {count}{absent}{known}{saved}")
        return sessions, feed, announced

    def _checked(self, wrong: list[str], book: Book) -> None:
        """What a broker's market asks for besides (G.1, 08:00).

        ``Problems`` (6) with everything that is wrong; where anything is held it is managed all the same, and
        nothing is opened.
        """
        doubt = self._clock_doubt()
        wrong = [*([doubt] if doubt else []), *wrong]
        if wrong and not (book.positions or book.orders):
            raise Problems(Problem(Exit.DATA, line) for line in wrong)
        # The clock may come right by itself, and is asked again each time.
        self.gates.closing = "; ".join(line for line in wrong if line != doubt)

    def _clock_doubt(self) -> str | None:
        """Why this machine's clock is doubted after some looks: an answer may have been kept for a while."""
        for _ in range(LOOKS):
            if self.gates.walltime.doubt() is None:
                return None
            wait(1.0)
            read(self._reading, "/customers/me")
        return self.gates.walltime.doubt()

    def _broker(self, book: Book) -> tuple[Decimal, int]:
        """Stage 4: dollars of cash, and the highest epoch of today's orders of ours; 0: there are none."""
        asked, n = self.asked, f"/accounts/{self.asked.account}"
        if asked.simulated:
            cash = book.cash if book.deposits else asked.cash
            self.told(STAGES[3], f"none: fills are worked out here, cash ${cash:,.2f}")
            return cash, 0
        # With the scope that orders need: a grant that only reads is found out before anything trades.
        heard = self.gates.walltime.answered
        trading = partial(session, asked.to, asked.secrets, Scope.TRADE, answered=heard)
        reading = trading if self.around.is_checked else self._reading
        accounts, status, balances, orders = read(
            reading,
            "/customers/me/accounts",
            f"{n}/trading-status",
            f"{n}/balances/USD",
            f"{n}/orders/live",
        )
        cash = check_broker(asked.account, accounts.items, status.data, balances.data, self.told)
        instance = installation(asked.world, asked.account)
        tags = [parsed(tag_of(one)) for one in orders.items]
        return cash, max((tag.epoch for tag in tags if tag and tag.instance == instance), default=0)

    def _same_world(self, book: Book, now: datetime) -> None:
        """A sandbox that was opened anew is another world than the journal's."""
        last = book.day.session
        if last is not None and new_york(now).date() < last:
            fix = (
                "it was opened anew; begin a new journal with --fresh (the old one is kept beside it)"
                if self.around.on_a_model
                else "set this machine's clock"
            )
            raise problem(
                Exit.MISMATCH,
                f"the time of {self.asked.venue} is {new_york(now):%Y-%m-%d %H:%M}, before the journal's "
                f"session {last}: {fix}",
            )

    def _started(self, now: datetime, speed: float) -> Event:
        source = source_of(self.asked.venue, speed)
        return RunStarted(now, 0, self.configured.config.digest(), source, self.configured.names)


RESERVE_BYTES = 16 << 20
"""Room that is kept for the moment when the disk is full."""


def _halted(own: LatchFile, words: str) -> None:
    with suppress(Exception):
        own.halt(WHO, f"the journal takes no more: {words}", wall_now())


def _code(words: str) -> Exit:
    if "another process trades" in words:
        return Exit.UNAVAILABLE
    return Exit.CONFIG if "is traded as" in words or "belongs to" in words else Exit.DATA
