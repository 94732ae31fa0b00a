"""Smiles fitted to quotes, free of butterfly and calendar arbitrage: the kernels.

One expiry's total variance ``w`` (volatility squared times years) at log-moneyness ``k = ln(K/F)``
is a sum of hyperbolas, SVI with more than one bend:

    w(k) = a + t z + sum_j h_j sqrt((z - m_j)^2 + s_j^2)        z = k / scale

The bends ``m_j`` and their widths ``s_j`` stand at fixed places in at-the-money standard deviations
(``scale``), so ``w`` is linear in all that is fitted, smooth, and straight in both wings.
A slice is the row ``(scale, a, t, h_1 ... h_14)``.

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

Sources: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance
14 (2014) 59-71 (SVI, Durrleman's condition); R. Lee, "The moment formula for implied volatility at
extreme strikes", Mathematical Finance 14 (2004) 469-480 (slopes <= 2).  Decision 401.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.implied import implied_into

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BENDS = np.array([-14.0, -9.5, -6.5, -4.5, -3.0, -2.0, -1.2, -0.5, 0.2, 0.9, 1.7, 2.8, 4.5, 7.0])
"""``m_j``: more of them on the put side, where an index's smile bends for longer."""
WIDTHS = 0.6 * np.gradient(BENDS)
FREE = 2 + BENDS.size
"""Fitted numbers of a slice: ``a``, ``t`` and the bends' ``h``."""
PARAMETERS = 1 + FREE
LEAST_QUOTES = 6
"""With fewer an expiry gets the later slice's shape and only its own level."""
SPREAD_FLOOR = 1e-5
"""No half-spread counts as less than this share of the forward."""

_HUBER = 2.0
"""Half-spreads beyond which a quote's pull no longer grows."""
_HOLDS = (3.0, 10.0, 30.0)
"""Half-spreads that a fitted number one at-the-money variance off its prior counts as; the next is
tried where the one before ends in a slice that is not sound."""
_LEE = 1.99
_LEAST_SLOPE = 0.02
"""At-the-money variances a standard deviation: a wing gone flat would flatten all earlier ones."""
_MARGIN = 0.02
"""How far above 0 the fit wants ``g``; the check on the finer grid asks for 0."""
_BELOW = 2e-4
"""How far below the ceiling, relatively, the fit wants to be."""
_LEAST_G, _ROUNDING = 0.004, 1e-5
"""What the finer grid is asked for; between its points there is then something left."""
_PENALTY = 1e5
_STEPS = 25
_GAIN = 1e-4
"""Relative gain in the loss below which a fit ends."""
_DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


def _basis(z: Floats) -> Floats:
    # What multiplies the free numbers in w, dw/dz and d2w/dz2 at z: shape (3, n, FREE).
    x = z[:, None] - BENDS
    s = np.sqrt(x**2 + WIDTHS**2)
    out = np.zeros((3, z.size, FREE))
    out[0, :, 0], out[0, :, 1], out[1, :, 1] = 1.0, z, 1.0
    out[0, :, 2:], out[1, :, 2:], out[2, :, 2:] = s, x / s, WIDTHS**2 / s**3
    return out


# Grids in at-the-money standard deviations: dense at the money, 83 out at the ends.
_COARSE = 0.25 * np.sinh(np.linspace(-6.5, 6.5, 73))
_FINE = 0.25 * np.sinh(np.linspace(-6.5, 6.5, 289))
_COARSE_BASIS = _basis(_COARSE)
_FINE_BASIS = _basis(_FINE)


@njit(cache=True, error_model="numpy")
def slice_variance(p: Floats, k: float) -> float:
    """Total variance of the slice ``p`` at log-moneyness ``k``."""
    z = k / p[0]
    w = p[1] + p[2] * z
    for j in range(BENDS.size):
        x = z - BENDS[j]
        w += p[3 + j] * math.sqrt(x * x + WIDTHS[j] * WIDTHS[j])
    return float(w)


@njit(cache=True, error_model="numpy")
def durrleman(k: float, w: float, dw: float, ddw: float) -> float:
    """Durrleman's ``g``: the density's sign at ``k`` for ``w`` and its two derivatives there."""
    ratio = 1.0 - 0.5 * k * dw / w
    return ratio * ratio - 0.25 * dw * dw * (1.0 / w + 0.25) + 0.5 * ddw


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
    """The slice of each expiry into ``slices`` (m, 5), how many quotes it rests on into ``counts`` (m,).

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
    rows, target = _rows(k, w, weight, scale)
    coarse, fine = _ceiling(later, scale, _COARSE), _ceiling(later, scale, _FINE)
    slopes = _slopes(later, scale)
    if math.isnan(later[0]):
        smooth = prior.copy()
        _descend(rows, target, coarse, slopes, prior, scale, _HOLDS[1], smooth)
        _draw_back(_inner(prior), fine, slopes, scale, smooth)
        prior = smooth
    p = prior.copy()
    for hold in _HOLDS:
        p[:] = prior
        _descend(rows, target, coarse, slopes, prior, scale, hold, p)
        if _sound(p, fine, slopes, scale):
            break
    if _draw_back(_inner(prior), fine, slopes, scale, p):
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
    inner, least = 0.9 * prior, math.inf
    for i in range(_FINE.size):
        least = min(least, _derivatives(_FINE_BASIS, i, prior)[0])
    inner[0] += 0.1 * least
    return inner


@njit(cache=True, error_model="numpy")
def _draw_back(prior: Floats, ceiling: Floats, slopes: tuple[float, float], scale: float, p: Floats) -> bool:
    # Towards the prior as far as need be; False when that breaks a condition itself.
    if _sound(p, ceiling, slopes, scale):
        return True
    if not _sound(prior, ceiling, slopes, scale):
        return False
    wanted, good, bad = p.copy(), 0.0, 1.0
    for _ in range(12):
        share = 0.5 * (good + bad)
        p[:] = prior + share * (wanted - prior)
        if _sound(p, ceiling, slopes, scale):
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
def _rows(k: Floats, w: Floats, weight: Floats, scale: float) -> tuple[Floats, Floats]:
    # The least-squares problem in half-spreads: rows @ p should be target.
    rows, target = np.empty((k.size, FREE)), weight * w
    for i in range(k.size):
        z, f = k[i] / scale, weight[i]
        rows[i, 0], rows[i, 1] = f, f * z
        for j in range(BENDS.size):
            x = z - BENDS[j]
            rows[i, 2 + j] = f * math.sqrt(x * x + WIDTHS[j] * WIDTHS[j])
    return rows, target


@njit(cache=True, error_model="numpy")
def _ceiling(later: Floats, scale: float, grid: Floats) -> Floats:
    most = np.full(grid.size, np.inf)
    if not math.isnan(later[0]):
        for j in range(grid.size):
            most[j] = slice_variance(later, scale * grid[j])
    return most


@njit(cache=True, error_model="numpy")
def _slopes(later: Floats, scale: float) -> tuple[float, float]:
    # The steepest left and right wing allowed, in total variance per z.
    if math.isnan(later[0]):
        return _LEE * scale, _LEE * scale
    bends = later[3:].sum()
    per_z = scale / later[0]
    return (bends - later[2]) * per_z, (bends + later[2]) * per_z


@njit(cache=True, error_model="numpy")
def _descend(  # noqa: PLR0917
    rows: Floats,
    target: Floats,
    ceiling: Floats,
    slopes: tuple[float, float],
    prior: Floats,
    scale: float,
    hold: float,
    p: Floats,
) -> None:
    # Gauss-Newton with Marquardt's damping, from p to p.
    hessian, gradient = np.empty((FREE, FREE)), np.empty(FREE)
    try_hessian, try_gradient = np.empty((FREE, FREE)), np.empty(FREE)
    damped, step = np.empty((FREE, FREE)), np.empty(FREE)
    loss = _loss(rows, target, ceiling, slopes, prior, scale, hold, p, hessian, gradient)
    damping = 1e-6
    for _ in range(_STEPS):
        damped[:] = hessian
        for j in range(FREE):
            step[j] = -gradient[j]
            damped[j, j] *= 1.0 + damping
        solve(damped, step)
        proposed = p + step
        tried = _loss(rows, target, ceiling, slopes, prior, scale, hold, proposed, try_hessian, try_gradient)
        if tried < loss:
            gain = (loss - tried) / loss
            loss = tried
            p[:] = proposed
            hessian, try_hessian = try_hessian, hessian
            gradient, try_gradient = try_gradient, gradient
            damping *= 0.1
            if gain < _GAIN:
                break
        else:
            damping = max(10.0 * damping, 1e-4)
            if damping > 1e6:
                break


@njit(cache=True, error_model="numpy")
def _loss(  # noqa: PLR0917
    rows: Floats,
    target: Floats,
    ceiling: Floats,
    slopes: tuple[float, float],
    prior: Floats,
    scale: float,
    hold: float,
    p: Floats,
    hessian: Floats,
    gradient: Floats,
) -> float:
    # The loss at p, the lower triangle of its Gauss-Newton Hessian and half its gradient.
    hessian[:], gradient[:] = 0.0, 0.0
    loss = 0.0
    for i in range(target.size):
        r = -target[i]
        for j in range(FREE):
            r += rows[i, j] * p[j]
        size, pull = abs(r), 1.0
        if size < _HUBER:
            loss += r * r
        else:
            loss += _HUBER * (2.0 * size - _HUBER)
            pull = _HUBER / size
        _add(pull, r, rows[i], hessian, gradient)
    for j in range(FREE):
        faint = (hold / (scale * scale)) ** 2
        off = p[j] - prior[j]
        loss += faint * off * off
        hessian[j, j] += faint
        gradient[j] += faint * off
    return loss + _penalties(ceiling, slopes, scale, p, hessian, gradient)


@njit(cache=True, error_model="numpy")
def _penalties(  # noqa: PLR0917
    ceiling: Floats,
    slopes: tuple[float, float],
    scale: float,
    p: Floats,
    hessian: Floats,
    gradient: Floats,
) -> float:
    level, loss, row = scale * scale, 0.0, np.empty(FREE)
    least = 1e-3 * level
    for i in range(_COARSE.size):
        w, dw, ddw = _derivatives(_COARSE_BASIS, i, p)
        b0, b1, b2 = _COARSE_BASIS[0, i], _COARSE_BASIS[1, i], _COARSE_BASIS[2, i]
        if w < least:
            # Steps into here are refused: the prior and all that descends from it is positive.
            return math.inf
        k, dw, ddw = scale * _COARSE[i], dw / scale, ddw / level
        g = durrleman(k, w, dw, ddw)
        if g < _MARGIN:
            ratio = 1.0 - 0.5 * k * dw / w
            by_w = (ratio * k + 0.25 * dw) * dw / (w * w)
            by_dw = -ratio * k / w - 0.5 * dw * (1.0 / w + 0.25)
            row[:] = by_w * b0 + by_dw / scale * b1 + 0.5 / level * b2
            loss += _push(g - _MARGIN, row, hessian, gradient)
        most = ceiling[i] * (1.0 - _BELOW)
        if w > most:
            row[:] = b0 / most
            loss += _push((w - most) / most, row, hessian, gradient)
    bends = p[2:].sum()
    for side, steepest in ((-1.0, slopes[0]), (1.0, slopes[1])):
        slope = bends + side * p[1]
        over, under = slope - (1.0 - _BELOW) * steepest, slope - _LEAST_SLOPE * level
        if over > 0.0 or under < 0.0:
            row[:] = 1.0 / level
            row[0], row[1] = 0.0, side / level
            loss += _push((over if over > 0.0 else under) / level, row, hessian, gradient)
    return loss


@njit(cache=True, error_model="numpy")
def _push(r: float, row: Floats, hessian: Floats, gradient: Floats) -> float:
    _add(_PENALTY, r, row, hessian, gradient)
    return _PENALTY * r * r


@njit(cache=True, error_model="numpy")
def _add(pull: float, r: float, row: Floats, hessian: Floats, gradient: Floats) -> None:
    for a in range(FREE):
        f = pull * row[a]
        gradient[a] += f * r
        for b in range(a + 1):
            hessian[a, b] += f * row[b]


@njit(cache=True, error_model="numpy")
def _derivatives(basis: Floats, i: int, p: Floats) -> tuple[float, float, float]:
    w, dw, ddw = 0.0, 0.0, 0.0
    for j in range(FREE):
        w += basis[0, i, j] * p[j]
        dw += basis[1, i, j] * p[j]
        ddw += basis[2, i, j] * p[j]
    return w, dw, ddw


@njit(cache=True, error_model="numpy")
def _sound(p: Floats, ceiling: Floats, slopes: tuple[float, float], scale: float) -> bool:
    bends = p[2:].sum()
    left, right = bends - p[1], bends + p[1]
    least = 0.25 * _LEAST_SLOPE * scale * scale
    if not (least <= left <= slopes[0] and least <= right <= slopes[1]):
        return False
    for i in range(_FINE.size):
        w, dw, ddw = _derivatives(_FINE_BASIS, i, p)
        if not 0.0 < w <= (1.0 - _ROUNDING) * ceiling[i]:
            return False
        if durrleman(scale * _FINE[i], w, dw / scale, ddw / (scale * scale)) < _LEAST_G:
            return False
    return True


@njit(cache=True, error_model="numpy")
def solve(matrix: Floats, vector: Floats) -> None:
    """Solve a symmetric positive definite system in place: ``vector`` becomes the answer (Cholesky)."""
    n = vector.size
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for q in range(j):
                total -= matrix[i, q] * matrix[j, q]
            if i == j:
                # Rounding can leave a pivot of no size in a direction the quotes say nothing of.
                matrix[i, i] = math.sqrt(total) if total > 0.0 else math.inf
            else:
                matrix[i, j] = total / matrix[j, j]
    for i in range(n):
        total = vector[i]
        for q in range(i):
            total -= matrix[i, q] * vector[q]
        vector[i] = total / matrix[i, i]
    for i in range(n - 1, -1, -1):
        total = vector[i]
        for q in range(i + 1, n):
            total -= matrix[q, i] * vector[q]
        vector[i] = total / matrix[i, i]
