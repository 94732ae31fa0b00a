"""Reconciliation as the order desk calls it: after every look at the positions, believed at the second one.

Orders and positions are read one after the other, and a fill may fall between.  So what a pass would change
is told only when the next look says the very same; that the book is out of date is told at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tomking.domain.events import AccountNews
from tomking.domain.trading import Trading
from tomking.execution.differences import Reconciliation, Shown, standing
from tomking.execution.protocol.account import Account
from tomking.execution.reconcile import reconcile
from tomking.execution.wire import BrokerOrder

NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class Comparer:
    """Remembers what the last look said, and nothing that a restart would miss: it only looks twice."""

    def __init__(self, instance: str, epoch: int) -> None:
        self._instance, self._epoch = instance, epoch
        self._told: tuple[str, ...] = ()
        self._last: tuple[AccountNews, ...] = ()
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
            account.book, shown, now, instance=self._instance, epoch=self._epoch, told=self._told
        )
        said = tuple(replace(event, at=NO_TIME) for event in self.answer.events)
        self.unsure = said != self._last and self.answer.state is not Trading.HALTED
        self._last = said
        if self.unsure:
            return ()
        self._told = standing(self.answer.differences)
        self._last = ()
        return self.answer.events

    @property
    def end_first(self) -> tuple[str, ...]:
        """Our orders on contracts that are gone: they end before that can be booked."""
        return self.answer.end_first

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
