"""What the book is stressed with, and what it may lose: C.7's tables, a base of the risk ``Settings``.

Moves are shares of the level (-0.06 is 6 % down), VIX points are added to it.
"""

from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.settings import setting
from tomking.risk.ceilings import Ceilings
from tomking.risk.coordination import shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Stresses(Ceilings):
    """Tables by phase have five entries, P0 to P4."""

    # ------------------------------------------------------------------------------- the caps
    stress_5_share_max: Decimal = setting(
        Decimal("0.10"), low=Decimal("0.01"), high=Decimal(1), source="C.7", doc="Loss of the book under S-5."
    )
    stress_10_share_max: tuple[Decimal, ...] = setting(
        shares("0.10 0.15 0.15 0.15 0.15"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="A.3, C.7",
        doc="Loss of the book under S-10, by phase.",
    )
    stress_20_share_max: tuple[Decimal, ...] = setting(
        shares("0.20 0.25 0.30 0.30 0.30"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="A.3, C.7",
        doc="Loss of the book under S-20, by phase.",
    )
    stress_group_share_max: Decimal = setting(
        Decimal("0.15"),
        low=Decimal("0.01"),
        high=Decimal(1),
        source="C.5",
        doc="Loss of one correlation group: equities under S-10, others under the worse PROD.",
    )
    stale_vega_share_max: float = setting(
        0.25,
        low=0.0,
        high=1.0,
        source="C.6",
        doc="Share of the book's gross VOL+ that may rest on stale legs.",
    )
    stressed_margin_share_max: Decimal = setting(
        Decimal(1),
        low=Decimal("0.2"),
        high=Decimal(2),
        source="decision 210",
        doc="Margin over net liq in every cell of the grid: at 1 the broker calls.",
    )
    # ------------------------------------------------------------------------------ the shocks
    shock_5_move: float = setting(-0.06, low=-0.2, high=0.0, source="C.7", doc="S-5: move of the index.")
    shock_5_vix_points: float = setting(22.6, low=0.0, high=100.0, source="C.7", doc="S-5: rise of the VIX.")
    shock_10_vix: float = setting(
        50.0, low=10.0, high=200.0, source="C.7", doc="S-10: the VIX rises at least to it."
    )
    shock_10_vix_points: float = setting(
        20.0, low=0.0, high=100.0, source="C.7", doc="S-10: and at least by so much."
    )
    shock_20_vix: float = setting(
        80.0, low=10.0, high=200.0, source="C.7", doc="S-20: the VIX rises at least to it."
    )
    shock_20_vix_points: float = setting(
        40.0, low=0.0, high=100.0, source="C.7", doc="S-20: and at least by so much."
    )
    shock_up_vix_share: float = setting(
        -0.25, low=-0.9, high=0.0, source="C.7", doc="S+5: the VIX falls by this share."
    )
    shock_vol_share: float = setting(
        0.5, low=0.0, high=3.0, source="C.7", doc="VOL+ and PROD: rise of every implied volatility."
    )
    shock_damping_days: float = setting(
        30.0,
        low=1.0,
        high=365.0,
        source="C.7",
        doc="Beyond them the VIX's rise is damped by sqrt(days / DTE).",
    )
    put_skew_steepening: float = setting(
        1.2, low=1.0, high=3.0, source="C.7", doc="Second column: put skew times this."
    )
    vix_future_days: float = setting(
        20.0,
        low=1.0,
        high=365.0,
        source="decision 210",
        doc="A VIX future rises by days / (days + DTE) of the VIX's rise.",
    )
    product_move: float = setting(
        0.20, low=0.0, high=1.0, source="C.7", doc="PROD: products not named below."
    )
    crude_move: float = setting(0.25, low=0.0, high=1.0, source="C.7", doc="PROD: crude oil and its shares.")
    currency_move: float = setting(0.05, low=0.0, high=1.0, source="C.7", doc="PROD: currencies.")
    rates_move: float = setting(0.06, low=0.0, high=1.0, source="C.7", doc="PROD: Treasury bonds and notes.")
    ndx_beta: float = setting(
        1.2, low=0.0, high=5.0, source="C.6", doc="Move of the Nasdaq 100 per move of SPX."
    )
    rut_beta: float = setting(
        1.15, low=0.0, high=5.0, source="C.6", doc="Move of the Russell 2000 per move of SPX."
    )
    stock_beta: float = setting(
        1.5, low=0.0, high=5.0, source="decision 210", doc="Move of a single name per move of SPX."
    )
    crisis_weights: tuple[float, ...] = setting(
        (-0.20, 0.60, 0.70, 0.65, 0.50, 0.45, 0.30),
        low=-1.0,
        high=1.0,
        source="C.5",
        doc="CRISIS: share of its PROD move that each group falls by: B1 B2 C1 C2 D1 D2 E.",
    )
    # -------------------------------------------------------------------------------- the grid
    grid_moves: tuple[float, ...] = setting(
        (-0.20, -0.15, -0.10, -0.06, -0.03, 0.0, 0.03, 0.05, 0.10),
        low=-0.9,
        high=1.0,
        source="C.7",
        doc="Moves of the grid.",
    )
    grid_vix_points: tuple[float, ...] = setting(
        (-4.0, 0.0, 10.0, 22.6, 40.0, 64.0),
        low=-20.0,
        high=200.0,
        source="C.7",
        doc="VIX points of the grid.",
    )
    grid_days: tuple[int, ...] = setting(
        (0, 7, 30), low=0, high=365, source="C.7", doc="Calendar days ahead of the grid."
    )
    # ------------------------------------------------------------------------ margin besides
    crude_scan_share: float = setting(
        0.12, low=0.02, high=0.5, source="decision 210", doc="Price scan range of crude oil futures."
    )
    micro_credit_share: float = setting(
        1.0,
        low=0.0,
        high=1.0,
        source="decision 210",
        doc="Share of the offset between a full contract and its micro that is credited.",
    )


STRESSES_BY_PHASE = ("stress_10_share_max", "stress_20_share_max")
