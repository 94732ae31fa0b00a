"""What the model market says where scripts/fidelity.py has a real figure to hold it against."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scripts.fidelity_quotes import SESSION_ON, Instant, Smile, VixRecord, close_of, elapsed, rows

from tomking.adapters.history import load_history
from tomking.pricing.black import black
from tomking.pricing.clock import MINUTES_A_YEAR
from tomking.pricing.ssvi import total_variance
from tomking.sim.paths import DayPath, Paths
from tomking.sim.spreads import half_spread, stress_factor
from tomking.sim.surface import (
    YEAR_MINUTES,
    eta_of,
    multiples,
    phi_of,
    rho_of,
    solve_level,
    strip_table,
    strip_variance,
    variance_time,
)

Floats = NDArray[np.float64]
TABLE = strip_table()
SEED = 1


@dataclass(frozen=True, slots=True)
class Surface:
    """The model's surface at one instant."""

    minute: int
    level: float
    medium: float
    long: float
    eta: float

    def theta(self, settled: int) -> float:
        years = max(elapsed(settled) - elapsed(self.minute), 1.0) / MINUTES_A_YEAR
        return self.level * variance_time(years, self.medium, self.long)

    def index(self, days: int, expiries: list[int]) -> float:
        """The published formula's index for ``days`` on these expiries, volatility points."""
        near, after = around(self.minute, days, expiries)
        n1, n2, target = near - self.minute, after - self.minute, days * 1440
        share = (n2 - target) / (n2 - n1)
        first, second = (strip_variance(self.theta(e), self.eta, TABLE) for e in (near, after))
        return 100 * math.sqrt((share * first + (1 - share) * second) * YEAR_MINUTES / target)


@cache
def surface(at: Instant) -> Surface:
    medium, long = multiples(at.vix, *at.averages)
    near, after = around(at.minute, 30, fridays(at.minute, 9))
    first, second = (
        variance_time((elapsed(e) - elapsed(at.minute)) / MINUTES_A_YEAR, medium, long) for e in (near, after)
    )
    level = solve_level(at.vix, first, second, float(near - at.minute), float(after - at.minute), TABLE)
    return Surface(at.minute, level, medium, long, eta_of(at.vix))


def fridays(minute: int, weeks: int, *, third: bool = False) -> list[int]:
    """Settlement minutes of the coming Fridays (or only the third of each month)."""
    today = datetime.fromtimestamp(minute * 60, UTC).date()
    first = today + timedelta(days=(4 - today.weekday()) % 7)
    days = [first + timedelta(days=7 * n) for n in range(weeks)]
    return [close_of(day) for day in days if not third or 15 <= day.day <= 21]


def around(minute: int, days: int, expiries: list[int]) -> tuple[int, int]:
    """The last expiry within ``days`` and the first after; expiries of less than a day do not count."""
    near = max(e for e in expiries if 1440 < e - minute <= days * 1440)
    return near, min(e for e in expiries if e - minute > days * 1440)


def vols(smile: Smile, strike: Floats | None = None) -> Floats:
    """The model's volatilities at the smile's own (or these) strikes, given that instant's VIX."""
    at = surface(smile.at)
    theta = at.theta(smile.settled)
    phi, rho = phi_of(theta, at.eta), rho_of(theta)
    k = np.log((smile.strike if strike is None else strike) / smile.forward)
    return np.array([math.sqrt(total_variance(x, theta, phi, rho) / smile.years) for x in k.tolist()])


def prices(smile: Smile) -> Floats:
    found = black(
        forward=smile.forward,
        strike=smile.strike,
        vol=vols(smile),
        years=smile.years,
        discount=smile.discount,
        right=smile.right,
    )
    return np.asarray(found.price, np.float64)


def quoted_half(price: float, days: float, vix: float, width: float = 1.0) -> float:
    """Half the model's quoted spread in points at 5,500, the mean loss to rounding outward included."""
    return half_spread(price, 0.0, stress_factor(vix, days, width)) + (0.025 if price < 3 else 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """Real and modelled 9- and 93-day indices by day; NaN where not published."""

    year: NDArray[np.int64]
    vix: Floats
    real: dict[int, Floats]
    model: dict[int, Floats]


def term_structure(record: VixRecord) -> Term:
    """At every close from 2009-09-18 on that has a VIX3M or VIX9D."""
    real9, real93 = (
        {row["date"]: float(row["close"]) for row in rows(f"daily/{name}_ohlc_daily.csv.gz")}
        for name in ("vix9d", "vix3m")
    )
    kept = []
    for i, day in enumerate(record.day):
        if (day in real9 or day in real93) and date.fromisoformat(day) in SESSION_ON:
            at = record.at(day, close_of(day))
            model = surface(at)
            kept.append(
                (
                    float(day[:4]),
                    record.close[i],
                    real9.get(day, math.nan),
                    real93.get(day, math.nan),
                    model.index(9, fridays(at.minute, 4)),
                    model.index(93, fridays(at.minute, 26, third=True)),
                )
            )
    year, vix, nine, three, model9, model3 = np.array(kept).T
    return Term(year.astype(np.int64), vix, {9: nine, 93: three}, {9: model9, 93: model3})


class Drawn:
    """The model's minute paths of the packaged history."""

    def __init__(self) -> None:
        history = load_history()
        self.day = [str(d) for d in history.spx.day]
        self.row = {day: i for i, day in enumerate(self.day)}
        self.close = history.spx.close
        self._paths = Paths(history, np.full(len(self.day), 390, np.int64), SEED)

    def path(self, day: str) -> DayPath:
        return self._paths.day(self.row[day])
