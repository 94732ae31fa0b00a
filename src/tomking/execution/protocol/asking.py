"""The desk's side of the wire: what was asked, what is still unanswered, and what the account looked like.

A request unanswered for ten seconds counts as UNKNOWN; an answer that comes later still counts for what it
says.  Searches are shared by all orders: one at a time, as often as the order in most doubt needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tomking.execution.protocol.budget import Budget, Use, at_start
from tomking.execution.wire import (
    BrokerOrder,
    FindOrders,
    FindPositions,
    FindTransactions,
    Line,
    Outcome,
    Positions,
    Reply,
    Report,
    Request,
    Transaction,
    Wire,
)

REPLY_WITHIN = timedelta(seconds=10)
KEPT_KEYS = 512
"""So many old questions are remembered for answers that come late."""
NEVER = timedelta(days=36_500)
RESYNC_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way."""

    key: str
    request: Request
    sent: datetime
    order: str = ""
    """Ours; empty for searches."""
    number: int = 0
    """The attempt it makes, or cancels."""


class Asking:
    """Owns the wire, the budget, and the last evidence of every kind."""

    def __init__(self, wire: Wire, prefix: str) -> None:
        """prefix: begins every key, so that answers to another process are not taken for ours."""
        self._wire = wire
        self._prefix = prefix
        self._count = 0
        self._flying: dict[str, Asked] = {}
        self._late: dict[str, Asked] = {}
        self._budget: Budget | None = None
        self.up = True
        self.came_up: datetime | None = None
        """When the line was last seen to come up; None: nothing has been asked yet."""
        self.found: tuple[BrokerOrder, ...] = ()
        self.found_asked: datetime | None = None
        """When the last search that was answered had been sent: it proves nothing of anything later."""
        self.positions: Positions | None = None
        self.positions_asked: datetime | None = None
        self.transactions: tuple[Transaction, ...] = ()
        self.transactions_asked: datetime | None = None
        self._tried: dict[type, datetime] = {}

    # ------------------------------------------------------------------ out

    def send(
        self, make: Callable[[str], Request], use: Use, now: datetime, order: str = "", number: int = 0
    ) -> bool:
        """Hands a request over if the budget has room for it; whether it did."""
        if self._budget is None:
            self._budget = at_start(now)
        if not self._budget.allows(use, now):
            return False
        self._budget = self._budget.spent(now)
        self._count += 1
        key = f"{self._prefix}{self._count}"
        request = make(key)
        self._flying[key] = Asked(key, request, now, order, number)
        self._tried[type(request)] = now
        self._wire.send(request, now)
        return True

    def hurry(self, now: datetime) -> None:
        """Something waits that must not wait for a long backoff."""
        if self._budget is not None:
            self._budget = self._budget.hurried(now)

    def look(self, orders: timedelta, positions: timedelta, now: datetime) -> None:
        """Searches that are due, each at most that often."""
        if self.came_up is None:
            self.came_up = now
        if self._due(FindOrders, orders, self.found_asked, now):
            self.send(FindOrders, Use.LOOK, now)
        if self._due(FindPositions, positions, self.positions_asked, now):
            self.send(FindPositions, Use.LOOK, now)

    def look_at_transactions(self, every: timedelta, now: datetime) -> None:
        if self._due(FindTransactions, every, self.transactions_asked, now):
            self.send(FindTransactions, Use.LOOK, now)

    def next_transactions(self, every: timedelta, now: datetime) -> datetime:
        """When ``look_at_transactions`` asks next."""
        return self._next(FindTransactions, every, self.transactions_asked, now)

    def next_look(self, orders: timedelta, positions: timedelta, now: datetime) -> datetime:
        """When ``look`` has something to ask next."""
        if self.came_up is None:
            return now
        times = [
            self._next(FindOrders, orders, self.found_asked, now),
            self._next(FindPositions, positions, self.positions_asked, now),
        ]
        return min(times)

    def _due(self, kind: type, every: timedelta, answered: datetime | None, now: datetime) -> bool:
        if self._next(kind, every, answered, now) > now:
            return False
        return not any(isinstance(asked.request, kind) for asked in self._flying.values())

    def _next(self, kind: type, every: timedelta, answered: datetime | None, now: datetime) -> datetime:
        tried = self._tried.get(kind)
        if self.came_up is not None and not _is_since(answered, self.came_up):
            # What the stream missed is asked for at once, and every two seconds until it is told.
            return now if tried is None or tried < self.came_up else tried + RESYNC_EVERY
        return now if tried is None else tried + every

    # ------------------------------------------------------------------ in

    def hear(self, now: datetime) -> list[tuple[Asked | None, Reply | Report]]:
        """Everything new, each answer with its question; silence of ten seconds is one."""
        heard: list[tuple[Asked | None, Reply | Report]] = []
        for told in self._wire.take(now):
            if isinstance(told, Line):
                self._went(told.at, up=told.up)
            elif isinstance(told, Report):
                heard.append((None, told))
            else:
                asked = self._flying.pop(told.key, None) or self._late.pop(told.key, None)
                self._take_evidence(asked, told, now)
                heard.append((asked, told))
        silent = self.silence_counts_at()
        for key, asked in tuple(self._flying.items()) if silent is not None and silent <= now else ():
            if now - asked.sent >= REPLY_WITHIN:
                self._late[key] = self._flying.pop(key)
                heard.append((asked, Reply(key, now, Outcome.UNKNOWN, code="timeout", text="no answer")))
        while len(self._late) > KEPT_KEYS:
            del self._late[next(iter(self._late))]
        return heard

    def _went(self, at: datetime, *, up: bool) -> None:
        if up and not self.up:
            self.came_up = at
            self.hurry(at)  # whoever answers again may have been ill before
        self.up = up

    def _take_evidence(self, asked: Asked | None, reply: Reply, now: datetime) -> None:
        if self._budget is not None:
            ill = reply.outcome is Outcome.UNKNOWN and _is_ill(reply.code)
            self._budget = self._budget.refused(now) if ill else self._budget.answered()
        if asked is None or reply.outcome is not Outcome.ACCEPTED:
            return
        if isinstance(asked.request, FindOrders) and _is_later(asked.sent, self.found_asked):
            self.found, self.found_asked = reply.orders, asked.sent
        elif isinstance(asked.request, FindPositions) and reply.positions is not None:
            if _is_later(asked.sent, self.positions_asked):
                self.positions, self.positions_asked = reply.positions, asked.sent
        elif isinstance(asked.request, FindTransactions) and _is_later(asked.sent, self.transactions_asked):
            self.transactions, self.transactions_asked = reply.transactions, asked.sent

    # ------------------------------------------------------------------ what stands

    def silence_counts_at(self) -> datetime | None:
        """When the first request that is unanswered counts as UNKNOWN; None: all are answered."""
        first = next(iter(self._flying.values()), None)  # they are in the order they were sent
        return None if first is None else first.sent + REPLY_WITHIN

    def flies(self, order: str, kind: type, number: int | None = None) -> bool:
        """Whether a request of that kind for that order (and attempt) is unanswered."""
        return any(
            asked.order == order
            and isinstance(asked.request, kind)
            and (number is None or asked.number == number)
            for asked in self._flying.values()
        )

    @property
    def has_searched(self) -> bool:
        """Whether any search for orders has been answered."""
        return self.found_asked is not None

    def unsynced(self) -> str | None:
        """Why the account is not known well enough to open anything; None: it is (F27)."""
        if not self.up:
            return "the account stream is down"
        if self.came_up is None or not (
            _is_since(self.found_asked, self.came_up) and _is_since(self.positions_asked, self.came_up)
        ):
            return "orders and positions have not been read since the account stream came up"
        return None


def _is_ill(code: str) -> bool:
    """A 429 or a 5xx."""
    return code == "429" or (len(code) == 3 and code.startswith("5"))


def _is_later(one: datetime, other: datetime | None) -> bool:
    return other is None or one >= other


def _is_since(one: datetime | None, other: datetime) -> bool:
    return one is not None and one >= other
