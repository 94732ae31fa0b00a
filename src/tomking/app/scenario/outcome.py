"""What a scenario hands back, and what its row says to that."""

from collections.abc import Sequence
from dataclasses import dataclass

from tomking.app.scenario.expected import Claim, Row
from tomking.app.scenario.story import Figures, Story


@dataclass(frozen=True, slots=True)
class Table:
    """Something the page prints besides the row."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures by the keys of the row's claims, and what is drawn."""

    figures: Figures
    stories: tuple[tuple[str, Story], ...] = ()
    """Named; the first is the main one, the others are drawn as further lines of net liq."""
    notes: tuple[str, ...] = ()
    """Sentences for the page: what stands for what, what is weaker than it looks."""
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    claim: Claim
    figure: float | None

    @property
    def verdict(self) -> str:
        """``pass``, ``MISS`` or, where it waits for something, ``waits``."""
        if self.claim.waits:
            return "waits"
        return "pass" if self.claim.is_met(self.figure) else "MISS"


@dataclass(frozen=True, slots=True)
class Result:
    row: Row
    outcome: Outcome
    seconds: float

    @property
    def checks(self) -> list[Check]:
        return [Check(claim, self.outcome.figures.get(claim.key)) for claim in self.row.claims]

    @property
    def missed(self) -> list[Check]:
        return [check for check in self.checks if check.verdict == "MISS"]

    @property
    def waiting(self) -> list[Check]:
        return [check for check in self.checks if check.verdict == "waits"]

    @property
    def verdict(self) -> str:
        if self.missed:
            return "MISS"
        return "waits" if len(self.waiting) == len(self.checks) else "pass"
