"""Two brokers on loopback: one whose every byte a test decides, and the venue with a line to it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from tests.venue.venueserver import ACCOUNT, REFRESH, SECRET, Running

from tomking.adapters.clock import wait
from tomking.adapters.tastytrade.line import TastytradeLine
from tomking.adapters.tastytrade.session import Destination, Environment, GuardedSession, Secrets, session
from tomking.adapters.tastytrade.symbols import Directory
from tomking.execution.wire import Reply, Request, Told

T = TypeVar("T", bound=Told)
CUT = b""
"""The answer that is none: the connection is closed on who asked."""
HANG = b"hang"
"""Nothing is answered, and the connection stays open."""


@dataclass(frozen=True)
class Heard:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answerer = Callable[[Heard], bytes]


@dataclass
class Scripted:
    """A server that answers whatever ``answer`` says; logins are granted unless it says otherwise."""

    answer: Answerer
    login: Answerer = lambda _: reply(200, {"access_token": "canary-access", "expires_in": 900})
    heard: list[Heard] = field(default_factory=list)
    port: int = 0

    def asked(self, method: str = "", path: str = "") -> list[Heard]:
        return [one for one in self.heard if method in one.method and path in one.path]

    def session(self, **more: Any) -> GuardedSession:
        return session(Destination(Environment.SANDBOX, self.port), Secrets(SECRET, REFRESH), **more)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().splitlines()
                method, path, _ = first.split()
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.heard.append(Heard(method, path, headers, body))
                says = self.login if path == "/oauth/token" else self.answer
                answer = says(self.heard[-1])
                if answer == HANG:
                    await asyncio.sleep(30)
                if answer in {CUT, HANG}:
                    return
                writer.write(answer)
                await writer.drain()
                if not _is_whole(answer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def reply(status: int, body: object, *headers: str) -> bytes:
    """An answer of HTTP; ``body`` as JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _is_whole(answer: bytes) -> bool:
    """Whether who asked has no reason to wait for more of it."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return f"Content-Length: {len(body)}".encode() in head


@contextmanager
def scripted(answer: Answerer, **more: Any) -> Iterator[Scripted]:
    """Serves until the block ends."""
    server = Scripted(answer, **more)
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def run() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        listening.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close behind their tasks

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    ready.wait(5)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()


@dataclass
class Heeded:
    """A line, and everything it has told so far."""

    line: TastytradeLine
    said: list[str]
    told: list[Told] = field(default_factory=list)

    def send(self, *requests: Request) -> None:
        for request in requests:
            self.line.send(request, self.line.now())

    def wait(self, enough: Callable[[list[Told]], bool], seconds: float = 15.0) -> list[Told]:
        """Takes until there is enough; fails when there never is."""
        until = time.monotonic() + seconds
        while True:
            self.told += self.line.take(self.line.now())
            if enough(self.told):
                return self.told
            assert time.monotonic() < until, f"waited for more than {self.told}, said {self.said}"
            wait(0.005)

    def reply(self, key: str, seconds: float = 15.0) -> Reply:
        self.wait(lambda told: any(isinstance(one, Reply) and one.key == key for one in told), seconds)
        return next(one for one in self.told if isinstance(one, Reply) and one.key == key)

    def ask(self, request: Request) -> Reply:
        self.send(request)
        return self.reply(request.key)

    def reply_within(self, request: Request, seconds: float) -> Reply:
        self.send(request)
        return self.reply(request.key, seconds)

    def of(self, kind: type[T]) -> list[T]:
        return [one for one in self.told if isinstance(one, kind)]


@contextmanager
def line_to(port: int, now: Callable[[], Any], **more: Any) -> Iterator[Heeded]:
    """A line to a broker on that port."""
    said: list[str] = []
    to = Destination(Environment.SANDBOX, port)
    line = TastytradeLine(
        lambda: session(to, Secrets(SECRET, REFRESH)), ACCOUNT, Directory(), now, said.append, **more
    )
    line.start()
    try:
        yield Heeded(line, said)
    finally:
        line.close()


def command(venue: Running, **body: object) -> None:
    """One order to the venue's control."""
    answer = httpx.post(f"{venue.url}/_sandbox", json=body, trust_env=False)
    assert answer.status_code == 200, answer.text
