"""VIX regimes: methodology C.1's table, its hysteresis and the size multiplier."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import at

from tomking.domain.book import Book, apply
from tomking.risk.regime import LEVEL, capital_cap, regime_events, vix_size
from tomking.risk.settings import Settings

SETTINGS = Settings()
NOW = at("11:00")


@pytest.mark.parametrize(
    ("vix", "share", "label"),
    [
        (12.99, "0.45", "COMPLACENT"),
        (13.0, "0.65", "NORMAL"),
        (18.0, "0.75", "ELEVATED"),
        (25.0, "0.50", "HIGH"),
        (30.0, "0.25", "EXTREME"),
        (35.0, "0.25", "EXTREME+"),
        (40.0, "0.15", "CRISIS"),
    ],
)
def test_the_capital_cap_by_vix(vix: float, share: str, label: str) -> None:
    assert capital_cap(Book(), vix, SETTINGS) == (Decimal(share), label)


def test_tightening_acts_at_once_and_loosening_waits_for_a_close_a_point_past() -> None:
    book = Book(levels={LEVEL: "ELEVATED"})
    (tighter,) = regime_events(book, 25.1, NOW, SETTINGS, at_close=False)
    book = apply(book, tighter)
    assert book.levels[LEVEL] == "HIGH"
    # 24.5 is ELEVATED again, but neither intraday nor within a point of 25 at the close.
    assert regime_events(book, 24.5, NOW, SETTINGS, at_close=False) == []
    assert regime_events(book, 24.5, NOW, SETTINGS, at_close=True) == []
    assert capital_cap(book, 24.5, SETTINGS) == (Decimal("0.50"), "HIGH")
    (looser,) = regime_events(book, 23.9, NOW, SETTINGS, at_close=True)
    assert capital_cap(apply(book, looser), 23.9, SETTINGS)[0] == Decimal("0.75")


def test_rising_out_of_complacency_loosens_too() -> None:
    # The cap rises from 45 % to 65 % at VIX 13: it needs a close at 14.
    book = Book(levels={LEVEL: "COMPLACENT"})
    assert regime_events(book, 13.5, NOW, SETTINGS, at_close=True) == []
    assert len(regime_events(book, 14.0, NOW, SETTINGS, at_close=True)) == 1


def test_loosening_goes_as_far_as_a_boundary_was_passed_by_a_point() -> None:
    # From EXTREME (25 %): a close at 24.5 is a point below 30 but not below 25, so HIGH (50 %).
    (looser,) = regime_events(Book(levels={LEVEL: "EXTREME"}), 24.5, NOW, SETTINGS, at_close=True)
    assert capital_cap(apply(Book(levels={LEVEL: "EXTREME"}), looser), 24.5, SETTINGS) == (
        Decimal("0.50"),
        "HIGH",
    )


def test_no_vix_changes_nothing() -> None:
    assert regime_events(Book(levels={LEVEL: "HIGH"}), None, NOW, SETTINGS, at_close=True) == []


@pytest.mark.parametrize(
    ("vix", "share"),
    [(12.0, "1"), (25.0, "1"), (27.5, "0.875"), (30.0, "0.75"), (32.5, "0.625"), (35.0, "0.25"), (40.0, "0")],
)
def test_sizes_shrink_with_the_vix(vix: float, share: str) -> None:
    assert vix_size(vix, SETTINGS) == Decimal(share)


@given(st.floats(5, 150), st.floats(5, 150))
def test_a_higher_vix_never_has_a_larger_size(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert vix_size(high, SETTINGS) <= vix_size(low, SETTINGS)


@given(st.floats(5, 150), st.sampled_from(["COMPLACENT", "NORMAL", "ELEVATED", "HIGH", "EXTREME", "CRISIS"]))
def test_memory_never_loosens_the_table(vix: float, remembered: str) -> None:
    book = replace(Book(), levels={LEVEL: remembered})
    assert capital_cap(book, vix, SETTINGS)[0] <= capital_cap(Book(), vix, SETTINGS)[0]
