"""Smiles fitted to quotes, free of butterfly and calendar arbitrage: the kernels.

Each expiry's smile is a sum of hyperbolas (``pricing.hyperbolas``), linear in the 16 numbers fitted.

1. Out-of-the-money quotes with a bid become ``(k, w, weight)``; ``weight`` turns an error of
   ``w`` into one of price in half-spreads.  Zero bids, crossed quotes and prices without an
   implied volatility are left out.
2. Slices are fitted from the last expiry to the first, each below the one after it: the later
   one has quotes where the earlier one only extrapolates.
3. One slice: damped Gauss-Newton on Huber's loss, faintly held to a prior: the later smile with less
   time, the same function of ``z`` (flat, then its own smoothed fit, for the last).  Where Durrleman's
   ``g``, Lee's slope or the ceiling is broken on a grid, that is a residual too.
4. What is still broken on a grid four times as fine is fitted again, held tighter, and then drawn
   back towards the prior by bisection.  Should the prior itself break a condition, the slice is the
   later one scaled down in ``w``: ``g`` of ``c w`` is concave in ``c`` and not negative at 0 and at
   1, so that cannot break either.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.descent import Problem, add_square, descend
from tomking.pricing.hyperbolas import (
    BENDS,
    FINE_BASIS,
    FREE,
    PARAMETERS,
    WIDTHS,
    along,
    ceiling_of,
    is_sound,
    slice_variance,
    slopes_of,
)
from tomking.pricing.implied import implied_into

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_QUOTES = 6
"""With fewer an expiry gets the later slice's shape and only its own level."""
SPREAD_FLOOR = 1e-5
"""No half-spread counts as less than this share of the forward."""

_HOLDS = (3.0, 10.0, 30.0)
"""Half-spreads that a fitted number one at-the-money variance off its prior counts as; the next is
tried where the one before ends in a slice that is not sound."""
_DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


@njit(cache=True, error_model="numpy")
def fit_into(  # noqa: PLR0917
    years: Floats,
    forward: Floats,
    discount: Floats,
    row_expiry: Ints,
    strike: Floats,
    right: Floats,
    bid: Floats,
    ask: Floats,
    slices: Floats,
    counts: Ints,
) -> None:
    """The slice of each expiry into ``slices`` (m, 17), how many quotes it rests on into ``counts`` (m,).

    Columns as in ``Quotes``.  Slices of expiries without a quote are left as they were.
    """
    n = strike.size
    k, w, weight = np.empty(n), np.empty(n), np.zeros(n)
    counts[:] = 0
    _weigh(years, forward, discount, row_expiry, strike, right, bid, ask, k, w, weight)
    for i in range(n):
        counts[row_expiry[i]] += weight[i] > 0.0
    # Rows by expiry: a counting sort.
    ends = np.cumsum(counts)
    sorted_k, sorted_w, sorted_weight = np.empty(n), np.empty(n), np.empty(n)
    at = ends - counts
    for i in range(n):
        if weight[i] > 0.0:
            j = at[row_expiry[i]]
            sorted_k[j], sorted_w[j], sorted_weight[j] = k[i], w[i], weight[i]
            at[row_expiry[i]] += 1
    later = np.full(PARAMETERS, np.nan)
    for e in range(years.size - 1, -1, -1):
        if counts[e] > 0:
            low, high = ends[e] - counts[e], ends[e]
            _fit_slice(sorted_k[low:high], sorted_w[low:high], sorted_weight[low:high], later, slices[e])
            later = slices[e]


@njit(cache=True, error_model="numpy")
def _weigh(  # noqa: PLR0917
    years: Floats,
    forward: Floats,
    discount: Floats,
    row_expiry: Ints,
    strike: Floats,
    right: Floats,
    bid: Floats,
    ask: Floats,
    k: Floats,
    w: Floats,
    weight: Floats,
) -> None:
    # Log-moneyness, total variance of the mid and weight; the weight stays 0 where there is no part.
    used = np.flatnonzero((bid > 0.0) & (ask >= bid) & (right * (strike - forward[row_expiry]) >= 0.0))
    of = row_expiry[used]
    mid, f, t, df = 0.5 * (bid[used] + ask[used]), forward[of], years[of], discount[of]
    vol, code = np.empty(used.size), np.empty(used.size, dtype=np.int8)
    implied_into(mid, f, strike[used], t, df, right[used], vol, code)
    for j in range(used.size):
        i = used[j]
        k[i] = math.log(strike[i] / f[j])
        if code[j] == 0:
            v = vol[j] * math.sqrt(t[j])
            half = max(0.5 * (ask[i] - bid[i]), SPREAD_FLOOR * f[j])
            d1 = -k[i] / v + 0.5 * v
            w[i] = v * v
            # d price / d w = D F n(d1) / (2 v)
            weight[i] = df[j] * f[j] * _DENSITY_AT_0 * math.exp(-0.5 * d1 * d1) / (2.0 * v * half)


@njit(cache=True, error_model="numpy")
def _fit_slice(k: Floats, w: Floats, weight: Floats, later: Floats, out: Floats) -> None:
    level = w[np.argmin(np.abs(k))]
    _anchor(k, w, weight, later, level, out)
    if k.size < LEAST_QUOTES:
        return
    scale, prior = _prior(later, level)
    rows, by_quote, squares = _rows(k, weight, scale)
    target, ceiling, slopes = weight * w, ceiling_of(later, scale), slopes_of(later, scale)
    if math.isnan(later[0]):
        p = prior.copy()
        descend(Problem(rows, by_quote, squares, target, ceiling, slopes, prior, scale), _HOLDS[1], p)
        _draw_back(_inner(prior), ceiling, slopes, scale, p)
        prior = p
    problem = Problem(rows, by_quote, squares, target, ceiling, slopes, prior, scale)
    p = prior.copy()
    for hold in _HOLDS:
        p[:] = prior
        descend(problem, hold, p)
        if is_sound(p, ceiling, slopes, scale):
            break
    if _draw_back(_inner(prior), ceiling, slopes, scale, p):
        out[0], out[1:] = scale, p


@njit(cache=True, error_model="numpy")
def _prior(later: Floats, level: float) -> tuple[float, Floats]:
    # The later smile as it would be with less time: the same function of z, so c w(k / sqrt(c)).
    prior = np.zeros(FREE)
    if math.isnan(later[0]):
        # All but flat, with wings that are not.
        prior[0], prior[2 + np.argmin(np.abs(BENDS))] = 0.9 * level, 0.1 * level
        return math.sqrt(level), prior
    share = min(level / slice_variance(later, 0.0), 1.0)
    prior[:] = share * later[1:]
    return math.sqrt(share) * later[0], prior


@njit(cache=True, error_model="numpy")
def _inner(prior: Floats) -> Floats:
    # A tenth flatter, at its own minimum: below the prior everywhere, and further from breaking g.
    inner, w = 0.9 * prior, np.empty(FINE_BASIS.shape[2])
    along(FINE_BASIS[0], prior, w)
    inner[0] += 0.1 * w.min()
    return inner


@njit(cache=True, error_model="numpy")
def _draw_back(prior: Floats, ceiling: Floats, slopes: tuple[float, float], scale: float, p: Floats) -> bool:
    # Towards the prior as far as need be; False when that breaks a condition itself.
    if is_sound(p, ceiling, slopes, scale):
        return True
    if not is_sound(prior, ceiling, slopes, scale):
        return False
    wanted, good, bad = p.copy(), 0.0, 1.0
    for _ in range(12):
        share = 0.5 * (good + bad)
        p[:] = prior + share * (wanted - prior)
        if is_sound(p, ceiling, slopes, scale):
            good = share
        else:
            bad = share
    p[:] = prior + good * (wanted - prior)
    return True


@njit(cache=True, error_model="numpy")
def _anchor(k: Floats, w: Floats, weight: Floats, later: Floats, level: float, out: Floats) -> None:  # noqa: PLR0917
    # The slice of one fitted number that cannot break a condition: the later one's share, or flat.
    out[:] = later
    if math.isnan(later[0]):
        out[:] = 0.0
        out[0], out[1] = math.sqrt(level), 1.0
    top, bottom = 0.0, 0.0
    for i in range(k.size):
        shape = slice_variance(out, k[i])
        top += weight[i] * weight[i] * w[i] * shape
        bottom += weight[i] * weight[i] * shape * shape
    share = top / bottom
    out[1:] *= share if math.isnan(later[0]) else min(share, 1.0)


@njit(cache=True, error_model="numpy")
def _rows(k: Floats, weight: Floats, scale: float) -> tuple[Floats, Floats, Floats]:
    # The least-squares problem in half-spreads: p @ rows should be the target.  Also rows.T in its own
    # memory, and rows @ rows.T.
    rows, squares = np.empty((FREE, k.size)), np.zeros((FREE, FREE))
    z = k / scale
    rows[0], rows[1] = weight, weight * z
    for j in range(BENDS.size):
        m, s = BENDS[j], WIDTHS[j] * WIDTHS[j]
        for i in range(k.size):
            x = z[i] - m
            rows[2 + j, i] = weight[i] * math.sqrt(x * x + s)
    by_quote = np.ascontiguousarray(rows.T)
    for i in range(k.size):
        add_square(1.0, by_quote[i], squares)
    return rows, by_quote, squares
