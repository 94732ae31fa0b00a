"""How much of each strategy may be held: the maxima by phase (A.4), the base of the risk ``Settings``."""

from dataclasses import dataclass
from decimal import Decimal

from tomking.domain.settings import setting
from tomking.risk.coordination import COORDINATION_BY_PHASE, Coordination, shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings(Coordination):
    """Tables by phase have five entries, P0 to P4."""

    zero_dte_es_units: tuple[Decimal, ...] = setting(
        shares("0 1 2 3 4"),
        low=Decimal(0),
        high=Decimal(12),
        source="A.4",
        doc="0DTE ceiling by phase in ES-equivalents (P0 counts lots).",
    )
    zero_dte_lots_phase_0: int = setting(
        2, low=1, high=10, source="A.4", doc="0DTE ceiling in phase 0: lots of MES or XSP."
    )
    zero_dte_es_units_large: Decimal = setting(
        Decimal(5),
        low=Decimal(0),
        high=Decimal(12),
        source="A.4",
        doc="0DTE ceiling in phase 4 of a large account.",
    )
    zero_dte_large_usd: Decimal = setting(
        Decimal(190000), low=Decimal(127000), source="A.4", doc="Net liq from which phase 4 has that ceiling."
    )
    lt112_es_units: tuple[Decimal, ...] = setting(
        shares("0 0 0.4 1 3"),
        low=Decimal(0),
        high=Decimal(8),
        source="A.4",
        doc="LT112 ceiling by phase in ES-equivalents (0.4 is 4 MES).",
    )
    calendarized_112_max: tuple[int, ...] = setting(
        (0, 0, 0, 1, 2), low=0, high=8, source="A.4", doc="Calendarized 1-1-2 positions by phase."
    )
    butterfly_9b_max: tuple[int, ...] = setting(
        (0, 0, 0, 2, 4), low=0, high=8, source="A.4", doc="Butterfly positions by phase."
    )
    futures_strangle_max: tuple[int, ...] = setting(
        (0, 1, 3, 4, 5), low=0, high=10, source="A.4", doc="Strangle positions by phase."
    )
    ipmcc_max: tuple[int, ...] = setting(
        (0, 1, 2, 3, 4), low=0, high=6, source="A.4", doc="IPMCC positions by phase."
    )
    leap_put_hedge_max: tuple[int, ...] = setting(
        (0, 1, 2, 3, 4), low=0, high=8, source="A.4", doc="Rungs of the long-put ladder by phase."
    )
    leap_put_income_max: tuple[int, ...] = setting(
        (0, 0, 2, 3, 10), low=0, high=10, source="A.4", doc="Rungs of the short-put ladder by phase."
    )
    ratio_spread_max: tuple[int, ...] = setting(
        (0, 0, 2, 4, 5), low=0, high=5, source="A.4", doc="Ratio spread positions by phase."
    )
    calendar_spread_max: tuple[int, ...] = setting(
        (0, 0, 0, 1, 2), low=0, high=8, source="A.4", doc="Calendar spread positions by phase."
    )
    diagonal_max: tuple[int, ...] = setting(
        (0, 0, 0, 2, 4), low=0, high=8, source="A.4", doc="Diagonal positions by phase."
    )
    box_financing_max: tuple[int, ...] = setting(
        (0, 0, 0, 1, 3), low=0, high=8, source="A.4", doc="Short boxes by phase."
    )
    vix_call_hedge_max: tuple[int, ...] = setting(
        (4, 4, 4, 4, 4),
        low=0,
        high=12,
        source="A.4, B.12",
        doc="VIX call positions by phase: one a month, held 45 to 75 days.",
    )
    vix_spike_puts_max: tuple[int, ...] = setting(
        (0, 0, 0, 3, 3), low=0, high=3, source="A.4, B.13", doc="Tranches after a VIX spike by phase."
    )
    # ------------------------------------------------------------------- capital in one position
    lt112_capital_share_max: Decimal = setting(
        Decimal("0.12"),
        low=Decimal("0.01"),
        high=Decimal("0.30"),
        source="C.2",
        doc="Margin of one ES LT112, of net liq.",
    )
    ipmcc_capital_share_max: Decimal = setting(
        Decimal("0.135"),
        low=Decimal("0.01"),
        high=Decimal("0.30"),
        source="C.2",
        doc="Debit of one IPMCC, of net liq: 4 % at its stop of 30 %.",
    )
    ipmcc_loss_shares: tuple[Decimal, ...] = setting(
        shares("0.02 0.04 0.04 0.03 0.03"),
        low=Decimal("0.001"),
        high=Decimal("0.05"),
        source="A.3",
        doc="Loss of an IPMCC at its stop by phase: the exception to the 2 %.",
    )


CEILINGS_BY_PHASE = (
    "zero_dte_es_units",
    "lt112_es_units",
    "calendarized_112_max",
    "butterfly_9b_max",
    "futures_strangle_max",
    "ipmcc_max",
    "leap_put_hedge_max",
    "leap_put_income_max",
    "ratio_spread_max",
    "calendar_spread_max",
    "diagonal_max",
    "box_financing_max",
    "vix_call_hedge_max",
    "vix_spike_puts_max",
    "ipmcc_loss_shares",
    *COORDINATION_BY_PHASE,
)
