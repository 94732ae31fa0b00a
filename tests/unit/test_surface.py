"""The surface's own promises: no arbitrage by its parameters, and a level that is solved."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.sim import surface
from tomking.sim.surface import (
    ETA,
    GAMMA,
    RHO,
    multiples,
    phi_of,
    slow_averages,
    solve_level,
    strip_table,
    strip_variance,
    total_variance,
    variance_time,
)

THETAS = np.exp(np.linspace(-18.0, 4.0, 2000))
TABLE = strip_table()


def test_the_parameters_exclude_butterflies() -> None:
    # Gatheral and Jacquier 2014, theorem 4.2.
    phi = np.array([phi_of(theta) for theta in THETAS])
    assert (THETAS * phi * (1 + abs(RHO)) < 4).all()
    assert (THETAS * phi**2 * (1 + abs(RHO)) <= 4).all()


def test_the_parameters_exclude_calendar_spreads() -> None:
    # Theorem 4.1, with d(theta phi)/d(theta) = phi (1 - GAMMA)/(1 + theta) at most phi (1 - GAMMA).
    most = (1 + math.sqrt(1 - RHO**2)) / RHO**2
    assert 0 < 1 - GAMMA < most
    step = 1e-6
    for theta in THETAS[::100]:
        up, down = theta * (1 + step), theta * (1 - step)
        slope = (up * phi_of(up) - down * phi_of(down)) / (up - down)
        assert slope == pytest.approx((1 - GAMMA) / (1 + theta) * phi_of(theta), rel=1e-4)


def test_the_smile_by_hand() -> None:
    # theta = 0.01: phi = 1.7 x 0.01**-0.42 x 1.01**-0.58 = 1.7 x 6.9183 x 0.99425 = 11.694.
    phi = phi_of(0.01)
    assert (ETA, GAMMA, RHO) == (1.70, 0.42, -0.60)
    assert phi == pytest.approx(11.694, abs=0.002)
    assert total_variance(0.0, 0.01, phi) == pytest.approx(0.01)
    # k = -0.2: phi k = -2.3388; w = 0.005 (1 + 1.4033 + sqrt(2.9388**2 + 0.64)) = 0.02724.
    assert total_variance(-0.2, 0.01, phi) == pytest.approx(0.02724, abs=2e-5)


@given(st.floats(8, 90), st.floats(9, 45), st.floats(11, 30))
def test_variance_grows_with_time_whatever_the_vix(vix: float, average: float, long_average: float) -> None:
    medium, long = multiples(vix, average, long_average)
    times = np.concatenate(([1e-5, 1e-4, 1e-3], np.linspace(0.004, 2.0, 300)))
    grown = np.array([variance_time(t, medium, long) for t in times])
    assert grown[0] > 0
    assert (np.diff(grown) > 0).all()


def test_variance_time_is_time_when_nothing_reverts() -> None:
    assert variance_time(0.7, 1.0, 1.0) == pytest.approx(0.7)


def test_a_calm_market_slopes_up_and_a_stressed_one_down() -> None:
    def slope(vix: float) -> float:
        medium, long = multiples(vix, 19.0, 19.0)
        return (variance_time(0.31, medium, long) / 0.31) / (variance_time(0.08, medium, long) / 0.08)

    assert slope(12.0) > 1.2
    assert slope(60.0) < 0.9


@pytest.mark.parametrize("theta", [1e-7, 1e-4, 0.004, 0.05])
def test_the_strip_is_the_integral_of_out_of_the_money_options(theta: float) -> None:
    # Independently: minus twice the mean log return, from prices on a fine uniform grid in strike.
    phi, root = phi_of(theta), math.sqrt(theta)
    k = np.linspace(max(-2.4, -40 * root), min(1.2, 40 * root), 40_001)
    deviation = np.array([math.sqrt(total_variance(x, theta, phi)) for x in k])
    d1 = -k / deviation + deviation / 2
    cdf = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))
    call = cdf(d1) - np.exp(k) * cdf(d1 - deviation)
    put = call - 1 + np.exp(k)
    otm = np.where(k < 0, put, call) / np.exp(k)
    integral = 2 * float(np.sum((otm[1:] + otm[:-1]) / 2 * np.diff(k)))
    assert strip_variance(theta, TABLE) == pytest.approx(integral, rel=2e-4)


@given(st.floats(7, 150), st.floats(9, 45), st.floats(0.05, 0.075), st.floats(0.085, 0.11))
def test_the_solved_level_returns_vix(vix: float, average: float, near: float, after: float) -> None:
    medium, long = multiples(vix, average, 19.0)
    times = variance_time(near, medium, long), variance_time(after, medium, long)
    days = 24.0, 35.0
    level = solve_level(vix, *times, days[0] * 1440, days[1] * 1440, TABLE)
    strips = [strip_variance(level * t, TABLE) for t in times]
    mixed = strips[0] * (days[1] - 30) / 11 + strips[1] * (30 - days[0]) / 11
    assert 100 * math.sqrt(mixed * 365 / 30) == pytest.approx(vix, rel=1e-8)


def test_the_averages_know_only_closes_before_their_row() -> None:
    close = np.array([10.0, 40.0, 20.0])
    medium, long = slow_averages(close)
    # 2/91 of the way from 19.5 to 10, then to 40.
    first = 19.5 + 2 / 91 * (10 - 19.5)
    assert medium[:3] == pytest.approx([19.5, first, first + 2 / 91 * (40 - first)])
    assert len(medium) == len(long) == 4
    assert surface.PRIOR_VIX == 19.5
