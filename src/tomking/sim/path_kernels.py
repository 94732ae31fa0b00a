"""Kernels that draw a one-minute path through a day's known start, high, low and close.

The walk is Brownian in its own clock (the variance gone by), conditioned on where it ends and on the
band it never leaves and touches on both sides:

1. ``pin_times``: the minutes of the high and of the low, drawn from their joint density by sampling
   importance resampling (random pairs of minutes, one chosen in proportion to its density).
2. ``fill``: between two known points the middle one is drawn from the bridge's normal law and accepted
   in proportion to the chance that both halves stay inside the band; then each half again, down to
   single minutes.

A walk seen once a minute oversteps a barrier it was not seen at, so the chance of staying inside is that
of Brownian motion between barriers moved outward by 0.5826 standard deviations of a step (Broadie,
Glasserman and Kou 1997).  The two-barrier chances are the classical image and sine series (Cox and Miller
1965, section 5.7).

A walk may be driven by another (VIX by the index): then it is the walk less its drive that is Brownian.
"""

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BARRIER_SHIFT = 0.5826
"""-zeta(1/2) / sqrt(2 pi), in standard deviations of one step."""
PAIRS = 96
TRIES = 64
REACH = 4.5
"""Standard deviations beyond which a proposed midpoint is not considered."""


@njit(cache=True, error_model="numpy")
def stays_inside(start: float, end: float, low: float, high: float, variance: float) -> float:
    """Chance, 0 to 1, that a Brownian bridge of this total variance stays in (low, high)."""
    width, x, y = high - low, start - low, end - low
    if x <= 0.0 or y <= 0.0 or x >= width or y >= width:
        return 0.0
    below = 2.0 * x * y / variance
    above = 2.0 * (width - x) * (width - y) / variance
    if below > 30.0 and above > 30.0:
        return 1.0
    if 2.0 * width * (width - abs(y - x)) > 15.0 * variance:  # no path of note meets both barriers
        return max(0.0, float(1.0 - np.exp(-below) - np.exp(-above)))
    if variance < 0.5 * width * width:
        total = 0.0
        for k in range(-2, 3):
            total += np.exp(-2.0 * k * width * (k * width + y - x) / variance)
            total -= np.exp(-2.0 * (k * width + x) * (k * width + y) / variance)
        return min(1.0, max(0.0, total))
    total = 0.0
    for n in range(1, 4):
        angle = n * np.pi / width
        total += np.exp(-0.5 * angle * angle * variance) * np.sin(angle * x) * np.sin(angle * y)
    free = np.exp(-0.5 * (y - x) ** 2 / variance) / np.sqrt(2.0 * np.pi * variance)
    return min(1.0, max(0.0, float(2.0 / width * total / free)))


@njit(cache=True, error_model="numpy")
def _inside(  # noqa: PLR0917
    start: float, end: float, low: float, high: float, variance: float, steps: int
) -> float:
    """``stays_inside`` for a walk seen at ``steps`` equal steps; 1 for one step between known points."""
    if steps <= 1:
        return 1.0
    shift = BARRIER_SHIFT * np.sqrt(variance / steps)
    return stays_inside(start, end, low - shift, high + shift, variance)


@njit(cache=True, error_model="numpy")
def _log_density(  # noqa: PLR0917
    i: int,
    j: int,
    start: float,
    end: float,
    low: float,
    high: float,
    clock: Floats,
    drive: Floats,
    free: float,
) -> float:
    """Log density of going from ``start`` at minute i to ``end`` at j without leaving the band."""
    variance = clock[j] - clock[i]
    step = end - start - (drive[j] - drive[i])
    chance = _inside(start, end, low, high, variance, j - i)
    return float(
        -0.5 * step * step / (free * variance) + np.log(max(chance, 1e-300)) - 0.5 * np.log(variance)
    )


@njit(cache=True, error_model="numpy")
def pin_times(  # noqa: PLR0917
    start: float,
    close: float,
    low: float,
    high: float,
    clock: Floats,
    drive: Floats,
    free: float,
    touch_high: bool,  # noqa: FBT001
    touch_low: bool,  # noqa: FBT001
    rng: Generator,
) -> tuple[int, int]:
    """Minutes of the high and of the low, each 1 to n-1; -1 for one that an end already is."""
    n = len(clock) - 1
    highs, lows = np.empty(PAIRS, np.int64), np.empty(PAIRS, np.int64)
    logs = np.empty(PAIRS)
    for p in range(PAIRS):
        # Arcsine proposals, as the extremes of a walk lie near its ends; divided out again.
        u, v = np.sin(0.5 * np.pi * rng.random()) ** 2, np.sin(0.5 * np.pi * rng.random()) ** 2
        a, b = 1 + int(u * (n - 1)), 1 + int(v * (n - 1))
        a, b = min(a, n - 1), min(b, n - 1)
        highs[p], lows[p] = (a if touch_high else -1), (b if touch_low else -1)
        weight = 0.0
        if touch_high:
            weight += 0.5 * np.log(u * (1.0 - u) + 1e-6)
        if touch_low:
            weight += 0.5 * np.log(v * (1.0 - v) + 1e-6)
        if touch_high and touch_low:
            if a == b:
                logs[p] = -1e300
                continue
            first, second = min(a, b), max(a, b)
            at_first, at_second = (high, low) if a < b else (low, high)
            weight += _log_density(0, first, start, at_first, low, high, clock, drive, free)
            weight += _log_density(first, second, at_first, at_second, low, high, clock, drive, free)
            weight += _log_density(second, n, at_second, close, low, high, clock, drive, free)
        else:
            mid, level = (a, high) if touch_high else (b, low)
            weight += _log_density(0, mid, start, level, low, high, clock, drive, free)
            weight += _log_density(mid, n, level, close, low, high, clock, drive, free)
        logs[p] = weight
    weights = np.exp(logs - logs.max())
    chosen = min(int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum())), PAIRS - 1)
    return highs[chosen], lows[chosen]


@njit(cache=True, error_model="numpy")
def _midpoint(  # noqa: PLR0917
    i: int,
    m: int,
    j: int,
    walk: Floats,
    low: float,
    high: float,
    clock: Floats,
    drive: Floats,
    free: float,
    rng: Generator,
) -> float:
    """The walk at minute m, given minutes i and j and a band it does not leave."""
    before, after = clock[m] - clock[i], clock[j] - clock[m]
    share = before / (before + after)
    mean = walk[i] + drive[m] - drive[i] + share * (walk[j] - walk[i] - (drive[j] - drive[i]))
    deviation = np.sqrt(free * before * (1.0 - share))
    # No accepted point is likelier to stay inside than one at the far side of the reach.
    lowest, highest = max(low, mean - REACH * deviation), min(high, mean + REACH * deviation)
    bound = 1.0
    for k, variance, known in ((m - i, before, walk[i]), (j - m, after, walk[j])):
        if k > 1:
            shift = BARRIER_SHIFT * np.sqrt(variance / k)
            above = -np.expm1(-2.0 * (high + shift - known) * (high + shift - lowest) / variance)
            below = -np.expm1(-2.0 * (known - low + shift) * (highest - low + shift) / variance)
            bound *= min(1.0, above, below)
    value = mean
    for _ in range(TRIES):
        value = mean + deviation * rng.standard_normal()
        if value < lowest or value > highest:
            continue
        chance = _inside(walk[i], value, low, high, before, m - i)
        if chance > 0.0:
            chance *= _inside(value, walk[j], low, high, after, j - m)
        if chance >= bound or rng.random() * bound < chance:
            return float(value)
    # A drive that pushes far out of the band: fold the last proposal back in.
    width = high - low
    offset = (value - low) % (2.0 * width)
    return float(low + (offset if offset <= width else 2.0 * width - offset))


@njit(cache=True, error_model="numpy")
def fill(  # noqa: PLR0917
    walk: Floats,
    i: int,
    j: int,
    low: float,
    high: float,
    clock: Floats,
    drive: Floats,
    free: float,
    rng: Generator,
) -> None:
    """Draw ``walk`` between the known minutes i and j, in place, midpoints first."""
    stack = np.empty((64, 2), np.int64)
    stack[0, 0], stack[0, 1] = i, j
    depth = 1
    while depth > 0:
        depth -= 1
        a, b = stack[depth, 0], stack[depth, 1]
        if b - a < 2:
            continue
        m = (a + b) // 2
        walk[m] = _midpoint(a, m, b, walk, low, high, clock, drive, free, rng)
        stack[depth, 0], stack[depth, 1] = m, b
        stack[depth + 1, 0], stack[depth + 1, 1] = a, m
        depth += 2


@njit(cache=True, error_model="numpy")
def pinned_walk(  # noqa: PLR0917
    start: float,
    close: float,
    low: float,
    high: float,
    clock: Floats,
    drive: Floats,
    free: float,
    rng: Generator,
) -> Floats:
    """A walk from ``start`` to ``close`` that touches ``low`` and ``high`` and never leaves them.

    clock: variance gone by at each minute, (n+1,), from 0, increasing.  drive: what moves it from
    outside, (n+1,), same unit as the walk.  free: share of the clock's variance left to chance, 0 to 1.
    """
    n = len(clock) - 1
    walk = np.empty(n + 1)
    if high <= low:
        walk[:] = start
        return walk
    walk[0], walk[n] = start, close
    touch_high, touch_low = max(start, close) < high, min(start, close) > low
    previous = 0
    if touch_high or touch_low:
        at_high, at_low = pin_times(start, close, low, high, clock, drive, free, touch_high, touch_low, rng)
        for pin in (min(at_high, at_low), max(at_high, at_low)):
            if pin > 0:
                walk[pin] = high if pin == at_high else low
                fill(walk, previous, pin, low, high, clock, drive, free, rng)
                previous = pin
    fill(walk, previous, n, low, high, clock, drive, free, rng)
    return walk


@njit(cache=True, error_model="numpy")
def variance_clock(shape: Floats, roughness: float, memory: float, rng: Generator) -> Floats:
    """Share of the day's variance gone by at each minute, (n+1,), 0 to 1.

    shape: expected variance of each minute, any scale, (n,).  Its logarithm wanders by a stationary
    autoregression with standard deviation ``roughness`` and one-minute correlation ``memory``.
    """
    n = len(shape)
    clock = np.zeros(n + 1)
    wander = roughness * rng.standard_normal()
    spread = roughness * np.sqrt(1.0 - memory * memory)
    for i in range(n):
        clock[i + 1] = clock[i] + shape[i] * np.exp(wander)
        wander = memory * wander + spread * rng.standard_normal()
    clock /= clock[n]
    return clock
