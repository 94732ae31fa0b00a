"""Forwards and discount factors of a whole chain's expiries, implied by put-call parity.

``pricing.parity`` does one expiry; this pairs calls and puts and says how well the pairs agree.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.parity import NEAR_PAIRS, implied_terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RATE_SD = 0.005
"""How far the prior rate may be off: half a per cent."""
NOISE_FLOOR = 1e-5
"""No pair's noise counts as less than this share of its strike."""


class Terms(NamedTuple):
    """Columns of shape (m,), one row an expiry; NaN where fewer than three pairs are quoted."""

    forward: Floats
    """Points."""
    discount: Floats
    """Price now of 1 paid at expiry, in (0, 1]."""
    residual: Floats
    """Points: root mean square of ``C - P - D (F - K)`` over the 15 pairs nearest the money.  Above
    about a point on an index the date mixes two settlements or holds stale quotes: leave it out."""


def imply_terms(
    *,
    calendar_years: Floats,
    rate: float,
    row_expiry: NDArray[np.int64],
    strike: Floats,
    right: Floats,
    bid: Floats,
    ask: Floats,
    rate_sd: float = RATE_SD,
) -> Terms:
    """Forward and discount factor of each expiry of a chain.

    calendar_years  shape (m,), ACT/365, > 0, of the expiries
    rate, rate_sd   a Treasury rate, continuous, and how far off it may be: the prior of the discount factors
    row_expiry      shape (n,), which expiry (0 to m - 1) a quote belongs to
    strike, bid, ask  shape (n,), points; rows crossed or without an ask take no part, nor do NaN
    right           shape (n,), +1 call, -1 put; a contract stands in no two rows
    """
    implied = np.full((3, calendar_years.size), np.nan)
    prior = np.minimum(np.exp(-rate * calendar_years), 1.0)
    _terms_into(prior, rate_sd * calendar_years, row_expiry, strike, right, bid, ask, implied)
    return Terms(*implied)


@njit(cache=True, error_model="numpy")
def _terms_into(  # noqa: PLR0917
    prior: Floats,
    prior_sd: Floats,
    row_expiry: Ints,
    strike: Floats,
    right: Floats,
    bid: Floats,
    ask: Floats,
    out: Floats,
) -> None:
    order, ends = _sides(row_expiry, strike, right, (ask >= bid) & (ask > 0.0), prior.size)
    for e in range(prior.size):
        puts, calls = order[ends[2 * e] : ends[2 * e + 1]], order[ends[2 * e + 1] : ends[2 * e + 2]]
        put, call = _pairs(strike, puts, calls)
        k, gap = strike[put], 0.5 * (bid[call] + ask[call] - bid[put] - ask[put])
        noise = np.maximum(0.5 * (ask[call] - bid[call] + ask[put] - bid[put]), NOISE_FLOOR * k)
        forward, discount, pairs = implied_terms(k, gap, noise, prior[e], prior_sd[e])
        if pairs > 0:
            near = np.argsort(np.abs(gap), kind="mergesort")[:NEAR_PAIRS]
            off = gap[near] - discount * (forward - k[near])
            out[0, e], out[1, e], out[2, e] = forward, discount, math.sqrt((off * off).mean())


@njit(cache=True, error_model="numpy")
def _sides(
    row_expiry: Ints, strike: Floats, right: Floats, quoted: NDArray[np.bool_], expiries: int
) -> tuple[Ints, Ints]:
    # Quoted rows by expiry, puts before calls, strikes ascending; and where each side ends.
    counts = np.zeros(2 * expiries + 1, dtype=np.int64)
    for i in range(strike.size):
        if quoted[i]:
            counts[2 * row_expiry[i] + (right[i] > 0.0) + 1] += 1
    ends = np.cumsum(counts)
    at, order = ends[:-1].copy(), np.empty(ends[-1], dtype=np.int64)
    for i in range(strike.size):
        if quoted[i]:
            side = 2 * row_expiry[i] + (right[i] > 0.0)
            order[at[side]] = i
            at[side] += 1
    for side in range(2 * expiries):
        of = order[ends[side] : ends[side + 1]]
        k = strike[of]
        if (k[1:] < k[:-1]).any():
            of[:] = of[np.argsort(k, kind="mergesort")]
    return order, ends


@njit(cache=True, error_model="numpy")
def _pairs(strike: Floats, puts: Ints, calls: Ints) -> tuple[Ints, Ints]:
    # Rows of a put and a call at one strike; both sides ascend.
    paired = np.empty((2, min(puts.size, calls.size)), dtype=np.int64)
    i, j, n = 0, 0, 0
    while i < puts.size and j < calls.size:
        below, above = strike[puts[i]], strike[calls[j]]
        if below == above:
            paired[0, n], paired[1, n] = puts[i], calls[j]
            n += 1
        i += below <= above
        j += above <= below
    return paired[0, :n], paired[1, :n]
