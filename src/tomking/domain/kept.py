"""Answers kept by identity: what is worked out of an immutable value once, and asked for at every step.

Positions, structures and the book's mappings never change; hashing or comparing one costs more than most
answers, so they are found by which object they are.
"""

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST = 512


def by_identity(work: Callable[[K], V]) -> Callable[[K], V]:
    """``work``, asked once of each object while it is among the last few hundred.

    It must be a function of that object alone, which must never change.
    """
    known: dict[int, tuple[K, V]] = {}

    def answer(of: K) -> V:
        found = known.get(id(of))
        if found is None:
            if len(known) >= MOST:
                known.clear()
            # The object is kept beside its answer, so that no other can come to have its identity.
            found = known[id(of)] = (of, work(of))
        return found[1]

    answer.__doc__ = work.__doc__
    return answer
