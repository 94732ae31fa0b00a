"""How strategies share one account: reservation, shares, full-size contracts (C.13, E.5), as settings."""

from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.settings import setting


def shares(text: str) -> tuple[Decimal, ...]:
    """``"0 0.4 1"`` as exact numbers."""
    return tuple(Decimal(word) for word in text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """Tables by phase have five entries, P0 to P4."""

    reservation_factor: Decimal = setting(
        Decimal("1.25"),
        low=Decimal(1),
        high=Decimal(3),
        source="E.5",
        doc="Of its estimated margin: what an opening order at work keeps from all others.",
    )
    high_priority_margin_share: Decimal = setting(
        Decimal("0.70"),
        low=Decimal("0.1"),
        high=Decimal(1),
        source="E.5",
        doc="Margin above which only strategies of high priority enter.",
    )
    cap_shares: str = setting(
        "soft",
        choices=("soft", "hard", "off"),
        source="E.5",
        doc="Shares of the VIX cap by strategy: soft lends what is unused in the week's last session.",
    )
    zero_dte_cap_share: Decimal = setting(
        Decimal("0.30"), low=Decimal(0), high=Decimal(1), source="E.5", doc="The 0DTE's share of the VIX cap."
    )
    lt112_cap_share: Decimal = setting(
        Decimal("0.25"), low=Decimal(0), high=Decimal(1), source="E.5", doc="The LT112's."
    )
    futures_strangle_cap_share: Decimal = setting(
        Decimal("0.20"), low=Decimal(0), high=Decimal(1), source="E.5", doc="The strangles'."
    )
    ipmcc_cap_share: Decimal = setting(
        Decimal("0.15"), low=Decimal(0), high=Decimal(1), source="E.5", doc="The IPMCC's."
    )
    other_cap_share: Decimal = setting(
        Decimal("0.10"), low=Decimal(0), high=Decimal(1), source="E.5", doc="All others' together."
    )
    # ------------------------------------------------------------------- full contracts and micros
    full_size_usd: Decimal = setting(
        Decimal(75_000),
        low=Decimal(0),
        high=Decimal(1_000_000),
        source="C.13",
        doc="Earned: above this net liq.",
    )
    full_size_phase: int = setting(3, low=0, high=4, source="C.13", doc="Earned: from this phase on.")
    full_size_trades: int = setting(
        50, low=0, high=1000, source="C.13", doc="Earned: after more closed futures trades than this."
    )
    full_size_wins: float = setting(
        0.65, low=0.0, high=1.0, source="C.13", doc="Earned: with a higher win rate than this in them."
    )
    es_units_max: tuple[int, ...] = setting(
        (0, 0, 0, 1, 3), low=0, high=20, source="C.13", doc="Units in ES by phase, 0DTE and LT112 apart."
    )
    mes_units_max: tuple[int, ...] = setting(
        (0, 5, 10, 5, 9), low=0, high=50, source="C.13", doc="The same in MES; nine where it says nothing."
    )
    cl_units_max: tuple[int, ...] = setting(
        (0, 0, 1, 2, 5), low=0, high=20, source="C.13", doc="Units in CL by phase."
    )
    mcl_units_max: tuple[int, ...] = setting(
        (0, 3, 5, 9, 9), low=0, high=50, source="C.13", doc="Units in MCL by phase."
    )
    gc_units_max: tuple[int, ...] = setting(
        (0, 0, 0, 1, 2), low=0, high=20, source="C.13", doc="Units in GC by phase."
    )
    mgc_units_max: tuple[int, ...] = setting(
        (0, 3, 5, 9, 9), low=0, high=50, source="C.13", doc="Units in MGC by phase."
    )
    # ----------------------------------------------------------------------- ceilings that move
    ceilings: str = setting(
        "table",
        choices=("table", "dynamic"),
        source="A.4",
        doc="Positions by strategy: the tables by phase, or a base times phase times VIX.",
    )
    dynamic_phase_factors: tuple[Decimal, ...] = setting(
        shares("1 1 1.5 2 2.5"), low=Decimal(0), high=Decimal(5), source="A.4", doc="Of the base, by phase."
    )
    dynamic_vix_bounds: tuple[float, ...] = setting(
        (15.0, 25.0, 35.0), low=5.0, high=150.0, source="A.4", doc="VIX bounds of the next table."
    )
    dynamic_vix_factors: tuple[Decimal, ...] = setting(
        shares("1.25 1 0.75 0.5"), low=Decimal(0), high=Decimal(5), source="A.4", doc="Of the base, by VIX."
    )


UNITS_MAX = {
    "ES": "es_units_max",
    "MES": "mes_units_max",
    "CL": "cl_units_max",
    "MCL": "mcl_units_max",
    "GC": "gc_units_max",
    "MGC": "mgc_units_max",
}
"""Product to the setting of its units by phase."""
COORDINATION_BY_PHASE = (*UNITS_MAX.values(), "dynamic_phase_factors")
