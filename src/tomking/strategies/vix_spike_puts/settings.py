"""The numbers of the put spreads after a VIX spike, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Off by default: see docs/strategies/vix_spike_puts.md before turning it on."""

    entry_start: time = setting(time(10, 0), source="B.13", doc="Every session from here.")
    entry_end: time = setting(time(10, 30), source="B.13", doc="To here.")
    spike_vix: float = setting(
        30.0, low=15.0, high=100.0, source="B.13", doc="A spike's highest VIX is above it."
    )
    spike_sessions: int = setting(
        20, low=2, high=120, source="B.13", doc="Sessions within which the spike's peak lies."
    )
    fallen_share: float = setting(
        0.20, low=0.05, high=0.9, source="B.13", doc="Fallen so far from the peak, at least."
    )
    falling_closes: int = setting(
        2, low=1, high=10, source="B.13", doc="Last closes of the VIX, each below the one before."
    )
    vix_max: float = setting(
        35.0, low=15.0, high=100.0, source="B.13, C.9", doc="Emergency level two begins here: no entry."
    )
    entry_dte: int = setting(45, low=22, high=120, source="B.13", doc="Days to expiration wished.")
    dte_tolerance: int = setting(7, low=0, high=30, source="B.13", doc="Days either way.")
    put_delta: float = setting(0.20, low=0.05, high=0.5, source="B.13", doc="Short put.")
    put_delta_min: float = setting(0.17, low=0.02, high=0.5, source="B.13", doc="Its band from.")
    put_delta_max: float = setting(0.23, low=0.05, high=0.6, source="B.13", doc="Its band to.")
    width_share_max: float = setting(
        0.05, low=0.005, high=0.2, source="B.13", doc="Width of a spread at most, of the underlying."
    )
    tranches: int = setting(3, low=1, high=10, source="B.13", doc="After one spike, on as many days.")
    margin_share: Decimal = setting(
        Decimal("0.20"),
        low=Decimal("0.01"),
        high=Decimal("0.5"),
        source="B.13",
        doc="Margin of all tranches, of net liq.",
    )
    target: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.1"), high=Decimal("0.95"), source="B.13", doc="Credit kept."
    )
    stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(5), source="B.13", doc="Credits lost."
    )
    exit_dte: int = setting(21, low=0, high=60, source="B.13, ruling 10", doc="Closes all, no exceptions.")
    exit_from: time = setting(time(10, 0), source="D.7, decision 103", doc="From here on that day.")
    check_minutes: int = setting(
        30, low=1, high=390, source="E.2, decision 103", doc="Between looks at what is held."
    )
