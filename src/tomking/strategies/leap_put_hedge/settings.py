"""The numbers of the long-put ladder, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Shares are of net liq unless they say otherwise."""

    product: str = setting(
        "SPY", choices=("SPY", "XSP"), source="B.6a", doc="SPY; XSP where cash settlement is wanted."
    )
    rungs: tuple[Decimal, ...] = setting(
        (Decimal("0.80"), Decimal("0.85"), Decimal("0.90"), Decimal("0.95")),
        low=Decimal("0.5"),
        high=Decimal("1.0"),
        source="B.6a",
        doc="Strikes as shares of the index, in the order in which they are bought.",
    )
    entry_start: time = setting(time(10, 0), source="B.6a", doc="First Mondays from here.")
    entry_end: time = setting(time(11, 0), source="B.6a", doc="To here.")
    leap_dte_min: int = setting(365, low=180, high=800, source="B.6a", doc="Days to expiration from here.")
    leap_dte_max: int = setting(730, low=200, high=1100, source="B.6a", doc="To here; the nearest is bought.")
    strike_miss_share: float = setting(
        0.01, low=0.0, high=0.1, source="B.6a", doc="Of the index: a listed strike may be so far off."
    )
    vix_max: float = setting(40.0, low=5.0, high=150.0, source="B.0.1", doc="The VIX must be below it.")
    vix_first_only: float = setting(
        25.0, low=5.0, high=150.0, source="B.6a", doc="From this VIX on only where no rung is held."
    )
    spread_share_max: Decimal = setting(
        Decimal("0.05"), low=Decimal(0), high=Decimal(1), source="B.6a", doc="Of the put's mid."
    )
    cost_share_max: Decimal = setting(
        Decimal("0.05"), low=Decimal(0), high=Decimal("0.15"), source="B.6a", doc="Cost of all rungs."
    )
    rung_share_max: Decimal = setting(
        Decimal("0.025"), low=Decimal(0), high=Decimal("0.05"), source="B.6a", doc="Cost of one rung."
    )
    value_share_max: Decimal = setting(
        Decimal("0.10"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="B.6a",
        doc="Value of all rungs; above it is harvested.",
    )
    roll_dte: int = setting(90, low=31, high=300, source="B.6a", doc="Rolled at so many days left.")
    roll_vix_max: float = setting(
        30.0, low=5.0, high=150.0, source="B.6a", doc="Above it what was rolled is not bought again."
    )
    restrike_days: int = setting(30, low=1, high=365, source="B.6a", doc="Days between looks at the strike.")
    restrike_share: float = setting(
        0.20, low=0.01, high=1.0, source="B.6a", doc="So far below its target: rolled at the next schedule."
    )
    half_multiple: Decimal = setting(
        Decimal(3),
        low=Decimal(1),
        high=Decimal(50),
        source="B.6a",
        doc="Worth so often its cost: half is sold.",
    )
    rest_multiple: Decimal = setting(
        Decimal(5), low=Decimal(1), high=Decimal(50), source="B.6a", doc="So often: the rest is sold."
    )
    rest_itm_share: float = setting(
        0.10, low=0.0, high=1.0, source="B.6a", doc="Or so far in the money, as a share of the strike."
    )
    proceeds_share: Decimal = setting(
        Decimal("0.5"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.6a",
        doc="Of a harvest, spent on the first rung.",
    )
    replace_days: int = setting(
        4, low=0, high=30, source="B.6a", doc="Days in which what was sold to be replaced is bought again."
    )
    backstop_dte: int = setting(30, low=1, high=89, source="B.6a", doc="Sold at so many days left, whatever.")
    exit_from: time = setting(
        time(10, 0), source="B.6a, D.7", doc="Sold from here: spreads are widest before."
    )
    check_minutes: int = setting(180, low=1, high=390, source="E.5", doc="Minutes between looks.")
