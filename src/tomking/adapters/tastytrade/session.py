"""A session of the broker's SDK that can reach the hosts it is meant for and no other.

Every request, REST and websocket alike, passes one hook: hosts that are not on the list of the environment
are refused before a socket is opened, so a paper session can never talk to production.  On the local venue
the hook leads the SDK's own addresses to loopback (tastytrade page, section 2, way F).
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

import httpx2
from tastytrade import Session

AGENT = "tomking/1"
"""The front answers 401 without a product and a version (T9)."""
TIMEOUT = 5.0
"""Seconds per phase of a request; silence after it is UNKNOWN (T16)."""
LOOPBACK = "127.0.0.1"

_PRODUCTION = frozenset({"api.tastyworks.com", "streamer.tastyworks.com"})
_CERT = frozenset({"api.cert.tastyworks.com", "streamer.cert.tastyworks.com"})
DXLINK_SUFFIX = ".dxfeed.com"
"""Quotes come from addresses that the API names; never from anywhere else (X29)."""


class Environment(Enum):
    """Where orders go."""

    SANDBOX = "sandbox"
    """The local venue."""
    CERT = "cert"
    """The broker's own test system."""
    LIVE = "live"
    """Real money."""


class ForbiddenHost(RuntimeError):
    """Something wanted to reach a host that this environment has no business with."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What logs in.  Its text forms show nothing of it."""

    client_secret: str
    refresh_token: str

    def __repr__(self) -> str:
        return "Secrets(...)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Destination:
    """An environment, and the port of the local venue where it is that."""

    environment: Environment
    port: int = 0

    def hook(self) -> Callable[[httpx2.Request], Awaitable[None]]:
        """The guard of every request; raises ``ForbiddenHost``."""
        if self.environment is Environment.SANDBOX:
            return _to_loopback(self.port)
        return _only(_CERT if self.environment is Environment.CERT else _PRODUCTION)


def session(to: Destination, secrets: Secrets) -> Session:
    """A session of the SDK; nothing is sent before its first use.

    The SDK writes tokens to its log at DEBUG: it is capped at INFO here, whatever the root logger says.
    """
    logging.getLogger("tastytrade").setLevel(logging.INFO)
    return Session(
        secrets.client_secret,
        secrets.refresh_token,
        is_test=to.environment is Environment.CERT,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(TIMEOUT),
        event_hooks={"request": [to.hook()]},
    )


def _to_loopback(port: int) -> Callable[[httpx2.Request], Awaitable[None]]:
    async def hook(request: httpx2.Request) -> None:
        url = request.url
        request.headers["User-Agent"] = AGENT
        if url.host == LOOPBACK and url.port == port:
            return
        if url.host not in _PRODUCTION | _CERT:
            raise ForbiddenHost(f"the local venue was to be reached, not {url.host}")
        path = b"/streamer" if url.host.startswith("streamer.") else url.raw_path
        scheme = {"https": "http", "wss": "ws"}.get(url.scheme, url.scheme)
        request.url = url.copy_with(scheme=scheme, host=LOOPBACK, port=port, raw_path=path)
        request.headers["Host"] = f"{LOOPBACK}:{port}"

    return hook


def _only(hosts: frozenset[str]) -> Callable[[httpx2.Request], Awaitable[None]]:
    async def hook(request: httpx2.Request) -> None:
        request.headers["User-Agent"] = AGENT
        host, secure = request.url.host, request.url.scheme in {"https", "wss"}
        if not secure or not (host in hosts or host.endswith(DXLINK_SUFFIX)):
            raise ForbiddenHost(f"{request.url.scheme}://{host} is not one of this environment's hosts")

    return hook
