"""Reconciliation as the order desk calls it: after every look at the positions, believed at the second one.

Orders and positions are read one after the other, and a fill may fall between.  So what a pass would change
is told only when the next look says the very same; that the book is out of date is told at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tomking.domain.contract import Contract
from tomking.domain.events import AccountNews, ForeignChanged
from tomking.domain.trading import Trading
from tomking.execution.differences import Reconciliation, Shown, standing
from tomking.execution.protocol.account import Account
from tomking.execution.reconcile import reconcile
from tomking.execution.wire import BrokerOrder

EXCUSED_FOR = timedelta(seconds=30)
"""So long an order under way may explain what differs."""
NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class Comparer:
    """Remembers what the last look said, and nothing that a restart would miss: it only looks twice."""

    def __init__(self, instance: str, epoch: int) -> None:
        self._instance, self._epoch = instance, epoch
        self._told: tuple[str, ...] = ()
        self._last: tuple[AccountNews, ...] = ()
        self._excused: dict[Contract, datetime] = {}
        """What an order under way may be the reason for, and since which look."""
        self.answer = Reconciliation()
        """Of the last look."""
        self.unsure = False
        """Whether a difference waits for its second look: look again soon."""

    def __call__(self, account: Account, now: datetime) -> Sequence[AccountNews]:
        """The events to record now; none while the positions are not known."""
        if account.positions is None:
            return ()
        shown = Shown(account.positions, _orders(account), account.transactions)
        self.answer = reconcile(
            account.book,
            shown,
            now,
            instance=self._instance,
            epoch=self._epoch,
            told=self._told,
            insist=self._excused_too_long(account.asked or now),
            left=account.left,
        )
        self._excused = {c: self._excused.get(c, account.asked or now) for c in self._still_excused()}
        said = tuple(replace(event, at=NO_TIME) for event in self.answer.events)
        self.unsure = said != self._last and self.answer.state is not Trading.HALTED
        self._last = said
        if self.unsure:
            return ()
        self._told = standing(self.answer.differences)
        self._last = ()
        return self.answer.events

    def _excused_too_long(self, looked: datetime) -> frozenset[Contract]:
        """What an order that was searched for ever since would have shown by now."""
        return frozenset(c for c, since in self._excused.items() if looked - since >= EXCUSED_FOR)

    def _still_excused(self) -> frozenset[Contract]:
        changed = {event.contract for event in self.answer.events if isinstance(event, ForeignChanged)}
        return frozenset({*self.answer.doubtful, *(changed & self._excused.keys())})

    @property
    def end_first(self) -> tuple[str, ...]:
        """Our orders on contracts that are gone: they end before that can be booked."""
        return self.answer.end_first

    @property
    def waits(self) -> bool:
        """Whether an order that works may explain a difference, or keeps it from being booked."""
        return bool(self.answer.end_first or self.answer.doubtful)

    def hold(self) -> str | None:
        """Why nothing may be opened at all; None: it may, but for ``answer.families``."""
        if self.answer.state is Trading.ACTIVE:
            return None
        return f"{self.answer.state}: book and broker differ: {'; '.join(standing(self.answer.differences))}"


def _orders(account: Account) -> tuple[BrokerOrder, ...]:
    """The last search, and what the account stream has shown since."""
    newest = {order.id: order for order in account.found}
    for course in account.courses.values():
        newest |= {a.seen.id: a.seen for a in course.attempts if a.seen is not None}
    return tuple(newest[id_] for id_ in sorted(newest))
