"""Forward and discount factor out of put-call parity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.black import black
from tomking.pricing.parity import Parity, imply_forward
from tomking.pricing.terms import Terms, imply_terms


def implied(
    forward: float, discount: float, years: float, *, prior: float, noise: float = 0.1, outlier: float = 0.0
) -> Parity | None:
    strike = np.arange(0.7 * forward, 1.3 * forward, 0.01 * forward)
    call, put = (
        black(forward=forward, strike=strike, years=years, vol=0.2, discount=discount, right=r).price
        for r in (1, -1)
    )
    call = call + np.where(np.arange(strike.size) % 10 == 3, outlier, 0.0)
    return imply_forward(
        strike=strike,
        call=call,
        put=put,
        noise=np.full(strike.size, noise),
        discount=prior,
        discount_sd=0.005 * years,
    )


def test_by_hand() -> None:
    # D 0.99, F 101: C - P = 0.99 (101 - K) = 10.89, 0.99 and -8.91 at 90, 100 and 110.
    found = imply_forward(
        strike=np.array([90.0, 100.0, 110.0]),
        call=np.array([11.0, 2.0, 0.09]),
        put=np.array([0.11, 1.01, 9.0]),
        noise=np.full(3, 0.01),
        discount=0.99,
        discount_sd=0.01,
    )
    assert found is not None
    assert found.forward == pytest.approx(101)
    assert found.discount == pytest.approx(0.99)
    assert found.pairs == 3


@given(st.floats(200, 8_000), st.floats(0, 0.08), st.floats(0.002, 2))
def test_exact_prices_give_back_the_forward(forward: float, rate: float, years: float) -> None:
    discount = float(np.exp(-rate * years))
    found = implied(forward, discount, years, prior=discount)
    assert found is not None
    assert found.forward == pytest.approx(forward, rel=1e-9)
    assert found.discount == pytest.approx(discount, rel=1e-9)


def test_a_year_of_quotes_outweighs_a_wrong_prior_and_an_hour_of_them_does_not() -> None:
    # 1 %: a year out the prior of 0 % (0.5 % wide) yields to 60 tight strikes ...
    year = implied(2_000, 0.99, 1.0, prior=1.0)
    assert year is not None
    assert year.discount == pytest.approx(0.99, abs=1e-4)
    # ... and four minutes before the end the slope of the quotes decides nothing.
    minutes = implied(2_000, 0.999, 1e-5, prior=1.0)
    assert minutes is not None
    assert minutes.discount == pytest.approx(1.0, abs=1e-6)


def test_wrong_quotes_are_left_out() -> None:
    found = implied(2_000, 0.99, 1.0, prior=0.99, outlier=25.0)
    assert found is not None
    assert found.forward == pytest.approx(2_000, abs=0.01)
    assert found.pairs == 54  # of 60: every tenth was wrong


def test_two_strikes_imply_nothing() -> None:
    two = np.array([1.0, 2.0])
    assert imply_forward(strike=two, call=two, put=two, noise=two, discount=1, discount_sd=0.01) is None


# ----------------------------------------------------------------------------------- whole chains


def two_expiries(order: list[int] | slice = slice(None), **changed: np.ndarray) -> Terms:
    """D 0.99, F 101 as by hand above, then two pairs of a later expiry; half-spreads of 0.01."""
    strike = np.array([90.0, 100, 110, 90, 100, 110, 90, 100, 90, 100])
    mids = np.array([0.11, 1.01, 9.0, 11.0, 2.0, 0.09, 0.5, 1.5, 12.0, 3.0])
    columns = {
        "row_expiry": np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
        "strike": strike,
        "right": np.array([-1.0, -1, -1, 1, 1, 1, -1, -1, 1, 1]),
        "bid": mids - 0.01,
        "ask": mids + 0.01,
    } | changed
    shuffled = {name: column[order] for name, column in columns.items()}
    return imply_terms(calendar_years=np.array([0.2, 0.5]), rate=0.05, rate_sd=0.005, **shuffled)


def test_a_chain_s_terms_are_those_of_each_expiry_and_two_pairs_imply_none() -> None:
    # The slope of three tight pairs outweighs a prior of exp(-0.05 x 0.2) = 0.990 +- 0.001.
    found = two_expiries()
    assert found.forward[0] == pytest.approx(101, abs=0.01)
    assert found.discount[0] == pytest.approx(0.99, abs=2e-4)
    assert found.residual[0] < 0.01
    assert np.isnan([column[1] for column in found]).all()


@given(st.permutations(range(10)))
def test_rows_may_come_in_any_order(order: list[int]) -> None:
    assert [c.tobytes() for c in two_expiries(order)] == [c.tobytes() for c in two_expiries()]


def test_a_side_that_is_missing_or_crossed_makes_no_pair() -> None:
    bid = np.array([0.10, 1.00, 8.99, 10.99, 1.99, 0.08, 0.49, 1.49, 11.99, 2.99])
    for spoiled in (np.nan, 50.0):
        bid[4] = spoiled
        assert np.isnan(two_expiries(bid=bid).forward).all()
