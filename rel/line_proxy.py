"""A TCP proxy on loopback that cuts, stalls, tears and refuses connections by command.

What a connection carries is read off its first line: requests, the account stream, quotes, or the venue's own
control endpoint, which nothing is done to.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
CHUNK = 65_536
KINDS = {b"/streamer": "alerts", b"/realtime": "dxlink", b"/_sandbox": "control"}
"""By what the first line asks for; everything else is "rest"."""


@dataclass(eq=False)
class Pipe:
    """One connection of a client, and its own to the venue."""

    kind: str
    client: asyncio.StreamWriter
    venue: asyncio.StreamWriter
    sent: int = 0
    """Bytes of the client's."""

    def cut(self) -> None:
        for writer in (self.client, self.venue):
            transport: Any = writer.transport
            with suppress(Exception):
                transport.abort()


@dataclass
class Trouble:
    """What is to go wrong next, by kind of connection."""

    stalled: dict[str, float] = field(default_factory=dict)
    """Until when nothing passes, in the loop's time."""
    refused: float = 0.0
    """Until when new connections are reset."""
    lost: Counter[str] = field(default_factory=Counter)
    """Answers that are to be swallowed together with their connection."""
    torn: Counter[str] = field(default_factory=Counter)
    """Answers that are to be cut in the middle."""


class Proxy:
    """See the module; runs on a thread of its own."""

    def __init__(self, to: Callable[[], int]) -> None:
        """``to``: the venue's port, once it is known."""
        self._to = to
        self.port = 0
        self.trouble = Trouble()
        self.counts: Counter[str] = Counter()
        """Connections by kind, and what was done to them."""
        self._pipes: set[Pipe] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(10)

    def close(self) -> None:
        if self._loop is not None and self._stop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    # ------------------------------------------------------------------ commands, from any thread

    def cut(self, kind: str) -> None:
        self._do(lambda: self._cut(kind))

    def stall(self, kind: str, seconds: float) -> None:
        self._do(lambda: self.trouble.stalled.__setitem__(kind, self._now() + seconds))

    def refuse(self, seconds: float) -> None:
        self._do(lambda: setattr(self.trouble, "refused", self._now() + seconds))

    def lose(self, kind: str) -> None:
        self._do(lambda: self.trouble.lost.update([kind]))

    def tear(self, kind: str) -> None:
        self._do(lambda: self.trouble.torn.update([kind]))

    def calm(self) -> None:
        self._do(lambda: setattr(self, "trouble", Trouble()))

    def _do(self, act: Callable[[], object]) -> None:
        assert self._loop is not None, "it was started"
        self._loop.call_soon_threadsafe(act)

    def _now(self) -> float:
        assert self._loop is not None, "it was started"
        return self._loop.time()

    def _cut(self, kind: str) -> None:
        for pipe in [one for one in self._pipes if one.kind == kind]:
            self.counts["cut"] += 1
            pipe.cut()

    # ------------------------------------------------------------------ the pump

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for pipe in list(self._pipes):
            pipe.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport: Any = writer.transport
        try:
            head = await reader.read(CHUNK)
            kind = kind_of(head)
            if not head or (kind != "control" and self._now() < self.trouble.refused):
                self.counts["refused"] += bool(head)
                transport.abort()
                return
            there, venue = await asyncio.open_connection(HOST, self._to())
        except OSError:
            transport.abort()
            return
        pipe = Pipe(kind, writer, venue)
        self.counts[kind] += 1
        self._pipes.add(pipe)
        try:
            await self._forward(pipe, venue, head, upstream=True)
            await asyncio.gather(self._pump(pipe, reader, venue), self._pump(pipe, there, writer))
        except OSError:
            self.counts["broken"] += 1
        finally:
            self._pipes.discard(pipe)
            pipe.cut()

    async def _pump(self, pipe: Pipe, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = writer is pipe.venue
        while data := await reader.read(CHUNK):
            await self._forward(pipe, writer, data, upstream=upstream)
        pipe.cut()

    async def _forward(
        self, pipe: Pipe, writer: asyncio.StreamWriter, data: bytes, *, upstream: bool
    ) -> None:
        if pipe.kind != "control":
            while (left := self.trouble.stalled.get(pipe.kind, 0.0) - self._now()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(min(left, 0.05))
            if not upstream and self.trouble.lost[pipe.kind] > 0:
                self.trouble.lost[pipe.kind] -= 1
                self.counts["lost"] += 1
                pipe.cut()
                return
            if not upstream and self.trouble.torn[pipe.kind] > 0 and len(data) > 1:
                self.trouble.torn[pipe.kind] -= 1
                self.counts["torn"] += 1
                writer.write(data[: len(data) // 2])
                await writer.drain()
                pipe.cut()
                return
        writer.write(data)
        await writer.drain()


def kind_of(head: bytes) -> str:
    """What a connection is for, by the first line sent on it."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    path = words[1] if len(words) > 1 else b""
    return next((kind for prefix, kind in KINDS.items() if path.startswith(prefix)), "rest")
