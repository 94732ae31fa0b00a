"""Prices as counts of a unit: exact, or refused."""

import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tomking.adapters.store.prices import ladder, per_point, rungs, unit
from tomking.domain.products import PRODUCTS


def rung(price: float, base: int = 20) -> int:
    return int(rungs(np.array([price]), ladder(base))[0])


def test_a_product_is_stored_on_its_quote_grid_and_an_unknown_root_in_cents() -> None:
    assert per_point("SPXW") == 20
    assert per_point("XSP") == 100
    assert per_point("AAPL") == 100
    for root, product in PRODUCTS.items():
        assert (product.tick * per_point(root)) % 1 == 0
        assert (product.tick_above * per_point(root)) % 1 == 0


def test_each_unit_of_a_ladder_divides_the_next_and_the_last_has_eight_decimals() -> None:
    for base in (4, 20, 64, 100, 2000):
        assert all(finer % coarser == 0 for coarser, finer in pairwise(ladder(base)))
        assert ladder(base)[-1] % 10**8 == 0
    assert ladder(64)[:2] == (64, 1600)


def test_a_price_takes_the_coarsest_unit_that_gives_it() -> None:
    # The ladder of SPXW: 1/20, 1/100, 1/1,000, ...
    assert [rung(p) for p in (4.35, 4.36, 4.365, 0.00000001)] == [0, 1, 2, 7]


def test_no_quote_needs_no_unit() -> None:
    assert rung(math.nan) == 0


def test_the_noise_of_a_scaled_price_is_not_taken_for_decimals() -> None:
    assert 3 * 0.0001 != 0.0003
    assert rung(3 * 0.0001) == 3


def test_what_has_more_decimals_than_any_price_is_refused() -> None:
    last = len(ladder(20))
    single = float(np.float32(4.36))
    assert [rung(p) for p in (1 / 3, single, math.inf, -math.inf, 1e300)] == [last] * 5


def test_sixty_fourths_are_a_unit_too() -> None:
    assert rung(118.015625, base=64) == 0
    assert unit(64) == Decimal("0.015625")


@given(st.decimals(min_value=-9999, max_value=99999, places=6), st.sampled_from([20, 64, 100, 2000]))
def test_a_decimal_price_comes_back_as_the_same_double(price: Decimal, base: int) -> None:
    value = float(price)
    counts = ladder(base)[rung(value, base)]
    assert round(value * counts) / counts == value
