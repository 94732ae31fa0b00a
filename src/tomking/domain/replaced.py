"""``dataclasses.replace`` for the book's fold: the same result, several times as fast.

The book has two dozen fields and is replaced twice an event; the standard function looks each field up by
name in Python.  A restart folds a hundred thousand events before it may trade.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def replaced(one: T, **changes: Any) -> T:  # noqa: ANN401 - any field's value
    """A copy of a dataclass with some fields changed.  ``KeyError`` names a field that it does not have.

    Fields that the class works out for itself (``init=False``) are worked out anew.

    >>> from tomking.domain.record import Record
    >>> replaced(Record(), wins=3) == Record(wins=3)
    True
    """
    kind: Any = type(one)
    read, places = _plan(kind)
    values = list(read(one))
    for name, value in changes.items():
        values[places[name]] = value
    made: T = kind(*values)
    return made


@cache
def _plan(kind: type) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]:
    """How to read all fields at once, and each field's place among the arguments."""
    names = [field.name for field in fields(kind) if field.init]
    assert len(names) > 1, f"{kind.__name__} has fewer than two fields"
    return attrgetter(*names), {name: place for place, name in enumerate(names)}
