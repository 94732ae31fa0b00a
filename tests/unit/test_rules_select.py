"""Picking strikes and expiries."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.world import chain, flat
from tests.worlds import FRIDAY, at

from tomking.domain.chain import NO_QUOTE, Chain
from tomking.domain.contract import Right
from tomking.rules import select

# Six hours before the close at 15 %: one standard deviation is 5,500 x 0.15 x root(330 / 98,280) = 47.8.
CONDOR = chain("ES", FRIDAY, at("10:30"), forward=5500.0, years=330 / (390 * 252), vol=flat(0.15))


def test_a_strike_is_rounded_away_from_the_money() -> None:
    call = select.strike_outward(CONDOR, Right.CALL, 5531.0)
    put = select.strike_outward(CONDOR, Right.PUT, 5469.0)
    assert [call and call.strike, put and put.strike] == [5535, 5465]


def test_a_listed_strike_is_its_own_rounding_unless_it_must_lie_beyond() -> None:
    at_it = select.strike_outward(CONDOR, Right.CALL, 5530.0)
    beyond = select.strike_outward(CONDOR, Right.CALL, 5530.0, beyond=True)
    assert [at_it and at_it.strike, beyond and beyond.strike] == [5530, 5535]


def test_the_worked_example_s_deltas() -> None:
    # Methodology B.1: half an ATR of 60 is 5530, about 27 delta: N(ln(5500/5530)/0.00869 + 0.004) = 0.267.
    calls = [select.strike_outward(CONDOR, Right.CALL, k) for k in (5530.0, 5535.0)]
    assert [round(select.delta_of(CONDOR, c) or 0, 3) for c in calls if c] == [0.267, 0.234]
    moved = select.strike_outward(CONDOR, Right.PUT, 5470.0, delta_max=0.25)
    assert moved
    assert moved.strike == 5465


def test_the_nearest_delta_stays_in_its_band() -> None:
    short = select.nearest_delta(CONDOR, Right.CALL, 0.15)
    assert short
    assert short.strike == 5550
    assert select.nearest_delta(CONDOR, Right.CALL, 0.15, low=0.151, high=0.152) is None


def test_a_strike_limit_holds_back_the_nearest_delta() -> None:
    short = select.nearest_delta(CONDOR, Right.PUT, 0.15, most=5430.0)
    assert short
    assert short.strike == 5430


def test_a_wing_is_the_nearest_listed_strike_and_never_the_short_itself() -> None:
    short = select.strike_outward(CONDOR, Right.PUT, 5465.0)
    assert short
    wing = select.wing(CONDOR, short, 31.0)
    assert wing
    assert wing.strike == 5435
    # 2 points are wished, the nearest listed is 5 away: more than half of the wish amiss.
    assert select.wing(CONDOR, short, 2.0) is None


def test_nobody_s_bid_is_not_sold() -> None:
    far = select.strike_outward(CONDOR, Right.CALL, 5900.0)
    assert far is None


def test_points_follow_the_index_and_the_product() -> None:
    # 30 points at 5,500 are 11.26 at 2,065, and a tenth of that on XSP.
    assert select.scaled(Decimal(30), 2065.0, "ES") == pytest.approx(11.2636, abs=1e-4)
    assert select.scaled(Decimal(30), 5500.0, "XSP") == pytest.approx(3.0)


def test_an_expected_move_is_one_standard_deviation() -> None:
    # 5,500 x 0.15 x root(330 / 98,280) = 47.81 points.
    assert select.expected_move(CONDOR) == pytest.approx(47.81, abs=0.01)


def test_the_nearest_expiry_and_the_standard_one_before_it() -> None:
    today = date(2031, 3, 5)
    friday, third_friday = date(2031, 7, 3), date(2031, 6, 20)
    listed = [third_friday, friday, date(2031, 7, 11)]
    near = select.expiry_near(listed, today, 120, low=100, high=130)
    standard = select.expiry_near(listed, today, 120, low=100, high=130, first_choice=select.is_standard)
    assert (near, standard) == (friday, third_friday)
    assert select.expiry_near(listed, today, 120, low=100, high=130, without={friday}) == date(2031, 7, 11)
    assert select.expiry_near(listed, today, 120, low=60, high=90) is None


@pytest.mark.parametrize(
    ("day", "standard"),
    [
        ("2031-03-21", True),
        ("2031-03-28", False),
        ("2031-03-31", True),
        ("2031-02-28", True),
        ("2031-03-14", False),
    ],
)
def test_third_fridays_and_month_ends_are_standard(day: str, standard: bool) -> None:
    assert select.is_standard(date.fromisoformat(day)) is standard


@given(st.floats(5300, 5700), st.sampled_from(Right), st.floats(0.05, 0.5))
def test_outward_is_never_nearer_than_asked(level: float, right: Right, most: float) -> None:
    found = select.strike_outward(CONDOR, right, level, delta_max=most)
    if found is not None:
        assert (float(found.strike) - level) * int(right) >= -1e-9
        assert (select.delta_of(CONDOR, found) or 0) <= most


def test_a_chain_without_volatilities_offers_nothing_by_delta() -> None:
    nan = np.full(len(CONDOR.strike), np.nan)
    blind = Chain(
        **{**{f: getattr(CONDOR, f) for f in Chain.__slots__ if f != "__weakref__"}, "delta": nan, "iv": nan}
    )
    assert select.nearest_delta(blind, Right.PUT, 0.15) is None
    assert select.expected_move(blind) is None


def unquoted(rows: set[int]) -> Chain:
    """The condor's chain as a recording has it where nobody quotes ``rows``; the surface fills them in."""
    gone = np.isin(np.arange(len(CONDOR.strike)), sorted(rows))
    bid, ask = np.where(gone, NO_QUOTE, CONDOR.bid), np.where(gone, NO_QUOTE, CONDOR.ask)
    return replace(CONDOR, bid=bid, ask=ask, interpolated=gone)


def row_of(right: Right, strike: int) -> int:
    found = (CONDOR.right == int(right)) & (CONDOR.strikes == strike)
    return int(np.flatnonzero(found)[0])


def test_a_chain_that_says_nothing_of_it_has_no_interpolated_row() -> None:
    assert CONDOR.interpolated.tolist() == [False] * len(CONDOR.strike)
    with pytest.raises(AssertionError, match="another chain's rows"):
        replace(CONDOR, interpolated=np.ones(3, np.bool_))


def test_the_next_quoted_strike_is_taken_where_the_wished_one_is_interpolated() -> None:
    # All quoted: 5550, 5535 from 5531, and 31 points below 5465 is 5435.
    gone = {row_of(Right.CALL, 5550), row_of(Right.CALL, 5535), row_of(Right.PUT, 5435)}
    chain = unquoted(gone)
    short = select.nearest_delta(chain, Right.CALL, 0.15)
    out = select.strike_outward(chain, Right.CALL, 5531.0)
    put = select.strike_outward(CONDOR, Right.PUT, 5465.0)
    assert put
    wing = select.wing(chain, put, 31.0)
    assert [o and o.strike for o in (short, out, wing)] == [5555, 5540, 5430]


def test_what_is_offered_but_not_bid_for_is_no_wing() -> None:
    # A bid of 0 is a quote; no bid at all is none: the wing could be bought and not sold again.
    put = select.strike_outward(CONDOR, Right.PUT, 5465.0)
    assert put
    at = row_of(Right.PUT, 5435)
    for bid, strike in ((0, 5435), (NO_QUOTE, 5430)):
        changed = CONDOR.bid.copy()
        changed[at] = bid
        wing = select.wing(replace(CONDOR, bid=changed), put, 31.0)
        assert wing
        assert wing.strike == strike


def test_a_mark_alone_keeps_a_row_from_being_traded() -> None:
    # Crossed quotes have two sides and are no market: the mark decides.
    crossed = np.zeros(len(CONDOR.strike), np.bool_)
    crossed[row_of(Right.CALL, 5550)] = True
    short = select.nearest_delta(replace(CONDOR, interpolated=crossed), Right.CALL, 0.15)
    assert short
    assert short.strike != 5550


def test_what_is_held_keeps_its_delta_when_nobody_quotes_it() -> None:
    short = select.nearest_delta(CONDOR, Right.CALL, 0.15)
    assert short
    assert select.delta_of(unquoted({row_of(Right.CALL, 5550)}), short) == select.delta_of(CONDOR, short)


def test_the_expected_move_is_that_of_quoted_calls() -> None:
    wild = replace(CONDOR, iv=np.where(CONDOR.strike == CONDOR.strike[row_of(Right.CALL, 5500)], 9.9, 0.15))
    marked = np.arange(len(CONDOR.strike)) == row_of(Right.CALL, 5500)
    assert select.expected_move(replace(wild, interpolated=marked)) == pytest.approx(47.81, abs=0.01)


NEAR = [row_of(r, k) for r in Right for k in range(5300, 5700, 5)]


@given(
    st.sets(st.sampled_from(NEAR), max_size=120),
    st.sampled_from(Right),
    st.floats(0.02, 0.6),
    st.floats(5300, 5700),
    st.floats(5, 60),
)
def test_no_selection_ever_returns_an_interpolated_row(
    gone: set[int], right: Right, delta: float, level: float, points: float
) -> None:
    chain = unquoted(gone)
    found = [
        select.nearest_delta(chain, right, delta),
        select.strike_outward(chain, right, level),
        *(
            select.wing(chain, short, points)
            for short in [select.nearest_delta(CONDOR, right, delta)]
            if short
        ),
    ]
    rows = {row_of(o.right, int(o.strike)) for o in found if o}
    assert not rows & gone


def test_quoted_strikes_are_those_that_may_be_sold() -> None:
    rows, strikes, mids = select.quoted_strikes(unquoted({row_of(Right.CALL, 5500)}), Right.CALL)
    assert 5500.0 not in strikes
    assert (np.diff(strikes) > 0).all()
    first = CONDOR.option(int(rows[0]))
    assert (float(first.strike), first.right) == (strikes[0], Right.CALL)
    assert (mids > 0).all()


def test_a_volatility_is_read_between_strikes() -> None:
    sloped = replace(CONDOR, iv=np.tile(CONDOR.strikes[: len(CONDOR.strikes) // 2] / 50_000, 2))
    assert select.iv_at(sloped, Right.CALL, 5502.5) == pytest.approx(0.11005)
    blind = replace(CONDOR, iv=np.full(len(CONDOR.strikes), np.nan))
    assert select.iv_at(blind, Right.CALL, 5500.0) is None
