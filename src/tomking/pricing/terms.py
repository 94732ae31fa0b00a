"""Forwards and discount factors of a whole chain's expiries, implied by put-call parity.

``pricing.parity`` does one expiry; this pairs calls and puts and says how well the pairs agree.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomking.pricing.parity import NEAR_PAIRS, imply_forward

Floats = NDArray[np.float64]

RATE_SD = 0.005
"""How far the prior rate may be off: half a per cent."""


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
) -> Terms:
    """Forward and discount factor of each expiry of a chain.

    calendar_years  shape (m,), ACT/365, > 0, of the expiries
    rate            a Treasury rate, continuous: the prior of the discount factors
    row_expiry      shape (n,), which expiry (0 to m - 1) a quote belongs to
    strike, bid, ask  shape (n,), points; rows crossed or without an ask take no part
    right           shape (n,), +1 call, -1 put
    """
    implied = np.full((3, calendar_years.size), np.nan)
    quoted = (ask >= bid) & (ask > 0.0)
    order = np.lexsort((right, strike, row_expiry))
    order = order[quoted[order]]
    # Neighbours in that order are a put and a call at one strike.
    put, call = order[:-1], order[1:]
    paired = (
        (row_expiry[put] == row_expiry[call]) & (strike[put] == strike[call]) & (right[put] < right[call])
    )
    put, call = put[paired], call[paired]
    k, gap = strike[put], 0.5 * (bid[call] + ask[call] - bid[put] - ask[put])
    noise = np.maximum(0.5 * (ask[call] - bid[call] + ask[put] - bid[put]), 1e-5 * k)
    ends = np.searchsorted(row_expiry[put], np.arange(calendar_years.size + 1))
    for e, years in enumerate(calendar_years):
        of = slice(ends[e], ends[e + 1])
        found = imply_forward(
            strike=k[of],
            call=gap[of],
            put=np.zeros_like(gap[of]),
            noise=noise[of],
            discount=float(np.exp(-rate * years)),
            discount_sd=RATE_SD * float(years),
        )
        if found is not None:
            off = gap[of] - found.discount * (found.forward - k[of])
            near = np.argsort(np.abs(gap[of]), kind="stable")[:NEAR_PAIRS]
            implied[:, e] = found.forward, found.discount, float(np.sqrt(np.mean(off[near] ** 2)))
    return Terms(*implied)
