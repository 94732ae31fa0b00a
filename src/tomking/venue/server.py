"""The venue on a socket: one ASGI application on loopback, and the loop that keeps its time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tomking.domain.calendar import new_york
from tomking.venue.agenda import agenda
from tomking.venue.faults import FaultDesk
from tomking.venue.house import House
from tomking.venue.rest import Rest
from tomking.venue.sockets import Sockets
from tomking.venue.tokens import Tokens

MONTH = timedelta(days=31)
HOST = "127.0.0.1"
"""Loopback, and nothing else."""


@dataclass(slots=True)
class Address:
    """Where the server listens; known once it does."""

    port: int = 0

    def dxlink(self) -> str:
        return f"ws://{HOST}:{self.port}/realtime"


def application(house: House, tokens: Tokens, address: Address, *, strict: bool = False) -> ASGIApp:
    """The whole venue."""
    rest = Rest(house, tokens, dxlink_url=address.dxlink)
    desk = FaultDesk()
    sockets = Sockets(house, tokens, strict=strict, stalled=desk.stalls)

    async def control(request: Request) -> Response:
        """``POST /_sandbox``: faults, the clock and hand-made trades; see ``FaultDesk.order``."""
        try:
            answer = desk.order(await request.json(), house, tokens)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        for which in desk.cuts():
            await sockets.close_all(which)
        return JSONResponse({**answer, "sequence": await sockets.flush()})

    async def state(_request: Request) -> Response:
        """``GET /_sandbox``: the venue's time, speed and faults."""
        now = house.now()
        shown = {"now": now.isoformat(), "speed": house.clock.speed, "faults": desk.active()}
        return JSONResponse({**shown, "trouble": sockets.trouble} if sockets.trouble else shown)

    async def events(request: Request) -> Response:
        """``GET /_sandbox/events?from=DAY&to=DAY``: what is announced; from now, for a month, if not said."""
        today = new_york(house.clock.now()).date()
        asked = request.query_params
        try:
            first = date.fromisoformat(asked.get("from", today.isoformat()))
            last = date.fromisoformat(asked.get("to", (first + MONTH).isoformat()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(agenda(house.sessions, first, last))

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(sockets.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    own = [Route("/_sandbox", control, methods=["POST"]), Route("/_sandbox", state)]
    own.append(Route("/_sandbox/events", events))
    app = Starlette(routes=[*rest.routes(), *sockets.routes(), *own], lifespan=running)
    return desk.wrapped(app, lambda: tokens.blocked)
