"""Closed trades and their running totals: what Kelly, floors and the report are computed from."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tomking.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class Trade:
    """One closed trade: a whole position, or one component that joined it later (ruling 5)."""

    id: str
    strategy: str
    kind: str
    """The entry that opened it ("condor", "LT112", "weekly")."""
    product: str
    legs: str
    units: int
    opened: datetime
    closed: datetime
    trigger: str
    """The rules that closed its components, in their order: "defend then noon profit"."""
    entry_net: Decimal
    """Points per unit, credit positive."""
    gross: Decimal
    """Dollars before fees."""
    fees: Decimal
    """Dollars, >= 0."""
    parts: tuple[tuple[str, Decimal], ...]
    """Net dollars by component role; they sum to ``net``."""
    slippage: Decimal = ZERO
    """Dollars given away against the mids over all its fills (already in ``gross``)."""

    @property
    def net(self) -> Decimal:
        return self.gross - self.fees


@dataclass(frozen=True, slots=True)
class Record:
    """Totals of one strategy's closed trades, net of fees."""

    trades: int = 0
    wins: int = 0
    won: Decimal = ZERO
    """Dollars, sum of the winners."""
    lost: Decimal = ZERO
    """Dollars, sum of the losers, >= 0."""

    def plus(self, net: Decimal) -> "Record":
        if net > 0:
            return replace(self, trades=self.trades + 1, wins=self.wins + 1, won=self.won + net)
        return replace(self, trades=self.trades + 1, lost=self.lost - net)

    @property
    def losses(self) -> int:
        return self.trades - self.wins
