"""What each strategy may trade, and how its positions count: A.4, ruling 12 and C.5 as one table.

A strategy that is not here may trade nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from tomking.risk.settings import Settings

Products = frozenset[str]
NOTHING: Products = frozenset()
MICRO = frozenset({"MES", "XSP"})
INDEX = frozenset({"ES", "MES", "SPXW", "XSP"})
ES_MES = frozenset({"ES", "MES"})

ES_EQUIVALENT = {"ES": Decimal(1), "MES": Decimal("0.1"), "SPXW": Decimal(2), "XSP": Decimal("0.2")}
"""One contract in ES contracts, by dollars per index point (A.4, ruling 13)."""

STRANGLE_1 = frozenset({"MCL", "MGC", "GLD", "TLT"})
STRANGLE_2 = STRANGLE_1 | {"SLV", "XOP", "M6E", "MES", "MNQ"}
STRANGLE_3 = STRANGLE_2 | {"CL", "GC", "6E", "ZB", "ZN"}
STRANGLE_4 = STRANGLE_3 | {"NQ"}
"""Of A.4's lists those that ``domain.products`` knows."""
IPMCC_1 = frozenset({"QQQ", "SPY", "IWM"})
IPMCC_3 = IPMCC_1 | {"AAPL", "MSFT", "AMZN", "GOOGL", "NVDA"}
DIAGONAL = frozenset({"SPY", "QQQ", "IWM"})
RATIO = frozenset({"SPY", "IWM", "TLT"})
CALENDAR = frozenset({"SPY", "IWM"})


@dataclass(frozen=True, slots=True)
class Place:
    """One strategy's place in the account."""

    products: tuple[Products, Products, Products, Products, Products]
    """P0 to P4."""
    most: Callable[[Settings], tuple[int, ...]] | None
    """Positions at most by phase; None: counted in ES-equivalents instead (ruling 13)."""
    high_priority: bool = False
    """Whether it still enters when most of the margin is in use (E.5)."""
    dynamic_base: int | None = None
    """Positions before phase and VIX, where ceilings are dynamic; None: always the table's."""
    counts: bool = True
    """Whether it is one of the open positions of A.3: hedges and butterfly add-ons are none."""
    budgeted: bool = False
    """Governed by its own budget: no Kelly, no 2 % at a stop it does not have (ruling 12)."""
    prior: tuple[float, float, int] | None = None
    """Kelly's win rate (the claim less 8 points), average win over loss, and sample (C.3)."""


def _from(phase: int, products: Products) -> tuple[Products, Products, Products, Products, Products]:
    p0, p1, p2, p3, p4 = (products if n >= phase else NOTHING for n in range(5))
    return p0, p1, p2, p3, p4


PLACES: dict[str, Place] = {
    "friday_0dte": Place((MICRO, INDEX, INDEX, INDEX, INDEX), None, high_priority=True, dynamic_base=2),
    "butterfly_9b": Place(
        _from(3, frozenset({"SPXW", "XSP"})), lambda s: s.butterfly_9b_max, counts=False, budgeted=True
    ),
    "lt112": Place((NOTHING, NOTHING, frozenset({"MES"}), ES_MES, ES_MES), None, dynamic_base=2),
    "calendarized_112": Place(
        _from(3, ES_MES), lambda s: s.calendarized_112_max, prior=(0.65, 0.9 / 1.5, 20)
    ),
    "futures_strangle": Place(
        (NOTHING, STRANGLE_1, STRANGLE_2, STRANGLE_3, STRANGLE_4),
        lambda s: s.futures_strangle_max,
        dynamic_base=3,
        prior=(0.64, 0.5 / 1.25, 30),
    ),
    "ipmcc": Place(
        (NOTHING, IPMCC_1, IPMCC_1, IPMCC_3, IPMCC_3),
        lambda s: s.ipmcc_max,
        dynamic_base=1,
        prior=(0.72, 0.9 / 1.25, 50),
    ),
    "ratio_spread": Place(
        _from(2, RATIO), lambda s: s.ratio_spread_max, dynamic_base=2, prior=(0.64, 0.5 / 1.25, 30)
    ),
    "calendar_spread": Place(_from(3, CALENDAR), lambda s: s.calendar_spread_max),
    "diagonal": Place(_from(3, DIAGONAL), lambda s: s.diagonal_max, dynamic_base=2, prior=(0.52, 1.0, 30)),
    "vix_spike_puts": Place(
        _from(3, frozenset({"SPY", "ES", "MES", "IWM"})),
        lambda s: s.vix_spike_puts_max,
        prior=(0.64, 0.5 / 1.25, 30),
    ),
    "leap_put_income": Place(
        _from(2, frozenset({"SPY"})),
        lambda s: s.leap_put_income_max,
        dynamic_base=3,
        prior=(0.72, 0.3 / 1.25, 30),
    ),
    "leap_put_hedge": Place(
        _from(1, frozenset({"SPY", "XSP"})),
        lambda s: s.leap_put_hedge_max,
        dynamic_base=3,
        counts=False,
        budgeted=True,
    ),
    "vix_call_hedge": Place(
        _from(0, frozenset({"VIX"})), lambda s: s.vix_call_hedge_max, counts=False, budgeted=True
    ),
    "box_financing": Place(
        _from(3, frozenset({"SPX"})), lambda s: s.box_financing_max, counts=False, budgeted=True
    ),
}
