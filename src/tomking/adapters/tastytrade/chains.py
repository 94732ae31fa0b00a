"""Nested option chains as the API shows them: which expiries and strikes are listed, under which symbols.

Equity and index chains have one item a root (SPX and SPXW come as two); chains on futures have the series'
names, which are part of the symbols (tastytrade page, sections 5, 10 and appendix B).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from tomking.adapters.tastytrade.symbols import Instrument, Listed
from tomking.adapters.tastytrade.words import UnknownWord
from tomking.domain.contract import Option, Right
from tomking.domain.product import Product
from tomking.domain.products import PRODUCTS, UnknownProduct

Json = Mapping[str, object]
_STANDARD = 100
"""Shares of an option that nothing has adjusted."""


def equity_chain(items: Sequence[object]) -> list[Listed]:
    """The options of ``/option-chains/{symbol}/nested``; adjusted and unknown roots are left out."""
    found: list[Listed] = []
    for item in items:
        root = _mapping(item)
        product = _product(str(root.get("root-symbol")))
        if product is None or product.future or _amount(root, "shares-per-contract") != _STANDARD:
            continue
        for expiration in _mappings(root, "expirations"):
            found += _strikes(expiration, product, Instrument.EQUITY_OPTION)
    return found


def futures_chain(data: object) -> list[Listed]:
    """The options of ``/futures-option-chains/{code}/nested``.

    Where two series expire on one day, the one that settles at the close is ours (the quarterly one that
    settles at the open is American, methodology D.4).
    """
    found: dict[Option, tuple[bool, Listed]] = {}
    for chain in _mappings(_mapping(data), "option-chains"):
        product = _product(str(chain.get("root-symbol")).removeprefix("/"))
        for expiration in _mappings(chain, "expirations") if product and product.future else ():
            at_close = str(expiration.get("settlement-type")) == "PM"
            for one in _strikes(expiration, product, Instrument.FUTURE_OPTION) if product else ():
                assert isinstance(one.contract, Option)
                if at_close or one.contract not in found:
                    found[one.contract] = (at_close, one)
    return [one for _, one in found.values()]


def futures_beneath(data: object) -> dict[str, date]:
    """Symbol of each future of that answer -> its last trade date."""
    return {
        str(one.get("symbol")): _day(one, "expiration-date") for one in _mappings(_mapping(data), "futures")
    }


def _strikes(expiration: Json, product: Product, instrument: Instrument) -> Iterator[Listed]:
    day = _day(expiration, "expiration-date")
    for strike in _mappings(expiration, "strikes"):
        price = _amount(strike, "strike-price").normalize()
        for right, name in ((Right.CALL, "call"), (Right.PUT, "put")):
            symbol, streamer = strike.get(name), strike.get(f"{name}-streamer-symbol")
            if not symbol or not streamer:
                continue
            option = Option(product.key, day, right, price, product.multiplier, product.tick)
            yield Listed(option, str(symbol), str(streamer), instrument)


def _product(root: str) -> Product | None:
    try:
        return PRODUCTS[root]
    except UnknownProduct:
        return None


def _day(one: Json, name: str) -> date:
    try:
        return date.fromisoformat(str(one.get(name)))
    except ValueError as error:
        raise UnknownWord(f"{name} is {one.get(name)!r}, not a date") from error


def _amount(one: Json, name: str) -> Decimal:
    try:
        return Decimal(str(one[name]))
    except (KeyError, ArithmeticError) as error:
        raise UnknownWord(f"{name} is {one.get(name)!r}, not a number") from error


def _mappings(one: Json, name: str) -> list[Json]:
    value = one.get(name)
    if not isinstance(value, list):
        raise UnknownWord(f"{name} is {type(value).__name__}, not a list")
    return [_mapping(item) for item in value]


def _mapping(value: object) -> Json:
    if not isinstance(value, Mapping):
        raise UnknownWord(f"{type(value).__name__} where an object was expected")
    return value
