"""The numbers of the ratio spread, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting

PRODUCTS = ("SPY", "IWM", "TLT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dollars are of one contract on SPY at 550, an index of 5,500 (ruling 1)."""

    products: tuple[str, ...] = setting(
        PRODUCTS, choices=PRODUCTS, source="B.9", doc="Underlyings, the first that can be had."
    )
    entry_start: time = setting(time(10, 15), source="B.9", doc="Tuesdays from here.")
    entry_end: time = setting(time(10, 45), source="B.9", doc="To here.")
    entry_dte: int = setting(45, low=22, high=120, source="B.9", doc="Days to expiration wished.")
    dte_tolerance: int = setting(5, low=0, high=30, source="B.9", doc="Days either way.")
    long_delta: float = setting(0.25, low=0.1, high=0.5, source="B.9", doc="The put bought.")
    long_delta_min: float = setting(0.22, low=0.05, high=0.5, source="B.2", doc="Its band from.")
    long_delta_max: float = setting(0.27, low=0.1, high=0.6, source="B.2", doc="Its band to.")
    short_delta: float = setting(0.16, low=0.05, high=0.4, source="B.9", doc="The two puts sold.")
    short_delta_min: float = setting(0.14, low=0.02, high=0.4, source="B.9", doc="Their band from.")
    short_delta_max: float = setting(0.18, low=0.05, high=0.5, source="B.9", doc="Their band to.")
    credit_min_usd: Decimal = setting(
        Decimal(75), low=Decimal(1), high=Decimal(1000), source="B.9", doc="The unit brings at least."
    )
    units_max: int = setting(10, low=1, high=100, source="B.9", doc="Units of one position.")
    target_share: Decimal = setting(
        Decimal("0.50"),
        low=Decimal("0.1"),
        high=Decimal("0.99"),
        source="B.9",
        doc="Won, of the credit or of ``best_share`` of the best profit, whichever is more.",
    )
    best_share: Decimal = setting(
        Decimal("0.25"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.9",
        doc="Of the best profit, for the target.",
    )
    stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.9", doc="Credits lost."
    )
    loss_share: Decimal = setting(
        Decimal("0.02"), low=Decimal("0.001"), high=Decimal("0.05"), source="B.9", doc="Of net liq lost."
    )
    exit_on_long_touch: bool = setting(
        default=False,
        source="B.9",
        doc="The index at the long strike closes all; it is where the trade earns.",
    )
    review_delta: float = setting(0.25, low=0.05, high=0.6, source="B.9", doc="A short put: looked at.")
    extra_delta: float = setting(0.30, low=0.05, high=0.7, source="B.9", doc="Closes the extra put.")
    close_delta: float = setting(0.40, low=0.1, high=0.9, source="B.9", doc="Closes all.")
    assignment_usd: Decimal = setting(
        Decimal("0.05"),
        low=Decimal(0),
        high=Decimal(1),
        source="D.4",
        doc="Time value of a share's put in the money, under which all goes.",
    )
    exit_dte: int = setting(21, low=1, high=60, source="B.9, ruling 10", doc="Days left at which all goes.")
    exit_from: time = setting(time(10, 0), source="D.7, decision 103", doc="On that day from here.")
    check_minutes: int = setting(
        30, low=1, high=390, source="E.2, decision 103", doc="Minutes between looks."
    )
