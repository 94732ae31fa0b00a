"""Strategy-based margin: which longs cover which shorts, and what the uncovered rest asks for.

Pairing looks at strikes, expiries and counts only, so it is done once and priced in many worlds.  Of a
naked put and a naked call the broker asks for the greater, and for the other's value besides: the
underlying cannot hit both (Cboe margin manual, short put and short call; tastytrade, short strangle).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from tomking.risk.settings import Settings

Floats = NDArray[np.float64]
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """A leg in plain numbers."""

    expiry: date
    right: int
    """+1 call, -1 put, 0 future or shares."""
    strike: float
    count: float
    root: str = ""
    """Of its product."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What an uncovered option asks for."""

    share: float
    """Of the underlying, less what it is out of the money."""
    least: float
    """At least so much of it."""
    of_strike: bool
    """A put's least is a share of its strike."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A position's legs, sorted out."""

    fixed: float
    """Points asked for wherever the underlying is: what paired legs can lose."""
    stock: float
    """Lots of shares."""
    naked: tuple[tuple[int, float], ...]
    """(row, contracts) uncovered, of each right those nearest the money first."""


def is_covered(rows: Sequence[Row]) -> bool:
    """Whether every short leg is covered in its own expiration."""
    balance: dict[tuple[date, int], float] = {}
    for row in rows:
        if row.right == 0:
            return False
        key = (row.expiry, row.right)
        balance[key] = balance.get(key, 0) + row.count
    return all(count >= -ROUNDING for count in balance.values())


def worst_payout(rows: Sequence[Row]) -> float:
    """Greatest payout over all expirations, points >= 0: the payoff bends at strikes only."""
    total = 0.0
    for expiry in {row.expiry: None for row in rows}:
        mine = [row for row in rows if row.expiry == expiry]
        kinks = [0.0, *(row.strike for row in mine)]
        payoffs = [
            sum(row.count * max(row.right * (kink - row.strike), 0.0) for row in mine) for kink in kinks
        ]
        total += max(0.0, -min(payoffs))
    return total


def on_index(rows: Sequence[Row]) -> Paired:
    """Longs cover the shorts of their expiration farthest from the money: the nearest count as naked."""
    covered: list[Row] = []
    naked: list[tuple[int, float]] = []
    for expiry, right in {(row.expiry, row.right): None for row in rows}:
        side = [i for i, row in enumerate(rows) if (row.expiry, row.right) == (expiry, right)]
        cover = sum(rows[i].count for i in side if rows[i].count > 0)
        covered += [rows[i] for i in side if rows[i].count > 0]
        for i in sorted(side, key=lambda i: right * rows[i].strike, reverse=True):
            row = rows[i]
            if row.count > 0:
                continue
            hidden = min(cover, -row.count)
            cover -= hidden
            if hidden:
                covered.append(replace(row, count=-hidden))
            if -row.count - hidden > ROUNDING:
                naked.append((i, -row.count - hidden))
    return Paired(worst_payout(covered) if covered else 0.0, 0.0, _nearest_first(rows, naked))


def on_shares(rows: Sequence[Row]) -> Paired:
    """The shorts nearest the money are paired first, each with the long that costs the least beside it."""
    stock = sum(abs(row.count) for row in rows if row.right == 0)
    fixed, naked = 0.0, []
    for right in (1, -1):
        free = {i: row.count for i, row in enumerate(rows) if row.right == right and row.count > 0}
        shorts = [i for i, row in enumerate(rows) if row.right == right and row.count < 0]
        for i in sorted(shorts, key=lambda i: right * rows[i].strike):
            left = -rows[i].count
            cover = [
                (_gap(rows[i], rows[j]), rows[j].expiry, j) for j in free if rows[j].expiry >= rows[i].expiry
            ]
            for gap, _, j in sorted(cover, key=itemgetter(0, 1)):
                used = min(left, free[j])
                fixed += used * gap
                free[j] -= used
                left -= used
            if left > ROUNDING:
                naked.append((i, left))
    return Paired(fixed, stock, _nearest_first(rows, naked))


def _gap(short: Row, long: Row) -> float:
    """Points by which the long's strike is worse."""
    return max(0.0, short.right * (long.strike - short.strike))


def _nearest_first(rows: Sequence[Row], naked: list[tuple[int, float]]) -> tuple[tuple[int, float], ...]:
    return tuple(sorted(naked, key=lambda one: rows[one[0]].right * rows[one[0]].strike))


def asked(  # noqa: PLR0917 - all of them are needed, none has a default
    paired: Paired, rows: Sequence[Row], mids: Floats, levels: Floats, rates: Rates, settings: Settings
) -> Floats:
    """Points in c worlds, (c,), before what was received; ``mids`` (n, c), ``levels`` (c,)."""
    total = paired.fixed + paired.stock * settings.stock_share * levels
    calls = [one for one in paired.naked if rows[one[0]].right > 0]
    puts = [one for one in paired.naked if rows[one[0]].right < 0]
    while calls or puts:
        count = min(side[0][1] for side in (calls, puts) if side)
        needs = [
            (_naked(rows[side[0][0]], levels, rates), mids[side[0][0]]) for side in (calls, puts) if side
        ]
        total = total + count * _greater(needs)
        calls, puts = _less(calls, count), _less(puts, count)
    return total


def _naked(row: Row, levels: Floats, rates: Rates) -> Floats:
    out = np.maximum(0.0, row.right * (row.strike - levels))
    base = row.strike if rates.of_strike and row.right < 0 else levels
    need: Floats = np.maximum(rates.share * levels - out, rates.least * base)
    return need


def _greater(needs: Sequence[tuple[Floats, Floats]]) -> Floats:
    """The side that asks for more, value included, and the other's value."""
    if len(needs) == 1:
        return needs[0][0] + needs[0][1]
    (one, price), (other, value) = needs
    both: Floats = np.where(one + price >= other + value, one, other) + price + value
    return both


def _less(side: list[tuple[int, float]], count: float) -> list[tuple[int, float]]:
    if not side:
        return side
    (i, left), *rest = side
    return [(i, left - count), *rest] if left - count > ROUNDING else rest
