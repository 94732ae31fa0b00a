"""docs/products.md shows the product table as it is, and every doubt that a row has."""

from decimal import Decimal
from pathlib import Path

import pytest

from tomking.domain.fees import FUTURE_FEES, OPTION_FEES
from tomking.domain.products import PRODUCTS, Product

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "products.md").read_text(encoding="utf-8")


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def ticks(row: Product) -> str:
    steps = [plain(tick) for _, tick in row.tick_rule]
    return steps[0] if len(steps) == 1 else f"{steps[0]}; {steps[1]} from {plain(row.tick_from)}"


def line(row: Product) -> str:
    """A row's line of the first table."""
    ratio = ("≈ " if row.ratio_drifts else "") + plain(row.index_ratio)
    settled = f"{row.settlement.value}{', AM' if row.settles_at_open else ''}"
    numbers = (plain(row.multiplier), ratio, ticks(row), plain(row.strike_grid))
    words = (row.style.value, settled, row.fee_class)
    cells = (row.key, row.name, row.family, row.group, *numbers, *words)
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("key", list(PRODUCTS))
def test_the_document_has_the_row(key: str) -> None:
    assert line(PRODUCTS[key]) in TEXT.splitlines()


@pytest.mark.parametrize("key", [key for key, row in PRODUCTS.items() if row.spec is not None])
def test_the_document_has_the_future(key: str) -> None:
    row = PRODUCTS[key]
    assert row.spec is not None
    ends = "delivery" if row.spec.physical else "cash"
    assert f"| {key} | {plain(row.spec.tick)} | {row.spec.months} | {ends} |" in TEXT


@pytest.mark.parametrize("key", [key for key, row in PRODUCTS.items() if row.confirm])
def test_the_document_says_what_must_be_confirmed(key: str) -> None:
    assert f"| {key} | {PRODUCTS[key].confirm} |" in TEXT.splitlines()


def test_the_document_has_the_fees_of_every_class() -> None:
    for name, fee in OPTION_FEES.items():
        future = FUTURE_FEES.get(name)
        other = "" if future is None else f"{future.open} + {future.exchange}"
        assert f"| {name} | {fee.open} | {fee.exchange} | {other} |" in TEXT.splitlines(), name
