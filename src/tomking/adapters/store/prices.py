"""Prices as whole counts of a unit: which unit a root has, and which one a column of prices needs.

A unit is given as ``per_point``, its counts in a point: 20 is a unit of 0.05, 64 one of 1/64.  The units
of a root form a ladder in which each divides the next, so stored counts turn into finer ones by a whole
factor and nothing is ever rounded.
"""

from decimal import Decimal
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from tomking.domain.products import PRODUCTS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CENTS = 100
"""Counts in a point of roots that have no product: US equity options quote in cents or coarser."""
DECIMALS = 8
"""The finest unit is 0.00000001 point; a price that needs more is none."""
NARROW = 10_000
"""Up to so many counts in a point, prices are stored in 32 bits (to 214,748 points), above in 64."""

_NOISE = 1e-12
"""How far, relative to itself, a double may be off the decimal price it stands for: the arithmetic of a
source (43500 * 0.0001), thousands of times finer than any unit."""


def per_point(root: str) -> int:
    """Counts in a point of the root's quote grid; ``CENTS`` where the root is no product."""
    product = PRODUCTS.get(root)
    if product is None:
        return CENTS
    return lcm(*(Fraction(tick).denominator for tick in (product.tick, product.tick_above)))


def ladder(base: int) -> tuple[int, ...]:
    """The units of a root from its own to the finest; each divides the next.

    >>> ladder(20)[:3]
    (20, 100, 1000)
    """
    steps = [base]
    for digits in range(2, DECIMALS + 1):
        finer = lcm(steps[-1], 10**digits)
        if finer != steps[-1]:
            steps.append(finer)
    return tuple(steps)


def unit(counts_a_point: int) -> Decimal:
    """Points per count.

    >>> unit(20), unit(64)
    (Decimal('0.05'), Decimal('0.015625'))
    """
    return Decimal(1) / counts_a_point


def rungs(prices: Floats, steps: tuple[int, ...]) -> NDArray[np.int8]:
    """The first of ``steps`` that gives each price exactly; ``len(steps)`` where none does.

    NaN stands for "no quote" and needs none: 0.
    """
    found = np.zeros(prices.shape, dtype=np.int8)
    open_rows = np.flatnonzero(~np.isnan(prices))
    for counts in steps:
        left = prices[open_rows]
        open_rows = open_rows[~_gives(left, counts)]
        found[open_rows] += 1
        if not open_rows.size:
            break
    return found


def _gives(prices: Floats, counts: int) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.rint(prices * counts)
        # Whole counts below 2**53 over a whole number are the double nearest to the decimal price.
        near = np.abs(whole / counts - prices) <= _NOISE * np.abs(prices)
    most = 2**31 - 1 if counts <= NARROW else 2**53
    return np.asarray(near & (np.abs(whole) <= most))
