"""SSVI slices as a pricing surface: the same questions, the same checks as for a fitted one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.black import black
from tomking.pricing.ssvi import (
    SsviSurface,
    butterfly_room,
    calendar_room,
    density_factor,
    power_law,
    total_variance,
)
from tomking.pricing.surface import Quotes, butterfly, calendar, residuals

YEARS = np.array([0.01, 0.08, 0.35, 1.2])
THETA = 0.03 * YEARS
PHI = np.array([power_law(theta, 1.6, 0.44) for theta in THETA])
RHO = np.array([-0.45, -0.5, -0.55, -0.6])
SURFACE = SsviSurface.of(
    YEARS, 5500.0 * np.exp(0.02 * YEARS), np.exp(-0.04 * YEARS), np.column_stack((THETA, PHI, RHO))
)


def test_the_hyperbola_by_hand() -> None:
    # theta 0.04, phi 3, rho -0.6, k = -0.2: phi k = -0.6, phi k + rho = -1.2;
    # w = 0.02 (1 + 0.36 + sqrt(1.44 + 0.64)) = 0.02 (1.36 + 1.44222) = 0.0560444.
    assert total_variance(-0.2, 0.04, 3.0, -0.6) == pytest.approx(0.0560444, abs=1e-7)
    assert power_law(0.04, 1.2, 0.5) == pytest.approx(1.2 / math.sqrt(0.04 * 1.04))


@given(st.floats(-1.5, 1.0), st.floats(1e-4, 0.5), st.floats(0.8, 2.0), st.floats(-0.8, -0.2))
def test_its_density_is_that_of_its_numerical_derivatives(
    k: float, theta: float, eta: float, rho: float
) -> None:
    phi = power_law(theta, eta, 0.44)
    h = 1e-4 / phi
    below, here, above = (total_variance(x, theta, phi, rho) for x in (k - h, k, k + h))
    slope, bend = (above - below) / (2 * h), (above - 2 * here + below) / h**2
    numerical = (1 - 0.5 * k * slope / here) ** 2 - 0.25 * slope**2 * (1 / here + 0.25) + 0.5 * bend
    assert density_factor(k, theta, phi, rho) == pytest.approx(numerical, abs=2e-4 * (1 + abs(numerical)))


def test_a_smile_bent_too_far_has_no_room_for_a_density() -> None:
    theta, rho = np.array([0.01, 0.01]), np.array([-0.5, -0.5])
    # theta phi**2 (1 + |rho|) = 9 and 24: both pass the theorem's sufficient 4, g fails at the second.
    mild, wild = butterfly_room(theta, np.sqrt(np.array([9.0, 24.0]) / (1.5 * theta)), rho)
    assert mild > 0 > wild


def test_a_later_smile_that_flattens_too_fast_leaves_no_room_for_calendars() -> None:
    assert calendar_room(THETA, PHI, RHO).min() > 0
    flattened = np.array([1.0, 0.2, 1.0, 1.0]) * PHI
    assert calendar_room(THETA, flattened, RHO).min() < 0


def test_the_checks_of_fitted_surfaces_pass_on_it() -> None:
    grid = np.linspace(-1.0, 0.6, 801)
    for years in (0.005, 0.01, 0.05, 0.35, 0.9, 2.0):
        assert butterfly(SURFACE, years, grid).min() > 0
    assert calendar(SURFACE, grid).min() > 0


def test_between_expiries_total_variance_is_linear_in_time_as_in_fitted_surfaces() -> None:
    k = np.array([-0.3, 0.0, 0.1])
    one, other = (SURFACE.total_variance(t, k) for t in YEARS[1:3])
    assert SURFACE.total_variance(0.5 * (YEARS[1] + YEARS[2]), k) == pytest.approx(0.5 * (one + other))
    # Before the first its share of time, after the last the at-the-money variance of its time more.
    assert SURFACE.total_variance(0.005, k) == pytest.approx(0.5 * SURFACE.total_variance(0.01, k))
    later = SURFACE.total_variance(1.8, k) - SURFACE.total_variance(1.2, k)
    assert later == pytest.approx(np.full(3, 0.5 * THETA[-1]))


@given(st.floats(0.02, 1.0), st.floats(0.02, 0.9), st.sampled_from([1, -1]))
def test_the_strike_at_a_delta_has_that_delta(years: float, size: float, right: int) -> None:
    delta = right * size * SURFACE.discount_at(years)
    strike, forward = SURFACE.strike_at_delta(years, delta, right), SURFACE.forward_at(years)
    vol = SURFACE.vol(years, math.log(strike / forward))
    found = black(
        forward=forward,
        strike=strike,
        years=years,
        vol=vol,
        discount=SURFACE.discount_at(years),
        right=right,
    )
    assert float(found.delta) == pytest.approx(delta, abs=1e-9)


def test_no_strike_has_a_delta_of_the_other_sign() -> None:
    with pytest.raises(ValueError, match="no strike has delta"):
        SURFACE.strike_at_delta(0.1, 0.2, -1)


def test_the_expected_move_is_the_straddle_and_the_whole_smiles_deviation() -> None:
    move, forward = SURFACE.expected_move(0.08), SURFACE.forward_at(0.08)
    root = math.sqrt(THETA[1])
    # 2 (2 N(root / 2) - 1) is sqrt(2/pi) root for a small root: 0.7979 x 0.048990 = 0.03909 of the forward.
    assert move.straddle == pytest.approx(0.03909 * forward, rel=1e-3)
    assert root * forward < move.deviation < 1.5 * root * forward


def test_residuals_of_its_own_prices_are_nothing() -> None:
    strike = np.array([5000.0, 5300.0, 5700.0])
    e, right = np.array([1, 1, 1]), np.array([-1.0, -1.0, 1.0])
    forward, discount = SURFACE.forward[e], SURFACE.discount[e]
    vol = SURFACE.vol(YEARS[e], np.log(strike / forward))
    price = black(
        forward=forward, strike=strike, years=YEARS[e], vol=vol, discount=discount, right=right
    ).price
    quotes = Quotes(
        YEARS, SURFACE.forward, SURFACE.discount, e, strike, right, price - 0.1, np.asarray(price + 0.1)
    )
    off = residuals(SURFACE, quotes)
    assert off.price == pytest.approx(np.zeros(3), abs=1e-9)
    assert off.inside == 1.0
