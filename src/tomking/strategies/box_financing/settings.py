"""The numbers of the short box, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Rates are simple rates a year, 0.05 = 5 %; the width is stated at an index of 5,500 (ruling 1)."""

    entry_start: time = setting(time(10, 30), source="B.11", doc="Wednesdays from here.")
    entry_end: time = setting(time(11, 30), source="B.11", doc="To here.")
    width_points: Decimal = setting(
        Decimal(500), low=Decimal(50), high=Decimal(2000), source="B.11", doc="Between the strikes, at most."
    )
    width_points_min: Decimal = setting(
        Decimal(100), low=Decimal(5), high=Decimal(2000), source="B.11", doc="No narrower box is sold."
    )
    proceeds_share_max: Decimal = setting(
        Decimal("0.25"), low=Decimal("0.01"), high=Decimal(1), source="B.11", doc="Of net liq, by all boxes."
    )
    dte_min: int = setting(365, low=30, high=1900, source="B.11", doc="Days to maturity from here.")
    dte_max: int = setting(730, low=60, high=1900, source="B.11", doc="To here; the nearest is taken.")
    over_treasury_max: float = setting(
        0.0075, low=0.0, high=0.1, source="B.11", doc="Over the Treasury rate, at most."
    )
    under_margin_min: float = setting(
        0.01, low=0.0, high=0.1, source="B.11", doc="Under the broker's margin rate, at least."
    )
    treasury_rate: float | None = setting(
        None, low=0.0, high=0.3, source="B.11", doc="Of the same tenor; none: the chain's own discount."
    )
    margin_rate: float | None = setting(
        None, low=0.0, high=0.4, source="B.11", doc="The broker's; none: the Treasury's and what is added."
    )
    margin_over_treasury: float = setting(
        0.05, low=0.0, high=0.2, source="B.11", doc="What a broker adds to the Treasury rate."
    )
