"""The numbers of the Friday butterfly, each at home here alone."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from tomking.domain.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Point amounts are stated at an index of 5,500 (ruling 1)."""

    entry_start: time = setting(time(10, 35), source="B.7", doc="Fridays from here.")
    entry_end: time = setting(time(10, 50), source="B.7", doc="To here.")
    print_until: time = setting(
        time(9, 40), source="B.1", doc="The opening print is taken from 09:30 up to here."
    )
    move_at: time = setting(time(10, 30), source="B.1", doc="The move is that from 09:30 to here.")
    vix_max: float = setting(25.0, low=5.0, high=150.0, source="B.0.1", doc="No entry above it.")
    move_share_min: float = setting(0.005, low=0.0, high=0.1, source="B.7", doc="No trade up to this move.")
    large_move_share: float = setting(
        0.01, low=0.0, high=0.2, source="B.7", doc="Beyond this move the centre is near the index."
    )
    centre_points: Decimal = setting(
        Decimal(10), low=Decimal(0), high=Decimal(100), source="B.7", doc="How far from it, then."
    )
    mid_zone: str = setting(
        "expected_move",
        choices=("expected_move", "atm"),
        source="B.7",
        doc="The centre after a smaller move: the expected move away, or at the money.",
    )
    width_points: Decimal = setting(
        Decimal(10), low=Decimal(5), high=Decimal(100), source="B.7", doc="From centre to wing."
    )
    debit_share_max: Decimal = setting(
        Decimal("0.15"), low=Decimal("0.01"), high=Decimal(1), source="B.7", doc="Of the width, a fly."
    )
    flies_max: int = setting(5, low=1, high=20, source="B.7", doc="Flies on one Friday.")
    budget_share: Decimal = setting(
        Decimal("0.003"),
        low=Decimal(0),
        high=Decimal("0.05"),
        source="B.7",
        doc="Of net liq for all of a Friday at a VIX of ``budget_vix``, growing with it.",
    )
    budget_vix: Decimal = setting(
        Decimal(15), low=Decimal(5), high=Decimal(50), source="B.7", doc="The VIX of that share."
    )
    budget_usd: Decimal = setting(
        Decimal(400), low=Decimal(0), high=Decimal(10_000), source="B.7", doc="And never more than this."
    )
