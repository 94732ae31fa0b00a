"""What goes back: the two envelopes of the API, its one form of error, pages of a list."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from json import JSONDecodeError

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tomking.venue.orders import Wrong

Json = dict[str, object]
Handler = Callable[[Request], Awaitable[Response]]


class BadQuestion(ValueError):
    """A question that cannot be read: answered with 400 and these words."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One thing that can be asked."""

    path: str
    handler: Handler
    methods: tuple[str, ...] = ("GET",)
    scope: str = "read"
    """What the access token must allow; empty: nobody is asked for one."""


def data(body: object, status: int = 200) -> Response:
    """One object in its envelope."""
    return JSONResponse({"data": body, "context": "sandbox", "api-version": "v1"}, status)


def items(rows: Iterable[object]) -> Response:
    """A list in its envelope."""
    return JSONResponse({"data": {"items": list(rows)}, "context": "sandbox", "api-version": "v1"})


def paged(rows: Sequence[Json], request: Request, per_page: int = 10) -> Response:
    """One page of a list, with the pagination the API gives."""
    size = max(1, _count(request, "per-page", per_page))
    page = max(0, _count(request, "page-offset", 0))
    shown = rows[page * size : (page + 1) * size]
    pagination = {
        "per-page": size,
        "page-offset": page,
        "item-offset": page * size,
        "total-items": len(rows),
        "total-pages": -(-len(rows) // size),
        "current-item-count": len(shown),
        "previous-link": None,
        "next-link": None,
        "paging-link-template": None,
    }
    envelope = {"data": {"items": list(shown)}, "context": "sandbox", "api-version": "v1"}
    return JSONResponse({**envelope, "pagination": pagination})


def error(status: int, code: str, message: str) -> Response:
    """An error of the API."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def not_found(what: str) -> Response:
    return error(404, "record_not_found", what)


def refused(wrong: Sequence[Wrong]) -> Response:
    """422 with everything that is wrong; ``cannot_update_order`` stands alone, as at the API."""
    if len(wrong) == 1 and wrong[0].code == "cannot_update_order":
        return error(422, wrong[0].code, wrong[0].message)
    inner = [{"code": one.code, "message": one.message} for one in wrong]
    body = {"code": "preflight_check_failure", "message": "One or more preflight checks failed"}
    return JSONResponse({"error": {**body, "errors": inner}}, 422)


async def body_of(request: Request) -> Json:
    """``BadQuestion`` for what is no JSON object."""
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError) as wrong:
        raise BadQuestion("the body is not JSON") from wrong
    if not isinstance(body, dict):
        raise BadQuestion("the body is not a JSON object")
    return body


def kept(rows: Iterable[Json], request: Request, by: Mapping[str, str]) -> list[Json]:
    """Those rows that every filter of the question lets through.

    ``by``: the query's name to the row's; ``name[]`` takes several.
    """
    wanted = [(name, set(request.query_params.getlist(query))) for query, name in by.items()]
    filters = [(name, values) for name, values in wanted if values]
    return [row for row in rows if all(str(row.get(name)) in values for name, values in filters)]


def several(request: Request, name: str) -> list[str]:
    """The values of ``name[]`` or ``name``, repeated or with commas."""
    given = [*request.query_params.getlist(f"{name}[]"), *request.query_params.getlist(name)]
    return [one for value in given for one in value.split(",") if one]


def effect(amount: Decimal) -> str:
    """The word beside an unsigned amount."""
    return "None" if not amount else "Credit" if amount > 0 else "Debit"


def with_effects(amounts: Mapping[str, Decimal]) -> Json:
    """Unsigned amounts, each with its effect."""
    shown: Json = {}
    for name, amount in amounts.items():
        shown |= {name: str(abs(amount)), f"{name}-effect": effect(amount)}
    return shown


def _count(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, "")
    if given and not (given.isascii() and given.isdigit()):
        raise BadQuestion(f"{name} is {given!r}, not a number")
    return int(given or default)
