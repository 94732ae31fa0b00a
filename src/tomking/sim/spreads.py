"""How wide the modelled market quotes, and its rounding outward to the exchange's grid.

Half-spreads are stated in points at an index of 5,500 (methodology 0.4, ruling 1) and were set by eye
on SPXW 2016-04-28/29 (VIX about 15) and SPX 2026-07-31.  Beyond a week: 0.1 for an option worth 0.1,
0.15 for 1, 0.25 for 4, 0.4 for 15, 0.75 for 60, 1.1 for 120.  No chance is involved: one contract and
minute, one quote.
"""

import math
from dataclasses import dataclass

from numba import njit

from tomking.domain.products import Product

FLAT = 0.05
PER_ROOT_POINT = 0.085
"""Half-spread of an out-of-the-money option worth p: FLAT + PER_ROOT_POINT sqrt(p)."""
PER_DEPTH, DEPTH_MAX = 60.0, 7.0
"""Added in the money: points per unit of |K/F - 1|, and at most."""
CALM_VIX, VIX_FLOOR, VIX_POWER = 16.0, 12.0, 0.75
"""Spreads grow with (max(VIX, floor) / calm)**power: at VIX 40 twice, at VIX 80 3.3 times as wide."""
NEAR_DAYS, NEAR = 7.5, 0.66
"""Expiries within a week quote tighter: the median on SPX 2026-07-31 for 3 to 7 days (0.66 to 0.71).
2016-04-29's own-day expiry was wider (1.18); the rules and so the quotes of later years stand for
every year (ruling 2)."""
FAR_DAYS, FAR = 135.0, 1.2
"""Beyond so many calendar days: between 1.4 in 2016 and 0.95 in 2026."""

WIDTHS = {"SPXW": 1.0, "XSP": 1.3, "ES": 0.9, "MES": 1.2}
"""By product, relative to SPXW."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A product's quote grid, in counts of its finest tick: the same at every scale."""

    point: float
    """Points at an index of 5,500 per count."""
    above: int
    """Counts between quotes at and above ``from_count``."""
    from_count: int
    width: float
    """Spreads relative to SPXW."""

    @classmethod
    def of(cls, product: Product) -> "Grid":
        return cls(
            point=float(product.tick / product.index_ratio),
            above=int(product.tick_above / product.tick),
            from_count=int(product.tick_from / product.tick),
            width=WIDTHS[product.key],
        )


@njit(cache=True, error_model="numpy")
def stress_factor(vix: float, days: float, width: float) -> float:
    """What one expiry's half-spreads are multiplied by."""
    factor = width * math.pow(max(vix, VIX_FLOOR) / CALM_VIX, VIX_POWER)
    if days < NEAR_DAYS:
        return factor * NEAR
    return factor * FAR if days > FAR_DAYS else factor


@njit(cache=True, error_model="numpy")
def half_spread(points: float, depth: float, factor: float) -> float:
    """Points at 5,500, for a price in such points; ``depth`` is |K/F - 1| in the money, else 0."""
    return factor * (FLAT + PER_ROOT_POINT * math.sqrt(points) + min(PER_DEPTH * depth, DEPTH_MAX))


@njit(cache=True, error_model="numpy")
def quote_counts(  # noqa: PLR0917
    mid: float, depth: float, factor: float, point: float, above: int, from_count: int
) -> tuple[int, int]:
    """Bid and ask in counts around a mid in counts: bid >= 0, ask >= 1, at least a count apart."""
    half = half_spread(mid * point, depth, factor) / point
    bid = max(math.floor(mid - half + 1e-9), 0)
    if bid >= from_count:
        bid -= bid % above
    ask = max(math.ceil(mid + half - 1e-9), bid + 1)
    if ask > from_count:
        ask += (above - ask % above) % above
    return bid, ask
