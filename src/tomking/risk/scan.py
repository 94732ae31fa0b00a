"""A SPAN-like scan: what options on one future lose at worst in sixteen scenarios.

Price 0, 1/3, 2/3 and 1 scan range up and down, each with volatility up and down, and an extreme move
either way of whose loss a share counts; at least a minimum per short option; plus the net value of what
is short.  Volatility is scanned relative to what the mids imply, so time cancels: total volatilities (over
the whole life) are implied and repriced, and no clock is needed.  Discounting is left out: over a scan it
moves the result by less than one per cent.

Source of the method: CME, "SPAN methodology" (scanning risk, short option minimum, net option value);
the parameters are ours (docs/decisions/201-margin-scan.md).
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomking.domain.product import Product
from tomking.pricing.black import black_price
from tomking.pricing.implied import implied_one
from tomking.risk.paired import Row
from tomking.risk.settings import Settings

Floats = NDArray[np.float64]


def scanned(  # noqa: PLR0917 - all of them are needed, none has a default
    rows: Sequence[Row], mids: Floats, levels: Floats, vixes: Floats, product: Product, settings: Settings
) -> Floats:
    """Points in c worlds, (c,), >= 0; NaN where a mid has no meaning.

    ``mids`` (n, c) in points, ``levels`` (c,) of the product's underlying, ``vixes`` (c,).  A full contract
    and its micro are scanned together, and apart; the credit for holding both is a share of the difference.
    """
    together = _scanned(rows, mids, levels, vixes, product, settings)
    roots = dict.fromkeys(row.root for row in rows)
    if len(roots) == 1:
        return together
    apart = np.zeros(levels.size)
    for root in roots:
        own = [i for i, row in enumerate(rows) if row.root == root]
        apart += _scanned([rows[i] for i in own], mids[own], levels, vixes, product, settings)
    together += (1 - settings.micro_credit_share) * np.maximum(0.0, apart - together)
    return together


def _scanned(  # noqa: PLR0917 - as above
    rows: Sequence[Row], mids: Floats, levels: Floats, vixes: Floats, product: Product, settings: Settings
) -> Floats:
    spans = np.array([scan_range(1.0, vix, settings, product) for vix in vixes.tolist()]) * levels
    fixed = np.array([(row.strike, row.right, row.count) for row in rows], np.float64)
    risks = np.empty(levels.size)
    scan_losses_into(
        levels,
        np.ascontiguousarray(mids),
        fixed,
        spans,
        settings.vol_scan_share,
        settings.extreme_multiple,
        settings.extreme_cover,
        risks,
    )
    options = fixed[:, 1] != 0
    shorts = -fixed[options & (fixed[:, 2] < 0), 2].sum()
    short_value = -(fixed[options, 2][:, None] * mids[options]).sum(axis=0)
    least = shorts * spans * settings.short_minimum_share
    worst: Floats = np.maximum(0.0, np.maximum(risks, least) + short_value)
    return worst


def scan_range(level: float, vix: float | None, settings: Settings, product: Product | None = None) -> float:
    """Points the underlying is moved either way: 6 % up to VIX 20 (crude 12 %), then with the root of VIX."""
    calm = settings.scan_vix
    stretch = 1.0 if vix is None or not vix > calm else math.sqrt(vix / calm)
    is_crude = product is not None and product.group == "C1"
    return level * (settings.crude_scan_share if is_crude else settings.scan_share) * stretch


@njit(cache=True, error_model="numpy")
def scan_loss(  # noqa: PLR0917
    level: float, legs: Floats, span: float, vol_scan: float, extreme: float, cover: float
) -> float:
    """Greatest loss over the 16 scenarios, points >= 0; NaN when a mid has no meaning.

    level     of the underlying, points, > 0
    legs      shape (n, 4): mid, strike, right (+1, -1, 0 for the future), count
    span      scan range, points
    vol_scan  relative move of volatility, 0.25 = 25 %
    extreme   scan ranges of the extreme move
    cover     share of its loss that counts
    """
    vols = np.zeros(legs.shape[0])
    for i in range(legs.shape[0]):
        if legs[i, 2] != 0.0:
            # Codes: 1 and 3 leave intrinsic value only, 2 and 4 are no prices.
            vols[i], code = implied_one(legs[i, 0], level, legs[i, 1], 1.0, 1.0, legs[i, 2])
            if code in (2, 4):
                return math.nan
            if code != 0:
                vols[i] = 0.0
    base = _value(level, legs, vols, 1.0)
    worst = 0.0
    for step in range(-3, 4):
        moved = max(level + span * step / 3.0, 0.01 * level)
        for shift in (1.0 - vol_scan, 1.0 + vol_scan):
            worst = max(worst, base - _value(moved, legs, vols, shift))
    for sign in (-1.0, 1.0):
        moved = max(level + sign * extreme * span, 0.01 * level)
        worst = max(worst, cover * (base - _value(moved, legs, vols, 1.0)))
    return worst


@njit(cache=True, error_model="numpy")
def scan_losses_into(  # noqa: PLR0917
    levels: Floats,
    mids: Floats,
    legs: Floats,
    spans: Floats,
    vol_scan: float,
    extreme: float,
    cover: float,
    out: Floats,
) -> None:
    """``scan_loss`` in c worlds into ``out``, (c,): ``mids`` (n, c), ``legs`` (n, 3) strike, right, count."""
    columns = np.empty((legs.shape[0], 4))
    columns[:, 1:] = legs
    for j in range(levels.size):
        columns[:, 0] = mids[:, j]
        out[j] = scan_loss(levels[j], columns, spans[j], vol_scan, extreme, cover)


@njit(cache=True, error_model="numpy")
def _value(level: float, legs: Floats, vols: Floats, shift: float) -> float:
    total = 0.0
    for i in range(legs.shape[0]):
        right = legs[i, 2]
        if right == 0.0:
            price = level
        elif vols[i] <= 0.0:
            price = max(right * (level - legs[i, 1]), 0.0)
        else:
            price = black_price(level, legs[i, 1], 1.0, vols[i] * shift, 1.0, right)
        total += legs[i, 3] * price
    return total
