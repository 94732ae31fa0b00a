"""What a schedule does to the process, and what people do beside it: kills, failing disks, the button."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from heapq import heappop, heappush

from rel.tap import Killed
from rel.traders import Trader, traders
from tomking.domain.calendar import Session
from tomking.domain.errors import OperatingError
from tomking.domain.intent import Intent
from tomking.execution.wire import Cancel, Request
from tomking.kernel.parts import Strategy
from tomking.sim.faults import Fault, Faults
from tomking.view import Own, View

SUPERVISOR = timedelta(seconds=5)
"""Until a process that ended by itself is started again."""
FULL = timedelta(minutes=2)
"""A disk stays full."""
STORM = timedelta(minutes=10)
"""A strategy runs away for so long, unless something stops it."""
MINUTE = timedelta(minutes=1)


class Act(Enum):
    """What the driver is to do."""

    START = "start"
    KILL = "kill"
    HALT = "halt"
    TRADE = "trade"
    CLOSE = "close"
    RESTORE = "restore"
    """Its files are put back to an earlier state."""


BY_HAND = {
    "kill pressed": Act.HALT,
    "hand trade": Act.TRADE,
    "hand close": Act.CLOSE,
    "stale restore": Act.RESTORE,
}


@dataclass
class Machine:
    """Counts what can be struck, and plans what happens at instants."""

    faults: Faults
    down_for: timedelta = SUPERVISOR
    number: int = 0
    """Of the act that is done."""
    _planned: list[tuple[datetime, int, Act, Fault | None]] = field(default_factory=list)
    _order: int = 0
    _full_until: datetime | None = None
    _sent: int = 0
    _cancels: int = 0
    _struck: set[Fault] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._at_send = [f for f in self.faults.schedule.faults if f.what == "crash at send"]
        self._at_cancel = [f for f in self.faults.schedule.faults if f.what == "crash at cancel"]
        self._blocked = self.faults.windows("loop blocked")
        self._strategies = tuple(Wayward(trader, n, self.faults) for n, trader in enumerate(traders()))
        for start, _, fault in self.faults.windows("crash", "crash loop"):
            gap = timedelta(seconds=fault.seconds)
            for n in range(max(1, fault.number)):
                self._plan(start + n * (gap + SUPERVISOR), Act.KILL, fault)
        for what, act in BY_HAND.items():
            for start, _, fault in self.faults.windows(what):
                self._plan(start, act, fault)

    def next_event(self, now: datetime) -> datetime:
        """What is planned, and when it begins to stand still: the checker must see that it does."""
        times = [start for start, _, _ in self._blocked if start > now]
        if self._planned:
            times.append(self._planned[0][0])
        return min(times, default=now + timedelta(days=1))

    def blocked_until(self, wake: datetime) -> datetime:
        """When a process that wants to wake then really does."""
        for start, end, _ in self._blocked:
            if start <= wake < end:
                return end
        return wake

    def due(self, now: datetime) -> list[tuple[Act, int]]:
        """What is to be done now, with its number."""
        acts = []
        while self._planned and self._planned[0][0] <= now:
            _, _, act, fault = heappop(self._planned)
            if fault is not None and act in (Act.KILL, Act.HALT):
                self.faults.fire(fault.what)
            if fault is not None and act is Act.KILL:
                self.down_for = timedelta(seconds=fault.seconds)
            acts.append((act, fault.number if fault else 0))
        return acts

    def died(self, now: datetime) -> None:
        self._plan(now + self.down_for, Act.START, None)
        self.down_for = SUPERVISOR

    def is_blocked(self, now: datetime) -> bool:
        """Whether the process stands still."""
        for start, end, fault in self._blocked:
            if start <= now < end:
                self._once(fault)
                return True
        return False

    def _once(self, fault: Fault) -> None:
        if fault not in self._struck:
            self._struck.add(fault)
            self.faults.fire(fault.what)

    # ------------------------------------------------------------------ the calls that can be struck

    def write(self, act: Callable[[], None], now: datetime) -> None:
        """One event on its way to the disk."""
        if self._full_until is not None and now < self._full_until:
            raise OperatingError("the disk is full")
        struck = self.faults.strike("write", now)
        for what in ("disk full", "write error"):
            if what in struck:
                self.faults.fire(what)
                self._full_until = now + FULL if what == "disk full" else None
                raise OperatingError(f"journal: {what}")
        self._killed_at("crash at write", struck, act)

    def send(self, act: Callable[[], None], now: datetime, request: Request) -> None:
        """The line counts requests too: this one must not count for it."""
        quiet = self.faults.is_quiet(now)
        struck = {f.what: f for f in self._at_send if f.at == self._sent and not quiet}
        self._sent += 1
        if isinstance(request, Cancel):
            ends = {f.what: f for f in self._at_cancel if f.at == self._cancels and not quiet}
            self._cancels += 1
            if ends:
                self._killed_at("crash at cancel", ends, act)
                return
        self._killed_at("crash at send", struck, act)

    def answer(self, act: Callable[[], None], now: datetime) -> None:
        self._killed_at("crash at answer", self.faults.strike("answer", now), act)

    def _killed_at(self, what: str, struck: dict[str, Fault], act: Callable[[], None]) -> None:
        """Dies before or after the call took effect, by the parity of which one it is."""
        fault = struck.get(what)
        if fault is None:
            act()
            return
        self.faults.fire(what)
        self.down_for = timedelta(seconds=fault.seconds)
        if fault.at % 2:
            act()
        raise Killed

    def _plan(self, at: datetime, act: Act, fault: Fault | None) -> None:
        self._order += 1
        heappush(self._planned, (at, self._order, act, fault))

    # ------------------------------------------------------------------ strategies that go wrong

    def strategies(self) -> tuple[Strategy, ...]:
        return self._strategies


class Wayward:
    """A trader that raises, or repeats its wish without end, when the schedule says so."""

    def __init__(self, trader: Trader, number: int, faults: Faults) -> None:
        self.trader = trader
        self.faults = faults
        self._raises = [w for w in faults.windows("strategy raises") if w[2].number == number]
        self._storms = [w for w in faults.windows("runaway") if w[2].number == number]

    @property
    def id(self) -> str:
        return self.trader.id

    def steps(self, _view: View, _own: Own) -> tuple[Intent, ...]:
        return ()

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        if any(start <= view.now for start, _, _ in self._raises):
            self.faults.fire("strategy raises")
            raise ValueError("a strategy's bug")
        if self._runs_away(view.now):
            self.faults.fire("runaway")
            wish = self.trader.wish(view, own, f"{self.id} runs away")
            return wish * 3
        return self.trader.decide(view, own)

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        return self.trader.guard(view, own)

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        wake = self.trader.next_wake(session, own, now, grid_minutes)
        if not self._runs_away(now):
            return wake
        soon = now.replace(second=0, microsecond=0) + MINUTE
        return min(wake or soon, soon) if soon < session.close else wake

    def _runs_away(self, now: datetime) -> bool:
        return any(start <= now < start + STORM for start, _, _ in self._storms)
