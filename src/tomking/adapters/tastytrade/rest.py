"""One request to the API and everything that is known of its answer, whatever went wrong (fact T16)."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from json import JSONDecodeError

import httpx2
from tastytrade import Session
from tastytrade.utils import TastytradeError

from tomking.adapters.tastytrade.session import ForbiddenHost
from tomking.adapters.tastytrade.words import order_id
from tomking.execution.protocol.outcomes import Answer, Failure, outcome
from tomking.execution.wire import Outcome

RESETS = (httpx2.NetworkError, httpx2.ProtocolError, httpx2.ProxyError)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    outcome: Outcome
    body: object = None
    """Parsed JSON; None where it was none."""
    status: int | None = None
    code: str = ""
    """The broker's error code, or for UNKNOWN what went wrong ("timeout", "502")."""
    text: str = ""

    @property
    def data(self) -> object:
        """What is inside the envelope."""
        return self.body.get("data") if isinstance(self.body, Mapping) else None

    @property
    def items(self) -> list[object]:
        """A list's items; empty where it is none."""
        data = self.data
        found = data.get("items") if isinstance(data, Mapping) else None
        return found if isinstance(found, list) else []


async def ask(session: Session, method: str, path: str, *, about_an_order: bool, **more: object) -> Answered:
    """Sends one request.  Never raises for anything the world does; never sends anything twice.

    about_an_order  what proves success is an order's id; else a 2xx with JSON is enough

    A token that has less than a minute is renewed first.  A 401 says that the token had died: it is dropped,
    so that the next request gets a new one, and this one is UNKNOWN unless it only reads.
    """
    try:
        await session.refresh()
    except (httpx2.HTTPError, TastytradeError, ForbiddenHost, KeyError, ValueError) as error:
        # Nothing of the request itself was sent.
        return Answered(Outcome.UNKNOWN, code="login", text=_said(error))
    try:
        response = await session._client.request(method, path, **more)  # type: ignore[arg-type]  # noqa: SLF001
    except httpx2.TimeoutException as error:
        return Answered(Outcome.UNKNOWN, code="timeout", text=_said(error))
    except RESETS as error:
        return Answered(Outcome.UNKNOWN, code="reset", text=_said(error))
    except (httpx2.HTTPError, ForbiddenHost) as error:
        return Answered(Outcome.UNKNOWN, code="unsent", text=_said(error))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        session.session_expiration = 0.0
    return _read(response, about_an_order=about_an_order)


def _read(response: httpx2.Response, *, about_an_order: bool) -> Answered:
    status = response.status_code
    body, parsed = _json(response)
    code, text = _error(body)
    if not about_an_order:
        fine = parsed and status < HTTPStatus.MULTIPLE_CHOICES
        known = Outcome.ACCEPTED if fine else Outcome.UNKNOWN
        return Answered(known, body, status, "" if fine else str(status), text)
    answer = Answer(
        status,
        parsed,
        order_id(body) or "",
        code,
        Failure.NONE if parsed else Failure.UNREADABLE,
        # A 401 ends the token: whether it was the token or the order cannot be told apart.
        token_was_valid=False,
    )
    known = outcome(answer)
    return Answered(known, body, status, code if known is Outcome.REJECTED else str(status), text)


def _json(response: httpx2.Response) -> tuple[object, bool]:
    if not response.content:
        return {}, response.status_code == HTTPStatus.NO_CONTENT
    try:
        return response.json(), True
    except (JSONDecodeError, UnicodeDecodeError):
        return None, False


def _error(body: object) -> tuple[str, str]:
    """The broker's code and words: the inner errors where there are any."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", ""
    inner = [one for one in error.get("errors") or [] if isinstance(one, Mapping)]
    texts = [str(one.get("message") or one.get("reason") or one.get("code")) for one in inner]
    codes = [str(one["code"]) for one in inner if one.get("code")]
    code = codes[0] if codes else str(error.get("code") or "")
    return code, "; ".join(texts) or str(error.get("message") or "")


def _said(error: Exception) -> str:
    """What an exception is, without what it holds: a message may carry an address with a token."""
    return type(error).__name__
