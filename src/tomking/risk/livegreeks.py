"""The Greeks of what is held as the market moves: leg, component, position, strategy, group, portfolio (F.4).

The formulas are ``risk.greeks``'s, out of the same columns the limits are judged by.  A leg without a fresh
quote keeps its last good value and is marked stale (C.6).  Nothing here waits or reads a clock: ``Throttle``
says when a new look is due, ``look`` takes it, ``changes`` says what of it is new.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isnan
from typing import NamedTuple

import numpy as np

from tomking.domain.book import Book
from tomking.domain.contract import Contract
from tomking.domain.products import PRODUCTS
from tomking.risk.exposure import Line, exposure, lines_in
from tomking.risk.greeks import greeks_of
from tomking.risk.settings import Settings
from tomking.view import View

LEAST_MOVE = 0.05
"""Shares or dollars that a page would show as a change."""
FOREIGN = "foreign"
"""Strategy of what the account holds and no position of ours explains."""


class Sums(NamedTuple):
    """Of one leg, or of several together; NaN where a leg was never priced."""

    delta: float = 0.0
    """SPY shares at 550, beta-weighted."""
    gamma: float = 0.0
    """SPY shares per dollar of SPY."""
    vega: float = 0.0
    """Dollars per point of volatility."""
    theta: float = 0.0
    """Dollars per calendar day."""

    def plus(self, other: "Sums") -> "Sums":
        return Sums(*(a + b for a, b in zip(self, other, strict=True)))


class Leg(NamedTuple):
    """One holding: where it belongs, and what it is."""

    strategy: str
    position: str
    component: str
    contract: Contract


Place = tuple[str, ...]
"""``()`` the portfolio; ``("group", g)``; ``("strategy", s)``; ``("position", p)``; ``("component", p, c)``;
``("leg", p, c, contract)``."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """All Greeks at one instant."""

    at: datetime
    sums: Mapping[Place, Sums]
    stale: frozenset[Place]
    """Sums in which at least one leg is stale."""
    overnight_gamma: float
    """Of what does not expire today: what the gamma limit is about (C.6)."""
    stale_vega_share: float
    """Share of gross vega that rests on stale legs, 0 to 1; 1 where a leg was never priced."""
    is_degraded: bool
    """More of it than entries may rest on (C.6)."""

    @property
    def portfolio(self) -> Sums:
        return self.sums[()]


@dataclass(slots=True)
class LiveGreeks:
    """Remembers each leg's last good Greeks."""

    settings: Settings
    _good: dict[Leg, tuple[Sums, float]] = field(default_factory=dict[Leg, tuple[Sums, float]])
    """Per contract, and its calendar days to expiry."""

    def look(self, book: Book, view: View, seen: datetime | None) -> Snapshot:
        """Everything that is held, at the market of ``view``.

        seen  when the market was last heard of; what is older than a quote may be is stale altogether
        """
        held = list(holdings(book))
        table = exposure([line for _, line in held], view)
        found = greeks_of(table, self.settings)
        age = timedelta(seconds=self.settings.quote_age_seconds_max)
        is_silent = seen is None or view.now - seen > age
        rows = np.column_stack((found.delta, found.gamma, found.vega, found.theta))
        is_stale = table.stale | ~np.isfinite(rows).all(axis=1) | is_silent
        legs: dict[Leg, tuple[Sums, float, bool]] = {}
        for i, (leg, line) in enumerate(held):
            legs[leg] = self._leg(leg, line.number, rows[i], found.days[i], is_stale=bool(is_stale[i]))
        self._good = {leg: good for leg, good in self._good.items() if leg in legs}
        return self._snapshot(view.now, legs)

    def _leg(
        self, leg: Leg, number: float, row: np.ndarray, days: float, *, is_stale: bool
    ) -> tuple[Sums, float, bool]:
        if not is_stale and number:
            self._good[leg] = (Sums(*(row / number).tolist()), float(days))
        elif leg in self._good:
            each, days = self._good[leg]
            return Sums(*(number * value for value in each)), days, True
        return Sums(*row.tolist()), float(days), is_stale

    def _snapshot(self, at: datetime, legs: Mapping[Leg, tuple[Sums, float, bool]]) -> Snapshot:
        sums: dict[Place, Sums] = {(): Sums()}
        stale: set[Place] = set()
        overnight = 0.0
        for leg, (one, days, is_stale) in legs.items():
            for place in places(leg):
                sums[place] = sums.get(place, Sums()).plus(one)
            if is_stale:
                stale.update(places(leg))
            if days > 0:
                overnight += one.gamma
        share = _stale_share(legs)
        most = self.settings.stale_vega_share_max
        return Snapshot(at, sums, frozenset(stale), overnight, share, share > most)


def holdings(book: Book) -> Iterator[tuple[Leg, Line]]:
    """Every contract that is held, once for each component it is in, and what no position explains."""
    counts: dict[Leg, float] = {}
    for position in book.positions.values():
        for part in position.open_components:
            for line in lines_in(part.structure, part.units, position.strategy, position.id):
                leg = Leg(position.strategy, position.id, part.role, line.contract)
                counts[leg] = counts.get(leg, 0.0) + line.number
    for contract, number in book.foreign.items():
        counts[Leg(FOREIGN, FOREIGN, FOREIGN, contract)] = float(number)
    for leg, count in counts.items():
        yield leg, Line(leg.contract, count, leg.strategy, leg.position)


def places(leg: Leg) -> tuple[Place, ...]:
    """Everything that a leg counts in."""
    return (
        (),
        ("group", PRODUCTS[leg.contract.product].group),
        ("strategy", leg.strategy),
        ("position", leg.position),
        ("component", leg.position, leg.component),
        ("leg", leg.position, leg.component, str(leg.contract)),
    )


def changes(before: Snapshot | None, after: Snapshot) -> dict[Place, Sums | None]:
    """What a page has to draw again: sums that moved by a tenth or became stale; None for what has gone."""
    if before is None:
        return dict(after.sums)
    moved: dict[Place, Sums | None] = {
        place: now
        for place, now in after.sums.items()
        if place not in before.sums
        or any(_moved(a, b) for a, b in zip(before.sums[place], now, strict=True))
        or (place in before.stale) is not (place in after.stale)
    }
    return moved | {place: None for place in before.sums if place not in after.sums}


@dataclass(slots=True)
class Throttle:
    """When to look again: soon after quotes, at once after a move, and now and then in any case (F.4)."""

    least: float = 1.0
    """Seconds between looks, whatever comes: what comes in between is seen by the next, nothing is lost."""
    most: float = 30.0
    most_on_expiry: float = 5.0
    """The same while something that expires today is held."""
    move: float = 0.001
    """Share of a level after which nobody waits for ``least``."""
    least_after_move: float = 0.1
    _last: float | None = None
    _frames: int = -1
    _levels: dict[str, float] = field(default_factory=dict[str, float])

    def due(
        self, elapsed: float, frames: int, levels: Mapping[str, float], *, expires_today: bool = False
    ) -> bool:
        """Whether to look now; if so, the next is counted from here.

        elapsed  seconds of a clock that only runs
        frames   of the quote stream so far
        levels   of the underlyings, by family
        """
        if self._last is not None:
            since = elapsed - self._last
            is_late = since >= (self.most_on_expiry if expires_today else self.most)
            is_new = frames != self._frames and since >= self.least
            if not (is_late or is_new or (since >= self.least_after_move and self._moved(levels))):
                return False
        self._last, self._frames, self._levels = elapsed, frames, dict(levels)
        return True

    def _moved(self, levels: Mapping[str, float]) -> bool:
        known = self._levels
        return any(
            abs(level / known[name] - 1) >= self.move for name, level in levels.items() if known.get(name)
        )


def _moved(before: float, now: float) -> bool:
    """NaN has moved only to or from a number."""
    return abs(now - before) > LEAST_MOVE or isnan(now) is not isnan(before)


def _stale_share(legs: Mapping[Leg, tuple[Sums, float, bool]]) -> float:
    gross = sum(abs(one.vega) for one, _, _ in legs.values())
    stale = sum(abs(one.vega) for one, _, is_stale in legs.values() if is_stale)
    if not np.isfinite(gross):
        return 1.0
    return stale / gross if gross > 0 else 0.0
