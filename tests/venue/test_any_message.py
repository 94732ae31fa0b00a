"""Whatever JSON somebody sends, the answer is words and never an exception."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.venue.test_dxlink import opened

from tomking.adapters.tastytrade.symbols import Directory
from tomking.venue.alerts import AlertLink
from tomking.venue.complexes import AskedComplex, asked_complex
from tomking.venue.orders import Asked, asked

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "Limit", "Market", "Stop", "Stop Limit", "Day", "GTC", "Credit", "Debit", "1.25", "NaN", "OCO",
            "OTO", "OTOCO", "Sell to Open", "Buy to Close", "Buy", "SPXW  310307P05300000", "SPY", "/ESM4",
            "Quote", "Candle", "SPX", "SETUP", "AUTH", "FEED", "KEEPALIVE", "CHANNEL_REQUEST", "FEED_SETUP",
            "FEED_SUBSCRIPTION", "CHANNEL_CANCEL", "connect", "heartbeat", "Bearer token", "5WT00001",
        ]
    )
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "order-type", "time-in-force", "price", "price-effect", "legs", "symbol", "action", "quantity",
        "orders", "trigger-order", "stop-trigger", "advanced-instructions", "external-identifier", "channel",
        "service", "acceptEventFields", "add", "remove", "reset", "token", "value", "auth-token",
        "strict-position-effect-validation", "fromTime", "Quote", "type", "request-id",
    ]
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=25,
)
objects = st.dictionaries(KEYS, anything, max_size=12)
whole = st.fixed_dictionaries(
    {
        "order-type": st.sampled_from(["Limit", "Market", "Stop", "Stop Limit"]),
        "time-in-force": st.just("Day"),
        "legs": st.lists(objects, max_size=5),
    },
    optional={"price": scalars, "price-effect": scalars, "stop-trigger": scalars},
)
DIRECTORY = Directory()
NOON = datetime(2031, 3, 5, 17, tzinfo=UTC)


@settings(max_examples=40)
@given(objects | whole)
def test_an_order_is_understood_or_refused(body: dict[str, Any]) -> None:
    for stops in (False, True):
        found = asked(body, DIRECTORY, stops=stops)
        assert isinstance(found, Asked) or all(one.code and one.message for one in found)


@settings(max_examples=40)
@given(objects)
def test_a_complex_order_is_understood_or_refused(body: dict[str, Any]) -> None:
    def read(body: Any, *, stops: bool) -> Any:
        return asked(body, DIRECTORY, stops=stops)

    found = asked_complex(body, read)
    assert isinstance(found, AskedComplex) or found


@settings(max_examples=40)
@given(st.lists(objects, max_size=4))
def test_a_quote_stream_answers_or_ends(messages: list[dict[str, Any]]) -> None:
    link = opened()
    for message in messages:
        for answer in link.receive({"channel": 7, **message}):
            assert answer["type"]


@settings(max_examples=40)
@given(st.lists(objects, max_size=4))
def test_an_account_stream_answers_each_message_once(messages: list[dict[str, Any]]) -> None:
    link = AlertLink("s", frozenset({"5WT00001"}), frozenset({"token"}))
    for message in messages:
        (answer,) = link.receive({"auth-token": "Bearer token", **message}, NOON)
        assert answer["status"] in {"ok", "error"}
