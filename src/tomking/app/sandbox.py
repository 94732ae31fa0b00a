"""The local venue put together: a market, an account on it, and the server that runs until it is stopped."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from decimal import Decimal
from itertools import count
from pathlib import Path

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.app.backtest import LISTED_AHEAD
from tomking.app.chains import opened, place_of
from tomking.app.exits import Exit
from tomking.app.markets import model_market
from tomking.app.problems import Problem, Problems, problem
from tomking.app.sections import HISTORY_FIRST, HISTORY_LAST
from tomking.domain.calendar import Session, Sessions, wall_instant
from tomking.domain.errors import BadData
from tomking.domain.products import PRODUCTS
from tomking.ports import MarketData
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.venue.clock import VenueClock
from tomking.venue.diary import Diary
from tomking.venue.house import House
from tomking.venue.server import HOST, Address, application
from tomking.venue.tokens import Tokens

ACCOUNT = "5WT00001"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - words that open a toy venue on this machine, and nothing else
REFRESH_TOKEN = "sandbox-refresh"  # noqa: S105 - likewise
WARMED = ("SPX", "XSP")
"""Chains listed before it is ready, so that the kernels are compiled when the first client asks."""
RECORDED_AHEAD = 6 * LISTED_AHEAD
"""Recordings may be younger than the packaged history, and list options far ahead."""
MONTHS_READ = timedelta(days=62)
"""Of a store only so much after the first day is read."""
GRACE = 2
"""Seconds that open connections get at the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sandbox is opened with."""

    day: date
    at: wall_time
    """New York."""
    speed: float
    """Market seconds in a second; 0: the clock stands until it is moved."""
    capital: Decimal
    seed: int
    account: str = ACCOUNT
    state: Path | None = None
    """Where requests are kept for the next sandbox."""
    chains: Path | None = None
    """Recorded quotes instead of the model market (``app.chains``)."""

    def fixed(self) -> dict[str, str]:
        """What cannot change while orders are kept."""
        start = f"{self.day} {self.at:%H:%M}"
        return {
            "start": start,
            "capital": str(self.capital),
            "seed": str(self.seed),
            "account": self.account,
            "chains": str(self.chains.absolute()) if self.chains else "",
        }


def open_house(wanted: Wanted, until_closed: ExitStack) -> House:
    """The venue, its clock standing at the start; recorded files stay open as long as the stack.

    ``Problems`` with exit 6 for a day without a session or without prices.
    """
    market, sessions = _modelled(wanted) if wanted.chains is None else _recorded(wanted, until_closed)
    start = wall_instant(wanted.day, wanted.at)
    account = SimAccount(market, sessions, start, wanted.capital)
    clock = VenueClock(start, 0.0, time.monotonic)
    return House(wanted.account, market, sessions, account, clock, Settings())


def _modelled(wanted: Wanted) -> tuple[MarketData, Sessions]:
    if not HISTORY_FIRST <= wanted.day <= HISTORY_LAST:
        span = f"the packaged history has {HISTORY_FIRST} to {HISTORY_LAST}"
        raise problem(Exit.DATA, f"--date {wanted.day}: {span}")
    sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + LISTED_AHEAD)
    session_of(wanted.day, sessions)
    return model_market(load_history(), sessions, wanted.seed, real_sizes=True), sessions


def _recorded(wanted: Wanted, until_closed: ExitStack) -> tuple[MarketData, Sessions]:
    chains = wanted.chains
    assert chains is not None, "only where recorded quotes are named"
    if not place_of(chains).exists():
        raise problem(Exit.DATA, f"--chains {chains}: there is no such file or folder")
    sessions = load_sessions(HISTORY_FIRST, HISTORY_LAST + RECORDED_AHEAD)
    session_of(wanted.day, sessions)
    span = (wanted.day, wanted.day + MONTHS_READ)
    try:
        found = until_closed.enter_context(
            opened(chains, PRODUCTS, span=span, sessions=sessions, history=load_history())
        )
    except BadData as bad:
        raise Problems([Problem(Exit.DATA, line) for line in bad.problems]) from bad
    days = found.market.days
    if wanted.day not in days:
        raise problem(Exit.DATA, f"--date {wanted.day}: {chains} runs from {days[0]} to {days[-1]}")
    return found.market, sessions


def session_of(day: date, sessions: Sessions) -> Session:
    """``Problems`` with exit 6 when nothing is traded on ``day``."""
    found = sessions.on(day)
    if found is None:
        following = sessions.after(day)
        near = "" if following is None else f"; the next is {following.date}"
        raise problem(Exit.DATA, f"--date {day}: no session{near}")
    return found


def listening(port: int) -> socket.socket:
    """A loopback socket; ``Problems`` with exit 5 when the port is taken."""
    # Asyncio sends small answers at once only on a socket that says it is TCP; else each is 40 ms late.
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind((HOST, port))
        one.listen()
    except OSError as error:
        one.close()
        line = f"port {port} on {HOST}: {error.strerror}; choose another with --port (0: any free one)"
        raise problem(Exit.UNAVAILABLE, line) from error
    return one


class Sandbox:
    """A venue that is served until it is told to stop."""

    def __init__(self, wanted: Wanted, on: socket.socket) -> None:
        self.wanted, self._socket = wanted, on
        self._open = ExitStack()
        self.house = open_house(wanted, self._open)
        self.tokens = Tokens(CLIENT_SECRET, REFRESH_TOKEN, time.monotonic, _names("token"))
        self.port: int = on.getsockname()[1]

    def warm_up(self) -> None:
        """Lists the chains that are asked for first, and catches up with the kept requests."""
        for underlying in WARMED:
            self.house.equity_chain(underlying)
        self.house.valuation()
        if self.wanted.state is None:
            return
        diary = Diary(self.wanted.state, self.wanted.fixed())
        try:
            diary.replay(self.house)
        except BadData as bad:
            raise problem(Exit.DATA, "; ".join(bad.problems)) from bad
        diary.note(self.house)

    def serve(self, watch: Callable[[datetime], None]) -> None:
        """Runs until SIGINT or SIGTERM, which are passed on when all is closed; ``watch`` once a second."""
        # The day does not begin before somebody is there to see it.
        self.house.clock.wait(self.wanted.speed)
        self.tokens.came = self.house.clock.begin
        try:
            asyncio.run(self._serve(watch))
        finally:
            self._open.close()
            if self.wanted.state is not None:
                Diary(self.wanted.state, self.wanted.fixed()).stopped(self.house.clock.now())

    async def _serve(self, watch: Callable[[datetime], None]) -> None:
        import uvicorn  # noqa: PLC0415 - so that importing this module stays quick

        app = application(self.house, self.tokens, Address(self.port))
        config = uvicorn.Config(
            app, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=GRACE
        )
        server = uvicorn.Server(config)
        watching = asyncio.create_task(_watched(self.house, watch))
        try:
            await server.serve(sockets=[self._socket])
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            self._socket.close()


async def _watched(house: House, watch: Callable[[datetime], None]) -> None:
    """Looks once a second, and once more at the end."""
    try:
        while True:
            watch(house.clock.now())
            await asyncio.sleep(1)
    finally:
        watch(house.clock.now())


def _names(stem: str) -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"{stem}-{next(numbers)}"
