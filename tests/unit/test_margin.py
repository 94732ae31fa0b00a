"""Margin: width less credit where the loss is defined, a scan or a share of the underlying elsewhere."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.domain.contract import Option
from tomking.domain.structure import Structure
from tomking.pricing.black import black
from tomking.risk.margin import Held, margin
from tomking.risk.scan import scan_loss, scan_range
from tomking.risk.settings import Settings

SETTINGS = Settings()
SPOT = 5500.0
LT112 = "+1 ES 2031-07-03 P5200 / -1 ES 2031-07-03 P5150 / -2 ES 2031-07-03 P4590"


def held(text: str) -> list[Held]:
    return [Held(leg.contract, leg.ratio) for leg in Structure.parse("any", text).legs]


def mids_of(legs: list[Held], spot: float = SPOT, years: float = 120 / 365) -> np.ndarray:
    """B.2's fixture surface: 14.55 % at the money, 0.30 steeper per unit of log-strike."""
    options = [leg.contract for leg in legs]
    strikes = np.array([float(o.strike) for o in options if isinstance(o, Option)])
    rights = np.array([int(o.right) for o in options if isinstance(o, Option)])
    vols = np.maximum(0.1455 - 0.30 * np.log(strikes / spot), 0.05)
    same = np.ones_like(strikes)
    return black(
        forward=spot * same, strike=strikes, years=years * same, vol=vols, discount=same, right=rights
    ).price


def received(legs: list[Held], mids: np.ndarray) -> float:
    return float(-sum(leg.count * mid for leg, mid in zip(legs, mids, strict=True)))


def need(text: str, vix: float = 16.0) -> Decimal:
    legs = held(text)
    mids = mids_of(legs)
    answer = margin(legs, mids, received(legs, mids), SPOT, vix, SETTINGS)
    assert answer is not None
    return answer


def test_a_condor_needs_its_width_less_its_credit_on_futures_and_on_indices() -> None:
    # 30 wide for 11.2 points: 18.8 points, x $50 = $940 on ES, x $100 = $1,880 on SPXW.
    for product, dollars in (("ES", 940), ("SPXW", 1880)):
        text = (
            f"+1 {product} 2031-03-07 P5435 / -1 {product} 2031-03-07 P5465 / "
            f"-1 {product} 2031-03-07 C5535 / +1 {product} 2031-03-07 C5565"
        )
        assert margin(held(text), np.full(4, np.nan), 11.2, None, None, SETTINGS) == dollars


def test_a_debit_spread_needs_its_debit() -> None:
    text = "+1 ES 2031-07-03 P5200 / -1 ES 2031-07-03 P5150"
    assert margin(held(text), np.full(2, np.nan), -10.7, None, None, SETTINGS) == 535


def test_an_es_lt112_needs_eight_thousand_dollars_in_a_calm_market() -> None:
    # 10 MES LT112 were planned with GBP 6,250 (four with 2,500), an ES one with GBP 12,000 (B.2).
    assert need(LT112) == pytest.approx(Decimal(8080), abs=10)
    assert need(LT112.replace("ES", "MES")) == pytest.approx(Decimal(808), abs=1)


def test_the_scan_range_is_330_points_and_grows_with_the_root_of_vix() -> None:
    # 6 % of 5,500; at VIX 80 twice that.
    share, calm = SETTINGS.scan_share, SETTINGS.scan_vix
    assert SPOT * scan_range(share, calm, 16.0) == pytest.approx(330.0)
    assert SPOT * scan_range(share, calm, 80.0) == pytest.approx(660.0)
    assert scan_range(share, calm, float("nan")) == share
    assert need(LT112, vix=40.0) > need(LT112, vix=20.0)


@given(
    st.lists(
        st.tuples(st.floats(0.6, 1.3), st.sampled_from([-1.0, 1.0]), st.integers(-3, 3)),
        min_size=1,
        max_size=4,
    ),
    st.floats(0.03, 0.2),
)
def test_the_scan_is_the_worst_of_its_sixteen_scenarios(
    chosen: list[tuple[float, float, int]], share: float
) -> None:
    strikes, rights, counts = (np.array(column) for column in zip(*chosen, strict=True))
    span, same = share * SPOT, np.ones(len(chosen))

    def worth(level: float, shift: float) -> float:
        # All are of 20 % total volatility.
        each = black(
            forward=level * same, strike=SPOT * strikes, years=same, vol=0.2 * shift * same, discount=same,
            right=rights,
        ).price  # fmt: skip
        return float(counts @ each)

    mids = black(
        forward=SPOT * same, strike=SPOT * strikes, years=same, vol=0.2 * same, discount=same, right=rights
    ).price
    steps = [SPOT + span * n / 3 for n in range(-3, 4)]
    losses = [worth(SPOT, 1) - worth(level, shift) for level in steps for shift in (0.75, 1.25)]
    losses += [0.33 * (worth(SPOT, 1) - worth(SPOT + sign * 3 * span, 1)) for sign in (-1, 1)]
    legs = np.column_stack((mids, SPOT * strikes, rights, counts.astype(float)))
    assert scan_loss(SPOT, legs, span, 0.25, 3.0, 0.33) == pytest.approx(max(0.0, *losses), abs=1e-6)


def test_a_future_loses_its_scan_range() -> None:
    # The extreme move covers 3 x 330 x 0.33 = 326.7 points, less than the plain 330.
    legs = np.array([[5500.0, 0.0, 0.0, 1.0]])
    assert scan_loss(5500.0, legs, 330.0, 0.25, 3.0, 0.33) == pytest.approx(330.0)


def test_a_far_short_option_needs_its_minimum() -> None:
    # A put worth 0.05 at a strike of 1,500 loses next to nothing in the scan:
    # 1 % of 330 points = 3.30 points, plus its value 0.05 = 3.35 points x $50 = $167.50.
    legs = held("-1 ES 2031-07-03 P1500")
    assert margin(legs, np.array([0.05]), 0.05, SPOT, 16.0, SETTINGS) == pytest.approx(
        Decimal("167.50"), abs=20
    )


def test_an_uncovered_index_put_needs_a_share_of_the_index() -> None:
    # 25 % of 5,500 less 500 out of the money = 875; 15 % is 825; plus 5 points of value: 880 x $100.
    legs = held("-1 SPXW 2031-07-03 P5000")
    assert margin(legs, np.array([5.0]), 5.0, SPOT, 16.0, SETTINGS) == 88_000
    # 900 out of the money: 475 is less than the minimum of 825.
    legs = held("-1 SPXW 2031-07-03 P4600")
    assert margin(legs, np.array([5.0]), 5.0, SPOT, 16.0, SETTINGS) == 83_000


def test_a_long_leg_in_another_expiration_does_not_cover_an_index_option() -> None:
    text = "-1 SPXW 2031-07-03 P5000 / +1 SPXW 2031-08-01 P5000"
    need = margin(held(text), np.array([5.0, 9.0]), -4.0, SPOT, 16.0, SETTINGS)
    assert need is not None
    assert need > 80_000


def test_a_missing_mid_gives_no_figure() -> None:
    assert margin(held(LT112), np.array([80.0, 70.0, np.nan]), 10.0, SPOT, 16.0, SETTINGS) is None
    assert margin(held(LT112), np.array([80.0, 70.0, 14.0]), 18.0, None, 16.0, SETTINGS) is None


def test_an_lt112_never_needs_more_than_its_parts() -> None:
    spread, puts = "+1 ES 2031-07-03 P5200 / -1 ES 2031-07-03 P5150", "-2 ES 2031-07-03 P4590"
    assert need(LT112) <= need(spread) + need(puts)


# mid, strike, right, count of options priced on B.2's surface, or of a future.
RIGHTS = {"call": 1, "put": -1}
legs_of_a_scan = st.lists(
    st.tuples(
        st.integers(900, 1300), st.sampled_from(["call", "put", "future"]), st.sampled_from([-2, -1, 1, 2])
    ),
    min_size=1,
    max_size=4,
)


def columns(legs: list[tuple[int, str, int]]) -> np.ndarray:
    rows = []
    for step, kind, count in legs:
        if kind == "future":
            rows.append((SPOT, 0.0, 0, count))
            continue
        listed = held(f"+1 ES 2031-07-03 {kind[0].upper()}{5 * step}")
        rows.append((float(mids_of(listed)[0]), 5.0 * step, RIGHTS[kind], count))
    return np.array(rows, dtype=np.float64)


@given(legs_of_a_scan, legs_of_a_scan)
def test_a_scan_of_two_never_loses_more_than_two_scans(
    one: list[tuple[int, str, int]], other: list[tuple[int, str, int]]
) -> None:
    losses = [scan_loss(SPOT, columns(legs), 330.0, 0.25, 3.0, 0.33) for legs in (one, other, one + other)]
    assert losses[2] <= losses[0] + losses[1] + 1e-9


@given(st.integers(800, 1000), st.integers(1, 40), st.integers(0, 10_000))
def test_a_vertical_needs_exactly_what_it_can_lose(step: int, wide: int, share: int) -> None:
    text = f"-1 SPXW 2031-07-03 P{5 * step} / +1 SPXW 2031-07-03 P{5 * (step - wide)}"
    credit = Decimal(5 * wide * share) / 10_000
    loss = Structure.parse("vertical", text).max_loss(credit)
    answer = margin(held(text), np.full(2, np.nan), float(credit), None, None, SETTINGS)
    assert loss is not None
    assert answer == pytest.approx(loss * 100, abs=Decimal("0.01"))
