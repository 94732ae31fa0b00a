"""Forward and discount factor of one expiry, implied by put-call parity: ``C - P = D (F - K)``.

1. The slope over strikes gives ``D``: least squares, each pair weighted by its quote noise.  On
   short expiries the slope says nothing about a rate, so it is blended with a prior by precision.
2. Pairs further off the line than three times their noise are dropped, and step 1 is repeated.
3. ``F`` is the weighted median of ``K + (C - P) / D`` over the pairs nearest the money.

Why at all: with the forward set to spot, 728 of 4,016 real SPXW mids had no implied volatility.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAR_PAIRS = 15
"""How many pairs nearest the money the forward is read from."""
LEAST_PAIRS = 3


class Parity(NamedTuple):
    """What one expiry's quotes imply."""

    forward: float
    """Points."""
    discount: float
    """Price now of 1 paid at expiry, in (0, 1]."""
    pairs: int
    """Strikes that took part in the slope."""


def imply_forward(
    *, strike: Floats, call: Floats, put: Floats, noise: Floats, discount: float, discount_sd: float
) -> Parity | None:
    """The forward and discount factor of one expiry, None with fewer than three pairs.

    Columns of shape (n,), one row a strike at which call and put are both quoted:

    strike, call, put      points, mids
    noise                  points, > 0: half the sum of the two spreads
    discount, discount_sd  the prior: from a Treasury rate, and how far off that may be (> 0)
    """
    forward, implied, pairs = implied_terms(strike, call - put, noise, discount, discount_sd)
    return Parity(forward, implied, pairs) if pairs else None


@njit(cache=True, error_model="numpy")
def implied_terms(
    strike: Floats, gap: Floats, noise: Floats, prior: float, prior_sd: float
) -> tuple[float, float, int]:
    """Forward, discount factor and pairs in the slope of one expiry; NaN, NaN, 0 with fewer than three.

    ``gap`` is call less put, the rest as above; for calling from other kernels.
    """
    if strike.size < LEAST_PAIRS:
        return math.nan, math.nan, 0
    weight, off = noise**-2.0, np.empty(strike.size)
    kept = np.ones(strike.size, dtype=np.bool_)
    implied = prior
    for _ in range(2):
        implied = min(_slope(strike[kept], gap[kept], weight[kept], prior, prior_sd), 1.0)
        off[:] = gap + implied * strike
        kept[:] = np.abs(off - _weighted_median(off, weight)) <= 3.0 * noise
        if np.count_nonzero(kept) < LEAST_PAIRS:
            kept[:] = True
    k, y, w = strike[kept], gap[kept], weight[kept]
    near = np.argsort(np.abs(y), kind="mergesort")[:NEAR_PAIRS]
    return _weighted_median(k[near] + y[near] / implied, w[near]), implied, k.size


@njit(cache=True, error_model="numpy")
def _slope(k: Floats, y: Floats, weight: Floats, prior: float, prior_sd: float) -> float:
    centre = (k * weight).sum() / weight.sum()
    precision, evidence = prior_sd**-2.0, prior * prior_sd**-2.0
    for i in range(k.size):
        away = weight[i] * (k[i] - centre)
        precision += away * (k[i] - centre)
        evidence -= away * y[i]
    return float(evidence / precision)


@njit(cache=True, error_model="numpy")
def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values, kind="mergesort")
    running = np.cumsum(weight[order])
    middle = order[np.searchsorted(running, 0.5 * running[-1])]
    return float(values[middle])
