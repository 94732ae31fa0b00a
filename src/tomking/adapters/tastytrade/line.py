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
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count

from tastytrade import AlertStreamer
from tastytrade.streamer import SubscriptionType

from tomking.adapters.tastytrade import dryrun, words
from tomking.adapters.tastytrade.rest import Answered, ask, ask_all
from tomking.adapters.tastytrade.session import GuardedSession
from tomking.adapters.tastytrade.stream import kind_of, renew
from tomking.adapters.tastytrade.symbols import Directory, UnknownSymbol
from tomking.domain.calendar import new_york
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    DryRun,
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
ANSWERED_WITHIN = 10.0
"""Seconds in which a heartbeat is answered, or the stream is dead."""
AT_ONCE, KEPT_FREE = 3, 3
"""Requests under way together: of any kind, and beside them of those that end risk, so that answers that do
not come never hold up a cancel."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
PATIENCE = 5.0
"""Seconds that ending waits for what is under way; what is not answered then stays UNKNOWN (F15)."""
READS = 4
"""Times that positions are read while the account moves beneath them."""
BACK = timedelta(days=6)
"""Transactions of so many days hold those of the session before, whatever the holidays."""
MOST_TOLD = 10_000
"""Messages kept for ``take``; the searches repair what is lost beyond."""


Lane = asyncio.PriorityQueue[tuple[int, int, Request]]
"""Urgency, turn, request: the lowest first."""


class _Raw(AlertStreamer):
    """The SDK's stream without its models: whole messages go to ``heard``."""

    heard: Callable[[str, object], None]

    async def _map_message(self, type_str: str, data: dict[str, object]) -> None:
        self.heard(type_str, data)

    async def connect(self, account: str) -> None:
        """Subscribes to one account."""
        await self._subscribe(SubscriptionType.ACCOUNT, [account])

    async def beat(self) -> None:
        """One heartbeat; ``TimeoutError`` where it is not answered."""
        async with asyncio.timeout(ANSWERED_WITHIN):
            await self._subscribe(SubscriptionType.HEARTBEAT)


@dataclass(slots=True)
class TastytradeLine:
    """See the module.  ``start`` before use, ``close`` at the end."""

    open_session: Callable[[], GuardedSession]
    account: str
    directory: Directory
    now: Callable[[], datetime]
    """The time that answers are stamped with."""
    said: Callable[[str], None]
    """Told what could not be read, in words, without anybody's numbers."""
    wake: Callable[[], None] = lambda: None
    """Called on the network's thread whenever there is something to ``take``."""
    _told: deque[Told] = field(default_factory=lambda: deque(maxlen=MOST_TOLD))
    _searched: date | None = None
    """The New York day on which older working orders were last asked for."""
    _shown: dict[str, BrokerOrder] = field(default_factory=dict[str, BrokerOrder])
    _lasting: set[str] = field(default_factory=set[str])
    """Orders of ours that are good till cancelled."""
    _loop: asyncio.AbstractEventLoop | None = None
    _lanes: tuple[Lane, Lane] | None = None
    """Requests that wait: those that end risk, and all others."""
    _thread: threading.Thread | None = None
    _stop: "asyncio.Event | None" = None
    _closing: bool = False
    _turns: "count[int]" = field(default_factory=count)
    _stream: _Raw | None = None
    """The account stream while it is up."""

    # ------------------------------------------------------------------ the Wire

    def send(self, request: Request, now: datetime) -> None:
        loop, lanes, urgency = self._loop, self._lanes, _urgency(request)
        if loop is not None and lanes is not None and not self._closing:
            lane = lanes[0 if urgency < OPENS else 1]
            with suppress(RuntimeError):  # the loop may end between the question and the call
                loop.call_soon_threadsafe(lane.put_nowait, (urgency, next(self._turns), request))
                return
        self._tell(Reply(request.key, now, Outcome.UNKNOWN, code="closed", text="not connected"))

    def take(self, now: datetime) -> list[Told]:
        told = []
        while self._told:
            told.append(self._told.popleft())
        return told

    def abreast(self, patience: float) -> bool:
        """Whether all that the account stream had to tell by now has come in: a heartbeat was answered.

        patience  seconds of the wall that its answer is waited for
        """
        stream, loop = self._stream, self._loop
        if stream is None or loop is None:
            return False
        beat = asyncio.run_coroutine_threadsafe(stream.beat(), loop)
        try:
            beat.result(patience)
        except Exception:  # noqa: BLE001 - whatever it is, nothing was answered
            beat.cancel()
            return False
        return True

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        """Starts the thread and returns when it can be asked."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="tastytrade", daemon=True)
        self._thread.start()
        ready.wait()

    def close(self) -> None:
        """Ends the thread; what is under way gets a few seconds, then it is UNKNOWN."""
        self._closing = True
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(PATIENCE + 2)

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._main(ready))
        except Exception as error:  # noqa: BLE001 - nobody else would hear of it
            self.said(f"the line has ended: {kind_of(error)}")
        finally:
            self._closing = True
            ready.set()

    async def _main(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        urgent, others = lanes = Lane(), Lane()
        self._lanes = lanes
        async with self.open_session() as session:
            workers = [asyncio.create_task(self._work(session, urgent)) for _ in range(KEPT_FREE)]
            workers += [asyncio.create_task(self._work(session, others)) for _ in range(AT_ONCE)]
            stream = asyncio.create_task(self._listen(session))
            ready.set()
            await self._stop.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(urgent.join(), others.join()), PATIENCE)
            for task in (*workers, stream):
                task.cancel()
            await asyncio.gather(*workers, stream, return_exceptions=True)
            for lane in lanes:
                while not lane.empty():
                    _, _, request = lane.get_nowait()
                    self._tell(Reply(request.key, self.now(), Outcome.UNKNOWN, code="closed"))

    # ------------------------------------------------------------------ requests

    async def _work(self, session: GuardedSession, lane: Lane) -> None:
        while True:
            _, _, request = await lane.get()
            try:
                self._tell(await self._perform(session, request))
            except asyncio.CancelledError:
                self._tell(Reply(request.key, self.now(), Outcome.UNKNOWN, code="cancelled"))
                raise
            except Exception as error:  # noqa: BLE001 - a bug of ours is no proof of anything
                self.said(f"{type(request).__name__}: {type(error).__name__}")
                self._tell(Reply(request.key, self.now(), Outcome.UNKNOWN, code="bug"))
            finally:
                lane.task_done()

    def _tell(self, told: Told) -> None:
        self._told.append(told)
        self.wake()

    async def _perform(self, session: GuardedSession, request: Request) -> Reply:
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
            case DryRun():
                return await self._dry_run(session, request)

    async def _place(self, session: GuardedSession, place: Place) -> Reply:
        try:
            body = words.placing(place, self.directory)
        except UnknownSymbol as error:
            # It was never sent: that is certain.
            return Reply(place.key, self.now(), Outcome.REJECTED, code="unknown_symbol", text=str(error))
        if place.good_till_cancelled:
            self._lasting.add(place.tag)
        answered = await ask(session, "POST", f"{self._path}/orders", about_an_order=True, json=body)
        return self._ordered(place.key, answered)

    async def _dry_run(self, session: GuardedSession, run: DryRun) -> Reply:
        try:
            body = dryrun.body(run, self.directory)
        except UnknownSymbol as error:
            return Reply(run.key, self.now(), Outcome.REJECTED, code="unknown_symbol", text=str(error))
        path = f"{self._path}/orders/dry-run"
        answered = await ask(session, "POST", path, about_an_order=False, json=body)
        outcome, effect, code, text = dryrun.judged(answered)
        return Reply(run.key, self.now(), outcome, code=code, text=text, effect=effect)

    async def _replace(self, session: GuardedSession, change: Replace) -> Reply:
        shown = self._shown.get(change.order)
        if shown is None:
            text = "the order to be replaced has not been seen"
            return Reply(change.key, self.now(), Outcome.REJECTED, code="unseen", text=text)
        lasting = shown.tag in self._lasting
        if lasting:
            self._lasting.add(change.tag)
        body = words.replacing(change, shown, good_till_cancelled=lasting)
        path = f"{self._path}/orders/{change.order}"
        return self._ordered(change.key, await ask(session, "PUT", path, about_an_order=True, json=body))

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

    async def _orders(self, session: GuardedSession, key: str) -> Reply:
        answered = await self._all_orders(session)
        if answered.outcome is not Outcome.ACCEPTED:
            return self._unknown(key, answered)
        try:
            self._own(*answered.items)
        except words.UnknownWord as error:
            self.said(str(error))
            return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable", text=str(error))
        orders, unread = words.orders(answered.items, self.directory)
        for one in unread:
            self.said(one)
        ours = [one for one in answered.items if words.tag_of(one)]
        if len(ours) > sum(1 for order in orders if order.tag):
            # An order of ours that cannot be read: the search proves nothing.
            return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable")
        self._shown.update((order.id, order) for order in orders)
        self._lasting |= {words.tag_of(one) for one in answered.items if words.lasts(one)}
        return Reply(key, self.now(), Outcome.ACCEPTED, orders=tuple(orders))

    async def _all_orders(self, session: GuardedSession) -> Answered:
        """Those of today, and those that work since earlier days, which the list of today does not have.

        The second list is read when there may be such: at first, once a day, and while an order of ours is
        good till cancelled.
        """
        todays = await ask_all(session, f"{self._path}/orders/live")
        today = new_york(self.now()).date()
        if todays.outcome is not Outcome.ACCEPTED or (self._searched == today and not self._lasting):
            return todays
        asked = {"status[]": list(words.WORKING)}
        older = await ask_all(session, f"{self._path}/orders", asked)
        if older.outcome is not Outcome.ACCEPTED:
            return older
        self._searched = today
        # What is in both is newer in the second.
        newest = {words.order_id(one): one for one in (*todays.items, *older.items)}
        return replace(todays, body={"data": {"items": list(newest.values())}})

    async def _positions(self, session: GuardedSession, key: str) -> Reply:
        """Positions between two looks at a cash balance that has not moved: a fill moves both."""
        path = f"{self._path}/balances/USD"
        before = await ask(session, "GET", path, about_an_order=False)
        for _ in range(READS):
            held = await ask_all(session, f"{self._path}/positions")
            after = await ask(session, "GET", path, about_an_order=False)
            for one in (before, held, after):
                if one.outcome is not Outcome.ACCEPTED:
                    return self._unknown(key, one)
            try:
                self._own(*held.items, before.data, after.data)
                positions = words.positions(held.items, after.data, self.directory)
                if positions.cash == words.positions((), before.data, self.directory).cash:
                    return Reply(key, self.now(), Outcome.ACCEPTED, positions=positions)
            except (words.UnknownWord, UnknownSymbol) as error:
                self.said(str(error))
                return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable", text=str(error))
            before = after
        text = f"the cash balance changed with each of {READS} looks at the positions"
        return Reply(key, self.now(), Outcome.UNKNOWN, code="moving", text=text)

    async def _transactions(self, session: GuardedSession, key: str) -> Reply:
        since = new_york(self.now() - BACK).date().isoformat()
        path, asked = f"{self._path}/transactions", {"start-date": since}
        answered = await ask_all(session, path, asked, per_page=250)
        if answered.outcome is not Outcome.ACCEPTED:
            return self._unknown(key, answered)
        try:
            self._own(*answered.items)
            found = words.transactions(answered.items, self.directory)
            found += words.fee_differences(answered.items, self.directory)
        except (words.UnknownWord, UnknownSymbol) as error:
            self.said(str(error))
            return Reply(key, self.now(), Outcome.UNKNOWN, code="unreadable", text=str(error))
        return Reply(key, self.now(), Outcome.ACCEPTED, transactions=found)

    def _own(self, *found: object) -> None:
        """``UnknownWord`` where the broker shows something of another account (F62)."""
        for one in found:
            number = one.get("account-number") if isinstance(one, Mapping) else None
            if number not in {None, self.account}:
                raise words.UnknownWord("the broker has answered with another account's data")

    def _unknown(self, key: str, answered: Answered) -> Reply:
        return Reply(key, self.now(), Outcome.UNKNOWN, code=answered.code, text=answered.text)

    @property
    def _path(self) -> str:
        return f"/accounts/{self.account}"

    # ------------------------------------------------------------------ the stream

    async def _listen(self, session: GuardedSession) -> None:
        """Connects, beats, and connects again after a pause that doubles up to half a minute."""
        pause = FIRST_BACKOFF
        while True:
            try:
                await session.refresh()
                async with _Raw(session) as stream:
                    stream.heard = self._heard
                    await stream.connect(self.account)
                    self._stream = stream
                    self._tell(Line(self.now(), up=True))
                    pause = FIRST_BACKOFF
                    while True:
                        await asyncio.sleep(BEAT)
                        await stream.beat()
            except asyncio.CancelledError:
                raise
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it is, it is down
                self.said(f"account stream: {kind_of(error)}")
                await renew(session, error)
            self._stream = None
            self._tell(Line(self.now(), up=False))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_BACKOFF)

    def _heard(self, kind: str, data: object) -> None:
        if kind != "Order":
            return
        order = self._read(data)
        if order is not None:
            self._tell(Report(self.now(), order))

    def _read(self, data: object) -> BrokerOrder | None:
        try:
            self._own(data)
            order = words.broker_order(data, self.directory)
        except (words.UnknownWord, UnknownSymbol) as error:
            self.said(str(error))
            return None
        self._shown[order.id] = order
        return order


OPENS = 2


def _urgency(request: Request) -> int:
    """Cancels and closes go before what opens, and that before questions."""
    match request:
        case Cancel():
            return 0
        case Place(opens=False) | Replace():
            return 1
        case Place():
            return OPENS
        case _:
            return 3
