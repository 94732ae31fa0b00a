"""Instruments as the API lists them: nested chains of shares, indices and futures.

What a market lists is asked of it (``MarketData.expiries`` and ``chain``); symbols follow the page's section
10.  The names of weekly series on futures are the exchange's where they follow a rule (EW1 to EW4, EW, E1A)
and otherwise made in the same manner.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from tomking.adapters.tastytrade.symbols import Instrument, Listed, future_symbol, occ, occ_streamer
from tomking.domain.calendar import FRIDAY, Sessions, new_york
from tomking.domain.chain import Chain
from tomking.domain.contract import Future, Option
from tomking.domain.expiries import (
    MONTH_LETTERS,
    is_quarterly_expiry,
    monthly_expiry,
    terms_of,
    underlying_future,
)
from tomking.domain.product import Product, Venue
from tomking.domain.products import PRODUCTS
from tomking.ports import MarketData

Json = dict[str, object]

ROOTS: dict[str, tuple[str, ...]] = {"SPX": ("SPX", "SPXW")}
"""Underlyings with more than one root; all others have their own."""
MONTHLY = {"CL": "LO", "MCL": "MCO", "GC": "OG", "MGC": "OMG", "6E": "EUU", "ZB": "OZB", "ZN": "OZN"}
"""The exchanges' names of monthly series where they are not the future's."""
EXCHANGES = {
    Venue.EQUITY_FUTURES: ("CME", "XCME"),
    Venue.CURRENCIES: ("CME", "XCME"),
    Venue.RATES: ("CBOT", "XCBT"),
    Venue.ENERGY_METALS: ("NYMEX", "XNYM"),
    Venue.VOLATILITY: ("CFE", "XCBF"),
}

MONTHS_AHEAD = 5
"""Delivery months that are shown of a future."""


def instant(at: datetime) -> str:
    """ISO 8601 with milliseconds and offset, as the API writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def roots_of(underlying: str) -> tuple[str, ...]:
    """The option roots of an underlying: SPX has SPX and SPXW."""
    return ROOTS.get(underlying, (underlying,))


def equity_chain(underlying: str, market: MarketData, sessions: Sessions, now: datetime) -> list[Json]:
    """The items of ``/option-chains/{underlying}/nested``: one a root that the market lists."""
    items = []
    for root in roots_of(underlying):
        product = PRODUCTS[root]
        expirations = list(_equity_expirations(product, market, sessions, now))
        if expirations:
            items.append(
                {
                    "underlying-symbol": underlying,
                    "root-symbol": root,
                    "option-chain-type": "Standard",
                    "shares-per-contract": 100,
                    "tick-sizes": ticks(product),
                    "deliverables": [],
                    "expirations": expirations,
                }
            )
    return items


def futures_chain(code: str, market: MarketData, sessions: Sessions, now: datetime) -> Json:
    """The data of ``/futures-option-chains/{code}/nested``."""
    product = PRODUCTS[code]
    expirations = list(_future_expirations(product, market, sessions, now))
    beneath = dict.fromkeys(str(one["underlying-symbol"]) for one in expirations)
    futures = [future for future in nearby(product, sessions, now) if future["symbol"] in beneath]
    root = f"/{code}"
    chain = {
        "underlying-symbol": root,
        "root-symbol": root,
        "exercise-style": product.style.value,
        "expirations": expirations,
    }
    keys = (
        "symbol",
        "expiration-date",
        "expires-at",
        "stops-trading-at",
        "active-month",
        "next-active-month",
    )
    return {
        "futures": [
            {
                **{key: future[key] for key in keys},
                "root-symbol": root,
                "maturity-date": future["expiration-date"],
                "days-to-expiration": _days(date.fromisoformat(str(future["expiration-date"])), now),
            }
            for future in futures
        ],
        "option-chains": [chain] if expirations else [],
    }


def futures(product: Product, sessions: Sessions, now: datetime) -> list[Listed]:
    """The contracts of ``nearby`` with their symbols."""
    shown = zip(_deliveries(product, sessions, now), nearby(product, sessions, now), strict=True)
    return [
        Listed(
            Future(product.key, last, product.multiplier, product.tick),
            str(row["symbol"]),
            str(row["streamer-symbol"]),
            Instrument.FUTURE,
        )
        for last, row in shown
    ]


def nearby(product: Product, sessions: Sessions, now: datetime) -> list[Json]:
    """The next delivery months as ``/instruments/futures`` shows them; the first is the active month."""
    exchange, streamed = EXCHANGES[product.venue]
    found = _deliveries(product, sessions, now)
    return [_future(product, last, sessions, exchange, streamed, active=i) for i, last in enumerate(found)]


def _deliveries(product: Product, sessions: Sessions, now: datetime) -> list[date]:
    """Last trade dates of the next months."""
    found: list[date] = []
    day = new_york(now).date()
    while len(found) < MONTHS_AHEAD:
        last = underlying_future(product, day, sessions)
        if last is None:
            break
        if not found or last > found[-1]:
            found.append(last)
        day = last + timedelta(days=1)
    return found


def _future(
    product: Product, last: date, sessions: Sessions, exchange: str, streamed: str, *, active: int
) -> Json:
    future = Future(product.key, last, product.multiplier, product.tick)
    symbol = future_symbol(future, sessions)
    ends = instant(close_of(last, sessions))
    assert product.spec is not None, f"{product.key} has a future"
    return {
        "symbol": symbol,
        "product-code": product.key,
        "instrument-type": "Future",
        "tick-size": str(product.spec.tick),
        "notional-multiplier": str(product.multiplier),
        "display-factor": "0.01",
        "last-trade-date": last.isoformat(),
        "expiration-date": last.isoformat(),
        "active": True,
        "active-month": active == 0,
        "next-active-month": active == 1,
        "is-closing-only": False,
        "is-tradeable": True,
        "stops-trading-at": ends,
        "expires-at": ends,
        "product-group": f"{exchange}_{product.key}",
        "exchange": exchange,
        "streamer-exchange-code": streamed,
        "streamer-symbol": f"{symbol[:-1]}{last:%y}:{streamed}",
        "back-month-first-calendar-symbol": active == 0,
        "tick-sizes": [{"value": str(product.spec.tick)}],
        "option-tick-sizes": ticks(product),
    }


def ticks(product: Product) -> list[Json]:
    """The quote grid: an entry with a threshold holds below it."""
    if product.tick == product.tick_above:
        return [{"value": str(product.tick)}]
    below: Json = {"value": str(product.tick), "threshold": str(product.tick_from)}
    return [below, {"value": str(product.tick_above)}]


def series(product: Product, expiry: date, sessions: Sessions) -> str:
    """The name of the option series that expires on a day: ``EW4``, ``EW``, ``E3A``, ``EYC``, ``LO`` ..."""
    stem = "E" if product.key == "ES" else product.key
    week = (expiry.day + 6) // 7
    if expiry in {monthly_expiry(product, *month, sessions) for month in _months_near(expiry)}:
        if is_quarterly_expiry(expiry, sessions) and product.venue is Venue.EQUITY_FUTURES:
            return "EYC" if product.key == "ES" else f"{product.key}Y"
        if product.key in MONTHLY:
            return MONTHLY[product.key]
    following = sessions.after(expiry)
    if following is not None and following.date.month != expiry.month:
        return f"{stem}W"
    if expiry.weekday() == FRIDAY:
        return f"{stem}W{week}"
    return f"{stem}{week}{'ABCD'[expiry.weekday()] if expiry.weekday() < FRIDAY else 'E'}"


def future_option_symbols(option: Option, future: Future, sessions: Sessions) -> tuple[str, str]:
    """(symbol, streamer symbol): ``./ESZ5 EW4X5 251128P6000`` and ``./EW4X25P6000:XCME``."""
    product = PRODUCTS[option.product]
    name = series(product, option.expiry, sessions)
    letter, year = MONTH_LETTERS[option.expiry.month - 1], option.expiry.year % 100
    strike = f"{option.right.letter}{option.strike.normalize():f}"
    beneath = future_symbol(future, sessions)
    own = f"{name}{letter}{year % 10}"
    symbol = f".{beneath:<6}{own:<6}{option.expiry:%y%m%d}{strike}"
    return symbol, f"./{name}{letter}{year:02d}{strike}:{EXCHANGES[product.venue][1]}"


def _equity_expirations(
    product: Product, market: MarketData, sessions: Sessions, now: datetime
) -> Iterator[Json]:
    for expiry, chain in _chains(product, market, now):
        terms = terms_of(product, expiry, sessions)
        yield {
            "expiration-type": "Regular" if product.settles_at_open else "Weekly",
            "expiration-date": expiry.isoformat(),
            "days-to-expiration": _days(expiry, now),
            "settlement-type": "AM" if terms is not None and terms.at_open else "PM",
            "strikes": [
                _strike(call, put, [(occ(one), occ_streamer(one)) for one in (call, put)])
                for call, put in _pairs(chain)
            ],
        }


def _future_expirations(
    product: Product, market: MarketData, sessions: Sessions, now: datetime
) -> Iterator[Json]:
    for expiry, chain in _chains(product, market, now):
        last = underlying_future(product, expiry, sessions)
        if last is None:
            continue
        future = Future(product.key, last, product.multiplier, product.tick)
        name = series(product, expiry, sessions)
        ends = instant(close_of(expiry, sessions))
        yield {
            "underlying-symbol": future_symbol(future, sessions),
            "root-symbol": f"/{product.key}",
            "option-root-symbol": name,
            "option-contract-symbol": f"{name}{MONTH_LETTERS[expiry.month - 1]}{expiry.year % 10}",
            "asset": name,
            "expiration-date": expiry.isoformat(),
            "days-to-expiration": _days(expiry, now),
            "expiration-type": "Weekly",
            "settlement-type": "PM",
            "notional-value": "0.5",
            "display-factor": "0.01",
            "strike-factor": "1.0",
            "stops-trading-at": ends,
            "expires-at": ends,
            "tick-sizes": ticks(product),
            "strikes": [
                _strike(call, put, [future_option_symbols(one, future, sessions) for one in (call, put)])
                for call, put in _pairs(chain)
            ],
        }


def _chains(product: Product, market: MarketData, now: datetime) -> Iterator[tuple[date, Chain]]:
    for expiry in market.expiries(product.key, now):
        chain = market.chain(product.key, expiry, now)
        if chain is not None and chain.strike.size:
            yield expiry, chain


def _pairs(chain: Chain) -> Iterable[tuple[Option, Option]]:
    """(call, put) of every strike that has both."""
    by_strike: dict[int, dict[int, int]] = {}
    for row, (right, strike) in enumerate(zip(chain.right.tolist(), chain.strike.tolist(), strict=True)):
        by_strike.setdefault(strike, {})[right] = row
    for _, rows in sorted(by_strike.items()):
        if len(rows) == 2:
            yield chain.option(rows[1]), chain.option(rows[-1])


def _strike(call: Option, put: Option, symbols: list[tuple[str, str]]) -> Json:
    (call_symbol, call_streamer), (put_symbol, put_streamer) = symbols
    assert call.strike == put.strike, "a pair has one strike"
    return {
        "strike-price": f"{call.strike.normalize():f}",
        "call": call_symbol,
        "call-streamer-symbol": call_streamer,
        "put": put_symbol,
        "put-streamer-symbol": put_streamer,
    }


def _months_near(day: date) -> list[tuple[int, int]]:
    """This delivery month and the next two: a month's options may expire the month before or earlier."""
    n = day.year * 12 + day.month - 1
    return [((n + i) // 12, (n + i) % 12 + 1) for i in range(3)]


def _days(expiry: date, now: datetime) -> int:
    return (expiry - new_york(now).date()).days


def close_of(day: date, sessions: Sessions) -> datetime:
    session = sessions.on(day)
    return datetime(day.year, day.month, day.day, 21, tzinfo=UTC) if session is None else session.close
