"""One expiry's smile as a sum of hyperbolas: its variance, its derivatives, and whether it is sound.

Total variance ``w`` (volatility squared times years) at log-moneyness ``k = ln(K/F)`` is SVI with more
than one bend:

    w(k) = a + t z + sum_j h_j sqrt((z - m_j)^2 + s_j^2)        z = k / scale

The bends ``m_j`` and their widths ``s_j`` stand at fixed places in at-the-money standard deviations
(``scale``), so ``w`` is linear in all that is fitted, smooth, and straight in both wings.  A slice is
the row ``(scale, a, t, h_1 ... h_14)``; its last 16 numbers are the free ones.

Columns over a grid or over quotes have the free number first and the point last: sums over the free
numbers then run along the points, which the compiler turns into vector instructions without
changing the order of a sum, so bits do not depend on the machine.

Sources: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance
14 (2014) 59-71 (SVI, Durrleman's condition); R. Lee, "The moment formula for implied volatility at
extreme strikes", Mathematical Finance 14 (2004) 469-480 (slopes <= 2).  Decision 401.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BENDS = np.array([-14.0, -9.5, -6.5, -4.5, -3.0, -2.0, -1.2, -0.5, 0.2, 0.9, 1.7, 2.8, 4.5, 7.0])
"""``m_j``: more of them on the put side, where an index's smile bends for longer."""
WIDTHS = 0.6 * np.gradient(BENDS)
FREE = 2 + BENDS.size
"""Fitted numbers of a slice: ``a``, ``t`` and the bends' ``h``."""
PARAMETERS = 1 + FREE
LEE = 1.99
LEAST_SLOPE = 0.02
"""At-the-money variances a standard deviation: a wing gone flat would flatten all earlier ones."""

_LEAST_G, _ROUNDING = 0.004, 1e-5
"""What the fine grid is asked for; between its points there is then something left."""


def _basis(z: Floats) -> Floats:
    # What multiplies the free numbers in w, dw/dz and d2w/dz2 at z: shape (3, FREE, n).
    x, width = z - BENDS[:, None], WIDTHS[:, None]
    s = np.sqrt(x**2 + width**2)
    out = np.zeros((3, FREE, z.size))
    out[0, 0], out[0, 1], out[1, 1] = 1.0, z, 1.0
    out[0, 2:], out[1, 2:], out[2, 2:] = s, x / s, width**2 / s**3
    return out


# Grids in at-the-money standard deviations: dense at the money, 83 out at the ends.
FINE = 0.25 * np.sinh(np.linspace(-6.5, 6.5, 289))
EVERY = 4
"""Each fourth point of the fine grid is one of the coarse grid."""
COARSE = np.ascontiguousarray(FINE[::EVERY])
FINE_BASIS = _basis(FINE)
COARSE_BASIS = _basis(COARSE)


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
def slice_variance_into(p: Floats, scale: float, z: Floats, out: Floats) -> None:
    """``slice_variance`` of ``p`` at the log-moneynesses ``scale * z``, to the bit; columns (n,)."""
    for i in range(z.size):
        x = scale * z[i] / p[0]
        out[i] = p[1] + p[2] * x
    for j in range(BENDS.size):
        m, s, h = BENDS[j], WIDTHS[j] * WIDTHS[j], p[3 + j]
        for i in range(z.size):
            x = scale * z[i] / p[0] - m
            out[i] += h * math.sqrt(x * x + s)


@njit(cache=True, error_model="numpy")
def durrleman(k: float, w: float, dw: float, ddw: float) -> float:
    """Durrleman's ``g``: the density's sign at ``k`` for ``w`` and its two derivatives there."""
    ratio = 1.0 - 0.5 * k * dw / w
    return ratio * ratio - 0.25 * dw * dw * (1.0 / w + 0.25) + 0.5 * ddw


@njit(cache=True, error_model="numpy")
def along(basis: Floats, p: Floats, out: Floats) -> None:
    """Sums over the free numbers ``p`` of the columns ``basis`` (FREE, n) into ``out`` (n,)."""
    out[:] = 0.0
    for j in range(FREE):
        h = p[j]
        for i in range(out.size):
            out[i] += h * basis[j, i]


@njit(cache=True, error_model="numpy")
def ceiling_of(later: Floats, scale: float) -> Floats:
    """The most total variance the fine grid's points may have: the later slice's, if there is one."""
    most = np.full(FINE.size, np.inf)
    if not math.isnan(later[0]):
        slice_variance_into(later, scale, FINE, most)
    return most


@njit(cache=True, error_model="numpy")
def slopes_of(later: Floats, scale: float) -> tuple[float, float]:
    """The steepest left and right wing allowed, in total variance per z."""
    if math.isnan(later[0]):
        return LEE * scale, LEE * scale
    bends = later[3:].sum()
    per_z = scale / later[0]
    return (bends - later[2]) * per_z, (bends + later[2]) * per_z


@njit(cache=True, error_model="numpy")
def is_sound(p: Floats, ceiling: Floats, slopes: tuple[float, float], scale: float) -> bool:
    """Whether the free numbers ``p`` break no condition on the fine grid."""
    bends = p[2:].sum()
    left, right = bends - p[1], bends + p[1]
    least = 0.25 * LEAST_SLOPE * scale * scale
    if not (least <= left <= slopes[0] and least <= right <= slopes[1]):
        return False
    w, dw, ddw = np.empty(FINE.size), np.empty(FINE.size), np.empty(FINE.size)
    along(FINE_BASIS[0], p, w)
    for i in range(FINE.size):
        if not 0.0 < w[i] <= (1.0 - _ROUNDING) * ceiling[i]:
            return False
    along(FINE_BASIS[1], p, dw)
    along(FINE_BASIS[2], p, ddw)
    level = scale * scale
    for i in range(FINE.size):
        if durrleman(scale * FINE[i], w[i], dw[i] / scale, ddw[i] / level) < _LEAST_G:
            return False
    return True
