"""A session of the broker's SDK that can reach the hosts it is meant for and no other.

Every request, REST and websocket alike, passes one hook: hosts that are not on the list of the environment
are refused before a socket is opened, so a paper session can never talk to production.  On the local venue
the hook leads the SDK's own addresses to loopback (tastytrade page, section 2, way F).
"""

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, NoReturn

import httpx2
from tastytrade import Session

from tomking.adapters.redaction import learn

AGENT = "tomking/1"
"""The front answers 401 without a product and a version (T9)."""
TIMEOUT = 5.0
"""Seconds per phase of a request; silence after it is UNKNOWN (T16)."""
LOOPBACK = "127.0.0.1"
TOKEN_LIFE = 900.0
"""Seconds of an access token where the answer does not say."""
LAST_MINUTE = 60.0
"""A token with less than this left is not sent any more."""
FAILURES, WITHIN = 3, 900.0
"""Failed logins in so many seconds, after which none is tried: more of them get the address blocked for
hours (T9, I22)."""
PAUSE = 15.0
"""Seconds between logins while the broker is down."""

_PRODUCTION = frozenset({"api.tastyworks.com", "streamer.tastyworks.com"})
_CERT = frozenset({"api.cert.tastyworks.com", "streamer.cert.tastyworks.com"})
DXLINK_SUFFIX = ".dxfeed.com"
"""Quotes come from addresses that the API names; never from anywhere else (X29)."""


class Scope(Enum):
    """What an access token allows: no more than is needed (X20)."""

    READ = "read"
    TRADE = "read trade"


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


class LoginFailed(RuntimeError):
    """There is no access token; says why, in words of ours."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What logs in.  Its text forms show nothing of it."""

    client_secret: str
    refresh_token: str

    def __post_init__(self) -> None:
        learn(self.client_secret, self.refresh_token)

    def __repr__(self) -> str:
        return "Secrets(...)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Destination:
    """An environment, and the port of the local venue where it is that."""

    environment: Environment
    port: int = 0
    reads_only: bool = False
    """Whether nothing but logins and questions may leave: quotes of production without its account."""

    def hook(self) -> "Hook":
        """The guard of every request; raises ``ForbiddenHost``."""
        return _asks_only(self.leads()) if self.reads_only else self.leads()

    def leads(self) -> "Hook":
        """To the hosts of the environment and to no other."""
        if self.environment is Environment.SANDBOX:
            return _to_loopback(self.port)
        return _only(_CERT if self.environment is Environment.CERT else _PRODUCTION)


class GuardedSession(Session):
    """The SDK's session with logins that are early, few and as weak as they may be.

    A token is renewed at half its life; while it lives, a renewal that fails is tried again later and
    nobody notices.  Time is measured by a clock that cannot be set (T17).
    """

    def __init__(
        self,
        secrets: Secrets,
        scope: Scope,
        elapsed: Callable[[], float],
        *,
        is_test: bool,
        **client: Any,  # noqa: ANN401 - as the SDK has it
    ) -> None:
        super().__init__(secrets.client_secret, secrets.refresh_token, is_test=is_test, **client)
        self._scope, self._elapsed = scope, elapsed
        self._renewed_after = self._ends = self._not_before = 0.0
        self._failed: deque[float] = deque(maxlen=FAILURES)

    async def refresh(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - as the SDK has it
        """Gets a token where there is none good; raises ``LoginFailed`` and ``ForbiddenHost``."""
        if not force and self._elapsed() < self._renewed_after:
            return
        async with self._lock:
            now = self._elapsed()
            if not force and now < self._renewed_after:
                return
            try:
                await self._login(now)
            except LoginFailed:
                if force or now >= self._ends - LAST_MINUTE:
                    raise
                # It is still good for a while: the next try is in a quarter of what is left.
                self._renewed_after = now + (self._ends - now) / 4

    def drop(self) -> None:
        """Forgets a token that was refused."""
        self._renewed_after = self._ends = 0.0

    def serialize(self) -> NoReturn:
        """Never: it would write the secrets down (T17, X22)."""
        raise TypeError("a session is not written down: it holds secrets")

    async def _login(self, now: float) -> None:
        if len(self._failed) == FAILURES and now - self._failed[0] < WITHIN:
            minutes = (WITHIN - now + self._failed[0]) / 60
            raise LoginFailed(f"{FAILURES} logins were refused; the next is tried in {minutes:.0f} minutes")
        if now < self._not_before:
            raise LoginFailed("the broker does not answer logins; the next is tried in some seconds")
        body = {
            "grant_type": "refresh_token",
            "client_secret": self.provider_secret,
            "refresh_token": self.refresh_token,
            "scope": self._scope.value,
        }
        request = self._client.build_request("POST", "/oauth/token", json=body)
        request.headers.pop("Authorization", None)
        try:
            response = await self._client.send(request)
            status, answer = response.status_code, _object(response)
        except httpx2.HTTPError as error:
            if isinstance(error, httpx2.TimeoutException):
                self._failed.append(now)  # a blocked address gets no answers at all
            self._not_before = now + PAUSE
            raise LoginFailed(f"no answer to the login ({type(error).__name__})") from None
        token = answer.get("access_token")
        if status != HTTPStatus.OK or not isinstance(token, str) or not token:
            if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._failed.append(now)
            else:
                self._not_before = now + PAUSE
            raise LoginFailed(_why(status, answer))
        self._failed.clear()
        life = answer.get("expires_in", TOKEN_LIFE)
        life = float(life) if isinstance(life, int | float) else TOKEN_LIFE
        learn(token)
        self.session_token = token
        self._renewed_after, self._ends = now + life / 2, now + life
        self._client.headers["Authorization"] = f"Bearer {token}"


def _object(response: httpx2.Response) -> Mapping[str, object]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, Mapping) else {}


def _why(status: int, answer: Mapping[str, object]) -> str:
    """What to do about a refused login; of the answer only a code that is known."""
    match answer.get("error_code") or answer.get("error"):
        case "invalid_grant":
            fix = "the refresh token is revoked or of another environment: make a new grant"
        case "invalid_client":
            fix = "the client secret is wrong"
        case "invalid_scope":
            fix = "the grant does not allow this scope: make one with read and trade"
        case _:
            return f"the login was answered with HTTP {status}"
    return f"{fix}; then store it with `tomking secrets set`"


def session(
    to: Destination,
    secrets: Secrets,
    scope: Scope = Scope.TRADE,
    elapsed: Callable[[], float] = time.monotonic,
    answered: Callable[[str | None, float], None] | None = None,
) -> GuardedSession:
    """A session of the SDK; nothing is sent before its first use.

    answered  is told the ``Date`` of each answer, and the seconds since its request

    The SDK writes tokens to its log at DEBUG: it is capped at INFO here, whatever the root logger says.
    """
    logging.getLogger("tastytrade").setLevel(logging.INFO)
    return GuardedSession(
        secrets,
        scope,
        elapsed,
        is_test=to.environment is Environment.CERT,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(TIMEOUT),
        verify=_tls(),
        event_hooks=timed_hooks(to, elapsed, answered),
    )


Hook = Callable[[Any], Awaitable[None]]


def timed_hooks(
    to: Destination, elapsed: Callable[[], float], answered: Callable[[str | None, float], None] | None
) -> dict[str, list[Hook]]:
    """The guard of every request, and who is told of each answer."""
    guard = to.hook()
    if answered is None:
        return {"request": [guard]}

    async def began(request: httpx2.Request) -> None:
        request.extensions[BEGAN] = elapsed()

    async def ended(response: httpx2.Response) -> None:
        answered(response.headers.get("Date"), elapsed() - response.request.extensions[BEGAN])

    return {"request": [guard, began], "response": [ended]}


BEGAN = "tomking.began"


@cache
def _tls() -> SSLContext:
    """Checks certificates; made once, as reading the roots takes longer than a connection."""
    return httpx2.create_ssl_context(trust_env=False)


def _to_loopback(port: int) -> "Hook":
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


def _asks_only(leads: "Hook") -> "Hook":
    """Lets nothing pass that could change anything: GET, websockets, and the login itself."""

    async def hook(request: httpx2.Request) -> None:
        is_login = request.method == "POST" and request.url.path == "/oauth/token"
        if request.method != "GET" and not is_login:
            raise ForbiddenHost(f"{request.method} {request.url.path}: this run only reads")
        await leads(request)

    return hook


def _only(hosts: frozenset[str]) -> "Hook":
    async def hook(request: httpx2.Request) -> None:
        request.headers["User-Agent"] = AGENT
        host, secure = request.url.host, request.url.scheme in {"https", "wss"}
        if not secure or not (host in hosts or host.endswith(DXLINK_SUFFIX)):
            raise ForbiddenHost(f"{request.url.scheme}://{host} is not one of this environment's hosts")

    return hook
