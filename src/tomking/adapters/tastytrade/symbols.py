"""What tastytrade calls a contract, and which contract a symbol is.

Options on shares and indices follow the OCC's 21 characters, ``SPXW  250530P05600000``; the root is our
product's key.  Futures are ``/ESZ5``.  The symbols of options on futures hold names of series (``EW4X5``)
that no rule of ours makes: they are read from the nested chain and kept in a ``Directory``.  Streamer symbols
are always those the API gave (tastytrade page, section 10).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum

from tomking.domain.calendar import Sessions
from tomking.domain.contract import Contract, Future, Option, Right, Share
from tomking.domain.expiries import delivery_month, month_code
from tomking.domain.products import PRODUCTS, UnknownProduct

UNDERLYINGS = {"SPXW": "SPX"}
"""Roots that are not called like what they are written on."""
_OCC = re.compile(r"(?P<root>[A-Z0-9 ]{6})(?P<day>\d{6})(?P<right>[CP])(?P<strike>\d{8})")
_STRIKES = Decimal(1000)


class UnknownSymbol(ValueError):
    """A symbol that is none of our contracts: adjusted, foreign, or not in the chains read so far."""


class Instrument(Enum):
    """tastytrade's ``instrument-type``."""

    EQUITY = "Equity"
    EQUITY_OPTION = "Equity Option"
    FUTURE = "Future"
    FUTURE_OPTION = "Future Option"


@dataclass(frozen=True, slots=True)
class Listed:
    """One contract as the API lists it."""

    contract: Contract
    symbol: str
    streamer: str
    instrument: Instrument


def underlying(product: str) -> str:
    """What the API calls the underlying of a root: ``SPX`` for SPXW, ``/ES`` for ES, ``SPY``."""
    return f"/{product}" if PRODUCTS[product].future else UNDERLYINGS.get(product, product)


def occ(option: Option) -> str:
    """``SPXW  250530P05600000``.  ``UnknownSymbol`` where the contract has no such name."""
    thousandths = option.strike * _STRIKES
    if thousandths != thousandths.to_integral_value() or not 0 < thousandths < 10**8:
        raise UnknownSymbol(f"{option}: an OCC symbol holds strikes in thousandths up to 99999.999")
    return f"{option.product:<6}{option.expiry:%y%m%d}{option.right.letter}{int(thousandths):08d}"


def parse_occ(symbol: str) -> Option:
    """The option of an OCC symbol, at the listed size of its root."""
    found = _OCC.fullmatch(symbol)
    if found is None:
        raise UnknownSymbol(f"{symbol!r} is no OCC option symbol (like 'SPXW  250530P05600000')")
    try:
        product = PRODUCTS[found["root"].strip()]
        text = found["day"]
        day = date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except UnknownProduct as error:
        raise UnknownSymbol(f"{symbol!r}: {error}") from error
    except ValueError as error:
        raise UnknownSymbol(f"{symbol!r}: {found['day']} is no date ({error})") from error
    right = Right.CALL if found["right"] == "C" else Right.PUT
    strike = Decimal(found["strike"]) / _STRIKES
    return Option(product.key, day, right, strike, product.multiplier, product.tick)


def occ_streamer(option: Option) -> str:
    """``.SPXW250530P5600``: what the chains show for it; only the venue makes them, clients read them."""
    strike = f"{option.strike.normalize():f}"
    return f".{option.product}{option.expiry:%y%m%d}{option.right.letter}{strike}"


def future_symbol(future: Future, sessions: Sessions) -> str:
    """``/ESZ5``: root, month, last digit of the year."""
    code = month_code(PRODUCTS[future.product], future.expiry, sessions)
    if code is None:
        raise UnknownSymbol(f"{future}: no {future.product} future last trades on that day")
    return f"/{code[:-2]}{code[-1]}"


def parse_future(symbol: str, last_trade: date, sessions: Sessions) -> Future:
    """The future of a symbol and of the last trade date its instrument shows (a digit says no decade)."""
    root = symbol.removeprefix("/")[:-2]
    try:
        product = PRODUCTS[root]
    except UnknownProduct as error:
        raise UnknownSymbol(f"{symbol!r}: {error}") from error
    future = Future(product.key, last_trade, product.multiplier, product.tick)
    if not delivery_month(product, last_trade, sessions) or future_symbol(future, sessions) != symbol:
        raise UnknownSymbol(f"{symbol!r} does not last trade on {last_trade} by the exchange's rule")
    return future


@dataclass(slots=True)
class Directory:
    """Both ways between contracts and symbols: what the chains listed, and rules for the rest."""

    _by_symbol: dict[str, Listed] = field(default_factory=dict[str, Listed])
    _by_contract: dict[Contract, Listed] = field(default_factory=dict[Contract, Listed])
    _by_streamer: dict[str, Listed] = field(default_factory=dict[str, Listed])

    def learn(self, listed: Iterable[Listed]) -> None:
        """Adds what a chain shows; a later chain wins."""
        for one in listed:
            self._by_symbol[one.symbol] = one
            self._by_contract[one.contract] = one
            self._by_streamer[one.streamer] = one

    def listed(self, contract: Contract) -> Listed:
        """Its entry; for shares and OCC options by rule.  ``UnknownSymbol`` for a futures option not read."""
        known = self._by_contract.get(contract)
        if known is not None:
            return known
        if isinstance(contract, Share):
            return Listed(contract, contract.product, contract.product, Instrument.EQUITY)
        if isinstance(contract, Option) and not PRODUCTS[contract.product].future:
            return Listed(contract, occ(contract), occ_streamer(contract), Instrument.EQUITY_OPTION)
        raise UnknownSymbol(f"{contract} is in no chain read so far: read the chain of {contract.product}")

    def contract(self, symbol: str) -> Contract:
        """The contract of an API symbol."""
        known = self._by_symbol.get(symbol)
        if known is not None:
            return known.contract
        if symbol.startswith((".", "/")):
            raise UnknownSymbol(f"{symbol!r} is in no chain read so far")
        if " " in symbol or any(map(str.isdigit, symbol)):
            return parse_occ(symbol)
        try:
            product = PRODUCTS[symbol]
        except UnknownProduct as error:
            raise UnknownSymbol(f"{symbol!r}: {error}") from error
        return Share(product.key, product.multiplier, product.tick)

    def streamed(self, streamer: str) -> Contract | None:
        """The contract of a streamer symbol that was learnt; None for an index, a future or nothing known."""
        known = self._by_streamer.get(streamer)
        return None if known is None else known.contract

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._by_contract.values())

    def __len__(self) -> int:
        return len(self._by_contract)
