"""The line to tastytrade: the ``Wire`` on the SDK's session, with one thread of its own for the network.

Calls never wait: requests go into the thread's queue, cancels and closes before openings, and what comes
back is fetched by ``take``.  The account stream is read raw, so that a word nobody knows costs one message
and not the connection; it is beaten every ten seconds, and a beat without an answer is a dead stream (T11,
F28).
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from tastytrade import AlertStreamer, Session
from tastytrade.streamer import SubscriptionType

from tomking.adapters.tastytrade import words
from tomking.adapters.tastytrade.rest import Answered, ask
from tomking.adapters.tastytrade.symbols import Directory, UnknownSymbol
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    FindOrders,
    FindPositions,
    FindTransactions,
    Line,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Request,
    Told,
)

BEAT = 10.0
"""Seconds between heartbeats."""
AT_ONCE = 4
"""Requests under way together: an answer that does not come must not hold up a cancel."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
PATIENCE = 5.0
"""Seconds that ending waits for what is under way; what is not answered then stays UNKNOWN (F15)."""
MOST_TOLD = 10_000
"""Messages kept for ``take``; the searches repair what is lost beyond."""


class _Raw(AlertStreamer):
    """The SDK's stream without its models: whole messages go to ``heard``."""

    heard: Callable[[str, object], None]

    async def _map_message(self, type_str: str, data: dict[str, object]) -> None:
        self.heard(type_str, data)

    async def connect(self, account: str) -> None:
        """Subscribes to one account."""
        await self._subscribe(SubscriptionType.ACCOUNT, [account])

    async def beat(self) -> None:
        """One heartbeat, which has to be answered within ten seconds."""
        await self._subscribe(SubscriptionType.HEARTBEAT)


@dataclass(slots=True)
class TastytradeLine:
    """See the module.  ``start`` before use, ``close`` at the end."""

    open_session: Callable[[], Session]
    account: str
    directory: Directory
    now: Callable[[], datetime]
    """The time that answers are stamped with."""
    said: Callable[[str], None]
    """Told what could not be read, in words, without anybody's numbers."""
    _told: deque[Told] = field(default_factory=lambda: deque(maxlen=MOST_TOLD))
    _shown: dict[str, BrokerOrder] = field(default_factory=dict[str, BrokerOrder])
    _lasting: set[str] = field(default_factory=set[str])
    """Orders of ours that are good till cancelled."""
    _loop: asyncio.AbstractEventLoop | None = None
    _queue: "asyncio.PriorityQueue[tuple[int, int, Request]] | None" = None
    _thread: threading.Thread | None = None
    _stop: "asyncio.Event | None" = None
    _turns: "count[int]" = field(default_factory=count)

    # ------------------------------------------------------------------ the Wire

    def send(self, request: Request, now: datetime) -> None:
        loop, queue = self._loop, self._queue
        if loop is None or queue is None or loop.is_closed():
            self._told.append(Reply(request.key, now, Outcome.UNKNOWN, code="closed", text="not connected"))
            return
        loop.call_soon_threadsafe(queue.put_nowait, (_urgency(request), next(self._turns), request))

    def take(self, now: datetime) -> list[Told]:
        told = []
        while self._told:
            told.append(self._told.popleft())
        return told

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Starts the thread and returns when it can be asked."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="tastytrade", daemon=True)
        self._thread.start()
        ready.wait()

    def close(self) -> None:
        """Ends the thread; what is under way gets a few seconds."""
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(PATIENCE + 2)

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._main(ready))

    async def _main(self, ready: threading.Event) -> None:
        self._loop, self._queue, self._stop = (
            asyncio.get_running_loop(),
            asyncio.PriorityQueue(),
            asyncio.Event(),
        )
        async with self.open_session() as session:
            workers = [asyncio.create_task(self._work(session)) for _ in range(AT_ONCE)]
            stream = asyncio.create_task(self._listen(session))
            ready.set()
            await self._stop.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._queue.join(), PATIENCE)
            for task in (*workers, stream):
                task.cancel()
            await asyncio.gather(*workers, stream, return_exceptions=True)

    # ------------------------------------------------------------------ requests

    async def _work(self, session: Session) -> None:
        assert self._queue is not None, "the queue is made before its workers"
        while True:
            _, _, request = await self._queue.get()
            try:
                self._told.append(await self._perform(session, request))
            except asyncio.CancelledError:
                self._told.append(Reply(request.key, self.now(), Outcome.UNKNOWN, code="cancelled"))
                raise
            except Exception as error:  # noqa: BLE001 - a bug of ours is no proof of anything
                self.said(f"{type(request).__name__}: {type(error).__name__}")
                self._told.append(Reply(request.key, self.now(), Outcome.UNKNOWN, code="bug"))
            finally:
                self._queue.task_done()

    async def _perform(self, session: Session, request: Request) -> Reply:
        match request:
            case Place():
                return await self._place(session, request)
            case Replace():
                return await self._replace(session, request)
            case Cancel():
                path = f"{self._path}/orders/{request.order}"
                return self._ordered(request.key, await ask(session, "DELETE", path, about_an_order=True))
            case FindOrders():
                return await self._orders(session, request.key)
            case FindPositions():
                return await self._positions(session, request.key)
            case FindTransactions():
                return await self._transactions(session, request.key)

    async def _place(self, session: Session, place: Place) -> Reply:
        try:
            body = words.placing(place, self.directory)
        except UnknownSymbol as error:
            # It was never sent: that is certain.
            return Reply(place.key, self.now(), Outcome.REJECTED, code="unknown_symbol", text=str(error))
        if place.good_till_cancelled:
            self._lasting.add(place.tag)
        answered = await ask(session, "POST", f"{self._path}/orders", about_an_order=True, json=body)
        return self._ordered(place.key, answered)

    async def _replace(self, session: Session, replace: Replace) -> Reply:
        shown = self._shown.get(replace.order)
        if shown is None:
            text = "the order to be replaced has not been seen"
            return Reply(replace.key, self.now(), Outcome.REJECTED, code="unseen", text=text)
        lasting = shown.tag in self._lasting
        if lasting:
            self._lasting.add(replace.tag)
        body = words.replacing(replace, shown, good_till_cancelled=lasting)
        path = f"{self._path}/orders/{replace.order}"
        return self._ordered(replace.key, await ask(session, "PUT", path, about_an_order=True, json=body))

    def _ordered(self, key: str, answered: Answered) -> Reply:
        """The answer to what moves an order; one that was taken and cannot be read is UNKNOWN."""
        at = self.now()
        if answered.outcome is not Outcome.ACCEPTED:
            return Reply(key, at, answered.outcome, code=answered.code, text=answered.text)
        data = answered.data
        inner = data.get("order", data) if isinstance(data, Mapping) else data
        order = self._read(inner)
        if order is None:
            return Reply(key, at, Outcome.UNKNOWN, code="unreadable", text="taken, in words nobody knows")
        return Reply(key, at, Outcome.ACCEPTED, orders=(order,))

    async def _orders(self, session: Session, key: str) -> Reply:
        answered = await ask(session, "GET", f"{self._path}/orders/live", about_an_order=False)
        if answered.outcome is not Outcome.ACCEPTED:
            return self._unknown(key, answered)
        orders, unread = words.orders(answered.items, self.directory)
        for one in unread:
            self.said(one)
        ours = [one for one in answered.items if words.tag_of(one)]
        if len(ours) > sum(1 for order in orders if order.tag):
            # An order of ours that cannot be read: the search proves nothing.
            return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable")
        self._shown.update((order.id, order) for order in orders)
        return Reply(key, self.now(), Outcome.ACCEPTED, orders=tuple(orders))

    async def _positions(self, session: Session, key: str) -> Reply:
        held = await ask(session, "GET", f"{self._path}/positions", about_an_order=False)
        cash = await ask(session, "GET", f"{self._path}/balances/USD", about_an_order=False)
        for one in (held, cash):
            if one.outcome is not Outcome.ACCEPTED:
                return self._unknown(key, one)
        try:
            positions = words.positions(held.items, cash.data, self.directory)
        except (words.UnknownWord, UnknownSymbol) as error:
            self.said(str(error))
            return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable", text=str(error))
        return Reply(key, self.now(), Outcome.ACCEPTED, positions=positions)

    async def _transactions(self, session: Session, key: str) -> Reply:
        path = f"{self._path}/transactions"
        answered = await ask(session, "GET", path, about_an_order=False, params={"per-page": 250})
        if answered.outcome is not Outcome.ACCEPTED:
            return self._unknown(key, answered)
        try:
            found = words.transactions(answered.items, self.directory)
        except (words.UnknownWord, UnknownSymbol) as error:
            self.said(str(error))
            return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable", text=str(error))
        return Reply(key, self.now(), Outcome.ACCEPTED, transactions=found)

    def _unknown(self, key: str, answered: Answered) -> Reply:
        return Reply(key, self.now(), Outcome.UNKNOWN, code=answered.code, text=answered.text)

    @property
    def _path(self) -> str:
        return f"/accounts/{self.account}"

    # ------------------------------------------------------------------ the stream

    async def _listen(self, session: Session) -> None:
        """Connects, beats, and connects again after a pause that doubles up to half a minute."""
        pause = FIRST_BACKOFF
        while True:
            try:
                await session.refresh()
                async with _Raw(session) as stream:
                    stream.heard = self._heard
                    await stream.connect(self.account)
                    self._told.append(Line(self.now(), up=True))
                    pause = FIRST_BACKOFF
                    while True:
                        await asyncio.sleep(BEAT)
                        await stream.beat()
            except asyncio.CancelledError:
                raise
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it is, it is down
                self.said(f"account stream: {_kind(error)}")
            self._told.append(Line(self.now(), up=False))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_BACKOFF)

    def _heard(self, kind: str, data: object) -> None:
        if kind != "Order":
            return
        order = self._read(data)
        if order is not None:
            self._told.append(Report(self.now(), order))

    def _read(self, data: object) -> BrokerOrder | None:
        try:
            order = words.broker_order(data, self.directory)
        except (words.UnknownWord, UnknownSymbol) as error:
            self.said(str(error))
            return None
        self._shown[order.id] = order
        return order


def _urgency(request: Request) -> int:
    """Cancels and closes go before what opens, and that before questions."""
    match request:
        case Cancel():
            return 0
        case Place(opens=False) | Replace():
            return 1
        case Place():
            return 2
        case _:
            return 3


def _kind(error: BaseException) -> str:
    """The names of what went wrong, innermost last; never its text."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({_kind(one) for one in error.exceptions}))
    return type(error).__name__
