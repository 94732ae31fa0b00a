"""Tags: the external identifier of every attempt, by which it is found again, and which fences others off.

    ``0badcafe-7-1234-2``   installation, trading lease's epoch, order, attempt

The broker echoes it and deduplicates nothing by it (T1).  Whoever sees a tag of a later epoch, or of an order
or an attempt that its own book has never heard of, holds a stale book.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

_FORM = re.compile(r"([0-9a-f]{8})-([0-9]{1,9})-([0-9]{1,12})-([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Tag:
    """One attempt's name at the broker."""

    instance: str
    """Eight hex digits of the account and installation."""
    epoch: int
    """Of the trading lease, > 0: later ones fence off earlier ones."""
    order: str
    """A whole number, from the journal's sequence."""
    attempt: int
    """From 1."""

    def __str__(self) -> str:
        return f"{self.instance}-{self.epoch}-{self.order}-{self.attempt}"


@lru_cache(maxsize=1024)  # a search shows all orders of the day, every few seconds
def parsed(text: str) -> Tag | None:
    """The tag of a text; None for anything that this program does not write."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    instance, epoch, order, attempt = match.groups()
    tag = Tag(instance, int(epoch), order, int(attempt))
    return tag if str(tag) == text else None
