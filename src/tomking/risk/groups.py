"""Correlation groups: what counts how much where, and which families move together now (C.5).

The group of a product is a fact of ``domain.products``; every IPMCC counts with the shares.  A position
counts by its strategy's weight, whatever its units (ruling 13); what it joins does not count again.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from tomking.domain.bars import Bars
from tomking.domain.book import Book
from tomking.domain.money import ZERO
from tomking.domain.products import PRODUCTS
from tomking.risk.case import is_new, openings
from tomking.risk.settings import Settings
from tomking.view import View

GROUPS = ("A1", "A2", "B1", "B2", "C1", "C2", "D1", "D2", "E")
"""In the order of the settings' tables."""
EQUITY = frozenset({"A1", "A2"})
NO_GROUP = frozenset({"V"})
"""VIX options: hedges without a group, governed by their budget."""
ONE, HALF, THIRD = Decimal(1), Decimal("0.5"), Decimal(1) / 3

WEIGHTS = {
    "calendar_spread": HALF,
    "diagonal": HALF,
    "leap_put_income": THIRD,
    "butterfly_9b": ZERO,
    "leap_put_hedge": ZERO,
    "vix_call_hedge": ZERO,
    "box_financing": ZERO,
}
"""Of one position; what is not here counts 1.  The rungs of a short-put ladder count a third each."""
SHORT_VOL = frozenset({
    "friday_0dte",
    "lt112",
    "calendarized_112",
    "futures_strangle",
    "ratio_spread",
    "leap_put_income",
    "vix_spike_puts",
})  # fmt: skip
"""IPMCC, calendars and diagonals are long volatility as a whole."""
BULLISH = frozenset({"lt112", "leap_put_income", "ipmcc"})


class Counted(NamedTuple):
    """One position, held or being opened, as the group limits count it."""

    id: str
    strategy: str
    family: str
    group: str
    weight: Decimal


def group_of(strategy: str, product: str) -> str:
    """The group that a strategy's position in ``product`` counts in; "" where there is none."""
    if strategy == "ipmcc":
        return "A2"
    group = PRODUCTS[product].group
    return group if group in GROUPS or group in NO_GROUP else ""


def weight_of(strategy: str, settings: Settings) -> Decimal:
    if settings.correlation_weights == "strict":
        return ONE
    return WEIGHTS.get(strategy, ONE)


def counted(book: Book, settings: Settings) -> Iterator[Counted]:
    """Every open position, and every opening order at work that will make one."""
    for one in book.positions.values():
        yield _counted(one.id, one.strategy, one.product, settings)
    for working, _ in openings(book):
        order = working.order
        if is_new(working, book):
            yield _counted(order.id, order.strategy, order.structure.product, settings)


def _counted(id_: str, strategy: str, product: str, settings: Settings) -> Counted:
    group = group_of(strategy, product)
    return Counted(id_, strategy, PRODUCTS[product].family, group, weight_of(strategy, settings))


def group_limit(group: str, phase: int, vix: float | None, settings: Settings) -> Decimal:
    """Positions that one group may hold: the phase's table, one less in high VIX, at least 1.

    The phase of the account, not of a ladder: P3 and P4 share the full table.
    """
    tables = (settings.group_max_phase_0, settings.group_max_phase_1, settings.group_max_phase_2)
    table = tables[phase] if phase < len(tables) else settings.group_max
    most = table[GROUPS.index(group)]
    if vix is not None and vix >= settings.group_high_vix:
        return max(min(ONE, most), most - 1)
    return most


# ------------------------------------------------------------------------------ rolling correlation


def correlation(view: View, family: str, other: str, days: int, until: date | None = None) -> float | None:
    """Correlation of the last ``days`` daily log returns that both families have; None without so many.

    Measured once a week (C.5): up to the last session of the week before, unless ``until`` says otherwise.
    """
    end = until or view.today - timedelta(days=view.today.weekday())
    return _of(view.bars(family).before(end), view.bars(other).before(end), days)


def _of(first: Bars, second: Bars, days: int) -> float | None:
    """-1 to 1; None where a series is short, does not reach the other's end, or does not move."""
    tail = 2 * days
    a, b = first.day[-tail:], second.day[-tail:]
    if not len(a) or not len(b) or a[-1] != b[-1]:
        return None
    _, rows, others = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    if len(rows) <= days:
        return None
    x = np.diff(np.log(first.close[-tail:][rows[-days - 1 :]]))
    y = np.diff(np.log(second.close[-tail:][others[-days - 1 :]]))
    spread = float(x.std() * y.std())
    if not spread > 0:
        return None
    return float(((x - x.mean()) * (y - y.mean())).mean()) / spread


def complexes_correlation(view: View, families: dict[str, str], days: int) -> float | None:
    """Average pairwise correlation between the held complexes: equities, metals and bonds, energy ...

    families  complex (the first letter of a group) to the family that stands for it

    Families of one complex move together on every day; that is what group limits are for.  What a breaker
    looks for is the day on which complexes that used to differ no longer do.  None with fewer than two, or
    where nothing is known.
    """
    names = list(families.values())
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    found = [correlation(view, a, b, days, until=view.today) for a, b in pairs]
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if known else None


def held_complexes(book: Book, settings: Settings) -> dict[str, str]:
    """The complexes of what is held and counts, each with its first family."""
    found: dict[str, str] = {}
    for position in book.positions.values():
        group = group_of(position.strategy, position.product)
        if group in GROUPS and weight_of(position.strategy, settings) > 0:
            found.setdefault(group[0], position.family)
    return found
