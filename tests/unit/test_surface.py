"""The surface's own promises: no arbitrage by its parameters, and a level that is solved."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.clock import CALENDAR_YEAR
from tomking.pricing.ssvi import butterfly_room, calendar_room, total_variance
from tomking.sim import surface
from tomking.sim.surface import (
    ETA_MAX,
    eta_of,
    multiples,
    phi_of,
    rho_of,
    slow_averages,
    solve_level,
    strip_table,
    strip_variance,
    variance_time,
)

THETAS = np.exp(np.linspace(-18.0, 1.5, 2000))
"""To more than a year at VIX 150: 4.5."""
RHOS = np.array([rho_of(theta) for theta in THETAS])
TABLE = strip_table()


def bends(eta: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([phi_of(theta, eta) for theta in THETAS])


def test_the_parameters_exclude_butterflies() -> None:
    # By Durrleman's g and Lee's slope, slice by slice; the steepest smile is the worst.
    assert butterfly_room(THETAS, bends(ETA_MAX), RHOS).min() > 0.05


@pytest.mark.parametrize("eta", [0.87, 1.5, ETA_MAX])
def test_the_parameters_exclude_calendar_spreads(eta: float) -> None:
    assert calendar_room(THETAS, bends(eta), RHOS).min() > 0
    # And seen directly: total variance grows with theta at every log-moneyness.
    for k in np.linspace(-2.0, 1.0, 31):
        w = [total_variance(k, *at) for at in zip(THETAS, bends(eta), RHOS, strict=True)]
        assert (np.diff(w) > 0).all()


def test_the_skew_flattens_as_vix_rises_within_what_was_seen() -> None:
    # 1.58 (25/17)**-0.597 = 1.58 x 0.79434 = 1.2551.
    assert eta_of(25.0) == pytest.approx(1.2551, abs=1e-3)
    assert eta_of(9.0) == ETA_MAX
    assert eta_of(80.0) == eta_of(45.0)


def test_the_smile_by_hand() -> None:
    # theta = 0.01, eta = 1.2: phi = 1.2 x 0.01**-0.44 x 1.01**-0.56 = 1.2 x 7.5858 x 0.99444 = 9.0523.
    phi = phi_of(0.01, 1.2)
    assert phi == pytest.approx(9.0523, abs=0.002)
    # rho = -1 / (1 + exp(-0.090 - 0.225 (-4.60517 + 6))) = -1 / (1 + 0.66776) = -0.59961.
    rho = rho_of(0.01)
    assert rho == pytest.approx(-0.5996, abs=1e-4)
    assert total_variance(0.0, 0.01, phi, rho) == pytest.approx(0.01)
    # k = -0.2: phi k = -1.81046; w = 0.005 (1 + 1.08557 + sqrt(2.41007**2 + 0.64047)) = 0.02311.
    assert total_variance(-0.2, 0.01, phi, rho) == pytest.approx(0.02311, abs=2e-5)


@pytest.mark.parametrize(("vix", "least", "most"), [(11.0, 1.5, 2.5), (17.0, 1.8, 3.0), (25.0, 1.9, 3.6)])
def test_at_the_money_volatility_lies_below_vix_as_it_does_in_chains(
    vix: float, least: float, most: float
) -> None:
    # Real 21- to 51-day puts on SPY 2010-2018 lay 1.6 to 2.9, 1.7 to 2.9 and 2.4 to 3.5 points below.
    medium, long = multiples(vix, 19.0, 19.5)
    near, after = (days / 365.0 * CALENDAR_YEAR for days in (28.0, 35.0))
    times = variance_time(near, medium, long), variance_time(after, medium, long)
    level = solve_level(vix, *times, 28 * 1440.0, 35 * 1440.0, TABLE)
    month = level * (5 / 7 * times[0] + 2 / 7 * times[1])
    assert least < vix - 100 * math.sqrt(month * 365 / 30) < most


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


@pytest.mark.parametrize("eta", [0.87, 1.53, 2.17])
@pytest.mark.parametrize("theta", [1e-7, 1e-4, 0.004, 0.05])
def test_the_strip_is_the_integral_of_out_of_the_money_options(theta: float, eta: float) -> None:
    # Independently: minus twice the mean log return, from prices on a fine uniform grid in strike.
    phi, rho, root = phi_of(theta, eta), rho_of(theta), math.sqrt(theta)
    k = np.linspace(max(-2.4, -40 * root), min(1.2, 40 * root), 40_001)
    deviation = np.array([math.sqrt(total_variance(x, theta, phi, rho)) for x in k])
    d1 = -k / deviation + deviation / 2
    cdf = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))
    call = cdf(d1) - np.exp(k) * cdf(d1 - deviation)
    put = call - 1 + np.exp(k)
    otm = np.where(k < 0, put, call) / np.exp(k)
    integral = 2 * float(np.sum((otm[1:] + otm[:-1]) / 2 * np.diff(k)))
    assert strip_variance(theta, eta, TABLE) == pytest.approx(integral, rel=5e-4)


@given(st.floats(7, 150), st.floats(9, 45), st.floats(0.05, 0.075), st.floats(0.085, 0.11))
def test_the_solved_level_returns_vix(vix: float, average: float, near: float, after: float) -> None:
    medium, long = multiples(vix, average, 19.0)
    times = variance_time(near, medium, long), variance_time(after, medium, long)
    days = 24.0, 35.0
    level = solve_level(vix, *times, days[0] * 1440, days[1] * 1440, TABLE)
    strips = [strip_variance(level * t, eta_of(vix), TABLE) for t in times]
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
