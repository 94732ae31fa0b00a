"""One order on its way to a person and back: its state, and what of it outlives the process.

checking   the broker is asked what it would do
waiting    it is shown, and a person is asked
approved   it goes out at the next look, if it is still what was approved
sent, lapsed, refused   the ends
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from tomking.adapters.codec import decode, encode
from tomking.app.prepare.preview import Preview, read_intent
from tomking.domain.errors import OperatingError
from tomking.domain.events import OrderSubmitted
from tomking.domain.intent import Open
from tomking.domain.order import Order
from tomking.execution.preview import Intent


class State(StrEnum):
    """See the module."""

    CHECKING = "checking"
    WAITING = "waiting"
    APPROVED = "approved"
    SENT = "sent"
    LAPSED = "lapsed"


Key = tuple[str, str, str]
"""Strategy, entry, position that it joins: one of them waits at a time."""


@dataclass(slots=True)
class Candidate:
    """See the module."""

    intent: Intent
    wish: Open
    """As it may be sent: no more units, no worse price than was shown."""
    content: dict[str, Any]
    """What is shown of it, as JSON has it."""
    state: State
    preview: Preview | None = None
    """Until it is shown; None after a restart: then it has been."""
    by: str = ""
    """Who approved it."""
    question: str = ""
    """The dry run that is unanswered."""
    asked: datetime | None = None
    """When."""
    tries: int = 0

    @property
    def hash(self) -> str:
        return self.intent.hash

    @property
    def key(self) -> Key:
        return key_of(self.wish)

    @property
    def note(self) -> str:
        """The key of the book's note that says how far it has come."""
        return note_of(self.wish)


def key_of(wish: Open) -> Key:
    return wish.strategy, wish.entry, wish.joins or ""


def note_of(wish: Open) -> str:
    """Below the strategy's own notes: when it changes the strategy is looked at anew."""
    joins = f"@{wish.joins}" if wish.joins else ""
    return f"{wish.strategy}.prepared {wish.entry}{joins}"


# ------------------------------------------------------------------------------ as a file


def content_of(order: Order, wish: Open, at: datetime, preview: Mapping[str, Any]) -> dict[str, Any]:
    """What is offered: the preview, and the order from which the wish is had again."""
    return {
        "hash": preview["hash"],
        "preview": dict(preview),
        "order": encode(OrderSubmitted(at, order)),
        "target_gain": str(wish.target_gain),
        "ceiling": wish.ceiling,
    }


def restored(content: Mapping[str, Any]) -> Candidate | None:
    """A candidate that waits, of what was offered before a restart; None where anything is not as it was."""
    try:
        intent = read_intent(content["preview"]["intent"])
        event = decode(content["order"])
        target_gain, ceiling = Decimal(content["target_gain"]), int(content["ceiling"])
    except (OperatingError, LookupError, TypeError, ValueError, ArithmeticError):
        return None
    if intent.hash != content.get("hash") or not isinstance(event, OrderSubmitted):
        return None
    order = event.order
    is_same = (order.structure.legs, order.units, order.floor) == (intent.legs, intent.units, intent.floor)
    if not is_same or order.floor is None or ceiling < order.units:
        return None
    wish = Open(
        strategy=order.strategy,
        entry=order.trigger,
        parts=order.parts,
        ceiling=ceiling,
        planned_loss=order.planned_loss,
        target_gain=target_gain,
        least_net=order.floor,
        reason=order.reason,
        joins=None if order.position == order.id else order.position,
        targets=order.targets,
    )
    return Candidate(intent, wish, dict(content), State.WAITING)
