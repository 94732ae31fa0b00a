"""Full revaluation: the price of every leg in every scenario, by the pricing model."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.pricing.black import black_price
from tomking.pricing.polynomials import exp, ln, ln_ratio

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_VOL = 0.03
"""No shock takes a volatility below 3 %."""


@njit(cache=True, error_model="numpy")
def revalue_into(  # noqa: PLR0917
    legs: Floats,
    smile_of: Ints,
    moneyness: Floats,
    vols: Floats,
    move: Floats,
    shift: Floats,
    scale: Floats,
    left: Floats,
    steep: float,
    out: Floats,
) -> None:
    """Prices in points of n legs in s scenarios into ``out``, shape (n, s).

    legs       (n, 5): forward (points), strike, years to expiry, discount, right (0: the forward itself)
    smile_of   (n, 2): where the leg's smile begins and ends in the next two
    moneyness  (m,): ln(K/F) of the smiles' points, ascending within each smile
    vols       (m,): their volatilities, on the clock of ``years``
    move       (n, s): factor of the forward
    shift      (n, s): added to the volatility
    scale      (n, s): factor of it, before
    left       (n, s): share of the life that is left, 0 to 1
    steep      factor of the skew below the forward

    The volatility of a strike K is that of the money plus what the old smile has more at the new ln(K/F)
    (sticky moneyness): ``scale * (atm + steep * (smile(ln K/F') - atm)) + shift``.  Beyond its ends a
    smile is flat.  Source: methodology C.7.
    """
    s = move.shape[1]
    moved, vol, time, paid, prices = (np.empty(s), np.empty(s), np.empty(s), np.empty(s), np.empty(s))
    for i in range(legs.shape[0]):
        forward, strike, years, discount, right = legs[i]
        if right == 0.0:
            for j in range(s):
                out[i, j] = forward * move[i, j]
            continue
        start, stop = smile_of[i]
        atm = _read(0.0, moneyness, vols, start, stop)
        decay = ln(discount)
        skew, factor = 0.0, math.nan
        for j in range(s):
            moved[j] = forward * move[i, j]
            # Cells of one move follow one another: one look at the smile serves them all.
            if move[i, j] != factor:
                factor = move[i, j]
                k = _moneyness(strike, moved[j])
                skew = _read(k, moneyness, vols, start, stop) - atm
                skew *= steep if k < 0.0 else 1.0
            moved_vol = scale[i, j] * (atm + skew) + shift[i, j]
            # Not ``max``: it would make 3 % of a volatility that nobody knows.
            vol[j] = LEAST_VOL if moved_vol < LEAST_VOL else moved_vol  # noqa: FURB136
            time[j] = years * left[i, j]
            paid[j] = exp(decay * left[i, j])
        _price(strike, right, moved, vol, time, paid, prices)
        out[i, :] = prices


@njit(cache=True, error_model="numpy")
def _price(  # noqa: PLR0917
    strike: float,
    right: float,
    forward: Floats,
    vol: Floats,
    years: Floats,
    discount: Floats,
    out: Floats,
) -> None:
    # A loop of its own over plain columns becomes vector instructions.
    for j in range(out.size):
        out[j] = black_price(forward[j], strike, years[j], vol[j], discount[j], right)


@njit(cache=True, error_model="numpy", forceinline=True)
def _moneyness(strike: float, forward: float) -> float:
    return float(ln_ratio(strike, forward) if strike >= forward else -ln_ratio(forward, strike))


@njit(cache=True, error_model="numpy", forceinline=True)
def _read(k: float, moneyness: Floats, vols: Floats, start: int, stop: int) -> float:
    """The smile at ``k``: linear between its points, flat beyond them; NaN where there is none."""
    if start == stop:
        return math.nan
    if k <= moneyness[start]:
        return float(vols[start])
    if k >= moneyness[stop - 1]:
        return float(vols[stop - 1])
    low, high = start, stop - 1
    while high - low > 1:
        middle = (low + high) // 2
        if moneyness[middle] <= k:
            low = middle
        else:
            high = middle
    share = (k - moneyness[low]) / (moneyness[high] - moneyness[low])
    return float(vols[low] + share * (vols[high] - vols[low]))
