"""What a strategy wishes, and what the gate answers."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from tomking.domain.kept import by_identity
from tomking.domain.structure import Structure, merged


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a position: its own P&L, target and state."""

    role: str
    """"condor put", "NP", "weekly 2031-02-07" ...: unique within its position."""
    structure: Structure


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Open:
    """One unit of something new, and how many units of it would make sense at most."""

    strategy: str
    entry: str
    """Which of the strategy's entries wishes it; refusals are counted per entry and session."""
    parts: tuple[Part, ...]
    ceiling: int
    """Units: the strategy's own maximum; every limit may lower it."""
    planned_loss: Decimal
    """Points per unit lost at the planned stop, > 0, without costs."""
    target_gain: Decimal
    """Points per unit won at the profit target, > 0: what costs are compared with."""
    least_net: Decimal
    """The worst net (points per unit, credit positive) at which it is still worth having."""
    reason: str
    joins: str | None = None
    """The position it becomes part of; None opens a new one."""
    targets: tuple["Target", ...] = ()

    @property
    def structure(self) -> Structure:
        """All parts as the one order they are."""
        return _structure(self)

    @property
    def product(self) -> str:
        return self.parts[0].structure.product


@by_identity
def _structure(wish: Open) -> Structure:
    return merged(wish.entry, [part.structure for part in wish.parts])


@dataclass(frozen=True, slots=True)
class Target:
    """A resting profit-taking order for some parts, placed as soon as they are open."""

    roles: tuple[str, ...]
    keep: Decimal
    """Share of the parts' net credit that is kept when it fills: 0.5 closes at half."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The same wish in several sizes or products, best first: the first that is approved is sent."""

    choices: tuple[Open, ...]
    passed_over: tuple[str, ...] = ()
    """Why other sizes or products could not be had, for the refusal's words."""

    @property
    def strategy(self) -> str:
        return self.choices[0].strategy


class Urgency(Enum):
    """Which price ladder an order walks (methodology D.3)."""

    ENTRY = "entry"
    TARGET = "target"
    RULE = "rule exit"
    STOP = "stop exit"


@dataclass(frozen=True, slots=True)
class Close:
    """Close some components of a position as one order."""

    strategy: str
    position: str
    roles: tuple[str, ...]
    urgency: Urgency
    trigger: str
    """Short name of the rule ("21 DTE", "stop"); trades are counted by it."""
    reason: str
    defends: bool = False
    """True when the rest of the position stays and is now the untested side."""
    units: int | None = None
    """How many units of each component; None: all that are open."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact the strategy must remember across restarts, such as the 09:30 print."""

    strategy: str
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """A position's stage in its strategy's own life has changed (methodology E.3): to be written down."""

    strategy: str
    position: str
    before: str
    after: str
    trigger: str
    context: str


@dataclass(frozen=True, slots=True)
class Pass:
    """Why an entry stands still now.  ``code`` is one of methodology B.0's."""

    strategy: str
    entry: str
    code: str
    detail: str


Intent = Open | Alternatives | Close | Mark | Step | Pass


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that said no, with its numbers."""

    code: str
    """Code of methodology B.0: SYS, DATA, PHASE, CAP, SIZE ..."""
    limit: str
    detail: str

    def __str__(self) -> str:
        return f"{self.limit}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Approved:
    """Permission for ``units`` of exactly this wish; only the gate makes one."""

    wish: Open
    units: int
    binding: str
    """The limit that allowed the fewest units, with its numbers."""
    warnings: tuple[str, ...] = ()
    margin: Decimal = Decimal(0)
    """Dollars of margin the gate counted for all units."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Every limit that permits no unit."""

    wish: Open
    breaches: tuple[Breach, ...]


Verdict = Approved | Refused
