"""The table of expected outcomes: what each scenario starts from, and what must be measured at its end.

Written before the scenarios were (methodology H).  A row is met when every claim of it is; a claim that
waits for something that is not built yet is measured and shown, and asserted from the day its words are
taken out here.
"""

from dataclasses import dataclass
from math import inf

COUNT = 0
"""Nothing of the kind happened: what most claims ask for."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure and the closed range it must lie in."""

    key: str
    """By which the scenario reports its figure."""
    words: str
    least: float
    most: float
    waits: str = ""
    """What has to be built before it can be asserted; empty: it is asserted."""

    @property
    def range(self) -> str:
        """In words."""
        if self.least == self.most:
            return f"{self.least:g}"
        if self.least == -inf:
            return f"at most {self.most:g}"
        if self.most == inf:
            return f"at least {self.least:g}"
        return f"{self.least:g} to {self.most:g}"

    def is_met(self, figure: float | None) -> bool:
        return figure is not None and self.least <= figure <= self.most


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario."""

    name: str
    source: str
    """Methodology paragraph or seed."""
    tape: str
    book: str
    """What is held, and how much money there is, at the start."""
    claims: tuple[Claim, ...]


def exactly(key: str, figure: float, words: str, waits: str = "") -> Claim:
    return Claim(key, words, figure, figure, waits)


def none(key: str, words: str, waits: str = "") -> Claim:
    return Claim(key, words, COUNT, COUNT, waits)


def at_least(key: str, figure: float, words: str, waits: str = "") -> Claim:
    return Claim(key, words, figure, inf, waits)


def at_most(key: str, figure: float, words: str, waits: str = "") -> Claim:
    return Claim(key, words, -inf, figure, waits)


def between(key: str, least: float, most: float, words: str, waits: str = "") -> Claim:
    return Claim(key, words, least, most, waits)


NO_ERROR = none("errors", "strategies quarantined and steps that raised")
"""Implicit in every scenario (H): no exception."""
NO_ORPHAN = none("orphans", "orders at work after the last close, beside profit targets")
IN_HOURS = none("out_of_hours", "orders sent outside the session")
IMPLICIT = (NO_ERROR, NO_ORPHAN, IN_HOURS)
"""Claims that every scenario on the kernel makes besides its own."""
