"""One slice's fit: damped Gauss-Newton on Huber's loss, with what breaks a condition as residuals.

1. The quotes' part of the Hessian is summed once a slice, as if none were off (``squares``).
2. A trial costs the residuals only; a step that lowered the loss takes out of ``squares`` what Huber
   takes from the quotes that are off, and adds the conditions that are broken on the coarse grid.
3. It ends when the next step promises next to nothing.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.hyperbolas import COARSE, COARSE_BASIS, EVERY, FREE, LEAST_SLOPE, along, durrleman

Floats = NDArray[np.float64]

_HUBER = 2.0
"""Half-spreads beyond which a quote's pull no longer grows."""
_MARGIN = 0.02
"""How far above 0 the fit wants ``g``; the check on the finer grid asks for 0."""
_BELOW = 2e-4
"""How far below the ceiling, relatively, the fit wants to be."""
_PENALTY = 1e5
_STEPS = 25
_GAIN = 3e-4
"""A fit ends where the next step promises less than this share of the loss."""


class Problem(NamedTuple):
    """What one slice is fitted to; n quotes, errors in half-spreads."""

    rows: Floats
    """(FREE, n): ``p @ rows`` should be ``target``."""
    by_quote: Floats
    """(n, FREE): the same in the other order, for sums that run along the free numbers."""
    squares: Floats
    """(FREE, FREE): ``rows @ by_quote``."""
    target: Floats
    """(n,)."""
    ceiling: Floats
    """Over the fine grid: the most total variance there may be."""
    slopes: tuple[float, float]
    """The steepest left and right wing allowed, in total variance per z."""
    prior: Floats
    """(FREE,): where the fit starts, and what it is faintly held to."""
    scale: float
    """At-the-money standard deviation in log-moneyness."""


@njit(cache=True, error_model="numpy")
def descend(problem: Problem, hold: float, p: Floats) -> None:
    """Gauss-Newton with Marquardt's damping from the free numbers ``p`` to better ones, in place.

    hold  half-spreads that a number one at-the-money variance off its prior counts as
    """
    hessian, gradient, damped = np.empty((FREE, FREE)), np.empty(FREE), np.empty((FREE, FREE))
    step, off, curve = np.empty(FREE), np.empty(problem.target.size), np.empty((3, COARSE.size))
    faint = (hold / (problem.scale * problem.scale)) ** 2
    loss = _loss(problem, faint, p, off, curve)
    _differentiate(problem, faint, p, off, curve, hessian, gradient)
    damping = 1e-6
    for _ in range(_STEPS):
        damped[:] = hessian
        for j in range(FREE):
            step[j] = -gradient[j]
            damped[j, j] *= 1.0 + damping
        solve(damped, step)
        if _promise(hessian, gradient, damping, step) < _GAIN * loss:
            break
        proposed = p + step
        tried = _loss(problem, faint, proposed, off, curve)
        if tried < loss:
            loss = tried
            p[:] = proposed
            damping *= 0.1
            _differentiate(problem, faint, p, off, curve, hessian, gradient)
        else:
            damping = max(10.0 * damping, 1e-4)
            if damping > 1e6:
                break


@njit(cache=True, error_model="numpy")
def _promise(hessian: Floats, gradient: Floats, damping: float, step: Floats) -> float:
    # What the damped step takes off the loss if that is the parabola it seems.
    gain = 0.0
    for j in range(FREE):
        gain += step[j] * (damping * hessian[j, j] * step[j] - gradient[j])
    return gain


@njit(cache=True, error_model="numpy")
def _loss(problem: Problem, faint: float, p: Floats, off: Floats, curve: Floats) -> float:
    # The loss at p; the quotes' residuals into off and the coarse grid's w, w', w'' into curve.
    scale, level = problem.scale, problem.scale * problem.scale
    along(COARSE_BASIS[0], p, curve[0])
    if curve[0].min() < 1e-3 * level:
        # Steps into here are refused: the prior and all that descends from it is positive.
        return math.inf
    along(COARSE_BASIS[1], p, curve[1])
    along(COARSE_BASIS[2], p, curve[2])
    along(problem.rows, p, off)
    loss = 0.0
    for i in range(off.size):
        off[i] -= problem.target[i]
        size = abs(off[i])
        loss += size * size if size < _HUBER else _HUBER * (2.0 * size - _HUBER)
    for j in range(FREE):
        loss += faint * (p[j] - problem.prior[j]) ** 2
    for i in range(COARSE.size):
        g = durrleman(scale * COARSE[i], curve[0, i], curve[1, i] / scale, curve[2, i] / level)
        lacking, over = max(_MARGIN - g, 0.0), max(_over(curve[0, i], problem.ceiling[EVERY * i]), 0.0)
        loss += _PENALTY * (lacking * lacking + over * over)
    for side in range(2):
        amiss = _slope_amiss(p, side, problem.slopes[side], level)
        loss += _PENALTY * amiss * amiss
    return loss


@njit(cache=True, error_model="numpy")
def _differentiate(  # noqa: PLR0917
    problem: Problem,
    faint: float,
    p: Floats,
    off: Floats,
    curve: Floats,
    hessian: Floats,
    gradient: Floats,
) -> None:
    # The Gauss-Newton Hessian and half the gradient, from what _loss left in off and curve.
    for a in range(FREE):
        gradient[a] = faint * (p[a] - problem.prior[a])
        for b in range(FREE):
            hessian[a, b] = problem.squares[a, b]
        hessian[a, a] += faint
    for i in range(off.size):
        pull = _HUBER / max(abs(off[i]), _HUBER)
        if pull < 1.0:
            add_square(pull - 1.0, problem.by_quote[i], hessian)
        f = pull * off[i]
        for j in range(FREE):
            gradient[j] += f * problem.by_quote[i, j]
    _add_conditions(problem, p, curve, hessian, gradient)


@njit(cache=True, error_model="numpy")
def _add_conditions(problem: Problem, p: Floats, curve: Floats, hessian: Floats, gradient: Floats) -> None:
    scale, level, row = problem.scale, problem.scale * problem.scale, np.empty(FREE)
    for i in range(COARSE.size):
        k, w, dw, ddw = scale * COARSE[i], curve[0, i], curve[1, i] / scale, curve[2, i] / level
        g = durrleman(k, w, dw, ddw)
        if g < _MARGIN:
            ratio = 1.0 - 0.5 * k * dw / w
            by_w = (ratio * k + 0.25 * dw) * dw / (w * w)
            by_dw = (-ratio * k / w - 0.5 * dw * (1.0 / w + 0.25)) / scale
            for j in range(FREE):
                b0, b1, b2 = COARSE_BASIS[0, j, i], COARSE_BASIS[1, j, i], COARSE_BASIS[2, j, i]
                row[j] = by_w * b0 + by_dw * b1 + 0.5 / level * b2
            _push(g - _MARGIN, row, hessian, gradient)
        most = problem.ceiling[EVERY * i]
        over = _over(w, most)
        if over > 0.0:
            for j in range(FREE):
                row[j] = COARSE_BASIS[0, j, i] / (most * (1.0 - _BELOW))
            _push(over, row, hessian, gradient)
    for side in range(2):
        amiss = _slope_amiss(p, side, problem.slopes[side], level)
        if amiss != 0.0:
            row[:] = 1.0 / level
            row[0], row[1] = 0.0, (2.0 * side - 1.0) / level
            _push(amiss, row, hessian, gradient)


@njit(cache=True, error_model="numpy")
def _over(w: float, ceiling: float) -> float:
    # Relative excess over what the fit wants below the ceiling; not above 0 where there is none.
    most = ceiling * (1.0 - _BELOW)
    return (w - most) / most if most < math.inf else -1.0


@njit(cache=True, error_model="numpy")
def _slope_amiss(p: Floats, side: int, steepest: float, level: float) -> float:
    # By how many at-the-money variances a wing (0 left, 1 right) is too steep, or, negative, too flat.
    slope = p[2:].sum() + (2.0 * side - 1.0) * p[1]
    over, under = slope - (1.0 - _BELOW) * steepest, slope - LEAST_SLOPE * level
    return float((over if over > 0.0 else min(under, 0.0)) / level)


@njit(cache=True, error_model="numpy")
def _push(r: float, row: Floats, hessian: Floats, gradient: Floats) -> None:
    add_square(_PENALTY, row, hessian)
    for j in range(FREE):
        gradient[j] += _PENALTY * r * row[j]


@njit(cache=True, error_model="numpy")
def add_square(pull: float, row: Floats, hessian: Floats) -> None:
    """``pull * outer(row, row)`` onto ``hessian``."""
    # Both triangles, though one is read: even rows become vector instructions.
    for a in range(FREE):
        f = pull * row[a]
        for b in range(FREE):
            hessian[a, b] += f * row[b]


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
