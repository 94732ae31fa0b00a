"""The product table against LEAN's databases and against itself; text forms of every product."""

import csv
import json
from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomking.domain.contract import Future, Option, Right, Share, parse_contract
from tomking.domain.fees import FUTURE_FEES, OPTION_FEES
from tomking.domain.products import (
    MICROS_PER_FULL,
    PRODUCTS,
    Kind,
    Settlement,
    Style,
    UnknownProduct,
    Venue,
    micro_of,
    never_traded,
    product,
)

LEAN = Path(__file__).resolve().parents[2] / "../shared/data/lean"
NEEDS_LEAN = pytest.mark.skipif(not LEAN.exists(), reason="needs ../shared/data/lean")

WANTED = "SPX SPXW XSP SPY QQQ IWM ES MES NQ MNQ CL MCL GC MGC 6E M6E ZB ZN SLV GLD TLT XOP VIX VX"
"""Issue 5, item 3."""


def test_every_product_of_the_issue_has_a_row_with_a_source() -> None:
    assert set(PRODUCTS) == set(WANTED.split())
    for key, row in PRODUCTS.items():
        assert row.key == key
        assert row.source
        assert row.group in {"A1", "A2", "B1", "B2", "C1", "E", "V"}


def test_the_rows_that_existed_say_what_they_said() -> None:
    rows = {
        key: (
            str(row.multiplier),
            str(row.index_ratio),
            str(row.tick),
            str(row.tick_above),
            str(row.tick_from),
        )
        for key, row in PRODUCTS.items()
        if key in {"SPX", "SPXW", "XSP", "ES", "MES"}
    }
    assert rows == {
        "SPX": ("100", "1", "0.05", "0.10", "3.00"),
        "SPXW": ("100", "1", "0.05", "0.10", "3.00"),
        "XSP": ("100", "0.1", "0.01", "0.01", "3.00"),
        "ES": ("50", "1", "0.05", "0.25", "10.00"),
        "MES": ("5", "1", "0.05", "0.25", "10.00"),
    }


# ------------------------------------------------------------------------------------- LEAN


def _lean_properties() -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """(symbol, kind, multiplier, tick) of the subset."""
    with (LEAN / "symbol-properties/symbol-properties-subset.csv").open() as lines:
        for cells in csv.reader(line for line in lines if line.strip() and not line.startswith("#")):
            if cells[0] != "market":
                yield cells[1], cells[2], Decimal(cells[5]), Decimal(cells[6])


@NEEDS_LEAN
def test_multipliers_and_ticks_of_futures_are_leans() -> None:
    known = {
        symbol: (multiplier, tick)
        for symbol, kind, multiplier, tick in _lean_properties()
        if kind == "future"
    }
    futures = {key: row for key, row in PRODUCTS.items() if row.kind is Kind.FUTURE}
    compared = sorted(set(futures) & set(known))
    assert compared == ["6E", "CL", "ES", "GC", "MCL", "MES", "MGC", "MNQ", "NQ", "VX", "ZB", "ZN"]
    for key in compared:
        spec = futures[key].spec
        assert spec is not None
        assert (futures[key].multiplier, spec.tick) == known[key], key
    assert set(futures) - set(known) == {"M6E"}


@NEEDS_LEAN
def test_options_on_indices_funds_and_stocks_are_of_100_as_in_lean() -> None:
    wild = {kind: multiplier for symbol, kind, multiplier, _ in _lean_properties() if symbol == "[*]"}
    assert wild["option"] == wild["indexoption"] == 100
    for row in (*PRODUCTS.values(), product("AAPL")):
        assert row.kind is Kind.FUTURE or row.multiplier == 100


@NEEDS_LEAN
@pytest.mark.parametrize("key", [k for k, row in PRODUCTS.items() if row.kind is Kind.FUTURE])
def test_futures_keep_leans_hours_from_sunday_evening_on(key: str) -> None:
    exchange = {"6E": "cme", "M6E": "cme", "CL": "nymex", "MCL": "nymex", "GC": "comex", "MGC": "comex"}
    exchange |= {
        "ES": "cme",
        "MES": "cme",
        "NQ": "cme",
        "MNQ": "cme",
        "ZB": "cbot",
        "ZN": "cbot",
        "VX": "cfe",
    }
    database = json.loads((LEAN / "market-hours/market-hours-subset.json").read_text())["entries"]
    entry = database.get(f"Future-{exchange[key]}-{key}") or database[f"Future-{exchange[key]}-[*]"]
    to_new_york = 1 if entry["exchangeTimeZone"] == "America/Chicago" else 0
    *day, evening = entry["tuesday"]
    hours = PRODUCTS[key].hours
    assert hours.from_evening
    assert hours.open == time(int(evening["start"][:2]) + to_new_york)
    assert hours.close == time(int(day[-1]["end"][:2]) + to_new_york)
    assert entry["sunday"]
    assert not [p for p in entry["friday"] if p["end"].startswith("1.")]  # nobody trades into Saturday


@NEEDS_LEAN
def test_index_options_keep_leans_regular_hours() -> None:
    database = json.loads((LEAN / "market-hours/market-hours-subset.json").read_text())["entries"]
    for key in ("SPX", "SPXW", "VIX"):
        regular = [p for p in database[f"IndexOption-usa-{key}"]["tuesday"] if p["state"] == "market"]
        # Chicago clocks: 08:30 to 15:15.
        assert [(p["start"], p["end"]) for p in regular] == [("08:30:00", "15:15:00")]
        assert (PRODUCTS[key].hours.open, PRODUCTS[key].hours.close) == (time(9, 30), time(16, 15))


# ---------------------------------------------------------------------------------- the rows


@pytest.mark.parametrize(
    ("key", "style", "settlement", "at_open"),
    [
        ("SPX", Style.EUROPEAN, Settlement.CASH, True),
        ("SPXW", Style.EUROPEAN, Settlement.CASH, False),
        ("XSP", Style.EUROPEAN, Settlement.CASH, False),
        ("VIX", Style.EUROPEAN, Settlement.CASH, True),
        ("ES", Style.EUROPEAN, Settlement.FUTURE, False),
        ("CL", Style.AMERICAN, Settlement.FUTURE, False),
        ("MCL", Style.EUROPEAN, Settlement.CASH, False),
        ("GC", Style.AMERICAN, Settlement.FUTURE, False),
        ("6E", Style.EUROPEAN, Settlement.FUTURE, False),
        ("ZN", Style.AMERICAN, Settlement.FUTURE, False),
        ("SPY", Style.AMERICAN, Settlement.SHARES, False),
        ("TWX", Style.AMERICAN, Settlement.SHARES, False),
    ],
)
def test_style_and_settlement_are_those_of_the_methodology(
    key: str, style: Style, settlement: Settlement, at_open: bool
) -> None:
    row = product(key)
    assert (row.style, row.settlement, row.settles_at_open) == (style, settlement, at_open)


@pytest.mark.parametrize(
    ("key", "price", "tick"),
    [
        ("SPX", "2.95", "0.05"),
        ("SPX", "3.00", "0.10"),
        ("ES", "9.95", "0.05"),
        ("ES", "10.00", "0.25"),
        ("VIX", "2.99", "0.01"),
        ("VIX", "3.00", "0.05"),
        ("SPY", "12", "0.01"),
        ("GLD", "12", "0.05"),
        ("AAPL", "0.5", "0.01"),
        ("CL", "1.2", "0.01"),
        ("GC", "20", "0.1"),
        # 1/64 of a point is 15.625 dollars of a 1,000-dollar point.
        ("ZN", "0.5", "0.015625"),
        ("6E", "0.0004", "0.00005"),
        ("6E", "0.0005", "0.0001"),
    ],
)
def test_an_option_is_quoted_on_its_grid(key: str, price: str, tick: str) -> None:
    assert product(key).quote_tick(Decimal(price)) == Decimal(tick)


def test_ten_micros_make_a_full_contract() -> None:
    pairs = {row.key: row.full for row in PRODUCTS.values() if row.full is not None}
    assert pairs == {"MES": "ES", "MNQ": "NQ", "MCL": "CL", "MGC": "GC", "M6E": "6E"}
    for micro, full in pairs.items():
        assert PRODUCTS[full].multiplier == MICROS_PER_FULL * PRODUCTS[micro].multiplier
        assert PRODUCTS[full].family == PRODUCTS[micro].family
        assert PRODUCTS[micro].micro
        assert micro_of(full) == micro
    assert micro_of("SPY") is None


def test_families_and_groups_are_those_of_the_methodology() -> None:
    spx = {key for key, row in PRODUCTS.items() if row.family == "SPX"}
    assert spx == {"SPX", "SPXW", "XSP", "SPY", "ES", "MES"}
    assert {PRODUCTS[key].family for key in ("NQ", "MNQ", "QQQ")} == {"NDX"}
    assert PRODUCTS["SPX"].group == PRODUCTS["ES"].group == PRODUCTS["MNQ"].group == "A1"
    assert PRODUCTS["SPY"].group == product("AAPL").group == "A2"
    assert {PRODUCTS[key].group for key in ("GC", "MGC", "GLD", "TLT", "ZB", "ZN")} == {"B1"}
    assert {PRODUCTS[key].group for key in ("CL", "MCL", "XOP")} == {"C1"}


def test_every_traded_row_has_a_fee_schedule() -> None:
    for row in PRODUCTS.values():
        assert not row.lists_options or row.fee_class in OPTION_FEES
        assert row.kind is not Kind.FUTURE or row.fee_class in FUTURE_FEES or never_traded(row.key)


def test_what_is_never_traded_says_so() -> None:
    assert never_traded("VX") == "VX (VIX futures) is never traded (methodology A.5)"
    assert never_traded("PA") is not None
    assert never_traded("VIX") is None


def test_close_times_differ_as_the_ruling_says() -> None:
    late = {key for key, row in PRODUCTS.items() if row.hours.close == time(16, 15)}
    assert late == {"SPX", "SPXW", "XSP", "VIX", "SPY", "QQQ", "IWM", "TLT"}
    assert {PRODUCTS[key].venue for key in late} == {Venue.INDEX_OPTIONS}
    assert product("AAPL").hours.close == time(16)


# ------------------------------------------------------------------------------ unknown roots


def test_any_ticker_is_a_single_name() -> None:
    for ticker in ("AAPL", "TWX", "F", "BRK.B"):
        row = product(ticker)
        assert (row.key, row.family, row.kind) == (ticker, ticker, Kind.STOCK)
        assert row is product(ticker)
        assert ticker not in PRODUCTS  # the table itself does not grow
    assert PRODUCTS["TWX"] is product("TWX")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("spxw", "did you mean SPXW?"),
        ("aapl", "did you mean AAPL?"),
        ("ESM5", "did you mean ES?"),
        ("6F", "did you mean 6E?"),
        ("AAPL1", "no stock ticker of one to five capitals"),
        ("", "no product ''"),
        ("RTY", "RTY is the root of a future without a row"),
        ("NDX", "NDX is the root of an index without a row"),
    ],
)
def test_an_unknown_root_is_refused_with_what_was_probably_meant(key: str, said: str) -> None:
    with pytest.raises(UnknownProduct) as refused:
        product(key)
    assert said in str(refused.value)
    with pytest.raises(ValueError, match="not an option"):
        Option.parse(f"{key} 2031-03-07 P100")


# -------------------------------------------------------------------------------- text forms

KEYS = st.sampled_from([*PRODUCTS, "AAPL", "BRK.B"])
DAYS = st.dates(date(1990, 1, 2), date(2040, 12, 31))


@given(KEYS, DAYS, st.sampled_from(Right), st.integers(1, 5000))
def test_options_of_every_product_are_read_back_from_their_text(
    key: str, expiry: date, right: Right, count: int
) -> None:
    row = product(key)
    option = Option(key, expiry, right, count * row.strike_grid, row.multiplier, row.tick)
    again = parse_contract(str(option))
    assert again == option
    assert str(again) == str(option)
    assert " x" not in str(option)  # listed size: nothing to say of it


@given(KEYS, DAYS, st.integers(1, 3))
def test_futures_and_shares_too_with_a_size_of_their_own(key: str, expiry: date, times: int) -> None:
    row = product(key)
    for contract in (
        Future(key, expiry, row.multiplier * times, row.tick),
        Share(key, row.multiplier * times, row.tick),
    ):
        assert parse_contract(str(contract)) == contract


def test_the_gold_option_of_the_brief_and_a_note_option_in_sixty_fourths() -> None:
    gold = Option.parse("GC 2025-06-26 C3400")
    assert (gold.multiplier, gold.tick) == (Decimal(100), Decimal("0.1"))
    note = parse_contract("ZN 2025-05-23 P110.25")
    assert isinstance(note, Option)
    assert str(note) == "ZN 2025-05-23 P110.25"
    assert note.strike == Decimal("110.25")
    euro = parse_contract("6E 2025-06-06 C1.185")
    assert (euro.multiplier, str(euro)) == (Decimal(125_000), "6E 2025-06-06 C1.185")


def test_the_table_is_listed_where_it_lists_options() -> None:
    for row in PRODUCTS.values():
        reach = (row.listing.monthly, row.listing.fridays, row.listing.sessions)
        assert (max(reach) > 0) == row.lists_options
        assert max(reach) <= timedelta(days=370).days
