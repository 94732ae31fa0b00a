"""The surface's own promises: no arbitrage by its parameters, and a level that is solved."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    total_variance,
    variance_time,
)

THETAS = np.exp(np.linspace(-18.0, 4.0, 4000))
RHOS = np.array([rho_of(theta) for theta in THETAS])
TABLE = strip_table()


def bends(eta: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([phi_of(theta, eta) for theta in THETAS])


def test_the_parameters_exclude_butterflies() -> None:
    # Gatheral and Jacquier 2014, theorem 4.2, slice by slice; the steepest smile is the worst.
    phi = bends(ETA_MAX)
    assert (THETAS * phi * (1 + np.abs(RHOS)) < 4).all()
    assert (THETAS * phi**2 * (1 + np.abs(RHOS)) <= 4).all()


@pytest.mark.parametrize("eta", [0.65, 1.2, ETA_MAX])
def test_the_parameters_exclude_calendar_spreads(eta: float) -> None:
    # Hendriks and Martini 2019, proposition 3.1 and Corbetta et al. 2019: psi = theta phi grows, faster
    # than one side of the smile flattens, and phi falls.
    phi = bends(eta)
    psi = THETAS * phi
    assert (np.diff(phi) < 0).all()
    near, far = RHOS[:-1], RHOS[1:]
    assert (psi[1:] / psi[:-1] >= np.maximum((1 + near) / (1 + far), (1 - near) / (1 - far))).all()
    # And seen directly: total variance grows with theta at every log-moneyness.
    for k in np.linspace(-2.0, 1.0, 31):
        w = [total_variance(k, *at) for at in zip(THETAS, phi, RHOS, strict=True)]
        assert (np.diff(w) > 0).all()


def test_the_skew_flattens_as_vix_rises_within_what_was_seen() -> None:
    # 1.262 (25/17)**-0.641 = 1.262 x 0.7810 = 0.986.
    assert eta_of(25.0) == pytest.approx(0.986, abs=0.001)
    assert eta_of(9.0) == ETA_MAX
    assert eta_of(80.0) == eta_of(45.0)


def test_the_smile_by_hand() -> None:
    # theta = 0.01, eta = 1.2: phi = 1.2 x 0.01**-0.456 x 1.01**-0.544 = 1.2 x 8.1658 x 0.99460 = 9.746.
    phi = phi_of(0.01, 1.2)
    assert phi == pytest.approx(9.746, abs=0.002)
    # rho = -1 / (1 + exp(-0.297 - 0.214 (-4.60517 + 6))) = -1 / (1 + 0.55131) = -0.64462.
    rho = rho_of(0.01)
    assert rho == pytest.approx(-0.6446, abs=1e-4)
    assert total_variance(0.0, 0.01, phi, rho) == pytest.approx(0.01)
    # k = -0.2: phi k = -1.9492; w = 0.005 (1 + 1.2565 + sqrt(2.5938**2 + 0.58446)) = 0.02480.
    assert total_variance(-0.2, 0.01, phi, rho) == pytest.approx(0.02480, abs=2e-5)


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


@pytest.mark.parametrize("eta", [0.69, 1.23, 1.7])
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
