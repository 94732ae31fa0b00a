"""One instant's quotes read: whose number is whose, and what stands in where nobody quotes."""

import csv
import gzip
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.pricing.black import black
from tomking.pricing.snapshot import Instant, Reading, read_instant

CHAIN = Path(__file__).resolve().parents[2] / "../shared/data/chains/spxw_15min_20160428.csv.gz"
YEARS = np.array([0.02, 0.1, 0.3])
FORWARD = np.array([5_002.0, 5_010.0, 5_030.0])
DISCOUNT = np.exp(-0.04 * YEARS)
STRIKES = np.arange(4_400.0, 5_605.0, 25.0)


def smile(years: np.ndarray, k: np.ndarray) -> np.ndarray:
    # 20 % at the money, SSVI with rho -0.6: free of arbitrage.
    theta = 0.04 * years
    phi = 0.6 / np.sqrt(theta)
    return np.asarray(
        np.sqrt(0.5 * theta * (1 - 0.6 * phi * k + np.sqrt((phi * k - 0.6) ** 2 + 0.64)) / years)
    )


def made(half: float = 0.25) -> Instant:
    e = np.repeat(np.arange(3), 2 * STRIKES.size)
    right = np.tile(np.repeat((-1.0, 1.0), STRIKES.size), 3)
    strike = np.tile(STRIKES, 6)
    price = black(
        forward=FORWARD[e],
        strike=strike,
        years=YEARS[e],
        vol=smile(YEARS[e], np.log(strike / FORWARD[e])),
        discount=DISCOUNT[e],
        right=right,
    ).price
    return Instant(5_000.0, 0.04, YEARS, YEARS, e, strike, right, np.maximum(price - half, 0.0), price + half)


def without(instant: Instant, rows: np.ndarray) -> Instant:
    """The same with nobody quoting ``rows``."""
    bid, ask = instant.bid.copy(), instant.ask.copy()
    bid[rows], ask[rows] = np.nan, np.nan
    return instant._replace(bid=bid, ask=ask)


def true_vol(instant: Instant) -> np.ndarray:
    e = instant.row_expiry
    return smile(YEARS[e], np.log(instant.strike / FORWARD[e]))


WHOLE = made()


def row(e: int, strike: float, right: float) -> int:
    return int(np.flatnonzero((WHOLE.row_expiry == e) & (WHOLE.strike == strike) & (WHOLE.right == right))[0])


def test_a_quoted_row_keeps_the_volatility_of_its_own_mid_whatever_its_neighbours_say() -> None:
    odd = row(1, 4_800.0, -1.0)
    bid, ask = WHOLE.bid.copy(), WHOLE.ask.copy()
    bid[odd] += 3.0
    ask[odd] += 3.0
    reading, whole = read_instant(WHOLE._replace(bid=bid, ask=ask)), read_instant(WHOLE)
    assert not reading.interpolated[odd]
    # Vega at 4,800: 5,010 x root(0.1) x 0.9987 n(d1), d1 = ln(5010/4800)/0.0664 + 0.033 = 0.68: 501, so
    # 3 points are 0.6 of a per cent of volatility.
    assert reading.iv[odd] - whole.iv[odd] == pytest.approx(0.006, abs=0.0005)


def test_rows_that_nobody_quotes_are_the_surfaces_and_say_so() -> None:
    gone = np.array([row(0, 4_950.0, -1.0), row(1, 5_000.0, 1.0), row(2, 4_400.0, -1.0)])
    reading = read_instant(without(WHOLE, gone))
    assert np.flatnonzero(reading.interpolated).tolist() == sorted(gone.tolist())
    assert reading.iv[gone] == pytest.approx(true_vol(WHOLE)[gone], abs=0.001)
    e = WHOLE.row_expiry[gone]
    delta = black(
        forward=reading.forward[e],
        strike=WHOLE.strike[gone],
        years=YEARS[e],
        vol=reading.iv[gone],
        discount=reading.discount[e],
        right=WHOLE.right[gone],
    ).delta
    assert reading.delta[gone].tolist() == delta.tolist()


@pytest.mark.parametrize(
    ("bid", "ask", "interpolated"),
    [
        (math.nan, 8.0, True),
        (7.5, math.nan, True),
        (8.0, 7.5, True),
        (0.0, 0.05, False),
        (7.5, 7.5, False),
    ],
)
def test_a_usable_quote_has_two_sides_that_do_not_cross(bid: float, ask: float, interpolated: bool) -> None:
    at = row(1, 4_500.0, -1.0)
    bids, asks = WHOLE.bid.copy(), WHOLE.ask.copy()
    bids[at], asks[at] = bid, ask
    reading = read_instant(WHOLE._replace(bid=bids, ask=asks))
    assert reading.interpolated[at] == interpolated
    assert np.isfinite(reading.iv[at])


def test_a_quoted_price_without_a_volatility_stays_without_one() -> None:
    # A call 600 points in the money at 590 to 595: less than it is worth exercised.
    at = row(0, 4_400.0, 1.0)
    bid, ask = WHOLE.bid.copy(), WHOLE.ask.copy()
    bid[at], ask[at] = 590.0, 595.0
    reading = read_instant(WHOLE._replace(bid=bid, ask=ask))
    assert np.isnan(reading.iv[at])
    assert np.isnan(reading.delta[at])
    assert not reading.interpolated[at]


def test_terms_come_from_the_pairs_of_the_chain_itself() -> None:
    reading = read_instant(WHOLE)
    assert reading.paired.all()
    assert reading.forward == pytest.approx(FORWARD, abs=0.01)
    assert reading.discount == pytest.approx(DISCOUNT, abs=1e-4)


def test_an_expiry_without_pairs_lies_between_its_neighbours() -> None:
    # 0.1 years is 2/7 of the way from 0.02 to 0.3, in logarithms.
    reading = read_instant(without(WHOLE, np.flatnonzero((WHOLE.row_expiry == 1) & (WHOLE.right > 0))))
    assert reading.paired.tolist() == [True, False, True]
    assert reading.forward[1] == pytest.approx(5_002 ** (5 / 7) * 5_030 ** (2 / 7), abs=0.02)
    assert reading.discount[1] == pytest.approx(math.exp(-0.04 * 0.1), abs=1e-4)


def test_outside_the_implied_expiries_terms_lead_from_the_spot_and_go_on_at_the_rate() -> None:
    # Before: 0.02 of 0.1 years is a fifth of the way from 5,000 now to 5,010.
    edges = (WHOLE.row_expiry != 1) & (WHOLE.right > 0)
    reading = read_instant(without(WHOLE, np.flatnonzero(edges)))
    assert reading.paired.tolist() == [False, True, False]
    assert reading.forward[0] == pytest.approx(5_002, abs=0.02)
    # After: 0.2 years at 4 %, 5,010 x 1.00803.
    assert reading.forward[2] == pytest.approx(5_010 * math.exp(0.04 * 0.2), abs=0.02)
    assert reading.discount[2] == pytest.approx(math.exp(-0.04 * 0.3), abs=1e-4)


def test_with_no_pair_at_all_the_rate_carries_the_spot() -> None:
    reading = read_instant(without(WHOLE, np.flatnonzero(WHOLE.right > 0)))
    assert not reading.paired.any()
    assert reading.forward == pytest.approx(5_000 / DISCOUNT)
    assert reading.discount == pytest.approx(DISCOUNT)


def test_an_expiry_whose_calls_and_puts_disagree_bends_no_surface() -> None:
    # Every other call of the middle expiry is 12 points too dear: it was quoted in another minute.
    stale = (WHOLE.row_expiry == 1) & (WHOLE.right > 0) & (WHOLE.strike % 50 == 0)
    bid, ask = WHOLE.bid + 12.0 * stale, WHOLE.ask + 12.0 * stale
    gone = row(1, 4_900.0, -1.0)
    reading = read_instant(without(WHOLE._replace(bid=bid, ask=ask), np.array([gone])))
    assert reading.surface is not None
    assert reading.surface.years.tolist() == [0.02, 0.3]
    assert reading.iv[gone] == pytest.approx(true_vol(WHOLE)[gone], abs=0.005)


def test_where_no_surface_can_be_fitted_each_row_has_its_own_or_nothing() -> None:
    # Bids of 0 throughout: no mid is believed by the fit, each is one still.
    reading = read_instant(without(WHOLE._replace(bid=np.zeros_like(WHOLE.bid)), np.array([3, 100])))
    assert reading.surface is None
    assert not reading.interpolated.any()
    assert np.isnan(reading.iv[[3, 100]]).all()
    assert np.isfinite(reading.iv).sum() > 100


def test_expiries_that_end_together_are_one_to_the_surface() -> None:
    together = np.array([0.02, 0.1, 0.1])
    reading = read_instant(WHOLE._replace(years=together, calendar_years=together))
    assert reading.surface is not None
    assert reading.surface.years.tolist() == [0.02, 0.1]
    assert np.isfinite(reading.iv).sum() > 200


@given(st.sets(st.integers(0, WHOLE.strike.size - 1), max_size=60))
def test_exactly_the_rows_without_a_quote_are_interpolated(gone: set[int]) -> None:
    reading = read_instant(without(WHOLE, np.array(sorted(gone), dtype=np.int64)))
    assert set(np.flatnonzero(reading.interpolated).tolist()) == gone
    assert np.isfinite(reading.iv[sorted(gone)]).all()
    assert np.isfinite(reading.delta[sorted(gone)]).all()


def test_the_order_of_rows_is_nothing_to_the_reading() -> None:
    order = np.random.default_rng(7).permutation(WHOLE.strike.size)
    gone = without(WHOLE, np.array([row(1, 5_000.0, 1.0)]))
    mixed = gone._replace(
        row_expiry=gone.row_expiry[order],
        strike=gone.strike[order],
        right=gone.right[order],
        bid=gone.bid[order],
        ask=gone.ask[order],
    )
    one, other = read_instant(gone), read_instant(mixed)
    assert one.forward.tolist() == other.forward.tolist()
    assert one.interpolated[order].tolist() == other.interpolated.tolist()
    assert one.iv[order] == pytest.approx(other.iv, abs=1e-6, nan_ok=True)


NUMBERS = st.sampled_from([math.nan, 0.0, 1e-9, 0.05, 1.0, 20.0, 100.0, 1e4, 1e7])


@given(
    st.sets(st.sampled_from([1e-5, 1e-3, 0.1, 0.5, 3.0]), min_size=1),
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.floats(1.0, 1_000.0),
            st.sampled_from((-1.0, 1.0)),
            NUMBERS,
            NUMBERS,
        ),
        max_size=40,
    ),
)
def test_any_quotes_at_all_give_a_reading(
    years: set[float], rows: list[tuple[int, float, float, float, float]]
) -> None:
    ends = np.array(sorted(years))
    cells = np.array(rows, dtype=np.float64).reshape(-1, 5)
    e, strike, right, bid, ask = (np.ascontiguousarray(column) for column in cells.T)
    of = e.astype(np.int64) % ends.size
    reading = read_instant(Instant(100.0, 0.03, ends, 0.8 * ends, of, strike, right, bid, ask))
    two_sided = (bid >= 0) & (ask >= bid)
    assert (np.isfinite(reading.forward) & (reading.forward > 0)).all()
    assert reading.interpolated.tolist() == (~two_sided & (reading.surface is not None)).tolist()
    assert np.isnan(reading.iv).tolist() == np.isnan(reading.delta).tolist()
    assert np.isfinite(reading.iv[reading.interpolated]).all()


# ------------------------------------------------------------------------------------- a real chain


def real() -> Instant:
    if not CHAIN.exists():
        pytest.skip("../shared/data is not here")
    with gzip.open(CHAIN, "rt", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["quote_datetime"] == "2016-04-28 12:00"]
    days = sorted({r["expiration"] for r in rows if r["expiration"] > "2016-04-28"})
    rows = [r for r in rows if r["expiration"] in days]
    calendar = np.array([(date.fromisoformat(d) - date(2016, 4, 28)).days + 1 / 6 for d in days]) / 365
    # Every day alike is near enough to the variance clock here.
    return Instant(
        spot=float(rows[0]["spot_price"]),
        rate=0.003,
        years=calendar,
        calendar_years=calendar,
        row_expiry=np.array([days.index(r["expiration"]) for r in rows]),
        strike=np.array([float(r["strike"]) for r in rows]),
        right=np.array([1.0 if r["option_type"] == "C" else -1.0 for r in rows]),
        bid=np.array([float(r["bid"]) for r in rows]),
        ask=np.array([float(r["ask"]) for r in rows]),
    )


def test_hidden_quotes_of_a_real_chain_are_told_within_their_spread() -> None:
    instant = real()
    whole: Reading = read_instant(instant)
    hidden = np.arange(instant.strike.size) % 7 == 3
    told = read_instant(without(instant, np.flatnonzero(hidden)))
    assert told.interpolated.tolist() == hidden.tolist()
    e = instant.row_expiry
    price = black(
        forward=told.forward[e],
        strike=instant.strike,
        years=instant.years[e],
        vol=told.iv,
        discount=told.discount[e],
        right=instant.right,
    ).price
    out = hidden & (instant.right * (instant.strike - whole.forward[e]) > 0)
    inside = (price >= instant.bid - 1e-9) & (price <= instant.ask + 1e-9)
    assert out.sum() > 300
    assert inside[out].mean() > 0.98
    # Within three standard deviations of 13 % a year a tenth of a volatility point is much.
    near = out & (np.abs(np.log(instant.strike / whole.forward[e])) < 0.4 * np.sqrt(instant.years[e]))
    off = np.abs(told.iv[near] - whole.iv[near])
    assert np.median(off) < 0.0003
    assert np.quantile(off, 0.95) < 0.002
