"""What can be traded: ``/instruments``, option chains and the search for symbols."""

from starlette.requests import Request
from starlette.responses import Response

from tomking.adapters.tastytrade.symbols import UnknownSymbol
from tomking.domain.products import PRODUCTS
from tomking.venue import instruments, listings
from tomking.venue.house import House
from tomking.venue.listings import EXCHANGES
from tomking.venue.replies import Endpoint, Json, data, items, not_found, paged, several

A_LOT = 250
"""Instruments a page."""


class InstrumentPages:
    """What the market lists on a day."""

    def __init__(self, house: House) -> None:
        self._house = house

    def endpoints(self) -> list[Endpoint]:
        i = "/instruments"
        return [
            Endpoint("/option-chains/{symbol}/nested", self.nested),
            Endpoint("/option-chains/{symbol}/compact", self.compact),
            Endpoint("/option-chains/{symbol}", self.flat),
            Endpoint("/futures-option-chains/{symbol}/nested", self.nested_futures),
            Endpoint("/futures-option-chains/{symbol}", self.flat_futures),
            Endpoint(f"{i}/equities", self.equities),
            Endpoint(f"{i}/equities/active", self.equities),
            Endpoint(f"{i}/equities/{{symbol:path}}", self.equity),
            Endpoint(f"{i}/equity-options/{{symbol}}", self.equity_option),
            Endpoint(f"{i}/futures", self.futures),
            Endpoint(f"{i}/futures/{{symbol:path}}", self.future),
            Endpoint(f"{i}/future-products", self.products),
            Endpoint(f"{i}/future-products/{{exchange}}/{{code}}", self.product),
            Endpoint(f"{i}/future-option-products", self.option_products),
            Endpoint(f"{i}/future-option-products/{{exchange}}/{{code}}", self.option_product),
            Endpoint(f"{i}/future-options", self.future_options),
            Endpoint(f"{i}/future-options/{{symbol:path}}", self.future_option),
            Endpoint(f"{i}/cryptocurrencies", self.none),
            Endpoint(f"{i}/warrants", self.none),
            Endpoint(f"{i}/currency-pairs", self.none),
            Endpoint(f"{i}/quantity-decimal-precisions", self.none),
            Endpoint("/symbols/search/{prefix:path}", self.search),
        ]

    # ------------------------------------------------------------------ chains

    async def nested(self, request: Request) -> Response:
        return items(self._house.equity_chain(_underlying(request)))

    async def compact(self, request: Request) -> Response:
        found = self._house.equity_chain(_underlying(request))
        return items({**root, "symbols": _symbols(root), "expirations": []} for root in found)

    async def flat(self, request: Request) -> Response:
        found = self._house.equity_chain(_underlying(request))
        return items(self._equity_option(name) for root in found for name in _symbols(root))

    async def nested_futures(self, request: Request) -> Response:
        return data(self._house.futures_chain(_future(request)))

    async def flat_futures(self, request: Request) -> Response:
        chains = self._house.futures_chain(_future(request))["option-chains"]
        assert isinstance(chains, list), "the nested chain has a list of them"
        return items(self._future_option(name) for chain in chains for name in _symbols(chain))

    # ------------------------------------------------------------------ one by one

    async def equities(self, request: Request) -> Response:
        """Those named, or all; ``is-index`` and ``is-etf`` choose among them."""
        rows = [instruments.equity(one) for one in several(request, "symbol") or instruments.equities()]
        for name in ("is-index", "is-etf"):
            wanted = request.query_params.get(name)
            if wanted is not None:
                rows = [row for row in rows if row[name] is (wanted.lower() == "true")]
        return paged(rows, request, A_LOT)

    async def equity(self, request: Request) -> Response:
        return data(instruments.equity(request.path_params["symbol"]))

    async def equity_option(self, request: Request) -> Response:
        return data(self._equity_option(request.path_params["symbol"]))

    async def futures(self, request: Request) -> Response:
        wanted = several(request, "symbol")
        codes = several(request, "product-code") or [one.removeprefix("/")[:-2] for one in wanted]
        named = dict.fromkeys(codes or [one.key for one in instruments.future_products()])
        rows = [row for code in named for row in self._nearby(code)]
        return paged([row for row in rows if not wanted or row["symbol"] in wanted], request, A_LOT)

    async def future(self, request: Request) -> Response:
        symbol = "/" + request.path_params["symbol"].removeprefix("/")
        found = [row for row in self._nearby(symbol[1:-2]) if row["symbol"] == symbol]
        return data(found[0]) if found else not_found(f"there is no future {symbol}")

    async def products(self, _request: Request) -> Response:
        return items(map(instruments.future_product, instruments.future_products()))

    async def product(self, request: Request) -> Response:
        for one in instruments.future_products():
            if (EXCHANGES[one.venue][0], one.key) == _place(request):
                return data(instruments.future_product(one))
        return not_found("there is no such product")

    async def option_products(self, _request: Request) -> Response:
        return items(map(instruments.future_option_product, instruments.future_products()))

    async def option_product(self, request: Request) -> Response:
        for one in instruments.future_products():
            if (EXCHANGES[one.venue][0], one.key) == _place(request):
                beneath = instruments.future_product(one, with_options=False)
                return data({**instruments.future_option_product(one), "future-product": beneath})
        return not_found("there is no such product")

    async def future_options(self, request: Request) -> Response:
        return items(map(self._future_option, several(request, "symbol")))

    async def future_option(self, request: Request) -> Response:
        return data(self._future_option(request.path_params["symbol"]))

    async def search(self, request: Request) -> Response:
        prefix = request.path_params["prefix"].upper().removeprefix("/")
        found = [product for key, product in PRODUCTS.items() if key.startswith(prefix)]
        return items({"symbol": one.key, "description": one.name} for one in found)

    async def none(self, _request: Request) -> Response:
        """Nobody trades these here."""
        return items([])

    # ------------------------------------------------------------------ asked of the house

    def _equity_option(self, symbol: str) -> Json:
        house = self._house
        return instruments.equity_option(symbol, house.directory, house.sessions, house.clock.now())

    def _future_option(self, symbol: str) -> Json:
        """Its chain is read first where nobody has."""
        house = self._house
        try:
            house.directory.contract(symbol)
        except UnknownSymbol:
            house.futures_chain(symbol.removeprefix(".").removeprefix("/")[:5].strip()[:-2])
        return instruments.future_option(symbol, house.directory, house.sessions, house.clock.now())

    def _nearby(self, code: str) -> list[Json]:
        if PRODUCTS[code].spec is None:
            raise UnknownSymbol(f"there is no future on {code}")
        return listings.nearby(PRODUCTS[code], self._house.sessions, self._house.clock.now())


def _underlying(request: Request) -> str:
    symbol: str = request.path_params["symbol"]
    if symbol not in set(instruments.equities()):
        raise UnknownSymbol(f"no options are listed on {symbol!r}")
    return symbol


def _future(request: Request) -> str:
    code = str(request.path_params["symbol"]).removeprefix("/")
    if not PRODUCTS[code].future:
        raise UnknownSymbol(f"there is no future {code!r}")
    return code


def _place(request: Request) -> tuple[str, str]:
    return str(request.path_params["exchange"]), str(request.path_params["code"]).removeprefix("/")


def _symbols(root: Json) -> list[str]:
    expirations = root["expirations"]
    assert isinstance(expirations, list), "a chain has expirations"
    return [strike[side] for one in expirations for strike in one["strikes"] for side in ("call", "put")]
