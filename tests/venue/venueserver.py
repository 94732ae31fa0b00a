"""A venue on a real loopback socket, in a thread of the test's own process."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as wall_time
from decimal import Decimal
from functools import cache
from itertools import count

import httpx
import uvicorn

from tomking.adapters.calendars import load_sessions
from tomking.adapters.history import load_history
from tomking.domain.calendar import Sessions
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.sim.market import ModelMarket
from tomking.venue.clock import VenueClock, Wall
from tomking.venue.house import House
from tomking.venue.server import HOST, Address, application
from tomking.venue.tokens import Tokens

ACCOUNT = "5WT00001"
SECRET, REFRESH = "sandbox-secret", "sandbox-refresh"
FRIDAY = date(2024, 6, 7)


@dataclass(frozen=True)
class Running:
    """A venue that listens."""

    house: House
    tokens: Tokens
    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


@cache
def sessions() -> Sessions:
    return load_sessions(date(1990, 1, 1), date(2027, 12, 31))


@cache
def market() -> ModelMarket:
    """One for all tests: what it answers depends on nothing but the question."""
    return ModelMarket(load_history(), sessions(), 1, real_sizes=True)


@cache
def _learnt() -> House:
    """A house that has read the chains that tests ask for, on ``FRIDAY``."""
    house = _house(_at(wall_time(10, 30)), 0.0, time.monotonic)
    house.equity_chain("SPX")
    house.futures_chain("MES")
    return house


def a_house(at: datetime | None = None, speed: float = 0.0, wall: Wall = time.monotonic) -> House:
    """A fresh account; what was listed on ``FRIDAY`` is known already."""
    house = _house(at or _at(wall_time(10, 30)), speed, wall)
    house.directory = _learnt().directory
    house._chains.update(_learnt()._chains)
    return house


def _house(start: datetime, speed: float, wall: Wall) -> House:
    account = SimAccount(market(), sessions(), start, Decimal(200_000))
    return House(ACCOUNT, market(), sessions(), account, VenueClock(start, speed, wall), Settings())


@contextmanager
def running(
    house: House | None = None, *, strict: bool = False, words: tuple[str, str] = (SECRET, REFRESH)
) -> Iterator[Running]:
    """Serves until the block ends; words: what logs in."""
    house = house or a_house()
    numbers = count(1)
    tokens = Tokens(*words, time.monotonic, lambda: f"token-{next(numbers)}")
    address = Address()
    app = application(house, tokens, address, strict=strict)
    config = uvicorn.Config(app, host=HOST, port=0, log_level="error", ws="websockets-sansio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        # A test without the mark enable_socket, say: it would be waited for until the end of days.
        assert thread.is_alive(), "the venue has not started: is the test marked enable_socket?"
    address.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Running(house, tokens, address.port)
    finally:
        server.should_exit = True
        thread.join(10)


def _at(clock: wall_time) -> datetime:
    session = sessions().on(FRIDAY)
    assert session is not None
    return session.at(clock)


def bearer(venue: Running, scope: str = "read trade") -> dict[str, str]:
    """The header of a fresh access token."""
    body = {
        "grant_type": "refresh_token",
        "client_secret": SECRET,
        "refresh_token": REFRESH,
        "scope": scope,
    }
    token = httpx.post(f"{venue.url}/oauth/token", json=body).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}
