"""Schedules of faults: every seed is an explicit list of what goes wrong, in words that can be read back.

A fault strikes the n-th occurrence of something countable (the third order sent, the tenth report) or at
an instant, for some time.  Each seed enables a random subset of the kinds (swarm testing), so that rare
combinations come without the frequent ones in their way.  ``KINDS`` are the rows of the fault matrix (F1
to F63 of the reliability page) that a line, a venue, a market or a process can show.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

import numpy as np

INSTANT = "@"
"""The subject of a kind that strikes at seconds after the open, not at a count."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to go wrong."""

    id: str
    """Row of the fault matrix."""
    subject: str
    """What is counted, or ``INSTANT``."""
    within: int
    """Struck: one of so many first occurrences, or seconds after the open."""
    seconds: tuple[float, float] = (0.0, 0.0)
    """Its length or delay, drawn evenly on a log scale; negative ones too where the first is negative."""
    number: tuple[int, int] = (0, 0)
    """A count, whose meaning is the kind's own; both ends included."""
    owner: str = "line"
    """Who lets it happen: the line, the account, the market or the process."""


DAY = 22_800
"""Seconds after the open by which an instant is drawn: ten minutes before the close."""

KINDS: Mapping[str, Kind] = {
    # -- requests: counted as they are handed over
    "lost answer": Kind("F9", "place", 14),
    "502 answer": Kind("F9", "place", 14),
    "lost request": Kind("F10", "place", 14),
    "invisible": Kind("F11", "place", 14, (2, 120)),
    "garbled answer": Kind("F12", "place", 14),
    "late answer": Kind("F14", "place", 14, (5.5, 90)),
    "late arrival": Kind("F14", "place", 14, (5.5, 90)),
    "no answer": Kind("F15", "place", 14),
    "replace lost": Kind("F21", "replace", 40),
    "replace answer lost": Kind("F21", "replace", 40),
    "replace arrives late": Kind("F21", "replace", 40, (5.5, 60)),
    "cancel lost": Kind("F20", "cancel", 8),
    "cancel answer lost": Kind("F20", "cancel", 8),
    "find lost": Kind("F58", "find", 300),
    "stale snapshot": Kind("F24", "find", 300, (1, 60)),
    "no connection": Kind("F61", "request", 200),
    # -- the account stream: frames counted as the venue sends them
    "frame repeated": Kind("F23", "report", 120, (0.05, 60), (1, 5)),
    "frame late": Kind("F24", "report", 120, (0.5, 60)),
    "frame lost": Kind("F29", "report", 120),
    "disconnect": Kind("F27", INSTANT, DAY, (1, 14_400)),
    "silence": Kind("F28", INSTANT, DAY, (5, 3_600)),
    "burst": Kind("F33", INSTANT, DAY, (5, 120), (2, 10)),
    # -- the broker's service
    "maintenance": Kind("F56", INSTANT, DAY, (60, 14_400)),
    "too many": Kind("F57", INSTANT, DAY, (1, 600)),
    "5xx": Kind("F58", INSTANT, DAY, (5, 600)),
    "token refused": Kind("F59", INSTANT, DAY, (5, 840)),
    # -- the venue
    "refused": Kind("F13", "arrival", 14, number=(0, 4), owner="account"),
    "rejected": Kind("F13", "arrival", 14, (0.05, 20), (0, 4), "account"),
    "partial": Kind("F16", "offer", 10, (1, 900), (1, 3), "account"),
    "slow legs": Kind("F17", "fill", 10, (0.2, 2.5), owner="account"),  # four legs within ten seconds
    "split": Kind("F17", "fill", 10, owner="account"),
    "torn legs": Kind("F17", "fill", 10, number=(1, 14), owner="account"),
    "torn but filled": Kind("F17", "fill", 10, number=(1, 14), owner="account"),
    "no takers": Kind("F18", INSTANT, DAY, (60, 7_200), owner="account"),
    "fill before cancel": Kind("F19", "ending", 8, (0.01, 2), (1, 3), "account"),
    "cancel hangs": Kind("F20", "ending", 8, (5, 1_800), owner="account"),
    "fill before replace": Kind("F21", "replacing", 40, (0.01, 2), (1, 3), "account"),
    "late print": Kind("F22", "ending", 8, (0.5, 120), (1, 3), "account"),
    "removed": Kind("F25", "live", 14, (0.1, 1_800), owner="account"),
    "assigned": Kind("F50", INSTANT, DAY, number=(1, 3), owner="account"),
    "pin": Kind("F52", "settlement", 1, number=(-1, 1), owner="account"),
    "settles late": Kind("F52", "settlement", 1, (60, 600), owner="account"),
    "money moved": Kind("F51", INSTANT, DAY, number=(-500, 500), owner="account"),
    "closed early": Kind("F54", INSTANT, DAY, owner="account"),
    # -- the market: for whoever plays the feed
    "stale quotes": Kind("F30", INSTANT, DAY, (5, 900), owner="market"),
    "one-sided quotes": Kind("F30", INSTANT, DAY, (5, 900), owner="market"),
    "crossed quotes": Kind("F31", INSTANT, DAY, (5, 900), owner="market"),
    "nan quotes": Kind("F31", INSTANT, DAY, (5, 900), owner="market"),
    "empty chain": Kind("F32", INSTANT, DAY, (5, 900), owner="market"),
    "no greeks": Kind("F34", INSTANT, DAY, (5, 900), owner="market"),
    "jump": Kind("F35", INSTANT, DAY, number=(-10, 10), owner="market"),
    "halt": Kind("F53", INSTANT, DAY, (300, 3_600), owner="market"),
    "quotes cut": Kind("F60", INSTANT, DAY, (1, 300), owner="market"),
    # -- the process: for whoever plays the machine and the people
    "strategy raises": Kind("F1", INSTANT, DAY, number=(0, 2), owner="process"),
    "runaway": Kind("F2", INSTANT, DAY, number=(0, 2), owner="process"),
    "write error": Kind("F7", "write", 120, owner="process"),
    "crash": Kind("F8", INSTANT, DAY, (1, 3_600), owner="process"),
    "crash at write": Kind("F8", "write", 120, (1, 600), owner="process"),
    "crash at send": Kind("F8", "request", 60, (1, 600), owner="process"),
    "crash at answer": Kind("F8", "answer", 60, (1, 600), owner="process"),
    "hand trade": Kind("F26", INSTANT, DAY, number=(-2, 2), owner="process"),
    "hand close": Kind("F26", INSTANT, DAY, number=(1, 2), owner="process"),
    "disk full": Kind("F36", "write", 120, owner="process"),
    "loop blocked": Kind("F40", INSTANT, DAY, (5, 120), owner="process"),
    "clock jump": Kind("F41", INSTANT, DAY, (-3_600, 3_600), owner="process"),
    "second starter": Kind("F43", INSTANT, DAY, owner="process"),
    "crash loop": Kind("F44", INSTANT, DAY, (1, 60), (3, 5), "process"),
    "alerts down": Kind("F49", INSTANT, DAY, (60, 3_600), owner="process"),
    "kill pressed": Kind("F63", INSTANT, DAY, owner="process"),
    "stale restore": Kind("F47", INSTANT, DAY, owner="process"),
    "crash at cancel": Kind("F8", "ending-request", 8, (1, 600), owner="process"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong once."""

    what: str
    """A key of ``KINDS``."""
    at: int
    """The occurrence it strikes, from 0, or seconds after the open."""
    seconds: float = 0.0
    number: int = 0

    def __str__(self) -> str:
        """``F14 late answer place#3 12.5s`` or ``F27 disconnect @5400 312.0s``."""
        kind = self.kind
        where = f"@{self.at}" if kind.subject == INSTANT else f"{kind.subject}#{self.at}"
        length = f" {self.seconds}s" if self.seconds else ""
        return f"{kind.id} {self.what} {where}{length}" + (f" x{self.number}" if self.number else "")

    @property
    def kind(self) -> Kind:
        return KINDS[self.what]

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text.  ``ValueError`` names what cannot be read."""
        words = text.split()
        place = next((i for i, word in enumerate(words) if "@" in word or "#" in word), 0)
        what = " ".join(words[1:place])
        if what not in KINDS:
            raise ValueError(f"no fault: {text!r}")
        at = int(words[place].replace("@", "#").split("#")[1])
        rest = words[place + 1 :]
        seconds = next((float(word[:-1]) for word in rest if word.endswith("s")), 0.0)
        number = next((int(word[1:]) for word in rest if word.startswith("x")), 0)
        return cls(what, at, seconds, number)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What goes wrong in one session."""

    seed: int
    faults: tuple[Fault, ...] = ()
    quiet_after: int | None = None
    """Liveness mode: no fault strikes or lasts beyond so many seconds after the open.  None: safety mode."""

    @classmethod
    def of(cls, seed: int, *, live: bool = False, without: frozenset[str] = frozenset()) -> Self:
        """The schedule of a seed.

        live     liveness mode: faults stop at some time, so that recovery can be demanded
        without  kinds that whoever plays this cannot show; the others stay as they are

        A new kind changes what seeds draw: a failing schedule is kept by its text, never by its seed.
        """
        chance = np.random.Generator(np.random.PCG64(seed))
        quiet = int(chance.integers(3_600, 18_000)) if live else None
        share = float(chance.choice([0.08, 0.2, 0.4]))
        faults: list[Fault] = []
        for what, kind in KINDS.items():
            draws = chance.random(16)  # as many whether or not the kind is on: a kind disturbs no other
            if draws[0] >= share:
                continue
            many = 1 if kind.owner == "process" else 1 + int(3 * draws[1])
            drawn = [_drawn(what, kind, draws[2 + 4 * n : 6 + 4 * n]) for n in range(many)]
            faults += [one for one in drawn if what not in without and not _outlasts(one, quiet)]
        return cls(seed, tuple(faults), quiet)

    def text(self) -> str:
        """One fault a line, under a line with the seed and the mode."""
        mode = "safety" if self.quiet_after is None else f"quiet after {self.quiet_after}"
        return "\n".join([f"seed {self.seed} {mode}", *map(str, self.faults)])

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``text()``; empty lines are passed over."""
        first, *rest = [line for line in text.splitlines() if line.strip()]
        words = first.split()
        quiet = None if words[2] == "safety" else int(words[-1])
        return cls(int(words[1]), tuple(Fault.parse(line) for line in rest), quiet)

    def smaller(self) -> Iterator["Schedule"]:
        """The same with fewer faults, boldest first: halves, quarters, ... and each one left out."""
        size = len(self.faults)
        while size > 0:
            for first in range(0, len(self.faults), size):
                yield replace(self, faults=self.faults[:first] + self.faults[first + size :])
            size //= 2

    def owned(self, owner: str) -> tuple[Fault, ...]:
        """Those that the line, the account, the market or the process lets happen."""
        return tuple(fault for fault in self.faults if fault.kind.owner == owner)


@dataclass(slots=True)
class Faults:
    """A schedule as it plays: who has come how far, and what has struck."""

    schedule: Schedule
    opened: datetime
    """What seconds are counted from."""
    fired: Counter[str] = field(default_factory=Counter)
    """How often each kind struck."""
    _counted: dict[str, int] = field(default_factory=dict)
    _struck: dict[tuple[str, int], list[Fault]] = field(default_factory=dict)
    _windows: dict[str, list[tuple[datetime, datetime, Fault]]] = field(default_factory=dict)
    _quiet: datetime | None = None

    def __post_init__(self) -> None:
        for fault in self.schedule.faults:
            if fault.kind.subject == INSTANT:
                start = self.opened + timedelta(seconds=fault.at)
                end = start + timedelta(seconds=max(0.0, fault.seconds))
                self._windows.setdefault(fault.what, []).append((start, end, fault))
            else:
                self._struck.setdefault((fault.kind.subject, fault.at), []).append(fault)
        if self.schedule.quiet_after is not None:
            self._quiet = self.opened + timedelta(seconds=self.schedule.quiet_after)

    def strike(self, subject: str, now: datetime) -> dict[str, Fault]:
        """Counts one occurrence; the faults that strike it, by kind.  ``fire`` says which took effect."""
        n = self._counted.get(subject, 0)
        self._counted[subject] = n + 1
        found = self._struck.get((subject, n))
        if not found or self.is_quiet(now):
            return {}
        return {fault.what: fault for fault in found}

    def fire(self, what: str) -> None:
        """A fault took effect: it is counted."""
        self.fired[what] += 1

    def during(self, what: str, now: datetime) -> Fault | None:
        """The fault of that kind that lasts at this instant."""
        for start, end, fault in self._windows.get(what, ()):
            if start <= now < end:
                return fault
        return None

    def windows(self, *kinds: str) -> list[tuple[datetime, datetime, Fault]]:
        """Those that strike at instants: start, end and fault, by start."""
        return sorted((one for what in kinds for one in self._windows.get(what, ())), key=lambda one: one[:2])

    def is_quiet(self, now: datetime) -> bool:
        """Whether the time of faults is over."""
        return self._quiet is not None and now >= self._quiet

    def after(self, seconds: float, now: datetime) -> datetime:
        """The instant so many seconds from now, or the end of the faults when that is sooner."""
        then = now + timedelta(seconds=seconds)
        return then if self._quiet is None else max(now, min(then, self._quiet))

    def fired_ids(self) -> Counter[str]:
        """How often each row of the fault matrix struck."""
        total: Counter[str] = Counter()
        for what, times in self.fired.items():
            total[KINDS[what].id] += times
        return total


def calm(opened: datetime) -> Faults:
    """Nothing goes wrong."""
    return Faults(Schedule(0), opened)


def _drawn(what: str, kind: Kind, draws: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Fault:
    """Counts lean to the early ones: few sessions come far."""
    where, length, sign, many = draws.tolist()
    at = int(kind.within * (where if kind.subject == INSTANT else where**1.5))
    low, high = kind.seconds
    seconds = (
        high * (max(low, 1.0) / high) ** length if low < 0 else low * (high / low) ** length if low else 0
    )
    if low < 0 and sign < 0.5:
        seconds = -seconds
    least, most = kind.number
    return Fault(what, at, round(seconds, 2), least + int(many * (most - least + 1)))


def _outlasts(fault: Fault, quiet: int | None) -> bool:
    """Whether it would last into the quiet time."""
    return quiet is not None and fault.kind.subject == INSTANT and fault.at + max(0, fault.seconds) >= quiet
