"""The numbers of the short-put ladder, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dollars of a contract are stated at an index of 5,500, SPY at 550 (ruling 1)."""

    entry_start: time = setting(time(10, 0), source="B.6b", doc="Mondays from here.")
    entry_end: time = setting(time(11, 0), source="B.6b", doc="To here.")
    entry_dte: int = setting(365, low=200, high=800, source="B.6b", doc="Days to expiration wished.")
    entry_dte_min: int = setting(330, low=151, high=800, source="B.6b", doc="From here.")
    entry_dte_max: int = setting(400, low=200, high=1100, source="B.6b", doc="To here.")
    deltas: tuple[float, ...] = setting(
        (0.12, 0.13, 0.14, 0.12),
        low=0.02,
        high=0.5,
        source="B.6b",
        doc="Wished on the first, second .. Monday of the month; the last also on a fifth.",
    )
    delta_miss: float = setting(0.02, low=0.0, high=0.2, source="B.6b", doc="A listed put may be so far off.")
    credit_usd_min: Decimal = setting(
        Decimal(400), low=Decimal(0), high=Decimal(5000), source="B.6b", doc="A put brings at least."
    )
    vix_min: float = setting(15.0, low=0.0, high=100.0, source="B.0.1", doc="None is sold below it.")
    vix_double: float = setting(20.0, low=0.0, high=150.0, source="B.0.1", doc="Above it two are sold.")
    target: Decimal = setting(
        Decimal("0.30"), low=Decimal("0.05"), high=Decimal("0.95"), source="B.6b", doc="Credit kept."
    )
    stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.6b", doc="Credits lost."
    )
    delta_close: float = setting(0.35, low=0.1, high=1.0, source="B.6b", doc="Delta that closes it.")
    time_exit_dte: int = setting(150, low=21, high=330, source="B.6b", doc="Closed at so many days left.")
    exit_from: time = setting(time(10, 0), source="D.7", doc="On that day from here.")
    extrinsic_share_min: Decimal = setting(
        Decimal("0.005"),
        low=Decimal(0),
        high=Decimal("0.1"),
        source="B.6b",
        doc="Time value, of the strike, below which it may be assigned and goes.",
    )
    check_minutes: int = setting(30, low=1, high=390, source="E.5", doc="Minutes between looks.")
