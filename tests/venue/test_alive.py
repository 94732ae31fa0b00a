"""The venue's quotes move by the minute, and its feed is never silent for long, as an exchange's is not."""

from contextlib import suppress
from datetime import datetime
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket, WebSocketState
from tests.venue.venueserver import a_house

from tomking.venue.dxlink import DxLink
from tomking.venue.sockets import Sockets
from tomking.venue.tokens import Tokens


class Client:
    """Who listens to quotes of the index."""

    application_state = WebSocketState.CONNECTED

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def send_json(self, message: dict[str, Any]) -> None:
        self.heard.append(message["data"][1][0])


def heard_at(seconds: list[float], *, speed: float, start: datetime | None = None) -> list[int]:
    """How many frames a client has by these seconds after 10:30 (or another start)."""
    wall = [0.0]
    house = a_house(start, speed, lambda: wall[0])
    link = DxLink(lambda _: True, lambda _kind, _symbol, _since: [])
    for message in (
        {"type": "SETUP", "channel": 0},
        {"type": "AUTH", "channel": 0, "token": "x"},
        {"type": "CHANNEL_REQUEST", "channel": 1, "service": "FEED"},
        {"type": "FEED_SUBSCRIPTION", "channel": 1, "add": [{"type": "Quote", "symbol": "SPX"}]},
    ):
        link.receive(message)
    client = Client()
    sockets = Sockets(house, Tokens("", "", lambda: wall[0], str))
    sockets._feeds[cast("WebSocket", client)] = link
    found = []
    for at in seconds:
        wall[0] = at
        with suppress(StopIteration):  # it waits for nobody here, so no loop is needed
            sockets.publish().send(None)
        found.append(len(client.heard))
    return found


def test_levels_are_sent_again_every_quarter_of_a_minute() -> None:
    assert heard_at([0.1, 5, 14.9, 15.1, 20, 30.2, 45.0, 59.9], speed=1.0) == [1, 1, 1, 2, 2, 3, 4, 4]


def test_a_clock_that_somebody_leads_sends_what_has_changed_and_nothing_else() -> None:
    assert heard_at([0.1, 15.1, 30.2], speed=0.0) == [1, 1, 1]


@pytest.mark.parametrize("hour", [13, 21])
def test_outside_the_session_the_feed_may_be_silent(hour: int) -> None:
    start = datetime.fromisoformat(f"2024-06-07T{hour}:00:00+00:00")
    assert len(set(heard_at([0.1, 15.1, 30.2], speed=1.0, start=start))) == 1
