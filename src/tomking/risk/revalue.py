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
    for i in range(legs.shape[0]):
        forward, strike, years, discount, right = legs[i]
        start, stop = smile_of[i]
        atm = 0.0 if right == 0.0 else _read(0.0, moneyness, vols, start, stop)
        decay = ln(discount)
        for j in range(move.shape[1]):
            moved = forward * move[i, j]
            if right == 0.0:
                out[i, j] = moved
                continue
            k = ln_ratio(strike, moved) if strike >= moved else -ln_ratio(moved, strike)
            skew = _read(k, moneyness, vols, start, stop) - atm
            if k < 0.0:
                skew *= steep
            vol = max(LEAST_VOL, scale[i, j] * (atm + skew) + shift[i, j])
            paid = exp(decay * left[i, j])
            out[i, j] = black_price(moved, strike, years * left[i, j], vol, paid, right)


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
