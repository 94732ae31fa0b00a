"""One request to the API and everything that is known of its answer, whatever went wrong (fact T16)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from json import JSONDecodeError

import httpx2

from tomking.adapters.redaction import redacted
from tomking.adapters.tastytrade.session import ForbiddenHost, GuardedSession, LoginFailed
from tomking.adapters.tastytrade.words import order_id
from tomking.execution.protocol.outcomes import Answer, Failure, outcome
from tomking.execution.wire import Outcome

UNSENT = (httpx2.ConnectError, httpx2.UnsupportedProtocol, ForbiddenHost)
"""Nothing left this machine; even so it is UNKNOWN, because nobody has to rely on it."""
MOST_PAGES = 40
"""Of one list: more is a broker that counts in circles."""


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


async def ask(
    session: GuardedSession, method: str, path: str, *, about_an_order: bool, **more: object
) -> Answered:
    """Sends one request.  Never raises for anything the world does; what moves orders is never sent twice.

    about_an_order  what proves success is an order's id; else a 2xx with JSON is enough

    A 401 says that the token had died: it is dropped.  What only reads is then asked once more with a new
    one; what moves an order is UNKNOWN.
    """
    answered = await _send(session, method, path, about_an_order=about_an_order, **more)
    if answered.status == HTTPStatus.UNAUTHORIZED:
        session.drop()
        if not about_an_order:
            answered = await _send(session, method, path, about_an_order=about_an_order, **more)
    return answered


async def ask_all(
    session: GuardedSession, path: str, params: Mapping[str, object] | None = None, *, per_page: int = 200
) -> Answered:
    """Reads a list to its last page.

    Lists that have no pages are read once.  A list that has grown or shrunk meanwhile is UNKNOWN: an item
    may have slipped from one page to another.
    """
    items: list[object] = []
    total: object = None
    for page in range(MOST_PAGES):
        asked = {**(params or {}), "per-page": per_page, "page-offset": page}
        answered = await ask(session, "GET", path, about_an_order=False, params=asked)
        if answered.outcome is not Outcome.ACCEPTED:
            return answered
        items += answered.items
        pages = answered.body.get("pagination") if isinstance(answered.body, Mapping) else None
        if not isinstance(pages, Mapping):
            return replace(answered, body={"data": {"items": items}})
        if page and pages.get("total-items") != total:
            return Answered(Outcome.UNKNOWN, code="moving", text=f"{path} changed while it was read")
        total = pages.get("total-items")
        if page + 1 >= _whole(pages.get("total-pages")):
            return replace(answered, body={"data": {"items": items}})
    return Answered(Outcome.UNKNOWN, code="endless", text=f"{path} has more than {MOST_PAGES} pages")


async def _send(
    session: GuardedSession, method: str, path: str, *, about_an_order: bool, **more: object
) -> Answered:
    try:
        await session.refresh()
    except (LoginFailed, ForbiddenHost) as error:
        # Nothing of the request itself was sent; both speak in our own words.
        return Answered(Outcome.UNKNOWN, code="login", text=str(error))
    try:
        response = await session._client.request(method, path, **more)  # type: ignore[arg-type]  # noqa: SLF001
    except UNSENT as error:
        return Answered(Outcome.UNKNOWN, code="unsent", text=_said(error))
    except httpx2.TimeoutException as error:
        return Answered(Outcome.UNKNOWN, code="timeout", text=_said(error))
    except httpx2.HTTPError as error:
        return Answered(Outcome.UNKNOWN, code="reset", text=_said(error))
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


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


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
    return code, redacted("; ".join(texts) or str(error.get("message") or ""))


def _said(error: Exception) -> str:
    """What an exception is, without what it holds: a message may carry an address with a token."""
    return type(error).__name__
