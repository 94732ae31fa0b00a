"""Order bodies as they are taken, and orders as they are shown: the inverse of the adapter's words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from math import gcd
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomking.adapters.tastytrade import words
from tomking.adapters.tastytrade.symbols import Directory
from tomking.domain.contract import Option, Right, Share
from tomking.domain.products import PRODUCTS
from tomking.domain.structure import Leg
from tomking.execution.wire import BrokerOrder, Execution, Place, Status
from tomking.venue.orders import Asked, asked, shown

AT = datetime(2031, 3, 5, 15, 0, 0, tzinfo=UTC)
DIRECTORY = Directory()
SPXW = PRODUCTS["SPXW"]


def option(strike: int, right: Right = Right.PUT) -> Option:
    return Option("SPXW", date(2031, 3, 7), right, Decimal(strike), SPXW.multiplier, SPXW.tick)


strikes = st.integers(min_value=200, max_value=9_000).map(lambda n: n * 5)
contracts = st.builds(option, strikes, st.sampled_from(Right))
ratios = st.integers(min_value=-3, max_value=3).filter(bool)
legs = st.lists(
    st.builds(Leg, contracts, ratios), min_size=1, max_size=4, unique_by=lambda leg: leg.contract
).map(tuple)
limits = st.integers(min_value=-2_000, max_value=2_000).map(lambda n: n * Decimal("0.05"))
units = st.integers(min_value=1, max_value=20)
tags = st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True)


def lowest(found: tuple[Leg, ...]) -> int:
    return reduce(gcd, (abs(leg.ratio) for leg in found))


@settings(max_examples=40)
@given(legs, units, limits, st.booleans(), st.booleans(), tags)
def test_what_the_adapter_asks_is_understood_as_it_was_meant(  # noqa: PLR0917 - what hypothesis draws
    found: tuple[Leg, ...], count: int, net: Decimal, opens: bool, overnight: bool, tag: str
) -> None:
    # Two of (+2 -2) at 3.00 are four of (+1 -1) at 1.50.
    whole = lowest(found)
    place = Place("k", tag, found, count, net * whole, opens, overnight)
    body = words.placing(place, DIRECTORY)
    understood = asked(body, DIRECTORY)
    assert isinstance(understood, Asked)
    assert understood.units == count * whole
    assert understood.legs == tuple(Leg(leg.contract, leg.ratio // whole) for leg in found)
    assert understood.limit == net
    assert (understood.opens, understood.strict) == (opens, not opens)
    assert (understood.tag, understood.time_in_force) == (tag, "GTC" if overnight else "Day")


@settings(max_examples=40)
@given(legs, units, limits, st.booleans(), st.sampled_from(sorted(Status, key=str)), tags)
def test_what_is_shown_is_read_by_the_adapter_as_it_is(  # noqa: PLR0917 - what hypothesis draws
    found: tuple[Leg, ...], count: int, limit: Decimal, opens: bool, status: Status, tag: str
) -> None:
    whole = lowest(found)
    in_lowest_terms = tuple(Leg(leg.contract, leg.ratio // whole) for leg in found)
    fills = tuple(
        Execution(f"X{i}", leg.contract, leg.ratio * count, Decimal("1.25"), AT)
        for i, leg in enumerate(in_lowest_terms)
    )
    order = BrokerOrder("17", tag, status, in_lowest_terms, count, limit, fills[:1], replaces="16")
    face = shown(order, "5WT00001", DIRECTORY, "Day", AT, opens=opens)
    # The adapter reckons the fees of what has filled; an order object shows none.
    assert replace(words.broker_order(face, DIRECTORY), fees=order.fees) == order
    remaining = [leg["remaining-quantity"] for leg in face["legs"]]  # type: ignore[attr-defined]
    assert remaining[0] == 0
    assert all(remaining[1:])


def test_shares_are_counted_one_by_one_and_kept_in_lots() -> None:
    lot = Share("SPY", PRODUCTS["SPY"].multiplier, PRODUCTS["SPY"].tick)
    body = words.placing(Place("k", "t", (Leg(lot, 1),), 3, Decimal("-500.00"), opens=True), DIRECTORY)
    assert body["legs"][0]["quantity"] == 300  # type: ignore[index]
    understood = asked(body, DIRECTORY)
    assert isinstance(understood, Asked)
    assert (understood.units, understood.legs) == (3, (Leg(lot, 1),))
    body["legs"][0]["quantity"] = 250  # type: ignore[index]
    assert [one.code for one in asked(body, DIRECTORY)] == ["invalid_quantity"]  # type: ignore[union-attr]


def body(**changed: Any) -> dict[str, Any]:
    leg = {"symbol": "SPXW  310307P05300000", "action": "Sell to Open", "quantity": 1}
    whole = {
        "time-in-force": "Day",
        "order-type": "Limit",
        "price": "1.25",
        "price-effect": "Credit",
        "legs": [leg],
    }
    return {**whole, **changed}


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"order-type": "Stop"}, {"invalid_order_type"}),
        ({"time-in-force": "IOC"}, {"invalid_time_in_force"}),
        ({"price": "a lot"}, {"invalid_price"}),
        ({"price": "-1"}, {"invalid_price"}),
        ({"price": "1e999"}, {"invalid_price"}),
        ({"legs": [{**body()["legs"][0], "quantity": float("inf")}]}, {"invalid_quantity"}),
        ({"legs": [{**body()["legs"][0], "quantity": "1e99"}]}, {"invalid_quantity"}),
        ({"price-effect": None}, {"invalid_price_effect"}),
        ({"legs": []}, {"invalid_legs"}),
        ({"legs": body()["legs"] * 2}, {"duplicate_legs"}),
        ({"legs": [{"symbol": "NO PE", "action": "Sell", "quantity": 1}]}, {"invalid_symbol"}),
        ({"legs": [{**body()["legs"][0], "quantity": "1.5"}]}, {"invalid_quantity"}),
        ({"legs": [{**body()["legs"][0], "quantity": "many"}]}, {"invalid_quantity"}),
        ({"legs": [{**body()["legs"][0], "action": "Steal"}]}, {"invalid_action"}),
        ({"order-type": "Market", "time-in-force": "GTC"}, {"gtc_market_orders_not_supported"}),
        ({"order-type": "Stop", "price": "x", "legs": 5}, {"invalid_order_type", "invalid_legs"}),
    ],
)
def test_everything_wrong_is_said_with_its_code(changed: dict[str, Any], codes: set[str]) -> None:
    found = asked(body(**changed), DIRECTORY)
    assert not isinstance(found, Asked)
    assert {one.code for one in found} == codes


def test_an_order_opens_or_closes_and_has_one_underlying() -> None:
    legs = [
        {"symbol": "SPXW  310307P05300000", "action": "Sell to Open", "quantity": 1},
        {"symbol": "XSP   310307P00530000", "action": "Buy to Close", "quantity": 1},
    ]
    found = asked(body(legs=legs), DIRECTORY)
    assert not isinstance(found, Asked)
    assert {one.code for one in found} == {"mixed_position_effects", "mixed_underlyings"}


def test_stops_are_taken_where_they_may_be() -> None:
    stop = body(**{"order-type": "Stop", "stop-trigger": "3.00"})
    found = asked(stop, DIRECTORY, stops=True)
    assert isinstance(found, Asked)
    assert (found.kind, found.limit, found.trigger) == ("Stop", None, Decimal(3))
    limited = asked({**stop, "order-type": "Stop Limit"}, DIRECTORY, stops=True)
    assert isinstance(limited, Asked)
    assert limited.limit == Decimal("1.25")
    for trigger in ("0", "NaN", "soon"):
        wrong = asked({**stop, "stop-trigger": trigger}, DIRECTORY, stops=True)
        assert [one.code for one in wrong] == ["invalid_stop_trigger"]  # type: ignore[union-attr]


def test_an_ended_order_says_when_and_why() -> None:
    order = BrokerOrder("9", "t", Status.REJECTED, (Leg(option(5300), -1),), 1, Decimal(1), reason="no money")
    face = shown(order, "5WT00001", DIRECTORY, "GTC", AT, opens=True)
    assert (face["cancellable"], face["reject-reason"]) == (False, "no money")
    assert face["terminal-at"] == "2031-03-05T15:00:00.000+00:00"
    waiting = shown(replace(order, status=Status.CONTINGENT), "5", DIRECTORY, "Day", AT, opens=True)
    assert (waiting["cancellable"], waiting["contingent-status"]) == (True, "Pending Order")
