"""Answers kept by identity: what is worked out of an immutable value once, and asked for at every step.

Positions, structures, chains and the book's mappings never change; hashing or comparing one costs more than
most answers, so they are found by which object they are.
"""

from collections.abc import Callable
from typing import TypeVar
from weakref import ref

K = TypeVar("K")
V = TypeVar("V")

MOST = 512


def by_identity(work: Callable[[K], V]) -> Callable[[K], V]:
    """``work``, asked once of each object while it lives, or while it is among the last few hundred.

    It must be a function of that object alone, which must never change.  An object that can be referred to
    weakly is not kept alive: a day's chains weigh more than all else, and are asked about for a moment each.
    Others stay until there are ``MOST`` of them.
    """
    known: dict[int, tuple[object, V]] = {}

    def answer(of: K) -> V:
        found = known.get(id(of))
        if found is None:
            if len(known) >= MOST:
                known.clear()
            # Kept beside its answer or forgotten with its object: no other can come to have its identity.
            found = known[id(of)] = (_hold(of, known), work(of))
        return found[1]

    answer.__doc__ = work.__doc__
    return answer


def _hold(of: K, known: dict[int, tuple[object, V]]) -> object:
    """What stands for an object in ``known``: a reference that takes its entry out when the object dies."""
    if not type(of).__weakrefoffset__:
        return of
    identity = id(of)

    def forget(_: object) -> None:
        known.pop(identity, None)

    return ref(of, forget)
