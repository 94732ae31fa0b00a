"""The driver of a live run: one loop that steps the kernel when it is time, or when something has arrived.

1. Wait     until the kernel's next wake in market time, or until the line rings the bell.
2. Heed     what the latch says becomes levels of the book.
3. Step     the kernel, once the quotes of the minute are there; what it wants next is the next wake.
4. Show     a picture twice a second, for the screen and for `tomking status`.

An accelerated sandbox is led turn by turn: its market stands while anything is under way.

Between sessions it loads the next one's listings ten minutes before the open.  In a sandbox nights are
skipped.  At the end nothing new is sent, openings under way are cancelled, and what is unanswered after five
seconds stays for the next start to find by its tag.
"""

import gc
import os
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from tomking.adapters.clock import wait, wall_now
from tomking.adapters.tastytrade.session import Scope, session
from tomking.app.exits import Exit
from tomking.app.live import picture as pictures
from tomking.app.live.alerting import count_end
from tomking.app.live.gauges import Gauges
from tomking.app.live.latch import WHO
from tomking.app.live.listings import Listings, load_listings
from tomking.app.live.minute import MinuteQuotes
from tomking.app.live.picture import Picture, gauges_of, holdings_of, known, passed, restraints, tickets_of
from tomking.app.live.rehearsal import rehearsals, rehearse, view_of
from tomking.app.live.stages import Ready
from tomking.app.live.turns import Turns
from tomking.app.live.watchdog import Watchdog
from tomking.app.problems import Problems
from tomking.domain.book import Book, Working
from tomking.domain.calendar import Session, new_york
from tomking.domain.errors import BadData
from tomking.domain.events import CancelRequested
from tomking.domain.intent import Urgency
from tomking.domain.trading import Trading
from tomking.execution.marking import LastMids, Marks, marked, table_of
from tomking.risk.latched import heed

LISTED_BEFORE = timedelta(minutes=10)
SETTLED_AFTER = timedelta(minutes=10)
"""After the close: by then a search of the whole day has been made."""
DRAWN_EVERY = 0.5
KEPT_EVERY = 2.0
LONGEST_WAIT = 0.25
"""Seconds of the wall."""
QUOTES_WAIT = 0.01
TOLD_WITHIN = 2.0
PATIENCE = 5.0
Show = Callable[[Picture], None]


@dataclass(slots=True)
class Engine:
    """Runs what a start has made ready."""

    ready: Ready
    bell: threading.Event
    """Set by the line's thread, and by whoever wants the run to end."""
    show: Show = lambda _: None
    leave: Callable[[int], object] = os._exit
    """Ends the process at once: of a loop that stands nothing else can be asked."""
    steps: int = 0
    step_ms: float = 0.0
    worst_ms: float = 0.0
    done: int = 0
    """Sessions that have ended since the start."""
    _ending: bool = False
    _wake: datetime | None = None
    _loaded: date | None = None
    _ahead: list[datetime] = field(default_factory=list[datetime])
    _drawn: float = 0.0
    _kept: float = 0.0
    _ended: date | None = None
    _is_loading: bool = False
    _turns: Turns | None = None
    """Leads an accelerated sandbox; None where the market goes by itself."""
    _minute: MinuteQuotes = field(default_factory=MinuteQuotes)
    _fresh: Listings | str | None = None
    """Listings that have been read and not been taken yet, or why they could not be."""
    _gauges: Gauges = field(init=False)

    def __post_init__(self) -> None:
        self._gauges = Gauges(self.ready.trading.risk.settings)

    def stop(self) -> None:
        """Asks for an orderly end; from any thread and from signal handlers."""
        self._ending = True
        self.bell.set()

    def run(self) -> None:
        """Until it is stopped, or has played the sessions asked for."""
        ready = self.ready
        dog = Watchdog(ready.folder.path / "stacks.txt", self._blocked, self._lost)
        self._loaded = self._session_ahead(ready.clock.now())
        if ready.asked.speed is None and self._loaded != new_york(ready.clock.now()).date():
            self._loaded = None  # what is listed overnight is read before the open
        self._plan(ready.clock.now())
        if ready.asked.speed is not None:
            self._turns = Turns(
                ready.clock, ready.wire, ready.line, ready.feed.stream, self.bell, ready.asked.speed
            )
            self._turns.lead()
        ready.gates.shut = ""
        # A hundred thousand listed options: what a start has made is not looked through again for garbage.
        gc.collect()
        gc.freeze()
        dog.start()
        try:
            while not self._ending:
                dog.alive()
                self._turn()
        finally:
            dog.close()
            self._end()
        count_end(ready.folder.path)

    # ------------------------------------------------------------------ one turn

    def _turn(self) -> None:
        clock = self.ready.clock
        now = clock.now()
        is_due = self._wake is None or now >= self._wake or self.bell.is_set()
        if is_due and self._turns is None and self._quotes_are_coming(now):
            self.bell.clear()
            self.bell.wait(QUOTES_WAIT)
            self.bell.set()
            return
        if is_due:
            self.bell.clear()
            self._step(now)
        self._watch_greeks(now)
        self._look_ahead(now)
        self._between_sessions(now)
        now = clock.now()  # a night may be over
        self._take_listings(now)
        self._draw(now)
        wake = min([self._wake or now, *self._ahead[:1], *self._settles(now)])
        if self._turns is None:
            self.bell.wait(min(LONGEST_WAIT, clock.seconds_until(wake)))
        elif self._is_loading:
            self.bell.wait(LONGEST_WAIT)
        elif not self._turns.waits() and not self._ending:
            session_ = self._session(now)
            is_open = session_ is not None and session_.open <= now < session_.close
            works = any(w.order.urgency is not Urgency.TARGET for w in self._orders())
            self._turns.go(now, wake, is_open=is_open, works=works)

    def _orders(self) -> Collection[Working]:
        return self.ready.trading.kernel.book.orders.values()

    def _step(self, now: datetime) -> None:
        ready, kernel = self.ready, self.ready.trading.kernel
        began, waited = time.perf_counter(), self._waited
        for event in heed(kernel.book, ready.latch(), now):
            kernel.record(event)
        with ready.feed.market.still():
            kernel.step(now)
        self._wake = kernel.next_wake(now)
        self.step_ms = 1000 * (time.perf_counter() - began - self._waited + waited)
        self.worst_ms = max(self.worst_ms, self.step_ms)
        self.steps += 1
        if ready.journal.failed:
            ready.gates.shut = f"the journal takes no more ({ready.journal.failed})"

    @property
    def _waited(self) -> float:
        """Seconds that steps have waited for a sandbox's quotes."""
        return 0.0 if self._turns is None else self._turns.waited

    def _quotes_are_coming(self, now: datetime) -> bool:
        """Whether the minute has only just begun, and its quotes are not there or are just coming in."""
        stream, session_ = self.ready.feed.stream, self._session(now)
        if session_ is None or not session_.open <= now < session_.close:
            return False
        return self._minute.is_coming(now, stream.last, stream.frames)

    def _watch_greeks(self, now: datetime) -> None:
        """Of what is held, while the market is open; a limit that comes to 80, 90 or 100 % is told."""
        session_ = self._session(now)
        if session_ is None or not session_.open <= now < session_.close:
            return
        ready, trading = self.ready, self.ready.trading
        book, stream = trading.kernel.book, ready.feed.stream
        with ready.feed.market.still():
            alerts = self._gauges.look(
                book,
                view_of(ready.feed.market, session_, ready.sessions, now),
                elapsed=time.monotonic() if self._turns is None else now.timestamp(),
                frames=stream.frames,
                seen=stream.last,
                phase=trading.risk.phase(book),
                net_liq=lambda: self._marks(now).net_liq,
            )
        for one in alerts:
            level = "critical" if one.step >= 1 else "warning" if one.step > one.was else "info"
            ready.teller.notify(level, str(one), now)

    # ------------------------------------------------------------------ ahead, and between sessions

    def _session(self, now: datetime) -> Session | None:
        return self.ready.sessions.on(new_york(now).date())

    def _session_ahead(self, now: datetime) -> date | None:
        """The session under way, or the next one."""
        session_ = self._session(now)
        if session_ is None or now >= session_.close:
            session_ = self.ready.sessions.after(new_york(now).date())
        return None if session_ is None else session_.date

    def _plan(self, now: datetime) -> None:
        session_ = self._session(now)
        strategies = self.ready.configured.strategies
        times = [] if session_ is None else rehearsals(strategies, session_, self.ready.sessions)
        self._ahead = [at for at in times if at >= now]

    def _look_ahead(self, now: datetime) -> None:
        session_ = self._session(now)
        if not self._ahead or now < self._ahead[0] or session_ is None:
            return
        self._ahead = [at for at in self._ahead if at > now]
        ready, trading = self.ready, self.ready.trading
        rehearse(
            ready.configured.strategies,
            trading.risk,
            trading.kernel.book,
            self._marks(now),
            make_view=partial(view_of, ready.feed.market, session_, ready.sessions),
            now=now,
        )

    def _between_sessions(self, now: datetime) -> None:
        """Counts sessions that have ended, loads the next one's listings, and skips a sandbox's night."""
        session_, book = self._session(now), self.ready.trading.kernel.book
        if session_ is not None and now < session_.close:
            if self._loaded != session_.date and now >= session_.open - LISTED_BEFORE:
                self._load(session_.date)
            return
        day = book.day
        if not day.ended or any(now < at for at in self._settles(now)) or self._ended == day.session:
            return
        self._ended = day.session
        self.done += 1
        if self.ready.asked.sessions is not None and self.done >= self.ready.asked.sessions:
            self.stop()
        elif self.ready.asked.speed is not None:
            self._skip_night(now)

    def _settles(self, now: datetime) -> list[datetime]:
        """When the session that has ended counts as over, unless it does already."""
        day = self.ready.trading.kernel.book.day
        closed = None if day.session is None else self.ready.sessions.on(day.session)
        if closed is None or not day.ended or self._ended == day.session:
            return []
        return [max(now, closed.close + SETTLED_AFTER)]

    def _skip_night(self, now: datetime) -> None:
        following = self.ready.sessions.after(new_york(now).date())
        if following is not None:
            self.ready.clock.move(following.open - LISTED_BEFORE)
            self._wake = None

    def _load(self, day: date) -> None:
        """Begins to read a session's listings, on a thread of their own; an accelerated sandbox waits."""
        ready = self.ready
        self._loaded = day
        products = ready.configured.products() | {c.product for c in ready.trading.kernel.book.held()}
        reading = partial(session, ready.asked.to, ready.asked.secrets, Scope.READ)

        def load() -> None:
            try:
                self._fresh = load_listings(reading, products, ready.reference)
            except Problems as failed:
                self._fresh = f"no listings of {day}: {'; '.join(failed.lines)}"
            try:
                ready.announced.read(products, day)
            except BadData as failed:
                ready.teller.warn(f"announcements of {day}: {'; '.join(failed.problems)}")
            self.bell.set()

        self._is_loading = True
        if self._turns is None:
            ready.feed.stream.anew()  # a quote token lasts a day: this connection is made before the open
        threading.Thread(target=load, name="listings", daemon=True).start()

    def _take_listings(self, now: datetime) -> None:
        """What was read, if it has been."""
        fresh, self._fresh = self._fresh, None
        if isinstance(fresh, Listings):
            self.ready.feed.load(fresh)
        elif fresh:
            self.ready.teller.notify("critical", fresh, now)
        if fresh is not None:
            self._is_loading = False
            self._plan(now)

    # ------------------------------------------------------------------ shown

    def _marks(self, now: datetime) -> Marks:
        book = self.ready.trading.kernel.book
        table = table_of(book)
        return marked(table, book.cash, self.ready.feed.market.marks(table.contracts, now), LastMids())

    def _draw(self, now: datetime) -> None:
        wall = time.monotonic()
        if wall - self._drawn < DRAWN_EVERY:
            return
        self._drawn = wall
        shown = self.picture(now)
        self.show(shown)
        if wall - self._kept >= KEPT_EVERY:
            self._kept = wall
            try:
                pictures.write(self.ready.folder.picture, shown)
            except OSError as error:
                self.ready.teller.notify("warning", f"the picture is not written: {error.strerror}", now)

    def picture(self, now: datetime) -> Picture:
        """Everything as it is now."""
        ready = self.ready
        book, marks, session_ = ready.trading.kernel.book, self._marks(now), self._session(now)
        vix, last = ready.feed.market.vix(now), ready.feed.stream.last
        is_open = session_ is not None and session_.open <= now < session_.close
        greeks = self._gauges.snapshot
        return Picture(
            at=now,
            mode=ready.asked.mode.value,
            venue=ready.asked.venue,
            account=ready.asked.account,
            port=ready.asked.to.port,
            speed=ready.clock.speed if ready.asked.speed is None else ready.asked.speed,
            trading=ready.latch().words,
            hold=(ready.trading.orders.hold(now) or "") if is_open else "",
            session=_hours(session_, ready, now),
            progress=passed(session_, now),
            net_liq=marks.net_liq,
            cash=book.cash,
            day_gain=marks.net_liq - (book.prior_close or book.deposits),
            spot=ready.feed.market.spot("SPX", now),
            vix=None if vix is None else vix[0],
            regime=book.levels.get("vix_regime", ""),
            phase=book.levels.get("phase", ""),
            levels=restraints(book),
            quotes_age=None if last is None else (now - last).total_seconds(),
            symbols=len(ready.feed.stream),
            holdings=holdings_of(book, marks, now),
            tickets=tickets_of(book, now),
            theta=None if greeks is None else known(greeks.portfolio.theta),
            gauges=gauges_of(self._gauges.used),
            steps=self.steps,
            step_ms=self.step_ms,
            worst_ms=self.worst_ms,
        )

    # ------------------------------------------------------------------ trouble, and the end

    def _blocked(self, seconds: float) -> None:
        """On the watchdog's thread.  A sandbox that is led stood as long as the loop: nothing was missed."""
        ready = self.ready
        words = f"the loop has stood for {seconds:.0f} seconds; its stacks are in stacks.txt"
        if self._turns is not None:
            self._tell_aside("warning", f"{words}; the sandbox's clock stood with it")
            return
        ready.own_latch.tighten(Trading.REDUCING, WHO, words, wall_now())
        self._tell_aside("critical", f"{words}; closing only until tomking resume")

    def _lost(self, seconds: float) -> None:
        """On the watchdog's thread: nobody gets the loop going again, and a new start finds everything."""
        if self._turns is not None:
            return
        words = (
            f"the loop has stood for {seconds:.0f} seconds and is ended; a new start goes on from the journal"
        )
        self._tell_aside("critical", words)
        self.leave(Exit.STALLED)

    def _tell_aside(self, level: str, words: str) -> None:
        """Of the watchdog: what holds the loop up may hold up who tells of it, but not the end."""
        ready = self.ready
        telling = threading.Thread(
            target=lambda: ready.teller.notify(level, words, ready.clock.now()), name="told", daemon=True
        )
        telling.start()
        telling.join(TOLD_WITHIN)

    def _end(self) -> None:
        """Nothing new leaves; openings under way are cancelled; five seconds for the answers."""
        ready, kernel = self.ready, self.ready.trading.kernel
        ready.gates.shut = "the program is ending"
        now = ready.clock.now()
        for id_, working in tuple(kernel.book.orders.items()):
            if working.order.opens and not working.cancelling:
                kernel.record(CancelRequested(now, id_, "the program ends"))
                ready.trading.orders.cancel(id_, now)
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and any(w.order.opens for w in kernel.book.orders.values()):
            kernel.hear(ready.clock.now())
            wait(0.05)
        self._drawn = self._kept = -KEPT_EVERY
        self._draw(ready.clock.now())
        ready.teller.notify("info", _farewell(kernel.book), ready.clock.now())


def _farewell(book: Book) -> str:
    left = f"{len(book.positions)} positions and {len(book.orders)} working orders stay as they are"
    return f"ended; {left} until the next start"


def _hours(session_: Session | None, ready: Ready, now: datetime) -> str:
    """What the market's clock says next."""
    if session_ is not None and now < session_.open:
        return f"opens {new_york(session_.open):%H:%M}"
    if session_ is not None and now < session_.close:
        return f"open until {new_york(session_.close):%H:%M}"
    following = ready.sessions.after(new_york(now).date())
    return "closed" if following is None else f"closed until {new_york(following.open):%a %d %b %H:%M}"
