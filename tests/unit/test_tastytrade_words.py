"""tastytrade's symbols and bodies, in both directions, beside the broker's own SDK."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tastytrade.instruments import NestedFutureOptionChain, NestedOptionChain
from tastytrade.order import LimitOrder, PlacedOrder

from tomking.adapters.calendars import load_sessions
from tomking.adapters.tastytrade.chains import equity_chain, futures_beneath, futures_chain
from tomking.adapters.tastytrade.symbols import (
    Directory,
    Instrument,
    Listed,
    UnknownSymbol,
    future_symbol,
    occ,
    occ_streamer,
    parse_future,
    parse_occ,
    underlying,
)
from tomking.adapters.tastytrade.words import (
    STATUSES,
    UnknownWord,
    broker_order,
    order_id,
    orders,
    placing,
    positions,
    replacing,
    transactions,
)
from tomking.domain.contract import Future, Option, Right, Share
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg, Structure
from tomking.execution.wire import Kind, Place, Replace, Status

SPREAD = Structure.parse("put spread", "-1 SPXW 2026-01-16 P5700 / +1 SPXW 2026-01-16 P5670")
RATIO = Structure.parse("ratio", "+1 SPY 2025-12-19 P600 / -2 SPY 2025-12-19 P590.5")


def option(text: str) -> Option:
    return Option.parse(text)


def listed_es() -> Listed:
    return Listed(
        option("ES 2025-11-28 P6000"),
        "./ESZ5 EW4X5 251128P6000",
        "./EW4X25P6000:XCME",
        Instrument.FUTURE_OPTION,
    )


# ---------------------------------------------------------------------------------- symbols


def test_an_occ_symbol_pads_the_root_and_counts_the_strike_in_thousandths() -> None:
    assert occ(option("SPXW 2025-05-30 P5600")) == "SPXW  250530P05600000"
    assert occ(option("SPY 2025-12-19 C590.5")) == "SPY   251219C00590500"
    assert occ_streamer(option("SPY 2025-12-19 C590.5")) == ".SPY251219C590.5"


def test_a_strike_finer_than_a_thousandth_or_too_high_has_no_symbol() -> None:
    for strike in ("5600.0005", "100000"):
        with pytest.raises(UnknownSymbol, match="thousandths"):
            occ(Option("SPXW", date(2025, 5, 30), Right.PUT, Decimal(strike), Decimal(100), Decimal("0.05")))


@given(
    root=st.sampled_from(["SPX", "SPXW", "XSP", "SPY", "QQQ", "VIX", "AAPL"]),
    day=st.dates(date(2020, 1, 1), date(2050, 1, 1)),
    right=st.sampled_from(list(Right)),
    thousandths=st.integers(1, 99_999_999),
)
def test_an_occ_symbol_is_read_back_as_the_contract_it_was_made_of(
    root: str, day: date, right: Right, thousandths: int
) -> None:
    product = PRODUCTS[root]
    one = Option(root, day, right, Decimal(thousandths) / 1000, product.multiplier, product.tick)
    assert parse_occ(occ(one)) == one
    assert len(occ(one)) == 21


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("AAPL1 251219P00100000", "digit|no OCC|AAPL1"),
        ("SPY 251219P00600000", "no OCC option symbol"),
        ("SPY   251341P00600000", "no date"),
        ("RUT   251219P02000000", "RUT"),
    ],
)
def test_an_adjusted_foreign_or_broken_symbol_is_named(symbol: str, words: str) -> None:
    with pytest.raises(UnknownSymbol, match=words):
        parse_occ(symbol)


def test_what_an_underlying_is_called() -> None:
    assert [underlying(root) for root in ("SPXW", "SPX", "SPY", "ES", "VIX")] == [
        "SPX",
        "SPX",
        "SPY",
        "/ES",
        "VIX",
    ]


def test_a_future_is_named_by_its_month_and_the_years_last_digit() -> None:
    sessions = load_sessions(date(2025, 1, 1), date(2026, 12, 31))
    december = Future("ES", date(2025, 12, 19), Decimal(50), Decimal("0.05"))
    assert future_symbol(december, sessions) == "/ESZ5"
    assert parse_future("/ESZ5", date(2025, 12, 19), sessions) == december
    with pytest.raises(UnknownSymbol, match="does not last trade"):
        parse_future("/ESZ5", date(2026, 3, 20), sessions)
    with pytest.raises(UnknownSymbol, match="no ES future"):
        future_symbol(Future("ES", date(2025, 12, 18), Decimal(50), Decimal("0.05")), sessions)
    with pytest.raises(UnknownSymbol):
        parse_future("/YMZ5", date(2025, 12, 19), sessions)


def test_the_directory_knows_futures_options_from_chains_only() -> None:
    directory = Directory()
    with pytest.raises(UnknownSymbol, match="read the chain of ES"):
        directory.listed(listed_es().contract)
    with pytest.raises(UnknownSymbol, match="no chain"):
        directory.contract("./ESZ5 EW4X5 251128P6000")
    directory.learn([listed_es()])
    assert directory.listed(listed_es().contract).symbol == "./ESZ5 EW4X5 251128P6000"
    assert directory.contract("./ESZ5 EW4X5 251128P6000") == listed_es().contract
    assert directory.streamed("./EW4X25P6000:XCME") == listed_es().contract
    assert directory.streamed("SPX") is None
    assert len(directory) == 1
    assert list(directory) == [listed_es()]


def test_shares_and_their_options_need_no_chain() -> None:
    directory = Directory()
    spy = PRODUCTS["SPY"]
    share = Share("SPY", spy.multiplier, spy.tick)
    assert directory.contract("SPY") == share
    assert directory.listed(share) == Listed(share, "SPY", "SPY", Instrument.EQUITY)
    assert directory.contract("SPY   251219P00600000") == option("SPY 2025-12-19 P600")
    with pytest.raises(UnknownSymbol):
        directory.contract("RUT")


# ---------------------------------------------------------------------------------- going out


def test_an_opening_credit_spread_as_the_body_the_sdk_would_send() -> None:
    body = placing(Place("k", "a-1-2-1", SPREAD.legs, 2, Decimal("3.10"), opens=True), Directory())
    assert body["price"] == "3.1"
    assert body["price-effect"] == "Credit"
    assert "advanced-instructions" not in body
    legs: Any = body["legs"]
    assert [(leg["action"], leg["symbol"], leg["quantity"]) for leg in legs] == [
        ("Sell to Open", "SPXW  260116P05700000", 2),
        ("Buy to Open", "SPXW  260116P05670000", 2),
    ]
    # The SDK's own model takes the body: its price is positive for a credit, as ours is.
    read = LimitOrder(**{**_snake(body), "price": Decimal("3.1")})
    assert read.model_dump(mode="json", exclude_none=True, by_alias=True)["price-effect"] == "Credit"


def test_a_close_is_strict_and_a_debit() -> None:
    closing = SPREAD.inverse()
    body = placing(
        Place("k", "t", closing.legs, 1, Decimal("-1.55"), opens=False, good_till_cancelled=True), Directory()
    )
    assert body["advanced-instructions"] == {"strict-position-effect-validation": True}
    assert (body["price"], body["price-effect"], body["time-in-force"]) == ("1.55", "Debit", "GTC")
    legs: Any = body["legs"]
    assert [leg["action"] for leg in legs] == ["Buy to Close", "Sell to Close"]


def test_an_even_price_has_no_effect() -> None:
    body = placing(Place("k", "t", SPREAD.legs, 1, Decimal(0), opens=True), Directory())
    assert body["price"] == "0"
    assert "price-effect" not in body


def test_a_price_is_per_smallest_unit() -> None:
    # Two of each leg in one unit of ours at 3.00 is 1.50 for what the broker calls a unit.
    doubled = tuple(Leg(leg.contract, 2 * leg.ratio) for leg in SPREAD.legs)
    body = placing(Place("k", "t", doubled, 1, Decimal(3), opens=True), Directory())
    assert body["price"] == "1.5"


def test_shares_go_out_one_by_one() -> None:
    spy = PRODUCTS["SPY"]
    share = Leg(Share("SPY", spy.multiplier, spy.tick), -1)
    body = placing(Place("k", "t", (share,), 3, Decimal(600), opens=False), Directory())
    legs: Any = body["legs"]
    assert (legs[0]["instrument-type"], legs[0]["quantity"], legs[0]["action"]) == (
        "Equity",
        300,
        "Sell to Close",
    )


def test_a_future_is_bought_and_sold_without_open_and_close() -> None:
    future = Future("ES", date(2025, 12, 19), Decimal(50), Decimal("0.05"))
    directory = Directory()
    directory.learn([Listed(future, "/ESZ5", "/ESZ25:XCME", Instrument.FUTURE)])
    body = placing(Place("k", "t", (Leg(future, -1),), 1, Decimal(6000), opens=False), directory)
    legs: Any = body["legs"]
    assert legs[0]["action"] == "Sell"


def test_a_replacement_names_no_legs() -> None:
    shown = broker_order(order_json(), Directory())
    body = replacing(Replace("k", "t2", "1001", Decimal("1.15")), shown, good_till_cancelled=False)
    assert body["price"] == "1.15"
    assert body["price-effect"] == "Credit"
    assert body["external-identifier"] == "t2"
    assert "legs" not in body


def test_a_replacement_is_priced_by_the_smallest_unit() -> None:
    shown = broker_order(order_json(), Directory())
    body = replacing(Replace("k", "t2", "1001", Decimal("-3.50"), terms=2), shown, good_till_cancelled=False)
    assert (body["price"], body["price-effect"]) == ("1.75", "Debit")


# ---------------------------------------------------------------------------------- coming in


def order_json(**changes: object) -> dict[str, Any]:
    """Two put ratio spreads, one of each leg filled, as the API shows an order."""
    body: dict[str, Any] = {
        "id": 1001,
        "account-number": "5WT00001",
        "time-in-force": "Day",
        "order-type": "Limit",
        "size": 2,
        "underlying-symbol": "SPY",
        "underlying-instrument-type": "Equity",
        "price": "1.25",
        "price-effect": "Credit",
        "status": "Live",
        "cancellable": True,
        "editable": True,
        "edited": False,
        "updated-at": 1700000000000,
        "external-identifier": "abcd1234-7-42-1",
        "legs": [
            {
                "instrument-type": "Equity Option",
                "symbol": "SPY   251219P00600000",
                "action": "Buy to Open",
                "quantity": 2,
                "remaining-quantity": 1,
                "fills": [
                    {
                        "fill-id": "2_X::1",
                        "quantity": "1",
                        "fill-price": "4.05",
                        "filled-at": "2025-12-01T15:30:00.000+00:00",
                    }
                ],
            },
            {
                "instrument-type": "Equity Option",
                "symbol": "SPY   251219P00590500",
                "action": "Sell to Open",
                "quantity": 4,
                "remaining-quantity": 4,
                "fills": [],
            },
        ],
    }
    return {**body, **changes}


def test_an_order_object_becomes_units_ratios_and_executions() -> None:
    read = broker_order(order_json(), Directory())
    assert PlacedOrder(**order_json()).price == read.limit == Decimal("1.25")
    assert read.units == 2
    assert read.legs == RATIO.legs
    assert read.tag == "abcd1234-7-42-1"
    assert read.status is Status.LIVE
    (one,) = read.executions
    assert (one.id, one.quantity, one.price) == ("2_X::1", 1, Decimal("4.05"))
    assert one.at == datetime(2025, 12, 1, 15, 30, tzinfo=UTC)


def test_a_sold_execution_is_negative_and_a_debit_limit_is_too() -> None:
    body = order_json(**{"price-effect": "Debit", "replaces-order-id": 77, "reject-reason": "why"})
    body["legs"][1]["fills"] = [{**body["legs"][0]["fills"][0], "fill-id": "2", "quantity": 3}]
    read = broker_order(body, Directory())
    assert [e.quantity for e in read.executions] == [1, -3]
    assert read.limit == Decimal("-1.25")
    assert (read.replaces, read.reason) == ("77", "why")


def test_every_status_of_the_sdk_is_known_and_an_unknown_one_raises() -> None:
    from tastytrade.order import OrderStatus

    assert set(STATUSES) == {status.value for status in OrderStatus}
    with pytest.raises(UnknownWord, match="Exploded"):
        broker_order(order_json(status="Exploded"), Directory())


@pytest.mark.parametrize(
    "change",
    [
        {"legs": []},
        {"legs": "none"},
        {"legs": [5]},
        {"id": None},
        {"status": None},
        {"price": "many"},
        {"price": "NaN"},
        {"price-effect": "Sideways"},
        {"price-effect": None},
    ],
)
def test_what_an_order_lacks_or_says_strangely_raises(change: dict[str, object]) -> None:
    with pytest.raises(UnknownWord):
        broker_order(order_json(**change), Directory())


@pytest.mark.parametrize(
    "leg",
    [
        {"action": "Allocate"},
        {"quantity": "1.5"},
        {"quantity": -2},
        {"quantity": None},
        {"symbol": ""},
        {"fills": [{"fill-id": "1", "quantity": 1, "fill-price": "4", "filled-at": "yesterday"}]},
        {"fills": [{"fill-id": "1", "quantity": 1, "fill-price": "4", "filled-at": "2025-12-01T15:30:00"}]},
    ],
)
def test_what_a_leg_says_strangely_raises(leg: dict[str, object]) -> None:
    body = order_json()
    body["legs"][0].update(leg)
    with pytest.raises(UnknownWord):
        broker_order(body, Directory())


def test_an_order_without_a_quantity_raises() -> None:
    body = order_json()
    for leg in body["legs"]:
        leg.update(quantity=0, fills=[])
    with pytest.raises(UnknownWord, match="no quantity"):
        broker_order(body, Directory())


def test_an_id_is_found_in_an_answer_that_is_otherwise_unreadable() -> None:
    assert order_id({"data": {"order": {"id": 5, "status": "Exploded"}}}) == "5"
    assert order_id({"data": {"id": "6"}}) == "6"
    assert order_id({"id": 7}) == "7"
    broken: list[object] = [None, [], "text", {"data": []}, {"data": {"order": {"id": True}}}, {"id": " "}]
    for nothing in broken:
        assert order_id(nothing) is None


def test_strange_orders_of_the_account_are_named_and_the_others_kept() -> None:
    known, said = orders([order_json(), order_json(id=9, status="Exploded")], Directory())
    assert [one.id for one in known] == ["1001"]
    assert said == ["order 9: order 9: status 'Exploded' is not known"]


def test_positions_are_signed_and_shares_come_in_lots() -> None:
    held = positions(
        [
            {"symbol": "SPY   251219P00600000", "quantity": "2", "quantity-direction": "Short"},
            {"symbol": "SPY", "quantity": "300", "quantity-direction": "Long"},
            {"symbol": "QQQ", "quantity": "0", "quantity-direction": "Zero"},
        ],
        {"cash-balance": "12345.67"},
        Directory(),
    )
    assert held.cash == Decimal("12345.67")
    assert {str(contract): quantity for contract, quantity in held.held} == {
        "SPY 2025-12-19 P600": -2,
        "SPY S": 3,
    }
    with pytest.raises(UnknownWord, match="Up"):
        positions([{"symbol": "SPY", "quantity": "1", "quantity-direction": "Up"}], {}, Directory())
    with pytest.raises(UnknownWord, match="whole number"):
        positions([{"symbol": "SPY", "quantity": "50", "quantity-direction": "Long"}], {}, Directory())
    with pytest.raises(UnknownWord, match="cash-balance"):
        positions([], {}, Directory())


def test_an_assignment_a_dividend_and_a_trade_as_transactions() -> None:
    common = {"executed-at": "2025-12-19T21:30:00.000+00:00"}
    assigned = {
        "id": 1,
        "transaction-type": "Receive Deliver",
        "transaction-sub-type": "Cash Settled Assignment",
        "symbol": "SPXW  251219P05700000",
        "quantity": "2.0",
        "price": "5650.0",
        "action": "Buy to Close",
        "value": "10000.0",
        "value-effect": "Debit",
        "clearing-fees": "10.0",
        "clearing-fees-effect": "Debit",
        **common,
    }
    dividend = {
        "id": 2,
        "transaction-type": "Money Movement",
        "transaction-sub-type": "Dividend",
        "description": "SPY dividend",
        "value": "150.25",
        "value-effect": "Credit",
        **common,
    }
    trade = {"id": 3, "transaction-type": "Trade", "transaction-sub-type": "Sell to Open", **common}
    first, second = transactions([assigned, dividend, trade], Directory())
    assert (first.kind, first.quantity, first.dollars, first.fees) == (
        Kind.ASSIGNED,
        -2,
        Decimal(-10000),
        Decimal("10.0"),
    )
    assert first.contract == option("SPXW 2025-12-19 P5700")
    assert (second.kind, second.dollars, second.reason) == (Kind.MONEY, Decimal("150.25"), "SPY dividend")


# ---------------------------------------------------------------------------------- chains

EQUITY_CHAIN: dict[str, Any] = {
    "underlying-symbol": "SPX",
    "root-symbol": "SPXW",
    "option-chain-type": "Standard",
    "shares-per-contract": 100,
    "tick-sizes": [{"value": "0.05"}],
    "deliverables": [],
    "expirations": [
        {
            "expiration-type": "Weekly",
            "expiration-date": "2025-05-30",
            "days-to-expiration": 5,
            "settlement-type": "PM",
            "strikes": [
                {
                    "strike-price": "5600.0",
                    "call": "SPXW  250530C05600000",
                    "call-streamer-symbol": ".SPXW250530C5600",
                    "put": "SPXW  250530P05600000",
                    "put-streamer-symbol": ".SPXW250530P5600",
                }
            ],
        }
    ],
}
FUTURES_CHAIN: dict[str, Any] = {
    "futures": [
        {
            "root-symbol": "/ES",
            "symbol": "/ESZ5",
            "days-to-expiration": 10,
            "expiration-date": "2025-12-19",
            "expires-at": "2025-12-19T14:30:00.000+00:00",
            "stops-trading-at": "2025-12-19T14:30:00.000+00:00",
            "active-month": True,
            "next-active-month": False,
            "maturity-date": "2025-12-19",
        }
    ],
    "option-chains": [
        {
            "underlying-symbol": "/ES",
            "root-symbol": "/ES",
            "exercise-style": "American",
            "expirations": [
                {
                    "underlying-symbol": "/ESZ5",
                    "root-symbol": "/ES",
                    "option-root-symbol": root,
                    "option-contract-symbol": series,
                    "asset": root,
                    "expiration-date": "2025-12-19",
                    "days-to-expiration": 5,
                    "expiration-type": "Weekly",
                    "settlement-type": settles,
                    "notional-value": "0.5",
                    "display-factor": "0.01",
                    "strike-factor": "1.0",
                    "stops-trading-at": "2025-12-19T14:30:00.000+00:00",
                    "expires-at": "2025-12-19T14:30:00.000+00:00",
                    "tick-sizes": [{"value": "0.25"}],
                    "strikes": [
                        {
                            "strike-price": "6000.0",
                            "call": f"./ESZ5 {series} 251219C6000",
                            "call-streamer-symbol": f"./{root}Z25C6000:XCME",
                            "put": f"./ESZ5 {series} 251219P6000",
                            "put-streamer-symbol": f"./{root}Z25P6000:XCME",
                        }
                    ],
                }
                for root, series, settles in (("ES", "ESZ5 ", "AM"), ("EYC", "EYCZ5", "PM"))
            ],
        }
    ],
}


def test_a_nested_chain_of_an_index_gives_its_options_and_their_symbols() -> None:
    NestedOptionChain(**EQUITY_CHAIN)  # the SDK reads the same answer
    call, put = equity_chain([EQUITY_CHAIN])
    assert call.contract == option("SPXW 2025-05-30 C5600")
    assert (put.symbol, put.streamer) == ("SPXW  250530P05600000", ".SPXW250530P5600")
    assert parse_occ(put.symbol) == put.contract


def test_adjusted_and_unknown_roots_are_left_out() -> None:
    adjusted = {**EQUITY_CHAIN, "shares-per-contract": 150}
    foreign = {**EQUITY_CHAIN, "root-symbol": "RUTW"}
    assert equity_chain([adjusted, foreign]) == []


def test_of_two_series_on_a_day_the_one_that_settles_at_the_close_is_ours() -> None:
    NestedFutureOptionChain(**FUTURES_CHAIN)
    call, put = futures_chain(FUTURES_CHAIN)
    assert call.contract == option("ES 2025-12-19 C6000")
    assert put.symbol == "./ESZ5 EYCZ5 251219P6000"
    assert futures_beneath(FUTURES_CHAIN) == {"/ESZ5": date(2025, 12, 19)}


@pytest.mark.parametrize("broken", [{}, {"option-chains": 5}, {"option-chains": [5]}, []])
def test_a_broken_chain_raises_and_names_what_is_wrong(broken: object) -> None:
    with pytest.raises(UnknownWord):
        futures_chain(broken)


def _snake(body: dict[str, Any]) -> dict[str, Any]:
    legs = [{key.replace("-", "_"): value for key, value in leg.items()} for leg in body["legs"]]
    words = {key.replace("-", "_"): value for key, value in body.items() if key != "price-effect"}
    return {**words, "legs": legs}
