"""The two sides of a comparison: the backtest driver, and the live stack from its start to its sockets."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from tomking.adapters.history import load_history
from tomking.adapters.journal import MemoryJournal
from tomking.adapters.tastytrade.live import LiveMarket, bars_of
from tomking.adapters.tastytrade.session import Destination, Environment, Scope, Secrets, session
from tomking.app.live.asked import Asked
from tomking.app.live.feed import BARS_BACK, INDEX_FAMILIES, rate_on
from tomking.app.live.lines import RunLine
from tomking.app.live.listings import Listings, load_listings
from tomking.app.live.stages import Configured, Ready, start
from tomking.app.live.telling import Teller
from tomking.app.outside import places
from tomking.app.parity.direct import DirectStream
from tomking.app.parity.serving import Served
from tomking.app.sandbox import CLIENT_SECRET, REFRESH_TOKEN
from tomking.app.wiring import paper_risk, parity_kernel
from tomking.domain.bars import Bars
from tomking.domain.book import Working
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.events import CashMoved, Event
from tomking.domain.intent import Urgency
from tomking.domain.money import cents
from tomking.kernel import Kernel
from tomking.risk.settings import Settings
from tomking.venue.quotes import Feed

PATIENCE = 10.0
"""Seconds of the wall that a stream or an answer is waited for."""
LOOK = 0.002
SOON = timedelta(seconds=1)


class Behind(Exception):
    """The live side did not catch up with the venue."""


@dataclass(slots=True)
class LiveSide:
    """The live stack, led from outside: no instant passes before everything told by then has come in."""

    ready: Ready
    line: RunLine
    bell: threading.Event
    told: list[tuple[str, str]]
    steps: int = 0
    _read: int = -1
    """Questions sent when the account stream was last read to its end; -1: the clock has moved since."""
    _since: float | None = None

    @property
    def kernel(self) -> Kernel:
        return self.ready.trading.kernel

    def wake(self, now: datetime) -> datetime | None:
        """When it wants to be stepped; None while nothing but targets works, which it would only look at:
        the account stream tells of them, and every minute it is asked.
        """
        wake = self.kernel.next_wake(now)  # always asked, as a driver does: a kernel sleeps until then
        is_calm = all(map(_merely_rests, self.kernel.book.orders.values())) and not self._stirs()
        return None if is_calm else wake

    def _stirs(self) -> bool:
        return any(course.is_restless for course in self.ready.trading.orders.courses.values())

    def lead(self) -> None:
        """From now on every look waits for what is under way."""
        self.ready.wire.again = self._again
        self.ready.feed.stream.after_want = self._quotes
        self.ready.gates.shut = ""
        self._quotes()

    def list_anew(self, listings: Listings, day: date) -> None:
        """Another session's listings and announcements."""
        self.ready.feed.load(listings)
        self.ready.announced.read(listings.products, day)
        self._quotes()

    def move(self, now: datetime) -> None:
        """The venue's clock, and everything it told on the way."""
        self.ready.clock.move(now)
        self._quotes()
        self.ready.feed.stream.still_true(now)
        self._read = -1

    def step(self, now: datetime) -> bool:
        """Whether it did something about an order, and so may have more to do at this instant."""
        acted = self.ready.wire.acted
        self.kernel.step(now)
        self.steps += 1
        return self.ready.wire.acted > acted

    def _again(self) -> bool:
        """Whether more may come: an answer is due, or the stream was not read since the last question."""
        wire = self.ready.wire
        if wire.waits:
            self._since = time.monotonic() if self._since is None else self._since
            if time.monotonic() - self._since > PATIENCE:
                raise Behind(f"no answer within {PATIENCE:.0f} s")
            self.bell.wait(LOOK)
            self.bell.clear()
            return True
        self._since = None
        if self._read == wire.sent:
            return False
        if self._read >= 0:  # the venue tells what is true by now, as it does when its clock is moved
            self.ready.clock.move(self.ready.clock.now())
        self._read = wire.sent
        # A heartbeat that is answered comes after all of that.
        if not self.line.abreast(PATIENCE):
            raise Behind("the account stream does not answer")
        return True

    def _quotes(self) -> None:
        if not self.ready.feed.stream.abreast(PATIENCE):
            raise Behind("the quotes do not come")


@contextmanager
def live_side(venue: Served, configured: Configured, home: Path) -> Iterator[LiveSide]:
    """The five stages of a start, and what they have opened until the block ends."""
    port, bell, told = venue.port, threading.Event(), list[tuple[str, str]]()
    folder = home / "paper" / "sandbox"
    asked = Asked(
        Destination(Environment.SANDBOX, port),
        Secrets(CLIENT_SECRET, REFRESH_TOKEN),
        venue.house.number,
        folder,
        home,
        1.0,
        None,
        fresh=False,
    )
    ready = start(asked, configured, lambda stage, text: told.append((stage, text)), Teller, bell.set)
    try:
        line = ready.line
        yield LiveSide(ready, line, bell, told)
    finally:
        ready.close()


class BackSide:
    """The backtest driver on the same information: its kernel, its simulated broker, its loop."""

    def __init__(
        self, venue: Served, live: LiveSide, sessions: Sessions, listings: Listings, now: datetime
    ) -> None:
        """The announcements are the live side's own."""
        self._now, self._sessions = now, sessions
        house, configured = venue.house, live.ready.configured
        self._feed = Feed(house.market, sessions, house.directory)
        self.stream = DirectStream(self._feed, lambda: self._now, lambda _: None)
        families = (*INDEX_FAMILIES, *listings.levels)
        self._candles = {f: f if f in INDEX_FAMILIES else f"/{f}" for f in families}
        self.market = LiveMarket(
            self.stream,
            house.directory,
            sessions,
            self._bars,
            rate=rate_on(load_history(), new_york(now).date()),
            levels=listings.levels,
        )
        self.journal = MemoryJournal()
        self.kernel = parity_kernel(
            strategies=configured.strategies,
            risk=paper_risk(configured.config.section("risk", Settings), on_a_model=True),
            places=places(configured.names),
            seen=self.market,
            traded=house.market,
            sessions=sessions,
            journal=self.journal,
            events=live.ready.announced.calendar,
        )
        self.kernel.record(CashMoved(now, cents(house.account.shown.cash), "starting capital"))
        self.list_anew(listings)
        self._minute = now
        self.steps = 0

    def list_anew(self, listings: Listings) -> None:
        self.market.load(listings.listed)
        self.stream.want_candles(self._candles.values(), self._now - BARS_BACK)

    def move(self, now: datetime) -> None:
        self._now = now
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            self.stream.publish(now)
        self.stream.still_true(now)

    def step(self, now: datetime) -> None:
        self.kernel.step(now)
        self.steps += 1

    @property
    def events(self) -> list[Event]:
        return list(self.journal.read())

    def _bars(self, family: str) -> Bars:
        found = self.stream.candles(self._candles.get(family, ""))
        return bars_of(found.time, found.prices)


def _merely_rests(working: Working) -> bool:
    return working.order.urgency is Urgency.TARGET and not working.cancelling and working.doubt is None


def listed(live: LiveSide) -> Listings:
    """What the venue lists for the next session, read over its API."""
    asked = live.ready.asked
    products = live.ready.configured.products() | {c.product for c in live.kernel.book.held()}
    return load_listings(partial(session, asked.to, asked.secrets, Scope.READ), products)
