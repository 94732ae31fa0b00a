"""A ``Wire`` that knows which questions are unanswered: an accelerated sandbox waits for the answers."""

from datetime import datetime

from tomking.execution.wire import Reply, Request, Told, Wire


class Counted:
    """See the module."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._open: set[str] = set()

    def send(self, request: Request, now: datetime) -> None:
        self._open.add(request.key)
        self._wire.send(request, now)

    def take(self, now: datetime) -> list[Told]:
        told = self._wire.take(now)
        self._open.difference_update(one.key for one in told if isinstance(one, Reply))
        return told

    @property
    def waits(self) -> bool:
        """Whether anything was asked and not answered."""
        return bool(self._open)
