"""How wide the modelled market quotes, and its rounding outward to the exchange's grid.

Half-spreads are stated in points at an index of 5,500 (methodology 0.4, ruling 1) and fitted to quotes of
SPXW in April 2016, January 2018 and January 2021, SPX in July 2026 and ES in January 2020; docs/fidelity.md
has what each says.  In session in 2021 they were half of those of 2016, and the rules and so the quotes of
later years stand for every year (ruling 2): the later weigh more.  Beyond a week at VIX 16, before rounding:
0.08 for an option worth 0.1, 0.11 for 1, 0.25 for 15, 0.43 for 60.  No chance is involved: one contract and
minute, one quote.
"""

import math
from dataclasses import dataclass

from numba import njit

from tomking.domain.products import Product

FLAT = 0.064
PER_ROOT_POINT = 0.047
"""Half-spread of an out-of-the-money option worth p: FLAT + PER_ROOT_POINT sqrt(p)."""
PER_DEPTH, DEPTH_MAX = 60.0, 7.0
"""Added in the money: points per unit of |K/F - 1|, and at most; by judgement between SPXW 2021 (2 at most),
SPX 2026 (7) and SPXW 2016 (17)."""
CALM_VIX, VIX_FLOOR, VIX_POWER = 16.0, 12.0, 0.72
"""Spreads grow with (max(VIX, floor) / calm)**power: at VIX 40 1.9 times, at VIX 80 3.2 times as wide.
The power is that of SPY puts 2010 to 2018 at one price, VIX 9 to 45."""
NEAR_DAYS, NEAR = 7.5, 0.50
"""Expiries within a week quote tighter: fitted, mostly to SPXW 2021."""
FAR_DAYS, FAR = 135.0, 1.2
"""Beyond so many calendar days, by judgement: 2016 alone would say 1.7, SPX 2026 and ES 2020 1.0."""

WIDTHS = {"SPXW": 1.0, "XSP": 1.3, "ES": 0.7, "MES": 1.2, "SPY": 0.45}
"""By product, relative to SPXW: ES is fitted to 2020-01-06; of XSP and MES there are no quotes: by eye.  SPY
lies between what equals the mean half-spread of 7,865 evening quotes of puts (0.55 to 1.15 by year from 2010
to 2018, 0.55 in 2017) and of 669 out-of-the-money quotes within the session of 2026-09-17 (0.3)."""


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
