"""What goes wrong in a session of ``rel.line``: drawn by seed, struck at minutes of the market."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx
import numpy as np

from rel.line_proxy import Proxy
from tomking.domain.calendar import Session

QUIET = 20
"""Minutes before the close from which nothing more goes wrong: what is in doubt is to be resolved by then."""
A_SESSION = 26
LATE = 260
"""Minutes after the open before which no order is refused by the front: one that opens is then in doubt for
the rest of the day, and nothing else may be opened on its family.
"""
LOOK_EVERY = 0.01
"""Seconds of the wall."""
ORDERS = "/orders"

REFUSALS = ("429", "500", "502", "503")
SPOILS = ("lost ack", "late ack", "garbled", "after 502")
OF_AN_ORDER = " of an order"
METHODS = ("POST", "PUT", "DELETE")

KINDS = (
    *REFUSALS,
    *(f"{what}{OF_AN_ORDER}" for what in REFUSALS),
    *(f"{what} {method}" for what in SPOILS for method in METHODS),
    "html401",
    "tokens expire",
    "cut alerts",
    "cut dxlink",
    "stall alerts",
    "stall dxlink",
    "proxy cut rest",
    "proxy cut alerts",
    "proxy cut dxlink",
    "proxy stall rest",
    "proxy stall alerts",
    "proxy stall dxlink",
    "proxy refuse",
    "proxy lose rest",
    "proxy tear rest",
)
"""Everything that can go wrong on the way."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing that goes wrong."""

    minute: int
    """After the open."""
    what: str
    seconds: float
    """Of the wall, for what lasts."""
    times: int


def drawn(seed: int, session: int, minutes: int, kinds: tuple[str, ...] = KINDS) -> list[Blow]:
    """Of one session, in order; over the sessions every kind comes again and again."""
    chance = np.random.Generator(np.random.PCG64([seed, session, 8]))
    if not kinds:
        return []
    count = min(A_SESSION, len(kinds))
    first = session * count % len(kinds)
    turn = [kinds[(first + i) % len(kinds)] for i in range(count)]
    at = sorted(int(one) for one in chance.integers(1, max(2, minutes - QUIET), count))
    order = chance.permutation(count)
    blows = [
        Blow(minute, turn[i], float(chance.uniform(0.5, 6.5)), int(chance.integers(1, 4)))
        for minute, i in zip(at, order, strict=True)
    ]
    late = min(LATE, minutes // 2)
    return sorted(
        (
            replace(one, minute=late + one.minute % max(1, minutes - QUIET - late))
            if one.what.endswith(OF_AN_ORDER)
            else one
            for one in blows
        ),
        key=lambda one: one.minute,
    )


class Blows(threading.Thread):
    """Strikes at the market's minutes, on a thread of its own, until it is stopped."""

    def __init__(self, control: str, proxy: Proxy, now: Callable[[], datetime]) -> None:
        super().__init__(name="blows", daemon=True)
        self._url, self._proxy, self._now = control, proxy, now
        self._client = httpx.Client(trust_env=False, timeout=10, headers={"User-Agent": "rel/1"})
        self._due: list[tuple[datetime, Blow]] = []
        self._lift: list[tuple[datetime, str]] = []
        self._lock, self._over = threading.Lock(), threading.Event()
        self.struck: Counter[str] = Counter()
        self.failed: list[str] = []

    def plan(self, session: Session, blows: list[Blow]) -> None:
        with self._lock:
            self._due = [(session.open + timedelta(minutes=b.minute), b) for b in blows]
            self._lift = [(session.close - timedelta(minutes=QUIET), "everything")]

    def close(self) -> None:
        self._over.set()
        self.join(10)
        self._client.close()

    def run(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            now = self._now()
            with self._lock:
                due = [one for one in self._due if one[0] <= now]
                self._due = [one for one in self._due if one[0] > now]
                over = [one for one in self._lift if one[0] <= now]
                self._lift = [one for one in self._lift if one[0] > now]
            for _, what in over:
                self._tell({"clear": True} if what == "everything" else {"clear": what})
                if what == "everything":
                    self._proxy.calm()
            for _, blow in due:
                self._strike(blow, now)

    def _strike(self, blow: Blow, now: datetime) -> None:
        self.struck[blow.what] += 1
        first, _, rest = blow.what.partition(" ")
        match first:
            case "proxy":
                self._at_the_proxy(rest, blow)
            case "tokens":
                self._tell({"expire": True})
            case "cut":
                self._tell({"fault": blow.what})
            case "stall":
                self._tell({"fault": blow.what, "times": -1})
                with self._lock:
                    self._lift.append((now + timedelta(minutes=blow.times), blow.what))
            case _:
                self._answer(blow)

    def _answer(self, blow: Blow) -> None:
        what, _, method = blow.what.rpartition(" ")
        if blow.what.endswith(OF_AN_ORDER):
            self._tell({"fault": blow.what.split(" ")[0], "path": ORDERS, "method": "POST", "times": 1})
        elif method in METHODS:
            self._tell({"fault": what, "path": ORDERS, "method": method, "seconds": blow.seconds + 3})
        else:
            self._tell({"fault": blow.what, "times": blow.times})

    def _at_the_proxy(self, what: str, blow: Blow) -> None:
        act, _, kind = what.partition(" ")
        match act:
            case "cut":
                self._proxy.cut(kind)
            case "stall":
                self._proxy.stall(kind, blow.seconds)
            case "refuse":
                self._proxy.refuse(min(3.0, blow.seconds))
            case "lose":
                self._proxy.lose(kind)
            case _:
                self._proxy.tear(kind)

    def _tell(self, command: dict[str, object]) -> None:
        try:
            self._client.post(self._url, json=command).raise_for_status()
        except httpx.HTTPError as error:
            self.failed.append(f"{command}: {type(error).__name__}")
