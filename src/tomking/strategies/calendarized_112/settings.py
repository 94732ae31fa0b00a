"""The numbers of the calendarized 1-1-2, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Point amounts are stated at an index of 5,500 (ruling 1)."""

    entry_start: time = setting(time(10, 0), source="B.3", doc="Wednesdays from here.")
    entry_end: time = setting(time(10, 10), source="B.3", doc="To here.")
    vix_min: float = setting(12.0, low=0.0, high=100.0, source="B.0.1", doc="The VIX must be above it.")
    vix_max: float = setting(35.0, low=5.0, high=150.0, source="B.0.1", doc="The VIX must be below it.")
    ema_fast: int = setting(8, low=2, high=100, source="B.3", doc="Sessions of the fast average.")
    ema_slow: int = setting(21, low=2, high=200, source="B.3", doc="Sessions of the slow average.")
    pds_dte: int = setting(150, low=60, high=400, source="B.3", doc="Days of the debit spread wished.")
    pds_dte_min: int = setting(140, low=60, high=400, source="B.3", doc="From here.")
    pds_dte_max: int = setting(165, low=60, high=400, source="B.3", doc="To here.")
    pds_delta: float = setting(0.25, low=0.1, high=0.5, source="B.3", doc="Its long put.")
    pds_delta_min: float = setting(0.22, low=0.05, high=0.5, source="B.2", doc="Its band from.")
    pds_delta_max: float = setting(0.27, low=0.1, high=0.6, source="B.2", doc="Its band to.")
    pds_width: Decimal = setting(Decimal(50), low=Decimal(5), high=Decimal(300), source="B.3", doc="Points.")
    pds_debit_max: Decimal = setting(
        Decimal(12), low=Decimal(1), high=Decimal(300), source="B.3", doc="Points it may cost."
    )
    es_units: int = setting(1, low=1, high=8, source="C.13", doc="ES units in one position.")
    mes_units: int = setting(9, low=1, high=9, source="C.13", doc="MES units; ten are one ES.")
    np_dte: int = setting(45, low=22, high=120, source="B.3", doc="Days of the naked puts wished.")
    np_dte_min: int = setting(40, low=22, high=120, source="B.3", doc="From here.")
    np_dte_max: int = setting(50, low=22, high=120, source="B.3", doc="To here.")
    np_delta: float = setting(0.05, low=0.01, high=0.3, source="B.3", doc="Each naked put.")
    np_delta_min: float = setting(0.04, low=0.0, high=0.3, source="B.2", doc="Its band from.")
    np_delta_max: float = setting(0.06, low=0.01, high=0.4, source="B.2", doc="Its band to.")
    net_credit_min: Decimal = setting(
        Decimal(0), low=Decimal(-100), high=Decimal(100), source="B.3", doc="Points for a first cycle."
    )
    cycle_credit_share: Decimal = setting(
        Decimal("0.40"),
        low=Decimal(0),
        high=Decimal(5),
        source="B.3",
        doc="Of the debit spread's value: what a later pair of naked puts brings at least.",
    )
    cycles_max: int = setting(5, low=1, high=12, source="E.3", doc="Sales of naked puts in one life.")
    cycle_pds_dte_min: int = setting(
        60, low=22, high=365, source="B.3", doc="No sale once the debit spread has fewer days."
    )
    cycle_vix_max: float = setting(
        25.0,
        low=5.0,
        high=150.0,
        source="B.3, C.9",
        doc="Emergency level 1: no later sale from this VIX on.",
    )
    np_target: Decimal = setting(
        Decimal("0.90"), low=Decimal("0.1"), high=Decimal("0.99"), source="B.3", doc="Credit kept."
    )
    np_early_share: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.1"), high=Decimal("0.99"), source="B.3", doc="Credit kept early."
    )
    np_early_days: int = setting(
        10, low=0, high=60, source="B.3", doc="Early: so many days before the last day of the puts."
    )
    np_stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.3", doc="Credits lost."
    )
    np_delta_close: float = setting(0.20, low=0.05, high=0.6, source="B.3", doc="Delta that closes them.")
    pds_gain: Decimal = setting(
        Decimal("1.00"), low=Decimal("0.1"), high=Decimal(10), source="B.3", doc="Of its debit, won."
    )
    exit_dte: int = setting(21, low=1, high=60, source="B.3", doc="Days left at which short legs go.")
    allow_np_below_21: bool = setting(
        False,  # noqa: FBT003 - the default of a switch
        source="B.3",
        doc="The naked puts may stay longer: what 30-day sales need.",
        research=True,
    )
    np_late_dte: int = setting(7, low=1, high=20, source="B.3", doc="Until here.")
    exit_from: time = setting(time(10, 0), source="B.3", doc="On that day from here.")
    check_minutes: int = setting(30, low=1, high=390, source="B.3", doc="Minutes between looks.")
