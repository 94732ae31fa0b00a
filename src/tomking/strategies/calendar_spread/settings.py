"""The numbers of the calendar spread, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting

PRODUCTS = ("SPY", "IWM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dollars are of one share of SPY at 550, an index of 5,500 (ruling 1)."""

    products: tuple[str, ...] = setting(
        PRODUCTS, choices=PRODUCTS, source="B.8", doc="Underlyings, the first that can be had."
    )
    entry_start: time = setting(time(10, 15), source="B.8", doc="Tuesdays from here.")
    entry_end: time = setting(time(10, 45), source="B.8", doc="To here.")
    vix_max: float = setting(20.0, low=5.0, high=150.0, source="B.0.1", doc="The VIX must be below it.")
    contango_min: float = setting(
        1.03, low=0.5, high=2.0, source="B.8", doc="The three-month index over the VIX, where it is known."
    )
    iv_rank_max: float = setting(0.40, low=0.0, high=1.0, source="B.8", doc="IV rank up to it.")
    ema_fast: int = setting(8, low=2, high=100, source="B.8", doc="Sessions of the fast average.")
    ema_slow: int = setting(21, low=2, high=200, source="B.8", doc="Of the slow one; below it, puts.")
    front_dte: int = setting(30, low=8, high=90, source="B.8", doc="Days of the front wished.")
    front_dte_min: int = setting(28, low=8, high=90, source="B.8", doc="From here.")
    front_dte_max: int = setting(35, low=8, high=90, source="B.8", doc="To here.")
    back_dte: int = setting(60, low=30, high=200, source="B.8", doc="Days of the back wished.")
    back_dte_min: int = setting(55, low=30, high=200, source="B.8", doc="From here.")
    back_dte_max: int = setting(70, low=30, high=200, source="B.8", doc="To here.")
    debit_share_max: Decimal = setting(
        Decimal("0.015"),
        low=Decimal("0.001"),
        high=Decimal("0.1"),
        source="B.8",
        doc="Of the underlying, the debit.",
    )
    units_max: int = setting(100, low=1, high=1000, source="B.8", doc="Units of one calendar.")
    target_share: Decimal = setting(
        Decimal("0.25"), low=Decimal("0.05"), high=Decimal(5), source="B.8", doc="Of the debit, won."
    )
    stop_share: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.1"), high=Decimal(1), source="B.8", doc="Of the debit, lost."
    )
    roll_share: Decimal = setting(
        Decimal("0.80"),
        low=Decimal("0.1"),
        high=Decimal("0.99"),
        source="B.8",
        doc="Of a front's credit, won.",
    )
    roll_dte_min: int = setting(7, low=1, high=60, source="B.8", doc="Days a front has left at least.")
    rolls_max: int = setting(2, low=0, high=8, source="B.8", doc="Rolls in one life.")
    roll_start: time = setting(time(10, 0), source="D.7", doc="Fronts are bought back from here.")
    roll_until: time = setting(time(15, 0), source="D.7", doc="Until here.")
    roll_end: time = setting(time(15, 45), source="D.7", doc="The next is sold up to here.")
    front_exit_dte: int = setting(
        21,
        low=7,
        high=21,
        source="B.8, ruling 10",
        doc="Days the front has left when all goes.",
        research=True,
    )
    exit_from: time = setting(time(10, 0), source="D.7, decision 103", doc="On that day from here.")
    vix_exit: float = setting(25.0, low=5.0, high=150.0, source="B.8, ruling 11", doc="Above it all goes.")
    move_max: float = setting(
        1.0, low=0.1, high=5.0, source="B.8", doc="Expected moves from the strike, beyond which all goes."
    )
    assignment_usd: Decimal = setting(
        Decimal("0.10"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.8",
        doc="Time value of a share's option in the money, under which all goes.",
    )
    check_minutes: int = setting(
        60, low=1, high=390, source="E.2, decision 103", doc="Minutes between looks."
    )
