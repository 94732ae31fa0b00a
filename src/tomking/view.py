"""What a strategy and a limit may see: the market as known now, and the own holdings.

Nothing later than ``now`` can be reached from here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tomking.domain.bars import Bars
from tomking.domain.book import Component, Position, Working
from tomking.domain.calendar import Session, Sessions
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract
from tomking.domain.eventcalendar import EventCalendar
from tomking.ports import MarketData

LENIENT = EventCalendar(strict=False)
"""Announcements as a backtest asks for them: where a table does not reach, nothing is blocked."""


@dataclass(frozen=True, slots=True)
class View:
    """The market at ``now``."""

    now: datetime
    session: Session
    sessions: Sessions
    market: MarketData
    events: EventCalendar = LENIENT
    """Announcements that forbid entries; strict in paper and live (ruling 6)."""

    @property
    def today(self) -> date:
        """The session date in New York."""
        return self.session.date

    @property
    def vix(self) -> float | None:
        """The last VIX, None when missing; its age is a matter of the gate."""
        seen = self.market.vix(self.now)
        return None if seen is None or math.isnan(seen[0]) else seen[0]

    def spot(self, family: str = "SPX") -> float | None:
        level = self.market.spot(family, self.now)
        return None if level is None or math.isnan(level) else level

    def expiries(self, product: str) -> tuple[date, ...]:
        return self.market.expiries(product, self.now)

    def chain(self, product: str, expiry: date) -> Chain | None:
        return self.market.chain(product, expiry, self.now)

    def forward(self, product: str, expiry: date) -> float | None:
        return self.market.forward(product, expiry, self.now)

    def bars(self, family: str = "SPX") -> Bars:
        return self.market.bars(family, self.now)

    def quotes(self, contracts: Sequence[Contract]) -> list[Quote | None]:
        return self.market.quotes(contracts, self.now)


@dataclass(frozen=True, slots=True)
class Own:
    """A strategy's own holdings and the few facts about the account it may depend on."""

    strategy: str
    phase: int
    """0 to 4 (methodology A)."""
    net_liq: Decimal
    drawdown_level: str
    """GREEN, YELLOW, ORANGE, RED, TERMINAL (methodology C.4)."""
    positions: tuple[Position, ...]
    orders: tuple[Working, ...]
    """Its orders that have not ended."""
    notes: Mapping[str, str]
    """What its ``Mark`` intents wrote, without the strategy's prefix."""
    entered: tuple[str, ...]
    """Its entries that were filled in this session."""
    values: Mapping[tuple[str, str], Decimal]
    """(position, role) -> points per unit received if the component were closed at the mids now
    (negative: a debit).  Missing where a mid is missing."""

    barred: str = ""
    """Why it may open nothing at all now, whatever it wishes; empty: it may."""

    def closing_net(self, position: Position, component: Component) -> Decimal | None:
        """Points per unit for closing at mids: -2.50 means buying back costs 2.50."""
        return self.values.get((position.id, component.role))

    def profit(self, position: Position, components: Sequence[Component]) -> Decimal | None:
        """Points per unit gained so far by these components at mids, without costs."""
        total = Decimal(0)
        for one in components:
            net = self.closing_net(position, one)
            if net is None:
                return None
            total += one.entry_net + net
        return total
