"""Small worlds for tests of the loop: a market that says what it is told, in 2031."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tomking.domain.bars import Bars
from tomking.domain.calendar import Session, Sessions, new_york, wall_instant
from tomking.domain.chain import Chain, Quote
from tomking.domain.contract import Contract, Future
from tomking.domain.money import on_grid_above, on_grid_below

FRIDAY = date(2031, 3, 7)

Mid = Callable[[Contract, datetime], float | None]


def session_on(day: date) -> Session:
    return Session(day, wall_instant(day, time(9, 30)), wall_instant(day, time(16)))


def weekdays(first: date, count: int) -> Sessions:
    """``count`` sessions from ``first``, without holidays."""
    days = [first + timedelta(days=n) for n in range(2 * count)]
    return Sessions(tuple(session_on(d) for d in days if d.weekday() < 5)[:count])


def at(wall: str, day: date = FRIDAY) -> datetime:
    """``at("10:30")`` on the quiet Friday, as an aware UTC instant."""
    return wall_instant(day, time.fromisoformat(wall))


@dataclass
class ScriptedMarket:
    """The ``MarketData`` port with mids from a function and a spread of two ticks around them."""

    mid: Mid
    settles: dict[date, float] = field(default_factory=dict)
    level: float = 5750.0
    vix_level: float | None = 24.0
    half_spread_ticks: int = 1
    grid_minutes: int = 1
    notes: tuple[str, ...] = ("scripted",)

    def spot(self, family: str, now: datetime) -> float | None:
        return self.level

    def vix(self, now: datetime) -> tuple[float, datetime] | None:
        return None if self.vix_level is None else (self.vix_level, now)

    def expiries(self, product: str, now: datetime) -> tuple[date, ...]:
        return (new_york(now).date(),)

    def chain(self, product: str, expiry: date, now: datetime) -> Chain | None:
        return None

    def forward(self, product: str, expiry: date, now: datetime) -> float | None:
        return self.level

    def quotes(self, contracts: Sequence[Contract], now: datetime) -> list[Quote | None]:
        return [self._quote(contract, now) for contract in contracts]

    def marks(self, contracts: Sequence[Contract], now: datetime) -> NDArray[np.float64]:
        mids = [None if q is None else q.mid for q in self.quotes(contracts, now)]
        return np.array([np.nan if m is None else float(m) for m in mids])

    def bars(self, family: str, now: datetime) -> Bars:
        none = np.empty(0)
        return Bars(np.empty(0, dtype="datetime64[D]"), none, none, none, none)

    def settlement(self, contract: Contract, now: datetime) -> float | None:
        day = new_york(now).date()
        if day < contract.expiry or now < wall_instant(contract.expiry, time(16)):
            return None
        return self.settles.get(contract.expiry)

    def _quote(self, contract: Contract, now: datetime) -> Quote | None:
        mid = self.mid(contract, now)
        if mid is None:
            return None
        exact, tick = Decimal(str(mid)), contract.tick
        side = 0 if isinstance(contract, Future) else self.half_spread_ticks * tick
        bid = max(Decimal(0), on_grid_below(exact - side, tick))
        return Quote(bid, on_grid_above(exact + side, tick), now)


@dataclass
class Heard:
    """The ``Notifier`` port: remembers what it was told."""

    said: list[tuple[str, str]] = field(default_factory=list)

    def notify(self, level: str, text: str, now: datetime) -> None:
        self.said.append((level, text))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
