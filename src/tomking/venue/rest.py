"""The REST side of the API (tastytrade page, sections 3 to 6): routes, envelopes, errors.

Each handler reads a request, asks the house and answers; what the house thinks of time and money is not
decided here.  Answers come in the two envelopes of the API, errors in its one.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import wraps
from json import JSONDecodeError

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tomking.adapters.tastytrade.symbols import UnknownSymbol, underlying
from tomking.domain.calendar import new_york
from tomking.domain.money import ZERO
from tomking.domain.product import Kind
from tomking.domain.products import PRODUCTS, UnknownProduct
from tomking.execution.wire import Outcome, Reply
from tomking.risk.margin import Held
from tomking.venue import accounts, listings
from tomking.venue.house import House
from tomking.venue.orders import Asked, Wrong, asked
from tomking.venue.tokens import Tokens

Json = dict[str, object]
Handler = Callable[[Request], Awaitable[Response]]
MOST_SYMBOLS = 100
"""In one question for market data."""


class Rest:
    """The handlers; ``routes`` is what a server mounts."""

    def __init__(self, house: House, tokens: Tokens, *, dxlink_url: Callable[[], str]) -> None:
        self._house, self._tokens, self._dxlink_url = house, tokens, dxlink_url

    def routes(self) -> list[Route]:
        """Every endpoint, by path."""
        n = "/accounts/{number}"
        reads: dict[str, Handler] = {
            "/customers/me": self.customer,
            "/customers/{who}": self.customer,
            "/customers/me/accounts": self.accounts,
            "/customers/me/accounts/{number}": self.account,
            f"{n}/trading-status": self.trading_status,
            f"{n}/balances": self.balances,
            f"{n}/balances/{{currency}}": self.balances,
            f"{n}/balance-snapshots": self.snapshots,
            f"{n}/positions": self.positions,
            f"{n}/transactions": self.transactions,
            f"{n}/transactions/total-fees": self.total_fees,
            f"{n}/transactions/{{id:int}}": self.transaction,
            f"{n}/net-liq/history": self.net_liq,
            f"{n}/position-limit": self.position_limit,
            f"/margin{n}/requirements": self.margin,
            f"{n}/orders/live": self.live_orders,
            f"{n}/orders": self.all_orders,
            f"{n}/orders/{{id:int}}": self.order,
            f"{n}/complex-orders/live": self.no_items,
            f"{n}/complex-orders": self.no_items,
            "/option-chains/{symbol}/nested": self.nested,
            "/option-chains/{symbol}/compact": self.compact,
            "/option-chains/{symbol}": self.flat,
            "/futures-option-chains/{symbol}/nested": self.nested_futures,
            "/instruments/equities": self.equities,
            "/instruments/equities/{symbol:path}": self.equity,
            "/instruments/equity-options/{symbol}": self.equity_option,
            "/instruments/futures": self.futures,
            "/instruments/futures/{symbol:path}": self.future,
            "/market-metrics": self.metrics,
            "/market-metrics/historic-corporate-events/{rest:path}": self.no_items,
            "/market-data/by-type": self.market_data,
            "/api-quote-tokens": self.quote_token,
            "/market-time/sessions/current": self.current_sessions,
            "/market-time/equities/holidays": self.holidays,
            "/market-time/futures/holidays/{exchange}": self.holidays,
            "/symbols/search/{prefix}": self.search,
            "/watchlists": self.no_items,
            "/public-watchlists": self.no_items,
        }
        routes = [Route(path, self._guarded(handler)) for path, handler in reads.items()]
        writes: list[tuple[str, Handler, list[str]]] = [
            (f"{n}/orders/dry-run", self.dry_run, ["POST"]),
            (f"{n}/orders", self.place, ["POST"]),
            (f"{n}/orders/{{id:int}}/dry-run", self.dry_run_replace, ["POST"]),
            (f"{n}/orders/{{id:int}}", self.replace, ["PUT", "PATCH"]),
            (f"{n}/orders/{{id:int}}", self.cancel, ["DELETE"]),
        ]
        routes += [Route(path, self._guarded(one, "trade"), methods=ms) for path, one, ms in writes]
        return [*routes, Route("/oauth/token", self.token, methods=["POST"])]

    def _guarded(self, handler: Handler, scope: str = "read") -> Handler:
        """401 without a good token, 404 for another account, the house brought up to now before."""

        @wraps(handler)
        async def checked(request: Request) -> Response:
            if not self._tokens.allows(request.headers.get("authorization", "")):
                return error(401, "token_invalid", "This token is invalid or has expired")
            if not self._tokens.allows(request.headers["authorization"], scope):
                return error(403, "not_permitted", "User not permitted access")
            number = request.path_params.get("number")
            if number is not None and number != self._house.number:
                return error(404, "record_not_found", "Couldn't find the account")
            self._house.now()
            try:
                return await handler(request)
            except (UnknownSymbol, UnknownProduct) as unknown:
                return error(404, "record_not_found", str(unknown))

        return checked

    # ------------------------------------------------------------------ who

    async def token(self, request: Request) -> Response:
        body = await _body(request)
        status, answer = self._tokens.grant(body or {})
        return JSONResponse(answer, status)

    async def customer(self, _request: Request) -> Response:
        return data(accounts.customer())

    async def accounts(self, _request: Request) -> Response:
        one = {"account": accounts.account(self._house.number), "authority-level": "owner"}
        return items([one])

    async def account(self, _request: Request) -> Response:
        return data(accounts.account(self._house.number))

    async def trading_status(self, _request: Request) -> Response:
        return data(accounts.trading_status(self._house.number, self._house.clock.now()))

    # ------------------------------------------------------------------ money and positions

    async def balances(self, _request: Request) -> Response:
        return data(self.balances_now())

    def balances_now(self) -> Json:
        return accounts.balances(self._house.number, self._house.valuation(), self._house.clock.now())

    async def snapshots(self, request: Request) -> Response:
        return paged([self.balances_now()], request)

    async def positions(self, request: Request) -> Response:
        wanted = set(request.query_params.getlist("underlying-symbol[]"))
        rows = self.positions_now()
        return items([row for row in rows if not wanted or row["underlying-symbol"] in wanted])

    def positions_now(self) -> list[Json]:
        house = self._house
        held = house.account.positions(house.clock.now())
        marks = house.marks(dict(held.held))
        return accounts.positions(
            house.number, held, house.costs(), marks, house.directory, house.clock.now()
        )

    async def transactions(self, request: Request) -> Response:
        first, last = request.query_params.get("start-date"), request.query_params.get("end-date")
        rows = [
            row
            for row in self._all_transactions()
            if (not first or str(row["transaction-date"]) >= first)
            and (not last or str(row["transaction-date"]) <= last)
        ]
        newest_first = request.query_params.get("sort", "Desc") != "Asc"
        return paged(rows[::-1] if newest_first else rows, request, per_page=250)

    async def transaction(self, request: Request) -> Response:
        found = [row for row in self._all_transactions() if row["id"] == request.path_params["id"]]
        return data(found[0]) if found else error(404, "record_not_found", "no such transaction")

    async def total_fees(self, _request: Request) -> Response:
        paid = self._house.account.fees
        return data({"total-fees": str(paid), "total-fees-effect": "Debit" if paid else "None"})

    def _all_transactions(self) -> list[Json]:
        house = self._house
        rows: list[Json] = []
        for ticket in house.account.tickets.values():
            for one in ticket.told:
                number = int(ticket.id.removeprefix("V"))
                id_ = _number(one.id)
                rows.append(
                    accounts.trade(
                        house.number, id_, one, number, opens=ticket.opens, directory=house.directory
                    )
                )
        rows += [
            accounts.transaction(house.number, _number(other.id), other, house.directory)
            for other in house.account.all_transactions
        ]
        return sorted(rows, key=lambda row: (str(row["executed-at"]), str(row["id"])))

    async def net_liq(self, _request: Request) -> Response:
        worth = str(self._house.valuation().net_liq)
        prices = dict.fromkeys(("open", "high", "low", "close"), worth)
        pending = {f"pending-cash-{name}": "0.0" for name in prices}
        total = {f"total-{name}": worth for name in prices}
        return items([{**prices, **pending, **total, "time": listings.instant(self._house.clock.now())}])

    async def position_limit(self, _request: Request) -> Response:
        kinds = ("equity", "equity-option", "future", "future-option")
        sizes = {f"{kind}-{what}-size": 5000 for kind in kinds for what in ("order", "position")}
        one = {"id": 1, "account-number": self._house.number, "underlying-opening-order-limit": 50}
        return data({**one, **sizes})

    async def margin(self, _request: Request) -> Response:
        worth = self._house.valuation()
        need, left = str(worth.margin), str(worth.buying_power)
        amounts = {
            "margin-requirement": need,
            "maintenance-requirement": need,
            "reg-t-margin-requirement": need,
            "margin-equity": str(worth.net_liq),
            "option-buying-power": left,
            "reg-t-option-buying-power": left,
            "maintenance-excess": left,
        }
        effects = {f"{name}-effect": "Credit" if float(x) >= 0 else "Debit" for name, x in amounts.items()}
        return data(
            {
                "account-number": self._house.number,
                "description": "Total",
                "margin-calculation-type": "Reg T",
                "option-level": "No Restrictions",
                **amounts,
                **effects,
                "last-state-timestamp": int(self._house.clock.now().timestamp() * 1000),
                "groups": [],
            }
        )

    # ------------------------------------------------------------------ orders

    async def live_orders(self, _request: Request) -> Response:
        """All of today in every status, and all that work (T2)."""
        house = self._house
        return items([house.shown(order) for order in house.account.orders(house.clock.now())][::-1])

    async def all_orders(self, request: Request) -> Response:
        wanted = set(request.query_params.getlist("status[]"))
        rows = [self._house.shown(t.shown.last) for t in self._house.account.tickets.values()]
        return paged([row for row in rows[::-1] if not wanted or row["status"] in wanted], request)

    async def order(self, request: Request) -> Response:
        found = self._house.find(str(request.path_params["id"]))
        if found is None:
            return error(404, "record_not_found", "no such order")
        return data(self._house.shown(found))

    async def dry_run(self, request: Request) -> Response:
        """What an order would cost and ask for, and what conflicts with it (T19)."""
        order = await self._asked(request)
        if not isinstance(order, Asked):
            return refused(order)
        return data({"order": _unplaced(self._house, order), **self._effects(order)})

    async def dry_run_replace(self, request: Request) -> Response:
        found = self._house.find(str(request.path_params["id"]))
        if found is None:
            return error(404, "record_not_found", "no such order")
        return data({"order": self._house.shown(found), "warnings": []})

    async def place(self, request: Request) -> Response:
        order = await self._asked(request)
        if not isinstance(order, Asked):
            return refused(order)
        reply = self._house.place(order)
        if reply.outcome is Outcome.REJECTED:
            return refused((Wrong(reply.code, reply.text),))
        body = {"order": self._house.shown(reply.orders[0]), **self._effects(order)}
        return data(body, status=201)

    async def replace(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return error(400, "validation_error", "the body is not a JSON object")
        try:
            price = Decimal(str(body.get("price")))
        except ArithmeticError:
            return refused((Wrong("invalid_price", f"price {body.get('price')!r}"),))
        limit = price if body.get("price-effect") == "Credit" else -price
        tag = str(body.get("external-identifier") or "")
        reply = self._house.replace(f"V{request.path_params['id']}", tag, limit)
        return self._ordered(reply)

    async def cancel(self, request: Request) -> Response:
        return self._ordered(self._house.cancel(f"V{request.path_params['id']}"))

    def _ordered(self, reply: Reply) -> Response:
        if reply.outcome is Outcome.ACCEPTED:
            return data(self._house.shown(reply.orders[0]))
        if reply.code == "not_found":
            return error(404, "record_not_found", reply.text)
        return refused((Wrong(reply.code, reply.text),))

    async def _asked(self, request: Request) -> Asked | tuple[Wrong, ...]:
        body = await _body(request)
        if body is None:
            return (Wrong("validation_error", "the body is not a JSON object"),)
        order = asked(body, self._house.directory)
        if not isinstance(order, Asked):
            return order
        return tuple(self._house.tick_problems(order)) or order

    def _effects(self, order: Asked) -> Json:
        house = self._house
        before, fee = house.valuation(), house.fees(order)
        cash = (order.limit or ZERO) * order.units * order.legs[0].contract.multiplier - fee
        legs = [Held(leg.contract, leg.ratio * order.units) for leg in order.legs]
        after = house.valuation(legs, cash)
        change = after.buying_power - before.buying_power
        amounts = {
            "change-in-margin-requirement": before.margin - after.margin,
            "change-in-buying-power": change,
            "current-buying-power": before.buying_power,
            "new-buying-power": after.buying_power,
            "isolated-order-margin-requirement": before.margin - after.margin,
        }
        power: Json = {
            "is-spread": len(order.legs) > 1,
            "impact": str(abs(change)),
            "effect": _effect(change),
        }
        for name, amount in amounts.items():
            power |= {name: str(abs(amount)), f"{name}-effect": _effect(amount)}
        names = ("regulatory-fees", "clearing-fees", "commission", "proprietary-index-option-fees")
        parts: Json = {}
        for name in names:
            paid = fee if name == "commission" else ZERO
            parts |= {name: str(paid), f"{name}-effect": _effect(-paid)}
        total = {"total-fees": str(fee), "total-fees-effect": _effect(-fee)}
        return {
            "buying-power-effect": power,
            "fee-calculation": {**parts, **total},
            "warnings": [],
            "errors": [],
        }

    # ------------------------------------------------------------------ instruments

    async def nested(self, request: Request) -> Response:
        return items(self._house.equity_chain(request.path_params["symbol"]))

    async def compact(self, request: Request) -> Response:
        found = self._house.equity_chain(request.path_params["symbol"])
        return items([{**root, "symbols": _symbols(root), "expirations": []} for root in found])

    async def flat(self, request: Request) -> Response:
        found = self._house.equity_chain(request.path_params["symbol"])
        names = [name for root in found for name in _symbols(root)]
        return items([_option(self._house, name) for name in names])

    async def nested_futures(self, request: Request) -> Response:
        return data(self._house.futures_chain(request.path_params["symbol"]))

    async def equities(self, request: Request) -> Response:
        return items([_equity(one) for one in request.query_params.getlist("symbol[]")])

    async def equity(self, request: Request) -> Response:
        return data(_equity(request.path_params["symbol"]))

    async def equity_option(self, request: Request) -> Response:
        return data(_option(self._house, request.path_params["symbol"]))

    async def futures(self, request: Request) -> Response:
        wanted = request.query_params.getlist("symbol[]")
        codes = request.query_params.getlist("product-code[]") or [one[1:-2] for one in wanted]
        rows = [row for code in dict.fromkeys(codes) for row in self._nearby(code)]
        return items([row for row in rows if not wanted or row["symbol"] in wanted])

    async def future(self, request: Request) -> Response:
        symbol = "/" + request.path_params["symbol"].removeprefix("/")
        found = [row for row in self._nearby(symbol[1:-2]) if row["symbol"] == symbol]
        return data(found[0]) if found else error(404, "record_not_found", f"no future {symbol}")

    def _nearby(self, code: str) -> list[Json]:
        return listings.nearby(PRODUCTS[code], self._house.sessions, self._house.clock.now())

    # ------------------------------------------------------------------ data

    async def metrics(self, request: Request) -> Response:
        return items([self._metric(one) for one in request.query_params.get("symbols", "").split(",") if one])

    def _metric(self, symbol: str) -> Json:
        """One underlying's volatility: VIX stands for the index, whatever is asked."""
        printed = self._house.market.vix(self._house.clock.now())
        vix = printed[0] / 100 if printed else 0.0
        ranks = (
            "implied-volatility-index-rank",
            "implied-volatility-rank",
            "tw-implied-volatility-index-rank",
        )
        return {
            "symbol": symbol,
            "updated-at": listings.instant(self._house.clock.now()),
            "market-cap": "0.0",
            "implied-volatility-index": f"{vix:.6f}",
            "implied-volatility-index-5-day-change": "0.0",
            **dict.fromkeys(ranks, "0.3"),
            "tos-implied-volatility-index-rank": "0.3",
            "implied-volatility-percentile": "0.3",
            "liquidity-rating": 4,
            "beta": "1.0",
            "corr-spy-3month": "1.0",
            "option-expiration-implied-volatilities": [],
        }

    async def market_data(self, request: Request) -> Response:
        """Every type's key may be repeated, or hold a list with commas."""
        asked_for = [
            (_TYPES[kind], symbol)
            for kind, value in request.query_params.multi_items()
            if kind.removesuffix("[]") in _TYPES
            for symbol in value.split(",")
        ]
        if len(asked_for) > MOST_SYMBOLS:
            return error(400, "too_many_symbols", f"{len(asked_for)} symbols, at most {MOST_SYMBOLS}")
        now = self._house.clock.now()
        found = (self._house.feed.item(symbol, kind, now) for kind, symbol in asked_for)
        return items([one for one in found if one is not None])

    async def quote_token(self, _request: Request) -> Response:
        now = self._house.clock.now()
        return data(
            {
                "token": self._tokens.quote_token(),
                "dxlink-url": self._dxlink_url(),
                "level": "api",
                "issued-at": listings.instant(now),
                "expires-at": listings.instant(now + timedelta(days=1)),
            }
        )

    async def current_sessions(self, request: Request) -> Response:
        asked_for = request.query_params.getlist("instrument-collections[]") or ["Equity"]
        return items([self._session(one) for one in asked_for])

    def _session(self, collection: str) -> Json:
        now = self._house.clock.now()
        today, sessions = new_york(now).date(), self._house.sessions
        session, following = sessions.on(today), sessions.after(today)
        state = "Open" if session and session.open <= now < session.close else "Closed"
        one: Json = {"instrument-collection": collection, "state": state}
        for key, day in (("", session), ("next-session", following)):
            if day is None:
                continue
            times = {
                "start-at": day.open,
                "open-at": day.open,
                "close-at": day.close,
                "close-at-ext": day.close,
            }
            shown = {name: listings.instant(at) for name, at in times.items()}
            if key:
                one[key] = {
                    **shown,
                    "instrument-collection": collection,
                    "session-date": day.date.isoformat(),
                }
            else:
                one |= shown
        return one

    async def holidays(self, _request: Request) -> Response:
        year = new_york(self._house.clock.now()).year
        days = [day for day in self._house.sessions if day.date.year == year]
        halves = [day.date.isoformat() for day in days if day.is_half_day]
        open_on = {day.date for day in days}
        first = days[0].date.replace(month=1, day=1)
        every = (first + timedelta(days=i) for i in range(366))
        closed = [d.isoformat() for d in every if d.year == year and d.weekday() < 5 and d not in open_on]
        return data({"market-half-days": halves, "market-holidays": closed})

    async def search(self, request: Request) -> Response:
        prefix = request.path_params["prefix"].upper()
        return items(
            [{"symbol": k, "description": p.name} for k, p in PRODUCTS.items() if k.startswith(prefix)]
        )

    async def no_items(self, _request: Request) -> Response:
        return items([])


_TYPES = {
    "equity": "Equity",
    "equity-option": "Equity Option",
    "index": "Index",
    "future": "Future",
    "future-option": "Future Option",
    "cryptocurrency": "Cryptocurrency",
}


# ---------------------------------------------------------------------- envelopes


def data(body: object, status: int = 200) -> Response:
    """One object in its envelope."""
    return JSONResponse({"data": body, "context": "sandbox", "api-version": "v1"}, status)


def items(rows: Sequence[object]) -> Response:
    """A list in its envelope."""
    return JSONResponse({"data": {"items": list(rows)}, "context": "sandbox", "api-version": "v1"})


def paged(rows: Sequence[Json], request: Request, per_page: int = 10) -> Response:
    """One page of a list, with the pagination the API gives."""
    size = max(1, int(request.query_params.get("per-page", per_page)))
    page = max(0, int(request.query_params.get("page-offset", 0)))
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


def refused(wrong: Sequence[Wrong]) -> Response:
    """422 with everything that is wrong; ``cannot_update_order`` stands alone, as at the API."""
    if len(wrong) == 1 and wrong[0].code == "cannot_update_order":
        return error(422, wrong[0].code, wrong[0].message)
    inner = [{"code": one.code, "message": one.message} for one in wrong]
    body = {"code": "preflight_check_failure", "message": "One or more preflight checks failed"}
    return JSONResponse({"error": {**body, "errors": inner}}, 422)


# ---------------------------------------------------------------------- small things


async def _body(request: Request) -> Json | None:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError):
        return None
    return body if isinstance(body, dict) else None


def _unplaced(house: House, order: Asked) -> Json:
    """The order of a dry run: without an id."""
    first = house.directory.listed(order.legs[0].contract)
    limit = order.limit or ZERO
    words = {(True, 1): "Buy to Open", (True, -1): "Sell to Open", (False, 1): "Buy to Close"}
    return {
        "account-number": house.number,
        "time-in-force": order.time_in_force,
        "order-type": "Limit" if order.limit is not None else "Market",
        "size": order.units,
        "underlying-symbol": underlying(first.contract.product),
        "underlying-instrument-type": "Future" if first.symbol.startswith((".", "/")) else "Equity",
        "price": str(abs(limit)),
        "price-effect": _effect(limit),
        "status": "Received",
        "cancellable": True,
        "editable": True,
        "edited": False,
        "updated-at": 0,
        "external-identifier": order.tag,
        "legs": [
            {
                "instrument-type": house.directory.listed(leg.contract).instrument.value,
                "symbol": house.directory.listed(leg.contract).symbol,
                "action": words.get((order.opens, 1 if leg.ratio > 0 else -1), "Sell to Close"),
                "quantity": abs(leg.ratio) * order.units,
                "remaining-quantity": abs(leg.ratio) * order.units,
                "fills": [],
            }
            for leg in order.legs
        ],
    }


def _symbols(root: Json) -> list[str]:
    expirations = root["expirations"]
    assert isinstance(expirations, list), "a chain has expirations"
    return [strike[side] for one in expirations for strike in one["strikes"] for side in ("call", "put")]


def _equity(symbol: str) -> Json:
    product = PRODUCTS[symbol]
    return {
        "instrument-type": "Equity",
        "symbol": symbol,
        "id": 1,
        "is-index": product.kind is Kind.INDEX,
        "description": product.name,
        "lendability": "Easy To Borrow",
        "market-time-instrument-collection": "Equity",
        "is-closing-only": False,
        "is-options-closing-only": False,
        "active": True,
        "is-illiquid": False,
        "is-etf": product.kind is Kind.ETF,
        "streamer-symbol": symbol,
        "tick-sizes": [{"value": "0.01"}],
        "option-tick-sizes": listings.ticks(product),
    }


def _option(house: House, symbol: str) -> Json:
    contract = house.directory.contract(symbol)
    listed = house.directory.listed(contract)
    product = PRODUCTS[contract.product]
    session = house.sessions.on(contract.expiry)
    ends = listings.instant(session.close if session else house.clock.now())
    return {
        "instrument-type": listed.instrument.value,
        "symbol": listed.symbol,
        "active": True,
        "strike-price": str(getattr(contract, "strike", 0)),
        "root-symbol": product.key,
        "underlying-symbol": underlying(product.key),
        "expiration-date": contract.expiry.isoformat(),
        "exercise-style": product.style.value,
        "shares-per-contract": 100,
        "option-type": listed.symbol[12:13],
        "option-chain-type": "Standard",
        "expiration-type": "Weekly",
        "settlement-type": "AM" if product.settles_at_open else "PM",
        "stops-trading-at": ends,
        "expires-at": ends,
        "market-time-instrument-collection": "Equity Option",
        "days-to-expiration": (contract.expiry - new_york(house.clock.now()).date()).days,
        "is-closing-only": False,
        "streamer-symbol": listed.streamer,
    }


def _effect(amount: Decimal) -> str:
    return "None" if not amount else "Credit" if amount > 0 else "Debit"


def _number(id_: str) -> int:
    """The digits of an id of ours: executions, orders and transactions count together."""
    return int("".join(filter(str.isdigit, id_)) or 0)
