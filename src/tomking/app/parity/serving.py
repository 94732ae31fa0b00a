"""The venue of a comparison: on a real socket of this machine, in a thread of this process.

It answers without delay: an order works, ends and is shown at the instant it arrived, as in a backtest.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from tomking.app.sandbox import ACCOUNT, CLIENT_SECRET, REFRESH_TOKEN, listening
from tomking.domain.calendar import Sessions
from tomking.ports import MarketData
from tomking.risk.settings import Settings
from tomking.sim.account import SimAccount
from tomking.sim.floor import Pace
from tomking.venue.clock import VenueClock
from tomking.venue.house import House
from tomking.venue.server import Address, application
from tomking.venue.tokens import Tokens

NONE = timedelta(0)
AT_ONCE = Pace(routes=NONE, cancels=NONE, legs=NONE)
"""No time passes between a request and its effect."""
STARTED_WITHIN = 30.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Served:
    """A venue that listens."""

    house: House
    tokens: Tokens
    port: int


def a_house(
    market: MarketData, sessions: Sessions, start: datetime, capital: Decimal, pace: Pace = AT_ONCE
) -> House:
    """A fresh account, its clock standing at ``start``."""
    account = SimAccount(market, sessions, start, capital, pace=pace)
    return House(ACCOUNT, market, sessions, account, VenueClock(start, 0.0, time.monotonic), Settings())


@contextmanager
def served(house: House, behind: int | None = None) -> Iterator[Served]:
    """Serves until the block ends.  ``Problems`` (5) where no socket can be had.

    behind  the port by which clients reach it, where that is not its own
    """
    import uvicorn  # noqa: PLC0415 - so that importing this module stays quick

    socket = listening(0)
    port = socket.getsockname()[1]
    numbers = count(1)
    tokens = Tokens(CLIENT_SECRET, REFRESH_TOKEN, time.monotonic, lambda: f"token-{next(numbers)}")
    app = application(house, tokens, Address(behind or port))
    config = uvicorn.Config(app, log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[socket]),), daemon=True)
    thread.start()
    began = time.monotonic()
    while not server.started and thread.is_alive() and time.monotonic() - began < STARTED_WITHIN:
        thread.join(0.01)
    try:
        yield Served(house, tokens, port)
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()
