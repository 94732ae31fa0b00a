"""The numbers of the Friday 0DTE, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting

PRODUCTS_IN_ORDER = ("ES", "SPXW", "XSP", "MES")
"""As they are tried: the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Point amounts are stated at an index of 5,500 (ruling 1)."""

    product: str = setting(
        "auto",
        choices=("auto", *PRODUCTS_IN_ORDER),
        source="B.1",
        doc="auto: the first that passes the gate.",
    )
    vix_gate: str = setting(
        "hard",
        choices=("hard", "soft", "off"),
        source="B.1",
        doc="soft also trades a low VIX, smaller.",
        research=True,
    )
    vix_min: float = setting(22.0, low=0.0, high=100.0, source="B.0.1", doc="Entries need a VIX above it.")
    vix_soft_min: float = setting(13.0, low=0.0, high=100.0, source="B.1", doc="The soft gate's lower end.")
    vix_max: float = setting(
        35.0, low=5.0, high=150.0, source="B.0.1", doc="No entry above it, and closes all."
    )
    vix_jump_share: float = setting(
        0.50, low=0.05, high=5.0, source="B.1", doc="A rise since the first VIX closes all."
    )
    soft_es_units: tuple[Decimal, ...] = setting(
        (Decimal("0.2"), Decimal("0.5"), Decimal(1), Decimal("1.5"), Decimal(2)),
        source="B.1, A.4",
        doc="ES-equivalents at most in the soft gate's extra range, by phase: half of A.4.",
    )
    es_units_max: int = setting(
        12, low=1, high=100, source="A.4", doc="Hard cap in ES-equivalents, whatever the phase."
    )
    print_until: time = setting(
        time(9, 40), source="B.1", doc="The opening print is taken from 09:30 up to here."
    )
    range_until: time = setting(time(10, 0), source="B.1", doc="The opening range is taken up to here.")
    range_minutes: int = setting(5, low=1, high=30, source="B.1", doc="Minutes between its looks.")
    entry_start: time = setting(time(10, 30), source="B.1", doc="Never before.")
    entry_end: time = setting(time(11, 0), source="B.1", doc="Not after.")
    gap_share_max: float = setting(
        0.015, low=0.001, high=1.0, source="B.1", doc="An opening gap of this share skips."
    )
    flat_move_share: float = setting(
        0.005, low=0.0, high=1.0, source="B.1", doc="Up to this move since 09:30: condor."
    )
    direction: str = setting(
        "fade", choices=("fade", "follow", "both_sides"), source="B.1", doc="Which side is sold after a move."
    )
    atr_sessions: int = setting(
        14, low=2, high=100, source="B.1", doc="Wilder's average true range up to yesterday."
    )
    condor_atr: float = setting(
        0.5, low=0.1, high=3.0, source="B.1", doc="Distance of a condor's shorts in ATR."
    )
    vertical_atr: float = setting(
        0.7, low=0.1, high=3.0, source="B.1", doc="Distance of the short after a move."
    )
    delta_max: float = setting(
        0.25, low=0.05, high=0.45, source="B.1", doc="At this delta a short moves outward."
    )
    delta_min: float = setting(0.10, low=0.0, high=0.45, source="B.1", doc="Below it a short moves inward.")
    delta_inward: float = setting(0.15, low=0.01, high=0.45, source="B.1", doc="Where it moves then.")
    delta_never: float = setting(0.30, low=0.05, high=0.50, source="B.1", doc="No short at or above it.")
    wing_points: Decimal = setting(
        Decimal(30), low=Decimal(5), high=Decimal(200), source="B.1", doc="Long legs' distance."
    )
    broken_wing: bool = setting(default=False, source="B.1", doc="Widen one wing of the condor.")
    broken_wing_points: Decimal = setting(
        Decimal(50), low=Decimal(5), high=Decimal(200), source="B.1", doc="The wider wing."
    )
    broken_wing_side: str = setting(
        "untested",
        choices=("untested", "tested"),
        source="B.1",
        doc="Which one: where the 8/21-day averages lean is tested.",
    )
    condor_credit_share: float = setting(
        0.20, low=0.0, high=1.0, source="B.1", doc="Least credit, of the wing."
    )
    vertical_credit_share: float = setting(
        0.10, low=0.0, high=1.0, source="B.1", doc="Least credit, of the wing."
    )
    target_share: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal("0.95"), source="B.1", doc="Credit kept."
    )
    stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.1", doc="Credits lost."
    )
    defend_credits: Decimal = setting(
        Decimal("1.0"),
        low=Decimal(0),
        high=Decimal(10),
        source="B.1",
        doc="Credits lost at which a touched side closes.",
    )
    noon: time = setting(time(12, 0), source="B.1", doc="From here a smaller profit is enough.")
    noon_share: Decimal = setting(
        Decimal("0.40"), low=Decimal(0), high=Decimal(1), source="B.1", doc="That profit."
    )
    late: time = setting(time(14, 30), source="B.1", doc="From here the last evaluation holds.")
    late_share: Decimal = setting(
        Decimal("0.25"), low=Decimal(0), high=Decimal(1), source="B.1", doc="Profit that is enough."
    )
    late_near_share: float = setting(
        0.003, low=0.0, high=0.1, source="B.1", doc="This near a short strike closes."
    )
    exit_time: time = setting(time(15, 0), source="B.1", doc="Closes all.")
    backstop: time = setting(time(15, 30), source="B.1", doc="Closes what is left, at any price.")
