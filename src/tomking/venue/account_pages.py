"""Whose account it is, and what is in it: customers, balances, positions, transactions, margin."""

from starlette.requests import Request
from starlette.responses import Response

from tomking.venue import accounts
from tomking.venue.house import House
from tomking.venue.listings import instant
from tomking.venue.replies import Endpoint, Json, data, items, kept, not_found, paged, with_effects

NET_LIQ_EXTRAS = ("open", "high", "low", "close")


class AccountPages:
    """Everything under ``/customers`` and ``/accounts/{number}`` that is no order."""

    def __init__(self, house: House) -> None:
        self._house = house

    def endpoints(self) -> list[Endpoint]:
        n = "/accounts/{number}"
        return [
            Endpoint("/customers/me", self.customer),
            Endpoint("/customers/me/accounts", self.accounts),
            Endpoint("/customers/me/accounts/{number}", self.account),
            Endpoint("/customers/{who}", self.customer),
            Endpoint(f"{n}/trading-status", self.trading_status),
            Endpoint(f"{n}/balances", self.balances),
            Endpoint(f"{n}/balances/{{currency}}", self.balances),
            Endpoint(f"{n}/balance-snapshots", self.snapshots),
            Endpoint(f"{n}/positions", self.positions),
            Endpoint(f"{n}/transactions", self.transactions),
            Endpoint(f"{n}/transactions/total-fees", self.total_fees),
            Endpoint(f"{n}/transactions/{{id:int}}", self.transaction),
            Endpoint(f"{n}/net-liq/history", self.net_liq),
            Endpoint(f"{n}/position-limit", self.position_limit),
            Endpoint(f"/margin{n}/requirements", self.margin),
        ]

    async def customer(self, _request: Request) -> Response:
        return data(accounts.customer())

    async def accounts(self, _request: Request) -> Response:
        return items([{"account": accounts.account(self._house.number), "authority-level": "owner"}])

    async def account(self, _request: Request) -> Response:
        return data(accounts.account(self._house.number))

    async def trading_status(self, _request: Request) -> Response:
        return data(accounts.trading_status(self._house.number, self._house.clock.now()))

    async def balances(self, _request: Request) -> Response:
        return data(self._house.balances())

    async def snapshots(self, request: Request) -> Response:
        return paged([self._house.balances()], request)

    async def positions(self, request: Request) -> Response:
        by = {
            "underlying-symbol[]": "underlying-symbol",
            "symbol": "symbol",
            "instrument-type": "instrument-type",
        }
        return items(kept(self._house.positions(), request, by))

    async def transactions(self, request: Request) -> Response:
        by = {
            "type": "transaction-type",
            "types[]": "transaction-type",
            "sub-type[]": "transaction-sub-type",
            "instrument-type": "instrument-type",
            "symbol": "symbol",
            "underlying-symbol": "underlying-symbol",
            "action": "action",
        }
        asked = request.query_params
        first, last = asked.get("start-date", ""), asked.get("end-date", "9999")
        rows = [
            row
            for row in kept(self._house.transactions(), request, by)
            if first <= str(row["transaction-date"]) <= last
        ]
        newest_first = asked.get("sort", "Desc") != "Asc"
        return paged(rows[::-1] if newest_first else rows, request, per_page=250)

    async def transaction(self, request: Request) -> Response:
        found = [row for row in self._house.transactions() if row["id"] == request.path_params["id"]]
        return data(found[0]) if found else not_found("no such transaction")

    async def total_fees(self, _request: Request) -> Response:
        paid = self._house.account.fees
        return data(with_effects({"total-fees": -paid}))

    async def net_liq(self, _request: Request) -> Response:
        """What it is worth now; how it came there is not kept."""
        worth = str(self._house.valuation().net_liq)
        prices = dict.fromkeys(NET_LIQ_EXTRAS, worth)
        pending = {f"pending-cash-{name}": "0.0" for name in prices}
        total = {f"total-{name}": worth for name in prices}
        return items([{**prices, **pending, **total, "time": instant(self._house.clock.now())}])

    async def position_limit(self, _request: Request) -> Response:
        kinds = ("equity", "equity-option", "future", "future-option")
        sizes = {f"{kind}-{what}-size": 5000 for kind in kinds for what in ("order", "position")}
        one = {"id": 1, "account-number": self._house.number, "underlying-opening-order-limit": 50}
        return data({**one, **sizes})

    async def margin(self, _request: Request) -> Response:
        """Total and underlying by underlying, each calculated by itself."""
        worth = self._house.valuation()
        left = worth.buying_power
        total = {
            "margin-requirement": -worth.margin,
            "maintenance-requirement": -worth.margin,
            "reg-t-margin-requirement": -worth.margin,
            "margin-equity": worth.net_liq,
            "option-buying-power": left,
            "reg-t-option-buying-power": left,
            "maintenance-excess": left,
        }
        groups: list[Json] = [
            {
                "description": symbol,
                "code": symbol,
                "underlying-symbol": symbol,
                "underlying-type": "Future" if symbol.startswith("/") else "Equity",
                "margin-calculation-type": "Reg T",
                **with_effects({"buying-power": -need, "margin-requirement": -need}),
            }
            for symbol, need in self._house.margin_by_underlying().items()
        ]
        return data(
            {
                "account-number": self._house.number,
                "description": "Total",
                "margin-calculation-type": "Reg T",
                "option-level": "No Restrictions",
                **with_effects(total),
                "last-state-timestamp": int(self._house.clock.now().timestamp() * 1000),
                "groups": groups,
            }
        )
