"""Walks through a known bar: the chance of staying inside, the law of the walk, the 09:30 level."""

import math

import numpy as np
import pytest

from tomking.domain.bars import Bars, History
from tomking.pricing.clock import session_shape
from tomking.sim.path_kernels import pinned_walk, stays_inside, variance_clock
from tomking.sim.paths import Paths, opening_level


def test_a_bridge_stays_above_one_barrier_with_the_reflection_chance() -> None:
    # Reflection: 1 - exp(-2 x y / v) with x = y = 1, v = 2 is 1 - 1/e = 0.63212; the roof is far away.
    assert stays_inside(1.0, 1.0, 0.0, 1000.0, 2.0) == pytest.approx(1 - math.exp(-1), abs=1e-12)


def test_the_chance_of_staying_inside_is_the_image_series_whichever_formula_is_short() -> None:
    def images(x: float, y: float, variance: float) -> float:
        k = np.arange(-20, 21)
        terms = np.exp(-2 * k * (k + y - x) / variance) - np.exp(-2 * (k + x) * (k + y) / variance)
        return float(terms.sum())

    for start, end in ((0.5, 0.5), (0.1, 0.9), (0.02, 0.3), (0.9, 0.85)):
        for variance in np.geomspace(0.001, 2.0, 100):
            chance = stays_inside(start, end, 0.0, 1.0, variance)
            assert chance == pytest.approx(images(start, end, variance), abs=1e-6)


def test_between_two_barriers_a_wide_walk_seldom_survives() -> None:
    # From the middle to the middle of a unit band with variance 1 the first sine term is all:
    # 2 exp(-pi^2 / 2) sqrt(2 pi) = 2 * 0.0071919 * 2.5066283 = 0.036055.
    assert stays_inside(0.5, 0.5, 0.0, 1.0, 1.0) == pytest.approx(0.036055, abs=1e-6)


def test_a_walk_redrawn_through_its_own_bar_is_distributed_as_before() -> None:
    # Draw Brownian walks, keep only their bars, redraw through the bars: on average over walks nothing
    # may have changed.  This holds for the exact conditional law and fails for tents and reflections.
    rng = np.random.default_rng(1)
    days, n = 4000, 390
    clock = np.linspace(0.0, 1.0, n + 1)
    true = np.zeros((days, n + 1))
    true[:, 1:] = np.cumsum(rng.standard_normal((days, n)) / math.sqrt(n), axis=1)
    still = np.zeros(n + 1)
    again = np.array([pinned_walk(0.0, w[-1], w.min(), w.max(), clock, still, 1.0, rng) for w in true])
    for at in (20, 98, 195, 292):
        assert np.quantile(again[:, at], [0.1, 0.5, 0.9]) == pytest.approx(
            np.quantile(true[:, at], [0.1, 0.5, 0.9]), abs=0.07
        )
    times = np.quantile(again.argmax(axis=1) / n, [0.25, 0.5, 0.75])
    # Arcsine law: the quarters of the time of the maximum are sin^2(pi / 8), 1/2, cos^2(pi / 8).
    assert times == pytest.approx([0.1464, 0.5, 0.8536], abs=0.04)


@pytest.mark.parametrize(
    ("start", "close", "low", "high"),
    [
        (20.0, 10.0, 10.0, 20.0),  # down all day
        (10.0, 20.0, 10.0, 20.0),
        (15.0, 15.0, 10.0, 15.0),  # both ends at the high
        (10.0, 10.0, 10.0, 30.0),
        (10.01, 10.0, 10.0, 30.0),
    ],
)
def test_a_bar_whose_ends_are_its_extremes_is_walked_inside(
    start: float, close: float, low: float, high: float
) -> None:
    rng = np.random.default_rng(3)
    clock = variance_clock(session_shape(390), 0.5, 0.9, rng) * 0.5 * (high - low) ** 2
    # A drive of four times the range pulls it out on purpose.
    drive = np.linspace(0.0, 4.0 * (high - low), 391) * np.sin(np.arange(391) / 20)
    for pull in (np.zeros(391), drive):
        walk = pinned_walk(start, close, low, high, clock, pull, 0.4, rng)
        assert (walk[0], walk[-1], walk.min(), walk.max()) == (start, close, low, high)


def test_the_opening_level_lies_inside_the_range_and_rises_with_its_draw() -> None:
    levels = [opening_level(100.0, 98.0, 103.0, 101.0, 0.01, 0.0, u) for u in np.linspace(0.0, 1 - 1e-12, 50)]
    assert levels == sorted(levels)
    assert levels[0] > 98.0
    assert levels[-1] < 103.0


def test_a_flat_days_open_is_centred_on_the_previous_close_and_wider_when_vix_is_high() -> None:
    # Previous close and close in the (logarithmic) middle of the range: the median draw is the middle.
    low, high = 100 * math.exp(-0.01), 100 * math.exp(0.01)
    assert opening_level(100.0, low, high, 100.0, 0.01, 0.0, 0.5) == pytest.approx(100.0, abs=0.02)
    # Previous close at the low: the higher VIX, the further up the gap.
    quiet, wild = (opening_level(98.0, low, high, 100.0, vol, 0.0, 0.5) for vol in (0.005, 0.03))
    assert quiet < wild < 100.0


def test_a_jump_of_vix_overnight_means_a_gap_down() -> None:
    down, still, up = (opening_level(100.0, 97.0, 103.0, 100.0, 0.01, jump, 0.5) for jump in (0.1, 0.0, -0.1))
    assert down < 99.5 < still < 100.5 < up


def test_a_range_of_nothing_opens_where_it_closes() -> None:
    assert opening_level(100.0, 99.0, 99.0, 99.0, 0.01, 0.0, 0.5) == 99.0


def test_a_half_day_through_a_small_literal_bar() -> None:
    day = np.array(["2040-07-02", "2040-07-03"], "datetime64[D]")
    spx = Bars(
        day,
        np.array([5500.0, 5510.0]),
        np.array([5520.0, 5530.0]),
        np.array([5490.0, 5480.0]),
        np.array([5510.0, 5485.0]),
    )
    vix = Bars(
        day, np.array([15.0, 15.2]), np.array([15.5, 17.1]), np.array([14.8, 15.0]), np.array([15.1, 16.9])
    )
    history = History(spx, vix, np.zeros(2, np.uint8), np.full(2, 0.04), "")
    path = Paths(history, np.array([390, 210]), 7).day(1)
    assert path.spx.shape == path.vix.shape == (211,)
    assert (path.spx.min(), path.spx.max(), path.spx[-1]) == (5480.0, 5530.0, 5485.0)
    assert (path.vix[0], path.vix.min(), path.vix.max(), path.vix[-1]) == (15.2, 15.0, 17.1, 16.9)
