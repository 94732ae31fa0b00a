"""One instrument as the API shows it: shares, options, futures' products and their options."""

from collections.abc import Iterator
from datetime import date, datetime

from tomking.adapters.tastytrade.symbols import Directory, Listed, UnknownSymbol, underlying
from tomking.domain.calendar import Sessions, new_york
from tomking.domain.contract import Option
from tomking.domain.expiries import terms_of
from tomking.domain.product import Kind, Product, Settlement
from tomking.domain.products import PRODUCTS
from tomking.venue import listings
from tomking.venue.listings import EXCHANGES, ROOTS, instant, series, ticks

Json = dict[str, object]
SECTOR = {"CME": "Equity Index", "CBOT": "Interest Rate", "NYMEX": "Energy", "CFE": "Volatility"}
NOT_UNDERLYINGS = {root for roots in ROOTS.values() for root in roots} - set(ROOTS)
"""Option roots that are listed under another name: SPXW."""


def equities() -> Iterator[str]:
    """The symbols that ``equity`` knows: shares, funds and indices."""
    for product in PRODUCTS.values():
        if not product.future and product.key not in NOT_UNDERLYINGS:
            yield product.key


def equity(symbol: str) -> Json:
    """``/instruments/equities/{symbol}``; ``UnknownSymbol`` for what is none."""
    if symbol not in set(equities()):
        raise UnknownSymbol(f"nothing is listed here as {symbol!r}")
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
        "option-tick-sizes": ticks(product),
    }


def equity_option(symbol: str, directory: Directory, sessions: Sessions, now: datetime) -> Json:
    """``/instruments/equity-options/{symbol}``."""
    listed, option, product = _option(symbol, directory)
    ends = _ends(option.expiry, sessions)
    terms = terms_of(product, option.expiry, sessions)
    return {
        "instrument-type": listed.instrument.value,
        "symbol": listed.symbol,
        "active": True,
        "strike-price": f"{option.strike.normalize():f}",
        "root-symbol": product.key,
        "underlying-symbol": underlying(product.key),
        "expiration-date": option.expiry.isoformat(),
        "exercise-style": product.style.value,
        "shares-per-contract": 100,
        "option-type": option.right.letter,
        "option-chain-type": "Standard",
        "expiration-type": "Regular" if product.settles_at_open else "Weekly",
        "settlement-type": "AM" if terms is not None and terms.at_open else "PM",
        "stops-trading-at": ends,
        "expires-at": ends,
        "market-time-instrument-collection": "Equity Option",
        "days-to-expiration": (option.expiry - new_york(now).date()).days,
        "is-closing-only": False,
        "streamer-symbol": listed.streamer,
    }


def future_option(symbol: str, directory: Directory, sessions: Sessions, now: datetime) -> Json:
    """``/instruments/future-options/{symbol}``: one that a chain has shown."""
    listed, option, product = _option(symbol, directory)
    terms = terms_of(product, option.expiry, sessions)
    ends = _ends(option.expiry, sessions)
    exchange, _ = EXCHANGES[product.venue]
    name = series(product, option.expiry, sessions)
    return {
        "instrument-type": listed.instrument.value,
        "symbol": listed.symbol,
        "underlying-symbol": listed.symbol[1:7].strip(),
        "product-code": product.key,
        "root-symbol": f"/{product.key}",
        "option-root-symbol": name,
        "expiration-date": option.expiry.isoformat(),
        "maturity-date": option.expiry.isoformat(),
        "strike-price": f"{option.strike.normalize():f}",
        "option-type": option.right.letter,
        "exercise-style": product.style.value,
        "exchange": exchange,
        "security-exchange": exchange,
        "exchange-symbol": listed.symbol[7:].strip(),
        "streamer-symbol": listed.streamer,
        "settlement-type": "AM" if terms is not None and terms.at_open else "PM",
        "is-vanilla": True,
        "is-primary-deliverable": True,
        "is-confirmed": True,
        "is-exercisable-weekly": True,
        "is-closing-only": False,
        "active": True,
        "future-price-ratio": "1.0",
        "multiplier": str(product.multiplier),
        "underlying-count": "1.0",
        "notional-value": "0.5",
        "display-factor": "0.01",
        "strike-factor": "1.0",
        "last-trade-time": "0",
        "sx-id": "0",
        "days-to-expiration": (option.expiry - new_york(now).date()).days,
        "stops-trading-at": ends,
        "expires-at": ends,
    }


def future_products() -> list[Product]:
    """Those that have a future beneath them."""
    return [product for product in PRODUCTS.values() if product.spec is not None and product.future]


def future_product(product: Product, *, with_options: bool = True) -> Json:
    """``/instruments/future-products/{exchange}/{code}``."""
    assert product.spec is not None, f"{product.key} has a future"
    exchange, streamed = EXCHANGES[product.venue]
    months = list(product.spec.months)
    shown: Json = {
        "root-symbol": f"/{product.key}",
        "code": product.key,
        "description": product.name,
        "exchange": exchange,
        "product-type": "Physical" if product.spec.physical else "Financial",
        "listed-months": months,
        "active-months": months,
        "notional-multiplier": str(product.multiplier),
        "tick-size": str(product.spec.tick),
        "display-factor": "0.01",
        "streamer-exchange-code": streamed,
        "small-notional": product.micro,
        "back-month-first-calendar-symbol": True,
        "first-notice": product.spec.physical,
        "cash-settled": not product.spec.physical,
        "market-sector": SECTOR[exchange],
        "clearing-code": product.key,
        "clearing-exchange-code": exchange,
        "roll": {
            "name": "tomking",
            "active-count": listings.MONTHS_AHEAD,
            "cash-settled": not product.spec.physical,
            "business-days-offset": 5,
            "first-notice": product.spec.physical,
        },
    }
    return {**shown, "option-products": [future_option_product(product)]} if with_options else shown


def future_option_product(product: Product) -> Json:
    """``/instruments/future-option-products/{exchange}/{root}``: one a product, named like it."""
    exchange, _ = EXCHANGES[product.venue]
    return {
        "root-symbol": product.key,
        "code": product.key,
        "cash-settled": product.settlement is Settlement.CASH,
        "display-factor": "0.01",
        "exchange": exchange,
        "product-type": "Financial",
        "expiration-type": "Weekly",
        "settlement-delay-days": 0,
        "market-sector": SECTOR[exchange],
        "clearing-code": product.key,
        "clearing-exchange-code": exchange,
        "clearing-price-multiplier": "1.0",
        "is-rollover": False,
    }


def _option(symbol: str, directory: Directory) -> tuple[Listed, Option, Product]:
    contract = directory.contract(symbol)
    if not isinstance(contract, Option):
        raise UnknownSymbol(f"{symbol} is no option")
    return directory.listed(contract), contract, PRODUCTS[contract.product]


def _ends(day: date, sessions: Sessions) -> str:
    return instant(listings.close_of(day, sessions))
