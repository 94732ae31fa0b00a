"""Implied volatility: there and back, and every reason why there is none."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tomking.pricing.black import black, black_price
from tomking.pricing.implied import Code, implied_into, implied_into_parallel, implied_one, implied_vol


def test_the_worked_example_is_implied_back() -> None:
    # F.4: 36.13230992 points for the 4,600 put is 25 %.
    iv = implied_vol(
        price=36.13230992,
        forward=5_500,
        strike=4_600,
        years=120 / 365,
        discount=math.exp(-0.045 * 120 / 365),
        right=-1,
    )
    assert float(iv.vol) == pytest.approx(0.25, abs=1e-9)
    assert int(iv.code) == Code.OK


@given(
    st.floats(50, 8_000),
    st.floats(-8, 8),
    st.floats(1e-6, 3),
    st.floats(0.01, 3),
    st.sampled_from([1.0, -1.0]),
    st.floats(0, 0.1),
)
def test_a_price_gives_back_the_volatility_it_was_made_with(  # noqa: PLR0917
    forward: float, deviations: float, years: float, vol: float, right: float, rate: float
) -> None:
    strike, df = forward * math.exp(deviations * vol * math.sqrt(years)), math.exp(-rate * years)
    price = black_price(forward, strike, years, vol, df, right)
    time_value = price / df - max(right * (forward - strike), 0.0)
    # Outside this the double that holds an in-the-money price does not hold nine digits of volatility.
    inside = right * (forward - strike) > 0
    assume(time_value > (1e-5 * max(forward, strike) if inside else 1e-200))
    assume(time_value < (0.9 if inside else 0.999) * min(forward, strike))
    iv = implied_vol(price=price, forward=forward, strike=strike, years=years, discount=df, right=right)
    assert int(iv.code) == Code.OK
    assert float(iv.vol) == pytest.approx(vol, rel=1e-8)


def test_out_of_the_money_it_is_accurate_to_twelve_digits() -> None:
    rng = np.random.default_rng(5)
    n = 20_000
    years, vol = np.exp(rng.uniform(-12, 1, n)), rng.uniform(0.02, 2, n)
    strike = 100 * np.exp(rng.uniform(-6, 6, n) * vol * np.sqrt(years))
    right = np.where(strike >= 100, 1.0, -1.0)
    price = black(forward=100, strike=strike, years=years, vol=vol, discount=1, right=right).price
    iv = implied_vol(price=price, forward=100, strike=strike, years=years, discount=1, right=right)
    assert (iv.code == Code.OK).all()
    # Digits are lost where ln(F/K) is: 1e-16 over a v of 1e-4.
    assert np.abs(iv.vol / vol - 1).max() < 1e-11


@pytest.mark.parametrize(
    ("price", "strike", "right", "code"),
    [
        (9.5, 90.0, 1.0, Code.BELOW_INTRINSIC),  # worth 10 exercised
        (10.0, 90.0, 1.0, Code.NO_TIME_VALUE),
        (0.0, 110.0, 1.0, Code.NO_TIME_VALUE),
        (-0.01, 110.0, 1.0, Code.BELOW_INTRINSIC),
        (100.0, 110.0, 1.0, Code.ABOVE_BOUND),  # no call is worth its forward
        (110.0, 110.0, -1.0, Code.ABOVE_BOUND),  # nor a put its strike
        (math.nan, 110.0, 1.0, Code.BAD_INPUT),
        (math.inf, 110.0, 1.0, Code.BAD_INPUT),
        (1.0, 0.0, 1.0, Code.BAD_INPUT),
        (1.0, 110.0, 1.0, Code.OK),
    ],
)
def test_where_there_is_none_a_code_says_why(price: float, strike: float, right: float, code: Code) -> None:
    iv = implied_vol(price=price, forward=100, strike=strike, years=0.5, discount=1, right=right)
    assert int(iv.code) == code
    assert math.isnan(float(iv.vol)) == (code != Code.OK)


def test_no_time_is_bad_input() -> None:
    iv = implied_vol(price=1, forward=100, strike=110, years=0, discount=1, right=1)
    assert int(iv.code) == Code.BAD_INPUT


def test_a_bad_row_leaves_its_neighbours_alone() -> None:
    iv = implied_vol(price=[5.6372, math.nan], forward=100, strike=100, years=0.5, discount=1, right=1)
    assert iv.code.tolist() == [Code.OK, Code.BAD_INPUT]
    assert float(iv.vol[0]) == pytest.approx(0.2, abs=1e-5)


def test_call_and_put_of_one_strike_imply_one_volatility() -> None:
    price = black(forward=2_000, strike=1_900, years=0.1, vol=0.18, discount=0.99, right=[1, -1]).price
    iv = implied_vol(price=price, forward=2_000, strike=1_900, years=0.1, discount=0.99, right=[1, -1])
    assert iv.vol == pytest.approx([0.18, 0.18], rel=1e-9)


def test_hostile_prices_come_back_within_1e_9_or_say_why_not() -> None:
    # Minutes from expiry to three years, a tenth of the forward to ten times it, 1 % to 500 %.
    rng = np.random.default_rng(31)
    n = 200_000
    years, vol = np.exp(rng.uniform(math.log(1 / 98_280), 1, n)), np.exp(rng.uniform(math.log(0.01), 1.6, n))
    strike = 100 * 10.0 ** rng.uniform(-1, 1, n)
    strike[::2] = 100 * np.exp(rng.normal(size=n) * 3 * vol * np.sqrt(years))[::2]
    right = rng.choice([1.0, -1.0], n)
    price = black(forward=100, strike=strike, years=years, vol=vol, discount=0.98, right=right).price
    iv = implied_vol(price=price, forward=100, strike=strike, years=years, discount=0.98, right=right)
    answered = iv.code == Code.OK
    assert np.abs(iv.vol[answered] / vol[answered] - 1).max() < 1e-9
    assert np.isfinite(iv.vol[answered]).all()
    assert np.isnan(iv.vol[~answered]).all()
    assert (iv.code != Code.BAD_INPUT).all()
    # Out of the money the price is all time value: refused only where it is nothing or the whole bound.
    out = (right * (100 - strike) <= 0) & (price > 1e-280) & (price < 0.98 * 0.9999 * np.minimum(100, strike))
    assert answered[out].all()
    # In the money it is refused only when the rounding of the price is worth more than 1e-9 of vega x vol.
    at = black(forward=100, strike=strike, years=years, vol=vol, discount=0.98, right=right)
    clear = at.vega * vol * 1e-9 > 20 * np.finfo(float).eps * np.maximum(price, at.vega * vol)
    assert answered[clear & (price > 1e-280) & (price < 0.97 * np.minimum(100, strike))].all()


@pytest.mark.parametrize("time_value", [0.0, 1e-13, 1e-12, 1e-11, 1e-10])
def test_prices_within_a_hair_of_intrinsic_have_a_code_and_no_number(time_value: float) -> None:
    # The 90 call is worth 10 exercised; ten digits behind the point are the price's rounding.
    iv = implied_vol(price=10 + time_value, forward=100, strike=90, years=0.01, discount=1, right=1)
    assert int(iv.code) == Code.NO_TIME_VALUE
    assert math.isnan(float(iv.vol))


def test_any_numbers_at_all_give_a_volatility_or_a_code() -> None:
    odd = np.array([0.0, -0.0, 1.0, -1.0, 100.0, 1e-310, 1e-160, 1e160, 1e308, np.inf, -np.inf, np.nan])
    grid = [
        c.ravel()
        for c in np.meshgrid(odd, odd, odd, [0.0, 1e-9, 1.0, np.inf], [1.0, np.nan], [1.0, -1.0, 0.0])
    ]
    p, f, k, t, df, s = grid
    iv = implied_vol(price=p, forward=f, strike=k, years=t, discount=df, right=s)
    assert (np.isfinite(iv.vol) == (iv.code == Code.OK)).all()
    assert (iv.vol[iv.code == Code.OK] > 0).all()


def test_one_row_all_cores_and_one_core_give_the_same_bits() -> None:
    rng = np.random.default_rng(2)
    n = 9_001
    strike, right = rng.uniform(60, 160, n), rng.choice([1.0, -1.0], n)
    f, t, df = np.full(n, 100.0), rng.uniform(0.01, 2, n), np.full(n, 0.99)
    p = black(forward=f, strike=strike, years=t, vol=0.3, discount=df, right=right).price
    one, many = np.empty(n), np.empty(n)
    codes, others = np.empty(n, dtype=np.int8), np.empty(n, dtype=np.int8)
    implied_into(p, f, strike, t, df, right, one, codes)
    implied_into_parallel(p, f, strike, t, df, right, many, others)
    assert one.tobytes() == many.tobytes()
    assert codes.tobytes() == others.tobytes()
    each = [implied_one(p[i], 100.0, strike[i], t[i], 0.99, right[i]) for i in range(50)]
    assert np.array_equal([v for v, _ in each], one[:50], equal_nan=True)
