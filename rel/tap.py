"""What the harness sees of a process from outside: its journal, its socket, what it tells people.

All three outlive the process: a killed one leaves its journal, what it sent is on its way, and answers to
it reach nobody.  Each can kill the process at a chosen call, before or after the call took effect.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from rel.world import SESSION
from tomking.adapters.codec import encode
from tomking.adapters.journal import GENESIS, chained
from tomking.domain.events import Event
from tomking.execution.wire import Request, Told, Wire


class Killed(BaseException):
    """The process is no more.  Nothing in it may catch that."""


Act = Callable[[], None]
Around = Callable[[Act, datetime], None]
"""Does something, or dies before it or after it."""


@dataclass
class Ledger:
    """The ``Journal`` port in memory, each event durable when ``append`` returns."""

    seen: Callable[[Event], None]
    """Told of each event once it is durable."""
    around: Around
    events: list[Event] = field(default_factory=list)
    now: datetime = SESSION.open

    def append(self, event: Event) -> None:
        self.around(lambda: self.keep(event), self.now)

    def commit(self) -> None:
        """Each event is durable already."""

    def read(self) -> Iterator[Event]:
        return iter(tuple(self.events))

    def head(self) -> str:
        digest = GENESIS
        for event in self.events:
            digest = chained(digest, encode(event))
        return digest

    def keep(self, event: Event) -> None:
        """Makes it durable, whatever the schedule says."""
        self.events.append(event)
        self.seen(event)


@dataclass
class Tap:
    """A ``Wire`` before another: everything that passes is shown to a watcher first."""

    wire: Wire
    sending: Callable[[Request, datetime], None]
    took: Callable[[Told, datetime], None]
    around_send: Around
    around_take: Around

    def send(self, request: Request, now: datetime) -> None:
        self.around_send(lambda: self._pass(request, now), now)

    def take(self, now: datetime) -> list[Told]:
        told = self.wire.take(now)
        for one in told:
            self.around_take(lambda one=one: self.took(one, now), now)  # type: ignore[misc]
        return told

    def _pass(self, request: Request, now: datetime) -> None:
        self.sending(request, now)
        self.wire.send(request, now)


@dataclass
class Heard:
    """The ``Notifier`` port: remembers what people were told."""

    said: list[tuple[datetime, str, str]] = field(default_factory=list)

    def notify(self, level: str, text: str, now: datetime) -> None:
        self.said.append((now, level, text))

    def since(self, first: datetime, levels: tuple[str, ...] = ("warning", "critical")) -> list[str]:
        """What was said from ``first`` on, the latest first."""
        found = []
        for at, level, text in reversed(self.said):
            if at < first:
                break
            if level in levels:
                found.append(text)
        return found
