"""Black (1976): F.4's worked example, QuantLib, parity, finite differences, and the limits."""

import hashlib
import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomking.pricing.american import american
from tomking.pricing.bachelier import bachelier, bachelier_implied
from tomking.pricing.black import (
    Black,
    black,
    black_delta,
    black_price,
    expiry_price_delta_into,
    greeks_into,
    greeks_into_parallel,
    norm_cdf,
    price_into,
    spot_delta,
)
from tomking.pricing.implied import implied_vol

FORWARDS = st.floats(50.0, 8_000.0)
MONEYNESS = st.floats(0.3, 3.0)
YEARS = st.floats(1e-5, 3.0)
VOLS = st.floats(0.01, 3.0)
RIGHTS = st.sampled_from([1.0, -1.0])
RATES = st.floats(0.0, 0.1)


def worked_example(**changes: float) -> Black:
    given_numbers: dict[str, float] = {
        "forward": 5_500.0,
        "strike": 4_600.0,
        "years": 120 / 365,
        "vol": 0.25,
        "discount": math.exp(-0.045 * 120 / 365),
        "right": -1.0,
    }
    return black(**(given_numbers | changes))


def test_the_worked_example_of_the_methodology_comes_out() -> None:
    # F.4: ES put 4,600, F 5,500, 120 days, 25 %, 4.5 %.  v = 0.25 sqrt(120/365) = 0.143345;
    # d1 = ln(5500/4600)/v + v/2 = 1.24664 + 0.07167 = 1.3183, d2 = 1.1749.
    b = worked_example().reported()
    assert float(b.price) == pytest.approx(36.13, abs=0.005)
    assert float(b.delta) == pytest.approx(-0.09233, abs=5e-6)
    assert float(b.gamma) == pytest.approx(0.00020911, abs=5e-9)
    assert float(b.vega) == pytest.approx(5.199, abs=5e-4)
    assert float(b.theta) == pytest.approx(-0.5371, abs=5e-5)
    # Two short puts at $50 a point: +$53.71 a day, -$519.92 a vol point, worth -$3,613.23.
    assert -2 * 50 * float(b.theta) == pytest.approx(53.71, abs=0.005)
    assert -2 * 50 * float(b.vega) == pytest.approx(-519.92, abs=0.005)
    assert -2 * 50 * float(b.price) == pytest.approx(-3_613.23, abs=0.005)


def test_price_and_greeks_equal_quantlib() -> None:
    ql: Any = pytest.importorskip("QuantLib")
    rng = np.random.default_rng(11)
    for _ in range(300):
        f, years, vol = 5_000.0, float(rng.uniform(0.001, 2)), float(rng.uniform(0.03, 1.5))
        # Within 4 standard deviations: QuantLib's own wings lose digits (performance.md).
        k = f * math.exp(float(rng.uniform(-4, 4)) * vol * math.sqrt(years))
        df, right = math.exp(-0.04 * years), int(rng.choice([1, -1]))
        kind = ql.Option.Call if right == 1 else ql.Option.Put
        theirs = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, k), f, vol * math.sqrt(years), df)
        ours = black(forward=f, strike=k, years=years, vol=vol, discount=df, right=right)
        assert float(ours.price) == pytest.approx(theirs.value(), rel=1e-9, abs=1e-9)
        assert float(ours.delta) == pytest.approx(theirs.deltaForward(), rel=1e-9, abs=1e-12)
        assert float(ours.gamma) == pytest.approx(theirs.gammaForward(), rel=1e-9, abs=1e-12)
        assert float(ours.vega) == pytest.approx(theirs.vega(years), rel=1e-9, abs=1e-9)


def test_on_a_spot_it_is_black_scholes_merton() -> None:
    # Hull's example: S 42, K 40, r 10 %, 20 %, half a year: call 4.76, put 0.81, call delta N(0.7693).
    spot, rate, years = 42.0, 0.10, 0.5
    forward = spot * math.exp(rate * years)
    b = black(
        forward=forward, strike=40, years=years, vol=0.2, discount=math.exp(-rate * years), right=[1, -1]
    )
    assert b.price == pytest.approx([4.7594, 0.8086], abs=5e-5)
    assert spot_delta(b.delta, forward, spot) == pytest.approx([0.7791, -0.2209], abs=5e-5)


@pytest.mark.parametrize("right", [1.0, -1.0])
@pytest.mark.parametrize("strike", [4_600.0, 5_450.0, 6_300.0])
def test_greeks_are_the_slopes_of_the_price(strike: float, right: float) -> None:
    b = worked_example(strike=strike, right=right)

    def slope(name: str, at: float, width: float) -> float:
        up = worked_example(strike=strike, right=right, **{name: at + width})
        down = worked_example(strike=strike, right=right, **{name: at - width})
        return float(up.price - down.price) / (2 * width)

    assert float(b.delta) == pytest.approx(slope("forward", 5_500, 0.55), rel=1e-4)
    assert float(b.vega) == pytest.approx(slope("vol", 0.25, 1e-4), rel=1e-4)
    up = worked_example(strike=strike, right=right, forward=5_500.55).delta
    down = worked_example(strike=strike, right=right, forward=5_499.45).delta
    assert float(b.gamma) == pytest.approx(float(up - down) / 1.1, rel=1e-4)

    def aged(years: float, rate: float) -> float:
        discount = math.exp(-rate * years)
        return float(worked_example(strike=strike, right=right, years=years, discount=discount).price)

    years, h = 120 / 365, 1e-5
    assert float(b.theta) == pytest.approx(
        (aged(years - h, 0.045) - aged(years + h, 0.045)) / (2 * h), rel=1e-4
    )
    assert float(b.rho) == pytest.approx(
        (aged(years, 0.045 + h) - aged(years, 0.045 - h)) / (2 * h), rel=1e-4
    )


@given(FORWARDS, MONEYNESS, YEARS, VOLS, RATES)
def test_call_less_put_is_the_discounted_forward_less_strike(
    forward: float, moneyness: float, years: float, vol: float, rate: float
) -> None:
    strike, df = forward * moneyness, math.exp(-rate * years)
    b = black(forward=forward, strike=strike, years=years, vol=vol, discount=df, right=[1, -1])
    assert float(b.price[0] - b.price[1]) == pytest.approx(df * (forward - strike), abs=1e-10 * forward)
    assert float(b.delta[0] - b.delta[1]) == pytest.approx(df, abs=1e-12)


@given(FORWARDS, MONEYNESS, YEARS, VOLS, RIGHTS)
def test_a_price_lies_between_intrinsic_and_its_bound_and_grows_with_volatility(
    forward: float, moneyness: float, years: float, vol: float, right: float
) -> None:
    strike = forward * moneyness
    b = black(forward=forward, strike=strike, years=years, vol=[vol, vol * 1.1], discount=1, right=right)
    noise = 1e-12 * forward
    assert max(right * (forward - strike), 0.0) - noise <= b.price[0] <= max(forward, strike)
    assert b.price[1] >= b.price[0] - noise
    assert 0 <= right * b.delta[0] <= 1
    assert b.gamma[0] >= 0
    assert b.vega[0] >= 0


@given(FORWARDS, MONEYNESS, MONEYNESS, YEARS, VOLS, RIGHTS)
def test_a_call_falls_and_a_put_rises_with_the_strike(  # noqa: PLR0917
    forward: float, one: float, other: float, years: float, vol: float, right: float
) -> None:
    low, high = forward * min(one, other), forward * max(one, other)
    b = black(forward=forward, strike=[low, high], years=years, vol=vol, discount=1, right=right)
    assert right * (b.price[0] - b.price[1]) >= -1e-12 * forward


@pytest.mark.parametrize(("years", "vol"), [(0.0, 0.2), (0.5, 0.0), (0.0, 0.0)])
def test_without_time_or_volatility_only_intrinsic_is_left(years: float, vol: float) -> None:
    b = black(forward=100, strike=[90, 100, 110], years=years, vol=vol, discount=0.9, right=[[1], [-1]])
    # Discounted by 0.9: the 90 call is worth 9, the 110 put too; at the money delta is a half.
    assert b.price == pytest.approx(np.array([[9, 0, 0], [0, 0, 9]]), abs=1e-12)
    assert b.delta == pytest.approx(np.array([[0.9, 0.45, 0], [0, -0.45, -0.9]]))
    assert (b.gamma == 0).all()
    assert all(np.isfinite(column).all() for column in b)


def test_deep_wings_are_zero_and_not_nan() -> None:
    strikes = np.array([1e-3, 1.0, 1e4, 1e7])
    b = black(forward=2_000, strike=strikes, years=1e-6, vol=0.1, discount=1, right=[[1], [-1]])
    assert all(np.isfinite(column).all() for column in b)
    assert (b.price >= 0).all()


@pytest.mark.parametrize("changes", [
    {"forward": 0.0}, {"forward": -1.0}, {"forward": math.inf}, {"strike": -1.0}, {"years": -0.1},
    {"vol": -0.2}, {"vol": math.inf}, {"discount": 0.0}, {"right": 0.0}, {"right": math.nan},
])  # fmt: skip
def test_what_is_no_option_is_nan_and_never_a_number(changes: dict[str, float]) -> None:
    assert np.isnan(worked_example(**changes)).all()


def test_a_missing_volatility_spoils_its_own_row_only() -> None:
    b = black(forward=100, strike=100, years=1, vol=[0.2, np.nan], discount=1, right=1)
    assert np.isfinite([column[0] for column in b]).all()
    assert np.isnan([column[1] for column in b[:5]]).all()


@settings(max_examples=30)
@given(FORWARDS, MONEYNESS, YEARS, VOLS, RIGHTS)
def test_every_kernel_gives_the_same_bits(
    forward: float, moneyness: float, years: float, vol: float, right: float
) -> None:
    strike, df = forward * moneyness, 0.97
    b = black(forward=forward, strike=strike, years=years, vol=vol, discount=df, right=right)
    assert black_price(forward, strike, years, vol, df, right) == float(b.price)
    assert black_delta(forward, strike, years, vol, df, right) == float(b.delta)
    columns = [np.full(3, x) for x in (forward, strike, years, vol, df, right)]
    price, delta = np.empty(3), np.empty(3)
    f, k, t, v, d, s = columns
    price_into(f, k, t, v, d, s, price)
    assert (price == float(b.price)).all()
    expiry_price_delta_into(forward, years, df, k, v, s, price, delta)
    assert (price == float(b.price)).all()
    assert (delta == float(b.delta)).all()


def test_columns_of_one_row_go_with_plain_numbers() -> None:
    one = black(forward=[100.0], strike=100, years=[0.5], vol=0.2, discount=1, right=1)
    assert one.price.shape == (1,)
    assert round(float(one.price[0]), 4) == 5.6372


def random_chain(n: int = 2_001, seed: int = 23) -> tuple[np.ndarray[Any, np.dtype[np.float64]], ...]:
    """Forward, strike, years, vol, discount, right; calm and hostile rows mixed."""
    rng = np.random.default_rng(seed)
    years, vol = rng.uniform(1e-5, 2, n), rng.uniform(0.01, 5, n)
    strike = 5_000 * rng.uniform(0.1, 10, n)
    strike[::2] = 5_000 * (1 + rng.uniform(-1, 1, n)[::2] * (vol * np.sqrt(years))[::2].clip(max=0.9))
    return np.full(n, 5_000.0), strike, years, vol, 1 - 0.03 * years, rng.choice([1.0, -1.0], n)


def test_all_cores_give_the_bits_of_one() -> None:
    f, k, t, v, df, s = random_chain(10_001)
    one, many = np.empty((6, f.size)), np.empty((6, f.size))
    greeks_into(f, k, t, v, df, s, one)
    greeks_into_parallel(f, k, t, v, df, s, many)
    assert one.tobytes() == many.tobytes()


def test_a_price_is_right_to_1e_12_of_the_forward_whatever_the_case() -> None:
    mp: Any = pytest.importorskip("mpmath")
    f, k, t, v, df, s = random_chain(400)
    b = black(forward=f, strike=k, years=t, vol=v, discount=df, right=s)
    with mp.workdps(50):
        for i in range(f.size):
            F, K, total = mp.mpf(f[i]), mp.mpf(k[i]), mp.mpf(v[i]) * mp.sqrt(mp.mpf(t[i]))
            d1 = mp.log(F / K) / total + total / 2
            exact = df[i] * s[i] * (F * mp.ncdf(s[i] * d1) - K * mp.ncdf(s[i] * (d1 - total)))
            assert abs(float(b.price[i] - exact)) < 1e-12 * max(f[i], k[i])
            assert float(b.delta[i]) == pytest.approx(float(df[i] * s[i] * mp.ncdf(s[i] * d1)), abs=1e-12)


def test_the_normal_distribution_keeps_its_digits_far_into_the_tail() -> None:
    # 40 digits of mpmath, rounded.
    assert norm_cdf(-10.0) == pytest.approx(7.619853024160525e-24, rel=1e-14)
    assert norm_cdf(-37.0) == pytest.approx(5.725571222524577e-300, rel=1e-12)
    assert norm_cdf(0.0) == pytest.approx(0.5, abs=2e-16)
    assert norm_cdf(1e9) == 1.0
    assert math.isnan(norm_cdf(math.nan))


def digest_of_every_kernel() -> str:
    """What each pricing kernel makes of one chain, as a hash of the bits."""
    f, k, t, v, df, s = random_chain()
    b = black(forward=f, strike=k, years=t, vol=v, discount=df, right=s)
    iv = implied_vol(price=b.price, forward=f, strike=k, years=t, discount=df, right=s)
    n = bachelier(forward=f, strike=k, years=t, vol=5_000 * v, discount=df, right=s)
    niv = bachelier_implied(price=n.price, forward=f, strike=k, years=t, discount=df, right=s)
    a = american(spot=f, strike=k, years=t, vol=v, rate=0.04, yield_=0.02, right=s)
    columns = (*b, *iv, *n, *niv, *a)
    return hashlib.sha256(b"".join(c.tobytes() for c in columns)).hexdigest()


@pytest.mark.slow
def test_a_processor_without_vector_instructions_gives_the_same_bits() -> None:
    # `generic` has neither AVX nor a fused multiply-add; the other processor compiles for itself.
    program = "from tests.unit.test_black import digest_of_every_kernel as d; print(d())"
    plain = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    plain["PYTHONPATH"] = os.pathsep.join(["src", "."])
    done = subprocess.run(
        [sys.executable, "-c", program], env=plain, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digest_of_every_kernel()
