"""The Greeks of what is held, looked at as the market moves; 80, 90 and 100 % of a limit are told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tomking.domain.book import Book
from tomking.domain.calendar import new_york
from tomking.domain.products import PRODUCTS
from tomking.risk.greekalerts import Alarms, Alert, Use, uses
from tomking.risk.livegreeks import LiveGreeks, Snapshot, Throttle
from tomking.risk.settings import Settings
from tomking.view import View


@dataclass(slots=True)
class Gauges:
    """Remembers the last look and the step each limit is at."""

    settings: Settings
    snapshot: Snapshot | None = None
    """None: nothing is held, or nothing was looked at yet."""
    used: list[Use] = field(default_factory=list[Use])
    """Of the last look, by limit."""
    _greeks: LiveGreeks = field(init=False)
    _throttle: Throttle = field(default_factory=Throttle)
    _alarms: Alarms = field(default_factory=Alarms)

    def __post_init__(self) -> None:
        self._greeks = LiveGreeks(self.settings)

    def look(
        self,
        book: Book,
        view: View,
        *,
        elapsed: float,
        frames: int,
        seen: datetime | None,
        phase: int,
        net_liq: Callable[[], Decimal],
    ) -> list[Alert]:
        """Looks if a look is due; what has come to another step since the last one.

        elapsed, frames  of a clock that only runs, and of the quote stream (``Throttle``)
        seen             when the market was last heard of
        """
        held = {*book.held(), *book.foreign}
        if not held:
            self.snapshot, self.used = None, []
            return self._alarms.look(view.now, [])
        families = {PRODUCTS[contract.product].family for contract in held}
        levels = {f: level for f in sorted(families) if (level := view.market.spot(f, view.now)) is not None}
        today = new_york(view.now).date()
        expires = any(getattr(contract, "expiry", None) == today for contract in held)
        if not self._throttle.due(elapsed, frames, levels, expires_today=expires):
            return []
        self.snapshot = self._greeks.look(book, view, seen)
        self.used = uses(self.snapshot, self.settings, phase, net_liq(), today)
        return self._alarms.look(view.now, self.used)
