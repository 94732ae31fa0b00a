"""How much of the half-spread a fill loses: methodology D.7, the one home of these numbers.

The simulated market fills by it; the gate and the strategies estimate costs by it; exits tell by it which
quotes are to be believed.
"""

from collections.abc import Sequence
from decimal import Decimal

from tomking.domain.chain import NetQuote, Quote
from tomking.domain.structure import Structure

SHARE_BY_VIX: tuple[tuple[float, Decimal], ...] = (
    (20.0, Decimal("0.25")),
    (30.0, Decimal("0.35")),
    (40.0, Decimal("0.60")),
    (float("inf"), Decimal("1.00")),
)
"""k, the share of a structure's half-spread sum that is lost, for a VIX below each bound."""
EDGE_SHARE = Decimal("0.15")
"""Added in the first and the last 15 minutes of a session."""
STOP_SHARE = Decimal("0.25")
"""Added for stop exits."""

WIDEST = 3
"""Nothing fills while the structure's spread is over three times a normal one."""
NORMAL_TICKS = Decimal("1.5")
NORMAL_SHARE = Decimal("0.05")
"""A normal half-spread of one leg: 5 % of its mid, at least 1.5 ticks (our reading of D.7)."""


def share_at(vix: float | None, *, stop: bool = False, edge: bool = False) -> Decimal:
    """k, 0.25 to 1.40.  An unknown VIX counts as above 40."""
    level = float("inf") if vix is None else vix
    share = next((k for bound, k in SHARE_BY_VIX if level < bound), SHARE_BY_VIX[-1][1])
    return share + (STOP_SHARE if stop else 0) + (EDGE_SHARE if edge else 0)


def widest_half_spread(structure: Structure, mids: Sequence[Decimal]) -> Decimal:
    """Points per unit: three times a normal one, at these mids of its legs."""
    normal = Decimal(0)
    for leg, mid in zip(structure.legs, mids, strict=True):
        normal += abs(leg.ratio) * max(NORMAL_TICKS * leg.contract.tick, NORMAL_SHARE * mid)
    return WIDEST * normal


def is_too_wide(structure: Structure, quotes: Sequence[Quote | None], quote: NetQuote) -> bool:
    """Whether the quoted spread is over three times a normal one: nobody trades into that."""
    mids = [one.mid for one in quotes if one is not None and one.mid is not None]
    assert len(mids) == len(structure.legs), "a net quote has all its legs"
    return quote.half_spread > widest_half_spread(structure, mids)
