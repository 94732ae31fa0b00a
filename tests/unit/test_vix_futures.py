"""VIX futures out of VIX9D, VIX and VIX3M."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing import vixfutures
from tomking.pricing.vixfutures import VIX_YEARS, VixCurve, fit_vix_curve

DAILY = Path(__file__).resolve().parents[2] / "../shared/data/daily"
needs_shared = pytest.mark.skipif(not DAILY.exists(), reason="the development data is not here")

index = st.floats(8, 90)


def test_a_level_curve_is_level_but_for_convexity() -> None:
    # Nothing to revert: variance stays 0.04, and the 30-day future is 20 exp(-0.9^2 x 30/365 / 2) = 19.345.
    curve = fit_vix_curve(vix9d=20, vix=20, vix3m=20, vvix=0.9)
    assert curve.spot == pytest.approx(0.04)
    assert curve.level == pytest.approx(0.04)
    assert curve.forward_variance(0.3) == pytest.approx(0.04)
    assert curve.future(VIX_YEARS) == pytest.approx(19.345, abs=1e-3)


def test_indices_of_a_known_curve_give_it_back() -> None:
    truth = VixCurve(spot=0.16, level=0.04, speed=6.0, vvix=1.2)
    nine, thirty, months = truth.index(np.array([9.0, 30.0, 93.0]))
    found = fit_vix_curve(vix9d=float(nine), vix=float(thirty), vix3m=float(months), vvix=1.2)
    assert found.index(np.array([9.0, 30.0, 93.0])) == pytest.approx([nine, thirty, months], rel=0.003)
    assert found.future(np.array([0.1, 0.2])) == pytest.approx(truth.future(np.array([0.1, 0.2])), rel=0.03)


@given(index, index, index, st.floats(0.5, 2.5))
def test_any_indices_give_vix_today_and_a_curve_of_positive_numbers(
    vix9d: float, vix: float, vix3m: float, vvix: float
) -> None:
    curve = fit_vix_curve(vix9d=vix9d, vix=vix, vix3m=vix3m, vvix=vvix)
    assert curve.index(30.0) == pytest.approx(vix)
    assert curve.future(0.0) == pytest.approx(vix)
    assert (curve.future(np.linspace(0, 1, 25)) > 0).all()
    assert min(curve.spot, curve.level) > 0
    assert curve.vol(VIX_YEARS) == pytest.approx(vvix)


@given(index, index, index, st.one_of(st.just(0.0), st.floats(0, 2)))
def test_one_date_is_asked_for_to_the_bit_as_in_a_column(
    vix9d: float, vix: float, vix3m: float, years: float
) -> None:
    curve = fit_vix_curve(vix9d=vix9d, vix=vix, vix3m=vix3m)
    assert curve.future_at(years) == float(curve.future(years))
    assert curve.vol_at(years) == float(curve.vol(years))


@given(index, index, index)
def test_no_speed_of_the_grid_misses_the_indices_by_less(vix9d: float, vix: float, vix3m: float) -> None:
    # The same worked out as columns: gap of each speed, kept where both variances stay above (5 %)^2.
    squares = (np.array([vix9d, vix, vix3m]) / 100) ** 2
    means = vixfutures._mean_fade(vixfutures._SPEEDS[:, None], vixfutures.DAYS / 365)
    lean, wanted = (means - means[:, 1:2]) / squares, squares[1] / squares - 1
    gap = -(lean @ wanted) / np.sum(lean**2, axis=1)
    room = max(squares[1] - 0.05**2, 0)
    gap = np.clip(gap, -room / (1 - means[:, 1]), room / means[:, 1])
    misfit = np.sum((gap[:, None] * lean + wanted) ** 2, axis=1) / 0.01**2 + vixfutures._PRIOR
    curve = fit_vix_curve(vix9d=vix9d, vix=vix, vix3m=vix3m)
    best = int(np.argmin(misfit))
    assert (curve.speed, curve.spot - curve.level) == pytest.approx((vixfutures._SPEEDS[best], gap[best]))


def test_the_future_lies_below_the_square_root_of_its_forward_variance() -> None:
    curve = fit_vix_curve(vix9d=14, vix=16, vix3m=18)
    years = np.array([0.05, 0.2, 0.5])
    assert (curve.future(years) < 100 * np.sqrt(curve.forward_variance(years))).all()


def test_options_are_black_on_the_future_with_parity() -> None:
    curve = fit_vix_curve(vix9d=11, vix=12.5, vix3m=14.5)
    years = 60 / 365
    call, put = (curve.option(years=years, strike=22.0, right=r, discount=0.99).price for r in (1, -1))
    assert call - put == pytest.approx(0.99 * (curve.future(years) - 22.0), rel=1e-9)
    assert call > 0


def test_an_index_that_is_not_positive_is_an_error() -> None:
    with pytest.raises(ValueError, match="positive"):
        fit_vix_curve(vix9d=12, vix=0, vix3m=15)


def closes(name: str) -> dict[str, float]:
    with gzip.open(DAILY / f"{name}.csv.gz", "rt") as lines:
        return {row["date"]: float(row["close"]) for row in csv.DictReader(lines) if row["close"]}


@needs_shared
def test_real_days_are_in_contango_when_calm_and_in_backwardation_in_march_2020() -> None:
    nine, vix, months, vvix = map(
        closes, ("vix9d_ohlc_daily", "vix_ohlc_daily", "vix3m_ohlc_daily", "vvix_daily")
    )
    days = sorted(nine.keys() & vix.keys() & months.keys() & vvix.keys())
    curves = {
        day: fit_vix_curve(vix9d=nine[day], vix=vix[day], vix3m=months[day], vvix=vvix[day] / 100)
        for day in days
    }
    calm = [curves[day].future(60 / 365) / vix[day] for day in days if vix[day] < 16]
    assert np.mean(np.array(calm) > 1) > 0.95
    # 2020-03-09 to 2020-03-31: every day's curve falls.
    for day in (day for day in days if "2020-03-09" <= day <= "2020-03-31"):
        now, one, two = curves[day].future(np.array([0.0, 30.0, 60.0]) / 365)
        assert now > one > two
    # The two indices VIX is fitted beside: off by a fortieth of their value on the mean day.
    off = [abs(curves[day].index(93.0) / months[day] - 1) for day in days]
    assert np.mean(off) < 0.025
