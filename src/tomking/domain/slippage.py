"""How much of the half-spread a fill loses: methodology D.7, the one home of these numbers.

The simulated market fills by it; the gate and the strategies estimate costs by it.
"""

from decimal import Decimal

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


def share_at(vix: float | None, *, stop: bool = False, edge: bool = False) -> Decimal:
    """k, 0.25 to 1.40.  An unknown VIX counts as above 40."""
    level = float("inf") if vix is None else vix
    share = next((k for bound, k in SHARE_BY_VIX if level < bound), SHARE_BY_VIX[-1][1])
    return share + (STOP_SHARE if stop else 0) + (EDGE_SHARE if edge else 0)
