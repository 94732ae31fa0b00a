"""What goes wrong on purpose between the venue and its clients: the transport's faults, by command.

Order by order and leg by leg faults are the account's (``sim.faults``); these are those of the network and of
the service: late, lost and garbled answers, 5xx, 429, cut and silent streams, dead tokens.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tomking.domain.structure import Leg
from tomking.venue.house import House
from tomking.venue.tokens import Tokens

ANSWERS = {"429": 429, "500": 500, "502": 502, "503": 503, "html401": 401}
"""Refusals of the front, in HTML, before anything is done."""
AFTER = frozenset({"lost ack", "late ack", "garbled", "after 502"})
"""What spoils the answer to something that has been done."""
STREAMS = {"stall alerts": "alerts", "stall dxlink": "dxlink"}
CUTS = {"cut alerts": "alerts", "cut dxlink": "dxlink"}
OWN = "/_sandbox"
"""The venue's own endpoints: no fault strikes them."""
GARBLED = b'{"data": {"ord'
HTML = b"<html><body><h1>nginx</h1></body></html>"


@dataclass(slots=True)
class Fault:
    """One kind of trouble, for so many requests that match."""

    what: str
    times: int
    """-1: until it is cleared."""
    path: str = ""
    """Only requests whose path contains this."""
    method: str = ""
    seconds: float = 6.0
    """How late a late answer is."""

    def strikes(self, scope: Scope) -> bool:
        wanted = not self.method or scope["method"] == self.method
        return self.times != 0 and wanted and self.path in scope["path"]


@dataclass(slots=True)
class FaultDesk:
    """The faults under way, and the commands that start and end them."""

    faults: list[Fault] = field(default_factory=list[Fault])
    _cut: list[str] = field(default_factory=list[str])

    def order(self, body: Mapping[str, object], house: House, tokens: Tokens) -> dict[str, object]:
        """Carries out one command; ``ValueError`` names what is wrong with it.

        ``{"fault": NAME, "times": N, "path": P, "method": M, "seconds": S}``, ``{"clear": true}`` or
        ``{"clear": NAME}``, ``{"clock": INSTANT}``, ``{"speed": X}``, ``{"expire": true}``,
        ``{"revoke": true}``, ``{"pay": DOLLARS}``, ``{"hand": {"symbol": S, "quantity": N, "price": P}}``.
        """
        known = {"fault", "clear", "clock", "speed", "expire", "revoke", "pay", "hand"}
        if not known & set(body):
            raise ValueError(f"a command is one of {', '.join(sorted(known))}, not {sorted(body)}")
        if body.get("clear") is True:
            self.faults.clear()
            tokens.failures = 0
        elif "clear" in body:
            self.faults = [one for one in self.faults if one.what != body["clear"]]
        if "fault" in body:
            self._start(body)
        if "clock" in body:
            house.clock.move(datetime.fromisoformat(str(body["clock"])))
        if "speed" in body:
            house.clock.run(float(str(body["speed"])))
        if "expire" in body:
            tokens.expire()
        if "revoke" in body:
            tokens.revoked = True
        if "pay" in body:
            house.account.pay(Decimal(str(body["pay"])), "by hand", house.now())
        if "hand" in body:
            self._trade(cast(Mapping[str, object], body["hand"]), house)
        return {"now": house.now().isoformat(), "faults": self.active()}

    def active(self) -> list[str]:
        return [
            f"{one.what} x{one.times} {one.method} {one.path}".strip() for one in self.faults if one.times
        ]

    def stalls(self, stream: str) -> bool:
        return any(STREAMS.get(one.what) == stream and one.times for one in self.faults)

    def cuts(self) -> list[str]:
        """The streams to be cut now."""
        cut, self._cut = self._cut, []
        return cut

    def wrapped(self, app: ASGIApp, blocked: Callable[[], bool]) -> ASGIApp:
        """The application with its answers spoiled where a fault strikes; ``blocked``: none is given."""

        async def spoiling(scope: Scope, receive: Receive, send: Send) -> None:
            fault = self._next(scope) if scope["type"] == "http" else None
            if scope["type"] == "http" and blocked() and not scope["path"].startswith(OWN):
                await _cut(send)
            elif fault is None:
                await app(scope, receive, send)
            elif fault.what in ANSWERS:
                await _html(ANSWERS[fault.what], send)
            else:
                await _spoiled(fault, app, scope, receive, send)

        return spoiling

    def _start(self, body: Mapping[str, object]) -> None:
        what = str(body["fault"])
        if what in CUTS:
            self._cut.append(CUTS[what])
            return
        if what not in {*ANSWERS, *AFTER, *STREAMS}:
            names = sorted({*ANSWERS, *AFTER, *STREAMS, *CUTS})
            raise ValueError(f"there is no fault {what!r}; known are {', '.join(names)}")
        self.faults.append(
            Fault(
                what,
                int(str(body.get("times", 1))),
                str(body.get("path", "")),
                str(body.get("method", "")),
                float(str(body.get("seconds", 6.0))),
            )
        )

    def _next(self, scope: Scope) -> Fault | None:
        """The fault that strikes this request; its count goes down."""
        if scope["path"].startswith(OWN):
            return None
        for fault in self.faults:
            if fault.what not in STREAMS and fault.strikes(scope):
                fault.times -= fault.times > 0
                return fault
        return None

    def _trade(self, hand: Mapping[str, object], house: House) -> None:
        contract = house.directory.contract(str(hand["symbol"]))
        quantity, price = int(str(hand["quantity"])), Decimal(str(hand["price"]))
        legs = (Leg(contract, 1 if quantity > 0 else -1),)
        house.account.trade_by_hand(legs, abs(quantity), price, house.now())


async def _html(status: int, send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]}
    )
    await send({"type": "http.response.body", "body": HTML})


async def _cut(send: Send) -> None:
    """Ends the connection without a byte: ASGI has no word for it; uvicorn's ``send`` knows its transport."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the connection is cut by command")
    transport.abort()
    await asyncio.sleep(0)  # the server notices before it misses an answer


async def _spoiled(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Lets the request do its work, and spoils what goes back."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    match fault.what:
        case "lost ack":
            await _cut(send)
        case "late ack":
            await asyncio.sleep(fault.seconds)
            for message in messages:
                await send(message)
        case "garbled":
            headers = [(name, value) for name, value in messages[0]["headers"] if name != b"content-length"]
            await send({**messages[0], "headers": [*headers, (b"content-length", b"%d" % len(GARBLED))]})
            await send({"type": "http.response.body", "body": GARBLED})
        case _:
            await _html(502, send)
