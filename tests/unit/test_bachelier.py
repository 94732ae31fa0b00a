"""Bachelier: oil's day below zero, the textbook integral, slopes, limits, and there and back."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.bachelier import Bachelier, bachelier, bachelier_implied
from tomking.pricing.implied import Code

FORWARDS = st.floats(-100, 100)
DEVIATIONS = st.floats(-6, 6)
YEARS = st.floats(1e-5, 3)
VOLS = st.floats(0.05, 200)
RIGHTS = st.sampled_from([1.0, -1.0])


def oil(**changes: float) -> Bachelier:
    """WTI on 2020-04-20, at -37.63: the put struck at -40, a day to go, 300 points a root year."""
    given_numbers: dict[str, float] = {
        "forward": -37.63,
        "strike": -40.0,
        "years": 1 / 365,
        "vol": 300.0,
        "discount": 0.999,
        "right": -1.0,
    }
    return bachelier(**(given_numbers | changes))


def test_oil_below_zero_has_a_price() -> None:
    # v = 300/sqrt(365) = 15.70265; h = 2.37/v = 0.150930; density 0.394424, N(-h) 0.440016:
    # v density(h) - 2.37 N(-h) = 6.193511 - 1.042838 = 5.150673, discounted 5.145522.
    assert float(oil().price) == pytest.approx(5.1455, abs=5e-4)
    assert float(oil().delta) == pytest.approx(-0.999 * 0.440016, abs=1e-5)


def test_it_equals_quantlib() -> None:
    ql: Any = pytest.importorskip("QuantLib")
    rng = np.random.default_rng(3)
    for _ in range(200):
        f, v, right = float(rng.uniform(-50, 50)), float(rng.uniform(0.5, 40)), int(rng.choice([1, -1]))
        k = f + float(rng.uniform(-4, 4)) * v
        kind = ql.Option.Call if right == 1 else ql.Option.Put
        theirs = ql.bachelierBlackFormula(kind, k, f, v, 0.97)
        ours = bachelier(forward=f, strike=k, years=1, vol=v, discount=0.97, right=right)
        assert float(ours.price) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("right", [1.0, -1.0])
@pytest.mark.parametrize("strike", [-60.0, -37.63, -30.0, 0.0])
def test_greeks_are_the_slopes_of_the_price(strike: float, right: float) -> None:
    b = oil(strike=strike, right=right)

    def slope(name: str, at: float, width: float) -> float:
        up = oil(strike=strike, right=right, **{name: at + width})
        down = oil(strike=strike, right=right, **{name: at - width})
        return float(up.price - down.price) / (2 * width)

    assert float(b.delta) == pytest.approx(slope("forward", -37.63, 1e-3), rel=1e-4)
    assert float(b.vega) == pytest.approx(slope("vol", 300, 1e-2), rel=1e-4)
    up, down = (oil(strike=strike, right=right, forward=-37.63 + h).delta for h in (1e-3, -1e-3))
    assert float(b.gamma) == pytest.approx(float(up - down) / 2e-3, rel=1e-4)
    years, rate, h = 1 / 365, -math.log(0.999) * 365, 1e-7

    def aged(y: float, r: float) -> float:
        return float(oil(strike=strike, right=right, years=y, discount=math.exp(-r * y)).price)

    assert float(b.theta) == pytest.approx(
        (aged(years - h, rate) - aged(years + h, rate)) / (2 * h), rel=1e-4
    )
    assert float(b.rho) == pytest.approx(
        (aged(years, rate + 1e-4) - aged(years, rate - 1e-4)) / 2e-4, rel=1e-4
    )


@given(FORWARDS, DEVIATIONS, YEARS, VOLS)
def test_call_less_put_is_the_discounted_forward_less_strike(
    forward: float, deviations: float, years: float, vol: float
) -> None:
    strike = forward + deviations * vol * math.sqrt(years)
    b = bachelier(forward=forward, strike=strike, years=years, vol=vol, discount=0.9, right=[1, -1])
    assert float(b.price[0] - b.price[1]) == pytest.approx(0.9 * (forward - strike), abs=1e-11)
    assert float(b.delta[0] - b.delta[1]) == pytest.approx(0.9, abs=1e-12)
    assert (b.price >= 0).all()


@given(FORWARDS, DEVIATIONS, YEARS, VOLS, RIGHTS)
def test_a_price_gives_back_the_volatility_it_was_made_with(
    forward: float, deviations: float, years: float, vol: float, right: float
) -> None:
    strike = forward + deviations * vol * math.sqrt(years)
    b = bachelier(forward=forward, strike=strike, years=years, vol=vol, discount=0.9, right=right)
    iv = bachelier_implied(
        price=b.price, forward=forward, strike=strike, years=years, discount=0.9, right=right
    )
    if int(iv.code) == Code.OK:
        assert float(iv.vol) == pytest.approx(vol, rel=1e-9)
    else:  # only where intrinsic drowns the time value
        assert right * (forward - strike) > 0
        assert int(iv.code) == Code.NO_TIME_VALUE


def test_thirty_deviations_out_it_still_comes_back() -> None:
    v = np.array([1e-3, 0.5, 80.0])
    price = bachelier(forward=0, strike=30 * v, years=1, vol=v, discount=1, right=1).price
    iv = bachelier_implied(price=price, forward=0, strike=30 * v, years=1, discount=1, right=1)
    assert iv.vol == pytest.approx(v, rel=1e-11)


@pytest.mark.parametrize(
    ("price", "strike", "right", "code"),
    [
        (4.9, -5.0, 1.0, Code.BELOW_INTRINSIC),
        (5.0, -5.0, 1.0, Code.NO_TIME_VALUE),
        (0.0, 5.0, 1.0, Code.NO_TIME_VALUE),
        (-0.01, 5.0, 1.0, Code.BELOW_INTRINSIC),
        (math.nan, 5.0, 1.0, Code.BAD_INPUT),
        (math.inf, 5.0, 1.0, Code.BAD_INPUT),
        (1.0, 5.0, 0.0, Code.BAD_INPUT),
        (1.0, math.nan, 1.0, Code.BAD_INPUT),
        (1e6, 5.0, 1.0, Code.OK),
    ],
)
def test_where_there_is_no_volatility_a_code_says_why(
    price: float, strike: float, right: float, code: Code
) -> None:
    iv = bachelier_implied(price=price, forward=0, strike=strike, years=0.5, discount=1, right=right)
    assert int(iv.code) == code
    assert math.isnan(float(iv.vol)) == (code != Code.OK)


@pytest.mark.parametrize(("years", "vol"), [(0.0, 5.0), (0.5, 0.0)])
def test_without_time_or_volatility_only_intrinsic_is_left(years: float, vol: float) -> None:
    b = bachelier(forward=-1, strike=[-3, -1, 1], years=years, vol=vol, discount=0.9, right=[[1], [-1]])
    assert b.price == pytest.approx(np.array([[1.8, 0, 0], [0, 0, 1.8]]))
    assert b.delta == pytest.approx(np.array([[0.9, 0.45, 0], [0, -0.45, -0.9]]))
    assert (b.gamma == 0).all()


@pytest.mark.parametrize("changes", [{"vol": -1.0}, {"years": -1.0}, {"right": 2.0}, {"forward": math.nan}])
def test_what_is_no_option_is_nan_and_never_a_number(changes: dict[str, float]) -> None:
    assert np.isnan(oil(**changes)).all()
