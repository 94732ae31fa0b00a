"""Each fault as a client meets it: over the wire, with the account as the judge of what happened."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from tastytrade import Account, AlertStreamer, DXLinkStreamer, Session
from tastytrade.dxfeed import Quote, Trade
from tests.venue.test_sdk import with_sdk
from tests.venue.venueserver import ACCOUNT, Running, a_house, bearer, running
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tomking.venue.faults import FaultDesk
from tomking.venue.tokens import Tokens

pytestmark = pytest.mark.enable_socket
ORDERS = f"/accounts/{ACCOUNT}/orders"
BODY = {
    "time-in-force": "Day",
    "order-type": "Limit",
    "price": "15.00",
    "price-effect": "Credit",
    "legs": [
        {"symbol": "SPXW  240607P05320000", "action": "Sell to Open", "quantity": 1},
        {"symbol": "SPXW  240607P05300000", "action": "Buy to Open", "quantity": 1},
    ],
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running() as venue:
        yield venue


@pytest.fixture
def venue(shared: Running) -> Iterator[Running]:
    yield shared
    command(shared, clear=True)


def command(venue: Running, **body: object) -> Any:
    return httpx.post(f"{venue.url}/_sandbox", json=body).json()


def place(venue: Running, timeout: float = 5.0) -> httpx.Response:
    return httpx.post(f"{venue.url}{ORDERS}", json=BODY, headers=bearer(venue), timeout=timeout)


def count(venue: Running) -> int:
    return len(venue.house.account.tickets)


# ---------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("fault", "status"), [("429", 429), ("500", 500), ("502", 502), ("503", 503), ("html401", 401)]
)
def test_a_refusal_of_the_front_is_html_and_nothing_was_done(venue: Running, fault: str, status: int) -> None:
    before = count(venue)
    command(venue, fault=fault, path=ORDERS)
    answer = place(venue)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html")
    assert answer.text.startswith("<html>")
    assert count(venue) == before
    assert place(venue).status_code == 201  # it was for one request


def test_after_a_lost_answer_the_order_is_there(venue: Running) -> None:
    before = count(venue)
    command(venue, fault="lost ack", path=ORDERS, method="POST")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        place(venue)
    assert count(venue) == before + 1


def test_after_a_late_answer_too_and_it_comes_in_the_end(venue: Running) -> None:
    before = count(venue)
    command(venue, fault="late ack", path=ORDERS, times=2, seconds=0.6)
    with pytest.raises(httpx.ReadTimeout):
        place(venue, timeout=0.2)
    assert count(venue) == before + 1
    began = time.monotonic()
    assert place(venue).status_code == 201
    assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize("fault", ["garbled", "after 502"])
def test_after_an_answer_that_cannot_be_read_the_order_is_there(venue: Running, fault: str) -> None:
    before = count(venue)
    command(venue, fault=fault, path=ORDERS)
    with pytest.raises((ValueError, httpx.RemoteProtocolError)):
        place(venue).json()
    assert count(venue) == before + 1


def test_a_fault_strikes_its_path_and_method_so_many_times_or_until_it_is_cleared(venue: Running) -> None:
    command(venue, fault="503", path="/balances", times=2)
    header = bearer(venue)
    url = f"{venue.url}/accounts/{ACCOUNT}"
    statuses = [httpx.get(f"{url}/balances", headers=header).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert httpx.get(f"{url}/positions", headers=header).status_code == 200
    command(venue, fault="503", times=-1, method="GET")
    assert {httpx.get(f"{url}/positions", headers=header).status_code for _ in range(3)} == {503}
    assert httpx.get(f"{venue.url}/_sandbox").json()["faults"] == ["503 x-1 GET"]
    command(venue, clear=True)
    assert httpx.get(f"{url}/positions", headers=header).status_code == 200


# ---------------------------------------------------------------------------------- tokens


def test_expired_tokens_are_refused_until_a_new_one_is_fetched(venue: Running) -> None:
    header = bearer(venue)
    command(venue, expire=True)
    refused = httpx.get(f"{venue.url}/customers/me", headers=header)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_invalid")
    assert httpx.get(f"{venue.url}/customers/me", headers=bearer(venue)).status_code == 200


def test_a_revoked_grant_gives_none() -> None:
    with running() as venue:
        command(venue, revoke=True)
        with pytest.raises(KeyError):
            bearer(venue)


def test_after_three_wrong_logins_the_address_hears_nothing_more() -> None:
    wrong = {"grant_type": "refresh_token", "client_secret": "wrong"}
    with running() as venue:
        header = bearer(venue)
        for _ in range(3):
            assert httpx.post(f"{venue.url}/oauth/token", json=wrong).status_code == 401
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{venue.url}/customers/me", headers=header)
        command(venue, clear=True)
        assert httpx.get(f"{venue.url}/customers/me", headers=header).status_code == 200


# ---------------------------------------------------------------------------------- streams


@contextmanager
def listening(venue: Running) -> Iterator[ClientConnection]:
    """A connection to the account streamer that is told of the account."""
    with connect(f"ws://127.0.0.1:{venue.port}/streamer", compression=None) as socket:
        token = bearer(venue)["Authorization"]
        asked = {"action": "connect", "value": [ACCOUNT], "auth-token": token, "request-id": 1}
        socket.send(json.dumps(asked))
        assert json.loads(socket.recv(5))["status"] == "ok"
        yield socket


def test_a_cut_stream_is_closed_as_the_broker_closes_it(venue: Running) -> None:
    with listening(venue) as socket:
        command(venue, fault="cut alerts")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(5)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "Reconnection is required")
        with listening(venue):  # and may come back at once
            assert place(venue).status_code == 201


def test_a_stalled_stream_stays_open_and_what_it_missed_is_not_told_again(venue: Running) -> None:
    with listening(venue) as socket:
        command(venue, fault="stall alerts", times=-1)
        missed = place(venue).json()["data"]["order"]["id"]
        with pytest.raises(TimeoutError):
            socket.recv(0.4)
        command(venue, clear=True)
        told = place(venue).json()["data"]["order"]["id"]
        news = json.loads(socket.recv(5))
        assert (news["type"], news["data"]["id"]) == ("Order", told)
        assert told != missed


def test_quotes_are_cut_and_stalled_by_themselves(venue: Running) -> None:
    answer = httpx.get(f"{venue.url}/api-quote-tokens", headers=bearer(venue)).json()["data"]
    with connect(answer["dxlink-url"], compression=None) as socket, listening(venue) as alerts:
        for message in (
            {"type": "SETUP", "channel": 0, "version": "1"},
            {"type": "AUTH", "channel": 0, "token": answer["token"]},
        ):
            socket.send(json.dumps(message))
        states = [json.loads(socket.recv(5)).get("state") for _ in range(3)]
        assert states == [None, "UNAUTHORIZED", "AUTHORIZED"]
        command(venue, fault="cut dxlink")
        with pytest.raises(ConnectionClosed):
            socket.recv(5)
        place(venue)
        assert json.loads(alerts.recv(5))["type"] == "Order"


# ---------------------------------------------------------------------------------- commands


def test_a_command_is_answered_when_both_streams_have_been_told() -> None:
    symbol = ".SPXW240607P5320"

    async def work(s: Session, account: Account) -> None:
        async with DXLinkStreamer(s) as quotes, AlertStreamer(s) as alerts:
            await alerts.subscribe_accounts([account])
            await quotes.subscribe(Trade, ["TOMKING/SEQUENCE"])
            await quotes.subscribe(Quote, [symbol])
            first = await quotes.get_event(Quote)
            assert (await quotes.get_event(Trade)).price == 0
            for minutes in (1, 2, 3):
                clock = f"2024-06-07T14:{30 + minutes}:00+00:00"
                answer = await asyncio.to_thread(command, own, clock=clock)
                while (await quotes.get_event(Trade)).price != answer["sequence"]:
                    assert answer["sequence"] == minutes
                now = quotes.get_event_nowait(Quote)  # it was sent before the number
                assert now is None or now.bid_price != first.bid_price or now.ask_price != first.ask_price

    with running() as own:
        with_sdk(own, work)


def test_time_money_and_trades_by_hand_come_by_command() -> None:
    with running() as venue:
        moved = command(venue, clock="2024-06-07T15:00:00+00:00", speed=0)
        assert moved["now"] == "2024-06-07T15:00:00+00:00"
        command(venue, pay="-120.50")
        command(venue, hand={"symbol": "SPXW  240607P05300000", "quantity": -2, "price": "1.50"})
        held = httpx.get(f"{venue.url}/accounts/{ACCOUNT}/positions", headers=bearer(venue)).json()
        (row,) = held["data"]["items"]
        assert (row["quantity"], row["quantity-direction"]) == ("2", "Short")
        assert row["average-open-price"] == "1.5"
        money = httpx.get(
            f"{venue.url}/accounts/{ACCOUNT}/transactions",
            params={"type": "Money Movement"},
            headers=bearer(venue),
        ).json()
        assert [one["value"] for one in money["data"]["items"]] == ["120.50"]


def test_positions_that_come_change_and_go_are_told_and_no_others(venue: Running) -> None:
    symbol = "SPXW  240607P05290000"

    def told(socket: ClientConnection, quantity: int) -> list[tuple[str, str]]:
        command(venue, hand={"symbol": symbol, "quantity": quantity, "price": "1.50"})
        rows = []
        while (news := json.loads(socket.recv(5)))["type"] != "AccountBalance":
            if news["type"] == "CurrentPosition":
                rows.append((news["data"]["quantity"], news["data"]["quantity-direction"]))
        return rows

    with listening(venue) as socket:
        assert told(socket, -2) == [("2", "Short")]
        assert told(socket, -1) == [("3", "Short")]
        assert told(socket, 3) == [("0", "Zero")]
        command(venue, pay="10")
        assert json.loads(socket.recv(5))["type"] == "AccountBalance"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "a command is one of"),
        ({"fault": "flood"}, "there is no fault 'flood'; known are"),
        ({"clock": "2024-06-07T13:00:00+00:00"}, "time does not go back"),
        ({"hand": {"symbol": "NOPE 1", "quantity": 1, "price": "1"}}, "NOPE 1"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(body: dict[str, object], said: str) -> None:
    tokens = Tokens("", "", lambda: 0.0, lambda: "")
    with pytest.raises(ValueError, match=said):
        FaultDesk().order(body, a_house(), tokens)


def test_a_wrong_command_is_answered_with_400(venue: Running) -> None:
    answer = httpx.post(f"{venue.url}/_sandbox", json={"fault": "flood"})
    assert answer.status_code == 400
    assert "known are" in answer.json()["error"]
    assert httpx.post(f"{venue.url}/_sandbox", content=b"[").status_code == 400
