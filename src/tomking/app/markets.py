"""The model market as a backtest plugs it together: SPX from the packaged history, other families beside it.

The numbers of the other families are by judgement where no price of theirs is at hand; docs/families.md says
which and why.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from tomking.adapters.history import history_series, load_gold
from tomking.domain.bars import Bars, History
from tomking.domain.calendar import Sessions
from tomking.sim.board import Timetable
from tomking.sim.commodity import Commodity, CommodityModel
from tomking.sim.families import Families
from tomking.sim.family import FamilyMarket, Spec, Spread
from tomking.sim.market import ModelMarket
from tomking.sim.paths import DayPath
from tomking.sim.vix_options import VixModel

GOLD = Commodity(stream=1, prior_vol=0.16, implied_over=1.06, carries_rate=True)
OIL = Commodity(stream=2, prior_vol=0.34, implied_over=0.95, carries_rate=False)

VIX_SPEC = Spec(
    eta=0.55,
    rho=0.65,
    spreads={"VIX": Spread(0.015, 0.015)},
    last=date.max,
    note=(
        "VIX options (estimate): no VIX future or option price was at hand; futures come from VIX and the "
        "model's own term structure, their volatility follows VIX, the call skew is by judgement, and they "
        "settle at VIX's open instead of the SOQ.  Results of the VIX-call hedge are an illustration."
    ),
)
GOLD_SPEC = Spec(
    eta=0.50,
    rho=0.0,
    spreads={"GC": Spread(0.05, 0.07), "MGC": Spread(0.15, 0.15)},
    last=date.max,
    note=(
        "Gold options (estimate): the front-month future's daily prices from 2000-08-30 are real; "
        "volatility is estimated from the price alone (11 % r.m.s. off GVZ), smile and spreads are by "
        "judgement, later months stand above by interest, all settle at 16:00."
    ),
)
OIL_SPEC = Spec(
    eta=0.55,
    rho=-0.25,
    spreads={"CL": Spread(0.003, 0.014), "MCL": Spread(0.01, 0.03)},
    last=date.max,
    note=(
        "Oil options (estimate): WTI's daily spot prices to 2019-01-03 are real, without highs and lows, and "
        "stand for every month's future (a flat curve); nothing expires later and nothing trades after.  "
        "Volatility is estimated from the price alone (13 % r.m.s. off OVX), smile and spreads are by "
        "judgement."
    ),
)


def model_market(
    history: History,
    sessions: Sessions,
    seed: int,
    *,
    told: Mapping[date, DayPath] | None = None,
    gold_bars: Bars | None = None,
    oil: Bars | None = None,
    real_sizes: bool = False,
) -> Families:
    """The market of every family there is data for; what is not asked for costs nothing.

    told, gold_bars, oil: the index's and VIX's minutes on some days, and the daily bars, where a scenario
    tells them instead of the packaged history.  real_sizes: contracts as listed, not scaled to the index.
    """
    index = ModelMarket(history, sessions, seed, told, real_sizes=real_sizes)

    def vix() -> FamilyMarket:
        return FamilyMarket(VIX_SPEC, VixModel(index, history.vix), Timetable.of(sessions), _rates(history))

    def gold() -> FamilyMarket:
        return _commodity(GOLD_SPEC, GOLD, gold_bars or load_gold(), history, sessions, seed)

    def crude() -> FamilyMarket:
        return _commodity(OIL_SPEC, OIL, oil or oil_bars(history), history, sessions, seed)

    return Families(index, {"VIX": vix, "GC": gold, "CL": crude})


def oil_bars(history: History) -> Bars:
    """WTI's daily price on each session to its last published day; where there is none, the day's before."""
    series = history_series("wti")
    days = history.spx.day
    days = days[(days >= series.day[0]) & (days <= series.day[-1])]
    price = series.on(days)
    return Bars(days, price, price, price, price)


def _commodity(  # noqa: PLR0917 - the world they come from
    spec: Spec, what: Commodity, bars: Bars, history: History, sessions: Sessions, seed: int
) -> FamilyMarket:
    rates = _rates(history)
    model = CommodityModel(what, bars, _known_before(rates, bars.day), seed)
    ends = bars.day[-1] < history.spx.day[-1]
    last = date.fromisoformat(str(bars.day[-1])) if ends else spec.last
    return FamilyMarket(replace(spec, last=last), model, Timetable.of(sessions), rates)


def _rates(history: History) -> Bars:
    rate = history.rate
    return Bars(history.spx.day, rate, rate, rate, rate)


def _known_before(rates: Bars, days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """The rate of the day before: a day's yield is published at its end."""
    rows = np.searchsorted(rates.day, days) - 1
    return np.asarray(rates.close[np.maximum(rows, 0)], np.float64)
