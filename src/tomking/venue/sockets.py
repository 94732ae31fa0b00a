"""The two websockets of the API: account news and DXLink, each a pump around a state machine."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tomking.domain.calendar import new_york
from tomking.venue.alerts import AlertLink, notification
from tomking.venue.dxlink import COLUMNS, DxLink, Event
from tomking.venue.house import House
from tomking.venue.tokens import Tokens

TICK = 0.1
"""Seconds of the wall between two looks at what has changed."""
ALIVE = 15
"""Market seconds after which levels are sent again though they have not changed: no exchange is silent."""
SEQUENCE = "TOMKING/SEQUENCE"
"""A symbol of the venue's own: its trades' price is the number of the last round told by command."""
UNMARKED: Event = {
    **dict.fromkeys(COLUMNS["Trade"], 0),
    "exchangeCode": "Q",
    "tickDirection": "ZERO",
    "extendedTradingHours": False,
}
GOING_AWAY, TOO_STRANGE = 1001, 1008


@dataclass(slots=True)
class Sockets:
    """Every open connection, and the loop that tells them what happened."""

    house: House
    tokens: Tokens
    strict: bool = False
    """Whether account connections need a heartbeat."""
    stalled: Callable[[str], bool] = lambda _: False
    """A fault: whether ``alerts`` or ``dxlink`` says nothing although it is connected."""
    sequence: int = 0
    """How often somebody had everything told by command (``flush``)."""
    _telling: asyncio.Lock = field(default_factory=asyncio.Lock)
    trouble: str = ""
    """The last thing that went wrong in telling; shown by the control endpoint."""
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _alerts: dict[WebSocket, AlertLink] = field(default_factory=dict[WebSocket, AlertLink])
    _feeds: dict[WebSocket, DxLink] = field(default_factory=dict[WebSocket, DxLink])
    _published: datetime | None = None
    _alive: datetime | None = None
    _seen: dict[tuple[str, str], object] = field(default_factory=dict[tuple[str, str], object])

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/streamer", self.alerts), WebSocketRoute("/realtime", self.dxlink)]

    # ------------------------------------------------------------------ account news

    async def alerts(self, socket: WebSocket) -> None:
        """One client of the account streamer."""
        await socket.accept()
        link = AlertLink(f"sandbox-{next(self._ids)}", frozenset({self.house.number}), strict=self.strict)
        self._alerts[socket] = link
        try:
            while True:
                message = await _message(socket)
                link.valid = self.tokens.valid()
                for answer in link.receive(message, self._wall()):
                    await socket.send_json(answer)
        except WebSocketDisconnect:
            return
        except ValueError as error:
            await socket.close(TOO_STRANGE, str(error)[:100])
        finally:
            self._alerts.pop(socket, None)

    def _wall(self) -> datetime:
        """Heartbeats are counted in the wall's seconds, however fast the market's pass."""
        return datetime.fromtimestamp(self.tokens.wall(), UTC)

    async def tell(self) -> None:
        """Sends what has changed since the last call: orders, then positions and balances."""
        house = self.house
        now = house.now()
        reports, moved = list(house.reports()), house.moved()
        if self.stalled("alerts") or not (reports or moved):
            return
        news = [notification("Order", house.shown(report.order), report.at) for report in reports]
        news += [
            notification("ComplexOrder", house.shown_complex(one), now) for one in house.touched(reports)
        ]
        if moved:
            news += [notification("CurrentPosition", row, now) for row in moved.positions]
            news.append(notification("AccountBalance", house.balances(), now))
        for socket, link in list(self._alerts.items()):
            if link.sends(house.number, self._wall()):
                for one in news:
                    await _send(socket, one)

    # ------------------------------------------------------------------ quotes

    async def dxlink(self, socket: WebSocket) -> None:
        """One client of DXLink."""
        await socket.accept()
        link = DxLink(self.tokens.quotes_allowed, self._snapshot)
        self._feeds[socket] = link
        try:
            while not link.closed:
                for answer in link.receive(await _message(socket)):
                    await socket.send_json(answer)
            await socket.close(GOING_AWAY, link.closed[:100])
        except WebSocketDisconnect:
            return
        except ValueError as error:
            await socket.close(TOO_STRANGE, str(error)[:100])
        finally:
            self._feeds.pop(socket, None)

    def _snapshot(self, kind: str, symbol: str, since: int) -> list[Event]:
        if symbol == SEQUENCE:
            return [self._mark()] if kind == "Trade" else []
        return list(self.house.feed.events(kind, symbol, self.house.clock.now(), since))

    async def publish(self) -> None:
        """Sends the quotes and Greeks that have changed since the last call, to those who want them."""
        at = self.house.clock.now()
        minute = at.replace(second=0, microsecond=0)
        if self.stalled("dxlink"):
            return
        if minute == self._published:
            # The market moves by the minute; who subscribes in between is answered at once.
            await self._stay_alive(at)
            return
        self._published = self._alive = minute
        wanted = {key for link in self._feeds.values() for key in link.wants() if key[0] != "Candle"}
        now, changed = self.house.clock.now(), dict[str, list[Mapping[str, object]]]()
        for kind, event in self._true_now(wanted, now):
            key, worth = (kind, str(event["eventSymbol"])), _worth(kind, event)
            if self._seen.get(key) != worth:
                self._seen[key] = worth
                changed.setdefault(kind, []).append(event)
        for socket, link in list(self._feeds.items()):
            for kind, events in changed.items():
                for frame in link.publish(kind, events):
                    await _send(socket, frame)

    async def _stay_alive(self, now: datetime) -> None:
        """Levels once more, now and then within the minute: who hears nothing takes the feed for dead.

        A clock that stands is led by somebody who knows that nothing has changed.
        """
        part = now.replace(second=now.second // ALIVE * ALIVE, microsecond=0)
        today = self.house.sessions.on(new_york(now).date())
        if part == self._alive or not self.house.clock.speed:
            return
        self._alive = part
        if today is None or not today.open <= now < today.close:
            return
        for socket, link in list(self._feeds.items()):
            levels = sorted(s for kind, s in link.wants() if kind == "Quote" and not s.startswith("."))
            for frame in link.publish("Quote", list(self.house.feed.quotes(levels, now))):
                await _send(socket, frame)

    def _true_now(self, wanted: set[tuple[str, str]], now: datetime) -> Iterator[tuple[str, Event]]:
        feed = self.house.feed
        quoted = sorted(symbol for kind, symbol in wanted if kind == "Quote")
        for event in feed.quotes(quoted, now):
            yield "Quote", event
        for kind, symbol in sorted(key for key in wanted if key[0] != "Quote"):
            for event in feed.events(kind, symbol, now):
                yield kind, event

    async def close_all(self, which: str) -> None:
        """A fault: cuts every connection of a kind."""
        for socket in list(self._alerts if which == "alerts" else self._feeds):
            with suppress(RuntimeError):
                await socket.close(1012, "Reconnection is required")

    async def flush(self) -> int:
        """Tells everything that is true by now, then, to who subscribed ``SEQUENCE``, the round's number.

        What a client has asked a stream after this and got an answer to, or has seen the number of, it has
        after everything before: so a driver can go on in step with the venue.
        """
        async with self._telling:
            await self.tell()
            await self.publish()
            self.sequence += 1
            for socket, link in list(self._feeds.items()):
                for frame in link.publish("Trade", [self._mark()]):
                    await _send(socket, frame)
        return self.sequence

    def _mark(self) -> Event:
        return {**UNMARKED, "eventSymbol": SEQUENCE, "price": float(self.sequence)}

    async def run(self) -> None:
        """Until cancelled.  What goes wrong is kept to be shown: a venue that falls silent helps nobody."""
        while True:
            try:
                async with self._telling:
                    await self.tell()
                    await self.publish()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next look may do
                self.trouble = f"{type(error).__name__}: {error}"
            await asyncio.sleep(TICK)


async def _message(socket: WebSocket) -> Mapping[str, object]:
    """``ValueError`` for what is no JSON object."""
    message = json.loads(await socket.receive_text())
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")  # noqa: TRY004 - it is what somebody sent
    return message


async def _send(socket: WebSocket, message: Mapping[str, object]) -> None:
    """To one client; that it has gone is noticed by who reads from it."""
    if socket.application_state is WebSocketState.CONNECTED:
        with suppress(WebSocketDisconnect, RuntimeError):
            await socket.send_json(message)


def _worth(kind: str, event: Mapping[str, object]) -> object:
    """What of an event is worth telling again."""
    if kind == "Quote":
        return event["bidPrice"], event["askPrice"]
    return {key: value for key, value in event.items() if key not in {"time", "eventTime"}}
