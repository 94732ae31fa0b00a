"""Orders: judged, placed, replaced, cancelled and shown; alone and in complex orders (section 6)."""

from collections.abc import Mapping
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response

from tomking.execution.wire import BrokerOrder, Outcome, Reply
from tomking.venue.complexes import Complex, asked_complex
from tomking.venue.effects import effects, unplaced
from tomking.venue.house import House
from tomking.venue.orders import HIGHEST, Asked, Wrong, asked
from tomking.venue.replies import Endpoint, Json, body_of, data, items, kept, not_found, paged, refused

FILTERS = {"status[]": "status", "status": "status", "underlying-symbol": "underlying-symbol"}


class OrderPages:
    """Everything under ``/accounts/{number}/orders`` and ``/complex-orders``."""

    def __init__(self, house: House) -> None:
        self._house = house

    def endpoints(self) -> list[Endpoint]:
        o, c = "/accounts/{number}/orders", "/accounts/{number}/complex-orders"
        return [
            Endpoint(f"{o}/live", self.live_orders),
            Endpoint(o, self.all_orders),
            Endpoint(f"{o}/{{id:int}}", self.order),
            Endpoint("/customers/{who}/orders/live", self.live_orders),
            Endpoint("/customers/{who}/orders", self.all_orders),
            Endpoint(f"{c}/live", self.live_complex),
            Endpoint(c, self.all_complex),
            Endpoint(f"{c}/{{id:int}}", self.complex_order),
            Endpoint(f"{o}/dry-run", self.dry_run, ("POST",), "trade"),
            Endpoint(o, self.place, ("POST",), "trade"),
            Endpoint(f"{o}/{{id:int}}/dry-run", self.dry_run_replace, ("POST",), "trade"),
            Endpoint(f"{o}/{{id:int}}/reconfirm", self.reconfirm, ("POST",), "trade"),
            Endpoint(f"{o}/{{id:int}}", self.replace, ("PUT", "PATCH"), "trade"),
            Endpoint(f"{o}/{{id:int}}", self.cancel, ("DELETE",), "trade"),
            Endpoint(f"{c}/dry-run", self.dry_run_complex, ("POST",), "trade"),
            Endpoint(c, self.place_complex, ("POST",), "trade"),
            Endpoint(f"{c}/{{id:int}}", self.cancel_complex, ("DELETE",), "trade"),
        ]

    # ------------------------------------------------------------------ shown

    async def live_orders(self, request: Request) -> Response:
        """All of today in every status, and all that work (T2)."""
        house = self._house
        rows = [house.shown(order) for order in house.account.orders(house.clock.now())]
        return items(kept(rows[::-1], request, FILTERS))

    async def all_orders(self, request: Request) -> Response:
        tickets = self._house.account.tickets.values()
        first = request.query_params.get("start-date", "")
        last = request.query_params.get("end-date", "9999")
        rows = [
            self._house.shown(ticket.shown.last)
            for ticket in tickets
            if first <= ticket.entered.date().isoformat() <= last
        ]
        oldest_first = request.query_params.get("sort", "Desc") == "Asc"
        return paged(kept(rows if oldest_first else rows[::-1], request, FILTERS), request)

    async def order(self, request: Request) -> Response:
        found = self._found(request)
        return not_found("no such order") if found is None else data(self._house.shown(found))

    # ------------------------------------------------------------------ judged and placed

    async def dry_run(self, request: Request) -> Response:
        """What an order would cost and ask for, and what conflicts with it (T19)."""
        order = self._understood(await body_of(request))
        if not isinstance(order, Asked):
            return refused(order)
        return data({"order": unplaced(self._house, order), **effects(self._house, order)})

    async def place(self, request: Request) -> Response:
        order = self._understood(await body_of(request))
        if not isinstance(order, Asked):
            return refused(order)
        wanted = effects(self._house, order)
        reply = self._house.place(order)
        if reply.outcome is Outcome.REJECTED:
            return refused((Wrong(reply.code, reply.text),))
        return data({"order": self._house.shown(reply.orders[0]), **wanted}, status=201)

    def _understood(self, body: Mapping[str, object], *, stops: bool = False) -> Asked | tuple[Wrong, ...]:
        order = asked(body, self._house.directory, stops=stops)
        if not isinstance(order, Asked):
            return order
        return tuple(self._house.tick_problems(order)) or order

    # ------------------------------------------------------------------ changed and ended

    async def dry_run_replace(self, request: Request) -> Response:
        """The order at its new price."""
        found = self._found(request)
        if found is None:
            return not_found("no such order")
        limit = _limit_of(await body_of(request), found)
        if isinstance(limit, Wrong):
            return refused((limit,))
        changed = Asked(
            found.tag,
            found.legs,
            found.units,
            limit,
            self._house.account.tickets[found.id].opens,
            strict=False,
            time_in_force="Day",
        )
        shown = {**self._house.shown(found), **unplaced(self._house, changed), "id": int(found.id[1:])}
        return data({"order": shown, **effects(self._house, changed)})

    async def replace(self, request: Request) -> Response:
        body, found = await body_of(request), self._found(request)
        if found is None:
            return not_found("no such order")
        limit = _limit_of(body, found)
        if isinstance(limit, Wrong):
            return refused((limit,))
        if body.get("order-type") not in {None, "Limit"}:
            return refused((Wrong("invalid_order_type", "a replacement is a Limit order here"),))
        tag = str(body.get("external-identifier") or "")
        return self._answered(self._house.replace(found.id, tag, limit))

    async def reconfirm(self, request: Request) -> Response:
        """Nothing here needs it; the order is as it was."""
        return await self.order(request)

    async def cancel(self, request: Request) -> Response:
        return self._answered(self._house.cancel(f"V{request.path_params['id']}"))

    def _answered(self, reply: Reply) -> Response:
        if reply.outcome is Outcome.ACCEPTED:
            return data(self._house.shown(reply.orders[0]))
        if reply.code == "not_found":
            return not_found(reply.text)
        return refused((Wrong(reply.code, reply.text),))

    def _found(self, request: Request) -> BrokerOrder | None:
        return self._house.find(str(request.path_params["id"]))

    # ------------------------------------------------------------------ complex orders

    async def live_complex(self, _request: Request) -> Response:
        return items(self._house.shown_complex(one) for one in self._house.complexes.all.values())

    async def all_complex(self, request: Request) -> Response:
        rows = [self._house.shown_complex(one) for one in self._house.complexes.all.values()]
        return paged(rows[::-1], request)

    async def complex_order(self, request: Request) -> Response:
        found = self._house.complexes.all.get(request.path_params["id"])
        return not_found("no such complex order") if found is None else data(self._house.shown_complex(found))

    async def dry_run_complex(self, request: Request) -> Response:
        read = asked_complex(await body_of(request), self._understood)
        if isinstance(read, tuple):
            return refused(read)
        first = read.trigger or read.orders[0]
        shown: Json = {
            "account-number": self._house.number,
            "type": read.kind,
            "orders": [unplaced(self._house, one) for one in read.orders],
        }
        if read.trigger is not None:
            shown["trigger-order"] = unplaced(self._house, read.trigger)
        return data({"complex-order": shown, **effects(self._house, first)})

    async def place_complex(self, request: Request) -> Response:
        body = await body_of(request)
        read = asked_complex(body, self._understood)
        if isinstance(read, tuple):
            return refused(read)
        wanted = effects(self._house, read.trigger or read.orders[0])
        made = self._house.place_complex(read, body)
        if not isinstance(made, Complex):
            return refused((made,))
        return data({"complex-order": self._house.shown_complex(made), **wanted}, status=201)

    async def cancel_complex(self, request: Request) -> Response:
        found = self._house.cancel_complex(request.path_params["id"])
        return not_found("no such complex order") if found is None else data(self._house.shown_complex(found))


def _limit_of(body: Mapping[str, object], order: BrokerOrder) -> Decimal | Wrong:
    """The new net price; without an effect it keeps the side it had."""
    try:
        price = Decimal(str(body.get("price")))
    except ArithmeticError:
        price = Decimal("NaN")
    if not price.is_finite() or not 0 <= price <= HIGHEST:
        return Wrong("invalid_price", f"price {body.get('price')!r} is no amount")
    side = body.get("price-effect")
    credit = side == "Credit" if side in {"Credit", "Debit"} else order.limit > 0
    tick = order.legs[0].contract.tick
    if price % tick:
        return Wrong("invalid_price_increment", f"price {price} is not a multiple of {tick}")
    return price if credit else -price
