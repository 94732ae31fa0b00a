"""Alerts at 80, 90 and 100 % of the limits on Greeks, which a value at the edge does not repeat (F.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import inf, isnan

from tomking.risk.limits_greeks import delta_shares_allowed
from tomking.risk.livegreeks import Snapshot
from tomking.risk.settings import Settings

STEPS = (1.0, 0.9, 0.8)
"""Shares of a limit that are told, the highest first."""
HYSTERESIS = 0.05
"""A step is left only so far below it."""


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit is used."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def share(self) -> float:
        """1.0 is the limit; NaN where a leg was never priced."""
        if isnan(self.value):
            return self.value
        return self.value / self.limit if self.limit else inf if self.value else 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """A limit has come to another step."""

    at: datetime
    use: Use
    step: float
    """0.8, 0.9 or 1.0; 0 where it is over."""
    was: float

    def __str__(self) -> str:
        use = self.use
        words = f"{use.name} {use.value:,.1f} {use.unit}, {use.share:.0%} of the limit {use.limit:,.1f}"
        return words if self.step > self.was else f"{words}: below {self.was:.0%} again"


def uses(snapshot: Snapshot, settings: Settings, phase: int, net_liq: Decimal, today: date) -> list[Use]:
    """What the limits on Greeks are about (A.3, C.6), of what is held."""
    delta, _ = delta_shares_allowed(settings, phase, net_liq, today)
    held = snapshot.portfolio
    short_vega = held.vega if isnan(held.vega) else max(0.0, -held.vega)
    return [
        Use("equity delta", abs(held.delta), delta, "SPY shares"),
        Use(
            "overnight gamma",
            abs(snapshot.overnight_gamma),
            float(settings.gamma_shares_max[phase]),
            "SPY shares a dollar",
        ),
        Use("short vega", short_vega, float(settings.short_vega_usd_max[phase]), "dollars a point"),
    ]


@dataclass(slots=True)
class Alarms:
    """At which step each limit is."""

    _steps: dict[str, float] = field(default_factory=dict[str, float])

    def look(self, at: datetime, used: list[Use]) -> list[Alert]:
        """What has changed; a value nobody knows changes nothing."""
        found = []
        for use in used:
            if isnan(use.share):
                continue
            was = self._steps.get(use.name, 0.0)
            step = next((one for one in STEPS if use.share >= one - (HYSTERESIS if one <= was else 0.0)), 0.0)
            if step != was:
                self._steps[use.name] = step
                found.append(Alert(at, use, step, was))
        return found

    @property
    def steps(self) -> Mapping[str, float]:
        """Of the limits that are at one."""
        return {name: step for name, step in self._steps.items() if step}
