"""How wide the modelled market quotes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.sim.spreads import half_spread, quote_counts, stress_factor

NICKEL = (0.05, 2, 60)
"""Points per count, counts between quotes at and above 60 counts: SPXW at 5,500."""


def test_a_half_spread_by_hand() -> None:
    # 0.064 + 0.047 sqrt(16) = 0.252 at VIX 16 and 30 days; half of it within a week; at VIX 64
    # 4**0.72 = 2.713 times as wide.
    assert half_spread(16.0, 0.0, stress_factor(16.0, 30.0, 1.0)) == pytest.approx(0.252)
    assert half_spread(16.0, 0.0, stress_factor(16.0, 3.0, 1.0)) == pytest.approx(0.126)
    assert stress_factor(64.0, 30.0, 1.0) == pytest.approx(2.713, abs=1e-3)


def test_a_quote_is_rounded_outward() -> None:
    # 2.00 less and plus 0.064 + 0.047 sqrt(2) = 0.1305: 1.8695 and 2.1305, so 1.85 to 2.15.
    assert quote_counts(40.0, 0.0, 1.0, *NICKEL) == (37, 43)


@given(st.floats(0.0, 400.0), st.floats(0.0, 0.5), st.floats(9.0, 90.0), st.floats(0.0, 400.0))
def test_spreads_widen_with_vix_and_depth_and_hold_the_mid(
    price: float, depth: float, vix: float, days: float
) -> None:
    calm, stressed = stress_factor(vix, days, 1.0), stress_factor(vix + 5, days, 1.0)
    assert half_spread(price, depth, calm) <= half_spread(price, depth, stressed)
    assert half_spread(price, 0.0, calm) <= half_spread(price, depth, calm)
    bid, ask = quote_counts(price / 0.05, depth, calm, *NICKEL)
    assert 0 <= bid < ask
    assert bid - 1e-6 <= price / 0.05 <= ask + 1e-6
