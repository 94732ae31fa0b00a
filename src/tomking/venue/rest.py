"""The REST side of the API (tastytrade page, sections 3 to 6): every endpoint, and who may ask it.

Each page reads a question, asks the house and answers; what the house thinks of time and money is not
decided there.
"""

from collections.abc import Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tomking.adapters.tastytrade.symbols import UnknownSymbol
from tomking.domain.products import UnknownProduct
from tomking.venue.account_pages import AccountPages
from tomking.venue.data_pages import DataPages
from tomking.venue.house import House
from tomking.venue.instrument_pages import InstrumentPages
from tomking.venue.order_pages import OrderPages
from tomking.venue.replies import BadQuestion, Endpoint, Handler, body_of, error, not_found
from tomking.venue.tokens import Tokens


class Rest:
    """The pages put together; ``routes`` is what a server mounts."""

    def __init__(self, house: House, tokens: Tokens, *, dxlink_url: Callable[[], str]) -> None:
        self._house, self._tokens, self._dxlink_url = house, tokens, dxlink_url

    def endpoints(self) -> list[Endpoint]:
        """Everything that can be asked with an access token; of two that fit a path the first answers."""
        return [
            *OrderPages(self._house).endpoints(),
            *AccountPages(self._house).endpoints(),
            *InstrumentPages(self._house).endpoints(),
            *DataPages(self._house, self._tokens, self._dxlink_url).endpoints(),
        ]

    def routes(self) -> list[Route]:
        """Every endpoint, and the login."""
        asked = [
            Route(one.path, self._guarded(one.handler, one.scope), methods=list(one.methods))
            for one in self.endpoints()
        ]
        return [*asked, Route("/oauth/token", self.token, methods=["POST"])]

    async def token(self, request: Request) -> Response:
        try:
            body = await body_of(request)
        except BadQuestion:
            body = {}
        status, answer = self._tokens.grant(body)
        return JSONResponse(answer, status)

    def _guarded(self, handler: Handler, scope: str) -> Handler:
        """401 without a good token, 404 for another account, the house brought up to now before."""

        @wraps(handler)
        async def checked(request: Request) -> Response:
            shown = request.headers.get("authorization", "")
            if scope and not self._tokens.allows(shown):
                return error(401, "token_invalid", "This token is invalid or has expired")
            if scope and not self._tokens.allows(shown, scope):
                return error(403, "not_permitted", "User not permitted access")
            number = request.path_params.get("number")
            if number is not None and number != self._house.number:
                return not_found("Couldn't find the account")
            self._house.now()
            try:
                return await handler(request)
            except (UnknownSymbol, UnknownProduct) as unknown:
                return not_found(str(unknown))
            except BadQuestion as wrong:
                return error(400, "validation_error", str(wrong))

        return checked
