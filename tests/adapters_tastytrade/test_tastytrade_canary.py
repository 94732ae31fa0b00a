"""Canary secrets through every path of the adapter, everything logged at DEBUG: nothing comes out (X21)."""

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from traceback import format_exception

import httpx2
import pytest
from tests.adapters_tastytrade.brokers import CUT, Heard, reply, scripted
from tests.venue.venueserver import ACCOUNT

from tomking.adapters import redaction
from tomking.adapters.clock import wait
from tomking.adapters.tastytrade import line as lines
from tomking.adapters.tastytrade import session as session_module
from tomking.adapters.tastytrade import stream as streams
from tomking.adapters.tastytrade.line import TastytradeLine
from tomking.adapters.tastytrade.rest import ask
from tomking.adapters.tastytrade.session import (
    Destination,
    Environment,
    ForbiddenHost,
    LoginFailed,
    Secrets,
    session,
)
from tomking.adapters.tastytrade.stream import QuoteStream
from tomking.adapters.tastytrade.symbols import Directory
from tomking.domain.structure import Structure
from tomking.execution.wire import FindOrders, FindPositions, FindTransactions, Place, Reply, Told

NOW = datetime(2024, 6, 7, 14, 30, tzinfo=UTC)
CANARIES = ("canary-secret", "canary-refresh", "canary-access", "canary-quote", ACCOUNT)
SECRETS = Secrets("canary-secret", "canary-refresh")
SPREAD = Structure.parse("spread", "-1 SPXW 2024-06-07 P5320 / +1 SPXW 2024-06-07 P5300")
ECHO = {"error": {"code": "no", "message": f"canary-access canary-secret {ACCOUNT}"}}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What a test's secrets were is nothing to the next test."""
    known = list(redaction._KNOWN)
    redaction.learn(SECRETS.client_secret, SECRETS.refresh_token)
    yield
    redaction._KNOWN.clear()
    redaction._KNOWN.extend(known)


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    factory, hook, thread_hook = logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    redaction.install()
    yield text.getvalue
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    sys.excepthook, threading.excepthook = hook, thread_hook


ANSWERS = {
    "a good one": reply(200, {"data": {"items": []}}),
    "an echo of secrets": reply(422, ECHO),
    "an expired token": reply(401, {"error": {"code": "token_invalid", "message": "canary-access"}}),
    "a page of HTML": reply(502, b"<html>canary-access</html>"),
    "garbage": reply(201, b'{"canary-access'),
    "a cut": CUT,
}


@pytest.mark.enable_socket
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("login", ["granted", "refused"])
def test_nothing_secret_comes_out_of_any_path(
    answer: bytes, login: str, log: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(streams, "FIRST_BACKOFF", 0.01)
    granted = reply(200, {"access_token": "canary-access", "expires_in": 900})
    refused = reply(400, {"error_code": "invalid_grant", "error_description": "canary-refresh"})
    said: list[str] = []

    def answered(heard: Heard) -> bytes:
        if heard.path == "/api-quote-tokens" and answer.startswith(b"HTTP/1.1 200"):
            return reply(200, {"data": {"token": "canary-quote", "dxlink-url": "wss://evil.example/x"}})
        return answer

    with scripted(answered, login=lambda _: granted if login == "granted" else refused) as broker:
        to = Destination(Environment.SANDBOX, broker.port)
        line = TastytradeLine(lambda: session(to, SECRETS), ACCOUNT, Directory(), lambda: NOW, said.append)
        quotes = QuoteStream(
            lambda: session(to, SECRETS), now=lambda: NOW, trades=lambda _: True, said=said.append
        )
        quotes.want(["SPX"])
        for one in (line, quotes):
            one.start()
        for question in (FindOrders("o"), FindPositions("h"), FindTransactions("t")):
            line.send(question, NOW)
        line.send(Place("p", "tag-1", SPREAD.legs, 1, Decimal(2), opens=True), NOW)
        told: list[Told] = []
        while sum(isinstance(one, Reply) for one in told) < 4 or not any("quotes" in one for one in said):
            told += line.take(NOW)
            wait(0.005)
        for one in (line, quotes):
            one.close()
    seen = "\n".join([log(), *said, *map(repr, told), repr(line), repr(quotes), repr(SECRETS), repr(to)])
    # The line itself knows its account; nobody prints it but its own text form.
    seen = seen.replace(f"account='{ACCOUNT}'", "")
    assert [one for one in CANARIES if one in seen] == []
    assert broker.heard, "something was asked"


# ---------------------------------------------------------------------------------- hosts


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (Environment.SANDBOX, "https://tasty-openapi-ws.dxfeed.com/realtime"),
        (Environment.SANDBOX, "http://127.0.0.1:9/x"),
        (Environment.SANDBOX, "http://localhost:8700/x"),
        (Environment.CERT, "https://api.tastyworks.com/accounts"),
        (Environment.CERT, "wss://streamer.tastyworks.com"),
        (Environment.CERT, "http://api.cert.tastyworks.com/x"),
        (Environment.LIVE, "https://api.cert.tastyworks.com/accounts"),
        (Environment.LIVE, "http://api.tastyworks.com/accounts"),
        (Environment.LIVE, "https://api.tastyworks.com.evil.example/x"),
        (Environment.LIVE, "wss://evildxfeed.com/realtime"),
        (Environment.LIVE, "ws://tasty.dxfeed.com/realtime"),
        (Environment.LIVE, "https://api.tastyworks.com@evil.example/x"),
        (Environment.LIVE, "http://127.0.0.1:8700/x"),
    ],
)
def test_a_host_that_is_not_the_environments_is_refused_before_any_socket_opens(
    environment: Environment, url: str
) -> None:
    # Sockets are disabled in this test: whoever opened one would raise something else.
    async def reach() -> None:
        async with session(Destination(environment, 8700), SECRETS) as one:
            await one._client.get(url)

    with pytest.raises(ForbiddenHost) as refused:
        run(reach())
    text = "".join(format_exception(refused.value))
    assert [one for one in CANARIES if one in text] == []


def run(work: object) -> None:
    """In a loop made before sockets are forbidden to it."""
    import pytest_socket

    pytest_socket.enable_socket()
    loop = asyncio.new_event_loop()
    pytest_socket.disable_socket()
    try:
        loop.run_until_complete(work)  # type: ignore[arg-type]
    finally:
        loop.close()


@pytest.mark.parametrize("environment", [Environment.CERT, Environment.LIVE])
def test_the_hosts_of_an_environment_are_let_through_with_the_agent(environment: Environment) -> None:
    cert = ".cert" if environment is Environment.CERT else ""
    request = httpx2.Request("GET", f"https://api{cert}.tastyworks.com/accounts")
    asyncio_free(Destination(environment).hook()(request))
    assert request.headers["User-Agent"] == session_module.AGENT
    assert str(request.url).startswith(f"https://api{cert}.tastyworks.com")


def asyncio_free(work: object) -> None:
    """Runs what never waits."""
    with pytest.raises(StopIteration):
        work.send(None)  # type: ignore[attr-defined]


def test_a_login_that_is_held_says_how_long() -> None:
    async def held() -> str:
        one = session(Destination(Environment.SANDBOX, 1), SECRETS, elapsed=lambda: 100.0)
        one._failed.extend((0.0, 0.0, 0.0))
        answered = await ask(one, "GET", "/x", about_an_order=False)
        with pytest.raises(LoginFailed):
            await one.refresh()
        return answered.text

    found: list[str] = []

    async def keep() -> None:
        found.append(await held())

    run(keep())
    assert found == ["3 logins were refused; the next is tried in 13 minutes"]
