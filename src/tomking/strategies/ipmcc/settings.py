"""The numbers of the IPMCC, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Dollar amounts a share are stated at an index of 5,500, SPY at 550 (ruling 1)."""

    products: tuple[str, ...] = setting(
        ("SPY", "QQQ", "IWM"), source="A.4, B.5", doc="Symbols; of those that fit the cheapest is bought."
    )
    entry_start: time = setting(
        time(9, 40), source="B.5, D.3", doc="Fridays from here, after the old call is bought back."
    )
    entry_end: time = setting(time(9, 45), source="B.5", doc="To here.")
    late_start: time = setting(time(15, 40), source="B.5", doc="Last resort for the weekly call, from here.")
    late_end: time = setting(time(15, 45), source="B.5", doc="To here.")
    concession_share: Decimal = setting(
        Decimal("0.40"), low=Decimal(0), high=Decimal(1), source="D.3", doc="Of the half-spreads, at most."
    )
    late_concession_share: Decimal = setting(
        Decimal("0.25"), low=Decimal(0), high=Decimal(1), source="B.5", doc="The same at the last resort."
    )
    # ------------------------------------------------------------------------------------ the LEAP
    leap_dte: int = setting(365, low=180, high=900, source="B.5", doc="Days to expiration wished.")
    leap_dte_min: int = setting(300, low=100, high=900, source="B.5", doc="From here.")
    leap_dte_max: int = setting(730, low=180, high=1100, source="B.5", doc="To here.")
    leap_delta: float = setting(0.80, low=0.5, high=0.99, source="B.5", doc="Its delta wished.")
    leap_delta_min: float = setting(0.75, low=0.5, high=0.99, source="B.5", doc="Its band from.")
    leap_delta_max: float = setting(0.85, low=0.5, high=0.99, source="B.5", doc="Its band to.")
    leap_extrinsic_share: Decimal = setting(
        Decimal("0.10"), low=Decimal("0.01"), high=Decimal("0.5"), source="B.5", doc="Of the strike, at most."
    )
    leap_spread_share: Decimal = setting(
        Decimal("0.005"),
        low=Decimal(0),
        high=Decimal("0.2"),
        source="B.5",
        doc="Of the symbol's price, at most; or so many dollars, next.",
    )
    leap_spread_usd: Decimal = setting(
        Decimal("0.30"), low=Decimal(0), high=Decimal(5), source="B.5", doc="Dollars a share, at most."
    )
    leap_roll_dte: int = setting(90, low=30, high=250, source="B.5", doc="Rolled at so many days left.")
    leap_stop: Decimal = setting(
        Decimal("0.30"), low=Decimal("0.05"), high=Decimal("0.9"), source="B.5", doc="Of its cost, lost."
    )
    contracts: int = setting(1, low=1, high=5, source="B.5", doc="LEAPs in one position.")
    high_sessions: int = setting(252, low=20, high=400, source="B.5", doc="No LEAP at or above their high.")
    band_sessions: int = setting(20, low=5, high=200, source="B.5", doc="Sessions of the Bollinger band.")
    band_deviations: float = setting(
        2.0, low=0.5, high=4.0, source="B.5", doc="Its width; no LEAP at or above its upper line."
    )
    # ---------------------------------------------------------------------------------- the weekly
    ema_fast: int = setting(8, low=2, high=100, source="B.5", doc="Sessions of the fast average.")
    ema_slow: int = setting(21, low=2, high=200, source="B.5", doc="Sessions of the slow average.")
    ema_trend: int = setting(50, low=5, high=250, source="B.5", doc="Sessions of the trend's average.")
    flat_share: float = setting(
        0.002, low=0.0, high=0.05, source="B.5", doc="Averages nearer than this are flat."
    )
    stretched_share: float = setting(
        0.02, low=0.0, high=0.2, source="B.5", doc="Above the fast average by more: stretched."
    )
    itm_falling: int = setting(
        2, low=0, high=20, source="B.5", doc="Strikes in the money while averages fall."
    )
    itm_deep: int = setting(
        3,
        low=0,
        high=20,
        source="B.5",
        doc="Strikes in the money when stretched, or down by ``down_deeper``.",
    )
    weekly_selector: str = setting(
        "regime",
        choices=("regime", "delta", "pct_otm"),
        source="B.5",
        doc="The strike wished: by the averages, or out of the money by delta or distance.",
    )
    weekly_delta: float = setting(0.30, low=0.05, high=0.6, source="B.5", doc="Delta, where so selected.")
    weekly_otm_share: float = setting(
        0.03, low=0.0, high=0.2, source="B.5", doc="Distance, where so selected."
    )
    floor: str = setting(
        "revalued",
        choices=("revalued", "leap_strike"),
        source="B.5",
        doc="What the strike is never below, besides the LEAP's own.",
    )
    weekly_target: Decimal = setting(
        Decimal("0.90"), low=Decimal("0.1"), high=Decimal("0.99"), source="B.5", doc="Of its time value, won."
    )
    weekly_early_target: Decimal = setting(
        Decimal("0.80"), low=Decimal("0.1"), high=Decimal("0.99"), source="B.5", doc="The same, early."
    )
    weekly_early_days: int = setting(3, low=1, high=7, source="B.5", doc="Early: at least so many days left.")
    roll_from: time = setting(
        time(9, 31), source="B.5", doc="On Fridays the expiring call is bought back from here."
    )
    pre_expiry_from: time = setting(
        time(15, 0), source="B.5", doc="On its last day a call in the money goes from here."
    )
    extrinsic_usd_min: Decimal = setting(
        Decimal("0.05"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.5, D.4",
        doc="Time value a share below which a call in the money goes on any day.",
    )
    # ---------------------------------------------------------------------------- the way down
    down_deeper: Decimal = setting(
        Decimal("0.10"), low=Decimal(0), high=Decimal(1), source="B.5", doc="LEAP lost so much: sold deeper."
    )
    down_half: Decimal = setting(
        Decimal("0.15"), low=Decimal(0), high=Decimal(1), source="B.5", doc="So much: half as many sold."
    )
    down_none: Decimal = setting(
        Decimal("0.20"),
        low=Decimal(0),
        high=Decimal(1),
        source="B.5",
        doc="So much: none, the last one goes.",
    )
    check_minutes: int = setting(
        60, low=1, high=390, source="E.5, decision 103", doc="Minutes between looks."
    )
