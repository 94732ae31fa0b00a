"""The estimates behind gold, oil and VIX options against published indices, in years not fitted to."""

import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tomking.adapters.history import load_gold, load_history
from tomking.app.markets import GOLD, GOLD_SPEC, OIL, OIL_SPEC, oil_bars
from tomking.domain.bars import Bars, History
from tomking.pricing.black import black
from tomking.pricing.clock import CALENDAR_YEAR
from tomking.sim.commodity import Commodity, CommodityModel
from tomking.sim.family import Spec
from tomking.sim.family_kernels import total_variance
from tomking.sim.surface import slow_averages
from tomking.sim.vix_options import FAR_DAYS, USUAL_VIX, VVIX_AT, VVIX_POWER, _relative

DAILY = Path(__file__).resolve().parents[2] / "../shared/data/daily"
MONTH = 30 / 365
Floats = NDArray[np.float64]

pytestmark = pytest.mark.skipif(
    not DAILY.is_dir(), reason="no ../shared/data: published indices are not shipped"
)


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


def closes(name: str) -> dict[np.datetime64, float]:
    with gzip.open(DAILY / f"{name}.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    return {np.datetime64(row["date"]): float(row["close"]) for row in rows if row["close"]}


def rms(values: list[float]) -> float:
    return math.sqrt(sum(v * v for v in values) / len(values))


def is_odd(day: np.datetime64) -> bool:
    return int(str(day)[:4]) % 2 == 1


def strip_over_money(spec: Spec, vol: float) -> float:
    """A volatility index is a whole strip: how far it lies above the smile's at-the-money volatility."""
    theta = vol * vol * MONTH
    k = np.linspace(-6, 6, 2001) * math.sqrt(theta)
    w = np.array([total_variance(x, theta, spec.eta, spec.rho) for x in k])
    otm = black(
        forward=1.0, strike=np.exp(k), years=1.0, vol=np.sqrt(w), discount=1.0, right=np.where(k < 0, -1, 1)
    )
    # dK / K**2 = dk / K.
    return math.sqrt(float(np.sum(2 * otm.price / np.exp(k)) * (k[1] - k[0])) / theta)


@pytest.mark.parametrize(
    ("index", "what", "spec", "usual", "within"),
    [("gvz_daily", GOLD, GOLD_SPEC, 0.16, 0.12), ("ovx_daily", OIL, OIL_SPEC, 0.33, 0.135)],
)
def test_a_commoditys_estimate_is_its_volatility_index_but_for_an_eighth(  # noqa: PLR0917
    history: History, index: str, what: Commodity, spec: Spec, usual: float, within: float
) -> None:
    bars: Bars = load_gold() if what is GOLD else oil_bars(history)
    model, published = CommodityModel(what, bars, np.zeros(len(bars)), 1), closes(index)
    over, off = strip_over_money(spec, usual), []
    for i in range(301, len(bars)):
        day = bars.day[i - 1].astype("datetime64[D]")  # the close before row i is what row i knows
        if day in published and is_odd(day):
            variance = model._terms(i, 1.0).variance(MONTH, MONTH * CALENDAR_YEAR)
            off.append(math.log(published[day] / 100 / (over * math.sqrt(variance / MONTH))))
    assert len(off) > 1000
    assert rms(off) < within
    assert abs(float(np.mean(off))) < 0.04


def test_vvix_follows_vix_better_than_it_stands_still(history: History) -> None:
    published, off, still = closes("vvix_daily"), [], []
    for day, vix in zip(history.vix.day.astype("datetime64[D]"), history.vix.close.tolist(), strict=True):
        if day in published and is_odd(day) and day >= np.datetime64("2011-01-01"):
            log = math.log(published[day] / 100)
            off.append(log - math.log(VVIX_AT * (vix / USUAL_VIX) ** VVIX_POWER))
            still.append(log)
    assert rms(off) < 0.13 < float(np.std(still))


def test_the_models_term_structure_explains_more_than_half_of_vix3m(history: History) -> None:
    """By its root mean square: 0.06 off, where VIX3M over VIX itself is 0.14 from 1."""
    published, off, flat = closes("vix3m_ohlc_daily"), [], []
    medium, long = slow_averages(history.vix.close)
    for i, day in enumerate(history.vix.day.astype("datetime64[D]")):
        if day in published:
            vix = float(history.vix.close[i])
            real = math.log(published[day] / vix)
            off.append(real - math.log(_relative(vix, (float(medium[i]), float(long[i])), FAR_DAYS)))
            flat.append(real)
    assert rms(off) < 0.075
    assert rms(off) < 0.55 * rms(flat)
