"""The numbers of the futures strangle, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting

ORDER = (
    "CL", "MCL", "XOP", "GC", "MGC", "GLD", "TLT", "ZB", "ZN", "6E", "M6E", "SLV", "NQ", "MNQ", "MES",
)  # fmt: skip
"""A.4's products: of a correlation group the first that can be had, the full contract before its micro."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dollar amounts are of one contract, in whatever size it is listed."""

    entry_start: time = setting(time(10, 0), source="B.4", doc="Second Tuesdays from here.")
    entry_end: time = setting(time(10, 15), source="B.4", doc="To here.")
    underlyings: tuple[str, ...] = setting(
        ORDER, choices=ORDER, source="B.4, A.4", doc="In this order within a correlation group."
    )
    entry_dte: int = setting(90, low=30, high=180, source="B.4", doc="Days to expiration wished.")
    dte_tolerance: int = setting(10, low=0, high=40, source="B.4", doc="Days either way.")
    put_delta: float = setting(0.06, low=0.02, high=0.3, source="B.4", doc="Short put.")
    put_delta_min: float = setting(0.05, low=0.01, high=0.3, source="B.4", doc="Its band from.")
    put_delta_max: float = setting(0.07, low=0.02, high=0.4, source="B.4", doc="Its band to.")
    call_delta: float = setting(0.055, low=0.02, high=0.3, source="B.4", doc="Short call.")
    call_delta_min: float = setting(0.05, low=0.01, high=0.3, source="B.4", doc="Its band from.")
    call_delta_max: float = setting(0.06, low=0.02, high=0.4, source="B.4", doc="Its band to.")
    vix_min: float = setting(15.0, low=5.0, high=60.0, source="B.0.1", doc="Entry from this VIX on.")
    vix_max: float = setting(40.0, low=10.0, high=150.0, source="B.0.1", doc="Entry up to this VIX.")
    iv_rank_min: float = setting(
        0.30, low=0.0, high=1.0, source="B.4", doc="Share of the sessions with a lower volatility."
    )
    iv_rank_sessions: int = setting(252, low=60, high=400, source="B.4", doc="Sessions compared with.")
    range_sessions: int = setting(20, low=5, high=60, source="B.4", doc="Sessions of the range.")
    range_share_max: float = setting(
        0.10, low=0.01, high=1.0, source="B.4", doc="Highest less lowest over the level must be below it."
    )
    decision_sessions: int = setting(
        5, low=0, high=20, source="B.4", doc="Sessions ahead without a decision for the product."
    )
    leg_spread_share_max: Decimal = setting(
        Decimal("0.10"), low=Decimal("0.01"), high=Decimal(1), source="B.4", doc="Of a leg's mid."
    )
    leg_spread_ticks: int = setting(2, low=1, high=20, source="B.4", doc="Or so many ticks.")
    micro_credit_usd: Decimal = setting(
        Decimal(25),
        low=Decimal(0),
        high=Decimal(1000),
        source="B.4",
        doc="Least credit of a micro, a fund.",
    )
    fee_multiple: Decimal = setting(
        Decimal(10), low=Decimal(0), high=Decimal(50), source="B.4", doc="And so many round-trip fees."
    )
    full_credit_usd: Decimal = setting(
        Decimal(250), low=Decimal(0), high=Decimal(5000), source="B.4", doc="Least credit of a full contract."
    )
    full_units_max: int = setting(
        5, low=1, high=20, source="C.13", doc="Full contracts; by phase and product the gate allows fewer."
    )
    micro_units_max: int = setting(
        9, low=1, high=100, source="C.13", doc="Micros or funds, the same; ten are one full."
    )
    target: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.1"), high=Decimal("0.95"), source="B.4", doc="Credit kept."
    )
    stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(5), source="B.4", doc="Credits lost."
    )
    exit_dte: int = setting(21, low=0, high=60, source="B.4, ruling 10", doc="Closes all, no exceptions.")
    exit_from: time = setting(time(10, 0), source="D.7, decision 103", doc="From here on that day.")
    roll_delta: float = setting(
        0.20, low=0.1, high=0.5, source="B.4", doc="A short at it: the untested side is rolled, once."
    )
    roll_from: time = setting(
        time(10, 0), source="B.4, D.7", doc="Rolled from here on: before, the new side would hardly be sold."
    )
    roll_until: time = setting(time(15, 30), source="B.4, D.7", doc="To here.")
    roll_vix_max: float = setting(
        30.0, low=10.0, high=100.0, source="B.4, D.7", doc="Not rolled from this VIX on, for the same reason."
    )
    side_delta: float = setting(0.25, low=0.1, high=0.6, source="B.4", doc="At it: that side is closed.")
    all_delta: float = setting(0.30, low=0.1, high=0.7, source="B.4", doc="At it: all is closed.")
    single_keep: Decimal = setting(
        Decimal("0.50"),
        low=Decimal("0.1"),
        high=Decimal("0.95"),
        source="B.4",
        doc="A side left alone goes when this share of what it was then worth is won.",
    )
    enhanced: str = setting(
        "off", choices=("off", "tail_wing"), source="B.4", doc="tail_wing: buy a far put and a far call too."
    )
    wing_delta: float = setting(0.02, low=0.005, high=0.05, source="B.4", doc="Each of them.")
    wing_margin_saved: Decimal = setting(
        Decimal("0.25"), low=Decimal(0), high=Decimal(1), source="B.4", doc="Least share of margin they save."
    )
    wing_cost_share: Decimal = setting(
        Decimal("0.25"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.4",
        doc="Of the credit, their most cost.",
    )
    check_minutes: int = setting(
        30, low=1, high=390, source="E.2, decision 103", doc="Between looks at what is held."
    )
