"""The states of a position and the only ways between them; each step is a journalled event."""

from enum import Enum


class State(Enum):
    """Where a position is in its life."""

    BUILDING = "building"
    """Its opening order has its first fill and still works."""
    ACTIVE = "active"
    DEFENDING = "defending"
    """A tested side was closed; the rest runs on under its own rules."""
    EXITING = "exiting"
    """A rule exit of everything that is left is under way."""
    CLOSED = "closed"


ALLOWED: dict[State, frozenset[State]] = {
    State.BUILDING: frozenset({State.ACTIVE, State.EXITING, State.CLOSED}),
    State.ACTIVE: frozenset({State.DEFENDING, State.EXITING, State.CLOSED}),
    State.DEFENDING: frozenset({State.ACTIVE, State.EXITING, State.CLOSED}),
    State.EXITING: frozenset({State.ACTIVE, State.DEFENDING, State.CLOSED}),
    State.CLOSED: frozenset(),
}


def may_become(now: State, then: State) -> bool:
    """Whether the table allows the step."""
    return then in ALLOWED[now]
