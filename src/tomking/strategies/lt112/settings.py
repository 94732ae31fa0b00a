"""The numbers of the LT112, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Point amounts are stated at an index of 5,500 (ruling 1)."""

    entry_start: time = setting(time(10, 0), source="B.2", doc="Wednesdays from here.")
    entry_end: time = setting(time(10, 10), source="B.2", doc="To here.")
    first_week_phase: int = setting(
        2, low=0, high=5, source="A.4", doc="First Wednesdays from this phase, with MES."
    )
    second_week_phase: int = setting(
        3, low=0, high=5, source="B.2", doc="Second Wednesdays, and ES, from this phase."
    )
    third_week_phase: int = setting(4, low=0, high=5, source="B.2", doc="Third Wednesdays from this phase.")
    es_units_an_expiry: int = setting(1, low=1, high=8, source="B.2", doc="ES units on one expiry.")
    mes_units_an_expiry: int = setting(9, low=1, high=80, source="B.2", doc="MES units; ten are one ES.")
    mes_units_first_phase: int = setting(2, low=1, high=80, source="B.2", doc="The same in the first phase.")
    entry_dte: int = setting(120, low=60, high=200, source="B.2", doc="Days to expiration wished.")
    dte_tolerance: int = setting(10, low=0, high=60, source="B.2", doc="ES: days either way.")
    mes_dte_min: int = setting(
        83, low=45, high=200, source="B.2", doc="MES: the listed expiry nearest, from here."
    )
    mes_dte_max: int = setting(145, low=45, high=250, source="B.2", doc="MES: to here.")
    vix_min: float = setting(12.0, low=0.0, high=100.0, source="B.0.1", doc="The VIX must be above it.")
    vix_max: float = setting(35.0, low=5.0, high=150.0, source="B.0.1", doc="The VIX must be below it.")
    trend: str = setting(
        "ema", choices=("ema", "none"), source="B.2", doc="ema: the fast average above the slow."
    )
    ema_fast: int = setting(8, low=2, high=100, source="B.2", doc="Sessions of the fast average.")
    ema_slow: int = setting(21, low=2, high=200, source="B.2", doc="Sessions of the slow average.")
    high_sessions: int = setting(252, low=1, high=400, source="B.2", doc="No entry at or above their high.")
    long_delta: float = setting(0.25, low=0.1, high=0.5, source="B.2", doc="Long put of the PDS.")
    long_delta_min: float = setting(0.22, low=0.05, high=0.5, source="B.2", doc="Its band from.")
    long_delta_max: float = setting(0.27, low=0.1, high=0.6, source="B.2", doc="Its band to.")
    pds_width: Decimal = setting(Decimal(50), low=Decimal(5), high=Decimal(300), source="B.2", doc="Points.")
    np_delta: float = setting(0.05, low=0.01, high=0.3, source="B.2", doc="Each naked put.")
    np_delta_min: float = setting(0.04, low=0.0, high=0.3, source="B.2", doc="Its band from.")
    np_delta_max: float = setting(0.06, low=0.01, high=0.4, source="B.2", doc="Its band to.")
    np_otm_share: float = setting(
        0.12, low=0.0, high=0.5, source="B.2", doc="Least distance below the future."
    )
    np_credit_min: Decimal = setting(Decimal(20), low=Decimal(0), source="B.2", doc="Points for the pair.")
    net_credit_min: Decimal = setting(Decimal(10), low=Decimal(0), source="B.2", doc="Points for the unit.")
    np_target: Decimal = setting(
        Decimal("0.90"), low=Decimal("0.1"), high=Decimal("0.99"), source="B.2", doc="Credit kept."
    )
    np_stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(10), source="B.2", doc="Credits lost."
    )
    np_loss_share: Decimal = setting(
        Decimal("0.02"), low=Decimal("0.001"), high=Decimal(1), source="B.2", doc="Of net liq."
    )
    np_delta_close: float = setting(
        0.20, low=0.01, high=1.0, source="B.2", doc="A held put at it: close the pair."
    )
    pds_gain: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal(10), source="B.2", doc="Of the debit."
    )
    pds_trail_share: Decimal = setting(
        Decimal("0.25"),
        low=Decimal("0.01"),
        high=Decimal("0.99"),
        source="B.2, decision 103",
        doc="Given back from its best.",
    )
    exit_dte: int = setting(21, low=21, high=60, source="B.2, ruling 10", doc="Closes all, no exceptions.")
    exit_from: time = setting(
        time(10, 0), source="D.7, decision 103", doc="From here on that day: spreads are widest before."
    )
    pds_exempt_from_21dte: bool = setting(
        default=False, source="B.2", doc="A PDS alone may stay longer.", research=True
    )
    pds_exempt_dte: int = setting(7, low=1, high=21, source="B.2", doc="Until here.")
    check_minutes: int = setting(
        30, low=1, high=390, source="E.2, decision 103", doc="Between looks at what is held."
    )
    weekly_sale: str = setting(
        "call_spread", choices=("call_spread", "off"), source="B.2", doc="What is sold weekly."
    )
    weekly_start: time = setting(time(9, 35), source="B.2", doc="Mondays from here.")
    weekly_end: time = setting(time(10, 0), source="B.2", doc="To here.")
    weekly_after_days: int = setting(30, low=0, high=120, source="B.2", doc="Days since the unit was opened.")
    weekly_dte: int = setting(7, low=1, high=30, source="B.2", doc="Days to expiration wished.")
    weekly_dte_tolerance: int = setting(4, low=0, high=14, source="B.2, decision 103", doc="Days either way.")
    weekly_delta: float = setting(0.10, low=0.01, high=0.5, source="B.2", doc="Short call.")
    weekly_delta_min: float = setting(0.08, low=0.0, high=0.5, source="B.2", doc="Its band from.")
    weekly_delta_max: float = setting(0.12, low=0.01, high=0.6, source="B.2", doc="Its band to.")
    weekly_moves: float = setting(1.0, low=0.0, high=5.0, source="B.2", doc="Expected moves it lies beyond.")
    weekly_high_sessions: int = setting(5, low=1, high=60, source="B.2", doc="It lies above their high.")
    weekly_wing: Decimal = setting(
        Decimal(25), low=Decimal(5), high=Decimal(200), source="B.2", doc="Points."
    )
    weekly_credit_min: Decimal = setting(Decimal("1.0"), low=Decimal(0), source="B.2", doc="Points.")
    weekly_vix_min: float = setting(14.0, low=0.0, high=100.0, source="B.2", doc="Sold from this VIX on.")
    weekly_vix_max: float = setting(
        25.0, low=5.0, high=150.0, source="C.9, C.12", doc="Emergency level 1: not sold from this VIX on."
    )
    weekly_trend_share: float = setting(
        0.015, low=0.0, high=1.0, source="B.2", doc="Not with the fast average this far above."
    )
    weekly_target: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal("0.95"), source="B.2", doc="Credit kept."
    )
    weekly_stop_credits: Decimal = setting(
        Decimal("2.0"), low=Decimal("0.5"), high=Decimal(20), source="B.2", doc="Credits lost."
    )
    weekly_exit: time = setting(
        time(15, 0), source="B.2", doc="On the week's last session; an hour before a half day ends."
    )
