"""What was opened when and for how much, remembered after it is closed: a budget's memory.

One note a strategy, in words of date and dollars, oldest first:

    "bought"    "2031-03-05:1250.40 2031-04-02:980.00"

A position is written down at the first look at it, and forgotten when a year has passed.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from tomking.domain.book import Position
from tomking.domain.calendar import new_york
from tomking.domain.intent import Close, Mark, Urgency
from tomking.domain.lifecycle import State
from tomking.rules.strategy import Exit, Held
from tomking.view import Own, View

NOTE = "bought"
YEAR = timedelta(days=365)
Amount = Callable[[Position], Decimal]


def paid(position: Position) -> Decimal:
    """Dollars its components cost when they were opened, all units, without fees."""
    return sum(
        (-c.entry_net * c.filled_units * c.structure.multiplier for c in position.components.values()),
        Decimal(0),
    )


def keeping(amount: Amount = paid) -> Exit:
    """No way out, but what must be asked with them: writes each position into the ledger, once."""

    def check(view: View, own: Own, held: Held) -> list[Close | Mark]:
        day = opened_on(held.position)
        if held.position.state is State.BUILDING or any(known == day for known, _ in entries(own)):
            return []
        kept = [(known, dollars) for known, dollars in entries(own) if view.today - known < YEAR]
        kept.append((day, amount(held.position)))
        text = " ".join(f"{known}:{dollars}" for known, dollars in kept)
        return [Mark(own.strategy, NOTE, text)]

    return Exit("ledger", Urgency.RULE, guardian=False, check=check)


def entries(own: Own) -> list[tuple[date, Decimal]]:
    """Day and dollars of each opening of the last year that was written down, oldest first."""
    words = (word.partition(":") for word in own.notes.get(NOTE, "").split())
    return [(date.fromisoformat(day), Decimal(dollars)) for day, _, dollars in words]


def opened_days(own: Own) -> set[date]:
    """The days of all openings: those written down, and those of positions that are not yet."""
    return {day for day, _ in entries(own)} | {opened_on(position) for position in own.positions}


def spent_since(own: Own, first: date) -> Decimal:
    """Dollars of all openings from ``first`` on."""
    known = dict(entries(own))
    known |= {opened_on(p): paid(p) for p in own.positions if opened_on(p) not in known}
    return sum((dollars for day, dollars in known.items() if day >= first), Decimal(0))


def opened_on(position: Position) -> date:
    """The session in which it was opened."""
    return new_york(position.opened).date()
