"""A strategy's own life cycle: the stages of its positions, and the only ways between them.

A stage is not kept by the strategy but read off facts that the journal has anyway: which components are
open, what closed them, and notes.  Each change is journalled once, with what brought it and the market it
happened in, so that a restart finds the same stage, and a way that the table does not have is a bug that
quarantines the strategy (methodology E.2, E.3).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tomking.domain.book import Position
from tomking.domain.intent import Step
from tomking.domain.lifecycle import State
from tomking.view import Own, View

Reading = Callable[[View, Own, Position], tuple[str, str]]
"""A position's stage, and in a few words what brought it there."""


class IllegalStep(Exception):
    """A position went where its table has no way."""


@dataclass(frozen=True, slots=True)
class Life:
    """The table of one strategy."""

    ways: Mapping[str, tuple[str, ...]]
    """Stage -> the stages that may follow it.  The first key is where every position begins."""
    reading: Reading

    def __post_init__(self) -> None:
        unknown = {after for ways in self.ways.values() for after in ways} - set(self.ways)
        assert not unknown, f"stages that nothing is said of: {sorted(unknown)}"

    @property
    def first(self) -> str:
        return next(iter(self.ways))

    def step(self, view: View, own: Own, position: Position) -> Step | None:
        """What is to be written down of ``position`` now; None: nothing changed, or it is still built.

        ``IllegalStep`` when the table has no such way.
        """
        if position.state is State.BUILDING:
            return None
        if not position.stage:
            return Step(own.strategy, position.id, "", self.first, "opened", context(view))
        stage, trigger = self.reading(view, own, position)
        if stage == position.stage:
            return None
        if stage not in self.ways[position.stage]:
            raise IllegalStep(f"{position.id}: from {position.stage} to {stage} ({trigger})")
        return Step(own.strategy, position.id, position.stage, stage, trigger, context(view))


def context(view: View) -> str:
    """The market in words: index level and VIX."""
    spot, vix = view.spot(), view.vix
    level = "no index level" if spot is None else f"index {spot:.2f}"
    return f"{level}, " + ("no VIX" if vix is None else f"VIX {vix:.2f}")
