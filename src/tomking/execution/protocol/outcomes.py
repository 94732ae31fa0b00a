"""What an answer proves: accepted, rejected, or nothing (reliability.md, section 2)."""

from dataclasses import dataclass
from enum import Enum

from tomking.execution.wire import Outcome


class Failure(Enum):
    """Why there is no whole answer."""

    NONE = "none"
    TIMEOUT = "timeout"
    RESET = "reset"
    """The connection broke, before or after the request was sent: who could tell."""
    UNSENT = "unsent"
    """It was never handed to the network."""
    CANCELLED = "cancelled"
    """The task that waited was ended."""
    UNREADABLE = "unreadable"
    """No JSON, half a body, a page of HTML, a word nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is known of a request that may have moved an order."""

    status: int | None
    """Of HTTP; None where none came."""
    parsed: bool
    """Whether the body was JSON that our tolerant parser read."""
    order: str = ""
    """The broker's id of the order in it; empty: there is none."""
    code: str = ""
    """The broker's error code; empty: none."""
    failure: Failure = Failure.NONE
    token_was_valid: bool = True
    """Whether the request went out with a token known to be good: then a 401 is about the order."""


REFUSALS = frozenset({400, 403, 422})
"""With a code of the broker's own they are a no to the whole order."""
UNAUTHORISED = 401


def outcome(answer: Answer) -> Outcome:
    """UNKNOWN unless the answer proves something.

    A 429 or a 5xx may come from a gateway before or behind the order system; a 2xx without an order's id
    may be an order; an error without a code may be a proxy's.
    """
    if answer.failure is not Failure.NONE or answer.status is None or not answer.parsed:
        return Outcome.UNKNOWN
    if 200 <= answer.status < 300:
        return Outcome.ACCEPTED if answer.order else Outcome.UNKNOWN
    if answer.code and (
        answer.status in REFUSALS or (answer.status == UNAUTHORISED and answer.token_was_valid)
    ):
        return Outcome.REJECTED
    return Outcome.UNKNOWN
