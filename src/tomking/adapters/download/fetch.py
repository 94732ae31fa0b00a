"""One polite request: asked conditionally, bounded in size and time, tried again as the server wishes.

Nothing here pretends to be a browser.  A publisher that refuses programs is not asked twice.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Protocol

import httpx

from tomking.adapters.download.cache import Story
from tomking.domain.errors import OperatingError

TRIES = 3
FIRST_PAUSE_SECONDS = 2.0
"""Before the second try; twice that before the third."""
LONGEST_PAUSE_SECONDS = 60.0
"""A server that wants more is not waited for."""
TIMEOUT_SECONDS = 20.0
"""Without a single byte."""
WHOLE_SECONDS = 120.0
"""For one answer altogether: a server that drips bytes is a dead one."""
LARGEST_BYTES = 20_000_000
"""The whole VIX since 1990 is half a megabyte."""

_AGAIN = {408, 425, 429, 500, 502, 503, 504}


class Waiting(Protocol):
    """Time for requests."""

    def now(self) -> datetime:
        """The wall time, aware UTC."""
        ...

    def seconds(self) -> float:
        """Seconds of a clock that only runs forward."""
        ...

    def wait(self, seconds: float) -> None:
        """Returns when they have passed."""
        ...


class WallWaiting:
    """The real clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this is the adapter that reads it

    def seconds(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251 - and waits


class Unavailable(OperatingError):
    """No answer that can be used: offline, refused, gone, or broken on the way."""


class Unreachable(Unavailable):
    """The host cannot be reached at all: nothing else on it can."""


class Gone(Unavailable):
    """The publisher says that there is no such file."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came."""

    body: bytes | None
    """None: the copy that was asked about is still the newest."""
    etag: str | None
    last_modified: str | None


@contextmanager
def polite_client() -> Iterator[httpx.Client]:
    """One connection at a time, under our own name."""
    with httpx.Client(
        timeout=TIMEOUT_SECONDS,
        follow_redirects=True,
        max_redirects=3,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        headers={"User-Agent": f"tomking/{version('tomking')} (one person's research)", "Accept": "text/csv"},
    ) as client:
        yield client


def fetch(client: httpx.Client, address: str, known: Story | None, waiting: Waiting) -> Answer:
    """The newest bytes at ``address``.  ``Unavailable`` says in plain words what is in the way."""
    headers = {}
    if known is not None and known.address == address:
        if known.etag:
            headers["If-None-Match"] = known.etag
        if known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
    trouble, found = "", None
    for attempt in range(TRIES):
        found = _once(client, address, headers, waiting)
        if isinstance(found, Answer):
            return found
        trouble, pause = found.what, found.pause
        if pause is None:
            pause = FIRST_PAUSE_SECONDS * 2**attempt
        if not found.again:
            raise (Gone if found.gone else Unavailable)(f"{address}: {trouble}")
        if pause > LONGEST_PAUSE_SECONDS:
            raise Unavailable(f"{address}: {trouble}; it asks to wait {pause:.0f} seconds: try again then")
        if attempt + 1 < TRIES:
            waiting.wait(pause)
    kind = Unreachable if isinstance(found, _Trouble) and found.unreachable else Unavailable
    raise kind(f"{address}: {trouble}, {TRIES} times; try again later")


@dataclass(frozen=True, slots=True)
class _Trouble:
    what: str
    again: bool
    pause: float | None = None
    """Seconds the server asked for."""
    gone: bool = False
    unreachable: bool = False


def _once(client: httpx.Client, address: str, headers: dict[str, str], waiting: Waiting) -> Answer | _Trouble:
    until = waiting.seconds() + WHOLE_SECONDS
    try:
        with client.stream("GET", address, headers=headers) as response:
            status = response.status_code
            tags = response.headers.get("ETag"), response.headers.get("Last-Modified")
            if status == HTTPStatus.NOT_MODIFIED and headers:
                return Answer(None, *tags)
            if status != HTTPStatus.OK:
                return _refused(response, waiting.now())
            body = _bounded(response, until, waiting)
            return body if isinstance(body, _Trouble) else Answer(body, *tags)
    except httpx.TimeoutException:
        return _Trouble(f"no answer within {TIMEOUT_SECONDS:.0f} seconds", again=True)
    except httpx.ConnectError:
        host = httpx.URL(address).host
        what = f"cannot reach {host}: check the network connection and any proxy"
        return _Trouble(what, again=True, unreachable=True)
    except httpx.RemoteProtocolError:
        return _Trouble("the connection broke off in the middle of the file", again=True)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _Trouble(f"{type(error).__name__}: {error}", again=False)


def _bounded(response: httpx.Response, until: float, waiting: Waiting) -> bytes | _Trouble:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST_BYTES:
            return _Trouble(f"more than {LARGEST_BYTES // 1_000_000} MB: that is another file", again=False)
        if waiting.seconds() > until:
            return _Trouble(f"still not whole after {WHOLE_SECONDS:.0f} seconds", again=True)
    return bytes(body)


def _refused(response: httpx.Response, now: datetime) -> _Trouble:
    status = response.status_code
    phrase = response.reason_phrase or "no reason given"
    if status in _AGAIN:
        return _Trouble(
            f"the server answered {status} ({phrase})",
            again=True,
            pause=_retry_after(response.headers.get("Retry-After"), now),
        )
    hints = {404: "; the publisher moved it", 403: "; the publisher refuses programs: download it by hand"}
    what = f"the server answered {status} ({phrase}){hints.get(status, '')}"
    return _Trouble(what, again=False, gone=status in {404, 410})


def _retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds, from a number or an HTTP date."""
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
