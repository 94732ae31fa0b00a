"""The server's side of DXLink, spoken to in the three ways that clients do."""

import math
from collections.abc import Iterator
from typing import Any

from tomking.venue.dxlink import COLUMNS, ROWS, DxLink, Event, Message

SETUP: Message = {"type": "SETUP", "channel": 0, "version": "0.1", "keepaliveTimeout": 60}
AUTH: Message = {"type": "AUTH", "channel": 0, "token": "good"}
OPEN: Message = {
    "type": "CHANNEL_REQUEST",
    "channel": 7,
    "service": "FEED",
    "parameters": {"contract": "AUTO"},
}


def quote(symbol: str, bid: float = 1.0) -> Event:
    return {**dict.fromkeys(COLUMNS["Quote"], 0), "eventSymbol": symbol, "bidPrice": bid, "askPrice": 2.0}


def snapshot(kind: str, symbol: str, since: int) -> Iterator[Event]:
    if kind == "Quote":
        yield quote(symbol)
    if kind == "Candle":
        yield {"eventSymbol": symbol, "time": since, "close": math.nan}


def link() -> DxLink:
    return DxLink(lambda token: token == "good", snapshot)


def opened() -> DxLink:
    one = link()
    for message in (SETUP, AUTH, OPEN):
        one.receive(message)
    return one


def kinds(messages: list[Message]) -> list[object]:
    return [one["type"] for one in messages]


def subscribe(*symbols: str, kind: str = "Quote", channel: int = 7, **more: object) -> Message:
    entries = [{"type": kind, "symbol": symbol} for symbol in symbols]
    return {"type": "FEED_SUBSCRIPTION", "channel": channel, "add": entries, **more}


def fields(**by_type: list[str]) -> Message:
    return {
        "type": "FEED_SETUP",
        "channel": 7,
        "acceptAggregationPeriod": 0.1,
        "acceptDataFormat": "COMPACT",
        "acceptEventFields": by_type,
    }


# ---------------------------------------------------------------------------------- three clients


def test_python_opens_a_channel_for_each_type_and_waits_for_each_answer() -> None:
    one = link()
    assert kinds(one.receive(SETUP)) == ["SETUP", "AUTH_STATE"]
    (state,) = one.receive(AUTH)
    assert state["state"] == "AUTHORIZED"
    (opened,) = one.receive({**OPEN, "channel": 3})
    assert (opened["type"], opened["channel"]) == ("CHANNEL_OPENED", 3)
    wanted = {**fields(Quote=["eventSymbol", "askPrice", "bidPrice"]), "channel": 3}
    (config,) = one.receive(wanted)
    assert config["eventFields"] == {"Quote": ["eventSymbol", "askPrice", "bidPrice"]}
    (data,) = one.receive(subscribe("SPX", channel=3))
    # In the order that the client asked for.
    assert data["data"] == ["Quote", ["SPX", 2.0, 1.0]]


def test_javascript_sends_auth_at_once_and_reads_no_data_of_a_type_before_its_columns() -> None:
    one = link()
    first = [answer for message in (SETUP, AUTH) for answer in one.receive(message)]
    assert [answer.get("state") for answer in first] == [None, "UNAUTHORIZED", "AUTHORIZED"]
    one.receive(OPEN)
    plain: Message = {"type": "FEED_SETUP", "channel": 7, "acceptDataFormat": "COMPACT"}
    for _ in range(2):  # it sends this twice, without columns
        (config,) = one.receive(plain)
        assert "eventFields" not in config
    answers = one.receive(subscribe("SPX", reset=True))
    assert kinds(answers) == ["FEED_CONFIG", "FEED_DATA"]
    assert answers[0]["eventFields"] == {"Quote": list(COLUMNS["Quote"])}
    assert kinds(one.receive(subscribe("XSP"))) == ["FEED_DATA"]  # told once


def test_lean_sends_everything_without_waiting_for_anything() -> None:
    one = link()
    short = ["eventSymbol", "bidPrice"]
    sent = [SETUP, AUTH, OPEN, fields(Quote=short), subscribe("SPX", "XSP")]
    answers = [answer for message in sent for answer in one.receive(message)]
    assert kinds(answers)[-2:] == ["FEED_DATA", "FEED_DATA"]
    assert [answer["data"] for answer in answers[-2:]] == [
        ["Quote", ["SPX", 1.0]],
        ["Quote", ["XSP", 1.0]],
    ]


# ---------------------------------------------------------------------------------- what is refused


def test_nobody_gets_in_without_a_token() -> None:
    one = link()
    one.receive(SETUP)
    (error,) = one.receive({**AUTH, "token": "bad"})
    assert (error["type"], error["error"]) == ("ERROR", "UNAUTHORIZED")
    assert one.closed


def test_setup_comes_first_and_then_auth() -> None:
    for messages, code in (([OPEN], "BAD_ACTION"), ([SETUP, OPEN], "UNAUTHORIZED")):
        one = link()
        last = [one.receive(message) for message in messages][-1]
        assert last[-1]["error"] == code
        assert one.closed


def test_channels_are_odd_and_feeds() -> None:
    one = opened()
    for wrong in ({**OPEN, "channel": 2}, {**OPEN, "channel": 9, "service": "DOM"}):
        (error,) = one.receive(wrong)
        assert error["error"] == "BAD_ACTION"
    assert not one.closed


def test_what_is_no_message_ends_the_connection() -> None:
    odd: list[Any] = [{}, {"type": "SETUP"}, {"type": 1, "channel": 0}, {"type": "SETUP", "channel": True}]
    for message in odd:
        one = link()
        (error,) = one.receive(message)
        assert error["error"] == "INVALID_MESSAGE"
        assert one.closed


def test_unknown_types_and_messages_are_errors_of_their_channel() -> None:
    one = opened()
    assert kinds(one.receive(subscribe("SPX", kind="Nonsense"))) == ["ERROR"]
    assert one.receive({"type": "HELLO", "channel": 7})[0]["error"] == "INVALID_MESSAGE"
    assert one.receive({"type": "FEED_SETUP", "channel": 5})[0]["error"] == "BAD_ACTION"
    assert not one.closed


# ---------------------------------------------------------------------------------- subscriptions


def test_a_reset_and_a_removal_end_subscriptions() -> None:
    one = opened()
    one.receive(subscribe("SPX", "XSP"))
    one.receive({"type": "FEED_SUBSCRIPTION", "channel": 7, "remove": [{"type": "Quote", "symbol": "SPX"}]})
    assert one.wants() == {("Quote", "XSP")}
    one.receive(subscribe("SPY", reset=True))
    assert one.wants() == {("Quote", "SPY")}


def test_a_cancelled_channel_hears_no_more_and_may_be_opened_again() -> None:
    one = opened()
    one.receive(subscribe("SPX"))
    assert kinds(one.receive({"type": "CHANNEL_CANCEL", "channel": 7})) == ["CHANNEL_CLOSED"]
    assert one.publish("Quote", [quote("SPX")]) == []
    assert kinds(one.receive(OPEN)) == ["CHANNEL_OPENED"]


def test_news_go_to_those_who_subscribed_and_to_no_other() -> None:
    one = opened()
    one.receive(fields(Quote=["eventSymbol", "bidPrice"]))
    one.receive(subscribe("SPX"))
    frames = one.publish("Quote", [quote("SPX", 3.0), quote("XSP", 4.0)])
    assert [frame["data"] for frame in frames] == [["Quote", ["SPX", 3.0]]]
    assert one.publish("Greeks", [quote("SPX")]) == []


def test_a_frame_holds_one_type_and_not_more_than_its_rows() -> None:
    one = opened()
    symbols = [f"S{i}" for i in range(ROWS + 1)]
    one.receive(fields(Quote=["eventSymbol"]))
    one.receive(subscribe(*symbols))
    frames = one.publish("Quote", [quote(symbol) for symbol in symbols])
    sizes = [len(frame["data"][1]) for frame in frames]  # type: ignore[index]
    assert sizes == [ROWS, 1]


def test_what_is_no_number_goes_out_as_the_word_that_clients_know() -> None:
    one = opened()
    one.receive(fields(Candle=["eventSymbol", "time", "close", "volume"]))
    entry = {"type": "Candle", "symbol": "SPX{=1d}", "fromTime": 5}
    (data,) = one.receive({"type": "FEED_SUBSCRIPTION", "channel": 7, "add": [entry]})
    assert data["data"] == ["Candle", ["SPX{=1d}", 5, "NaN", None]]


def test_a_keepalive_is_answered_at_any_time() -> None:
    assert kinds(link().receive({"type": "KEEPALIVE", "channel": 0})) == ["KEEPALIVE"]
