"""The tradable products as a typed table of public facts: size, grid, style, settlement, fees.

Sources: exchange contract specifications (Cboe: SPX, SPXW, XSP; CME: ES, MES) and methodology
sections D.3 (ticks), D.4 (style and settlement), D.6 (fee classes).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Settlement(Enum):
    """What is left of an option at expiry."""

    CASH = "cash"
    """The intrinsic value in cash: at the 16:00 New York print (SPXW, XSP), or at the open (SPX)."""
    FUTURE = "future"
    """In the money: a position in the future at the strike (ES, MES; fixing 16:00 New York)."""
    SHARES = "shares"
    """In the money: 100 shares at the strike."""


@dataclass(frozen=True, slots=True)
class Product:
    """One option root.  Point amounts are as listed at the real scale (see ``Contract``)."""

    key: str
    family: str
    """Underlyings that are one exposure share a family (ruling 13): SPX = ES, MES, SPXW, XSP ..."""
    multiplier: Decimal
    """Dollars per point."""
    index_ratio: Decimal
    """Points of this product per point of the family's index: 1, or 0.1 for XSP."""
    tick: Decimal
    """Quote grid of the cheapest options, points; also the grid of multi-leg net prices."""
    tick_above: Decimal
    """Quote grid at and above ``tick_from`` points."""
    tick_from: Decimal
    settlement: Settlement
    fee_class: str
    """Row of the fee table (sim.fills)."""
    strike_grid: Decimal
    """The finest listed strike interval, points."""
    future: bool
    """True when the option is on a future (margin by scan), False for cash index options."""
    settles_at_open: bool = False
    """True for AM settlement: at the opening levels of the expiry day, last traded the session before."""


def _product(
    key: str, numbers: str, settlement: Settlement, fee_class: str, *, at_open: bool = False
) -> Product:
    """One row of the table; ``numbers`` in the order of its heading."""
    multiplier, ratio, tick, above, above_from, grid = map(Decimal, numbers.split())
    return Product(
        key=key,
        family="SPX",
        multiplier=multiplier,
        index_ratio=ratio,
        tick=tick,
        tick_above=above,
        tick_from=above_from,
        settlement=settlement,
        fee_class=fee_class,
        strike_grid=grid,
        future=settlement is Settlement.FUTURE,
        settles_at_open=at_open,
    )


PRODUCTS: dict[str, Product] = {
    p.key: p
    for p in (
        #             multiplier  ratio  tick  above   from  strike grid
        _product("SPX", " 100       1    0.05   0.10   3.00   5", Settlement.CASH, "index", at_open=True),
        _product("SPXW", "100       1    0.05   0.10   3.00   5", Settlement.CASH, "index"),
        _product("XSP", " 100       0.1  0.01   0.01   3.00   1", Settlement.CASH, "xsp"),
        _product("ES", "   50       1    0.05   0.25  10.00   5", Settlement.FUTURE, "future"),
        _product("MES", "   5       1    0.05   0.25  10.00   5", Settlement.FUTURE, "micro"),
    )
}
