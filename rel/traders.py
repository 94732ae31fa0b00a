"""Three plain strategies in the kernel's own terms: enough trades of every shape in one short session.

A four-leg 0DTE condor with a resting target, a two-leg put spread, and a ratio whose naked puts are a
component of their own.  Each takes what it is given: entries at fixed minutes, stops, a time to leave.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from rel.world import DAY, MONTHLY
from tomking.domain.book import Position
from tomking.domain.calendar import Session
from tomking.domain.contract import Option, Right
from tomking.domain.intent import Close, Intent, Open, Part, Target, Urgency
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure
from tomking.view import Own, View

MINUTE = timedelta(minutes=1)


def option(product: str, right: Right, strike: float) -> Option:
    """On the grid of strikes, at or below ``strike``."""
    listed = PRODUCTS[product]
    expiry = DAY if product == "SPXW" else MONTHLY
    unit = listed.strike_grid
    return Option(product, expiry, right, int(strike / float(unit)) * unit, listed.multiplier, listed.tick)


def structure(product: str, name: str, *legs: tuple[int, Right, float]) -> Structure:
    return Structure(name, tuple(Leg(option(product, right, strike), ratio) for ratio, right, strike in legs))


def condor(level: float) -> tuple[Part, ...]:
    puts = structure("SPXW", "puts", (-1, Right.PUT, level - 25), (1, Right.PUT, level - 50))
    calls = structure("SPXW", "calls", (-1, Right.CALL, level + 30), (1, Right.CALL, level + 55))
    return Part("puts", puts), Part("calls", calls)


def spread(level: float) -> tuple[Part, ...]:
    legs = structure("SPX", "spread", (-1, Right.PUT, level * 0.96), (1, Right.PUT, level * 0.95))
    return (Part("spread", legs),)


def ratio(level: float) -> tuple[Part, ...]:
    debit = structure("SPX", "debit", (1, Right.PUT, level * 0.985), (-1, Right.PUT, level * 0.975))
    naked = structure("SPX", "naked", (-2, Right.PUT, level * 0.945))
    return Part("debit", debit), Part("naked", naked)


@dataclass(frozen=True, slots=True)
class Trader:
    """``kernel.parts.Strategy``: enters at ``minutes`` after the open, leaves at a loss or a time."""

    id: str
    build: Callable[[float], tuple[Part, ...]]
    minutes: tuple[int, ...]
    hold: int
    """Minutes."""
    stop: Decimal
    """Points of loss at which it leaves."""
    units: int
    keep: Decimal | None = None
    """Of the credit, for a resting target; None rests none."""
    in_turn: bool = False
    """Whether its components leave one after another, the last first."""
    every: int = 5
    """Minutes between looks at what it holds."""

    def steps(self, _view: View, _own: Own) -> tuple[Intent, ...]:
        return ()

    def decide(self, view: View, own: Own) -> tuple[Intent, ...]:
        leaving = self.guard(view, own)
        if leaving or own.positions:
            return leaving
        minute = (view.now - view.session.open) // MINUTE
        entry = max((m for m in self.minutes if m <= minute < m + 4), default=None)
        if entry is None or f"{self.id} {entry}" in own.entered:
            return ()
        return self.wish(view, own, f"{self.id} {entry}")

    def guard(self, view: View, own: Own) -> tuple[Intent, ...]:
        return tuple(close for position in own.positions for close in self._leaving(view, own, position))

    def next_wake(self, session: Session, own: Own, now: datetime, grid_minutes: int) -> datetime | None:
        wakes = [w for w in self._wakes(session, own, now) if now < w < session.close]
        return min(wakes, default=None)

    def _wakes(self, session: Session, own: Own, now: datetime) -> Iterator[datetime]:
        for minute in self.minutes:
            start = session.open + minute * MINUTE
            yield start
            yield start + 2 * MINUTE
        if own.positions:
            gone = (now - session.open) // (self.every * MINUTE)
            yield session.open + (gone + 1) * self.every * MINUTE

    def wish(self, view: View, own: Own, entry: str) -> tuple[Intent, ...]:
        level = view.spot()
        if level is None:
            return ()
        parts = self.build(level)
        roles = tuple(part.role for part in parts)
        targets = () if self.keep is None else (Target(roles, self.keep),)
        wish = Open(
            strategy=self.id,
            entry=entry,
            parts=parts,
            ceiling=self.units,
            planned_loss=self.stop,
            target_gain=Decimal(12),
            least_net=Decimal("0.20"),
            reason="it is time",
            targets=targets,
        )
        return (wish,)

    def _leaving(self, view: View, own: Own, position: Position) -> Iterator[Close]:
        free = [one for one in position.open_components if one.closing is None]
        gain = own.profit(position, free)
        stopped = gain is not None and gain <= -self.stop
        timed = view.now >= position.opened + self.hold * MINUTE
        if not free or not (stopped or timed):
            return
        chosen = free[-1:] if self.in_turn else free
        urgency, trigger = (Urgency.STOP, "stop") if stopped else (Urgency.RULE, "time")
        yield Close(self.id, position.id, tuple(one.role for one in chosen), urgency, trigger, trigger)


def traders() -> tuple[Trader, ...]:
    """The three; whoever enters last may still hold it when the session ends, into its settlement."""
    return (
        Trader("condor", condor, (1, 11, 23), 7, Decimal(6), 2, keep=Decimal("0.5"), every=1),
        Trader("spread", spread, (3, 15), 5, Decimal(12), 3, keep=Decimal("0.25"), every=1),
        Trader("ratio", ratio, (5, 18), 5, Decimal(20), 1, in_turn=True, every=1),
    )
