"""What is known of the market beside its quotes' stream: metrics, prices on demand, hours, holidays."""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from tomking.domain.calendar import new_york
from tomking.domain.products import PRODUCTS
from tomking.venue.house import House
from tomking.venue.listings import instant
from tomking.venue.metrics import metric
from tomking.venue.replies import Endpoint, Json, data, error, items, not_found, several
from tomking.venue.tokens import Tokens

MOST_SYMBOLS = 100
"""In one question for market data."""
TYPES = {
    "equity": "Equity",
    "equity-option": "Equity Option",
    "index": "Index",
    "future": "Future",
    "future-option": "Future Option",
    "cryptocurrency": "Cryptocurrency",
}
RATE_DAYS = 30
"""Calendar days: the rate of the first expiry as far away as this stands for the risk-free one."""


class DataPages:
    """``/market-metrics``, ``/market-data``, ``/market-time``, quote tokens and lists."""

    def __init__(self, house: House, tokens: Tokens, dxlink_url: Callable[[], str]) -> None:
        self._house, self._tokens, self._dxlink_url = house, tokens, dxlink_url

    def endpoints(self) -> list[Endpoint]:
        events = "/market-metrics/historic-corporate-events"
        return [
            Endpoint("/market-metrics", self.metrics),
            Endpoint(f"{events}/dividends/{{symbol:path}}", self.none),
            Endpoint(f"{events}/earnings-reports/{{symbol:path}}", self.none),
            Endpoint("/market-data/by-type", self.market_data),
            Endpoint("/market-data/{kind}/{symbol:path}", self.one_market_data),
            Endpoint("/margin-requirements-public-configuration", self.risk_free, scope=""),
            Endpoint("/api-quote-tokens", self.quote_token),
            Endpoint("/market-time/sessions/current", self.current_sessions),
            Endpoint("/market-time/equities/holidays", self.holidays),
            Endpoint("/market-time/futures/holidays/{exchange}", self.holidays),
            Endpoint("/watchlists", self.none),
            Endpoint("/public-watchlists", self.none),
            Endpoint("/pairs-watchlists", self.none),
            Endpoint("/quote-alerts", self.none),
        ]

    async def metrics(self, request: Request) -> Response:
        house = self._house
        now, at = house.clock.now(), house.priced_at()
        known = [(one.removeprefix("/"), one) for one in several(request, "symbols")]
        return items(
            metric(PRODUCTS[key], symbol, house.market, at, now) for key, symbol in known if key in PRODUCTS
        )

    async def market_data(self, request: Request) -> Response:
        """Every type's key may be repeated, or hold a list with commas."""
        asked_for = [
            (TYPES[kind.removesuffix("[]")], symbol)
            for kind, value in request.query_params.multi_items()
            if kind.removesuffix("[]") in TYPES
            for symbol in value.split(",")
        ]
        if len(asked_for) > MOST_SYMBOLS:
            return error(400, "too_many_symbols", f"{len(asked_for)} symbols, at most {MOST_SYMBOLS}")
        now = self._house.clock.now()
        found = (self._house.feed.item(symbol, kind, now) for kind, symbol in asked_for)
        return items([one for one in found if one is not None])

    async def one_market_data(self, request: Request) -> Response:
        kind, symbol = request.path_params["kind"], request.path_params["symbol"]
        found = self._house.feed.item(symbol, kind, self._house.clock.now())
        return not_found(f"nothing is known of {symbol}") if found is None else data(found)

    async def risk_free(self, _request: Request) -> Response:
        """Of the discount in the index's own chain."""
        house = self._house
        at = house.priced_at()
        later = at.date() + timedelta(days=RATE_DAYS)
        expiry = next((day for day in house.market.expiries("SPXW", at) if day >= later), None)
        chain = None if expiry is None else house.market.chain("SPXW", expiry, at)
        if chain is None or expiry is None:
            return not_found("no rate is known")
        years = (expiry - new_york(at).date()).days / 365
        return data({"risk-free-rate": f"{-math.log(chain.discount) / years:.6f}"})

    async def quote_token(self, _request: Request) -> Response:
        now = self._house.clock.now()
        return data(
            {
                "token": self._tokens.quote_token(),
                "dxlink-url": self._dxlink_url(),
                "level": "api",
                "issued-at": instant(now),
                "expires-at": instant(now + timedelta(days=1)),
            }
        )

    async def current_sessions(self, request: Request) -> Response:
        return items(self._session(one) for one in several(request, "instrument-collections") or ["Equity"])

    def _session(self, collection: str) -> Json:
        """Hours of the securities exchange, whatever is asked: nothing else is open here."""
        now = self._house.clock.now()
        today, sessions = new_york(now).date(), self._house.sessions
        session, following = sessions.on(today), sessions.after(today)
        state = "Open" if session and session.open <= now < session.close else "Closed"
        one: Json = {"instrument-collection": collection, "state": state}
        if session is not None:
            one |= _hours(session.open, session.close)
        if following is not None:
            hours = _hours(following.open, following.close)
            day = following.date.isoformat()
            one["next-session"] = {**hours, "instrument-collection": collection, "session-date": day}
        return one

    async def holidays(self, _request: Request) -> Response:
        """Of the venue's year and the next one."""
        year = new_york(self._house.clock.now()).year
        sessions = self._house.sessions.between(date(year, 1, 1), date(year + 1, 12, 31))
        halves = [one.date.isoformat() for one in sessions if one.is_half_day]
        open_on = {one.date for one in sessions}
        every = (date(year, 1, 1) + timedelta(days=i) for i in range(2 * 366))
        weekdays = [day for day in every if day.weekday() < 5 and year <= day.year <= year + 1]
        closed = [day.isoformat() for day in weekdays if day not in open_on]
        return data({"market-half-days": halves, "market-holidays": closed})

    async def none(self, _request: Request) -> Response:
        """Nothing of the kind is kept here."""
        return items([])


def _hours(opens: datetime, closes: datetime) -> Json:
    times = {"start-at": opens, "open-at": opens, "close-at": closes, "close-at-ext": closes}
    return {name: instant(at) for name, at in times.items()}
