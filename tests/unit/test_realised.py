"""The estimated implied volatility: what it is by hand, and how far from the real indices."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tomking.adapters.history import family_history
from tomking.domain.bars import FamilyBars
from tomking.pricing.realised import PREMIUM, SHARE, WARM_UP, estimated_volatility

DAILY = Path(__file__).resolve().parents[2] / "../shared/data/daily"


def walk(seed: int, days: int = 400, volatility: float = 0.2) -> NDArray[np.float64]:
    steps = np.random.default_rng(seed).normal(0, volatility / np.sqrt(252), days)
    return np.asarray(100 * np.exp(np.cumsum(steps)), np.float64)


def test_a_steady_market_is_estimated_at_its_volatility_plus_the_premium() -> None:
    # A percent up, a percent down: 0.01 x sqrt(252) = 15.87 %; realised = usual, so 1.04 x 15.87 = 16.51 %.
    calm = 100 * np.exp(0.01 * (np.arange(400) % 2))
    found = estimated_volatility(calm)
    assert found.realised[-1] == pytest.approx(0.01 * np.sqrt(252))
    assert found.volatility[-1] == pytest.approx(PREMIUM * 0.01 * np.sqrt(252))


def test_it_reacts_less_than_realised_volatility() -> None:
    # Daily moves of one percent for 400 days, then of four for 200: realised ends near 4 x 15.87 = 63.5 %.
    moves = np.concatenate((np.full(400, 0.01), np.full(200, 0.04))) * (-1.0) ** np.arange(600)
    found = estimated_volatility(100 * np.exp(np.cumsum(moves)))
    assert found.realised[-1] == pytest.approx(0.635, abs=0.005)
    assert found.volatility[-1] < PREMIUM * found.realised[-1]
    # By hand: usual = sqrt((400 x 1 + 200 x 16) / 600) x 15.87 % = 38.9 %.
    by_hand = PREMIUM * found.realised[-1] ** SHARE * 0.389 ** (1 - SHARE)
    assert found.volatility[-1] == pytest.approx(by_hand, rel=1e-3)


@given(st.integers(0, 10_000), st.integers(70, 390))
def test_nothing_later_is_looked_at(seed: int, known: int) -> None:
    close = walk(seed)
    whole, part = estimated_volatility(close), estimated_volatility(close[:known])
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_array_equal(a[:known], b)


def test_nothing_is_said_before_enough_is_known() -> None:
    found = estimated_volatility(walk(1))
    assert np.isnan(found.volatility[:WARM_UP]).all()
    assert np.isfinite(found.volatility[WARM_UP:]).all()


def test_missing_and_impossible_prices_are_passed_over() -> None:
    close = walk(2)
    holes = close.copy()
    holes[[100, 200]] = np.nan, -37.63
    found = estimated_volatility(holes)
    assert np.isfinite(found.volatility[WARM_UP:]).all()
    assert found.volatility[-1] == pytest.approx(estimated_volatility(close).volatility[-1], rel=0.1)


def test_the_scale_of_the_price_does_not_matter() -> None:
    close = walk(3)
    np.testing.assert_allclose(
        estimated_volatility(close).volatility[WARM_UP:], estimated_volatility(7 * close).volatility[WARM_UP:]
    )


@pytest.mark.skipif(not DAILY.exists(), reason="needs ../shared/data/daily")
@pytest.mark.parametrize(("family", "file"), [("GC", "gvz_daily"), ("CL", "ovx_daily")])
def test_it_is_near_the_published_indices_on_the_median_day(family: str, file: str) -> None:
    history = family_history(family)
    assert isinstance(history, FamilyBars)
    with gzip.open(DAILY / f"{file}.csv.gz", "rt") as lines:
        published = {row["date"]: float(row["close"]) / 100 for row in csv.DictReader(lines) if row["close"]}
    days = [str(day) for day in history.bars.day]
    pairs = [
        (published[day], estimate)
        for day, estimate in zip(days, estimated_volatility(history.bars.close).volatility, strict=True)
        if day in published
    ]
    ratio = np.log([there / here for there, here in pairs])
    assert len(ratio) > 2000
    assert abs(float(np.median(ratio))) < 0.05, np.median(ratio)
    assert ratio.std() < 0.18, ratio.std()
