"""The two kernels of risk in numbers that can be checked by hand: the scan of margin and full revaluation."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from tomking.domain.products import PRODUCTS
from tomking.pricing.black import black
from tomking.risk.paired import Row
from tomking.risk.revalue import revalue_into
from tomking.risk.scan import scan_loss, scan_range, scanned
from tomking.risk.settings import Settings

SETTINGS = Settings()
LEVEL, SPAN, COVER = 5500.0, 330.0, 0.33
JULY = date(2031, 7, 3)

# ------------------------------------------------------------------------------ the scan: sixteen scenarios


def lost(*legs: tuple[float, float, float, float], level: float = LEVEL, span: float = SPAN) -> float:
    """Legs are mid, strike, right, count; volatility 25 % either way, the extreme move three ranges, 33 %."""
    return float(scan_loss(level, np.array(legs), span, 0.25, 3.0, COVER))


def value(level: float, strike: float, total: float, right: int = 1) -> float:
    return float(black(forward=level, strike=strike, years=1.0, vol=total, discount=1.0, right=right).price)


@pytest.mark.parametrize("side", [1, -1])
def test_a_future_loses_one_range_on_the_side_it_is_wrong_about(side: int) -> None:
    # The extreme move, 990 points, counts with 33 %: 326.7, less than the range of 330.
    assert lost((LEVEL, 0, 0, side)) == pytest.approx(330.0)
    assert lost((LEVEL, 0, 0, 2 * side)) == pytest.approx(660.0)


@pytest.mark.parametrize("right", [1, -1])
@pytest.mark.parametrize("thirds", [1, 2])
def test_a_short_fly_of_no_time_value_loses_most_at_its_middle(right: int, thirds: int) -> None:
    # All strikes out of the money and worth nothing now: at the middle strike, 110 or 220 points away, one
    # call (put) is 110 in the money; a third further out the fly is worth nothing again.
    near, middle, far = (LEVEL + right * 110 * n for n in (thirds - 1, thirds, thirds + 1))
    assert lost((0, near, right, -1), (0, middle, right, 2), (0, far, right, -1)) == pytest.approx(110.0)


def test_what_is_in_the_money_without_time_value_moves_like_the_future() -> None:
    # A long call of 5,000 at exactly 500: 330 lower it is worth 170.  Two of them lose twice that.
    assert lost((500, 5000, 1, 1)) == pytest.approx(330.0)
    assert lost((500, 5000, 1, 2)) == pytest.approx(660.0)
    # What was paid is the most that can be lost: 100 points, though the range is 330.
    assert lost((100, 5400, 1, 1)) == pytest.approx(100.0)


@pytest.mark.parametrize("right", [1, -1])
def test_of_an_extreme_loss_a_third_counts(right: int) -> None:
    # 500 out of the money, worth nothing: nothing within 330 points; 990 away 490 in the money: 0.33 x 490.
    assert lost((0, LEVEL + right * 500, right, -1)) == pytest.approx(161.7)


def test_the_price_never_falls_below_a_hundredth() -> None:
    # At 100 with a range of 150 every step down past two thirds is 1, not below nothing: 99 lost.
    assert lost((100, 0, 0, 1), level=100.0, span=150.0) == pytest.approx(99.0)
    # With a range of 60 the extreme move would be to -80: at 1 a put of 30 is 29 in the money, x 0.33.
    # (Within the range, at 40, it is worth nothing.)
    assert lost((0, 30, -1, -1), level=100.0, span=60.0) == pytest.approx(0.33 * 29)


def test_a_long_straddle_loses_most_where_nothing_moves_and_volatility_falls() -> None:
    call, put = value(LEVEL, LEVEL, 0.1), value(LEVEL, LEVEL, 0.1, -1)
    low = value(LEVEL, LEVEL, 0.075) + value(LEVEL, LEVEL, 0.075, -1)
    assert lost((call, LEVEL, 1, 1), (put, LEVEL, -1, 1)) == pytest.approx(call + put - low, rel=1e-9)


def test_a_short_call_loses_most_where_both_rise() -> None:
    # 330 up with volatility a quarter higher; 990 up counts with a third only, and its volatility stays.
    call = value(LEVEL, LEVEL, 0.4)
    assert lost((call, LEVEL, 1, -1)) == pytest.approx(value(5830.0, LEVEL, 0.5) - call, rel=1e-9)


def test_an_extreme_move_keeps_the_volatility() -> None:
    call = value(LEVEL, 6600.0, 0.05)
    within = value(5830.0, 6600.0, 0.0625) - call
    beyond = 0.33 * (value(6490.0, 6600.0, 0.05) - call)
    assert beyond > within  # so it is the extreme that is told
    assert lost((call, 6600.0, 1, -1)) == pytest.approx(beyond, rel=1e-9)


@pytest.mark.parametrize("mid", [5500.0, np.nan, np.inf])
def test_a_mid_that_no_volatility_gives_has_no_figure(mid: float) -> None:
    # No call is worth as much as what it is on.
    assert np.isnan(lost((LEVEL, 0, 0, 1), (mid, 5000, 1, -1)))


def test_a_mid_below_what_is_in_the_money_counts_as_that() -> None:
    # The call of 5,000 is 500 in the money at 5,500, and quoted at 450: 330 more at the end of the range.
    assert lost((450.0, 5000, 1, -1)) == pytest.approx(330.0)


def test_worlds_do_not_mix() -> None:
    # Two futures and one short call of no value: at 5,500 with a range of 330, at 1,000 with 60, and with
    # twice that at VIX 80.
    rows = [row(0, 0, 2), row(5600, 1, -1)]
    mids = np.array([(5500.0, 1000.0, 1000.0), (0.0, 0.0, 0.0)])
    levels, vixes = np.array([5500.0, 1000.0, 1000.0]), np.array([16.0, 16.0, 80.0])
    found = scanned(rows, mids, levels, vixes, PRODUCTS["ES"], SETTINGS)
    assert found == pytest.approx([660.0, 120.0, 240.0])


# ------------------------------------------------------------------------------ the scan: a position


def row(strike: float, right: int, count: float, root: str = "ES") -> Row:
    return Row(JULY, right, strike, count, root)


def points(
    rows: list[Row], mids: list[float], vix: float = 16.0, settings: Settings = SETTINGS, root: str = "ES"
) -> float:
    found = scanned(
        rows, np.array(mids)[:, None], np.array([LEVEL]), np.array([vix]), PRODUCTS[root], settings
    )
    return float(found[0])


def test_shorts_need_at_least_a_hundredth_of_the_range_each_and_their_value() -> None:
    # Worth nothing at 3,000, far beyond the extreme move: 1 % of 330 for each of two; longs need none, nor
    # does a future, whose own 330 is more.
    assert points([row(3000, -1, -2)], [0.0]) == pytest.approx(6.6)
    assert points([row(3000, -1, -2), row(2900, -1, 5)], [0.0, 0.0]) == pytest.approx(6.6)
    # Half a contract (five micros) bought makes up for nothing of it either.
    assert points([row(3000, -1, -2), row(2900, -1, 0.5)], [0.0, 0.0]) == pytest.approx(6.6)
    assert points([row(0, 0, -1)], [LEVEL]) == pytest.approx(330.0)
    # 400 units of $1: 1 % of 330 for each is 1,320, more than the range, which a future takes no part in.
    assert points([row(0, 0, -1), row(3000, -1, -400)], [LEVEL, 0.0]) == pytest.approx(1320.0)


def test_the_value_of_what_is_short_is_asked_for_and_of_what_is_long_credited() -> None:
    # 500 in the money, no time value.  Short: 330 may be lost, and 500 is what buying it back costs.
    assert points([row(5000, 1, -1)], [500.0]) == pytest.approx(830.0)
    # Long: 330 may be lost of the 500 that it is worth: nothing is asked for.
    assert points([row(5000, 1, 1)], [500.0]) == 0.0
    # Of the 100 that this one is worth all may be lost: nothing again.  The future has no value of its own.
    assert points([row(5400, 1, 1), row(0, 0, 1)], [100.0, LEVEL]) == pytest.approx(330.0)


def test_the_range_is_six_per_cent_to_vix_20_then_grows_with_its_root() -> None:
    future = [row(0, 0, -1)]
    assert [points(future, [LEVEL], vix) for vix in (10.0, 20.0, 45.0, 80.0)] == pytest.approx(
        [330.0, 330.0, 495.0, 660.0]  # sqrt(45 / 20) = 1.5
    )
    assert points(future, [LEVEL], np.nan) == pytest.approx(330.0)  # unknown counts as calm
    assert scan_range(0.06, 20.0, 80.0) == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("product", "vix", "lost"), [("CL", 16.0, 8.4), ("MCL", 80.0, 16.8), ("GC", 16.0, 4.2)]
)
def test_crude_oil_is_scanned_by_twelve_per_cent(product: str, vix: float, lost: float) -> None:
    # At 70.
    seventy = np.array([70.0])
    short = [row(0, 0, -1, product)]
    found = scanned(short, seventy[:, None], seventy, np.array([vix]), PRODUCTS[product], SETTINGS)
    assert found == pytest.approx([lost])


@pytest.mark.parametrize(("credit", "asked"), [(1.0, 0.0), (0.5, 330.0), (0.0, 660.0)])
def test_a_full_contract_against_its_micros_is_credited_as_set(credit: float, asked: float) -> None:
    # One ES against ten MES: together nothing can be lost; apart 330 points each way.
    changed = replace(SETTINGS, micro_credit_share=credit)
    hedged = [row(0, 0, 1), row(0, 0, -1, "MES")]
    assert points(hedged, [LEVEL, LEVEL], settings=changed) == pytest.approx(asked)
    # Without a hedge between them there is nothing to credit.
    alike = [row(0, 0, 1), row(0, 0, 1, "MES")]
    assert points(alike, [LEVEL, LEVEL], settings=changed) == pytest.approx(660.0)


# ------------------------------------------------------------------------------ full revaluation

FORWARD, YEARS, PAID = 100.0, 0.5, 0.98
DECOY = ([-1.0, 1.0], [0.9, 0.8])
"""Another expiry's smile: it lies before the one that is read, and after it."""
SKEWED = ([-0.3, -0.2, -0.1, 0.0, 0.1], [0.40, 0.32, 0.20, 0.10, 0.12])


def revalued(
    strike: float,
    right: int,
    move: list[float],
    *,
    smile: tuple[list[float], list[float]] = SKEWED,
    shift: float = 0.0,
    scale: float = 1.0,
    left: float = 1.0,
    steep: float = 1.0,
) -> list[float]:
    """One leg between two futures at 200, which move only."""
    legs = np.array([(200.0, 0, 0, 1, 0), (FORWARD, strike, YEARS, PAID, right), (200.0, 0, 0, 1, 0)])
    start, stop = len(DECOY[0]), len(DECOY[0]) + len(smile[0])
    smile_of = np.array([(0, 0), (start, stop), (0, 0)])
    moves = np.tile(np.array(move), (3, 1))
    out = np.empty(moves.shape)
    revalue_into(
        legs,
        smile_of,
        np.array(DECOY[0] + smile[0] + DECOY[0]),
        np.array(DECOY[1] + smile[1] + DECOY[1]),
        moves,
        np.full(moves.shape, shift),
        np.full(moves.shape, scale),
        np.full(moves.shape, left),
        steep,
        out,
    )
    for future in (out[0], out[2]):
        assert future == pytest.approx(200.0 * moves[0])
    return [float(one) for one in out[1]]


def worth(strike: float, right: int, vol: float, forward: float = FORWARD, left: float = 1.0) -> Any:
    price = black(
        forward=forward, strike=strike, years=YEARS * left, vol=vol, discount=PAID**left, right=right
    ).price
    return pytest.approx(float(price), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("moneyness", "vol"),
    [
        (-0.5, 0.40),
        (-0.3, 0.40),
        (-0.25, 0.36),
        (-0.2, 0.32),
        (-0.175, 0.29),
        (-0.1, 0.20),
        (-0.025, 0.125),
        (0.0, 0.10),
        (0.05, 0.11),
        (0.1, 0.12),
        (0.4, 0.12),
    ],
)
def test_the_smile_is_linear_between_its_points_and_flat_beyond(moneyness: float, vol: float) -> None:
    strike = FORWARD * float(np.exp(moneyness))
    for right in (1, -1):
        assert revalued(strike, right, [1.0]) == [worth(strike, right, vol)]


def test_a_volatility_stays_with_its_moneyness_when_the_forward_moves() -> None:
    # The strike of 100 after 10 % down: ln(100 / 90) = 0.105, beyond the last point: 12 %.  After 10 % up:
    # ln(100 / 110) = -0.0953: 10 % + 0.953 x 10 points.  Cells of one move in between others are told alike.
    down, up = worth(100, -1, 0.12, 90.0), worth(100, -1, 0.10 + float(np.log(1.1)), 110.0)
    assert revalued(100, -1, [0.9, 0.9, 1.1, 0.9, 1.1, 1.1]) == [down, down, up, down, up, up]


def test_the_skew_is_made_steeper_below_the_forward_only() -> None:
    below, above = FORWARD * float(np.exp(-0.1)), FORWARD * float(np.exp(0.1))
    # 10 % at the money and 20 % at -0.1: 10 + 1.5 x 10; 12 % at 0.1 as it was.
    assert revalued(below, -1, [1.0], steep=1.5) == [worth(below, -1, 0.25)]
    assert revalued(above, 1, [1.0], steep=1.5) == [worth(above, 1, 0.12)]


def test_a_volatility_is_scaled_before_it_is_shifted() -> None:
    # 1.5 x 20 % + 3 points = 33 %.
    below = FORWARD * float(np.exp(-0.1))
    assert revalued(below, -1, [1.0], scale=1.5, shift=0.03) == [worth(below, -1, 0.33)]


def test_no_volatility_falls_below_three_per_cent() -> None:
    # 10 % less 8 points would be 2 %; less 6.5 it is 3.5 %.
    assert revalued(100, 1, [1.0], shift=-0.08) == [worth(100, 1, 0.03)]
    assert revalued(100, 1, [1.0], shift=-0.065) == [worth(100, 1, 0.035)]


def test_time_that_passes_takes_discount_with_it() -> None:
    assert revalued(100, 1, [1.0], left=0.25) == [worth(100, 1, 0.10, left=0.25)]
    # At expiry 105 is worth 5, whatever the volatility, and nothing is discounted any more.
    assert revalued(100, 1, [1.05], left=0.0) == [pytest.approx(5.0)]


def test_one_point_is_a_flat_smile_and_none_is_no_price() -> None:
    for strike in (80, 100, 125):
        assert revalued(strike, 1, [1.0], smile=([0.0], [0.25])) == [worth(strike, 1, 0.25)]
    assert np.isnan(revalued(100, 1, [1.0, 0.9], smile=([], []))).all()
