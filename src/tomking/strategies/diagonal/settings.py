"""The numbers of the diagonal, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting

PRODUCTS = ("SPY", "QQQ", "IWM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dollars are of one contract (``assignment_usd``: share) of SPY at 550, an index of 5,500 (ruling 1)."""

    products: tuple[str, ...] = setting(
        PRODUCTS, choices=PRODUCTS, source="B.10", doc="Underlyings, the first that can be had."
    )
    entry_start: time = setting(time(10, 15), source="B.10", doc="Tuesdays from here.")
    entry_end: time = setting(time(10, 45), source="B.10", doc="To here.")
    vix_half: float = setting(15.0, low=5.0, high=150.0, source="B.10", doc="From this VIX on half the size.")
    vix_max: float = setting(18.0, low=5.0, high=150.0, source="B.10", doc="Above it no entry, and all goes.")
    half_share: Decimal = setting(
        Decimal("0.5"), low=Decimal("0.1"), high=Decimal(1), source="B.10", doc="What half the size is."
    )
    ema_fast: int = setting(8, low=2, high=100, source="B.8", doc="Sessions of the fast average.")
    ema_slow: int = setting(21, low=2, high=200, source="B.8", doc="Of the slow one; below it, puts.")
    long_dte: int = setting(60, low=30, high=200, source="B.10", doc="Days of the long leg wished.")
    long_dte_min: int = setting(55, low=30, high=200, source="B.8", doc="From here.")
    long_dte_max: int = setting(70, low=30, high=200, source="B.8", doc="To here.")
    long_delta: float = setting(0.30, low=0.1, high=0.6, source="B.10", doc="The long leg.")
    long_delta_min: float = setting(0.27, low=0.05, high=0.6, source="B.10", doc="Its band from.")
    long_delta_max: float = setting(0.33, low=0.1, high=0.7, source="B.10", doc="Its band to.")
    short_dte: int = setting(30, low=8, high=90, source="B.10", doc="Days of the short leg wished.")
    short_dte_min: int = setting(28, low=8, high=90, source="B.8", doc="From here.")
    short_dte_max: int = setting(35, low=8, high=90, source="B.8", doc="To here.")
    short_delta_min: float = setting(0.20, low=0.05, high=0.5, source="B.10", doc="The short leg from.")
    short_delta_max: float = setting(
        0.25, low=0.05, high=0.5, source="B.10", doc="To here, the highest that lies beyond the long strike."
    )
    net_delta_max: float = setting(
        5.0, low=0.0, high=50.0, source="B.10", doc="Shares a unit; beyond it the other side is added."
    )
    debit_max_usd: Decimal = setting(
        Decimal(400), low=Decimal(10), high=Decimal(10_000), source="B.10", doc="What a side may cost."
    )
    loss_share: Decimal = setting(
        Decimal("0.02"),
        low=Decimal("0.001"),
        high=Decimal("0.05"),
        source="B.10",
        doc="Of net liq at the stop.",
    )
    theta_min_usd: float = setting(3.0, low=0.0, high=100.0, source="B.10", doc="A day and unit, above it.")
    vega_min_usd: float = setting(
        15.0, low=0.0, high=500.0, source="B.10", doc="A point of volatility and unit, above it."
    )
    target_share: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.05"), high=Decimal(1), source="B.10", doc="Of the best profit, won."
    )
    stop_share: Decimal = setting(
        Decimal("0.50"), low=Decimal("0.1"), high=Decimal(1), source="B.10", doc="Of the debit, lost."
    )
    roll_share: Decimal = setting(
        Decimal("0.80"),
        low=Decimal("0.1"),
        high=Decimal("0.99"),
        source="B.8",
        doc="Of a front's credit, won.",
    )
    roll_dte_min: int = setting(7, low=1, high=60, source="B.8", doc="Days a front has left at least.")
    rolls_max: int = setting(2, low=0, high=8, source="B.8, E.3", doc="Rolls in one life.")
    roll_start: time = setting(time(10, 0), source="D.7", doc="Fronts are bought back from here.")
    roll_until: time = setting(time(15, 0), source="D.7", doc="Until here.")
    roll_end: time = setting(time(15, 45), source="D.7", doc="The next is sold up to here.")
    front_exit_dte: int = setting(
        21,
        low=7,
        high=21,
        source="B.10, ruling 10",
        doc="Days the front has left when all goes.",
        research=True,
    )
    exit_from: time = setting(time(10, 0), source="D.7, decision 103", doc="On that day from here.")
    assignment_usd: Decimal = setting(
        Decimal("0.05"),
        low=Decimal(0),
        high=Decimal(1),
        source="D.4",
        doc="Time value of a share's option in the money, under which all goes.",
    )
    check_minutes: int = setting(
        60, low=1, high=390, source="E.2, decision 103", doc="Minutes between looks."
    )
