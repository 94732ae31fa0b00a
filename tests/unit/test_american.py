"""American exercise: a lattice, QuantLib's finite differences, and what must hold for any option."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tomking.pricing.american import American, american
from tomking.pricing.black import black

Floats = NDArray[np.float64]

SPOTS = st.floats(40, 250)
YEARS = st.floats(1 / 365, 3)
VOLS = st.floats(0.08, 0.9)
RATES = st.floats(0.002, 0.1)
YIELDS = st.floats(0, 0.1)
RIGHTS = st.sampled_from([1.0, -1.0])


def allowed(price: Floats | float) -> Floats | float:
    """0.2 % of the price or half a tick of a cent on 100, whichever is more."""
    return np.maximum(0.002 * np.asarray(price), 0.005)


def lattice(*, spot: float, years: float, vol: float, rate: float, yield_: float, right: float) -> float:
    """The mean of two neighbouring Cox-Ross-Rubinstein trees.

    Their last step is Black-Scholes (Broadie and Detemple 1996), which takes the saw-tooth out.
    """
    return 0.5 * sum(_tree(n, spot, years, vol, rate, yield_, right) for n in (1_000, 1_001))


def _tree(  # noqa: PLR0917
    n: int, spot: float, years: float, vol: float, rate: float, yield_: float, right: float
) -> float:
    dt = years / n
    up = math.exp(vol * math.sqrt(dt))
    p = (math.exp((rate - yield_) * dt) - 1 / up) / (up - 1 / up)
    df = math.exp(-rate * dt)
    at = spot * up ** (2.0 * np.arange(n) - (n - 1))
    forward = at * math.exp((rate - yield_) * dt)
    held = black(forward=forward, strike=100, years=dt, vol=vol, discount=df, right=right).price
    value = np.maximum(held, right * (at - 100))
    for step in range(n - 2, -1, -1):
        at = spot * up ** (2.0 * np.arange(step + 1) - step)
        value = np.maximum(df * (p * value[1:] + (1 - p) * value[:-1]), right * (at - 100))
    return float(value[0])


def test_the_put_of_longstaff_and_schwartz() -> None:
    # "Valuing American options by simulation" (2001): S 36, K 40, 6 %, 20 %, 1 year.  Their 4.478 may be
    # exercised 50 times; at any time it is 4.4867 (a tree of 4,000 steps).  European: 3.844.
    put = american(spot=36, strike=40, years=1, vol=0.2, rate=0.06, yield_=0, right=-1)
    assert float(put.price) == pytest.approx(4.4867, abs=0.0005)


@pytest.mark.parametrize("right", [1.0, -1.0])
@pytest.mark.parametrize(
    ("spot", "years", "vol", "rate", "yield_"),
    [
        (100, 0.5, 0.2, 0.05, 0.05),  # on a future
        (85, 1.0, 0.35, 0.04, 0.0),  # a share without a dividend
        (110, 0.1, 0.15, 0.05, 0.08),
        (100, 3 / 365, 0.12, 0.05, 0.013),
        (130, 2.5, 0.6, 0.09, 0.02),
        (70, 3.0, 0.1, 0.02, 0.09),
    ],
)
def test_a_price_is_a_fine_lattices_within_02_percent_or_half_a_tick(  # noqa: PLR0917
    spot: float, years: float, vol: float, rate: float, yield_: float, right: float
) -> None:
    facts = {"spot": spot, "years": years, "vol": vol, "rate": rate, "yield_": yield_, "right": right}
    fine = lattice(**facts)
    assert abs(float(american(strike=100, **facts).price) - fine) < allowed(fine)


def test_a_price_is_quantlibs_within_02_percent_or_half_a_tick() -> None:
    ql: Any = pytest.importorskip("QuantLib")
    today = ql.Date(2, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Actual365Fixed()
    rng = np.random.default_rng(17)
    for case in range(150):
        days, vol = int(math.exp(rng.uniform(0, 7))), float(rng.uniform(0.08, 0.9))
        rate = float(rng.uniform(0.002, 0.1))
        yield_ = (rate, 0.0, float(rng.uniform(0, 0.1)))[case % 3]
        spot = 100 * math.exp(float(rng.normal()) * 1.2 * vol * math.sqrt(days / 365))
        right = int(rng.choice([1, -1]))
        curves = [ql.YieldTermStructureHandle(ql.FlatForward(today, y, counter)) for y in (yield_, rate)]
        flat = ql.BlackConstantVol(today, ql.NullCalendar(), vol, counter)
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(spot)), *curves, ql.BlackVolTermStructureHandle(flat)
        )
        kind = ql.Option.Call if right == 1 else ql.Option.Put
        option = ql.VanillaOption(
            ql.PlainVanillaPayoff(kind, 100.0), ql.AmericanExercise(today, today + days)
        )
        engine = ql.QdFpAmericanEngine
        option.setPricingEngine(engine(process, engine.highPrecisionScheme()))
        fine = option.NPV()
        ours = american(
            spot=spot, strike=100, years=days / 365, vol=vol, rate=rate, yield_=yield_, right=right
        )
        assert abs(float(ours.price) - fine) < allowed(fine)


@given(SPOTS, YEARS, VOLS, RATES, YIELDS, RIGHTS)
def test_it_is_worth_at_least_exercise_and_the_european(  # noqa: PLR0917
    spot: float, years: float, vol: float, rate: float, yield_: float, right: float
) -> None:
    a = american(spot=spot, strike=100, years=years, vol=vol, rate=rate, yield_=yield_, right=right)
    forward = spot * math.exp((rate - yield_) * years)
    european = black(
        forward=forward, strike=100, years=years, vol=vol, discount=math.exp(-rate * years), right=right
    ).price
    assert float(a.price) >= max(right * (spot - 100), 0.0) - 1e-9
    assert float(a.price) >= float(european) - 1e-9
    assert 0 <= right * float(a.delta) <= 1
    beyond = right * (spot - float(a.boundary)) >= 0
    if beyond:
        assert float(a.price) == pytest.approx(abs(spot - 100), rel=1e-12)


@given(SPOTS, YEARS, VOLS, RATES, YIELDS)
def test_a_call_is_the_put_with_spot_and_strike_rate_and_yield_changed_round(
    spot: float, years: float, vol: float, rate: float, yield_: float
) -> None:
    call = american(spot=spot, strike=100, years=years, vol=vol, rate=rate, yield_=yield_, right=1)
    put = american(spot=100, strike=spot, years=years, vol=vol, rate=yield_, yield_=rate, right=-1)
    assert float(call.price) == pytest.approx(float(put.price), rel=1e-12)


@pytest.mark.parametrize("right", [1.0, -1.0])
def test_delta_is_the_slope_of_the_price(right: float) -> None:
    spots = np.array([80.0, 95.0, 100.0, 105.0, 125.0])

    def price(spot: Floats) -> American:
        return american(spot=spot, strike=100, years=0.7, vol=0.3, rate=0.05, yield_=0.04, right=right)

    slope = (price(spots + 1e-3).price - price(spots - 1e-3).price) / 2e-3
    assert price(spots).delta == pytest.approx(slope, abs=1e-5)


def test_the_boundary_nears_the_strike_as_expiry_nears() -> None:
    years = np.array([2, 1, 0.5, 0.1, 0.01, 1e-4])
    put = american(spot=100, strike=100, years=years, vol=0.2, rate=0.05, yield_=0, right=-1)
    assert (np.diff(put.boundary) > 0).all()
    assert put.boundary[-1] == pytest.approx(100, rel=0.01)
    # With yield 8 % against 5 % there is a gap: nobody gives up the yield above 5/8 of the strike.
    put = american(spot=100, strike=100, years=1e-6, vol=0.2, rate=0.05, yield_=0.08, right=-1)
    assert float(put.boundary) == pytest.approx(62.5, rel=0.001)


def test_a_call_on_what_pays_nothing_is_european_and_never_exercised() -> None:
    a = american(spot=120, strike=100, years=1, vol=0.3, rate=0.05, yield_=0, right=1)
    forward, df = 120 * math.exp(0.05), math.exp(-0.05)
    european = black(forward=forward, strike=100, years=1, vol=0.3, discount=df, right=1).price
    assert float(a.price) == pytest.approx(float(european), rel=1e-12)
    assert float(a.boundary) == math.inf
    put = american(spot=80, strike=100, years=1, vol=0.3, rate=0, yield_=0, right=-1)
    assert float(put.boundary) == 0


def test_at_expiry_it_is_intrinsic() -> None:
    a = american(spot=[90, 110], strike=100, years=0, vol=0.3, rate=0.05, yield_=0.05, right=[[1], [-1]])
    assert a.price == pytest.approx(np.array([[0, 10], [10, 0]]))


def test_a_bad_row_leaves_its_neighbours_alone_and_blocks_do_not_show() -> None:
    spot = np.linspace(60, 160, 1_001)
    spot[500] = math.nan
    rows = american(spot=spot, strike=100, years=0.5, vol=0.3, rate=0.05, yield_=0.03, right=-1)
    assert np.flatnonzero(np.isnan(rows.price)).tolist() == [500]
    one = american(spot=spot[777], strike=100, years=0.5, vol=0.3, rate=0.05, yield_=0.03, right=-1)
    assert float(one.price) == rows.price[777]
    negative = american(spot=100, strike=100, years=1, vol=0.2, rate=-0.01, yield_=-0.03, right=-1)
    assert math.isnan(float(negative.price))
