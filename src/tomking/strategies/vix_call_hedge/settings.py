"""The numbers of the VIX call hedge, each at home here alone."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Shares are of net liq."""

    entry_start: time = setting(time(9, 45), source="B.12", doc="Every session from here.")
    entry_end: time = setting(time(10, 15), source="B.12", doc="To here; B.12 ends at 15:45.")
    vix_max: float = setting(13.0, low=5.0, high=40.0, source="B.12", doc="Bought below this VIX.")
    event_vix_max: float = setting(
        18.0, low=5.0, high=60.0, source="B.12", doc="Ahead of a major event below this one."
    )
    event_sessions: int = setting(
        10, low=0, high=60, source="B.12", doc="Sessions ahead of a major event from which that counts."
    )
    event_days: tuple[date, ...] = setting((), source="B.12", doc="Days of major events; none by default.")
    entry_dte: int = setting(60, low=10, high=180, source="B.12", doc="Days to expiration wished.")
    dte_min: int = setting(45, low=5, high=180, source="B.12", doc="From here.")
    dte_max: int = setting(75, low=10, high=365, source="B.12", doc="To here.")
    delta: float = setting(0.225, low=0.02, high=0.6, source="B.12", doc="Call, on the VIX future.")
    delta_min: float = setting(0.20, low=0.01, high=0.6, source="B.12", doc="Its band from.")
    delta_max: float = setting(0.25, low=0.02, high=0.7, source="B.12", doc="Its band to.")
    month_share: Decimal = setting(
        Decimal("0.0025"), low=Decimal(0), high=Decimal("0.02"), source="B.12", doc="Spent in a month."
    )
    annual_budget: Decimal = setting(
        Decimal("0.02"), low=Decimal(0), high=Decimal("0.1"), source="B.12", doc="Spent in a year."
    )
    spread_share_max: Decimal = setting(
        Decimal("0.15"), low=Decimal("0.01"), high=Decimal(1), source="B.12", doc="Spread, of the mid."
    )
    spread_points_max: Decimal = setting(
        Decimal("0.05"), low=Decimal(0), high=Decimal(1), source="B.12", doc="Or so many points."
    )
    half_multiple: Decimal = setting(
        Decimal(3), low=Decimal("1.1"), high=Decimal(20), source="B.12", doc="Of the debit: half is sold."
    )
    rest_multiple: Decimal = setting(
        Decimal(5), low=Decimal("1.1"), high=Decimal(50), source="B.12", doc="Of the debit: the rest is sold."
    )
    exit_vix: float = setting(35.0, low=15.0, high=150.0, source="B.12", doc="Above it all is sold.")
    exit_dte: int = setting(21, low=0, high=60, source="B.12", doc="All is sold, whatever it is worth.")
    exit_from: time = setting(time(10, 0), source="D.7, decision 103", doc="From here on that day.")
    check_minutes: int = setting(
        180, low=1, high=390, source="E.2, decision 103", doc="Between looks at what is held."
    )
