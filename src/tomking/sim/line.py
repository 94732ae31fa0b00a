"""A line to the simulated account that delays, drops, repeats and garbles what goes over it: a ``Wire``.

Virtual time only: what is handed over travels, arrives at the account, and the answer travels back.  Small
delays are drawn from one generator; everything worse is in the schedule of faults.  A request without an
answer after five seconds is answered UNKNOWN by the line's own end (T16), whatever became of it.
"""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

import numpy as np

from tomking.domain.replaced import replaced
from tomking.execution.wire import (
    BrokerOrder,
    Cancel,
    FindOrders,
    FindPositions,
    Line,
    Outcome,
    Place,
    Replace,
    Reply,
    Report,
    Request,
    Told,
)
from tomking.sim.account import SimAccount
from tomking.sim.faults import Fault, Faults

TIMEOUT = timedelta(seconds=5)
"""T16."""
NOTICED = timedelta(seconds=30)
"""A stream that is silent for so long is taken to be down by our end (T11)."""
DRAWN = 256
"""Delays are drawn once and used in turn: what is asked shifts no other message's delay."""

REFUSED_FOR_NOW = {"maintenance": "503", "too many": "429", "5xx": "502", "token refused": "401"}
"""Windows in which nothing is served, and what is answered: nothing that proves a refusal, so UNKNOWN."""


class SimLine:
    """The ``Wire`` protocol in front of one ``SimAccount``."""

    def __init__(
        self, account: SimAccount, faults: Faults, rng: np.random.Generator, start: datetime
    ) -> None:
        self.account = account
        self.sent: list[tuple[datetime, Request]] = []
        """Everything handed over, when."""
        self._faults = faults
        self._travel = [timedelta(seconds=s) for s in (0.01 + 0.15 * rng.random(DRAWN) ** 3).tolist()]
        self._hidden = [timedelta(seconds=s) for s in (0.02 / (0.01 + rng.random(DRAWN))).tolist()]
        self._trips = count()
        self._due: list[tuple[datetime, int, Callable[[datetime], None], str | None]] = []
        """What happens when; with a key it is the patience with that request's answer."""
        self._sequence = count()
        self._inbox: list[Told] = []
        self._open: dict[str, bool] = {}
        """Requests by key whose answer has not been told; True once the line has given up on one."""
        self._unseen: dict[str, datetime] = {}
        """When an order can be found, by id, while that is still to come."""
        self._last_frame = start
        self._life = 0
        """The process at our end: what was under way to an earlier one never arrives."""
        self._mute = _joined([(a, b) for a, b, _ in faults.windows("disconnect", "maintenance", "silence")])
        self._plan_stream()
        self._inbox.append(Line(start, self.is_up(start)))

    # ------------------------------------------------------------------ the Wire

    def send(self, request: Request, now: datetime) -> None:
        self.advance(now)
        self.sent.append((now, request))
        self._open[request.key] = False
        struck = self._faults.strike("request", now)
        if not isinstance(request, Place | Replace | Cancel):
            struck |= self._faults.strike("find", now)
        else:
            struck |= self._faults.strike(type(request).__name__.lower(), now)
        if "no connection" in struck:
            self._fire("no connection")
            self._answer(Reply(request.key, now, Outcome.UNKNOWN, code="tls"), now)
            return
        self._later(now + TIMEOUT, partial(self._give_up, request.key), request.key)
        if self._first(struck, "lost request", "replace lost", "cancel lost", "find lost"):
            return
        trip = self._trip()
        held = self._first(struck, "late arrival", "replace arrives late")
        if held is not None:
            trip = self._faults.after(held.seconds, now) - now
        life = self._life
        self._later(now + trip, lambda at: self._arrive(request, struck, life, at))

    def take(self, now: datetime) -> list[Told]:
        self.advance(now)
        told, self._inbox = self._inbox, []
        return told

    # ------------------------------------------------------------------ time

    def next_event(self) -> datetime | None:
        """When something may arrive, here or at the account: the instant to move the clock to."""
        while self._due and self._due[0][3] is not None and self._due[0][3] not in self._open:
            heappop(self._due)  # it has been answered
        venue = self.account.floor.next_event()
        if not self._due:
            return venue
        here = self._due[0][0]
        return here if venue is None or here < venue else venue

    def advance(self, now: datetime) -> None:
        """Lets everything travel and happen that is due by now, in its order."""
        while True:
            ahead = self.next_event()
            if ahead is None or ahead > now:
                break
            if self._due and self._due[0][0] == ahead:
                at, _, act, _ = heappop(self._due)
                act(at)
            else:
                self.account.advance(ahead)
            self._send_frames()
        self._send_frames()  # of what was done to the account by hand

    @property
    def has_arrived(self) -> bool:
        """Whether ``take`` would return anything now, without time going on."""
        return bool(self._inbox)

    def restart(self, now: datetime) -> None:
        """The process at our end died: what it has not taken, and what is under way to it, is lost.

        What it had sent still arrives.  The new one finds the stream as it is.
        """
        self.advance(now)
        self._life += 1
        self._open.clear()
        self._inbox = [Line(now, self.is_up(now))]

    def is_up(self, now: datetime) -> bool:
        """Whether our end believes the stream is connected."""
        return not any(start <= now < end for start, end in self._believed_down)

    # ------------------------------------------------------------------ requests

    def _arrive(self, request: Request, struck: dict[str, Fault], life: int, now: datetime) -> None:
        closed = next((what for what in REFUSED_FOR_NOW if self._faults.during(what, now)), None)
        if closed is not None:
            self._fire(closed)
            code = REFUSED_FOR_NOW[closed]
            self._reply(Reply(request.key, now, Outcome.UNKNOWN, code=code), struck, life, now)
            return
        reply = self._serve(request, struck, now)
        self._reply(reply, struck, life, now)

    def _serve(self, request: Request, struck: dict[str, Fault], now: datetime) -> Reply:
        stale = struck.get("stale snapshot")
        if isinstance(request, FindOrders):
            as_of = self._seen_as_of(stale, now)
            self.account.advance(now)
            return Reply(request.key, now, Outcome.ACCEPTED, orders=self._found(as_of, now))
        if isinstance(request, FindPositions) and stale is not None:
            self.account.advance(now)
            positions = self.account.positions(self._seen_as_of(stale, now))
            return Reply(request.key, now, Outcome.ACCEPTED, positions=positions)
        reply = self.account.handle(request, now)
        for order in reply.orders:
            if isinstance(request, Place | Replace):
                self._unseen[order.id] = now + self._hiding(struck, now)
        return reply

    def _seen_as_of(self, stale: Fault | None, now: datetime) -> datetime:
        """A replica that lags; never one between the legs of a fill: nobody could see through that."""
        if stale is None:
            return now
        as_of = now - timedelta(seconds=stale.seconds)
        if self.account.floor.is_processing(as_of):
            return now
        self._fire("stale snapshot")
        return as_of

    def _found(self, as_of: datetime, now: datetime) -> tuple[BrokerOrder, ...]:
        """What a search shows: new orders are missing from it for a while (F11)."""
        orders = self.account.orders(as_of)
        for id_ in [id_ for id_, at in self._unseen.items() if at <= now]:
            del self._unseen[id_]
        return tuple(one for one in orders if one.id not in self._unseen) if self._unseen else orders

    def _hiding(self, struck: dict[str, Fault], now: datetime) -> timedelta:
        invisible = struck.get("invisible")
        if invisible is None:
            return self._hidden[next(self._trips) % DRAWN]
        self._fire("invisible")
        return self._faults.after(invisible.seconds, now) - now

    def _reply(self, reply: Reply, struck: dict[str, Fault], life: int, now: datetime) -> None:
        """Sends an answer back, if it comes back."""
        if self._first(struck, "lost answer", "replace answer lost", "cancel answer lost"):
            return
        if "no answer" in struck:
            self._fire("no answer")
            self._open.pop(reply.key, None)
            return
        spoiled = self._first(struck, "502 answer", "garbled answer")
        if spoiled is not None:
            code = "502" if spoiled.what == "502 answer" else "garbled"
            reply = Reply(reply.key, now, Outcome.UNKNOWN, code=code)
        late = self._first(struck, "late answer")
        trip = self._trip() if late is None else self._faults.after(late.seconds, now) - now
        self._later(now + trip, lambda at: self._deliver(reply, life, at))

    def _deliver(self, reply: Reply, life: int, now: datetime) -> None:
        """An answer arrives; a proof that comes after the line gave up is told all the same (F14)."""
        gave_up = self._open.pop(reply.key, None)
        if life == self._life and not (gave_up and reply.outcome is Outcome.UNKNOWN):
            self._answer(reply, now)

    def _give_up(self, key: str, now: datetime) -> None:
        if self._open.get(key) is False:
            self._open[key] = True
            self._inbox.append(Reply(key, now, Outcome.UNKNOWN, code="timeout"))

    def _answer(self, reply: Reply, now: datetime) -> None:
        self._open.pop(reply.key, None)
        self._inbox.append(replaced(reply, at=now))

    # ------------------------------------------------------------------ the stream

    def _plan_stream(self) -> None:
        """When our end learns that the stream is down: at once of a cut, after a while of silence."""
        cuts = [(a, b) for a, b, _ in self._faults.windows("disconnect", "maintenance")]
        silences = [(a + NOTICED, b) for a, b, _ in self._faults.windows("silence") if b - a > NOTICED]
        self._believed_down = _joined(cuts + silences)
        for start, end in self._believed_down:
            self._later(start, lambda at: self._inbox.append(Line(at, up=False)))
            self._later(end, lambda at: self._inbox.append(Line(at, up=True)))
        for start, _, fault in self._faults.windows("disconnect", "silence"):
            self._later(start, partial(self._note, fault.what))

    def _send_frames(self) -> None:
        while self.account.floor.reports:
            for report in self.account.reports():
                self._send_frame(report, report.at)

    def _send_frame(self, report: Report, now: datetime) -> None:
        struck = self._faults.strike("report", now)
        if self._is_mute(now) or self._first(struck, "frame lost"):
            return
        arrives = max(self._last_frame, now + self._trip())
        late = self._first(struck, "frame late")
        if late is None:
            self._last_frame = arrives
        else:
            arrives = max(arrives, self._faults.after(late.seconds, now))
        copies = [arrives]
        again = self._first(struck, "frame repeated")
        if again is not None:
            gap = self._faults.after(again.seconds, now) - now
            copies += [arrives + gap * n for n in range(1, again.number + 1)]
        burst = self._faults.during("burst", now)
        if burst is not None:
            self._fire("burst")
            copies += [arrives] * burst.number
        life = self._life
        for at in copies:
            self._later(at, lambda at: self._hear(report, life, at))

    def _hear(self, report: Report, life: int, now: datetime) -> None:
        if life == self._life and not self._is_mute(now):
            self._inbox.append(Report(now, report.order))

    def _is_mute(self, now: datetime) -> bool:
        i = bisect_right(self._mute, now, key=lambda one: one[0])
        return i > 0 and now < self._mute[i - 1][1]

    # ------------------------------------------------------------------ small things

    def _later(self, at: datetime, act: Callable[[datetime], None], key: str | None = None) -> None:
        heappush(self._due, (at, next(self._sequence), act, key))

    def _trip(self) -> timedelta:
        return self._travel[next(self._trips) % DRAWN]

    def _first(self, struck: dict[str, Fault], *kinds: str) -> Fault | None:
        """The first of these kinds that strikes; it is counted as fired."""
        for what in kinds:
            if what in struck:
                self._fire(what)
                return struck[what]
        return None

    def _note(self, what: str, _at: datetime) -> None:
        self._fire(what)

    def _fire(self, what: str) -> None:
        self._faults.fire(what)


def _joined(windows: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The same times without overlaps, ascending."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
