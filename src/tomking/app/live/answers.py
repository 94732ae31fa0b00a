"""A ``Wire`` that knows which questions are unanswered: an accelerated sandbox waits for the answers."""

from collections.abc import Callable
from datetime import datetime

from tomking.execution.wire import Cancel, Place, Replace, Reply, Request, Told, Wire


class Counted:
    """See the module."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._open: set[str] = set()
        self.sent = 0
        """Questions so far."""
        self.acted = 0
        """Those of them that place, change or end an order."""
        self.again: Callable[[], bool] = _never
        """Whether to look once more before what has come is handed over: who leads a sandbox in lockstep
        waits there."""

    def send(self, request: Request, now: datetime) -> None:
        self._open.add(request.key)
        self.sent += 1
        self.acted += isinstance(request, Place | Replace | Cancel)
        self._wire.send(request, now)

    def take(self, now: datetime) -> list[Told]:
        told = self._taken(now)
        while self.again():
            told += self._taken(now)
        return told

    def _taken(self, now: datetime) -> list[Told]:
        told = self._wire.take(now)
        self._open.difference_update(one.key for one in told if isinstance(one, Reply))
        return told

    @property
    def waits(self) -> bool:
        """Whether anything was asked and not answered."""
        return bool(self._open)


def _never() -> bool:
    """What has come is all there is."""
    return False
