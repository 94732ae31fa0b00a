"""The life of a Friday 0DTE (methodology E.3): untouched, tested, defended."""

from tomking.domain.book import Position
from tomking.rules.life import Life
from tomking.rules.strategy import position_note
from tomking.view import Own, View

OPEN, TESTED, DEFENDING = "OPEN", "TESTED", "DEFENDING"


def reading(view: View, own: Own, position: Position) -> tuple[str, str]:
    """Tested by the note of a touched short strike, defending when a side of several is closed."""
    closed = [c for c in position.components.values() if not c.is_open]
    if closed:
        return DEFENDING, closed[0].trigger
    tested = own.notes.get(position_note(position, "tested"))
    return (TESTED, f"{tested} was touched") if tested else (OPEN, "")


LIFE = Life(ways={OPEN: (TESTED, DEFENDING), TESTED: (DEFENDING,), DEFENDING: ()}, reading=reading)
