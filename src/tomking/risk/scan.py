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

SCENARIOS = 17
"""SPAN's sixteen, and the market as it is."""


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
    scan = (
        _calm_share(settings, product),
        settings.scan_vix,
        settings.vol_scan_share,
        settings.extreme_multiple,
        settings.extreme_cover,
        settings.short_minimum_share,
    )
    worst = np.empty(levels.size)
    scans_into(levels, np.ascontiguousarray(mids), _columns(rows), vixes, scan, worst)
    return worst


def _columns(rows: Sequence[Row]) -> Floats:
    """Strike, right and count, (n, 3)."""
    return np.array([(row.strike, row.right, row.count) for row in rows], np.float64)


def _calm_share(settings: Settings, product: Product) -> float:
    """The scan range of a product in a calm market, of the level."""
    return settings.crude_scan_share if product.group == "C1" else settings.scan_share


@njit(cache=True, error_model="numpy")
def scan_range(share: float, calm: float, vix: float) -> float:
    """What the underlying is moved either way, of its level: ``share`` (6 %, crude 12 %) up to a VIX of
    ``calm`` (20), then with the root of VIX; NaN counts as calm.
    """
    return share * math.sqrt(vix / calm) if vix > calm else share


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
    # As it is, seven steps with volatility down and up, and the extreme move either way.
    moved, shift = np.empty(SCENARIOS), np.ones(SCENARIOS)
    moved[0] = level
    for step in range(7):
        moved[1 + 2 * step : 3 + 2 * step] = max(level + span * (step - 3) / 3.0, 0.01 * level)
        shift[1 + 2 * step], shift[2 + 2 * step] = 1.0 - vol_scan, 1.0 + vol_scan
    moved[15] = max(level - extreme * span, 0.01 * level)
    moved[16] = max(level + extreme * span, 0.01 * level)
    values = np.zeros(SCENARIOS)
    for i in range(legs.shape[0]):
        _add_values(legs[i], vols[i], moved, shift, values)
    worst = 0.0
    for j in range(1, 15):
        worst = max(worst, values[0] - values[j])
    for j in range(15, SCENARIOS):
        worst = max(worst, cover * (values[0] - values[j]))
    return worst


@njit(cache=True, error_model="numpy")
def _add_values(leg: Floats, vol: float, moved: Floats, shift: Floats, values: Floats) -> None:
    """What a leg is worth in each scenario, added to ``values``."""
    _, strike, right, count = leg
    # Each a loop of its own over plain columns: it becomes vector instructions.
    if right == 0.0:
        for j in range(values.size):
            values[j] += count * moved[j]
    elif vol <= 0.0:
        for j in range(values.size):
            values[j] += count * max(right * (moved[j] - strike), 0.0)
    else:
        for j in range(values.size):
            values[j] += count * black_price(moved[j], strike, 1.0, vol * shift[j], 1.0, right)


@njit(cache=True, error_model="numpy")
def scans_into(  # noqa: PLR0917
    levels: Floats,
    mids: Floats,
    legs: Floats,
    vixes: Floats,
    scan: tuple[float, float, float, float, float, float],
    out: Floats,
) -> None:
    """The whole need in c worlds into ``out``, (c,), points >= 0; NaN where a mid has no meaning.

    mids  (n, c) points
    legs  (n, 3): strike, right, count
    scan  range as a share of the level up to the next one, a VIX; what ``scan_loss`` takes of volatility,
          extreme move and cover; least need of a sold option as a share of the range
    """
    share, calm, vol_scan, extreme, cover, least = scan
    columns = np.empty((legs.shape[0], 4))
    columns[:, 1:] = legs
    shorts = 0.0
    for i in range(legs.shape[0]):
        if legs[i, 1] != 0.0 and legs[i, 2] < 0.0:
            shorts -= legs[i, 2]
    for j in range(levels.size):
        columns[:, 0] = mids[:, j]
        span = scan_range(share, calm, vixes[j]) * levels[j]
        risk = scan_loss(levels[j], columns, span, vol_scan, extreme, cover)
        value = 0.0
        for i in range(legs.shape[0]):
            if legs[i, 1] != 0.0:
                value += legs[i, 2] * mids[i, j]
        floor = shorts * span * least
        # Not ``max``: what is not known stays unknown.
        out[j] = np.maximum(0.0, np.maximum(risk, floor) - value)
